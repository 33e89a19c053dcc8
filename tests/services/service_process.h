#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "tests/support/postgres.h"
#include "tools/admin/pki.h"
#include "transport/realm_client.h"

namespace godwit::realm {

// Runs a program to its end and returns what it wrote and its exit code.
std::pair<std::string, int> RunProgram(const std::string& command);

// The binary godwit-casesd in a process of its own, over a database and certificates of its own, on
// free loopback ports; killed and removed at the end. What it writes is its log.
class ServiceProcess {
 public:
  // Settings beside those that it needs, each as TOML has it: {"reload_ms", "100"}.
  using Extra = std::map<std::string, std::string>;

  // Makes the certificates; Start starts the process.
  explicit ServiceProcess(support::PostgresDatabase database = {});
  ServiceProcess(const ServiceProcess&) = delete;
  ServiceProcess& operator=(const ServiceProcess&) = delete;
  ~ServiceProcess();

  // Returns when it serves; fails the test when it does not. A second start listens where the first
  // did.
  void Start(const Extra& extra = {});
  void Signal(int number) const;
  // Waits for its end and returns the exit code.
  int Wait();

  transport::RealmAddress address() const;
  const base::Bytes& claim() const { return claim_; }
  const support::PostgresDatabase& database() const { return database_; }
  int health_port() const { return health_port_; }
  int metrics_port() const { return metrics_port_; }
  const std::filesystem::path& config_file() const { return config_file_; }
  std::filesystem::path certificate_file() const { return folder_ / "server.crt"; }
  std::filesystem::path key_file() const { return folder_ / "server.key"; }
  const std::filesystem::path& folder() const { return folder_; }

  const admin::KeyedCertificate& authority() const { return authority_; }
  // Puts a chain and a key where the service reads them, each under its name at once. An empty text
  // removes the file.
  void Put(const std::string& chain, std::string_view key, unsigned mode = 0600) const;
  // A new key's certificate for this machine under the authority, put there.
  void Renew() const;

  // All that it wrote so far, a line each.
  std::vector<std::string> Lines() const;
  // Returns when that many lines of its log have this event; fails the test after a minute.
  void WaitFor(const std::string& event, std::size_t count = 1) const;
  std::size_t Count(const std::string& event) const;

  // The exit code of the subcommand `health` with this config.
  int Health() const;
  // What GET /metrics answers.
  std::string Metrics() const;

 private:
  support::PostgresDatabase database_;
  std::filesystem::path folder_;
  std::filesystem::path config_file_;
  std::filesystem::path log_file_;
  admin::KeyedCertificate authority_;
  base::Bytes claim_;
  int port_ = 0;
  int health_port_ = 0;
  int metrics_port_ = 0;
  pid_t pid_ = 0;
};

// A certificate's PEM and its key's for the hosts of an authority.
std::pair<std::string, std::string> Issue(const admin::KeyedCertificate& authority,
                                          const std::vector<std::string>& hosts,
                                          int days = admin::kServerDays);

}  // namespace godwit::realm
