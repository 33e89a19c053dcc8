#pragma once

#include <string>
#include <vector>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit approve`.
struct ApproveOptions {
  std::vector<std::string> links;  // beginnings of links, or "all"; none: list what waits
  bool close = false;              // end them without effect instead
};
ExitCode ApproveCommand(const Context& context, const ApproveOptions& options);

}  // namespace godwit::cli
