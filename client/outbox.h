#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/realm.h"
#include "client/vault_view.h"
#include "godwit/content/v1/local.pb.h"
#include "godwit/content/v1/record.pb.h"
#include "protocol/vault.h"

namespace godwit::client {

// What this person did, on its way to the realm's service: kept on the device first, then sent, now
// or when the service can be reached. Nothing leaves it but by being written, or by its person's
// word.

// A record as it shall be. Where it is no longer what `base` says when it is sent, the two changes
// are joined field by field; of a field that both changed, the service's value stands and the other
// is kept beside it as a Conflict.
struct PendingEdit {
  base::RecordId record;
  std::optional<content::v1::Record> base;  // nothing: a new record
  content::v1::Record content;
  bool names_previous = false;  // as Edit says
};

struct PendingVault {
  protocol::Kind kind = protocol::Kind::kCase;
  std::map<base::MemberId, protocol::Perm> members;
  base::Bytes create;  // the signed CREATE
};

struct Pending {
  std::uint64_t id = 0;  // in the outbox
  base::VaultId vault;
  std::vector<PendingEdit> edits;
  std::optional<PendingVault> create;
  std::map<base::MemberId, protocol::Perm> relist;  // 0: no longer listed
  std::optional<base::Link> assent;                 // to this entry
  bool assent_yes = true;
  std::vector<base::Link> tries;
  std::string what;  // for people: "case note"
  std::uint64_t written_ms = 0;
  std::string why;       // why it still waits; empty: not tried since
  bool refused = false;  // it will not go by itself: its person decides
};

// A vault to be made: signs its CREATE here and now, so that its id is known. Needs no network.
Pending NewPendingVault(Realm& realm, protocol::Kind kind,
                        std::map<base::MemberId, protocol::Perm> members);

struct Written {
  bool queued = false;
};
// Keeps what was done, then sends it. An answer that does not come leaves it in the outbox: queued.
// Anything else that goes wrong takes it out again, and is returned: it was never acknowledged.
// PERMISSION_DENIED: an act that may not follow on what others did. CONFLICT: the record is gone.
base::Result<Written> Submit(Realm& realm, Pending pending);
// The same without trying: for what follows on a vault that waits itself.
base::Result<Written> Queue(Realm& realm, Pending pending);

// As it is kept.
content::v1::OutboxEntry ToEntry(const Pending& pending);
// E_STATE_LOST: it is malformed.
base::Result<Pending> FromEntry(const content::v1::OutboxEntry& entry);

// Oldest first.
base::Result<std::vector<Pending>> OutboxOf(Realm& realm);
// Sends what waits, in its order; what fails keeps why, and what follows on the same vault waits
// with it. Returns how many are left.
base::Result<std::size_t> SendWaiting(Realm& realm);
// Gives up what waits, by its person's word.
base::Status Discard(Realm& realm, std::uint64_t id);

}  // namespace godwit::client
