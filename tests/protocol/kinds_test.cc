#include "protocol/kinds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

namespace godwit::protocol {
namespace {

constexpr std::array<Roles, 8> kRoles{kOwner,      kAdmin,  kAuditor,     kCaseworker,
                                      kSupervisor, kIntake, kCoordinator, kRoute};

// Section 5's table, row by row: realms, then the most of each role, then the guards.
struct KindRow {
  int kind;
  std::string realms;
  std::map<Roles, Perm> most;
  Roles guards;
};
const KindRow kRows[] = {
    {1,
     "icj",
     {{kOwner, 7},
      {kAdmin, 7},
      {kAuditor, 1},
      {kCaseworker, 1},
      {kSupervisor, 1},
      {kIntake, 1},
      {kCoordinator, 1},
      {kRoute, 1}},
     kOwner},
    {2,
     "icj",
     {{kOwner, 7},
      {kAdmin, 7},
      {kAuditor, 1},
      {kCaseworker, 1},
      {kSupervisor, 1},
      {kIntake, 1},
      {kCoordinator, 1},
      {kRoute, 1}},
     kOwner},
    {3, "icj", {{kAuditor, 7}}, kAuditor},
    {4, "c", {{kOwner, 7}, {kAdmin, 7}, {kAuditor, 1}}, kOwner},
    {5, "cj", {{kCoordinator, 7}, {kRoute, 7}}, kCoordinator | kRoute},
    {6, "i", {{kCaseworker, 7}, {kSupervisor, 7}}, kSupervisor},
    {7, "i", {{kCaseworker, 7}, {kSupervisor, 4}, {kIntake, 2}}, kSupervisor},
    {8, "i", {{kCaseworker, 7}, {kSupervisor, 4}, {kIntake, 2}}, kSupervisor},
    {9, "c", {{kCaseworker, 7}, {kSupervisor, 3}, {kCoordinator, 7}, {kIntake, 2}}, kCoordinator},
    {10, "c", {{kCaseworker, 7}, {kSupervisor, 7}, {kIntake, 2}}, kSupervisor},
    {11, "c", {{kCoordinator, 7}}, kCoordinator},
    {12, "c", {{kCoordinator, 7}}, kCoordinator},
    {13, "c", {{kCoordinator, 7}, {kAuditor, 1}}, kCoordinator},
    {14, "j", {{kRoute, 7}}, kRoute},
    {15, "j", {{kRoute, 7}}, kRoute},
    {16, "j", {{kRoute, 7}}, kRoute},
    {17, "j", {{kRoute, 7}}, kRoute},
    {18, "ic", {{kIntake, 7}}, kIntake},
};

Perm MostOf(const KindRow& row, Roles role) {
  const auto most = row.most.find(role);
  return most == row.most.end() ? Perm{0} : most->second;
}

TEST(Kinds, TableIsThatOfTheProtocol) {
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.kind);
    const auto kind = Kind{static_cast<std::uint8_t>(row.kind)};
    EXPECT_TRUE(IsKnownKind(static_cast<std::uint8_t>(row.kind)));
    EXPECT_EQ(HasKind(Compartment::kIdentity, kind), row.realms.find('i') != std::string::npos);
    EXPECT_EQ(HasKind(Compartment::kCases, kind), row.realms.find('c') != std::string::npos);
    EXPECT_EQ(HasKind(Compartment::kJourneys, kind), row.realms.find('j') != std::string::npos);
    for (const Roles role : kRoles) EXPECT_EQ(Most(kind, role), MostOf(row, role)) << role;
    EXPECT_EQ(Most(kind, kOwner | kAdmin), 0) << "two bits are no role";
    EXPECT_EQ(GuardRoles(kind), row.guards);
    EXPECT_EQ(HasGuests(kind), row.kind == 17);
    EXPECT_FALSE(Name(kind).empty());
  }
  EXPECT_FALSE(IsKnownKind(0));
  EXPECT_FALSE(IsKnownKind(19));
}

TEST(Kinds, APermIsLoweredByTheRoleThatLeavesMost) {
  const Perm perms[] = {1, 2, 3, 4, 7};
  for (const auto& row : kRows) {
    const auto kind = Kind{static_cast<std::uint8_t>(row.kind)};
    for (unsigned roles = 0; roles < 0x200; ++roles) {
      for (const Perm perm : perms) {
        Perm want = 0;
        bool allowed = false;
        bool creates = false;
        for (const Roles role : kRoles) {
          if ((roles & role) == 0) continue;
          const Perm most = MostOf(row, role);
          want = std::max(want, static_cast<Perm>(perm & most));
          allowed = allowed || (perm & most) == perm;
          creates = creates || most == 7 || most == 2;
        }
        const auto bits = static_cast<Roles>(roles);
        ASSERT_EQ(Lowered(kind, bits, perm), want) << row.kind << " " << roles << " " << int{perm};
        ASSERT_EQ(IsAllowed(kind, bits, perm), allowed);
        ASSERT_EQ(MayCreate(kind, bits), creates);
        // What is left is a perm that there is.
        ASSERT_TRUE(want == 0 || IsValidPerm(want));
      }
    }
  }
  for (int perm = 0; perm < 256; ++perm) {
    const bool known = perm == 1 || perm == 2 || perm == 3 || perm == 4 || perm == 7;
    EXPECT_EQ(IsValidPerm(static_cast<Perm>(perm)), known) << perm;
    EXPECT_EQ(IsAllowed(Kind::kDirectory, kOwner, static_cast<Perm>(perm)), known) << perm;
  }
}

// Worked out anew from the sentence of section 4, over all 2^16 sets.
TEST(Kinds, RolesAreThoseOfTheRealmThatCanBeHeldTogether) {
  const std::pair<Compartment, unsigned> realms[] = {
      {Compartment::kIdentity, 0x77}, {Compartment::kCases, 0xf7}, {Compartment::kJourneys, 0x107}};
  for (const auto& [compartment, known] : realms) {
    std::size_t valid = 0;
    for (unsigned roles = 0; roles < 0x10000; ++roles) {
      bool want = roles != 0 && (roles | known) == known;
      if ((roles & 7) != 0 && (roles & 0x1f0) != 0) want = false;
      if ((roles & 0x80) != 0 && (roles & 0x30) != 0) want = false;
      ASSERT_EQ(AreValidRoles(compartment, static_cast<Roles>(roles)), want) << roles;
      valid += want;
    }
    EXPECT_GT(valid, 7U);
  }
}

TEST(Kinds, RolesHaveNames) {
  for (const Roles role : kRoles) {
    EXPECT_FALSE(RoleName(role).empty());
    EXPECT_EQ(RoleByName(RoleName(role)), role);
  }
  EXPECT_TRUE(RoleName(kOwner | kAdmin).empty());
  EXPECT_FALSE(RoleByName("king"));
  EXPECT_FALSE(RoleByName(""));
}

TEST(Kinds, FloorsAreThoseOfSection6) {
  for (std::uint8_t k = 1; k <= kLastKind; ++k) {
    for (const bool pinned : {false, true}) {
      EXPECT_EQ(RecordFloor(Compartment::kIdentity, Kind{k}, pinned), 256U);
      EXPECT_EQ(RecordFloor(Compartment::kCases, Kind{k}, pinned), pinned && k == 9 ? 256U : 1024U);
      EXPECT_EQ(RecordFloor(Compartment::kJourneys, Kind{k}, pinned), 4096U);
    }
  }
  EXPECT_EQ(Name(Compartment::kIdentity), "identity");
  EXPECT_EQ(Name(Compartment::kCases), "cases");
  EXPECT_EQ(Name(Compartment::kJourneys), "journeys");
}

}  // namespace
}  // namespace godwit::protocol
