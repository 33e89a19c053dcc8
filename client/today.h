#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/organisation.h"

namespace godwit::client {

// What waits for this person, as of the last sync: what is due, what others wait for, what was left
// half done.
struct TodayItem {
  enum class What {
    kTask,
    kFollowUp,
    kApprovalWaits,   // a supervisor's, or a coordinator's
    kSecondWaits,     // an act that waits for a second person
    kIdentityAsked,   // a supervisor asks to read a person of this member's
    kComment,         // written to this person, not read
    kConflict,        // two values of one field
    kHandOver,        // parts of a case are with different people
    kLink,            // case and person do not name each other
    kConsentDiffers,  // the person's consent and the case's copy of it
    kRefused,         // in the outbox, and will not go by itself
    kAlarm,           // something that nobody may do was read
    kOverride,        // something is told without consent: a supervisor reviews it
    kDrafts,          // registered while locked, and not taken in yet
  };
  What what = What::kTask;
  std::string code;           // of the case; empty: of no case
  std::uint32_t due_day = 0;  // 0: none
  std::string detail;         // an enum's short name, a field, a text of this person's own vaults
  std::string id;             // of a task, comment or conflict: what commands take
};
// Due things first, then the rest in the order above. `today`: days since 1970-01-01 UTC.
base::Result<std::vector<TodayItem>> Today(Organisation& organisation, std::uint32_t today);

}  // namespace godwit::client
