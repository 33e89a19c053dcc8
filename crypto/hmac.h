#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "base/bytes.h"
#include "crypto/secret.h"

namespace godwit::crypto {

// HMAC (RFC 2104) with a key of any length over the concatenation of `parts`.
std::array<std::uint8_t, 32> HmacSha256(SecretRef<> key,
                                        std::initializer_list<base::ByteSpan> parts);
std::array<std::uint8_t, 64> HmacSha512(SecretRef<> key,
                                        std::initializer_list<base::ByteSpan> parts);

}  // namespace godwit::crypto
