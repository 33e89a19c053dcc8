#pragma once

namespace godwit::realm {

// Revoke against write, `rounds` times, by two replicas at once: whatever a device wrote was
// admitted before its revocation, in the order of the log, and no entry cites a roster older than
// the one before it. Fails the running test otherwise.
void RaceRevocations(int rounds);

}  // namespace godwit::realm
