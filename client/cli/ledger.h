#pragma once

#include <string>

#include "client/cli/session.h"

namespace godwit::cli {

// The ledger vaults of the identity and the cases realm, which an import plans in. The first intake
// member makes them, an owner names them in each realm's policy, and an intake member lists others.

// `godwit org ledger`: how far that is, and who does what next.
ExitCode LedgerShow(const Context& context);
// `godwit org ledger make`: makes both vaults, or says again which ones this member made.
ExitCode LedgerMake(const Context& context);
// `godwit org ledger name IDENTITY_VAULT CASES_VAULT`.
struct LedgerNameOptions {
  std::string identity_vault;
  std::string cases_vault;
};
ExitCode LedgerName(const Context& context, const LedgerNameOptions& options);
// `godwit org ledger admit HANDLE`: lists another intake member.
ExitCode LedgerAdmit(const Context& context, const std::string& handle);

}  // namespace godwit::cli
