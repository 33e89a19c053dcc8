#include "client/cli/case.h"

#include "client/asking.h"
#include "client/cases.h"
#include "client/casework/assign.h"
#include "client/casework/inert.h"
#include "client/cli/act.h"
#include "client/cli/facts.h"
#include "client/cli/render.h"
#include "client/entries.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using protocol::Compartment;

const std::vector<Compartment> kCaseRealms{Compartment::kIdentity, Compartment::kCases};

// The facts of a command: of its arguments, then of its file.
base::Result<std::vector<client::Change>> AllChanges(const std::vector<std::string>& facts,
                                                     const std::string& from) {
  auto arguments = ReadFacts(facts, {});
  if (!arguments) return arguments.error();
  for (const client::Change& change : *arguments) {
    if (MayBeArgument(change.path)) continue;
    return Error(Code::kInvalidArgument,
                 "facts about a person do not belong on a command line, where other users and "
                 "the shell's history see them: write them to a file or stdin, for --from");
  }
  return ReadFacts(facts, from);
}

// Looked up where it is printed.
std::string_view LinkText(client::LinkState link) {
  switch (link) {
    case client::LinkState::kNone:
      return Translatable("none");
    case client::LinkState::kBothSides:
      return Translatable("both sides name each other");
    case client::LinkState::kCaseSideOnly:
      return Translatable("the case names a person that does not name it");
    case client::LinkState::kPersonSideOnly:
      return Translatable("the person names a case that does not name it");
    case client::LinkState::kMismatch:
      return Translatable("person and case name different ones: tell your supervisor");
    case client::LinkState::kNotYours:
      return Translatable("not yours to see");
  }
  return "";
}

// A text of several lines, each made inert.
void ShowText(Output& output, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    output.Line("  " + client::Inert(text.substr(0, end), std::string_view::npos));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

std::string_view LinkName(client::LinkState link) {
  switch (link) {
    case client::LinkState::kNone:
      return "none";
    case client::LinkState::kBothSides:
      return "both_sides";
    case client::LinkState::kCaseSideOnly:
      return "case_side_only";
    case client::LinkState::kPersonSideOnly:
      return "person_side_only";
    case client::LinkState::kMismatch:
      return "mismatch";
    case client::LinkState::kNotYours:
      return "not_yours";
  }
  return "";
}

ExitCode CaseOpen(const Context& context, const CaseOpenOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("open the case", why); };
  const auto changes = AllChanges(options.facts, options.from);
  if (!changes) return fail(changes.error());
  client::NewCase new_case;
  new_case.supervisor = options.supervisor;
  if (const auto filled = FillIn(*changes, new_case); !filled) return fail(filled.error());
  auto session = Session::Open(context, kCaseRealms);
  if (!session) return fail(session.error());
  const auto code = client::OpenCase(session->organisation(), std::move(new_case));
  if (!code) return fail(code.error());
  const auto outbox = client::Outbox(session->organisation());
  if (!outbox) return fail(outbox.error());
  output.Emit({{"event", "opened"}, {"code", *code}, {"queued", outbox->waiting > 0}});
  output.Line(Translated("Opened: {0}", CodeText(*code)), Style::kGood);
  if (outbox->waiting > 0) {
    output.Line("Kept on this device: it is sent by the next `godwit sync`.", Style::kWarning);
  }
  return ExitCode::kOk;
}

ExitCode CaseList(const Context& context, const CaseListOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("list the cases", why); };
  auto session = Session::Open(context, {Compartment::kCases}, UseOf(options.offline));
  if (!session) return fail(session.error());
  base::Status synced;
  if (!options.offline) {
    Progress progress(output);
    synced = SyncLists(session->organisation(), progress);
  }
  if (IsOffline(synced)) output.Note("Offline: as of the last sync.");
  const auto cases = client::ListCases(session->organisation());
  if (!cases) return fail(cases.error());
  Table table{{Column("code"), Column("stage"), Column("risk"), Shrinking("caseworker"),
               Shrinking("supervisor"), Column("next due"), Shrinking("region")},
              {}};
  for (const client::CaseRow& row : *cases) {
    const auto& summary = row.summary;
    output.Emit(CaseJson(row));
    table.rows.push_back({CodeText(summary.code()), EnumLabel(summary.stage()),
                          Cell(EnumLabel(summary.risk()), RiskStyle(summary.risk())),
                          row.caseworker, row.supervisor, DayLabel(summary.next_due_day()),
                          EnumLabel(summary.region_band())});
  }
  output.Show(table);
  output.Line(Translated("{0} cases", cases->size()), Style::kFaint);
  // What is shown is shown; that a part was refused is said all the same.
  if (!synced && !IsOffline(synced)) return fail(synced.error());
  return ExitCode::kOk;
}

ExitCode CaseShow(const Context& context, const CaseShowOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("show the case", why); };
  auto session = Session::Open(context, kCaseRealms, UseOf(options.offline));
  if (!session) return fail(session.error());
  const auto opened = client::ShowCase(session->organisation(), options.code, options.offline);
  if (!opened) return fail(opened.error());
  const auto& row = opened->row;
  Json json = {{"case", CaseJson(row)}, {"link", LinkName(opened->link)}};
  if (opened->facts) json["facts"] = ContentJson(*opened->facts);
  json["sensitive_readable"] = opened->sensitive_readable();
  if (opened->trafficking) json["trafficking_context"] = ContentJson(*opened->trafficking);
  if (opened->sensitive_readable()) {
    Json notes = Json::array();
    for (const auto& [note, author] : opened->notes) {
      notes.push_back(
          {{"written", TimeText(note.written_ms())}, {"author", author}, {"text", note.text()}});
    }
    json["notes"] = std::move(notes);
  }
  std::vector<std::pair<std::string, std::string>> conflicts;
  Json conflicts_json = Json::array();
  const auto take_conflicts = [&](const client::VaultFile& file) {
    for (const auto* entry : file.Of(content::v1::Record::kConflict)) {
      const auto& conflict = entry->content.conflict();
      content::v1::Record other;
      if (conflict.settled() || !other.ParseFromString(conflict.other())) continue;
      conflicts.emplace_back(client::ShortId(entry->record), conflict.field());
      conflicts_json.push_back({{"id", client::ShortId(entry->record)},
                                {"field", conflict.field()},
                                {"other", ContentJson(client::BodyOf(other))}});
    }
  };
  take_conflicts(opened->file);
  if (opened->sensitive) take_conflicts(*opened->sensitive);
  json["conflicts"] = conflicts_json;
  json["summary_differs"] = opened->summary_differs;
  json["refused_acts"] = opened->life.refused.size();
  json["waits_for_second"] = !opened->life.waiting.empty();
  const bool overridden = opened->life[content::v1::MACHINE_CONSENT_OVERRIDE] != 0;
  json["consent_overridden"] = overridden;
  if (opened->offline) output.Note("Offline: as of the last sync.");
  output.Emit(json);

  output.Line(Translated("Case {0}", CodeText(row.summary.code())), Style::kStrong);
  content::v1::Summary summary = row.summary;
  summary.clear_code();
  auto fields = ContentFields(summary);
  fields.emplace_back(Label("caseworker"), row.caseworker);
  fields.emplace_back(Label("supervisor"), row.supervisor);
  if (opened->facts) {
    for (auto& field : ContentFields(*opened->facts)) fields.push_back(std::move(field));
  }
  fields.emplace_back(
      Label("person"),
      Cell(LookUp(LinkText(opened->link)),
           opened->link == client::LinkState::kMismatch ? Style::kBad : Style::kPlain));
  output.Fields(fields);
  if (opened->summary_differs || !opened->life.refused.empty()) {
    output.Line(
        "\nSomebody signed what nobody may do here; it counts for nothing: `godwit case "
        "history`.",
        Style::kBad);
  }
  if (!opened->life.waiting.empty()) {
    output.Line(
        "\nA step waits for a second person: `godwit case history CODE`, then `godwit case assent "
        "CODE close|override`.",
        Style::kWarning);
  }
  if (overridden) {
    output.Line(
        "\nSomething is told without the person's consent: `godwit referral list CODE`; the "
        "supervisor ends it with `godwit case review CODE`.",
        Style::kWarning);
  }
  for (const auto& [id, what] : conflicts) {
    output.Line(
        Translated("\nTwo values of {0} are kept: `godwit case conflict CODE {1} kept|other`.",
                   what, id),
        Style::kWarning);
  }
  if (!opened->sensitive_readable()) {
    output.Line("\nAssessment and notes are for the caseworker and the supervisor.", Style::kFaint);
    return ExitCode::kOk;
  }
  if (opened->trafficking) {
    output.Line("\nTrafficking", Style::kStrong);
    output.Fields(ContentFields(*opened->trafficking));
  }
  for (const auto& [note, author] : opened->notes) {
    output.Line("\n" + TimeLabel(note.written_ms()) + "  " + client::Inert(author), Style::kStrong);
    ShowText(output, note.text());
  }
  return ExitCode::kOk;
}

ExitCode CaseEdit(const Context& context, const CaseEditOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("change the case", why); };
  const auto changes = AllChanges(options.facts, options.from);
  if (!changes) return fail(changes.error());
  auto session = Session::Open(context, kCaseRealms);
  if (!session) return fail(session.error());
  const auto written = client::EditCase(session->organisation(), options.code, *changes);
  if (!written) return fail(written.error());
  return SayWritten(output, written->queued, "edited");
}

ExitCode CaseNote(const Context& context, const CaseNoteOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("add the note", why); };
  const auto text = ReadText(options.from);
  if (!text) return fail(text.error());
  auto session = Session::Open(context, {Compartment::kCases});
  if (!session) return fail(session.error());
  const auto written = client::AddNote(session->organisation(), options.code, *text);
  if (!written) return fail(written.error());
  return SayWritten(output, written->queued, "noted");
}

ExitCode PersonShow(const Context& context, const PersonShowOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("show the person", why); };
  auto session = Session::Open(context, kCaseRealms, UseOf(options.offline));
  if (!session) return fail(session.error());
  auto person = client::ShowPerson(session->organisation(), options.code, options.offline);
  // Whoever manages a person without reading them may have been let in.
  if (!person && person.error().code() == Code::kNotFound && !options.offline) {
    auto asked = client::ReadAskedIdentity(session->organisation(), options.code);
    if (asked) person = *std::move(asked);
  }
  if (!person) return fail(person.error());
  output.Emit({{"code", person->case_code}, {"person", ContentJson(person->profile)}});
  output.Line(Translated("Person of case {0}", CodeText(person->case_code)), Style::kStrong);
  const auto fields = ContentFields(person->profile);
  if (fields.empty()) output.Line("Nothing is known yet: a nameless case.", Style::kFaint);
  output.Fields(fields);
  return ExitCode::kOk;
}

}  // namespace godwit::cli
