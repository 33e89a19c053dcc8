#include "crypto/aead.h"

#include <sodium.h>

#include <cassert>

#include "crypto/errors.h"

namespace godwit::crypto {
namespace {

// What the ciphers of libsodium have in common.
struct Cipher {
  std::uint16_t hpke_id;
  std::size_t nonce_size;
  decltype(&crypto_aead_chacha20poly1305_ietf_encrypt) encrypt;
  decltype(&crypto_aead_chacha20poly1305_ietf_decrypt) decrypt;
};

class SodiumAead final : public Aead {
 public:
  explicit SodiumAead(const Cipher& cipher) : cipher_(cipher) {}

  std::uint16_t hpke_id() const override { return cipher_.hpke_id; }
  std::size_t key_size() const override { return 32; }
  std::size_t nonce_size() const override { return cipher_.nonce_size; }

  base::Bytes Seal(SecretRef<> key, base::ByteSpan nonce, base::ByteSpan ad,
                   base::ByteSpan text) const override {
    assert(key.Expose().size() == key_size() && nonce.size() == nonce_size());
    base::Bytes sealed(text.size() + kTagSize);
    cipher_.encrypt(sealed.data(), nullptr, text.data(), text.size(), ad.data(), ad.size(), nullptr,
                    nonce.data(), key.Expose().data());
    return sealed;
  }

  base::Result<SecretBytes> Open(SecretRef<> key, base::ByteSpan nonce, base::ByteSpan ad,
                                 base::ByteSpan sealed) const override {
    assert(key.Expose().size() == key_size() && nonce.size() == nonce_size());
    if (sealed.size() < kTagSize) return kDecryptError;
    SecretBytes text(sealed.size() - kTagSize);
    if (cipher_.decrypt(text.Expose().data(), nullptr, nullptr, sealed.data(), sealed.size(),
                        ad.data(), ad.size(), nonce.data(), key.Expose().data()) != 0) {
      return kDecryptError;
    }
    return text;
  }

 private:
  const Cipher cipher_;
};

}  // namespace

const Aead& ChaCha20Poly1305() {
  static const SodiumAead aead({0x0003, crypto_aead_chacha20poly1305_ietf_NPUBBYTES,
                                &crypto_aead_chacha20poly1305_ietf_encrypt,
                                &crypto_aead_chacha20poly1305_ietf_decrypt});
  return aead;
}

const Aead& XChaCha20Poly1305() {
  static const SodiumAead aead({0xffff, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
                                &crypto_aead_xchacha20poly1305_ietf_encrypt,
                                &crypto_aead_xchacha20poly1305_ietf_decrypt});
  return aead;
}

}  // namespace godwit::crypto
