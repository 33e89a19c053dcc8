#include "client/cli/entry.h"

#include <algorithm>
#include <charconv>

#include "client/casework/assign.h"
#include "client/casework/inert.h"
#include "client/cli/act.h"
#include "client/cli/facts.h"
#include "client/cli/render.h"
#include "client/consents.h"
#include "client/directory.h"
#include "client/drafts.h"
#include "client/outbox.h"
#include "client/today.h"
#include "client/transitions.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using client::EntryKind;
using content::v1::Record;
using protocol::Compartment;
using protocol::Kind;

std::vector<Compartment> RealmsOf(Kind vault) {
  if (vault == Kind::kPerson) return {Compartment::kIdentity};
  return {Compartment::kIdentity, Compartment::kCases};
}

base::Result<Kind> ReadPart(const std::string& name) {
  for (const Kind kind : {Kind::kCase, Kind::kSensitive, Kind::kPerson}) {
    if (protocol::Name(kind) == name) return kind;
  }
  return Error(Code::kInvalidArgument, "the parts of a case are case, sensitive and person");
}

base::Result<std::vector<client::Change>> FactsOf(const EntryOptions& options) {
  if (!options.facts.empty() && !options.kind->plain) {
    return Error(Code::kInvalidArgument,
                 "facts about a person do not belong on a command line, where other users and the "
                 "shell's history see them: write them to a file or stdin, for --from");
  }
  return ReadFacts(options.facts, options.from);
}

std::string_view WhatName(client::TodayItem::What what) {
  using What = client::TodayItem::What;
  switch (what) {
    case What::kTask:
      return "task";
    case What::kFollowUp:
      return "follow_up";
    case What::kApprovalWaits:
      return "approval_waits";
    case What::kSecondWaits:
      return "second_waits";
    case What::kIdentityAsked:
      return "identity_asked";
    case What::kComment:
      return "comment";
    case What::kConflict:
      return "conflict";
    case What::kHandOver:
      return "hand_over";
    case What::kLink:
      return "link";
    case What::kConsentDiffers:
      return "consent_differs";
    case What::kRefused:
      return "refused";
    case What::kAlarm:
      return "alarm";
    case What::kOverride:
      return "override";
    case What::kDrafts:
      return "drafts";
  }
  return "";
}

// What to do about it. Looked up where it is printed.
std::string_view WhatNext(client::TodayItem::What what) {
  using What = client::TodayItem::What;
  switch (what) {
    case What::kTask:
      return Translatable("do it, then `godwit case task CODE --done ID`");
    case What::kFollowUp:
      return "`godwit follow-up edit CODE ID done_day=...`";
    case What::kApprovalWaits:
      return Translatable("`godwit case show CODE`, then `godwit case assent CODE WHAT [--no]`");
    case What::kSecondWaits:
      return Translatable(
          "`godwit case history CODE`, then `godwit case assent CODE close|override`");
    case What::kIdentityAsked:
      return "`godwit person assent CODE [--no]`";
    case What::kComment:
      return "`godwit case comment CODE --read`";
    case What::kConflict:
      return "`godwit case conflict CODE ID kept|other`";
    case What::kHandOver:
      return Translatable("`godwit case assign --to HANDLE CODE`, by whoever manages the rest");
    case What::kLink:
      return Translatable("`godwit person link CODE`, or tell your supervisor");
    case What::kConsentDiffers:
      return Translatable("`godwit consent CODE` shows both");
    case What::kRefused:
      return Translatable("`godwit outbox` says why");
    case What::kAlarm:
      return Translatable("`godwit case history CODE`; tell your coordinator");
    case What::kOverride:
      return Translatable(
          "told without consent: `godwit referral list CODE`, then `godwit case review CODE`");
    case What::kDrafts:
      return Translatable("`godwit person draft --take-in`, or `godwit sync`");
  }
  return "";
}

// What of a referral or transfer stands in no record: whether its last day is over, and how the
// person's consent stands to it now, for those who read the person.
class SharedNow {
 public:
  SharedNow(client::Organisation& organisation, const EntryOptions& options) {
    const auto identity = organisation.Get(Compartment::kIdentity);
    if (options.kind->transition == content::v1::TRANSITION_KIND_UNSPECIFIED || !identity) return;
    const auto person = client::OpenCaseFile(**identity, Kind::kPerson, options.code,
                                             client::FromOf(options.offline));
    if (!person) return;
    yours_ = true;
    if (const auto* consent = client::CurrentConsent(*person)) {
      consent_ = consent->content.consent();
    }
  }

  void Say(const client::VaultFile::Entry& entry, Json& json,
           std::vector<std::pair<std::string, Cell>>& fields) const {
    if (!entry.content.has_transition()) return;
    const auto& transition = entry.content.transition();
    const bool expired = client::HasExpired(transition, Today());
    json["expired"] = expired;
    json["consent_now"] = "not_yours";
    if (expired) fields.emplace_back("", Cell(Translated("its last day is over"), Style::kWarning));
    if (!yours_) return;
    const auto sharing = client::SharingOf(consent_ ? &*consent_ : nullptr, transition, Today());
    json["consent_now"] = client::NameOf(sharing);
    fields.emplace_back(Label("consent now"),
                        Cell(CodeLabel(client::NameOf(sharing)),
                             sharing == client::Sharing::kCovered ? Style::kPlain : Style::kBad));
  }

 private:
  bool yours_ = false;
  std::optional<content::v1::Consent> consent_;
};

// What it is about: a code, a rule, the command that waits, or a colleague's words.
std::string DetailLabel(const client::TodayItem& item) {
  using What = client::TodayItem::What;
  switch (item.what) {
    case What::kRefused:
      return "`" + item.detail + "`";
    case What::kAlarm:
      return LookUp(item.detail);
    case What::kComment:
      return item.detail;
    default:
      return CodeLabel(item.detail);
  }
}

}  // namespace

ExitCode SayEntry(Output& output, const client::EntryWritten& written, std::string_view event) {
  output.Emit(
      {{"event", event}, {"id", client::ShortId(written.record)}, {"queued", written.queued}});
  SayKept(output, client::ShortId(written.record), written.queued);
  return ExitCode::kOk;
}

void ShowEntry(Output& output, std::string_view name, const client::VaultFile::Entry& entry,
               const client::Directory& directory,
               const std::function<void(Json&, std::vector<std::pair<std::string, Cell>>&)>& more) {
  Json json = {{"id", client::ShortId(entry.record)},
               {std::string(name), ContentJson(client::BodyOf(entry.content))},
               {"by", directory.NameOf(entry.changed_by)},
               {"waits", entry.waits},
               {"entered_in_error", entry.content.entered_in_error()}};
  Json unanswered = Json::object();
  for (const auto& row : entry.content.unanswered()) unanswered[row.field()] = EnumText(row.why());
  json["unanswered"] = unanswered;
  auto fields = ContentFields(client::BodyOf(entry.content));
  if (more) more(json, fields);
  output.Emit(json);
  output.Line(client::ShortId(entry.record) +
                  (entry.content.entered_in_error() ? "  " + Translated("entered in error") : ""),
              Style::kStrong);
  for (const auto& row : entry.content.unanswered()) {
    fields.emplace_back(FieldLabel(row.field()), Cell(EnumLabel(row.why()), Style::kFaint));
  }
  fields.emplace_back(Label("by"), Cell(directory.NameOf(entry.changed_by), Style::kFaint));
  if (entry.waits) fields.emplace_back("", Cell(Translated("waits to be sent"), Style::kWarning));
  output.Fields(fields);
}

ExitCode EntryAdd(const Context& context, const EntryOptions& options) {
  const auto fail = [&](const Error& why) { return context.output.Fail("write this", why); };
  const auto changes = FactsOf(options);
  if (!changes) return fail(changes.error());
  auto session = Session::Open(context, RealmsOf(options.kind->vault));
  if (!session) return fail(session.error());
  const auto written =
      client::AddEntry(session->organisation(), options.code, *options.kind, *changes);
  if (!written) return fail(written.error());
  return SayEntry(context.output, *written, "added");
}

ExitCode EntryEdit(const Context& context, const EntryOptions& options) {
  const auto fail = [&](const Error& why) { return context.output.Fail("change this", why); };
  const auto changes = FactsOf(options);
  if (!changes) return fail(changes.error());
  auto session = Session::Open(context, RealmsOf(options.kind->vault));
  if (!session) return fail(session.error());
  const auto written = client::ChangeEntry(session->organisation(), options.code, *options.kind,
                                           options.id, *changes);
  if (!written) return fail(written.error());
  return SayEntry(context.output, *written, "changed");
}

ExitCode EntryStrike(const Context& context, const EntryOptions& options) {
  const auto fail = [&](const Error& why) { return context.output.Fail("strike this", why); };
  auto session = Session::Open(context, RealmsOf(options.kind->vault));
  if (!session) return fail(session.error());
  const auto written =
      client::StrikeEntry(session->organisation(), options.code, *options.kind, options.id);
  if (!written) return fail(written.error());
  return SayEntry(context.output, *written, "struck");
}

ExitCode EntryList(const Context& context, const EntryOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("list these", why); };
  auto session = Session::Open(context, RealmsOf(options.kind->vault), UseOf(options.offline));
  if (!session) return fail(session.error());
  const auto file = client::OpenEntries(session->organisation(), options.code, *options.kind,
                                        client::FromOf(options.offline));
  if (!file) return fail(file.error());
  const auto compartment =
      options.kind->vault == Kind::kPerson ? Compartment::kIdentity : Compartment::kCases;
  const auto directory = client::Directory::Read(**session->organisation().Get(compartment));
  if (!directory) return fail(directory.error());
  if (file->offline()) output.Note("Offline: as of the last sync.");
  std::size_t shown = 0;
  const SharedNow shared(session->organisation(), options);
  for (const auto* entry : client::EntriesOf(*file, *options.kind, options.all)) {
    if (shown++ > 0) output.Line();
    ShowEntry(output, options.kind->name, *entry, *directory,
              [&](Json& json, auto& fields) { shared.Say(*entry, json, fields); });
  }
  if (shown == 0) output.Line("None.", Style::kFaint);
  return ExitCode::kOk;
}

ExitCode CaseComment(const Context& context, const CommentOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("comment", why); };
  if (options.read) {
    auto session = Session::Open(context, RealmsOf(Kind::kCase));
    if (!session) return fail(session.error());
    const auto read = client::ReadComments(session->organisation(), options.code);
    if (!read) return fail(read.error());
    output.Emit({{"event", "read"}, {"comments", *read}});
    output.Line(Translated("{0} marked as read.", *read), Style::kGood);
    return ExitCode::kOk;
  }
  const auto part = ReadPart(options.in);
  if (!part) return fail(part.error());
  const auto text = ReadText(options.from);
  if (!text) return fail(text.error());
  auto session = Session::Open(context, RealmsOf(Kind::kCase));
  if (!session) return fail(session.error());
  const auto written =
      client::AddComment(session->organisation(), options.code, *part, options.to, *text);
  if (!written) return fail(written.error());
  return SayEntry(output, *written, "commented");
}

ExitCode CaseTask(const Context& context, const TaskOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("note the task", why); };
  auto session = Session::Open(context, RealmsOf(Kind::kCase));
  if (!session) return fail(session.error());
  if (!options.done.empty()) {
    const auto done = client::FinishTask(session->organisation(), options.code, options.done);
    if (!done) return fail(done.error());
    return SayEntry(output, *done, "done");
  }
  const auto part = ReadPart(options.in);
  if (!part) return fail(part.error());
  Record record;
  client::MakeBody(Record::kTask, record);
  const auto set = [&](const char* name, const std::string& value) -> base::Status {
    if (value.empty()) return {};
    const auto field = client::FieldPath::Find(*content::v1::Task::descriptor(), name);
    if (!field) return field.error();
    return client::Assign(*field, value, record);
  };
  for (const auto& [name, value] : {std::pair("kind", options.kind), {"due_day", options.due}}) {
    if (const auto fits = set(name, value); !fits) return fail(fits.error());
  }
  client::NewTask task{record.task().kind(), record.task().due_day(), options.to, {}};
  if (!options.from.empty()) {
    const auto text = ReadText(options.from);
    if (!text) return fail(text.error());
    task.text = *text;
  }
  const auto written = client::AddTask(session->organisation(), options.code, *part, task);
  if (!written) return fail(written.error());
  return SayEntry(output, *written, "added");
}

ExitCode CaseConflict(const Context& context, const ConflictOptions& options) {
  if (options.choose != "kept" && options.choose != "other") {
    return context.output.Fail(
        "settle the conflict",
        Error(Code::kInvalidArgument, "choose kept, the value that stands, or other"));
  }
  auto session = Session::Open(context, RealmsOf(Kind::kCase));
  if (!session) return context.output.Fail("settle the conflict", session.error());
  const auto written = client::SettleConflict(session->organisation(), options.code, options.id,
                                              options.choose == "other");
  if (!written) return context.output.Fail("settle the conflict", written.error());
  return SayWritten(context.output, written->queued, "settled");
}

ExitCode TodayShow(const Context& context, const TodayOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("show the day", why); };
  auto session = Session::Open(context, kAllRealms, UseOf(options.offline));
  if (!session) return fail(session.error());
  base::Status synced;
  if (!options.offline) {
    Progress progress(output);
    synced = session->organisation().Sync();
    if (!synced && !IsOffline(synced)) return fail(synced.error());
    if (synced) synced = SyncLists(session->organisation(), progress);
  }
  if (IsOffline(synced)) output.Note("Offline: as of the last sync.");
  auto day = client::Today(session->organisation(), Today());
  if (!day) return fail(day.error());
  const auto drafts = client::ListDrafts(session->profile());
  if (!drafts) return fail(drafts.error());
  if (!drafts->empty()) {
    day->push_back({client::TodayItem::What::kDrafts, {}, 0, std::to_string(drafts->size()), {}});
  }
  Table table{{Column("due"), Column("case"), Column("what"), {"", false, true}, Column("id")}, {}};
  for (const auto& item : *day) {
    output.Emit({{"what", WhatName(item.what)},
                 {"code", item.code},
                 {"due", DayText(item.due_day)},
                 {"detail", item.detail},
                 {"id", item.id},
                 {"next", WhatNext(item.what)}});
    const bool late = item.due_day != 0 && item.due_day < Today();
    table.rows.push_back({Cell(DayLabel(item.due_day), late ? Style::kBad : Style::kPlain),
                          CodeText(item.code), CodeLabel(WhatName(item.what)), DetailLabel(item),
                          item.id});
  }
  if (day->empty()) output.Line("Nothing waits for you.", Style::kGood);
  if (!day->empty()) output.Show(table);
  std::vector<client::TodayItem::What> seen;
  for (const auto& item : *day) {
    if (std::ranges::count(seen, item.what) != 0) continue;
    seen.push_back(item.what);
    output.Line(CodeLabel(WhatName(item.what)) + ": " + LookUp(WhatNext(item.what)), Style::kFaint);
  }
  return ExitCode::kOk;
}

ExitCode OutboxShow(const Context& context, const OutboxOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("show the outbox", why); };
  auto session = Session::Open(context, kAllRealms);
  if (!session) return fail(session.error());
  if (!options.discard.empty()) {
    // Numbers are each realm's own: "cases:7".
    const std::size_t colon = options.discard.find(':');
    const auto compartment = CompartmentByName(options.discard.substr(0, colon));
    std::uint64_t id = 0;
    const std::string number =
        colon == std::string::npos ? std::string() : options.discard.substr(colon + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), id);
    if (!compartment || number.empty() || error != std::errc() ||
        end != number.data() + number.size()) {
      return fail(Error(Code::kInvalidArgument, "what waits has a name such as cases:7"));
    }
    const auto realm = session->organisation().Get(*compartment);
    if (!realm) return fail(realm.error());
    const auto sure = context.prompt.Confirm(Translated("Give up for good what you wrote there?"));
    if (!sure) return fail(sure.error());
    if (!*sure) return ExitCode::kError;
    if (const auto gone = client::Discard(**realm, id); !gone) return fail(gone.error());
    output.Emit({{"event", "discarded"}, {"id", options.discard}});
    output.Line("Given up.", Style::kGood);
    return ExitCode::kOk;
  }
  Table table{{Column("id"), Column("when"), Column("what"), Shrinking("why it waits")}, {}};
  for (const auto& [compartment, realm] : session->organisation().realms()) {
    const auto waiting = client::OutboxOf(*realm);
    if (!waiting) return fail(waiting.error());
    for (const client::Pending& pending : *waiting) {
      const std::string id =
          std::string(protocol::Name(compartment)) + ":" + std::to_string(pending.id);
      output.Emit({{"id", id},
                   {"written", TimeText(pending.written_ms)},
                   {"what", pending.what},
                   {"refused", pending.refused},
                   {"why", pending.why}});
      table.rows.push_back(
          {id, TimeLabel(pending.written_ms), "`" + pending.what + "`",
           Cell(pending.why.empty() ? Translated("not tried since") : LookUp(pending.why),
                pending.refused ? Style::kBad : Style::kPlain)});
    }
  }
  if (table.rows.empty()) output.Line("Nothing waits to be sent.", Style::kGood);
  if (!table.rows.empty()) output.Show(table);
  return table.rows.empty() ? ExitCode::kOk : ExitCode::kWaiting;
}

}  // namespace godwit::cli
