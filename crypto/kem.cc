#include "crypto/kem.h"

#include <sodium.h>

#include <array>
#include <cassert>

#include "crypto/errors.h"
#include "crypto/labeled_hkdf.h"

namespace godwit::crypto {
namespace {

constexpr std::size_t kX25519Size = 32;
constexpr std::array<std::uint8_t, 5> kX25519SuiteId{'K', 'E', 'M', 0x00, 0x20};

// The expansions below are of one hash, so that they cannot fail.
void ExpandOne(SecretRef<> prk, std::string_view label, base::ByteSpan info1, base::ByteSpan info2,
               std::span<std::uint8_t, 32> out) {
  const auto expanded = LabeledExpand(kX25519SuiteId, prk, label, info1, info2, out);
  assert(expanded.ok());
  static_cast<void>(expanded);
}

// DeriveKeyPair of RFC 9180 section 7.1.3, its private half.
void DerivePrivateKey(SecretRef<> ikm, std::span<std::uint8_t, 32> private_key) {
  assert(ikm.Expose().size() >= 32);
  StackSecret<32> prk;
  LabeledExtract(kX25519SuiteId, {}, "dkp_prk", ikm.Expose(), prk.Expose());
  ExpandOne(prk, "sk", {}, {}, private_key);
}

// ExtractAndExpand of RFC 9180 section 4.1 with kem_context = encapsulation | public_key.
SecretBytes SharedSecret(SecretRef<32> dh, base::ByteSpan encapsulation,
                         base::ByteSpan public_key) {
  StackSecret<32> prk;
  LabeledExtract(kX25519SuiteId, {}, "eae_prk", dh.Expose(), prk.Expose());
  SecretBytes shared_secret(32);
  ExpandOne(prk, "shared_secret", encapsulation, public_key, shared_secret.Expose().first<32>());
  return shared_secret;
}

void PublicKeyOf(SecretRef<32> private_key, std::span<std::uint8_t, 32> public_key) {
  crypto_scalarmult_curve25519_base(public_key.data(), private_key.Expose().data());
}

class DhKemX25519 final : public Kem {
 public:
  std::uint16_t hpke_id() const override { return 0x0020; }
  std::size_t public_key_size() const override { return kX25519Size; }
  std::size_t encapsulation_size() const override { return kX25519Size; }
  std::size_t ephemeral_seed_size() const override { return 32; }

  base::Result<KemKeyPair> DeriveKeyPair(SecretRef<> ikm) const override {
    StackSecret<32> private_key;
    DerivePrivateKey(ikm, private_key.Expose());
    return FromPrivateKey(private_key);
  }

  base::Result<KemKeyPair> FromPrivateKey(SecretRef<32> private_key) const override {
    auto copy = decltype(KemKeyPair::private_key)::Copy(private_key.Expose());
    if (!copy) return copy.error();
    base::Bytes public_key(kX25519Size);
    PublicKeyOf(private_key, std::span(public_key).first<32>());
    return KemKeyPair{*std::move(copy), std::move(public_key)};
  }

  base::Result<Encapsulated> EncapsulateDerand(base::ByteSpan public_key,
                                               SecretRef<> seed) const override {
    constexpr base::Error kBadKey{base::Code::kInvalidArgument, "not an X25519 public key"};
    if (public_key.size() != kX25519Size) return kBadKey;
    // The ephemeral pair stays on the stack: an import makes one a box.
    StackSecret<32> ephemeral;
    DerivePrivateKey(seed, ephemeral.Expose());
    StackSecret<32> dh;
    if (!X25519(ephemeral, public_key.first<32>(), dh.Expose())) return kBadKey;
    base::Bytes encapsulation(kX25519Size);
    PublicKeyOf(ephemeral, std::span(encapsulation).first<32>());
    auto shared_secret = SharedSecret(dh, encapsulation, public_key);
    return Encapsulated{std::move(shared_secret), std::move(encapsulation)};
  }

  base::Result<SecretBytes> Decapsulate(const KemKeyPair& pair,
                                        base::ByteSpan encapsulation) const override {
    if (encapsulation.size() != kX25519Size) return kDecryptError;
    StackSecret<32> dh;
    if (!X25519(pair.private_key, encapsulation.first<32>(), dh.Expose())) return kDecryptError;
    return SharedSecret(dh, encapsulation, pair.public_key);
  }
};

}  // namespace

const Kem& X25519Kem() {
  static const DhKemX25519 kem;
  return kem;
}

base::Status X25519(SecretRef<32> scalar, std::span<const std::uint8_t, 32> point,
                    std::span<std::uint8_t, 32> out) {
  if (crypto_scalarmult_curve25519(out.data(), scalar.Expose().data(), point.data()) != 0) {
    return kDecryptError;
  }
  return base::Status::Ok();
}

bool IsStrictX25519Key(base::ByteSpan key) {
  using Encoding = std::array<std::uint8_t, 32>;
  // 2^255-19, little-endian like all that follows.
  constexpr Encoding kPrime = [] {
    Encoding p;
    p.fill(0xff);
    p[0] = 0xed;
    p[31] = 0x7f;
    return p;
  }();
  // The points of low order below it: 0, 1 and -1, and the two of order 8 ("Curve25519: new
  // Diffie-Hellman speed records", 2006, and cr.yp.to/ecdh.html, "How do I validate public keys?").
  constexpr Encoding kZero{};
  constexpr Encoding kOne{1};
  constexpr Encoding kMinusOne = [] {
    Encoding p;
    p.fill(0xff);
    p[0] = 0xec;
    p[31] = 0x7f;
    return p;
  }();
  constexpr Encoding kOrder8a{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
                              0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
                              0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00};
  constexpr Encoding kOrder8b{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
                              0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
                              0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57};
  // Public keys are no secret: plain comparisons do.
  if (key.size() != kX25519Size) return false;
  if (!std::lexicographical_compare(key.rbegin(), key.rend(), kPrime.rbegin(), kPrime.rend())) {
    return false;
  }
  for (const auto& low : {kZero, kOne, kMinusOne, kOrder8a, kOrder8b}) {
    if (std::ranges::equal(key, low)) return false;
  }
  return true;
}

}  // namespace godwit::crypto
