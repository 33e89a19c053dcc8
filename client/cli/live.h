#pragma once

#include <functional>

#include "client/cli/session.h"

namespace godwit::cli {

// Where what a live command shows stands.
enum class Heard { kYes, kNotYet, kNo };

// What a command that goes on does.
struct Live {
  // Brings what it shows up to date and shows what changed.
  std::function<base::Status(Session& session)> refresh;
  // Says whether the service is heard, on what is shown already. `why` it is not.
  std::function<void(Heard heard, const base::Status& why)> say;
};

// Calls `live.refresh` whenever the service of `compartment` says that something changed, at most
// once a second, and every minute besides, whatever it says; until SIGINT or SIGTERM. Between the
// calls other commands may work in the profile. `kept` has that one's keys. An error that another
// try does not mend is returned; PERMISSION_DENIED: the profile was locked meanwhile.
base::Status StayLive(const Context& context, StandBy& kept, protocol::Compartment compartment,
                      const Live& live);

}  // namespace godwit::cli
