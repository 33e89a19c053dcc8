#pragma once

#include <cstdint>

#include "base/clock.h"

namespace godwit::client {

// Today by this device's clock, in days since 1970-01-01 UTC.
inline std::uint32_t DayNow() {
  return static_cast<std::uint32_t>(base::SystemClock().NowMs() / 86'400'000);
}

}  // namespace godwit::client
