#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/case_code.h"
#include "client/casework/assign.h"
#include "client/organisation.h"
#include "client/outbox.h"
#include "client/vault_file.h"
#include "client/vault_view.h"
#include "godwit/content/v1/record.pb.h"

namespace godwit::client {

// A case to be opened by its caseworker.
struct NewCase {
  std::string supervisor;        // handle
  content::v1::Summary summary;  // code, status, stage and people are filled in
  content::v1::Case facts;
  content::v1::IdentityProfile profile;  // may be empty: a nameless stub
  std::optional<content::v1::TraffickingContext> trafficking;
  std::uint32_t day = 0;  // on which the person was asked, since 1970-01-01 UTC; 0: today
};
// What can be said of it without any key. INVALID_ARGUMENT: names without the consent to store
// them.
base::Status CheckNewCase(const NewCase& new_case);
// Its vaults, in the order in which they are to be written. Errors as OpenCase.
struct CasePlan {
  std::string code;
  std::vector<std::pair<protocol::Compartment, Pending>> vaults;
};
base::Result<CasePlan> PlanCase(Organisation& organisation, NewCase new_case);
// Makes the case, sensitive and person vaults, linked both ways, and returns the code; without a
// network they wait in the outbox. What the summary says of consents becomes acts, and a Consent of
// the person's. For a caseworker. INVALID_ARGUMENT: no such supervisor, or oneself; names without
// the consent to store them. An interruption leaves whole vaults only; `LinkState` shows a link
// that is one-sided.
base::Result<std::string> OpenCase(Organisation& organisation, NewCase new_case);

// A case in a list.
struct CaseRow {
  base::VaultId vault;
  content::v1::Summary summary;
  std::string caseworker;  // display names
  std::string supervisor;
  std::string caseworker_handle;  // empty: nobody named them
  std::string supervisor_handle;  // the same
  bool fully_checked = false;
};
// All cases that this member may read, as of the last sync.
base::Result<std::vector<CaseRow>> ListCases(Organisation& organisation);

// Whether person and case name each other.
enum class LinkState { kNone, kBothSides, kCaseSideOnly, kPersonSideOnly, kMismatch, kNotYours };
// As the pinned records have it; `person`: whom the case's side names.
base::Result<LinkState> LinkStateOf(Organisation& organisation, const std::string& code,
                                    const std::optional<base::VaultId>& person, From from);
// The same by what this device knows of the person vaults.
LinkState LinkStateIn(const CodeIndex& people, const std::string& code,
                      const base::VaultId& person);

// A case opened whole: each part is there if this member may read it.
struct OpenedCase {
  explicit OpenedCase(VaultFile case_file) : file(std::move(case_file)) {}

  CaseRow row;  // its summary as the acts have it
  VaultFile file;
  CaseLife life;
  // The signed summary says otherwise than the acts: an alarm is kept.
  bool summary_differs = false;
  std::optional<content::v1::Case> facts;
  std::optional<VaultFile> sensitive;
  std::optional<VaultFile> screening;
  std::optional<content::v1::TraffickingContext> trafficking;
  std::vector<std::pair<content::v1::Note, std::string>> notes;  // oldest first, author's name
  std::optional<base::VaultId> person;
  LinkState link = LinkState::kNone;

  bool sensitive_readable() const { return sensitive.has_value(); }
  // Read from this device alone, since a service could not be reached.
  bool offline = false;
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
  VaultFile file;
};
base::Result<PersonFile> ShowPerson(Organisation& organisation, std::string_view code,
                                    bool offline = false);

// Changes facts of a case: a path names a field of Summary, Case, TraffickingContext or
// IdentityProfile as "summary.risk". Stage, status,
// condition, approvals, consents, code and people are not facts. INVALID_ARGUMENT,
// PERMISSION_DENIED: no such fact or value, said before anything is written. Works offline: what
// cannot be sent waits in the outbox, and `queued` says so.
base::Result<Written> EditCase(Organisation& organisation, std::string_view code,
                               const std::vector<Change>& changes);
// Adds a note to the sensitive vault; the same about offline. INVALID_ARGUMENT: empty or too long.
base::Result<Written> AddNote(Organisation& organisation, std::string_view code,
                              const std::string& text);

// What waits in the outbox of all realms, and sending it. `refused`: what was tried, and is not
// what the service or the rules take any more: it waits for a person.
struct OutboxState {
  std::size_t waiting = 0;
  std::size_t refused = 0;
};
base::Result<OutboxState> Outbox(Organisation& organisation);
base::Result<OutboxState> SendOutbox(Organisation& organisation);

}  // namespace godwit::client
