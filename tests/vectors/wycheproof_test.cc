// Wycheproof (C2SP/wycheproof): every case of the files for our primitives.

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/aead.h"
#include "crypto/constant_time.h"
#include "crypto/hkdf.h"
#include "crypto/hmac.h"
#include "crypto/kem.h"
#include "crypto/sign.h"
#include "tests/support/keys.h"
#include "tests/vectors/vectors.h"

namespace godwit::crypto {
namespace {

using base::Bytes;
using base::ByteSpan;
using support::Hex;
using support::Json;
using support::Plain;
using support::ReportCount;
using support::Vectors;

// Calls `run(group, test)` for each test of each group.
template <class Run>
void ForEach(const Json& file, Run run) {
  for (const auto& group : file["testGroups"]) {
    for (const auto& test : group["tests"]) {
      SCOPED_TRACE(test["tcId"].dump() + " " + test["comment"].get<std::string>());
      run(group, test);
    }
  }
}

bool IsValid(const Json& test) {
  EXPECT_TRUE(test["result"] == "valid" || test["result"] == "invalid");
  return test["result"] == "valid";
}

TEST(Attack, Row42_WycheproofEd25519) {
  const auto file = Vectors("wycheproof/ed25519_test.json");
  if (!file) return;
  std::size_t ran = 0;
  ForEach(*file, [&](const Json& group, const Json& test) {
    const auto key = SigningPublicKey::FromBytes(Hex(group["publicKey"]["pk"]));
    ASSERT_TRUE(key);
    const auto signature = Signature::FromBytes(Hex(test["sig"]));
    EXPECT_EQ(signature && VerifyBare(*key, Hex(test["msg"]), *signature), IsValid(test));
    ++ran;
  });
  ReportCount("wycheproof ed25519", ran, 151);
}

TEST(Attack, Row44_WycheproofX25519) {
  const auto file = Vectors("wycheproof/x25519_test.json");
  if (!file) return;
  std::size_t ran = 0;
  std::size_t refused = 0;
  ForEach(*file, [&](const Json&, const Json& test) {
    const auto& flags = test["flags"];
    const bool zero = std::ranges::find(flags, "ZeroSharedSecret") != flags.end();
    const auto point = Hex(test["public"]);
    ASSERT_EQ(point.size(), 32U);
    StackSecret<32> shared;
    const auto done =
        X25519(support::KeyOf(Hex(test["private"])), ByteSpan(point).first<32>(), shared.Expose());
    EXPECT_EQ(done.ok(), !zero);
    if (done) {
      EXPECT_EQ(base::ToBytes(shared.Expose()), Hex(test["shared"]));
    }
    if (!done) ++refused;
    ++ran;
  });
  ReportCount("wycheproof x25519", ran, 518);
  ReportCount("wycheproof x25519, zero output refused", refused, 31);
}

// Returns how many cases have a key or nonce of a size that the cipher does not take.
std::size_t RunAead(const Json& file, const Aead& aead, std::size_t& ran) {
  std::size_t skipped = 0;
  ForEach(file, [&](const Json&, const Json& test) {
    const auto key = SecretBytes::Copy(Hex(test["key"]));
    const auto nonce = Hex(test["iv"]);
    if (key.size() != aead.key_size() || nonce.size() != aead.nonce_size()) {
      EXPECT_FALSE(IsValid(test));
      ++skipped;
      return;
    }
    const auto ad = Hex(test["aad"]);
    const auto text = Hex(test["msg"]);
    Bytes sealed = Hex(test["ct"]);
    base::Append(sealed, Hex(test["tag"]));
    const auto opened = aead.Open(key, nonce, ad, sealed);
    EXPECT_EQ(opened.ok(), IsValid(test));
    if (IsValid(test)) {
      EXPECT_EQ(aead.Seal(key, nonce, ad, text), sealed);
      if (opened) {
        EXPECT_EQ(Plain(*opened), text);
      }
    }
    ++ran;
  });
  return skipped;
}

TEST(Wycheproof, ChaCha20Poly1305) {
  const auto file = Vectors("wycheproof/chacha20_poly1305_test.json");
  if (!file) return;
  std::size_t ran = 0;
  const auto skipped = RunAead(*file, ChaCha20Poly1305(), ran);
  ReportCount("wycheproof chacha20_poly1305", ran, 316);
  ReportCount("wycheproof chacha20_poly1305, odd size, not ours", skipped, 9);
}

TEST(Wycheproof, XChaCha20Poly1305) {
  const auto file = Vectors("wycheproof/xchacha20_poly1305_test.json");
  if (!file) return;
  std::size_t ran = 0;
  const auto skipped = RunAead(*file, XChaCha20Poly1305(), ran);
  ReportCount("wycheproof xchacha20_poly1305", ran, 306);
  ReportCount("wycheproof xchacha20_poly1305, odd size, not ours", skipped, 9);
}

template <class Mac>
std::size_t RunHmac(const Json& file, Mac mac) {
  std::size_t ran = 0;
  ForEach(file, [&](const Json&, const Json& test) {
    const auto made = mac(SecretBytes::Copy(Hex(test["key"])), {Hex(test["msg"])});
    // Some cases ask for the first half of the tag.
    const auto tag = Hex(test["tag"]);
    ASSERT_LE(tag.size(), made.size());
    EXPECT_EQ(ConstantTimeEqual(ByteSpan(made).first(tag.size()), tag), IsValid(test));
    ++ran;
  });
  return ran;
}

TEST(Wycheproof, HmacSha256) {
  const auto file = Vectors("wycheproof/hmac_sha256_test.json");
  if (!file) return;
  const auto ran = RunHmac(
      *file, [](const SecretBytes& key, const Bytes& text) { return HmacSha256(key, {text}); });
  ReportCount("wycheproof hmac_sha256", ran, 174);
}

TEST(Wycheproof, HmacSha512) {
  const auto file = Vectors("wycheproof/hmac_sha512_test.json");
  if (!file) return;
  const auto ran = RunHmac(
      *file, [](const SecretBytes& key, const Bytes& text) { return HmacSha512(key, {text}); });
  ReportCount("wycheproof hmac_sha512", ran, 174);
}

// `derive(ikm, salt, info, out)` is extract and expand. Returns how many cases were refused.
template <class DeriveAll>
std::size_t RunHkdf(const Json& file, DeriveAll derive, std::size_t& ran) {
  std::size_t refused = 0;
  ForEach(file, [&](const Json&, const Json& test) {
    Bytes out(test["size"].get<std::size_t>());
    const auto done =
        derive(SecretBytes::Copy(Hex(test["ikm"])), Hex(test["salt"]), Hex(test["info"]), out);
    EXPECT_EQ(done.ok(), IsValid(test));
    if (done) {
      EXPECT_EQ(out, Hex(test["okm"]));
    }
    if (!done) ++refused;
    ++ran;
  });
  return refused;
}

TEST(Wycheproof, HkdfSha256) {
  const auto file = Vectors("wycheproof/hkdf_sha256_test.json");
  if (!file) return;
  std::size_t ran = 0;
  const auto refused = RunHkdf(
      *file,
      [](const SecretBytes& ikm, const Bytes& salt, const Bytes& info, Bytes& out) {
        StackSecret<32> prk;
        HkdfExtractSha256(salt, ikm, prk.Expose());
        return HkdfExpandSha256(prk, info, out);
      },
      ran);
  ReportCount("wycheproof hkdf_sha256", ran, 86);
  ReportCount("wycheproof hkdf_sha256, over 255 hashes refused", refused, 3);
}

TEST(Wycheproof, HkdfSha512) {
  const auto file = Vectors("wycheproof/hkdf_sha512_test.json");
  if (!file) return;
  std::size_t ran = 0;
  const auto refused = RunHkdf(
      *file,
      [](const SecretBytes& ikm, const Bytes& salt, const Bytes& info, Bytes& out) {
        StackSecret<64> prk;
        HkdfExtractSha512(salt, ikm, prk.Expose());
        return HkdfExpandSha512(prk, info, out);
      },
      ran);
  ReportCount("wycheproof hkdf_sha512", ran, 83);
  ReportCount("wycheproof hkdf_sha512, over 255 hashes refused", refused, 3);
}

}  // namespace
}  // namespace godwit::crypto
