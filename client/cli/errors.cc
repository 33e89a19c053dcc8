#include "client/cli/errors.h"

#include "client/cli/language.h"

namespace godwit::cli {

using base::Code;
using base::Literal;

namespace {

// What `code` means, for whoever cannot read more of it.
Literal WhatHappened(Code code) {
  switch (code) {
    case Code::kConflict:
    case Code::kRekeyRequired:
    case Code::kStaleRoster:
      return Literal("somebody else has written meanwhile");
    case Code::kFrozen:
      return Literal("this is frozen");
    case Code::kRateLimited:
    case Code::kResourceExhausted:
      return Literal("a limit is reached");
    case Code::kLocked:
    case Code::kUnauthenticated:
      return Literal("this device or passphrase does not open it");
    case Code::kDecrypt:
      return Literal("it does not open: it was changed, or is not for you");
    case Code::kKeyMismatch:
    case Code::kSig:
    case Code::kEntryInvalid:
    case Code::kRosterInvalid:
    case Code::kProof:
    case Code::kDowngrade:
      return Literal("what was shown breaks the rules, and is refused");
    case Code::kRollback:
    case Code::kFork:
    case Code::kLogInconsistent:
    case Code::kNoInclusion:
    case Code::kLogBehind:
      return Literal("the service does not show what it showed before");
    case Code::kStale:
      return Literal("there is no fresh time stamp");
    case Code::kUnsupported:
      return Literal("this Godwit does not know that");
    case Code::kStateLost:
      return Literal("what lies on this device is damaged or was put back");
    case Code::kInvalidArgument:
      return Literal("what was given has the wrong form");
    case Code::kNotFound:
      return Literal("there is no such thing, or it is not yours to see");
    case Code::kPermissionDenied:
      return Literal("this is not yours to do");
    case Code::kExists:
      return Literal("it is there already");
    case Code::kUnavailable:
    case Code::kDeadline:
      return Literal("the service or another command does not answer");
    case Code::kCancelled:
      return Literal("it was given up");
    case Code::kIo:
      return Literal("a file or device failed");
    case Code::kInternal:
      break;
  }
  return Literal("something happened that never should");
}

}  // namespace

const std::string_view kExitCodesHelp = Translatable(
    "Exit codes:\n"
    "  0  done\n"
    "  1  failed\n"
    "  2  the command line or the input has the wrong form\n"
    "  3  offline, or the service is busy: try again later\n"
    "  4  not yours to do, or locked\n"
    "  5  refused: what was shown cannot be trusted\n"
    "  6  a conflict to look at, or something waits to be sent\n"
    "  7  partly done\n");

// No default: whoever adds a code says here what it means to a script and to a person.
ExitCode ExitCodeOf(Code code) {
  switch (code) {
    case Code::kConflict:
    case Code::kRekeyRequired:
    case Code::kStaleRoster:
    case Code::kFrozen:
      return ExitCode::kWaiting;
    case Code::kRateLimited:
    case Code::kStale:
    case Code::kResourceExhausted:
    case Code::kUnavailable:
    case Code::kDeadline:
    case Code::kLogBehind:
      return ExitCode::kUnavailable;
    case Code::kLocked:
    case Code::kUnauthenticated:
    case Code::kPermissionDenied:
      return ExitCode::kNotAllowed;
    case Code::kDecrypt:
    case Code::kKeyMismatch:
    case Code::kSig:
    case Code::kEntryInvalid:
    case Code::kRosterInvalid:
    case Code::kRollback:
    case Code::kFork:
    case Code::kLogInconsistent:
    case Code::kNoInclusion:
    case Code::kDowngrade:
    case Code::kProof:
    case Code::kStateLost:
      return ExitCode::kRefused;
    case Code::kInvalidArgument:
      return ExitCode::kUsage;
    case Code::kUnsupported:
    case Code::kNotFound:
    case Code::kExists:
    case Code::kCancelled:
    case Code::kIo:
    case Code::kInternal:
      return ExitCode::kError;
  }
  return ExitCode::kError;
}

Literal NextStep(Code code) {
  switch (code) {
    case Code::kConflict:
    case Code::kRekeyRequired:
    case Code::kStaleRoster:
      return Literal("Somebody else was faster. Run `godwit sync`, look at it, and do it again.");
    case Code::kFrozen:
      return Literal(
          "This is frozen here since the service showed two pasts. Do not work around it: tell "
          "an owner; `godwit evidence list` says what is kept.");
    case Code::kRateLimited:
      return Literal("Too many requests. Wait as long as it says, then try again.");
    case Code::kLocked:
      return Literal("Ask an admin: too many wrong tries have locked this.");
    case Code::kDecrypt:
      return Literal(
          "It was changed, or is not for you. Do not try again blindly: tell a colleague.");
    case Code::kKeyMismatch:
    case Code::kSig:
    case Code::kEntryInvalid:
    case Code::kRosterInvalid:
    case Code::kProof:
      return Literal(
          "Nothing of it was taken; `godwit evidence list` shows what is kept of it. Tell an "
          "owner, by another way than this service.");
    case Code::kRollback:
    case Code::kFork:
    case Code::kLogInconsistent:
    case Code::kNoInclusion:
      return Literal(
          "The service does not show what it showed before. Tell an owner, by another way than "
          "this service; `godwit evidence list` says what is kept.");
    case Code::kStale:
      return Literal("Wait for a fresh time stamp, then try again.");
    case Code::kDowngrade:
      return Literal("It is weaker than this organisation allows. Tell an admin.");
    case Code::kUnsupported:
      return Literal("This Godwit does not know that. A newer one may.");
    case Code::kStateLost:
      return Literal(
          "What lies on this device is damaged or was put back. Nothing was changed. Ask an "
          "admin to remove you and to invite you again.");
    case Code::kLogBehind:
      return Literal("The service was restored from a backup. Tell an admin, and try again later.");
    case Code::kInvalidArgument:
      return Literal("See --help of this command for its form and examples.");
    case Code::kNotFound:
      return Literal("Run `godwit sync`, and check how it is written.");
    case Code::kUnauthenticated:
      return Literal(
          "Check the passphrase; if this device was revoked, ask an admin for an invitation.");
    case Code::kPermissionDenied:
      return Literal("`godwit whoami` shows your roles; an admin can tell who may do this.");
    case Code::kExists:
      return Literal("Nothing was changed. Choose another name, or use what is there.");
    case Code::kResourceExhausted:
      return Literal(
          "A limit is reached (a full disk, a busy service, `ulimit -l`). Try again later.");
    case Code::kUnavailable:
      return Literal("Check the network; what is on this device can be read with --offline.");
    case Code::kDeadline:
      return Literal("It took too long. Try again; another godwit command may still be at work.");
    case Code::kCancelled:
      return Literal("Nothing more was done.");
    case Code::kIo:
      return Literal("Check the path, its permissions and the space on the disk.");
    case Code::kInternal:
      return Literal(
          "This is a bug of Godwit or of the service: please report the command and the code.");
  }
  return Literal(
      "This is a bug of Godwit or of the service: please report the command and the code.");
}

std::string WhyText(const base::Error& why) {
  if (LanguageInUse().empty() || IsTranslated(why.message())) return LookUp(why.message());
  // TRANSLATORS: {0} says what happened, in your language; {1} is more on it, in English.
  return Translated("{0}; in English: {1}", LookUp(WhatHappened(why.code()).text()), why.message());
}

}  // namespace godwit::cli
