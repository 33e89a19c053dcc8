#include "crypto/committing.h"

#include <cassert>

#include "crypto/aead.h"
#include "crypto/constant_time.h"
#include "crypto/errors.h"
#include "crypto/hkdf.h"

namespace godwit::crypto {
namespace {

// k[32] | n[24] | c[32] = X(key, "ca", u8 len(label) | label | salt | context, 88)
struct Derived {
  StackSecret<32> key;
  StackSecret<24> nonce;
  StackSecret<32> commitment;  // secret until it is known to match

  Derived(SecretRef<32> root, CommittingLabel label, base::ByteSpan context,
          std::span<const std::uint8_t, 32> salt) {
    const auto text = base::AsBytes(label.text());
    const auto length = static_cast<std::uint8_t>(text.size());
    StackSecret<88> okm;
    internal::DeriveFrom(root, kDeriveCommitting, {{&length, 1}, text, salt, context},
                         okm.Expose());
    const auto bytes = okm.Expose();
    std::ranges::copy(bytes.first<32>(), key.Expose().begin());
    std::ranges::copy(bytes.subspan<32, 24>(), nonce.Expose().begin());
    std::ranges::copy(bytes.last<32>(), commitment.Expose().begin());
  }
};

base::Bytes Join(const CommittingParts& parts) {
  base::Bytes sealed;
  sealed.reserve(64 + parts.ciphertext.size());
  base::Append(sealed, parts.salt);
  base::Append(sealed, parts.commitment);
  base::Append(sealed, parts.ciphertext);
  return sealed;
}

}  // namespace

CommittingParts SealCommittingParts(SecretRef<32> key, CommittingLabel label,
                                    base::ByteSpan context, base::ByteSpan text) {
  std::array<std::uint8_t, kCommittingSaltSize> salt;
  FillRandom(salt);
  return internal::SealCommittingWithSalt(key, label, context, text, salt);
}

base::Result<SecretBytes> OpenCommittingParts(SecretRef<32> key, CommittingLabel label,
                                              base::ByteSpan context,
                                              std::span<const std::uint8_t, 32> salt,
                                              std::span<const std::uint8_t, 32> commitment,
                                              base::ByteSpan ciphertext) {
  const Derived derived(key, label, context, salt);
  if (!ConstantTimeEqual(derived.commitment.Expose(), commitment)) return kDecryptError;
  return XChaCha20Poly1305().Open(derived.key, derived.nonce.Expose(), context, ciphertext);
}

base::Bytes SealCommitting(SecretRef<32> key, CommittingLabel label, base::ByteSpan context,
                           base::ByteSpan text) {
  return Join(SealCommittingParts(key, label, context, text));
}

base::Result<SecretBytes> OpenCommitting(SecretRef<32> key, CommittingLabel label,
                                         base::ByteSpan context, base::ByteSpan sealed) {
  if (sealed.size() < kCommittingOverhead) return kDecryptError;
  return OpenCommittingParts(key, label, context, sealed.first<32>(), sealed.subspan<32, 32>(),
                             sealed.subspan(64));
}

std::array<std::uint8_t, 32> KeyCommitment(SecretRef<32> key, KeyCommitmentLabel label,
                                           base::ByteSpan context) {
  const auto text = base::AsBytes(label.text());
  const auto length = static_cast<std::uint8_t>(text.size());
  std::array<std::uint8_t, 32> commitment;
  internal::DeriveFrom(key, kDeriveKeyCommitment, {{&length, 1}, text, context}, commitment);
  return commitment;
}

namespace internal {

CommittingParts SealCommittingWithSalt(SecretRef<32> key, CommittingLabel label,
                                       base::ByteSpan context, base::ByteSpan text,
                                       std::span<const std::uint8_t, 32> salt) {
  const Derived derived(key, label, context, salt);
  CommittingParts parts;
  std::ranges::copy(salt, parts.salt.begin());
  std::ranges::copy(derived.commitment.Expose(), parts.commitment.begin());
  parts.ciphertext = XChaCha20Poly1305().Seal(derived.key, derived.nonce.Expose(), context, text);
  return parts;
}

}  // namespace internal

}  // namespace godwit::crypto
