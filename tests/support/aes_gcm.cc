#include "tests/support/aes_gcm.h"

#include <openssl/evp.h>

#include <cassert>
#include <memory>

#include "crypto/errors.h"

namespace godwit::support {
namespace {

using base::Bytes;
using base::ByteSpan;
using crypto::SecretBytes;
using crypto::SecretRef;
using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

int Size(ByteSpan bytes) { return static_cast<int>(bytes.size()); }

class AesGcm final : public crypto::Aead {
 public:
  AesGcm(std::uint16_t hpke_id, const EVP_CIPHER* cipher) : hpke_id_(hpke_id), cipher_(cipher) {}

  std::uint16_t hpke_id() const override { return hpke_id_; }
  std::size_t key_size() const override {
    return static_cast<std::size_t>(EVP_CIPHER_get_key_length(cipher_));
  }
  std::size_t nonce_size() const override { return 12; }

  Bytes Seal(SecretRef<> key, ByteSpan nonce, ByteSpan ad, ByteSpan text) const override {
    const auto context = Start(key, nonce);
    Bytes sealed(text.size() + kTagSize);
    int size = 0;
    Check(EVP_EncryptInit_ex(context.get(), cipher_, nullptr, key.Expose().data(), nonce.data()));
    if (!ad.empty()) {
      Check(EVP_EncryptUpdate(context.get(), nullptr, &size, ad.data(), Size(ad)));
    }
    if (!text.empty()) {
      Check(EVP_EncryptUpdate(context.get(), sealed.data(), &size, text.data(), Size(text)));
    }
    Check(EVP_EncryptFinal_ex(context.get(), sealed.data() + text.size(), &size));
    Check(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize,
                              sealed.data() + text.size()));
    return sealed;
  }

  base::Result<SecretBytes> Open(SecretRef<> key, ByteSpan nonce, ByteSpan ad,
                                 ByteSpan sealed) const override {
    if (sealed.size() < kTagSize) return crypto::kDecryptError;
    const auto context = Start(key, nonce);
    const auto body = sealed.first(sealed.size() - kTagSize);
    Bytes tag = base::ToBytes(sealed.last(kTagSize));
    SecretBytes text(body.size());
    int size = 0;
    Check(EVP_DecryptInit_ex(context.get(), cipher_, nullptr, key.Expose().data(), nonce.data()));
    if (!ad.empty()) {
      Check(EVP_DecryptUpdate(context.get(), nullptr, &size, ad.data(), Size(ad)));
    }
    if (!body.empty()) {
      Check(EVP_DecryptUpdate(context.get(), text.Expose().data(), &size, body.data(), Size(body)));
    }
    Check(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()));
    std::uint8_t nothing = 0;
    if (EVP_DecryptFinal_ex(context.get(), &nothing, &size) != 1) return crypto::kDecryptError;
    return text;
  }

 private:
  Context Start(SecretRef<> key, ByteSpan nonce) const {
    assert(key.Expose().size() == key_size() && nonce.size() == nonce_size());
    return {EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
  }
  static void Check(int done) {
    assert(done == 1);
    static_cast<void>(done);
  }

  const std::uint16_t hpke_id_;
  const EVP_CIPHER* const cipher_;
};

}  // namespace

const crypto::Aead& Aes128Gcm() {
  static const AesGcm aead(0x0001, EVP_aes_128_gcm());
  return aead;
}

const crypto::Aead& Aes256Gcm() {
  static const AesGcm aead(0x0002, EVP_aes_256_gcm());
  return aead;
}

}  // namespace godwit::support
