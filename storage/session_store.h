#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "base/id.h"
#include "base/result.h"
#include "storage/chain.h"
#include "storage/postgres.h"

namespace godwit::storage {

// A server_nonce of docs/protocol.md section 8.
using Nonce = base::FixedBytes<struct NonceTag, 32>;
// SHA-256 of a session's token; the token itself is never stored.
using TokenHash = base::FixedBytes<struct TokenHashTag, 32>;

struct SessionRow {
  TokenHash token;
  base::MemberId member;
  base::DeviceId device;
  std::uint64_t expires_ms = 0;  // since 1970-01-01 UTC, as all times here
};
// A session and the roster's head at that moment, by which a caller sees whether its own copy of
// the roster is still good to judge the device by.
struct LiveSession {
  SessionRow session;
  ChainHead roster;
};

// Nonces and sessions, common to all replicas of a service. Times come from the caller, `now_ms` is
// the caller's clock. Thread-safe. Codes besides those named: Database::Read and Write.
class SessionStore {
 public:
  explicit SessionStore(Database& database) : database_(database) {}

  base::Status PutNonce(const base::RealmId& realm, const Nonce& nonce, std::uint64_t expires_ms);
  // Ends the nonce. NOT_FOUND: never given, taken already, or expired.
  base::Status TakeNonce(const base::RealmId& realm, const Nonce& nonce, std::uint64_t now_ms);

  base::Status Open(const base::RealmId& realm, const SessionRow& session);
  // Nothing: no such session, or it ended.
  base::Result<std::optional<LiveSession>> Find(const base::RealmId& realm, const TokenHash& token,
                                                std::uint64_t now_ms);
  // Those of `tokens` whose sessions live.
  base::Result<std::set<TokenHash>> Living(const base::RealmId& realm,
                                           const std::set<TokenHash>& tokens, std::uint64_t now_ms);
  // Ends a session; one that is not there is no error.
  base::Status Close(const base::RealmId& realm, const TokenHash& token);
  // Ends all sessions of a device.
  base::Status CloseDevice(const base::RealmId& realm, const base::DeviceId& device);

  // Deletes nonces and sessions that expired.
  base::Status DeleteExpired(const base::RealmId& realm, std::uint64_t now_ms);

 private:
  Database& database_;
};

}  // namespace godwit::storage
