#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/label.h"
#include "crypto/secret.h"

namespace godwit::crypto {

// HKDF (RFC 5869). Extract writes the pseudorandom key into `prk`.
void HkdfExtractSha256(base::ByteSpan salt, SecretRef<> ikm, std::span<std::uint8_t, 32> prk);
void HkdfExtractSha512(base::ByteSpan salt, SecretRef<> ikm, std::span<std::uint8_t, 64> prk);
// Expand fills `out`. INVALID_ARGUMENT: `out` is longer than 255 hashes.
base::Status HkdfExpandSha256(SecretRef<> prk, base::ByteSpan context, std::span<std::uint8_t> out);
base::Status HkdfExpandSha512(SecretRef<> prk, base::ByteSpan context, std::span<std::uint8_t> out);

// X(prk, label, ctx, L) = HKDF-Expand-SHA512(prk, "gw1" | u8 len(label) | label | ctx, L) of
// docs/protocol.md section 1, L = out.size() <= 255 * 64. `prk` is uniformly random and at least
// 32 bytes long.
void Derive(SecretRef<> prk, DeriveLabel label, base::ByteSpan context,
            std::span<std::uint8_t> out);

// Returns X(prk, label, context, N) as a key. Errors as Secret::Make.
template <class Tag, std::size_t N>
base::Result<Secret<Tag, N>> DeriveSecret(SecretRef<> prk, DeriveLabel label,
                                          base::ByteSpan context) {
  return Secret<Tag, N>::Make(
      [&](std::span<std::uint8_t, N> out) { Derive(prk, label, context, out); });
}

namespace internal {
// The same over the concatenation of parts, for this folder: nothing is copied together first.
void ExtractSha256(base::ByteSpan salt, std::initializer_list<base::ByteSpan> ikm,
                   std::span<std::uint8_t, 32> prk);
base::Status ExpandSha256(SecretRef<> prk, std::initializer_list<base::ByteSpan> context,
                          std::span<std::uint8_t> out);
void DeriveFrom(SecretRef<> prk, DeriveLabel label, std::initializer_list<base::ByteSpan> context,
                std::span<std::uint8_t> out);
}  // namespace internal

}  // namespace godwit::crypto
