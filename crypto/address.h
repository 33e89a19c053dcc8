#pragma once

#include <cstdint>
#include <span>

namespace godwit::crypto {

// Returns where `bytes` begin, and for no bytes the address of a byte that nobody reads: libsodium
// declares pointers nonnull also where a length of zero leaves them unused.
inline const std::uint8_t* Address(std::span<const std::uint8_t> bytes) {
  static constexpr std::uint8_t kNothing = 0;
  return bytes.empty() ? &kNothing : bytes.data();
}

}  // namespace godwit::crypto
