#pragma once

namespace godwit::client {

// Two writers and a revoker at one vault, `rounds` times in an organisation of its own: in each
// round both write a note while a member's device is revoked, which makes the epoch stale, and that
// member's other device makes a new PUK, which makes it stale once more. Afterwards the stored
// chain is judged: every note that a writer was told to be written is there exactly once, and every
// revision is under an epoch that was fresh at the roster it cites and where it was let in.
void RaceWriters(int rounds);

}  // namespace godwit::client
