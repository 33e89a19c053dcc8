#include "client/cli/board.h"

#include <map>
#include <optional>
#include <span>
#include <utility>

#include "client/cli/board_sheet.h"
#include "client/cli/live.h"
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

Json LineJson(const client::BoardLine& line) {
  Json json = CaseJson(line.row);
  json["days_in_stage"] = line.days_in_stage;
  json["is_overdue"] = line.overdue;
  return json;
}

// A board as it is shown: all that was asked for of one moment.
struct Screen {
  std::vector<client::BoardLine> lines;
  std::size_t matching = 0;  // without regard to a limit
  std::size_t hidden_as_closed = 0;
  std::size_t cases = 0;  // of the whole board
  std::map<content::v1::CaseStage, std::size_t> by_stage;
  std::size_t not_fully_checked = 0;

  Json totals() const {
    Json stages = Json::object();
    for (const auto& [stage, count] : by_stage) stages[EnumText(stage)] = count;
    return {{"cases", cases},
            {"matching", matching},
            {"hidden_as_closed", hidden_as_closed},
            {"by_stage", stages},
            {"not_fully_checked", not_fully_checked}};
  }
};

void Show(Output& output, const Screen& screen) {
  Table table{{Column("code"),
               Column("stage"),
               Column("risk"),
               Shrinking("caseworker"),
               Number("days"),
               Column("next due"),
               {}},
              {}};
  for (const client::BoardLine& line : screen.lines) {
    const auto& summary = line.row.summary;
    output.Emit(LineJson(line));
    table.rows.push_back({CodeText(summary.code()), EnumLabel(summary.stage()),
                          Cell(EnumLabel(summary.risk()), RiskStyle(summary.risk())),
                          line.row.caseworker, std::to_string(line.days_in_stage),
                          DayLabel(summary.next_due_day()),
                          line.overdue ? Cell(Translated("overdue"), Style::kBad) : Cell()});
  }
  output.Emit(screen.totals());
  output.Show(table);
  output.Line();
  std::vector<std::pair<std::string, Cell>> counts;
  for (const auto& [stage, count] : screen.by_stage) {
    counts.emplace_back(EnumLabel(stage), std::to_string(count));
  }
  output.Fields(counts);
  std::string total = Translated("{0} cases", screen.cases);
  if (screen.matching > table.rows.size()) {
    total += Translated("; {0} more match", screen.matching - table.rows.size());
  }
  if (screen.hidden_as_closed > 0) {
    total += Translated("; {0} closed are hidden (--closed)", screen.hidden_as_closed);
  }
  if (screen.not_fully_checked > 0) {
    total += Translated("; {0} not fully checked: their history is, once you open them",
                        screen.not_fully_checked);
  }
  output.Line(total, Style::kFaint);
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

// Reads the board as of the last sync. INVALID_ARGUMENT: a filter or an order has no such value.
base::Result<Screen> ReadScreen(Output& output, client::Organisation& organisation,
                                const BoardOptions& options) {
  const auto orders = OrdersOf(options.sort);
  const auto board = client::ReadBoard(organisation, Today());
  if (!board) return board.error();
  if (const auto unknown = client::FindUnknown(*board, options.filter, orders)) {
    return SayUnknown(output, *unknown);
  }
  Selection selection = Select(*board, options.filter, orders);
  Screen screen;
  screen.lines = std::move(selection.lines);
  screen.matching = screen.lines.size();
  if (options.limit > 0 && screen.matching > options.limit) screen.lines.resize(options.limit);
  screen.hidden_as_closed = selection.hidden_as_closed;
  screen.cases = board->lines.size();
  screen.by_stage = board->by_stage;
  screen.not_fully_checked = board->not_fully_checked;
  return screen;
}

// The screen of `board --watch`, with what it showed before.
class LiveScreen {
 public:
  LiveScreen(Output& output, Screen first) : output_(output), shown_(std::move(first)) {}

  // Draws it over on a terminal, with what stands above it; writes it again elsewhere; and with
  // --json what changed alone.
  void Update(Session& session, Screen next) {
    const bool same = Texts(next) == Texts(shown_) && next.totals() == shown_.totals();
    if (output_.json()) EmitChanges(next);
    shown_ = std::move(next);
    if (output_.json()) return;
    if (output_.Redraws()) {
      output_.Clear();
      if (session.evaluation()) output_.Banner();
      (void)session.ShowAlarms();  // they were shown before, or are by the next command
      Show(output_, shown_);
      output_.Note(said_);
    } else if (!same) {
      output_.Line();
      Show(output_, shown_);
    }
  }
  void Say(Heard heard, const base::Status& why) {
    if (heard == Heard::kYes) {
      output_.Emit({{"event", "online"}});
      said_ = Translated("Live: changes show as they come. Ctrl-C ends it.");
    } else {
      output_.Emit({{"event", "offline"}, {"code", Name(why.error().code())}});
      said_ =
          IsOffline(why)
              ? Translated("Offline: as of the last sync; changes show once the service is back.")
              : Translated("The service does not say what changes: looking once a minute.");
    }
    output_.Note(said_);
  }

 private:
  static std::map<base::VaultId, Json> Texts(const Screen& screen) {
    std::map<base::VaultId, Json> texts;
    for (const auto& line : screen.lines) texts[line.row.vault] = LineJson(line);
    return texts;
  }
  void EmitChanges(const Screen& next) {
    auto before = Texts(shown_);
    for (const auto& line : next.lines) {
      const auto known = before.extract(line.row.vault);
      const Json json = LineJson(line);
      if (!known.empty() && known.mapped() == json) continue;
      output_.Emit({{"event", "changed"}, {"case", json}});
    }
    for (const auto& [vault, json] : before) {
      output_.Emit({{"event", "gone"}, {"code", json.value("code", "")}});
    }
  }

  Output& output_;
  Screen shown_;
  std::string said_;
};

ExitCode Watch(const Context& context, const BoardOptions& options, StandBy kept, Screen first) {
  Output& output = context.output;
  LiveScreen screen(output, std::move(first));
  Live live;
  live.refresh = [&](Session& session) -> base::Status {
    const auto synced = SyncLists(session.organisation());
    auto next = ReadScreen(output, session.organisation(), options);
    if (!next) return next.error();
    screen.Update(session, *std::move(next));
    return synced;
  };
  live.say = [&](Heard heard, const base::Status& why) { screen.Say(heard, why); };
  const auto ended = StayLive(context, kept, Compartment::kCases, live);
  return ended ? ExitCode::kOk : output.Fail("watch the board", ended.error());
}

}  // namespace

ExitCode BoardShow(const Context& context, const BoardOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("show the board", why); };
  // What needs no board to be judged is, before any key is asked for.
  client::BoardFilter by_code = options.filter;
  by_code.caseworkers.clear();
  by_code.supervisors.clear();
  if (const auto unknown = client::FindUnknown({}, by_code, OrdersOf(options.sort))) {
    return fail(SayUnknown(output, *unknown));
  }
  Screen screen;
  base::Status synced;
  std::optional<StandBy> kept;
  {
    auto session = Session::Open(context, {Compartment::kCases}, UseOf(options.offline));
    if (!session) return fail(session.error());
    if (!options.offline) {
      Progress progress(output);
      synced = SyncLists(session->organisation(), progress);
    }
    if (IsOffline(synced)) output.Note("Offline: as of the last sync.");
    auto read = ReadScreen(output, session->organisation(), options);
    if (!read) return fail(read.error());
    screen = *std::move(read);
    if (options.watch) {
      auto keeps = session->Keep(context);
      if (!keeps) return fail(keeps.error());
      kept.emplace(*std::move(keeps));
    }
  }
  if (!options.export_to.empty()) {
    const auto saved = SaveOwnFile(context, options.export_to, BoardSheet(screen.lines));
    if (!saved) return fail(saved.error());
    output.Emit({{"event", "exported"},
                 {"file", options.export_to},
                 {"cases", screen.lines.size()},
                 {"hidden_as_closed", screen.hidden_as_closed}});
    output.Line(Translated("Written: {0} cases, as codes alone. Whoever gets the file can read it.",
                           screen.lines.size()),
                Style::kGood);
  } else {
    Show(output, screen);
  }
  if (!synced && !IsOffline(synced)) return fail(synced.error());
  if (kept) return Watch(context, options, *std::move(kept), std::move(screen));
  return ExitCode::kOk;
}

}  // namespace godwit::cli
