#include "crypto/box.h"

#include <cassert>
#include <limits>

#include "crypto/committing.h"
#include "crypto/errors.h"
#include "crypto/hkdf.h"

namespace godwit::crypto {
namespace {

// "gw1" | u8 len(label) | label | context
base::Bytes Info(BoxLabel label, base::ByteSpan context) {
  constexpr std::string_view kTag = "gw1";
  base::Bytes info;
  info.reserve(kTag.size() + 1 + label.text().size() + context.size());
  base::Append(info, base::AsBytes(kTag));
  info.push_back(static_cast<std::uint8_t>(label.text().size()));
  base::Append(info, base::AsBytes(label.text()));
  base::Append(info, context);
  return info;
}

// X(key, "box-eph", u8 len(label) | label | var16 public_key | context, out.size())
void DeriveSeed(base::ByteSpan public_key, BoxLabel label, base::ByteSpan context,
                SecretRef<32> key, std::span<std::uint8_t> out) {
  assert(public_key.size() <= std::numeric_limits<std::uint16_t>::max());
  const auto text = base::AsBytes(label.text());
  const auto length = static_cast<std::uint8_t>(text.size());
  const std::array<std::uint8_t, 2> key_length{static_cast<std::uint8_t>(public_key.size() >> 8),
                                               static_cast<std::uint8_t>(public_key.size())};
  internal::DeriveFrom(key, kDeriveBoxEphemeral,
                       {{&length, 1}, text, key_length, public_key, context}, out);
}

std::size_t BoxSize(const HpkeSuite& suite) {
  return suite.kem.encapsulation_size() + 32 + Aead::kTagSize;
}

}  // namespace

base::Result<base::Bytes> SealBox(const HpkeSuite& suite, base::ByteSpan public_key, BoxLabel label,
                                  base::ByteSpan context, SecretRef<32> key) {
  if (public_key.size() != suite.kem.public_key_size()) {
    return base::Error(base::Code::kInvalidArgument, "a public key of the wrong length");
  }
  SecretBytes seed(suite.kem.ephemeral_seed_size());
  DeriveSeed(public_key, label, context, key, seed.Expose());
  auto sender = SetupHpkeSender(suite, public_key, Info(label, context), seed);
  if (!sender) return sender.error();
  const auto sealed = sender->context.Seal({}, key.Expose());
  if (!sealed) return sealed.error();
  base::Bytes box = std::move(sender->encapsulation);
  base::Append(box, *sealed);
  return box;
}

base::Status OpenBoxInto(const HpkeSuite& suite, const KemKeyPair& pair, BoxLabel label,
                         base::ByteSpan context, base::ByteSpan box,
                         std::span<std::uint8_t, 32> key) {
  if (box.size() != BoxSize(suite)) return kDecryptError;
  const std::size_t split = suite.kem.encapsulation_size();
  auto receiver = SetupHpkeReceiver(suite, pair, Info(label, context), box.first(split));
  if (!receiver) return receiver.error();
  const auto opened = receiver->Open({}, box.subspan(split));
  if (!opened) return opened.error();
  std::ranges::copy(opened->Expose(), key.begin());
  return base::Status::Ok();
}

base::Result<base::Bytes> SealTo(const HpkeSuite& suite, base::ByteSpan public_key,
                                 SealedLabel label, base::ByteSpan context, base::ByteSpan text) {
  StackSecret<32> key;
  FillRandom(key.Expose());
  std::array<std::uint8_t, kCommittingSaltSize> salt;
  FillRandom(salt);
  return internal::SealToWith(suite, public_key, label, context, text, key, salt);
}

base::Result<SecretBytes> OpenSealed(const HpkeSuite& suite, const KemKeyPair& pair,
                                     SealedLabel label, base::ByteSpan context,
                                     base::ByteSpan sealed) {
  const std::size_t split = BoxSize(suite);
  if (sealed.size() < split) return kDecryptError;
  StackSecret<32> key;
  const auto opened =
      OpenBoxInto(suite, pair, BoxLabel(label), context, sealed.first(split), key.Expose());
  if (!opened) return opened.error();
  return OpenCommitting(key, CommittingLabel(label), context, sealed.subspan(split));
}

namespace internal {

base::Result<base::Bytes> SealToWith(const HpkeSuite& suite, base::ByteSpan public_key,
                                     SealedLabel label, base::ByteSpan context, base::ByteSpan text,
                                     SecretRef<32> key, std::span<const std::uint8_t, 32> salt) {
  auto sealed = SealBox(suite, public_key, BoxLabel(label), context, key);
  if (!sealed) return sealed.error();
  const auto parts = SealCommittingWithSalt(key, CommittingLabel(label), context, text, salt);
  base::Append(*sealed, parts.salt);
  base::Append(*sealed, parts.commitment);
  base::Append(*sealed, parts.ciphertext);
  return sealed;
}

base::Bytes BoxEphemeralSeed(const HpkeSuite& suite, base::ByteSpan public_key, BoxLabel label,
                             base::ByteSpan context, SecretRef<32> key) {
  base::Bytes seed(suite.kem.ephemeral_seed_size());
  DeriveSeed(public_key, label, context, key, seed);
  return seed;
}

}  // namespace internal

}  // namespace godwit::crypto
