#pragma once

#include <cstdint>

namespace godwit::protocol {

// What nobody approved for so long is not what they would approve today: older statements are
// refused by client and server (docs/protocol.md section 4).
inline constexpr std::uint64_t kApprovableMs = 30ull * 86'400'000;

}  // namespace godwit::protocol
