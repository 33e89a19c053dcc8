// The front of deploy/haproxy.cfg before a service, as containers run the two.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <regex>
#include <sstream>
#include <thread>

#include "base/text_file.h"
#include "services/realm/watch_hub.h"
#include "tests/services/service_process.h"
#include "tests/services/wire.h"
#include "tools/admin/commands.h"
#include "tools/admin/pki.h"

namespace godwit::realm {
namespace {

using protocol::kFull;
using protocol::Kind;
using support::Must;
using support::TestRealm;
using support::TestVault;

const std::filesystem::path kConfig = std::filesystem::path(GODWIT_TREE) / "deploy/haproxy.cfg";

int FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

void Copy(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
}

class Front : public testing::Test {
 protected:
  // The certificates of both, as deploy/secrets.sh lays them out.
  Front() {
    const auto inner = process_.folder() / "inner";
    support::Require(admin::PkiFront({inner, {"casesd", "127.0.0.1"}}));
    std::filesystem::create_directory(tls_);
    for (const char* file : {"front.crt", "front.key", "ca.crt"}) Copy(inner / file, tls_ / file);
    const auto [certificate, key] = Issue(process_.authority(), {"127.0.0.1"});
    std::ofstream(tls_ / "server.crt") << certificate << process_.authority().certificate;
    std::ofstream(tls_ / "server.key") << key;
    process_.Put(*base::ReadTextFile(inner / "server.crt"),
                 *base::ReadTextFile(inner / "server.key"));
    process_.Start({{"callers", Quoted(inner / "ca.crt")},
                    {"front_certificate", Quoted(tls_ / "server.crt")}});
    inner_pin_ = *admin::PinOf(*base::ReadTextFile(inner / "ca.crt"));
  }
  ~Front() override { StopFront(); }

  static std::string Quoted(const std::filesystem::path& path) {
    return "\"" + path.string() + "\"";
  }

  // Returns once it takes connections.
  void StartFront(int calls) {
    const std::string service = process_.address().host_port;
    const std::vector<std::string> settings{"GODWIT_FRONT=127.0.0.1:" + std::to_string(port_),
                                            "GODWIT_SERVICE=" + service,
                                            "GODWIT_SERVICE_NAME=casesd",
                                            "GODWIT_TLS=" + tls_.string(),
                                            "GODWIT_CALLS=" + std::to_string(calls),
                                            "PATH=/usr/sbin:/usr/bin"};
    std::vector<char*> env;
    for (const auto& setting : settings) env.push_back(const_cast<char*>(setting.c_str()));
    env.push_back(nullptr);
    const std::string config = kConfig.string();
    const char* arguments[] = {"haproxy", "-db", "-f", config.c_str(), nullptr};
    ASSERT_EQ(posix_spawn(&pid_, "/usr/sbin/haproxy", nullptr, nullptr,
                          const_cast<char**>(arguments), env.data()),
              0);
    transport::RealmClient client(address(), {.tries = 30});
    ASSERT_TRUE(client.ServerKey());
  }
  void StopFront() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, 0), nullptr, 0);
  }

  // As clients are told: the front's, with the authority that they pin.
  transport::RealmAddress address() const {
    return {"127.0.0.1:" + std::to_string(port_), process_.address().pins};
  }
  std::unique_ptr<transport::RealmClient> ClientOf(const support::Person& person,
                                                   transport::CallOptions options = {}) {
    auto client = std::make_unique<transport::RealmClient>(address(), options);
    client->SetProver(ProverOf(realm_, person));
    return client;
  }

  TestRealm realm_{protocol::Compartment::kCases};
  support::Person& coordinator_ = realm_.Add(protocol::kCoordinator);
  ServiceProcess process_;
  const std::filesystem::path tls_ = process_.folder() / "front";
  const int port_ = FreePort();
  base::Sha256Hash inner_pin_;
  pid_t pid_ = 0;
};

TEST_F(Front, CallsAndHintsComeThroughIt) {
  StartFront(5'000);
  const auto owner = ClientOf(realm_.person(0));
  const auto client = ClientOf(coordinator_);
  ASSERT_TRUE(owner->CreateRealm(process_.claim(), realm_.statements()[0]));
  for (std::size_t i = 1; i < realm_.statements().size(); ++i) {
    const auto raw = Must(protocol::ReadStatement(realm_.statements()[i]));
    auto& sender = raw.header.author_member == coordinator_.id ? *client : *owner;
    ASSERT_TRUE(sender.AppendStatements({WireOf(UploadOf(realm_, realm_.statements()[i]))}));
  }
  TestVault vault(realm_, Kind::kScreening, coordinator_, {{&coordinator_, kFull}});
  int messages = 0;
  const auto watched = client->Watch([&](const transport::Hints& hints) -> base::Status {
    if (messages++ == 0) {
      EXPECT_TRUE(Must(owner->FetchRoster(0)).size() > 1);
      EXPECT_TRUE(Must(client->AppendEntries({WireOf(UploadOf(vault))})).front());
      return {};
    }
    EXPECT_EQ(hints.vaults.size(), 1u);
    return base::Error(base::Code::kCancelled, "enough");
  });
  EXPECT_EQ(CodeOf(watched), "CANCELLED");
  EXPECT_EQ(messages, 2);
}

// Whoever reaches the service's own port, with the right pin, is none that it speaks with.
TEST_F(Front, NobodyElseIsSpokenWith) {
  transport::RealmClient direct({process_.address().host_port, {inner_pin_}}, {.tries = 2});
  EXPECT_EQ(CodeOf(direct.CreateRealm(process_.claim(), realm_.statements()[0])), "UNAVAILABLE");
  StartFront(5'000);
  EXPECT_TRUE(ClientOf(realm_.person(0))->CreateRealm(process_.claim(), realm_.statements()[0]));
}

TEST_F(Front, WhoCallsTooOftenLosesTheConnection) {
  StartFront(50);
  transport::RealmClient client(address(), {.tries = 1});
  const base::InviteId invite(std::array<std::uint8_t, 16>{9});
  std::string code;
  for (int i = 0; i < 10'000 && code != "UNAVAILABLE"; ++i) {
    code = CodeOf(client.GetJoinMessages(invite));
  }
  EXPECT_EQ(code, "UNAVAILABLE");
  // Nor by another connection, until it was quiet for a while; the service was spared the rest.
  EXPECT_EQ(CodeOf(transport::RealmClient(address(), {.tries = 1}).GetJoinMessages(invite)),
            "UNAVAILABLE");
}

// A stream that says something at every beat is never taken for a dead one.
TEST(FrontConfig, ItsPatienceIsLongerThanAWatchersSilence) {
  const auto text = base::ReadTextFile(kConfig);
  ASSERT_TRUE(text);
  for (const char* which : {"client", "server"}) {
    std::smatch match;
    ASSERT_TRUE(std::regex_search(*text, match,
                                  std::regex("\n  timeout " + std::string(which) + " (\\d+)s\n")));
    EXPECT_GE(std::chrono::seconds(std::stoi(match[1])), 3 * WatchLimits().beat) << which;
  }
}

}  // namespace
}  // namespace godwit::realm
