#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit org create`.
struct OrgCreateOptions {
  bool evaluation = false;
  std::string handle;
  std::string name;
  std::vector<std::string> realms;  // identity=HOST:PORT,PIN,CLAIM each
  std::optional<int> root_fd;
  bool discard_root = false;
};
ExitCode OrgCreate(const Context& context, const OrgCreateOptions& options);

// Reads one --realm. CLAIM is the path of a file that its owner alone can read, or fd:N; either
// holds 64 hexadecimal digits. INVALID_ARGUMENT: another form; else as ReadPrivateFile.
base::Result<client::RealmEndpoint> ReadRealmOption(const std::string& text);

// `godwit org fingerprint`.
ExitCode OrgFingerprint(const Context& context);

}  // namespace godwit::cli
