#pragma once

#include <cstdint>

#include "protocol/policy.h"

namespace godwit::protocol {

// A policy's extension, empty, that only GENESIS brings and nothing takes away: the organisation
// was made to practise in, with invented people. Such a one is an evaluation organisation, too.
inline constexpr std::uint16_t kPracticeExtension = 0x7072;

inline bool IsPractice(const Policy& policy) {
  return policy.extensions.contains(kPracticeExtension);
}

}  // namespace godwit::protocol
