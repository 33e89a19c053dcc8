#include "client/handover.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "client/cases.h"
#include "client/directory.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using content::v1::Record;
using protocol::Compartment;
using protocol::Kind;

// Who has a part: those listed with 7 who are caseworkers now.
std::vector<base::MemberId> CaseworkersOf(const Realm& realm, const VaultFile& file) {
  std::vector<base::MemberId> all;
  if (file.view() == nullptr) return {realm.member()};
  const auto& roster = realm.roster();
  for (const auto& [member, row] : file.view()->state().epoch().list) {
    const auto hats = HatsOf(roster.RolesAt(member, roster.head_seq()), row.perm);
    if ((hats & kCaseworkerHat) != 0) all.push_back(member);
  }
  return all;
}

base::Result<std::string> HandleOf(Realm& realm, const VaultFile& file) {
  const auto directory = Directory::Read(realm);
  if (!directory) return directory.error();
  std::string handles;
  for (const auto& member : CaseworkersOf(realm, file)) {
    const Colleague* colleague = directory->ByMember(member);
    if (!handles.empty()) handles += ", ";
    handles += colleague == nullptr ? directory->NameOf(member) : colleague->handle;
  }
  return handles.empty() ? std::string("nobody") : handles;
}

// The person vault that the sensitive part names, or the code finds.
base::Result<VaultFile> OpenPerson(Organisation& organisation, std::string_view code,
                                   const VaultFile* sensitive, From from) {
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  if (sensitive != nullptr && sensitive->Pinned() != nullptr) {
    const auto& link = sensitive->Pinned()->content.link1();
    const auto named = base::VaultId::FromBytes(base::AsBytes(link.person_vault()));
    if (named) return VaultFile::Open(**identity, *named, from);
  }
  return OpenCaseFile(**identity, Kind::kPerson, code, from);
}

// Lists `newcomer` in the place of the caseworkers who are there.
base::Result<bool> Relist(Realm& realm, const VaultFile& file, const base::MemberId& newcomer,
                          std::vector<PendingEdit> edits, Assigned& assigned) {
  Pending pending;
  pending.vault = file.id();
  pending.what = "case assign";
  pending.edits = std::move(edits);
  for (const auto& member : CaseworkersOf(realm, file)) {
    if (member != newcomer) pending.relist[member] = 0;
  }
  pending.relist[newcomer] = protocol::kFull;
  const auto written = Submit(realm, std::move(pending));
  if (!written) return written.error();
  assigned.queued = assigned.queued || written->queued;
  assigned.done.push_back(file.kind());
  return true;
}

base::Result<base::MemberId> CaseworkerByHandle(Realm& realm, std::string_view handle) {
  const auto directory = Directory::Read(realm);
  if (!directory) return directory.error();
  const Colleague* colleague = directory->ByHandle(handle);
  const auto& roster = realm.roster();
  if (colleague == nullptr ||
      (roster.RolesAt(colleague->member, roster.head_seq()) & protocol::kCaseworker) == 0) {
    return Error(Code::kInvalidArgument, "no caseworker has this handle: see `godwit member list`");
  }
  return colleague->member;
}

bool Lists(const VaultFile& file, const base::MemberId& member) {
  return file.view() != nullptr && file.view()->state().epoch().list.contains(member);
}

}  // namespace

base::Result<Assigned> AssignCase(Organisation& organisation, std::string_view code,
                                  std::string_view caseworker) {
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  const auto newcomer = CaseworkerByHandle(**cases, caseworker);
  if (!newcomer) return newcomer.error();
  const auto file = OpenCaseFile(**cases, Kind::kCase, code, From::kService);
  if (!file) return file.error();
  const bool coordinates = (file->hats() & kCoordinatorHat) != 0;
  const bool supervises = (file->hats() & kSupervisorHat) != 0;
  if (!coordinates && !supervises) {
    return Error(Code::kPermissionDenied,
                 "a case is handed over by a coordinator, and its sensitive part and person by its "
                 "supervisor");
  }
  const auto* pinned = file->Pinned();
  if (pinned == nullptr) return Error(Code::kDecrypt, "a case has no summary");
  if (pinned->content.summary().supervisor() == base::ToString(newcomer->bytes())) {
    return Error(Code::kInvalidArgument, "nobody supervises their own cases");
  }
  Assigned assigned;
  if (coordinates) {
    Record summary = pinned->content;
    summary.mutable_summary()->set_caseworker(base::ToString(newcomer->bytes()));
    std::vector<PendingEdit> edits;
    edits.push_back(VaultFile::Change(*pinned, std::move(summary)));
    if (const auto done = Relist(**cases, *file, *newcomer, std::move(edits), assigned); !done) {
      return done.error();
    }
    assigned.left = {Kind::kSensitive, Kind::kPerson};
    return assigned;
  }
  if (pinned->content.summary().caseworker() != base::ToString(newcomer->bytes())) {
    assigned.left.push_back(Kind::kCase);
  }
  auto sensitive = OpenCaseFile(**cases, Kind::kSensitive, code, From::kService);
  if (!sensitive) return sensitive.error();
  if (!Lists(*sensitive, *newcomer) || CaseworkersOf(**cases, *sensitive).size() != 1) {
    if (const auto done = Relist(**cases, *sensitive, *newcomer, {}, assigned); !done) {
      return done.error();
    }
  }
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  const auto there = CaseworkerByHandle(**identity, caseworker);
  if (!there) return there.error();
  const auto person = OpenPerson(organisation, code, &*sensitive, From::kService);
  if (!person) return person.error();
  if (!Lists(*person, *there) || CaseworkersOf(**identity, *person).size() != 1) {
    if (const auto done = Relist(**identity, *person, *there, {}, assigned); !done) {
      return done.error();
    }
  }
  return assigned;
}

bool HandOver::half_done() const {
  std::set<std::string> with;
  for (const std::string& each : {case_with, sensitive_with, person_with}) {
    if (!each.empty()) with.insert(each);
  }
  return with.size() > 1;
}

base::Result<HandOver> HandOverOf(Organisation& organisation, std::string_view code, bool offline) {
  const From from = offline ? From::kDevice : From::kService;
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  const auto file = OpenCaseFile(**cases, Kind::kCase, code, from);
  if (!file) return file.error();
  const auto sensitive = OpenCaseFile(**cases, Kind::kSensitive, code, from);
  if (!sensitive && sensitive.error().code() != Code::kNotFound) return sensitive.error();
  if (!sensitive || !organisation.Get(Compartment::kIdentity)) {
    return HandOverOf(organisation, *file, sensitive ? &*sensitive : nullptr, nullptr);
  }
  const auto person = OpenPerson(organisation, code, &*sensitive, from);
  if (!person && person.error().code() != Code::kNotFound) return person.error();
  return HandOverOf(organisation, *file, &*sensitive, person ? &*person : nullptr);
}

base::Result<HandOver> HandOverOf(Organisation& organisation, const VaultFile& case_part,
                                  const VaultFile* sensitive, const VaultFile* person) {
  HandOver state;
  const std::tuple<Compartment, const VaultFile*, std::string*> parts[] = {
      {Compartment::kCases, &case_part, &state.case_with},
      {Compartment::kCases, sensitive, &state.sensitive_with},
      {Compartment::kIdentity, person, &state.person_with}};
  for (const auto& [compartment, file, with] : parts) {
    if (file == nullptr) continue;
    const auto realm = organisation.Get(compartment);
    if (!realm) return realm.error();
    const auto handle = HandleOf(**realm, *file);
    if (!handle) return handle.error();
    *with = *handle;
  }
  return state;
}

}  // namespace godwit::client
