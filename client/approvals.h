#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "client/directory.h"
#include "client/organisation.h"
#include "client/staff.h"
#include "protocol/roster.h"

namespace godwit::client {

// A statement that waits for signatures, as this device's roster has it.
struct WaitingStatement {
  protocol::Compartment compartment = protocol::Compartment::kIdentity;
  protocol::Roster::Pending statement;
  std::uint64_t missing = 0;   // signatures
  bool signed_by_me = false;   // as its author or an approver
  bool expired = false;        // it waited for more than 30 days
  std::optional<Human> human;  // to whom a MEMBER_ADD or ROLE_SET grants, by the staff vault
  std::optional<base::Error> refusal;  // why this device signs no approval of it
};

// All that waits in the realms of this device, after their rosters and the staff vault were brought
// up to date. Each grant is checked against the staff vault: its commitment opens to one human, and
// the roles of that human over all realms, with the new ones, fit together.
base::Result<std::vector<WaitingStatement>> ListWaiting(Organisation& organisation,
                                                        std::uint64_t now_ms);

// Signs `waiting`, which ListWaiting returned, and returns how many signatures are missing yet.
// The error is its `refusal`, or says why the approval does not count.
base::Result<std::uint64_t> Approve(Organisation& organisation, const WaitingStatement& waiting);

// A colleague's name that waits for a second owner or admin.
struct WaitingName {
  protocol::Compartment compartment = protocol::Compartment::kIdentity;
  ProposedName name;
  bool written_by_me = false;
  std::optional<base::Error> refusal;  // why this device assents to it not
};
// All such names in realms where this member is owner or admin; after ListWaiting. A name is
// refused where the staff vault has another handle for the member.
base::Result<std::vector<WaitingName>> ListWaitingNames(Organisation& organisation);
// Assents to it. The error is its `refusal`, or says why it could not be written.
base::Status ApproveName(Organisation& organisation, const WaitingName& waiting);

// Ends `waiting` without effect.
base::Status GiveUp(Organisation& organisation, const WaitingStatement& waiting);

}  // namespace godwit::client
