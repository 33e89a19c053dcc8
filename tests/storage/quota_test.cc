#include "storage/quota.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>

#include "tests/storage/rows.h"

namespace godwit::storage {
namespace {

constexpr std::uint16_t kAct = 3;
constexpr std::uint32_t kDay = 20'000;

VaultCommit Charged(const base::MemberId& member, std::uint64_t amount, std::uint64_t limit) {
  VaultCommit commit = VaultBuilder().Create({{member, 7, 1}});
  commit.charges.push_back({SubjectOf(member), kAct, kDay, amount, limit});
  return commit;
}

TEST(Quota, AnActAboveTheLimitIsRefusedAloneAndCountsNothing) {
  Realm realm;
  const auto member = Random<base::MemberId>();
  const auto other = Random<base::MemberId>();
  const std::vector<VaultCommit> commits = {Charged(member, 3, 5), Charged(member, 3, 5),
                                            Charged(other, 5, 5), Charged(member, 2, 5)};
  std::vector<const VaultCommit*> batch;
  for (const VaultCommit& commit : commits) batch.push_back(&commit);
  const auto outcomes = realm.vaults.CommitVaults(realm.id, realm.row.roster, batch);
  ASSERT_TRUE(outcomes);
  EXPECT_THAT(*outcomes,
              testing::ElementsAre(CommitOutcome::kCommitted, CommitOutcome::kOverQuota,
                                   CommitOutcome::kCommitted, CommitOutcome::kCommitted));
  EXPECT_EQ(realm.Number("SELECT count(*) FROM vault"), 3u);
  EXPECT_EQ(*realm.quotas.Count(realm.id, SubjectOf(member), kAct, kDay), 5u);
  EXPECT_EQ(*realm.quotas.Count(realm.id, SubjectOf(other), kAct, kDay), 5u);
  EXPECT_EQ(*realm.quotas.Count(realm.id, SubjectOf(member), kAct, kDay + 1), 0u);

  EXPECT_EQ(realm.Commit(Charged(member, 1, 5)), CommitOutcome::kOverQuota);
  EXPECT_EQ(realm.Commit(Charged(member, 1, 6)), CommitOutcome::kCommitted);
  EXPECT_EQ(realm.Commit(Charged(member, ~std::uint64_t{0} >> 1, 6)), CommitOutcome::kOverQuota);
}

TEST(Quota, AConflictCountsNothing) {
  Realm realm;
  const auto member = Random<base::MemberId>();
  const VaultCommit commit = Charged(member, 1, 10);
  ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
  EXPECT_EQ(realm.Commit(commit), CommitOutcome::kConflict);
  EXPECT_EQ(*realm.quotas.Count(realm.id, SubjectOf(member), kAct, kDay), 1u);
}

TEST(Quota, AVaultThatTwoMakeAtOnceIsCountedOnce) {
  Realm realm;
  const auto member = Random<base::MemberId>();
  std::vector<VaultCommit> commits;
  for (int i = 0; i < 20; ++i) commits.push_back(Charged(member, 1, 100));
  std::atomic<int> conflicts = 0;
  std::barrier together(2);
  const auto make = [&] {
    for (const VaultCommit& commit : commits) {
      together.arrive_and_wait();
      if (realm.Commit(commit) == CommitOutcome::kConflict) ++conflicts;
    }
  };
  std::thread other(make);
  make();
  other.join();
  EXPECT_EQ(conflicts, 20);
  EXPECT_EQ(*realm.quotas.Count(realm.id, SubjectOf(member), kAct, kDay), 20u);
}

TEST(Quota, IsExactUnderManyAtOnce) {
  Realm realm;
  const auto member = Random<base::MemberId>();
  std::atomic<int> committed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        if (realm.Commit(Charged(member, 1, 17)) == CommitOutcome::kCommitted) ++committed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(committed, 17);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM vault"), 17u);
  EXPECT_EQ(*realm.quotas.Count(realm.id, SubjectOf(member), kAct, kDay), 17u);
}

TEST(Quota, OldDaysAreForgotten) {
  Realm realm;
  const auto member = Random<base::MemberId>();
  ASSERT_EQ(realm.Commit(Charged(member, 1, 10)), CommitOutcome::kCommitted);
  ASSERT_TRUE(realm.quotas.DeleteBefore(realm.id, kDay));
  EXPECT_EQ(*realm.quotas.Count(realm.id, SubjectOf(member), kAct, kDay), 1u);
  ASSERT_TRUE(realm.quotas.DeleteBefore(realm.id, kDay + 1));
  EXPECT_EQ(realm.Number("SELECT count(*) FROM quota"), 0u);
}

}  // namespace
}  // namespace godwit::storage
