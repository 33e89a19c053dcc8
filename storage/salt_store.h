#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "storage/postgres.h"

namespace godwit::storage {

// The salt of a revision's encryption (docs/protocol.md section 6).
using Salt = base::FixedBytes<struct SaltTag, 32>;

// Names one revision of a realm.
struct RevisionKey {
  base::VaultId vault;
  base::RecordId record;
  std::uint64_t rver = 0;
};
struct SaltRow {
  RevisionKey revision;
  Salt salt;
};

// Where record salts are: an interface of its own, since they will move to the key service, so that
// neither server alone holds what opens a record. Thread-safe. Codes as Database::Write; an error
// ends the transaction.
class SaltStore {
 public:
  virtual ~SaltStore() = default;

  // Keeps salts of revisions that are new.
  virtual base::Status Put(Transaction& transaction, const base::RealmId& realm,
                           std::span<const SaltRow> salts) = 0;
  // The salts of `revisions`, in their order; nothing where there is none.
  virtual base::Result<std::vector<std::optional<Salt>>> Get(
      Transaction& transaction, const base::RealmId& realm,
      std::span<const RevisionKey> revisions) = 0;
  // Deletes the salts of all revisions of each record below the rver given.
  virtual base::Status DeleteBelow(Transaction& transaction, const base::RealmId& realm,
                                   std::span<const RevisionKey> bounds) = 0;
  // Deletes all salts of a vault; how many there were.
  virtual base::Result<std::uint64_t> DeleteAll(Transaction& transaction,
                                                const base::RealmId& realm,
                                                const base::VaultId& vault) = 0;
};

// Salts in table record_salt of the realm's own database.
class TableSaltStore final : public SaltStore {
 public:
  base::Status Put(Transaction& transaction, const base::RealmId& realm,
                   std::span<const SaltRow> salts) override;
  base::Result<std::vector<std::optional<Salt>>> Get(
      Transaction& transaction, const base::RealmId& realm,
      std::span<const RevisionKey> revisions) override;
  base::Status DeleteBelow(Transaction& transaction, const base::RealmId& realm,
                           std::span<const RevisionKey> bounds) override;
  base::Result<std::uint64_t> DeleteAll(Transaction& transaction, const base::RealmId& realm,
                                        const base::VaultId& vault) override;
};

}  // namespace godwit::storage
