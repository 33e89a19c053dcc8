#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include "base/result.h"

namespace godwit::server {

// The one place where a code becomes a status of gRPC.
grpc::Status ToGrpc(const base::Error& error);

// ToGrpc, or OK; puts the name of the code into the trailers of `context` (transport/wire.h).
grpc::Status Answer(grpc::CallbackServerContext& context, const base::Status& status);

}  // namespace godwit::server
