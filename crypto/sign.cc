#include "crypto/sign.h"

#include <sodium.h>

namespace godwit::crypto {
namespace {

// "gw1/sig" | 0x00 | u8 len(label) | label | message. Notes of the log hold no NUL, so that none of
// them is ever such a text. In one piece, since Ed25519 reads its message twice.
base::Bytes Prefixed(SignLabel label, base::ByteSpan message) {
  constexpr std::string_view kTag{"gw1/sig\0", 8};
  base::Bytes text;
  text.reserve(kTag.size() + 1 + label.text().size() + message.size());
  base::Append(text, base::AsBytes(kTag));
  text.push_back(static_cast<std::uint8_t>(label.text().size()));
  base::Append(text, base::AsBytes(label.text()));
  base::Append(text, message);
  return text;
}

}  // namespace

base::Result<SigningKey> SigningKey::FromSeed(SecretRef<32> seed) {
  std::array<std::uint8_t, 32> public_key{};
  auto pair = Pair::Make([&](std::span<std::uint8_t, 64> out) {
    crypto_sign_seed_keypair(public_key.data(), out.data(), seed.Expose().data());
  });
  if (!pair) return pair.error();
  return SigningKey(*std::move(pair), SigningPublicKey(public_key));
}

Signature SigningKey::Sign(SignLabel label, base::ByteSpan message) const {
  return SignBare(Prefixed(label, message));
}

Signature SigningKey::SignBare(base::ByteSpan message) const {
  std::array<std::uint8_t, 64> signature;
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                       pair_.Expose().data());
  return Signature(signature);
}

bool Verify(const SigningPublicKey& key, SignLabel label, base::ByteSpan message,
            const Signature& signature) {
  return VerifyBare(key, Prefixed(label, message), signature);
}

bool VerifyBare(const SigningPublicKey& key, base::ByteSpan message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.bytes().data(), message.data(), message.size(),
                                     key.bytes().data()) == 0;
}

}  // namespace godwit::crypto
