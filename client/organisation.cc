#include "client/organisation.h"

#include <vector>

#include "client/identity_window.h"
#include "client/pinned_rows.h"
#include "client/vault_view.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using protocol::Compartment;
using protocol::Kind;

constexpr char kVaultsCursor[] = "vaults";

// The kinds whose pinned records make a member's board, and the index from codes to vaults.
std::vector<Kind> IndexedKinds(Compartment compartment, protocol::Roles roles) {
  const bool works = (roles & (protocol::kCaseworker | protocol::kSupervisor)) != 0;
  if (compartment == Compartment::kIdentity && works) return {Kind::kPerson, Kind::kFamily};
  if (compartment == Compartment::kCases && works) return {Kind::kCase, Kind::kSensitive};
  if (compartment == Compartment::kCases && (roles & protocol::kCoordinator) != 0) {
    return {Kind::kCase, Kind::kScreening};
  }
  return {};
}

}  // namespace

base::Result<Realm*> Organisation::Get(Compartment compartment) const {
  const auto found = realms_.find(compartment);
  if (found == realms_.end()) {
    return Error(Code::kPermissionDenied, "you do not work in the realm that this needs");
  }
  return found->second.get();
}

Status Organisation::Sync(
    const std::function<void(Compartment, std::size_t, std::size_t)>& progress) {
  Status first;
  const auto keep = [&](const Status& status) {
    if (first && !status) first = status;
  };
  for (const auto& [compartment, realm] : realms_) {
    if (!IsWindowOpen(*realm)) continue;
    if (const auto synced = realm->Sync(); !synced) {
      keep(synced);
      continue;
    }
    const auto cursor = realm->store().Get(kVaultsCursor);
    if (!cursor) {
      keep(cursor.error());
      continue;
    }
    std::vector<transport::VaultHead> heads;
    const auto next = realm->server().ListVaults(
        *cursor ? base::ByteSpan(**cursor) : base::ByteSpan(), [&](transport::VaultHead head) {
          heads.push_back(std::move(head));
          return Status();
        });
    if (!next) {
      keep(next.error());
      continue;
    }
    bool all = true;
    for (std::size_t i = 0; i < heads.size(); ++i) {
      if (progress) progress(compartment, i, heads.size());
      // An importer's own imports are not for reading; the server would show their chains alone.
      if (heads[i].perm == protocol::kWrite) continue;
      const auto known = realm->store().Remembered(heads[i].vault);
      if (!known) {
        keep(known.error());
        all = false;
        continue;
      }
      // Boards are read cold: a coordinator's case is fetched whole when somebody opens it, and
      // kept up to date from then on.
      const bool boarded = heads[i].kind == static_cast<std::uint32_t>(Kind::kCase) &&
                           (realm->roles() & protocol::kCoordinator) != 0;
      if (boarded && !*known) continue;
      if (*known && (*known)->seq == heads[i].head_seq && (*known)->head == heads[i].head) continue;
      if (const auto vault = VaultView::Fetch(*realm, heads[i].vault); !vault) {
        keep(vault.error());
        all = false;
      }
    }
    if (progress) progress(compartment, heads.size(), heads.size());
    for (const Kind kind : IndexedKinds(compartment, realm->roles())) {
      keep(SyncPinnedRows(*realm, kind));
    }
    // A vault that failed is asked for again the next time.
    if (all) keep(realm->store().Put(kVaultsCursor, *next));
  }
  return first;
}

}  // namespace godwit::client
