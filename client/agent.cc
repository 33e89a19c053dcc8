#include "client/agent.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <thread>
#include <utility>

#include "crypto/hash.h"
#include "crypto/init.h"
#include "protocol/ce.h"

namespace godwit::client {
namespace {

using protocol::Compartment;
using std::chrono::milliseconds;

constexpr std::string_view kTag = "gw1/ag";
constexpr std::uint8_t kVersion = 1;

enum class Op : std::uint8_t { kPut = 1, kGet = 2, kList = 3, kLock = 4, kIdleLeft = 5 };
enum class Answer : std::uint8_t { kDone = 0, kNotFound = 1, kNoMemory = 2 };

constexpr std::size_t kMaxConnections = 16;
// How long a call waits, and how often the agent looks whether its socket is still there.
constexpr milliseconds kPatience{5000};

base::Error Io() { return {base::Code::kIo, "the agent's socket cannot be used"}; }
base::Error Gone() { return {base::Code::kUnavailable, "no agent answers: unlock again"}; }
base::Error NotARequest() {
  return {base::Code::kInvalidArgument, "this is not a request to an agent"};
}

bool IsCompartment(std::uint8_t value) { return value >= 1 && value <= 3; }

// --- Messages -------------------------------------------------------------------------------

protocol::Writer Begin(std::uint8_t op_or_answer) {
  protocol::Writer w;
  w.Raw(kTag).U8(kVersion).U8(op_or_answer);
  return w;
}

// A message that ends in seed[32] | var16 state, in memory that is wiped.
base::Result<crypto::SecretBytes> WithRealm(std::uint8_t op_or_answer, const UnlockedRealm& realm) {
  const auto state = EncodeState(realm.info, realm.store_key);
  if (!state) return state.error();
  const auto head = Begin(op_or_answer);
  protocol::Writer size;
  size.U16(static_cast<std::uint16_t>(state->size()));
  crypto::SecretBytes out(head.bytes().size() + protocol::DeviceSeed::kSize + 2 + state->size());
  auto end = std::ranges::copy(head.bytes(), out.Expose().begin()).out;
  end = std::ranges::copy(realm.seed.Expose(), end).out;
  end = std::ranges::copy(size.bytes(), end).out;
  std::ranges::copy(state->Expose(), end);
  return out;
}

base::Result<UnlockedRealm> ReadRealm(protocol::Reader& r) {
  const base::ByteSpan seed_bytes = r.Raw(protocol::DeviceSeed::kSize);
  const base::ByteSpan state = r.Var16();
  if (!r.Done()) return NotARequest();
  auto seed = protocol::DeviceSeed::Copy(seed_bytes.first<protocol::DeviceSeed::kSize>());
  if (!seed) return seed.error();
  return DecodeState(*std::move(seed), state);
}

// Reads tag and version, and returns the byte after them.
std::uint8_t ReadBegin(protocol::Reader& r) {
  const base::ByteSpan tag = r.Raw(kTag.size());
  const std::uint8_t version = r.U8();
  const std::uint8_t op_or_answer = r.U8();
  if (!r.ok() || version != kVersion || !std::ranges::equal(tag, base::AsBytes(kTag))) r.Fail();
  return op_or_answer;
}

// --- Sockets --------------------------------------------------------------------------------

// The folder of sockets, made where it is missing.
base::Result<std::filesystem::path> SocketDir() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime == '/' && OpenPrivateDir(runtime)) {
    const auto dir = std::filesystem::path(runtime) / "godwit";
    if (const auto fd = MakePrivateDir(dir); !fd) return fd.error();
    return dir;
  }
  // Anybody may have made it first: MakePrivateDir refuses what is not ours alone.
  const auto dir = std::filesystem::path("/tmp/godwit-" + std::to_string(geteuid()));
  if (const auto fd = MakePrivateDir(dir); !fd) return fd.error();
  return dir;
}

base::Result<sockaddr_un> AddressOf(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text = path.string();
  if (text.size() >= sizeof address.sun_path) {
    return base::Error(base::Code::kInvalidArgument,
                       "the path of the agent's socket is too long: set XDG_RUNTIME_DIR to a "
                       "shorter one");
  }
  std::ranges::copy(text, address.sun_path);
  return address;
}

bool IsSameUser(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

timespec ToTimespec(milliseconds time) {
  return {static_cast<time_t>(time.count() / 1000), (time.count() % 1000) * 1'000'000};
}

// --- The agent ------------------------------------------------------------------------------

// Blocks the signals that end an agent, to be read from a file descriptor, until its own end.
class EndSignals {
 public:
  EndSignals() {
    sigemptyset(&ours_);
    for (const int number : {SIGTERM, SIGHUP, SIGINT}) sigaddset(&ours_, number);
    pthread_sigmask(SIG_BLOCK, &ours_, &before_);
    fd_ = OwnedFd(signalfd(-1, &ours_, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  ~EndSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  int fd() const { return fd_.get(); }

 private:
  sigset_t ours_{};
  sigset_t before_{};
  OwnedFd fd_;
};

class Agent {
 public:
  explicit Agent(const AgentOptions& options) : options_(options) {}

  base::Status Listen(const std::filesystem::path& path) {
    path_ = path;
    auto lock_path = path;
    lock_path += ".lock";
    // Whoever holds the lock is the agent, so that a socket found there is a dead one's.
    lock_ = OwnedFd(open(lock_path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!lock_.ok()) return Io();
    if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
      return base::Error(base::Code::kExists, "an agent serves this profile already");
    }
    const auto address = AddressOf(path);
    if (!address) return address.error();
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return Io();
    listener_ = OwnedFd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // Until listen, nobody can connect, so that the mode is right from the first moment.
    if (!listener_.ok() ||
        bind(listener_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 ||
        chmod(path.c_str(), 0600) != 0 || lstat(path.c_str(), &entry_) != 0 ||
        listen(listener_.get(), kMaxConnections) != 0) {
      return Io();
    }
    // Time asleep counts: a laptop that was closed for an hour wakes up locked.
    timer_ = OwnedFd(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!timer_.ok() || !ResetIdle()) return Io();
    return {};
  }

  // Serves until the end.
  base::Status Serve(int signals) {
    for (;;) {
      std::vector<pollfd> fds{
          {signals, POLLIN, 0}, {timer_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
      for (const auto& connection : connections_) fds.push_back({connection.get(), POLLIN, 0});
      const int ready = poll(fds.data(), fds.size(), static_cast<int>(kPatience.count()));
      if (ready < 0 && errno != EINTR) return Io();
      if (!SocketIsOurs()) return {};
      if (ready <= 0) continue;
      // The end comes first: a request that arrives with it gets no key.
      if (fds[0].revents != 0 || fds[1].revents != 0) return {};
      std::vector<OwnedFd> kept;
      for (std::size_t i = 0; i < connections_.size(); ++i) {
        const bool keep = fds[3 + i].revents == 0 || ServeOne(connections_[i].get());
        if (locked_) return {};
        if (keep) kept.push_back(std::move(connections_[i]));
      }
      connections_ = std::move(kept);
      if (fds[2].revents != 0) Accept();
    }
  }

  void RemoveSocket() {
    if (SocketIsOurs()) unlink(path_.c_str());
  }

 private:
  bool SocketIsOurs() const {
    struct stat now {};
    return lstat(path_.c_str(), &now) == 0 && now.st_dev == entry_.st_dev &&
           now.st_ino == entry_.st_ino;
  }

  bool ResetIdle() const {
    itimerspec time{};
    time.it_value = ToTimespec(options_.idle);
    return timerfd_settime(timer_.get(), 0, &time, nullptr) == 0;
  }

  void Accept() {
    OwnedFd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connection.ok() || !IsSameUser(connection.get())) return;
    // The oldest makes room: nobody keeps the others out by holding connections.
    if (connections_.size() >= kMaxConnections) connections_.erase(connections_.begin());
    connections_.push_back(std::move(connection));
  }

  // Answers one request. False: the connection is at its end.
  bool ServeOne(int connection) {
    crypto::SecretBytes packet(kMaxAgentMessage);
    const ssize_t size = recv(connection, packet.Expose().data(), packet.size(), MSG_TRUNC);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (size == 0 || static_cast<std::size_t>(size) > packet.size()) return false;
    auto request =
        DecodeAgentRequest(std::as_const(packet).Expose().first(static_cast<std::size_t>(size)));
    if (!request && request.error().code() != base::Code::kResourceExhausted) return false;
    const auto answer = request ? std::visit([&](auto& r) { return Do(r); }, *request)
                                : Plain(Begin(static_cast<std::uint8_t>(Answer::kNoMemory)));
    return send(connection, answer.Expose().data(), answer.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(answer.size());
  }

  static crypto::SecretBytes Plain(const protocol::Writer& writer) {
    return crypto::SecretBytes::Copy(writer.bytes());
  }
  static protocol::Writer Done() { return Begin(static_cast<std::uint8_t>(Answer::kDone)); }

  crypto::SecretBytes Do(AgentPut& put) {
    ResetIdle();
    const Compartment compartment = put.realm.info.compartment;
    realms_.insert_or_assign(compartment, std::move(put.realm));
    return Plain(Done());
  }

  crypto::SecretBytes Do(const AgentGet& get) {
    ResetIdle();
    const auto realm = realms_.find(get.compartment);
    if (realm != realms_.end()) {
      auto answer = WithRealm(static_cast<std::uint8_t>(Answer::kDone), realm->second);
      if (answer) return *std::move(answer);
    }
    return Plain(Begin(static_cast<std::uint8_t>(Answer::kNotFound)));
  }

  crypto::SecretBytes Do(const AgentList&) {
    auto w = Done();
    w.U16(static_cast<std::uint16_t>(realms_.size()));
    for (const auto& [compartment, realm] : realms_) w.U8(static_cast<std::uint8_t>(compartment));
    return Plain(w);
  }

  crypto::SecretBytes Do(const AgentLock&) {
    // Wiped before the answer: whoever reads it knows that the keys are gone.
    realms_.clear();
    locked_ = true;
    return Plain(Done());
  }

  crypto::SecretBytes Do(const AgentIdleLeft&) {
    itimerspec left{};
    timerfd_gettime(timer_.get(), &left);
    auto w = Done();
    w.U32(static_cast<std::uint32_t>(left.it_value.tv_sec + (left.it_value.tv_nsec > 0 ? 1 : 0)));
    return Plain(w);
  }

  AgentOptions options_;
  std::filesystem::path path_;
  struct stat entry_ {};
  OwnedFd lock_;
  OwnedFd listener_;
  OwnedFd timer_;
  std::vector<OwnedFd> connections_;
  std::map<Compartment, UnlockedRealm> realms_;
  bool locked_ = false;
};

// --- Starting it ----------------------------------------------------------------------------

// What runs between fork and exec: async-signal-safe calls alone, since other threads of the
// caller may have held a lock.
[[noreturn]] void Become(char* const* argv) {
  setsid();
  // The first child ends at once, so that nobody has to wait for the agent.
  if (const pid_t agent = fork(); agent != 0) _exit(agent < 0 ? 1 : 0);
  const int null = open("/dev/null", O_RDWR);
  for (const int fd : {0, 1, 2}) {
    if (dup2(null, fd) < 0) _exit(1);
  }
  if (chdir("/") != 0 || close_range(3, ~0U, 0) != 0) _exit(1);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execv(argv[0], argv);
  _exit(1);
}

}  // namespace

base::Status RunAgent(const Profile& profile, const AgentOptions& options) {
  if (const auto status = crypto::Init(); !status) return status.error();
  const auto path = AgentSocketPath(profile);
  if (!path) return path.error();
  const EndSignals signals;
  if (signals.fd() < 0) return Io();
  Agent agent(options);
  if (const auto status = agent.Listen(*path); !status) return status.error();
  const auto status = agent.Serve(signals.fd());
  agent.RemoveSocket();
  return status;
}

base::Result<std::filesystem::path> AgentSocketPath(const Profile& profile) {
  const auto dir = SocketDir();
  if (!dir) return dir.error();
  std::error_code error;
  const auto home = std::filesystem::canonical(profile.dir(), error);
  if (error) return base::Error(base::Code::kIo, "the profile's folder cannot be found");
  const auto hash = crypto::Sha256(base::AsBytes(home.string()));
  const auto path =
      *dir / (profile.name() + "-" + base::ToHex(base::ByteSpan(hash).first(8)) + ".sock");
  if (const auto address = AddressOf(path); !address) return address.error();
  return path;
}

base::Result<AgentClient> AgentClient::Connect(const Profile& profile) {
  const auto path = AgentSocketPath(profile);
  if (!path) return path.error();
  const auto address = AddressOf(*path);
  if (!address) return address.error();
  OwnedFd connection(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!connection.ok()) return Io();
  const timeval patience{kPatience.count() / 1000, 0};
  setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(connection.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) !=
      0) {
    if (errno == EACCES || errno == EPERM) {
      return base::Error(base::Code::kPermissionDenied, "the agent's socket is another user's");
    }
    return Gone();
  }
  if (!IsSameUser(connection.get())) {
    return base::Error(base::Code::kPermissionDenied, "another user's program poses as the agent");
  }
  return AgentClient(std::move(connection));
}

base::Result<crypto::SecretBytes> AgentClient::Ask(base::ByteSpan request) {
  if (send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return Gone();
  }
  crypto::SecretBytes packet(kMaxAgentMessage);
  const ssize_t size = recv(socket_.get(), packet.Expose().data(), packet.size(), MSG_TRUNC);
  if (size <= 0 || static_cast<std::size_t>(size) > packet.size()) return Gone();
  protocol::Reader r(std::as_const(packet).Expose().first(static_cast<std::size_t>(size)));
  const auto answer = static_cast<Answer>(ReadBegin(r));
  if (!r.ok()) return Gone();
  switch (answer) {
    case Answer::kDone:
      return crypto::SecretBytes::Copy(r.rest());
    case Answer::kNotFound:
      return base::Error(base::Code::kNotFound, "this realm is locked: unlock it");
    case Answer::kNoMemory:
      return base::Error(base::Code::kResourceExhausted,
                         "the agent can lock no more memory for keys: raise the memlock limit "
                         "(ulimit -l)");
  }
  return Gone();
}

base::Status AgentClient::Put(const UnlockedRealm& realm) {
  const auto request = WithRealm(static_cast<std::uint8_t>(Op::kPut), realm);
  if (!request) return request.error();
  const auto answer = Ask(request->Expose());
  if (!answer) return answer.error();
  return {};
}

base::Result<UnlockedRealm> AgentClient::Get(Compartment compartment) {
  auto request = Begin(static_cast<std::uint8_t>(Op::kGet));
  request.U8(static_cast<std::uint8_t>(compartment));
  const auto answer = Ask(request.bytes());
  if (!answer) return answer.error();
  protocol::Reader r(answer->Expose());
  auto realm = ReadRealm(r);
  if (realm ? realm->info.compartment != compartment
            : realm.error().code() != base::Code::kResourceExhausted) {
    return Gone();
  }
  return realm;
}

base::Result<std::vector<Compartment>> AgentClient::List() {
  const auto answer = Ask(Begin(static_cast<std::uint8_t>(Op::kList)).bytes());
  if (!answer) return answer.error();
  protocol::Reader r(answer->Expose());
  std::vector<Compartment> realms;
  r.List([&](protocol::Reader& item) {
    const std::uint8_t compartment = item.U8();
    if (!IsCompartment(compartment)) item.Fail();
    realms.push_back(static_cast<Compartment>(compartment));
  });
  if (!r.Done()) return Gone();
  return realms;
}

base::Status AgentClient::Lock() {
  const auto answer = Ask(Begin(static_cast<std::uint8_t>(Op::kLock)).bytes());
  if (!answer) return answer.error();
  return {};
}

base::Result<std::chrono::seconds> AgentClient::IdleLeft() {
  const auto answer = Ask(Begin(static_cast<std::uint8_t>(Op::kIdleLeft)).bytes());
  if (!answer) return answer.error();
  protocol::Reader r(answer->Expose());
  const std::chrono::seconds left(r.U32());
  if (!r.Done()) return Gone();
  return left;
}

base::Result<AgentClient> StartAgent(const Profile& profile,
                                     const std::vector<std::string>& command) {
  auto running = AgentClient::Connect(profile);
  if (running || running.error().code() != base::Code::kUnavailable) return running;
  if (command.empty() || command[0].empty() || command[0][0] != '/') {
    return base::Error(base::Code::kInvalidArgument, "an agent's program is named by a whole path");
  }
  std::vector<std::string> words = command;
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const pid_t child = fork();
  if (child < 0) return base::Error(base::Code::kIo, "no process can be made for the agent");
  if (child == 0) Become(argv.data());
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return base::Error(base::Code::kIo, "no process can be made for the agent");
  }
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (auto wait = milliseconds(2);; wait = std::min(wait * 2, milliseconds(50))) {
    auto client = AgentClient::Connect(profile);
    if (client || client.error().code() != base::Code::kUnavailable) return client;
    if (std::chrono::steady_clock::now() >= deadline) {
      return base::Error(base::Code::kUnavailable, "the agent did not start within five seconds");
    }
    std::this_thread::sleep_for(wait);
  }
}

base::Result<AgentRequest> DecodeAgentRequest(base::ByteSpan packet) {
  protocol::Reader r(packet);
  const auto op = static_cast<Op>(ReadBegin(r));
  if (!r.ok()) return NotARequest();
  switch (op) {
    case Op::kPut: {
      auto realm = ReadRealm(r);
      if (realm) return AgentRequest(AgentPut{*std::move(realm)});
      if (realm.error().code() == base::Code::kResourceExhausted) return realm.error();
      return NotARequest();
    }
    case Op::kGet: {
      const std::uint8_t compartment = r.U8();
      if (!r.Done() || !IsCompartment(compartment)) return NotARequest();
      return AgentRequest(AgentGet{static_cast<Compartment>(compartment)});
    }
    case Op::kList:
      if (r.Done()) return AgentRequest(AgentList{});
      return NotARequest();
    case Op::kLock:
      if (r.Done()) return AgentRequest(AgentLock{});
      return NotARequest();
    case Op::kIdleLeft:
      if (r.Done()) return AgentRequest(AgentIdleLeft{});
      return NotARequest();
  }
  return NotARequest();
}

}  // namespace godwit::client
