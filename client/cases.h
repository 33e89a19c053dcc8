#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/organisation.h"
#include "client/vault_view.h"
#include "godwit/content/v1/record.pb.h"

namespace godwit::client {

// A new case code: 10 random digits of Crockford's base 32 and its check symbol, in groups:
// "7K3M-Q9TX-2A*" holds no country, agency or year.
std::string NewCaseCode();
// The canonical form of a code as people type it (lower case, o for 0, i and l for 1, no dashes),
// or nothing if its check symbol is wrong.
std::optional<std::string> CanonicalCaseCode(std::string_view typed);

// A case to be opened by its caseworker.
struct NewCase {
  std::string supervisor;        // handle
  content::v1::Summary summary;  // code, status, stage and people are filled in
  content::v1::Case facts;
  content::v1::IdentityProfile profile;  // may be empty: a nameless stub
  std::optional<content::v1::TraffickingContext> trafficking;
};
// Makes the case, sensitive and person vaults, linked both ways, and returns the code. For a
// caseworker. INVALID_ARGUMENT: no such supervisor, or oneself; names without the consent to store
// them. An interruption leaves whole vaults only; `LinkState` shows a link that is one-sided.
base::Result<std::string> OpenCase(Organisation& organisation, NewCase new_case);

// A case in a list.
struct CaseRow {
  base::VaultId vault;
  content::v1::Summary summary;
  std::string caseworker;  // display names
  std::string supervisor;
  bool fully_checked = false;
};
// All cases that this member may read, as of the last sync.
base::Result<std::vector<CaseRow>> ListCases(Organisation& organisation);

// Whether person and case name each other.
enum class LinkState { kNone, kBothSides, kCaseSideOnly, kPersonSideOnly, kMismatch, kNotYours };

// A case opened whole: each part is there if this member may read it.
struct OpenedCase {
  CaseRow row;
  std::optional<content::v1::Case> facts;
  bool sensitive_readable = false;
  std::optional<content::v1::TraffickingContext> trafficking;
  std::vector<std::pair<content::v1::Note, std::string>> notes;  // oldest first, author's name
  std::optional<base::VaultId> person;
  LinkState link = LinkState::kNone;
};
// Fetches and verifies the case's vaults (`offline`: reads what is on the device) and opens them.
// NOT_FOUND: no such case, or not this member's.
base::Result<OpenedCase> ShowCase(Organisation& organisation, std::string_view code,
                                  bool offline = false);

// The vault of `kind` (case, sensitive, person) whose pinned record names a case, and any vault by
// its id: brought up to date and verified whole, or as it is on this device (`offline`).
// INVALID_ARGUMENT: no case code. NOT_FOUND: no such vault, or not this member's to read.
base::Result<VaultView> FindCaseVault(Realm& realm, protocol::Kind kind, std::string_view code,
                                      bool offline);
base::Result<VaultView> ViewOfVault(Realm& realm, const base::VaultId& vault, bool offline);

// The person of a case. PERMISSION_DENIED: this member does not work in the identity realm.
// NOT_FOUND: no such case of this member's, or its person is not served to them.
struct PersonFile {
  base::VaultId vault;
  content::v1::IdentityProfile profile;
  std::string case_code;
};
base::Result<PersonFile> ShowPerson(Organisation& organisation, std::string_view code,
                                    bool offline = false);

// Changes facts of a case: `path` names a field of Summary, Case, TraffickingContext or
// IdentityProfile as "summary.risk", `value` its new value (an enum's short name; empty: cleared).
// Stage, status, condition, approvals, code and people are not facts. INVALID_ARGUMENT: no such
// fact or value, said before anything is written. Works offline: what cannot be sent waits in the
// outbox, and `queued` says so.
struct Change {
  std::string path;
  std::string value;
};
struct Written {
  bool queued = false;
};
base::Result<Written> EditCase(Organisation& organisation, std::string_view code,
                               const std::vector<Change>& changes);
// Adds a note to the sensitive vault; the same about offline. INVALID_ARGUMENT: empty or too long.
base::Result<Written> AddNote(Organisation& organisation, std::string_view code,
                              const std::string& text);

// What waits in the outbox of all realms, and sending it. Each item is sent by the writer rule; one
// whose record changed meanwhile is kept and counted as a conflict, never dropped.
struct OutboxState {
  std::size_t waiting = 0;
  std::size_t conflicts = 0;
};
base::Result<OutboxState> Outbox(Organisation& organisation);
base::Result<OutboxState> SendOutbox(Organisation& organisation);

}  // namespace godwit::client
