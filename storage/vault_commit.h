#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "storage/chain.h"
#include "storage/quota.h"
#include "storage/salt_store.h"

namespace godwit::storage {

struct EntryRow {
  std::uint64_t seq = 0;
  std::uint8_t type = 0;  // of docs/protocol.md section 5: 1 CREATE, 2 EPOCH, 3 REV, 4 TOMB
  base::Link link;
  base::Bytes bytes;  // VE, as it was received
};

// A row of an EPOCH's list.
struct MembershipRow {
  base::MemberId member;
  std::uint8_t perm = 0;
  std::uint32_t puk_gen = 0;
};

// The key of a vault's epoch boxed to a member.
struct VaultBoxRow {
  std::uint32_t epoch = 0;
  base::MemberId member;
  base::Bytes box;
};

// What stands beside a REV.
struct RevisionRow {
  base::RecordId record;
  std::uint64_t rver = 0;
  Salt salt;
  base::Bytes ciphertext;
};

// A record as a commit leaves it: `seq` is that of its last REV or TOMB.
struct RecordHeadRow {
  base::RecordId record;
  std::uint64_t rver = 0;
  std::uint64_t seq = 0;
  bool dead = false;
};

// Salts and ciphertexts of `record` with an rver below this are deleted: a REV with forget (its own
// rver), a TOMB (its own rver).
struct ForgetRow {
  base::RecordId record;
  std::uint64_t below_rver = 0;
};

// The last REV of a vault's pinned record.
struct PinnedRow {
  base::Link link;
  std::uint64_t seq = 0;
  base::RecordId record;
  std::uint64_t rver = 0;
};

// A vault without its entries. The defaults are those of a chain that has no such entry.
struct VaultRow {
  base::VaultId vault;
  std::uint8_t kind = 0;
  ChainHead head;
  std::uint32_t epoch = 0;  // number of the EPOCH in force, 0 none
  base::Link epoch_link;
  std::optional<PinnedRow> pinned;
  std::uint64_t roster_seq = 0;  // that the head entry cites
  // The day, in days since 1970-01-01 UTC, after which nothing of its content is kept; 0: none now.
  std::uint32_t erase_day = 0;
};

// What the service did of itself (docs/protocol.md section 7).
struct EventRow {
  base::Link link;
  base::Bytes bytes;  // EV
};

// Until when a member who manages without reading is served content, by an ASK that was assented
// to.
struct OpeningRow {
  base::MemberId member;
  base::Link ask;
  std::uint64_t until_ms = 0;  // Unix time, not reached
};

// Entries of one vault that were judged and admitted, to be written whole or not at all.
struct VaultCommit {
  // The head that they were judged against; nothing for a vault that is new.
  std::optional<ChainHead> expected;
  VaultRow after;  // the vault with these entries
  ChainTag chain_tag;
  std::vector<EntryRow> entries;  // at least one, seq contiguous, the last one after.head
  // The list of the last EPOCH among the entries; nothing if there is none. Who was listed before
  // and is not now loses all boxes of this vault.
  std::optional<std::vector<MembershipRow>> membership;
  std::vector<VaultBoxRow> boxes;
  std::vector<RevisionRow> revisions;
  std::vector<RecordHeadRow> records;  // each record once
  std::vector<ForgetRow> forgets;      // each record once
  std::vector<OpeningRow> openings;    // each ask once
  std::vector<QuotaCharge> charges;
};

enum class CommitOutcome {
  kCommitted,
  kConflict,   // the vault's head is not `expected`, or a new vault exists
  kOverQuota,  // a charge does not fit
  kRefused,    // breaks a limit of the schema: the caller's checks let through what they should not
};

}  // namespace godwit::storage
