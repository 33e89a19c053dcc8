#include "transport/code_text.h"

namespace godwit::transport {

base::Error ErrorOf(base::Code code) {
  using base::Code;
  switch (code) {
    case Code::kConflict:
      return {code, "somebody else wrote first: sync and try again"};
    case Code::kRekeyRequired:
      return {code, "the vault's members have changed: sync and write a new epoch first"};
    case Code::kStaleRoster:
      return {code, "the roster has moved on: sync and try again"};
    case Code::kFrozen:
      return {code, "the vault is frozen"};
    case Code::kRateLimited:
      return {code, "the day's quota of this member is used up: try again tomorrow"};
    case Code::kLocked:
      return {code, "the key service has locked this device out for a time"};
    case Code::kDecrypt:
      return {code, "the service says that something does not open"};
    case Code::kKeyMismatch:
      return {code, "the service says that a key is not the one that was announced"};
    case Code::kSig:
      return {code, "the service refuses the form or the signature of what was sent"};
    case Code::kEntryInvalid:
      return {code, "the service refuses an entry against the rules"};
    case Code::kRosterInvalid:
      return {code, "the service refuses a statement against the rules"};
    case Code::kRollback:
      return {code, "the service says that something older replaced something newer"};
    case Code::kFork:
      return {code, "the service has another history than this device"};
    case Code::kLogInconsistent:
      return {code, "the service says that its log is inconsistent"};
    case Code::kNoInclusion:
      return {code, "the service says that its log lacks an entry"};
    case Code::kStale:
      return {code, "the service has no fresh witness time"};
    case Code::kDowngrade:
      return {code, "the service refuses a suite below the realm's policy"};
    case Code::kUnsupported:
      return {code, "the service does not know what was sent"};
    case Code::kProof:
      return {code, "a proof is wrong"};
    case Code::kStateLost:
      return {code, "the service lost its state"};
    case Code::kLogBehind:
      return {code, "the service was restored from an older copy and takes no writes yet"};
    case Code::kInvalidArgument:
      return {code, "the service refuses the form of the request"};
    case Code::kNotFound:
      return {code, "there is no such thing, or it is not for this member to see"};
    case Code::kUnauthenticated:
      return {code, "the service knows no live session of this device"};
    case Code::kPermissionDenied:
      return {code, "this member may not do that"};
    case Code::kExists:
      return {code, "it is there already"};
    case Code::kResourceExhausted:
      return {code, "the service is busy, or the request is too long: try again later"};
    case Code::kUnavailable:
      return {code, "the service cannot be reached: check the address and the network"};
    case Code::kDeadline:
      return {code, "the service did not answer in time: try again"};
    case Code::kCancelled:
      return {code, "the call was given up"};
    case Code::kIo:
      return {code, "the service could not store or read"};
    case Code::kInternal:
      return {code, "the service failed: its operator should look into its log"};
  }
  return {Code::kInternal, "the service failed: its operator should look into its log"};
}

}  // namespace godwit::transport
