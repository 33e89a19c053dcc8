#pragma once

#include <string>
#include <vector>

#include "client/board.h"

namespace godwit::cli {

// The lines of a board as a spreadsheet of codes: CSV as RFC 4180 has it, UTF-8 with a byte order
// mark, a header and a row a case. Colleagues are their handles; nobody else is in it. A cell that
// a spreadsheet would take for a formula begins with an apostrophe.
std::string BoardSheet(const std::vector<client::BoardLine>& lines);

}  // namespace godwit::cli
