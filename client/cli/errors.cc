#include "client/cli/errors.h"

namespace godwit::cli {

using base::Code;

const std::string_view kExitCodesHelp =
    "Exit codes:\n"
    "  0  done\n"
    "  1  failed\n"
    "  2  the command line or the input has the wrong form\n"
    "  3  offline, or the service is busy: try again later\n"
    "  4  not yours to do, or locked\n"
    "  5  refused: what was shown cannot be trusted\n"
    "  6  a conflict to look at, or something waits to be sent\n"
    "  7  partly done\n";

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

std::string_view NextStep(Code code) {
  switch (code) {
    case Code::kConflict:
    case Code::kRekeyRequired:
    case Code::kStaleRoster:
      return "Somebody else was faster. Run `godwit sync`, look at it, and do it again.";
    case Code::kFrozen:
      return "This is frozen here since the service showed two pasts. Do not work around it: tell "
             "an owner; `godwit evidence list` says what is kept.";
    case Code::kRateLimited:
      return "Too many requests. Wait as long as it says, then try again.";
    case Code::kLocked:
      return "Ask an admin: too many wrong tries have locked this.";
    case Code::kDecrypt:
      return "It was changed, or is not for you. Do not try again blindly: tell a colleague.";
    case Code::kKeyMismatch:
    case Code::kSig:
    case Code::kEntryInvalid:
    case Code::kRosterInvalid:
    case Code::kProof:
      return "Nothing of it was taken; `godwit evidence list` shows what is kept of it. Tell an "
             "owner, by another way than this service.";
    case Code::kRollback:
    case Code::kFork:
    case Code::kLogInconsistent:
    case Code::kNoInclusion:
      return "The service does not show what it showed before. Tell an owner, by another way than "
             "this service; `godwit evidence list` says what is kept.";
    case Code::kStale:
      return "Wait for a fresh time stamp, then try again.";
    case Code::kDowngrade:
      return "It is weaker than this organisation allows. Tell an admin.";
    case Code::kUnsupported:
      return "This Godwit does not know that. A newer one may.";
    case Code::kStateLost:
      return "What lies on this device is damaged or was put back. Nothing was changed. Ask an "
             "admin to remove you and to invite you again.";
    case Code::kLogBehind:
      return "The service was restored from a backup. Tell an admin, and try again later.";
    case Code::kInvalidArgument:
      return "See --help of this command for its form and examples.";
    case Code::kNotFound:
      return "Run `godwit sync`, and check how it is written.";
    case Code::kUnauthenticated:
      return "Check the passphrase; if this device was revoked, ask an admin for an invitation.";
    case Code::kPermissionDenied:
      return "`godwit whoami` shows your roles; an admin can tell who may do this.";
    case Code::kExists:
      return "Nothing was changed. Choose another name, or use what is there.";
    case Code::kResourceExhausted:
      return "A limit is reached (a full disk, a busy service, `ulimit -l`). Try again later.";
    case Code::kUnavailable:
      return "Check the network; what is on this device can be read with --offline.";
    case Code::kDeadline:
      return "It took too long. Try again; another godwit command may still be at work.";
    case Code::kCancelled:
      return "Nothing more was done.";
    case Code::kIo:
      return "Check the path, its permissions and the space on the disk.";
    case Code::kInternal:
      return "This is a bug of Godwit or of the service: please report the command and the code.";
  }
  return "";
}

}  // namespace godwit::cli
