#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "crypto/sign.h"

namespace godwit::protocol {

// The signed request for a session (docs/protocol.md section 8):
//
//   AU = "gw1/au"|u8 ver|realm|u8 service|device|spki[32]|server_nonce[32]|client_nonce[32]|sig
enum class SessionService : std::uint8_t { kRealm = 1, kKeys = 2, kAudit = 3 };

struct SessionRequest {
  base::RealmId realm;
  SessionService service = SessionService::kRealm;
  base::DeviceId device;
  base::Sha256Hash spki;  // SHA-256 of the SubjectPublicKeyInfo of the leaf certificate seen
  std::array<std::uint8_t, 32> server_nonce{};
  std::array<std::uint8_t, 32> client_nonce{};
};

base::Bytes SignSessionRequest(const SessionRequest& request, const crypto::SigningKey& device_key);

// An AU taken apart; whose key verifies it is for the roster to say.
struct ReadSessionRequest {
  SessionRequest request;
  base::Bytes signed_bytes;
  crypto::Signature signature;
};
// E_SIG: no AU in CE, or of no service that there is. E_UNSUPPORTED: another ver.
base::Result<ReadSessionRequest> ParseSessionRequest(base::ByteSpan au);
[[nodiscard]] bool Verify(const ReadSessionRequest& request, const crypto::SigningPublicKey& key);

}  // namespace godwit::protocol
