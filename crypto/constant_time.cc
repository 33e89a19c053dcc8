#include "crypto/constant_time.h"

#include <sodium.h>

namespace godwit::crypto {

bool ConstantTimeEqual(base::ByteSpan a, base::ByteSpan b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace godwit::crypto
