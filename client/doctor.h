#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/organisation.h"
#include "client/reconcile.h"
#include "client/staff.h"
#include "protocol/kinds.h"
#include "protocol/roster.h"
#include "protocol/vault.h"

namespace godwit::client {

// What is wrong or weak in an organisation, as one member's device can see it. Nothing here writes
// to a realm.

enum class Grade : std::uint8_t {
  kBroken,   // a rule does not hold, or something cannot be done any more
  kWarning,  // holds, but one mishap away from broken
  kNote,     // to be known
};
std::string_view Name(Grade grade);  // "broken", "warning", "note"

// For people: a text of this program's own, to be looked up in their language, and what stands for
// its {0}, {1} and {2}.
struct Sentence {
  Sentence() = default;
  explicit Sentence(base::Literal sentence, std::string first = {}, std::string second = {},
                    std::string third = {})
      : text(sentence.text()), values{std::move(first), std::move(second), std::move(third)} {}
  std::string_view text;
  std::array<std::string, 3> values;
};

struct Finding {
  Grade grade = Grade::kNote;
  std::string_view code;                       // stable, as "owners_few"
  std::optional<protocol::Compartment> realm;  // nothing: of several or none
  Sentence what;
  std::string_view why;               // it matters
  std::string_view next;              // what to run or do
  std::vector<base::VaultId> vaults;  // those concerned; of vaults alone
};
using Findings = std::vector<Finding>;
// How a member is called.
using Namer = std::function<std::string(const base::MemberId& member)>;

// Thresholds against people, the policy, keys and devices of members, and what waits for
// signatures.
Findings ExamineRoster(const protocol::Roster& roster, const Namer& name_of, std::uint64_t now_ms);

// Jobs that lack a second person who could do them (of the least staff).
Findings ExamineJobs(const protocol::Roster& roster, const Namer& name_of);

// Whether the staff records open every member's commitment in the rosters, and whether the roles
// that each human holds, by the rosters, fit together. A realm whose roster is not among `rosters`
// is judged by the record.
using Rosters = std::map<protocol::Compartment, const protocol::Roster*>;
Findings ExamineStaff(const Rosters& rosters, const std::vector<Human>& staff,
                      const std::map<protocol::Compartment, Namer>& names);

// Members with a key whom the directory does not name.
Findings ExamineNames(const protocol::Roster& roster, const std::set<base::MemberId>& named);

// Collects what is wrong with vaults of one realm, a finding a kind and fault.
class VaultExaminer {
 public:
  explicit VaultExaminer(const protocol::Roster& roster) : roster_(roster) {}

  // One whose chain was verified whole.
  void Look(const protocol::Vault& vault);
  Findings Take() &&;

 private:
  const protocol::Roster& roster_;
  std::map<std::pair<std::string_view, protocol::Kind>, std::vector<base::VaultId>> faults_;
};

// What this device keeps of a realm and somebody must look at.
base::Result<Findings> ExamineStore(protocol::Compartment compartment, const Store& store);

struct NotLookedAt {
  std::optional<protocol::Compartment> realm;  // nothing: of several or none
  Sentence what;
  std::optional<base::Error> since;  // where it could not be read
};

struct Diagnosis {
  Findings findings;  // worst first
  std::vector<NotLookedAt> not_looked_at;

  bool IsBroken() const;
};

// All of it, for what this member can see. Rosters and named vaults are brought up to date; without
// a network, and for all other vaults, it is as of the last sync. `now_ms`: Unix milliseconds.
base::Result<Diagnosis> Examine(Organisation& organisation, std::uint64_t now_ms,
                                const RealmProgress& progress = {});

}  // namespace godwit::client
