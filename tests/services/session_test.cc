#include <gtest/gtest.h>

#include "services/realm/sessions.h"
#include "tests/services/fixture.h"

namespace godwit::realm {
namespace {

using protocol::Compartment;
using support::TestRealm;

// A realm with an owner and a coordinator, whose AU a test bends.
class Session : public testing::Test {
 protected:
  Session() : coordinator_(realm_.Add(protocol::kCoordinator)) { Sync(first_, realm_); }

  storage::Nonce Nonce() { return support::Must(first_.engine.sessions().MakeNonce()); }
  base::Result<OpenedSession> Open(const protocol::SessionRequest& request) {
    return first_.engine.sessions().Open(
        protocol::SignSessionRequest(request, coordinator_.device().signing_key()));
  }
  base::Bytes Token() {
    return support::Must(Open(RequestOf(realm_, coordinator_, Nonce()))).token;
  }

  TestRealm realm_{Compartment::kCases};
  support::Person& coordinator_;
  TestEngine first_;
};

TEST_F(Session, OpensForAnActiveDevice) {
  const auto opened = Open(RequestOf(realm_, coordinator_, Nonce()));
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->seconds, 900u);
  EXPECT_LE(opened->token.size(), 256u);
  const auto caller = first_.engine.sessions().Authenticate(opened->token);
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->member, coordinator_.id);
  EXPECT_EQ(caller->device, coordinator_.device().id());
}

TEST_F(Session, ANonceIsGoodOnceOverAllReplicas) {
  TestEngine second(first_, {});
  const auto request = RequestOf(realm_, coordinator_, Nonce());
  const base::Bytes au = protocol::SignSessionRequest(request, coordinator_.device().signing_key());
  ASSERT_TRUE(second.engine.sessions().Open(au));
  EXPECT_EQ(CodeOf(first_.engine.sessions().Open(au)), "UNAUTHENTICATED");
  EXPECT_EQ(CodeOf(second.engine.sessions().Open(au)), "UNAUTHENTICATED");
}

TEST_F(Session, ANonceIsOverAfterSixtySeconds) {
  const storage::Nonce nonce = Nonce();
  const storage::Nonce late = Nonce();
  first_.clock->now_ms += 59'000;
  EXPECT_TRUE(Open(RequestOf(realm_, coordinator_, nonce)));
  first_.clock->now_ms += 2'000;
  EXPECT_EQ(CodeOf(Open(RequestOf(realm_, coordinator_, late))), "UNAUTHENTICATED");
}

// One text for all: whether a device exists is nobody's business.
TEST_F(Session, RefusesWhatDoesNotFitInOneVoice) {
  const support::Person& stranger = realm_.Stranger();
  struct Row {
    const char* name;
    void (*bend)(protocol::SessionRequest&);
  };
  const Row rows[] = {
      {"another certificate", [](auto& r) { r.spki = base::Sha256Hash(); }},
      {"another realm", [](auto& r) { r.realm = base::RealmId(); }},
      {"another service", [](auto& r) { r.service = protocol::SessionService::kAudit; }},
      {"a nonce never given", [](auto& r) { r.server_nonce[0] ^= 1; }},
      {"a device never listed", [](auto& r) { r.device = base::DeviceId(); }},
  };
  std::string text;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    auto request = RequestOf(realm_, coordinator_, Nonce());
    row.bend(request);
    const auto refused = Open(request);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), base::Code::kUnauthenticated);
    if (text.empty()) text = refused.error().message();
    EXPECT_EQ(text, refused.error().message());
  }
  const auto foreign = first_.engine.sessions().Open(protocol::SignSessionRequest(
      RequestOf(realm_, coordinator_, Nonce()), stranger.device().signing_key()));
  ASSERT_FALSE(foreign);
  EXPECT_EQ(text, foreign.error().message());
  EXPECT_EQ(Number(*first_.postgres, "SELECT count(*) FROM session"), 0u);
}

// Of a certificate that was renewed with a new key: whoever connected before it saw the old one.
TEST_F(Session, TheKeyBeforeIsAcceptedForAWhile) {
  auto& sessions = first_.engine.sessions();
  const auto opens = [&](const base::Sha256Hash& spki) {
    auto request = RequestOf(realm_, coordinator_, Nonce());
    request.spki = spki;
    return CodeOf(Open(request));
  };
  const auto key = [](std::uint8_t n) {
    std::array<std::uint8_t, 32> bytes{n};
    return base::Sha256Hash(bytes);
  };
  EXPECT_EQ(opens(key(1)), "UNAUTHENTICATED");
  sessions.Accept(key(1), 10'000);
  EXPECT_EQ(opens(key(1)), "OK");
  EXPECT_EQ(opens(TestEngine::Spki()), "OK");
  first_.clock->now_ms += 9'000;
  sessions.Accept(key(2), 10'000);
  EXPECT_EQ(opens(TestEngine::Spki()), "OK");
  first_.clock->now_ms += 2'000;
  EXPECT_EQ(opens(TestEngine::Spki()), "UNAUTHENTICATED");
  EXPECT_EQ(opens(key(1)), "OK");
  // The same one again shortens nothing; one that comes back is for good.
  sessions.Accept(key(2), 1);
  EXPECT_EQ(opens(key(1)), "OK");
  sessions.Accept(key(1), 10'000);
  first_.clock->now_ms += 11'000;
  EXPECT_EQ(opens(key(1)), "OK");
  EXPECT_EQ(opens(key(2)), "UNAUTHENTICATED");
}

TEST_F(Session, RefusesBytesThatAreNoRequest) {
  const base::Bytes good = protocol::SignSessionRequest(RequestOf(realm_, coordinator_, Nonce()),
                                                        coordinator_.device().signing_key());
  for (std::size_t size = 0; size < good.size(); size += 7) {
    EXPECT_EQ(CodeOf(first_.engine.sessions().Open(base::ByteSpan(good).first(size))), "E_SIG");
  }
  base::Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(CodeOf(first_.engine.sessions().Open(longer)), "E_SIG");
}

TEST_F(Session, DiesWithItsDeviceOnEveryReplicaWithinASecond) {
  TestEngine second(first_, {});
  const base::Bytes token = Token();
  ASSERT_TRUE(first_.engine.sessions().Authenticate(token));
  ASSERT_TRUE(second.engine.sessions().Authenticate(token));
  realm_.RevokeByRoot(coordinator_, 0);
  Sync(first_, realm_);
  const auto revoked_at = std::chrono::steady_clock::now();
  EXPECT_EQ(CodeOf(second.engine.sessions().Authenticate(token)), "UNAUTHENTICATED");
  EXPECT_EQ(CodeOf(first_.engine.sessions().Authenticate(token)), "UNAUTHENTICATED");
  EXPECT_LT(std::chrono::steady_clock::now() - revoked_at, std::chrono::seconds(1));
  EXPECT_EQ(CodeOf(Open(RequestOf(realm_, coordinator_, Nonce()))), "UNAUTHENTICATED");
}

// The row of the session is gone, but a replica must not need that: it asks the roster.
TEST_F(Session, OfARevokedDeviceIsDeadThoughItsRowIsThere) {
  const base::Bytes token = Token();
  ASSERT_TRUE(first_.engine.sessions().Authenticate(token));
  first_.postgres->Sql("CREATE TABLE kept AS SELECT * FROM session");
  realm_.RevokeByRoot(coordinator_, 0);
  Sync(first_, realm_);
  first_.postgres->Sql("INSERT INTO session SELECT * FROM kept");
  EXPECT_EQ(CodeOf(first_.engine.sessions().Authenticate(token)), "UNAUTHENTICATED");
}

TEST_F(Session, DiesWithARemovedMember) {
  const base::Bytes token = Token();
  realm_.Remove(coordinator_);
  Sync(first_, realm_);
  EXPECT_EQ(CodeOf(first_.engine.sessions().Authenticate(token)), "UNAUTHENTICATED");
}

TEST_F(Session, EndsAfterFifteenMinutesOrWhenItIsClosed) {
  const base::Bytes old = Token();
  const base::Bytes closed = Token();
  const auto caller = first_.engine.sessions().Authenticate(closed);
  ASSERT_TRUE(caller);
  ASSERT_TRUE(first_.engine.sessions().Close(*caller));
  EXPECT_EQ(CodeOf(first_.engine.sessions().Authenticate(closed)), "UNAUTHENTICATED");
  EXPECT_TRUE(first_.engine.sessions().Authenticate(old));
  first_.clock->now_ms += 901'000;
  EXPECT_EQ(CodeOf(first_.engine.sessions().Authenticate(old)), "UNAUTHENTICATED");
}

TEST_F(Session, TokenOfAnotherRealmOpensNothing) {
  TestRealm other(Compartment::kJourneys, {support::Founder{}}, "other");
  TestEngine journeys(Compartment::kJourneys);
  Sync(journeys, other);
  const auto nonce = support::Must(journeys.engine.sessions().MakeNonce());
  const auto opened = journeys.engine.sessions().Open(protocol::SignSessionRequest(
      RequestOf(other, other.person(0), nonce), other.person(0).device().signing_key()));
  ASSERT_TRUE(opened);
  ASSERT_TRUE(journeys.engine.sessions().Authenticate(opened->token));
  EXPECT_EQ(CodeOf(first_.engine.sessions().Authenticate(opened->token)), "UNAUTHENTICATED");
  EXPECT_EQ(CodeOf(first_.engine.sessions().Authenticate(base::Bytes(32))), "UNAUTHENTICATED");
  EXPECT_EQ(CodeOf(first_.engine.sessions().Authenticate(base::Bytes())), "UNAUTHENTICATED");
}

TEST_F(Session, StoresNoTokenAndCleansUp) {
  const base::Bytes token = Token();
  (void)Nonce();
  EXPECT_EQ(Number(*first_.postgres, "SELECT count(*) FROM session WHERE token_sha256 = '\\x" +
                                         base::ToHex(token) + "'"),
            0u);
  first_.clock->now_ms += 1'000'000;
  ASSERT_TRUE(first_.engine.CleanUp());
  EXPECT_EQ(Number(*first_.postgres, "SELECT count(*) FROM session"), 0u);
  EXPECT_EQ(Number(*first_.postgres, "SELECT count(*) FROM nonce"), 0u);
}

}  // namespace
}  // namespace godwit::realm
