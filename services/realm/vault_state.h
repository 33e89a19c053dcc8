#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/id.h"
#include "protocol/roster.h"
#include "protocol/vault.h"
#include "storage/chain.h"
#include "storage/vault_commit.h"

namespace godwit::realm {

// A vault's verified state and what the tables keep beside it.
struct VaultState {
  protocol::Vault vault;
  std::optional<storage::PinnedRow> pinned;  // the last REV of the pinned record

  // Follows the pinned record: `entry_link` is that of the entry at `seq` that `vault` just took.
  void NotePinned(const base::Link& entry_link, std::uint64_t seq);
};
using VaultStatePtr = std::shared_ptr<const VaultState>;

// The day, in days since 1970-01-01 UTC, after which a vault's content goes; 0: none is in effect,
// or the vault is on hold.
std::uint32_t EraseDayOf(const protocol::Vault& vault);

// The head that `roster`, which must not be empty, ends with.
storage::ChainHead HeadOf(const protocol::Roster& roster);

}  // namespace godwit::realm
