#include "client/cases.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/clock.h"
#include "client/act_alarms.h"
#include "client/casework/assign.h"
#include "client/day.h"
#include "client/directory.h"
#include "client/identity_window.h"
#include "client/import/target.h"
#include "client/pinned_rows.h"
#include "client/vault_writer.h"
#include "crypto/random.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using content::v1::Record;
using protocol::Compartment;
using protocol::Kind;

constexpr std::size_t kNoteLength = 16'000;

base::Result<CaseRow> ToCaseRow(const PinnedRow& row, const Directory& directory) {
  if (!row.record.has_summary()) {
    return Error(Code::kDecrypt, "a case's pinned record is no summary");
  }
  CaseRow out;
  out.vault = row.vault;
  out.summary = row.record.summary();
  out.fully_checked = row.fully_checked;
  const auto name = [&](const std::string& member, std::string& display, std::string& handle) {
    const auto id = base::MemberId::FromBytes(base::AsBytes(member));
    display = id ? directory.NameOf(*id) : std::string("-");
    const Colleague* colleague = id ? directory.ByMember(*id) : nullptr;
    if (colleague != nullptr) handle = colleague->handle;
  };
  name(out.summary.caseworker(), out.caseworker, out.caseworker_handle);
  name(out.summary.supervisor(), out.supervisor, out.supervisor_handle);
  return out;
}

Record SummaryRecord(const content::v1::Summary& summary) {
  Record record;
  *record.mutable_summary() = summary;
  return record;
}

Record LinkRecord(const std::string& code, const base::VaultId* person) {
  Record record;
  record.mutable_link1()->set_case_code(code);
  if (person != nullptr) {
    record.mutable_link1()->set_person_vault(base::ToString(person->bytes()));
  }
  return record;
}

// The consents that a new case begins with: machine and answer.
std::vector<std::pair<content::v1::Machine, content::v1::Answer>> ConsentsOf(
    const content::v1::ConsentBits& bits) {
  return {{content::v1::MACHINE_CONSENT_SERVICES, bits.services()},
          {content::v1::MACHINE_CONSENT_STORE_IDENTITY, bits.store_identity()},
          {content::v1::MACHINE_CONSENT_SHARE_PARTNER, bits.share_partner()},
          {content::v1::MACHINE_CONSENT_SHARE_AUTHORITY, bits.share_authority()},
          {content::v1::MACHINE_CONSENT_SHARE_UNHCR, bits.share_unhcr()},
          {content::v1::MACHINE_CONSENT_REPORTING_AGGREGATE, bits.reporting_aggregate()},
          {content::v1::MACHINE_CONSENT_TRACING, bits.tracing()}};
}

// The consent as the person gave it, for the person vault.
Record ConsentRecord(const content::v1::ConsentBits& bits, std::uint32_t day) {
  Record record;
  auto& consent = *record.mutable_consent();
  consent.set_services(bits.services());
  consent.set_store_identity(bits.store_identity());
  consent.set_share_partner(bits.share_partner());
  consent.set_share_authority(bits.share_authority());
  consent.set_share_unhcr(bits.share_unhcr());
  consent.set_reporting_aggregate(bits.reporting_aggregate());
  consent.set_tracing(bits.tracing());
  consent.set_given_day(day);
  consent.set_state(content::v1::CONSENT_STATE_GIVEN);
  return record;
}

// Brings names up to date where the service can be reached.
Status SyncIfOnline(Realm& realm) {
  if (!IsWindowOpen(realm)) return {};
  const auto names = [&]() -> Status {
    if (const auto synced = realm.Sync(); !synced) return synced;
    const auto directory = realm.roster().policy().VaultOf(Kind::kDirectory);
    const auto fetched = VaultView::Fetch(realm, directory);
    return fetched ? Status() : Status(fetched.error());
  }();
  if (!names && !IsLostAnswer(names.error().code())) return names;
  return {};
}

// Submits to one realm after the other; queued if one is.
Status SubmitTo(Realm& realm, Pending pending, std::string what, Written& all) {
  pending.what = std::move(what);
  const auto written = Submit(realm, std::move(pending));
  if (!written) return written.error();
  all.queued = all.queued || written->queued;
  return {};
}

}  // namespace

Status CheckNewCase(const NewCase& new_case) {
  if (!new_case.profile.names().empty() &&
      new_case.summary.consent().store_identity() != content::v1::ANSWER_YES) {
    return Error(Code::kInvalidArgument,
                 "a name is stored with the person's consent alone: ask first "
                 "(summary.consent.store_identity=yes), or open a nameless case");
  }
  return {};
}

base::Result<CasePlan> PlanCase(Organisation& organisation, NewCase new_case) {
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  for (Realm* realm : {*cases, *identity}) {
    if (const auto synced = SyncIfOnline(*realm); !synced) return synced.error();
  }
  if (((*cases)->roles() & protocol::kCaseworker) == 0) {
    return Error(Code::kPermissionDenied, "cases are opened by caseworkers");
  }
  if (const auto fits = CheckNewCase(new_case); !fits) return fits.error();
  // The supervisor is one human under two pseudonyms; both directories know the handle.
  const auto member_in = [&](Realm& realm) -> base::Result<base::MemberId> {
    const auto directory = Directory::Read(realm);
    if (!directory) return directory.error();
    const Colleague* supervisor = directory->ByHandle(new_case.supervisor);
    const std::uint64_t head = realm.roster().head_seq();
    if (supervisor == nullptr ||
        (realm.roster().RolesAt(supervisor->member, head) & protocol::kSupervisor) == 0) {
      return Error(Code::kInvalidArgument,
                   "no supervisor has this handle: see `godwit member list`");
    }
    if (supervisor->member == realm.member()) {
      return Error(Code::kInvalidArgument, "nobody supervises their own cases");
    }
    return supervisor->member;
  };
  const auto case_supervisor = member_in(**cases);
  if (!case_supervisor) return case_supervisor.error();
  const auto person_supervisor = member_in(**identity);
  if (!person_supervisor) return person_supervisor.error();

  const auto& roster = (*cases)->roster();
  const auto coordinates = [&](const auto& row) {
    return (roster.RolesAt(row.first, roster.head_seq()) & protocol::kCoordinator) != 0;
  };
  if (std::ranges::none_of(roster.members(), coordinates)) {
    return Error(Code::kNotFound,
                 "nobody coordinates cases here yet, and no case is without a coordinator: an "
                 "owner or admin invites one (`godwit member invite`)");
  }

  CasePlan plan{NewCaseCode(), {}};
  const std::string& code = plan.code;
  const auto add = [&plan](Compartment compartment, Pending pending) {
    pending.what = "case open";
    plan.vaults.emplace_back(compartment, std::move(pending));
  };
  const std::uint32_t day = new_case.day == 0 ? DayNow() : new_case.day;
  auto& summary = new_case.summary;
  summary.set_code(code);
  summary.set_stage_since_day(day);
  if (summary.risk() == content::v1::RISK_LEVEL_UNSPECIFIED) {
    summary.set_risk(content::v1::RISK_LEVEL_NOT_ASSESSED);
  }
  summary.set_caseworker(base::ToString((*cases)->member().bytes()));
  summary.set_supervisor(base::ToString(case_supervisor->bytes()));

  // The person first and the case last: a case that is there has both its sides.
  Pending person = NewPendingVault(
      **identity, Kind::kPerson,
      {{(*identity)->member(), protocol::kFull}, {*person_supervisor, protocol::kManage}});
  person.edits.push_back(
      {protocol::PinnedRecordOf(person.vault), std::nullopt, LinkRecord(code, nullptr)});
  Record profile;
  *profile.mutable_identity_profile() = new_case.profile;
  person.edits.push_back(VaultFile::Add(std::move(profile)));
  if (summary.has_consent())
    person.edits.push_back(VaultFile::Add(ConsentRecord(summary.consent(), day)));
  const base::VaultId person_vault = person.vault;
  add(Compartment::kIdentity, std::move(person));

  Pending sensitive =
      NewPendingVault(**cases, Kind::kSensitive,
                      {{(*cases)->member(), protocol::kFull}, {*case_supervisor, protocol::kFull}});
  sensitive.edits.push_back(
      {protocol::PinnedRecordOf(sensitive.vault), std::nullopt, LinkRecord(code, &person_vault)});
  if (new_case.trafficking) {
    Record context;
    *context.mutable_trafficking_context() = *new_case.trafficking;
    sensitive.edits.push_back(VaultFile::Add(std::move(context)));
  }
  add(Compartment::kCases, std::move(sensitive));

  std::map<base::MemberId, protocol::Perm> members{{(*cases)->member(), protocol::kFull},
                                                   {*case_supervisor, protocol::kReadWrite}};
  for (const auto& row : roster.members()) {
    if (coordinates(row)) members[row.first] = protocol::kFull;
  }
  Pending made = NewPendingVault(**cases, Kind::kCase, std::move(members));
  ActsOfCase acts;
  const auto begin_with = [&](content::v1::Machine machine, content::v1::Answer answer) {
    if (answer == content::v1::ANSWER_UNSPECIFIED) return;
    content::v1::Act act;
    act.set_machine(machine);
    act.set_to(static_cast<std::uint32_t>(answer));
    act.set_written_ms(base::SystemClock().NowMs());
    acts.acts.push_back({act, (*cases)->member(), kCaseworkerHat, acts.acts.size(), {}, {}});
    NewAct record = MakeAct(std::move(act));
    made.edits.push_back({record.record, std::nullopt, std::move(record.content)});
  };
  for (const auto& [machine, answer] : ConsentsOf(summary.consent())) begin_with(machine, answer);
  if (std::ranges::count(summary.flags(), static_cast<int>(content::v1::CASE_FLAG_UNACCOMPANIED))) {
    begin_with(content::v1::MACHINE_UNACCOMPANIED, content::v1::ANSWER_YES);
  }
  WriteLife(acts.Life(), summary);
  made.edits.push_back({protocol::PinnedRecordOf(made.vault), std::nullopt, SummaryRecord(summary),
                        !acts.acts.empty()});
  Record facts;
  *facts.mutable_case_() = new_case.facts;
  made.edits.push_back(VaultFile::Add(std::move(facts)));
  add(Compartment::kCases, std::move(made));
  return plan;
}

base::Result<std::string> OpenCase(Organisation& organisation, NewCase new_case) {
  auto plan = PlanCase(organisation, std::move(new_case));
  if (!plan) return plan.error();
  for (auto& [compartment, pending] : plan->vaults) {
    const auto realm = organisation.Get(compartment);
    if (!realm) return realm.error();
    if (const auto sent = Submit(**realm, std::move(pending)); !sent) return sent.error();
  }
  return plan->code;
}

base::Result<std::vector<CaseRow>> ListCases(Organisation& organisation) {
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  const auto directory = Directory::Read(**cases);
  if (!directory) return directory.error();
  const auto rows = RowsWithWaiting(**cases, Kind::kCase);
  if (!rows) return rows.error();
  std::vector<CaseRow> list;
  list.reserve(rows->size());
  for (const PinnedRow& row : *rows) {
    auto line = ToCaseRow(row, *directory);
    if (!line) return line.error();
    list.push_back(*std::move(line));
  }
  std::ranges::sort(list, {}, [](const CaseRow& row) { return row.summary.code(); });
  return list;
}

base::Result<OpenedCase> ShowCase(Organisation& organisation, std::string_view typed,
                                  bool offline) {
  const auto code = ReadCaseCode(typed);
  if (!code) return code.error();
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  Realm& realm = **cases;
  const From from = FromOf(offline);
  auto file = OpenCaseFile(realm, Kind::kCase, *code, from);
  if (!file) return file.error();
  const auto directory = Directory::Read(realm);
  if (!directory) return directory.error();
  const auto* pinned = file->Pinned();
  if (pinned == nullptr) return Error(Code::kDecrypt, "a case has no summary");

  OpenedCase opened(*std::move(file));
  PinnedRow whole;
  whole.vault = opened.file.id();
  whole.record = opened.file.Pinned()->content;
  whole.fully_checked = true;
  opened.life = opened.file.Life();
  // Before anything of it was written here, whoever wrote the summary had the acts before them.
  content::v1::Summary by_acts = whole.record.summary();
  opened.summary_differs =
      WriteLife(opened.life, by_acts) && SaysOtherwise(by_acts, whole.record.summary());
  *whole.record.mutable_summary() = by_acts;
  auto line = ToCaseRow(whole, *directory);
  if (!line) return line.error();
  opened.row = *std::move(line);
  opened.offline = opened.file.offline();
  if (const auto kept = KeepActAlarms(realm, opened.file, opened.life, opened.summary_differs);
      !kept) {
    return kept.error();
  }
  if (const auto facts = opened.file.Of(Record::kCase); !facts.empty()) {
    opened.facts = facts.front()->content.case_();
  }
  if (auto screening = OpenCaseFile(realm, Kind::kScreening, *code, from)) {
    opened.screening = *std::move(screening);
  } else if (screening.error().code() != Code::kNotFound) {
    return screening.error();
  }

  auto sensitive = OpenCaseFile(realm, Kind::kSensitive, *code, from);
  if (!sensitive) {
    if (sensitive.error().code() != Code::kNotFound) return sensitive.error();
    opened.link = LinkState::kNotYours;
    return opened;
  }
  opened.sensitive = *std::move(sensitive);
  if (const auto contexts = opened.sensitive->Of(Record::kTraffickingContext); !contexts.empty()) {
    opened.trafficking = contexts.front()->content.trafficking_context();
  }
  for (const auto* entry : opened.sensitive->Of(Record::kNote)) {
    // Whose note it is, the signed entry says, not the text.
    opened.notes.emplace_back(entry->content.note(), directory->NameOf(entry->author));
  }
  std::ranges::sort(opened.notes, {}, [](const auto& note) { return note.first.written_ms(); });

  const auto* link = opened.sensitive->Pinned();
  if (link == nullptr) return Error(Code::kDecrypt, "a sensitive vault names no case");
  opened.person = base::VaultId::FromBytes(base::AsBytes(link->content.link1().person_vault()));
  const auto state = LinkStateOf(organisation, *code, opened.person, from);
  if (!state) return state.error();
  opened.link = *state;
  return opened;
}

base::Result<LinkState> LinkStateOf(Organisation& organisation, const std::string& code,
                                    const std::optional<base::VaultId>& person, From from) {
  if (!person) return LinkState::kNone;
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return LinkState::kNotYours;
  // Whoever may ask a service asks it before they say that a side is missing.
  if (const auto named = FindVault(**identity, Kind::kPerson, code, from);
      !named && named.error().code() != Code::kNotFound) {
    return named.error();
  }
  const auto people = CodeIndex::Read(**identity, Kind::kPerson);
  if (!people) return people.error();
  return LinkStateIn(*people, code, *person);
}

LinkState LinkStateIn(const CodeIndex& people, const std::string& code,
                      const base::VaultId& person) {
  if (const auto named = people.VaultOf(code)) {
    return *named == person ? LinkState::kBothSides : LinkState::kMismatch;
  }
  const auto other = people.CodeOf(person);
  if (!other) return LinkState::kNotYours;
  return other->empty() ? LinkState::kCaseSideOnly : LinkState::kMismatch;
}

base::Result<VaultView> ViewOfVault(Realm& realm, const base::VaultId& vault, bool offline) {
  if (offline) return VaultView::Open(realm, vault);
  if (const auto synced = realm.Sync(); !synced) return synced.error();
  return VaultView::Fetch(realm, vault);
}

base::Result<VaultView> FindCaseVault(Realm& realm, Kind kind, std::string_view typed,
                                      bool offline) {
  const auto vault = FindVault(realm, kind, typed, FromOf(offline));
  if (!vault) return vault.error();
  return ViewOfVault(realm, *vault, offline);
}

base::Result<PersonFile> ShowPerson(Organisation& organisation, std::string_view typed,
                                    bool offline) {
  const auto code = ReadCaseCode(typed);
  if (!code) return code.error();
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  auto file = OpenCaseFile(**identity, Kind::kPerson, *code, FromOf(offline));
  if (!file && file.error().code() == Code::kNotFound) {
    return Error(Code::kNotFound,
                 "no such case, or its person is not yours to read: the caseworkers of a person "
                 "read them, and nobody else without a second person's consent");
  }
  if (!file) return file.error();
  PersonFile person{
      .vault = file->id(), .profile = {}, .case_code = *code, .file = *std::move(file)};
  if (const auto profiles = person.file.Of(Record::kIdentityProfile); !profiles.empty()) {
    person.profile = profiles.front()->content.identity_profile();
  }
  return person;
}

base::Result<Written> EditCase(Organisation& organisation, std::string_view typed,
                               const std::vector<Change>& changes) {
  const auto code = ReadCaseCode(typed);
  if (!code) return code.error();
  if (changes.empty())
    return Error(Code::kInvalidArgument, "say what to change: summary.risk=high");
  struct Root {
    std::string_view name;
    Record::BodyCase body;
    Kind kind;
  };
  constexpr std::array<Root, 4> kRoots{
      {{"summary", Record::kSummary, Kind::kCase},
       {"case", Record::kCase, Kind::kCase},
       {"trafficking_context", Record::kTraffickingContext, Kind::kSensitive},
       {"identity_profile", Record::kIdentityProfile, Kind::kPerson}}};
  // Everything is checked before anything is written.
  struct Parsed {
    FieldPath field;
    std::string value;
  };
  std::map<std::string_view, std::vector<Parsed>> by_root;
  for (const Change& change : changes) {
    const auto target = Target::Find(change.path);
    if (change.path == "summary.stage" || change.path == "summary.stage_since_day" ||
        change.path.starts_with("summary.consent")) {
      return Error(Code::kPermissionDenied,
                   "a stage or a consent is no fact to be edited: it changes by what is done for "
                   "the case (`godwit case stage`, `godwit consent`)");
    }
    if (!target) return target.error();
    const std::size_t dot = change.path.find('.');
    const auto root = std::ranges::find(kRoots, change.path.substr(0, dot), &Root::name);
    Record probe;
    MakeBody(root->body, probe);
    auto field = FieldPath::Find(*BodyOf(probe).GetDescriptor(), change.path.substr(dot + 1));
    if (!field) return field.error();
    if (const auto fits = Assign(*field, change.value, probe); !fits) return fits.error();
    by_root[root->name].push_back({*std::move(field), change.value});
  }

  Written all;
  for (const Kind kind : {Kind::kPerson, Kind::kSensitive, Kind::kCase}) {
    const bool wanted = std::ranges::any_of(
        kRoots, [&](const Root& root) { return root.kind == kind && by_root.contains(root.name); });
    if (!wanted) continue;
    const auto realm =
        organisation.Get(kind == Kind::kPerson ? Compartment::kIdentity : Compartment::kCases);
    if (!realm) return realm.error();
    auto file = OpenCaseFile(**realm, kind, *code, From::kService);
    if (!file) return file.error();
    if ((file->perm() & protocol::kWrite) == 0 || (file->perm() & protocol::kRead) == 0) {
      return Error(Code::kNotFound, "this part of the case is not yours to change");
    }
    Pending pending;
    pending.vault = file->id();
    for (const Root& root : kRoots) {
      if (root.kind != kind || !by_root.contains(root.name)) continue;
      const auto found = file->Of(root.body);
      Record content;
      if (found.empty()) {
        MakeBody(root.body, content);
      } else {
        content = found.front()->content;
      }
      for (const Parsed& change : by_root.at(root.name)) {
        if (const auto set = Assign(change.field, change.value, content); !set) return set.error();
      }
      pending.edits.push_back(found.empty()
                                  ? VaultFile::Add(std::move(content))
                                  : VaultFile::Change(*found.front(), std::move(content)));
    }
    if (const auto sent = SubmitTo(**realm, std::move(pending), "case edit", all); !sent) {
      return sent.error();
    }
  }
  return all;
}

base::Result<Written> AddNote(Organisation& organisation, std::string_view typed,
                              const std::string& text) {
  if (text.empty() || text.size() > kNoteLength) {
    return Error(Code::kInvalidArgument, "a note has a text of at most 16,000 bytes");
  }
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  const auto vault = FindVault(**cases, Kind::kSensitive, typed, From::kService);
  if (!vault) return vault.error();
  Record record;
  auto& note = *record.mutable_note();
  note.set_text(text);
  note.set_written_ms(base::SystemClock().NowMs());
  note.set_author(base::ToString((*cases)->member().bytes()));
  Pending pending;
  pending.vault = *vault;
  pending.edits.push_back(VaultFile::Add(std::move(record)));
  Written written;
  if (const auto sent = SubmitTo(**cases, std::move(pending), "case note", written); !sent) {
    return sent.error();
  }
  return written;
}

base::Result<OutboxState> Outbox(Organisation& organisation) {
  OutboxState state;
  for (const auto& [compartment, realm] : organisation.realms()) {
    const auto waiting = OutboxOf(*realm);
    if (!waiting) return waiting.error();
    state.waiting += waiting->size();
    state.refused += static_cast<std::size_t>(
        std::ranges::count_if(*waiting, [](const Pending& p) { return p.refused; }));
  }
  return state;
}

base::Result<OutboxState> SendOutbox(Organisation& organisation) {
  for (const auto& [compartment, realm] : organisation.realms()) {
    if (const auto left = SendWaiting(*realm); !left) return left.error();
  }
  return Outbox(organisation);
}

}  // namespace godwit::client
