#pragma once

#include <cstdint>
#include <string_view>

#include "client/print/document.h"
#include "client/transitions.h"

namespace godwit::cli {

// The letter by which somebody outside learns of a referral or transfer: what they are asked for,
// and what the person agreed that they are told, no more. `from`: who writes. `today`: days since
// 1970-01-01 UTC.
print::Document ReferralLetter(const client::SharedCase& shared, std::string_view from,
                               std::uint32_t today);

}  // namespace godwit::cli
