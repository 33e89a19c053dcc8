#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "client/cli/session.h"
#include "client/founding.h"

namespace godwit::cli {

// Runs `godwit` with these words, in this process and to these streams.
using RunWords =
    std::function<ExitCode(std::vector<std::string> words, std::ostream& out, std::ostream& err)>;

// `godwit org create --practice`: founds an organisation of invented people in the three realms
// that `endpoints` name, has them join and work on invented cases, each in a profile of their own
// on this machine. What fails in between removes the profiles again; the realms then are used up.
ExitCode OrgPractice(const Context& context, client::Founding founding, const RunWords& run);

// `godwit org remove-practice`: removes the profiles that it made.
ExitCode OrgRemovePractice(const Context& context);

}  // namespace godwit::cli
