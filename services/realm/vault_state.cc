#include "services/realm/vault_state.h"

namespace godwit::realm {

void VaultState::NotePinned(const base::Link& entry_link, std::uint64_t seq) {
  if (vault.pin_link() != entry_link) return;
  const auto* record = vault.FindRecord(vault.pinned_record());
  if (record == nullptr) return;
  pinned = storage::PinnedRow{entry_link, seq, vault.pinned_record(), record->rver};
}

std::uint32_t EraseDayOf(const protocol::Vault& vault) {
  return vault.state().hold == 0 ? vault.state().erase_day : 0;
}

storage::ChainHead HeadOf(const protocol::Roster& roster) {
  return {roster.head_seq(), roster.head()};
}

}  // namespace godwit::realm
