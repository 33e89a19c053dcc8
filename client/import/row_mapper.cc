#include "client/import/row_mapper.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <array>
#include <map>

#include "client/casework/inert.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using content::v1::Answer;
using content::v1::CaseStage;
using content::v1::PartialDate;
using content::v1::Workflow;

// The step of the work that a stage takes place in. Nothing is said to be implemented: a file does
// not show that.
Workflow WorkflowOf(CaseStage stage) {
  switch (stage) {
    case content::v1::CASE_STAGE_CONTACT:
    case content::v1::CASE_STAGE_SCREENING:
      return content::v1::WORKFLOW_NEW;
    case content::v1::CASE_STAGE_ACCEPTED:
      return content::v1::WORKFLOW_ASSESSMENT;
    case content::v1::CASE_STAGE_PLANNING:
      return content::v1::WORKFLOW_CASE_PLAN;
    default:
      return content::v1::WORKFLOW_SERVICE_PROVISION;
  }
}

// What a stub may not have: a name, a text by which one is found, a way to reach somebody.
constexpr std::array<const char*, 7> kIdentifying = {
    "names",      "origin_admin1", "origin_admin2",       "marital_status",
    "occupation", "former_role",   "distinguishing_marks"};

bool IsIdentified(const RowRecords& records) {
  const auto& profile = records.identity_profile;
  std::vector<const google::protobuf::FieldDescriptor*> given;
  profile.GetReflection()->ListFields(profile, &given);
  return !records.contacts.empty() || std::ranges::any_of(given, [](const auto* field) {
    return std::ranges::find(kIdentifying, field->name()) != kIdentifying.end();
  });
}

}  // namespace

struct RowMapper::Draft {
  const CsvRecord& record;
  std::uint32_t row;
  const std::vector<std::string>& columns;
  RowRecords records = {};
  std::set<Target::Element> answered_elements = {};  // groups of lists that a cell has filled
  bool nameless = false;
  std::string caseworker_handle = {};
  std::string supervisor_handle = {};
  std::vector<Refusal> refusals = {};

  void Refuse(std::size_t column, std::string_view cell, std::string_view why) {
    refusals.push_back({row, record.line, Inert(columns[column]), why, Inert(cell)});
  }
  void RefuseRow(base::Literal why) { refusals.push_back({row, record.line, "", why.text(), ""}); }
};

base::Result<RowMapper> RowMapper::Bind(Mapping mapping, const CsvRecord& header,
                                        ImportOptions options, std::vector<Fault>& faults) {
  RowMapper mapper(std::move(mapping), std::move(options));
  const auto complain = [&](std::string_view column, base::Literal why) {
    faults.push_back({header.line, Inert(column), why.text()});
  };
  std::map<std::string, std::size_t, std::less<>> places;
  for (std::size_t i = 0; i < header.cells.size(); ++i) {
    std::string name(mapper.mapping_.trim() ? Trimmed(header.cells[i]) : header.cells[i]);
    if (name.empty()) complain("column " + std::to_string(i + 1), "the column has no name");
    if (!places.emplace(name, i).second) complain(name, "two columns have this name");
    mapper.columns_.push_back(std::move(name));
  }
  std::set<std::string, std::less<>> used = mapper.mapping_.ignored_columns();
  const auto place = [&](const std::string& column) -> std::size_t {
    if (column.empty()) return 0;
    const bool first = used.insert(column).second;
    const auto found = places.find(column);
    if (found != places.end()) return found->second;
    if (first) complain(column, "the file has no column of this name");
    return 0;
  };
  for (const auto& field : mapper.mapping_.fields()) {
    mapper.field_columns_.push_back(place(field.column));
    mapper.has_trafficking_ =
        mapper.has_trafficking_ || field.target.path().starts_with("trafficking_context.");
  }
  mapper.caseworker_column_ = place(mapper.mapping_.caseworker().column);
  mapper.supervisor_column_ = place(mapper.mapping_.supervisor().column);
  for (const auto& column : mapper.columns_) {
    if (!column.empty() && !used.contains(column)) {
      complain(column, "the mapping neither uses nor ignores this column");
    }
  }
  if (!faults.empty()) {
    return Error(Code::kInvalidArgument, "the file's header does not fit the mapping");
  }
  return mapper;
}

ImportLine RowMapper::Map(const CsvRecord& record, std::uint32_t row) const {
  Draft draft{.record = record, .row = row, .columns = columns_};
  if (record.fault) {
    const auto cell = record.fault->cell;
    draft.refusals.push_back({row, record.line, cell < columns_.size() ? Inert(columns_[cell]) : "",
                              record.fault->why.text(), ""});
  } else if (record.cells.size() < columns_.size()) {
    draft.RefuseRow("the row has fewer cells than the header");
  } else if (record.cells.size() > columns_.size()) {
    draft.RefuseRow("the row has more cells than the header");
  } else {
    for (std::size_t i = 0; i < mapping_.fields().size(); ++i) {
      Fill(mapping_.fields()[i], field_columns_[i], draft);
    }
    draft.caseworker_handle = Handle(mapping_.caseworker(), caseworker_column_, draft);
    draft.supervisor_handle = Handle(mapping_.supervisor(), supervisor_column_, draft);
    if (!draft.caseworker_handle.empty() && draft.caseworker_handle == draft.supervisor_handle) {
      draft.RefuseRow("caseworker and supervisor are the same");
    }
    DropEmptyGroups(draft);
    if (mapping_.subject() == Subject::kPeople) {
      LeaveOutIdentity(draft);
    } else {
      // A refused consent or stage would be refused again for what it would have allowed.
      if (draft.refusals.empty()) CheckConsent(draft);
      FinishCase(draft);
    }
    FinishPerson(draft);
  }
  if (!draft.refusals.empty()) return {row, record.line, std::move(draft.refusals)};
  ImportRow result{.summary = std::move(draft.records.summary),
                   .case_facts = std::move(draft.records.case_facts),
                   .trafficking_context = std::nullopt,
                   .identity_profile = std::move(draft.records.identity_profile),
                   .contacts = std::move(draft.records.contacts),
                   .consent = std::move(draft.records.consent),
                   .nameless = draft.nameless,
                   .caseworker_handle = std::move(draft.caseworker_handle),
                   .supervisor_handle = std::move(draft.supervisor_handle)};
  if (has_trafficking_) {
    result.trafficking_context = std::move(draft.records.trafficking_context);
  }
  return {row, record.line, std::move(result)};
}

void RowMapper::Fill(const Mapping::Field& field, std::size_t column, Draft& draft) const {
  if (field.column.empty()) {
    for (const auto& value : field.constants) field.target.Set(value, draft.records);
    return;
  }
  std::string_view cell = draft.record.cells[column];
  if (mapping_.trim()) cell = Trimmed(cell);
  if (const auto found = field.no_answers.find(cell); found != field.no_answers.end()) {
    const auto& holder = field.no_answer_target ? *field.no_answer_target : field.target;
    if (const auto value = holder.ValueOf(found->second)) {
      holder.Set(*value, draft.records);
      if (field.target.element()) draft.answered_elements.insert(*field.target.element());
    }
    return;
  }
  if (field.separator.empty()) {
    FillPart(field, column, cell, draft);
    return;
  }
  for (;;) {
    const auto end = cell.find(field.separator);
    FillPart(field, column, Trimmed(cell.substr(0, end)), draft);
    if (end == std::string_view::npos) return;
    cell.remove_prefix(end + field.separator.size());
  }
}

void RowMapper::FillPart(const Mapping::Field& field, std::size_t column, std::string_view part,
                         Draft& draft) const {
  const auto value = Read(field, column, part, draft);
  if (!value) return;
  field.target.Set(*value, draft.records);
  if (field.target.element()) draft.answered_elements.insert(*field.target.element());
}

// Reads one value; refuses the row where there is none.
std::optional<Value> RowMapper::Read(const Mapping::Field& field, std::size_t column,
                                     std::string_view part, Draft& draft) const {
  if (field.has_table) {
    const auto found = field.values.find(part);
    if (found != field.values.end()) return found->second;
    draft.Refuse(column, part, "there is no mapping for this value");
    return std::nullopt;
  }
  if (field.target.kind() != ValueKind::kDate && field.target.kind() != ValueKind::kDay) {
    auto value = field.target.Parse(part);
    if (value) return std::move(*value);
    draft.Refuse(column, part, value.error().message());
    return std::nullopt;
  }
  auto date = ReadDate(part, field.formats, field.zeros);
  if (!date) {
    draft.Refuse(column, part, date.error().message());
    return std::nullopt;
  }
  const Day day = *FirstDay(*date);
  if (day > options_.import_day && field.target.path() != "summary.next_due_day" &&
      field.target.path() != "consent.expires_day") {
    draft.Refuse(column, part, "the date lies after the day of the import");
    return std::nullopt;
  }
  if (field.target.kind() == ValueKind::kDay) {
    if (day >= 0) return Value(day);
    draft.Refuse(column, part, "the day lies before 1970");
    return std::nullopt;
  }
  if (field.estimated) date->set_precision(PartialDate::PRECISION_ESTIMATED);
  return Value(std::move(*date));
}

// Returns the handle of the row's member; empty where the row is refused for it.
std::string RowMapper::Handle(const Mapping::Staff& staff, std::size_t column, Draft& draft) const {
  std::string handle;
  if (staff.column.empty()) {
    handle = staff.in_turn[draft.row % staff.in_turn.size()];
    if (options_.handles && !options_.handles->contains(handle)) {
      draft.RefuseRow("the mapping names a handle that no member has");
      return "";
    }
    return handle;
  }
  std::string_view cell = draft.record.cells[column];
  if (mapping_.trim()) cell = Trimmed(cell);
  if (!staff.values.empty()) {
    const auto found = staff.values.find(cell);
    if (found == staff.values.end()) {
      draft.Refuse(column, cell, "there is no mapping for this value");
      return "";
    }
    handle = found->second;
  } else {
    handle = cell;
  }
  if (!IsHandle(handle)) {
    draft.Refuse(column, cell, "this can be no member's handle");
    return "";
  }
  if (options_.handles && !options_.handles->contains(handle)) {
    draft.Refuse(column, cell, "no member has this handle");
    return "";
  }
  return handle;
}

// A name or contact of which only constants are there, its kind and script, is none.
void RowMapper::DropEmptyGroups(Draft& draft) const {
  auto* names = draft.records.identity_profile.mutable_names();
  for (int i = names->size() - 1; i >= 0; --i) {
    if (!draft.answered_elements.contains({"names", i})) names->DeleteSubrange(i, 1);
  }
  auto& contacts = draft.records.contacts;
  for (int i = static_cast<int>(contacts.size()) - 1; i >= 0; --i) {
    if (!draft.answered_elements.contains({"contacts", i})) contacts.erase(contacts.begin() + i);
  }
}

void RowMapper::CheckConsent(Draft& draft) const {
  const auto& summary = draft.records.summary;
  const bool store = summary.consent().store_identity() == content::v1::ANSWER_YES;
  const bool services = summary.consent().services() == content::v1::ANSWER_YES;
  if (!store && IsIdentified(draft.records)) {
    draft.RefuseRow("the row identifies a person who has not agreed to store their identity");
  }
  if (!store && summary.stage() > content::v1::CASE_STAGE_CONTACT) {
    draft.RefuseRow("a stage after contact needs the consent to store an identity");
  }
  if (!services && summary.stage() > content::v1::CASE_STAGE_SCREENING) {
    draft.RefuseRow("a stage after screening needs the consent to services");
  }
}

// Whoever did not agree to be stored becomes a nameless person.
void RowMapper::LeaveOutIdentity(Draft& draft) const {
  RowRecords& records = draft.records;
  if (records.consent.store_identity() == content::v1::ANSWER_YES) return;
  draft.nameless = IsIdentified(records);
  auto& profile = records.identity_profile;
  for (const char* name : kIdentifying) {
    profile.GetReflection()->ClearField(&profile, profile.GetDescriptor()->FindFieldByName(name));
  }
  records.contacts.clear();
}

// Adds what is true of every imported case.
void RowMapper::FinishCase(Draft& draft) const {
  auto& summary = draft.records.summary;
  summary.set_status(content::v1::CASE_STATUS_OPEN);
  summary.set_condition(content::v1::CASE_CONDITION_NORMAL);
  summary.set_workflow(WorkflowOf(summary.stage()));
  summary.add_flags(content::v1::CASE_FLAG_IMPORTED);
  if (summary.stage_since_day() == 0) {
    summary.set_stage_since_day(static_cast<std::uint32_t>(options_.import_day));
  }
}

// Says of birth and consent what follows from the rest.
void RowMapper::FinishPerson(Draft& draft) const {
  auto& profile = draft.records.identity_profile;
  if (profile.birth().has_age_band() && !profile.birth().has_date()) {
    auto* date = profile.mutable_birth()->mutable_date();
    date->set_precision(profile.birth().age_band().missing() == content::v1::ANSWER_UNSPECIFIED
                            ? PartialDate::PRECISION_AGE_BAND
                            : PartialDate::PRECISION_UNKNOWN);
  }
  auto& consent = draft.records.consent;
  if (consent.state() != content::v1::CONSENT_STATE_UNSPECIFIED) return;
  const Answer store = consent.store_identity();
  if (store == content::v1::ANSWER_YES) consent.set_state(content::v1::CONSENT_STATE_GIVEN);
  if (store == content::v1::ANSWER_NO || store == content::v1::ANSWER_REFUSED) {
    consent.set_state(content::v1::CONSENT_STATE_DECLINED);
  }
}

}  // namespace godwit::client
