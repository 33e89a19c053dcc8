#include <gtest/gtest.h>

#include <utility>

#include "protocol/statement.h"
#include "tests/services/fixture.h"

namespace godwit::realm {
namespace {

using protocol::Compartment;
using support::Founder;
using support::Person;
using support::TestRealm;

// Sends statements that `realm` already took, by their author.
std::string Send(TestEngine& to, const TestRealm& realm, const server::Caller& caller,
                 std::size_t from) {
  std::vector<StatementUpload> uploads;
  for (std::size_t i = from; i < realm.statements().size(); ++i) {
    uploads.push_back(UploadOf(realm, realm.statements()[i]));
  }
  return CodeOf(to.engine.AppendStatements(caller, uploads));
}

// Expects a refusal that changes no row.
void ExpectRefused(TestEngine& to, const server::Caller& caller,
                   const std::vector<StatementUpload>& uploads, const std::string& code) {
  const std::string before = Contents(*to.postgres);
  EXPECT_EQ(CodeOf(to.engine.AppendStatements(caller, uploads)), code);
  EXPECT_EQ(Contents(*to.postgres), before);
}

TEST(RealmCreation, NeedsTheClaimOnce) {
  TestRealm realm(Compartment::kCases);
  TestEngine to;
  const base::Bytes& genesis = realm.statements()[0];
  const std::string before = Contents(*to.postgres);
  EXPECT_EQ(CodeOf(to.engine.CreateRealm(base::Bytes(32), genesis)), "PERMISSION_DENIED");
  EXPECT_EQ(CodeOf(to.engine.CreateRealm(to.claim, base::Bytes(100))), "E_SIG");
  EXPECT_EQ(Contents(*to.postgres), before);
  EXPECT_EQ(CodeOf(to.engine.CreateRealm(to.claim, genesis)), "OK");
  EXPECT_EQ(Number(*to.postgres, "SELECT count(*) FROM genesis_claim"), 0u);
  EXPECT_EQ(Number(*to.postgres, "SELECT count(*) FROM leaf WHERE leaf_type = 1"), 1u);
  // The same bytes again, as after a lost answer; another GENESIS never.
  EXPECT_EQ(CodeOf(to.engine.CreateRealm(to.claim, genesis)), "OK");
  TestRealm other(Compartment::kCases, {Founder{}}, "other");
  EXPECT_EQ(CodeOf(to.engine.CreateRealm(to.claim, other.statements()[0])), "EXISTS");
}

TEST(RealmCreation, IsOfTheServicesCompartment) {
  TestRealm realm(Compartment::kJourneys);
  TestEngine to(Compartment::kCases);
  const std::string before = Contents(*to.postgres);
  EXPECT_EQ(CodeOf(to.engine.CreateRealm(to.claim, realm.statements()[0])), "E_ROSTER_INVALID");
  EXPECT_EQ(Contents(*to.postgres), before);
}

TEST(RosterAppend, TakesAllStatementsOfACallOrNone) {
  TestRealm realm(Compartment::kCases);
  TestEngine to;
  Sync(to, realm);
  const Person& owner = realm.person(0);
  const std::size_t from = realm.statements().size();
  realm.Add(protocol::kCoordinator);  // MEMBER_ADD by root, PUK_ROTATE by the newcomer
  // The owner sends the root's statement; the second is not the owner's to send.
  const std::string before = Contents(*to.postgres);
  EXPECT_EQ(Send(to, realm, CallerOf(owner), from), "PERMISSION_DENIED");
  EXPECT_EQ(Contents(*to.postgres), before);
  Sync(to, realm);
  EXPECT_EQ(Number(*to.postgres, "SELECT head_seq FROM realm"), realm.roster().head_seq());
  EXPECT_EQ(Number(*to.postgres, "SELECT count(*) FROM leaf"), realm.roster().size());
}

TEST(RosterAppend, TheSameBytesAgainAreAnsweredTheSame) {
  TestRealm realm(Compartment::kCases);
  TestEngine to;
  Sync(to, realm);
  const Person& owner = realm.person(0);
  const std::size_t from = realm.statements().size();
  realm.RotatePuk(realm.person(0));
  EXPECT_EQ(Send(to, realm, CallerOf(owner), from), "OK");
  const std::string before = Contents(*to.postgres);
  EXPECT_EQ(Send(to, realm, CallerOf(owner), from), "OK");
  EXPECT_EQ(Contents(*to.postgres), before);
}

TEST(RosterAppend, OtherBytesAtAPlaceConflict) {
  TestRealm realm(Compartment::kCases);
  TestRealm twin(Compartment::kCases);  // the same keys
  TestEngine to;
  Sync(to, realm);
  const auto rotation = twin.RotationOf(twin.person(0));
  const base::Bytes statement = twin.Sign(twin.person(0), rotation.payload);
  realm.RotatePuk(realm.person(0));
  Sync(to, realm);
  StatementUpload other{statement, {}};
  for (const auto& [device, box] : rotation.boxes) other.boxes.push_back({device, box});
  auto header = support::Must(protocol::ReadStatement(statement)).header;
  header.time_ms += 1;
  const base::Bytes later =
      protocol::SignStatement(header, rotation.payload, twin.person(0).device().signing_key());
  other.statement = later;
  ExpectRefused(to, CallerOf(realm.person(0)), {other}, "CONFLICT");
  base::Bytes forged = later;
  forged.back() ^= 1;
  other.statement = forged;
  ExpectRefused(to, CallerOf(realm.person(0)), {other}, "E_SIG");
}

TEST(RosterAppend, OfTheRootIsForAnOwnerToSend) {
  TestRealm realm(Compartment::kCases);
  const Person& coordinator = realm.Add(protocol::kCoordinator);
  TestEngine to;
  Sync(to, realm);
  realm.AddWithoutPuk(protocol::kAuditor);
  const StatementUpload upload{realm.statements().back(), {}};
  ExpectRefused(to, CallerOf(coordinator), {upload}, "PERMISSION_DENIED");
  EXPECT_EQ(CodeOf(to.engine.AppendStatements(CallerOf(realm.person(0)), {upload})), "OK");
}

TEST(RosterAppend, ANewPukComesWithEveryListedBoxAndNoOther) {
  TestRealm realm(Compartment::kCases, {Founder{protocol::kOwner, 2}});
  TestEngine to;
  Sync(to, realm);
  const Person& owner = realm.person(0);
  const auto rotation = realm.RotationOf(owner);
  const base::Bytes statement = realm.Sign(owner, rotation.payload);
  StatementUpload good{statement, {}};
  for (const auto& [device, box] : rotation.boxes) good.boxes.push_back({device, box});
  const server::Caller caller = CallerOf(owner);

  StatementUpload missing = good;
  missing.boxes.pop_back();
  ExpectRefused(to, caller, {missing}, "INVALID_ARGUMENT");
  StatementUpload swapped = good;
  std::swap(swapped.boxes[0].box, swapped.boxes[1].box);
  ExpectRefused(to, caller, {swapped}, "INVALID_ARGUMENT");
  StatementUpload twice = good;
  twice.boxes.push_back(good.boxes[0]);
  ExpectRefused(to, caller, {twice}, "INVALID_ARGUMENT");
  StatementUpload foreign = good;
  foreign.boxes[0].device = base::DeviceId(std::array<std::uint8_t, 16>{1});
  ExpectRefused(to, caller, {foreign}, "INVALID_ARGUMENT");
  EXPECT_EQ(CodeOf(to.engine.AppendStatements(caller, {good})), "OK");
  EXPECT_EQ(Number(*to.postgres, "SELECT count(*) FROM puk_box WHERE gen = 2"), 2u);
  const auto boxes = to.engine.FetchPukBoxes(caller, 2);
  ASSERT_TRUE(boxes);
  ASSERT_EQ(boxes->size(), 1u);
  EXPECT_EQ(boxes->front().box, rotation.boxes.at(caller.device));
}

TEST(RosterAppend, OfAStatementWithoutBoxesTakesNone) {
  TestRealm realm(Compartment::kCases);
  TestEngine to;
  Sync(to, realm);
  realm.AddWithoutPuk(protocol::kAuditor);
  const base::Bytes box(80);
  const StatementUpload upload{realm.statements().back(), {{realm.person(0).device().id(), box}}};
  ExpectRefused(to, CallerOf(realm.person(0)), {upload}, "INVALID_ARGUMENT");
}

TEST(RosterAppend, EndsBoxesAndSessionsWithTheDeviceOrMember) {
  TestRealm realm(Compartment::kCases, {Founder{protocol::kOwner, 2}});
  Person& coordinator = realm.Add(protocol::kCoordinator);
  Person& other = realm.Add(protocol::kCoordinator);
  TestEngine to;
  Sync(to, realm);
  support::TestVault vault(realm, protocol::Kind::kScreening, coordinator,
                           {{&coordinator, protocol::kFull}, {&other, protocol::kFull}});
  ASSERT_EQ(CodeOf(Append(to.engine, CallerOf(coordinator), UploadOf(vault))), "OK");
  const auto boxes_of = [&](const char* table, const Person& person) {
    return Number(*to.postgres, std::string("SELECT count(*) FROM ") + table +
                                    " WHERE member_id = '\\x" + base::ToHex(person.id.bytes()) +
                                    "'");
  };
  EXPECT_EQ(boxes_of("box", other), 1u);
  EXPECT_EQ(boxes_of("puk_box", other), 1u);
  realm.Remove(other);
  Sync(to, realm);
  EXPECT_EQ(boxes_of("box", other), 0u);
  EXPECT_EQ(boxes_of("puk_box", other), 0u);
  EXPECT_EQ(boxes_of("box", coordinator), 1u);
  realm.Revoke(realm.person(0), 1, 0);
  Sync(to, realm);
  EXPECT_EQ(boxes_of("puk_box", realm.person(0)), 1u);
}

TEST(RosterAppend, CountsNewPuksAndForgivesStaleOnes) {
  EngineConfig config;
  config.quotas.puk_rotate_per_day = 2;
  TestRealm realm(Compartment::kCases, {Founder{protocol::kOwner, 2}});
  TestEngine to(Compartment::kCases, config);
  Sync(to, realm);  // one
  realm.RotatePuk(realm.person(0));
  Sync(to, realm);  // two
  realm.RotatePuk(realm.person(0));
  const server::Caller caller = CallerOf(realm.person(0));
  ExpectRefused(to, caller, {UploadOf(realm, realm.statements().back())}, "RATE_LIMITED");
  to.clock->now_ms += 86'400'000;
  Sync(to, realm);
  realm.Revoke(realm.person(0), 1, 0);
  realm.RotatePuk(realm.person(0));
  realm.RotatePuk(realm.person(0));
  Sync(to, realm);  // the first of these was due
}

TEST(RosterAppend, CountsRevocationsOfOthers) {
  EngineConfig config;
  config.quotas.revokes_of_others_per_day = 1;
  TestRealm realm(Compartment::kCases);
  Person& admin = realm.Add(protocol::kAdmin);
  Person& first = realm.Add(protocol::kCoordinator);
  Person& second = realm.Add(protocol::kCoordinator);
  TestEngine to(Compartment::kCases, config);
  Sync(to, realm);
  const auto revoke = [&](const Person& person) {
    protocol::DeviceRevoke payload;
    payload.member = person.id;
    payload.device = person.device().id();
    payload.reason = 1;
    return realm.Sign(admin, payload);
  };
  realm.Append(revoke(first));
  EXPECT_EQ(CodeOf(to.engine.AppendStatements(CallerOf(admin), {{realm.statements().back(), {}}})),
            "OK");
  const base::Bytes another = revoke(second);
  ExpectRefused(to, CallerOf(admin), {{another, {}}}, "RATE_LIMITED");
}

TEST(RosterAppend, ByADeviceThatEndedIsRefused) {
  TestRealm realm(Compartment::kCases, {Founder{protocol::kOwner, 2}});
  TestEngine to;
  Sync(to, realm);
  realm.RotatePuk(realm.person(0), 1);
  const StatementUpload upload = UploadOf(realm, realm.statements().back());
  TestRealm twin(Compartment::kCases, {Founder{protocol::kOwner, 2}});
  twin.Revoke(twin.person(0), 1, 0);
  Sync(to, twin);
  ExpectRefused(to, CallerOf(realm.person(0), 1), {upload}, "UNAUTHENTICATED");
}

TEST(RosterCache, RefusesADatabaseOfAnotherCompartment) {
  TestRealm realm(Compartment::kCases);
  TestEngine to;
  Sync(to, realm);
  Engine other(to.database, Compartment::kIdentity, TestEngine::Spki(), {}, *to.clock);
  const auto status = other.CheckRealm();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), base::Code::kInvalidArgument);
}

TEST(RosterCache, RefusesAStoredRosterThatDoesNotVerify) {
  TestRealm realm(Compartment::kCases);
  TestEngine to;
  Sync(to, realm);
  to.postgres->Sql(
      "UPDATE statement SET bytes = set_byte(bytes, 100, 1 + get_byte(bytes, 100) % "
      "255) WHERE seq = 1");
  TestEngine second(to, {});
  EXPECT_EQ(CodeOf(second.engine.CheckRealm()), "INTERNAL");
}

}  // namespace
}  // namespace godwit::realm
