#pragma once

#include <filesystem>
#include <ostream>
#include <string>

#include "base/result.h"

namespace godwit::admin {

// Writes chains out for godwit-verify: every statement of a roster or entry of a vault from seq 0
// to the head, each behind its length as u32, exactly as it was received. A chain only grows, so
// that what is read page by page is the chain as of when the dump began.

struct DumpOptions {
  std::string database;       // conninfo of a role that may read it, as the service's
  std::filesystem::path out;  // must not be there yet; "-": to `out`, without a report
};

// NOT_FOUND: the database has no realm. E_STATE_LOST: what is stored has a gap. EXISTS, IO: the
// file is there, or cannot be written; then there is none. Else codes of storage::Database.
base::Status DumpRoster(const DumpOptions& options, std::ostream& out);

// The same of the vault with that id, 32 hexadecimal digits. INVALID_ARGUMENT: it is none.
// NOT_FOUND: no realm, or no such vault in it.
base::Status DumpVault(const DumpOptions& options, const std::string& vault, std::ostream& out);

}  // namespace godwit::admin
