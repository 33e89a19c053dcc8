#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/organisation.h"
#include "protocol/kinds.h"

namespace godwit::client {

// What became of one realm's part of a change of roles.
struct RoleOutcome {
  enum class State {
    kInEffect,     // the roles there are as asked
    kWaits,        // for `missing` signatures
    kAfterOthers,  // not asked for yet: it does not go together with a role whose end waits
    kInvite,       // the person is no member there yet and must be invited
  };
  protocol::Compartment compartment = protocol::Compartment::kIdentity;
  protocol::Roles roles = 0;  // as asked; 0: no member there any more
  State state = State::kInEffect;
  std::uint64_t missing = 0;
};

// Gives the person with `handle` the set of `roles` over all realms, and no other: ROLE_SET where
// they change, MEMBER_REMOVE where none is left; what takes roles away comes first, and what gives
// some is checked, as it then stands, against the staff vault, whose record is written before.
// Where all is in effect, the lists of directory, config and staff are brought up to date. Returns
// a row for each realm concerned; run again it goes on.
// Whoever names themselves may drop roles as long as one is left in each realm, and needs nobody.
// INVALID_ARGUMENT: no roles, or none that exist. NOT_FOUND: nobody has the handle.
// PERMISSION_DENIED: roles that do not go together, more roles for oneself, or not an owner or
// admin. CONFLICT: another change of the person's roles waits.
base::Result<std::vector<RoleOutcome>> SetRoles(Organisation& organisation,
                                                const std::string& handle, protocol::Roles roles);

}  // namespace godwit::client
