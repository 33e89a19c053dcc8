#include "crypto/aead.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/support/keys.h"

namespace godwit::crypto {
namespace {

using base::Bytes;
using support::KeyOf;
using support::Plain;
using support::RandomKey;

const Aead* const kAeads[] = {&ChaCha20Poly1305(), &XChaCha20Poly1305()};

TEST(Aead, SizesAreThoseOfTheRfcs) {
  EXPECT_EQ(ChaCha20Poly1305().key_size(), 32U);
  EXPECT_EQ(ChaCha20Poly1305().nonce_size(), 12U);
  EXPECT_EQ(ChaCha20Poly1305().hpke_id(), 0x0003);
  EXPECT_EQ(XChaCha20Poly1305().key_size(), 32U);
  EXPECT_EQ(XChaCha20Poly1305().nonce_size(), 24U);
  EXPECT_EQ(XChaCha20Poly1305().hpke_id(), 0xffff);
}

RC_GTEST_PROP(AeadProperty, OpensWhatItSeals, (const Bytes& ad, const Bytes& text)) {
  for (const Aead* aead : kAeads) {
    const auto key = RandomKey();
    const Bytes nonce(aead->nonce_size(), 7);
    const auto sealed = aead->Seal(key, nonce, ad, text);
    RC_ASSERT(sealed.size() == text.size() + Aead::kTagSize);
    const auto opened = aead->Open(key, nonce, ad, sealed);
    RC_ASSERT(opened.ok());
    RC_ASSERT(Plain(*opened) == text);
  }
}

RC_GTEST_PROP(AeadProperty, RefusesEveryFlippedBit, (const Bytes& ad, const Bytes& text)) {
  for (const Aead* aead : kAeads) {
    const auto key = RandomKey();
    const Bytes nonce(aead->nonce_size(), 7);
    auto sealed = aead->Seal(key, nonce, ad, text);
    const auto bit = *rc::gen::inRange<std::size_t>(0, sealed.size() * 8);
    sealed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    RC_ASSERT(!aead->Open(key, nonce, ad, sealed));
  }
}

RC_GTEST_PROP(AeadProperty, RefusesAnotherKeyNonceOrContext, (const Bytes& ad, const Bytes& text)) {
  for (const Aead* aead : kAeads) {
    const auto key = RandomKey();
    const Bytes nonce(aead->nonce_size(), 7);
    const auto sealed = aead->Seal(key, nonce, ad, text);
    RC_ASSERT(!aead->Open(RandomKey(), nonce, ad, sealed));
    RC_ASSERT(!aead->Open(key, Bytes(aead->nonce_size(), 8), ad, sealed));
    Bytes other = ad;
    other.push_back(0);
    RC_ASSERT(!aead->Open(key, nonce, other, sealed));
  }
}

RC_GTEST_PROP(AeadProperty, RefusesEveryTruncation, (const Bytes& text)) {
  for (const Aead* aead : kAeads) {
    const auto key = RandomKey();
    const Bytes nonce(aead->nonce_size(), 7);
    const auto sealed = aead->Seal(key, nonce, {}, text);
    for (std::size_t size = 0; size < sealed.size(); ++size) {
      const auto opened = aead->Open(key, nonce, {}, base::ByteSpan(sealed).first(size));
      RC_ASSERT(!opened);
      RC_ASSERT(opened.error().code() == base::Code::kDecrypt);
    }
  }
}

RC_GTEST_PROP(AeadProperty, SurvivesAnyBytes, (const Bytes& bytes, const Bytes& ad)) {
  for (const Aead* aead : kAeads) {
    RC_ASSERT(!aead->Open(RandomKey(), Bytes(aead->nonce_size()), ad, bytes));
  }
}

}  // namespace
}  // namespace godwit::crypto
