#include "crypto/hpke.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/keys.h"

namespace godwit::crypto {
namespace {

using base::Bytes;
using support::Plain;
using support::RandomKey;

struct Ends {
  HpkeContext sender;
  HpkeContext receiver;
};

Ends Connect(const HpkeSuite& suite, const Bytes& info) {
  const auto pair = *suite.kem.FromPrivateKey(RandomKey());
  auto sender = *SetupHpkeSender(suite, pair.public_key, info, RandomKey());
  auto receiver = *SetupHpkeReceiver(suite, pair, info, sender.encapsulation);
  return {std::move(sender.context), std::move(receiver)};
}

RC_GTEST_PROP(HpkeProperty, OpensASequenceOfMessages,
              (const Bytes& info, const std::vector<std::pair<Bytes, Bytes>>& messages)) {
  auto ends = Connect(DefaultHpke(), info);
  for (const auto& [ad, text] : messages) {
    const auto sealed = ends.sender.Seal(ad, text);
    RC_ASSERT(sealed.ok());
    const auto opened = ends.receiver.Open(ad, *sealed);
    RC_ASSERT(opened.ok());
    RC_ASSERT(Plain(*opened) == text);
  }
}

TEST(Hpke, MessagesOpenInOrderAlone) {
  auto ends = Connect(DefaultHpke(), {});
  const auto first = *ends.sender.Seal({}, Bytes{1});
  const auto second = *ends.sender.Seal({}, Bytes{1});
  EXPECT_NE(first, second);
  EXPECT_FALSE(ends.receiver.Open({}, second));
  // A refusal leaves the sequence where it was.
  EXPECT_TRUE(ends.receiver.Open({}, first));
  EXPECT_FALSE(ends.receiver.Open({}, first));
  EXPECT_TRUE(ends.receiver.Open({}, second));
}

RC_GTEST_PROP(HpkeProperty, RefusesEveryFlippedBit, (const Bytes& ad, const Bytes& text)) {
  auto ends = Connect(DefaultHpke(), {});
  auto sealed = *ends.sender.Seal(ad, text);
  const auto bit = *rc::gen::inRange<std::size_t>(0, sealed.size() * 8);
  sealed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  const auto opened = ends.receiver.Open(ad, sealed);
  RC_ASSERT((!opened && opened.error().code() == base::Code::kDecrypt));
}

TEST(Hpke, ExportsAgreeAndDependOnContextAndLength) {
  const auto ends = Connect(DefaultHpke(), Bytes{1});
  const auto a = ends.sender.Export(Bytes{1}, 32);
  const auto b = ends.receiver.Export(Bytes{1}, 32);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(Plain(*a), Plain(*b));
  EXPECT_NE(Plain(*ends.sender.Export(Bytes{2}, 32)), Plain(*a));
  const auto longer = ends.sender.Export(Bytes{1}, 33);
  EXPECT_NE(Plain(SecretBytes::Copy(longer->Expose().first(32))), Plain(*a));
  EXPECT_TRUE(ends.sender.Export({}, 255 * 32));
  const auto too_long = ends.sender.Export({}, 255 * 32 + 1);
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code(), base::Code::kInvalidArgument);
}

TEST(Hpke, AnAeadWithoutAnIdExportsOnly) {
  auto ends = Connect({X25519Kem(), XChaCha20Poly1305()}, {});
  EXPECT_TRUE(ends.sender.Export({}, 32));
  EXPECT_FALSE(ends.sender.Seal({}, Bytes{1}));
  EXPECT_FALSE(ends.receiver.Open({}, Bytes(40)));
}

TEST(Hpke, InfoAndKeyAreBothPartOfTheContext) {
  const auto suite = DefaultHpke();
  const auto pair = *suite.kem.FromPrivateKey(RandomKey());
  auto sender = *SetupHpkeSender(suite, pair.public_key, Bytes{1}, RandomKey());
  const auto sealed = *sender.context.Seal({}, Bytes{9});
  EXPECT_TRUE(SetupHpkeReceiver(suite, pair, Bytes{1}, sender.encapsulation)->Open({}, sealed));
  EXPECT_FALSE(SetupHpkeReceiver(suite, pair, Bytes{2}, sender.encapsulation)->Open({}, sealed));
  const auto other = *suite.kem.FromPrivateKey(RandomKey());
  EXPECT_FALSE(SetupHpkeReceiver(suite, other, Bytes{1}, sender.encapsulation)->Open({}, sealed));
}

RC_GTEST_PROP(HpkeProperty, ReceiverSurvivesAnyBytes, (const Bytes& bytes)) {
  const auto suite = DefaultHpke();
  const auto pair = *suite.kem.FromPrivateKey(RandomKey());
  auto receiver = SetupHpkeReceiver(suite, pair, {}, bytes);
  RC_ASSERT((bytes.size() == 32 || !receiver));
}

}  // namespace
}  // namespace godwit::crypto
