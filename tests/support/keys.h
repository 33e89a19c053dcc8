#pragma once

#include <cassert>

#include "base/bytes.h"
#include "crypto/secret.h"

namespace godwit::support {

// A key of a test: 32 bytes that are given, or random.
using Key = crypto::Secret<struct TestKeyTag, 32>;

inline Key KeyOf(base::ByteSpan bytes) {
  assert(bytes.size() == 32);
  return *Key::Copy(bytes.first<32>());
}
inline Key RandomKey() { return *Key::Random(); }

// The bytes of an opened text, to compare and print.
inline base::Bytes Plain(const crypto::SecretBytes& text) { return base::ToBytes(text.Expose()); }

}  // namespace godwit::support
