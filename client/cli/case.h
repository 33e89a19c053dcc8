#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/cases.h"
#include "client/cli/session.h"

namespace godwit::cli {

// `godwit case open`.
struct CaseOpenOptions {
  std::string supervisor;          // handle
  std::vector<std::string> facts;  // path=value, of those that may stand on a command line
  std::string from;                // a file of facts, "-" for stdin; empty: none
};
ExitCode CaseOpen(const Context& context, const CaseOpenOptions& options);

// `godwit case list` and `godwit case show`.
struct CaseListOptions {
  bool offline = false;
};
ExitCode CaseList(const Context& context, const CaseListOptions& options);
struct CaseShowOptions {
  std::string code;
  bool offline = false;
};
ExitCode CaseShow(const Context& context, const CaseShowOptions& options);

// `godwit case edit`.
struct CaseEditOptions {
  std::string code;
  std::vector<std::string> facts;
  std::string from;
};
ExitCode CaseEdit(const Context& context, const CaseEditOptions& options);

// `godwit case note`: the text comes from a file or stdin, never from the command line.
struct CaseNoteOptions {
  std::string code;
  std::string from = "-";
};
ExitCode CaseNote(const Context& context, const CaseNoteOptions& options);

// `godwit person show`.
struct PersonShowOptions {
  std::string code;
  bool offline = false;
};
ExitCode PersonShow(const Context& context, const PersonShowOptions& options);

// What programs read of a link: "both_sides".
std::string_view LinkName(client::LinkState link);

}  // namespace godwit::cli
