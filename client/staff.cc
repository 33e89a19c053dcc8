#include "client/staff.h"

#include <algorithm>

#include "crypto/hash.h"
#include "protocol/labels.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using protocol::Compartment;

base::Result<Human> FromRecord(const base::RecordId& id, const content::v1::StaffHuman& in) {
  const Error malformed(Code::kDecrypt, "a staff record is malformed");
  Human human;
  human.record = id;
  const auto human_id = base::HumanId::FromBytes(base::AsBytes(in.human_id()));
  if (!human_id) return malformed;
  human.id = *human_id;
  human.handle = in.handle();
  for (const auto& row : in.memberships()) {
    Membership m;
    const auto member = base::MemberId::FromBytes(base::AsBytes(row.member()));
    if (!member || row.compartment() < 1 || row.compartment() > 3 || row.r().size() != 32) {
      return malformed;
    }
    m.compartment = Compartment{static_cast<std::uint8_t>(row.compartment())};
    m.member = *member;
    m.roles = static_cast<protocol::Roles>(row.roles());
    std::ranges::copy(base::AsBytes(row.r()), m.r.begin());
    m.ended = row.ended();
    human.memberships.push_back(m);
  }
  return human;
}

base::VaultId StaffVault(const Realm& cases) {
  return cases.roster().policy().VaultOf(protocol::Kind::kStaff);
}

}  // namespace

base::Sha256Hash StaffCommit(Compartment compartment, const base::HumanId& human,
                             std::span<const std::uint8_t, 32> r) {
  const std::array<std::uint8_t, 1> number{static_cast<std::uint8_t>(compartment)};
  return base::Sha256Hash(
      crypto::LabeledHash(protocol::labels::kStaff, {number, human.bytes(), r}));
}

Status CheckCompatible(const std::vector<Membership>& memberships, bool small_org) {
  protocol::Roles content[4] = {};
  bool member_of[4] = {};
  bool governs = false;
  for (const Membership& m : memberships) {
    if (m.ended) continue;
    const auto realm = static_cast<std::size_t>(m.compartment);
    if (member_of[realm]) {
      return Error(Code::kPermissionDenied, "one person may be one member of a realm, not two");
    }
    member_of[realm] = true;
    content[realm] |= m.roles & protocol::kReadsContent;
    governs = governs || (m.roles & (protocol::kOwner | protocol::kAdmin | protocol::kAuditor));
  }
  const protocol::Roles identity = content[static_cast<std::size_t>(Compartment::kIdentity)];
  const protocol::Roles cases = content[static_cast<std::size_t>(Compartment::kCases)];
  const protocol::Roles journeys = content[static_cast<std::size_t>(Compartment::kJourneys)];
  const bool coordinates = (cases & protocol::kCoordinator) != 0;
  const bool works_cases = (cases & (protocol::kCaseworker | protocol::kSupervisor)) != 0;
  if (governs && (identity | cases | journeys) != 0) {
    return Error(Code::kPermissionDenied,
                 "an owner, admin or auditor may hold no role that reads content: give it to "
                 "somebody else");
  }
  if (identity != 0 && journeys != 0) {
    return Error(Code::kPermissionDenied,
                 "nobody may know both who people are and where they go: give one of the roles "
                 "to somebody else");
  }
  if (coordinates && identity != 0) {
    return Error(Code::kPermissionDenied,
                 "a coordinator may hold no role in the identity realm: give one of the roles to "
                 "somebody else");
  }
  if (works_cases && journeys != 0) {
    return Error(Code::kPermissionDenied,
                 "a route coordinator may be no caseworker or supervisor: give one of the roles "
                 "to somebody else");
  }
  if (coordinates && works_cases) {
    return Error(Code::kPermissionDenied,
                 "a coordinator may be no caseworker or supervisor: give one of the roles to "
                 "somebody else");
  }
  if (coordinates && journeys != 0 && !small_org) {
    return Error(Code::kPermissionDenied,
                 "coordinator and route in one hand need the policy small_org");
  }
  return {};
}

base::Result<std::vector<Human>> ReadStaff(Realm& cases) {
  auto vault = VaultView::Open(cases, StaffVault(cases));
  if (!vault) return vault.error();
  std::vector<Human> humans;
  const auto records = vault->ReadAll(content::v1::Record::kStaffHuman);
  if (!records) return records.error();
  for (const auto& [id, record] : *records) {
    const auto* version = vault->Latest(id);
    const auto roles =
        cases.roster().RolesAt(version->header.author_member, version->header.roster_seq);
    if ((roles & (protocol::kOwner | protocol::kAdmin)) == 0) continue;
    auto human = FromRecord(id, record.staff_human());
    if (!human) return human.error();
    humans.push_back(*std::move(human));
  }
  return humans;
}

base::Result<std::vector<Human>> FetchStaff(Realm& cases) {
  if (const auto synced = cases.Sync(); !synced) return synced.error();
  if (StaffVault(cases).IsZero()) {
    return Error(Code::kNotFound, "the cases realm names no staff vault yet");
  }
  const auto vault = VaultView::Fetch(cases, StaffVault(cases));
  if (!vault) return vault.error();
  return ReadStaff(cases);
}

Edit HumanEdit(const Human& human) {
  Edit edit;
  edit.record = human.record;
  auto& out = *edit.content.mutable_staff_human();
  out.set_human_id(base::ToString(human.id.bytes()));
  out.set_handle(human.handle);
  for (const Membership& m : human.memberships) {
    auto& row = *out.add_memberships();
    row.set_compartment(static_cast<std::uint32_t>(m.compartment));
    row.set_member(base::ToString(m.member.bytes()));
    row.set_roles(m.roles);
    row.set_r(base::ToString(m.r));
    row.set_ended(m.ended);
  }
  return edit;
}

Status WriteHuman(Realm& cases, const Human& human) {
  const auto written =
      WriteVault(cases, StaffVault(cases), [&](VaultView&) -> base::Result<std::vector<Edit>> {
        return std::vector<Edit>{HumanEdit(human)};
      });
  if (!written) return written.error();
  return {};
}

}  // namespace godwit::client
