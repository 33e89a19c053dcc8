#include "client/transitions.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <array>
#include <map>

#include "client/cases.h"
#include "client/casework/assign.h"
#include "client/casework/inert.h"
#include "client/consents.h"
#include "client/day.h"
#include "client/entries.h"
#include "client/partners.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using content::v1::Consent;
using content::v1::Record;
using content::v1::Transition;
using content::v1::TransitionKind;
using content::v1::TransitionState;
using protocol::Compartment;
using protocol::Kind;

// What may be told to others. Not there: what is about other people (kin, tracing requests), what
// bears on security, and what colleagues wrote to each other.
struct Root {
  std::string_view name;
  Record::BodyCase body;
  Kind vault;
  bool by_field;  // never as a whole
};
constexpr std::array<Root, 10> kRoots{{
    {"summary", Record::kSummary, Kind::kCase, true},
    {"service", Record::kService, Kind::kCase, false},
    {"identity_profile", Record::kIdentityProfile, Kind::kPerson, true},
    {"document", Record::kIdentityDocument, Kind::kPerson, false},
    {"contact", Record::kContactChannel, Kind::kPerson, false},
    {"need", Record::kSpecificNeed, Kind::kSensitive, false},
    {"assessment", Record::kAssessment, Kind::kSensitive, false},
    {"plan", Record::kCasePlan, Kind::kSensitive, false},
    {"trafficking", Record::kTraffickingContext, Kind::kSensitive, false},
    {"best-interests", Record::kBestInterests, Kind::kSensitive, false},
}};
// Of a summary, what is about the person; the rest is how the work goes.
constexpr std::array<std::string_view, 5> kOfSummary{"sex", "age_band", "population", "region_band",
                                                     "risk"};

content::v1::Answer AnswerFor(const Consent& consent, content::v1::ShareWith whom) {
  switch (whom) {
    case content::v1::SHARE_WITH_PARTNER:
      return consent.share_partner();
    case content::v1::SHARE_WITH_AUTHORITY:
      return consent.share_authority();
    case content::v1::SHARE_WITH_UNHCR:
      return consent.share_unhcr();
    default:
      return content::v1::ANSWER_UNSPECIFIED;
  }
}

// Whether somebody may say so: the receiver answers, and whoever sent it takes it back.
bool MayFollow(TransitionKind kind, TransitionState from, TransitionState to) {
  using namespace content::v1;  // NOLINT: names of states
  if (from == TRANSITION_STATE_IN_PROGRESS) {
    return to == TRANSITION_STATE_ACCEPTED || to == TRANSITION_STATE_REJECTED ||
           to == TRANSITION_STATE_REVOKED;
  }
  if (from == TRANSITION_STATE_ACCEPTED && kind == TRANSITION_KIND_REFERRAL) {
    return to == TRANSITION_STATE_DONE || to == TRANSITION_STATE_REVOKED;
  }
  return false;
}

Status CheckFilled(Organisation& organisation, const Transition& transition) {
  if (Trimmed(transition.to_org()).empty()) {
    return Error(Code::kInvalidArgument, "say who it goes to: to_org=...");
  }
  if (transition.share_with() == content::v1::SHARE_WITH_UNSPECIFIED) {
    return Error(Code::kInvalidArgument,
                 "say whom the person was asked about: share_with=partner, authority or unhcr");
  }
  if (transition.shared_fields().empty()) {
    return Error(Code::kInvalidArgument,
                 "say what is told, field by field: shared_fields=identity_profile.names,need");
  }
  for (const std::string& path : transition.shared_fields()) {
    if (const auto field = FindSharedField(path); !field) return field.error();
  }
  const auto names = NamesOwnPerson(organisation, transition.to_org());
  if (!names) return names.error();
  if (*names) {
    return Error(Code::kPermissionDenied,
                 "to_org names one of your people, and every coordinator would read it: write the "
                 "organisation alone");
  }
  return {};
}

Status CheckTimeBox(const Transition& transition) {
  const std::uint32_t today = DayNow();
  if (transition.expires_day() >= today && transition.expires_day() - today <= kOverrideDays) {
    return {};
  }
  return Error(Code::kInvalidArgument,
               "consent is overridden for 14 days at most: say until when it is needed "
               "(expires_day)");
}

// What of a transition was answered or told: all but how it stands.
bool TellsTheSame(const Transition& a, Transition b) {
  b.set_state(a.state());
  return google::protobuf::util::MessageDifferencer::Equals(a, b);
}

// The person's consent as it stands, or why it does not cover this.
base::Result<const VaultFile::Entry*> CoveringConsent(const VaultFile& person,
                                                      const Transition& transition) {
  const auto* entry = CurrentConsent(person);
  const Sharing sharing =
      SharingOf(entry == nullptr ? nullptr : &entry->content.consent(), transition, DayNow());
  if (sharing != Sharing::kCovered) return SharingError(sharing);
  return entry;
}

}  // namespace

Sharing SharingOf(const Consent* consent, const Transition& transition, std::uint32_t today) {
  if (consent == nullptr) return Sharing::kNoConsent;
  if (consent->state() == content::v1::CONSENT_STATE_WITHDRAWN) return Sharing::kWithdrawn;
  if (consent->state() != content::v1::CONSENT_STATE_GIVEN) return Sharing::kNoConsent;
  if (AnswerFor(*consent, transition.share_with()) != content::v1::ANSWER_YES) {
    return Sharing::kNotAgreed;
  }
  if (consent->expires_day() != 0 && consent->expires_day() < today) return Sharing::kExpired;
  const std::string_view to = Trimmed(transition.to_org());
  if (!consent->withheld_from().empty() && Trimmed(consent->withheld_from()) == to) {
    return Sharing::kWithheld;
  }
  if (transition.share_with() == content::v1::SHARE_WITH_PARTNER &&
      !consent->share_partner_org().empty() && Trimmed(consent->share_partner_org()) != to) {
    return Sharing::kOtherPartner;
  }
  return Sharing::kCovered;
}

std::string_view NameOf(Sharing sharing) {
  switch (sharing) {
    case Sharing::kCovered:
      return "covered";
    case Sharing::kNoConsent:
      return "no_consent";
    case Sharing::kNotAgreed:
      return "not_agreed";
    case Sharing::kWithdrawn:
      return "withdrawn";
    case Sharing::kExpired:
      return "expired";
    case Sharing::kOtherPartner:
      return "other_partner";
    case Sharing::kWithheld:
      return "withheld";
  }
  return "";
}

Error SharingError(Sharing sharing) {
  switch (sharing) {
    case Sharing::kWithdrawn:
      return Error(Code::kPermissionDenied,
                   "the person took their consent back: nothing is told to others, unless they "
                   "agree anew (`godwit consent`)");
    case Sharing::kExpired:
      return Error(Code::kPermissionDenied,
                   "the person's consent has expired: ask them again, and record it with `godwit "
                   "consent`");
    case Sharing::kOtherPartner:
      return Error(Code::kPermissionDenied,
                   "the person agreed that another organisation is told (share_partner_org): ask "
                   "them about this one, and record it with `godwit consent`");
    case Sharing::kWithheld:
      return Error(Code::kPermissionDenied,
                   "the person said that these must not be told (withheld_from)");
    case Sharing::kNotAgreed:
      return Error(Code::kPermissionDenied,
                   "the person did not agree that these are told: ask them, and record it with "
                   "`godwit consent` (share_partner, share_authority, share_unhcr)");
    case Sharing::kCovered:
    case Sharing::kNoConsent:
      break;
  }
  return Error(
      Code::kPermissionDenied,
      "no consent of the person is recorded: ask them, and record it with `godwit consent`");
}

bool HasExpired(const Transition& transition, std::uint32_t today) {
  return transition.state() == content::v1::TRANSITION_STATE_IN_PROGRESS &&
         transition.expires_day() != 0 && transition.expires_day() < today;
}

base::Result<SharedField> FindSharedField(std::string_view path) {
  const std::size_t dot = path.find('.');
  const auto root = std::ranges::find(kRoots, path.substr(0, dot), &Root::name);
  const std::string field(dot == std::string_view::npos ? std::string_view()
                                                        : path.substr(dot + 1));
  const Error none(Code::kInvalidArgument,
                   "no such field is told to others: summary.FIELD, identity_profile.FIELD, and "
                   "need, assessment, plan, trafficking, best-interests, document, contact or "
                   "service, whole or one FIELD of them");
  if (root == kRoots.end()) return none;
  if (dot == std::string_view::npos ? root->by_field : field.empty()) return none;
  if (!field.empty()) {
    Record probe;
    MakeBody(root->body, probe);
    const auto* known = BodyOf(probe).GetDescriptor()->FindFieldByName(field);
    using google::protobuf::FieldDescriptor;
    if (known == nullptr || known->type() == FieldDescriptor::TYPE_BYTES) return none;
    if (root->body == Record::kSummary && std::ranges::count(kOfSummary, field) == 0) return none;
  }
  return SharedField{std::string(root->name), root->body, root->vault, field};
}

Status PrepareTransition(Organisation& organisation, std::string_view code, TransitionKind kind,
                         const Record* before, Record& record) {
  Transition& now = *record.mutable_transition();
  Transition was;
  if (before == nullptr) {
    was.set_kind(kind);
    was.set_state(content::v1::TRANSITION_STATE_IN_PROGRESS);
    if (now.kind() == 0) now.set_kind(kind);
    if (now.state() == 0) now.set_state(was.state());
  } else {
    was = before->transition();
  }
  if (now.kind() != was.kind() || now.reason() != was.reason()) {
    return Error(Code::kInvalidArgument,
                 "what is to be filled in is to_org, share_with, service, shared_fields, "
                 "expires_day, consent_overridden, and later state");
  }
  if (now.state() != was.state() && !MayFollow(kind, was.state(), now.state())) {
    return Error(Code::kInvalidArgument,
                 "this state does not follow: in_progress becomes accepted, rejected or revoked, "
                 "and an accepted referral done or revoked");
  }
  if (before != nullptr && TellsTheSame(was, now)) {
    if (now.state() != content::v1::TRANSITION_STATE_ACCEPTED || !HasExpired(was, DayNow())) {
      return {};
    }
    return Error(Code::kInvalidArgument,
                 "its last day is over, so that nothing of it is shared any more: set a later "
                 "expires_day first");
  }
  if (was.state() != content::v1::TRANSITION_STATE_IN_PROGRESS) {
    return Error(Code::kInvalidArgument,
                 "it was answered: what was told stays as it was; write another one");
  }
  if (const auto filled = CheckFilled(organisation, now); !filled) return filled;
  const auto identity = organisation.Get(Compartment::kIdentity);
  if (!identity) return identity.error();
  const auto person = OpenCaseFile(**identity, Kind::kPerson, code, From::kService);
  if (!person) return person.error();
  const auto consent = CoveringConsent(*person, now);
  if (now.consent_overridden()) {
    if (consent) {
      return Error(Code::kInvalidArgument,
                   "the person's consent covers this: leave consent_overridden out");
    }
    now.clear_consent();
    if (now.expires_day() == 0) now.set_expires_day(DayNow() + kOverrideDays);
    return CheckTimeBox(now);
  }
  if (!consent) return consent.error();
  if (const auto agreed = CheckAgreed(organisation, now, From::kService); !agreed) return agreed;
  now.set_consent(base::ToString((*consent)->record.bytes()));
  return {};
}

Status CheckOverridden(const VaultFile& case_file, const VaultFile::Entry& entry) {
  const CaseLife life = case_file.Life();
  constexpr auto kMachine = content::v1::MACHINE_CONSENT_OVERRIDE;
  if (entry.waits) {
    return Error(Code::kUnavailable,
                 "the override of the person's consent waits to be sent: run `godwit sync` first");
  }
  if (life[kMachine] != 0 && life.since[kMachine].subject == entry.link) {
    return CheckTimeBox(entry.content.transition());
  }
  const std::string link = base::ToString(entry.link.bytes());
  if (std::ranges::any_of(life.waiting, [&](const SignedAct& act) {
        return act.act.machine() == kMachine && act.act.subject() == link;
      })) {
    return Error(Code::kPermissionDenied,
                 "overriding the person's consent takes two: a supervisor or coordinator agrees "
                 "with `godwit case assent CODE override`");
  }
  return Error(Code::kPermissionDenied,
               "the override of the person's consent was ended, or another took its place, or "
               "this was changed since: write it anew if it is needed still");
}

bool Overrides(const Record* before, const Record& after) {
  return after.transition().consent_overridden() &&
         (before == nullptr || !TellsTheSame(before->transition(), after.transition()));
}

bool EndsCase(const Record& before, const Record& after) {
  return after.transition().kind() == content::v1::TRANSITION_KIND_TRANSFER &&
         after.transition().state() == content::v1::TRANSITION_STATE_ACCEPTED &&
         before.transition().state() != content::v1::TRANSITION_STATE_ACCEPTED;
}

std::vector<const VaultFile::Entry*> LiveTransitions(const VaultFile& case_file,
                                                     std::uint32_t today) {
  auto live = case_file.Of(Record::kTransition);
  std::erase_if(live, [&](const auto* entry) {
    const Transition& transition = entry->content.transition();
    return (transition.state() != content::v1::TRANSITION_STATE_IN_PROGRESS &&
            transition.state() != content::v1::TRANSITION_STATE_ACCEPTED) ||
           HasExpired(transition, today);
  });
  return live;
}

base::Result<SharedCase> OpenShared(Organisation& organisation, std::string_view code,
                                    std::string_view id, From from) {
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  auto case_file = OpenCaseFile(**cases, Kind::kCase, code, from);
  if (!case_file) return case_file.error();
  const auto entry = FindEntry(*case_file, Record::kTransition, id);
  if (!entry) return entry.error();
  if (std::ranges::count(LiveTransitions(*case_file, DayNow()), *entry) == 0) {
    return Error(Code::kPermissionDenied,
                 "nothing of it is shared any more: it was rejected, revoked, done or struck, or "
                 "its last day is over");
  }
  SharedCase shared;
  shared.transition = (*entry)->content.transition();
  auto person = ShowPerson(organisation, code, from == From::kDevice);
  if (!person) return person.error();
  shared.code = person->case_code;
  const auto consent = CoveringConsent(person->file, shared.transition);
  const Status covered =
      consent ? CheckAgreed(organisation, shared.transition, from) : Status(consent.error());
  if (covered) {
    shared.consent = (*consent)->content.consent();
  } else {
    if (!shared.transition.consent_overridden()) return covered.error();
    if (const auto agreed = CheckOverridden(*case_file, **entry); !agreed) return agreed.error();
    shared.overridden = true;
  }
  std::map<Kind, VaultFile> files;
  files.emplace(Kind::kCase, *std::move(case_file));
  files.emplace(Kind::kPerson, std::move(person->file));
  for (const std::string& path : shared.transition.shared_fields()) {
    // Of a newer client's, what it means is not known here.
    auto field = FindSharedField(path);
    if (!field) return field.error();
    if (!files.contains(field->vault)) {
      auto file = OpenCaseFile(**cases, field->vault, code, from);
      if (!file) return file.error();
      files.emplace(field->vault, *std::move(file));
    }
    SharedCase::Part part{*std::move(field), {}};
    for (const auto* each : files.at(part.field.vault).Of(part.field.body)) {
      part.records.push_back(each->content);
    }
    shared.parts.push_back(std::move(part));
  }
  return shared;
}

}  // namespace godwit::client
