#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "client/private_file.h"
#include "client/profile.h"
#include "client/realm_keys.h"
#include "protocol/kinds.h"

namespace godwit::client {

// The agent holds the keys of a profile's unlocked realms between two commands, in locked memory
// and nowhere else. It listens on a Unix socket of mode 0600 in $XDG_RUNTIME_DIR/godwit/ or, where
// that is not set, in /tmp/godwit-<uid>/ (mode 0700, this user's, or refused), answers processes of
// the same user alone, and ends after some idle time, at Lock, on SIGTERM, SIGHUP and SIGINT, and
// within five seconds when its socket is removed, as at a logout.

// The longest message, in bytes.
inline constexpr std::size_t kMaxAgentMessage = 8 * 1024;

struct AgentOptions {
  // Ends after this time without a Put or a Get; time asleep counts.
  std::chrono::milliseconds idle{std::chrono::minutes(30)};
};

// Serves `profile` in this process until the agent ends: what `godwit agent` runs.
// EXISTS: an agent serves this profile already. PERMISSION_DENIED: the socket's folder is not
// private. INVALID_ARGUMENT: the socket's path is too long for a socket. IO, INTERNAL
// (crypto::Init).
base::Status RunAgent(const Profile& profile, const AgentOptions& options = {});

// Where the agent of `profile` listens: named by the profile and a hash of its directory, so that
// profiles of one name in two homes do not meet. PERMISSION_DENIED, INVALID_ARGUMENT, IO.
base::Result<std::filesystem::path> AgentSocketPath(const Profile& profile);

// A connection to a profile's agent. Each call waits at most five seconds. Not thread-safe.
class AgentClient {
 public:
  // UNAVAILABLE: no agent runs. PERMISSION_DENIED: what listens there is not this user's.
  static base::Result<AgentClient> Connect(const Profile& profile);

  // Gives the agent a realm to hold; one of the same compartment is replaced.
  base::Status Put(const UnlockedRealm& realm);
  // NOT_FOUND: the realm of this compartment is not unlocked.
  base::Result<UnlockedRealm> Get(protocol::Compartment compartment);
  // Returns the compartments that are unlocked, in the order of their numbers.
  base::Result<std::vector<protocol::Compartment>> List();
  // Wipes all keys and ends the agent.
  base::Status Lock();
  // Returns the time until the agent ends; asking does not lengthen it.
  base::Result<std::chrono::seconds> IdleLeft();
  // All of them, UNAVAILABLE: the agent has ended meanwhile.

 private:
  explicit AgentClient(OwnedFd socket) : socket_(std::move(socket)) {}

  base::Result<crypto::SecretBytes> Ask(base::ByteSpan request);

  OwnedFd socket_;
};

// Starts the agent of `profile` as a process of its own and returns when it answers. `command` is
// the program, by its whole path, and its arguments; it calls RunAgent for the same profile. For
// `godwit`:
// {"/proc/self/exe", "agent", ...}. The process has a session of its own, no terminal and no file
// of this one; keys reach it by AgentClient::Put alone. An agent that runs already is no error.
// UNAVAILABLE: it did not answer within five seconds. IO: no process could be made.
base::Result<AgentClient> StartAgent(const Profile& profile,
                                     const std::vector<std::string>& command);

// A request as it travels, one a packet; exposed for tests.
//
//   request = "gw1/ag"|u8 ver|u8 op|body     op 1 Put: seed[32]|var16 state    2 Get: u8
//   compartment
//                                               3 List    4 Lock    5 IdleLeft
//   answer  = "gw1/ag"|u8 ver|u8 status|body status 0 done, 1 not found, 2 no memory can be locked
//             Get: seed[32]|var16 state    List: list(u8 compartment;)    IdleLeft: u32 seconds
struct AgentPut {
  UnlockedRealm realm;
};
struct AgentGet {
  protocol::Compartment compartment;
};
struct AgentList {};
struct AgentLock {};
struct AgentIdleLeft {};
using AgentRequest = std::variant<AgentPut, AgentGet, AgentList, AgentLock, AgentIdleLeft>;

// INVALID_ARGUMENT: not a request; the agent closes the connection. RESOURCE_EXHAUSTED: no memory
// can be locked.
base::Result<AgentRequest> DecodeAgentRequest(base::ByteSpan packet);

}  // namespace godwit::client
