#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit case who`.
struct CaseWhoOptions {
  std::string code;
  bool offline = false;
};
ExitCode CaseWho(const Context& context, const CaseWhoOptions& options);

// Ascending numbers as people write them: "1, 3 to 5".
std::string EpochsText(const std::vector<std::uint32_t>& epochs);

}  // namespace godwit::cli
