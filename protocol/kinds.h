#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace godwit::protocol {

// A realm's compartment, as GENESIS says it.
enum class Compartment : std::uint8_t { kIdentity = 1, kCases = 2, kJourneys = 3 };
std::string_view Name(Compartment compartment);  // "identity", "cases", "journeys"

// Role bits of the signed roster (docs/protocol.md section 4).
using Roles = std::uint16_t;
inline constexpr Roles kOwner = 1;
inline constexpr Roles kAdmin = 2;
inline constexpr Roles kAuditor = 4;
inline constexpr Roles kCaseworker = 0x10;
inline constexpr Roles kSupervisor = 0x20;
inline constexpr Roles kIntake = 0x40;
inline constexpr Roles kCoordinator = 0x80;
inline constexpr Roles kRoute = 0x100;
inline constexpr Roles kReadsContent = 0x1f0;

// Whether a member of a realm of `compartment` may hold exactly these roles.
[[nodiscard]] bool AreValidRoles(Compartment compartment, Roles roles);
// "caseworker" for a single bit; empty for anything else.
std::string_view RoleName(Roles single);
// The bit of a role's name, or nothing.
std::optional<Roles> RoleByName(std::string_view name);

// A member's permission in a vault.
using Perm = std::uint8_t;
inline constexpr Perm kRead = 1;
inline constexpr Perm kWrite = 2;   // alone: write without a box (imports)
inline constexpr Perm kManage = 4;  // alone: manage without reading
inline constexpr Perm kReadWrite = 3;
inline constexpr Perm kFull = 7;
inline bool IsValidPerm(Perm perm) {
  return perm == 1 || perm == 2 || perm == 3 || perm == 4 || perm == 7;
}

// Vault kinds (docs/protocol.md section 5).
enum class Kind : std::uint8_t {
  kDirectory = 1,
  kConfig = 2,
  kAudit = 3,
  kStaff = 4,
  kDesk = 5,
  kIndex = 6,
  kPerson = 7,
  kFamily = 8,
  kCase = 9,
  kSensitive = 10,
  kScreening = 11,
  kDispatch = 12,
  kReport = 13,
  kParty = 14,
  kNetwork = 15,
  kExposure = 16,
  kLeg = 17,
  kLedger = 18,
};
inline constexpr std::uint8_t kLastKind = 18;
inline bool IsKnownKind(std::uint8_t kind) { return kind >= 1 && kind <= kLastKind; }
std::string_view Name(Kind kind);  // "directory", "case", ...

// Whether a realm of `compartment` has vaults of `kind`.
[[nodiscard]] bool HasKind(Compartment compartment, Kind kind);
// The most that one role (a single bit) may hold in a vault of `kind`; 0 if nothing.
Perm Most(Kind kind, Roles single);
// `perm` AND the most of that one of `roles` which leaves the largest number.
Perm Lowered(Kind kind, Roles roles, Perm perm);
// Whether one of `roles` may hold all bits of `perm` in a vault of `kind`.
[[nodiscard]] bool IsAllowed(Kind kind, Roles roles, Perm perm);
// The roles whose holders with manage are guards of a vault of `kind`: nobody but they themselves
// takes a bit from them.
Roles GuardRoles(Kind kind);
// Whether a vault of `kind` may list a guest.
bool HasGuests(Kind kind);
// Whether somebody with one of `roles` may CREATE a vault of `kind`.
[[nodiscard]] bool MayCreate(Kind kind, Roles roles);

// The floor of section 6's padding, in bytes.
std::size_t RecordFloor(Compartment compartment, Kind kind, bool pinned);

}  // namespace godwit::protocol
