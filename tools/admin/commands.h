#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "base/result.h"

namespace godwit::admin {

// The operator's commands, each as a function: what it did goes to `out`, why not is the error.

struct MigrateOptions {
  std::string database;  // conninfo of the role that owns the database
  std::string role;      // of the service, which must exist
  bool new_claim = false;
  std::filesystem::path claim_file;  // empty: the claim is printed
};
// Brings the schema up to date, and makes the claim of an empty realm, shown this once. Codes:
// storage::Migrate, storage::RosterStore::MakeClaim; EXISTS, IO: the claim's file is there, or
// cannot be written.
base::Status Migrate(const MigrateOptions& options, std::ostream& out);

struct PkiInitOptions {
  std::filesystem::path folder;  // gets ca.crt and ca.key
};
// Makes a realm's own certificate authority and prints its pin. EXISTS: the folder has one; IO.
base::Status PkiInit(const PkiInitOptions& options, std::ostream& out);

struct PkiIssueOptions {
  std::filesystem::path folder;  // has ca.crt and ca.key; gets server.crt and server.key
  std::vector<std::string> hosts;
};
// Issues a server's certificate, in place of an older one, and prints the authority's pin. IO: the
// authority cannot be read, or nothing written. INVALID_ARGUMENT: IssueServer's.
base::Status PkiIssue(const PkiIssueOptions& options, std::ostream& out);

struct PkiFrontOptions {
  std::filesystem::path folder;    // gets ca.crt, server.crt, server.key, front.crt and front.key
  std::vector<std::string> hosts;  // as the front reaches the service
};
// Makes what a front and the service behind it know each other by: a certificate for each, under an
// authority whose key is thrown away, so that nobody ever joins the two. In place of older ones:
// both are then started anew. IO: nothing can be written. INVALID_ARGUMENT: IssueServer's.
base::Status PkiFront(const PkiFrontOptions& options);

}  // namespace godwit::admin
