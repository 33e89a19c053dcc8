#include "crypto/hash.h"

#include <sodium.h>

namespace godwit::crypto {

std::array<std::uint8_t, 32> Sha256(std::initializer_list<base::ByteSpan> parts) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (const auto& part : parts) crypto_hash_sha256_update(&state, part.data(), part.size());
  std::array<std::uint8_t, 32> hash;
  crypto_hash_sha256_final(&state, hash.data());
  return hash;
}

std::array<std::uint8_t, 64> Sha512(std::initializer_list<base::ByteSpan> parts) {
  crypto_hash_sha512_state state;
  crypto_hash_sha512_init(&state);
  for (const auto& part : parts) crypto_hash_sha512_update(&state, part.data(), part.size());
  std::array<std::uint8_t, 64> hash;
  crypto_hash_sha512_final(&state, hash.data());
  return hash;
}

std::array<std::uint8_t, 32> LabeledHash(HashLabel label,
                                         std::initializer_list<base::ByteSpan> parts) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  const auto text = base::AsBytes(label.text());
  const auto length = static_cast<std::uint8_t>(text.size());
  crypto_hash_sha256_update(&state, &length, 1);
  crypto_hash_sha256_update(&state, text.data(), text.size());
  for (const auto& part : parts) crypto_hash_sha256_update(&state, part.data(), part.size());
  std::array<std::uint8_t, 32> hash;
  crypto_hash_sha256_final(&state, hash.data());
  return hash;
}

}  // namespace godwit::crypto
