#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/id.h"
#include "protocol/kinds.h"
#include "services/realm/config.h"
#include "services/realm/serve.h"
#include "tests/support/postgres.h"
#include "transport/realm_client.h"

namespace godwit::support {

// A realm's service in the process of a test: the real one, with TLS on a free loopback port, over
// a database and certificates of its own. Stopped and removed at the end.
class RealmServer {
 public:
  // Starts at once; ends the test program if it cannot. `engine` sets what a test needs otherwise.
  explicit RealmServer(protocol::Compartment compartment, realm::EngineConfig engine = {});
  // Another replica of `first`: the same database, certificate and realm.
  explicit RealmServer(const RealmServer& first, realm::EngineConfig engine);
  RealmServer(const RealmServer&) = delete;
  RealmServer& operator=(const RealmServer&) = delete;
  ~RealmServer();

  // What a client is told: where, and the pin of the authority.
  transport::RealmAddress address() const;
  // The one-time claim, for CreateRealm.
  const base::Bytes& claim() const { return shared_->claim; }
  const PostgresDatabase& database() const { return shared_->database; }
  // The files of `godwit-admin pki`: ca.crt, ca.key, server.crt, server.key.
  const std::filesystem::path& certificates() const { return shared_->folder; }

  // Ends the service and brings it back at the same port; sessions and data outlive it.
  void Stop();
  void Start();

 private:
  // What replicas have in common.
  struct Shared {
    Shared();
    ~Shared();

    PostgresDatabase database;
    std::filesystem::path folder;
    base::Sha256Hash pin;
    base::Bytes claim;
  };

  const protocol::Compartment compartment_;
  const realm::EngineConfig engine_;
  std::shared_ptr<Shared> shared_;
  int port_ = 0;
  std::unique_ptr<realm::Service> service_;
};

// The three realms of an organisation.
struct RealmServers {
  RealmServer identity{protocol::Compartment::kIdentity};
  RealmServer cases{protocol::Compartment::kCases};
  RealmServer journeys{protocol::Compartment::kJourneys};
};

}  // namespace godwit::support
