#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace godwit::admin {

// A certificate and its private key, both PEM.
struct KeyedCertificate {
  std::string certificate;
  crypto::SecretBytes key;
};

// How long certificates hold. An authority outlives its realm's devices; a server's certificate is
// issued anew from time to time.
inline constexpr int kAuthorityDays = 3'650;
inline constexpr int kServerDays = 397;

// A new certificate authority, ECDSA P-256, that may sign servers' certificates and nothing else.
// Its name says nothing of an organisation. INTERNAL: OpenSSL fails.
base::Result<KeyedCertificate> MakeAuthority(int days);

// A new key and a certificate for a server that clients reach as `hosts`: names or addresses, at
// least one. INVALID_ARGUMENT: no host, one that is neither, or an authority that cannot be read.
base::Result<KeyedCertificate> IssueServer(const KeyedCertificate& authority,
                                           const std::vector<std::string>& hosts, int days);

// The same for a caller that shows it to a server, as a front does: it names nobody.
// INVALID_ARGUMENT: an authority that cannot be read.
base::Result<KeyedCertificate> IssueCaller(const KeyedCertificate& authority, int days);

// What clients pin: SHA-256 of the SubjectPublicKeyInfo of the first certificate in `pem`.
// INVALID_ARGUMENT: there is none.
base::Result<base::Sha256Hash> PinOf(std::string_view pem);

}  // namespace godwit::admin
