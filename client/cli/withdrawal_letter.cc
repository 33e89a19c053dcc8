#include "client/cli/withdrawal_letter.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "client/cli/paper.h"
#include "client/cli/render.h"
#include "client/transitions.h"

namespace godwit::cli {
namespace {

using Receiver = client::Withdrawal::Receiver;

bool IsTransfer(const content::v1::Transition& transition) {
  return transition.kind() == content::v1::TRANSITION_KIND_TRANSFER;
}

// Which fields were shared, a line for each of what they are about: "Personal details: names, sex".
std::string SharedText(const content::v1::Transition& transition) {
  std::vector<std::pair<std::string, std::vector<std::string>>> about;
  for (const std::string& path : transition.shared_fields()) {
    const auto field = client::FindSharedField(path);
    // Of a newer client's, what it means is not known here, and it is not left out.
    const std::string title = field ? SharedTitle(field->root) : Typed(path);
    auto found = std::ranges::find(about, title, [](const auto& each) { return each.first; });
    if (found == about.end()) found = about.insert(about.end(), {title, {}});
    if (!field) continue;
    found->second.push_back(field->field.empty() ? Translated("all that is recorded")
                                                 : FieldWords(field->field));
  }
  std::string text;
  for (const auto& [title, fields] : about) {
    if (!text.empty()) text += '\n';
    text += title;
    if (!fields.empty()) text += ": " + Joined(fields);
  }
  return text;
}

std::string StateText(const client::Withdrawal::Shared& shared) {
  const auto& transition = shared.transition;
  switch (transition.state()) {
    case content::v1::TRANSITION_STATE_IN_PROGRESS:
      return shared.expired ? Translated("they did not answer in time")
                            : Translated("they have not answered yet");
    case content::v1::TRANSITION_STATE_ACCEPTED:
      return IsTransfer(transition) ? Translated("they took your case over")
                                    : Translated("they agreed to help");
    case content::v1::TRANSITION_STATE_REJECTED:
      return Translated("they said no");
    case content::v1::TRANSITION_STATE_DONE:
      return Translated("they did what we asked for");
    case content::v1::TRANSITION_STATE_REVOKED:
      return Translated("we took it back");
    default:
      return EnumWords(transition.state());
  }
}

std::string ReceiverText(Receiver receiver) {
  switch (receiver) {
    case Receiver::kToBeTold:
      return Translated(
          "We tell them that you took your consent back, and ask them to use what they were told "
          "no more, to pass it on to nobody and to destroy it.");
    case Receiver::kTold:
      return Translated(
          "We told them that it was taken back, and asked them to use what they were told no "
          "more, to pass it on to nobody and to destroy it.");
    case Receiver::kNotAsked:
      return Translated(
          "Nothing more: the letter by which they were told asks them to pass it on to nobody, "
          "and to destroy it once they need it no more.");
  }
  return {};
}

}  // namespace

print::Document WithdrawalLetter(const client::Withdrawal& withdrawal, std::string_view from,
                                 std::uint32_t today) {
  const std::string code = CodeText(withdrawal.code);
  print::Document letter{.title = Translated("Your consent is withdrawn"), .footer = code};
  const auto text = [&](std::string words) {
    letter.blocks.emplace_back(print::Paragraph{std::move(words)});
  };
  const auto field = [&](std::string label, std::string value) {
    if (!value.empty()) {
      letter.blocks.emplace_back(print::Field{std::move(label), std::move(value)});
    }
  };
  AddSender(letter, from, today, code);
  text(Translated(
      "You took your consent back. This was recorded on {0}. From then on nothing new about you "
      "is told to anybody, unless you agree to it anew or your life depends on it.",
      DayLabel(withdrawal.day)));
  letter.blocks.emplace_back(print::Heading{Translated("What was already shared")});
  if (withdrawal.shared.empty()) {
    text(
        Translated("Nothing: neither a referral to others nor a transfer of your case is on "
                   "record."));
  } else {
    text(Translated(
        "Those named here were told, or may have been told, what stands beside them. What "
        "somebody knows cannot be taken back from them; they can be asked to use it no more."));
  }
  for (std::size_t i = 0; i < withdrawal.shared.size(); ++i) {
    const auto& shared = withdrawal.shared[i];
    const auto& transition = shared.transition;
    letter.blocks.emplace_back(
        print::Heading{std::to_string(i + 1) + ". " + Typed(transition.to_org())});
    const std::string service = EnumWords(transition.service());
    field(Translated("What we asked for"),
          IsTransfer(transition) ? Translated("that they take your case over") : service);
    if (IsTransfer(transition)) field(Translated("Service needed"), service);
    field(Translated("What was shared"), SharedText(transition));
    if (transition.consent_overridden()) {
      field(Translated("Without your consent"),
            Translated("This goes without your consent, and only where two of us found that your "
                       "life or health depends on it."));
    }
    field(Translated("How it stands"), StateText(shared));
    field(Translated("What they are asked now"), ReceiverText(shared.receiver));
  }
  text(Translated(
      "Ask us whatever you want to know about this. You need not keep this letter: if it is a "
      "danger to you to have it with you, leave it with us or destroy it."));
  letter.blocks.emplace_back(print::Signatures{{Translated("For us, date")}});
  return letter;
}

}  // namespace godwit::cli
