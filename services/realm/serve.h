#pragma once

#include <memory>

#include "base/result.h"
#include "protocol/kinds.h"
#include "services/realm/config.h"
#include "services/server/settings.h"

namespace godwit::realm {

// A realm's service that runs: database, engine, listeners. It takes new certificates into use when
// their files change, and tells its health by whether the database answers.
class Service {
 public:
  // Checks the database and starts. Codes and why not: storage::CheckRealmDatabase,
  // Engine::CheckRealm, Start of each listener, CertificateKey of the front's certificate.
  static base::Result<std::unique_ptr<Service>> Start(protocol::Compartment compartment,
                                                      const ServiceConfig& config);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  // Stop.
  ~Service();

  int port() const;
  // Of the listeners for this machine; 0 where there is none.
  int health_port() const;
  int metrics_port() const;

  // Reads the certificate files soon, changed or not. A set that is not good is logged, and the one
  // in use stays. Thread-safe.
  void Reload();
  // Takes no new call, ends those that run, or gives them up after the configured time.
  void Stop();

 private:
  struct Parts;

  explicit Service(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

// The rest of a service's main: starts, serves until SIGTERM or SIGINT, drains; SIGHUP is Reload.
// Returns the exit code: 0 ended by a signal; 1 refused to serve, or had to be ended by force, and
// said why in its log; 2 wrong settings, named on standard error.
int RunService(protocol::Compartment compartment, const server::Settings& settings);

}  // namespace godwit::realm
