#pragma once

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit org doctor`: exit 0 where nothing is broken, else 1.
ExitCode OrgDoctor(const Context& context);

}  // namespace godwit::cli
