#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace godwit::client {

// A new case code: 10 random digits of Crockford's base 32 and its check symbol: it holds no
// country, agency or year. Shown in groups: "7K3M-Q9TX-2A*".
std::string NewCaseCode();
// The canonical form of a code as people type it (lower case, o for 0, i and l for 1, no dashes),
// or nothing if its check symbol is wrong.
std::optional<std::string> CanonicalCaseCode(std::string_view typed);
// The same. INVALID_ARGUMENT: this is no case code.
base::Result<std::string> ReadCaseCode(std::string_view typed);

}  // namespace godwit::client
