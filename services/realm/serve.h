#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "protocol/kinds.h"
#include "services/realm/config.h"
#include "services/server/settings.h"

namespace godwit::realm {

// A realm's service that runs: database, engine, listener.
class Service {
 public:
  // Checks the database and starts. Codes and why not: storage::CheckRealmDatabase,
  // Engine::CheckRealm, server::GrpcServer::Start, CertificateKey of the front's certificate.
  static base::Result<std::unique_ptr<Service>> Start(protocol::Compartment compartment,
                                                      const ServiceConfig& config);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  // Stop.
  ~Service();

  int port() const;
  // Takes no new call, ends those that run, or gives them up after the configured time.
  void Stop();

 private:
  struct Parts;

  explicit Service(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

// The rest of a service's main: reads the settings' environment (`prefix`), starts, serves until
// SIGTERM or SIGINT, drains. Returns the exit code: 0 ended by a signal; 1 refused to serve, and
// said why on standard error; 2 wrong settings. `settings` hold the file's and are overridden by
// the environment and then by `flags`.
struct Flag {
  std::string_view name;
  std::string value;
};
int RunService(protocol::Compartment compartment, server::Settings settings,
               std::string_view prefix, std::span<const Flag> flags);

}  // namespace godwit::realm
