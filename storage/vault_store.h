#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "storage/chain.h"
#include "storage/postgres.h"
#include "storage/salt_store.h"
#include "storage/vault_commit.h"

namespace godwit::storage {

struct EpochBoxRow {
  std::uint32_t epoch = 0;
  base::Bytes box;
};

// The last revision of a live record, with all that opens it but the key.
struct ContentRow {
  base::RecordId record;
  std::uint64_t rver = 0;
  std::optional<Salt> salt;  // nothing only if the salt store lost it
  base::Bytes ciphertext;
};
struct ContentPage {
  std::vector<ContentRow> records;  // ascending by record
  bool more = false;                // ask again after the last one
};

// Makes the event of that number. May be called again where a transaction is.
using MakeEvent = std::function<EventRow(std::uint64_t n)>;

// What opens content to a member who manages without reading: their ASK, as of now.
struct OpenedBy {
  base::Link ask;  // zero: nothing does
  std::uint64_t now_ms = 0;
};

// The vaults of a realm: chains, members, boxes, records. Thread-safe.
// Codes besides those named: Database::Read and Write.
class VaultStore {
 public:
  VaultStore(Database& database, SaltStore& salts) : database_(database), salts_(salts) {}

  // Commits many vaults' entries in one transaction, with their leaves of the log, all admitted at
  // roster head `roster`. At most one commit a vault: a second one of the same vault conflicts. The
  // answers are in the order of `commits`; whatever one of them meets, its neighbours commit.
  // STALE_ROSTER: the roster's head is not `roster`, nothing was written: judge and admit all
  // again. On any other error nothing was written either, but where IsUnknownOutcome.
  base::Result<std::vector<CommitOutcome>> CommitVaults(
      const base::RealmId& realm, const ChainHead& roster,
      std::span<const VaultCommit* const> commits);

  // The vault, or nothing.
  base::Result<std::optional<VaultRow>> Find(const base::RealmId& realm,
                                             const base::VaultId& vault);

  // The perm that the EPOCH in force lists `member` with, or nothing: not listed, or no such vault.
  // One read of a row, which takes as long for either.
  base::Result<std::optional<std::uint8_t>> ListedPerm(const base::RealmId& realm,
                                                       const base::VaultId& vault,
                                                       const base::MemberId& member);

  // Entries from `from_seq` on, in order: at most `limit` and about 1 MiB of them, but one if there
  // is one; so the end is where a page is empty.
  base::Result<std::vector<EntryRow>> ReadEntries(const base::RealmId& realm,
                                                  const base::VaultId& vault,
                                                  std::uint64_t from_seq, std::size_t limit);

  // The entry at `seq`, or nothing: to compare one that is sent again.
  base::Result<std::optional<EntryRow>> EntryAt(const base::RealmId& realm,
                                                const base::VaultId& vault, std::uint64_t seq);

  // A member's boxes of a vault, all epochs, ascending.
  base::Result<std::vector<EpochBoxRow>> Boxes(const base::RealmId& realm,
                                               const base::VaultId& vault,
                                               const base::MemberId& member);

  // Live records that entries from `from_seq` on changed, after record `after` (zero: from the
  // first), in pages of about 1 MiB, at least one record. Empty for whom the EPOCH in force does
  // not list with read, unless `opened` is in effect.
  base::Result<ContentPage> ReadContent(const base::RealmId& realm, const base::VaultId& vault,
                                        const base::MemberId& member, std::uint64_t from_seq,
                                        const base::RecordId& after, const OpenedBy& opened = {});

  // Whether an ASK of a member's was assented to, and its time is not over.
  base::Result<bool> IsOpen(const base::RealmId& realm, const base::VaultId& vault,
                            const base::MemberId& member, const OpenedBy& opened);

  // At most `limit` vaults whose erase_day is before `today`, the longest past first.
  base::Result<std::vector<base::VaultId>> DueForErasure(const base::RealmId& realm,
                                                         std::uint32_t today, std::size_t limit);

  // Writes the vault's erase_day if its head is `expected`; else nothing.
  base::Status SetEraseDay(const base::RealmId& realm, const base::VaultId& vault,
                           const ChainHead& expected, std::uint32_t day);

  // Deletes the salts, boxes and ciphertexts of the vault, which is due no more, and keeps the
  // event and its leaf, in one transaction. Nothing if its head is not `expected`; no event where
  // nothing was left to delete.
  base::Status Erase(const base::RealmId& realm, const base::VaultId& vault,
                     const ChainHead& expected, const MakeEvent& make);

 private:
  Database& database_;
  SaltStore& salts_;
};

}  // namespace godwit::storage
