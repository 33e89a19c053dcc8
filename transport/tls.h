#pragma once

#include "base/result.h"

namespace godwit::transport {

// Leaves TLS 1.3 as the only version of TLS in this process. To be called in main, before the first
// call of gRPC, which has no switch of its own for it; safe to call again. INTERNAL: OpenSSL does
// not take the configuration.
base::Status RequireTls13();

}  // namespace godwit::transport
