#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/cases.h"
#include "client/organisation.h"
#include "client/outbox.h"
#include "client/vault_file.h"

namespace godwit::client {

// What moves a case: each function writes acts (client/casework/life.h) and the summary that they
// make, in one call, and works offline unless it says otherwise. PERMISSION_DENIED: the step is not
// in the table, not this person's, or lacks something, as RuleText says; nothing was written.

// One step that somebody wants, from where the case stands.
struct Wish {
  content::v1::Machine machine = content::v1::MACHINE_UNSPECIFIED;
  std::uint32_t to = 0;
  content::v1::ClosureReason reason = content::v1::CLOSURE_REASON_UNSPECIFIED;
  base::Link subject{};
  bool subject_is_previous = false;  // the record written right before it
  std::string other_case{};
};
// Adds the acts and the summary to `pending`, whose edits so far are written before them.
base::Status AddActs(Realm& realm, const VaultFile& file, const std::vector<Wish>& wishes,
                     Pending& pending);

// stage, and condition: `incident` is a record of the case vault, or nothing.
base::Result<Written> MoveStage(Organisation& organisation, std::string_view code,
                                content::v1::CaseStage to, content::v1::ClosureReason reason,
                                std::optional<base::RecordId> rests_on);
base::Result<Written> MoveCondition(Organisation& organisation, std::string_view code,
                                    content::v1::CaseCondition to,
                                    std::optional<base::RecordId> rests_on);

// What is approved.
enum class Approvable { kAssessment, kCasePlan, kClosure };
// Asks for the approval of the newest assessment or plan. UNAVAILABLE: it waits to be sent itself.
// NOT_FOUND: there is none.
base::Result<Written> AskApproval(Organisation& organisation, std::string_view code,
                                  Approvable what);
// Approves or rejects what was asked for. CONFLICT: it was changed since.
base::Result<Written> Decide(Organisation& organisation, std::string_view code, Approvable what,
                             bool yes);
// Where an approval stands for who reads its content: an approved one whose content was changed
// since is pending again.
content::v1::ApprovalState ApprovalNow(const CaseLife& life, const VaultFile* sensitive,
                                       Approvable what);
// Says so in the case, for those who do not read the content. Whether there was anything to say.
base::Result<bool> RenewApprovals(Organisation& organisation, std::string_view code);

// Does as much of a closure as this person may: a caseworker asks for it, a supervisor or
// coordinator approves what was asked for, a coordinator closes it. `incident`: of a person who was
// refouled or died.
struct Closing {
  content::v1::ClosureReason reason = content::v1::CLOSURE_REASON_UNSPECIFIED;
  content::v1::Answer follow_up_agreed = content::v1::ANSWER_UNSPECIFIED;
  std::optional<base::RecordId> incident;
};
enum class Closed { kAsked, kApproved, kClosed, kWaitsForSecond };
struct ClosedWritten {
  Closed how = Closed::kAsked;
  bool queued = false;
};
base::Result<ClosedWritten> CloseCase(Organisation& organisation, std::string_view code,
                                      const Closing& closing);
base::Result<Written> ReopenCase(Organisation& organisation, std::string_view code,
                                 content::v1::ClosureReason reason);
// Marks a case as a duplicate of another and closes it.
base::Result<Written> MergeCase(Organisation& organisation, std::string_view code,
                                std::string_view into);

// Assents to the newest act of a machine (the stage: a closure) that waits for a second person.
// `subject`: about that revision of what it names, as this person saw it. NOT_FOUND: none waits.
// PERMISSION_DENIED: it is one's own, was written more than 72 hours ago, or may not follow any
// more on where the case stands.
base::Result<Written> AssentToAct(Organisation& organisation, std::string_view code,
                                  content::v1::Machine machine,
                                  const std::optional<base::Link>& subject = {});
// Ends an override of the person's consent that a supervisor has reviewed. PERMISSION_DENIED: there
// is none, or this is no supervisor.
base::Result<Written> ReviewOverride(Organisation& organisation, std::string_view code);

// Best interests assessed (bia) or determined (bid), by the supervisor.
base::Result<Written> SetBestInterests(Organisation& organisation, std::string_view code, bool bid,
                                       bool done);

// A person's answers, purpose by purpose, into the person vault, and what of them coordinators need
// into the case. `changes`: fields of Consent, of whose states given, asked and declined are
// somebody's to say (INVALID_ARGUMENT). Withdrawing answers no to all that was yes, and
// leaves a task for each referral and transfer that still shares something.
base::Result<Written> RecordConsent(Organisation& organisation, std::string_view code,
                                    const std::vector<Change>& changes);
base::Result<Written> WithdrawConsent(Organisation& organisation, std::string_view code);

// The coordinators' screening: into its own vault, which the first makes; clear or an accepted
// doubt opens the gate, anything else shuts it. `changes`: fields of SecurityScreening.
base::Result<Written> RecordScreening(Organisation& organisation, std::string_view code,
                                      const std::vector<Change>& changes);

}  // namespace godwit::client
