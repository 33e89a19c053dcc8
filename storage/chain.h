#pragma once

#include <cstdint>

#include "base/id.h"

namespace godwit::storage {

// The last link of a chain, the roster's or a vault's.
struct ChainHead {
  std::uint64_t seq = 0;
  base::Link link;

  friend bool operator==(const ChainHead&, const ChainHead&) = default;
};

// H("chain", realm | vault, or 16 zero bytes for the roster): what leaves of the log name a chain
// by (docs/protocol.md section 7).
using ChainTag = base::FixedBytes<struct ChainTagTag, 32>;

}  // namespace godwit::storage
