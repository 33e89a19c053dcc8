#include "client/self_audit.h"

#include <gtest/gtest.h>

#include "tests/support/builders.h"
#include "tests/support/keys.h"

namespace godwit::client {
namespace {

using support::Founder;
using support::TestRealm;
using What = Notice::What;

std::vector<What> KindsAfter(const protocol::Roster& roster, std::uint64_t after) {
  std::vector<What> kinds;
  for (const auto& notice : NoticesAfter(roster, after)) kinds.push_back(notice.what);
  return kinds;
}

TEST(Notices, AreOfWhatTookEffectAndNotOfWhatWaits) {
  TestRealm realm(protocol::Compartment::kCases, {Founder{}, Founder{}, Founder{}},
                  TestRealm::ThresholdsOfTwo());
  const std::uint64_t before = realm.roster().head_seq();
  const auto set =
      realm.RecoverySetOf(protocol::kRecoveryLive, 2, {&realm.person(1), &realm.person(2)});
  const auto waits = realm.Do(realm.person(0), set);
  EXPECT_TRUE(KindsAfter(realm.roster(), before).empty());
  realm.Approve(realm.person(1), waits);
  EXPECT_EQ(KindsAfter(realm.roster(), before), std::vector{What::kRecoverySet});
  const auto root = support::Must(crypto::SigningKey::FromSeed(support::KeyOf(realm.Fresh())));
  realm.DoByRoot(realm.RootRotateTo(root));
  EXPECT_EQ(KindsAfter(realm.roster(), before),
            (std::vector{What::kRecoverySet, What::kRootRotated}));
  EXPECT_TRUE(KindsAfter(realm.roster(), realm.roster().head_seq()).empty());
}

}  // namespace
}  // namespace godwit::client
