#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "protocol/roster.h"
#include "services/server/caller.h"
#include "storage/board_store.h"
#include "storage/session_store.h"

namespace godwit::realm {

// How many may watch, and for how long.
struct WatchLimits {
  std::size_t streams = 1'000;  // of the service
  std::size_t per_member = 8;
  std::size_t pending = 1'024;              // vaults of a stream that wait for its caller to read
  std::chrono::milliseconds life{600'000};  // then the caller asks anew
  std::chrono::milliseconds beat{20'000};   // the longest silence
};

// Those who watch, and what each is still to be told. It reads no database: every so often somebody
// looks what changed and hands it over, in rounds. Thread-safe.
class WatchHub {
 public:
  // What a caller is told. Nothing in it: the stream lives.
  struct Hints {
    std::map<base::VaultId, std::uint64_t> vaults;  // with the newest head_seq
    std::uint64_t roster_seq = 0;                   // of the roster's head, where it moved
    bool more = false;                              // more vaults changed than are listed

    bool empty() const { return vaults.empty() && roster_seq == 0 && !more; }
  };

  // One who watches, until its end. Must not outlive the hub.
  class Watcher {
   public:
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    ~Watcher() { hub_.Forget(number_); }

    // What there is to say since the last time; nothing: not now, or never again, which over()
    // tells. UNAUTHENTICATED: the session or the device is no longer live. UNAVAILABLE: the service
    // stops.
    base::Result<std::optional<Hints>> Take() { return hub_.Take(number_); }
    bool over() const { return hub_.IsOver(number_); }

   private:
    friend class WatchHub;
    Watcher(WatchHub& hub, std::uint64_t number) : hub_(hub), number_(number) {}

    WatchHub& hub_;
    const std::uint64_t number_;
  };

  // `clock` must outlive the hub.
  WatchHub(const WatchLimits& limits, const base::Clock& clock) : limits_(limits), clock_(clock) {}

  // `wake` is called, on any thread and without a lock, when there may be something to take.
  // RESOURCE_EXHAUSTED: too many watch, or this member does too often. UNAVAILABLE: the service
  // stops.
  base::Result<std::unique_ptr<Watcher>> Open(const server::Caller& caller,
                                              std::function<void()> wake);
  std::size_t watchers() const;

  // Whom to look for, and since when: nothing where nobody watches.
  struct Round {
    std::set<std::uint64_t> watchers;
    std::set<base::MemberId> members;
    std::set<storage::TokenHash> sessions;
    std::optional<storage::ChangeCursor> since;  // nothing: only what moment it is
  };
  std::optional<Round> Begin() const;
  // What was found for a round: the changes since, then whose sessions live, then the roster.
  struct Found {
    storage::ChangePage changes;
    std::set<storage::TokenHash> sessions;
    std::shared_ptr<const protocol::Roster> roster;
  };
  // Tells each watcher of the round what it may know. Who came meanwhile waits for the next one.
  void Tell(const Round& round, const Found& found);

  // Ends all, and takes no new ones.
  void Stop();

 private:
  struct Place {
    server::Caller caller;
    std::function<void()> wake;
    std::chrono::steady_clock::time_point began;
    std::chrono::steady_clock::time_point told;  // the last time that there was something to take
    std::optional<std::uint64_t> roster_seq;     // known to the caller; nothing before its round
    Hints pending;
    bool speaks = false;  // there is something to take, be it that nothing changed
    bool over = false;
    std::optional<base::Error> refused;
  };

  base::Result<std::optional<Hints>> Take(std::uint64_t number);
  bool IsOver(std::uint64_t number) const;
  void Forget(std::uint64_t number);
  // Adds what the place's caller may know.
  void Add(const Found& found, const std::vector<const storage::ChangedVault*>& rows, Place& place);

  const WatchLimits limits_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;
  bool stopped_ = false;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, Place> places_;
  std::optional<storage::ChangeCursor> since_;
  // What the last round found: the next one may find it again.
  std::map<base::VaultId, std::uint64_t> told_;
};

}  // namespace godwit::realm
