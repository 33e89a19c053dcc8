#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "protocol/roster.h"
#include "protocol/vault.h"
#include "services/realm/config.h"
#include "services/realm/uploads.h"
#include "services/realm/vault_state.h"
#include "services/server/caller.h"
#include "storage/roster_store.h"
#include "storage/vault_commit.h"

namespace godwit::realm {

// The rules on what is let in (docs/protocol.md section 8, Server), as functions of what is known
// and what is sent: no storage, no clock of their own.

// What acts are counted as, for the quotas. Numbers are stored: none is ever used anew.
enum class Act : std::uint16_t {
  kPukRotate = 1,
  kCreate = 2,
  kEpoch = 3,
  kBytes = 4,
  kRevokeOther = 5,
  kDeviceAdd = 6,
  kFreezeBytes = 7,
};

// Entries that passed: what to commit, and the state that the vault has then.
struct AdmittedEntries {
  storage::VaultCommit commit;
  VaultStatePtr after;
};

// Judges and admits `entries`, all of one vault, as the next ones after `state` (an empty one: a
// vault that is new) at the roster's head. Codes: those of protocol::Vault::Judge and Admit;
// PERMISSION_DENIED: not sent by its author; INVALID_ARGUMENT: a box, salt or ciphertext is
// missing, too many, or not the one that is listed, or an erase_day is less than 30 days away;
// E_UNSUPPORTED: an EPOCH with a guest or a recovery box; E_ENTRY_INVALID: CREATE alone.
base::Result<AdmittedEntries> AdmitEntries(const VaultState& state, const protocol::Roster& roster,
                                           const server::Caller& caller,
                                           const std::vector<EntryUpload>& entries,
                                           const Quotas& quotas, std::uint64_t now_ms);

// Statements that passed: what to append, and the roster with them.
struct AdmittedStatements {
  storage::RosterAppend append;
  std::shared_ptr<const protocol::Roster> after;
};

// The same for statements after the roster's head, taken whole. Codes: those of
// protocol::Roster::Append; PERMISSION_DENIED: neither by the caller's device, nor by the root and
// sent by an owner; INVALID_ARGUMENT: a box is missing, too many, or not the one that is listed, or
// an APPROVE of a statement older than 30 days; E_UNSUPPORTED: a RECOVERY_SET or RECOVERY_REQUEST.
base::Result<AdmittedStatements> AdmitStatements(const protocol::Roster& roster,
                                                 const server::Caller& caller,
                                                 const std::vector<StatementUpload>& statements,
                                                 const Quotas& quotas, std::uint64_t now_ms);

// Whether a statement at or below the head was signed by the device, or the root key of its time,
// that it names, as far as `roster` knows it; of one that is stored this says nothing new. E_SIG
// else.
base::Status CheckStatementSigned(base::ByteSpan statement, const protocol::Roster& roster);

// Whether `caller` may send this entry: its author, or a member with role intake who sends
// another's CREATE (docs/protocol.md section 6).
[[nodiscard]] bool MaySend(const protocol::EntryHeader& header, const protocol::Roster& roster,
                           const server::Caller& caller);

}  // namespace godwit::realm
