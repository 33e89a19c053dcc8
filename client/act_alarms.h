#pragma once

#include <vector>

#include "base/result.h"
#include "client/casework/life.h"
#include "client/realm.h"
#include "client/vault_file.h"
#include "godwit/content/v1/local.pb.h"

namespace godwit::client {

// Whether two summaries differ in what acts alone may change.
bool SaysOtherwise(const content::v1::Summary& by_acts, const content::v1::Summary& signed_summary);

// Keeps, once each, what a case's chain holds against the rules of domain: acts that nobody may do,
// records that say they are acts and are not, a summary that says otherwise than the acts. Nothing
// of it counts; that somebody signed it is for people to see.
base::Status KeepActAlarms(Realm& realm, const VaultFile& file, const CaseLife& life,
                           bool summary_differs);
// Oldest first.
base::Result<std::vector<content::v1::ActAlarm>> ActAlarms(Realm& realm);

}  // namespace godwit::client
