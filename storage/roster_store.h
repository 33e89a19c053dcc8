#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "storage/chain.h"
#include "storage/postgres.h"
#include "storage/quota.h"

namespace godwit::storage {

// The one-time right to give an empty realm its GENESIS.
using Claim = crypto::Secret<struct ClaimTag, 32>;

// The realm of a database, with its roster's head.
struct RealmRow {
  base::RealmId realm;
  std::uint8_t compartment = 0;  // 1 identity, 2 cases, 3 journeys
  base::Fingerprint fingerprint;
  ChainHead roster;
};

struct StatementRow {
  std::uint64_t seq = 0;
  base::Bytes bytes;  // Stmt, as it was received
  base::Link link;
};

// A PUK boxed to a device.
struct PukBoxRow {
  base::MemberId member;
  base::DeviceId device;
  std::uint32_t gen = 0;
  base::Bytes box;
};

// Statements that were judged against `expected`, to be written as a whole.
struct RosterAppend {
  ChainHead expected;
  ChainTag chain_tag;
  std::vector<StatementRow> statements;  // at least one; seq from expected.seq + 1
  std::vector<PukBoxRow> boxes;          // beside them
  // What the statements end, at once: of a removed member the boxes in every vault, and of both the
  // PUK boxes and sessions. What `boxes` holds is kept.
  std::vector<base::MemberId> removed_members;
  std::vector<base::DeviceId> revoked_devices;
  // Invitations that a MEMBER_ADD used up.
  std::vector<base::InviteId> used_invites;
  std::vector<QuotaCharge> charges;
};

// The roster's chain, its boxes and the realm itself. Thread-safe.
// Codes besides those named: Database::Read and Write.
class RosterStore {
 public:
  explicit RosterStore(Database& database) : database_(database) {}

  // The realm, or nothing while the database is empty.
  base::Result<std::optional<RealmRow>> LoadRealm();

  // Makes the claim, which is kept as its SHA-256, and returns it this once; nothing if there is a
  // claim or a realm already. With `again` a claim that was lost is replaced by a new one. For the
  // role that owns the schema.
  base::Result<std::optional<Claim>> MakeClaim(bool again);

  // Gives an empty database its realm with statement 0, and ends the claim. The same `genesis`
  // again is answered the same, with or without the claim. PERMISSION_DENIED: not the claim, or
  // none was made. EXISTS: there is another realm.
  base::Status CreateRealm(base::ByteSpan claim, const RealmRow& realm, const ChainTag& chain_tag,
                           base::ByteSpan genesis);

  // Appends, by compare-and-swap on the roster's head, with the leaves of the log. On an error
  // nothing is written. CONFLICT: the head is not `expected`. RATE_LIMITED: a charge does not fit.
  base::Status Append(const base::RealmId& realm, const RosterAppend& append);

  // Statements from `from_seq` on, at most `limit` and about 1 MiB of them, but one if there is
  // one.
  base::Result<std::vector<StatementRow>> Read(const base::RealmId& realm, std::uint64_t from_seq,
                                               std::size_t limit);

  // Boxes for one device of gens from `from_gen` on, ascending.
  base::Result<std::vector<PukBoxRow>> PukBoxes(const base::RealmId& realm,
                                                const base::DeviceId& device,
                                                std::uint32_t from_gen);

 private:
  Database& database_;
};

}  // namespace godwit::storage
