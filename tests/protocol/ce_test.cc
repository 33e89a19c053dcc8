#include "protocol/ce.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "tests/protocol/generators.h"

namespace godwit::protocol {
namespace {

using base::Bytes;

TEST(Ce, StrTakesWellFormedTextWithoutControlCharactersAlone) {
  const struct {
    const char* name;
    std::string text;
    bool want;
  } rows[] = {
      {"empty", "", true},
      {"letters", "Lee", true},
      {"Hangul", "\uc774", true},
      {"255 bytes", std::string(255, 'a'), true},
      {"256 bytes", std::string(256, 'a'), false},
      {"255 bytes of two each and one",
       std::string(1, 'a') +
           [] {
             std::string text;
             for (int i = 0; i < 127; ++i) text += "\u00e9";
             return text;
           }(),
       true},
      {"U+0000", std::string(1, '\0'), false},
      {"U+001F", "\x1f", false},
      {"U+0020", " ", true},
      {"U+007E", "~", true},
      {"U+007F", "\x7f", false},
      {"U+0080", "\xc2\x80", false},
      {"U+0085", "\xc2\x85", false},
      {"U+009F", "\xc2\x9f", false},
      {"U+00A0", "\xc2\xa0", true},
      {"U+07FF", "\xdf\xbf", true},
      {"U+0800", "\xe0\xa0\x80", true},
      {"U+D7FF", "\xed\x9f\xbf", true},
      {"surrogate U+D800", "\xed\xa0\x80", false},
      {"surrogate U+DFFF", "\xed\xbf\xbf", false},
      {"U+E000", "\xee\x80\x80", true},
      {"U+FFFF", "\xef\xbf\xbf", true},
      {"U+10000", "\xf0\x90\x80\x80", true},
      {"U+10FFFF", "\xf4\x8f\xbf\xbf", true},
      {"above U+10FFFF", "\xf4\x90\x80\x80", false},
      {"first byte F5", "\xf5\x80\x80\x80", false},
      {"first byte F8", "\xf8\x88\x80\x80\x80", false},
      {"first byte F8 as if it were F0", "\xf8\x90\x80\x80", false},
      {"first byte FF", "\xff", false},
      {"overlong slash in two", "\xc0\xaf", false},
      {"overlong U+007F in two", "\xc1\xbf", false},
      {"overlong U+07FF in three", "\xe0\x9f\xbf", false},
      {"overlong U+FFFF in four", "\xf0\x8f\xbf\xbf", false},
      {"lone continuation", "\x80", false},
      {"cut short in two", "\xc3", false},
      {"cut short in three", "\xe2\x82", false},
      {"cut short in four", "\xf0\x9f\xa7", false},
      {"continuation missing", "\xc3(", false},
      {"control after text", "a\n", false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(IsStr(row.text), row.want);
    Writer w;
    w.Var16(base::AsBytes(row.text));
    Reader r(w.bytes());
    const std::string read = r.Str();
    EXPECT_EQ(r.Done(), row.want);
    EXPECT_EQ(read, row.want ? row.text : "");
  }
}

TEST(Ce, IntegersAreBigEndianAndOfFixedWidth) {
  Writer w;
  w.U8(0x01).U16(0x0203).U32(0x04050607).U64(0x08090a0b0c0d0e0f);
  EXPECT_EQ(w.bytes().size(), 15U);
  Bytes want;
  for (std::uint8_t i = 1; i <= 15; ++i) want.push_back(i);
  EXPECT_EQ(base::ToBytes(w.bytes()), want);
  Reader r(w.bytes());
  EXPECT_EQ(r.U8(), 0x01);
  EXPECT_EQ(r.U16(), 0x0203);
  EXPECT_EQ(r.U32(), 0x04050607U);
  EXPECT_EQ(r.U64(), 0x08090a0b0c0d0e0fU);
  EXPECT_TRUE(r.Done());
}

TEST(Ce, NothingIsReadAfterAFailure) {
  const Bytes bytes{0, 0, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8};
  Reader r(bytes);
  EXPECT_TRUE(r.Var32().empty());
  EXPECT_FALSE(r.ok());
  EXPECT_EQ(r.U64(), 0U);
  EXPECT_EQ(r.Array<4>(), (std::array<std::uint8_t, 4>{}));
  EXPECT_TRUE(r.Take<base::MemberId>().IsZero());
  EXPECT_TRUE(r.Str().empty());
  EXPECT_FALSE(r.Presence());
  r.List([](Reader&) { ADD_FAILURE() << "an item after a failure"; });
  EXPECT_FALSE(r.Done());
}

TEST(Ce, TrailingBytesAreNotDone) {
  const Bytes bytes{1, 2};
  Reader r(bytes);
  r.U8();
  EXPECT_TRUE(r.ok());
  EXPECT_FALSE(r.Done());
  EXPECT_EQ(r.rest().size(), 1U);
}

TEST(Ce, PresenceIsZeroOrOne) {
  for (int value = 0; value < 256; ++value) {
    const Bytes bytes{static_cast<std::uint8_t>(value)};
    Reader r(bytes);
    EXPECT_EQ(r.Presence(), value == 1);
    EXPECT_EQ(r.Done(), value <= 1) << value;
  }
}

// A list of u8 keys with u8 values, with another such list in the value where the key is 0xff.
bool IsList(const Bytes& bytes) {
  Reader r(bytes);
  r.List([](Reader& item) {
    const std::uint8_t key = item.U8();
    item.KeyEnds();
    item.U8();
    if (key == 0xff) item.List([](Reader& inner) { inner.U8(); });
  });
  return r.Done();
}

TEST(Ce, KeysOfAListAscend) {
  const struct {
    const char* name;
    Bytes bytes;
    bool want;
  } rows[] = {
      {"none", {0, 0}, true},
      {"one", {0, 1, 5, 9}, true},
      {"two", {0, 2, 5, 9, 6, 1}, true},
      {"value falls", {0, 2, 5, 9, 6, 0}, true},
      {"key falls", {0, 2, 6, 1, 5, 9}, false},
      {"key twice", {0, 2, 5, 1, 5, 9}, false},
      {"fewer than it says", {0, 2, 5, 9}, false},
      {"more than it says", {0, 1, 5, 9, 6, 1}, false},
      {"a list inside", {0, 2, 7, 1, 0xff, 3, 0, 2, 4, 5}, true},
      {"a list inside falls", {0, 1, 0xff, 3, 0, 2, 5, 4}, false},
      {"count alone", {0}, false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(IsList(row.bytes), row.want);
  }
}

TEST(Ce, AKeyMayHoldAListAndIsStillCompared) {
  const auto is_list = [](const Bytes& bytes) {
    Reader r(bytes);
    r.List([](Reader& item) {
      item.List([](Reader& inner) { inner.U8(); });
      item.KeyEnds();
      item.U8();
    });
    return r.Done();
  };
  EXPECT_TRUE(is_list({0, 2, 0, 1, 5, 9, 0, 1, 6, 9}));
  EXPECT_FALSE(is_list({0, 2, 0, 1, 6, 9, 0, 1, 5, 9}));
  EXPECT_FALSE(is_list({0, 2, 0, 1, 5, 8, 0, 1, 5, 9}));
}

RC_GTEST_PROP(CeProperty, ReadsWhatItWrites, ()) {
  const auto a = testing::AnyInt<std::uint8_t>();
  const auto b = testing::AnyInt<std::uint16_t>();
  const auto c = testing::AnyInt<std::uint32_t>();
  const auto d = testing::AnyInt<std::uint64_t>();
  const auto e = testing::AnyBytes();
  const auto f = testing::AnyStr();
  const auto g = testing::Any<base::Link>();
  Writer w;
  w.U8(a).U16(b).U32(c).U64(d).Var16(e).Var32(e).Str(f).Fixed(g).Raw(e);
  Reader r(w.bytes());
  RC_ASSERT(r.U8() == a);
  RC_ASSERT(r.U16() == b);
  RC_ASSERT(r.U32() == c);
  RC_ASSERT(r.U64() == d);
  RC_ASSERT(base::ToBytes(r.Var16()) == e);
  RC_ASSERT(base::ToBytes(r.Var32()) == e);
  RC_ASSERT(r.Str() == f);
  RC_ASSERT(r.Take<base::Link>() == g);
  RC_ASSERT(base::ToBytes(r.Raw(e.size())) == e);
  RC_ASSERT(r.Done());
}

RC_GTEST_PROP(CeProperty, ARawReadNeverGoesPastTheEnd, (const Bytes& bytes, std::uint32_t size)) {
  Reader r(bytes);
  const auto read = r.Raw(size);
  RC_ASSERT(r.ok() == (size <= bytes.size()));
  RC_ASSERT(read.size() == (r.ok() ? size : 0));
}

}  // namespace
}  // namespace godwit::protocol
