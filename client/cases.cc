#include "client/cases.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/clock.h"
#include "client/directory.h"
#include "client/import/target.h"
#include "client/pinned_rows.h"
#include "client/vault_writer.h"
#include "crypto/random.h"
#include "protocol/ce.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using content::v1::Record;
using protocol::Compartment;
using protocol::Kind;

// Crockford's base 32, and the five symbols more that a check of 37 needs
// (https://www.crockford.com/base32.html).
constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";
constexpr std::size_t kCodeDigits = 10;
constexpr std::size_t kNoteLength = 16'000;

char CheckSymbol(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) value = value * 32 + kDigits.find(c);
  return kDigits[value % 37];
}

std::uint32_t Today() {
  return static_cast<std::uint32_t>(base::SystemClock().NowMs() / 86'400'000);
}

Error NoSuchCase() {
  return {Code::kNotFound,
          "no such case, or not yours: `godwit case list` shows yours as of the last sync"};
}

// The vault of `kind` whose pinned record names the case, as of the last sync.
base::Result<std::optional<PinnedRow>> FindRow(Realm& realm, Kind kind, const std::string& code) {
  auto rows = ReadPinnedRows(realm, kind);
  if (!rows) return rows.error();
  for (PinnedRow& row : *rows) {
    const std::string& named =
        kind == Kind::kCase ? row.record.summary().code() : row.record.link1().case_code();
    if (named == code) return std::optional(std::move(row));
  }
  return std::optional<PinnedRow>();
}

// The same, after a look at the service if it is not there.
base::Result<std::optional<PinnedRow>> FindRowFresh(Realm& realm, Kind kind,
                                                    const std::string& code, bool offline) {
  auto row = FindRow(realm, kind, code);
  if (!row || *row || offline) return row;
  if (const auto synced = SyncPinnedRows(realm, kind); !synced) return synced.error();
  return FindRow(realm, kind, code);
}

base::Result<std::string> Canonical(std::string_view code) {
  auto canonical = CanonicalCaseCode(code);
  if (!canonical) {
    return Error(Code::kInvalidArgument,
                 "this is no case code: ten digits and letters and a check symbol, as in "
                 "`godwit case list`");
  }
  return *std::move(canonical);
}

base::Result<CaseRow> ToCaseRow(const PinnedRow& row, const Directory& directory) {
  if (!row.record.has_summary()) {
    return Error(Code::kDecrypt, "a case's pinned record is no summary");
  }
  CaseRow out;
  out.vault = row.vault;
  out.summary = row.record.summary();
  out.fully_checked = row.fully_checked;
  const auto name = [&](const std::string& member) {
    const auto id = base::MemberId::FromBytes(base::AsBytes(member));
    return id ? directory.NameOf(*id) : std::string("-");
  };
  out.caseworker = name(out.summary.caseworker());
  out.supervisor = name(out.summary.supervisor());
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

// One change of one record that waits to be sent, and the links of what was sent of it already:
//   item = vault|record|u64 rver that it is based on (0: a new record)|var32 record|list(link;)
struct Waiting {
  base::VaultId vault;
  base::RecordId record;
  std::uint64_t based_on = 0;
  Record content;
  std::vector<base::Link> tries;
};

base::Bytes WriteWaiting(const Waiting& item) {
  protocol::Writer w;
  const crypto::SecretBytes text = SerializeRecord(item.content);
  w.Fixed(item.vault).Fixed(item.record).U64(item.based_on).Var32(text.Expose());
  const std::set<base::Link> tries(item.tries.begin(), item.tries.end());
  w.U16(static_cast<std::uint16_t>(tries.size()));
  for (const base::Link& link : tries) w.Fixed(link);
  return w.Take();
}

base::Result<Waiting> ReadWaiting(base::ByteSpan bytes) {
  protocol::Reader r(bytes);
  Waiting item;
  item.vault = r.Take<base::VaultId>();
  item.record = r.Take<base::RecordId>();
  item.based_on = r.U64();
  const base::ByteSpan text = r.Var32();
  r.List([&](protocol::Reader& row) {
    item.tries.push_back(row.Take<base::Link>());
    row.KeyEnds();
  });
  if (!r.Done()) return Error(Code::kStateLost, "an item of the outbox is malformed");
  auto content = ParseRecord(text);
  if (!content) return content.error();
  item.content = *std::move(content);
  return item;
}

// Sends the item `id` of the outbox by the writer rule. CONFLICT: its record changed since.
Status Send(Realm& realm, std::uint64_t id, const Waiting& item) {
  Tries tries;
  tries.links = item.tries;
  tries.keep = [&](const std::vector<base::Link>& links) {
    Waiting sent = item;
    sent.tries = links;
    return realm.store().ReplaceOutbox(id, WriteWaiting(sent));
  };
  const auto written = WriteVault(
      realm, item.vault,
      [&](VaultView& vault) -> base::Result<std::vector<Edit>> {
        const auto* latest = vault.Latest(item.record);
        const std::uint64_t rver = latest == nullptr ? 0 : latest->rev.rver;
        if (rver != item.based_on) {
          return Error(Code::kConflict,
                       "somebody else changed this meanwhile: look at it, and make your change "
                       "again");
        }
        return std::vector<Edit>{{item.record, item.content, 0}};
      },
      {}, {.is_due = {}, .hide_history = false, .tries = &tries});
  if (!written) return written.error();
  return {};
}

// Keeps the change in the outbox first, then tries to send it.
base::Result<Written> Submit(Realm& realm, const Waiting& item) {
  const auto id = realm.store().PutOutbox(WriteWaiting(item));
  if (!id) return id.error();
  const auto sent = Send(realm, *id, item);
  if (!sent && IsLostAnswer(sent.error().code())) return Written{true};
  if (const auto removed = realm.store().RemoveOutbox(*id); !removed) return removed.error();
  if (!sent) return sent.error();
  return Written{false};
}

}  // namespace

std::string NewCaseCode() {
  std::array<std::uint8_t, kCodeDigits> random{};
  crypto::FillRandom(random);
  std::string code;
  for (const std::uint8_t byte : random) code.push_back(kDigits[byte % 32]);
  code.push_back(CheckSymbol(code));
  return code;
}

std::optional<std::string> CanonicalCaseCode(std::string_view typed) {
  std::string code;
  for (char c : typed) {
    if (c == '-' || c == ' ') continue;
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    code.push_back(c);
  }
  if (code.size() != kCodeDigits + 1) return std::nullopt;
  const std::string_view digits = std::string_view(code).substr(0, kCodeDigits);
  for (const char c : digits) {
    const std::size_t at = kDigits.find(c);
    if (at >= 32) return std::nullopt;
  }
  if (code.back() != CheckSymbol(digits)) return std::nullopt;
  return code;
}

base::Result<std::string> OpenCase(Organisation& organisation, NewCase new_case) {
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  for (Realm* realm : {*cases, *identity}) {
    if (const auto synced = realm->Sync(); !synced) return synced.error();
    const auto directory = realm->roster().policy().VaultOf(Kind::kDirectory);
    if (const auto fetched = VaultView::Fetch(*realm, directory); !fetched) {
      return fetched.error();
    }
  }
  if (((*cases)->roles() & protocol::kCaseworker) == 0) {
    return Error(Code::kPermissionDenied, "cases are opened by caseworkers");
  }
  if (!new_case.profile.names().empty() &&
      new_case.summary.consent().store_identity() != content::v1::ANSWER_YES) {
    return Error(Code::kInvalidArgument,
                 "a name is stored with the person's consent alone: ask first "
                 "(--consent store_identity=yes), or open a nameless case");
  }
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

  const std::string code = NewCaseCode();
  auto& summary = new_case.summary;
  summary.set_code(code);
  summary.set_status(content::v1::CASE_STATUS_OPEN);
  summary.set_stage(content::v1::CASE_STAGE_CONTACT);
  summary.set_condition(content::v1::CASE_CONDITION_NORMAL);
  summary.set_workflow(content::v1::WORKFLOW_NEW);
  summary.set_stage_since_day(Today());
  if (summary.risk() == content::v1::RISK_LEVEL_UNSPECIFIED) {
    summary.set_risk(content::v1::RISK_LEVEL_NOT_ASSESSED);
  }
  summary.set_caseworker(base::ToString((*cases)->member().bytes()));
  summary.set_supervisor(base::ToString(case_supervisor->bytes()));

  // The person first and the case last: a case that is there has both its sides.
  const auto person = CreateVault(
      **identity, Kind::kPerson,
      {{(*identity)->member(), protocol::kFull}, {*person_supervisor, protocol::kManage}},
      [&](const base::VaultId& id) -> base::Result<std::vector<Edit>> {
        Record profile;
        *profile.mutable_identity_profile() = new_case.profile;
        return std::vector<Edit>{{protocol::PinnedRecordOf(id), LinkRecord(code, nullptr), 0},
                                 {crypto::RandomId<base::RecordId>(), std::move(profile), 0}};
      });
  if (!person) return person.error();
  const auto sensitive = CreateVault(
      **cases, Kind::kSensitive,
      {{(*cases)->member(), protocol::kFull}, {*case_supervisor, protocol::kFull}},
      [&](const base::VaultId& id) -> base::Result<std::vector<Edit>> {
        std::vector<Edit> edits{{protocol::PinnedRecordOf(id), LinkRecord(code, &person->id()), 0}};
        if (new_case.trafficking) {
          Record context;
          *context.mutable_trafficking_context() = *new_case.trafficking;
          edits.push_back({crypto::RandomId<base::RecordId>(), std::move(context), 0});
        }
        return edits;
      });
  if (!sensitive) return sensitive.error();

  std::map<base::MemberId, protocol::Perm> members{{(*cases)->member(), protocol::kFull},
                                                   {*case_supervisor, protocol::kReadWrite}};
  const auto& roster = (*cases)->roster();
  for (const auto& [member, row] : roster.members()) {
    if ((roster.RolesAt(member, roster.head_seq()) & protocol::kCoordinator) != 0) {
      members[member] = protocol::kFull;
    }
  }
  const auto made = CreateVault(**cases, Kind::kCase, members,
                                [&](const base::VaultId& id) -> base::Result<std::vector<Edit>> {
                                  Record facts;
                                  *facts.mutable_case_() = new_case.facts;
                                  return std::vector<Edit>{
                                      {protocol::PinnedRecordOf(id), SummaryRecord(summary), 0},
                                      {crypto::RandomId<base::RecordId>(), std::move(facts), 0}};
                                });
  if (!made) return made.error();
  return code;
}

base::Result<std::vector<CaseRow>> ListCases(Organisation& organisation) {
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  const auto directory = Directory::Read(**cases);
  if (!directory) return directory.error();
  const auto rows = ReadPinnedRows(**cases, Kind::kCase);
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
  const auto code = Canonical(typed);
  if (!code) return code.error();
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  Realm& realm = **cases;
  const auto row = FindRowFresh(realm, Kind::kCase, *code, offline);
  if (!row) return row.error();
  if (!*row) return NoSuchCase();
  auto vault = ViewOfVault(realm, (*row)->vault, offline);
  if (!vault) return vault.error();
  const auto directory = Directory::Read(realm);
  if (!directory) return directory.error();

  OpenedCase opened;
  const auto summary = vault->Read(vault->state().pinned_record());
  if (!summary) return summary.error();
  PinnedRow whole{vault->id(), vault->state().head_seq(), vault->state().head(), *summary, true};
  auto line = ToCaseRow(whole, *directory);
  if (!line) return line.error();
  opened.row = *std::move(line);
  const auto facts = vault->ReadAll(Record::kCase);
  if (!facts) return facts.error();
  if (!facts->empty()) opened.facts = facts->front().second.case_();

  const auto sensitive_row = FindRowFresh(realm, Kind::kSensitive, *code, offline);
  if (!sensitive_row) return sensitive_row.error();
  if (!*sensitive_row) {
    opened.link = LinkState::kNotYours;
    return opened;
  }
  auto sensitive = ViewOfVault(realm, (*sensitive_row)->vault, offline);
  if (!sensitive) return sensitive.error();
  opened.sensitive_readable = true;
  const auto contexts = sensitive->ReadAll(Record::kTraffickingContext);
  if (!contexts) return contexts.error();
  if (!contexts->empty()) opened.trafficking = contexts->front().second.trafficking_context();
  const auto notes = sensitive->ReadAll(Record::kNote);
  if (!notes) return notes.error();
  for (const auto& [id, record] : *notes) {
    // Whose note it is, the signed entry says, not the text.
    const auto* version = sensitive->Latest(id);
    opened.notes.emplace_back(record.note(), directory->NameOf(version->header.author_member));
  }
  std::ranges::sort(opened.notes, {}, [](const auto& note) { return note.first.written_ms(); });

  const auto link = sensitive->Read(sensitive->state().pinned_record());
  if (!link) return link.error();
  opened.person = base::VaultId::FromBytes(base::AsBytes(link->link1().person_vault()));
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!opened.person) {
    opened.link = LinkState::kNone;
  } else if (!identity) {
    opened.link = LinkState::kNotYours;
  } else {
    const auto person = FindRowFresh(**identity, Kind::kPerson, *code, offline);
    if (!person) {
      opened.link = LinkState::kNotYours;
    } else if (*person) {
      opened.link =
          (*person)->vault == *opened.person ? LinkState::kBothSides : LinkState::kMismatch;
    } else {
      auto rows = ReadPinnedRows(**identity, Kind::kPerson);
      const bool mine = rows && std::ranges::any_of(*rows, [&](const PinnedRow& r) {
                          return r.vault == *opened.person;
                        });
      opened.link = mine ? LinkState::kMismatch : LinkState::kNotYours;
    }
  }
  return opened;
}

base::Result<VaultView> ViewOfVault(Realm& realm, const base::VaultId& vault, bool offline) {
  if (offline) return VaultView::Open(realm, vault);
  if (const auto synced = realm.Sync(); !synced) return synced.error();
  return VaultView::Fetch(realm, vault);
}

base::Result<VaultView> FindCaseVault(Realm& realm, Kind kind, std::string_view typed,
                                      bool offline) {
  const auto code = Canonical(typed);
  if (!code) return code.error();
  const auto row = FindRowFresh(realm, kind, *code, offline);
  if (!row) return row.error();
  if (!*row) return NoSuchCase();
  return ViewOfVault(realm, (*row)->vault, offline);
}

base::Result<PersonFile> ShowPerson(Organisation& organisation, std::string_view typed,
                                    bool offline) {
  const auto code = Canonical(typed);
  if (!code) return code.error();
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  const auto row = FindRowFresh(**identity, Kind::kPerson, *code, offline);
  if (!row) return row.error();
  if (!*row) {
    return Error(Code::kNotFound,
                 "no such case, or its person is not yours to read: the caseworkers of a person "
                 "read them, and nobody else without a second person's consent");
  }
  auto vault = ViewOfVault(**identity, (*row)->vault, offline);
  if (!vault) return vault.error();
  const auto profiles = vault->ReadAll(Record::kIdentityProfile);
  if (!profiles) return profiles.error();
  PersonFile person;
  person.vault = vault->id();
  person.case_code = *code;
  if (!profiles->empty()) person.profile = profiles->front().second.identity_profile();
  return person;
}

base::Result<Written> EditCase(Organisation& organisation, std::string_view typed,
                               const std::vector<Change>& changes) {
  const auto code = Canonical(typed);
  if (!code) return code.error();
  if (changes.empty())
    return Error(Code::kInvalidArgument, "say what to change: summary.risk=high");
  // Everything is checked before anything is written.
  struct Parsed {
    Target target;
    Value value;
  };
  std::map<std::string, std::vector<Parsed>> by_root;
  for (const Change& change : changes) {
    if (change.path == "summary.stage" || change.path == "summary.stage_since_day") {
      return Error(Code::kPermissionDenied,
                   "a stage is no fact to be edited: it changes by what is done for the case");
    }
    auto target = Target::Find(change.path);
    if (!target) return target.error();
    auto value = target->Parse(change.value);
    if (!value) return value.error();
    by_root[change.path.substr(0, change.path.find('.'))].push_back(
        {*std::move(target), *std::move(value)});
  }

  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  Written result;
  for (const auto& [root, parsed] : by_root) {
    const bool person = root == "identity_profile";
    const auto realm = person ? organisation.Get(Compartment::kIdentity) : cases;
    if (!realm) return realm.error();
    const Kind kind = person                          ? Kind::kPerson
                      : root == "trafficking_context" ? Kind::kSensitive
                                                      : Kind::kCase;
    // Offline, what the last sync brought is edited; what changed since shows as a conflict.
    auto row = FindRow(**realm, kind, *code);
    if (row && !*row) row = FindRowFresh(**realm, kind, *code, false);
    if (!row) return row.error();
    if (!*row) return NoSuchCase();
    auto vault = ViewOfVault(**realm, (*row)->vault, false);
    if (!vault && IsLostAnswer(vault.error().code())) {
      vault = ViewOfVault(**realm, (*row)->vault, true);
    }
    if (!vault) return vault.error();
    if (person && !(vault->perm() & protocol::kWrite)) return NoSuchCase();

    Waiting item;
    item.vault = vault->id();
    RowRecords records;
    Record content;
    const auto body = root == "summary"               ? Record::kSummary
                      : root == "case"                ? Record::kCase
                      : root == "trafficking_context" ? Record::kTraffickingContext
                                                      : Record::kIdentityProfile;
    const auto found = vault->ReadAll(body);
    if (!found) return found.error();
    if (found->empty()) {
      item.record = crypto::RandomId<base::RecordId>();
    } else {
      item.record = found->front().first;
      item.based_on = vault->Latest(item.record)->rev.rver;
      content = found->front().second;
    }
    // Unknown fields of the record survive: only the edited message is exchanged.
    if (body == Record::kSummary) records.summary = content.summary();
    if (body == Record::kCase) records.case_facts = content.case_();
    if (body == Record::kTraffickingContext) {
      records.trafficking_context = content.trafficking_context();
    }
    if (body == Record::kIdentityProfile) records.identity_profile = content.identity_profile();
    for (const Parsed& change : parsed) change.target.Set(change.value, records);
    if (body == Record::kSummary) *content.mutable_summary() = records.summary;
    if (body == Record::kCase) *content.mutable_case_() = records.case_facts;
    if (body == Record::kTraffickingContext) {
      *content.mutable_trafficking_context() = records.trafficking_context;
    }
    if (body == Record::kIdentityProfile) {
      *content.mutable_identity_profile() = records.identity_profile;
    }
    item.content = std::move(content);
    const auto written = Submit(**realm, item);
    if (!written) return written.error();
    result.queued = result.queued || written->queued;
  }
  return result;
}

base::Result<Written> AddNote(Organisation& organisation, std::string_view typed,
                              const std::string& text) {
  const auto code = Canonical(typed);
  if (!code) return code.error();
  if (text.empty() || text.size() > kNoteLength) {
    return Error(Code::kInvalidArgument, "a note has a text of at most 16,000 bytes");
  }
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  auto row = FindRow(**cases, Kind::kSensitive, *code);
  if (row && !*row) row = FindRowFresh(**cases, Kind::kSensitive, *code, false);
  if (!row) return row.error();
  if (!*row) return NoSuchCase();
  Waiting item;
  item.vault = (*row)->vault;
  item.record = crypto::RandomId<base::RecordId>();
  auto& note = *item.content.mutable_note();
  note.set_text(text);
  note.set_written_ms(base::SystemClock().NowMs());
  note.set_author(base::ToString((*cases)->member().bytes()));
  return Submit(**cases, item);
}

base::Result<OutboxState> Outbox(Organisation& organisation) {
  OutboxState state;
  for (const auto& [compartment, realm] : organisation.realms()) {
    const auto items = realm->store().Outbox();
    if (!items) return items.error();
    state.waiting += items->size();
  }
  return state;
}

base::Result<OutboxState> SendOutbox(Organisation& organisation) {
  OutboxState state;
  for (const auto& [compartment, realm] : organisation.realms()) {
    const auto items = realm->store().Outbox();
    if (!items) return items.error();
    for (const OutboxItem& stored : *items) {
      const auto item = ReadWaiting(stored.content);
      if (!item) return item.error();
      const auto sent = Send(*realm, stored.id, *item);
      if (!sent) {
        ++state.waiting;
        if (sent.error().code() == Code::kConflict) ++state.conflicts;
        continue;
      }
      const auto removed = realm->store().RemoveOutbox(stored.id);
      if (!removed) return removed.error();
    }
  }
  return state;
}

}  // namespace godwit::client
