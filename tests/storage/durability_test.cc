#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "tests/storage/rows.h"

namespace godwit::storage {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kWriters = 32;
constexpr int kKills = 10;

// A commit queue as services have one, in small: writers wait, a few committers take what is there.
class Queue {
 public:
  enum class Answer { kAfterCommit, kTwentyMsBefore };

  Queue(Realm& realm, Answer answer) : realm_(realm), answer_(answer) {
    // Answering early, a second committer could overtake the first: losses of another kind.
    const int committers = answer == Answer::kAfterCommit ? 3 : 1;
    for (int i = 0; i < committers; ++i) committers_.emplace_back([this] { Work(); });
  }
  ~Queue() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    waiting_.notify_all();
    for (std::thread& thread : committers_) thread.join();
  }

  // Whether the commit was acknowledged.
  bool Commit(const VaultCommit& commit) {
    auto item = std::make_shared<Item>(Item{commit, {}});
    auto done = item->done.get_future();
    {
      const std::lock_guard lock(mutex_);
      items_.push_back(std::move(item));
    }
    waiting_.notify_one();
    return done.get();
  }

 private:
  struct Item {
    VaultCommit commit;
    std::promise<bool> done;
  };

  void Work() {
    for (;;) {
      std::deque<std::shared_ptr<Item>> taken;
      {
        std::unique_lock lock(mutex_);
        waiting_.wait(lock, [&] { return closed_ || !items_.empty(); });
        if (items_.empty()) return;
        taken.swap(items_);
      }
      std::vector<const VaultCommit*> batch;
      for (const auto& item : taken) batch.push_back(&item->commit);
      if (answer_ == Answer::kTwentyMsBefore) {
        for (const auto& item : taken) item->done.set_value(true);
        std::this_thread::sleep_for(milliseconds(20));
        (void)realm_.vaults.CommitVaults(realm_.id, realm_.row.roster, batch);
        continue;
      }
      const auto outcomes = realm_.vaults.CommitVaults(realm_.id, realm_.row.roster, batch);
      for (std::size_t i = 0; i < taken.size(); ++i) {
        taken[i]->done.set_value(outcomes && (*outcomes)[i] == CommitOutcome::kCommitted);
      }
    }
  }

  Realm& realm_;
  Answer answer_;
  std::mutex mutex_;
  std::condition_variable waiting_;
  std::deque<std::shared_ptr<Item>> items_;
  bool closed_ = false;
  std::vector<std::thread> committers_;
};

// Writes links to a vault of its own until `stop`, and keeps those that were acknowledged.
void Write(Realm& realm, Queue& queue, VaultBuilder vault, const std::atomic<bool>& stop,
           std::vector<std::string>& acknowledged) {
  while (!stop) {
    const VaultCommit commit = vault.Revise(Random<base::RecordId>());
    if (queue.Commit(commit)) {
      acknowledged.push_back(base::ToHex(commit.after.head.link.bytes()));
      vault.Take(commit);
      continue;
    }
    // Whatever became of it: go on from what is stored, once the database is there again.
    while (!stop) {
      const auto row = realm.vaults.Find(realm.id, vault.id());
      if (row && *row) {
        VaultCommit stored;
        stored.after = **row;
        vault.Take(stored);
        break;
      }
      std::this_thread::sleep_for(milliseconds(20));
    }
  }
}

struct Outcome {
  std::size_t acknowledged = 0;
  std::size_t lost = 0;
};

// A cluster to kill, with a realm and a vault a writer.
struct Victim {
  Victim() : realm(support::PostgresDatabase::In(cluster.superuser()), 40), vaults(kWriters) {
    for (VaultBuilder& vault : vaults) {
      const VaultCommit commit = vault.Create({{Random<base::MemberId>(), 7, 1}});
      EXPECT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
      vault.Take(commit);
    }
  }

  support::PostgresCluster cluster;
  Realm realm;
  std::vector<VaultBuilder> vaults;
};

// 32 writers, in so many rounds; in each the server and all its backends are killed, if `kill`.
// Ends early once a link is lost.
Outcome WriteInRounds(Victim& victim, Queue::Answer answer, int rounds, bool kill) {
  auto& [cluster, realm, vaults] = victim;
  Outcome outcome;
  for (int round = 0; round < rounds && outcome.lost == 0; ++round) {
    std::vector<std::vector<std::string>> acknowledged(kWriters);
    {
      Queue queue(realm, answer);
      std::atomic<bool> stop = false;
      std::vector<std::thread> writers;
      for (std::size_t i = 0; i < kWriters; ++i) {
        writers.emplace_back(
            [&, i] { Write(victim.realm, queue, victim.vaults[i], stop, acknowledged[i]); });
      }
      std::this_thread::sleep_for(milliseconds(300 + 53 * round));
      if (kill) {
        cluster.Crash();
        cluster.Start();
      }
      // They write again before they stop: the database came back.
      const auto last = [&] {
        return victim.realm.vaults.Find(victim.realm.id, victim.vaults[0].id());
      };
      for (int i = 0; i < 200 && !last(); ++i) std::this_thread::sleep_for(milliseconds(50));
      std::this_thread::sleep_for(milliseconds(100));
      stop = true;
      for (std::thread& writer : writers) writer.join();
    }
    std::set<std::string> stored;
    for (const auto& row : realm.postgres.Sql("SELECT encode(link, 'hex') FROM entry")) {
      stored.insert(row[0]);
    }
    for (const auto& links : acknowledged) {
      outcome.acknowledged += links.size();
      outcome.lost += static_cast<std::size_t>(std::count_if(
          links.begin(), links.end(), [&](const auto& link) { return !stored.contains(link); }));
    }
    for (VaultBuilder& vault : vaults) {
      const auto row = realm.vaults.Find(realm.id, vault.id());
      EXPECT_TRUE(row && *row);
      if (!row || !*row) return outcome;
      VaultCommit now;
      now.after = **row;
      vault.Take(now);
    }
  }
  return outcome;
}

TEST(Durability, ThirtyTwoWritersLoseNoAcknowledgedLinkInTenKills) {
  Victim victim;
  const Outcome outcome = WriteInRounds(victim, Queue::Answer::kAfterCommit, kKills, true);
  std::printf("%zu links acknowledged, %zu lost\n", outcome.acknowledged, outcome.lost);
  EXPECT_EQ(outcome.lost, 0u);
  EXPECT_GT(outcome.acknowledged, std::size_t{kWriters * kKills});
}

TEST(Durability, TheControlThatAnswersBeforeItCommitsLosesSome) {
  Victim victim;
  const Outcome calm = WriteInRounds(victim, Queue::Answer::kTwentyMsBefore, 1, false);
  EXPECT_GT(calm.acknowledged, 0u);
  EXPECT_EQ(calm.lost, 0u) << "the control loses links without any kill";
  const Outcome killed = WriteInRounds(victim, Queue::Answer::kTwentyMsBefore, kKills, true);
  std::printf("control: %zu links acknowledged, %zu lost\n", killed.acknowledged, killed.lost);
  EXPECT_GT(killed.lost, 0u);
}

}  // namespace
}  // namespace godwit::storage
