#include "client/cli/prompt.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "base/bytes.h"

namespace godwit::cli {
namespace {

using base::Code;

// The reading end of a pipe that holds `text` and has ended.
class Pipe {
 public:
  explicit Pipe(const std::string& text) {
    if (pipe(fds_) != 0) return;
    EXPECT_EQ(write(fds_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    close(fds_[1]);
  }
  ~Pipe() { close(fds_[0]); }
  int fd() const { return fds_[0]; }

 private:
  int fds_[2] = {-1, -1};
};

TEST(Prompt, APassphraseIsOneLineOfItsDescriptor) {
  const Pipe pipe("correct horse 이름\nwhat the next reader gets");
  Prompt prompt(pipe.fd(), false);
  const auto passphrase = prompt.Passphrase("unused");
  ASSERT_TRUE(passphrase);
  EXPECT_EQ(base::ToString(passphrase->Expose()), "correct horse 이름");
  const auto rest = ReadLine(pipe.fd());
  ASSERT_TRUE(rest);
  EXPECT_EQ(*rest, "what the next reader gets");
}

TEST(Prompt, TheEndEndsALineToo) {
  const Pipe pipe("no end of line");
  const auto passphrase = Prompt(pipe.fd(), false).NewPassphrase("unused");
  ASSERT_TRUE(passphrase);
  EXPECT_EQ(base::ToString(passphrase->Expose()), "no end of line");
}

TEST(Prompt, RefusesWhatIsNoPassphrase) {
  const struct {
    const char* name;
    std::string text;
    Code want;
  } rows[] = {{"nothing", "", Code::kNotFound},
              {"an empty line", "\n", Code::kInvalidArgument},
              {"too long", std::string(kMaxLine + 1, 'x'), Code::kInvalidArgument}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const Pipe pipe(row.text);
    const auto passphrase = Prompt(pipe.fd(), false).Passphrase("unused");
    ASSERT_FALSE(passphrase);
    EXPECT_EQ(passphrase.error().code(), row.want);
  }
}

TEST(Prompt, ANewPassphraseHasEightBytes) {
  const Pipe seven("1234567\n");
  EXPECT_FALSE(Prompt(seven.fd(), false).NewPassphrase("unused"));
  const Pipe eight("12345678\n");
  EXPECT_TRUE(Prompt(eight.fd(), false).NewPassphrase("unused"));
}

TEST(Prompt, ReadsTheLongestLine) {
  const std::string longest(kMaxLine, 'x');
  const Pipe pipe(longest + "\n");
  const auto line = ReadSecretLine(pipe.fd());
  ASSERT_TRUE(line);
  EXPECT_EQ(base::ToString(line->Expose()), longest);
}

TEST(Prompt, AClosedDescriptorIsAnError) {
  const auto passphrase = Prompt(9999, false).Passphrase("unused");
  ASSERT_FALSE(passphrase);
  EXPECT_EQ(passphrase.error().code(), Code::kIo);
}

TEST(Prompt, YesAnswersQuestions) {
  const auto sure = Prompt(std::nullopt, true).Confirm("Sure?");
  ASSERT_TRUE(sure);
  EXPECT_TRUE(*sure);
}

}  // namespace
}  // namespace godwit::cli
