#include "crypto/padding.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <set>

#include "tests/support/keys.h"

namespace godwit::crypto {
namespace {

using base::Bytes;
using support::Plain;

constexpr std::size_t kFloors[] = {0, 256, 1024, 4096};

// The rule as the paper writes it, without shifts.
std::size_t PadmeOfThePaper(std::size_t size) {
  if (size <= 1) return size;
  std::size_t exponent = 0;
  while ((std::size_t{2} << exponent) <= size) ++exponent;
  std::size_t bits = 1;
  while ((std::size_t{2} << (bits - 1)) <= exponent) ++bits;
  if (exponent <= bits) return size;
  std::size_t step = 1;
  for (std::size_t i = 0; i < exponent - bits; ++i) step *= 2;
  return (size + step - 1) / step * step;
}

TEST(Padding, SizesFollowThePaper) {
  for (std::size_t size = 0; size <= 70'000; ++size) {
    for (const std::size_t floor : kFloors) {
      ASSERT_EQ(PaddedSize(size, floor), std::max(floor, PadmeOfThePaper(size))) << size;
    }
  }
  // The largest record and the largest attachment, and one more.
  for (const std::size_t size : {std::size_t{1} << 20, (std::size_t{1} << 20) + 1,
                                 std::size_t{1} << 30, (std::size_t{1} << 30) + 1}) {
    EXPECT_EQ(PaddedSize(size, 0), PadmeOfThePaper(size)) << size;
  }
}

TEST(Padding, AddsAtMostTwelvePercentAndNeverShrinks) {
  std::size_t last = 0;
  for (std::size_t size = 1; size <= 200'000; ++size) {
    const std::size_t padded = PaddedSize(size, 0);
    ASSERT_GE(padded, size);
    ASSERT_LE(padded * 100, size * 112) << size;
    ASSERT_GE(padded, last);
    ASSERT_EQ(PaddedSize(padded, 0), padded) << size;
    last = padded;
  }
}

TEST(Padding, LengthFirstThenTextThenZeros) {
  const auto padded = Pad(Bytes{7, 8, 9}, 10);
  EXPECT_EQ(Plain(padded), (Bytes{0, 0, 0, 3, 7, 8, 9, 0, 0, 0}));
  EXPECT_EQ(Plain(Pad({}, 0)), (Bytes{0, 0, 0, 0}));
}

RC_GTEST_PROP(PaddingProperty, UnpadGivesBackWhatPadWasGiven, (const Bytes& text)) {
  for (const std::size_t floor : kFloors) {
    const auto padded = Pad(text, floor);
    RC_ASSERT(padded.size() == PaddedSize(text.size() + 4, floor));
    const auto unpadded = Unpad(padded.Expose(), floor);
    RC_ASSERT(unpadded.ok());
    RC_ASSERT(Plain(*unpadded) == text);
  }
}

// Whatever Unpad takes is what Pad makes of the answer: one form for each text.
RC_GTEST_PROP(PaddingProperty, UnpadTakesNothingThatPadNeverMakes, ()) {
  const auto floor = *rc::gen::elementOf(std::vector<std::size_t>{0, 16, 64});
  const auto size = *rc::gen::inRange<std::size_t>(0, 80);
  auto bytes = *rc::gen::container<Bytes>(
      size, rc::gen::weightedElement<std::uint8_t>({{20, 0}, {1, 1}, {1, 12}, {1, 60}, {1, 255}}));
  const auto text = Unpad(bytes, floor);
  if (!text) {
    RC_ASSERT(text.error().code() == base::Code::kDecrypt);
    return;
  }
  RC_ASSERT(Plain(Pad(text->Expose(), floor)) == bytes);
}

RC_GTEST_PROP(PaddingProperty, UnpadSurvivesAnyBytes, (const Bytes& bytes)) {
  for (const std::size_t floor : kFloors) {
    const auto text = Unpad(bytes, floor);
    RC_ASSERT((!text || Plain(Pad(text->Expose(), floor)) == bytes));
  }
}

TEST(Padding, UnpadRejectsLengthsThatPadNeverMakes) {
  const struct {
    const char* name;
    Bytes padded;
    std::size_t floor;
  } rows[] = {
      {"nothing", {}, 0},
      {"shorter than a length", {0, 0, 0}, 0},
      {"length beyond the end", {0, 0, 0, 2, 1}, 0},
      {"length of all ones", {0xff, 0xff, 0xff, 0xff, 1}, 0},
      {"below the floor", {0, 0, 0, 1, 9}, 8},
      {"above the floor", {0, 0, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0}, 8},
      {"a zero too many", {0, 0, 0, 1, 9, 0}, 0},
      {"nonzero padding, first", {0, 0, 0, 1, 9, 1, 0, 0}, 8},
      {"nonzero padding, last", {0, 0, 0, 1, 9, 0, 0, 1}, 8},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto text = Unpad(row.padded, row.floor);
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().code(), base::Code::kDecrypt);
  }
  EXPECT_TRUE(Unpad(Bytes{0, 0, 0, 1, 9, 0, 0, 0}, 8));
}

}  // namespace
}  // namespace godwit::crypto
