#pragma once

#include <string>
#include <vector>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit export`: one case of one's own, all that this person reads of it, as a JSON file.
struct ExportOptions {
  std::vector<std::string> codes;  // of which there must be one
  std::string out;
  bool offline = false;
};
ExitCode ExportCase(const Context& context, const ExportOptions& options);

}  // namespace godwit::cli
