#include "client/casework/life.h"

#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>

namespace godwit::client {
namespace {

using namespace content::v1;  // NOLINT: the tables below are made of its names

base::MemberId Person(std::uint8_t n) {
  std::array<std::uint8_t, 16> id{};
  id.fill(n);
  return base::MemberId(id);
}
base::Link LinkOf(std::uint8_t n) {
  std::array<std::uint8_t, 32> id{};
  id.fill(n);
  return base::Link(id);
}
const base::MemberId kCaseworker = Person(1);
const base::MemberId kSupervisor = Person(2);
const base::MemberId kCoordinator = Person(3);
const base::MemberId kOtherCoordinator = Person(4);

std::string Bytes(const base::Link& link) { return base::ToString(link.bytes()); }

Act ActOf(Machine machine, int from, int to) {
  Act act;
  act.set_machine(machine);
  act.set_from(static_cast<std::uint32_t>(from));
  act.set_to(static_cast<std::uint32_t>(to));
  act.set_written_ms(86'400'000ULL * 20'000);
  return act;
}
Act With(Act act, const base::Link& subject) {
  act.set_subject(Bytes(subject));
  return act;
}
Act Because(Act act, ClosureReason reason) {
  act.set_reason(reason);
  return act;
}

SignedAct By(Act act, const base::MemberId& author, Hats hats, std::uint64_t seq) {
  return {std::move(act), author, hats, seq, LinkOf(static_cast<std::uint8_t>(seq)), {}};
}

// Where a case stands with everything that any step needs: so that what is refused is refused for
// its row alone.
CaseLife Granted() {
  CaseLife life = NewLife(nullptr);
  const auto set = [&](Machine machine, int state) {
    life.at[static_cast<std::size_t>(machine)] = static_cast<std::uint32_t>(state);
  };
  set(MACHINE_CONSENT_SERVICES, ANSWER_YES);
  set(MACHINE_CONSENT_STORE_IDENTITY, ANSWER_YES);
  set(MACHINE_CLEARANCE, 1);
  set(MACHINE_BEST_INTERESTS_ASSESSMENT, 1);
  set(MACHINE_BEST_INTERESTS_DETERMINATION, 1);
  set(MACHINE_APPROVAL_ASSESSMENT, APPROVAL_STATE_APPROVED);
  set(MACHINE_APPROVAL_CASE_PLAN, APPROVAL_STATE_APPROVED);
  set(MACHINE_APPROVAL_CLOSURE, APPROVAL_STATE_APPROVED);
  for (std::size_t i = 0; i < kMachines; ++i) {
    life.since[i].subject = LinkOf(0x77);
    life.since[i].author = kCaseworker;
  }
  return life;
}

// What domain.md section 7 says, written out once more by hand: from, to, who. C caseworker,
// S supervisor, K coordinator.
struct Row {
  int from;
  int to;
  const char* who;
};
using Rows = std::vector<Row>;

const Rows& StageRows() {
  static const Rows rows = {
      {CASE_STAGE_CONTACT, CASE_STAGE_SCREENING, "C"},
      {CASE_STAGE_SCREENING, CASE_STAGE_ACCEPTED, "K"},
      {CASE_STAGE_SCREENING, CASE_STAGE_CLOSED, "K"},
      {CASE_STAGE_CONTACT, CASE_STAGE_CLOSED, "CK"},
      {CASE_STAGE_ACCEPTED, CASE_STAGE_CLOSED, "K"},
      {CASE_STAGE_PLANNING, CASE_STAGE_CLOSED, "K"},
      {CASE_STAGE_READY, CASE_STAGE_CLOSED, "K"},
      {CASE_STAGE_IN_TRANSIT, CASE_STAGE_CLOSED, "K"},
      {CASE_STAGE_THIRD_COUNTRY, CASE_STAGE_CLOSED, "K"},
      {CASE_STAGE_DEPARTED, CASE_STAGE_CLOSED, "K"},
      {CASE_STAGE_ARRIVED, CASE_STAGE_CLOSED, "K"},
      {CASE_STAGE_SETTLING, CASE_STAGE_CLOSED, "K"},
      {CASE_STAGE_READY, CASE_STAGE_PLANNING, "K"},
      {CASE_STAGE_THIRD_COUNTRY, CASE_STAGE_READY, "K"},
      {CASE_STAGE_ACCEPTED, CASE_STAGE_PLANNING, "C"},
      {CASE_STAGE_PLANNING, CASE_STAGE_READY, "K"},
      {CASE_STAGE_READY, CASE_STAGE_IN_TRANSIT, "K"},
      {CASE_STAGE_IN_TRANSIT, CASE_STAGE_THIRD_COUNTRY, "K"},
      {CASE_STAGE_IN_TRANSIT, CASE_STAGE_READY, "K"},
      {CASE_STAGE_THIRD_COUNTRY, CASE_STAGE_DEPARTED, "K"},
      {CASE_STAGE_DEPARTED, CASE_STAGE_ARRIVED, "K"},
      {CASE_STAGE_ARRIVED, CASE_STAGE_SETTLING, "K"},
      {CASE_STAGE_CONTACT, CASE_STAGE_THIRD_COUNTRY, "K"},
      {CASE_STAGE_SCREENING, CASE_STAGE_THIRD_COUNTRY, "K"},
      {CASE_STAGE_ACCEPTED, CASE_STAGE_THIRD_COUNTRY, "K"},
      {CASE_STAGE_PLANNING, CASE_STAGE_THIRD_COUNTRY, "K"},
      {CASE_STAGE_READY, CASE_STAGE_THIRD_COUNTRY, "K"},
      {CASE_STAGE_CLOSED, CASE_STAGE_PLANNING, "K"},
  };
  return rows;
}
const Rows& StatusRows() {
  static const Rows rows = {
      {CASE_STATUS_OPEN, CASE_STATUS_TRANSFERRED, "K"},
      {CASE_STATUS_OPEN, CASE_STATUS_DUPLICATE, "K"},
      {CASE_STATUS_CLOSED, CASE_STATUS_OPEN, "K"},
  };
  return rows;
}
const Rows& ConditionRows() {
  static const Rows rows = {
      {CASE_CONDITION_NORMAL, CASE_CONDITION_ON_HOLD, "K"},
      {CASE_CONDITION_ON_HOLD, CASE_CONDITION_NORMAL, "K"},
      {CASE_CONDITION_ON_HOLD, CASE_CONDITION_INTERRUPTED, "K"},
      {CASE_CONDITION_ON_HOLD, CASE_CONDITION_DETAINED, "K"},
      {CASE_CONDITION_ON_HOLD, CASE_CONDITION_MISSING, "K"},
      {CASE_CONDITION_DETAINED, CASE_CONDITION_MISSING, "K"},
      {CASE_CONDITION_NORMAL, CASE_CONDITION_INTERRUPTED, "K"},
      {CASE_CONDITION_INTERRUPTED, CASE_CONDITION_NORMAL, "K"},
      {CASE_CONDITION_NORMAL, CASE_CONDITION_DETAINED, "K"},
      {CASE_CONDITION_NORMAL, CASE_CONDITION_MISSING, "K"},
      {CASE_CONDITION_INTERRUPTED, CASE_CONDITION_DETAINED, "K"},
      {CASE_CONDITION_INTERRUPTED, CASE_CONDITION_MISSING, "K"},
      {CASE_CONDITION_MISSING, CASE_CONDITION_DETAINED, "K"},
      {CASE_CONDITION_MISSING, CASE_CONDITION_NORMAL, "K"},
      {CASE_CONDITION_DETAINED, CASE_CONDITION_NORMAL, "K"},
  };
  return rows;
}
Rows ApprovalRows(const char* approvers, const char* renewers) {
  return {
      {APPROVAL_STATE_UNSPECIFIED, APPROVAL_STATE_PENDING, "C"},
      {APPROVAL_STATE_PENDING, APPROVAL_STATE_APPROVED, approvers},
      {APPROVAL_STATE_PENDING, APPROVAL_STATE_REJECTED, approvers},
      {APPROVAL_STATE_REJECTED, APPROVAL_STATE_PENDING, "C"},
      {APPROVAL_STATE_APPROVED, APPROVAL_STATE_PENDING, renewers},
      {APPROVAL_STATE_PENDING, APPROVAL_STATE_PENDING, "C"},
  };
}

std::map<Machine, Rows> TheDomain() {
  std::map<Machine, Rows> domain;
  domain[MACHINE_STAGE] = StageRows();
  domain[MACHINE_STATUS] = StatusRows();
  domain[MACHINE_CONDITION] = ConditionRows();
  domain[MACHINE_APPROVAL_ASSESSMENT] = ApprovalRows("S", "CS");
  domain[MACHINE_APPROVAL_CASE_PLAN] = ApprovalRows("S", "CS");
  domain[MACHINE_APPROVAL_CLOSURE] = ApprovalRows("SK", "CS");
  domain[MACHINE_CLEARANCE] = {{0, 1, "K"}, {1, 0, "K"}};
  domain[MACHINE_BEST_INTERESTS_ASSESSMENT] = {{0, 1, "S"}, {1, 0, "S"}};
  domain[MACHINE_BEST_INTERESTS_DETERMINATION] = {{0, 1, "S"}, {1, 0, "S"}};
  domain[MACHINE_CONSENT_OVERRIDE] = {{0, 1, "C"}, {1, 1, "C"}, {1, 0, "S"}};
  for (int machine = MACHINE_UNACCOMPANIED; machine <= MACHINE_CONSENT_TRACING; ++machine) {
    for (int from = 0; from <= ANSWER_NOT_APPLICABLE; ++from) {
      for (int to = 1; to <= ANSWER_NOT_APPLICABLE; ++to) {
        if (from == to) continue;
        domain[static_cast<Machine>(machine)].push_back(
            {from, to, machine == MACHINE_UNACCOMPANIED ? "CSK" : "C"});
      }
    }
  }
  return domain;
}

struct Actor {
  char letter;
  base::MemberId member;
  Hats hats;
};
const std::array<Actor, 4> kActors{{{'C', kCaseworker, kCaseworkerHat},
                                    {'S', kSupervisor, kSupervisorHat},
                                    {'K', kCoordinator, kCoordinatorHat},
                                    {'-', Person(9), kNoHat}}};

ClosureReason ReasonFor(int from) {
  if (from == CASE_STAGE_CONTACT) return CLOSURE_REASON_DECLINED;
  if (from == CASE_STAGE_SCREENING) return CLOSURE_REASON_NOT_CREDIBLE;
  return CLOSURE_REASON_GOALS_MET;
}

// Every pair of states of every machine, by every actor: what domain.md lists is allowed to whom it
// says, and everything else is refused.
TEST(CaseLife, AllowsWhatTheDomainListsAndNothingElse) {
  const auto domain = TheDomain();
  std::size_t allowed = 0;
  std::size_t refused = 0;
  for (int m = 1; m < Machine_ARRAYSIZE; ++m) {
    const auto machine = static_cast<Machine>(m);
    ASSERT_TRUE(domain.contains(machine)) << "a machine that this test does not know";
    const auto states = static_cast<int>(StatesOf(machine));
    ASSERT_GT(states, 1);
    for (int from = 0; from < states; ++from) {
      for (int to = 0; to < states; ++to) {
        const Row* row = nullptr;
        for (const Row& each : domain.at(machine)) {
          if (each.from == from && each.to == to) row = &each;
        }
        CaseLife life = Granted();
        life.at[static_cast<std::size_t>(machine)] = static_cast<std::uint32_t>(from);
        if (machine == MACHINE_STATUS && from != CASE_STATUS_CLOSED) {
          life.at[MACHINE_APPROVAL_CLOSURE] = APPROVAL_STATE_PENDING;
        }
        if (machine == MACHINE_STATUS && from == CASE_STATUS_CLOSED) {
          life.at[MACHINE_STATUS] = CASE_STATUS_OPEN;
        }
        for (const Actor& actor : kActors) {
          const bool approves = StatesOf(machine) == ApprovalState_ARRAYSIZE && from == 1 && to > 1;
          Act act = With(ActOf(machine, from, to), LinkOf(approves ? 0x77 : 0x55));
          act.set_reason(ReasonFor(from));
          act.set_other_case("0000000000A");
          SCOPED_TRACE(Machine_Name(machine) + " " + std::to_string(from) + " to " +
                       std::to_string(to) + " by " + actor.letter);
          const Verdict verdict = Judge(life, act, actor.member, actor.hats);
          const bool want =
              row != nullptr && std::string(row->who).find(actor.letter) != std::string::npos;
          EXPECT_EQ(!verdict.refused, want)
              << (verdict.refused ? RuleText(*verdict.refused).text() : "allowed");
          if (!want && verdict.refused) {
            EXPECT_TRUE(*verdict.refused == Rule::kNoSuchStep ||
                        *verdict.refused == Rule::kWrongActor || *verdict.refused == Rule::kEnded)
                << RuleText(*verdict.refused).text();
          }
          ++(want ? allowed : refused);
        }
      }
    }
  }
  std::size_t in_the_table = 0;
  for (const Step& step : AllSteps()) {
    in_the_table += static_cast<std::size_t>(std::popcount(step.actors));
  }
  EXPECT_EQ(allowed, in_the_table) << "a row twice, or one that this test never reaches";
  EXPECT_GT(refused, 1500u);
}

// Each need of each row, taken away alone, refuses the step.
TEST(CaseLife, EachThingThatAStepNeedsIsMissed) {
  struct Case {
    const char* name;
    Act act;
    const Actor& actor;
    std::function<void(CaseLife&, Act&)> take_away;
    Rule want;
  };
  const auto off = [](Machine machine) {
    return [machine](CaseLife& life, Act&) { life.at[static_cast<std::size_t>(machine)] = 0; };
  };
  const auto no_subject = [](CaseLife&, Act& act) { act.clear_subject(); };
  const auto no_reason = [](CaseLife&, Act& act) { act.clear_reason(); };
  const Actor& cw = kActors[0];
  const Actor& sv = kActors[1];
  const Actor& kc = kActors[2];
  const base::Link asked = LinkOf(0x77);
  const auto closing =
      Because(ActOf(MACHINE_STAGE, CASE_STAGE_SETTLING, CASE_STAGE_CLOSED), CLOSURE_REASON_SETTLED);
  const std::vector<Case> cases = {
      {"screening without consent to store",
       ActOf(MACHINE_STAGE, CASE_STAGE_CONTACT, CASE_STAGE_SCREENING), cw,
       off(MACHINE_CONSENT_STORE_IDENTITY), Rule::kConsentMissing},
      {"accepted without consent to services",
       ActOf(MACHINE_STAGE, CASE_STAGE_SCREENING, CASE_STAGE_ACCEPTED), kc,
       off(MACHINE_CONSENT_SERVICES), Rule::kConsentMissing},
      {"accepted without clearance",
       ActOf(MACHINE_STAGE, CASE_STAGE_SCREENING, CASE_STAGE_ACCEPTED), kc, off(MACHINE_CLEARANCE),
       Rule::kNotCleared},
      {"planning without an approved assessment",
       ActOf(MACHINE_STAGE, CASE_STAGE_ACCEPTED, CASE_STAGE_PLANNING), cw,
       off(MACHINE_APPROVAL_ASSESSMENT), Rule::kNotApproved},
      {"ready without an approved plan",
       ActOf(MACHINE_STAGE, CASE_STAGE_PLANNING, CASE_STAGE_READY), kc,
       off(MACHINE_APPROVAL_CASE_PLAN), Rule::kNotApproved},
      {"ready, a child on its own, no assessment of its interests",
       ActOf(MACHINE_STAGE, CASE_STAGE_PLANNING, CASE_STAGE_READY), kc,
       [](CaseLife& life, Act&) {
         life.at[MACHINE_UNACCOMPANIED] = ANSWER_YES;
         life.at[MACHINE_BEST_INTERESTS_ASSESSMENT] = 0;
       },
       Rule::kBestInterestsMissing},
      {"ready, a child on its own, no determination",
       ActOf(MACHINE_STAGE, CASE_STAGE_PLANNING, CASE_STAGE_READY), kc,
       [](CaseLife& life, Act&) {
         life.at[MACHINE_UNACCOMPANIED] = ANSWER_YES;
         life.at[MACHINE_BEST_INTERESTS_DETERMINATION] = 0;
       },
       Rule::kBestInterestsMissing},
      {"closed without an approved closure", closing, kc, off(MACHINE_APPROVAL_CLOSURE),
       Rule::kNotApproved},
      {"closed without a reason", closing, kc, no_reason, Rule::kReasonMissing},
      {"closed at contact for another reason",
       Because(ActOf(MACHINE_STAGE, CASE_STAGE_CONTACT, CASE_STAGE_CLOSED),
               CLOSURE_REASON_DECLINED),
       cw, [](CaseLife&, Act& act) { act.set_reason(CLOSURE_REASON_SETTLED); },
       Rule::kReasonMissing},
      {"reopened without a reason",
       Because(ActOf(MACHINE_STAGE, CASE_STAGE_CLOSED, CASE_STAGE_PLANNING), CLOSURE_REASON_OTHER),
       kc, no_reason, Rule::kReasonMissing},
      {"in transit without a message",
       With(ActOf(MACHINE_STAGE, CASE_STAGE_READY, CASE_STAGE_IN_TRANSIT), asked), kc, no_subject,
       Rule::kNothingNamed},
      {"transferred without the transfer",
       With(ActOf(MACHINE_STATUS, CASE_STATUS_OPEN, CASE_STATUS_TRANSFERRED), asked), kc,
       no_subject, Rule::kNothingNamed},
      {"detained without an incident",
       With(ActOf(MACHINE_CONDITION, CASE_CONDITION_NORMAL, CASE_CONDITION_DETAINED), asked), kc,
       no_subject, Rule::kNothingNamed},
      {"clearance without a screening", With(ActOf(MACHINE_CLEARANCE, 0, 1), asked), kc, no_subject,
       Rule::kNothingNamed},
      {"consent overridden for nothing", With(ActOf(MACHINE_CONSENT_OVERRIDE, 0, 1), asked), cw,
       no_subject, Rule::kNothingNamed},
      {"consent overridden for what it was overridden for",
       With(ActOf(MACHINE_CONSENT_OVERRIDE, 1, 1), LinkOf(0x66)), cw,
       [&](CaseLife&, Act& act) { act.set_subject(Bytes(asked)); }, Rule::kOtherContent},
      {"approval asked for nothing",
       With(ActOf(MACHINE_APPROVAL_CASE_PLAN, 0, APPROVAL_STATE_PENDING), asked), cw, no_subject,
       Rule::kNothingNamed},
      {"something else approved than was asked for",
       With(ActOf(MACHINE_APPROVAL_CASE_PLAN, APPROVAL_STATE_PENDING, APPROVAL_STATE_APPROVED),
            asked),
       sv, [](CaseLife&, Act& act) { act.set_subject(Bytes(LinkOf(0x66))); }, Rule::kOtherContent},
      {"the same asked for again after approval",
       With(ActOf(MACHINE_APPROVAL_CASE_PLAN, APPROVAL_STATE_APPROVED, APPROVAL_STATE_PENDING),
            LinkOf(0x66)),
       cw, [&](CaseLife&, Act& act) { act.set_subject(Bytes(asked)); }, Rule::kOtherContent},
      {"one's own request approved",
       With(ActOf(MACHINE_APPROVAL_CLOSURE, APPROVAL_STATE_PENDING, APPROVAL_STATE_APPROVED),
            asked),
       kc, [](CaseLife& life, Act&) { life.since[MACHINE_APPROVAL_CLOSURE].author = kCoordinator; },
       Rule::kOwnRequest},
      {"a step from where the case is not",
       ActOf(MACHINE_STAGE, CASE_STAGE_DEPARTED, CASE_STAGE_ARRIVED), kc,
       [](CaseLife& life, Act&) { life.at[MACHINE_STAGE] = CASE_STAGE_READY; }, Rule::kNotFromHere},
      {"a duplicate of nothing",
       [] {
         Act act = ActOf(MACHINE_STATUS, CASE_STATUS_OPEN, CASE_STATUS_DUPLICATE);
         act.set_other_case("0000000000A");
         return act;
       }(),
       kc, [](CaseLife&, Act& act) { act.clear_other_case(); }, Rule::kNothingNamed},
      {"a plan for a case that was transferred",
       ActOf(MACHINE_CONDITION, CASE_CONDITION_NORMAL, CASE_CONDITION_ON_HOLD), kc,
       [](CaseLife& life, Act&) { life.at[MACHINE_STATUS] = CASE_STATUS_TRANSFERRED; },
       Rule::kEnded},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    CaseLife life = Granted();
    if (c.act.machine() == MACHINE_STATUS) {
      life.at[MACHINE_APPROVAL_CLOSURE] = APPROVAL_STATE_UNSPECIFIED;
    }
    life.at[static_cast<std::size_t>(c.act.machine())] = c.act.from();
    Act act = c.act;
    const Verdict before = Judge(life, act, c.actor.member, c.actor.hats);
    EXPECT_FALSE(before.refused) << RuleText(*before.refused).text();
    c.take_away(life, act);
    const Verdict after = Judge(life, act, c.actor.member, c.actor.hats);
    ASSERT_TRUE(after.refused);
    EXPECT_EQ(*after.refused, c.want) << RuleText(*after.refused).text();
  }
}

SignedAct Closing(ClosureReason reason, std::uint64_t seq) {
  return By(With(Because(ActOf(MACHINE_STAGE, CASE_STAGE_ACCEPTED, CASE_STAGE_CLOSED), reason),
                 LinkOf(0x33)),
            kCoordinator, kCoordinatorHat, seq);
}
std::vector<SignedAct> WithApprovedClosure() {
  const base::Link closure = LinkOf(0x44);
  return {By(With(ActOf(MACHINE_APPROVAL_CLOSURE, 0, APPROVAL_STATE_PENDING), closure), kCaseworker,
             kCaseworkerHat, 5),
          By(With(ActOf(MACHINE_APPROVAL_CLOSURE, APPROVAL_STATE_PENDING, APPROVAL_STATE_APPROVED),
                  closure),
             kOtherCoordinator, kCoordinatorHat, 6)};
}
CaseBegin Accepted() {
  CaseBegin begin;
  begin.set_stage(CASE_STAGE_ACCEPTED);
  return begin;
}

TEST(CaseLife, ADeathIsClosedByTwoPeopleOnAnIncident) {
  const CaseBegin begin = Accepted();
  auto acts = WithApprovedClosure();
  acts.push_back(Closing(CLOSURE_REASON_DECEASED, 7));
  CaseLife alone = LifeAfter(&begin, acts);
  EXPECT_EQ(alone.stage(), CASE_STAGE_ACCEPTED);
  ASSERT_EQ(alone.waiting.size(), 1u);
  EXPECT_TRUE(alone.refused.empty());

  acts.back().assents = {{kCoordinator, kCoordinatorHat, 8}};
  EXPECT_EQ(LifeAfter(&begin, acts).stage(), CASE_STAGE_ACCEPTED) << "one's own assent";
  acts.back().assents = {{kCaseworker, kCaseworkerHat, 8}};
  EXPECT_EQ(LifeAfter(&begin, acts).stage(), CASE_STAGE_ACCEPTED) << "a caseworker's assent";
  acts.back().assents.push_back({kSupervisor, kSupervisorHat, 9});
  const CaseLife two = LifeAfter(&begin, acts);
  EXPECT_EQ(two.stage(), CASE_STAGE_CLOSED);
  EXPECT_EQ(two.status(), CASE_STATUS_CLOSED);
  EXPECT_TRUE(two.waiting.empty());

  // What happened before the second assented is judged first.
  acts.push_back(
      By(With(ActOf(MACHINE_CONDITION, CASE_CONDITION_NORMAL, CASE_CONDITION_INTERRUPTED),
              LinkOf(0x22)),
         kCoordinator, kCoordinatorHat, 8));
  const CaseLife moved = LifeAfter(&begin, acts);
  EXPECT_EQ(moved.stage(), CASE_STAGE_ACCEPTED);
  ASSERT_EQ(moved.refused.size(), 1u);
  EXPECT_EQ(moved.refused[0].act.link, LinkOf(7));

  // Any other reason needs one coordinator, and the incident is needed for this one alone.
  acts = WithApprovedClosure();
  acts.push_back(Closing(CLOSURE_REASON_SETTLED, 7));
  EXPECT_EQ(LifeAfter(&begin, acts).stage(), CASE_STAGE_CLOSED);
  acts.back() = Closing(CLOSURE_REASON_REFOULED, 7);
  acts.back().act.clear_subject();
  ASSERT_EQ(LifeAfter(&begin, acts).refused.size(), 1u);
}

TEST(CaseLife, ConsentIsOverriddenByTwoAndUntilItIsReviewed) {
  std::vector<SignedAct> acts = {By(With(ActOf(MACHINE_CONSENT_OVERRIDE, 0, 1), LinkOf(0x33)),
                                    kCaseworker, kCaseworkerHat, 3)};
  const CaseLife alone = LifeAfter(nullptr, acts);
  EXPECT_EQ(alone[MACHINE_CONSENT_OVERRIDE], 0u);
  EXPECT_EQ(alone.waiting.size(), 1u);
  acts.back().assents = {{kSupervisor, kSupervisorHat, 4}};
  const CaseLife two = LifeAfter(nullptr, acts);
  EXPECT_EQ(two[MACHINE_CONSENT_OVERRIDE], 1u);
  EXPECT_EQ(two.since[MACHINE_CONSENT_OVERRIDE].subject, LinkOf(0x33));
  // Another one takes its place once two agree to it.
  acts.push_back(By(With(ActOf(MACHINE_CONSENT_OVERRIDE, 1, 1), LinkOf(0x34)), kCaseworker,
                    kCaseworkerHat, 5));
  EXPECT_EQ(LifeAfter(nullptr, acts).since[MACHINE_CONSENT_OVERRIDE].subject, LinkOf(0x33));
  acts.back().assents = {{kCoordinator, kCoordinatorHat, 6}};
  EXPECT_EQ(LifeAfter(nullptr, acts).since[MACHINE_CONSENT_OVERRIDE].subject, LinkOf(0x34));
  acts.push_back(By(ActOf(MACHINE_CONSENT_OVERRIDE, 1, 0), kSupervisor, kSupervisorHat, 7));
  EXPECT_EQ(LifeAfter(nullptr, acts)[MACHINE_CONSENT_OVERRIDE], 0u) << "one ends it";
  // Also where the case is over for everything else.
  CaseLife ended = two;
  ended.at[MACHINE_STATUS] = CASE_STATUS_TRANSFERRED;
  EXPECT_FALSE(
      Judge(ended, ActOf(MACHINE_CONSENT_OVERRIDE, 1, 0), kSupervisor, kSupervisorHat).refused);
  EXPECT_EQ(*Judge(ended, With(ActOf(MACHINE_CONSENT_OVERRIDE, 1, 1), LinkOf(0x34)), kCaseworker,
                   kCaseworkerHat)
                 .refused,
            Rule::kEnded);
}

TEST(CaseLife, AnIllegalActCountsForNothingAndIsKept) {
  std::vector<SignedAct> acts = {
      By(ActOf(MACHINE_CONSENT_STORE_IDENTITY, 0, ANSWER_YES), kCaseworker, kCaseworkerHat, 3),
      By(ActOf(MACHINE_STAGE, CASE_STAGE_CONTACT, CASE_STAGE_SCREENING), kSupervisor,
         kSupervisorHat, 4),
      By(ActOf(MACHINE_STAGE, CASE_STAGE_CONTACT, CASE_STAGE_SCREENING), kCaseworker,
         kCaseworkerHat, 5)};
  const CaseLife life = LifeAfter(nullptr, acts);
  EXPECT_EQ(life.stage(), CASE_STAGE_SCREENING);
  EXPECT_EQ(life.last, LinkOf(5));
  ASSERT_EQ(life.refused.size(), 1u);
  EXPECT_EQ(life.refused[0].act.link, LinkOf(4));
  EXPECT_EQ(life.refused[0].rule, Rule::kWrongActor);
}

TEST(CaseLife, AnApprovedClosureIsAClosedCaseUntilItIsReopened) {
  const CaseBegin begin = Accepted();
  auto acts = WithApprovedClosure();
  EXPECT_EQ(LifeAfter(&begin, acts).status(), CASE_STATUS_CLOSED);
  acts.push_back(Closing(CLOSURE_REASON_UNREACHABLE, 7));
  acts.push_back(By(Because(ActOf(MACHINE_STATUS, CASE_STATUS_CLOSED, CASE_STATUS_OPEN),
                            CLOSURE_REASON_UNREACHABLE),
                    kCoordinator, kCoordinatorHat, 8));
  acts.push_back(By(Because(ActOf(MACHINE_STAGE, CASE_STAGE_CLOSED, CASE_STAGE_PLANNING),
                            CLOSURE_REASON_UNREACHABLE),
                    kCoordinator, kCoordinatorHat, 9));
  const CaseLife life = LifeAfter(&begin, acts);
  EXPECT_TRUE(life.refused.empty());
  EXPECT_EQ(life.status(), CASE_STATUS_OPEN);
  EXPECT_EQ(life.stage(), CASE_STAGE_PLANNING);
  Summary summary;
  EXPECT_TRUE(WriteLife(life, summary));
  EXPECT_EQ(summary.workflow(), WORKFLOW_REOPENED);
  EXPECT_EQ(summary.state_link(), Bytes(LinkOf(9)));
  EXPECT_FALSE(WriteLife(life, summary)) << "what says the same is not written again";
}

TEST(CaseLife, APersonsAnswersAreFactsWhateverWasWrittenBefore) {
  // Two devices wrote without knowing of each other: both begin at "not asked".
  const std::vector<SignedAct> acts = {
      By(ActOf(MACHINE_CONSENT_TRACING, 0, ANSWER_YES), kCaseworker, kCaseworkerHat, 3),
      By(ActOf(MACHINE_CONSENT_TRACING, 0, ANSWER_NO), kCaseworker, kCaseworkerHat, 4)};
  const CaseLife life = LifeAfter(nullptr, acts);
  EXPECT_TRUE(life.refused.empty());
  EXPECT_EQ(life[MACHINE_CONSENT_TRACING], static_cast<std::uint32_t>(ANSWER_NO));
}

TEST(CaseLife, AHatIsARoleThatOneIsListedFor) {
  const auto both = static_cast<protocol::Roles>(protocol::kCaseworker | protocol::kSupervisor);
  EXPECT_EQ(HatsOf(both, protocol::kFull), kCaseworkerHat);
  EXPECT_EQ(HatsOf(both, protocol::kReadWrite), kSupervisorHat);
  EXPECT_EQ(HatsOf(protocol::kCoordinator, protocol::kFull), kCoordinatorHat);
  EXPECT_EQ(HatsOf(protocol::kCoordinator, protocol::kReadWrite), kNoHat);
  EXPECT_EQ(HatsOf(protocol::kCaseworker, 0), kNoHat);
}

TEST(CaseLife, AnImportBeginsWhereItSaysButNeverClosed) {
  CaseBegin begin;
  begin.set_stage(CASE_STAGE_SETTLING);
  begin.mutable_consent()->set_services(ANSWER_YES);
  EXPECT_EQ(NewLife(&begin).stage(), CASE_STAGE_SETTLING);
  EXPECT_EQ(NewLife(&begin)[MACHINE_CONSENT_SERVICES], static_cast<std::uint32_t>(ANSWER_YES));
  begin.set_stage(CASE_STAGE_CLOSED);
  EXPECT_EQ(NewLife(&begin).stage(), CASE_STAGE_CONTACT);
}

}  // namespace
}  // namespace godwit::client
