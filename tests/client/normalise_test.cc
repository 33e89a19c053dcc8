#include "client/normalise.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "tests/client/temporary.h"

namespace godwit::client {
namespace {

using base::Code;

// From the Unicode Character Database's NormalizationTest.txt, and UAX #15 figures 3 to 5.
TEST(Normalise, WhatLooksAlikeBecomesTheSameText) {
  const struct {
    const char* name;
    std::string input;
    std::string want;
  } cases[] = {
      {"ascii", "plain text", "plain text"},
      {"composed e acute", "\u00e9", "\u00e9"},
      {"decomposed e acute", "e\u0301", "\u00e9"},
      {"angstrom sign", "\u212b", "\u00c5"},
      {"Hangul jamo LV", "\u1112\u1161", "\ud558"},
      {"Hangul jamo LVT", "\u1112\u1161\u11ab", "\ud55c"},
      {"Hangul LV and T", "\ud558\u11ab", "\ud55c"},
      {"marks out of order", "q\u0307\u0323", "q\u0323\u0307"},
      {"a composition that is excluded grows", "\u0958", "\u0915\u093c"},
      {"longest growth of one unit in UTF-16", "\ufb2c", "\u05e9\u05bc\u05c1"},
      {"compatibility letters stay", "\uff21\ufb01", "\uff21\ufb01"},
      {"beyond the first plane", "\U0001d15e", "\U0001d157\U0001d165"},
      {"a zero byte", std::string("a\0b", 3), std::string("a\0b", 3)},
      {"empty", "", ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto got = Nfc(c.input);
    ASSERT_TRUE(got);
    EXPECT_EQ(*got, c.want);
  }
}

TEST(Normalise, RefusesWhatIsNoUtf8) {
  for (const std::string bad :
       {"\xff", "\xc3", "a\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xe2\x82"}) {
    const auto got = Nfc(bad);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code(), Code::kInvalidArgument);
    const auto passphrase = NormalisedPassphrase(support::Passphrase(bad));
    ASSERT_FALSE(passphrase);
    EXPECT_EQ(passphrase.error().code(), Code::kInvalidArgument);
  }
}

TEST(Normalise, APassphraseHasASize) {
  EXPECT_FALSE(NormalisedPassphrase(support::Passphrase("")));
  const auto longest = NormalisedPassphrase(support::Passphrase(std::string(1024, 'x')));
  ASSERT_TRUE(longest);
  EXPECT_EQ(longest->size(), 1024U);
  const auto longer = NormalisedPassphrase(support::Passphrase(std::string(1025, 'x')));
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code(), Code::kInvalidArgument);
}

RC_GTEST_PROP(Normalise, TwiceIsOnceAndAnyBytesAreSurvived, (const std::string& bytes)) {
  const auto once = Nfc(bytes);
  if (!once) return;
  const auto twice = Nfc(*once);
  RC_ASSERT(twice.ok());
  RC_ASSERT(*twice == *once);
}

}  // namespace
}  // namespace godwit::client
