#include "client/doctor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "client/due_members.h"
#include "client/store.h"
#include "protocol/approval.h"
#include "tests/client/store_fixture.h"
#include "tests/support/builders.h"

namespace godwit::client {
namespace {

using protocol::Compartment;
using protocol::Kind;
using support::Must;
using support::Person;
using support::Require;
using support::TestRealm;
using support::TestVault;

constexpr std::uint64_t kDayMs = 86'400'000;

std::string NameOf(const base::MemberId& member) { return base::ToHex(member.bytes().first<4>()); }

std::set<std::string_view> Codes(const Findings& findings) {
  std::set<std::string_view> codes;
  for (const Finding& finding : findings) codes.insert(finding.code);
  return codes;
}

const Finding* Find(const Findings& findings, std::string_view code) {
  const auto found = std::ranges::find(findings, code, &Finding::code);
  return found == findings.end() ? nullptr : &*found;
}

// The cases realm of an organisation that lacks nobody: thresholds of two, three owners who are
// admins too, two caseworkers who supervise each other, two coordinators, an auditor, a log.
struct Healthy {
  Healthy()
      : realm(Compartment::kCases, std::vector<support::Founder>(3, {kGovernors, 1}), Policy()) {
    for (std::size_t i = 0; i < 3; ++i) realm.RotatePuk(realm.person(i));
    for (const protocol::Roles roles :
         {protocol::Roles(protocol::kCaseworker | protocol::kSupervisor),
          protocol::Roles(protocol::kCaseworker | protocol::kSupervisor), protocol::kCoordinator,
          protocol::kCoordinator, protocol::kAuditor}) {
      Add(roles);
    }
    const std::vector<const Person*> trustees{&realm.person(3), &realm.person(4), &realm.person(5)};
    Govern(realm.RecoverySetOf(protocol::kRecoveryLive, 2, trustees));
  }

  static constexpr protocol::Roles kGovernors = protocol::kOwner | protocol::kAdmin;
  static protocol::Policy Policy() {
    protocol::Policy policy = TestRealm::ThresholdsOfTwo();
    policy.flags &= static_cast<std::uint16_t>(~protocol::Policy::kEvaluation);
    policy.identity_window_s = 86'400;
    policy.has_log = true;
    policy.log_name = "log.example";
    policy.log_pk.fill(7);
    policy.receipt_pk.fill(7);
    for (const Kind kind : {Kind::kDirectory, Kind::kConfig, Kind::kStaff}) {
      auto& vault = policy.vaults[static_cast<std::uint8_t>(kind)];
      std::array<std::uint8_t, 16> id{};
      id.fill(static_cast<std::uint8_t>(kind));
      vault = *base::VaultId::FromBytes(id);
    }
    return policy;
  }

  Person& Add(protocol::Roles roles) {
    Person& person = AddWithoutPuk(roles);
    realm.RotatePuk(person);
    return person;
  }
  Person& AddWithoutPuk(protocol::Roles roles) {
    Person& person = realm.Stranger();
    Govern(realm.AddOf(person, roles));
    return person;
  }
  void Govern(const protocol::StatementPayload& payload) {
    realm.AppendApproved(realm.person(0), payload, {&realm.person(1)});
  }
  void Change(const std::function<void(protocol::Policy&)>& change) {
    protocol::Policy policy = realm.roster().policy();
    ++policy.gen;
    change(policy);
    Govern(protocol::PolicySet{policy});
  }
  Person& caseworker(std::size_t i) { return realm.person(3 + i); }
  Person& coordinator(std::size_t i) { return realm.person(5 + i); }
  Person& auditor() { return realm.person(7); }

  Findings Examine(std::uint64_t now_ms = 0) const {
    Findings findings = ExamineRoster(realm.roster(), NameOf, now_ms);
    std::ranges::move(ExamineJobs(realm.roster(), NameOf), std::back_inserter(findings));
    return findings;
  }

  TestRealm realm;
};

TEST(Doctor, FindsWhatARosterLacksAndNothingElse) {
  EXPECT_EQ(Codes(Healthy().Examine()), std::set<std::string_view>());
  const struct {
    std::string_view code;
    Grade grade;
    std::function<void(Healthy&)> spoil;
    std::set<std::string_view> besides;  // that come with it
  } rows[] = {
      {"owners_few",
       Grade::kWarning,
       [](Healthy& h) { h.realm.RevokeByRoot(h.realm.person(2), 0); },
       {"granters_few", "member_without_device"}},
      {"owners_few",
       Grade::kBroken,
       [](Healthy& h) {
         h.realm.RevokeByRoot(h.realm.person(2), 0);
         h.realm.RevokeByRoot(h.realm.person(1), 0);
       },
       {"granters_few", "member_without_device", "second_granter_missing"}},
      {"granters_few",
       Grade::kWarning,
       [](Healthy& h) { h.Change([](protocol::Policy& p) { p.grant_threshold = 3; }); },
       {}},
      {"granters_few",
       Grade::kBroken,
       [](Healthy& h) {
         h.Change([](protocol::Policy& p) { p.grant_threshold = 3; });
         h.realm.RevokeByRoot(h.realm.person(2), 0);
       },
       {"owners_few", "member_without_device"}},
      {"recovery_missing",
       Grade::kNote,
       [](Healthy& h) {
         // Spent by a request that its trustees approved.
         const base::Bytes fresh = h.realm.Fresh();
         const auto vault = *base::VaultId::FromBytes(base::ByteSpan(fresh).first(16));
         const auto link =
             h.realm.Do(h.realm.person(2),
                        h.realm.RequestOf(protocol::kRecoveryLive, h.coordinator(1), {vault}));
         h.realm.Do(h.caseworker(0), protocol::Approve{link, 0, {}});
         h.realm.Do(h.caseworker(1), protocol::Approve{link, 1, {}});
       },
       {}},
      {"owners_are_trustees",
       Grade::kWarning,
       [](Healthy& h) {
         h.Govern(
             h.realm.RecoverySetOf(protocol::kRecoveryLive, 2,
                                   {&h.realm.person(0), &h.realm.person(1), &h.caseworker(0)}));
       },
       {}},
      {"vault_unnamed",
       Grade::kBroken,
       [](Healthy& h) {
         h.Change(
             [](protocol::Policy& p) { p.vaults.erase(static_cast<std::uint8_t>(Kind::kStaff)); });
       },
       {}},
      {"member_without_device",
       Grade::kWarning,
       [](Healthy& h) {
         const Person& person = h.Add(protocol::kIntake);
         h.realm.RevokeByRoot(person, 0);
       },
       {}},
      {"member_without_key",
       Grade::kWarning,
       [](Healthy& h) { h.AddWithoutPuk(protocol::kIntake); },
       {}},
      {"member_key_stale",
       Grade::kWarning,
       [](Healthy& h) {
         Person& person = h.realm.Stranger(2);
         h.Govern(h.realm.AddOf(person, protocol::kIntake));
         h.realm.RotatePuk(person);
         const auto addition = h.realm.DeviceAddOf(person, person.devices[1]);
         h.realm.Do(person, addition.payload);
         h.realm.RevokeByRoot(person, 1);
       },
       {}},
      {"second_granter_missing",
       Grade::kWarning,
       [](Healthy& h) {
         h.realm.RevokeByRoot(h.realm.person(1), 0);
         h.realm.RevokeByRoot(h.realm.person(2), 0);
       },
       {"owners_few", "granters_few", "member_without_device"}},
      {"auditor_missing", Grade::kWarning, [](Healthy& h) { h.realm.Remove(h.auditor()); }, {}},
      {"second_coordinator_missing",
       Grade::kWarning,
       [](Healthy& h) { h.realm.Remove(h.coordinator(0)); },
       {}},
      {"supervisor_missing",
       Grade::kWarning,
       [](Healthy& h) {
         h.Govern(protocol::RoleSet{h.caseworker(1).id, protocol::kCaseworker});
       },
       {}},
      {"statement_waits",
       Grade::kNote,
       [](Healthy& h) {
         h.realm.Do(h.realm.person(0), protocol::RoleSet{h.auditor().id, protocol::kAdmin});
       },
       {}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.code);
    Healthy healthy;
    row.spoil(healthy);
    const Findings findings = healthy.Examine();
    const Finding* finding = Find(findings, row.code);
    ASSERT_NE(finding, nullptr);
    EXPECT_EQ(finding->grade, row.grade);
    EXPECT_EQ(finding->realm, Compartment::kCases);
    auto want = row.besides;
    want.insert(row.code);
    EXPECT_EQ(Codes(findings), want);
  }
}

TEST(Doctor, SaysWhatAnEvaluationOrganisationIsNot) {
  const TestRealm identity(Compartment::kIdentity);
  const auto found = Codes(ExamineRoster(identity.roster(), NameOf, 0));
  for (const char* code : {"evaluation", "unwitnessed", "recovery_missing", "owners_few",
                           "granters_few", "vault_unnamed"}) {
    EXPECT_TRUE(found.contains(code)) << code;
  }
}

TEST(Doctor, CountsRouteCoordinatorsInJourneysAlone) {
  TestRealm journeys(Compartment::kJourneys);
  journeys.Add(protocol::kRoute);
  const auto codes = [&] { return Codes(ExamineJobs(journeys.roster(), NameOf)); };
  EXPECT_TRUE(codes().contains("second_route_missing"));
  EXPECT_FALSE(codes().contains("second_coordinator_missing"));
  journeys.Add(protocol::kRoute);
  EXPECT_FALSE(codes().contains("second_route_missing"));
}

TEST(Doctor, SaysHowLongAStatementCanWait) {
  Healthy healthy;
  healthy.realm.Do(healthy.realm.person(0),
                   protocol::RoleSet{healthy.auditor().id, protocol::kAdmin});
  const std::uint64_t since = healthy.realm.roster().pending().at(0).time_ms;
  const struct {
    std::uint64_t age_ms;
    std::string_view code;
    Grade grade;
  } rows[] = {
      {0, "statement_waits", Grade::kNote},
      {25 * kDayMs, "statement_waits", Grade::kNote},
      {25 * kDayMs + 1, "statement_expires", Grade::kWarning},
      {30 * kDayMs, "statement_expires", Grade::kWarning},
      {30 * kDayMs + 1, "statement_expired", Grade::kWarning},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.age_ms);
    const Findings findings = healthy.Examine(since + row.age_ms);
    EXPECT_EQ(Codes(findings), std::set<std::string_view>{row.code});
    EXPECT_EQ(findings.front().grade, row.grade);
  }
}

// Staff records of a realm of identity and one of cases.
class DoctorOfStaff : public testing::Test {
 protected:
  // A human with memberships of these roles; 0: none in that realm.
  Human& Hire(const std::string& handle, protocol::Roles in_identity, protocol::Roles in_cases) {
    Human human;
    std::array<std::uint8_t, 16> id{};
    id.fill(static_cast<std::uint8_t>(staff_.size() + 1));
    human.id = *base::HumanId::FromBytes(id);
    human.handle = handle;
    if (in_identity != 0) AddTo(identity_, in_identity, human);
    if (in_cases != 0) AddTo(cases_, in_cases, human);
    staff_.push_back(human);
    return staff_.back();
  }
  void AddTo(TestRealm& realm, protocol::Roles roles, Human& human) {
    Person& person = realm.Stranger();
    Membership membership;
    membership.compartment = realm.roster().compartment();
    membership.member = person.id;
    membership.roles = roles;
    membership.r.fill(static_cast<std::uint8_t>(human.memberships.size() + 1));
    auto add = realm.AddOf(person, roles);
    add.staff_commit = StaffCommit(membership.compartment, human.id, membership.r);
    realm.Prove(add, person.device());
    realm.Do(realm.person(0), add);
    human.memberships.push_back(membership);
  }
  Findings Examine() const {
    return ExamineStaff(
        {{Compartment::kIdentity, &identity_.roster()}, {Compartment::kCases, &cases_.roster()}},
        staff_, {{Compartment::kIdentity, NameOf}, {Compartment::kCases, NameOf}});
  }
  // What is found besides the founders, whom no record of this test names.
  std::set<std::string_view> CodesNow() const {
    std::set<std::string_view> codes;
    for (const Finding& finding : Examine()) {
      EXPECT_EQ(finding.grade, Grade::kBroken);
      const bool founders = finding.code == "staff_commit_unopened" &&
                            finding.what.values[0].find(',') == std::string::npos;
      if (!founders) codes.insert(finding.code);
    }
    return codes;
  }

  TestRealm identity_{Compartment::kIdentity, TestRealm::OneOwner(), "identity"};
  TestRealm cases_{Compartment::kCases, TestRealm::OneOwner(), "cases"};
  std::vector<Human> staff_;
};

TEST_F(DoctorOfStaff, RolesThatGoTogetherAreNoFinding) {
  Hire("haneul", protocol::kCaseworker, protocol::kCaseworker);
  Hire("minji", 0, protocol::kCoordinator);
  EXPECT_TRUE(CodesNow().empty());
}

TEST_F(DoctorOfStaff, ACommitmentThatNothingOpensIsFound) {
  Human& human = Hire("haneul", 0, protocol::kCaseworker);
  EXPECT_TRUE(CodesNow().empty());
  ++human.memberships[0].r[0];
  EXPECT_EQ(CodesNow(), std::set<std::string_view>{"staff_commit_unopened"});
}

TEST_F(DoctorOfStaff, RolesAreJudgedByTheRosterAndNotByTheRecord) {
  Human& human = Hire("haneul", protocol::kCaseworker, protocol::kCoordinator);
  human.memberships[0].roles = 0;  // what the record claims
  human.memberships[0].ended = true;
  EXPECT_EQ(CodesNow(), std::set<std::string_view>{"incompatible_roles"});
  // And back: the record claims too much.
  cases_.Do(cases_.person(0), protocol::RoleSet{human.memberships[1].member, protocol::kIntake});
  EXPECT_TRUE(CodesNow().empty());
}

TEST_F(DoctorOfStaff, OneHumanIsNoTwoMembersOfARealm) {
  Human& human = Hire("haneul", 0, protocol::kCaseworker);
  AddTo(cases_, protocol::kCaseworker, human);
  EXPECT_EQ(CodesNow(), std::set<std::string_view>{"two_members"});
  cases_.Do(cases_.person(0), protocol::MemberRemove{human.memberships[0].member, 1});
  EXPECT_TRUE(CodesNow().empty());
}

TEST(Doctor, FindsMembersWithoutAName) {
  TestRealm realm(Compartment::kCases);
  const auto& unnamed = realm.Add(protocol::kCoordinator);
  std::set<base::MemberId> named{realm.person(0).id, unnamed.id};
  EXPECT_TRUE(ExamineNames(realm.roster(), named).empty());
  named.erase(unnamed.id);
  const auto findings = ExamineNames(realm.roster(), named);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].code, "member_unnamed");
  EXPECT_NE(findings[0].what.values[0].find(NameOf(unnamed.id)), std::string::npos);
}

TEST(Doctor, FindsWhatVaultsLack) {
  const auto examine = [](const TestRealm& realm, const TestVault& vault) {
    VaultExaminer examiner(realm.roster());
    examiner.Look(vault.vault());
    return std::move(examiner).Take();
  };
  const struct {
    std::string_view code;
    Grade grade;
    std::function<void(TestRealm&)> spoil;
    std::set<std::string_view> besides;
  } rows[] = {
      {"vault_not_fresh",
       Grade::kWarning,
       [](TestRealm& realm) { realm.RotatePuk(realm.person(1)); },
       {}},
      {"vault_members_missing",
       Grade::kWarning,
       [](TestRealm& realm) { realm.Add(protocol::kCoordinator); },
       {}},
      {"vault_few_managers",
       Grade::kWarning,
       [](TestRealm& realm) { realm.Remove(realm.person(1)); },
       {"vault_not_fresh"}},
      {"vault_without_guard",
       Grade::kWarning,
       [](TestRealm& realm) {
         realm.Remove(realm.person(2));
         realm.Remove(realm.person(3));
       },
       {"vault_not_fresh", "vault_few_managers"}},
      {"vault_without_manager",
       Grade::kBroken,
       [](TestRealm& realm) {
         for (std::size_t i = 1; i <= 3; ++i) realm.Remove(realm.person(i));
       },
       {"vault_not_fresh"}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.code);
    TestRealm realm(Compartment::kCases);
    const Person& caseworker = realm.Add(protocol::kCaseworker);
    const Person& first = realm.Add(protocol::kCoordinator);
    const Person& second = realm.Add(protocol::kCoordinator);
    if (row.code == "vault_few_managers") realm.Remove(second);
    TestVault::Members members{{&caseworker, protocol::kFull}, {&first, protocol::kFull}};
    if (row.code != "vault_few_managers") members.emplace_back(&second, protocol::kFull);
    const TestVault vault(realm, Kind::kCase, caseworker, members);
    EXPECT_EQ(Codes(examine(realm, vault)), std::set<std::string_view>());
    row.spoil(realm);
    const Findings findings = examine(realm, vault);
    auto want = row.besides;
    want.insert(row.code);
    EXPECT_EQ(Codes(findings), want);
    ASSERT_NE(Find(findings, row.code), nullptr);
    EXPECT_EQ(Find(findings, row.code)->grade, row.grade);
    EXPECT_EQ(Find(findings, row.code)->vaults, std::vector{vault.vault().id()});
  }
}

class DoctorOfStore : public StoreTest {};

TEST_F(DoctorOfStore, FindsWhatThisDeviceKeepsForSomebodyToLookAt) {
  Store store = Create();
  const auto codes = [&] {
    const auto findings = ExamineStore(Compartment::kCases, store);
    EXPECT_TRUE(findings);
    return findings ? Codes(*findings) : std::set<std::string_view>();
  };
  const VaultUpdate vault = SomeVault(2);
  ASSERT_TRUE(store.Apply({vault}));
  EXPECT_EQ(codes(), std::set<std::string_view>());
  const auto id = store.PutOutbox(Text("waits"));
  ASSERT_TRUE(id);
  EXPECT_EQ(codes(), std::set<std::string_view>{"outbox_waits"});
  ASSERT_TRUE(store.RemoveOutbox(*id));
  ASSERT_TRUE(store.KeepEvidence(SomeEvidence(Code::kKeyMismatch, "evidence")));
  EXPECT_EQ(codes(), std::set<std::string_view>{"evidence_kept"});
  ASSERT_TRUE(store.Freeze(vault.vault, SomeEvidence(Code::kFork, "two histories")));
  EXPECT_EQ(codes(), (std::set<std::string_view>{"evidence_kept", "vault_frozen"}));
  const auto findings = ExamineStore(Compartment::kCases, store);
  ASSERT_TRUE(findings);
  EXPECT_EQ(Find(*findings, "vault_frozen")->grade, Grade::kBroken);
  EXPECT_EQ(Find(*findings, "vault_frozen")->vaults, std::vector{vault.vault});
}

TEST(DueMembers, AreThoseOfTheKindsTable) {
  TestRealm realm(Compartment::kCases);
  const auto& coordinator = realm.Add(protocol::kCoordinator);
  const auto& caseworker = realm.Add(protocol::kCaseworker);
  const auto& auditor = realm.Add(protocol::kAuditor);
  realm.AddWithoutPuk(protocol::kCoordinator);
  const auto& founder = realm.person(0);
  using Members = std::map<base::MemberId, protocol::Perm>;
  const struct {
    Kind kind;
    Members want;
  } rows[] = {
      {Kind::kDirectory,
       {{founder.id, 7}, {coordinator.id, 1}, {caseworker.id, 1}, {auditor.id, 1}}},
      {Kind::kStaff, {{founder.id, 7}, {auditor.id, 1}}},
      {Kind::kDesk, {{coordinator.id, 7}}},
      {Kind::kCase, {{coordinator.id, 7}}},
      {Kind::kDispatch, {{coordinator.id, 7}}},
      {Kind::kSensitive, {}},
      {Kind::kReport, {}},
      {Kind::kAudit, {}},
      {Kind::kLedger, {}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(protocol::Name(row.kind));
    EXPECT_EQ(DueMembers(realm.roster(), row.kind), row.want);
  }
}

}  // namespace
}  // namespace godwit::client
