#include "crypto/hmac.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crypto/hash.h"

namespace godwit::crypto {
namespace {

using base::AsBytes;
using base::Bytes;

// RFC 4231 section 4.3, test case 2.
TEST(Hmac, KnownAnswerOfRfc4231) {
  const auto key = SecretBytes::Copy(AsBytes("Jefe"));
  const auto text = AsBytes("what do ya want for nothing?");
  EXPECT_EQ(base::ToHex(HmacSha256(key, {text})),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(base::ToHex(HmacSha512(key, {text})),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

RC_GTEST_PROP(Hmac, PartsCountAsOneText, (const Bytes& key, const Bytes& a, const Bytes& b)) {
  Bytes both = a;
  base::Append(both, b);
  const auto secret = SecretBytes::Copy(key);
  RC_ASSERT(HmacSha256(secret, {a, b}) == HmacSha256(secret, {both}));
  RC_ASSERT(HmacSha512(secret, {a, b}) == HmacSha512(secret, {both}));
}

// RFC 2104: a key longer than a block is hashed first.
TEST(Hmac, LongKeysAreHashed) {
  const Bytes key(200, 0x61);
  const auto hashed256 = Sha256(key);
  const auto hashed512 = Sha512({key});
  EXPECT_EQ(HmacSha256(SecretBytes::Copy(key), {}), HmacSha256(SecretBytes::Copy(hashed256), {}));
  EXPECT_EQ(HmacSha512(SecretBytes::Copy(key), {}), HmacSha512(SecretBytes::Copy(hashed512), {}));
}

}  // namespace
}  // namespace godwit::crypto
