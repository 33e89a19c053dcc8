#pragma once

#include <chrono>

namespace godwit::transport {

// Half of `wait` and a random part of the other half, so that clients that failed together do not
// come back together.
std::chrono::milliseconds Jittered(std::chrono::milliseconds wait);

}  // namespace godwit::transport
