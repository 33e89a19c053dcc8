#pragma once

#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"

namespace godwit::transport {

// SHA-256 of the SubjectPublicKeyInfo of the first certificate in `pem`. INVALID_ARGUMENT: it holds
// none.
base::Result<base::Sha256Hash> CertificateKey(std::string_view pem);

// Checks what a server showed: `leaf` (PEM) is signed, directly, by a certificate authority among
// `chain` (PEM, any number) whose key one of `pins` names, both are in force now, and `leaf` is a
// server's for `host`, a name or an address without a port. Returns CertificateKey(leaf).
// UNAVAILABLE: any of it is not so.
base::Result<base::Sha256Hash> CheckPinned(std::string_view leaf, std::string_view chain,
                                           const std::vector<base::Sha256Hash>& pins,
                                           std::string_view host);

}  // namespace godwit::transport
