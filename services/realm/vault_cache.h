#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "services/realm/vault_state.h"
#include "storage/vault_store.h"

namespace godwit::realm {

// States of vaults, replayed from storage and kept while they are used. A state may be behind the
// database, where another process wrote; never ahead of it, and never wrong. Thread-safe.
class VaultCache {
 public:
  // Keeps the most recently used, at most `vaults` of them with at most `records` records in all.
  VaultCache(storage::VaultStore& store, std::size_t vaults, std::size_t records)
      : store_(store), max_vaults_(vaults), max_records_(records) {}

  // The state as this process last knew it, read where it knew none. NOT_FOUND: no such vault.
  // INTERNAL: the stored chain is broken. Else as storage::Database::Read.
  base::Result<VaultStatePtr> Get(const base::RealmId& realm, const base::VaultId& vault);
  // The same with everything that the database holds now.
  base::Result<VaultStatePtr> Refresh(const base::RealmId& realm, const base::VaultId& vault);
  // What this process knows, or nullptr; nothing is read.
  VaultStatePtr Known(const base::VaultId& vault);
  // Keeps a state that was committed; an older one than the known is let go.
  void Put(const base::VaultId& vault, VaultStatePtr state);

 private:
  struct Slot {
    base::VaultId vault;
    VaultStatePtr state;
  };

  base::Result<VaultStatePtr> ReadOn(const base::RealmId& realm, const base::VaultId& vault,
                                     const VaultStatePtr& known);

  storage::VaultStore& store_;
  const std::size_t max_vaults_;
  const std::size_t max_records_;
  std::mutex mutex_;
  std::list<Slot> slots_;  // the most recently used first
  std::unordered_map<base::VaultId, std::list<Slot>::iterator> by_vault_;
  std::size_t records_ = 0;
};

}  // namespace godwit::realm
