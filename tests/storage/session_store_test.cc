#include "storage/session_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/storage/rows.h"

namespace godwit::storage {
namespace {

using base::Code;

TEST(Sessions, ANonceIsGoodOnceAndUntilItExpires) {
  Realm realm;
  const auto nonce = Random<Nonce>();
  ASSERT_TRUE(realm.sessions.PutNonce(realm.id, nonce, kNow + 60'000));
  const auto late = realm.sessions.TakeNonce(realm.id, nonce, kNow + 60'000);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Code::kNotFound);
  EXPECT_FALSE(realm.sessions.TakeNonce(Random<base::RealmId>(), nonce, kNow));
  EXPECT_TRUE(realm.sessions.TakeNonce(realm.id, nonce, kNow));
  EXPECT_FALSE(realm.sessions.TakeNonce(realm.id, nonce, kNow));
  EXPECT_FALSE(realm.sessions.TakeNonce(realm.id, Random<Nonce>(), kNow));
}

TEST(Sessions, OfManyWhoTakeANonceAtOnceOneGetsIt) {
  Realm realm;
  for (int round = 0; round < 5; ++round) {
    const auto nonce = Random<Nonce>();
    ASSERT_TRUE(realm.sessions.PutNonce(realm.id, nonce, kNow + 60'000));
    std::atomic<int> taken = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&] {
        if (realm.sessions.TakeNonce(realm.id, nonce, kNow)) ++taken;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(taken, 1);
  }
}

TEST(Sessions, ASessionIsFoundUntilItEndsWithTheRostersHead) {
  Realm realm;
  const SessionRow session{Random<TokenHash>(), Random<base::MemberId>(), Random<base::DeviceId>(),
                           kNow + 1'000};
  ASSERT_TRUE(realm.sessions.Open(realm.id, session));
  const auto found = realm.sessions.Find(realm.id, session.token, kNow);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->session.member, session.member);
  EXPECT_EQ((*found)->session.device, session.device);
  EXPECT_EQ((*found)->session.expires_ms, session.expires_ms);
  EXPECT_EQ((*found)->roster, realm.row.roster);
  EXPECT_FALSE(*realm.sessions.Find(realm.id, session.token, kNow + 1'000));
  EXPECT_FALSE(*realm.sessions.Find(realm.id, Random<TokenHash>(), kNow));
  EXPECT_FALSE(*realm.sessions.Find(Random<base::RealmId>(), session.token, kNow));
  ASSERT_TRUE(realm.sessions.Close(realm.id, session.token));
  EXPECT_FALSE(*realm.sessions.Find(realm.id, session.token, kNow));
  EXPECT_TRUE(realm.sessions.Close(realm.id, session.token));
}

TEST(Sessions, ClosingADeviceEndsItsSessionsAlone) {
  Realm realm;
  const auto device = Random<base::DeviceId>();
  const auto member = Random<base::MemberId>();
  const SessionRow first{Random<TokenHash>(), member, device, kNow + 1'000};
  const SessionRow second{Random<TokenHash>(), member, device, kNow + 1'000};
  const SessionRow other{Random<TokenHash>(), member, Random<base::DeviceId>(), kNow + 1'000};
  for (const SessionRow& row : {first, second, other}) {
    ASSERT_TRUE(realm.sessions.Open(realm.id, row));
  }
  ASSERT_TRUE(realm.sessions.CloseDevice(realm.id, device));
  EXPECT_FALSE(*realm.sessions.Find(realm.id, first.token, kNow));
  EXPECT_FALSE(*realm.sessions.Find(realm.id, second.token, kNow));
  EXPECT_TRUE(*realm.sessions.Find(realm.id, other.token, kNow));
}

TEST(Sessions, CleanupDeletesWhatExpiredAndNothingElse) {
  Realm realm;
  const SessionRow dead{Random<TokenHash>(), Random<base::MemberId>(), Random<base::DeviceId>(),
                        kNow};
  SessionRow live = dead;
  live.token = Random<TokenHash>();
  live.expires_ms = kNow + 1;
  const auto nonce = Random<Nonce>();
  ASSERT_TRUE(realm.sessions.Open(realm.id, dead));
  ASSERT_TRUE(realm.sessions.Open(realm.id, live));
  ASSERT_TRUE(realm.sessions.PutNonce(realm.id, Random<Nonce>(), kNow));
  ASSERT_TRUE(realm.sessions.PutNonce(realm.id, nonce, kNow + 1));
  ASSERT_TRUE(realm.sessions.DeleteExpired(realm.id, kNow));
  EXPECT_EQ(realm.Number("SELECT count(*) FROM session"), 1u);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM nonce"), 1u);
  EXPECT_TRUE(*realm.sessions.Find(realm.id, live.token, kNow));
  EXPECT_TRUE(realm.sessions.TakeNonce(realm.id, nonce, kNow));
}

}  // namespace
}  // namespace godwit::storage
