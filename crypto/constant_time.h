#pragma once

#include "base/bytes.h"

namespace godwit::crypto {

// Whether `a` and `b` are equal, in a time that depends on their lengths alone. Different lengths
// are unequal.
[[nodiscard]] bool ConstantTimeEqual(base::ByteSpan a, base::ByteSpan b);

}  // namespace godwit::crypto
