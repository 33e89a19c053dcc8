#include "client/casework/inert.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace godwit::client {
namespace {

TEST(Inert, ShowsNothingThatActs) {
  const struct {
    const char* name;
    std::string text;
    std::string want;
  } rows[] = {
      {"plain", "Female", "Female"},
      {"other scripts", "림꺽정 林 ไทย", "림꺽정 林 ไทย"},
      {"an escape sequence", "\x1b[2J", "\\u{1b}[2J"},
      {"ends of line", "a\r\nb", "a\\u{d}\\u{a}b"},
      {"a right-to-left override",
       "a\u202e"
       "b",
       "a\\u{202e}b"},
      {"an isolate", "\u2066x\u2069", "\\u{2066}x\\u{2069}"},
      {"a C1 control", "\u009b", "\\u{9b}"},
      {"no width",
       "a\u200b\ufeff"
       "b",
       "a\\u{200b}\\u{feff}b"},
      {"an ignorable letter", "\u3164", "\\u{3164}"},
      {"an annotation", "\ufff9", "\\u{fff9}"},
      {"a line separator", "\u2028", "\\u{2028}"},
      {"no UTF-8", "a\xff\xe9", "a\\xff\\xe9"},
      {"a backslash", "\\u{1b}", "\\\\u{1b}"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(Inert(row.text), row.want);
  }
}

TEST(Inert, IsCutByCharactersNotBytes) {
  EXPECT_EQ(Inert("가나다라", 4), "가나다라");
  EXPECT_EQ(Inert("가나다라", 3), "가나다…");
}

RC_GTEST_PROP(InertProperty, AnyBytesBecomeUtf8WithoutControls, (const std::string& bytes)) {
  const auto shown = Inert(bytes);
  RC_ASSERT(IsUtf8(shown));
  RC_ASSERT(!HasControl(shown));
  RC_ASSERT(shown.find_first_of("\t\r\n") == std::string::npos);
}

TEST(Inert, TrimmingTakesTheSpacesOfSpreadsheets) {
  EXPECT_EQ(Trimmed(" \t\u00a0\u3000가 나 \u3000"), "가 나");
  EXPECT_EQ(Trimmed("   "), "");
  EXPECT_EQ(Trimmed(""), "");
}

}  // namespace
}  // namespace godwit::client
