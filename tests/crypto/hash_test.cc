#include "crypto/hash.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace godwit::crypto {
namespace {

using base::AsBytes;
using base::Bytes;
using base::ToHex;

// FIPS 180-4 examples, csrc.nist.gov "SHA256.pdf" and "SHA512.pdf".
TEST(Hash, KnownAnswersOfNist) {
  EXPECT_EQ(ToHex(Sha256(AsBytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(Sha256(AsBytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(ToHex(Sha512({AsBytes("abc")})),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

RC_GTEST_PROP(Hash, PartsCountAsOneText, (const Bytes& a, const Bytes& b)) {
  Bytes both = a;
  base::Append(both, b);
  RC_ASSERT(Sha256({a, b}) == Sha256(both));
  RC_ASSERT(Sha512({a, b}) == Sha512({both}));
}

RC_GTEST_PROP(Hash, AStreamOfPiecesCountsAsOneText, (const std::vector<Bytes>& pieces)) {
  Sha256Stream stream;
  Bytes whole;
  for (const auto& piece : pieces) {
    stream.Update(piece);
    base::Append(whole, piece);
  }
  RC_ASSERT(stream.Finish() == Sha256(whole));
}

RC_GTEST_PROP(Hash, LabelComesFirstWithItsLength, (const Bytes& text)) {
  Bytes whole{4};
  base::Append(whole, AsBytes("link"));
  base::Append(whole, text);
  RC_ASSERT(LabeledHash(HashLabel("link"), {text}) == Sha256(whole));
}

TEST(Hash, NoBytesWanderFromTheTextIntoTheLabel) {
  EXPECT_NE(LabeledHash(HashLabel("ab"), {AsBytes("c")}), LabeledHash(HashLabel("abc"), {}));
  EXPECT_NE(LabeledHash(HashLabel("link"), {}), LabeledHash(HashLabel("vault"), {}));
}

}  // namespace
}  // namespace godwit::crypto
