#include "base/code.h"

namespace godwit::base {

std::string_view Name(Code code) {
  switch (code) {
    case Code::kConflict:
      return "CONFLICT";
    case Code::kRekeyRequired:
      return "REKEY_REQUIRED";
    case Code::kStaleRoster:
      return "STALE_ROSTER";
    case Code::kFrozen:
      return "FROZEN";
    case Code::kRateLimited:
      return "RATE_LIMITED";
    case Code::kLocked:
      return "LOCKED";
    case Code::kDecrypt:
      return "E_DECRYPT";
    case Code::kKeyMismatch:
      return "E_KEY_MISMATCH";
    case Code::kSig:
      return "E_SIG";
    case Code::kEntryInvalid:
      return "E_ENTRY_INVALID";
    case Code::kRosterInvalid:
      return "E_ROSTER_INVALID";
    case Code::kRollback:
      return "E_ROLLBACK";
    case Code::kFork:
      return "E_FORK";
    case Code::kLogInconsistent:
      return "E_LOG_INCONSISTENT";
    case Code::kNoInclusion:
      return "E_NO_INCLUSION";
    case Code::kStale:
      return "E_STALE";
    case Code::kDowngrade:
      return "E_DOWNGRADE";
    case Code::kUnsupported:
      return "E_UNSUPPORTED";
    case Code::kProof:
      return "E_PROOF";
    case Code::kStateLost:
      return "E_STATE_LOST";
    case Code::kLogBehind:
      return "LOG_BEHIND";
    case Code::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case Code::kNotFound:
      return "NOT_FOUND";
    case Code::kUnauthenticated:
      return "UNAUTHENTICATED";
    case Code::kPermissionDenied:
      return "PERMISSION_DENIED";
    case Code::kExists:
      return "EXISTS";
    case Code::kResourceExhausted:
      return "RESOURCE_EXHAUSTED";
    case Code::kUnavailable:
      return "UNAVAILABLE";
    case Code::kDeadline:
      return "DEADLINE";
    case Code::kCancelled:
      return "CANCELLED";
    case Code::kIo:
      return "IO";
    case Code::kInternal:
      return "INTERNAL";
  }
  return "INTERNAL";
}

std::optional<Code> CodeByName(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Code::kInternal); ++i) {
    if (Name(static_cast<Code>(i)) == name) return static_cast<Code>(i);
  }
  return std::nullopt;
}

}  // namespace godwit::base
