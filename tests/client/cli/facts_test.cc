#include "client/cli/facts.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace godwit::cli {
namespace {

using base::Code;

std::string FileWith(const std::string& text) {
  std::string path = testing::TempDir() + "godwit-facts-XXXXXX";
  const int fd = mkstemp(path.data());
  EXPECT_GE(fd, 0);
  EXPECT_EQ(write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  close(fd);
  return path;
}

TEST(Facts, AreLinesOfAPathAndAValue) {
  const std::string path = FileWith(
      "# a comment\r\n"
      "summary.risk = high\r\n"
      "\n"
      "identity_profile.names[0].full=리 보기 = 하나\n"
      "  summary.next_due_day =\n");
  const auto changes = ReadChanges(path);
  std::remove(path.c_str());
  ASSERT_TRUE(changes);
  ASSERT_EQ(changes->size(), 3u);
  EXPECT_EQ((*changes)[0].path, "summary.risk");
  EXPECT_EQ((*changes)[0].value, "high");
  EXPECT_EQ((*changes)[1].value, "리 보기 = 하나");
  EXPECT_EQ((*changes)[2].path, "summary.next_due_day");
  EXPECT_EQ((*changes)[2].value, "");
}

TEST(Facts, RefusesALineWithoutAPath) {
  for (const char* text : {"summary.risk", "= high", "\xff\n"}) {
    SCOPED_TRACE(text);
    const std::string path = FileWith(text);
    const auto changes = ReadChanges(path);
    std::remove(path.c_str());
    ASSERT_FALSE(changes);
    EXPECT_EQ(changes.error().code(), Code::kInvalidArgument);
  }
}

TEST(Facts, RefusesAFileThatIsNotThereOrTooLong) {
  const auto none = ReadChanges(testing::TempDir() + "no-such-file-of-facts");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::kNotFound);
  const std::string path = FileWith(std::string((64 << 10) + 1, '\n'));
  const auto longer = ReadText(path);
  std::remove(path.c_str());
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().code(), Code::kInvalidArgument);
}

// Other users of the machine see a command line, and the shell keeps it.
TEST(Facts, PersonsDoNotStandOnACommandLine) {
  EXPECT_TRUE(MayBeArgument("summary.risk"));
  EXPECT_TRUE(MayBeArgument("case.registration_date"));
  for (const char* path : {"identity_profile.names[0].full", "trafficking_context.status",
                           "case.to_desk", "case.identification_source_original", "summary", ""}) {
    SCOPED_TRACE(path);
    EXPECT_FALSE(MayBeArgument(path));
  }
}

TEST(Facts, FillANewCaseIn) {
  client::NewCase new_case;
  const auto filled = FillIn({{"summary.risk", "high"},
                              {"summary.consent.store_identity", "yes"},
                              {"identity_profile.names[0].full", "리 보기"},
                              {"case.registration_date", "2031-05"}},
                             new_case);
  ASSERT_TRUE(filled) << filled.error().message();
  EXPECT_EQ(new_case.summary.risk(), content::v1::RISK_LEVEL_HIGH);
  EXPECT_EQ(new_case.summary.consent().store_identity(), content::v1::ANSWER_YES);
  EXPECT_EQ(new_case.profile.names(0).full(), "리 보기");
  EXPECT_EQ(new_case.facts.registration_date().year(), 2031);
  EXPECT_FALSE(new_case.trafficking);
  ASSERT_TRUE(FillIn({{"trafficking_context.status", "possible"}}, new_case));
  ASSERT_TRUE(new_case.trafficking);
  EXPECT_EQ(new_case.trafficking->status(), content::v1::VICTIM_STATUS_POSSIBLE);
  EXPECT_EQ(new_case.profile.names_size(), 1) << "what was filled in before stays";
}

TEST(Facts, AWrongOneLeavesTheCaseAsItWas) {
  client::NewCase new_case;
  for (const auto& [path, value] :
       {std::pair{"summary.nothing", "x"}, std::pair{"summary.risk", "enormous"},
        std::pair{"summary.code", "x"}}) {
    SCOPED_TRACE(path);
    EXPECT_FALSE(FillIn({{"summary.sex", "female"}, {path, value}}, new_case));
    EXPECT_EQ(new_case.summary.sex(), content::v1::SEX_UNSPECIFIED);
  }
}

}  // namespace
}  // namespace godwit::cli
