#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "client/organisation.h"

namespace godwit::client {

// After a transfer: what the receiver was given is theirs, and the sender keeps the case's status
// alone. Deletes every record but the pinned one in the parts of the case that this person reads
// and manages: who it is and what is sensitive by the caseworker, the screening by a coordinator.
// For good, on the service and on every device that syncs. Needs the service, and goes on where it
// was interrupted. `progress`: how many of how many are done.
struct Trimmed {
  std::size_t parts = 0;  // that this person reads and manages
  std::size_t records = 0;
  // The person's part waits for identity's window (client/identity_window.h), or the others for its
  // end: to be run again.
  bool later = false;
};
// PERMISSION_DENIED: the case was not transferred, or no part is this person's to delete; else as
// WriteEntry. UNAVAILABLE: something of a part waits in the outbox.
base::Result<Trimmed> TrimCase(Organisation& organisation, std::string_view code,
                               const std::function<void(std::size_t, std::size_t)>& progress);

}  // namespace godwit::client
