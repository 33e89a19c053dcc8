#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "storage/postgres.h"

namespace godwit::storage {

// An invitation's OFFER and what was put under it (docs/protocol.md section 11).
struct Invitation {
  base::InviteId invite;
  base::MemberId offerer;
  std::uint64_t expires_ms = 0;  // since 1970-01-01 UTC
  base::Bytes offer;
  base::Bytes j1, j2, j3;  // empty while it was not put
};

enum class JoinStep : std::uint8_t { kJ1 = 1, kJ2 = 2, kJ3 = 3 };

// The mailbox of invitations. An invitation is live until it expires, its offerer takes it back, or
// a MEMBER_ADD uses it (RosterStore::Append). Thread-safe.
// Codes besides those named: Database::Read and Write.
class MailboxStore {
 public:
  explicit MailboxStore(Database& database) : database_(database) {}

  // Puts the offer; the steps of `invitation` are not looked at. The same offer of the same member
  // again is answered the same. CONFLICT: the id is taken. RATE_LIMITED: the offerer has
  // `most_open` others that are live.
  base::Status PutOffer(const base::RealmId& realm, const Invitation& invitation,
                        std::uint64_t now_ms, std::uint64_t most_open);
  // Takes an invitation back. NOT_FOUND: none of this offerer's.
  base::Status Delete(const base::RealmId& realm, const base::InviteId& invite,
                      const base::MemberId& offerer);

  // Puts a step's message under a live invitation, once; the same bytes again are answered the
  // same. NOT_FOUND: no live invitation. CONFLICT: other bytes are there.
  base::Status PutStep(const base::RealmId& realm, const base::InviteId& invite, JoinStep step,
                       base::ByteSpan message, std::uint64_t now_ms);
  // The live invitation, or nothing.
  base::Result<std::optional<Invitation>> Find(const base::RealmId& realm,
                                               const base::InviteId& invite, std::uint64_t now_ms);

  // Deletes invitations that expired.
  base::Status DeleteExpired(const base::RealmId& realm, std::uint64_t now_ms);

 private:
  Database& database_;
};

}  // namespace godwit::storage
