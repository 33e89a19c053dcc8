#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/organisation.h"
#include "client/staff.h"
#include "protocol/roster.h"

namespace godwit::client {

inline constexpr protocol::Roles kGranters = protocol::kOwner | protocol::kAdmin;

// The memberships of a human with the roles that the rosters give them now. What no roster has yet
// is as the staff record says. PERMISSION_DENIED: this person does not work in one of the realms,
// or a record claims a member whose commitment it does not open.
base::Result<std::vector<Membership>> HeldBy(Organisation& organisation, const Human& human);

// Brings the rosters of a human's realms up to date, and marks as ended, in `human` alone, what the
// staff record has and no roster, and what nothing waits for: it was never made.
base::Status EndUnmade(Organisation& organisation, Human& human);

// Refuses roles that no one person may hold: PERMISSION_DENIED as CheckCompatible, by the policy of
// the cases realm.
base::Status CheckHeld(Organisation& organisation, const std::vector<Membership>& held);

// The human with that handle: one who is a member somewhere by the record, else one who was; or
// nullptr.
const Human* HumanByHandle(const std::vector<Human>& staff, std::string_view handle);

// What waits for signatures about a member, of one type; or nullptr.
template <class Payload>
const protocol::Roster::Pending* FindWaiting(const protocol::Roster& roster,
                                             const base::MemberId& member) {
  for (const auto& each : roster.pending()) {
    const auto* payload = std::get_if<Payload>(&each.payload);
    if (payload != nullptr && payload->member == member) return &each;
  }
  return nullptr;
}

}  // namespace godwit::client
