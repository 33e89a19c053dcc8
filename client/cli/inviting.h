#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/answers.h"
#include "client/cli/session.h"
#include "client/invite.h"

namespace godwit::cli {

// Invitations on their way, from the OFFER to the EPOCHs that list the newcomers, or to the
// statements that add devices: the side of whoever invites. Not thread-safe.
class Inviting {
 public:
  Inviting(const Context& context, client::Organisation& organisation)
      : context_(context), inviter_(organisation), organisation_(organisation) {}

  base::Status Invite(const client::Newcomer& newcomer);
  base::Status InviteDevice();

  bool Waits() const { return !open_.empty() || !agreed_.empty() || !confirmed_.empty(); }
  bool failed() const { return failed_; }
  std::size_t listed() const { return listed_; }

  // One look at all that is open. `answers`: where a script answers; nothing: a person does.
  base::Status Step(AnswerStream* answers);
  // Takes back what nobody answered or signed for; whoever has joined meanwhile and is not listed
  // is not forgotten.
  void End();

 private:
  struct Open {
    client::OpenInvite invite;
    std::string words;  // of the SAS, once it is there
    bool dead = false;
  };

  base::Status Take(base::Result<std::vector<client::OpenInvite>> invites);
  void Hand(const client::OpenInvite& invite, base::ByteSpan text);
  void Withdraw(const client::OpenInvite& invite);
  // Takes back what nobody answered.
  void WithdrawOpen();
  base::Status LookAt(Open& open);
  base::Status Take(const Answer& answer);
  base::Status Decide(std::size_t at, bool same);
  base::Status Confirm(client::OpenInvite invite);
  base::Status ConfirmAgreed();
  base::Status ListReady();

  const Context& context_;
  client::Inviter inviter_;
  client::Organisation& organisation_;
  std::vector<Open> open_;
  // Both read the same words, but too many statements wait for others to sign.
  std::vector<client::OpenInvite> agreed_;
  std::vector<client::OpenInvite> confirmed_;  // not listed yet
  std::chrono::steady_clock::time_point confirmed_at_;
  std::chrono::steady_clock::time_point looked_at_;
  std::chrono::steady_clock::time_point tried_at_;
  std::size_t listed_ = 0;
  bool failed_ = false;
};

// Asks for the passphrase, lets `invite` make invitations, and goes on until all are answered, or
// `wait` is over. `doing` completes "cannot ...".
ExitCode RunInviting(const Context& context, base::Literal doing,
                     const std::function<base::Status(Inviting& inviting)>& invite,
                     std::chrono::minutes wait);

}  // namespace godwit::cli
