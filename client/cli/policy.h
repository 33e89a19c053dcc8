#pragma once

#include <string>
#include <vector>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit policy show`.
struct PolicyShowOptions {
  std::string realm;  // empty: all
};
ExitCode PolicyShow(const Context& context, const PolicyShowOptions& options);

// `godwit policy set`.
struct PolicySetOptions {
  std::string realm;                // empty: all
  std::vector<std::string> fields;  // NAME=VALUE
};
ExitCode PolicySetCommand(const Context& context, const PolicySetOptions& options);

}  // namespace godwit::cli
