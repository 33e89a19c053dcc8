#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/cli/practice.h"
#include "client/cli/session.h"
#include "client/founding.h"

namespace godwit::cli {

// `godwit org create`: founds it alone, or with --draft begins what several founders sign.
struct OrgCreateOptions {
  bool evaluation = false;
  bool practice = false;  // with invented people, by OrgPractice
  std::string handle;
  std::string name;
  std::vector<std::string> realms;  // identity=HOST:PORT,PIN[,CLAIM] each
  std::optional<int> root_fd;
  bool discard_root = false;
  std::string draft;                  // the file to begin
  std::vector<std::string> founders;  // HANDLE=ROLES each
  int owner_threshold = 2;
  int grant_threshold = 2;
};
ExitCode OrgCreate(const Context& context, const OrgCreateOptions& options, const RunWords& run);

// `godwit org sign`: adds one's keys to a draft, signs it once all founders are there, and keeps
// the keys of what stands in it once all have signed.
struct OrgSignOptions {
  std::string draft;
  std::string handle;  // needed the first time
  std::string name;
};
ExitCode OrgSign(const Context& context, const OrgSignOptions& options);

// `godwit org publish`.
struct OrgPublishOptions {
  std::string draft;
  std::vector<std::string> claims;  // identity=FILE each
  std::optional<int> root_fd;
};
ExitCode OrgPublish(const Context& context, const OrgPublishOptions& options);

// Reads one --realm; the claim may be left out. CLAIM is the path of a file that its owner alone
// can read, or fd:N; either holds 64 hexadecimal digits. INVALID_ARGUMENT: another form; else as
// ReadPrivateFile.
base::Result<client::RealmEndpoint> ReadRealmOption(const std::string& text);

// `godwit org fingerprint`.
ExitCode OrgFingerprint(const Context& context);

}  // namespace godwit::cli
