#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/realm.h"
#include "godwit/content/v1/record.pb.h"
#include "protocol/kinds.h"

namespace godwit::client {

// A vault's pinned record, read cold (docs/protocol.md section 5) and kept here: what boards and
// the index from codes to vaults are made of. To be shown as "not fully checked" until the vault
// was fetched whole.
struct PinnedRow {
  base::VaultId vault;
  std::uint64_t head_seq = 0;
  base::Link head;
  content::v1::Record record;
  bool fully_checked = false;
};

// Brings the rows of a kind up to date: what changed since the last time is fetched, every row
// verified and opened, on as many threads as there are cores. A row that shows an older state than
// remembered (E_ROLLBACK), does not verify or does not open is refused with evidence kept; a row of
// a vault of another kind (E_ENTRY_INVALID) without, since it is right but for the question. The
// rest is kept all the same, and the first such error returned. Before that, what does not verify
// is looked for in its vault's whole chain, which is fetched for 16 rows a call: a row that is of
// the chain is kept as fully checked, an error of the chain has evidence of its own, and what was
// not looked into is refused without evidence and comes again. A vault in which this member is
// suspended stays as it was here until somebody writes there. `progress` hears the rows done.
base::Status SyncPinnedRows(Realm& realm, protocol::Kind kind,
                            const std::function<void(std::size_t)>& progress = {});

// The rows of a kind as of the last sync, in no particular order.
base::Result<std::vector<PinnedRow>> ReadPinnedRows(Realm& realm, protocol::Kind kind);

}  // namespace godwit::client
