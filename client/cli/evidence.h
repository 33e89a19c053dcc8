#pragma once

#include <string>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit evidence list`: what this device kept against services and colleagues.
ExitCode EvidenceList(const Context& context);

// `godwit evidence export`.
struct EvidenceExportOptions {
  std::string dir;
};
ExitCode EvidenceExport(const Context& context, const EvidenceExportOptions& options);

}  // namespace godwit::cli
