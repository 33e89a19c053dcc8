#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "protocol/entry.h"
#include "protocol/roster.h"
#include "protocol/vault.h"

namespace godwit::protocol {

// What a server sends of a vault for cold reading (docs/protocol.md section 5): enough to trust the
// pinned record's author without the whole chain.
struct ColdRow {
  base::Bytes create;
  std::vector<base::Bytes> epochs;  // all, in order
  base::Bytes pinned;               // the pinned record's last REV
  base::Bytes head;                 // the chain's last entry; may be one of the others
};

// A vault as far as cold reading proves it: shown as "not fully checked" until the chain is.
struct ColdVault {
  base::VaultId vault;
  Kind kind = Kind::kCase;
  std::uint64_t head_seq = 0;
  base::Link head;
  EpochInForce epoch;
  std::vector<Epoch> epochs;      // payloads, in order: wraps and commitments
  std::uint16_t suite = kSuite1;  // the highest of the epochs'
  EntryHeader pinned_header;
  Rev pinned;
};

// Checks a row under `roster`: CREATE by a role that may; every EPOCH by the rules (a) to (e) after
// the one before; the pinned REV by all rules under the EPOCH in force where it stands; the head by
// an author who may write it, with links to both; order, links and R3 among all of them. What only
// the entries between would show stays open. Codes as Vault::Judge's.
base::Result<ColdVault> ReadCold(const ColdRow& row, const Roster& roster);

}  // namespace godwit::protocol
