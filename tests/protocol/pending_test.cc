// What needs more than its author: statements that wait, their APPROVEs, and the ceremonies of
// recovery and of the root.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "protocol/labels.h"
#include "protocol/roster.h"
#include "tests/protocol/low_order.h"
#include "tests/support/builders.h"
#include "tests/support/codes.h"
#include "tests/support/keys.h"

namespace godwit::protocol {
namespace {

using base::Bytes;
using support::CodeOf;
using support::Person;
using support::TestRealm;

constexpr const char* kOk = "ok";
constexpr const char* kInvalid = "E_ROSTER_INVALID";

// An APPROVE of anything but a recovery.
Approve Yes(const base::Link& target) { return {target, kNoShare, {}}; }

const base::VaultId kVault(std::array<std::uint8_t, 16>{7});

// A realm of cases where two owners, and two of owners and admins, are needed.
struct World {
  static Policy PolicyOfTwo() {
    Policy policy = TestRealm::EvaluationPolicy();
    policy.owner_threshold = 2;
    policy.grant_threshold = 2;
    return policy;
  }

  TestRealm realm{Compartment::kCases,
                  {{kOwner, 2}, {kOwner, 1}, {kOwner, 1}, {kAdmin, 1}, {kAdmin, 1}},
                  PolicyOfTwo()};
  Person& owner = realm.person(0);
  Person& second = realm.person(1);
  Person& third = realm.person(2);
  Person& admin = realm.person(3);
  Person& other_admin = realm.person(4);
  Person& caseworker = Joined(kCaseworker);
  Person& coordinator = Joined(kCoordinator);
  Person& newcomer = realm.Stranger();

  World() {
    for (Person* founder : {&owner, &second, &third, &admin, &other_admin}) {
      realm.RotatePuk(*founder);
    }
  }
  Person& Joined(Roles roles) { return realm.Add(roles); }

  const Roster& roster() const { return realm.roster(); }
  base::Link Do(const Person& author, const StatementPayload& payload) {
    return realm.Append(realm.Sign(author, payload));
  }
  base::Link Approved(const Person& author, const base::Link& target) {
    return Do(author, Yes(target));
  }
  std::string Try(const Bytes& statement) const {
    Roster copy = roster();
    const std::uint64_t size = copy.size();
    const std::string code = CodeOf(copy.Append(statement));
    if (code != kOk) {
      EXPECT_EQ(copy.size(), size);
    }
    return code;
  }
  std::string Try(const Person& author, const StatementPayload& payload) const {
    return Try(realm.Sign(author, payload));
  }
  bool Waits(const base::Link& link) const {
    return std::ranges::any_of(roster().pending(),
                               [&](const auto& each) { return each.link == link; });
  }
  Roles RolesOf(const Person& person) const {
    return roster().RolesAt(person.id, roster().head_seq());
  }
  Policy NextPolicy(const std::function<void(Policy&)>& change) const {
    Policy policy = roster().policy();
    ++policy.gen;
    change(policy);
    return policy;
  }
  void SetPolicy(const std::function<void(Policy&)>& change) {
    realm.AppendApproved(owner, PolicySet{NextPolicy(change)}, {&second});
  }
  // A live secret of three trustees, two of whom are needed.
  void SetRecovery(std::uint8_t use = kRecoveryLive) {
    realm.AppendApproved(owner, realm.RecoverySetOf(use, 2, {&second, &third, &other_admin}),
                         {&second});
  }
  // A request in effect, of the coordinator for kVault.
  base::Link Request(std::uint8_t use = kRecoveryLive) {
    const base::Link link = Do(admin, realm.RequestOf(use, coordinator, {kVault}));
    Do(second, Approve{link, 0, {}});
    Do(third, Approve{link, 1, {}});
    return link;
  }
};

struct Row {
  const char* name;
  std::function<Bytes(World&)> make;
  const char* want;
};

void Check(std::span<const Row> rows) {
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    World world;
    const Bytes statement = row.make(world);
    EXPECT_EQ(world.Try(statement), row.want);
  }
}

TEST(Pending, AGrantWaitsForTheSecondOfTwoGranters) {
  World w;
  const base::Link link = w.Do(w.admin, w.realm.AddOf(w.newcomer, kCaseworker));
  EXPECT_TRUE(w.Waits(link));
  EXPECT_EQ(w.roster().FindMember(w.newcomer.id), nullptr);
  EXPECT_EQ(w.Try(w.admin, Yes(link)), kInvalid);
  EXPECT_EQ(w.Try(w.caseworker, Yes(link)), kInvalid);
  EXPECT_EQ(w.Try(w.second, Yes(base::Link(std::array<std::uint8_t, 32>{1}))), kInvalid);
  EXPECT_EQ(w.Try(w.second, Approve{link, 0, {}}), kInvalid);
  EXPECT_EQ(
      w.Try(w.second, Approve{link, kNoShare, base::Sha256Hash(std::array<std::uint8_t, 32>{1})}),
      kInvalid);
  w.Approved(w.second, link);
  EXPECT_FALSE(w.Waits(link));
  const auto* member = w.roster().FindMember(w.newcomer.id);
  ASSERT_NE(member, nullptr);
  EXPECT_EQ(member->added_seq, w.roster().head_seq());
  // It does not wait any more.
  EXPECT_EQ(w.Try(w.other_admin, Yes(link)), kInvalid);
}

TEST(Pending, AnOwnerOrAdminIsMadeByTwoOwners) {
  for (const Roles roles : {kOwner, kAdmin, static_cast<Roles>(kOwner | kAdmin)}) {
    World w;
    EXPECT_EQ(w.Try(w.admin, w.realm.AddOf(w.newcomer, roles)), kInvalid);
    const base::Link link = w.Do(w.owner, w.realm.AddOf(w.newcomer, roles));
    EXPECT_EQ(w.Try(w.admin, Yes(link)), kInvalid);
    w.Approved(w.second, link);
    EXPECT_EQ(w.RolesOf(w.newcomer), roles);
  }
}

TEST(Pending, ThreeAreNeededWhereThePolicySaysThree) {
  World w;
  w.SetPolicy([](Policy& policy) { policy.grant_threshold = 3; });
  const base::Link link = w.Do(w.admin, w.realm.AddOf(w.newcomer, kCaseworker));
  w.Approved(w.second, link);
  EXPECT_TRUE(w.Waits(link));
  EXPECT_EQ(w.Try(w.second, Yes(link)), kInvalid);
  w.Approved(w.third, link);
  EXPECT_EQ(w.RolesOf(w.newcomer), kCaseworker);
}

// Whatever has become of the author: here the device that signed was revoked, and what two owners
// were to decide on became the author's own affair.
TEST(Pending, TheRootSufficesThoughTheAuthorNoLongerCounts) {
  World w;
  const base::Link link = w.Do(w.owner, MemberRemove{w.owner.id, 1});
  w.realm.Revoke(w.owner, 0, 1);
  w.realm.RotatePuk(w.owner, 1);
  w.realm.DoByRoot(RoleSet{w.owner.id, kAdmin});
  ASSERT_TRUE(w.Waits(link));
  w.realm.DoByRoot(Yes(link));
  EXPECT_FALSE(w.Waits(link));
  EXPECT_FALSE(w.roster().IsMemberAt(w.owner.id, w.roster().head_seq()));
}

TEST(Pending, TheRootSufficesAlone) {
  World w;
  const base::Link link = w.Do(w.admin, w.realm.AddOf(w.newcomer, kCaseworker));
  w.realm.Append(w.realm.SignByRoot(Yes(link)));
  EXPECT_EQ(w.RolesOf(w.newcomer), kCaseworker);
  const base::Link policy = w.Do(w.owner, PolicySet{w.NextPolicy([](Policy&) {})});
  EXPECT_EQ(w.Try(w.realm.SignByRoot(Yes(policy))), kInvalid);
  EXPECT_EQ(w.Try(w.realm.SignByRoot(Close{policy, 0})), kInvalid);
  EXPECT_EQ(w.Try(w.realm.SignByRoot(RoleSet{w.second.id, kAdmin})), kOk);
}

TEST(Pending, RolesAreChangedByOthers) {
  const Row rows[] = {
      {"by an admin",
       [](World& w) {
         return w.realm.Sign(w.admin, RoleSet{w.caseworker.id, kSupervisor});
       },
       kOk},
      {"by a caseworker",
       [](World& w) {
         return w.realm.Sign(w.coordinator, RoleSet{w.caseworker.id, kSupervisor});
       },
       kInvalid},
      {"an owner's by an admin",
       [](World& w) {
         return w.realm.Sign(w.admin, RoleSet{w.owner.id, kAdmin});
       },
       kInvalid},
      {"to owner by an admin",
       [](World& w) {
         return w.realm.Sign(w.admin, RoleSet{w.caseworker.id, kOwner});
       },
       kInvalid},
      {"roles that cannot be held",
       [](World& w) {
         return w.realm.Sign(w.owner, RoleSet{w.caseworker.id, kOwner | kCaseworker});
       },
       kInvalid},
      {"no role",
       [](World& w) {
         return w.realm.Sign(w.owner, RoleSet{w.caseworker.id, 0});
       },
       kInvalid},
      {"of no member",
       [](World& w) {
         return w.realm.Sign(w.owner, RoleSet{w.newcomer.id, kCaseworker});
       },
       kInvalid},
  };
  Check(rows);

  World w;
  const base::Link link = w.Do(w.admin, RoleSet{w.caseworker.id, kSupervisor});
  EXPECT_EQ(w.RolesOf(w.caseworker), kCaseworker);
  w.Approved(w.other_admin, link);
  EXPECT_EQ(w.RolesOf(w.caseworker), kSupervisor);
  EXPECT_EQ(w.roster().RolesAt(w.caseworker.id, w.roster().head_seq() - 1), kCaseworker);
}

TEST(Attack, Row62_WhoGainsARoleDoesNotApproveIt) {
  World w;
  w.realm.Append(w.realm.SignByRoot(RoleSet{w.second.id, kOwner | kAdmin}));
  // Neither the author nor an approver is the target.
  EXPECT_EQ(w.Try(w.admin, RoleSet{w.admin.id, kAuditor}), kInvalid);
  EXPECT_EQ(w.Try(w.owner, RoleSet{w.owner.id, kOwner | kAdmin}), kInvalid);
  const base::Link link = w.Do(w.owner, RoleSet{w.second.id, kOwner | kAuditor});
  EXPECT_EQ(w.Try(w.second, Yes(link)), kInvalid);
  EXPECT_EQ(w.Try(w.third, Yes(link)), kOk);
  // To drop own roles, some and not all, needs nobody else.
  EXPECT_EQ(w.Try(w.second, RoleSet{w.second.id, kOwner | kAdmin}), kInvalid);
  EXPECT_EQ(w.Try(w.second, RoleSet{w.second.id, kAuditor}), kInvalid);
  w.Do(w.second, RoleSet{w.second.id, kAdmin});
  EXPECT_EQ(w.RolesOf(w.second), kAdmin);
}

TEST(Pending, OwnersDoNotRunShort) {
  World w;
  // Three owners: one may go, and then the threshold holds the others.
  const base::Link first = w.Do(w.owner, MemberRemove{w.third.id, 1});
  w.Approved(w.second, first);
  EXPECT_FALSE(w.roster().IsMemberAt(w.third.id, w.roster().head_seq()));
  const base::Link next = w.Do(w.owner, MemberRemove{w.second.id, 1});
  EXPECT_EQ(w.Try(w.second, Yes(next)), kInvalid);
  const base::Link demoted = w.Do(w.owner, RoleSet{w.second.id, kAdmin});
  EXPECT_EQ(w.Try(w.realm.SignByRoot(Yes(demoted))), kOk);
  EXPECT_EQ(w.Try(w.realm.SignByRoot(Yes(next))), kOk);
  EXPECT_EQ(w.Try(w.second, RoleSet{w.second.id, kOwner}), kInvalid);
}

TEST(Attack, Row63_TwoOwnersAndOneDeviceEach) {
  World w;
  w.realm.Append(w.realm.SignByRoot(MemberRemove{w.third.id, 1}));
  EXPECT_EQ(w.Try(w.second, DeviceRevoke{w.owner.id, w.owner.devices[0].id(), 1}), kOk);
  EXPECT_EQ(w.Try(w.admin, DeviceRevoke{w.owner.id, w.owner.devices[0].id(), 1}), kInvalid);
  EXPECT_EQ(w.Try(w.second, DeviceRevoke{w.second.id, w.second.device().id(), 1}), kOk);
}

TEST(Attack, Row60_NoSignatureOfARevokedDeviceIsCounted) {
  World w;
  const base::Link link = w.Do(w.admin, w.realm.AddOf(w.newcomer, kCaseworker));
  w.Do(w.second, DeviceRevoke{w.admin.id, w.admin.device().id(), 1});
  // The author is no longer counted, and the statement lives on.
  w.Approved(w.second, link);
  EXPECT_TRUE(w.Waits(link));
  w.Approved(w.other_admin, link);
  EXPECT_EQ(w.RolesOf(w.newcomer), kCaseworker);

  // The same of an approver, and of one who lost the role.
  World v;
  v.SetPolicy([](Policy& policy) { policy.grant_threshold = 3; });
  const base::Link target = v.Do(v.owner, v.realm.AddOf(v.newcomer, kCaseworker));
  v.Approved(v.admin, target);
  v.realm.Append(v.realm.SignByRoot(RoleSet{v.admin.id, kAuditor}));
  v.Approved(v.second, target);
  EXPECT_TRUE(v.Waits(target));
  v.Approved(v.third, target);
  EXPECT_FALSE(v.Waits(target));
}

TEST(Pending, AChangeOfPowerVoidsWhatWaitsForOwners) {
  const std::pair<const char*, std::function<void(World&)>> changes[] = {
      {"an owner comes",
       [](World& w) { w.realm.Append(w.realm.SignByRoot(w.realm.AddOf(w.newcomer, kOwner))); }},
      {"an owner goes",
       [](World& w) {
         w.realm.Append(w.realm.SignByRoot(MemberRemove{w.third.id, 1}));
       }},
      {"an owner is one no longer",
       [](World& w) {
         w.realm.Append(w.realm.SignByRoot(RoleSet{w.third.id, kAdmin}));
       }},
      {"a threshold",
       [](World& w) { w.SetPolicy([](Policy& policy) { policy.owner_threshold = 1; }); }},
      {"the threshold of grants",
       [](World& w) { w.SetPolicy([](Policy& policy) { policy.grant_threshold = 1; }); }},
      {"the root",
       [](World& w) {
         const auto root = *crypto::SigningKey::FromSeed(support::KeyOf(Bytes(32, 9)));
         w.realm.Append(w.realm.SignByRoot(w.realm.RootRotateTo(root)));
       }},
  };
  for (const auto& [name, change] : changes) {
    SCOPED_TRACE(name);
    World w;
    const base::Link owners = w.Do(w.third, PolicySet{w.NextPolicy([](Policy&) {})});
    const base::Link granters = w.Do(w.admin, RoleSet{w.caseworker.id, kSupervisor});
    change(w);
    EXPECT_FALSE(w.Waits(owners));
    EXPECT_TRUE(w.Waits(granters));
  }
  // What changes none of these voids nothing.
  World w;
  const base::Link owners = w.Do(w.third, RoleSet{w.admin.id, kAuditor});
  w.SetPolicy([](Policy& policy) { policy.fresh_s += 1; });
  w.Do(w.second, DeviceRevoke{w.owner.id, w.owner.devices[1].id(), 1});
  EXPECT_TRUE(w.Waits(owners));
}

TEST(Pending, ConditionsHoldWhenItTakesEffect) {
  World w;
  const base::Link roles = w.Do(w.admin, RoleSet{w.caseworker.id, kSupervisor});
  w.realm.Append(w.realm.SignByRoot(MemberRemove{w.caseworker.id, 1}));
  EXPECT_EQ(w.Try(w.second, Yes(roles)), kInvalid);
  // A second one with the same ids: the first to take effect wins.
  const base::Link first = w.Do(w.admin, w.realm.AddOf(w.newcomer, kCaseworker));
  const base::Link second = w.Do(w.owner, w.realm.AddOf(w.newcomer, kSupervisor));
  w.Approved(w.other_admin, first);
  EXPECT_EQ(w.Try(w.other_admin, Yes(second)), kInvalid);
}

TEST(Pending, CloseIsForTheAuthorOrAnOwner) {
  World w;
  const base::Link link = w.Do(w.admin, RoleSet{w.caseworker.id, kSupervisor});
  EXPECT_EQ(w.Try(w.other_admin, Close{link, 0}), kInvalid);
  EXPECT_EQ(w.Try(w.caseworker, Close{link, 0}), kInvalid);
  EXPECT_EQ(w.Try(w.admin, Close{link, 0}), kOk);
  EXPECT_EQ(w.Try(w.third, Close{link, 0}), kOk);
  for (const std::uint8_t result : Bytes{1, 2, 3}) {
    EXPECT_EQ(w.Try(w.admin, Close{link, result}), kInvalid) << int{result};
  }
  EXPECT_EQ(w.Try(w.third, Close{w.roster().LinkAt(0), 0}), kInvalid);
  w.Do(w.admin, Close{link, 0});
  EXPECT_FALSE(w.Waits(link));
  EXPECT_EQ(w.Try(w.admin, Close{link, 0}), kInvalid);
  EXPECT_EQ(w.Try(w.second, Yes(link)), kInvalid);

  // Not by whom it names, owner or not.
  const base::Link removal = w.Do(w.owner, MemberRemove{w.second.id, 3});
  EXPECT_EQ(w.Try(w.second, Close{removal, 0}), kInvalid);
  const base::Link demotion = w.Do(w.owner, RoleSet{w.second.id, kAuditor});
  EXPECT_EQ(w.Try(w.second, Close{demotion, 0}), kInvalid);
  EXPECT_EQ(w.Try(w.third, Close{demotion, 0}), kOk);
}

TEST(Attack, Row64_OneRogueDoesNotFillWhatMayWait) {
  World w;
  const auto ask = [&](const Person& author) {
    return w.realm.Sign(author, RoleSet{w.caseworker.id, kSupervisor});
  };
  for (int i = 0; i < 3; ++i) w.realm.Append(ask(w.admin));
  EXPECT_EQ(w.Try(ask(w.admin)), kInvalid);
  // Policy, revocation and removal go on.
  w.SetPolicy([](Policy&) {});
  EXPECT_EQ(w.Try(w.second, DeviceRevoke{w.admin.id, w.admin.device().id(), 1}), kOk);
  const base::Link removal = w.Do(w.owner, MemberRemove{w.admin.id, 3});
  EXPECT_EQ(w.Try(w.second, Yes(removal)), kOk);
  // One that goes makes room.
  w.Do(w.admin, Close{w.roster().pending()[0].link, 0});
  EXPECT_EQ(w.Try(ask(w.admin)), kOk);
}

TEST(Pending, SixteenWaitAtMost) {
  World w;
  w.SetPolicy([](Policy& policy) { policy.flags |= Policy::kDeviceAddNeedsAdmin; });
  std::vector<Person*> admins{&w.owner, &w.second, &w.third, &w.admin, &w.other_admin};
  for (int i = 0; i < 2; ++i) admins.push_back(&w.realm.Add(kAdmin));
  std::size_t waiting = 0;
  for (const Person* author : admins) {
    for (int i = 0; i < 3 && waiting < 16; ++i, ++waiting) {
      w.Do(*author, RoleSet{w.caseworker.id, kSupervisor});
    }
  }
  EXPECT_EQ(w.roster().pending().size(), 16u);
  EXPECT_EQ(w.Try(*admins.back(), RoleSet{w.caseworker.id, kSupervisor}), kInvalid);
  // A DEVICE_ADD is not among them.
  const base::Link device =
      w.Do(w.owner, w.realm.DeviceAddOf(w.owner, w.newcomer.device()).payload);
  EXPECT_TRUE(w.Waits(device));
  EXPECT_EQ(w.roster().pending().size(), 17u);
}

TEST(Pending, ADeviceThatWaitsCountsForNoneOfThree) {
  World w;
  w.SetPolicy([](Policy& policy) { policy.flags |= Policy::kDeviceAddNeedsAdmin; });
  w.Do(w.owner, w.realm.DeviceAddOf(w.owner, w.newcomer.device()).payload);
  for (int i = 0; i < 3; ++i) w.Do(w.owner, RoleSet{w.caseworker.id, kSupervisor});
  EXPECT_EQ(w.roster().pending().size(), 4u);
  EXPECT_EQ(w.Try(w.owner, RoleSet{w.caseworker.id, kSupervisor}), kInvalid);
}

TEST(Pending, AThresholdThatFallsIsMetByThoseWhoSigned) {
  World w;
  w.SetPolicy([](Policy& policy) { policy.grant_threshold = 3; });
  const base::Link link = w.Do(w.admin, RoleSet{w.caseworker.id, kSupervisor});
  w.Approved(w.second, link);
  w.SetPolicy([](Policy& policy) { policy.grant_threshold = 1; });
  EXPECT_TRUE(w.Waits(link));
  EXPECT_EQ(w.roster().MissingSignatures(*w.roster().FindPending(link)), 1u);
  w.Approved(w.third, link);
  EXPECT_EQ(w.RolesOf(w.caseworker), kSupervisor);
}

// An owner leaves, which waits for owners; demoted meanwhile, leaving is for the author alone.
TEST(Pending, WhatNeedsItsAuthorAloneIsForNobodyElse) {
  World w;
  const base::Link link = w.Do(w.third, MemberRemove{w.third.id, 1});
  w.realm.DoByRoot(RoleSet{w.third.id, kAdmin});
  ASSERT_TRUE(w.Waits(link));
  EXPECT_EQ(w.Try(w.second, Yes(link)), kInvalid);
  EXPECT_EQ(w.roster().MissingSignatures(*w.roster().FindPending(link)), 1u);
  w.realm.DoByRoot(DeviceRevoke{w.third.id, w.third.device().id(), 1});
  EXPECT_EQ(w.roster().MissingSignatures(*w.roster().FindPending(link)), kNever);
}

TEST(Pending, ARevokedDeviceClosesNothing) {
  World w;
  const base::Link link = w.Do(w.owner, RoleSet{w.caseworker.id, kSupervisor});
  w.Do(w.owner, DeviceRevoke{w.owner.id, w.owner.devices[1].id(), 1});
  EXPECT_EQ(w.Try(w.realm.Sign(w.owner, Close{link, 0}, 1)), kInvalid);
  EXPECT_EQ(w.Try(w.owner, Close{link, 0}), kOk);
}

TEST(DeviceAdd, IsByAnotherOwnDevice) {
  const Row rows[] = {
      {"by an own device",
       [](World& w) {
         return w.realm.Sign(w.owner, w.realm.DeviceAddOf(w.owner, w.newcomer.device()).payload);
       },
       kOk},
      {"by a colleague",
       [](World& w) {
         return w.realm.Sign(w.second, w.realm.DeviceAddOf(w.owner, w.newcomer.device()).payload);
       },
       kInvalid},
      {"by root",
       [](World& w) {
         return w.realm.SignByRoot(w.realm.DeviceAddOf(w.owner, w.newcomer.device()).payload);
       },
       kInvalid},
      {"while the PUK is stale",
       [](World& w) {
         w.realm.Revoke(w.owner, 1, 0);
         return w.realm.Sign(w.owner, w.realm.DeviceAddOf(w.owner, w.newcomer.device()).payload);
       },
       kInvalid},
      {"an older PUK",
       [](World& w) {
         const auto add = w.realm.DeviceAddOf(w.owner, w.newcomer.device()).payload;
         w.realm.RotatePuk(w.owner);
         return w.realm.Sign(w.owner, add);
       },
       kInvalid},
      {"a PUK of none",
       [](World& w) {
         auto add = w.realm.DeviceAddOf(w.owner, w.newcomer.device()).payload;
         add.puk_gen = 0;
         return w.realm.Sign(w.owner, add);
       },
       kInvalid},
      {"another's proof",
       [](World& w) {
         auto add = w.realm.DeviceAddOf(w.owner, w.newcomer.device()).payload;
         w.realm.Prove(add, w.second.device());
         return w.realm.Sign(w.owner, add);
       },
       kInvalid},
      {"a device that is listed",
       [](World& w) {
         return w.realm.Sign(w.owner, w.realm.DeviceAddOf(w.owner, w.second.device()).payload);
       },
       kInvalid},
  };
  Check(rows);

  World w;
  const auto addition = w.realm.DeviceAddOf(w.owner, w.newcomer.device());
  w.Do(w.owner, addition.payload);
  EXPECT_TRUE(w.roster().IsActiveAt(w.newcomer.device().id(), w.roster().head_seq()));
  EXPECT_EQ(
      w.roster().PukAt(w.owner.id, w.roster().head_seq())->box_hashes.at(w.newcomer.device().id()),
      addition.payload.box_hash);
  // Of the 16 devices that a member has at most.
  for (int i = 0; i < 13; ++i) {
    w.Do(w.owner, w.realm.DeviceAddOf(w.owner, w.realm.Stranger().device()).payload);
  }
  EXPECT_EQ(w.Try(w.owner, w.realm.DeviceAddOf(w.owner, w.realm.Stranger().device()).payload),
            kInvalid);
}

TEST(DeviceAdd, BeforeTheFirstPukTakesNoBox) {
  World w;
  Person& fresh = w.realm.AddWithoutPuk(kCaseworker);
  auto add = w.realm.DeviceAddOf(fresh, w.newcomer.device()).payload;
  EXPECT_EQ(w.Try(fresh, add), kOk);
  add.box_hash = base::Sha256Hash(std::array<std::uint8_t, 32>{1});
  EXPECT_EQ(w.Try(fresh, add), kInvalid);
}

TEST(DeviceAdd, WaitsForAnAdminWhereThePolicySaysSo) {
  World w;
  w.SetPolicy([](Policy& policy) { policy.flags |= Policy::kDeviceAddNeedsAdmin; });
  const base::Link link = w.Do(w.owner, w.realm.DeviceAddOf(w.owner, w.newcomer.device()).payload);
  EXPECT_TRUE(w.Waits(link));
  // One a member, whichever.
  EXPECT_EQ(w.Try(w.owner, w.realm.DeviceAddOf(w.owner, w.realm.Stranger().device()).payload),
            kInvalid);
  EXPECT_EQ(w.Try(w.second, w.realm.DeviceAddOf(w.second, w.realm.Stranger().device()).payload),
            kOk);
  EXPECT_EQ(w.Try(w.owner, Yes(link)), kInvalid);
  EXPECT_EQ(w.Try(w.caseworker, Yes(link)), kInvalid);
  {
    // The device that asked must still be active when it takes effect.
    World v;
    v.SetPolicy([](Policy& policy) { policy.flags |= Policy::kDeviceAddNeedsAdmin; });
    const base::Link stolen =
        v.Do(v.owner, v.realm.DeviceAddOf(v.owner, v.newcomer.device()).payload);
    v.realm.Append(v.realm.SignByRoot(DeviceRevoke{v.owner.id, v.owner.devices[0].id(), 1}));
    v.Approved(v.admin, stolen);
    EXPECT_FALSE(v.roster().IsListedAt(v.newcomer.device().id(), v.roster().head_seq()));
  }
  {
    // Nobody is asked for it any more: it waits to be closed.
    World v;
    v.SetPolicy([](Policy& policy) { policy.flags |= Policy::kDeviceAddNeedsAdmin; });
    const base::Link waits =
        v.Do(v.owner, v.realm.DeviceAddOf(v.owner, v.newcomer.device()).payload);
    v.SetPolicy([](Policy& policy) {
      policy.flags = static_cast<std::uint16_t>(policy.flags & ~Policy::kDeviceAddNeedsAdmin);
    });
    EXPECT_EQ(v.Try(v.admin, Yes(waits)), kInvalid);
    EXPECT_EQ(v.Try(v.owner, Close{waits, 0}), kOk);
  }
  w.Approved(w.admin, link);
  EXPECT_TRUE(w.roster().IsActiveAt(w.newcomer.device().id(), w.roster().head_seq()));
}

// The first share for another device, which acknowledges it.
void GiveTo(const World& w, RecoverySet& set, const Device& device) {
  RecoveryShare& share = set.shares.at(0);
  share.device = device.id();
  share.ack = device.signing_key().Sign(
      labels::kShareAck, ShareAckMessage(w.roster().realm(), set, 0, share.share_commit));
}

TEST(Recovery, ASecretIsSetByOwnersForTrusteesWhoAcknowledged) {
  const auto set = [](const std::function<void(World&, RecoverySet&)>& change) {
    return [change](World& w) {
      RecoverySet payload =
          w.realm.RecoverySetOf(kRecoveryLive, 2, {&w.second, &w.third, &w.other_admin});
      change(w, payload);
      return w.realm.Sign(w.owner, payload);
    };
  };
  const Row rows[] = {
      {"good", set([](World&, RecoverySet&) {}), kOk},
      {"use 3", set([](World& w, RecoverySet& s) {
         s.use = 3;
         w.realm.Acknowledge(s, {&w.second, &w.third, &w.other_admin});
       }),
       kInvalid},
      {"scheme 2", set([](World&, RecoverySet& s) { s.scheme = 2; }), kInvalid},
      {"gen 2 first", set([](World& w, RecoverySet& s) {
         s.gen = 2;
         w.realm.Acknowledge(s, {&w.second, &w.third, &w.other_admin});
       }),
       kInvalid},
      {"an older one wrapped in the first",
       set([](World&, RecoverySet& s) { s.rec_prev = Bytes(kRecoveryWrapSize); }), kInvalid},
      {"a key that is none", set([](World&, RecoverySet& s) { s.kems[kAlgX25519] = Bytes(32); }),
       kInvalid},
      {"a key that is a device's",
       set([](World& w, RecoverySet& s) { s.kems = w.second.device().keys().kems; }), kInvalid},
      {"k = 1", set([](World&, RecoverySet& s) { s.k = 1; }), kInvalid},
      {"k above n", set([](World&, RecoverySet& s) { s.k = 4; }), kInvalid},
      {"an index left out", set([](World&, RecoverySet& s) {
         auto node = s.shares.extract(2);
         node.key() = 3;
         s.shares.insert(std::move(node));
       }),
       kInvalid},
      {"an acknowledgement by another", set([](World& w, RecoverySet& s) {
         s.shares.at(0).ack = w.admin.device().signing_key().Sign(
             labels::kShareAck,
             ShareAckMessage(w.roster().realm(), s, 0, s.shares.at(0).share_commit));
       }),
       kInvalid},
      {"a device of another",
       set([](World& w, RecoverySet& s) { s.shares.at(0).device = w.admin.device().id(); }),
       kInvalid},
      {"a trustee who is no member", set([](World& w, RecoverySet& s) {
         w.realm.Acknowledge(s, {&w.second, &w.newcomer, &w.other_admin});
       }),
       kInvalid},
      {"a printed share", set([](World&, RecoverySet& s) {
         const auto commit = s.shares.at(2).share_commit;
         s.shares[2] = RecoveryShare();
         s.shares[2].share_commit = commit;
       }),
       kOk},
      {"a printed share with a hash", set([](World&, RecoverySet& s) {
         s.shares[2].member = {};
         s.shares[2].device = {};
         s.shares[2].ack = {};
       }),
       kInvalid},
      {"a printed share with a device", set([](World&, RecoverySet& s) {
         const auto commit = s.shares.at(2).share_commit;
         const auto device = s.shares.at(2).device;
         s.shares[2] = RecoveryShare();
         s.shares[2].share_commit = commit;
         s.shares[2].device = device;
       }),
       kInvalid},
      {"a printed share with an acknowledgement", set([](World&, RecoverySet& s) {
         const auto commit = s.shares.at(2).share_commit;
         const auto ack = s.shares.at(2).ack;
         s.shares[2] = RecoveryShare();
         s.shares[2].share_commit = commit;
         s.shares[2].ack = ack;
       }),
       kInvalid},
      {"a device of another, who acknowledged",
       set([](World& w, RecoverySet& s) { GiveTo(w, s, w.admin.device()); }), kInvalid},
      {"a device that was revoked",
       [](World& w) {
         w.realm.Revoke(w.owner, 1, 0);
         RecoverySet s = w.realm.RecoverySetOf(kRecoveryLive, 2, {&w.owner, &w.third});
         GiveTo(w, s, w.owner.devices[1]);
         return w.realm.Sign(w.owner, s);
       },
       kInvalid},
      {"fewer trustees than k", set([](World&, RecoverySet& s) {
         for (const std::uint8_t index : Bytes{1, 2}) {
           const auto commit = s.shares.at(index).share_commit;
           s.shares[index] = RecoveryShare();
           s.shares[index].share_commit = commit;
         }
       }),
       kInvalid},
      {"one trustee twice", set([](World& w, RecoverySet& s) {
         w.realm.Acknowledge(s, {&w.second, &w.second, &w.second});
       }),
       kInvalid},
      {"by an admin",
       [](World& w) {
         return w.realm.Sign(w.admin,
                             w.realm.RecoverySetOf(kRecoveryLive, 2, {&w.second, &w.third}));
       },
       kInvalid},
      {"a second gen that wraps the first",
       [](World& w) {
         w.SetRecovery();
         RecoverySet next = w.realm.RecoverySetOf(kRecoveryLive, 2, {&w.second, &w.third});
         next.rec_prev = Bytes(kRecoveryWrapSize);
         return w.realm.Sign(w.owner, next);
       },
       kOk},
  };
  Check(rows);

  World w;
  EXPECT_EQ(w.roster().RecAt(w.roster().head_seq()), 0u);
  w.SetRecovery();
  EXPECT_EQ(w.roster().RecAt(w.roster().head_seq()), 1u);
  EXPECT_EQ(w.roster().RecAt(w.roster().head_seq() - 1), 0u);
  EXPECT_EQ(w.roster().Rec2At(w.roster().head_seq()), 0u);
  w.SetRecovery(kRecoverySealed);
  EXPECT_EQ(w.roster().Rec2At(w.roster().head_seq()), 1u);

  // A trustee who left before it took effect.
  const base::Link link =
      w.Do(w.owner, w.realm.RecoverySetOf(kRecoveryLive, 2, {&w.second, &w.caseworker}));
  w.realm.Append(w.realm.SignByRoot(MemberRemove{w.caseworker.id, 1}));
  EXPECT_EQ(w.Try(w.second, Yes(link)), kInvalid);
}

TEST(Attack, Row51_ARecoveryIsForWhomItsRecipientSigned) {
  const auto request = [](const std::function<void(World&, RecoveryRequest&)>& change) {
    return [change](World& w) {
      w.SetRecovery();
      RecoveryRequest payload = w.realm.RequestOf(kRecoveryLive, w.coordinator, {kVault});
      change(w, payload);
      return w.realm.Sign(w.admin, payload);
    };
  };
  const Row rows[] = {
      {"good", request([](World&, RecoveryRequest&) {}), kOk},
      {"another key under the recipient's signature", request([](World& w, RecoveryRequest& r) {
         r.eph_kem_pk = w.newcomer.device().keys().kems.at(kAlgX25519);
       }),
       kInvalid},
      {"another recipient's signature",
       request([](World& w, RecoveryRequest& r) { w.realm.SignFor(r, w.caseworker); }), kInvalid},
      {"other vaults under the signature", request([](World&, RecoveryRequest& r) {
         r.vaults.insert(base::VaultId(std::array<std::uint8_t, 16>{8}));
       }),
       kInvalid},
      {"another's device", request([](World& w, RecoveryRequest& r) {
         r.recipient_device = w.caseworker.device().id();
         w.realm.SignFor(r, w.caseworker);
       }),
       kInvalid},
      {"a device that nobody has", request([](World& w, RecoveryRequest& r) {
         r.recipient_device = w.newcomer.device().id();
         w.realm.SignFor(r, w.newcomer);
       }),
       kInvalid},
      {"for its author", request([](World& w, RecoveryRequest& r) {
         r.recipient_member = w.admin.id;
         r.recipient_device = w.admin.device().id();
         w.realm.SignFor(r, w.admin);
       }),
       kInvalid},
      {"a key in use", request([](World& w, RecoveryRequest& r) {
         r.eph_kem_pk = w.admin.device().keys().kems.at(kAlgX25519);
         w.realm.SignFor(r, w.coordinator);
       }),
       kInvalid},
      {"a key of low order", request([](World& w, RecoveryRequest& r) {
         r.eph_kem_pk = Bytes(32);
         w.realm.SignFor(r, w.coordinator);
       }),
       kInvalid},
      {"a key of suite 2 in suite 1", request([](World& w, RecoveryRequest& r) {
         r.eph_kem_pk = Bytes(1216, 1);
         w.realm.SignFor(r, w.coordinator);
       }),
       kInvalid},
      {"no vault", request([](World& w, RecoveryRequest& r) {
         r.vaults.clear();
         w.realm.SignFor(r, w.coordinator);
       }),
       kInvalid},
      {"257 vaults", request([](World& w, RecoveryRequest& r) {
         for (int i = 0; i < 257; ++i) {
           r.vaults.insert(base::VaultId(std::array<std::uint8_t, 16>{
               2, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}));
         }
         w.realm.SignFor(r, w.coordinator);
       }),
       kInvalid},
      {"use 3", request([](World& w, RecoveryRequest& r) {
         r.use = 3;
         w.realm.SignFor(r, w.coordinator);
       }),
       kInvalid},
      {"another gen", request([](World& w, RecoveryRequest& r) {
         r.rec_gen = 2;
         w.realm.SignFor(r, w.coordinator);
       }),
       kInvalid},
      {"a use without a secret", request([](World& w, RecoveryRequest& r) {
         r.use = kRecoverySealed;
         w.realm.SignFor(r, w.coordinator);
       }),
       kInvalid},
      {"by an owner",
       [](World& w) {
         w.SetRecovery();
         return w.realm.Sign(w.owner, w.realm.RequestOf(kRecoveryLive, w.coordinator, {kVault}));
       },
       kInvalid},
      {"replayed",
       [](World& w) {
         w.SetRecovery();
         const RecoveryRequest payload = w.realm.RequestOf(kRecoveryLive, w.coordinator, {kVault});
         const base::Link link = w.Do(w.admin, payload);
         w.Do(w.second, Approve{link, 0, {}});
         w.Do(w.third, Approve{link, 1, {}});
         w.Do(w.admin, Close{link, 1});
         w.SetRecovery();
         return w.realm.Sign(w.admin, payload);
       },
       kInvalid},
  };
  Check(rows);

  // A suite 2 statement takes the key of suite 2.
  World w;
  w.SetRecovery();
  RecoveryRequest payload = w.realm.RequestOf(kRecoveryLive, w.coordinator, {kVault});
  const auto in_suite_2 = [&] {
    w.realm.SignFor(payload, w.coordinator);
    StatementHeader header = w.realm.Next(w.admin);
    header.suite = kSuite2;
    return w.Try(SignStatement(header, payload, w.admin.device().signing_key()));
  };
  EXPECT_EQ(in_suite_2(), kInvalid);
  payload.eph_kem_pk = Bytes(1216, 1);
  EXPECT_EQ(in_suite_2(), kOk);
}

TEST(Recovery, ARequestNeedsItsTrusteesAndSpendsTheSecret) {
  World w;
  w.SetRecovery();
  const base::Link link = w.Do(w.admin, w.realm.RequestOf(kRecoveryLive, w.coordinator, {kVault}));
  EXPECT_TRUE(w.Waits(link));
  EXPECT_EQ(w.Try(w.owner, Yes(link)), kInvalid);
  EXPECT_EQ(w.Try(w.second, Yes(link)), kInvalid);
  EXPECT_EQ(w.Try(w.second, Approve{link, 1, {}}), kInvalid);
  EXPECT_EQ(w.Try(w.second, Approve{link, 9, {}}), kInvalid);
  EXPECT_EQ(w.Try(w.coordinator, Approve{link, 0, {}}), kInvalid);
  w.Do(w.second, Approve{link, 0, {}});
  EXPECT_EQ(w.roster().requests().size(), 0u);
  EXPECT_EQ(w.Try(w.second, Approve{link, 0, {}}), kInvalid);
  w.Do(w.other_admin, Approve{link, 2, {}});
  ASSERT_EQ(w.roster().requests().size(), 1u);
  EXPECT_EQ(w.roster().requests()[0].link, link);
  EXPECT_EQ(w.roster().requests()[0].approvals.size(), 2u);
  EXPECT_EQ(w.roster().RecAt(w.roster().head_seq()), 0u);
  EXPECT_EQ(w.roster().RecAt(w.roster().head_seq() - 1), 1u);

  // It is open until an admin, or for a cancel its author or an owner, closes it.
  EXPECT_EQ(w.Try(w.coordinator, Close{link, 1}), kInvalid);
  EXPECT_EQ(w.Try(w.owner, Close{link, 1}), kInvalid);
  EXPECT_EQ(w.Try(w.other_admin, Close{link, 0}), kInvalid);
  EXPECT_EQ(w.Try(w.owner, Close{link, 0}), kOk);
  w.SetRecovery();
  const base::Link next = w.Do(w.admin, w.realm.RequestOf(kRecoveryLive, w.coordinator, {kVault}));
  w.Do(w.second, Approve{next, 0, {}});
  EXPECT_EQ(w.Try(w.third, Approve{next, 1, {}}), kInvalid);
  w.Do(w.other_admin, Close{link, 2});
  EXPECT_EQ(w.roster().requests()[0].closed_seq, w.roster().head_seq());
  EXPECT_EQ(w.Try(w.admin, Close{link, 1}), kInvalid);
  w.Do(w.third, Approve{next, 1, {}});
  EXPECT_EQ(w.roster().requests().size(), 2u);
}

TEST(Recovery, ARequestOfWhoIsOutIsGrantedByNobody) {
  World w;
  w.SetRecovery();
  const base::Link link = w.Do(w.admin, w.realm.RequestOf(kRecoveryLive, w.coordinator, {kVault}));
  w.Do(w.second, Approve{link, 0, {}});
  w.realm.DoByRoot(DeviceRevoke{w.admin.id, w.admin.device().id(), 1});
  EXPECT_EQ(w.roster().MissingSignatures(*w.roster().FindPending(link)), kNever);
  w.Do(w.third, Approve{link, 1, {}});
  EXPECT_TRUE(w.roster().requests().empty());
  EXPECT_TRUE(w.Waits(link));
}

TEST(Recovery, ANewSecretVoidsARequestOfTheOld) {
  World w;
  w.SetRecovery();
  w.SetRecovery(kRecoverySealed);
  const base::Link live = w.Do(w.admin, w.realm.RequestOf(kRecoveryLive, w.coordinator, {kVault}));
  const base::Link sealed =
      w.Do(w.admin, w.realm.RequestOf(kRecoverySealed, w.coordinator, {kVault}));
  w.SetRecovery();
  EXPECT_FALSE(w.Waits(live));
  EXPECT_TRUE(w.Waits(sealed));
}

TEST(Recovery, ANeededTrusteeIsRemovedByOwners) {
  World w;
  w.realm.AppendApproved(w.owner,
                         w.realm.RecoverySetOf(kRecoveryLive, 2, {&w.caseworker, &w.coordinator}),
                         {&w.second});
  const MemberRemove remove{w.caseworker.id, 2};
  EXPECT_EQ(w.Try(w.admin, remove), kInvalid);
  const base::Link link = w.Do(w.owner, remove);
  EXPECT_EQ(w.Try(w.admin, Yes(link)), kInvalid);
  EXPECT_EQ(w.Try(w.second, Yes(link)), kOk);
  // To leave needs nobody, and somebody who holds no share is removed by two granters.
  EXPECT_EQ(w.Try(w.caseworker, MemberRemove{w.caseworker.id, 1}), kOk);
  const base::Link other = w.Do(w.admin, MemberRemove{w.other_admin.id, 2});
  EXPECT_EQ(w.Try(w.second, Yes(other)), kOk);
  // Once it is spent the shares bind nobody.
  const base::Link asked = w.Do(w.admin, w.realm.RequestOf(kRecoveryLive, w.second, {kVault}));
  w.Do(w.caseworker, Approve{asked, 0, {}});
  w.Do(w.coordinator, Approve{asked, 1, {}});
  EXPECT_EQ(w.Try(w.admin, remove), kOk);
}

TEST(RootRotate, IsByTheRootOrOwnersAndTrustees) {
  const auto key = *crypto::SigningKey::FromSeed(support::KeyOf(Bytes(32, 9)));
  const Row rows[] = {
      {"by the root", [&](World& w) { return w.realm.SignByRoot(w.realm.RootRotateTo(key)); }, kOk},
      {"without the new key's proof",
       [&](World& w) {
         RootRotate rotate = w.realm.RootRotateTo(key);
         rotate.pop = w.owner.device().signing_key().Sign(labels::kRosterPop,
                                                          PopMessage(w.roster().realm(), rotate));
         return w.realm.SignByRoot(rotate);
       },
       kInvalid},
      {"to a device's key",
       [&](World& w) {
         return w.realm.SignByRoot(w.realm.RootRotateTo(w.owner.device().signing_key()));
       },
       kInvalid},
      {"to itself",
       [&](World& w) { return w.realm.SignByRoot(w.realm.RootRotateTo(w.realm.root())); },
       kInvalid},
      {"by a caseworker",
       [&](World& w) { return w.realm.Sign(w.caseworker, w.realm.RootRotateTo(key)); }, kInvalid},
  };
  Check(rows);

  World w;
  const std::uint64_t before = w.roster().head_seq();
  w.realm.Append(w.realm.SignByRoot(w.realm.RootRotateTo(key)));
  EXPECT_EQ(w.roster().root_pk(), key.public_key());
  EXPECT_EQ(w.roster().RootPkAt(before), w.realm.root().public_key());
  EXPECT_EQ(w.Try(w.realm.SignByRoot(MemberRemove{w.caseworker.id, 1})), "E_SIG");
  EXPECT_EQ(w.Try(SignStatement(w.realm.NextByRoot(), MemberRemove{w.caseworker.id, 1}, key)), kOk);
}

TEST(RootRotate, IfTheRootIsLostNobodyCountsAsBoth) {
  const auto key = *crypto::SigningKey::FromSeed(support::KeyOf(Bytes(32, 9)));
  World w;
  // The second and third owner hold shares, the first does not.
  w.SetRecovery();
  const base::Link link = w.Do(w.owner, w.realm.RootRotateTo(key));
  EXPECT_EQ(w.Try(w.admin, Yes(link)), kInvalid);
  w.Approved(w.second, link);
  w.Approved(w.third, link);
  // Three owners, two of them trustees, are two owners and one trustee.
  EXPECT_TRUE(w.Waits(link));
  w.Approved(w.other_admin, link);
  EXPECT_FALSE(w.Waits(link));
  EXPECT_EQ(w.roster().root_pk(), key.public_key());

  // Without a secret that is not spent it never comes to that.
  World v;
  const base::Link none = v.Do(v.owner, v.realm.RootRotateTo(key));
  v.Approved(v.second, none);
  v.Approved(v.third, none);
  EXPECT_TRUE(v.Waits(none));
}

TEST(Attack, Row61_NoKeyOfLowOrderEntersByALaterStatement) {
  for (const auto& [name, low] : LowOrderKeys()) {
    SCOPED_TRACE(name);
    World w;
    w.SetRecovery();
    DeviceAdd add = w.realm.DeviceAddOf(w.owner, w.newcomer.device()).payload;
    add.device.kems[kAlgX25519] = low;
    w.realm.Prove(add, w.newcomer.device());
    EXPECT_EQ(w.Try(w.owner, add), kInvalid);
    RecoverySet set = w.realm.RecoverySetOf(kRecoveryLive, 2, {&w.second, &w.third});
    set.kems[kAlgX25519] = low;
    EXPECT_EQ(w.Try(w.owner, set), kInvalid);
    RecoveryRequest request = w.realm.RequestOf(kRecoveryLive, w.coordinator, {kVault});
    request.eph_kem_pk = low;
    w.realm.SignFor(request, w.coordinator);
    EXPECT_EQ(w.Try(w.admin, request), kInvalid);
  }
}

}  // namespace
}  // namespace godwit::protocol
