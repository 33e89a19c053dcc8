#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <deque>
#include <mutex>
#include <thread>

#include "protocol/entry.h"
#include "services/realm/commit_queue.h"
#include "tests/services/fixture.h"
#include "tests/services/race.h"

namespace godwit::realm {
namespace {

using protocol::Compartment;
using protocol::kFull;
using protocol::Kind;
using support::Person;
using support::TestRealm;
using support::TestVault;

TEST(CommitQueue, ManyWritersMakeFewTransactions) {
  constexpr int kWriters = 32;
  constexpr int kWrites = 8;
  TestRealm realm(Compartment::kCases);
  Person& coordinator = realm.Add(protocol::kCoordinator);
  EngineConfig config;
  config.committers = 2;
  TestEngine to(Compartment::kCases, config);
  Sync(to, realm);
  std::deque<TestVault> vaults;
  for (int i = 0; i < kWriters; ++i) {
    auto& vault = vaults.emplace_back(realm, Kind::kScreening, coordinator,
                                      TestVault::Members{{&coordinator, kFull}});
    for (int n = 0; n < kWrites; ++n) vault.Write(coordinator, vault.NewRecord(), "text");
  }
  std::barrier start(kWriters);
  std::vector<std::thread> writers;
  std::atomic<int> good{0};
  for (auto& vault : vaults) {
    writers.emplace_back([&, vault = &vault] {
      start.arrive_and_wait();
      VaultUpload all = UploadOf(*vault);
      VaultUpload first{{all.entries[0], all.entries[1]}};
      if (Append(to.engine, CallerOf(coordinator), first)) ++good;
      for (std::size_t i = 2; i < all.entries.size(); ++i) {
        if (Append(to.engine, CallerOf(coordinator), {{all.entries[i]}})) ++good;
      }
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(good, kWriters * (kWrites + 1));
  const auto counts = to.engine.commit_counts();
  EXPECT_EQ(counts.commits, static_cast<std::uint64_t>(kWriters * (kWrites + 1)));
  EXPECT_LT(counts.transactions, counts.commits / 2);
  for (const auto& vault : vaults) {
    const auto read = FetchAll(to.engine, CallerOf(coordinator), vault.vault().id());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->entries, vault.entries());
  }
  EXPECT_EQ(Number(*to.postgres, "SELECT count(*) FROM leaf WHERE leaf_type = 2"),
            static_cast<std::uint64_t>(kWriters * (kWrites + 2)));
}

// Of two who write the same place at once one wins, and the other learns it.
TEST(CommitQueue, OneOfTwoWritersAtAPlaceWins) {
  TestRealm realm(Compartment::kCases);
  Person& first = realm.Add(protocol::kCoordinator);
  Person& second = realm.Add(protocol::kCoordinator);
  TestEngine to;
  TestEngine replica(to, {});
  Sync(to, realm);
  TestVault vault(realm, Kind::kScreening, first, {{&first, kFull}, {&second, kFull}});
  ASSERT_TRUE(Append(to.engine, CallerOf(first), UploadOf(vault)));
  for (int round = 0; round < 20; ++round) {
    const auto record = vault.NewRecord();
    const auto by_first = vault.Revision(first, record, "first");
    const auto by_second = vault.Revision(second, record, "second");
    const base::Bytes one = vault.Sign(first, by_first.rev);
    const base::Bytes two = vault.Sign(second, by_second.rev);
    std::string codes[2];
    std::barrier start(2);
    std::thread thread([&] {
      start.arrive_and_wait();
      codes[1] = CodeOf(Append(replica.engine, CallerOf(second),
                               {{{two, {}, by_second.salt, by_second.ciphertext}}}));
    });
    start.arrive_and_wait();
    codes[0] = CodeOf(
        Append(to.engine, CallerOf(first), {{{one, {}, by_first.salt, by_first.ciphertext}}}));
    thread.join();
    EXPECT_TRUE((codes[0] == "OK" && codes[1] == "CONFLICT") ||
                (codes[0] == "CONFLICT" && codes[1] == "OK"))
        << codes[0] << " " << codes[1];
    vault.Append(codes[0] == "OK" ? one : two);
  }
}

TEST(Attack, Row28RevokeAgainstWriteLeavesNoEntryAfterTheRevocation) { RaceRevocations(500); }

}  // namespace
}  // namespace godwit::realm
