#include "crypto/constant_time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace godwit::crypto {
namespace {

using base::Bytes;

TEST(ConstantTime, SeesEveryByteAndTheLength) {
  const Bytes text(32, 0xa5);
  EXPECT_TRUE(ConstantTimeEqual(text, Bytes(text)));
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes other = text;
      other[i] ^= static_cast<std::uint8_t>(1 << bit);
      EXPECT_FALSE(ConstantTimeEqual(text, other)) << i << " " << bit;
    }
  }
  EXPECT_FALSE(ConstantTimeEqual(text, base::ByteSpan(text).first(31)));
  EXPECT_FALSE(ConstantTimeEqual({}, text));
  EXPECT_TRUE(ConstantTimeEqual({}, {}));
}

RC_GTEST_PROP(ConstantTime, AgreesWithPlainComparison, (const Bytes& a, const Bytes& b)) {
  RC_ASSERT(ConstantTimeEqual(a, b) == (a == b));
}

}  // namespace
}  // namespace godwit::crypto
