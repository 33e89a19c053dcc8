#pragma once

#include <string>
#include <string_view>

#include "base/code.h"
#include "base/result.h"

namespace godwit::cli {

// How a command ends, for scripts. `godwit --help` lists them.
enum class ExitCode {
  kOk = 0,
  kError = 1,        // it failed: no such thing, a disk, a bug
  kUsage = 2,        // the command line or the input has the wrong form
  kUnavailable = 3,  // offline, or the service is busy: try again later
  kNotAllowed = 4,   // not this person's to do, or locked
  kRefused = 5,      // what was shown cannot be trusted; evidence is kept
  kWaiting = 6,      // a conflict for a person to look at, or something waits to be sent
  kPartly = 7,       // a part is done; the output says which
};

// What the commands of all groups end with. `kExitCodesHelp` is the text for --help.
ExitCode ExitCodeOf(base::Code code);
extern const std::string_view kExitCodesHelp;

// What a person can do about `code`: a sentence in English, never empty.
base::Literal NextStep(base::Code code);

// Why something failed, in the reader's language. What that language has no words for, since hardly
// anybody but an engineer ever reads it, is told in English behind a sentence on what happened.
std::string WhyText(const base::Error& why);

}  // namespace godwit::cli
