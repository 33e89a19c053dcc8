#include "client/cli/answers.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace godwit::cli {
namespace {

using base::Code;
constexpr auto kNow = std::chrono::milliseconds(0);

TEST(Answers, SayYesOrNoAboutAHandleAndARealm) {
  const struct {
    const char* line;
    bool yes;
    const char* handle;
    const char* realm;
  } rows[] = {{"yes haneul cases", true, "haneul", "cases"},
              {"no haneul identity\r", false, "haneul", "identity"},
              {"yes cases", true, "", "cases"},
              {"yes two words cases", true, "two words", "cases"}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.line);
    const auto answer = ReadAnswer(row.line);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->yes, row.yes);
    EXPECT_EQ(answer->handle, row.handle);
    EXPECT_EQ(answer->realm, row.realm);
  }
}

// Nothing but the very word is a yes: a slip of a script must not let anybody in.
TEST(Answers, NothingElseIsOne) {
  for (const char* line : {"", "yes", "y haneul cases", "YES haneul cases", "yesharneul cases",
                           "yes ", "true haneul cases"}) {
    SCOPED_TRACE(line);
    const auto answer = ReadAnswer(line);
    EXPECT_FALSE(answer);
  }
}

TEST(Answers, ComeAsTheyAreWritten) {
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  AnswerStream stream(fds[0]);
  const auto say = [&](std::string_view text) {
    ASSERT_EQ(write(fds[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  };
  auto next = stream.Next(kNow);
  ASSERT_TRUE(next);
  EXPECT_FALSE(*next) << "nothing was said yet";
  say("yes a cas");
  next = stream.Next(kNow);
  ASSERT_TRUE(next);
  EXPECT_FALSE(*next) << "half a line is no answer";
  say("es\nno b cases\n");
  next = stream.Next(kNow);
  ASSERT_TRUE(next && *next);
  EXPECT_EQ((*next)->handle, "a");
  next = stream.Next(kNow);
  ASSERT_TRUE(next && *next);
  EXPECT_FALSE((*next)->yes);
  close(fds[1]);
  next = stream.Next(kNow);
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code(), Code::kNotFound);
  close(fds[0]);
}

}  // namespace
}  // namespace godwit::cli
