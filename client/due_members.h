#pragma once

#include <cstddef>
#include <map>

#include "base/id.h"
#include "protocol/kinds.h"
#include "protocol/roster.h"
#include "protocol/vault.h"

namespace godwit::client {

// What clients see to in the list of a vault (docs/protocol.md section 5, last column of the kinds
// table), as of the roster's head.

// Who is to be listed in every vault of `kind`, and with what: those of its roles who have a key
// for boxes; a newcomer comes once there is one. Nobody for the kinds whose people are chosen one
// by one: a person, a family, a case's sensitive part, reports, audit and ledger.
std::map<base::MemberId, protocol::Perm> DueMembers(const protocol::Roster& roster,
                                                    protocol::Kind kind);

// Whether vaults of `kind` hold what an organisation works with (kinds 6 to 18): these should have
// two managers who can open them.
bool HoldsContent(protocol::Kind kind);

// How many of `list` manage and have a key.
std::size_t ManagersInReach(const protocol::MemberList& list);

// Whether one of them is a guard of the kind.
bool HasGuardInReach(const protocol::MemberList& list, protocol::Kind kind,
                     const protocol::Roster& roster);

}  // namespace godwit::client
