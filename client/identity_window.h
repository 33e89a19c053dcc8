#pragma once

#include <cstdint>

#include "client/realm.h"

namespace godwit::client {

// When people's vaults are asked for and written (docs/protocol.md section 3): where the policy of
// an identity realm names a period, once in each, in a window of a 24th of it that begins at the
// same time for everybody, and at no other. Outside it the device reads what it has, and what is
// written waits in the outbox; inside, what waits goes in a random order. So the order of arrival
// says less about which case a person belongs to.

// Whether a window of `period_s` is open: periods are counted from 1970-01-01 UTC, and begin later
// by an offset that the realm's fingerprint gives. A period of 0 is always open.
bool IsWindowOpen(std::uint32_t period_s, const base::Fingerprint& fingerprint,
                  std::uint64_t now_ms);

// The same for a realm now; every other realm than identity is always open, and so is a first sync.
bool IsWindowOpen(const Realm& realm);

}  // namespace godwit::client
