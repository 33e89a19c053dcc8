#include "client/casework/life.h"

#include <algorithm>

#include "base/bytes.h"

namespace godwit::client {
namespace {

using namespace content::v1;  // NOLINT: the table below is made of its names

constexpr Hats kCw = kCaseworkerHat;
constexpr Hats kSv = kSupervisorHat;
constexpr Hats kKc = kCoordinatorHat;

constexpr std::uint32_t Bit(ClosureReason reason) { return 1U << reason; }

constexpr std::uint32_t kGrave = Bit(CLOSURE_REASON_REFOULED) | Bit(CLOSURE_REASON_DECEASED);

// The clearance and best interests gates: not yet, and done.
constexpr std::uint32_t kShut = 0;
constexpr std::uint32_t kOpen = 1;

constexpr Machine kFirstConsent = MACHINE_CONSENT_SERVICES;
constexpr Machine kLastConsent = MACHINE_CONSENT_TRACING;

std::vector<Step> MakeSteps() {
  std::vector<Step> steps;
  const auto add = [&](Machine machine, std::uint32_t from, std::uint32_t to, Hats actors,
                       Needs needs = 0, std::uint32_t reasons = 0) {
    steps.push_back({machine, from, to, actors, needs, reasons});
  };
  const auto stage = [&](CaseStage from, CaseStage to, Hats actors, Needs needs = 0,
                         std::uint32_t reasons = 0) {
    add(MACHINE_STAGE, from, to, actors, needs, reasons);
  };
  stage(CASE_STAGE_CONTACT, CASE_STAGE_SCREENING, kCw, kStoreIdentityConsent);
  stage(CASE_STAGE_SCREENING, CASE_STAGE_ACCEPTED, kKc, kCleared | kServicesConsent);
  stage(CASE_STAGE_ACCEPTED, CASE_STAGE_PLANNING, kCw, kAssessmentApproved);
  stage(CASE_STAGE_PLANNING, CASE_STAGE_READY, kKc, kPlanApproved | kBestInterestsDone);
  stage(CASE_STAGE_READY, CASE_STAGE_PLANNING, kKc);
  // On messages between the desks, which these name.
  stage(CASE_STAGE_READY, CASE_STAGE_IN_TRANSIT, kKc, kSubject);
  stage(CASE_STAGE_IN_TRANSIT, CASE_STAGE_THIRD_COUNTRY, kKc, kSubject);
  stage(CASE_STAGE_IN_TRANSIT, CASE_STAGE_READY, kKc, kSubject);
  stage(CASE_STAGE_THIRD_COUNTRY, CASE_STAGE_READY, kKc);
  stage(CASE_STAGE_THIRD_COUNTRY, CASE_STAGE_DEPARTED, kKc);
  stage(CASE_STAGE_DEPARTED, CASE_STAGE_ARRIVED, kKc);
  stage(CASE_STAGE_ARRIVED, CASE_STAGE_SETTLING, kKc);
  // Whoever came alone.
  for (int from = CASE_STAGE_CONTACT; from <= CASE_STAGE_READY; ++from) {
    stage(static_cast<CaseStage>(from), CASE_STAGE_THIRD_COUNTRY, kKc);
  }
  stage(CASE_STAGE_CONTACT, CASE_STAGE_CLOSED, kCw | kKc, kReason,
        Bit(CLOSURE_REASON_DECLINED) | Bit(CLOSURE_REASON_UNREACHABLE) |
            Bit(CLOSURE_REASON_DUPLICATE));
  stage(CASE_STAGE_SCREENING, CASE_STAGE_CLOSED, kKc, kReason,
        Bit(CLOSURE_REASON_NOT_IN_REMIT) | Bit(CLOSURE_REASON_NOT_CREDIBLE));
  for (int from = CASE_STAGE_ACCEPTED; from <= CASE_STAGE_SETTLING; ++from) {
    stage(static_cast<CaseStage>(from), CASE_STAGE_CLOSED, kKc,
          kReason | kClosureApproved | kGraveByTwo);
  }
  stage(CASE_STAGE_CLOSED, CASE_STAGE_PLANNING, kKc, kReason);

  // Closed is no step: it is what a case with an approved closure is.
  add(MACHINE_STATUS, CASE_STATUS_OPEN, CASE_STATUS_TRANSFERRED, kKc, kSubject);
  add(MACHINE_STATUS, CASE_STATUS_OPEN, CASE_STATUS_DUPLICATE, kKc, kOtherCase);
  add(MACHINE_STATUS, CASE_STATUS_CLOSED, CASE_STATUS_OPEN, kKc, kReason);

  const auto condition = [&](CaseCondition from, CaseCondition to, Needs needs = 0) {
    add(MACHINE_CONDITION, from, to, kKc, needs);
  };
  condition(CASE_CONDITION_NORMAL, CASE_CONDITION_ON_HOLD);
  condition(CASE_CONDITION_ON_HOLD, CASE_CONDITION_NORMAL);
  condition(CASE_CONDITION_NORMAL, CASE_CONDITION_INTERRUPTED, kSubject);
  condition(CASE_CONDITION_ON_HOLD, CASE_CONDITION_INTERRUPTED, kSubject);
  condition(CASE_CONDITION_INTERRUPTED, CASE_CONDITION_NORMAL);
  for (const CaseCondition to : {CASE_CONDITION_DETAINED, CASE_CONDITION_MISSING}) {
    condition(CASE_CONDITION_NORMAL, to, kSubject);
    condition(CASE_CONDITION_INTERRUPTED, to, kSubject);
    condition(CASE_CONDITION_ON_HOLD, to);
    condition(to, CASE_CONDITION_NORMAL);
  }
  condition(CASE_CONDITION_DETAINED, CASE_CONDITION_MISSING);
  condition(CASE_CONDITION_MISSING, CASE_CONDITION_DETAINED);

  for (const Machine machine :
       {MACHINE_APPROVAL_ASSESSMENT, MACHINE_APPROVAL_CASE_PLAN, MACHINE_APPROVAL_CLOSURE}) {
    const Hats approvers = machine == MACHINE_APPROVAL_CLOSURE ? kSv | kKc : kSv;
    add(machine, APPROVAL_STATE_UNSPECIFIED, APPROVAL_STATE_PENDING, kCw, kSubject);
    add(machine, APPROVAL_STATE_REJECTED, APPROVAL_STATE_PENDING, kCw, kSubject);
    for (const ApprovalState to : {APPROVAL_STATE_APPROVED, APPROVAL_STATE_REJECTED}) {
      add(machine, APPROVAL_STATE_PENDING, to, approvers, kSameSubject | kOtherThanAsked);
    }
    // Asked again with what was changed meanwhile.
    add(machine, APPROVAL_STATE_PENDING, APPROVAL_STATE_PENDING, kCw, kSubject | kOtherSubject);
    add(machine, APPROVAL_STATE_APPROVED, APPROVAL_STATE_PENDING, kCw | kSv,
        kSubject | kOtherSubject);
  }

  add(MACHINE_CLEARANCE, kShut, kOpen, kKc, kSubject);
  add(MACHINE_CLEARANCE, kOpen, kShut, kKc);
  for (const Machine gate :
       {MACHINE_BEST_INTERESTS_ASSESSMENT, MACHINE_BEST_INTERESTS_DETERMINATION}) {
    add(gate, kShut, kOpen, kSv);
    add(gate, kOpen, kShut, kSv);
  }
  // What is told without consent: by whom two saw it, as it was written then, until a supervisor
  // has reviewed it. Another takes its place.
  add(MACHINE_CONSENT_OVERRIDE, kShut, kOpen, kCw, kSubject | kByTwo);
  add(MACHINE_CONSENT_OVERRIDE, kOpen, kOpen, kCw, kSubject | kOtherSubject | kByTwo);
  add(MACHINE_CONSENT_OVERRIDE, kOpen, kShut, kSv);
  // Facts: anything, at any time, whatever was said before.
  for (int machine = MACHINE_UNACCOMPANIED; machine <= kLastConsent; ++machine) {
    const Hats actors = machine == MACHINE_UNACCOMPANIED ? kCw | kSv | kKc : kCw;
    for (int from = 0; from < Answer_ARRAYSIZE; ++from) {
      for (int to = 1; to < Answer_ARRAYSIZE; ++to) {
        if (from != to) {
          add(static_cast<Machine>(machine), static_cast<std::uint32_t>(from),
              static_cast<std::uint32_t>(to), actors);
        }
      }
    }
  }
  return steps;
}

const Step* FindStep(const Act& act) {
  const auto& steps = AllSteps();
  const auto found = std::ranges::find_if(steps, [&](const Step& step) {
    return step.machine == act.machine() && step.from == act.from() && step.to == act.to();
  });
  return found == steps.end() ? nullptr : &*found;
}

base::Link SubjectOf(const Act& act) {
  return base::Link::FromBytes(base::AsBytes(act.subject())).value_or(base::Link());
}

bool IsFact(Machine machine) { return machine >= MACHINE_UNACCOMPANIED && machine <= kLastConsent; }

// What of the needs of a step is not there.
std::optional<Rule> Missing(const Step& step, const CaseLife& life, const Act& act,
                            const base::MemberId& author) {
  const auto needs = [&](Needs need) { return (step.needs & need) != 0; };
  const auto& since = life.since[static_cast<std::size_t>(act.machine())];
  const base::Link subject = SubjectOf(act);
  if (needs(kStoreIdentityConsent) && life[MACHINE_CONSENT_STORE_IDENTITY] != ANSWER_YES) {
    return Rule::kConsentMissing;
  }
  if (needs(kServicesConsent) && life[MACHINE_CONSENT_SERVICES] != ANSWER_YES) {
    return Rule::kConsentMissing;
  }
  if (needs(kCleared) && life[MACHINE_CLEARANCE] != kOpen) return Rule::kNotCleared;
  if (needs(kAssessmentApproved) && life[MACHINE_APPROVAL_ASSESSMENT] != APPROVAL_STATE_APPROVED) {
    return Rule::kNotApproved;
  }
  if (needs(kPlanApproved) && life[MACHINE_APPROVAL_CASE_PLAN] != APPROVAL_STATE_APPROVED) {
    return Rule::kNotApproved;
  }
  if (needs(kBestInterestsDone) && life[MACHINE_UNACCOMPANIED] == ANSWER_YES &&
      (life[MACHINE_BEST_INTERESTS_ASSESSMENT] != kOpen ||
       life[MACHINE_BEST_INTERESTS_DETERMINATION] != kOpen)) {
    return Rule::kBestInterestsMissing;
  }
  if (needs(kClosureApproved) && life[MACHINE_APPROVAL_CLOSURE] != APPROVAL_STATE_APPROVED &&
      life[MACHINE_STATUS] == CASE_STATUS_OPEN) {
    return Rule::kNotApproved;
  }
  if (needs(kSubject) && subject.IsZero()) return Rule::kNothingNamed;
  if (needs(kSameSubject) && subject != since.subject) return Rule::kOtherContent;
  if (needs(kOtherSubject) && subject == since.subject) return Rule::kOtherContent;
  if (needs(kOtherThanAsked) && author == since.author) return Rule::kOwnRequest;
  if (needs(kOtherCase) && act.other_case().empty()) return Rule::kNothingNamed;
  if (needs(kReason)) {
    const auto reason = act.reason();
    if (reason <= 0 || reason >= ClosureReason_ARRAYSIZE) return Rule::kReasonMissing;
    if (step.reasons != 0 && (step.reasons & Bit(reason)) == 0) return Rule::kReasonMissing;
    if (needs(kGraveByTwo) && (kGrave & Bit(reason)) != 0) {
      if (subject.IsZero()) return Rule::kNothingNamed;
      const auto condition = life[MACHINE_CONDITION];
      if (condition == CASE_CONDITION_ON_HOLD || condition == CASE_CONDITION_INTERRUPTED) {
        return Rule::kNoSuchStep;
      }
    }
  }
  return std::nullopt;
}

void Take(CaseLife& life, const SignedAct& signed_act) {
  const Act& act = signed_act.act;
  const auto set = [&](Machine machine, std::uint32_t state) {
    life.at[static_cast<std::size_t>(machine)] = state;
    life.since[static_cast<std::size_t>(machine)] = {act.written_ms(), signed_act.author,
                                                     signed_act.link, SubjectOf(act), act.reason()};
  };
  if (act.machine() == MACHINE_STATUS && act.from() == CASE_STATUS_CLOSED) {
    set(MACHINE_APPROVAL_CLOSURE, APPROVAL_STATE_UNSPECIFIED);
  }
  set(act.machine(), act.to());
  if (act.machine() == MACHINE_STAGE) {
    life.stage_since_day = static_cast<std::uint32_t>(act.written_ms() / 86'400'000);
  }
  life.last = signed_act.link;
}

Workflow WorkflowOf(const CaseLife& life) {
  if (life.status() != CASE_STATUS_OPEN) return WORKFLOW_CLOSED;
  const bool reopened = !life.since[MACHINE_STATUS].link.IsZero();
  switch (life.stage()) {
    case CASE_STAGE_CONTACT:
    case CASE_STAGE_SCREENING:
      return WORKFLOW_NEW;
    case CASE_STAGE_ACCEPTED:
      return WORKFLOW_ASSESSMENT;
    case CASE_STAGE_PLANNING:
      return reopened ? WORKFLOW_REOPENED : WORKFLOW_CASE_PLAN;
    case CASE_STAGE_SETTLING:
      return WORKFLOW_SERVICES_IMPLEMENTED;
    default:
      return WORKFLOW_SERVICE_PROVISION;
  }
}

}  // namespace

Hats HatsOf(protocol::Roles roles, protocol::Perm perm) {
  Hats hats = kNoHat;
  if (perm == protocol::kFull && (roles & protocol::kCaseworker) != 0) hats |= kCaseworkerHat;
  if (perm == protocol::kFull && (roles & protocol::kCoordinator) != 0) hats |= kCoordinatorHat;
  if (perm == protocol::kReadWrite && (roles & protocol::kSupervisor) != 0) hats |= kSupervisorHat;
  return hats;
}

std::span<const Step> AllSteps() {
  static const std::vector<Step> steps = MakeSteps();
  return steps;
}

std::uint32_t StatesOf(Machine machine) {
  switch (machine) {
    case MACHINE_STAGE:
      return CaseStage_ARRAYSIZE;
    case MACHINE_STATUS:
      return CaseStatus_ARRAYSIZE;
    case MACHINE_CONDITION:
      return CaseCondition_ARRAYSIZE;
    case MACHINE_APPROVAL_ASSESSMENT:
    case MACHINE_APPROVAL_CASE_PLAN:
    case MACHINE_APPROVAL_CLOSURE:
      return ApprovalState_ARRAYSIZE;
    case MACHINE_CLEARANCE:
    case MACHINE_BEST_INTERESTS_ASSESSMENT:
    case MACHINE_BEST_INTERESTS_DETERMINATION:
    case MACHINE_CONSENT_OVERRIDE:
      return 2;
    default:
      return machine >= MACHINE_UNACCOMPANIED && machine <= kLastConsent ? Answer_ARRAYSIZE : 0;
  }
}

base::Literal RuleText(Rule rule) {
  switch (rule) {
    case Rule::kNoSuchStep:
      return base::Literal(
          "a case does not go from there to there: `godwit case show` says where it stands, and "
          "the guide which steps there are");
    case Rule::kNotFromHere:
      return base::Literal(
          "the case does not stand where this begins: somebody moved it; look at it again");
    case Rule::kWrongActor:
      return base::Literal("this is another role's to do: the guide says whose");
    case Rule::kConsentMissing:
      return base::Literal(
          "the person's consent is missing: ask, then record it with `godwit consent`");
    case Rule::kNotCleared:
      return base::Literal(
          "the screening is not clear: a coordinator records it with `godwit screening`");
    case Rule::kNotApproved:
      return base::Literal(
          "the approval that this rests on is missing: ask for it with `godwit case ask`");
    case Rule::kBestInterestsMissing:
      return base::Literal(
          "for a child on its own, best interests come first: the supervisor records them");
    case Rule::kNothingNamed:
      return base::Literal(
          "what this rests on is not named: a message, an incident, a record or a case");
    case Rule::kOtherContent:
      return base::Literal("this is not about the content that was asked for: look at it again");
    case Rule::kOwnRequest:
      return base::Literal("nobody approves what they asked for themselves: another person does");
    case Rule::kReasonMissing:
      return base::Literal("a reason is missing, or is none of those for this step");
    case Rule::kEnded:
      return base::Literal("the case was transferred or is a duplicate: that is final");
    case Rule::kBadRecord:
      return base::Literal(
          "the record of this step was changed after it was written, or is no such record");
  }
  return "";
}

base::Error RefusedAct(Rule rule) { return {base::Code::kPermissionDenied, RuleText(rule)}; }

CaseStatus CaseLife::status() const {
  const auto stored = static_cast<CaseStatus>(at[MACHINE_STATUS]);
  const bool closed =
      stage() == CASE_STAGE_CLOSED || at[MACHINE_APPROVAL_CLOSURE] == APPROVAL_STATE_APPROVED;
  return stored == CASE_STATUS_OPEN && closed ? CASE_STATUS_CLOSED : stored;
}

CaseLife NewLife(const CaseBegin* begin) {
  CaseLife life;
  life.at[MACHINE_STAGE] = CASE_STAGE_CONTACT;
  life.at[MACHINE_STATUS] = CASE_STATUS_OPEN;
  life.at[MACHINE_CONDITION] = CASE_CONDITION_NORMAL;
  if (begin != nullptr) {
    if (begin->stage() > CASE_STAGE_UNSPECIFIED && begin->stage() < CASE_STAGE_CLOSED) {
      life.at[MACHINE_STAGE] = static_cast<std::uint32_t>(begin->stage());
    }
    const ConsentBits& bits = begin->consent();
    const auto set = [&](Machine machine, Answer answer) {
      life.at[static_cast<std::size_t>(machine)] = static_cast<std::uint32_t>(answer);
    };
    set(MACHINE_CONSENT_SERVICES, bits.services());
    set(MACHINE_CONSENT_STORE_IDENTITY, bits.store_identity());
    set(MACHINE_CONSENT_SHARE_PARTNER, bits.share_partner());
    set(MACHINE_CONSENT_SHARE_AUTHORITY, bits.share_authority());
    set(MACHINE_CONSENT_SHARE_UNHCR, bits.share_unhcr());
    set(MACHINE_CONSENT_REPORTING_AGGREGATE, bits.reporting_aggregate());
    set(MACHINE_CONSENT_TRACING, bits.tracing());
    if (begin->unaccompanied()) set(MACHINE_UNACCOMPANIED, ANSWER_YES);
    life.stage_since_day = begin->stage_since_day();
  }
  return life;
}

Verdict Judge(const CaseLife& life, const Act& act, const base::MemberId& author, Hats hats) {
  const auto no = [](Rule rule) { return Verdict{rule, false}; };
  const Step* step = FindStep(act);
  if (step == nullptr) return no(Rule::kNoSuchStep);
  const Machine machine = act.machine();
  const bool final = life[MACHINE_STATUS] != CASE_STATUS_OPEN;
  const bool ends_something = (machine == MACHINE_STAGE && act.to() == CASE_STAGE_CLOSED) ||
                              (machine == MACHINE_CONSENT_OVERRIDE && act.to() == kShut);
  if (final && !IsFact(machine) && !ends_something) return no(Rule::kEnded);
  // A fact is about the person: it is true whatever was written down before.
  const std::uint32_t here =
      machine == MACHINE_STATUS ? static_cast<std::uint32_t>(life.status()) : life[machine];
  if (here != act.from() && !IsFact(machine)) return no(Rule::kNotFromHere);
  if ((step->actors & hats) == 0) return no(Rule::kWrongActor);
  if (const auto missing = Missing(*step, life, act, author)) return no(*missing);
  const auto reason = act.reason();
  return {std::nullopt, (step->needs & kByTwo) != 0 ||
                            ((step->needs & kGraveByTwo) != 0 && (kGrave & Bit(reason)) != 0)};
}

CaseLife LifeAfter(const CaseBegin* begin, const std::vector<SignedAct>& acts) {
  CaseLife life = NewLife(begin);
  // An act of two happens when the second assents.
  struct Event {
    std::uint64_t seq;
    const SignedAct* act;
    bool assented;
  };
  std::vector<Event> events;
  const auto may_assent = [](const SignedAct& act, const SignedAct::Assent& assent) {
    return assent.member != act.author && (assent.hats & (kSv | kKc)) != 0;
  };
  for (const SignedAct& act : acts) {
    events.push_back({act.seq, &act, false});
    for (const auto& assent : act.assents) {
      if (!may_assent(act, assent)) continue;
      events.push_back({assent.seq, &act, true});
      break;
    }
  }
  std::ranges::stable_sort(events, {}, &Event::seq);
  for (const auto& [seq, act, assented] : events) {
    const auto waits = std::ranges::find(life.waiting, act->link, &SignedAct::link);
    if (assented && waits == life.waiting.end()) continue;  // refused, or needs no second
    if (assented) life.waiting.erase(waits);
    const Verdict verdict = Judge(life, act->act, act->author, act->hats);
    if (verdict.refused) {
      life.refused.push_back({*act, *verdict.refused});
    } else if (verdict.second && !assented) {
      life.waiting.push_back(*act);
    } else {
      Take(life, *act);
    }
  }
  return life;
}

bool WriteLife(const CaseLife& life, Summary& summary) {
  Summary now = summary;
  now.set_stage(life.stage());
  now.set_status(life.status());
  now.set_condition(static_cast<CaseCondition>(life[MACHINE_CONDITION]));
  now.set_workflow(WorkflowOf(life));
  if (life.stage_since_day != 0) now.set_stage_since_day(life.stage_since_day);
  const auto approval = [&](Machine machine) { return static_cast<ApprovalState>(life[machine]); };
  now.set_approval_assessment(approval(MACHINE_APPROVAL_ASSESSMENT));
  now.set_approval_case_plan(approval(MACHINE_APPROVAL_CASE_PLAN));
  now.set_approval_closure(approval(MACHINE_APPROVAL_CLOSURE));
  now.set_gate_cleared(life[MACHINE_CLEARANCE] == kOpen);
  now.set_gate_bia(life[MACHINE_BEST_INTERESTS_ASSESSMENT] == kOpen);
  now.set_gate_bid(life[MACHINE_BEST_INTERESTS_DETERMINATION] == kOpen);
  const auto answer = [&](Machine machine) { return static_cast<Answer>(life[machine]); };
  if (life[MACHINE_CONSENT_SERVICES] != 0 || now.has_consent() ||
      std::any_of(life.at.begin() + kFirstConsent, life.at.begin() + kLastConsent + 1,
                  [](std::uint32_t at) { return at != 0; })) {
    ConsentBits& consent = *now.mutable_consent();
    consent.set_services(answer(MACHINE_CONSENT_SERVICES));
    consent.set_store_identity(answer(MACHINE_CONSENT_STORE_IDENTITY));
    consent.set_share_partner(answer(MACHINE_CONSENT_SHARE_PARTNER));
    consent.set_share_authority(answer(MACHINE_CONSENT_SHARE_AUTHORITY));
    consent.set_share_unhcr(answer(MACHINE_CONSENT_SHARE_UNHCR));
    consent.set_reporting_aggregate(answer(MACHINE_CONSENT_REPORTING_AGGREGATE));
    consent.set_tracing(answer(MACHINE_CONSENT_TRACING));
  }
  auto& flags = *now.mutable_flags();
  const bool unaccompanied = life[MACHINE_UNACCOMPANIED] == ANSWER_YES;
  const auto flag = std::ranges::find(flags, static_cast<int>(CASE_FLAG_UNACCOMPANIED));
  if (unaccompanied && flag == flags.end()) flags.Add(CASE_FLAG_UNACCOMPANIED);
  if (!unaccompanied && flag != flags.end() && life[MACHINE_UNACCOMPANIED] != 0) flags.erase(flag);
  if (!life.last.IsZero()) now.set_state_link(base::ToString(life.last.bytes()));
  const bool changed = now.SerializeAsString() != summary.SerializeAsString();
  summary = std::move(now);
  return changed;
}

}  // namespace godwit::client
