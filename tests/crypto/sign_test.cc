#include "crypto/sign.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <type_traits>

#include "tests/support/keys.h"

namespace godwit::crypto {
namespace {

using base::Bytes;

SigningKey RandomSigningKey() { return *SigningKey::FromSeed(support::RandomKey()); }

template <class Key>
concept TakesAPublicKey = requires(const Key& key, SignLabel label, base::ByteSpan text,
                                   const SigningPublicKey& public_key) {
  key.Sign(label, text, public_key);
} || requires(const Key& key, base::ByteSpan text, const SigningPublicKey& public_key) {
  key.SignBare(text, public_key);
} || requires(SecretRef<32> seed, const SigningPublicKey& public_key) {
  Key::FromSeed(seed, public_key);
};

// Whoever signs with one half of a pair and hashes another half gives the key away, so nothing here
// takes the two apart.
TEST(Attack, Row43_NoFunctionTakesPrivateAndPublicKeyApart) {
  static_assert(!TakesAPublicKey<SigningKey>);
  static_assert(!std::is_constructible_v<SigningKey, SecretRef<32>, SigningPublicKey>);
  static_assert(!std::is_constructible_v<SigningKey, Secret<struct AnyTag, 64>, SigningPublicKey>);
  static_assert(!std::is_constructible_v<SigningKey, Secret<struct AnyTag, 64>>);
  static_assert(!std::is_default_constructible_v<SigningKey>);
  static_assert(!std::is_copy_constructible_v<SigningKey>);
  // What is left: a pair from its seed, which always agrees with itself.
  const auto key = RandomSigningKey();
  const Bytes text{1, 2, 3};
  EXPECT_TRUE(VerifyBare(key.public_key(), text, key.SignBare(text)));
}

RC_GTEST_PROP(SignProperty, VerifiesWhatWasSigned, (const Bytes& text)) {
  const auto key = RandomSigningKey();
  RC_ASSERT(
      Verify(key.public_key(), SignLabel("roster"), text, key.Sign(SignLabel("roster"), text)));
  RC_ASSERT(VerifyBare(key.public_key(), text, key.SignBare(text)));
}

RC_GTEST_PROP(SignProperty, RefusesEveryFlippedBit, (const Bytes& text)) {
  const auto key = RandomSigningKey();
  const auto signature = key.Sign(SignLabel("roster"), text);

  auto bytes = base::ToBytes(signature.bytes());
  const auto bit = *rc::gen::inRange<std::size_t>(0, bytes.size() * 8);
  bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  RC_ASSERT(!Verify(key.public_key(), SignLabel("roster"), text, *Signature::FromBytes(bytes)));

  auto key_bytes = base::ToBytes(key.public_key().bytes());
  key_bytes[bit / 16] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  RC_ASSERT(!Verify(*SigningPublicKey::FromBytes(key_bytes), SignLabel("roster"), text, signature));

  if (text.empty()) return;
  Bytes other = text;
  const auto place = *rc::gen::inRange<std::size_t>(0, other.size() * 8);
  other[place / 8] ^= static_cast<std::uint8_t>(1U << (place % 8));
  RC_ASSERT(!Verify(key.public_key(), SignLabel("roster"), other, signature));
}

RC_GTEST_PROP(SignProperty, IsEd25519OfTagLabelAndText, (const Bytes& text)) {
  const auto key = RandomSigningKey();
  Bytes whole = base::ToBytes(base::AsBytes("gw1/sig"));
  whole.push_back(0);
  whole.push_back(6);
  base::Append(whole, base::AsBytes("roster"));
  base::Append(whole, text);
  RC_ASSERT(key.Sign(SignLabel("roster"), text) == key.SignBare(whole));
}

TEST(Sign, OneLabelIsNoOther) {
  const auto key = RandomSigningKey();
  const Bytes text{'x'};
  const auto signature = key.Sign(SignLabel("roster"), text);
  EXPECT_FALSE(Verify(key.public_key(), SignLabel("vault"), text, signature));
  EXPECT_FALSE(VerifyBare(key.public_key(), text, signature));
  EXPECT_FALSE(Verify(key.public_key(), SignLabel("roster"), text, key.SignBare(text)));
  // No byte wanders from the text into the label.
  EXPECT_FALSE(Verify(key.public_key(), SignLabel("rosterx"), {}, signature));
}

TEST(Sign, PairComesFromTheSeedAlone) {
  const auto seed = support::RandomKey();
  const auto a = SigningKey::FromSeed(seed);
  const auto b = SigningKey::FromSeed(seed);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->public_key(), b->public_key());
  EXPECT_NE(a->public_key(), RandomSigningKey().public_key());
  EXPECT_EQ(a->SignBare({}), b->SignBare({}));
}

// S + L is the same number modulo the order of the group: a verifier that takes it lets a server
// make a second statement out of every first.
TEST(Attack, Row42_ASecondFormOfASignatureIsRefused) {
  constexpr std::uint8_t kOrder[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                       0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                       0,    0,    0,    0,    0,    0,    0,    0,
                                       0,    0,    0,    0,    0,    0,    0,    0x10};
  const auto key = RandomSigningKey();
  const Bytes text{'x'};
  auto bytes = base::ToBytes(key.SignBare(text).bytes());
  ASSERT_TRUE(VerifyBare(key.public_key(), text, *Signature::FromBytes(bytes)));
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += bytes[32 + i] + kOrder[i];
    bytes[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  EXPECT_FALSE(VerifyBare(key.public_key(), text, *Signature::FromBytes(bytes)));
}

// With the neutral point as key, R = neutral and S = 0 "sign" every text in a careless verifier.
TEST(Attack, Row42_AKeyThatSignsAnythingIsRefused) {
  Bytes neutral(32);
  neutral[0] = 1;
  Bytes signature = neutral;
  signature.resize(64);
  EXPECT_FALSE(VerifyBare(*SigningPublicKey::FromBytes(neutral), Bytes{'x'},
                          *Signature::FromBytes(signature)));
}

}  // namespace
}  // namespace godwit::crypto
