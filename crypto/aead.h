#pragma once

#include <cstddef>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace godwit::crypto {

// An authenticated cipher. Neither of ours commits to its key: everything but HPKE and the chunks
// of attachments goes through crypto/committing.h. Thread-safe.
class Aead {
 public:
  virtual ~Aead() = default;

  virtual std::uint16_t hpke_id() const = 0;  // RFC 9180 section 7.3; 0xffff if it has none
  virtual std::size_t key_size() const = 0;
  virtual std::size_t nonce_size() const = 0;
  static constexpr std::size_t kTagSize = 16;

  // Returns the ciphertext, kTagSize longer than `text`. Key and nonce have the sizes above (an
  // assert), and no pair is used twice.
  virtual base::Bytes Seal(SecretRef<> key, base::ByteSpan nonce, base::ByteSpan ad,
                           base::ByteSpan text) const = 0;
  // E_DECRYPT: the tag is wrong, or `sealed` is shorter than a tag.
  virtual base::Result<SecretBytes> Open(SecretRef<> key, base::ByteSpan nonce, base::ByteSpan ad,
                                         base::ByteSpan sealed) const = 0;
};

// RFC 8439: 32-byte key, 12-byte nonce.
const Aead& ChaCha20Poly1305();
// draft-irtf-cfrg-xchacha-03: 32-byte key, 24-byte nonce.
const Aead& XChaCha20Poly1305();

}  // namespace godwit::crypto
