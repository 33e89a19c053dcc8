#include "client/cli/join.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>

#include "client/cli/answers.h"
#include "client/cli/invitation_text.h"
#include "client/cli/render.h"
#include "client/cli/status.h"
#include "client/invite.h"
#include "client/keystore_file.h"
#include "client/practice.h"
#include "protocol/practice.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using base::Status;
using client::Profile;
using protocol::Compartment;

constexpr auto kPoll = std::chrono::milliseconds(300);
constexpr std::size_t kMostInvitations = 3;  // one a realm

// Reads invitations, a line each: from the descriptor, unseen at a terminal, or from stdin.
base::Result<std::vector<crypto::SecretBytes>> ReadInvitations(const Context& context,
                                                               const JoinOptions& options) {
  std::vector<crypto::SecretBytes> invitations;
  const bool typed = !options.invitation_fd && isatty(STDIN_FILENO) != 0;
  while (invitations.size() < kMostInvitations) {
    auto line = typed ? context.prompt.Hidden(
                            Translated("Paste an invitation (it stays unseen; an empty line "
                                       "ends): "))
                      : ReadSecretLine(options.invitation_fd.value_or(STDIN_FILENO));
    if (!line && line.error().code() == Code::kNotFound) break;
    if (!line) return line.error();
    if (line->size() == 0) break;
    auto invitation = ReadInvitationText(*line);
    if (!invitation) return invitation.error();
    invitations.push_back(*std::move(invitation));
  }
  if (invitations.empty()) {
    return Error(Code::kInvalidArgument, "there is no invitation: whoever invites you has it");
  }
  return invitations;
}

// One realm on its way.
struct Joining {
  client::Joiner joiner;
  std::string words;
  bool agreed = false;
  bool joined = false;

  Compartment compartment() const { return joiner.compartment(); }
  std::string realm() const { return std::string(protocol::Name(joiner.compartment())); }
};

// The profile's passphrase: of a new profile a new one, else the one that opens it already.
base::Result<crypto::SecretBytes> PassphraseOf(const Context& context,
                                               const std::optional<Profile>& profile) {
  if (!profile || profile->Realms().empty()) {
    return context.prompt.NewPassphrase(
        Translated("A new passphrase for {0}: ", context.common.profile));
  }
  auto passphrase = context.prompt.Passphrase(Translated("Passphrase of {0}: ", profile->name()));
  if (!passphrase) return passphrase.error();
  const auto path = profile->KeystorePath(profile->Realms().front());
  if (const auto opened = client::UnlockKeystoreFile(path, *passphrase); !opened) {
    if (opened.error().code() != Code::kDecrypt) return opened.error();
    return Error(Code::kUnauthenticated, "this passphrase does not open the profile");
  }
  return passphrase;
}

// What may be joined here. PERMISSION_DENIED, EXISTS.
Status CheckPlace(const std::string& name, const std::optional<Profile>& profile,
                  const std::vector<Joining>& joinings) {
  const auto others = Profile::List();
  if (!others) return others.error();
  const bool first = others->empty() || (others->size() == 1 && others->front() == name);
  std::set<Compartment> seen;
  for (const Joining& joining : joinings) {
    if (!first && !joining.joiner.policy().evaluation()) {
      return Error(Code::kPermissionDenied,
                   "somebody else has a profile on this machine, and several are for evaluation "
                   "alone: join on a device of your own");
    }
    if (!seen.insert(joining.compartment()).second) {
      return Error(Code::kInvalidArgument, "two of the invitations are to one realm");
    }
    if (!profile) continue;
    const auto realms = profile->Realms();
    if (std::ranges::find(realms, joining.compartment()) != realms.end()) {
      return Error(Code::kExists, "this profile works in that realm already");
    }
  }
  return {};
}

// Keeps the keys of a realm that lists this device, and makes its first PUK.
base::Result<std::unique_ptr<client::Realm>> Settle(const Profile& profile,
                                                    const crypto::SecretBytes& passphrase,
                                                    Joining joining) {
  const auto& policy = joining.joiner.policy();
  const protocol::KdfCost cost{policy.kdf_ops, policy.kdf_mem};
  auto keys = std::move(joining.joiner).TakeKeys({});
  if (!keys) return keys.error();
  const auto path = client::KeepRealm(profile, passphrase, cost, *keys);
  if (!path) return path.error();
  auto realm = client::Realm::Open(*std::move(keys), *path);
  if (!realm) return realm.error();
  if (const auto synced = (*realm)->Sync(); !synced) return synced.error();
  return realm;
}

// Asks for and takes what people or a script say about the words.
Status Agree(const Context& context, std::vector<Joining>& joinings, AnswerStream& answers) {
  const Error refused =
      Error(Code::kCancelled,
            "not the same words: somebody may be in between; nothing was joined, ask for "
            "a new invitation by a safer way");
  if (!context.output.json()) {
    for (Joining& joining : joinings) {
      if (joining.words.empty() || joining.agreed) continue;
      context.output.Line(
          Translated("\n{0}: the same five words must stand on the screen of whoever invited:",
                     joining.realm()));
      context.output.Line("  " + joining.words, Style::kStrong);
      const auto same = context.prompt.ConfirmSeen(Translated("Are they the same five words?"));
      if (!same) return same.error();
      if (!*same) return refused;
      joining.agreed = true;
    }
    std::this_thread::sleep_for(kPoll);
    return {};
  }
  const bool asked =
      std::ranges::any_of(joinings, [](const Joining& j) { return !j.words.empty() && !j.agreed; });
  if (!asked) {
    std::this_thread::sleep_for(kPoll);
    return {};
  }
  const auto answer = answers.Next(kPoll);
  if (!answer) return answer.error();
  if (!*answer) return {};
  const auto about = std::ranges::find_if(joinings, [&](const Joining& j) {
    return !j.words.empty() && !j.agreed && j.realm() == (*answer)->realm;
  });
  if (about == joinings.end()) {
    return Error(Code::kInvalidArgument, "an answer about words that were not shown");
  }
  if (!(*answer)->yes) return refused;
  about->agreed = true;
  return {};
}

}  // namespace

ExitCode Join(const Context& context, const JoinOptions& options, std::uint8_t kind) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("join", why); };
  const std::string& name = context.common.profile;
  if (!client::IsProfileName(name)) {
    return fail(Error(Code::kInvalidArgument,
                      "name the profile with --profile: 1 to 32 of a-z, 0-9 and -"));
  }
  auto invitations = ReadInvitations(context, options);
  if (!invitations) return fail(invitations.error());
  std::optional<Profile> profile;
  if (auto there = Profile::Open(name)) {
    profile = *std::move(there);
  } else if (there.error().code() != Code::kNotFound) {
    return fail(there.error());
  }
  const auto passphrase = PassphraseOf(context, profile);
  if (!passphrase) return fail(passphrase.error());

  std::vector<Joining> joinings;
  for (const crypto::SecretBytes& invitation : *invitations) {
    auto joiner = client::Joiner::Begin(invitation.Expose(), kind);
    if (!joiner) return fail(joiner.error());
    joinings.push_back({*std::move(joiner), {}});
  }
  if (const auto fits = CheckPlace(name, profile, joinings); !fits) return fail(fits.error());
  if (!profile) {
    auto made = Profile::Create(name);
    if (!made) return fail(made.error());
    profile = *std::move(made);
  }
  const auto lock = LockProfile(*profile, Profile::Use::kWrite);
  if (!lock) return fail(lock.error());
  for (const Joining& joining : joinings) {
    if (protocol::IsPractice(joining.joiner.policy())) {
      output.Practice();
      if (const auto marked = client::MarkPractice(*profile); !marked) return fail(marked.error());
    }
    if (joining.joiner.policy().evaluation()) output.Banner();
    output.Emit({{"event", "offer"},
                 {"realm", joining.realm()},
                 {"roles", RoleNames(joining.joiner.offer().roles)},
                 {"fingerprint", joining.joiner.fingerprint_words()}});
    const std::string roles = RolesLabel(joining.joiner.offer().roles);
    output.Line(
        kind == protocol::kOfferDevice
            ? Translated("{0}: to be another device of somebody who is {1}", joining.realm(), roles)
            : Translated("{0}: invited as {1}", joining.realm(), roles));
  }

  CatchInterrupts();
  AnswerStream answers(STDIN_FILENO);
  const auto until = base::SystemClock().Steady() + options.wait;
  std::vector<std::unique_ptr<client::Realm>> realms;
  while (!joinings.empty()) {
    if (Interrupted()) return fail(Error(Code::kCancelled, "interrupted"));
    if (base::SystemClock().Steady() > until) {
      return fail(Error(Code::kDeadline, "whoever invited you did not go on in time"));
    }
    for (auto joining = joinings.begin(); joining != joinings.end();) {
      if (joining->words.empty()) {
        const auto sas = joining->joiner.Poll();
        if (!sas && !IsOffline(sas.error())) return fail(sas.error());
        if (sas && *sas) {
          joining->words = **sas;
          output.Emit({{"event", "sas"}, {"realm", joining->realm()}, {"words", joining->words}});
        }
      } else if (joining->agreed) {
        const auto added = joining->joiner.IsAdded();
        if (!added && added.error().code() == Code::kNotFound) {
          return fail(Error(Code::kNotFound,
                            "the invitation was withdrawn or has run out: ask for a new one"));
        }
        if (!added && !IsOffline(added.error())) return fail(added.error());
        if (added && *added) {
          auto realm = Settle(*profile, *passphrase, std::move(*joining));
          if (!realm) return fail(realm.error());
          const std::string realm_name(protocol::Name((*realm)->compartment()));
          output.Emit({{"event", "joined"}, {"realm", realm_name}});
          output.Line(Translated("{0}: joined.", realm_name), Style::kGood);
          realms.push_back(*std::move(realm));
          joining = joinings.erase(joining);
          continue;
        }
      }
      ++joining;
    }
    if (joinings.empty()) break;
    if (const auto status = Agree(context, joinings, answers); !status) {
      return fail(status.error());
    }
  }

  std::vector<const client::UnlockedRealm*> keys;
  for (const auto& realm : realms) keys.push_back(&realm->keys());
  HandToAgent(context, *profile, keys);
  std::map<Compartment, std::unique_ptr<client::Realm>> open;
  for (auto& realm : realms) {
    const Compartment compartment = realm->compartment();
    open[compartment] = std::move(realm);
  }
  output.Line();
  client::Organisation organisation(std::move(open));
  ShowWhoami(output, *profile, organisation);
  return ExitCode::kOk;
}

}  // namespace godwit::cli
