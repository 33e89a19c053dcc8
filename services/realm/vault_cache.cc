#include "services/realm/vault_cache.h"

#include <utility>

namespace godwit::realm {
namespace {

constexpr std::size_t kPage = 1024;

}  // namespace

VaultStatePtr VaultCache::Known(const base::VaultId& vault) {
  const std::lock_guard lock(mutex_);
  const auto found = by_vault_.find(vault);
  if (found == by_vault_.end()) return nullptr;
  slots_.splice(slots_.begin(), slots_, found->second);
  return found->second->state;
}

base::Result<VaultStatePtr> VaultCache::Get(const base::RealmId& realm,
                                            const base::VaultId& vault) {
  if (auto known = Known(vault)) return known;
  return ReadOn(realm, vault, nullptr);
}

base::Result<VaultStatePtr> VaultCache::Refresh(const base::RealmId& realm,
                                                const base::VaultId& vault) {
  return ReadOn(realm, vault, Known(vault));
}

base::Result<VaultStatePtr> VaultCache::ReadOn(const base::RealmId& realm,
                                               const base::VaultId& vault,
                                               const VaultStatePtr& known) {
  auto state =
      known == nullptr ? std::make_shared<VaultState>() : std::make_shared<VaultState>(*known);
  bool grown = false;
  for (;;) {
    const auto page = store_.ReadEntries(realm, vault, state->vault.size(), kPage);
    if (!page) return page.error();
    if (page->empty()) break;
    grown = true;
    for (const auto& entry : *page) {
      if (entry.seq != state->vault.size() || !state->vault.Replay(entry.bytes) ||
          state->vault.head() != entry.link) {
        return base::Error(base::Code::kInternal, "a stored chain is broken: restore the database");
      }
      state->NotePinned(entry.link, entry.seq);
    }
  }
  if (state->vault.empty()) return base::Error(base::Code::kNotFound, "there is no such vault");
  if (!grown) return known;
  VaultStatePtr read = std::move(state);
  Put(vault, read);
  return read;
}

void VaultCache::Put(const base::VaultId& vault, VaultStatePtr state) {
  const std::lock_guard lock(mutex_);
  const auto found = by_vault_.find(vault);
  if (found != by_vault_.end()) {
    auto& slot = *found->second;
    if (slot.state->vault.size() < state->vault.size()) {
      records_ += state->vault.records().size();
      records_ -= slot.state->vault.records().size();
      slot.state = std::move(state);
    }
    slots_.splice(slots_.begin(), slots_, found->second);
  } else {
    records_ += state->vault.records().size();
    slots_.push_front({vault, std::move(state)});
    by_vault_.emplace(vault, slots_.begin());
  }
  while (slots_.size() > 1 && (slots_.size() > max_vaults_ || records_ > max_records_)) {
    records_ -= slots_.back().state->vault.records().size();
    by_vault_.erase(slots_.back().vault);
    slots_.pop_back();
  }
}

}  // namespace godwit::realm
