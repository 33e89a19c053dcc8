#pragma once

#include <memory>
#include <mutex>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "protocol/kinds.h"
#include "protocol/roster.h"
#include "storage/chain.h"
#include "storage/roster_store.h"

namespace godwit::realm {

using RosterPtr = std::shared_ptr<const protocol::Roster>;

// The realm's verified roster, as far as this process has read it. It only grows. Thread-safe.
class RosterCache {
 public:
  // `store` must outlive the cache.
  RosterCache(storage::RosterStore& store, protocol::Compartment compartment)
      : store_(store), compartment_(compartment) {}

  // The roster with everything that the database held when the call began. NOT_FOUND: the database
  // has no realm yet. INVALID_ARGUMENT: its realm is of another compartment. INTERNAL: what is
  // stored does not verify. Else as storage::Database::Read.
  base::Result<RosterPtr> Newest();
  // The roster with at least `head`, which was read from the database. Codes as Newest.
  base::Result<RosterPtr> AtLeast(const storage::ChainHead& head);
  // What this process has, or nullptr.
  RosterPtr Known() const;

 private:
  RosterCache(const RosterCache&) = delete;

  base::Result<RosterPtr> ReadOn(const base::RealmId& realm, const storage::ChainHead& head);

  storage::RosterStore& store_;
  const protocol::Compartment compartment_;
  mutable std::mutex mutex_;
  RosterPtr known_;
  // One thread reads statements; the others wait for what it finds.
  std::mutex reading_;
};

}  // namespace godwit::realm
