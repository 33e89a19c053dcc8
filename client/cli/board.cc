#include "client/cli/board.h"

#include "client/board.h"
#include "client/cli/render.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using protocol::Compartment;

bool IsStage(const std::string& name) {
  const auto& type = *google::protobuf::GetEnumDescriptor<content::v1::CaseStage>();
  for (int i = 0; i < type.value_count(); ++i) {
    const int number = type.value(i)->number();
    if (number != 0 && EnumText(type, number) == name) return true;
  }
  return false;
}

}  // namespace

ExitCode BoardShow(const Context& context, const BoardOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("show the board", why); };
  if (!options.stage.empty() && !IsStage(options.stage)) {
    return fail(Error(Code::kInvalidArgument,
                      "the stages are contact, screening, accepted, planning, ready, in_transit, "
                      "third_country, departed, arrived, settling and closed"));
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

  Json stages = Json::object();
  std::vector<std::pair<std::string, Cell>> counts;
  for (const auto& [stage, count] : board->by_stage) {
    stages[EnumText(stage)] = count;
    counts.emplace_back(EnumText(stage), std::to_string(count));
  }
  Table table{{{"code"},
               {"stage"},
               {"risk"},
               {"caseworker", false, true},
               {"days", true},
               {"next due"},
               {""}},
              {}};
  std::size_t matching = 0;
  for (const client::BoardLine& line : board->lines) {
    const auto& summary = line.row.summary;
    if (!options.stage.empty() && EnumText(summary.stage()) != options.stage) continue;
    if (options.overdue && !line.overdue) continue;
    if (++matching > options.limit && options.limit > 0) continue;
    Json json = CaseJson(line.row);
    json["days_in_stage"] = line.days_in_stage;
    json["is_overdue"] = line.overdue;
    output.Emit(json);
    table.rows.push_back({CodeText(summary.code()), EnumText(summary.stage()),
                          Cell(EnumText(summary.risk()), RiskStyle(summary.risk())),
                          line.row.caseworker, std::to_string(line.days_in_stage),
                          DayText(summary.next_due_day()),
                          line.overdue ? Cell("overdue", Style::kBad) : Cell()});
  }
  output.Emit({{"cases", board->lines.size()},
               {"matching", matching},
               {"by_stage", stages},
               {"not_fully_checked", board->not_fully_checked}});
  output.Show(table);
  output.Line();
  output.Fields(counts);
  std::string total = std::to_string(board->lines.size()) + " cases";
  if (matching > table.rows.size()) {
    total += "; " + std::to_string(matching - table.rows.size()) + " more match";
  }
  if (board->not_fully_checked > 0) {
    total += "; " + std::to_string(board->not_fully_checked) +
             " not fully checked: their history is, once you open them";
  }
  output.Line(total, Style::kFaint);
  if (!synced && !IsOffline(synced)) return fail(synced.error());
  return ExitCode::kOk;
}

}  // namespace godwit::cli
