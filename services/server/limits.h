#pragma once

#include <chrono>

namespace godwit::server {

// How long calls may take, whatever their callers say.
struct CallLimits {
  std::chrono::milliseconds wait{30'000};     // for a worker
  std::chrono::milliseconds stream{900'000};  // from its arrival to its last message
};

// How long a connection lives before its caller is told to make a new one, by default: so that all
// callers come to see a renewed certificate.
inline constexpr std::chrono::milliseconds kConnectionAge{50 * 60'000};

}  // namespace godwit::server
