#pragma once

#include <string>
#include <vector>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit partner add|edit|strike|list`: whom the organisation works with, and what it agreed with
// them to tell.
struct PartnerOptions {
  std::string id;
  std::vector<std::string> facts;
  std::string from;
  bool offline = false;
  bool all = false;  // those struck, too
};
ExitCode PartnerAdd(const Context& context, const PartnerOptions& options);
ExitCode PartnerEdit(const Context& context, const PartnerOptions& options);
ExitCode PartnerStrike(const Context& context, const PartnerOptions& options);
ExitCode PartnerList(const Context& context, const PartnerOptions& options);

}  // namespace godwit::cli
