#include "crypto/kem.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "tests/support/keys.h"

namespace godwit::crypto {
namespace {

using base::Bytes;
using base::ByteSpan;
using support::Plain;
using support::RandomKey;

KemKeyPair RandomPair() { return *X25519Kem().FromPrivateKey(RandomKey()); }

TEST(X25519Kem, SizesAreThoseOfRfc9180) {
  const auto& kem = X25519Kem();
  EXPECT_EQ(kem.hpke_id(), 0x0020);
  EXPECT_EQ(kem.public_key_size(), 32U);
  EXPECT_EQ(kem.encapsulation_size(), 32U);
  EXPECT_EQ(kem.ephemeral_seed_size(), 32U);
}

RC_GTEST_PROP(X25519KemProperty, BothEndsShareASecret, ()) {
  const auto pair = RandomPair();
  const auto seed = RandomKey();
  const auto encapsulated = X25519Kem().EncapsulateDerand(pair.public_key, seed);
  RC_ASSERT(encapsulated.ok());
  const auto secret = X25519Kem().Decapsulate(pair, encapsulated->encapsulation);
  RC_ASSERT(secret.ok());
  RC_ASSERT(Plain(*secret) == Plain(encapsulated->shared_secret));
  // Whoever knows the seed makes the same bytes again.
  const auto again = X25519Kem().EncapsulateDerand(pair.public_key, seed);
  RC_ASSERT(again->encapsulation == encapsulated->encapsulation);
  // Another end shares another secret.
  const auto other = X25519Kem().Decapsulate(RandomPair(), encapsulated->encapsulation);
  RC_ASSERT((!other || Plain(*other) != Plain(*secret)));
}

RC_GTEST_PROP(X25519KemProperty, DerivedPairsAreWhole, ()) {
  const auto ikm = RandomKey();
  const auto pair = X25519Kem().DeriveKeyPair(ikm);
  RC_ASSERT(pair.ok());
  const auto again = X25519Kem().FromPrivateKey(pair->private_key);
  RC_ASSERT(again->public_key == pair->public_key);
  RC_ASSERT(IsStrictX25519Key(pair->public_key));
  RC_ASSERT(X25519Kem().DeriveKeyPair(ikm)->public_key == pair->public_key);
}

RC_GTEST_PROP(X25519KemProperty, SurvivesAnyBytes, (const Bytes& bytes)) {
  const auto sent = X25519Kem().EncapsulateDerand(bytes, RandomKey());
  const auto received = X25519Kem().Decapsulate(RandomPair(), bytes);
  if (bytes.size() == 32) return;
  RC_ASSERT((!sent && sent.error().code() == base::Code::kInvalidArgument));
  RC_ASSERT((!received && received.error().code() == base::Code::kDecrypt));
}

// The twelve encodings that X25519 turns into zero, with and without the top bit
// (cr.yp.to/ecdh.html, "How do I validate Curve25519 public keys?").
std::vector<Bytes> LowOrderKeys() {
  const char* const kWithoutTopBit[] = {
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  };
  std::vector<Bytes> keys;
  for (const char* text : kWithoutTopBit) {
    keys.push_back(*base::FromHex(text));
    keys.push_back(keys.back());
    keys.back()[31] |= 0x80;
  }
  return keys;
}

TEST(Attack, Row44_AKeyThatGivesZeroIsRefused) {
  for (const auto& key : LowOrderKeys()) {
    SCOPED_TRACE(base::ToHex(key));
    StackSecret<32> out;
    EXPECT_FALSE(X25519(RandomKey(), ByteSpan(key).first<32>(), out.Expose()));
    const auto sent = X25519Kem().EncapsulateDerand(key, RandomKey());
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code(), base::Code::kInvalidArgument);
    const auto received = X25519Kem().Decapsulate(RandomPair(), key);
    ASSERT_FALSE(received);
    EXPECT_EQ(received.error().code(), base::Code::kDecrypt);
  }
}

TEST(Attack, Row61_KeysOfLowOrderOrOtherEncodingAreNotStrict) {
  for (const auto& key : LowOrderKeys()) {
    EXPECT_FALSE(IsStrictX25519Key(key)) << base::ToHex(key);
  }
  // Every encoding from 2^255-19 up, of which the last is 2^255-1.
  for (unsigned low = 0xed; low <= 0xff; ++low) {
    Bytes key(32, 0xff);
    key[0] = static_cast<std::uint8_t>(low);
    key[31] = 0x7f;
    EXPECT_FALSE(IsStrictX25519Key(key)) << low;
  }
  // The largest below it that is not of low order.
  Bytes largest(32, 0xff);
  largest[0] = 0xeb;
  largest[31] = 0x7f;
  EXPECT_TRUE(IsStrictX25519Key(largest));

  auto key = RandomPair().public_key;
  EXPECT_TRUE(IsStrictX25519Key(key));
  key[31] |= 0x80;
  EXPECT_FALSE(IsStrictX25519Key(key));
  EXPECT_FALSE(IsStrictX25519Key(Bytes(31, 9)));
  EXPECT_FALSE(IsStrictX25519Key(Bytes(33, 9)));
  EXPECT_FALSE(IsStrictX25519Key({}));
}

// A strict key is one with which X25519 does not fail, whatever the scalar.
RC_GTEST_PROP(X25519KemProperty, StrictKeysNeverGiveZero, ()) {
  auto key = *rc::gen::container<Bytes>(32, rc::gen::arbitrary<std::uint8_t>());
  key[31] &= 0x7f;
  if (!IsStrictX25519Key(key)) return;
  StackSecret<32> out;
  RC_ASSERT(X25519(RandomKey(), ByteSpan(key).first<32>(), out.Expose()).ok());
}

}  // namespace
}  // namespace godwit::crypto
