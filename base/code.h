#pragma once

#include <optional>
#include <string_view>

namespace godwit::base {

// What went wrong: the table of docs/protocol.md section 8, then what any program needs.
enum class Code {
  // Normal races: sync, redo.
  kConflict,
  kRekeyRequired,
  kStaleRoster,
  kFrozen,
  // Quotas and the key service: show, no silent retry.
  kRateLimited,
  kLocked,
  // Tampering or a bug: refuse, alarm, keep evidence.
  kDecrypt,
  kKeyMismatch,
  kSig,
  kEntryInvalid,
  kRosterInvalid,
  // Misbehaviour of a server: freeze, keep evidence.
  kRollback,
  kFork,
  kLogInconsistent,
  kNoInclusion,
  // No fresh witness time.
  kStale,
  // Suite, KDF or version below the floor, or unknown.
  kDowngrade,
  kUnsupported,
  kProof,
  // A restore, of this device or of the server.
  kStateLost,
  kLogBehind,
  // Any program.
  kInvalidArgument,    // the caller's input has the wrong form
  kNotFound,           // no such thing, or none that this caller may know of
  kUnauthenticated,    // no live session
  kPermissionDenied,   // a known caller may not do this
  kExists,             // what should be made is there already
  kResourceExhausted,  // a queue, a quota or a disk is full
  kUnavailable,        // the other side cannot be reached, or is not ready: try again
  kDeadline,           // the time given was not enough
  kCancelled,          // the caller gave up
  kIo,                 // a file or device failed
  kInternal,           // a bug
};

// Returns the name of `code` as the wire and the command line show it: "E_DECRYPT", "CONFLICT".
std::string_view Name(Code code);
// The code of that name, or nothing.
std::optional<Code> CodeByName(std::string_view name);

}  // namespace godwit::base
