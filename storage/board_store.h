#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "storage/postgres.h"
#include "storage/salt_store.h"
#include "storage/vault_commit.h"

namespace godwit::storage {

// A point before which a reader has seen everything. Opaque to clients, who send it back as bytes.
// It is worth something to the database that made it alone: one of another cluster, or of before a
// failover, counts as none, so that all is read again and nothing is missed.
class ChangeCursor {
 public:
  static constexpr std::size_t kSize = 20;

  // Nothing has been seen.
  ChangeCursor() = default;
  // A moment of a cluster: `oldest_running` is the oldest transaction that had not ended.
  ChangeCursor(std::uint64_t system, std::uint32_t timeline, std::uint64_t oldest_running)
      : system_(system), timeline_(timeline), oldest_running_(oldest_running) {}
  // Empty bytes: nothing has been seen. INVALID_ARGUMENT: not what bytes() gave.
  static base::Result<ChangeCursor> FromBytes(base::ByteSpan bytes);

  base::Bytes bytes() const;

  // Rows with this mark and above may be new to who comes with this cursor at the moment `now`.
  std::uint64_t FirstNewMark(const ChangeCursor& now) const {
    return system_ == now.system_ && timeline_ == now.timeline_ ? oldest_running_ : 0;
  }

 private:
  // bytes(): u64 system identifier of the cluster | u32 timeline | u64 oldest running
  std::uint64_t system_ = 0;
  std::uint32_t timeline_ = 0;
  std::uint64_t oldest_running_ = 0;
};

// One vault of a board, with what cold reading (docs/protocol.md section 5) needs.
struct BoardRow {
  base::VaultId vault;
  std::uint8_t perm = 0;  // the member's, as the EPOCH in force lists it
  base::Bytes create;
  std::vector<base::Bytes> epochs;  // every EPOCH, in order
  base::Bytes pinned;               // empty: the vault has no pinned record yet
  base::Bytes head;
  base::Bytes box;  // of the epoch in force; empty: none
  // Of the pinned record's last REV; nothing and empty under a perm without read.
  std::optional<Salt> salt;
  base::Bytes ciphertext;
};
struct BoardPage {
  std::vector<BoardRow> rows;  // ascending by vault
  bool more = false;           // ask again after the last one
  ChangeCursor cursor;         // of the moment of this page
};

struct ListedVault {
  base::VaultId vault;
  std::uint8_t kind = 0;
  ChainHead head;
  std::uint8_t perm = 0;  // as the EPOCH in force lists it
};
struct ListPage {
  std::vector<ListedVault> rows;  // ascending by vault
  bool more = false;
  ChangeCursor cursor;
};

// A vault that changed, once for each of the members asked for that the EPOCH in force lists.
struct ChangedVault {
  base::MemberId member;
  base::VaultId vault;
  std::uint8_t kind = 0;
  std::uint64_t head_seq = 0;
  std::uint8_t perm = 0;  // as the EPOCH in force lists it
};
struct ChangePage {
  std::vector<ChangedVault> rows;
  bool more = false;  // there are others: whoever needs them all asks by ListVaults
  ChangeCursor cursor;
};

// What a member's vaults are and what changed in them. A reading goes through its pages with the
// same `since` and, at its end, keeps the cursor of the FIRST page for the next time: then no
// change is ever missed, and one may come twice. No connection is held between pages. Thread-safe.
// Codes: Database::Read.
class BoardStore {
 public:
  BoardStore(Database& database, SaltStore& salts) : database_(database), salts_(salts) {}

  // Vaults of `kind` that the EPOCH in force lists `member` in and that changed since, after vault
  // `after` (zero: from the first): pages of at most 256 rows and about 1 MiB, at least one row.
  base::Result<BoardPage> ReadBoard(const base::RealmId& realm, const base::MemberId& member,
                                    std::uint8_t kind, const ChangeCursor& since,
                                    const base::VaultId& after);

  // The same of every kind, heads alone: pages of at most 4,096.
  base::Result<ListPage> ListVaults(const base::RealmId& realm, const base::MemberId& member,
                                    const ChangeCursor& since, const base::VaultId& after);

  // What changed for `members` since, at most `most` rows; without `since` what moment it is alone.
  // Costs next to nothing while nothing was written, else a look at each vault of the realm: there
  // is no index by time, which every commit would have to pay for.
  base::Result<ChangePage> ReadChanges(const base::RealmId& realm,
                                       const std::set<base::MemberId>& members,
                                       const std::optional<ChangeCursor>& since, std::size_t most);

 private:
  Database& database_;
  SaltStore& salts_;
};

}  // namespace godwit::storage
