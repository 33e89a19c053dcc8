#include "client/cli/act.h"

#include <algorithm>
#include <optional>
#include <set>

#include "client/case_acts.h"
#include "client/cases.h"
#include "client/cli/entry.h"
#include "client/cli/facts.h"
#include "client/cli/render.h"
#include "client/directory.h"
#include "client/entries.h"
#include "client/handover.h"
#include "client/trim.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using content::v1::Record;
using protocol::Compartment;
using protocol::Kind;

const std::vector<Compartment> kCaseRealms{Compartment::kIdentity, Compartment::kCases};

// An enum's value by its short name. `none`: what to say of another.
template <class Enum>
base::Result<Enum> ReadEnum(std::string_view name, const Error& none) {
  const auto& type = *google::protobuf::GetEnumDescriptor<Enum>();
  for (int i = 0; i < type.value_count(); ++i) {
    const int number = type.value(i)->number();
    if (number != 0 && EnumText(type, number) == name) return static_cast<Enum>(number);
  }
  return none;
}

base::Result<content::v1::ClosureReason> ReadReason(const std::string& reason) {
  if (reason.empty()) return content::v1::CLOSURE_REASON_UNSPECIFIED;
  return ReadEnum<content::v1::ClosureReason>(
      reason,
      Error(Code::kInvalidArgument,
            "the reasons are goals_met, settled, resettled_elsewhere, transferred, "
            "no_longer_wishes, declined, unreachable, returned_voluntarily, refouled, deceased, "
            "not_in_remit, not_credible, duplicate and other"));
}

base::Result<client::Approvable> ReadApprovable(const std::string& what) {
  if (what == "assessment") return client::Approvable::kAssessment;
  if (what == "plan") return client::Approvable::kCasePlan;
  if (what == "closure") return client::Approvable::kClosure;
  return Error(Code::kInvalidArgument, "what is approved is an assessment, a plan or a closure");
}

// The record that an act rests on: an incident of the case, or any other of its vault.
base::Result<std::optional<base::RecordId>> ReadRecord(client::Organisation& organisation,
                                                       const std::string& code,
                                                       const std::string& rests_on) {
  if (rests_on.empty()) return std::optional<base::RecordId>();
  const auto* incidents = client::FindEntryKind("incident");
  const auto file = client::OpenEntries(organisation, code, *incidents, client::From::kService);
  if (!file) return file.error();
  for (const auto body : {Record::kIncident, Record::kTransition, Record::kComment}) {
    const auto entry = client::FindEntry(*file, body, rests_on);
    if (entry) return std::optional((*entry)->record);
    if (entry.error().code() != Code::kNotFound) return entry.error();
  }
  return Error(Code::kNotFound, "the case has no such record: see `godwit incident list CODE`");
}

// Opens the realms of a case and does `act`, which writes.
template <class Act>
ExitCode Do(const Context& context, base::Literal doing, std::string_view event, Act&& act) {
  auto session = Session::Open(context, kCaseRealms);
  if (!session) return context.output.Fail(doing, session.error());
  const base::Result<client::Written> written = act(session->organisation());
  if (!written) return context.output.Fail(doing, written.error());
  return SayWritten(context.output, written->queued, event);
}

// Looked up where it is printed.
std::string_view HowText(client::Closed how) {
  switch (how) {
    case client::Closed::kAsked:
      return Translatable("Asked for: a supervisor or coordinator approves it.");
    case client::Closed::kApproved:
      return Translatable("Approved: a coordinator closes the case.");
    case client::Closed::kClosed:
      return Translatable("Closed.");
    case client::Closed::kWaitsForSecond:
      return Translatable("Waits for a second person: `godwit case assent CODE close`.");
  }
  return "";
}

std::string_view HowName(client::Closed how) {
  switch (how) {
    case client::Closed::kAsked:
      return "asked";
    case client::Closed::kApproved:
      return "approved";
    case client::Closed::kClosed:
      return "closed";
    case client::Closed::kWaitsForSecond:
      return "waits_for_second";
  }
  return "";
}

// What a machine's state is called.
std::string StateText(content::v1::Machine machine, std::uint32_t state) {
  using namespace content::v1;  // NOLINT: names of machines
  const auto number = static_cast<int>(state);
  switch (machine) {
    case MACHINE_STAGE:
      return EnumText(static_cast<content::v1::CaseStage>(number));
    case MACHINE_STATUS:
      return EnumText(static_cast<CaseStatus>(number));
    case MACHINE_CONDITION:
      return EnumText(static_cast<content::v1::CaseCondition>(number));
    case MACHINE_APPROVAL_ASSESSMENT:
    case MACHINE_APPROVAL_CASE_PLAN:
    case MACHINE_APPROVAL_CLOSURE:
      return number == 0 ? "none" : EnumText(static_cast<ApprovalState>(number));
    case MACHINE_CLEARANCE:
    case MACHINE_BEST_INTERESTS_ASSESSMENT:
    case MACHINE_BEST_INTERESTS_DETERMINATION:
    case MACHINE_CONSENT_OVERRIDE:
      return number == 0 ? "no" : "yes";
    default:
      return number == 0 ? "none" : EnumText(static_cast<Answer>(number));
  }
}

// Shows what would be told without consent, asks, and assents to that very revision of it.
ExitCode AssentToOverride(const Context& context, const std::string& code) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("assent", why); };
  auto session = Session::Open(context, kCaseRealms);
  if (!session) return fail(session.error());
  const auto cases = session->organisation().Get(Compartment::kCases);
  if (!cases) return fail(cases.error());
  const auto file = client::OpenCaseFile(**cases, Kind::kCase, code, client::From::kService);
  if (!file) return fail(file.error());
  const auto directory = client::Directory::Read(**cases);
  if (!directory) return fail(directory.error());
  const auto life = file->Life();
  for (const auto* entry : file->Of(Record::kTransition)) {
    const std::string link = base::ToString(entry->link.bytes());
    if (std::ranges::none_of(life.waiting,
                             [&](const auto& each) { return each.act.subject() == link; })) {
      continue;
    }
    ShowEntry(output, "transition", *entry, *directory);
    const auto sure = context.prompt.Confirm(
        Translated("Shall this be told without the person's consent, since their life or health "
                   "depends on it?"));
    if (!sure) return fail(sure.error());
    if (!*sure) continue;
    const auto written = client::AssentToAct(session->organisation(), code,
                                             content::v1::MACHINE_CONSENT_OVERRIDE, entry->link);
    if (!written) return fail(written.error());
    return SayWritten(output, written->queued, "assented");
  }
  return fail(Error(Code::kNotFound,
                    "nothing that waits in this case is to be told without "
                    "consent, or it was changed since"));
}

// The cases of a bulk act, as of now: those of `codes`, or all that the caseworker `all_of` has.
// NOT_FOUND: there are none, or one of the codes is no case of this member's.
base::Result<std::vector<client::CaseRow>> Choose(Output& output,
                                                  client::Organisation& organisation,
                                                  const std::vector<std::string>& codes,
                                                  const std::string& all_of) {
  {
    Progress progress(output);
    const auto synced = SyncLists(organisation, progress);
    if (!synced && !IsOffline(synced)) return synced.error();
  }
  auto cases = client::ListCases(organisation);
  if (!cases) return cases.error();
  std::set<std::string> wanted;
  for (const std::string& code : codes) {
    const auto read = client::ReadCaseCode(code);
    if (!read) return read.error();
    wanted.insert(*read);
  }
  std::vector<client::CaseRow> chosen;
  for (client::CaseRow& row : *cases) {
    const bool named = wanted.erase(row.summary.code()) > 0;
    if (named || (!all_of.empty() && row.caseworker_handle == all_of)) {
      chosen.push_back(std::move(row));
    }
  }
  if (!wanted.empty() || chosen.empty()) {
    return Error(Code::kNotFound,
                 "one of these is no case of yours: `godwit case list` shows them");
  }
  return chosen;
}

// What became of several closures.
struct Closings {
  std::size_t closed = 0;
  std::size_t queued = 0;
  std::vector<std::string> left;  // codes of those that failed
  std::optional<Error> first;     // why the first one of them did
};

// Closes one after the other. What is refused of one case keeps no other from being closed.
Closings CloseAll(Output& output, client::Organisation& organisation,
                  const std::vector<client::CaseRow>& cases, const client::Closing& closing) {
  Closings all;
  Progress progress(output);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const std::string& code = cases[i].summary.code();
    progress.Update(Translated("closing"), i, cases.size());
    const auto closed = client::CloseCase(organisation, code, closing);
    if (!closed) {
      output.Emit({{"failed", code},
                   {"code", base::Name(closed.error().code())},
                   {"why", closed.error().message()}});
      output.Line(CodeText(code) + ": " + WhyText(closed.error()), Style::kBad);
      all.left.push_back(code);
      if (!all.first) all.first = closed.error();
      continue;
    }
    output.Emit({{"event", HowName(closed->how)}, {"case", code}, {"queued", closed->queued}});
    output.Line(CodeText(code) + ": " + LookUp(HowText(closed->how)), Style::kGood);
    all.closed += closed->how == client::Closed::kClosed ? 1 : 0;
    all.queued += closed->queued ? 1 : 0;
  }
  return all;
}

// Several cases: shown, asked about, closed; what is left is named.
ExitCode CloseSeveral(const Context& context, const CloseOptions& options,
                      const client::Closing& closing) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("close the cases", why); };
  if (!options.rests_on.empty()) {
    return fail(Error(Code::kInvalidArgument,
                      "an incident belongs to one case: close the cases that rest on one by one"));
  }
  auto session = Session::Open(context, kCaseRealms);
  if (!session) return fail(session.error());
  const auto chosen = Choose(output, session->organisation(), options.codes, {});
  if (!chosen) return fail(chosen.error());
  Table table{
      {Column("code"), Column("stage"), Column("risk"), Shrinking("caseworker"), Column("closure")},
      {}};
  for (const client::CaseRow& row : *chosen) {
    const auto& summary = row.summary;
    const std::string approval = StateText(content::v1::MACHINE_APPROVAL_CLOSURE,
                                           static_cast<std::uint32_t>(summary.approval_closure()));
    output.Emit({{"close", summary.code()},
                 {"stage", EnumText(summary.stage())},
                 {"caseworker", row.caseworker_handle},
                 {"approval_closure", approval}});
    table.rows.push_back({CodeText(summary.code()), EnumLabel(summary.stage()),
                          Cell(EnumLabel(summary.risk()), RiskStyle(summary.risk())),
                          row.caseworker, CodeLabel(approval)});
  }
  output.Show(table);
  if (options.dry_run) return ExitCode::kOk;
  const auto sure = context.prompt.Confirm(Translated("Close {0} cases?", chosen->size()));
  if (!sure) return fail(sure.error());
  if (!*sure) return ExitCode::kError;

  const Closings all = CloseAll(output, session->organisation(), *chosen, closing);
  output.Emit({{"event", "done"},
               {"cases", chosen->size()},
               {"closed", all.closed},
               {"queued", all.queued},
               {"left", all.left}});
  output.Line(Translated("{0} of {1} are closed.", all.closed, chosen->size()),
              all.closed == chosen->size() ? Style::kGood : Style::kWarning);
  if (all.queued > 0) {
    output.Line("Some are kept on this device: the next `godwit sync` sends them.",
                Style::kWarning);
  }
  if (!all.left.empty()) {
    std::string codes;
    for (const std::string& code : all.left) codes += " '" + CodeText(code) + "'";
    output.Line(Translated("Left as they were:{0}", codes), Style::kWarning);
  }
  if (all.left.size() == chosen->size()) return fail(*all.first);
  return all.closed == chosen->size() ? ExitCode::kOk : ExitCode::kPartly;
}

}  // namespace

Json StepJson(const client::OpenedCase& opened, const client::SignedAct& act,
              const client::Directory& directory) {
  const auto refused = std::ranges::find_if(
      opened.life.refused, [&](const auto& each) { return each.act.seq == act.seq; });
  const bool waits = std::ranges::any_of(opened.life.waiting,
                                         [&](const auto& each) { return each.seq == act.seq; });
  const auto machine = act.act.machine();
  Json json = {{"seq", act.seq},
               {"written", TimeText(act.act.written_ms())},
               {"machine", EnumText(machine)},
               {"from", StateText(machine, act.act.from())},
               {"to", StateText(machine, act.act.to())},
               {"by", directory.NameOf(act.author)}};
  if (act.act.reason() != 0) json["reason"] = EnumText(act.act.reason());
  if (!act.act.other_case().empty()) json["other_case"] = act.act.other_case();
  if (refused != opened.life.refused.end()) {
    json["refused"] = client::RuleText(refused->rule).text();
  }
  json["waits_for_second"] = waits;
  return json;
}

void SayKept(Output& output, const std::string& id, bool queued) {
  if (queued) {
    output.Line(Translated("{0} is kept on this device: the next `godwit sync` sends it.", id),
                Style::kWarning);
  } else {
    output.Line(Translated("{0} written.", id), Style::kGood);
  }
}

ExitCode SayWritten(Output& output, bool queued, std::string_view event) {
  output.Emit({{"event", event}, {"queued", queued}});
  if (queued) {
    output.Line("Kept on this device: it is sent by the next `godwit sync`.", Style::kWarning);
  } else {
    output.Line("Written.", Style::kGood);
  }
  return ExitCode::kOk;
}

ExitCode CaseStage(const Context& context, const ActOptions& options) {
  const auto stage = ReadEnum<content::v1::CaseStage>(
      options.to, Error(Code::kInvalidArgument,
                        "the stages are contact, screening, accepted, planning, ready, in_transit, "
                        "third_country, departed, arrived, settling and closed"));
  const auto reason = ReadReason(options.reason);
  if (!stage) return context.output.Fail("move the case", stage.error());
  if (!reason) return context.output.Fail("move the case", reason.error());
  return Do(context, "move the case", "moved",
            [&](client::Organisation& organisation) -> base::Result<client::Written> {
              const auto record = ReadRecord(organisation, options.code, options.rests_on);
              if (!record) return record.error();
              return client::MoveStage(organisation, options.code, *stage, *reason, *record);
            });
}

ExitCode CaseCondition(const Context& context, const ActOptions& options) {
  const auto condition = ReadEnum<content::v1::CaseCondition>(
      options.to, Error(Code::kInvalidArgument,
                        "the conditions are normal, on_hold, interrupted, detained and missing"));
  if (!condition) return context.output.Fail("set the condition", condition.error());
  return Do(context, "set the condition", "moved",
            [&](client::Organisation& organisation) -> base::Result<client::Written> {
              const auto record = ReadRecord(organisation, options.code, options.rests_on);
              if (!record) return record.error();
              return client::MoveCondition(organisation, options.code, *condition, *record);
            });
}

ExitCode CaseAsk(const Context& context, const ActOptions& options) {
  const auto what = ReadApprovable(options.to);
  if (!what) return context.output.Fail("ask for approval", what.error());
  return Do(context, "ask for approval", "asked", [&](client::Organisation& organisation) {
    return client::AskApproval(organisation, options.code, *what);
  });
}

ExitCode CaseAssent(const Context& context, const ActOptions& options) {
  if (options.to == "close" || options.to == "override") {
    if (options.no) {
      return context.output.Fail(
          "answer", Error(Code::kInvalidArgument,
                          "to refuse it, leave it: what no second person agrees to within 72 hours "
                          "counts for nothing"));
    }
    if (options.to == "override") return AssentToOverride(context, options.code);
    return Do(context, "assent", "assented", [&](client::Organisation& organisation) {
      return client::AssentToAct(organisation, options.code, content::v1::MACHINE_STAGE);
    });
  }
  const auto what = ReadApprovable(options.to);
  if (!what) return context.output.Fail("answer", what.error());
  return Do(context, "answer", options.no ? "rejected" : "approved",
            [&](client::Organisation& organisation) {
              return client::Decide(organisation, options.code, *what, !options.no);
            });
}

ExitCode CaseReview(const Context& context, const ActOptions& options) {
  return Do(context, "end the override", "reviewed", [&](client::Organisation& organisation) {
    return client::ReviewOverride(organisation, options.code);
  });
}

ExitCode CaseTrim(const Context& context, const ActOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) {
    return output.Fail("delete what was handed over", why);
  };
  auto session = Session::Open(context, kCaseRealms);
  if (!session) return fail(session.error());
  const auto sure = context.prompt.Confirm(
      Translated("Delete for good who this person is, and all that is sensitive or screened? The "
                 "case's status stays."));
  if (!sure) return fail(sure.error());
  if (!*sure) return ExitCode::kError;
  Progress progress(output);
  const auto trimmed = client::TrimCase(session->organisation(), options.code,
                                        [&](std::size_t done, std::size_t all) {
                                          progress.Update(Translated("deleting"), done, all);
                                        });
  if (!trimmed) return fail(trimmed.error());
  output.Emit({{"event", "trimmed"},
               {"parts", trimmed->parts},
               {"records", trimmed->records},
               {"later", trimmed->later}});
  output.Line(Counted(trimmed->records, "{0} record deleted.", "{0} records deleted."),
              Style::kGood);
  if (trimmed->later) {
    output.Line(
        "Not all at once, so that no service sees what belongs together: run it again later.",
        Style::kWarning);
  }
  return ExitCode::kOk;
}

ExitCode CaseClose(const Context& context, const CloseOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("close the case", why); };
  client::Closing closing;
  const auto reason = ReadReason(options.reason);
  if (!reason) return fail(reason.error());
  closing.reason = *reason;
  if (!options.follow_up.empty()) {
    const auto agreed = ReadEnum<content::v1::Answer>(
        options.follow_up, Error(Code::kInvalidArgument,
                                 "whether it is agreed is yes, no, unknown, "
                                 "not_asked, refused or not_applicable"));
    if (!agreed) return fail(agreed.error());
    closing.follow_up_agreed = *agreed;
  }
  if (options.codes.size() > 1 || options.dry_run) return CloseSeveral(context, options, closing);
  const std::string& code = options.codes.front();
  auto session = Session::Open(context, kCaseRealms);
  if (!session) return fail(session.error());
  const auto record = ReadRecord(session->organisation(), code, options.rests_on);
  if (!record) return fail(record.error());
  closing.incident = *record;
  const auto closed = client::CloseCase(session->organisation(), code, closing);
  if (!closed) return fail(closed.error());
  output.Emit({{"event", HowName(closed->how)}, {"queued", closed->queued}});
  output.Line(LookUp(HowText(closed->how)), Style::kGood);
  if (closed->queued) {
    output.Line("Kept on this device: it is sent by the next `godwit sync`.", Style::kWarning);
  }
  return closed->how == client::Closed::kClosed ? ExitCode::kOk : ExitCode::kPartly;
}

ExitCode CaseReopen(const Context& context, const ActOptions& options) {
  const auto reason = ReadReason(options.reason);
  if (!reason) return context.output.Fail("reopen the case", reason.error());
  return Do(context, "reopen the case", "reopened", [&](client::Organisation& organisation) {
    return client::ReopenCase(organisation, options.code, *reason);
  });
}

ExitCode CaseMerge(const Context& context, const ActOptions& options) {
  return Do(context, "mark the duplicate", "merged", [&](client::Organisation& organisation) {
    return client::MergeCase(organisation, options.code, options.into);
  });
}

ExitCode CaseBestInterests(const Context& context, const ActOptions& options) {
  if (options.to != "bia" && options.to != "bid") {
    return context.output.Fail(
        "record best interests",
        Error(Code::kInvalidArgument, "it is bia, the assessment, or bid, the determination"));
  }
  return Do(context, "record best interests", "recorded", [&](client::Organisation& organisation) {
    return client::SetBestInterests(organisation, options.code, options.to == "bid", !options.no);
  });
}

ExitCode CaseAssign(const Context& context, const AssignOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("hand the case over", why); };
  auto session = Session::Open(context, kCaseRealms);
  if (!session) return fail(session.error());
  client::Organisation& organisation = session->organisation();
  const auto chosen = Choose(output, organisation, options.codes, options.from);
  if (!chosen) return fail(chosen.error());
  Table table{{Column("code"), Column("stage"), Column("risk"), Shrinking("from"), Shrinking("to")},
              {}};
  for (const client::CaseRow& row : *chosen) {
    const auto& summary = row.summary;
    output.Emit(
        {{"assign", summary.code()}, {"from", row.caseworker_handle}, {"to", options.caseworker}});
    table.rows.push_back({CodeText(summary.code()), EnumLabel(summary.stage()),
                          Cell(EnumLabel(summary.risk()), RiskStyle(summary.risk())),
                          row.caseworker, options.caseworker});
  }
  output.Show(table);
  if (options.dry_run) return ExitCode::kOk;
  if (chosen->size() > 1) {
    const auto sure = context.prompt.Confirm(Translated("Hand over {0} cases?", chosen->size()));
    if (!sure) return fail(sure.error());
    if (!*sure) return ExitCode::kError;
  }
  std::size_t done = 0;
  bool queued = false;
  bool left = false;
  Progress progress(output);
  for (const client::CaseRow& row : *chosen) {
    progress.Update(Translated("handing over"), done, chosen->size());
    const auto assigned = client::AssignCase(organisation, row.summary.code(), options.caseworker);
    if (!assigned) {
      // What is done is done; the rest is named.
      output.Note(Translated("{0} of {1} are handed over; this one failed: {2}", done,
                             chosen->size(), CodeText(row.summary.code())));
      return fail(assigned.error());
    }
    queued = queued || assigned->queued;
    left = left || !assigned->left.empty();
    ++done;
  }
  output.Emit({{"event", "assigned"}, {"cases", done}, {"queued", queued}, {"others_must", left}});
  output.Line(Counted(done, "{0} case handed over.", "{0} cases handed over."), Style::kGood);
  if (left) {
    output.Line(
        "Their other parts are given by others: the sensitive part and the person by the "
        "supervisor, the case by a coordinator.",
        Style::kWarning);
  }
  return ExitCode::kOk;
}

ExitCode CaseHistory(const Context& context, const HistoryOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("show the history", why); };
  auto session = Session::Open(context, {Compartment::kCases}, UseOf(options.offline));
  if (!session) return fail(session.error());
  const auto opened = client::ShowCase(session->organisation(), options.code, options.offline);
  if (!opened) return fail(opened.error());
  const auto directory =
      client::Directory::Read(**session->organisation().Get(Compartment::kCases));
  if (!directory) return fail(directory.error());
  Table table{{Column("when"), Column("what"), Column("from"), Column("to"), Shrinking("who"), {}},
              {}};
  for (const auto& act : opened->file.acts().acts) {
    const Json json = StepJson(*opened, act, *directory);
    output.Emit(json);
    Cell note;
    if (json.contains("refused")) {
      note = Cell(Translated("counts for nothing"), Style::kBad);
    } else if (json["waits_for_second"] == true) {
      note = Cell(Translated("waits for a second"), Style::kWarning);
    } else if (act.act.reason() != 0) {
      note = Cell(EnumLabel(act.act.reason()));
    }
    const auto machine = act.act.machine();
    table.rows.push_back({TimeLabel(act.act.written_ms()), EnumLabel(machine),
                          CodeLabel(StateText(machine, act.act.from())),
                          CodeLabel(StateText(machine, act.act.to())),
                          directory->NameOf(act.author), note});
  }
  output.Show(table);
  if (opened->summary_differs) {
    output.Line(
        "The signed summary says otherwise than these steps: the steps count, and an alarm "
        "is kept.",
        Style::kBad);
  }
  return ExitCode::kOk;
}

ExitCode Consent(const Context& context, const FactsOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("record the consent", why); };
  if (options.withdraw) {
    const ExitCode done =
        Do(context, "withdraw the consent", "withdrawn", [&](client::Organisation& organisation) {
          return client::WithdrawConsent(organisation, options.code);
        });
    if (done == ExitCode::kOk) {
      output.Line(
          "What was already shared, as a letter to the person: `godwit print withdrawal "
          "CODE --out FILE`");
    }
    return done;
  }
  if (!options.from.empty() || !options.facts.empty()) {
    // Purposes and answers are codes: they may stand on a command line.
    auto changes = ReadFacts(options.facts, options.from);
    if (!changes) return fail(changes.error());
    return Do(context, "record the consent", "recorded", [&](client::Organisation& organisation) {
      return client::RecordConsent(organisation, options.code, *changes);
    });
  }
  auto session = Session::Open(context, kCaseRealms);
  if (!session) return fail(session.error());
  const auto person = client::ShowPerson(session->organisation(), options.code);
  if (!person) return fail(person.error());
  for (const auto* entry : person->file.Of(Record::kConsent, true)) {
    output.Emit({{"id", client::ShortId(entry->record)},
                 {"consent", ContentJson(entry->content.consent())}});
    output.Line("\n" + Translated("Consent {0}", client::ShortId(entry->record)), Style::kStrong);
    output.Fields(ContentFields(entry->content.consent()));
  }
  return ExitCode::kOk;
}

ExitCode Screening(const Context& context, const FactsOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("record the screening", why); };
  auto changes = ReadFacts({}, options.from);
  if (!changes) return fail(changes.error());
  if (!changes->empty()) {
    return Do(context, "record the screening", "recorded", [&](client::Organisation& organisation) {
      return client::RecordScreening(organisation, options.code, *changes);
    });
  }
  auto session = Session::Open(context, {Compartment::kCases});
  if (!session) return fail(session.error());
  const auto opened = client::ShowCase(session->organisation(), options.code);
  if (!opened) return fail(opened.error());
  if (!opened->screening) {
    output.Emit({{"screening", nullptr}});
    output.Line("Not screened, or not yours to see.", Style::kFaint);
    return ExitCode::kOk;
  }
  for (const auto* entry : opened->screening->Of(Record::kSecurityScreening)) {
    output.Emit({{"screening", ContentJson(entry->content.security_screening())}});
    output.Fields(ContentFields(entry->content.security_screening()));
  }
  return ExitCode::kOk;
}

}  // namespace godwit::cli
