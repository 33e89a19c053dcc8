#include "client/cli/board.h"

#include <span>

#include "client/cli/board_sheet.h"
#include "client/cli/own_file.h"
#include "client/cli/render.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using protocol::Compartment;

std::vector<client::BoardOrder> OrdersOf(const std::vector<std::string>& sort) {
  std::vector<client::BoardOrder> orders;
  for (const std::string& field : sort) {
    const bool descending = field.starts_with('-');
    orders.push_back({field.substr(descending ? 1 : 0), descending});
  }
  return orders;
}

// The lines that are wanted, in the order that is.
struct Selection {
  std::vector<client::BoardLine> lines;
  std::size_t hidden_as_closed = 0;
};
Selection Select(const client::Board& board, const client::BoardFilter& filter,
                 std::span<const client::BoardOrder> orders) {
  Selection selection;
  for (const client::BoardLine& line : board.lines) {
    if (client::Wants(filter, line)) {
      selection.lines.push_back(line);
    } else if (client::HidesAsClosed(filter, line)) {
      ++selection.hidden_as_closed;
    }
  }
  client::SortBoard(selection.lines, orders);
  return selection;
}

Error SayUnknown(Output& output, const client::UnknownValue& unknown) {
  output.Emit({{"unknown", unknown.value}, {"option", unknown.option}, {"known", unknown.known}});
  // TRANSLATORS: {0} is an option's name; its values follow.
  const bool handles = unknown.option == "caseworker" || unknown.option == "supervisor";
  output.Note(Translated("Of --{0} there are: {1}", unknown.option,
                         handles ? Joined(unknown.known) : CodesWithLabels(unknown.known)));
  return Error(Code::kInvalidArgument,
               "one of the values asked for does not exist; those that do are listed above");
}

}  // namespace

ExitCode BoardShow(const Context& context, const BoardOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("show the board", why); };
  const auto orders = OrdersOf(options.sort);
  // What needs no board to be judged is, before any key is asked for.
  client::BoardFilter by_code = options.filter;
  by_code.caseworkers.clear();
  by_code.supervisors.clear();
  if (const auto unknown = client::FindUnknown({}, by_code, orders)) {
    return fail(SayUnknown(output, *unknown));
  }
  auto session =
      Session::Open(context, {Compartment::kCases},
                    options.offline ? client::Profile::Use::kRead : client::Profile::Use::kWrite);
  if (!session) return fail(session.error());
  base::Status synced;
  if (!options.offline) {
    Progress progress(output);
    synced = SyncLists(session->organisation(), progress);
  }
  if (IsOffline(synced)) output.Note("Offline: as of the last sync.");
  const auto board = client::ReadBoard(session->organisation(), Today());
  if (!board) return fail(board.error());
  if (const auto unknown = client::FindUnknown(*board, options.filter, orders)) {
    return fail(SayUnknown(output, *unknown));
  }
  Selection selection = Select(*board, options.filter, orders);
  const std::size_t matching = selection.lines.size();
  if (options.limit > 0 && matching > options.limit) selection.lines.resize(options.limit);
  if (!options.export_to.empty()) {
    const auto saved = SaveOwnFile(context, options.export_to, BoardSheet(selection.lines));
    if (!saved) return fail(saved.error());
    output.Emit({{"event", "exported"},
                 {"file", options.export_to},
                 {"cases", selection.lines.size()},
                 {"hidden_as_closed", selection.hidden_as_closed}});
    output.Line(Translated("Written: {0} cases, as codes alone. Whoever gets the file can read it.",
                           selection.lines.size()),
                Style::kGood);
    if (!synced && !IsOffline(synced)) return fail(synced.error());
    return ExitCode::kOk;
  }

  Json stages = Json::object();
  std::vector<std::pair<std::string, Cell>> counts;
  for (const auto& [stage, count] : board->by_stage) {
    stages[EnumText(stage)] = count;
    counts.emplace_back(EnumLabel(stage), std::to_string(count));
  }
  Table table{{Column("code"),
               Column("stage"),
               Column("risk"),
               Shrinking("caseworker"),
               Number("days"),
               Column("next due"),
               {}},
              {}};
  for (const client::BoardLine& line : selection.lines) {
    const auto& summary = line.row.summary;
    Json json = CaseJson(line.row);
    json["days_in_stage"] = line.days_in_stage;
    json["is_overdue"] = line.overdue;
    output.Emit(json);
    table.rows.push_back({CodeText(summary.code()), EnumLabel(summary.stage()),
                          Cell(EnumLabel(summary.risk()), RiskStyle(summary.risk())),
                          line.row.caseworker, std::to_string(line.days_in_stage),
                          DayLabel(summary.next_due_day()),
                          line.overdue ? Cell(Translated("overdue"), Style::kBad) : Cell()});
  }
  output.Emit({{"cases", board->lines.size()},
               {"matching", matching},
               {"hidden_as_closed", selection.hidden_as_closed},
               {"by_stage", stages},
               {"not_fully_checked", board->not_fully_checked}});
  output.Show(table);
  output.Line();
  output.Fields(counts);
  std::string total = Translated("{0} cases", board->lines.size());
  if (matching > table.rows.size()) {
    total += Translated("; {0} more match", matching - table.rows.size());
  }
  if (selection.hidden_as_closed > 0) {
    total += Translated("; {0} closed are hidden (--closed)", selection.hidden_as_closed);
  }
  if (board->not_fully_checked > 0) {
    total += Translated("; {0} not fully checked: their history is, once you open them",
                        board->not_fully_checked);
  }
  output.Line(total, Style::kFaint);
  if (!synced && !IsOffline(synced)) return fail(synced.error());
  return ExitCode::kOk;
}

}  // namespace godwit::cli
