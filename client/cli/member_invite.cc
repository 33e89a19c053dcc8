#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>

#include "client/cli/answers.h"
#include "client/cli/facts.h"
#include "client/cli/invitation_text.h"
#include "client/cli/member.h"
#include "client/cli/render.h"
#include "client/import/csv.h"
#include "client/import/inert.h"
#include "client/import/mapping.h"

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

base::Result<std::vector<Newcomer>> FromToml(const std::string& text) {
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error&) {
    return Error(Code::kInvalidArgument, "the file of members is no TOML");
  }
  const Error form(Code::kInvalidArgument,
                   "a file of members has [[member]] tables with handle, name and roles alone");
  const toml::array* members = root.get_as<toml::array>("member");
  if (root.size() != 1 || members == nullptr) return form;
  std::vector<Newcomer> newcomers;
  for (const toml::node& node : *members) {
    const toml::table* row = node.as_table();
    if (row == nullptr || row->size() != 3) return form;
    const auto handle = (*row)["handle"].value<std::string>();
    const auto name = (*row)["name"].value<std::string>();
    const toml::array* roles = row->get_as<toml::array>("roles");
    if (!handle || !name || roles == nullptr) return form;
    Newcomer newcomer{*handle, *name, 0};
    for (const toml::node& role_node : *roles) {
      const auto role = ReadRoles(role_node.value_or(std::string_view()));
      if (!role) return role.error();
      newcomer.roles |= *role;
    }
    newcomers.push_back(std::move(newcomer));
  }
  return newcomers;
}

base::Result<std::vector<Newcomer>> FromCsv(const std::string& text) {
  const auto source = client::OpenMemory(text);
  const auto first = client::FirstRecord(*source);
  if (!first) return first.error();
  client::CsvReader reader(*source, ',', *first, 1);
  const Error form(Code::kInvalidArgument,
                   "a file of members has the columns handle, name and roles");
  client::CsvRecord record;
  std::vector<Newcomer> newcomers;
  for (bool header = true;; header = false) {
    const auto more = reader.Next(record);
    if (!more) return more.error();
    if (!*more) {
      if (header) return form;
      return newcomers;
    }
    if (record.fault || record.cells.size() != 3) return form;
    if (header) {
      if (record.cells != std::vector<std::string>{"handle", "name", "roles"}) return form;
      continue;
    }
    const auto roles = ReadRoles(record.cells[2]);
    if (!roles) return roles.error();
    newcomers.push_back({record.cells[0], record.cells[1], *roles});
  }
}

// What Godwit shows of a handle or realm in a sentence.
std::string Shown(const OpenInvite& invite) {
  return client::Inert(invite.newcomer.handle) + " in " +
         std::string(protocol::Name(invite.compartment));
}

Json EventJson(std::string_view event, const OpenInvite& invite) {
  return {{"event", event},
          {"handle", invite.newcomer.handle},
          {"realm", protocol::Name(invite.compartment)}};
}

// Invitations on their way, from the OFFER to the EPOCHs that list the newcomers.
class Inviting {
 public:
  Inviting(const Context& context, client::Organisation& organisation)
      : context_(context), inviter_(organisation), organisation_(organisation) {}

  Status Invite(const Newcomer& newcomer) {
    auto invites = inviter_.Invite(newcomer);
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

  bool Waits() const { return !open_.empty() || !confirmed_.empty(); }
  bool failed() const { return failed_; }
  std::size_t listed() const { return listed_; }

  // One look at all that is open. `answers`: where a script answers; nothing: a person does.
  Status Step(AnswerStream* answers) {
    for (std::size_t i = 0; i < open_.size();) {
      const Status looked = LookAt(open_[i]);
      if (!looked) return looked;
      if (answers == nullptr && !open_[i].words.empty()) {
        const auto same = context_.prompt.ConfirmSeen("Does " + Shown(open_[i].invite) +
                                                      " read the same five words?");
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
    return ListReady();
  }

  // Takes back what nobody answered.
  void WithdrawOpen() {
    for (Open& open : open_) {
      const auto withdrawn = inviter_.Withdraw(open.invite);
      failed_ = true;
      context_.output.Note(
          "The invitation of " + Shown(open.invite) +
          (withdrawn ? " was withdrawn." : " could not be withdrawn; it ends by itself."));
      context_.output.Emit(EventJson("withdrawn", open.invite));
    }
    open_.clear();
  }

  // Whoever has joined meanwhile and is not listed is not forgotten.
  void NoteUnlisted() {
    if (confirmed_.empty()) return;
    failed_ = true;
    context_.output.Note(
        "Somebody has joined and is not listed yet, so that colleagues do not see them: run "
        "`godwit sync` once their `member join` has ended.");
  }

 private:
  struct Open {
    OpenInvite invite;
    std::string words;  // of the SAS, once it is there
    bool dead = false;
  };

  void Hand(const OpenInvite& invite, base::ByteSpan text) {
    // It leaves the program here, to be carried by a person or a script.
    std::string shown = base::ToString(text);
    if (context_.output.json()) {
      Json json = EventJson("invitation", invite);
      json["invitation"] = shown;
      context_.output.Emit(json);
    } else {
      context_.output.Line("For " + Shown(invite) + ":");
      context_.output.Line(std::string(protocol::Name(invite.compartment)) + "  " + shown,
                           Style::kStrong);
    }
    crypto::Wipe({reinterpret_cast<std::uint8_t*>(shown.data()), shown.size()});
  }

  Status LookAt(Open& open) {
    if (!open.words.empty() || open.dead) return {};
    const auto sas = inviter_.Poll(open.invite);
    if (!sas) {
      if (IsOffline(sas.error())) return {};
      // Somebody else's message: this invitation is burnt, the others are not.
      open.dead = true;
      failed_ = true;
      (void)inviter_.Withdraw(open.invite);
      context_.output.Note("The invitation of " + Shown(open.invite) + " failed (" +
                           std::string(Name(sas.error().code())) +
                           "): " + std::string(sas.error().message()));
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
      context_.output.Line("\n" + Shown(open.invite) + " is there. Five words on both screens:");
      context_.output.Line("  " + open.words, Style::kStrong);
    }
    return {};
  }

  Status Take(const Answer& answer) {
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

  Status Decide(std::size_t at, bool same) {
    Open open = std::move(open_[at]);
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(at));
    if (!same) {
      failed_ = true;
      (void)inviter_.Withdraw(open.invite);
      context_.output.Note("Not the same words: somebody may be in between. The invitation of " +
                           Shown(open.invite) + " was withdrawn; invite again by a safer way.");
      context_.output.Emit(EventJson("refused", open.invite));
      return {};
    }
    const auto missing = inviter_.Confirm(open.invite);
    if (!missing) return missing.error();
    if (*missing > 0) {
      Json json = EventJson("waits", open.invite);
      json["missing"] = *missing;
      context_.output.Emit(json);
      context_.output.Line(Shown(open.invite) + " " + WaitsFor(*missing) + ".", Style::kWarning);
    } else {
      context_.output.Emit(EventJson("joined", open.invite));
      context_.output.Line(Shown(open.invite) + " is a member now.", Style::kGood);
    }
    confirmed_.push_back(std::move(open.invite));
    confirmed_at_ = base::SystemClock().Steady();
    return {};
  }

  // Lists newcomers together once all have their keys, so that one EPOCH serves many.
  Status ListReady() {
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
    const bool all = ready == confirmed_.size() && open_.empty();
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

  const Context& context_;
  client::Inviter inviter_;
  client::Organisation& organisation_;
  std::vector<Open> open_;
  std::vector<OpenInvite> confirmed_;  // not listed yet
  std::chrono::steady_clock::time_point confirmed_at_;
  std::chrono::steady_clock::time_point looked_at_;
  std::size_t listed_ = 0;
  bool failed_ = false;
};

}  // namespace

base::Result<protocol::Roles> ReadRoles(std::string_view text) {
  constexpr std::string_view kSeparators = " ,;+";
  protocol::Roles roles = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(kSeparators), text.size());
    const std::string_view name = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (name.empty()) continue;
    const auto role = protocol::RoleByName(name);
    if (!role) {
      return Error(Code::kInvalidArgument,
                   "the roles are owner, admin, auditor, caseworker, supervisor, intake, "
                   "coordinator and route");
    }
    roles |= *role;
  }
  if (roles == 0) return Error(Code::kInvalidArgument, "name at least one role");
  return roles;
}

base::Result<std::vector<Newcomer>> ReadNewcomers(const std::string& path) {
  const auto text = ReadText(path);
  if (!text) return text.error();
  auto newcomers = path.ends_with(".toml") ? FromToml(*text) : FromCsv(*text);
  if (!newcomers) return newcomers.error();
  if (newcomers->empty()) return Error(Code::kInvalidArgument, "the file names nobody");
  std::set<std::string> handles;
  for (const Newcomer& newcomer : *newcomers) {
    if (!client::IsHandle(newcomer.handle)) {
      return Error(Code::kInvalidArgument,
                   "a handle has 1 to 64 bytes of text, with no spaces around it");
    }
    if (!handles.insert(newcomer.handle).second) {
      return Error(Code::kInvalidArgument, "the file has a handle twice");
    }
  }
  return newcomers;
}

ExitCode MemberInvite(const Context& context, const MemberInviteOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("invite", why); };
  std::vector<Newcomer> newcomers;
  if (!options.file.empty()) {
    auto read = ReadNewcomers(options.file);
    if (!read) return fail(read.error());
    newcomers = *std::move(read);
  } else {
    const auto roles = ReadRoles(options.roles);
    if (!roles) return fail(roles.error());
    if (!client::IsHandle(options.handle) || options.name.empty()) {
      return fail(Error(Code::kInvalidArgument, "name the newcomer's handle, --name and --roles"));
    }
    newcomers.push_back({options.handle, options.name, *roles});
  }
  if (!output.json() && !context.prompt.HasTerminal()) {
    return fail(Error(Code::kInvalidArgument,
                      "both sides compare words, and there is no terminal to ask at: use --json"));
  }
  auto session = Session::Open(context, kAllRealms);
  if (!session) return fail(session.error());

  CatchInterrupts();
  Inviting inviting(context, session->organisation());
  if (!output.json()) {
    output.Line(
        "An invitation is a secret: hand it over yourself, or by a way that nobody reads with.");
  }
  for (const Newcomer& newcomer : newcomers) {
    if (const Status invited = inviting.Invite(newcomer); !invited) {
      inviting.WithdrawOpen();
      return fail(invited.error());
    }
  }
  output.Emit({{"event", "waiting"}});
  output.Line("\nWaiting for them to run `godwit member join`; Ctrl-C withdraws.");
  AnswerStream answers(STDIN_FILENO);
  const auto until = base::SystemClock().Steady() + options.wait;
  while (inviting.Waits()) {
    if (Interrupted() || base::SystemClock().Steady() > until) break;
    const Status step = inviting.Step(output.json() ? &answers : nullptr);
    if (!step && !Interrupted()) {
      inviting.WithdrawOpen();
      inviting.NoteUnlisted();
      return fail(step.error());
    }
  }
  inviting.WithdrawOpen();
  inviting.NoteUnlisted();
  output.Emit({{"event", "done"}, {"listed", inviting.listed()}, {"complete", !inviting.failed()}});
  return inviting.failed() ? ExitCode::kPartly : ExitCode::kOk;
}

}  // namespace godwit::cli
