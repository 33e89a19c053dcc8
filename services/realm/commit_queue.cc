#include "services/realm/commit_queue.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace godwit::realm {
namespace {

std::size_t SizeOf(const storage::VaultCommit& commit) {
  std::size_t bytes = 0;
  for (const auto& entry : commit.entries) bytes += entry.bytes.size();
  for (const auto& box : commit.boxes) bytes += box.box.size();
  for (const auto& revision : commit.revisions) bytes += revision.ciphertext.size();
  return bytes;
}

}  // namespace

CommitQueue::CommitQueue(storage::VaultStore& store, std::size_t committers, std::size_t waiting)
    : store_(store), max_waiting_(waiting) {
  for (std::size_t i = 0; i < std::max<std::size_t>(committers, 1); ++i) {
    committers_.emplace_back([this] { Work(); });
  }
}

CommitQueue::~CommitQueue() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (auto& committer : committers_) committer.join();
}

std::future<CommitQueue::Outcome> CommitQueue::Submit(const base::RealmId& realm,
                                                      storage::VaultCommit commit,
                                                      const storage::ChainHead& roster) {
  Waiting waiting;
  waiting.realm = realm;
  waiting.bytes = SizeOf(commit);
  waiting.commit = std::move(commit);
  waiting.roster = roster;
  auto outcome = waiting.outcome.get_future();
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < max_waiting_) {
      waiting_.push_back(std::move(waiting));
      wake_.notify_one();
      return outcome;
    }
  }
  waiting.outcome.set_value(
      base::Error(base::Code::kResourceExhausted, "too much waits to be stored: try again later"));
  return outcome;
}

CommitQueue::Counts CommitQueue::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts = counts_;
  counts.waiting = waiting_.size();
  return counts;
}

std::vector<CommitQueue::Waiting> CommitQueue::TakeBatch() {
  std::vector<Waiting> batch;
  std::unordered_set<base::VaultId> vaults;
  std::deque<Waiting> left;
  std::size_t bytes = 0;
  for (auto& waiting : waiting_) {
    const bool fits =
        batch.empty() ||
        (batch.size() < kMaxBatch && bytes + waiting.bytes <= kMaxBatchBytes &&
         waiting.roster == batch.front().roster && waiting.realm == batch.front().realm);
    if (fits && vaults.insert(waiting.commit.after.vault).second) {
      bytes += waiting.bytes;
      batch.push_back(std::move(waiting));
    } else {
      left.push_back(std::move(waiting));
    }
  }
  waiting_ = std::move(left);
  return batch;
}

void CommitQueue::Work() {
  for (;;) {
    std::vector<Waiting> batch;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      batch = TakeBatch();
      counts_.commits += batch.size();
      ++counts_.transactions;
    }
    std::vector<const storage::VaultCommit*> commits;
    commits.reserve(batch.size());
    for (const auto& waiting : batch) commits.push_back(&waiting.commit);
    const auto outcomes = store_.CommitVaults(batch.front().realm, batch.front().roster, commits);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (outcomes) {
        batch[i].outcome.set_value((*outcomes)[i]);
      } else {
        batch[i].outcome.set_value(outcomes.error());
      }
    }
  }
}

}  // namespace godwit::realm
