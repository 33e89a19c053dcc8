#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/cases.h"
#include "client/organisation.h"
#include "client/profile.h"

namespace godwit::client {

// Drafts: people registered while the keys of a profile are locked (docs/protocol.md section 10).
// Each is a file that this device can write and not read: sealed to the member's own PUK, whose
// private half comes with the next unlock. Whoever can change the profile's files while it is
// locked can put another key in the place of the member's, and read what is drafted then; the next
// command that opens the keys says so, and puts the right one back.

using DraftId = base::FixedBytes<struct DraftIdTag, 16>;
std::string ShortId(const DraftId& draft);

// Writes down the key that drafts are sealed to, as the verified roster has it, for the time when
// the keys are locked. Returns whether what stood there was not what this device wrote.
base::Result<bool> KeepDraftKey(const Profile& profile, Realm& identity);

// Seals a new case into a file of its own; asks no key and no service. INVALID_ARGUMENT: as
// CheckNewCase, or no supervisor. NOT_FOUND: no key was ever written down here. E_KEY_MISMATCH: it
// is damaged, or of another realm. RESOURCE_EXHAUSTED, IO.
base::Result<DraftId> WriteDraft(const Profile& profile, const NewCase& new_case);

// Those that wait, in the order of their ids. IO.
base::Result<std::vector<DraftId>> ListDrafts(const Profile& profile);
// One by the beginning of its id. NOT_FOUND, INVALID_ARGUMENT: none, or several.
base::Result<DraftId> FindDraft(const Profile& profile, std::string_view id);
// Deletes one unread. IO.
base::Status DiscardDraft(const Profile& profile, const DraftId& draft);

// Makes a case of a draft and returns its code: its vaults go to the outboxes, and the file goes
// once they are there. Interrupted anywhere, the same call goes on where it stopped, and nothing is
// made twice, even of a file that is put back. `supervisor`: instead of the draft's; empty: as it
// says. The draft is kept where this fails: PERMISSION_DENIED: it is another member's, or this one
// is no caseworker. E_DECRYPT: it was changed, or sealed to another key. INVALID_ARGUMENT: no such
// supervisor. E_UNSUPPORTED: of a later version. EXISTS: it was taken in before, and the file,
// which was put back, is gone again.
//
// `step`: asked before each step; false stops there, as a crash would. For tests.
base::Result<std::string> TakeDraftIn(const Profile& profile, Organisation& organisation,
                                      const DraftId& draft, std::string_view supervisor = {},
                                      const std::function<bool()>& step = {});

}  // namespace godwit::client
