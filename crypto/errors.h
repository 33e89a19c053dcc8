#pragma once

#include "base/result.h"

namespace godwit::crypto {

// The one answer to everything that does not open. Whoever sends altered bytes and watches must not
// learn which check they fell at (Albrecht, Haller, Mareková, Paterson, "Caveat Implementor! Key
// Recovery Attacks on MEGA", EUROCRYPT 2023).
inline constexpr base::Error kDecryptError{
    base::Code::kDecrypt, "does not open: altered, or sealed for another key or place"};

}  // namespace godwit::crypto
