#include "client/cli/practice.h"

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string_view>
#include <utility>

#include "client/cli/render.h"
#include "client/invite.h"
#include "client/keystore_file.h"
#include "client/practice.h"
#include "client/private_file.h"
#include "client/self_audit.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using base::Status;
using client::Profile;
using protocol::Compartment;

constexpr std::string_view kPrefix = "practice-";

struct Person {
  const char* handle;
  const char* name;
  protocol::Roles roles;
};
constexpr Person kFounder = {"minji", "Minji Practice", protocol::kOwner | protocol::kAdmin};
constexpr Person kPeople[] = {
    {"dana", "Dana Practice", protocol::kAdmin},
    {"sora", "Sora Practice", protocol::kCoordinator},
    {"jun", "Jun Practice", protocol::kSupervisor},
    {"dal", "Dal Practice", protocol::kSupervisor},
    {"haneul", "Haneul Practice", protocol::kCaseworker},
    {"seol", "Seol Practice", protocol::kCaseworker},
};

// A command of somebody's. Of the words CODE is the case that was opened last, YESTERDAY a day and
// TYPED a file with `typed`.
struct Step {
  const char* handle;
  std::vector<const char*> words;
  const char* typed = "";
};

// Invented people, and cases at several stages.
std::vector<Step> Story() {
  return {
      // At contact, with a visit and a task that are overdue.
      {"haneul",
       {"case", "open", "--supervisor", "jun", "--from", "TYPED"},
       "summary.consent.store_identity = yes\nsummary.consent.services = yes\n"
       "summary.sex = female\nidentity_profile.names[0].full = 연습하나\n"
       "identity_profile.birth.date = 2009\n"},
      {"haneul", {"follow-up", "add", "CODE", "type=visit", "due_day=YESTERDAY"}},
      {"haneul", {"case", "task", "CODE", "--due", "YESTERDAY", "--kind", "review"}},
      // Waits for a coordinator's screening.
      {"haneul",
       {"case", "open", "--supervisor", "jun", "--from", "TYPED"},
       "summary.consent.store_identity = yes\nsummary.consent.services = yes\n"
       "summary.sex = male\nidentity_profile.names[0].full = 연습두울\n"},
      {"haneul", {"case", "stage", "CODE", "screening"}},
      // Accepted; the assessment waits for a supervisor's answer.
      {"haneul",
       {"case", "open", "--supervisor", "jun", "--from", "TYPED"},
       "summary.consent.store_identity = yes\nsummary.consent.services = yes\n"
       "summary.sex = female\nidentity_profile.names[0].full = 연습세엣\n"},
      {"haneul", {"case", "stage", "CODE", "screening"}},
      {"sora", {"screening", "CODE", "--from", "TYPED"}, "state = clear\n"},
      {"sora", {"case", "stage", "CODE", "accepted"}},
      {"haneul",
       {"assessment", "add", "CODE", "--from", "TYPED"},
       "risk = high\nsituation = an invented situation\nwishes = an invented wish\n"},
      {"haneul", {"case", "ask", "CODE", "assessment"}},
      // Planned, with everything approved.
      {"seol",
       {"case", "open", "--supervisor", "dal", "--from", "TYPED"},
       "summary.consent.store_identity = yes\nsummary.consent.services = yes\n"
       "summary.sex = male\nidentity_profile.names[0].full = 연습네엣\n"},
      {"seol", {"case", "stage", "CODE", "screening"}},
      {"sora", {"screening", "CODE", "--from", "TYPED"}, "state = clear\n"},
      {"sora", {"case", "stage", "CODE", "accepted"}},
      {"seol",
       {"assessment", "add", "CODE", "--from", "TYPED"},
       "risk = medium\nsituation = an invented situation\n"},
      {"seol", {"case", "ask", "CODE", "assessment"}},
      {"dal", {"case", "assent", "CODE", "assessment"}},
      {"seol", {"case", "stage", "CODE", "planning"}},
      {"seol",
       {"plan", "add", "CODE", "--from", "TYPED"},
       "goals[0].goal = an invented goal\nactions[0].what = an invented action\n"},
      {"seol", {"case", "ask", "CODE", "plan"}},
      {"dal", {"case", "assent", "CODE", "plan"}},
      // Handed over by half: the case is with seol, the rest is jun's to give.
      {"haneul",
       {"case", "open", "--supervisor", "jun", "--from", "TYPED"},
       "summary.consent.store_identity = yes\nsummary.consent.services = yes\n"
       "summary.sex = female\nidentity_profile.names[0].full = 연습다섯\n"},
      {"sora", {"sync"}},
      {"sora", {"case", "assign", "--to", "seol", "CODE"}},
  };
}

// The profiles that are being made, locked, and removed unless all of it came about.
class Profiles {
 public:
  explicit Profiles(const crypto::SecretBytes& passphrase) : passphrase_(passphrase) {}
  Profiles(const Profiles&) = delete;
  Profiles& operator=(const Profiles&) = delete;
  ~Profiles() {
    Unlock();
    if (done_) return;
    for (const Profile& profile : made_) (void)client::RemovePractice(profile);
  }

  base::Result<const Profile*> Add(const Person& person) {
    auto profile = Profile::Create(std::string(kPrefix) + person.handle);
    if (!profile) return profile.error();
    made_.push_back(*profile);
    if (const auto marked = client::MarkPractice(*profile); !marked) return marked.error();
    auto lock = LockProfile(*profile, Profile::Use::kWrite);
    if (!lock) return lock.error();
    locks_.push_back(*std::move(lock));
    return &made_.back();
  }
  base::Result<std::filesystem::path> Keep(const Profile& profile,
                                           const client::UnlockedRealm& keys) const {
    return client::KeepRealm(profile, passphrase_,
                             {protocol::KdfCost::kFloorOps, protocol::KdfCost::kFloorMem}, keys);
  }
  // A folder of theirs, for files of a moment.
  const std::filesystem::path& folder() const { return made_.front().dir(); }
  // From now on commands work in them.
  void Unlock() { locks_.clear(); }
  void Done() { done_ = true; }

 private:
  const crypto::SecretBytes& passphrase_;
  std::deque<Profile> made_;
  std::vector<client::ProfileLock> locks_;
  bool done_ = false;
};

using Realms = std::map<Compartment, std::unique_ptr<client::Realm>>;

// So that commands of this person need no passphrase for a while.
Status GiveToAgent(const Profile& profile, const Realms& realms) {
  auto agent = client::StartAgent(profile, AgentCommand(profile));
  if (!agent) return agent.error();
  for (const auto& [compartment, realm] : realms) {
    // What happened until now is no news to whoever begins.
    if (const auto taken = client::TakeNotices(*realm); !taken) return taken.error();
    if (const auto given = agent->Put(realm->keys()); !given) return given;
  }
  return {};
}

// Both sides of an invitation are in this process, and compare the words here.
Status ShakeHands(client::Inviter& inviter, client::OpenInvite& invite, client::Joiner& joiner) {
  if (const auto polled = inviter.Poll(invite); !polled) return polled.error();
  const auto theirs = joiner.Poll();
  if (!theirs) return theirs.error();
  const auto ours = inviter.Poll(invite);
  if (!ours) return ours.error();
  if (!*theirs || !*ours || **theirs != **ours) {
    return Error(Code::kCancelled,
                 "two sides of an invitation saw other words: nothing was joined");
  }
  const auto confirmed = inviter.Confirm(invite);
  return confirmed ? Status() : Status(confirmed.error());
}

// Everybody but the founder joins the realms of their roles.
Status JoinAll(client::Organisation& founder, Profiles& profiles, Progress& progress) {
  client::Inviter inviter(founder);
  std::vector<client::OpenInvite> all;
  for (const Person& person : kPeople) {
    progress.Update(Translated("people join"), all.size(), 0);
    auto invites = inviter.Invite({person.handle, person.name, person.roles});
    if (!invites) return invites.error();
    const auto profile = profiles.Add(person);
    if (!profile) return profile.error();
    Realms realms;
    for (client::OpenInvite& invite : *invites) {
      const auto words = inviter.InvitationFor(invite);
      if (!words) return words.error();
      auto joiner = client::Joiner::Begin(words->Expose());
      if (!joiner) return joiner.error();
      if (const auto shaken = ShakeHands(inviter, invite, *joiner); !shaken) return shaken;
      const auto added = joiner->IsAdded();
      if (!added) return added.error();
      if (!*added) {
        return Error(Code::kConflict, "somebody who joined is not in the roster: this is a bug");
      }
      auto keys = std::move(*joiner).TakeKeys({});
      if (!keys) return keys.error();
      const auto path = profiles.Keep(**profile, *keys);
      if (!path) return path.error();
      auto realm = client::Realm::Open(*std::move(keys), *path);
      if (!realm) return realm.error();
      if (const auto synced = (*realm)->Sync(); !synced) return synced;
      realms[invite.compartment] = *std::move(realm);
      all.push_back(std::move(invite));
    }
    if (const auto given = GiveToAgent(**profile, realms); !given) return given;
  }
  const auto listed = inviter.ListNewcomers(all);
  if (!listed) return listed.error();
  if (!*listed) return Error(Code::kConflict, "not everybody who joined has a key: this is a bug");
  return {};
}

std::string DayBefore(std::uint32_t today) { return DayText(today - 1); }

// The invented work, by the commands with which it is done.
Status Work(const Profiles& profiles, const RunWords& run, Progress& progress) {
  const auto story = Story();
  const std::string yesterday = DayBefore(Today());
  const std::string typed = (profiles.folder() / "typed").string();
  std::string code;
  std::size_t done = 0;
  for (const Step& step : story) {
    progress.Update(Translated("they work"), done++, story.size());
    if (const auto written =
            client::ReplacePrivateFile(typed, base::AsBytes(std::string_view(step.typed)));
        !written) {
      return written;
    }
    std::vector<std::string> words;
    for (std::string word : step.words) {
      if (word == "CODE") word = code;
      if (word == "TYPED") word = typed;
      if (const auto at = word.find("YESTERDAY"); at != std::string::npos) {
        word.replace(at, std::string_view("YESTERDAY").size(), yesterday);
      }
      words.push_back(std::move(word));
    }
    words.insert(words.end(), {"--profile", std::string(kPrefix) + step.handle, "--json", "--yes"});
    std::ostringstream out;
    std::ostringstream err;
    const ExitCode exit = run(std::move(words), out, err);
    // A part of a hand-over is what it is to be.
    if (exit != ExitCode::kOk && exit != ExitCode::kPartly) {
      return Error(Code::kUnavailable,
                   "the invented people could not do their work: look whether the services run");
    }
    std::istringstream lines(out.str());
    for (std::string line; std::getline(lines, line);) {
      const Json read = Json::parse(line, nullptr, false);
      if (read.is_object() && read.value("event", "") == "opened") code = read.value("code", "");
    }
  }
  std::error_code ignored;
  std::filesystem::remove(typed, ignored);
  return {};
}

// Whoever works here for real must never be in doubt which people are invented.
Status CheckPlace() {
  const auto names = Profile::List();
  if (!names) return names.error();
  for (const std::string& name : *names) {
    const auto profile = Profile::Open(name);
    if (profile && client::IsPractice(*profile)) {
      return Error(
          Code::kExists,
          "there is a practice organisation on this machine already: remove it first, with "
          "`godwit org remove-practice`");
    }
    return Error(Code::kPermissionDenied,
                 "there is a profile on this machine that is none to practise with: practise as "
                 "another user of the machine, or with GODWIT_HOME set to another folder");
  }
  return {};
}

}  // namespace

ExitCode OrgPractice(const Context& context, client::Founding founding, const RunWords& run) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) {
    return output.Fail("make the practice organisation", why);
  };
  output.Practice();
  if (const auto fits = CheckPlace(); !fits) return fail(fits.error());
  if (context.common.no_agent) {
    return fail(Error(Code::kInvalidArgument,
                      "the invented people keep their keys in agents: leave --no-agent out"));
  }
  const auto passphrase =
      context.prompt.NewPassphrase(Translated("A passphrase for all invented people: "));
  if (!passphrase) return fail(passphrase.error());
  Progress progress(output);
  Profiles profiles(*passphrase);
  const auto founder = profiles.Add(kFounder);
  if (!founder) return fail(founder.error());
  founding.founders = {{kFounder.handle, kFounder.roles}};
  auto founded = client::FoundAlone(
      founding, kFounder.name,
      [&](const client::UnlockedRealm& keys) { return profiles.Keep(**founder, keys); },
      [&](std::string_view) { progress.Update(Translated("founding"), 0, 0); });
  if (!founded) return fail(founded.error());
  {
    client::Organisation organisation(std::move(founded->realms));
    const auto joined = JoinAll(organisation, profiles, progress);
    if (!joined) return fail(joined.error());
    const auto given = GiveToAgent(**founder, organisation.realms());
    if (!given) return fail(given.error());
  }
  profiles.Unlock();
  if (const auto worked = Work(profiles, run, progress); !worked) return fail(worked.error());
  profiles.Done();

  Json names = Json::array();
  Table table{{Column("profile"), Column("name"), Shrinking("roles")}, {}};
  const auto add = [&](const Person& person) {
    names.push_back(std::string(kPrefix) + person.handle);
    table.rows.push_back(
        {std::string(kPrefix) + person.handle, person.name, RolesLabel(person.roles)});
  };
  add(kFounder);
  for (const Person& person : kPeople) add(person);
  output.Emit({{"event", "practice"}, {"profiles", names}});
  output.Show(table);
  output.Line();
  output.Line("The practice organisation stands. Everybody in it has the passphrase that you gave.",
              Style::kGood);
  output.Line("Next: `godwit today --profile practice-haneul`, and docs/guide/practice.md.");
  return ExitCode::kOk;
}

ExitCode OrgRemovePractice(const Context& context) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) {
    return output.Fail("remove the practice organisation", why);
  };
  const auto names = Profile::List();
  if (!names) return fail(names.error());
  std::vector<Profile> found;
  for (const std::string& name : *names) {
    auto profile = Profile::Open(name);
    if (profile && client::IsPractice(*profile)) found.push_back(*std::move(profile));
  }
  if (found.empty()) {
    return fail(Error(Code::kNotFound, "there is no practice organisation on this machine"));
  }
  output.Practice();
  const auto sure = context.prompt.Confirm(
      Translated("Remove the profiles of all {0} invented people?", found.size()));
  if (!sure) return fail(sure.error());
  if (!*sure) return fail(Error(Code::kCancelled, "nothing was removed"));
  Json removed = Json::array();
  for (const Profile& profile : found) {
    if (const auto gone = client::RemovePractice(profile); !gone) return fail(gone.error());
    removed.push_back(profile.name());
  }
  output.Emit({{"event", "removed"}, {"profiles", removed}});
  output.Line(
      "Removed. What the services hold of it nobody can read any more; `./quickstart "
      "--practice --stop` ends those that it started.",
      Style::kGood);
  return ExitCode::kOk;
}

}  // namespace godwit::cli
