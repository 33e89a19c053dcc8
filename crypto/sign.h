#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "crypto/label.h"
#include "crypto/secret.h"

namespace godwit::crypto {

using SigningPublicKey = base::FixedBytes<struct SigningPublicKeyTag, 32>;
using Signature = base::FixedBytes<struct SignatureTag, 64>;

// An Ed25519 key pair (RFC 8032), always made from its seed, so that no public half of another
// pair can be mixed in. Thread-safe.
class SigningKey {
 public:
  // RESOURCE_EXHAUSTED: no memory can be locked.
  static base::Result<SigningKey> FromSeed(SecretRef<32> seed);

  const SigningPublicKey& public_key() const { return public_key_; }

  // Returns Ed25519(sk, "gw1/sig" | 0x00 | u8 len(label) | label | message).
  Signature Sign(SignLabel label, base::ByteSpan message) const;

  // Returns Ed25519(sk, message), bare: for published vectors and for notes of the log.
  Signature SignBare(base::ByteSpan message) const;

 private:
  using Pair = Secret<struct SigningPairTag, 64>;
  SigningKey(Pair pair, const SigningPublicKey& public_key)
      : pair_(std::move(pair)), public_key_(public_key) {}

  Pair pair_;
  SigningPublicKey public_key_;
};

// Whether `signature` is what Sign makes, by libsodium's strict rule: no small order, no other
// encoding. OpenSSL accepts more, and verifiers that differ would fork.
[[nodiscard]] bool Verify(const SigningPublicKey& key, SignLabel label, base::ByteSpan message,
                          const Signature& signature);
// The same of SignBare.
[[nodiscard]] bool VerifyBare(const SigningPublicKey& key, base::ByteSpan message,
                              const Signature& signature);

}  // namespace godwit::crypto
