#include "crypto/box.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "crypto/hkdf.h"
#include "tests/support/keys.h"

namespace godwit::crypto {
namespace {

using base::Bytes;
using base::ByteSpan;
using support::Plain;
using support::RandomKey;

constexpr BoxLabel kLabel{"vek"};
constexpr SealedLabel kSealed{"audit"};

KemKeyPair RandomPair() { return *X25519Kem().FromPrivateKey(RandomKey()); }

base::Result<support::Key> Open(const KemKeyPair& pair, const Bytes& context, ByteSpan box) {
  return OpenBox<support::TestKeyTag>(DefaultHpke(), pair, kLabel, context, box);
}

RC_GTEST_PROP(BoxProperty, OpensWhatItSeals, (const Bytes& context)) {
  const auto pair = RandomPair();
  const auto key = RandomKey();
  const auto box = SealBox(DefaultHpke(), pair.public_key, kLabel, context, key);
  RC_ASSERT(box.ok());
  RC_ASSERT(box->size() == 80U);
  const auto opened = Open(pair, context, *box);
  RC_ASSERT(opened.ok());
  RC_ASSERT(std::ranges::equal(opened->Expose(), key.Expose()));
}

// Whoever holds the key can make every box of it anew, and so tells a garbage box at once.
RC_GTEST_PROP(BoxProperty, IsTheSameBytesEachTime, (const Bytes& context)) {
  const auto pair = RandomPair();
  const auto key = RandomKey();
  const auto box = *SealBox(DefaultHpke(), pair.public_key, kLabel, context, key);
  RC_ASSERT(*SealBox(DefaultHpke(), pair.public_key, kLabel, context, key) == box);
  RC_ASSERT(*SealBox(DefaultHpke(), pair.public_key, kLabel, context, RandomKey()) != box);
  RC_ASSERT(*SealBox(DefaultHpke(), RandomPair().public_key, kLabel, context, key) != box);
}

// One ephemeral pair for two boxes would show that they hold the same key: label, receiver and
// context all go into it.
TEST(Box, NoTwoBoxesShareAnEphemeralKey) {
  const auto pair = RandomPair();
  const auto key = RandomKey();
  const auto suite = DefaultHpke();
  const auto encapsulation = [&](ByteSpan to, BoxLabel label, const Bytes& context) {
    const auto box = *SealBox(suite, to, label, context, key);
    return Bytes(box.begin(), box.begin() + 32);
  };
  const auto base = encapsulation(pair.public_key, kLabel, {1});
  EXPECT_NE(encapsulation(pair.public_key, BoxLabel("vel"), {1}), base);
  EXPECT_NE(encapsulation(pair.public_key, kLabel, {2}), base);
  EXPECT_NE(encapsulation(RandomPair().public_key, kLabel, {1}), base);
}

TEST(Box, SeedIsDerivedFromTheKeyAsTheProtocolSays) {
  const auto pair = RandomPair();
  const auto key = RandomKey();
  Bytes context{3, 'v', 'e', 'k', 0, 32};
  base::Append(context, pair.public_key);
  context.push_back(0x77);
  Bytes want(32);
  Derive(key, kDeriveBoxEphemeral, context, want);
  EXPECT_EQ(internal::BoxEphemeralSeed(DefaultHpke(), pair.public_key, kLabel, Bytes{0x77}, key),
            want);
}

TEST(Box, RefusesEachFlippedBit) {
  const auto pair = RandomPair();
  const auto box = *SealBox(DefaultHpke(), pair.public_key, kLabel, {}, RandomKey());
  for (std::size_t bit = 0; bit < box.size() * 8; ++bit) {
    // X25519 ignores the top bit of a point, but the key schedule hashes it.
    Bytes altered = box;
    altered[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const auto opened = Open(pair, {}, altered);
    ASSERT_FALSE(opened) << bit;
    ASSERT_EQ(opened.error().code(), base::Code::kDecrypt);
  }
}

TEST(Box, RefusesEveryOtherLength) {
  const auto pair = RandomPair();
  auto box = *SealBox(DefaultHpke(), pair.public_key, kLabel, {}, RandomKey());
  for (std::size_t size = 0; size < box.size(); ++size) {
    EXPECT_FALSE(Open(pair, {}, ByteSpan(box).first(size))) << size;
  }
  box.push_back(0);
  EXPECT_FALSE(Open(pair, {}, box));
}

TEST(Box, RefusesBadReceivers) {
  const auto key = RandomKey();
  for (const Bytes& receiver : {Bytes(), Bytes(31, 9), Bytes(33, 9), Bytes(32, 0)}) {
    const auto box = SealBox(DefaultHpke(), receiver, kLabel, {}, key);
    ASSERT_FALSE(box);
    EXPECT_EQ(box.error().code(), base::Code::kInvalidArgument);
    EXPECT_FALSE(SealTo(DefaultHpke(), receiver, kSealed, {}, Bytes{1}));
  }
}

RC_GTEST_PROP(BoxProperty, SurvivesAnyBytes, ()) {
  const auto pair = RandomPair();
  const auto size = *rc::gen::element<std::size_t>(0, 1, 79, 80, 81, 200);
  const auto bytes = *rc::gen::container<Bytes>(size, rc::gen::arbitrary<std::uint8_t>());
  RC_ASSERT(!Open(pair, {}, bytes));
  RC_ASSERT(!OpenSealed(DefaultHpke(), pair, kSealed, {}, bytes));
}

RC_GTEST_PROP(SealedProperty, OpensWhatItSeals, (const Bytes& context, const Bytes& text)) {
  const auto pair = RandomPair();
  const auto sealed = SealTo(DefaultHpke(), pair.public_key, kSealed, context, text);
  RC_ASSERT(sealed.ok());
  RC_ASSERT(sealed->size() == 80U + 80U + text.size());
  const auto opened = OpenSealed(DefaultHpke(), pair, kSealed, context, *sealed);
  RC_ASSERT(opened.ok());
  RC_ASSERT(Plain(*opened) == text);
  // Another seal of the same text shares neither box nor salt.
  const auto again = *SealTo(DefaultHpke(), pair.public_key, kSealed, context, text);
  RC_ASSERT(!std::equal(again.begin(), again.begin() + 80, sealed->begin()));
  RC_ASSERT(!std::equal(again.begin() + 80, again.begin() + 112, sealed->begin() + 80));
}

RC_GTEST_PROP(SealedProperty, RefusesFlippedBitsTruncationAndOtherPlaces,
              (const Bytes& context, const Bytes& text)) {
  const auto pair = RandomPair();
  const auto suite = DefaultHpke();
  const auto sealed = *SealTo(suite, pair.public_key, kSealed, context, text);

  Bytes altered = sealed;
  const auto bit = *rc::gen::inRange<std::size_t>(0, altered.size() * 8);
  altered[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  RC_ASSERT(!OpenSealed(suite, pair, kSealed, context, altered));

  const auto size = *rc::gen::inRange<std::size_t>(0, sealed.size());
  RC_ASSERT(!OpenSealed(suite, pair, kSealed, context, ByteSpan(sealed).first(size)));
  RC_ASSERT(!OpenSealed(suite, RandomPair(), kSealed, context, sealed));
  RC_ASSERT(!OpenSealed(suite, pair, SealedLabel("share"), context, sealed));
  Bytes other = context;
  other.push_back(0);
  RC_ASSERT(!OpenSealed(suite, pair, kSealed, other, sealed));
}

// Box and body of two different seals do not go together.
TEST(Sealed, HalvesOfTwoSealsDoNotOpen) {
  const auto pair = RandomPair();
  const auto suite = DefaultHpke();
  const auto a = *SealTo(suite, pair.public_key, kSealed, {}, Bytes{1});
  auto b = *SealTo(suite, pair.public_key, kSealed, {}, Bytes{1});
  std::copy_n(a.begin(), 80, b.begin());
  EXPECT_FALSE(OpenSealed(suite, pair, kSealed, {}, b));
}

}  // namespace
}  // namespace godwit::crypto
