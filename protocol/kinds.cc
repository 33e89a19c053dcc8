#include "protocol/kinds.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace godwit::protocol {
namespace {

constexpr std::array<std::pair<Roles, std::string_view>, 8> kRoleNames{{
    {kOwner, "owner"},
    {kAdmin, "admin"},
    {kAuditor, "auditor"},
    {kCaseworker, "caseworker"},
    {kSupervisor, "supervisor"},
    {kIntake, "intake"},
    {kCoordinator, "coordinator"},
    {kRoute, "route"},
}};

// One row of the kinds table; a compartment's bit is 1 << its number.
struct KindRow {
  Kind kind;
  std::string_view name;
  unsigned realms;
  Roles guards;
  Perm owner_admin, auditor, caseworker, supervisor, intake, coordinator, route;
};
constexpr unsigned kI = 1u << 1, kC = 1u << 2, kJ = 1u << 3, kEach = kI | kC | kJ;
constexpr std::array<KindRow, kLastKind> kTable{{
    {Kind::kDirectory, "directory", kEach, kOwner, 7, 1, 1, 1, 1, 1, 1},
    {Kind::kConfig, "config", kEach, kOwner, 7, 1, 1, 1, 1, 1, 1},
    {Kind::kAudit, "audit", kEach, kAuditor, 0, 7, 0, 0, 0, 0, 0},
    {Kind::kStaff, "staff", kC, kOwner, 7, 1, 0, 0, 0, 0, 0},
    {Kind::kDesk, "desk", kC | kJ, kCoordinator | kRoute, 0, 0, 0, 0, 0, 7, 7},
    {Kind::kIndex, "index", kI, kSupervisor, 0, 0, 7, 7, 0, 0, 0},
    {Kind::kPerson, "person", kI, kSupervisor, 0, 0, 7, 4, 2, 0, 0},
    {Kind::kFamily, "family", kI, kSupervisor, 0, 0, 7, 4, 2, 0, 0},
    {Kind::kCase, "case", kC, kCoordinator, 0, 0, 7, 3, 2, 7, 0},
    {Kind::kSensitive, "sensitive", kC, kSupervisor, 0, 0, 7, 7, 2, 0, 0},
    {Kind::kScreening, "screening", kC, kCoordinator, 0, 0, 0, 0, 0, 7, 0},
    {Kind::kDispatch, "dispatch", kC, kCoordinator, 0, 0, 0, 0, 0, 7, 0},
    {Kind::kReport, "report", kC, kCoordinator, 0, 1, 0, 0, 0, 7, 0},
    {Kind::kParty, "party", kJ, kRoute, 0, 0, 0, 0, 0, 0, 7},
    {Kind::kNetwork, "network", kJ, kRoute, 0, 0, 0, 0, 0, 0, 7},
    {Kind::kExposure, "exposure", kJ, kRoute, 0, 0, 0, 0, 0, 0, 7},
    {Kind::kLeg, "leg", kJ, kRoute, 0, 0, 0, 0, 0, 0, 7},
    {Kind::kLedger, "ledger", kI | kC, kIntake, 0, 0, 0, 0, 7, 0, 0},
}};

const KindRow& Row(Kind kind) { return kTable[static_cast<std::size_t>(kind) - 1]; }

}  // namespace

std::string_view Name(Compartment compartment) {
  switch (compartment) {
    case Compartment::kIdentity:
      return "identity";
    case Compartment::kCases:
      return "cases";
    case Compartment::kJourneys:
      break;
  }
  return "journeys";
}

bool AreValidRoles(Compartment compartment, Roles roles) {
  Roles known = kOwner | kAdmin | kAuditor;
  switch (compartment) {
    case Compartment::kIdentity:
      known |= kCaseworker | kSupervisor | kIntake;
      break;
    case Compartment::kCases:
      known |= kCaseworker | kSupervisor | kIntake | kCoordinator;
      break;
    case Compartment::kJourneys:
      known |= kRoute;
      break;
  }
  if (roles == 0 || (roles & ~known) != 0) return false;
  if ((roles & (kOwner | kAdmin | kAuditor)) != 0 && (roles & kReadsContent) != 0) return false;
  return (roles & kCoordinator) == 0 || (roles & (kCaseworker | kSupervisor)) == 0;
}

std::string_view RoleName(Roles single) {
  for (const auto& [role, name] : kRoleNames) {
    if (role == single) return name;
  }
  return "";
}

std::optional<Roles> RoleByName(std::string_view name) {
  for (const auto& [role, role_name] : kRoleNames) {
    if (role_name == name) return role;
  }
  return std::nullopt;
}

std::string_view Name(Kind kind) { return Row(kind).name; }

bool HasKind(Compartment compartment, Kind kind) {
  return (Row(kind).realms & 1u << static_cast<unsigned>(compartment)) != 0;
}

Perm Most(Kind kind, Roles single) {
  const KindRow& row = Row(kind);
  switch (single) {
    case kOwner:
    case kAdmin:
      return row.owner_admin;
    case kAuditor:
      return row.auditor;
    case kCaseworker:
      return row.caseworker;
    case kSupervisor:
      return row.supervisor;
    case kIntake:
      return row.intake;
    case kCoordinator:
      return row.coordinator;
    case kRoute:
      return row.route;
    default:
      return 0;
  }
}

Perm Lowered(Kind kind, Roles roles, Perm perm) {
  Perm best = 0;
  for (const auto& [role, name] : kRoleNames) {
    if ((roles & role) == 0) continue;
    best = std::max(best, static_cast<Perm>(perm & Most(kind, role)));
  }
  return best;
}

bool IsAllowed(Kind kind, Roles roles, Perm perm) {
  return IsValidPerm(perm) && Lowered(kind, roles, perm) == perm;
}

Roles GuardRoles(Kind kind) { return Row(kind).guards; }

bool HasGuests(Kind kind) { return kind == Kind::kLeg; }

bool MayCreate(Kind kind, Roles roles) {
  for (const auto& [role, name] : kRoleNames) {
    if ((roles & role) == 0) continue;
    const Perm most = Most(kind, role);
    if (most == kFull || most == kWrite) return true;
  }
  return false;
}

std::size_t RecordFloor(Compartment compartment, Kind kind, bool pinned) {
  switch (compartment) {
    case Compartment::kIdentity:
      return 256;
    case Compartment::kCases:
      return kind == Kind::kCase && pinned ? 256 : 1024;
    case Compartment::kJourneys:
      break;
  }
  return 4096;
}

}  // namespace godwit::protocol
