#include "client/cli/person.h"

#include <algorithm>

#include "client/asking.h"
#include "client/casework/assign.h"
#include "client/casework/inert.h"
#include "client/cli/act.h"
#include "client/cli/facts.h"
#include "client/cli/render.h"
#include "client/drafts.h"
#include "client/persons.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using protocol::Compartment;

const std::vector<Compartment> kCaseRealms{Compartment::kIdentity, Compartment::kCases};

std::string NameText(const content::v1::Name& name) {
  if (!name.full().empty()) return name.full();
  return name.family() + (name.family().empty() || name.given().empty() ? "" : " ") + name.given();
}

base::Result<client::FamilyMember> ReadMember(client::Organisation& organisation,
                                              const std::string& text,
                                              const FamilyOptions& options) {
  const std::size_t equals = text.find('=');
  client::FamilyMember member;
  const auto person = client::FindPerson(organisation, text.substr(0, equals));
  if (!person) return person.error();
  member.person = *person;
  // What is said of somebody is read as the fields of the record are.
  content::v1::Record probe;
  client::MakeBody(content::v1::Record::kFamily, probe);
  const auto set = [&](const std::string& name, const std::string& value) -> base::Status {
    if (value.empty()) return {};
    const auto field =
        client::FieldPath::Find(*content::v1::Family::descriptor(), "members[0]." + name);
    if (!field) return field.error();
    return client::Assign(*field, value, probe);
  };
  const std::string role = equals == std::string::npos ? "" : text.substr(equals + 1);
  for (const auto& [name, value] : {std::pair("role", role),
                                    {"together", options.together},
                                    {"separated_since", options.separated_since}}) {
    if (const auto fits = set(name, value); !fits) return fits.error();
  }
  if (probe.family().members_size() > 0) {
    const auto& row = probe.family().members(0);
    member.role = row.role();
    member.together = row.together();
    member.separated_since = row.separated_since();
  }
  return member;
}

ExitCode SayMade(Output& output, const client::PersonMade& made, std::string_view event) {
  output.Emit({{"event", event}, {"id", client::ShortId(made.vault)}, {"queued", made.queued}});
  SayKept(output, client::ShortId(made.vault), made.queued);
  return ExitCode::kOk;
}

}  // namespace

ExitCode PersonList(const Context& context, const PersonOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("list your people", why); };
  auto session = Session::Open(context, {Compartment::kIdentity}, UseOf(options.offline));
  if (!session) return fail(session.error());
  if (!options.offline) {
    const auto synced = session->organisation().Sync();
    if (IsOffline(synced)) output.Note("Offline: as of the last sync.");
    if (!synced && !IsOffline(synced)) return fail(synced.error());
  }
  const auto people = client::ListPeople(session->organisation());
  if (!people) return fail(people.error());
  Table table{{Column("id"), Shrinking("name"), Column("case"), {}}, {}};
  for (const auto& person : *people) {
    Json names = Json::array();
    for (const auto& name : person.names) names.push_back(NameText(name));
    output.Emit({{"id", client::ShortId(person.vault)},
                 {"names", names},
                 {"code", person.code},
                 {"waits", person.waits}});
    table.rows.push_back(
        {client::ShortId(person.vault),
         person.names.empty() ? Cell(Translated("nameless"), Style::kFaint)
                              : Cell(NameText(person.names.front())),
         CodeText(person.code),
         person.waits ? Cell(Translated("waits to be sent"), Style::kWarning) : Cell()});
  }
  output.Show(table);
  output.Line(Translated("{0} people", people->size()), Style::kFaint);
  return ExitCode::kOk;
}

ExitCode PersonAdd(const Context& context, const PersonOptions& options) {
  const auto fail = [&](const Error& why) { return context.output.Fail("register them", why); };
  const auto changes = ReadFacts({}, options.from);
  if (!changes) return fail(changes.error());
  auto session = Session::Open(context, {Compartment::kIdentity});
  if (!session) return fail(session.error());
  const auto made =
      client::AddPerson(session->organisation(), {options.supervisor, *changes, options.consents});
  if (!made) return fail(made.error());
  return SayMade(context.output, *made, "added");
}

ExitCode PersonEdit(const Context& context, const PersonOptions& options) {
  const auto fail = [&](const Error& why) { return context.output.Fail("change this", why); };
  const auto changes = ReadFacts({}, options.from);
  if (!changes) return fail(changes.error());
  auto session = Session::Open(context, {Compartment::kIdentity});
  if (!session) return fail(session.error());
  client::Organisation& organisation = session->organisation();
  // A case's code or a person's id.
  auto person = client::FindPerson(organisation, options.person);
  if (!person && client::CanonicalCaseCode(options.person)) {
    const auto shown = client::ShowPerson(organisation, options.person);
    if (!shown) return fail(shown.error());
    person = shown->vault;
  }
  if (!person) return fail(person.error());
  const auto written = client::EditPerson(organisation, *person, *changes);
  if (!written) return fail(written.error());
  return SayWritten(context.output, written->queued, "edited");
}

ExitCode PersonLink(const Context& context, const PersonOptions& options) {
  const auto fail = [&](const Error& why) { return context.output.Fail("link them", why); };
  auto session = Session::Open(context, kCaseRealms);
  if (!session) return fail(session.error());
  const auto person = client::FindPerson(session->organisation(), options.person);
  if (!person) return fail(person.error());
  const auto written = client::LinkPerson(session->organisation(), options.code, *person);
  if (!written) return fail(written.error());
  return SayWritten(context.output, written->queued, "linked");
}

ExitCode PersonUnlink(const Context& context, const PersonOptions& options) {
  const auto fail = [&](const Error& why) { return context.output.Fail("unlink them", why); };
  auto session = Session::Open(context, kCaseRealms);
  if (!session) return fail(session.error());
  const auto written = client::UnlinkPerson(session->organisation(), options.code);
  if (!written) return fail(written.error());
  return SayWritten(context.output, written->queued, "unlinked");
}

base::Status TakeDraftsIn(const Context& context, Session& session, std::string_view supervisor) {
  Output& output = context.output;
  const auto drafts = client::ListDrafts(session.profile());
  if (!drafts) return drafts.error();
  base::Status first;
  for (const auto& draft : *drafts) {
    const std::string id = client::ShortId(draft);
    const auto code =
        client::TakeDraftIn(session.profile(), session.organisation(), draft, supervisor);
    if (code) {
      output.Emit({{"event", "taken_in"}, {"draft", id}, {"code", *code}});
      output.Line("Draft " + id + " is case " + CodeText(*code) + ".", Style::kGood);
      continue;
    }
    output.Emit({{"failed", id},
                 {"code", base::Name(code.error().code())},
                 {"why", code.error().message()}});
    output.Line("Draft " + id + ": " + std::string(code.error().message()), Style::kBad);
    if (first) first = code.error();
  }
  return first;
}

ExitCode PersonDraft(const Context& context, const DraftOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("draft this", why); };
  const auto profile = ChooseProfile(context);
  if (!profile) return fail(profile.error());
  if (!options.discard.empty()) {
    const auto draft = client::FindDraft(*profile, options.discard);
    if (!draft) return fail(draft.error());
    const auto sure = context.prompt.Confirm("Give up for good what was drafted there?");
    if (!sure) return fail(sure.error());
    if (!*sure) return ExitCode::kError;
    if (const auto gone = client::DiscardDraft(*profile, *draft); !gone) return fail(gone.error());
    output.Emit({{"event", "discarded"}, {"draft", client::ShortId(*draft)}});
    output.Line("Given up.", Style::kGood);
    return ExitCode::kOk;
  }
  if (options.take_in) {
    auto session = Session::Open(context, kCaseRealms);
    if (!session) return fail(session.error());
    const auto taken = TakeDraftsIn(context, *session, options.supervisor);
    if (!taken) return fail(taken.error());
    output.Line("What was drafted is in the outbox: `godwit sync` sends it.", Style::kFaint);
    return ExitCode::kOk;
  }
  const auto changes = ReadFacts({}, options.from);
  if (!changes) return fail(changes.error());
  client::NewCase new_case;
  new_case.supervisor = options.supervisor;
  if (const auto filled = FillIn(*changes, new_case); !filled) return fail(filled.error());
  const auto draft = client::WriteDraft(*profile, new_case);
  if (!draft) return fail(draft.error());
  const auto waiting = client::ListDrafts(*profile);
  if (!waiting) return fail(waiting.error());
  output.Emit(
      {{"event", "drafted"}, {"draft", client::ShortId(*draft)}, {"waiting", waiting->size()}});
  output.Line(
      "Kept, and readable by nobody until you unlock: the next `godwit sync` makes a case of it.",
      Style::kGood);
  return ExitCode::kOk;
}

ExitCode PersonAsk(const Context& context, const AskOptions& options) {
  const auto fail = [&](const Error& why) { return context.output.Fail("ask", why); };
  auto session = Session::Open(context, kCaseRealms);
  if (!session) return fail(session.error());
  const auto asked = client::AskIdentity(session->organisation(), options.code,
                                         static_cast<std::uint16_t>(options.hours),
                                         static_cast<std::uint16_t>(options.reason));
  if (!asked) return fail(asked.error());
  context.output.Emit({{"event", "asked"}, {"hours", options.hours}});
  context.output.Line("Asked: once another member assents, `godwit person show` reads it.",
                      Style::kGood);
  return ExitCode::kOk;
}

ExitCode PersonAssent(const Context& context, const AskOptions& options) {
  const auto fail = [&](const Error& why) { return context.output.Fail("answer", why); };
  auto session = Session::Open(context, kCaseRealms);
  if (!session) return fail(session.error());
  client::Organisation& organisation = session->organisation();
  const auto asks = client::IdentityAsks(organisation, options.code);
  if (!asks) return fail(asks.error());
  for (const auto& ask : *asks) {
    if (ask.assented || ask.refused) continue;
    context.output.Line(Translated("{0} asks to read this person for {1} hours.",
                                   client::Inert(ask.name), ask.hours));
  }
  const auto answered = client::AnswerIdentityAsks(organisation, options.code, !options.no);
  if (!answered) return fail(answered.error());
  context.output.Emit({{"event", options.no ? "refused" : "assented"}, {"asks", *answered}});
  context.output.Line(
      options.no ? Translated("Refused.") : Translated("Assented: it stays in the record."),
      Style::kGood);
  return ExitCode::kOk;
}

ExitCode FamilyList(const Context& context, const FamilyOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("list the families", why); };
  auto session = Session::Open(context, {Compartment::kIdentity}, UseOf(options.offline));
  if (!session) return fail(session.error());
  if (!options.offline) {
    const auto synced = session->organisation().Sync();
    if (IsOffline(synced)) output.Note("Offline: as of the last sync.");
    if (!synced && !IsOffline(synced)) return fail(synced.error());
  }
  const auto families = client::ListFamilies(session->organisation());
  if (!families) return fail(families.error());
  const auto people = client::ListPeople(session->organisation());
  if (!people) return fail(people.error());
  for (const auto& row : *families) {
    output.Line(Translated("Family {0}", client::ShortId(row.vault)), Style::kStrong);
    Json members = Json::array();
    Table table{{Column("id"), Shrinking("name"), Column("role"), Column("together"),
                 Column("separated since")},
                {}};
    for (const auto& member : row.family.members()) {
      const auto vault = base::VaultId::FromBytes(base::AsBytes(member.person()));
      const auto known = std::ranges::find_if(
          *people, [&](const auto& person) { return vault && person.vault == *vault; });
      const bool named = known != people->end() && !known->names.empty();
      const std::string id = vault ? client::ShortId(*vault) : std::string("?");
      const std::string name = named ? NameText(known->names.front()) : std::string();
      const std::string since =
          member.has_separated_since() ? DateText(member.separated_since()) : std::string();
      members.push_back({{"person", id},
                         {"name", name},
                         {"role", EnumText(member.role())},
                         {"together", EnumText(member.together())},
                         {"separated_since", since}});
      table.rows.push_back(
          {id, name, EnumLabel(member.role()), EnumLabel(member.together()),
           member.has_separated_since() ? DateLabel(member.separated_since()) : std::string()});
    }
    output.Emit({{"id", client::ShortId(row.vault)}, {"members", members}});
    output.Show(table);
  }
  output.Line(Translated("{0} families", families->size()), Style::kFaint);
  return ExitCode::kOk;
}

ExitCode FamilyMake(const Context& context, const FamilyOptions& options) {
  const auto fail = [&](const Error& why) { return context.output.Fail("make the family", why); };
  auto session = Session::Open(context, {Compartment::kIdentity});
  if (!session) return fail(session.error());
  std::vector<client::FamilyMember> members;
  for (const std::string& text : options.members) {
    auto member = ReadMember(session->organisation(), text, options);
    if (!member) return fail(member.error());
    members.push_back(*std::move(member));
  }
  const auto made = client::MakeFamily(session->organisation(), options.supervisor, members);
  if (!made) return fail(made.error());
  return SayMade(context.output, *made, "made");
}

ExitCode FamilySet(const Context& context, const FamilyOptions& options) {
  const auto fail = [&](const Error& why) { return context.output.Fail("change the family", why); };
  auto session = Session::Open(context, {Compartment::kIdentity});
  if (!session) return fail(session.error());
  const auto family = client::FindFamily(session->organisation(), options.family);
  if (!family) return fail(family.error());
  bool queued = false;
  for (const std::string& text : options.members) {
    const auto member = ReadMember(session->organisation(), text, options);
    if (!member) return fail(member.error());
    const auto written = client::SetFamilyMember(session->organisation(), *family, *member);
    if (!written) return fail(written.error());
    queued = queued || written->queued;
  }
  return SayWritten(context.output, queued, "set");
}

ExitCode FamilyRemove(const Context& context, const FamilyOptions& options) {
  const auto fail = [&](const Error& why) { return context.output.Fail("change the family", why); };
  auto session = Session::Open(context, {Compartment::kIdentity});
  if (!session) return fail(session.error());
  const auto family = client::FindFamily(session->organisation(), options.family);
  if (!family) return fail(family.error());
  bool queued = false;
  for (const std::string& text : options.members) {
    const auto person = client::FindPerson(session->organisation(), text);
    if (!person) return fail(person.error());
    const auto written = client::RemoveFamilyMember(session->organisation(), *family, *person);
    if (!written) return fail(written.error());
    queued = queued || written->queued;
  }
  return SayWritten(context.output, queued, "removed");
}

}  // namespace godwit::cli
