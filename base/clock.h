#pragma once

#include <chrono>
#include <cstdint>

namespace godwit::base {

// Where a program learns the time, so that tests can set it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;

  // Milliseconds since 1970-01-01 UTC, by the device's clock: for people, never for order.
  virtual std::uint64_t NowMs() const = 0;
  // Never goes back; for deadlines.
  virtual std::chrono::steady_clock::time_point Steady() const = 0;
};

// The machine's clock.
const Clock& SystemClock();

}  // namespace godwit::base
