#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "services/realm/roster_cache.h"
#include "services/server/caller.h"
#include "storage/session_store.h"

namespace godwit::realm {

// How long a nonce and a session live (docs/protocol.md section 8).
inline constexpr std::uint64_t kNonceMs = 60'000;
inline constexpr std::uint32_t kSessionSeconds = 900;
inline constexpr std::size_t kTokenSize = 32;

struct OpenedSession {
  base::Bytes token;
  std::uint32_t seconds = 0;
};

// Who speaks with the realm. Thread-safe. Codes besides those named: storage::Database::Read and
// Write, RosterCache::Newest.
class Sessions {
 public:
  // All must outlive the sessions. `spki`: SHA-256 of the SubjectPublicKeyInfo of the certificate
  // that clients see.
  Sessions(storage::SessionStore& store, RosterCache& rosters, const base::Sha256Hash& spki,
           const base::Clock& clock)
      : store_(store), rosters_(rosters), spki_(spki), clock_(clock) {}

  // 32 bytes, good once over all replicas and for kNonceMs.
  base::Result<storage::Nonce> MakeNonce();
  // Answers an AU. E_SIG: it is malformed. E_UNSUPPORTED: of a later version. UNAUTHENTICATED, one
  // text for all: another realm, service or certificate, a device that is not active, a wrong
  // signature, a nonce that was not given, was used, or is too old.
  base::Result<OpenedSession> Open(base::ByteSpan au);
  // Whose session `token` opens, its device being active in the roster that the database holds now.
  // UNAUTHENTICATED: nobody's.
  base::Result<server::Caller> Authenticate(base::ByteSpan token);
  // Whether the caller's device is active still.
  base::Status CheckStillActive(const server::Caller& caller);
  base::Status Close(const server::Caller& caller);

 private:
  storage::SessionStore& store_;
  RosterCache& rosters_;
  const base::Sha256Hash spki_;
  const base::Clock& clock_;
};

}  // namespace godwit::realm
