#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/result.h"

namespace godwit::crypto {

// Makes the library ready: every program calls it first in main. Switches core files off for this
// process and makes it undumpable, so that no key reaches a disk. Safe to call again.
// INTERNAL: core files cannot be switched off, libsodium does not start, or its random generator
// repeats itself.
base::Status Init();

namespace internal {
// Whether two draws of 32 bytes differ, and neither is one byte over and over: what Init asks of
// the system's generator.
using Generator = std::function<void(std::span<std::uint8_t>)>;
[[nodiscard]] bool LooksRandom(const Generator& generator);
}  // namespace internal

}  // namespace godwit::crypto
