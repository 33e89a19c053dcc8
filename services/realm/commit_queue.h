#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "storage/chain.h"
#include "storage/vault_commit.h"
#include "storage/vault_store.h"

namespace godwit::realm {

// Where commits of many callers become few transactions: a few threads each take whatever waits, at
// most one commit a vault and all admitted at the same roster head, and write it in one
// transaction. No waiting for a batch to fill: an idle committer takes what is there. Thread-safe.
class CommitQueue {
 public:
  // What one transaction takes at most.
  static constexpr std::size_t kMaxBatch = 512;
  static constexpr std::size_t kMaxBatchBytes = std::size_t{16} << 20;

  // `store` must outlive the queue. At least one committer; `waiting` is how many commits may wait.
  CommitQueue(storage::VaultStore& store, std::size_t committers, std::size_t waiting);
  CommitQueue(const CommitQueue&) = delete;
  CommitQueue& operator=(const CommitQueue&) = delete;
  // Commits what waits, then ends.
  ~CommitQueue();

  // The outcome after COMMIT, or an error of storage::VaultStore::CommitVaults: STALE_ROSTER means
  // that the roster moved on from `roster`, at which the commit was admitted.
  using Outcome = base::Result<storage::CommitOutcome>;
  // RESOURCE_EXHAUSTED, at once: too many wait.
  std::future<Outcome> Submit(const base::RealmId& realm, storage::VaultCommit commit,
                              const storage::ChainHead& roster);

  // How many transactions and how many commits there were, few and many; how many wait now.
  struct Counts {
    std::uint64_t transactions = 0;
    std::uint64_t commits = 0;
    std::size_t waiting = 0;
  };
  Counts counts() const;

 private:
  struct Waiting {
    base::RealmId realm;
    storage::VaultCommit commit;
    storage::ChainHead roster;
    std::size_t bytes = 0;
    std::promise<Outcome> outcome;
  };

  void Work();
  std::vector<Waiting> TakeBatch();

  storage::VaultStore& store_;
  const std::size_t max_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Waiting> waiting_;
  Counts counts_;
  bool ending_ = false;
  std::vector<std::thread> committers_;
};

}  // namespace godwit::realm
