#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "godwit/content/v1/case.pb.h"
#include "godwit/content/v1/work.pb.h"
#include "protocol/kinds.h"

namespace godwit::client {

// The life of a case: what each act may do, by one table (docs/architecture.md, "The life of a
// case"), and where a case stands after all that were signed. Nothing here reads a clock or a
// vault: every client computes the same.

// In what capacity somebody acts in a case vault: by their roles at the entry's roster_seq, and by
// how the epoch in force lists them, so that whoever has two roles acts in the one they were listed
// for.
using Hats = std::uint8_t;
inline constexpr Hats kNoHat = 0;
inline constexpr Hats kCaseworkerHat = 1;
inline constexpr Hats kSupervisorHat = 2;
inline constexpr Hats kCoordinatorHat = 4;
Hats HatsOf(protocol::Roles roles, protocol::Perm perm);

// What a step needs besides its actor; bits.
using Needs = std::uint16_t;
inline constexpr Needs kStoreIdentityConsent = 1;  // consent to store who somebody is
inline constexpr Needs kServicesConsent = 2;       // consent to services
inline constexpr Needs kCleared = 4;               // screening clear, or its doubt accepted
inline constexpr Needs kAssessmentApproved = 8;
inline constexpr Needs kPlanApproved = 16;
inline constexpr Needs kBestInterestsDone = 32;  // of a child on its own
inline constexpr Needs kClosureApproved = 64;
inline constexpr Needs kSubject = 128;          // what it rests on is named: a message, an incident
inline constexpr Needs kSameSubject = 256;      // what was asked for is what is approved
inline constexpr Needs kOtherSubject = 512;     // another content than was approved
inline constexpr Needs kOtherThanAsked = 1024;  // not by whoever asked
inline constexpr Needs kReason = 2048;
inline constexpr Needs kOtherCase = 4096;  // the case it is a duplicate of
// Closing as refouled or deceased is an act of two, rests on an incident, and does not begin on
// hold or interrupted.
inline constexpr Needs kGraveByTwo = 8192;
inline constexpr Needs kByTwo = 16384;

// One row: all that may happen. What is not there is refused.
struct Step {
  content::v1::Machine machine;
  std::uint32_t from;
  std::uint32_t to;
  Hats actors;
  Needs needs;
  std::uint32_t reasons;  // bits 1 << ClosureReason; 0: any
};
std::span<const Step> AllSteps();

inline constexpr std::size_t kMachines = content::v1::Machine_ARRAYSIZE;
// How many states a machine has, from 0.
std::uint32_t StatesOf(content::v1::Machine machine);

// An act as a reader has it, with what its signature says.
struct SignedAct {
  content::v1::Act act;
  base::MemberId author;
  Hats hats = kNoHat;
  std::uint64_t seq = 0;  // of the entry that brought it
  base::Link link;
  struct Assent {
    base::MemberId member;
    Hats hats = kNoHat;
    std::uint64_t seq = 0;
  };
  std::vector<Assent> assents;
};

// Why an act counts for nothing.
enum class Rule : std::uint8_t {
  kNoSuchStep,   // from there to there is not in the table
  kNotFromHere,  // it begins where the case does not stand
  kWrongActor,   // another role does this
  kConsentMissing,
  kNotCleared,
  kNotApproved,
  kBestInterestsMissing,
  kNothingNamed,  // no message, incident or content that it rests on
  kOtherContent,  // what is approved is not what was asked for
  kOwnRequest,    // nobody approves what they asked for
  kReasonMissing,
  kEnded,      // transferred and duplicate are final
  kBadRecord,  // changed after it was written, or not made as an act is
};
// A sentence for people: what is missing, and what to do.
base::Literal RuleText(Rule rule);
base::Error RefusedAct(Rule rule);  // PERMISSION_DENIED

// Where a case stands.
struct CaseLife {
  // By machine. STATUS is open, transferred or duplicate here; status() tells closed, too.
  std::array<std::uint32_t, kMachines> at{};
  struct Since {
    std::uint64_t written_ms = 0;
    base::MemberId author;
    base::Link link;     // of the act
    base::Link subject;  // that it named
    content::v1::ClosureReason reason = content::v1::CLOSURE_REASON_UNSPECIFIED;
  };
  std::array<Since, kMachines> since{};
  base::Link last;  // of the last entry that changed anything; zero: none did
  std::uint32_t stage_since_day = 0;

  std::vector<SignedAct> waiting;  // for a second person
  struct Refused {
    SignedAct act;
    Rule rule;
  };
  std::vector<Refused> refused;

  std::uint32_t operator[](content::v1::Machine machine) const { return at[machine]; }
  content::v1::CaseStage stage() const {
    return static_cast<content::v1::CaseStage>(at[content::v1::MACHINE_STAGE]);
  }
  content::v1::CaseStatus status() const;
};

// Before the first act; `begin`: of an import.
CaseLife NewLife(const content::v1::CaseBegin* begin);
// After all of `acts`, which are in the order of their seqs.
CaseLife LifeAfter(const content::v1::CaseBegin* begin, const std::vector<SignedAct>& acts);

// Whether `act` by `author` may follow; `second`: it takes effect with another's ASSENT.
struct Verdict {
  std::optional<Rule> refused;
  bool second = false;
};
Verdict Judge(const CaseLife& life, const content::v1::Act& act, const base::MemberId& author,
              Hats hats);

// Writes what the acts say into a summary: stage, status, condition, workflow, approvals, gates and
// consents, and the link of the last of them. Returns whether it said otherwise before.
bool WriteLife(const CaseLife& life, content::v1::Summary& summary);

}  // namespace godwit::client
