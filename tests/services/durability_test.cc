#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <iostream>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "protocol/entry.h"
#include "tests/services/fixture.h"

namespace godwit::realm {
namespace {

using protocol::Compartment;
using protocol::kFull;
using protocol::Kind;
using std::chrono::milliseconds;
using support::Person;
using support::TestRealm;
using support::TestVault;

constexpr int kWriters = 32;
constexpr int kKills = 10;
constexpr milliseconds kEarly{20};

// When a writer counts its entry as acknowledged.
enum class Answer {
  kAfterCommit,  // as the engine does
  kBefore,       // the control: it answers, waits 20 ms, and then commits
};

struct Outcome {
  std::size_t acknowledged = 0;
  std::size_t lost = 0;
};

// A cluster to kill, an engine on it, and a vault for each writer.
class Victim {
 public:
  Victim()
      : coordinator_(realm_.Add(protocol::kCoordinator)),
        to_(Compartment::kCases, Config(), support::PostgresDatabase::In(cluster_.superuser())) {
    Sync(to_, realm_);
    for (int i = 0; i < kWriters; ++i) {
      auto& vault = vaults_.emplace_back(realm_, Kind::kScreening, coordinator_,
                                         TestVault::Members{{&coordinator_, kFull}});
      EXPECT_TRUE(Append(to_.engine, CallerOf(coordinator_), UploadOf(vault)));
    }
  }

  // All writers write while the postmaster and its backends are killed, up to `kills` times, or
  // until a link is lost.
  Outcome Run(Answer answer, int kills) {
    std::atomic<bool> stop{false};
    std::vector<std::thread> writers;
    for (auto& vault : vaults_) {
      writers.emplace_back([&, vault = &vault] { Write(*vault, answer, stop); });
    }
    Outcome outcome;
    for (int i = 0; i < kills && outcome.lost == 0; ++i) {
      std::this_thread::sleep_for(milliseconds(300 + 53 * i));
      cluster_.Crash();
      cluster_.Start();
      if (answer == Answer::kBefore) {
        // What was answered had its time to be committed, too.
        std::this_thread::sleep_for(milliseconds(500));
        outcome = Count();
      }
    }
    std::this_thread::sleep_for(milliseconds(300));
    stop = true;
    for (auto& writer : writers) writer.join();
    return answer == Answer::kBefore ? outcome : Count();
  }

 private:
  static EngineConfig Config() {
    EngineConfig config;
    config.quotas.bytes_per_day = std::uint64_t{1} << 40;
    return config;
  }

  void Acknowledge(const base::Bytes& entry) {
    const std::lock_guard lock(mutex_);
    acknowledged_.insert(
        {std::chrono::steady_clock::now(), base::ToHex(protocol::EntryLink(entry).bytes())});
  }

  void Write(TestVault& vault, Answer answer, const std::atomic<bool>& stop) {
    const auto caller = CallerOf(coordinator_);
    while (!stop) {
      std::optional<protocol::SealedRecord> sealed;
      base::Bytes entry;
      {
        // The builders share a realm that draws from one sequence.
        const std::lock_guard lock(builders_);
        sealed = vault.Revision(coordinator_, vault.NewRecord(), "text");
        entry = vault.Sign(coordinator_, sealed->rev);
      }
      const VaultUpload upload{{{entry, {}, sealed->salt, sealed->ciphertext}}};
      if (answer == Answer::kBefore) {
        Acknowledge(entry);
        std::this_thread::sleep_for(kEarly);
        if (!Append(to_.engine, caller, upload)) {
          // Nobody sends again what was answered.
          std::this_thread::sleep_for(kEarly);
          continue;
        }
      } else {
        while (!Append(to_.engine, caller, upload)) {
          if (stop) return;
          std::this_thread::sleep_for(kEarly);
        }
        Acknowledge(entry);
      }
      const std::lock_guard lock(builders_);
      vault.Append(entry);
    }
  }

  Outcome Count() {
    std::set<std::string> stored;
    for (const auto& row : to_.postgres->Sql("SELECT encode(link, 'hex') FROM entry")) {
      stored.insert(row[0]);
    }
    const std::lock_guard lock(mutex_);
    // What was answered a moment ago may be on its way.
    const auto settled = std::chrono::steady_clock::now() - milliseconds(400);
    Outcome outcome;
    outcome.acknowledged = acknowledged_.size();
    for (const auto& [when, link] : acknowledged_) {
      if (when < settled && !stored.contains(link)) ++outcome.lost;
    }
    return outcome;
  }

  support::PostgresCluster cluster_;
  TestRealm realm_{Compartment::kCases};
  Person& coordinator_;
  TestEngine to_;
  std::deque<TestVault> vaults_;
  std::mutex builders_;
  std::mutex mutex_;
  std::set<std::pair<std::chrono::steady_clock::time_point, std::string>> acknowledged_;
};

TEST(Durability, AcknowledgedLinksSurviveTenKillsOfPostgres) {
  Victim victim;
  const Outcome outcome = victim.Run(Answer::kAfterCommit, kKills);
  std::cout << outcome.acknowledged << " links acknowledged, " << outcome.lost << " lost\n";
  EXPECT_EQ(outcome.lost, 0u);
  EXPECT_GT(outcome.acknowledged, std::size_t{kWriters * kKills});
}

TEST(Durability, ACommitQueueThatAnswersBeforeItCommitsLosesSome) {
  Victim victim;
  const Outcome outcome = victim.Run(Answer::kBefore, kKills);
  std::cout << outcome.acknowledged << " links acknowledged early, " << outcome.lost << " lost\n";
  EXPECT_GT(outcome.lost, 0u);
}

}  // namespace
}  // namespace godwit::realm
