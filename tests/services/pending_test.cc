// Statements that wait, at the service: what they end, they end where they take effect.
#include <gtest/gtest.h>

#include <utility>

#include "crypto/random.h"
#include "protocol/statement.h"
#include "services/realm/admission.h"
#include "tests/services/fixture.h"
#include "tests/support/keys.h"

namespace godwit::realm {
namespace {

using protocol::Approve;
using protocol::Close;
using protocol::Compartment;
using protocol::kNoShare;
using support::Founder;
using support::Person;
using support::TestRealm;

constexpr std::uint64_t kMsPerDay = 86'400'000;

// A realm whose thresholds are two, with an engine that has all of it.
class PendingAdmission : public testing::Test {
 protected:
  explicit PendingAdmission(EngineConfig config = {}) : to_(Compartment::kCases, config) {
    // The builder's statements are dated from the beginning of time.
    to_.clock->now_ms = 100'000;
    for (std::size_t i = 0; i < 3; ++i) realm_.RotatePuk(realm_.person(i));
    Sync(to_, realm_);
  }

  std::string Send(const Person& by, const std::vector<StatementUpload>& uploads,
                   std::size_t device = 0) {
    return CodeOf(to_.engine.AppendStatements(CallerOf(by, device), uploads));
  }
  // Sends a statement that the realm has taken.
  std::string SendLast(const Person& by) { return Send(by, {{realm_.statements().back(), {}}}); }
  void ExpectRefused(const Person& by, const std::vector<StatementUpload>& uploads,
                     const std::string& code) {
    const std::string before = Contents(*to_.postgres);
    EXPECT_EQ(Send(by, uploads), code);
    EXPECT_EQ(Contents(*to_.postgres), before);
  }
  base::Bytes Approval(const Person& by, const base::Link& target) {
    return realm_.Sign(by, Approve{target, kNoShare, {}});
  }
  std::uint64_t Rows(const char* table, const char* column, base::ByteSpan id) {
    return Number(*to_.postgres, std::string("SELECT count(*) FROM ") + table + " WHERE " + column +
                                     " = '\\x" + base::ToHex(id) + "'");
  }
  std::uint64_t BoxesOf(const base::DeviceId& device) {
    return Rows("puk_box", "device_id", device.bytes());
  }
  void NeedAdminForDevices() {
    protocol::Policy policy = realm_.roster().policy();
    ++policy.gen;
    policy.flags |= protocol::Policy::kDeviceAddNeedsAdmin;
    realm_.Approve(second_, realm_.Do(owner_, protocol::PolicySet{policy}));
    Sync(to_, realm_);
  }
  // A member with two devices, of which the first is listed.
  Person& Member() {
    Person& person = realm_.Stranger(2);
    realm_.DoByRoot(realm_.AddOf(person, protocol::kCoordinator));
    realm_.RotatePuk(person);
    Sync(to_, realm_);
    return person;
  }
  StatementUpload UploadOfAddition(const base::Bytes& statement, const Person& person,
                                   const TestRealm::DeviceAddition& addition) {
    return {statement, {{person.devices[1].id(), addition.box}}};
  }

  TestRealm realm_{Compartment::kCases,
                   {Founder{}, Founder{}, Founder{protocol::kAdmin, 1}},
                   TestRealm::ThresholdsOfTwo()};
  Person& owner_ = realm_.person(0);
  Person& second_ = realm_.person(1);
  Person& admin_ = realm_.person(2);
  TestEngine to_;
};

TEST_F(PendingAdmission, ARemovalEndsBoxesAndSessionsWhereItTakesEffect) {
  Person& leaver = Member();
  Person& stays = Member();
  support::TestVault vault(realm_, protocol::Kind::kScreening, stays,
                           {{&stays, protocol::kFull}, {&leaver, protocol::kFull}});
  ASSERT_EQ(CodeOf(Append(to_.engine, CallerOf(stays), UploadOf(vault))), "OK");
  const auto session = to_.postgres->Sql(
      "INSERT INTO session SELECT realm_id, decode(repeat('01', 32), 'hex'), '\\x" +
      base::ToHex(leaver.id.bytes()) + "', '\\x" + base::ToHex(leaver.device().id().bytes()) +
      "', 9000000000000 FROM realm RETURNING 1");
  ASSERT_EQ(session.size(), 1u);
  const auto link = realm_.Do(admin_, protocol::MemberRemove{leaver.id, 1});
  ASSERT_EQ(SendLast(admin_), "OK");
  EXPECT_EQ(Rows("box", "member_id", leaver.id.bytes()), 1u);
  EXPECT_EQ(BoxesOf(leaver.device().id()), 1u);
  EXPECT_EQ(Rows("session", "member_id", leaver.id.bytes()), 1u);
  EXPECT_EQ(CodeOf(to_.engine.FetchPukBoxes(CallerOf(leaver), 1)), "OK");

  realm_.Approve(owner_, link);
  ASSERT_EQ(SendLast(owner_), "OK");
  EXPECT_EQ(Rows("box", "member_id", leaver.id.bytes()), 0u);
  EXPECT_EQ(BoxesOf(leaver.device().id()), 0u);
  EXPECT_EQ(Rows("session", "member_id", leaver.id.bytes()), 0u);
  EXPECT_EQ(CodeOf(to_.engine.FetchPukBoxes(CallerOf(leaver), 1)), "UNAUTHENTICATED");
  EXPECT_EQ(Rows("box", "member_id", stays.id.bytes()), 1u);
  EXPECT_EQ(BoxesOf(stays.device().id()), 1u);
}

TEST_F(PendingAdmission, ADeviceComesWithTheBoxOfThePukAndNoOther) {
  Person& person = Member();
  const auto addition = realm_.DeviceAddOf(person, person.devices[1]);
  const base::Bytes statement = realm_.Sign(person, addition.payload);
  const StatementUpload good = UploadOfAddition(statement, person, addition);
  StatementUpload bent = good;
  bent.boxes.clear();
  ExpectRefused(person, {bent}, "INVALID_ARGUMENT");
  base::Bytes other = addition.box;
  other[0] ^= 1;
  bent.boxes = {{person.devices[1].id(), other}};
  ExpectRefused(person, {bent}, "INVALID_ARGUMENT");
  bent = good;
  bent.boxes.push_back(good.boxes[0]);
  ExpectRefused(person, {bent}, "INVALID_ARGUMENT");
  bent.boxes = {{person.device().id(), addition.box}};
  ExpectRefused(person, {bent}, "INVALID_ARGUMENT");

  EXPECT_EQ(CodeOf(to_.engine.FetchPukBoxes(CallerOf(person, 1), 1)), "UNAUTHENTICATED");
  ASSERT_EQ(Send(person, {good}), "OK");
  realm_.Append(statement);
  const auto boxes = to_.engine.FetchPukBoxes(CallerOf(person, 1), 1);
  ASSERT_TRUE(boxes);
  ASSERT_EQ(boxes->size(), 1u);
  EXPECT_EQ(boxes->front().gen, 1u);
  EXPECT_EQ(boxes->front().box, addition.box);
  // The device is one like any other: it makes the next PUK.
  realm_.RotatePuk(person, 1);
  Sync(to_, realm_);
  EXPECT_EQ(BoxesOf(person.devices[1].id()), 2u);
}

TEST_F(PendingAdmission, ADeviceWithoutAPukBringsNoBox) {
  Person& person = realm_.Stranger(2);
  realm_.DoByRoot(realm_.AddOf(person, protocol::kCoordinator));
  Sync(to_, realm_);
  const auto addition = realm_.DeviceAddOf(person, person.devices[1]);
  const base::Bytes statement = realm_.Sign(person, addition.payload);
  const base::Bytes box(80);
  ExpectRefused(person, {{statement, {{person.devices[1].id(), box}}}}, "INVALID_ARGUMENT");
  EXPECT_EQ(Send(person, {{statement, {}}}), "OK");
}

TEST_F(PendingAdmission, ADeviceThatWaitsReadsNothingUntilItIsApproved) {
  NeedAdminForDevices();
  Person& person = Member();
  const auto addition = realm_.DeviceAddOf(person, person.devices[1]);
  const auto link = realm_.Do(person, addition.payload);
  ASSERT_EQ(Send(person, {UploadOfAddition(realm_.statements().back(), person, addition)}), "OK");
  EXPECT_EQ(CodeOf(to_.engine.FetchPukBoxes(CallerOf(person, 1), 1)), "UNAUTHENTICATED");
  realm_.Approve(admin_, link);
  ASSERT_EQ(SendLast(admin_), "OK");
  const auto boxes = to_.engine.FetchPukBoxes(CallerOf(person, 1), 1);
  ASSERT_TRUE(boxes);
  ASSERT_EQ(boxes->size(), 1u);
  EXPECT_EQ(boxes->front().box, addition.box);
}

TEST_F(PendingAdmission, TheBoxOfADeviceGoesWhereItsAdditionIsGivenUp) {
  NeedAdminForDevices();
  Person& person = Member();
  const auto device = person.devices[1].id();
  const auto addition = realm_.DeviceAddOf(person, person.devices[1]);
  const auto add = [&] {
    const auto link = realm_.Do(person, addition.payload);
    return std::pair(link, UploadOfAddition(realm_.statements().back(), person, addition));
  };
  const auto give_up = [&](const base::Link& link) {
    realm_.Do(person, Close{link, 0});
    return StatementUpload{realm_.statements().back(), {}};
  };
  auto [first, upload] = add();
  ASSERT_EQ(Send(person, {upload}), "OK");
  EXPECT_EQ(BoxesOf(device), 1u);
  ASSERT_EQ(Send(person, {give_up(first)}), "OK");
  EXPECT_EQ(BoxesOf(device), 0u);
  // In one call: given up at once, and then given up for another try.
  const auto [second, again] = add();
  const base::Bytes second_statement = realm_.statements().back();
  const auto end = give_up(second);
  const base::Bytes end_statement = realm_.statements().back();
  ASSERT_EQ(Send(person, {{second_statement, again.boxes}, {end_statement, {}}}), "OK");
  EXPECT_EQ(BoxesOf(device), 0u);
  const auto [third, waits] = add();
  ASSERT_EQ(Send(person, {{realm_.statements().back(), waits.boxes}}), "OK");
  give_up(third);
  const base::Bytes third_end = realm_.statements().back();
  const auto [fourth, last] = add();
  ASSERT_EQ(Send(person, {{third_end, {}}, {realm_.statements().back(), last.boxes}}), "OK");
  EXPECT_EQ(BoxesOf(device), 1u);
  // And all of that in one call.
  to_.clock->now_ms += kMsPerDay;
  give_up(fourth);
  const base::Bytes fourth_end = realm_.statements().back();
  add();
  const base::Bytes fifth_statement = realm_.statements().back();
  give_up(realm_.roster().head());
  const base::Bytes fifth_end = realm_.statements().back();
  const auto [sixth, kept] = add();
  ASSERT_EQ(Send(person, {{fourth_end, {}},
                          {fifth_statement, last.boxes},
                          {fifth_end, {}},
                          {realm_.statements().back(), kept.boxes}}),
            "OK");
  EXPECT_EQ(BoxesOf(device), 1u);
  // A revoke of another device is no matter of it.
  realm_.Approve(owner_, sixth);
  ASSERT_EQ(SendLast(owner_), "OK");
  EXPECT_EQ(BoxesOf(device), 1u);
  EXPECT_EQ(BoxesOf(person.device().id()), 1u);
}

TEST_F(PendingAdmission, ABoxForADeviceThatTheSameCallRevokesIsNotKept) {
  Person& person = Member();
  const auto addition = realm_.DeviceAddOf(person, person.devices[1]);
  realm_.Do(person, addition.payload);
  const auto add = UploadOfAddition(realm_.statements().back(), person, addition);
  const base::Bytes add_statement = realm_.statements().back();
  realm_.Revoke(person, 1, 0);
  ASSERT_EQ(Send(person, {{add_statement, add.boxes}, {realm_.statements().back(), {}}}), "OK");
  EXPECT_EQ(BoxesOf(person.devices[1].id()), 0u);
}

class FewDevices : public PendingAdmission {
 protected:
  FewDevices() : PendingAdmission(Config()) {}
  static EngineConfig Config() {
    EngineConfig config;
    config.quotas.device_add_per_day = 1;
    config.quotas.revokes_of_others_per_day = 1;
    return config;
  }
};

TEST_F(FewDevices, AreAddedADay) {
  Person& person = realm_.Stranger(3);
  realm_.DoByRoot(realm_.AddOf(person, protocol::kCoordinator));
  Sync(to_, realm_);
  realm_.Do(person, realm_.DeviceAddOf(person, person.devices[1]).payload);
  ASSERT_EQ(SendLast(person), "OK");
  realm_.Do(person, realm_.DeviceAddOf(person, person.devices[2]).payload);
  ExpectRefused(person, {{realm_.statements().back(), {}}}, "RATE_LIMITED");
  to_.clock->now_ms += kMsPerDay;
  EXPECT_EQ(SendLast(person), "OK");
}

// What the root revokes is nobody's quota.
TEST_F(FewDevices, TheRootRevokesAsManyAsItMust) {
  for (int i = 0; i < 2; ++i) {
    realm_.RevokeByRoot(Member(), 0);
    ASSERT_EQ(SendLast(owner_), "OK");
  }
}

TEST_F(PendingAdmission, AStatementIsApprovedWithinThirtyDays) {
  Person& stranger = realm_.Stranger();
  const auto link = realm_.Do(admin_, realm_.AddOf(stranger, protocol::kCaseworker));
  ASSERT_EQ(SendLast(admin_), "OK");
  const std::uint64_t made_ms = realm_.roster().pending().front().time_ms;
  const base::Bytes approval = Approval(owner_, link);
  to_.clock->now_ms = made_ms + 30 * kMsPerDay + 1;
  ExpectRefused(owner_, {{approval, {}}}, "INVALID_ARGUMENT");
  to_.clock->now_ms = made_ms + 30 * kMsPerDay;
  EXPECT_EQ(Send(owner_, {{approval, {}}}), "OK");
}

TEST_F(PendingAdmission, WhatWaitsIsNotDatedAhead) {
  const auto dated = [&](const protocol::StatementPayload& payload, std::uint64_t time_ms) {
    auto header = realm_.Next(admin_);
    header.time_ms = time_ms;
    return protocol::SignStatement(header, payload, admin_.device().signing_key());
  };
  Person& stranger = realm_.Stranger();
  const auto add = realm_.AddOf(stranger, protocol::kCaseworker);
  const std::uint64_t limit_ms = to_.clock->now_ms + kMsPerDay;
  ExpectRefused(admin_, {{dated(add, limit_ms + 1), {}}}, "INVALID_ARGUMENT");
  EXPECT_EQ(Send(admin_, {{dated(add, limit_ms), {}}}), "OK");
  // What takes effect at once may be: a clock that runs wrong stands in no revocation's way.
  realm_.Append(dated(add, limit_ms));
  const protocol::MemberRemove leave{admin_.id, 1};
  EXPECT_EQ(Send(admin_, {{dated(leave, limit_ms + 1), {}}}), "OK");
}

TEST_F(PendingAdmission, AStatementOfAnEarlierRootIsStillAnsweredAfterANewOne) {
  realm_.DoByRoot(protocol::RoleSet{admin_.id, protocol::kAuditor});
  const base::Bytes old = realm_.statements().back();
  ASSERT_EQ(SendLast(owner_), "OK");
  auto root = support::Must(crypto::SigningKey::FromSeed(support::KeyOf(realm_.Fresh())));
  realm_.DoByRoot(realm_.RootRotateTo(root));
  const base::Bytes rotation = realm_.statements().back();
  ASSERT_EQ(SendLast(owner_), "OK");
  const auto header = support::Must(protocol::ReadStatement(old)).header;
  const protocol::RoleSet payload{admin_.id, protocol::kAuditor};
  realm_.SetRoot(std::move(root));
  // The new key does not sign for the old one's time.
  const base::Bytes forged = protocol::SignStatement(header, payload, realm_.root());
  ExpectRefused(owner_, {{forged, {}}}, "E_SIG");
  EXPECT_EQ(Send(owner_, {{old, {}}}), "OK");
  EXPECT_EQ(Send(owner_, {{rotation, {}}}), "OK");
  realm_.DoByRoot(protocol::MemberRemove{admin_.id, 1});
  const base::Bytes newest = realm_.statements().back();
  ASSERT_EQ(SendLast(owner_), "OK");
  EXPECT_EQ(Send(owner_, {{old, {}}, {rotation, {}}, {newest, {}}}), "OK");
}

TEST_F(PendingAdmission, RecoveriesAreRefusedAfterTheirVerdict) {
  const Person& trustee = Member();
  const auto set = realm_.RecoverySetOf(protocol::kRecoveryLive, 2, {&trustee, &admin_});
  ExpectRefused(owner_, {{realm_.Sign(owner_, set), {}}}, "E_UNSUPPORTED");
  auto wrong = set;
  wrong.k = 1;
  ExpectRefused(owner_, {{realm_.Sign(owner_, wrong), {}}}, "E_ROSTER_INVALID");
  // A realm that came by one in another way asks for it in vain.
  realm_.Approve(second_, realm_.Do(owner_, set));
  const base::Bytes request = realm_.Sign(
      admin_,
      realm_.RequestOf(protocol::kRecoveryLive, trustee, {crypto::RandomId<base::VaultId>()}));
  EXPECT_EQ(CodeOf(AdmitStatements(realm_.roster(), CallerOf(admin_), {{request, {}}}, {},
                                   to_.clock->now_ms)),
            "E_UNSUPPORTED");
}

}  // namespace
}  // namespace godwit::realm
