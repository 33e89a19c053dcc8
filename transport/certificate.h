#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"

namespace godwit::transport {

// SHA-256 of the SubjectPublicKeyInfo of the first certificate in `pem`. INVALID_ARGUMENT: it holds
// none.
base::Result<base::Sha256Hash> CertificateKey(std::string_view pem);

// What a server is about to show to its clients.
struct ServerCertificate {
  base::Sha256Hash key;                       // CertificateKey of its own certificate
  std::vector<base::Sha256Hash> authorities;  // the same of those beside it that signed it
  std::vector<std::string> hosts;             // "DNS:" and a name or "IP:" and its bytes; sorted
  std::uint64_t expires_ms = 0;               // when it, or its authority, ceases to be valid
};

// Reads a server's certificate and those beside it (PEM, the server's first), and checks what
// CheckPinned would but for pins and host. INVALID_ARGUMENT: there is none, no authority beside it
// signed it, it is not a server's, or it is not in force now.
base::Result<ServerCertificate> ReadServerCertificate(std::string_view pem);

// Whether `key` (PEM, not encrypted) is the private key of the first certificate in `pem`, and TLS
// takes the two.
[[nodiscard]] bool IsKeyOf(std::string_view key, std::string_view pem);

// Checks what a server showed: `leaf` (PEM) is signed, directly, by a certificate authority among
// `chain` (PEM, any number) whose key one of `pins` names, both are in force now, and `leaf` is a
// server's for `host`, a name or an address without a port. Returns CertificateKey(leaf).
// UNAVAILABLE: any of it is not so.
base::Result<base::Sha256Hash> CheckPinned(std::string_view leaf, std::string_view chain,
                                           const std::vector<base::Sha256Hash>& pins,
                                           std::string_view host);

}  // namespace godwit::transport
