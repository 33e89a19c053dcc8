#pragma once

#include <string>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit reconcile`.
struct ReconcileOptions {
  bool dry_run = false;       // the plan alone
  bool hide_history = false;  // newcomers read what is live, and no older revision
  std::string realm;          // identity, cases or journeys; empty: all
};
ExitCode ReconcileCommand(const Context& context, const ReconcileOptions& options);

// What a member may do in a vault, in words: "reads, writes and manages".
std::string_view PermText(protocol::Perm perm);

}  // namespace godwit::cli
