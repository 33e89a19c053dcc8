#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

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
      : store_(store), rosters_(rosters), keys_{{spki, kForGood}}, clock_(clock) {}

  // From now on clients see a certificate with the key `spki`. For `grace_ms` an AU may also name
  // the key before it, which whoever connected earlier saw.
  void Accept(const base::Sha256Hash& spki, std::uint64_t grace_ms);

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
  static constexpr std::uint64_t kForGood = ~std::uint64_t{0};
  struct ShownKey {
    base::Sha256Hash spki;
    std::uint64_t until_ms = 0;
  };

  [[nodiscard]] bool IsShown(const base::Sha256Hash& spki) const;

  storage::SessionStore& store_;
  RosterCache& rosters_;
  mutable std::mutex mutex_;
  std::vector<ShownKey> keys_;  // the one in use is the last
  const base::Clock& clock_;
};

}  // namespace godwit::realm
