#include "crypto/hmac.h"

#include <sodium.h>

#include "crypto/address.h"

namespace godwit::crypto {

// Not crypto_auth_*: those take keys of 32 bytes only.

std::array<std::uint8_t, 32> HmacSha256(SecretRef<> key,
                                        std::initializer_list<base::ByteSpan> parts) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, Address(key.Expose()), key.Expose().size());
  for (const auto& part : parts) crypto_auth_hmacsha256_update(&state, part.data(), part.size());
  std::array<std::uint8_t, 32> mac;
  crypto_auth_hmacsha256_final(&state, mac.data());
  sodium_memzero(&state, sizeof state);
  return mac;
}

std::array<std::uint8_t, 64> HmacSha512(SecretRef<> key,
                                        std::initializer_list<base::ByteSpan> parts) {
  crypto_auth_hmacsha512_state state;
  crypto_auth_hmacsha512_init(&state, Address(key.Expose()), key.Expose().size());
  for (const auto& part : parts) crypto_auth_hmacsha512_update(&state, part.data(), part.size());
  std::array<std::uint8_t, 64> mac;
  crypto_auth_hmacsha512_final(&state, mac.data());
  sodium_memzero(&state, sizeof state);
  return mac;
}

}  // namespace godwit::crypto
