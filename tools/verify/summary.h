#pragma once

#include <ostream>
#include <string_view>

#include "base/code.h"
#include "protocol/roster.h"
#include "protocol/vault.h"

namespace godwit::verify {

// What verified chains say, for people. No text that stands in a chain is printed, numbers and
// names of ours alone, so that no file can steer a terminal. Neither chain may be empty.
void PrintRoster(const protocol::Roster& roster, std::ostream& out);
void PrintVault(const protocol::Vault& vault, const protocol::Roster& roster, std::ostream& out);

// What to do about a chain that `code` speaks against.
std::string_view AdviceOn(base::Code code);

}  // namespace godwit::verify
