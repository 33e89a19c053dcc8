// Changed roles, over all realms of an organisation.
#include "client/roles.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/clock.h"
#include "client/approvals.h"
#include "client/invite.h"
#include "client/staff.h"
#include "client/vault_view.h"
#include "tests/support/builders.h"
#include "tests/support/realm_server.h"
#include "tests/support/test_organisation.h"

namespace godwit::client {
namespace {

using base::Code;
using protocol::Compartment;
using protocol::Kind;
using protocol::Roles;
using support::Must;
using support::Require;
using State = RoleOutcome::State;

class ChangedRoles : public testing::Test {
 protected:
  ChangedRoles() : organisation_(servers_) {
    auto people = support::Staff(2, 1, 1, 0, 0);
    people.push_back({"ow2", "Owner Two", protocol::kOwner | protocol::kAdmin});
    people.push_back({"ad1", "Admin One", protocol::kAdmin});
    organisation_.Join(people);
  }

  Organisation& Of(const std::string& handle) { return organisation_.Of(handle); }
  // The roles of somebody in a realm, by the founder's roster.
  Roles RolesOf(const std::string& handle, Compartment compartment) {
    Realm& founder = organisation_.RealmOf("founder", compartment);
    Require(founder.Sync());
    const auto& roster = founder.roster();
    return roster.RolesAt(organisation_.RealmOf(handle, compartment).member(), roster.head_seq());
  }
  void NeedTwo() {
    for (const auto& [compartment, realm] : Of("founder").realms()) {
      Require(realm->Sync());
      auto policy = realm->roster().policy();
      ++policy.gen;
      policy.owner_threshold = 2;
      policy.grant_threshold = 2;
      Must(realm->Author(protocol::PolicySet{policy}));
    }
  }
  // ow2 signs all that waits; how many that was.
  std::size_t ApproveAll() {
    std::size_t count = 0;
    for (const auto& waiting : Must(ListWaiting(Of("ow2"), base::SystemClock().NowMs()))) {
      EXPECT_FALSE(waiting.refusal) << waiting.refusal->message();
      Must(Approve(Of("ow2"), waiting));
      ++count;
    }
    return count;
  }
  // "cases: waits" and the like, in the order of the realms.
  static std::vector<std::string> Summary(const std::vector<RoleOutcome>& outcomes) {
    std::vector<std::string> lines;
    for (const auto& outcome : outcomes) {
      constexpr const char* kStates[] = {"in effect", "waits", "after others", "invite"};
      lines.push_back(std::string(protocol::Name(outcome.compartment)) + ": " +
                      kStates[static_cast<int>(outcome.state)]);
    }
    return lines;
  }
  using Lines = std::vector<std::string>;
  std::vector<std::string> Set(const std::string& by, const std::string& handle, Roles roles) {
    return Summary(Must(SetRoles(Of(by), handle, roles)));
  }
  std::string Refusal(const std::string& by, const std::string& handle, Roles roles) {
    const auto set = SetRoles(Of(by), handle, roles);
    return set ? "OK" : std::string(base::Name(set.error().code()));
  }
  std::vector<Membership> RecordOf(const std::string& handle) {
    const auto staff = Must(FetchStaff(organisation_.RealmOf("founder", Compartment::kCases)));
    return std::ranges::find(staff, handle, &Human::handle)->memberships;
  }
  // The permission of somebody in the realm's vault of a kind, by its newest EPOCH.
  int PermIn(const std::string& handle, Compartment compartment, Kind kind) {
    Realm& founder = organisation_.RealmOf("founder", compartment);
    auto vault = Must(VaultView::Fetch(founder, founder.roster().policy().VaultOf(kind)));
    const auto& list = vault.state().epoch().list;
    const auto row = list.find(organisation_.RealmOf(handle, compartment).member());
    return row == list.end() ? 0 : row->second.perm;
  }

  support::RealmServers servers_;
  support::TestOrganisation organisation_;
};

TEST_F(ChangedRoles, TakeEffectInEveryRealmAndInTheListsOfEverybody) {
  EXPECT_EQ(Set("founder", "cw01", protocol::kCaseworker | protocol::kSupervisor),
            (Lines{"identity: in effect", "cases: in effect"}));
  for (const auto compartment : {Compartment::kIdentity, Compartment::kCases}) {
    EXPECT_EQ(RolesOf("cw01", compartment), protocol::kCaseworker | protocol::kSupervisor);
  }
  for (const auto& membership : RecordOf("cw01")) {
    EXPECT_EQ(membership.roles, protocol::kCaseworker | protocol::kSupervisor);
  }
  // Asked for again, nothing happens.
  Realm& cases = organisation_.RealmOf("founder", Compartment::kCases);
  const auto before = cases.roster().size();
  EXPECT_EQ(Set("founder", "cw01", protocol::kCaseworker | protocol::kSupervisor),
            (Lines{"identity: in effect", "cases: in effect"}));
  EXPECT_EQ(cases.roster().size(), before);

  // An auditor reads the staff vault from now on, and no directory loses anybody.
  EXPECT_EQ(PermIn("kc1", Compartment::kCases, Kind::kStaff), 0);
  EXPECT_EQ(Set("founder", "kc1", protocol::kAuditor),
            (Lines{"identity: invite", "cases: in effect", "journeys: invite"}));
  EXPECT_EQ(PermIn("kc1", Compartment::kCases, Kind::kStaff), protocol::kRead);
  EXPECT_EQ(PermIn("kc1", Compartment::kCases, Kind::kDirectory), protocol::kRead);
  // The handle is known: the invitations are for the missing realms.
  Inviter inviter(Of("founder"));
  const auto invites = Must(inviter.Invite({"kc1", "", protocol::kAuditor}));
  ASSERT_EQ(invites.size(), 2u);
  EXPECT_EQ(invites[0].compartment, Compartment::kIdentity);
  EXPECT_EQ(invites[1].compartment, Compartment::kJourneys);
  EXPECT_EQ(invites[0].newcomer.display_name, "Coordinator 1");
  // But not with other roles than they have.
  EXPECT_EQ(inviter.Invite({"kc1", "", protocol::kCoordinator | protocol::kRoute}).error().code(),
            Code::kInvalidArgument);
}

TEST_F(ChangedRoles, EndTheMembershipWhereNoneIsLeft) {
  EXPECT_EQ(Set("founder", "cw01", protocol::kRoute),
            (Lines{"identity: in effect", "cases: in effect", "journeys: invite"}));
  for (const auto compartment : {Compartment::kIdentity, Compartment::kCases}) {
    EXPECT_EQ(RolesOf("cw01", compartment), 0);
    EXPECT_EQ(PermIn("cw01", compartment, Kind::kDirectory), 0);
  }
  for (const auto& membership : RecordOf("cw01")) EXPECT_TRUE(membership.ended);
  // The same person goes on elsewhere.
  Inviter inviter(Of("founder"));
  EXPECT_EQ(Must(inviter.Invite({"cw01", "Caseworker 01", protocol::kRoute})).size(), 1u);
}

TEST_F(ChangedRoles, WaitForASecondSignatureAndGoOnWhenRunAgain) {
  NeedTwo();
  const Roles wanted = protocol::kCaseworker | protocol::kSupervisor;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Set("founder", "cw01", wanted), (Lines{"identity: waits", "cases: waits"}));
    EXPECT_EQ(organisation_.RealmOf("founder", Compartment::kCases).roster().pending().size(), 1u);
  }
  EXPECT_EQ(RolesOf("cw01", Compartment::kCases), protocol::kCaseworker);
  EXPECT_EQ(Refusal("founder", "cw01", protocol::kSupervisor), "CONFLICT");
  EXPECT_EQ(ApproveAll(), 2u);
  EXPECT_EQ(Set("founder", "cw01", wanted), (Lines{"identity: in effect", "cases: in effect"}));
  EXPECT_EQ(RolesOf("cw01", Compartment::kCases), wanted);

  // What would not go together with what is still held is asked for when that has ended.
  EXPECT_EQ(Set("founder", "ad1", protocol::kRoute),
            (Lines{"identity: waits", "cases: waits", "journeys: after others"}));
  EXPECT_EQ(ApproveAll(), 2u);
  EXPECT_EQ(Set("founder", "ad1", protocol::kRoute),
            (Lines{"identity: in effect", "cases: in effect", "journeys: waits"}));
  EXPECT_EQ(ApproveAll(), 1u);
  for (const auto compartment : {Compartment::kIdentity, Compartment::kCases}) {
    EXPECT_EQ(PermIn("ad1", compartment, Kind::kDirectory), 0);
  }
  EXPECT_EQ(Set("founder", "ad1", protocol::kRoute), Lines{"journeys: in effect"});
  EXPECT_EQ(RolesOf("ad1", Compartment::kJourneys), protocol::kRoute);
}

TEST_F(ChangedRoles, OnesOwnAreDroppedByOneselfAlone) {
  EXPECT_EQ(Set("founder", "cw01", protocol::kCaseworker | protocol::kSupervisor),
            (Lines{"identity: in effect", "cases: in effect"}));
  NeedTwo();
  EXPECT_EQ(Refusal("cw01", "cw01", protocol::kCaseworker | protocol::kIntake),
            "PERMISSION_DENIED");
  EXPECT_EQ(Refusal("cw01", "cw01", protocol::kCoordinator), "PERMISSION_DENIED");
  EXPECT_EQ(Refusal("cw01", "cw01", protocol::kRoute), "PERMISSION_DENIED");
  EXPECT_EQ(Set("cw01", "cw01", protocol::kSupervisor),
            (Lines{"identity: in effect", "cases: in effect"}));
  EXPECT_EQ(RolesOf("cw01", Compartment::kIdentity), protocol::kSupervisor);

  // An owner too, and the record says so.
  EXPECT_EQ(Refusal("ow2", "ow2", protocol::kOwner | protocol::kAdmin | protocol::kAuditor),
            "PERMISSION_DENIED");
  EXPECT_EQ(Set("ow2", "ow2", protocol::kOwner),
            (Lines{"identity: in effect", "cases: in effect", "journeys: in effect"}));
  EXPECT_EQ(RolesOf("ow2", Compartment::kCases), protocol::kOwner);
  for (const auto& membership : RecordOf("ow2")) EXPECT_EQ(membership.roles, protocol::kOwner);
  // But not so many that too few owners are left.
  EXPECT_EQ(Refusal("founder", "founder", protocol::kAdmin), "E_ROSTER_INVALID");
}

TEST_F(ChangedRoles, AreRefusedWhereTheyMayNotBe) {
  const struct {
    const char* name;
    const char* by;
    const char* handle;
    Roles roles;
    const char* want;
  } rows[] = {
      {"who and where", "founder", "cw01", protocol::kCaseworker | protocol::kRoute,
       "PERMISSION_DENIED"},
      {"governs and reads", "founder", "cw01", protocol::kCaseworker | protocol::kAdmin,
       "PERMISSION_DENIED"},
      {"works and coordinates", "founder", "kc1", protocol::kCoordinator | protocol::kCaseworker,
       "PERMISSION_DENIED"},
      {"none", "founder", "cw01", 0, "INVALID_ARGUMENT"},
      {"none that exists", "founder", "cw01", 0x8000, "INVALID_ARGUMENT"},
      {"nobody", "founder", "nobody", protocol::kCaseworker, "NOT_FOUND"},
      {"a colleague's", "cw02", "cw01", protocol::kSupervisor, "PERMISSION_DENIED"},
      {"an owner, by an admin", "ad1", "ow2", protocol::kAdmin, "E_ROSTER_INVALID"},
  };
  Realm& cases = organisation_.RealmOf("founder", Compartment::kCases);
  Require(cases.Sync());
  const auto before = cases.roster().size();
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(Refusal(row.by, row.handle, row.roles), row.want);
  }
  Require(cases.Sync());
  EXPECT_EQ(cases.roster().size(), before);
}

}  // namespace
}  // namespace godwit::client
