#include "client/withdrawal.h"

#include <algorithm>
#include <limits>

#include "client/cases.h"
#include "client/consents.h"
#include "client/day.h"
#include "client/transitions.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using content::v1::Record;
using protocol::Compartment;
using protocol::Kind;
using Receiver = Withdrawal::Receiver;

// Where an entry began in its vault's chain; one that waits comes after all that was sent.
std::uint64_t PlaceOf(const VaultFile& file, const VaultFile::Entry& entry) {
  const auto* first = file.view() == nullptr ? nullptr : file.view()->First(entry.record);
  return first == nullptr ? std::numeric_limits<std::uint64_t>::max() : first->header.seq;
}

// Whether it was to be told without consent, and no second person ever agreed to that in this case:
// nobody was told.
bool WaitsForASecond(const VaultFile& file, const VaultFile::Entry& entry) {
  const auto& transition = entry.content.transition();
  return transition.consent_overridden() &&
         transition.state() == content::v1::TRANSITION_STATE_IN_PROGRESS &&
         std::ranges::none_of(file.acts().acts, [](const SignedAct& act) {
           return act.act.machine() == content::v1::MACHINE_CONSENT_OVERRIDE &&
                  !act.assents.empty();
         });
}

// How it stands with telling the receiver. Whoever revokes a referral has told them.
Receiver ReceiverOf(const VaultFile& file, const VaultFile::Entry& entry, bool live) {
  if (entry.content.transition().state() == content::v1::TRANSITION_STATE_REVOKED) {
    return Receiver::kTold;
  }
  // A task names the revision that it came from, which an answer may have followed since.
  std::vector<std::string> links{base::ToString(entry.link.bytes())};
  const auto* first = file.view() == nullptr ? nullptr : file.view()->First(entry.record);
  if (first != nullptr) links.push_back(base::ToString(first->link.bytes()));
  bool told = false;
  for (const auto* each : file.Of(Record::kTask)) {
    const auto& task = each->content.task();
    if (task.kind() != content::v1::TASK_KIND_CONSENT_WITHDRAWN ||
        std::ranges::count(links, task.cause()) == 0) {
      continue;
    }
    if (!task.done()) return Receiver::kToBeTold;
    told = true;
  }
  if (told) return Receiver::kTold;
  return live ? Receiver::kToBeTold : Receiver::kNotAsked;
}

}  // namespace

base::Result<Withdrawal> OpenWithdrawal(Organisation& organisation, std::string_view code,
                                        From from) {
  const auto person = ShowPerson(organisation, code, from == From::kDevice);
  if (!person) return person.error();
  const auto* consent = CurrentConsent(person->file);
  if (consent == nullptr ||
      consent->content.consent().state() != content::v1::CONSENT_STATE_WITHDRAWN) {
    return Error(Code::kNotFound,
                 "no withdrawal is recorded: the person did not take their consent back, or agreed "
                 "anew since; record it first with `godwit consent CODE --withdraw`");
  }
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases) return cases.error();
  const auto file = OpenCaseFile(**cases, Kind::kCase, code, from);
  if (!file) return file.error();
  if (file->unreadable() > 0) {
    return Error(
        Code::kPermissionDenied,
        "part of this case does not open here, so that the letter might leave out somebody "
        "who was told: try again later, or ask a coordinator to run `godwit reconcile`");
  }
  Withdrawal withdrawal{.code = person->case_code,
                        .day = consent->content.consent().withdrawn_day(),
                        .shared = {},
                        .offline = file->offline() || person->file.offline()};
  auto entries = file->Of(Record::kTransition);
  std::erase_if(entries, [&](const auto* entry) { return WaitsForASecond(*file, *entry); });
  std::ranges::stable_sort(entries, {}, [&](const auto* entry) { return PlaceOf(*file, *entry); });
  const auto live = LiveTransitions(*file, DayNow());
  for (const auto* entry : entries) {
    const auto& transition = entry->content.transition();
    withdrawal.shared.push_back({transition, HasExpired(transition, DayNow()),
                                 ReceiverOf(*file, *entry, std::ranges::count(live, entry) > 0)});
  }
  return withdrawal;
}

}  // namespace godwit::client
