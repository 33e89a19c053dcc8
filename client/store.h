#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/code.h"
#include "base/id.h"
#include "base/result.h"
#include "client/realm_keys.h"
#include "protocol/evidence.h"
#include "protocol/kinds.h"

namespace godwit::client {

// What a client remembers of a vault that it verified: R7 of docs/protocol.md section 5.
struct VaultMemory {
  protocol::Kind kind = protocol::Kind::kDirectory;
  std::uint64_t seq = 0;         // of the last entry
  base::Link head;               // its link
  std::uint64_t roster_seq = 0;  // that it names
  std::uint32_t epoch = 0;       // in force; 0 before the first
  bool frozen = false;           // by this device, after evidence: see Store::Freeze

  friend bool operator==(const VaultMemory&, const VaultMemory&) = default;
};

// The newest revision of a record, as it was fetched.
struct RecordBlob {
  base::RecordId record;
  std::uint64_t rver = 0;
  base::Bytes salt;
  base::Bytes ciphertext;

  friend bool operator==(const RecordBlob&, const RecordBlob&) = default;
};

// What to add to a vault.
struct VaultUpdate {
  base::VaultId vault;
  VaultMemory memory;
  std::vector<base::Bytes> entries;             // seq old + 1 to memory.seq, with no gap
  std::map<std::uint32_t, base::Bytes> boxes;   // by epoch; one that is there is replaced
  std::vector<RecordBlob> records;              // a higher rver replaces a lower one
  std::vector<base::RecordId> dropped_records;  // by TOMB or forget; none there is no error
};

// All that is kept of a vault.
struct StoredVault {
  VaultMemory memory;
  std::vector<base::Bytes> entries;  // seq 0 to memory.seq
  std::map<std::uint32_t, base::Bytes> boxes;
  std::vector<RecordBlob> records;  // in the order of their ids
};

// Something sealed and signed that waits for the realm's service.
struct OutboxItem {
  std::uint64_t id = 0;  // rising, never used again
  base::Bytes content;
};

// What shows that somebody did what nobody may (docs/protocol.md section 5), kept for people to
// look at. What stands in `piece` as statements and entries follows on what is kept of the roster
// and of the vault anyway: EvidenceOf joins them. The store fills in when.
struct EvidenceItem {
  base::Code code = base::Code::kInternal;
  std::uint64_t statements_before = 0;
  std::uint64_t entries_before = 0;
  protocol::Evidence piece;
};

// What a device keeps of one realm, in one SQLite file: every value sealed (CA, label "local")
// under the store key for its place, every id a keyed tag. Whoever takes the file learns how many
// vaults, entries and records there are, and their sizes. A digest of all rows is sealed too, so
// that a row which is missing, old or from elsewhere is noticed: such a store answers E_STATE_LOST
// and is left as it is, for a person to decide.
//
// Writes are whole transactions: after a crash or a kill each is there in full or not at all.
// One object a thread; several processes may have the same file open, and wait for each other up
// to ten seconds, then UNAVAILABLE. Any call may also answer E_STATE_LOST (damaged or tampered
// with), IO, RESOURCE_EXHAUSTED (disk or lockable memory) or INTERNAL.
class Store {
 public:
  // Makes the store of a new device at `path`, mode 0600: before its keystore
  // (Profile::DiscardUnfinished). EXISTS: there is a file.
  static base::Result<Store> Create(const std::filesystem::path& path, const StoreKey& key,
                                    const base::RealmId& realm,
                                    const base::Clock& clock = base::SystemClock());
  // Opens it and checks the digest: about 60 ms for 14,000 vaults. Never makes one: E_STATE_LOST
  // if there is none, if `key` or `realm` is another, or if it is damaged. PERMISSION_DENIED:
  // others may read it. E_UNSUPPORTED: made by a later version of this program.
  static base::Result<Store> Open(const std::filesystem::path& path, const StoreKey& key,
                                  const base::RealmId& realm,
                                  const base::Clock& clock = base::SystemClock());
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  // The realm's statements from seq 0, as they were verified.
  base::Result<std::vector<base::Bytes>> Roster() const;
  // Adds statements of seq `first_seq` and on. CONFLICT: that is not the next one; another process
  // was faster: load again.
  base::Status AppendRoster(std::uint64_t first_seq, const std::vector<base::Bytes>& statements);

  // Nothing if this device never verified the vault.
  base::Result<std::optional<VaultMemory>> Remembered(const base::VaultId& vault) const;
  // Every vault of `kind`, or of all kinds, in no particular order.
  base::Result<std::vector<std::pair<base::VaultId, VaultMemory>>> Vaults(
      std::optional<protocol::Kind> kind = std::nullopt) const;
  base::Result<std::optional<StoredVault>> Load(const base::VaultId& vault) const;

  // Adds to vaults, and takes items that these entries answer out of the outbox, in one
  // transaction; a vault that is new comes with all of its entries.
  //   E_ROLLBACK        seq, roster_seq, epoch or a record's rver goes back
  //   E_FORK            another head at the same seq, or another kind
  //   FROZEN            the vault is frozen here, and `memory` says that it is not or moves on
  //   INVALID_ARGUMENT  the entries are not exactly those from the old seq + 1 to the new one
  base::Status Apply(const std::vector<VaultUpdate>& updates,
                     const std::vector<std::uint64_t>& outbox_done = {});
  // Keeps evidence and freezes the vault on this device, in one transaction. NOT_FOUND: a vault
  // that was never verified here; nothing is kept.
  base::Status Freeze(const base::VaultId& vault, EvidenceItem evidence);

  // The board's cache: a row a vault, with the server's cursor that it is as of. `rows` are added
  // or replaced, `gone` removed, and the cursor set in one transaction.
  base::Status PutRows(protocol::Kind kind,
                       const std::vector<std::pair<base::VaultId, base::Bytes>>& rows,
                       base::ByteSpan cursor, const std::vector<base::VaultId>& gone = {});
  base::Result<std::vector<std::pair<base::VaultId, base::Bytes>>> Rows(protocol::Kind kind) const;
  // Empty before the first PutRows.
  base::Result<base::Bytes> RowsCursor(protocol::Kind kind) const;

  // Returns the item's id.
  base::Result<std::uint64_t> PutOutbox(base::ByteSpan content);
  base::Status ReplaceOutbox(std::uint64_t id, base::ByteSpan content);  // one that is there
  base::Result<std::vector<OutboxItem>> Outbox() const;                  // oldest first
  base::Status RemoveOutbox(std::uint64_t id);                           // none there is no error

  // The same piece is kept once, with the time when it first was.
  base::Status KeepEvidence(EvidenceItem evidence);
  base::Result<std::vector<EvidenceItem>> KeptEvidence() const;  // oldest first

  // Small values with a name of this program's choice.
  base::Status Put(std::string_view name, base::ByteSpan value);
  // The values that hold what searches read (client/search.h), of the vaults whose ids begin with a
  // digit each. One goes with each record that is dropped of its vaults; the next search makes it
  // anew.
  static std::size_t SearchedShard(const base::VaultId& vault);
  static std::string SearchedName(std::size_t shard);
  base::Result<std::optional<base::Bytes>> Get(std::string_view name) const;

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::client
