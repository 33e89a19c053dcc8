#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/kinds.h"
#include "tests/support/realm_server.h"
#include "tests/support/test_organisation.h"

namespace godwit::bench {

// One of the realms' service programs, as a process of its own that ends with this one.
class ServiceProcess {
 public:
  // Takes over from `server`, which stops: the same port, certificate and database. Returns once it
  // answers; ends the program if it does not.
  ServiceProcess(const std::string& program, support::RealmServer& server);
  ServiceProcess(const ServiceProcess&) = delete;
  ServiceProcess& operator=(const ServiceProcess&) = delete;
  ~ServiceProcess();

 private:
  pid_t pid_ = 0;
};

// An organisation to be measured: founded and joined through services in this process, then served
// by the real programs. Caseworkers cw01 and cw02, supervisor sv1, coordinator kc1, intake in1.
class World {
 public:
  // `services`: the folder that holds cases/godwit-casesd and identity/godwit-identityd.
  explicit World(const std::string& services);

  support::TestOrganisation& people() { return people_; }
  client::Realm& Cases(const std::string& handle) {
    return people_.RealmOf(handle, protocol::Compartment::kCases);
  }
  const support::PostgresDatabase& cases_database() const { return servers_.cases.database(); }
  // `count` further caseworkers of cases, each with a device and a connection of their own; made by
  // the first call, which all later ones agree with.
  const std::vector<std::unique_ptr<client::Realm>>& Clients(std::size_t count);
  // Entries in the databases of identity and cases.
  std::uint64_t EntryCount() const;

 private:
  support::RealmServers servers_;
  support::TestOrganisation people_;
  std::vector<std::unique_ptr<client::Realm>> clients_;
  std::optional<ServiceProcess> identity_;
  std::optional<ServiceProcess> cases_;
};

// Who of the realm has exactly this role; ends the program if nobody has.
base::MemberId MemberWith(const client::Realm& realm, protocol::Roles role);

}  // namespace godwit::bench
