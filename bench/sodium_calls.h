#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace godwit::bench {

// The calls of libsodium that cost: the linker leads each of them through a counter
// (bench/CMakeLists.txt), so that what a piece of work needs is counted and not guessed.
enum class SodiumCall : std::size_t {
  kSign,
  kVerify,
  kScalarMult,
  kScalarMultBase,
  kHmac,
  kChaChaSeal,
  kChaChaOpen,
  kXChaChaSeal,
  kXChaChaOpen,
};
inline constexpr std::size_t kSodiumCalls = 9;

struct SodiumCount {
  std::uint64_t calls = 0;
  std::uint64_t bytes = 0;  // of messages, associated data and plaintexts
};
using SodiumCounts = std::array<SodiumCount, kSodiumCalls>;

// All calls of this process so far, of all threads.
SodiumCounts CountsNow();
// What came between two such counts.
SodiumCounts Between(const SodiumCounts& before, const SodiumCounts& after);

// Seconds that these calls take by themselves: as many of each, over messages of the mean length,
// on as many threads as there are cores. What the calls need (keys, signatures, ciphertexts) is
// made before.
double SecondsOf(const SodiumCounts& counts);

}  // namespace godwit::bench
