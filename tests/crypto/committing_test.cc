#include "crypto/committing.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crypto/aead.h"
#include "crypto/hkdf.h"
#include "tests/support/keys.h"

namespace godwit::crypto {
namespace {

using base::Bytes;
using base::ByteSpan;
using support::Plain;
using support::RandomKey;

constexpr CommittingLabel kLabel{"rec"};

RC_GTEST_PROP(CommittingProperty, OpensWhatItSeals, (const Bytes& context, const Bytes& text)) {
  const auto key = RandomKey();
  const auto sealed = SealCommitting(key, kLabel, context, text);
  RC_ASSERT(sealed.size() == text.size() + kCommittingOverhead);
  const auto opened = OpenCommitting(key, kLabel, context, sealed);
  RC_ASSERT(opened.ok());
  RC_ASSERT(Plain(*opened) == text);

  const auto parts = SealCommittingParts(key, kLabel, context, text);
  const auto opened_parts =
      OpenCommittingParts(key, kLabel, context, parts.salt, parts.commitment, parts.ciphertext);
  RC_ASSERT(opened_parts.ok());
  RC_ASSERT(Plain(*opened_parts) == text);
}

RC_GTEST_PROP(CommittingProperty, RefusesEveryFlippedBit,
              (const Bytes& context, const Bytes& text)) {
  const auto key = RandomKey();
  auto sealed = SealCommitting(key, kLabel, context, text);
  const auto bit = *rc::gen::inRange<std::size_t>(0, sealed.size() * 8);
  sealed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  RC_ASSERT(!OpenCommitting(key, kLabel, context, sealed));
}

TEST(Committing, RefusesEachFlippedBitOfEachPart) {
  const auto key = RandomKey();
  const Bytes context{1, 2, 3};
  const auto sealed = SealCommitting(key, kLabel, context, Bytes{9, 8, 7});
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes altered = sealed;
    altered[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    ASSERT_FALSE(OpenCommitting(key, kLabel, context, altered)) << bit;
  }
}

RC_GTEST_PROP(CommittingProperty, RefusesEveryTruncationAndExtension, (const Bytes& text)) {
  const auto key = RandomKey();
  auto sealed = SealCommitting(key, kLabel, {}, text);
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    RC_ASSERT(!OpenCommitting(key, kLabel, {}, ByteSpan(sealed).first(size)));
  }
  sealed.push_back(0);
  RC_ASSERT(!OpenCommitting(key, kLabel, {}, sealed));
}

RC_GTEST_PROP(CommittingProperty, SurvivesAnyBytes, (const Bytes& bytes, const Bytes& context)) {
  RC_ASSERT(!OpenCommitting(RandomKey(), kLabel, context, bytes));
}

RC_GTEST_PROP(CommittingProperty, PartsAreThePiecesOfTheWhole,
              (const Bytes& context, const Bytes& text)) {
  const auto key = RandomKey();
  const auto sealed = SealCommitting(key, kLabel, context, text);
  const auto salt = ByteSpan(sealed).first<32>();
  const auto parts = internal::SealCommittingWithSalt(key, kLabel, context, text, salt);
  Bytes joined = base::ToBytes(parts.salt);
  base::Append(joined, parts.commitment);
  base::Append(joined, parts.ciphertext);
  RC_ASSERT(joined == sealed);
}

// Both ways to draw the line between label, salt and context give other keys.
TEST(Committing, NoBytesWanderBetweenLabelAndContext) {
  const auto key = RandomKey();
  const auto sealed = SealCommitting(key, CommittingLabel("ab"), Bytes{'c'}, Bytes{1});
  EXPECT_FALSE(OpenCommitting(key, CommittingLabel("abc"), {}, sealed));
  EXPECT_FALSE(OpenCommitting(key, CommittingLabel("a"), Bytes{'b', 'c'}, sealed));
}

// The commitment alone must already refuse: a ciphertext that the cipher itself would open, with a
// commitment that is not its own, stays shut.
TEST(Committing, ComparesTheCommitmentAndNotTheTagAlone) {
  const auto key = RandomKey();
  auto parts = SealCommittingParts(key, kLabel, {}, Bytes{1, 2, 3});
  StackSecret<88> okm;
  Bytes context{3, 'r', 'e', 'c'};
  base::Append(context, parts.salt);
  Derive(key, kDeriveCommitting, context, okm.Expose());
  const auto raw = XChaCha20Poly1305().Open(SecretBytes::Copy(okm.Expose().first<32>()),
                                            okm.Expose().subspan<32, 24>(), {}, parts.ciphertext);
  ASSERT_TRUE(raw);
  parts.commitment[31] ^= 1;
  EXPECT_FALSE(
      OpenCommittingParts(key, kLabel, {}, parts.salt, parts.commitment, parts.ciphertext));
}

RC_GTEST_PROP(CommittingProperty, TwoSealsOfOneTextShareNothing, (const Bytes& text)) {
  const auto key = RandomKey();
  const auto a = SealCommittingParts(key, kLabel, {}, text);
  const auto b = SealCommittingParts(key, kLabel, {}, text);
  RC_ASSERT(a.salt != b.salt);
  RC_ASSERT(a.commitment != b.commitment);
  RC_ASSERT(a.ciphertext != b.ciphertext);
}

TEST(KeyCommitment, ChangesWithKeyLabelAndContext) {
  const auto key = RandomKey();
  const auto commitment = KeyCommitment(key, KeyCommitmentLabel("vek"), Bytes{1});
  EXPECT_EQ(KeyCommitment(key, KeyCommitmentLabel("vek"), Bytes{1}), commitment);
  EXPECT_NE(KeyCommitment(RandomKey(), KeyCommitmentLabel("vek"), Bytes{1}), commitment);
  EXPECT_NE(KeyCommitment(key, KeyCommitmentLabel("vel"), Bytes{1}), commitment);
  EXPECT_NE(KeyCommitment(key, KeyCommitmentLabel("vek"), Bytes{2}), commitment);
  EXPECT_NE(KeyCommitment(key, KeyCommitmentLabel("ve"), Bytes{'k', 1}), commitment);
}

}  // namespace
}  // namespace godwit::crypto
