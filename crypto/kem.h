#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace godwit::crypto {

// A key pair of some Kem. The private half never leaves it.
struct KemKeyPair {
  Secret<struct KemPrivateTag, 32> private_key;  // X25519: the scalar; X-Wing: the seed
  base::Bytes public_key;
};

// A key encapsulation mechanism as RFC 9180 section 4 uses one. Sizes are asked for, never assumed:
// suite 2 brings X-Wing. Thread-safe.
class Kem {
 public:
  virtual ~Kem() = default;

  virtual std::uint16_t hpke_id() const = 0;  // RFC 9180 section 7.1
  virtual std::size_t public_key_size() const = 0;
  virtual std::size_t encapsulation_size() const = 0;
  // Length of the seed that EncapsulateDerand takes.
  virtual std::size_t ephemeral_seed_size() const = 0;

  // DeriveKeyPair of RFC 9180 section 7.1.3 from at least 32 bytes.
  virtual base::Result<KemKeyPair> DeriveKeyPair(SecretRef<> ikm) const = 0;
  // The pair that a stored private key belongs to: the public half is always computed anew.
  virtual base::Result<KemKeyPair> FromPrivateKey(SecretRef<32> private_key) const = 0;

  struct Encapsulated {
    SecretBytes shared_secret;
    base::Bytes encapsulation;
  };
  // Encap whose ephemeral pair is DeriveKeyPair(`seed`), never random: whoever knows the seed can
  // make the same bytes again. INVALID_ARGUMENT: `public_key` is not one (length, zero output).
  virtual base::Result<Encapsulated> EncapsulateDerand(base::ByteSpan public_key,
                                                       SecretRef<> seed) const = 0;
  // E_DECRYPT: `encapsulation` is not one (length, zero output).
  virtual base::Result<SecretBytes> Decapsulate(const KemKeyPair& pair,
                                                base::ByteSpan encapsulation) const = 0;
};

// DHKEM(X25519, HKDF-SHA256), 0x0020.
const Kem& X25519Kem();

// X25519 (RFC 7748): writes scalar * point. E_DECRYPT: the result is zero, a key that everybody
// knows.
base::Status X25519(SecretRef<32> scalar, std::span<const std::uint8_t, 32> point,
                    std::span<std::uint8_t, 32> out);

// Whether `key` is a public key that docs/protocol.md section 2 lets into a roster: 32 bytes, top
// bit clear, below 2^255-19, and not of low order.
[[nodiscard]] bool IsStrictX25519Key(base::ByteSpan key);

}  // namespace godwit::crypto
