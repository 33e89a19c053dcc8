#pragma once

#include "base/result.h"
#include "client/profile.h"

namespace godwit::client {

// Whether a profile is of a practice organisation (protocol/practice.h), as far as this machine
// knows without a key: so that it can be said, and the profile be removed, before anything is
// unlocked. What an organisation is stands in its signed policy.
[[nodiscard]] bool IsPractice(const Profile& profile);
// IO, PERMISSION_DENIED.
base::Status MarkPractice(const Profile& profile);

// Removes a profile of a practice organisation, its agent ended before, with all keys in it.
// PERMISSION_DENIED: it is of no practice organisation, and nothing was removed. DEADLINE: another
// command works in it. IO.
base::Status RemovePractice(const Profile& profile);

}  // namespace godwit::client
