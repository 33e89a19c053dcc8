#include "client/self_audit.h"

#include <gtest/gtest.h>

#include "tests/client/offline_realm.h"
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

TEST(Notices, TellOwnersOfMembersAndDevicesThatTheyDidNotSignFor) {
  constexpr protocol::Roles kGovernor = protocol::kOwner | protocol::kAdmin;
  TestRealm realm(
      protocol::Compartment::kCases,
      {Founder{kGovernor}, Founder{kGovernor}, Founder{kGovernor}, Founder{protocol::kAdmin}},
      TestRealm::ThresholdsOfTwo());
  for (std::size_t i = 0; i < 4; ++i) realm.RotatePuk(realm.person(i));
  auto& newcomer = realm.Stranger();
  const auto waits = realm.Do(realm.person(0), realm.AddOf(newcomer, protocol::kCaseworker));
  const auto told = [&](std::size_t index) {
    const support::OfflineRealm device(realm, realm.person(index));
    std::vector<std::pair<What, base::MemberId>> notices;
    for (const auto& notice : support::Must(AllNotices(*device))) {
      notices.emplace_back(notice.what, notice.member);
    }
    return notices;
  };
  using Told = std::vector<std::pair<What, base::MemberId>>;
  EXPECT_EQ(told(2), Told{});
  realm.Approve(realm.person(1), waits);
  // Neither its author, nor who approved it, nor who is no owner.
  for (const std::size_t index : {0u, 1u, 3u}) EXPECT_EQ(told(index), Told{}) << index;
  const std::pair<What, base::MemberId> member{What::kMemberAdded, newcomer.id};
  EXPECT_EQ(told(2), Told{member});

  realm.RotatePuk(newcomer);
  const auto& second = realm.Stranger().device();
  realm.Do(newcomer, realm.DeviceAddOf(newcomer, second).payload);
  const std::pair<What, base::MemberId> device{What::kDeviceAdded, newcomer.id};
  for (const std::size_t index : {0u, 1u}) EXPECT_EQ(told(index), Told{device}) << index;
  EXPECT_EQ(told(2), (Told{member, device}));
  EXPECT_EQ(told(3), Told{});

  // Once, and of one's own nothing.
  const support::OfflineRealm owner(realm, realm.person(2));
  EXPECT_EQ(support::Must(TakeNotices(*owner)).size(), 2u);
  EXPECT_TRUE(support::Must(TakeNotices(*owner)).empty());
  const auto& third = realm.Stranger().device();
  realm.Do(realm.person(1), realm.DeviceAddOf(realm.person(1), third).payload);
  EXPECT_EQ(told(1), Told{device});
  EXPECT_EQ(told(0), (Told{device, {What::kDeviceAdded, realm.person(1).id}}));
}

}  // namespace
}  // namespace godwit::client
