#pragma once

#include "crypto/aead.h"

namespace godwit::support {

// AES-128-GCM and AES-256-GCM (NIST SP 800-38D, 12-byte nonce) on OpenSSL, for published vectors
// that exist for these alone. No program of ours uses AES: without its own instructions it is not
// constant-time.
const crypto::Aead& Aes128Gcm();
const crypto::Aead& Aes256Gcm();

}  // namespace godwit::support
