#pragma once

#include <filesystem>
#include <optional>

namespace godwit::support {

// Returns the folder with the test vectors and data sets, which GODWIT_SHARED names. Without it the
// running test is marked skipped, or failed where CI=true, and the caller returns at once:
//
//   const auto shared = support::SharedFolder();
//   if (!shared) return;
std::optional<std::filesystem::path> SharedFolder();

}  // namespace godwit::support
