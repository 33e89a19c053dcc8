#include "tests/services/service_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "storage/postgres.h"
#include "storage/roster_store.h"
#include "tests/support/builders.h"

namespace godwit::realm {
namespace {

constexpr char kBinary[] = GODWIT_CASESD;

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void PutFile(const std::filesystem::path& path, std::string_view text, unsigned mode) {
  if (text.empty()) {
    std::filesystem::remove(path);
    return;
  }
  const std::filesystem::path next = path.string() + ".next";
  std::ofstream(next) << text;
  ASSERT_EQ(::chmod(next.c_str(), mode), 0);
  std::filesystem::rename(next, path);
}

}  // namespace

std::pair<std::string, int> RunProgram(const std::string& command) {
  std::string output;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {"", -1};
  char buffer[4096];
  std::size_t n = 0;
  while ((n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0) output.append(buffer, n);
  const int status = ::pclose(pipe);
  return {output, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

std::pair<std::string, std::string> Issue(const admin::KeyedCertificate& authority,
                                          const std::vector<std::string>& hosts, int days) {
  const auto issued = support::Must(admin::IssueServer(authority, hosts, days));
  const auto key = issued.key.Expose();
  return {issued.certificate, std::string(key.begin(), key.end())};
}

ServiceProcess::ServiceProcess(support::PostgresDatabase database)
    : database_(std::move(database)), authority_(support::Must(admin::MakeAuthority(3'650))) {
  std::string name = (std::filesystem::temp_directory_path() / "godwit-casesd.XXXXXX").string();
  folder_ = ::mkdtemp(name.data());
  config_file_ = folder_ / "casesd.toml";
  log_file_ = folder_ / "log";
  Renew();
  storage::Database owner({.conninfo = database_.owner(), .connections = 1});
  claim_ = base::ToBytes(support::Must(storage::RosterStore(owner).MakeClaim(false))->Expose());
}

ServiceProcess::~ServiceProcess() {
  if (pid_ != 0) {
    Signal(SIGKILL);
    Wait();
  }
  std::filesystem::remove_all(folder_);
}

void ServiceProcess::Put(const std::string& chain, std::string_view key, unsigned mode) const {
  PutFile(key_file(), key, mode);
  PutFile(certificate_file(), chain, 0644);
}

void ServiceProcess::Renew() const {
  const auto [certificate, key] = Issue(authority_, {"127.0.0.1"});
  Put(certificate + authority_.certificate, key);
}

void ServiceProcess::Start(const Extra& extra) {
  Extra settings{{"listen", "\"127.0.0.1:" + std::to_string(port_) + "\""},
                 {"health_listen", "\"127.0.0.1:" + std::to_string(health_port_) + "\""},
                 {"metrics_listen", "\"127.0.0.1:" + std::to_string(metrics_port_) + "\""},
                 {"certificate", "\"" + certificate_file().string() + "\""},
                 {"key", "\"" + key_file().string() + "\""},
                 {"database", "\"" + database_.service() + "\""},
                 {"log_level", "\"debug\""},
                 {"reload_ms", "3600000"}};
  for (const auto& [name, value] : extra) settings[name] = value;
  std::ofstream config(config_file_);
  for (const auto& [name, value] : settings) config << name << " = " << value << "\n";
  config.close();

  const std::size_t before = Count("serves");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, log_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  const std::string file = config_file_.string();
  const char* arguments[] = {kBinary, "--config", file.c_str(), nullptr};
  ASSERT_EQ(posix_spawn(&pid_, kBinary, &actions, nullptr, const_cast<char**>(arguments), environ),
            0);
  posix_spawn_file_actions_destroy(&actions);
  WaitFor("serves", before + 1);
  for (const auto& line : Lines()) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || json["event"] != "serves") continue;
    port_ = json["port"];
    health_port_ = json["health_port"];
    metrics_port_ = json["metrics_port"];
  }
}

void ServiceProcess::Signal(int number) const { ::kill(pid_, number); }

int ServiceProcess::Wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

transport::RealmAddress ServiceProcess::address() const {
  return {"127.0.0.1:" + std::to_string(port_),
          {support::Must(admin::PinOf(authority_.certificate))}};
}

std::vector<std::string> ServiceProcess::Lines() const {
  std::istringstream text(ReadFile(log_file_));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::size_t ServiceProcess::Count(const std::string& event) const {
  std::size_t count = 0;
  for (const auto& line : Lines()) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_object() && json.value("event", "") == event) ++count;
  }
  return count;
}

void ServiceProcess::WaitFor(const std::string& event, std::size_t count) const {
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (Count(event) < count) {
    if (std::chrono::steady_clock::now() > until) {
      FAIL() << "no line number " << count << " of " << event << " in:\n" << ReadFile(log_file_);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

int ServiceProcess::Health() const {
  return RunProgram(std::string(kBinary) + " health --config " + config_file_.string() +
                    " --health-listen 127.0.0.1:" + std::to_string(health_port_))
      .second;
}

std::string ServiceProcess::Metrics() const {
  const int connection = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(metrics_port_));
  std::string answer;
  if (::connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n";
    EXPECT_EQ(::send(connection, request.data(), request.size(), 0),
              static_cast<ssize_t>(request.size()));
    char buffer[4096];
    ssize_t n = 0;
    while ((n = ::recv(connection, buffer, sizeof buffer, 0)) > 0) {
      answer.append(buffer, static_cast<std::size_t>(n));
    }
  }
  ::close(connection);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  const auto body = answer.find("\r\n\r\n");
  return body == std::string::npos ? std::string() : answer.substr(body + 4);
}

}  // namespace godwit::realm
