#include "client/case_acts.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "client/casework/assign.h"
#include "client/consents.h"
#include "client/day.h"
#include "client/transitions.h"
#include "crypto/random.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using content::v1::Machine;
using content::v1::Record;
using protocol::Compartment;
using protocol::Kind;

constexpr std::uint64_t kAssentMs = std::uint64_t{72} * 60 * 60 * 1000;

struct Purpose {
  Machine machine;
  content::v1::Answer (content::v1::Consent::*answer)() const;
  void (content::v1::Consent::*set)(content::v1::Answer);
};
constexpr std::array<Purpose, 7> kPurposes{{
    {content::v1::MACHINE_CONSENT_SERVICES, &content::v1::Consent::services,
     &content::v1::Consent::set_services},
    {content::v1::MACHINE_CONSENT_STORE_IDENTITY, &content::v1::Consent::store_identity,
     &content::v1::Consent::set_store_identity},
    {content::v1::MACHINE_CONSENT_SHARE_PARTNER, &content::v1::Consent::share_partner,
     &content::v1::Consent::set_share_partner},
    {content::v1::MACHINE_CONSENT_SHARE_AUTHORITY, &content::v1::Consent::share_authority,
     &content::v1::Consent::set_share_authority},
    {content::v1::MACHINE_CONSENT_SHARE_UNHCR, &content::v1::Consent::share_unhcr,
     &content::v1::Consent::set_share_unhcr},
    {content::v1::MACHINE_CONSENT_REPORTING_AGGREGATE, &content::v1::Consent::reporting_aggregate,
     &content::v1::Consent::set_reporting_aggregate},
    {content::v1::MACHINE_CONSENT_TRACING, &content::v1::Consent::tracing,
     &content::v1::Consent::set_tracing},
}};

Machine MachineOf(Approvable what) {
  switch (what) {
    case Approvable::kAssessment:
      return content::v1::MACHINE_APPROVAL_ASSESSMENT;
    case Approvable::kCasePlan:
      return content::v1::MACHINE_APPROVAL_CASE_PLAN;
    case Approvable::kClosure:
      return content::v1::MACHINE_APPROVAL_CLOSURE;
  }
  return content::v1::MACHINE_UNSPECIFIED;
}

Record::BodyCase BodyOfApprovable(Approvable what) {
  switch (what) {
    case Approvable::kAssessment:
      return Record::kAssessment;
    case Approvable::kCasePlan:
      return Record::kCasePlan;
    case Approvable::kClosure:
      return Record::kClosure;
  }
  return Record::BODY_NOT_SET;
}

base::Result<VaultFile> OpenCases(Organisation& organisation, Kind kind, std::string_view code) {
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  return OpenCaseFile(**cases, kind, code, From::kService);
}

// Writes wishes to a case, with what goes before them.
base::Result<Written> Write(Organisation& organisation, const VaultFile& file,
                            const std::vector<Wish>& wishes, std::string what,
                            std::vector<PendingEdit> before = {}) {
  Realm& realm = **organisation.Get(Compartment::kCases);
  Pending pending;
  pending.vault = file.id();
  pending.what = std::move(what);
  pending.edits = std::move(before);
  if (const auto added = AddActs(realm, file, wishes, pending); !added) return added.error();
  return Submit(realm, std::move(pending));
}

// The newest record of a kind, by when it was written to the vault.
const VaultFile::Entry* Newest(const VaultFile& file, Record::BodyCase body) {
  const VaultFile::Entry* newest = nullptr;
  std::uint64_t at = 0;
  for (const auto* entry : file.Of(body)) {
    const auto* version = file.view() == nullptr ? nullptr : file.view()->Latest(entry->record);
    const std::uint64_t seq =
        entry->waits || version == nullptr ? ~std::uint64_t{0} : version->header.seq;
    if (newest == nullptr || seq >= at) {
      newest = entry;
      at = seq;
    }
  }
  return newest;
}

base::Result<base::Link> LinkOfRecord(const VaultFile& file,
                                      const std::optional<base::RecordId>& record) {
  if (!record) return base::Link();
  const auto* entry = file.Find(*record);
  if (entry == nullptr) {
    return Error(Code::kNotFound, "the case has no such record: see `godwit case show`");
  }
  if (!entry->signed_content) {
    return Error(Code::kUnavailable,
                 "the record that this rests on waits to be sent itself: run `godwit sync` first");
  }
  return entry->link;
}

// After all that stands: acts, and the ASSENTs to them.
std::uint64_t SeqAfter(const ActsOfCase& acts) {
  std::uint64_t seq = 0;
  for (const SignedAct& act : acts.acts) {
    seq = std::max(seq, act.seq + 1);
    for (const auto& assent : act.assents) seq = std::max(seq, assent.seq + 1);
  }
  return seq;
}

}  // namespace

Status AddActs(Realm& realm, const VaultFile& file, const std::vector<Wish>& wishes,
               Pending& pending) {
  const auto* pinned = file.Pinned();
  if (pinned == nullptr) return Error(Code::kDecrypt, "a case has no summary");
  ActsOfCase acts = file.acts();
  for (const Wish& wish : wishes) {
    const CaseLife life = acts.Life();
    content::v1::Act act;
    act.set_machine(wish.machine);
    act.set_from(wish.machine == content::v1::MACHINE_STATUS
                     ? static_cast<std::uint32_t>(life.status())
                     : life[wish.machine]);
    act.set_to(wish.to);
    act.set_reason(wish.reason);
    act.set_other_case(wish.other_case);
    act.set_written_ms(base::SystemClock().NowMs());
    if (!wish.subject.IsZero()) act.set_subject(base::ToString(wish.subject.bytes()));
    if (wish.subject_is_previous) {
      // Named once its entry is signed; until then by its id, so that it is something.
      const auto id = pending.edits.back().record.bytes();
      std::array<std::uint8_t, 32> stand_in{};
      std::copy(id.begin(), id.end(), stand_in.begin());
      act.set_subject(base::ToString(stand_in));
    }
    const Verdict verdict = Judge(life, act, realm.member(), file.hats());
    if (verdict.refused) return RefusedAct(*verdict.refused);
    const std::uint64_t seq = SeqAfter(acts);
    acts.acts.push_back({act, realm.member(), file.hats(), seq, {}, {}});
    NewAct made = MakeAct(std::move(act));
    pending.edits.push_back(
        {made.record, std::nullopt, std::move(made.content), wish.subject_is_previous});
  }
  Record summary = pinned->content;
  WriteLife(acts.Life(), *summary.mutable_summary());
  PendingEdit edit = VaultFile::Change(*pinned, std::move(summary));
  edit.names_previous = !wishes.empty();
  pending.edits.push_back(std::move(edit));
  return {};
}

base::Result<Written> MoveStage(Organisation& organisation, std::string_view code,
                                content::v1::CaseStage to, content::v1::ClosureReason reason,
                                std::optional<base::RecordId> rests_on) {
  const auto file = OpenCases(organisation, Kind::kCase, code);
  if (!file) return file.error();
  const auto subject = LinkOfRecord(*file, rests_on);
  if (!subject) return subject.error();
  return Write(organisation, *file,
               {{.machine = content::v1::MACHINE_STAGE,
                 .to = static_cast<std::uint32_t>(to),
                 .reason = reason,
                 .subject = *subject}},
               "case stage");
}

base::Result<Written> MoveCondition(Organisation& organisation, std::string_view code,
                                    content::v1::CaseCondition to,
                                    std::optional<base::RecordId> rests_on) {
  const auto file = OpenCases(organisation, Kind::kCase, code);
  if (!file) return file.error();
  const auto subject = LinkOfRecord(*file, rests_on);
  if (!subject) return subject.error();
  return Write(organisation, *file,
               {{.machine = content::v1::MACHINE_CONDITION,
                 .to = static_cast<std::uint32_t>(to),
                 .subject = *subject}},
               "case condition");
}

base::Result<Written> AskApproval(Organisation& organisation, std::string_view code,
                                  Approvable what) {
  const auto file = OpenCases(organisation, Kind::kCase, code);
  if (!file) return file.error();
  auto content =
      OpenCases(organisation, what == Approvable::kClosure ? Kind::kCase : Kind::kSensitive, code);
  if (!content) return content.error();
  const auto* newest = Newest(*content, BodyOfApprovable(what));
  if (newest == nullptr) {
    return Error(Code::kNotFound,
                 "there is nothing to approve yet: write it first (`godwit assessment`, `godwit "
                 "plan`, `godwit case close`)");
  }
  if (newest->waits) {
    return Error(Code::kUnavailable,
                 "what shall be approved waits to be sent itself: run `godwit sync`, then ask");
  }
  return Write(organisation, *file,
               {{.machine = MachineOf(what),
                 .to = content::v1::APPROVAL_STATE_PENDING,
                 .subject = newest->link}},
               "case ask");
}

base::Result<Written> Decide(Organisation& organisation, std::string_view code, Approvable what,
                             bool yes) {
  const auto file = OpenCases(organisation, Kind::kCase, code);
  if (!file) return file.error();
  const CaseLife life = file->Life();
  const base::Link asked = life.since[static_cast<std::size_t>(MachineOf(what))].subject;
  // A coordinator who approves a closure reads it in the case itself.
  auto content =
      OpenCases(organisation, what == Approvable::kClosure ? Kind::kCase : Kind::kSensitive, code);
  if (!content) return content.error();
  const auto* newest = Newest(*content, BodyOfApprovable(what));
  if (life[MachineOf(what)] == content::v1::APPROVAL_STATE_PENDING &&
      (newest == nullptr || newest->link != asked)) {
    return Error(Code::kConflict,
                 "what shall be approved was changed since it was asked for: its caseworker asks "
                 "again (`godwit case ask`)");
  }
  return Write(organisation, *file,
               {{.machine = MachineOf(what),
                 .to = static_cast<std::uint32_t>(yes ? content::v1::APPROVAL_STATE_APPROVED
                                                      : content::v1::APPROVAL_STATE_REJECTED),
                 .subject = asked}},
               "case assent");
}

content::v1::ApprovalState ApprovalNow(const CaseLife& life, const VaultFile* sensitive,
                                       Approvable what) {
  const auto state = static_cast<content::v1::ApprovalState>(life[MachineOf(what)]);
  if (state != content::v1::APPROVAL_STATE_APPROVED || sensitive == nullptr ||
      what == Approvable::kClosure) {
    return state;
  }
  const auto* newest = Newest(*sensitive, BodyOfApprovable(what));
  const auto& approved = life.since[static_cast<std::size_t>(MachineOf(what))].subject;
  const bool current = newest != nullptr && !newest->waits && newest->link == approved;
  return current ? state : content::v1::APPROVAL_STATE_PENDING;
}

base::Result<bool> RenewApprovals(Organisation& organisation, std::string_view code) {
  auto sensitive = OpenCases(organisation, Kind::kSensitive, code);
  if (!sensitive && sensitive.error().code() == Code::kNotFound) return false;
  if (!sensitive) return sensitive.error();
  const auto file = OpenCases(organisation, Kind::kCase, code);
  if (!file) return file.error();
  const CaseLife life = file->Life();
  std::vector<Wish> wishes;
  for (const Approvable what : {Approvable::kAssessment, Approvable::kCasePlan}) {
    if (life[MachineOf(what)] != content::v1::APPROVAL_STATE_APPROVED ||
        ApprovalNow(life, &*sensitive, what) == content::v1::APPROVAL_STATE_APPROVED) {
      continue;
    }
    const auto* newest = Newest(*sensitive, BodyOfApprovable(what));
    if (newest == nullptr || newest->waits) continue;
    wishes.push_back({.machine = MachineOf(what),
                      .to = content::v1::APPROVAL_STATE_PENDING,
                      .subject = newest->link});
  }
  if (wishes.empty()) return false;
  const auto written = Write(organisation, *file, wishes, "case ask");
  if (!written) return written.error();
  return true;
}

base::Result<ClosedWritten> CloseCase(Organisation& organisation, std::string_view code,
                                      const Closing& closing) {
  using content::v1::APPROVAL_STATE_APPROVED;
  using content::v1::APPROVAL_STATE_PENDING;
  auto opened = OpenCases(organisation, Kind::kCase, code);
  if (!opened) return opened.error();
  VaultFile& file = *opened;
  const CaseLife life = file.Life();
  const auto approval = life[content::v1::MACHINE_APPROVAL_CLOSURE];
  const bool early = life.stage() == content::v1::CASE_STAGE_CONTACT ||
                     life.stage() == content::v1::CASE_STAGE_SCREENING;
  const bool coordinator = (file.hats() & kCoordinatorHat) != 0;
  const bool caseworker = (file.hats() & kCaseworkerHat) != 0;
  const auto incident = LinkOfRecord(file, closing.incident);
  if (!incident) return incident.error();
  if (closing.incident && file.Find(*closing.incident)->content.incident().verification() !=
                              content::v1::VERIFICATION_VERIFIED) {
    return Error(Code::kPermissionDenied,
                 "the incident that this closure rests on is not verified yet: record that first");
  }

  std::vector<Wish> wishes;
  std::vector<PendingEdit> before;
  const auto* record = Newest(file, Record::kClosure);
  auto reason = closing.reason;
  if (reason == content::v1::CLOSURE_REASON_UNSPECIFIED && record != nullptr) {
    reason = record->content.closure().reason();
  }
  const Wish stage{.machine = content::v1::MACHINE_STAGE,
                   .to = content::v1::CASE_STAGE_CLOSED,
                   .reason = reason,
                   .subject = *incident};
  ClosedWritten result;
  if (early && (coordinator || life.stage() == content::v1::CASE_STAGE_CONTACT)) {
    wishes.push_back(stage);
    result.how = Closed::kClosed;
  } else if (caseworker && approval != APPROVAL_STATE_PENDING &&
             approval != APPROVAL_STATE_APPROVED) {
    if (closing.reason == content::v1::CLOSURE_REASON_UNSPECIFIED) {
      return RefusedAct(Rule::kReasonMissing);
    }
    Record content;
    auto& closure = *content.mutable_closure();
    closure.set_reason(closing.reason);
    closure.set_date_day(DayNow());
    closure.set_follow_up_agreed(closing.follow_up_agreed);
    before.push_back(VaultFile::Add(std::move(content)));
    wishes.push_back({.machine = content::v1::MACHINE_APPROVAL_CLOSURE,
                      .to = APPROVAL_STATE_PENDING,
                      .subject_is_previous = true});
    result.how = Closed::kAsked;
  } else {
    if (approval == APPROVAL_STATE_PENDING) {
      wishes.push_back({.machine = content::v1::MACHINE_APPROVAL_CLOSURE,
                        .to = APPROVAL_STATE_APPROVED,
                        .subject = life.since[content::v1::MACHINE_APPROVAL_CLOSURE].subject});
      result.how = Closed::kApproved;
    } else if (approval != APPROVAL_STATE_APPROVED) {
      return Error(Code::kPermissionDenied,
                   "nobody asked for this closure yet: its caseworker does, with `godwit case "
                   "close`");
    }
    if (coordinator) {
      wishes.push_back(stage);
      const bool grave = reason == content::v1::CLOSURE_REASON_REFOULED ||
                         reason == content::v1::CLOSURE_REASON_DECEASED;
      result.how = grave ? Closed::kWaitsForSecond : Closed::kClosed;
    }
    if (wishes.empty()) {
      return Error(Code::kPermissionDenied,
                   "the closure is approved: a coordinator closes the case");
    }
  }
  const auto written = Write(organisation, file, wishes, "case close", std::move(before));
  if (!written) return written.error();
  result.queued = written->queued;
  return result;
}

base::Result<Written> ReopenCase(Organisation& organisation, std::string_view code,
                                 content::v1::ClosureReason reason) {
  const auto file = OpenCases(organisation, Kind::kCase, code);
  if (!file) return file.error();
  const CaseLife life = file->Life();
  std::vector<Wish> wishes;
  if (life.stage() != content::v1::CASE_STAGE_CLOSED ||
      life[content::v1::MACHINE_APPROVAL_CLOSURE] == content::v1::APPROVAL_STATE_APPROVED) {
    wishes.push_back({.machine = content::v1::MACHINE_STATUS,
                      .to = content::v1::CASE_STATUS_OPEN,
                      .reason = reason});
  }
  if (life.stage() == content::v1::CASE_STAGE_CLOSED) {
    wishes.push_back({.machine = content::v1::MACHINE_STAGE,
                      .to = content::v1::CASE_STAGE_PLANNING,
                      .reason = reason});
  }
  return Write(organisation, *file, wishes, "case reopen");
}

base::Result<Written> MergeCase(Organisation& organisation, std::string_view code,
                                std::string_view into) {
  const auto file = OpenCases(organisation, Kind::kCase, code);
  if (!file) return file.error();
  const auto other = OpenCases(organisation, Kind::kCase, into);
  if (!other) return other.error();
  if (other->id() == file->id()) {
    return Error(Code::kInvalidArgument, "a case is no duplicate of itself");
  }
  if (other->Life().status() == content::v1::CASE_STATUS_DUPLICATE) {
    return Error(Code::kInvalidArgument, "the other case is a duplicate itself: name its original");
  }
  std::vector<Wish> wishes{{.machine = content::v1::MACHINE_STATUS,
                            .to = content::v1::CASE_STATUS_DUPLICATE,
                            .other_case = *ReadCaseCode(into)}};
  const auto stage = file->Life().stage();
  if (stage != content::v1::CASE_STAGE_CLOSED && stage != content::v1::CASE_STAGE_SCREENING) {
    wishes.push_back({.machine = content::v1::MACHINE_STAGE,
                      .to = content::v1::CASE_STAGE_CLOSED,
                      .reason = content::v1::CLOSURE_REASON_DUPLICATE});
  }
  return Write(organisation, *file, wishes, "case merge");
}

base::Result<Written> AssentToAct(Organisation& organisation, std::string_view code,
                                  Machine machine, const std::optional<base::Link>& subject) {
  const auto file = OpenCases(organisation, Kind::kCase, code);
  if (!file) return file.error();
  CaseLife life = file->Life();
  Realm& realm = **organisation.Get(Compartment::kCases);
  std::erase_if(life.waiting, [&](const SignedAct& each) {
    return each.act.machine() != machine ||
           (subject && each.act.subject() != base::ToString(subject->bytes()));
  });
  if (life.waiting.empty()) {
    return Error(Code::kNotFound, "nothing of that kind waits for a second person in this case");
  }
  const SignedAct& act = life.waiting.back();
  if (act.author == realm.member()) {
    return Error(Code::kPermissionDenied, "the second person is another than the first");
  }
  if ((file->hats() & (kSupervisorHat | kCoordinatorHat)) == 0) {
    return Error(Code::kPermissionDenied, "a supervisor or another coordinator assents to this");
  }
  if (act.act.written_ms() + kAssentMs < base::SystemClock().NowMs()) {
    return Error(Code::kPermissionDenied,
                 "this has waited for more than 72 hours: whoever wants it writes it anew");
  }
  // The summary says what the acts make with this ASSENT.
  ActsOfCase acts = file->acts();
  for (SignedAct& each : acts.acts) {
    if (each.link != act.link) continue;
    each.assents.push_back({realm.member(), file->hats(), SeqAfter(acts)});
  }
  const CaseLife after = acts.Life();
  for (const auto& refused : after.refused) {
    // The case moved since it was written.
    if (refused.act.link == act.link) return RefusedAct(refused.rule);
  }
  Record summary = file->Pinned()->content;
  WriteLife(after, *summary.mutable_summary());
  Pending assent;
  assent.vault = file->id();
  assent.what = "case assent";
  assent.assent = act.link;
  assent.edits.push_back(VaultFile::Change(*file->Pinned(), std::move(summary)));
  return Submit(realm, std::move(assent));
}

base::Result<Written> ReviewOverride(Organisation& organisation, std::string_view code) {
  const auto file = OpenCases(organisation, Kind::kCase, code);
  if (!file) return file.error();
  return Write(organisation, *file, {{.machine = content::v1::MACHINE_CONSENT_OVERRIDE, .to = 0}},
               "case review");
}

base::Result<Written> SetBestInterests(Organisation& organisation, std::string_view code, bool bid,
                                       bool done) {
  const auto file = OpenCases(organisation, Kind::kCase, code);
  if (!file) return file.error();
  return Write(organisation, *file,
               {{.machine = bid ? content::v1::MACHINE_BEST_INTERESTS_DETERMINATION
                                : content::v1::MACHINE_BEST_INTERESTS_ASSESSMENT,
                 .to = done ? 1U : 0U}},
               "case best-interests");
}

namespace {

// A consent that says what was given last.
Record GivenConsent(const VaultFile& person) {
  Record record;
  MakeBody(Record::kConsent, record);
  for (const auto* entry : person.Of(Record::kConsent)) {
    if (entry->content.consent().state() != content::v1::CONSENT_STATE_GIVEN) continue;
    *record.mutable_consent() = entry->content.consent();
  }
  return record;
}

// One thing to do for each referral and transfer that a consent covers no more: to tell the
// receiver.
// `again`: this was told already, so that a task which is done stays so.
std::vector<PendingEdit> TasksOnSharing(Realm& realm, const VaultFile& case_file,
                                        const content::v1::Consent& consent, bool again) {
  std::vector<PendingEdit> tasks;
  for (const auto* shared : LiveTransitions(case_file, DayNow())) {
    if (SharingOf(&consent, shared->content.transition(), DayNow()) == Sharing::kCovered) continue;
    const std::string cause = base::ToString(shared->link.bytes());
    const auto there = case_file.Of(Record::kTask);
    if (std::ranges::any_of(there, [&](const auto* entry) {
          const auto& task = entry->content.task();
          return (again || !task.done()) && task.cause() == cause;
        })) {
      continue;
    }
    Record record;
    auto& task = *record.mutable_task();
    task.set_kind(content::v1::TASK_KIND_CONSENT_WITHDRAWN);
    task.set_to(base::ToString(realm.member().bytes()));
    task.set_cause(cause);
    tasks.push_back(VaultFile::Add(std::move(record)));
  }
  return tasks;
}

// Writes a consent to the person and its answers to the case; `again`: the person has it, and the
// case what is missing there.
base::Result<Written> WriteConsent(Organisation& organisation, std::string_view code,
                                   VaultFile& person, Record record, bool again = false) {
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  const auto file = OpenCases(organisation, Kind::kCase, code);
  if (!file) return file.error();
  const CaseLife life = file->Life();
  const content::v1::Consent consent = record.consent();
  std::vector<Wish> wishes;
  for (const Purpose& purpose : kPurposes) {
    const auto answer = static_cast<std::uint32_t>((consent.*purpose.answer)());
    if (answer == 0 || answer == life[purpose.machine]) continue;
    wishes.push_back({.machine = purpose.machine, .to = answer});
  }
  Pending pending;
  pending.vault = person.id();
  pending.what = "consent";
  // What was given before is superseded, and stays.
  for (const auto* entry : person.Of(Record::kConsent)) {
    if (entry->content.consent().state() != content::v1::CONSENT_STATE_GIVEN) continue;
    Record before = entry->content;
    before.mutable_consent()->set_state(content::v1::CONSENT_STATE_SUPERSEDED);
    pending.edits.push_back(VaultFile::Change(*entry, std::move(before)));
  }
  pending.edits.push_back(VaultFile::Add(std::move(record)));
  // Before anything is written: whether the case takes it.
  Pending probe;
  probe.vault = file->id();
  if (const auto fits = AddActs(**organisation.Get(Compartment::kCases), *file, wishes, probe);
      !fits) {
    return fits.error();
  }
  auto tasks = TasksOnSharing(**organisation.Get(Compartment::kCases), *file, consent, again);
  auto written = again ? base::Result<Written>(Written{}) : Submit(**identity, std::move(pending));
  if (!written || (wishes.empty() && tasks.empty())) return written;
  const auto in_case = Write(organisation, *file, wishes, "consent", std::move(tasks));
  if (!in_case) return in_case.error();
  return Written{written->queued || in_case->queued};
}

}  // namespace

base::Result<Written> RecordConsent(Organisation& organisation, std::string_view code,
                                    const std::vector<Change>& changes) {
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  auto person = OpenCaseFile(**identity, Kind::kPerson, code, From::kService);
  if (!person) return person.error();
  // Purposes that nobody asked about again stay as they were answered.
  Record record = GivenConsent(*person);
  record.mutable_consent()->set_given_day(DayNow());
  record.mutable_consent()->set_state(content::v1::CONSENT_STATE_GIVEN);
  record.mutable_consent()->clear_withdrawn_day();
  if (const auto set = AssignAll(changes, record); !set) return set.error();
  const auto state = record.consent().state();
  if (state != content::v1::CONSENT_STATE_GIVEN && state != content::v1::CONSENT_STATE_ASKED &&
      state != content::v1::CONSENT_STATE_DECLINED) {
    return Error(
        Code::kInvalidArgument,
        "a consent is given, asked for or declined: `godwit consent CODE --withdraw` takes "
        "it back, and the other states follow by themselves");
  }
  const auto* current = CurrentConsent(*person);
  const bool given =
      current != nullptr && current->content.consent().state() == content::v1::CONSENT_STATE_GIVEN;
  if (given && state != content::v1::CONSENT_STATE_GIVEN) {
    return Error(Code::kInvalidArgument,
                 "the person agreed before: what they take back is withdrawn (`godwit consent CODE "
                 "--withdraw`), and single purposes are answered no");
  }
  return WriteConsent(organisation, code, *person, std::move(record));
}

base::Result<Written> WithdrawConsent(Organisation& organisation, std::string_view code) {
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  auto person = OpenCaseFile(**identity, Kind::kPerson, code, From::kService);
  if (!person) return person.error();
  // Told twice, it was taken back on the first day; what the case lacks of it is written.
  const auto* current = CurrentConsent(*person);
  const bool again = current != nullptr &&
                     current->content.consent().state() == content::v1::CONSENT_STATE_WITHDRAWN;
  if (again) return WriteConsent(organisation, code, *person, current->content, true);
  Record record = GivenConsent(*person);
  auto& consent = *record.mutable_consent();
  for (const Purpose& purpose : kPurposes) {
    if ((consent.*purpose.answer)() == content::v1::ANSWER_YES) {
      (consent.*purpose.set)(content::v1::ANSWER_NO);
    }
  }
  consent.set_withdrawn_day(DayNow());
  consent.set_state(content::v1::CONSENT_STATE_WITHDRAWN);
  return WriteConsent(organisation, code, *person, std::move(record));
}

base::Result<Written> RecordScreening(Organisation& organisation, std::string_view code,
                                      const std::vector<Change>& changes) {
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  Realm& realm = **cases;
  const auto file = OpenCaseFile(realm, Kind::kCase, code, From::kService);
  if (!file) return file.error();
  if ((file->hats() & kCoordinatorHat) == 0) return RefusedAct(Rule::kWrongActor);
  auto screening = OpenCaseFile(realm, Kind::kScreening, code, From::kService);
  if (!screening && screening.error().code() != Code::kNotFound) return screening.error();

  Record record;
  MakeBody(Record::kSecurityScreening, record);
  const VaultFile::Entry* before = nullptr;
  if (screening) {
    const auto found = screening->Of(Record::kSecurityScreening);
    if (!found.empty()) before = found.front();
  }
  if (before != nullptr) record = before->content;
  record.mutable_security_screening()->set_written_ms(base::SystemClock().NowMs());
  if (const auto set = AssignAll(changes, record); !set) return set.error();
  const auto state = record.security_screening().state();
  const bool clear =
      state == content::v1::SCREENING_STATE_CLEAR ||
      (state == content::v1::SCREENING_STATE_DOUBT && record.security_screening().doubt_accepted());
  Pending pending;
  if (!screening) {
    std::map<base::MemberId, protocol::Perm> members;
    const auto& roster = realm.roster();
    for (const auto& [member, row] : roster.members()) {
      if ((roster.RolesAt(member, roster.head_seq()) & protocol::kCoordinator) != 0) {
        members[member] = protocol::kFull;
      }
    }
    pending = NewPendingVault(realm, Kind::kScreening, std::move(members));
    Record link;
    link.mutable_screening_link()->set_case_code(*ReadCaseCode(code));
    pending.edits.push_back(
        {protocol::PinnedRecordOf(pending.vault), std::nullopt, std::move(link)});
  } else {
    pending.vault = screening->id();
  }
  pending.what = "screening";
  PendingEdit edit = before != nullptr ? VaultFile::Change(*before, std::move(record))
                                       : VaultFile::Add(std::move(record));
  const base::RecordId id = edit.record;
  const base::VaultId vault = pending.vault;
  pending.edits.push_back(std::move(edit));
  auto written = Submit(realm, std::move(pending));
  if (!written) return written;
  const bool open = file->Life()[content::v1::MACHINE_CLEARANCE] == 1;
  if (open == clear) return written;
  // The gate names the screening, which has its link once it stands.
  auto stands = VaultFile::Open(realm, vault, From::kDevice);
  if (!stands) return stands.error();
  const auto* entry = stands->Find(id);
  if (clear && (entry == nullptr || !entry->signed_content || entry->waits)) return written;
  const auto gate = Write(organisation, *file,
                          {{.machine = content::v1::MACHINE_CLEARANCE,
                            .to = clear ? 1U : 0U,
                            .subject = clear ? entry->link : base::Link()}},
                          "screening");
  if (!gate) return gate.error();
  return Written{written->queued || gate->queued};
}

}  // namespace godwit::client
