#include "client/persons.h"

#include <algorithm>

#include "client/casework/assign.h"
#include "client/day.h"
#include "client/directory.h"
#include "client/entries.h"
#include "client/identity_window.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using content::v1::Record;
using protocol::Compartment;
using protocol::Kind;

base::Result<Record> ProfileWith(Record record, const std::vector<Change>& changes) {
  if (const auto set = AssignAll(changes, record); !set) return set.error();
  return record;
}

base::Result<base::VaultId> FindByPrefix(Realm& realm, Kind kind, std::string_view id,
                                         const Error& none) {
  const auto rows = RowsWithWaiting(realm, kind);
  if (!rows) return rows.error();
  std::optional<base::VaultId> found;
  for (const PinnedRow& row : *rows) {
    if (id.empty() || !base::ToHex(row.vault.bytes()).starts_with(id)) continue;
    if (found) {
      return Error(Code::kInvalidArgument, "several begin like that: give more of the id");
    }
    found = row.vault;
  }
  if (!found) return none;
  return *found;
}

base::Result<base::MemberId> SupervisorByHandle(Realm& realm, std::string_view handle) {
  const auto directory = Directory::Read(realm);
  if (!directory) return directory.error();
  const Colleague* supervisor = directory->ByHandle(handle);
  const auto& roster = realm.roster();
  if (supervisor == nullptr ||
      (roster.RolesAt(supervisor->member, roster.head_seq()) & protocol::kSupervisor) == 0) {
    return Error(Code::kInvalidArgument, "no supervisor has this handle: see `godwit member list`");
  }
  if (supervisor->member == realm.member()) {
    return Error(Code::kInvalidArgument, "nobody supervises their own people");
  }
  return supervisor->member;
}

// Brings names up to date where the service can be reached.
Status SyncIfOnline(Realm& realm) {
  if (!IsWindowOpen(realm)) return {};
  const auto synced = realm.Sync();
  if (!synced && !IsLostAnswer(synced.error().code())) return synced;
  return {};
}

// Sets the case that a person's own side names.
base::Result<Written> NameCase(Realm& identity, const base::VaultId& person,
                               const std::string& code) {
  auto file = VaultFile::Open(identity, person, From::kService);
  if (!file) return file.error();
  const auto* pinned = file->Pinned();
  if (pinned == nullptr) return Error(Code::kNotFound, "this person is not yours to read");
  if (pinned->content.link1().case_code() == code) return Written{false};
  Record link = pinned->content;
  link.mutable_link1()->set_case_code(code);
  Pending pending;
  pending.vault = person;
  pending.what = "person link";
  pending.edits.push_back(VaultFile::Change(*pinned, std::move(link)));
  return Submit(identity, std::move(pending));
}

// Sets the person that a case's side names.
base::Result<Written> NamePerson(Realm& cases, const VaultFile& sensitive,
                                 const std::string& person) {
  const auto* pinned = sensitive.Pinned();
  if (pinned->content.link1().person_vault() == person) return Written{false};
  Record link = pinned->content;
  link.mutable_link1()->set_person_vault(person);
  Pending pending;
  pending.vault = sensitive.id();
  pending.what = "person link";
  pending.edits.push_back(VaultFile::Change(*pinned, std::move(link)));
  return Submit(cases, std::move(pending));
}

base::Result<VaultFile> SensitiveOf(Organisation& organisation, std::string_view code) {
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  auto sensitive = OpenCaseFile(**cases, Kind::kSensitive, code, From::kService);
  if (!sensitive) return sensitive.error();
  if (sensitive->Pinned() == nullptr) {
    return Error(Code::kDecrypt, "a sensitive vault names no case");
  }
  return sensitive;
}

content::v1::Family::Member ToRow(const FamilyMember& member) {
  content::v1::Family::Member row;
  row.set_person(base::ToString(member.person.bytes()));
  row.set_role(member.role);
  row.set_together(member.together);
  if (member.separated_since.precision() != 0) {
    *row.mutable_separated_since() = member.separated_since;
  }
  return row;
}

// Changes a family's record.
template <class Change>
base::Result<Written> ChangeFamily(Organisation& organisation, const base::VaultId& family,
                                   Change&& change) {
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  auto file = VaultFile::Open(**identity, family, From::kService);
  if (!file) return file.error();
  const auto* pinned = file->Pinned();
  if (pinned == nullptr || !pinned->content.has_family()) {
    return Error(Code::kNotFound, "this is no family of yours");
  }
  Record record = pinned->content;
  change(*record.mutable_family());
  Pending pending;
  pending.vault = family;
  pending.what = "family";
  pending.edits.push_back(VaultFile::Change(*pinned, std::move(record)));
  return Submit(**identity, std::move(pending));
}

}  // namespace

std::string ShortId(const base::VaultId& vault) { return base::ToHex(vault.bytes()).substr(0, 8); }

base::Result<std::vector<PersonRow>> ListPeople(Organisation& organisation) {
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  const auto rows = RowsWithWaiting(**identity, Kind::kPerson);
  if (!rows) return rows.error();
  std::vector<PersonRow> people;
  for (const PinnedRow& row : *rows) {
    PersonRow person{row.vault, CodeOf(row.record), {}, false};
    const auto file = VaultFile::Open(**identity, row.vault, From::kDevice);
    if (!file && file.error().code() != Code::kNotFound) return file.error();
    if (file) {
      person.waits = file->view() == nullptr;
      for (const auto* entry : file->Of(Record::kIdentityProfile)) {
        for (const auto& name : entry->content.identity_profile().names()) {
          person.names.push_back(name);
        }
      }
    }
    people.push_back(std::move(person));
  }
  std::ranges::sort(people, {}, &PersonRow::vault);
  return people;
}

base::Result<base::VaultId> FindPerson(Organisation& organisation, std::string_view id) {
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  return FindByPrefix(**identity, Kind::kPerson, id,
                      Error(Code::kNotFound, "no such person: see `godwit person list`"));
}

base::Result<PersonMade> AddPerson(Organisation& organisation, const NewPerson& person) {
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  Realm& realm = **identity;
  if (const auto synced = SyncIfOnline(realm); !synced) return synced.error();
  if ((realm.roles() & protocol::kCaseworker) == 0) {
    return Error(Code::kPermissionDenied, "people are registered by caseworkers");
  }
  Record profile;
  MakeBody(Record::kIdentityProfile, profile);
  auto filled = ProfileWith(std::move(profile), person.changes);
  if (!filled) return filled.error();
  if (!person.consents && filled->identity_profile().names_size() > 0) {
    return Error(
        Code::kInvalidArgument,
        "a name is stored with the person's consent alone: ask first, then say --consents");
  }
  const auto supervisor = SupervisorByHandle(realm, person.supervisor);
  if (!supervisor) return supervisor.error();
  Pending pending = NewPendingVault(
      realm, Kind::kPerson, {{realm.member(), protocol::kFull}, {*supervisor, protocol::kManage}});
  pending.what = "person add";
  Record link;
  MakeBody(Record::kLink1, link);
  pending.edits.push_back({protocol::PinnedRecordOf(pending.vault), std::nullopt, std::move(link)});
  pending.edits.push_back(VaultFile::Add(*std::move(filled)));
  if (person.consents) {
    Record record;
    auto& consent = *record.mutable_consent();
    consent.set_store_identity(content::v1::ANSWER_YES);
    consent.set_state(content::v1::CONSENT_STATE_GIVEN);
    consent.set_given_day(DayNow());
    pending.edits.push_back(VaultFile::Add(std::move(record)));
  }
  const base::VaultId vault = pending.vault;
  const auto written = Submit(realm, std::move(pending));
  if (!written) return written.error();
  return PersonMade{vault, written->queued};
}

base::Result<Written> LinkPerson(Organisation& organisation, std::string_view typed,
                                 const base::VaultId& person) {
  const auto code = ReadCaseCode(typed);
  if (!code) return code.error();
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  const auto sensitive = SensitiveOf(organisation, *code);
  if (!sensitive) return sensitive.error();
  const auto file = VaultFile::Open(**identity, person, From::kService);
  if (!file) return file.error();
  if (file->Pinned() == nullptr) {
    return Error(Code::kNotFound, "this person is not yours to read");
  }
  const std::string& linked = file->Pinned()->content.link1().case_code();
  if (!linked.empty() && linked != *code) {
    return Error(Code::kExists,
                 "this person is linked to another case: take that link away first (`godwit person "
                 "unlink`)");
  }
  const auto before =
      base::VaultId::FromBytes(base::AsBytes(sensitive->Pinned()->content.link1().person_vault()));
  Written all;
  const auto take = [&](const base::Result<Written>& written) -> Status {
    if (!written) return written.error();
    all.queued = all.queued || written->queued;
    return {};
  };
  if (before && *before != person) {
    if (const auto taken = take(NameCase(**identity, *before, "")); !taken) return taken.error();
  }
  if (const auto taken = take(NameCase(**identity, person, *code)); !taken) return taken.error();
  Realm& cases = **organisation.Get(Compartment::kCases);
  if (const auto taken = take(NamePerson(cases, *sensitive, base::ToString(person.bytes())));
      !taken) {
    return taken.error();
  }
  return all;
}

base::Result<Written> UnlinkPerson(Organisation& organisation, std::string_view typed) {
  const auto code = ReadCaseCode(typed);
  if (!code) return code.error();
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  const auto sensitive = SensitiveOf(organisation, *code);
  if (!sensitive) return sensitive.error();
  const auto person =
      base::VaultId::FromBytes(base::AsBytes(sensitive->Pinned()->content.link1().person_vault()));
  if (!person) return Error(Code::kNotFound, "this case is linked to nobody");
  auto written = NameCase(**identity, *person, "");
  if (!written) return written;
  const auto in_case = NamePerson(**organisation.Get(Compartment::kCases), *sensitive, "");
  if (!in_case) return in_case.error();
  return Written{written->queued || in_case->queued};
}

base::Result<Written> EditPerson(Organisation& organisation, const base::VaultId& person,
                                 const std::vector<Change>& changes) {
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  const auto file = VaultFile::Open(**identity, person, From::kService);
  if (!file) return file.error();
  const auto profiles = file->Of(Record::kIdentityProfile);
  Record record;
  MakeBody(Record::kIdentityProfile, record);
  if (!profiles.empty()) record = profiles.front()->content;
  auto filled = ProfileWith(std::move(record), changes);
  if (!filled) return filled.error();
  Pending pending;
  pending.vault = person;
  pending.what = "person edit";
  pending.edits.push_back(profiles.empty()
                              ? VaultFile::Add(*std::move(filled))
                              : VaultFile::Change(*profiles.front(), *std::move(filled)));
  return Submit(**identity, std::move(pending));
}

base::Result<std::vector<FamilyRow>> ListFamilies(Organisation& organisation) {
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  const auto rows = RowsWithWaiting(**identity, Kind::kFamily);
  if (!rows) return rows.error();
  std::vector<FamilyRow> families;
  for (const PinnedRow& row : *rows) families.push_back({row.vault, row.record.family()});
  std::ranges::sort(families, {}, &FamilyRow::vault);
  return families;
}

base::Result<base::VaultId> FindFamily(Organisation& organisation, std::string_view id) {
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  return FindByPrefix(**identity, Kind::kFamily, id,
                      Error(Code::kNotFound, "no such family: see `godwit family list`"));
}

base::Result<PersonMade> MakeFamily(Organisation& organisation, std::string_view supervisor,
                                    const std::vector<FamilyMember>& members) {
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  Realm& realm = **identity;
  if (const auto synced = SyncIfOnline(realm); !synced) return synced.error();
  if (members.empty()) {
    return Error(Code::kInvalidArgument, "a family has somebody in it: name a person");
  }
  const auto member = SupervisorByHandle(realm, supervisor);
  if (!member) return member.error();
  Pending pending = NewPendingVault(
      realm, Kind::kFamily, {{realm.member(), protocol::kFull}, {*member, protocol::kManage}});
  pending.what = "family";
  Record record;
  for (const FamilyMember& each : members) *record.mutable_family()->add_members() = ToRow(each);
  pending.edits.push_back(
      {protocol::PinnedRecordOf(pending.vault), std::nullopt, std::move(record)});
  const base::VaultId vault = pending.vault;
  const auto written = Submit(realm, std::move(pending));
  if (!written) return written.error();
  return PersonMade{vault, written->queued};
}

base::Result<Written> SetFamilyMember(Organisation& organisation, const base::VaultId& family,
                                      const FamilyMember& member) {
  return ChangeFamily(organisation, family, [&](content::v1::Family& record) {
    const std::string person = base::ToString(member.person.bytes());
    for (auto& row : *record.mutable_members()) {
      if (row.person() != person) continue;
      row = ToRow(member);
      return;
    }
    *record.add_members() = ToRow(member);
  });
}

base::Result<Written> RemoveFamilyMember(Organisation& organisation, const base::VaultId& family,
                                         const base::VaultId& person) {
  return ChangeFamily(organisation, family, [&](content::v1::Family& record) {
    auto& rows = *record.mutable_members();
    for (int i = rows.size() - 1; i >= 0; --i) {
      if (rows.Get(i).person() == base::ToString(person.bytes())) rows.DeleteSubrange(i, 1);
    }
  });
}

}  // namespace godwit::client
