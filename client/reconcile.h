#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/organisation.h"
#include "protocol/kinds.h"

namespace godwit::client {

// Repairs of what clients see to in vaults, by whoever manages or writes them (docs/protocol.md
// section 5): who is to be listed is, keys are fresh, reach back and are young enough.

// An epoch is due for replacement after so long.
inline constexpr std::uint64_t kEpochAgeMs = 90ull * 86'400'000;

// Why a vault gets an EPOCH.
enum class RepairCause : std::uint8_t {
  kMembersMissing,  // somebody whom the kind wants listed is not
  kListNotFresh,    // the roster has moved on: removed, other roles, a new or a lost key
  kOld,             // the epoch is older than kEpochAgeMs
  kWrongBox,        // the epoch lists a box that is not of its key: evidence is kept
  kKeysLost,        // this member holds an older key that the epoch in force does not reach
};
std::string_view Name(RepairCause cause);  // "members_missing", ...

// What one vault needs, as this member can give it.
struct Repair {
  protocol::Compartment compartment = protocol::Compartment::kIdentity;
  base::VaultId vault;
  protocol::Kind kind = protocol::Kind::kDirectory;
  std::uint32_t epoch = 0;  // in force when it was looked at
  std::set<RepairCause> causes;
  std::map<base::MemberId, protocol::Perm> gains;  // who is listed anew, or with more: with what
  std::set<base::MemberId> regain;                 // listed without a key so far
  std::set<base::MemberId> lose;                   // dropped, or without a key from now on
};

// A vault that is left with fewer than two managers who can open it.
struct FewManagers {
  protocol::Compartment compartment = protocol::Compartment::kIdentity;
  base::VaultId vault;
  protocol::Kind kind = protocol::Kind::kDirectory;
  std::size_t managers = 0;
};

// A vault that could not be looked at or repaired.
struct RepairFailure {
  protocol::Compartment compartment = protocol::Compartment::kIdentity;
  std::optional<base::VaultId> vault;  // nothing: the whole realm
  base::Error error;
};

struct ReconcilePlan {
  std::size_t vaults = 0;  // looked at
  std::vector<Repair> repairs;
  std::vector<FewManagers> few_managers;
  std::vector<RepairFailure> failures;
};

// Hears how many vaults of a realm are done, and how many there are.
using RealmProgress = std::function<void(protocol::Compartment, std::size_t, std::size_t)>;

// Looks at every vault that this member may rekey, of `only` or of all realms, and writes nothing:
// whole chains are fetched and verified where they are not here yet. Vaults that hold a person, a
// family or the sensitive part of a case are never widened. One that fails keeps no other from
// being looked at. `now_ms`: Unix milliseconds.
base::Result<ReconcilePlan> PlanReconcile(Organisation& organisation, std::uint64_t now_ms,
                                          std::optional<protocol::Compartment> only = std::nullopt,
                                          const RealmProgress& progress = {});

// Carries `repair` out, on the vault as it is by now: nobody gains access but those whom it names,
// nothing is written where somebody else was faster. `hide_history`: newcomers read what is live
// alone (WriteOptions::hide_history), but for vaults that everybody reads. Codes as WriteVault's.
base::Status CarryOut(Organisation& organisation, const Repair& repair, bool hide_history = false);

}  // namespace godwit::client
