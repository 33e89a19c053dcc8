#include "services/server/status.h"

#include <string>

#include "transport/wire.h"

namespace godwit::server {
namespace {

grpc::StatusCode StatusOf(base::Code code) {
  using base::Code;
  using grpc::StatusCode;
  switch (code) {
    case Code::kConflict:
    case Code::kRekeyRequired:
    case Code::kStaleRoster:
    case Code::kFrozen:
      return StatusCode::ABORTED;
    case Code::kRateLimited:
    case Code::kLocked:
    case Code::kResourceExhausted:
      return StatusCode::RESOURCE_EXHAUSTED;
    case Code::kSig:
    case Code::kInvalidArgument:
      return StatusCode::INVALID_ARGUMENT;
    case Code::kDecrypt:
    case Code::kKeyMismatch:
    case Code::kEntryInvalid:
    case Code::kRosterInvalid:
    case Code::kRollback:
    case Code::kFork:
    case Code::kLogInconsistent:
    case Code::kNoInclusion:
    case Code::kStale:
    case Code::kDowngrade:
    case Code::kUnsupported:
    case Code::kProof:
    case Code::kStateLost:
    case Code::kLogBehind:
      return StatusCode::FAILED_PRECONDITION;
    case Code::kNotFound:
      return StatusCode::NOT_FOUND;
    case Code::kUnauthenticated:
      return StatusCode::UNAUTHENTICATED;
    case Code::kPermissionDenied:
      return StatusCode::PERMISSION_DENIED;
    case Code::kExists:
      return StatusCode::ALREADY_EXISTS;
    case Code::kUnavailable:
      return StatusCode::UNAVAILABLE;
    case Code::kDeadline:
      return StatusCode::DEADLINE_EXCEEDED;
    case Code::kCancelled:
      return StatusCode::CANCELLED;
    case Code::kIo:
    case Code::kInternal:
      return StatusCode::INTERNAL;
  }
  return StatusCode::INTERNAL;
}

}  // namespace

grpc::Status ToGrpc(const base::Error& error) {
  return {StatusOf(error.code()), std::string(error.message())};
}

grpc::Status Answer(grpc::CallbackServerContext& context, const base::Status& status) {
  if (status) return grpc::Status::OK;
  context.AddTrailingMetadata(transport::kCodeKey, std::string(base::Name(status.error().code())));
  return ToGrpc(status.error());
}

}  // namespace godwit::server
