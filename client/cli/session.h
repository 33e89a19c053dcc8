#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/agent.h"
#include "client/cli/alarms.h"
#include "client/cli/output.h"
#include "client/cli/prompt.h"
#include "client/organisation.h"
#include "client/profile.h"
#include "protocol/kinds.h"

namespace godwit::cli {

// What every command takes.
struct CommonOptions {
  std::string profile;  // empty: the only one there is
  bool json = false;
  std::optional<int> passphrase_fd;
  bool no_agent = false;
  bool yes = false;
};

// What every command works with.
struct Context {
  const CommonOptions& common;
  Output& output;
  Prompt& prompt;
};

inline const std::vector<protocol::Compartment> kAllRealms{protocol::Compartment::kIdentity,
                                                           protocol::Compartment::kCases,
                                                           protocol::Compartment::kJourneys};

// The compartment of that name, or nothing.
std::optional<protocol::Compartment> CompartmentByName(std::string_view name);

// The profile that --profile names, or the only one. NOT_FOUND: none; INVALID_ARGUMENT: several,
// and none was named; else as Profile::Open.
base::Result<client::Profile> ChooseProfile(const Context& context);

// How `godwit agent` is run for a profile.
std::vector<std::string> AgentCommand(const client::Profile& profile);

// Where a command has the keys from. kPassphrase: it is asked for though the agent has them, since
// what the command does lets somebody in, and whoever sits at an unlocked machine may be another.
enum class Unlock { kAgent, kPassphrase };

// The keys of those of `compartments` that the profile has: from the agent, and for the rest with
// the passphrase, which is asked for once; these are then given to the agent, which is started.
// UNAUTHENTICATED: the passphrase does not open a keystore, three times at a terminal.
base::Result<std::vector<client::UnlockedRealm>> UnlockRealms(
    const Context& context, const client::Profile& profile,
    const std::vector<protocol::Compartment>& compartments, Unlock unlock = Unlock::kAgent);

// Gives realms to the agent of a profile, starting it if none runs, unless --no-agent. What goes
// wrong is said as a note: the command itself does not need it.
void HandToAgent(const Context& context, const client::Profile& profile,
                 const std::vector<const client::UnlockedRealm*>& realms);

// What a command keeps that goes on while other commands work in the profile, between two of its
// sessions: the keys, as long as the agent has them too where it had them.
struct StandBy {
  client::Profile profile;
  std::vector<client::UnlockedRealm> keys;
  bool agent = false;
  std::set<std::string> alarms;  // those that need not be shown again

  // Whether somebody locked the profile meanwhile, or the agent came to its end.
  bool IsLocked() const;
};

// Whether a command writes to a profile, or, asked to stay offline, reads it alone.
inline client::Profile::Use UseOf(bool offline) {
  return offline ? client::Profile::Use::kRead : client::Profile::Use::kWrite;
}

// A profile in use: locked against others who exclude it, with the realms that a command needs.
class Session {
 public:
  // Opens those of `compartments` that the profile has, and shows the banner of an evaluation
  // organisation, the alarms of the self-audit and what every member is shown once. At its end it
  // shows the alarms that the command itself came upon. `use`: kRead for what only reads what is
  // on the device. NOT_FOUND: the profile has none of them.
  static base::Result<Session> Open(const Context& context,
                                    const std::vector<protocol::Compartment>& compartments,
                                    client::Profile::Use use = client::Profile::Use::kWrite,
                                    Unlock unlock = Unlock::kAgent);
  // Opens it again with the keys that StandBy kept. DEADLINE: another command works in the profile.
  // RESOURCE_EXHAUSTED: no memory can be locked.
  static base::Result<Session> Resume(const Context& context, StandBy& kept);
  Session(Session&&) = default;
  Session& operator=(Session&&) = delete;
  ~Session();

  const client::Profile& profile() const { return profile_; }
  client::Organisation& organisation() { return *organisation_; }
  bool evaluation() const;
  bool practice() const;  // by the signed policy
  // Shows the alarms again: of a screen that was drawn over.
  base::Status ShowAlarms();
  // RESOURCE_EXHAUSTED: no memory can be locked.
  base::Result<StandBy> Keep(const Context& context) const;

 private:
  static base::Result<Session> Make(const Context& context, client::Profile profile,
                                    client::ProfileLock lock,
                                    std::vector<client::UnlockedRealm> keys,
                                    std::set<std::string> alarms);

  Session(client::Profile profile, client::ProfileLock lock,
          std::unique_ptr<client::Organisation> organisation)
      : profile_(std::move(profile)),
        lock_(std::move(lock)),
        organisation_(std::move(organisation)) {}

  client::Profile profile_;
  client::ProfileLock lock_;
  std::unique_ptr<client::Organisation> organisation_;
  std::unique_ptr<Alarms> alarms_;
};

// Waits for another command in the same profile to end, up to ten seconds.
base::Result<client::ProfileLock> LockProfile(const client::Profile& profile,
                                              client::Profile::Use use);

// When a realm was last brought up to date, in Unix milliseconds; nothing if never.
base::Result<std::optional<std::uint64_t>> LastSync(client::Realm& realm);
base::Status SetLastSync(client::Realm& realm);

// Brings the roster of a realm and its members' names up to date.
base::Status SyncNames(client::Realm& realm);
// The same for all realms of the organisation.
base::Status SyncNames(client::Organisation& organisation);

// Brings what lists and boards are made of up to date: rosters, names, and the pinned records that
// this member may read, of the realms that are open.
base::Status SyncLists(client::Organisation& organisation, Progress& progress);
// The same without a word, for what happens by itself.
base::Status SyncLists(client::Organisation& organisation);

// Whether `status` only says that the service cannot be reached now.
bool IsOffline(const base::Status& status);

// Set once SIGINT or SIGTERM came, after CatchInterrupts: for commands that tidy up before they
// end. A blocking read then ends with CANCELLED.
void CatchInterrupts();
bool Interrupted();

}  // namespace godwit::cli
