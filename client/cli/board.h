#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "client/board.h"
#include "client/cli/session.h"

namespace godwit::cli {

// `godwit board`.
struct BoardOptions {
  client::BoardFilter filter;
  std::vector<std::string> sort;  // fields, with a minus before those that descend
  std::size_t limit = 0;          // lines shown; 0: all
  std::string export_to;          // a file of codes instead of a screen
  bool offline = false;
  bool watch = false;  // goes on until it is interrupted
};
ExitCode BoardShow(const Context& context, const BoardOptions& options);

}  // namespace godwit::cli
