#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace godwit::support {

// "ok", or the name of the code: what a test compares and a failure prints.
template <class T>
std::string CodeOf(const base::Result<T>& result) {
  return result ? "ok" : std::string(base::Name(result.error().code()));
}

}  // namespace godwit::support
