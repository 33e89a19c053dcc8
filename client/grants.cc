#include "client/grants.h"

#include <algorithm>

namespace godwit::client {

using base::Code;
using base::Error;
using base::Status;
using protocol::Compartment;

base::Result<std::vector<Membership>> HeldBy(Organisation& organisation, const Human& human) {
  std::vector<Membership> held;
  for (Membership membership : human.memberships) {
    const auto realm = organisation.Get(membership.compartment);
    if (!realm) return realm.error();
    const auto& roster = (*realm)->roster();
    if (const auto* member = roster.FindMember(membership.member); member != nullptr) {
      if (StaffCommit(membership.compartment, human.id, membership.r) != member->staff_commit) {
        return Error(Code::kPermissionDenied,
                     "a staff record claims a member who is somebody else's: ask who wrote it");
      }
      membership.ended = !roster.IsMemberAt(membership.member, roster.head_seq());
      membership.roles = roster.RolesAt(membership.member, roster.head_seq());
    }
    held.push_back(membership);
  }
  return held;
}

Status EndUnmade(Organisation& organisation, Human& human) {
  for (Membership& membership : human.memberships) {
    if (membership.ended) continue;
    const auto realm = organisation.Get(membership.compartment);
    if (!realm) return realm.error();
    if (const auto synced = (*realm)->Sync(); !synced) return synced;
    const auto& roster = (*realm)->roster();
    membership.ended = roster.FindMember(membership.member) == nullptr &&
                       FindWaiting<protocol::MemberAdd>(roster, membership.member) == nullptr;
  }
  return {};
}

Status CheckHeld(Organisation& organisation, const std::vector<Membership>& held) {
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  const bool small_org = ((*cases)->roster().policy().flags & protocol::Policy::kSmallOrg) != 0;
  return CheckCompatible(held, small_org);
}

const Human* HumanByHandle(const std::vector<Human>& staff, std::string_view handle) {
  const Human* found = nullptr;
  for (const Human& human : staff) {
    if (human.handle != handle) continue;
    const bool live =
        std::ranges::any_of(human.memberships, [](const Membership& m) { return !m.ended; });
    if (live) return &human;
    found = &human;
  }
  return found;
}

}  // namespace godwit::client
