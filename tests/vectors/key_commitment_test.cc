// One ciphertext that the plain cipher opens under two keys (method of Len, Grubbs, Ristenpart,
// "Partitioning Oracle Attacks", USENIX Security 2021): CA and what is made of it refuse both.

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/aead.h"
#include "crypto/box.h"
#include "crypto/committing.h"
#include "tests/support/keys.h"
#include "tests/vectors/vectors.h"

namespace godwit::crypto {
namespace {

using base::Bytes;
using base::ByteSpan;
using support::Hex;
using support::KeyOf;
using support::Plain;

TEST(Attack, Row26_ATextThatOpensUnderTwoKeysOpensUnderNone) {
  const auto file = support::Vectors("key-commitment/two_key_ciphertexts.json");
  if (!file) return;
  std::size_t ran = 0;
  for (const auto& test : (*file)["vectors"]) {
    const auto name = test["aead"].get<std::string>();
    SCOPED_TRACE(name);
    const Aead& aead = name == "chacha20poly1305_ietf" ? ChaCha20Poly1305() : XChaCha20Poly1305();
    const auto nonce = Hex(test["nonce"]);
    const auto ad = Hex(test["aad"]);
    const auto text = Hex(test["ct_and_tag"]);
    const auto key1 = KeyOf(Hex(test["key1"]));
    const auto key2 = KeyOf(Hex(test["key2"]));

    // The plain cipher takes it under both keys: that is the attack.
    const auto opened1 = aead.Open(key1, nonce, ad, text);
    const auto opened2 = aead.Open(key2, nonce, ad, text);
    ASSERT_TRUE(opened1 && opened2);
    EXPECT_EQ(Plain(*opened1), Hex(test["plaintext1"]));
    EXPECT_EQ(Plain(*opened2), Hex(test["plaintext2"]));
    EXPECT_NE(Plain(*opened1), Plain(*opened2));

    // Put into CA, with the salt and commitment that an attacker could compute for either key.
    const CommittingLabel label("rec");
    for (const auto* made_for : {&key1, &key2}) {
      auto parts = SealCommittingParts(*made_for, label, ad, Plain(*opened1));
      for (const auto* key : {&key1, &key2}) {
        EXPECT_FALSE(OpenCommittingParts(*key, label, ad, parts.salt, parts.commitment, text));
        Bytes joined = base::ToBytes(parts.salt);
        base::Append(joined, parts.commitment);
        base::Append(joined, text);
        EXPECT_FALSE(OpenCommitting(*key, label, ad, joined));
      }
      // And what CA sealed opens under the one key alone.
      const auto& other = made_for == &key1 ? key2 : key1;
      EXPECT_TRUE(OpenCommittingParts(*made_for, label, ad, parts.salt, parts.commitment,
                                      parts.ciphertext));
      EXPECT_FALSE(
          OpenCommittingParts(other, label, ad, parts.salt, parts.commitment, parts.ciphertext));
    }

    // As a box and as the body of a Sealed, for the pair of either key.
    const auto suite = DefaultHpke();
    for (const auto* key : {&key1, &key2}) {
      const auto pair = suite.kem.FromPrivateKey(*key);
      ASSERT_TRUE(pair);
      auto sealed = *SealTo(suite, pair->public_key, SealedLabel("audit"), ad, Plain(*opened1));
      ASSERT_TRUE(OpenSealed(suite, *pair, SealedLabel("audit"), ad, sealed));
      sealed.resize(80 + 64);
      base::Append(sealed, text);
      EXPECT_FALSE(OpenSealed(suite, *pair, SealedLabel("audit"), ad, sealed));

      StackSecret<32> out;
      Bytes box(sealed.begin(), sealed.begin() + 32);
      base::Append(box, ByteSpan(text).first(48));
      EXPECT_FALSE(OpenBoxInto(suite, *pair, BoxLabel("audit"), ad, box, out.Expose()));
    }
    ++ran;
  }
  support::ReportCount("key-commitment", ran, 2);
}

}  // namespace
}  // namespace godwit::crypto
