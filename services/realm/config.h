#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include "services/realm/watch_hub.h"
#include "services/server/limits.h"
#include "services/server/settings.h"

namespace godwit::realm {

// How much a member may do a day (docs/protocol.md section 8). A day is one of UTC. Revocations and
// removals of members take nothing, so that no quota ever stands in their way.
struct Quotas {
  std::uint64_t puk_rotate_per_day = 4;    // a member; free while the PUK is stale
  std::uint64_t device_add_per_day = 4;    // a member
  std::uint64_t create_per_day = 500;      // a member without the role intake
  std::uint64_t import_per_day = 100'000;  // the same with it
  std::uint64_t epochs_per_vault_day = 24;
  std::uint64_t epochs_per_shared_vault_day = 200;  // kinds 1 and 2
  std::uint64_t bytes_per_day = std::uint64_t{1} << 30;
  std::uint64_t import_bytes_per_day = std::uint64_t{8} << 30;
  // Of uploads that freeze a vault and do nothing else: whoever used up their bytes still can.
  std::uint64_t freeze_bytes_per_day = std::uint64_t{4} << 20;
  std::uint64_t revokes_of_others_per_day = 10;
};

// What the rules of a realm's service are set to.
struct EngineConfig {
  Quotas quotas;
  std::size_t committers = 2;          // threads that commit, each one transaction at a time
  std::size_t waiting_commits = 4096;  // what may wait for them
  std::size_t cached_vaults = 20'000;
  std::size_t cached_records = 1'000'000;  // over all cached vaults
  // How long a caller waits for its entries to be stored.
  std::chrono::milliseconds commit_wait{30'000};
  WatchLimits watch;
};

// All that a realm's service is told.
struct ServiceConfig {
  std::string listen;
  std::string certificate_file;
  std::string key_file;
  // The certificate that clients see: the front's, or the service's own.
  std::string front_certificate_file;
  // Of the authority whose certificates callers must show, as a front does; empty: any may call.
  std::string callers_file;
  // Looked at every so often, besides whenever Service::Reload is called.
  std::chrono::milliseconds reload{10'000};
  std::chrono::milliseconds connection_age = server::kConnectionAge;
  bool reflection = false;
  std::string health_listen;   // loopback; empty: nobody can ask
  std::string metrics_listen;  // the same
  std::string database;        // libpq conninfo
  std::size_t connections = 8;
  std::size_t workers = 64;
  std::size_t queue = 256;
  server::CallLimits limits;
  std::chrono::milliseconds drain{10'000};
  bool log_debug = false;
  EngineConfig engine;
};

// The settings of a realm's service, for its flags, environment and file.
std::span<const server::Setting> DeclaredSettings();

// The configuration that settings make, or what is missing or out of range.
std::variant<ServiceConfig, server::SettingError> ConfigOf(const server::Settings& settings);

}  // namespace godwit::realm
