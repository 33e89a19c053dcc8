#include "client/board.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "client/casework/field.h"
#include "client/directory.h"

namespace godwit::client {
namespace {

using content::v1::Summary;
using google::protobuf::FieldDescriptor;
using protocol::Compartment;

constexpr std::array<std::string_view, 11> kFields = {
    "code",       "stage",      "status", "condition", "risk",   "population",
    "caseworker", "supervisor", "days",   "due",       "overdue"};

const FieldDescriptor& SummaryField(std::string_view name) {
  return *Summary::descriptor()->FindFieldByName(std::string(name));
}

// The short names of what an enum of the summary says.
std::vector<std::string> NamesOf(const Summary& summary, const FieldDescriptor& field) {
  const auto& reflection = *summary.GetReflection();
  std::vector<std::string> names;
  if (field.is_repeated()) {
    for (int i = 0; i < reflection.FieldSize(summary, &field); ++i) {
      names.push_back(ShortName(*reflection.GetRepeatedEnum(summary, &field, i)));
    }
  } else {
    names.push_back(ShortName(*reflection.GetEnum(summary, &field)));
  }
  return names;
}

std::vector<std::string> KnownValues(const FieldDescriptor& field) {
  std::vector<std::string> known;
  for (int i = 0; i < field.enum_type()->value_count(); ++i) {
    const auto& value = *field.enum_type()->value(i);
    if (value.number() != 0) known.push_back(ShortName(value));
  }
  return known;
}

bool IsOneOf(const std::string& value, const std::vector<std::string>& wanted) {
  return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

bool IsClosed(const Summary& summary) {
  return summary.stage() == content::v1::CASE_STAGE_CLOSED ||
         summary.status() > content::v1::CASE_STATUS_OPEN;
}

bool AsksForClosed(const BoardFilter& filter) {
  if (filter.closed) return true;
  for (const auto& [field, values] : filter.values) {
    if (field == "status" && !values.empty()) return true;
    if (field == "stage" && std::ranges::find(values, "closed") != values.end()) return true;
  }
  return false;
}

bool Passes(const BoardFilter& filter, const BoardLine& line) {
  const Summary& summary = line.row.summary;
  for (const auto& [field, wanted] : filter.values) {
    const auto names = NamesOf(summary, SummaryField(field));
    if (!wanted.empty() && std::ranges::none_of(names, [&](const std::string& name) {
          return IsOneOf(name, wanted);
        })) {
      return false;
    }
  }
  const bool waits = summary.approval_assessment() == content::v1::APPROVAL_STATE_PENDING ||
                     summary.approval_case_plan() == content::v1::APPROVAL_STATE_PENDING ||
                     summary.approval_closure() == content::v1::APPROVAL_STATE_PENDING;
  return IsOneOf(line.row.caseworker_handle, filter.caseworkers) &&
         IsOneOf(line.row.supervisor_handle, filter.supervisors) &&
         (waits || !filter.approval_waits) && (line.overdue || !filter.overdue);
}

// What a line is sorted by: a text or a number, if it has one.
struct SortKey {
  bool none = false;
  std::string text = {};
  std::uint32_t number = 0;
};

SortKey KeyOf(const BoardLine& line, std::string_view field) {
  const Summary& summary = line.row.summary;
  const auto text = [](const std::string& value) { return SortKey{value.empty(), value}; };
  const auto number = [](std::uint32_t value) { return SortKey{value == 0, {}, value}; };
  if (field == "code") return text(summary.code());
  if (field == "caseworker") return text(line.row.caseworker_handle);
  if (field == "supervisor") return text(line.row.supervisor_handle);
  if (field == "days") return {false, {}, line.days_in_stage};
  if (field == "due") return number(summary.next_due_day());
  if (field == "overdue") return {false, {}, line.overdue ? 0u : 1u};
  return number(static_cast<std::uint32_t>(
      summary.GetReflection()->GetEnumValue(summary, &SummaryField(field))));
}

}  // namespace

base::Result<Board> ReadBoard(Organisation& organisation, std::uint32_t today) {
  auto cases = ListCases(organisation);
  if (!cases) return cases.error();
  Board board;
  for (CaseRow& row : *cases) {
    BoardLine line;
    const auto& summary = row.summary;
    if (summary.stage_since_day() != 0 && summary.stage_since_day() <= today) {
      line.days_in_stage = today - summary.stage_since_day();
    }
    line.overdue =
        summary.overdue() > 0 || (summary.next_due_day() != 0 && summary.next_due_day() < today);
    ++board.by_stage[summary.stage()];
    board.not_fully_checked += row.fully_checked ? 0 : 1;
    for (const auto& [handle, all] : {std::pair(&row.caseworker_handle, &board.caseworkers),
                                      std::pair(&row.supervisor_handle, &board.supervisors)}) {
      if (!handle->empty()) all->insert(*handle);
    }
    line.row = std::move(row);
    board.lines.push_back(std::move(line));
  }
  Realm& realm = **organisation.Get(Compartment::kCases);
  const auto directory = Directory::Read(realm);
  if (!directory) return directory.error();
  for (const Colleague& colleague : directory->colleagues()) {
    const auto roles = realm.roster().RolesAt(colleague.member, realm.roster().head_seq());
    if ((roles & protocol::kCaseworker) != 0) board.caseworkers.insert(colleague.handle);
    if ((roles & protocol::kSupervisor) != 0) board.supervisors.insert(colleague.handle);
  }
  const auto order = [](const BoardLine& line) {
    const auto& s = line.row.summary;
    const int risk = s.risk() == content::v1::RISK_LEVEL_UNSPECIFIED
                         ? static_cast<int>(content::v1::RISK_LEVEL_NOT_ASSESSED)
                         : static_cast<int>(s.risk());
    const std::uint32_t due = s.next_due_day() == 0 ? ~std::uint32_t{0} : s.next_due_day();
    return std::tuple(!line.overdue, risk, due, ~line.days_in_stage, s.code());
  };
  std::ranges::sort(board.lines,
                    [&](const BoardLine& a, const BoardLine& b) { return order(a) < order(b); });
  return board;
}

bool Wants(const BoardFilter& filter, const BoardLine& line) {
  return Passes(filter, line) && (AsksForClosed(filter) || !IsClosed(line.row.summary));
}

bool HidesAsClosed(const BoardFilter& filter, const BoardLine& line) {
  return Passes(filter, line) && !Wants(filter, line);
}

std::span<const std::string_view> BoardFields() { return kFields; }

void SortBoard(std::vector<BoardLine>& lines, std::span<const BoardOrder> orders) {
  std::ranges::stable_sort(lines, [&](const BoardLine& a, const BoardLine& b) {
    for (const BoardOrder& order : orders) {
      const SortKey left = KeyOf(a, order.field);
      const SortKey right = KeyOf(b, order.field);
      if (left.none != right.none) return right.none;
      const auto less = std::tie(left.text, left.number) < std::tie(right.text, right.number);
      const auto more = std::tie(right.text, right.number) < std::tie(left.text, left.number);
      if (less != more) return order.descending ? more : less;
    }
    return false;
  });
}

std::optional<UnknownValue> FindUnknown(const Board& board, const BoardFilter& filter,
                                        std::span<const BoardOrder> orders) {
  const auto find = [](const std::string& option, const std::vector<std::string>& wanted,
                       std::vector<std::string> known) -> std::optional<UnknownValue> {
    for (const std::string& value : wanted) {
      if (!IsOneOf(value, known) || known.empty()) return UnknownValue{option, value, known};
    }
    return std::nullopt;
  };
  for (const auto& [field, wanted] : filter.values) {
    const std::string option = field == "flags" ? "flag" : field;
    if (auto unknown = find(option, wanted, KnownValues(SummaryField(field)))) return unknown;
  }
  for (const auto& [option, wanted, known] :
       {std::tuple("caseworker", &filter.caseworkers, &board.caseworkers),
        std::tuple("supervisor", &filter.supervisors, &board.supervisors)}) {
    if (auto unknown = find(option, *wanted, {known->begin(), known->end()})) return unknown;
  }
  std::vector<std::string> fields;
  for (const BoardOrder& order : orders) fields.push_back(order.field);
  return find("sort", fields, {kFields.begin(), kFields.end()});
}

}  // namespace godwit::client
