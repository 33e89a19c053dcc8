#include "client/staff.h"

#include <gtest/gtest.h>

namespace godwit::client {
namespace {

using protocol::Compartment;
using protocol::Roles;

// A human's memberships: the roles in each realm, 0 for none.
std::vector<Membership> With(Roles identity, Roles cases, Roles journeys) {
  std::vector<Membership> memberships;
  const std::pair<Compartment, Roles> all[] = {{Compartment::kIdentity, identity},
                                               {Compartment::kCases, cases},
                                               {Compartment::kJourneys, journeys}};
  for (const auto& [compartment, roles] : all) {
    if (roles == 0) continue;
    Membership membership;
    membership.compartment = compartment;
    membership.roles = roles;
    memberships.push_back(membership);
  }
  return memberships;
}

TEST(Staff, NobodyHoldsRolesThatTogetherKnowTooMuch) {
  using namespace protocol;  // NOLINT: the roles' names
  const struct {
    const char* name;
    Roles identity, cases, journeys;
    bool want;
    bool want_in_a_small_organisation;
  } rows[] = {
      {"nothing", 0, 0, 0, true, true},
      {"a caseworker", kCaseworker, kCaseworker, 0, true, true},
      {"a supervisor", kSupervisor, kSupervisor, 0, true, true},
      {"intake", kIntake, kIntake, 0, true, true},
      {"a coordinator", 0, kCoordinator, 0, true, true},
      {"a route coordinator", 0, 0, kRoute, true, true},
      {"an owner and admin of all", kOwner | kAdmin, kOwner | kAdmin, kOwner | kAdmin, true, true},
      {"an auditor of all", kAuditor, kAuditor, kAuditor, true, true},
      {"an owner who reads elsewhere", kOwner, kCaseworker, 0, false, false},
      {"an admin who reads elsewhere", 0, kAdmin, kRoute, false, false},
      {"an auditor who reads elsewhere", kCaseworker, 0, kAuditor, false, false},
      {"who people are, and where they go", kIntake, 0, kRoute, false, false},
      {"a coordinator with names", kIntake, kCoordinator, 0, false, false},
      {"a caseworker with routes", 0, kCaseworker, kRoute, false, false},
      {"a supervisor with routes", 0, kSupervisor, kRoute, false, false},
      {"a coordinator and caseworker", 0, kCoordinator | kCaseworker, 0, false, false},
      {"a coordinator and supervisor", 0, kCoordinator | kSupervisor, 0, false, false},
      {"a coordinator with routes", 0, kCoordinator, kRoute, false, true},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto memberships = With(row.identity, row.cases, row.journeys);
    EXPECT_EQ(CheckCompatible(memberships, false).ok(), row.want);
    EXPECT_EQ(CheckCompatible(memberships, true).ok(), row.want_in_a_small_organisation);
  }
}

TEST(Staff, AnEndedMembershipCountsForNothing) {
  auto memberships = With(protocol::kIntake, 0, protocol::kRoute);
  EXPECT_FALSE(CheckCompatible(memberships, false));
  memberships.front().ended = true;
  EXPECT_TRUE(CheckCompatible(memberships, false));
}

TEST(Staff, OnePersonIsOneMemberOfARealm) {
  auto memberships = With(0, protocol::kCoordinator, 0);
  memberships.push_back(memberships.front());
  EXPECT_FALSE(CheckCompatible(memberships, true));
  memberships.front().ended = true;
  EXPECT_TRUE(CheckCompatible(memberships, true));
}

}  // namespace
}  // namespace godwit::client
