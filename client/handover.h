#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/result.h"
#include "client/organisation.h"
#include "client/outbox.h"
#include "client/vault_file.h"

namespace godwit::client {

// Whose a case is: its case vault by a coordinator, its sensitive and person vaults by the
// supervisor, who manages the person without reading it. No service joins the three; each does
// their part, and whoever sees more than one part sees how far it has come.

struct Assigned {
  std::vector<protocol::Kind> done;  // what this person handed over
  std::vector<protocol::Kind> left;  // what others have to
  bool queued = false;
};
// Gives what this person manages of a case to another caseworker. Works offline. INVALID_ARGUMENT:
// no caseworker has that handle, or it is the case's supervisor. PERMISSION_DENIED: this person
// manages no part of it as its coordinator or supervisor.
base::Result<Assigned> AssignCase(Organisation& organisation, std::string_view code,
                                  std::string_view caseworker);

// How a hand-over stands, as far as this person sees it: who has each part.
struct HandOver {
  std::string case_with;  // handles; empty: not this person's to see
  std::string sensitive_with;
  std::string person_with;

  bool half_done() const;
};
base::Result<HandOver> HandOverOf(Organisation& organisation, std::string_view code,
                                  bool offline = false);
// The same of opened parts; nullptr: not this person's to see.
base::Result<HandOver> HandOverOf(Organisation& organisation, const VaultFile& case_part,
                                  const VaultFile* sensitive, const VaultFile* person);

}  // namespace godwit::client
