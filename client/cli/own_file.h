#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "client/cli/session.h"

namespace godwit::cli {

// Writes what a person asked to have as a file: mode 0600, whole or not at all. EXISTS: there is
// one of that name, and --yes was not given. INVALID_ARGUMENT: it is no plain file. Else as
// client::ReplacePrivateFile.
base::Status SaveOwnFile(const Context& context, const std::string& path, std::string_view content);

}  // namespace godwit::cli
