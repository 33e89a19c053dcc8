#pragma once

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit whoami`; also what `member join` ends with.
ExitCode Whoami(const Context& context);
void ShowWhoami(Output& output, const client::Profile& profile,
                const client::Organisation& organisation);

// `godwit status`: what there is, without asking for a passphrase.
ExitCode StatusShow(const Context& context);

// `godwit sync`: sends what waits, brings everything up to date, and lists newcomers whom nobody
// has listed yet, where this member may.
ExitCode SyncCommand(const Context& context);

// `godwit unlock` and `godwit lock`.
ExitCode Unlock(const Context& context);
ExitCode Lock(const Context& context);

// `godwit agent`.
ExitCode Agent(const Context& context);

}  // namespace godwit::cli
