#include "tests/support/realm_server.h"

#include <stdlib.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

#include "storage/postgres.h"
#include "storage/roster_store.h"
#include "tools/admin/commands.h"
#include "tools/admin/pki.h"

namespace godwit::support {
namespace {

void Require(const base::Status& status) {
  if (status) return;
  std::fprintf(stderr, "realm_server: %s\n", std::string(status.error().message()).c_str());
  std::abort();
}

}  // namespace

RealmServer::Shared::Shared() {
  std::string name = (std::filesystem::temp_directory_path() / "godwit-realm.XXXXXX").string();
  folder = ::mkdtemp(name.data());
  std::ostringstream quiet;
  Require(admin::PkiInit({folder}, quiet));
  Require(admin::PkiIssue({folder, {"127.0.0.1"}}, quiet));
  std::ifstream file(folder / "ca.crt");
  const std::string pem((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  pin = *admin::PinOf(pem);

  storage::DatabaseOptions options;
  options.conninfo = database.owner();
  storage::Database owner(options);
  const auto made = storage::RosterStore(owner).MakeClaim(false);
  if (!made) Require(made.error());
  claim = base::ToBytes((*made)->Expose());
}

RealmServer::Shared::~Shared() {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
}

RealmServer::RealmServer(protocol::Compartment compartment, realm::EngineConfig engine)
    : compartment_(compartment), engine_(engine), shared_(std::make_shared<Shared>()) {
  Start();
}

RealmServer::RealmServer(const RealmServer& first, realm::EngineConfig engine)
    : compartment_(first.compartment_), engine_(engine), shared_(first.shared_) {
  Start();
}

RealmServer::~RealmServer() { Stop(); }

transport::RealmAddress RealmServer::address() const {
  return {"127.0.0.1:" + std::to_string(port_), {shared_->pin}};
}

void RealmServer::Stop() { service_.reset(); }

void RealmServer::Start() {
  realm::ServiceConfig config;
  config.listen = "127.0.0.1:" + std::to_string(port_);
  config.certificate_file = shared_->folder / "server.crt";
  config.key_file = shared_->folder / "server.key";
  config.front_certificate_file = config.certificate_file;
  config.database = shared_->database.service();
  config.drain = std::chrono::milliseconds(2'000);
  config.engine = engine_;
  auto service = realm::Service::Start(compartment_, config);
  if (!service) Require(service.error());
  service_ = *std::move(service);
  port_ = service_->port();
}

}  // namespace godwit::support
