#pragma once

#include <nlohmann/json.hpp>

#include "protocol/roster.h"
#include "protocol/vault.h"

namespace godwit::verify {

// What verified chains say, as JSON for programs: ids, links and keys in lower-case hexadecimal,
// members and records by their ids, lists ascending. docs/operations.md lists the fields. Neither
// chain may be empty.

// The roster at its last statement.
nlohmann::json RosterState(const protocol::Roster& roster);

// The vault at its last entry; `fresh_at_head` alone looks at the last statement of `roster`, by
// which the vault was judged.
nlohmann::json VaultState(const protocol::Vault& vault, const protocol::Roster& roster);

}  // namespace godwit::verify
