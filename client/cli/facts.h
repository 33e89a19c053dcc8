#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/cases.h"

namespace godwit::cli {

// Reads "path=value", with spaces around either allowed. INVALID_ARGUMENT: no "=" or no path.
base::Result<client::Change> ReadChange(std::string_view text);

// Reads lines "path = value" from a file, or from stdin if `path` is "-"; empty lines and those
// that begin with "#" are passed over. NOT_FOUND, IO: the file; INVALID_ARGUMENT: a line that is
// none, or more than 64 KiB.
base::Result<std::vector<client::Change>> ReadChanges(const std::string& path);

// Those of a command's arguments, then those of its file; empty: none.
base::Result<std::vector<client::Change>> ReadFacts(const std::vector<std::string>& facts,
                                                    const std::string& from);

// The text of a whole file, or stdin, of at most 64 KiB; an end of line at its end is not part.
base::Result<std::string> ReadText(const std::string& path);

// Whether a fact may stand on a command line, which other users of this machine and the shell's
// history can see: codes about a case may, what identifies or harms a person may not.
bool MayBeArgument(std::string_view path);

// Fills in a new case. INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED: as client::Target says of
// the first change that is wrong.
base::Status FillIn(const std::vector<client::Change>& changes, client::NewCase& new_case);

}  // namespace godwit::cli
