#include "transport/jitter.h"

#include <cstdint>

#include "crypto/secret.h"

namespace godwit::transport {

std::chrono::milliseconds Jittered(std::chrono::milliseconds wait) {
  std::uint8_t random = 0;
  crypto::FillRandom({&random, 1});
  return wait / 2 + wait * random / 512;
}

}  // namespace godwit::transport
