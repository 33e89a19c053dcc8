#include "client/cli/inviting.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>

#include "client/casework/inert.h"
#include "client/cli/invitation_text.h"
#include "client/cli/render.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using base::Status;
using client::Newcomer;
using client::OpenInvite;

constexpr auto kPoll = std::chrono::milliseconds(300);
// Those who are ready are listed together; nobody waits longer than this for the others.
constexpr auto kListAfter = std::chrono::seconds(15);
constexpr auto kLookAtRosterEvery = std::chrono::seconds(1);

bool IsDevice(const OpenInvite& invite) { return invite.kind == protocol::kOfferDevice; }

// What Godwit shows of a handle or realm in a sentence.
std::string Shown(const OpenInvite& invite) {
  const std::string who =
      IsDevice(invite) ? Translated("your new device") : client::Inert(invite.newcomer.handle);
  // TRANSLATORS: {0} is who, {1} a realm. It stands within other texts, as the {0} of whoever
  // joins.
  return Translated("{0} in {1}", who, protocol::Name(invite.compartment));
}

Json EventJson(std::string_view event, const OpenInvite& invite) {
  Json json{{"event", event}};
  if (!IsDevice(invite)) json["handle"] = invite.newcomer.handle;
  json["realm"] = protocol::Name(invite.compartment);
  return json;
}

}  // namespace

Status Inviting::Invite(const Newcomer& newcomer) { return Take(inviter_.Invite(newcomer)); }

Status Inviting::InviteDevice() { return Take(inviter_.InviteDevice()); }

Status Inviting::Take(base::Result<std::vector<OpenInvite>> invites) {
  if (!invites) return invites.error();
  for (OpenInvite& invite : *invites) {
    const auto invitation = inviter_.InvitationFor(invite);
    if (!invitation) return invitation.error();
    const crypto::SecretBytes text = InvitationText(*invitation);
    Hand(invite, text.Expose());
    open_.push_back({std::move(invite), {}});
  }
  return {};
}

Status Inviting::Step(AnswerStream* answers) {
  for (std::size_t i = 0; i < open_.size();) {
    const Status looked = LookAt(open_[i]);
    if (!looked) return looked;
    if (answers == nullptr && !open_[i].words.empty()) {
      const auto same = context_.prompt.ConfirmSeen(
          Translated("Does {0} read the same five words?", Shown(open_[i].invite)));
      if (!same) return same.error();
      if (const Status decided = Decide(i, *same); !decided) return decided;
      continue;
    }
    if (open_[i].dead) {
      open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    ++i;
  }
  if (answers != nullptr) {
    const auto answer = answers->Next(kPoll);
    const bool ended = !answer && answer.error().code() == Code::kNotFound;
    if (!answer && !ended) return answer.error();
    if (ended && !open_.empty()) WithdrawOpen();
    if (ended) std::this_thread::sleep_for(kPoll);
    if (!ended && *answer) {
      if (const Status taken = Take(**answer); !taken) return taken;
    }
  } else {
    std::this_thread::sleep_for(kPoll);
  }
  if (const Status confirmed = ConfirmAgreed(); !confirmed) return confirmed;
  return ListReady();
}

void Inviting::Withdraw(const OpenInvite& invite) {
  const auto withdrawn = inviter_.Withdraw(invite);
  failed_ = true;
  context_.output.Note(
      withdrawn ? Translated("The invitation of {0} was withdrawn.", Shown(invite))
                : Translated("The invitation of {0} could not be withdrawn; it ends by itself.",
                             Shown(invite)));
  context_.output.Emit(EventJson("withdrawn", invite));
}

void Inviting::WithdrawOpen() {
  for (const Open& open : open_) Withdraw(open.invite);
  open_.clear();
}

void Inviting::End() {
  WithdrawOpen();
  for (const OpenInvite& invite : agreed_) Withdraw(invite);
  agreed_.clear();
  if (confirmed_.empty()) return;
  failed_ = true;
  context_.output.Note(
      "Somebody has joined and is not listed yet, so that colleagues do not see them: run "
      "`godwit sync` once their `member join` has ended.");
}

void Inviting::Hand(const OpenInvite& invite, base::ByteSpan text) {
  // It leaves the program here, to be carried by a person or a script.
  std::string shown = base::ToString(text);
  if (context_.output.json()) {
    Json json = EventJson("invitation", invite);
    json["invitation"] = shown;
    context_.output.Emit(json);
  } else {
    // TRANSLATORS: {0} is who, {1} a command's name.
    context_.output.Line(Translated("For {0}, `godwit {1} join`:", Shown(invite),
                                    IsDevice(invite) ? "device" : "member"));
    context_.output.Line(std::string(protocol::Name(invite.compartment)) + "  " + shown,
                         Style::kStrong);
  }
  crypto::Wipe({reinterpret_cast<std::uint8_t*>(shown.data()), shown.size()});
}

Status Inviting::LookAt(Open& open) {
  if (!open.words.empty() || open.dead) return {};
  const auto sas = inviter_.Poll(open.invite);
  if (!sas) {
    if (IsOffline(sas.error())) return {};
    // Somebody else's message: this invitation is burnt, the others are not.
    open.dead = true;
    failed_ = true;
    (void)inviter_.Withdraw(open.invite);
    context_.output.Note(Translated("The invitation of {0} failed ({1}): {2}", Shown(open.invite),
                                    Name(sas.error().code()), WhyText(sas.error())));
    context_.output.Emit(EventJson("failed", open.invite));
    return {};
  }
  if (!*sas) return {};
  open.words = **sas;
  if (context_.output.json()) {
    Json json = EventJson("sas", open.invite);
    json["words"] = open.words;
    context_.output.Emit(json);
  } else {
    context_.output.Line(
        Translated("\n{0} is there. Five words on both screens:", Shown(open.invite)));
    context_.output.Line("  " + open.words, Style::kStrong);
  }
  return {};
}

Status Inviting::Take(const Answer& answer) {
  for (std::size_t i = 0; i < open_.size(); ++i) {
    const Open& open = open_[i];
    if (open.words.empty() || open.invite.newcomer.handle != answer.handle ||
        protocol::Name(open.invite.compartment) != answer.realm) {
      continue;
    }
    return Decide(i, answer.yes);
  }
  return Error(Code::kInvalidArgument, "an answer about words that were not shown");
}

Status Inviting::Decide(std::size_t at, bool same) {
  Open open = std::move(open_[at]);
  open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(at));
  if (!same) {
    failed_ = true;
    (void)inviter_.Withdraw(open.invite);
    context_.output.Note(
        Translated("Not the same words: somebody may be in between. The invitation of {0} was "
                   "withdrawn; invite again by a safer way.",
                   Shown(open.invite)));
    context_.output.Emit(EventJson("refused", open.invite));
    return {};
  }
  return Confirm(std::move(open.invite));
}

Status Inviting::Confirm(OpenInvite invite) {
  const auto room = inviter_.HasRoom(invite);
  const bool offline = !room && IsOffline(room.error());
  if (!room && !offline) return room.error();
  if (offline || !*room) {
    context_.output.Emit(EventJson("queued", invite));
    context_.output.Line(
        Translated("{0} comes once fewer of your statements wait for others to sign.",
                   Shown(invite)),
        Style::kWarning);
    agreed_.push_back(std::move(invite));
    return {};
  }
  const auto missing = inviter_.Confirm(invite);
  if (!missing) return missing.error();
  if (*missing > 0) {
    Json json = EventJson("waits", invite);
    json["missing"] = *missing;
    context_.output.Emit(json);
    context_.output.Line(
        Translated("{0} {1}", Shown(invite), WaitsFor(*missing)) +
            (IsDevice(invite) ? Translated(": an owner or admin runs `godwit approve`; leave the "
                                           "other device waiting.")
                              : "."),
        Style::kWarning);
  } else {
    context_.output.Emit(EventJson("joined", invite));
    context_.output.Line(IsDevice(invite) ? Translated("{0} has joined.", Shown(invite))
                                          : Translated("{0} is a member now.", Shown(invite)),
                         Style::kGood);
  }
  // A member's keys are those of before: nobody has to be told of a device.
  if (IsDevice(invite)) return {};
  confirmed_.push_back(std::move(invite));
  confirmed_at_ = base::SystemClock().Steady();
  return {};
}

Status Inviting::ConfirmAgreed() {
  const auto now = base::SystemClock().Steady();
  if (agreed_.empty() || now - tried_at_ < kLookAtRosterEvery) return {};
  tried_at_ = now;
  for (std::size_t i = 0; i < agreed_.size();) {
    const auto room = inviter_.HasRoom(agreed_[i]);
    if (!room && !IsOffline(room.error())) return room.error();
    if (!room || !*room) {
      ++i;
      continue;
    }
    OpenInvite invite = std::move(agreed_[i]);
    agreed_.erase(agreed_.begin() + static_cast<std::ptrdiff_t>(i));
    if (const Status confirmed = Confirm(std::move(invite)); !confirmed) return confirmed;
  }
  return {};
}

// Lists newcomers together once all have their keys, so that one EPOCH serves many.
Status Inviting::ListReady() {
  if (confirmed_.empty()) return {};
  const auto now = base::SystemClock().Steady();
  if (now - looked_at_ < kLookAtRosterEvery) return {};
  looked_at_ = now;
  std::size_t ready = 0;
  std::set<protocol::Compartment> synced;
  for (const OpenInvite& invite : confirmed_) {
    const auto realm = organisation_.Get(invite.compartment);
    if (!realm) return realm.error();
    if (synced.insert(invite.compartment).second) {
      const Status status = (*realm)->Sync();
      if (IsOffline(status)) return {};
      if (!status) return status;
    }
    const auto& roster = (*realm)->roster();
    ready += roster.UsablePukAt(invite.membership.member, roster.head_seq()) != nullptr ? 1 : 0;
  }
  const bool all = ready == confirmed_.size() && open_.empty() && agreed_.empty();
  if (ready == 0 || (!all && now - confirmed_at_ < kListAfter)) return {};
  confirmed_at_ = now;
  const auto done = inviter_.ListNewcomers(confirmed_);
  if (!done) return done.error();
  if (!*done) return {};
  for (const OpenInvite& invite : confirmed_) {
    context_.output.Emit(EventJson("listed", invite));
    ++listed_;
  }
  context_.output.Line("Colleagues see the newcomers by name now.", Style::kGood);
  confirmed_.clear();
  return {};
}

ExitCode RunInviting(const Context& context, base::Literal doing,
                     const std::function<Status(Inviting& inviting)>& invite,
                     std::chrono::minutes wait) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail(doing, why); };
  if (!output.json() && !context.prompt.HasTerminal()) {
    return fail(Error(Code::kInvalidArgument,
                      "both sides compare words, and there is no terminal to ask at: use --json"));
  }
  auto session =
      Session::Open(context, kAllRealms, client::Profile::Use::kWrite, Unlock::kPassphrase);
  if (!session) return fail(session.error());

  CatchInterrupts();
  Inviting inviting(context, session->organisation());
  if (!output.json()) {
    output.Line(
        "An invitation is a secret: hand it over yourself, or by a way that nobody reads with.");
  }
  if (const Status invited = invite(inviting); !invited) {
    inviting.End();
    return fail(invited.error());
  }
  output.Emit({{"event", "waiting"}});
  output.Line("\nWaiting for the other side to run the command that joins; Ctrl-C withdraws.");
  AnswerStream answers(STDIN_FILENO);
  const auto until = base::SystemClock().Steady() + wait;
  while (inviting.Waits()) {
    if (Interrupted() || base::SystemClock().Steady() > until) break;
    const Status step = inviting.Step(output.json() ? &answers : nullptr);
    if (!step && !Interrupted()) {
      inviting.End();
      return fail(step.error());
    }
  }
  inviting.End();
  output.Emit({{"event", "done"}, {"listed", inviting.listed()}, {"complete", !inviting.failed()}});
  return inviting.failed() ? ExitCode::kPartly : ExitCode::kOk;
}

}  // namespace godwit::cli
