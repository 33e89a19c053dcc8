#include "client/due_members.h"

#include <algorithm>

namespace godwit::client {
namespace {

using protocol::Kind;
using protocol::Roles;

// The roles that are listed whole.
Roles DueRoles(Kind kind) {
  switch (kind) {
    case Kind::kDirectory:
    case Kind::kConfig:
    case Kind::kStaff:
    case Kind::kDesk:
    case Kind::kIndex:
      return static_cast<Roles>(~Roles{0});
    case Kind::kCase:
    case Kind::kScreening:
    case Kind::kDispatch:
      return protocol::kCoordinator;
    case Kind::kParty:
    case Kind::kNetwork:
    case Kind::kExposure:
    case Kind::kLeg:
      return protocol::kRoute;
    case Kind::kAudit:
    case Kind::kPerson:
    case Kind::kFamily:
    case Kind::kSensitive:
    case Kind::kReport:
    case Kind::kLedger:
      return 0;
  }
  return 0;
}

bool ManagesWithKey(const protocol::MemberRow& row) {
  return (row.perm & protocol::kManage) != 0 && row.puk_gen != 0;
}

}  // namespace

std::map<base::MemberId, protocol::Perm> DueMembers(const protocol::Roster& roster, Kind kind) {
  std::map<base::MemberId, protocol::Perm> members;
  const std::uint64_t head = roster.head_seq();
  for (const auto& [member, row] : roster.members()) {
    if (roster.UsablePukAt(member, head) == nullptr) continue;
    const auto roles = static_cast<Roles>(roster.RolesAt(member, head) & DueRoles(kind));
    const protocol::Perm perm = protocol::Lowered(kind, roles, protocol::kFull);
    if (perm != 0) members[member] = perm;
  }
  return members;
}

bool HoldsContent(Kind kind) { return kind >= Kind::kIndex; }

std::size_t ManagersInReach(const protocol::MemberList& list) {
  return static_cast<std::size_t>(
      std::ranges::count_if(list, [](const auto& row) { return ManagesWithKey(row.second); }));
}

bool HasGuardInReach(const protocol::MemberList& list, Kind kind, const protocol::Roster& roster) {
  return std::ranges::any_of(list, [&](const auto& row) {
    return ManagesWithKey(row.second) &&
           (roster.RolesAt(row.first, roster.head_seq()) & protocol::GuardRoles(kind)) != 0;
  });
}

}  // namespace godwit::client
