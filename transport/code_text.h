#pragma once

#include "base/code.h"
#include "base/result.h"

namespace godwit::transport {

// What this side says of a failure that the other side names by its code alone: no text of a
// server's reaches a person.
base::Error ErrorOf(base::Code code);

}  // namespace godwit::transport
