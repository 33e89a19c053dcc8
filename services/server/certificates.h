#pragma once

#include <string>

#include "base/result.h"
#include "crypto/secret.h"
#include "transport/certificate.h"

namespace godwit::server {

struct CertificateFiles {
  std::string certificate;  // PEM: the server's, then its authority's
  std::string key;          // PEM, for its owner alone
};

// A key with the certificates that go with it, checked: what may be shown to callers.
struct CertificateSet {
  std::string chain;        // PEM
  crypto::SecretBytes key;  // PEM, with a zero at its end
  transport::ServerCertificate shown;
};

// Reads both files and checks that they are a pair that OpenSSL takes, and the chain as
// transport::ReadServerCertificate does. INVALID_ARGUMENT: a file cannot be read, others than its
// owner may read the key, the key is not the certificate's, or ReadServerCertificate's reasons.
base::Result<CertificateSet> ReadCertificates(const CertificateFiles& files);

// Whether all who believe `shown` also believe `next`: it stands under an authority that `shown`
// stands under, and names every host that `shown` names. INVALID_ARGUMENT: it does not.
base::Status CheckSuccessor(const transport::ServerCertificate& shown,
                            const transport::ServerCertificate& next);

}  // namespace godwit::server
