#pragma once

#include <cstddef>
#include <string>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit board`.
struct BoardOptions {
  std::string stage;      // its short name; empty: all
  bool overdue = false;   // nothing else
  std::size_t limit = 0;  // lines shown; 0: all
  bool offline = false;
};
ExitCode BoardShow(const Context& context, const BoardOptions& options);

}  // namespace godwit::cli
