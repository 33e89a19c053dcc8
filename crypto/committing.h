#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/label.h"
#include "crypto/secret.h"

namespace godwit::crypto {

// CA, the committing cipher of docs/protocol.md section 1: commits to key, label, context and salt,
// so that a ciphertext opens under one key alone (Len, Grubbs, Ristenpart, "Partitioning Oracle
// Attacks", USENIX Security 2021).
//
//   k[32] | n[24] | c[32] = X(key, "ca", u8 len(label) | label | salt | context, 88)
//   ct = XChaCha20-Poly1305(k, n, ad = context, text);  out = salt[32] | c[32] | ct
inline constexpr std::size_t kCommittingSaltSize = 32;
inline constexpr std::size_t kCommittingOverhead = 32 + 32 + 16;

// The parts of a sealed text, as a record keeps them: the salt in one store, c in the signed entry,
// the ciphertext in another store.
struct CommittingParts {
  std::array<std::uint8_t, 32> salt{};
  std::array<std::uint8_t, 32> commitment{};
  base::Bytes ciphertext;
};

// Seals `text` under a fresh salt.
CommittingParts SealCommittingParts(SecretRef<32> key, CommittingLabel label,
                                    base::ByteSpan context, base::ByteSpan text);
// Compares the commitment first, in constant time. E_DECRYPT: any of the parts, the key, the label
// or the context is not what it was sealed with; which one is not said.
base::Result<SecretBytes> OpenCommittingParts(SecretRef<32> key, CommittingLabel label,
                                              base::ByteSpan context,
                                              std::span<const std::uint8_t, 32> salt,
                                              std::span<const std::uint8_t, 32> commitment,
                                              base::ByteSpan ciphertext);

// The same in one piece: salt | c | ct, kCommittingOverhead longer than `text`.
base::Bytes SealCommitting(SecretRef<32> key, CommittingLabel label, base::ByteSpan context,
                           base::ByteSpan text);
base::Result<SecretBytes> OpenCommitting(SecretRef<32> key, CommittingLabel label,
                                         base::ByteSpan context, base::ByteSpan sealed);

// KC(key, label, ctx) = X(key, "kc", u8 len(label) | label | ctx, 32): a public commitment to a
// uniformly random key.
std::array<std::uint8_t, 32> KeyCommitment(SecretRef<32> key, KeyCommitmentLabel label,
                                           base::ByteSpan context);

namespace internal {
// SealCommittingParts with a given salt, for known answers: a salt used twice is the end of
// secrecy.
CommittingParts SealCommittingWithSalt(SecretRef<32> key, CommittingLabel label,
                                       base::ByteSpan context, base::ByteSpan text,
                                       std::span<const std::uint8_t, 32> salt);
}  // namespace internal

}  // namespace godwit::crypto
