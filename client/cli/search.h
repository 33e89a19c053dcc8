#pragma once

#include <cstddef>
#include <string>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit search`. What is searched for is no argument, which others on this machine could see: it
// is typed at the terminal, or read from a file or stdin.
struct SearchOptions {
  std::string from;       // empty: asked for
  std::size_t limit = 0;  // of lines; 0: all
};
ExitCode SearchCommand(const Context& context, const SearchOptions& options);

}  // namespace godwit::cli
