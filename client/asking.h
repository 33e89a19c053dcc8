#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/cases.h"
#include "client/organisation.h"
#include "client/outbox.h"

namespace godwit::client {

// Reading the person of a case as its supervisor, who manages the person without reading them: one
// asks, with a reason and for so many hours, and another member of the person's vault assents. From
// then on, for those hours, the service serves the content; both acts stay in the chain. Needs the
// network.

// Asks, as the supervisor. INVALID_ARGUMENT: no hours from 1 to 72. PERMISSION_DENIED: this person
// reads the person anyway, or does not manage them.
base::Result<Written> AskIdentity(Organisation& organisation, std::string_view code,
                                  std::uint16_t hours, std::uint16_t reason);

struct IdentityAsk {
  base::MemberId member;
  std::string name;
  std::uint16_t hours = 0;
  std::uint16_t reason = 0;
  bool assented = false;
  bool refused = false;
};
// Who asked to read the person of a case, the last ASK of each.
base::Result<std::vector<IdentityAsk>> IdentityAsks(Organisation& organisation,
                                                    std::string_view code);

// Answers the asks of others that nobody answered. How many there were. NOT_FOUND: none.
base::Result<std::size_t> AnswerIdentityAsks(Organisation& organisation, std::string_view code,
                                             bool yes);

// The person, as they are served for an ASK: read in memory, nothing of it kept on this device.
// PERMISSION_DENIED: nobody assented, or the time is over.
base::Result<PersonFile> ReadAskedIdentity(Organisation& organisation, std::string_view code);

}  // namespace godwit::client
