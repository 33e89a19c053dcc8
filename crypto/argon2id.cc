#include "crypto/argon2id.h"

#include <sodium.h>

#include "crypto/address.h"

namespace godwit::crypto {

base::Result<SecretBytes> Argon2id(SecretRef<> passphrase, std::span<const std::uint8_t, 16> salt,
                                   std::uint32_t ops, std::uint64_t memory, std::size_t size) {
  SecretBytes key(size);
  const auto text = passphrase.Expose();
  if (size == 0 ||
      crypto_pwhash(key.Expose().data(), size, reinterpret_cast<const char*>(Address(text)),
                    text.size(), salt.data(), ops, memory, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return base::Error(base::Code::kResourceExhausted,
                       "Argon2id got no memory, or numbers that it does not take");
  }
  return key;
}

}  // namespace godwit::crypto
