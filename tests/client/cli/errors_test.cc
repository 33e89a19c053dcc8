#include "client/cli/errors.h"

#include <gtest/gtest.h>

#include <string>

namespace godwit::cli {
namespace {

using base::Code;

TEST(Errors, EveryCodeHasAnExitAndANextStep) {
  for (int i = 0; i <= static_cast<int>(Code::kInternal); ++i) {
    const Code code{i};
    SCOPED_TRACE(std::string(Name(code)));
    EXPECT_NE(ExitCodeOf(code), ExitCode::kOk);
    EXPECT_FALSE(NextStep(code).text().empty());
  }
}

TEST(Errors, ClassesAreWhatHelpSays) {
  const struct {
    Code code;
    ExitCode want;
  } rows[] = {{Code::kInternal, ExitCode::kError},
              {Code::kNotFound, ExitCode::kError},
              {Code::kUnsupported, ExitCode::kError},
              {Code::kInvalidArgument, ExitCode::kUsage},
              {Code::kUnavailable, ExitCode::kUnavailable},
              {Code::kDeadline, ExitCode::kUnavailable},
              {Code::kPermissionDenied, ExitCode::kNotAllowed},
              {Code::kUnauthenticated, ExitCode::kNotAllowed},
              {Code::kLocked, ExitCode::kNotAllowed},
              {Code::kConflict, ExitCode::kWaiting},
              {Code::kFrozen, ExitCode::kWaiting}};
  for (const auto& row : rows) {
    SCOPED_TRACE(std::string(Name(row.code)));
    EXPECT_EQ(ExitCodeOf(row.code), row.want);
  }
}

// Whatever a server or a colleague forged ends alike, so that a script can stop on one number.
TEST(Errors, WhatCannotBeTrustedIsRefused) {
  for (const Code code :
       {Code::kDecrypt, Code::kKeyMismatch, Code::kSig, Code::kEntryInvalid, Code::kRosterInvalid,
        Code::kRollback, Code::kFork, Code::kLogInconsistent, Code::kNoInclusion, Code::kDowngrade,
        Code::kProof, Code::kStateLost}) {
    SCOPED_TRACE(std::string(Name(code)));
    EXPECT_EQ(ExitCodeOf(code), ExitCode::kRefused);
  }
}

TEST(Errors, HelpListsEveryExitCode) {
  for (int i = 0; i <= static_cast<int>(ExitCode::kPartly); ++i) {
    EXPECT_NE(kExitCodesHelp.find("\n  " + std::to_string(i) + "  "), std::string::npos) << i;
  }
}

}  // namespace
}  // namespace godwit::cli
