#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit member join` and `godwit device join`.
struct JoinOptions {
  std::optional<int> invitation_fd;  // else the terminal, or stdin
  std::chrono::minutes wait{30};     // for the inviter
};
// `kind`: protocol::kOfferMember or kOfferDevice, which the invitations must be of. Nobody links
// another device by reading a code: whoever joins gets keys of their own, and gives none away.
ExitCode Join(const Context& context, const JoinOptions& options, std::uint8_t kind);

}  // namespace godwit::cli
