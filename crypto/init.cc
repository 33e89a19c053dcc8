#include "crypto/init.h"

#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>

#include "crypto/secret.h"

namespace godwit::crypto {

base::Status Init() {
  // First of all, before there is any secret: no core file, and no debugger of the same user.
  const rlimit no_core{0, 0};
  if (setrlimit(RLIMIT_CORE, &no_core) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return base::Error(base::Code::kInternal, "core files cannot be switched off");
  }
  if (sodium_init() < 0) return base::Error(base::Code::kInternal, "libsodium does not start");
  if (!internal::LooksRandom(FillRandom)) {
    return base::Error(base::Code::kInternal, "the random generator repeats itself");
  }
  return base::Status::Ok();
}

namespace internal {

bool LooksRandom(const Generator& generator) {
  std::array<std::uint8_t, 32> first{};
  std::array<std::uint8_t, 32> second{};
  generator(first);
  generator(second);
  const auto constant = [](const auto& draw) {
    return std::ranges::all_of(draw, [&](std::uint8_t byte) { return byte == draw[0]; });
  };
  // Each is true of a sound generator with a chance below 2^-247.
  return first != second && !constant(first) && !constant(second);
}

}  // namespace internal

}  // namespace godwit::crypto
