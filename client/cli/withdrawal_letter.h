#pragma once

#include <cstdint>
#include <string_view>

#include "client/print/document.h"
#include "client/withdrawal.h"

namespace godwit::cli {

// The letter to somebody who took their consent back: when that was recorded, that nothing new is
// told to anybody, and all that was shared before: with whom, which fields, and what the receiver
// is asked now. It has neither the person's name nor what the fields say. `from`: who writes.
// `today`: days since 1970-01-01 UTC.
print::Document WithdrawalLetter(const client::Withdrawal& withdrawal, std::string_view from,
                                 std::uint32_t today);

}  // namespace godwit::cli
