#include "crypto/hkdf.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <memory>

#include "tests/support/keys.h"

namespace godwit::crypto {
namespace {

using base::Bytes;
using support::KeyOf;

// OpenSSL's HKDF, extract and expand in one.
Bytes OpenSslHkdf(const char* digest, Bytes ikm, Bytes salt, Bytes info, std::size_t size) {
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(
      EVP_KDF_fetch(nullptr, "HKDF", nullptr), &EVP_KDF_free);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(
      EVP_KDF_CTX_new(kdf.get()), &EVP_KDF_CTX_free);
  const std::array<OSSL_PARAM, 5> params{
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>(digest), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, ikm.data(), ikm.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end()};
  Bytes out(size);
  EXPECT_EQ(EVP_KDF_derive(context.get(), out.data(), size, params.data()), 1);
  return out;
}

RC_GTEST_PROP(Hkdf, AgreesWithOpenSsl, ()) {
  // OpenSSL takes no empty input here; Wycheproof covers those.
  const auto some = rc::gen::nonEmpty<Bytes>();
  const auto ikm = *some;
  const auto salt = *some;
  const auto info = *some;
  const auto size = *rc::gen::inRange<std::size_t>(1, 300);
  const auto secret = SecretBytes::Copy(ikm);

  Bytes out(size);
  StackSecret<32> prk256;
  HkdfExtractSha256(salt, secret, prk256.Expose());
  RC_ASSERT(HkdfExpandSha256(prk256, info, out).ok());
  RC_ASSERT(out == OpenSslHkdf("SHA256", ikm, salt, info, size));

  StackSecret<64> prk512;
  HkdfExtractSha512(salt, secret, prk512.Expose());
  RC_ASSERT(HkdfExpandSha512(prk512, info, out).ok());
  RC_ASSERT(out == OpenSslHkdf("SHA512", ikm, salt, info, size));
}

TEST(Hkdf, GivesAtMost255Hashes) {
  const auto key = support::RandomKey();
  Bytes most256(255 * 32);
  Bytes most512(255 * 64);
  EXPECT_TRUE(HkdfExpandSha256(key, {}, most256));
  EXPECT_TRUE(HkdfExpandSha512(key, {}, most512));
  most256.push_back(0);
  most512.push_back(0);
  const auto more256 = HkdfExpandSha256(key, {}, most256);
  const auto more512 = HkdfExpandSha512(key, {}, most512);
  ASSERT_FALSE(more256);
  ASSERT_FALSE(more512);
  EXPECT_EQ(more256.error().code(), base::Code::kInvalidArgument);
  EXPECT_EQ(more512.error().code(), base::Code::kInvalidArgument);
}

RC_GTEST_PROP(Hkdf, DeriveIsExpandWithTagLabelAndContext, (const Bytes& context)) {
  const auto key = support::RandomKey();
  Bytes info = base::ToBytes(base::AsBytes("gw1"));
  info.push_back(8);
  base::Append(info, base::AsBytes("dev-sign"));
  base::Append(info, context);
  Bytes want(88);
  RC_ASSERT(HkdfExpandSha512(key, info, want).ok());
  Bytes got(88);
  Derive(key, DeriveLabel("dev-sign"), context, got);
  RC_ASSERT(got == want);
}

TEST(Hkdf, LabelContextAndKeyEachChangeWhatIsDerived) {
  const auto key = support::RandomKey();
  const auto derive = [](const support::Key& from, DeriveLabel label, Bytes context) {
    const auto secret = DeriveSecret<struct OutTag, 32>(from, label, context);
    return base::ToBytes(secret->Expose());
  };
  const auto base = derive(key, DeriveLabel("dup"), {1});
  EXPECT_EQ(derive(key, DeriveLabel("dup"), {1}), base);
  EXPECT_NE(derive(key, DeriveLabel("duq"), {1}), base);
  EXPECT_NE(derive(key, DeriveLabel("dup"), {2}), base);
  EXPECT_NE(derive(support::RandomKey(), DeriveLabel("dup"), {1}), base);
  // No byte wanders from the context into the label.
  EXPECT_NE(derive(key, DeriveLabel("ab"), {'c'}), derive(key, DeriveLabel("abc"), {}));
}

}  // namespace
}  // namespace godwit::crypto
