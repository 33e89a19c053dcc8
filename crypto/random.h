#pragma once

#include "base/id.h"
#include "crypto/secret.h"

namespace godwit::crypto {

// Returns a random id, never zero.
template <class Id>
Id RandomId() {
  std::array<std::uint8_t, Id::kSize> bytes;
  FillRandom(bytes);
  return Id(bytes);
}

}  // namespace godwit::crypto
