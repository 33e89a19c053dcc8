#include "base/bytes.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cctype>

namespace godwit::base {
namespace {

TEST(Bytes, HexIsLowerCaseAndTakesBothCases) {
  EXPECT_EQ(ToHex(Bytes{0x00, 0x9f, 0xa0, 0xff}), "009fa0ff");
  EXPECT_EQ(ToHex({}), "");
  EXPECT_EQ(FromHex("009fA0fF"), (Bytes{0x00, 0x9f, 0xa0, 0xff}));
  EXPECT_EQ(FromHex(""), Bytes{});
}

TEST(Bytes, FromHexRefusesWhatIsNoHex) {
  for (const std::string_view text :
       {"0", "000", "0g", "g0", " 00", "00 ", "0x00", "/0", ":0", "@0", "`0", "0\x80", "-1"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(FromHex(text));
  }
}

RC_GTEST_PROP(Bytes, HexGivesBackWhatItWasGiven, (const Bytes& bytes)) {
  const auto text = ToHex(bytes);
  RC_ASSERT(text.size() == bytes.size() * 2);
  RC_ASSERT(FromHex(text) == bytes);
}

RC_GTEST_PROP(Bytes, FromHexTakesHexAndNothingElse, (const std::string& text)) {
  const auto bytes = FromHex(text);
  if (!bytes) return;
  std::string lower;
  for (const char c : text) {
    lower.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  RC_ASSERT(ToHex(*bytes) == lower);
}

RC_GTEST_PROP(Bytes, StringsKeepEveryByte, (const Bytes& bytes)) {
  const auto text = ToString(bytes);
  RC_ASSERT(ToBytes(AsBytes(text)) == bytes);
}

TEST(Bytes, AppendAddsAtTheEnd) {
  Bytes bytes{1, 2};
  Append(bytes, Bytes{3});
  Append(bytes, {});
  EXPECT_EQ(bytes, (Bytes{1, 2, 3}));
}

}  // namespace
}  // namespace godwit::base
