#include "client/agent.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "tests/client/temporary.h"

namespace godwit::client {
namespace {

using base::Bytes;
using base::Code;
using protocol::Compartment;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr uid_t kNobody = 65534;

Bytes Request(std::uint8_t op, base::ByteSpan body = {}) {
  Bytes bytes = base::ToBytes(base::AsBytes("gw1/ag"));
  bytes.push_back(1);
  bytes.push_back(op);
  base::Append(bytes, body);
  return bytes;
}

// A connection that sends whatever it is told.
class RawConnection {
 public:
  explicit RawConnection(const std::filesystem::path& path)
      : socket_(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path.string(), address.sun_path);
    connected_ =
        connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const timeval patience{5, 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  bool connected() const { return connected_; }
  pid_t peer() const {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size);
    return credentials.pid;
  }
  // The size of the answer; 0 or less where the other side closes.
  ssize_t Ask(base::ByteSpan request) const {
    send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL);
    std::array<std::uint8_t, kMaxAgentMessage> answer{};
    return recv(socket_.get(), answer.data(), answer.size(), 0);
  }

 private:
  OwnedFd socket_;
  bool connected_ = false;
};

// Waits until nothing answers any more.
bool Ends(const Profile& profile, milliseconds patience = seconds(15)) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline) {
    const auto client = AgentClient::Connect(profile);
    if (!client && client.error().code() == Code::kUnavailable) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

class AgentTest : public testing::Test {
 protected:
  ~AgentTest() override {
    auto client = AgentClient::Connect(profile_);
    if (client) {
      EXPECT_TRUE(client->Lock());
    }
  }

  AgentClient Start(const std::string& idle_ms = "600000") {
    auto client = StartAgent(profile_, {GODWIT_AGENT_PROGRAM, profile_.name(), idle_ms});
    EXPECT_TRUE(client) << client.error().message();
    return *std::move(client);
  }
  std::filesystem::path Socket() const { return *AgentSocketPath(profile_); }
  pid_t Pid() const { return RawConnection(Socket()).peer(); }

  support::ProfileHome home_;
  Profile profile_ = *Profile::Create("kim");
};

TEST_F(AgentTest, HoldsRealmsUntilItIsLocked) {
  const auto none = AgentClient::Connect(profile_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::kUnavailable);

  auto client = Start();
  EXPECT_TRUE(client.List()->empty());
  const auto missing = client.Get(Compartment::kCases);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), Code::kNotFound);

  const auto journeys = support::SomeUnlockedRealm(Compartment::kJourneys);
  const auto cases = support::SomeUnlockedRealm(Compartment::kCases);
  ASSERT_TRUE(client.Put(journeys));
  ASSERT_TRUE(client.Put(cases));
  EXPECT_EQ(*client.List(), (std::vector{Compartment::kCases, Compartment::kJourneys}));
  auto other = AgentClient::Connect(profile_);
  ASSERT_TRUE(other);
  EXPECT_TRUE(support::SameKeys(*other->Get(Compartment::kCases), cases));
  EXPECT_TRUE(support::SameKeys(*other->Get(Compartment::kJourneys), journeys));

  const auto replaced = support::SomeUnlockedRealm(Compartment::kCases);
  ASSERT_TRUE(other->Put(replaced));
  EXPECT_TRUE(support::SameKeys(*client.Get(Compartment::kCases), replaced));

  ASSERT_TRUE(client.Lock());
  EXPECT_TRUE(Ends(profile_));
  EXPECT_EQ(other->List().error().code(), Code::kUnavailable);
  EXPECT_FALSE(std::filesystem::exists(Socket()));
}

TEST_F(AgentTest, IsStartedOnceAndAfterAKillAgain) {
  Start();
  const pid_t first = Pid();
  ASSERT_GT(first, 0);
  Start();
  EXPECT_EQ(Pid(), first);

  const pid_t second = fork();
  if (second == 0) {
    const auto status = RunAgent(profile_);
    _exit(!status && status.error().code() == Code::kExists ? 0 : 1);
  }
  int status = 0;
  waitpid(second, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);

  ASSERT_EQ(kill(first, SIGKILL), 0);
  ASSERT_TRUE(Ends(profile_));
  EXPECT_TRUE(std::filesystem::exists(Socket()));
  EXPECT_TRUE(Start().List()->empty());
}

TEST_F(AgentTest, AProgramThatIsNoneIsRefused) {
  const auto relative = StartAgent(profile_, {"godwit", "agent"});
  ASSERT_FALSE(relative);
  EXPECT_EQ(relative.error().code(), Code::kInvalidArgument);
  EXPECT_FALSE(StartAgent(profile_, {}));
}

TEST_F(AgentTest, EndsAfterIdleTimeThatOnlyPutAndGetLengthen) {
  auto client = Start("2500");
  const auto realm = support::SomeUnlockedRealm();
  ASSERT_TRUE(client.Put(realm));
  // Longer than the idle time in all.
  for (int i = 0; i < 4; ++i) {
    std::this_thread::sleep_for(milliseconds(800));
    ASSERT_TRUE(client.Get(Compartment::kCases)) << i;
  }
  EXPECT_LE(*client.IdleLeft(), seconds(3));
  const auto start = std::chrono::steady_clock::now();
  while (client.IdleLeft() && client.List()) {
    ASSERT_LT(std::chrono::steady_clock::now() - start, seconds(15));
    std::this_thread::sleep_for(milliseconds(20));
  }
  EXPECT_TRUE(Ends(profile_));
}

TEST_F(AgentTest, TheIdleTimeIsHalfAnHourUnlessSaidOtherwise) {
  EXPECT_EQ(AgentOptions().idle, std::chrono::minutes(30));
  auto client = Start("90000");
  const auto left = client.IdleLeft();
  ASSERT_TRUE(left);
  EXPECT_GT(*left, seconds(60));
  EXPECT_LE(*left, seconds(90));
}

TEST_F(AgentTest, EndsOnTheSignalsOfALogout) {
  for (const int number : {SIGTERM, SIGHUP, SIGINT}) {
    auto client = Start();
    ASSERT_TRUE(client.Put(support::SomeUnlockedRealm()));
    ASSERT_EQ(kill(Pid(), number), 0);
    EXPECT_TRUE(Ends(profile_)) << number;
    EXPECT_FALSE(std::filesystem::exists(Socket())) << number;
  }
}

TEST_F(AgentTest, EndsWhenItsSocketIsRemoved) {
  auto client = Start();
  ASSERT_TRUE(std::filesystem::remove(Socket()));
  const auto start = std::chrono::steady_clock::now();
  // It looks every five seconds; the open connection shows when it is gone.
  while (client.List()) {
    ASSERT_LT(std::chrono::steady_clock::now() - start, seconds(20));
    std::this_thread::sleep_for(milliseconds(50));
  }
}

TEST_F(AgentTest, AMalformedMessageEndsItsConnectionAlone) {
  auto client = Start();
  const auto realm = support::SomeUnlockedRealm();
  ASSERT_TRUE(client.Put(realm));
  Bytes later = Request(3);
  later[6] = 2;
  const struct {
    const char* name;
    Bytes packet;
  } cases[] = {{"one byte", Bytes{0}},
               {"another tag", Bytes(8, 'g')},
               {"a later version", later},
               {"no such op", Request(6)},
               {"op zero", Request(0)},
               {"a tail", Request(3, Bytes{0})},
               {"no such compartment", Request(2, Bytes{4})},
               {"compartment zero", Request(2, Bytes{0})},
               {"no compartment", Request(2)},
               {"a Put of nothing", Request(1)},
               {"a Put of no state", Request(1, Bytes(34, 0))},
               {"as long as can be", Request(1, Bytes(kMaxAgentMessage - 8, 0))},
               {"too long", Bytes(kMaxAgentMessage + 1, 'x')},
               {"far too long", Bytes(100'000, 'x')}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const RawConnection raw(Socket());
    ASSERT_TRUE(raw.connected());
    EXPECT_LE(raw.Ask(c.packet), 0);
    // The control: on a fresh connection a request of the right form is answered.
    EXPECT_GT(RawConnection(Socket()).Ask(Request(3)), 0);
  }
  EXPECT_TRUE(support::SameKeys(*client.Get(Compartment::kCases), realm));
}

TEST_F(AgentTest, ManyConnectionsKeepNobodyOut) {
  Start();
  std::vector<RawConnection> held;
  for (int i = 0; i < 100; ++i) {
    held.emplace_back(Socket());
    EXPECT_GT(held.back().Ask(Request(3)), 0) << i;
  }
  EXPECT_TRUE(AgentClient::Connect(profile_)->List());
}

TEST_F(AgentTest, ListensInAPrivatePlace) {
  Start();
  struct stat entry {};
  ASSERT_EQ(lstat(Socket().c_str(), &entry), 0);
  EXPECT_TRUE(S_ISSOCK(entry.st_mode));
  EXPECT_EQ(entry.st_mode & 07777, 0600U);
  ASSERT_EQ(lstat(Socket().parent_path().c_str(), &entry), 0);
  EXPECT_EQ(entry.st_mode & 07777, 0700U);
  EXPECT_EQ(Socket().parent_path(), home_.path() / "godwit");
}

// Runs `body` as another user and returns what it returns; 99 if that user cannot be become.
template <class Body>
int AsNobody(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    if (setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(99);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

TEST_F(AgentTest, AnswersNoOtherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  auto client = Start();
  ASSERT_TRUE(client.Put(support::SomeUnlockedRealm()));
  const auto socket = Socket();
  const auto answered = [&] {
    const RawConnection raw(socket);
    if (!raw.connected()) return 1;
    return raw.Ask(Request(3)) > 0 ? 2 : 3;
  };
  // The folder's mode holds the first line, the check of the peer the second.
  EXPECT_EQ(AsNobody(answered), 1);
  ASSERT_EQ(chmod(home_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(socket.parent_path().c_str(), 0755), 0);
  EXPECT_EQ(AsNobody(answered), 1);
  ASSERT_EQ(chmod(socket.c_str(), 0666), 0);
  EXPECT_EQ(AsNobody(answered), 3);
  EXPECT_EQ(answered(), 2);
  ASSERT_EQ(chmod(socket.parent_path().c_str(), 0700), 0);
  ASSERT_EQ(chmod(home_.path().c_str(), 0700), 0);
}

// Another user's program that listens where the agent would, until the end.
class Impostor {
 public:
  explicit Impostor(const std::filesystem::path& path) {
    std::array<int, 2> ready{};
    EXPECT_EQ(pipe(ready.data()), 0);
    child_ = fork();
    if (child_ == 0) {
      if (setgid(kNobody) != 0 || setuid(kNobody) != 0) _exit(1);
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      std::ranges::copy(path.string(), address.sun_path);
      const int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
      if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) _exit(1);
      if (listen(fd, 5) != 0 || write(ready[1], "y", 1) != 1) _exit(1);
      for (;;) pause();
    }
    close(ready[1]);
    char answer = 0;
    EXPECT_EQ(read(ready[0], &answer, 1), 1);
    close(ready[0]);
  }
  Impostor(const Impostor&) = delete;
  Impostor& operator=(const Impostor&) = delete;
  ~Impostor() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }

 private:
  pid_t child_;
};

TEST_F(AgentTest, GivesNoKeyToAnotherUsersProgram) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  const auto socket_path = Socket();
  const auto dir = socket_path.parent_path();
  ASSERT_EQ(chmod(home_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(dir.c_str(), 0777), 0);
  const Impostor impostor(socket_path);
  ASSERT_EQ(chmod(home_.path().c_str(), 0700), 0);
  const auto open = AgentClient::Connect(profile_);
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code(), Code::kPermissionDenied);  // the folder is not private
  ASSERT_EQ(chmod(dir.c_str(), 0700), 0);
  const auto closed = AgentClient::Connect(profile_);
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code(), Code::kPermissionDenied);  // the peer is another user
  EXPECT_FALSE(StartAgent(profile_, {GODWIT_AGENT_PROGRAM, "kim"}));
}

TEST_F(AgentTest, ProfilesOfOneNameInTwoHomesDoNotMeet) {
  auto client = Start();
  const auto realm = support::SomeUnlockedRealm();
  ASSERT_TRUE(client.Put(realm));
  {
    const support::ScopedVariable home("GODWIT_HOME", (home_.path() / "other").string());
    const auto other = *Profile::Create("kim");
    EXPECT_NE(*AgentSocketPath(other), Socket());
    EXPECT_EQ(AgentClient::Connect(other).error().code(), Code::kUnavailable);
  }
}

TEST_F(AgentTest, WithoutAPrivateRuntimeFolderItUsesOneOfItsOwn) {
  const std::string own = "/tmp/godwit-" + std::to_string(geteuid());
  ASSERT_EQ(chmod(home_.path().c_str(), 0755), 0);
  EXPECT_EQ(AgentSocketPath(profile_)->parent_path(), own);
  ASSERT_EQ(chmod(home_.path().c_str(), 0700), 0);
  const support::ScopedVariable relative("XDG_RUNTIME_DIR", "run");
  EXPECT_EQ(AgentSocketPath(profile_)->parent_path(), own);
  EXPECT_TRUE(OpenPrivateDir(own));
  const auto long_dir = home_.path() / std::string(100, 'x');
  ASSERT_TRUE(MakePrivateDir(long_dir));
  const support::ScopedVariable too_long("XDG_RUNTIME_DIR", long_dir.string());
  EXPECT_EQ(AgentSocketPath(profile_).error().code(), Code::kInvalidArgument);
}

// Every byte of a folder's files, names included.
std::string AllOf(const std::filesystem::path& dir) {
  std::string all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    all += entry.path().string();
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    all.append(std::istreambuf_iterator<char>(file), {});
  }
  return all;
}

TEST_F(AgentTest, WritesNoKeyToADisk) {
  auto client = Start();
  const auto realm = support::SomeUnlockedRealm();
  ASSERT_TRUE(client.Put(realm));
  ASSERT_TRUE(client.Get(Compartment::kCases));
  const std::string seed = base::ToString(realm.seed.Expose());
  const std::string store_key = base::ToString(realm.store_key.Expose());
  const std::string files = AllOf(home_.path());
  EXPECT_EQ(files.find(seed), std::string::npos);
  EXPECT_EQ(files.find(store_key), std::string::npos);
  EXPECT_EQ(files.find(realm.info.handle), std::string::npos);
  // The control.
  std::ofstream(home_.path() / "careless", std::ios::binary) << seed;
  EXPECT_NE(AllOf(home_.path()).find(seed), std::string::npos);
}

// How often `needle` lies in the memory of a process, how often outside of locked regions, and in
// which of those.
struct Copies {
  std::size_t all = 0;
  std::size_t unlocked = 0;
  std::string regions;
};

Copies CopiesIn(pid_t pid, base::ByteSpan needle) {
  const std::string proc = "/proc/" + std::to_string(pid);
  const OwnedFd memory(open((proc + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(memory.ok());
  std::ifstream smaps(proc + "/smaps");
  Copies copies;
  std::size_t in_region = 0;
  std::string region;
  for (std::string line; std::getline(smaps, line);) {
    std::istringstream words(line);
    std::string first;
    words >> first;
    if (first == "VmFlags:") {
      std::string flag;
      bool locked = false;
      while (words >> flag) locked = locked || flag == "lo";
      copies.all += in_region;
      if (!locked && in_region > 0) {
        copies.unlocked += in_region;
        copies.regions += region + '\n';
      }
    } else if (first.find(':') == std::string::npos) {
      in_region = 0;
      region = line;
      const auto dash = first.find('-');
      const auto begin = std::stoul(first.substr(0, dash), nullptr, 16);
      const auto end = std::stoul(first.substr(dash + 1), nullptr, 16);
      // The shadow of a sanitizer is terabytes of nothing.
      if (end - begin > std::size_t{1} << 30) continue;
      std::vector<std::uint8_t> bytes(end - begin);
      const auto got = pread(memory.get(), bytes.data(), bytes.size(), static_cast<off_t>(begin));
      if (got <= 0) continue;
      bytes.resize(static_cast<std::size_t>(got));
      for (auto at = bytes.begin();; ++at) {
        at = std::search(at, bytes.end(), needle.begin(), needle.end());
        if (at == bytes.end()) break;
        ++in_region;
      }
    }
  }
  return copies;
}

TEST_F(AgentTest, KeepsEachKeyOnceAndInLockedMemory) {
  if (geteuid() != 0) GTEST_SKIP() << "nobody else may read an agent's memory";
  auto client = Start();
  const auto realm = support::SomeUnlockedRealm();
  ASSERT_TRUE(client.Put(realm));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client.Get(Compartment::kCases));
  // An answer is wiped once it is sent: it is when the next one comes.
  ASSERT_TRUE(client.List());
  const pid_t pid = Pid();
  for (const auto key :
       {base::ByteSpan(realm.seed.Expose()), base::ByteSpan(realm.store_key.Expose())}) {
    const auto copies = CopiesIn(pid, key);
    EXPECT_EQ(copies.all, 1U);
    EXPECT_EQ(copies.unlocked, 0U) << copies.regions;
  }
  // The control: what is no secret is found, and on the heap.
  EXPECT_GE(CopiesIn(pid, realm.info.member.bytes()).unlocked, 1U);
}

TEST_F(AgentTest, IsAProcessOfItsOwn) {
  if (geteuid() != 0) GTEST_SKIP() << "nobody else may look at an agent's files";
  const OwnedFd inherited(open("/dev/zero", O_RDONLY));  // without O_CLOEXEC
  ASSERT_TRUE(inherited.ok());
  Start();
  const pid_t pid = Pid();
  const std::string proc = "/proc/" + std::to_string(pid);
  EXPECT_NE(getsid(pid), getsid(0));
  EXPECT_EQ(std::filesystem::read_symlink(proc + "/cwd"), "/");
  for (const char* const fd : {"0", "1", "2"}) {
    EXPECT_EQ(std::filesystem::read_symlink(proc + "/fd/" + fd), "/dev/null");
  }
  for (const auto& entry : std::filesystem::directory_iterator(proc + "/fd")) {
    EXPECT_NE(std::filesystem::read_symlink(entry), "/dev/zero");
  }
  std::ifstream limits(proc + "/limits");
  std::string line;
  while (std::getline(limits, line) && line.find("Max core file size") == std::string::npos) {
  }
  EXPECT_NE(line.find(" 0 "), std::string::npos) << line;
}

RC_GTEST_PROP(AgentMessage, AnyBytesAreSurvived, (const Bytes& bytes, std::uint8_t op)) {
  static_cast<void>(DecodeAgentRequest(bytes).ok());
  static_cast<void>(DecodeAgentRequest(Request(op, bytes)).ok());
}

TEST(AgentMessage, EveryRequestIsRead) {
  EXPECT_TRUE(std::holds_alternative<AgentList>(*DecodeAgentRequest(Request(3))));
  EXPECT_TRUE(std::holds_alternative<AgentLock>(*DecodeAgentRequest(Request(4))));
  EXPECT_TRUE(std::holds_alternative<AgentIdleLeft>(*DecodeAgentRequest(Request(5))));
  const auto get = DecodeAgentRequest(Request(2, Bytes{3}));
  ASSERT_TRUE(get);
  EXPECT_EQ(std::get<AgentGet>(*get).compartment, Compartment::kJourneys);
  const auto realm = support::SomeUnlockedRealm();
  const auto state = EncodeState(realm.info, realm.store_key);
  Bytes body = base::ToBytes(realm.seed.Expose());
  body.push_back(static_cast<std::uint8_t>(state->size() >> 8));
  body.push_back(static_cast<std::uint8_t>(state->size()));
  base::Append(body, state->Expose());
  const auto put = DecodeAgentRequest(Request(1, body));
  ASSERT_TRUE(put);
  EXPECT_TRUE(support::SameKeys(std::get<AgentPut>(*put).realm, realm));
}

}  // namespace
}  // namespace godwit::client
