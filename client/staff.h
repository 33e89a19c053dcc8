#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/realm.h"
#include "client/vault_view.h"
#include "client/vault_writer.h"
#include "protocol/kinds.h"

namespace godwit::client {

// One realm's member that a human is (docs/protocol.md section 4, staff_commit).
struct Membership {
  protocol::Compartment compartment = protocol::Compartment::kIdentity;
  base::MemberId member;
  protocol::Roles roles = 0;
  std::array<std::uint8_t, 32> r{};
  bool ended = false;

  friend bool operator==(const Membership&, const Membership&) = default;
};
struct Human {
  base::RecordId record;  // of the staff vault
  base::HumanId id;
  std::string handle;
  std::vector<Membership> memberships;

  friend bool operator==(const Human&, const Human&) = default;
};

// H("staff", u8 compartment | human_id | r)
base::Sha256Hash StaffCommit(protocol::Compartment compartment, const base::HumanId& human,
                             std::span<const std::uint8_t, 32> r);

// Domain rule: which roles one human may hold at once, over all realms. PERMISSION_DENIED: a pair
// that would let one person walk from a name to a place, or manage what they read. `small_org`
// permits coordinator with route.
base::Status CheckCompatible(const std::vector<Membership>& memberships, bool small_org);

// The humans of the staff vault, from the local store; authors without owner or admin at their
// entry are not believed. NOT_FOUND: this member has no staff vault to read.
base::Result<std::vector<Human>> ReadStaff(Realm& cases);
// The same after the staff vault was brought up to date: no staff sync, no grant.
base::Result<std::vector<Human>> FetchStaff(Realm& cases);
// What writes a human's record into the staff vault: a new one, or an extended one.
Edit HumanEdit(const Human& human);
// Writes it.
base::Status WriteHuman(Realm& cases, const Human& human);

}  // namespace godwit::client
