#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hpke.h"
#include "crypto/label.h"
#include "crypto/secret.h"

namespace godwit::crypto {

// Box of docs/protocol.md section 1: a 32-byte random key for whoever holds the private half of
// `public_key`. HPKE base mode, info = "gw1" | u8 len(label) | label | context, aad empty; the
// ephemeral pair is derived from the key itself, X(key, "box-eph", u8 len(label) | label |
// var16 public_key | context, 32), so that whoever opens a key can recompute every box of it.
// Returns encapsulation | ciphertext: 32 + 48 bytes in suite 1. INVALID_ARGUMENT: `public_key`.
base::Result<base::Bytes> SealBox(const HpkeSuite& suite, base::ByteSpan public_key, BoxLabel label,
                                  base::ByteSpan context, SecretRef<32> key);

// Writes the key of `box` into `key`. E_DECRYPT: not a box for this pair, label and context.
base::Status OpenBoxInto(const HpkeSuite& suite, const KemKeyPair& pair, BoxLabel label,
                         base::ByteSpan context, base::ByteSpan box,
                         std::span<std::uint8_t, 32> key);

// The same as a key of its own type.
template <class Tag>
base::Result<Secret<Tag, 32>> OpenBox(const HpkeSuite& suite, const KemKeyPair& pair,
                                      BoxLabel label, base::ByteSpan context, base::ByteSpan box) {
  base::Status opened;
  auto key = Secret<Tag, 32>::Make([&](std::span<std::uint8_t, 32> out) {
    opened = OpenBoxInto(suite, pair, label, context, box, out);
  });
  if (!opened) return opened.error();
  return key;
}

// Sealed(pk, label, ctx, text) = Box(pk, label, ctx, k) | CA.seal(k, label, ctx, text) with a fresh
// k: content of any length for one public key. Errors as SealBox.
base::Result<base::Bytes> SealTo(const HpkeSuite& suite, base::ByteSpan public_key,
                                 SealedLabel label, base::ByteSpan context, base::ByteSpan text);
// E_DECRYPT: not sealed to this pair with this label and context.
base::Result<SecretBytes> OpenSealed(const HpkeSuite& suite, const KemKeyPair& pair,
                                     SealedLabel label, base::ByteSpan context,
                                     base::ByteSpan sealed);

namespace internal {
// SealTo with a given key and salt, for known answers.
base::Result<base::Bytes> SealToWith(const HpkeSuite& suite, base::ByteSpan public_key,
                                     SealedLabel label, base::ByteSpan context, base::ByteSpan text,
                                     SecretRef<32> key, std::span<const std::uint8_t, 32> salt);
// The seed of the ephemeral pair of a Box, for known answers.
base::Bytes BoxEphemeralSeed(const HpkeSuite& suite, base::ByteSpan public_key, BoxLabel label,
                             base::ByteSpan context, SecretRef<32> key);
}  // namespace internal

}  // namespace godwit::crypto
