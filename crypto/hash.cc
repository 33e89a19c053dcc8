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

static_assert(sizeof(Sha256Stream) == sizeof(crypto_hash_sha256_state) &&
              alignof(Sha256Stream) >= alignof(crypto_hash_sha256_state));

Sha256Stream::Sha256Stream() {
  crypto_hash_sha256_init(reinterpret_cast<crypto_hash_sha256_state*>(state_.data()));
}

void Sha256Stream::Update(base::ByteSpan piece) {
  crypto_hash_sha256_update(reinterpret_cast<crypto_hash_sha256_state*>(state_.data()),
                            piece.data(), piece.size());
}

std::array<std::uint8_t, 32> Sha256Stream::Finish() {
  std::array<std::uint8_t, 32> hash;
  crypto_hash_sha256_final(reinterpret_cast<crypto_hash_sha256_state*>(state_.data()), hash.data());
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
