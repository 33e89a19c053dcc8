#include "services/realm/config.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "services/server/address.h"

namespace godwit::realm {
namespace {

using server::Setting;
using server::SettingError;

constexpr std::uint64_t kMostThreads = 256;

constexpr std::uint64_t kMostMs = 86'400'000;
constexpr const char* kTimes[] = {"reload_ms",      "connection_age_ms", "wait_ms", "stream_ms",
                                  "commit_wait_ms", "watch_ms",          "drain_ms"};

constexpr Quotas kQuotas;
constexpr EngineConfig kEngine;

constexpr Setting kSettings[] = {
    {"listen", "address and port to listen at", "127.0.0.1:8443"},
    {"certificate", "file: PEM of the server's certificate, then its authority's", ""},
    {"key", "file: PEM of the certificate's key, mode 0600", ""},
    {"front_certificate", "file: PEM of the certificate that clients see, where a front ends TLS",
     ""},
    {"callers",
     "file: PEM of the authority whose certificates callers must show; none: any may call", ""},
    {"reload_ms", "how often the certificate files are looked at", std::uint64_t{10'000}},
    {"connection_age_ms", "time after which a connection is made anew",
     std::uint64_t{server::kConnectionAge.count()}},
    {"reflection", "on: describe the calls to whoever asks; takes a loopback listen", "off"},
    {"health_listen", "loopback address and port of the health service; none: off", ""},
    {"metrics_listen", "loopback address and port of Prometheus' metrics; none: off", ""},
    {"database", "libpq conninfo of the service's role; a password stands in its passfile", ""},
    {"connections", "connections to the database", std::uint64_t{8}},
    {"workers", "threads that work on calls", std::uint64_t{64}},
    {"queue", "calls that may wait for a worker", std::uint64_t{256}},
    {"wait_ms", "longest wait of a call for a worker", std::uint64_t{30'000}},
    {"stream_ms", "longest time of a call that streams its answer", std::uint64_t{900'000}},
    {"commit_wait_ms", "longest wait of a call for its entries to be stored",
     std::uint64_t{30'000}},
    {"watch_streams", "callers that may watch for changes at once",
     std::uint64_t{kEngine.watch.streams}},
    {"watch_ms", "time after which a caller that watches asks anew",
     std::uint64_t{kEngine.watch.life.count()}},
    {"drain_ms", "time for running calls at the end", std::uint64_t{10'000}},
    {"log_level", "debug or info", "info"},
    {"committers", "threads that commit entries", std::uint64_t{kEngine.committers}},
    {"waiting_commits", "commits that may wait for them", std::uint64_t{kEngine.waiting_commits}},
    {"cached_vaults", "vaults whose state stays in memory", std::uint64_t{kEngine.cached_vaults}},
    {"cached_records", "records of all these", std::uint64_t{kEngine.cached_records}},
    {"quota.puk_rotate_per_day", "PUK_ROTATE a member", kQuotas.puk_rotate_per_day},
    {"quota.device_add_per_day", "DEVICE_ADD a member", kQuotas.device_add_per_day},
    {"quota.create_per_day", "new vaults a member", kQuotas.create_per_day},
    {"quota.import_per_day", "new vaults a member with role intake", kQuotas.import_per_day},
    {"quota.epochs_per_vault_day", "EPOCH a vault", kQuotas.epochs_per_vault_day},
    {"quota.epochs_per_shared_vault_day", "EPOCH a vault of kind directory or config",
     kQuotas.epochs_per_shared_vault_day},
    {"quota.bytes_per_day", "bytes of entries, boxes and ciphertexts a member",
     kQuotas.bytes_per_day},
    {"quota.import_bytes_per_day", "the same with role intake", kQuotas.import_bytes_per_day},
    {"quota.freeze_bytes_per_day", "bytes of freezing STATEs a member",
     kQuotas.freeze_bytes_per_day},
    {"quota.revokes_of_others_per_day", "DEVICE_REVOKE of others' devices a member",
     kQuotas.revokes_of_others_per_day},
};

// A secret in a conninfo would stand in a file, a variable or a process's arguments.
bool HoldsPassword(std::string_view conninfo) {
  std::string lower(conninfo);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const std::string_view word : {"password", "sslpassword"}) {
    for (auto at = lower.find(word); at != std::string::npos; at = lower.find(word, at + 1)) {
      const auto next = lower.find_first_not_of(" \t", at + word.size());
      if (next != std::string::npos && lower[next] == '=') return true;
    }
  }
  return lower.find("://") != std::string::npos;
}

std::chrono::milliseconds MsOf(const server::Settings& settings, std::string_view name) {
  return std::chrono::milliseconds(settings.Number(name));
}

}  // namespace

std::span<const Setting> DeclaredSettings() { return kSettings; }

std::variant<ServiceConfig, SettingError> ConfigOf(const server::Settings& settings) {
  for (const char* needed : {"certificate", "key", "database"}) {
    if (settings.Text(needed).empty()) {
      return SettingError{"setting " + std::string(needed) + ": is missing"};
    }
  }
  for (const char* threads : {"connections", "workers", "committers"}) {
    const auto number = settings.Number(threads);
    if (number < 1 || number > kMostThreads) {
      return SettingError{"setting " + std::string(threads) + ": must be 1 to 256"};
    }
  }
  if (HoldsPassword(settings.Text("database"))) {
    return SettingError{
        "setting database: must be key=value without a password; name a passfile there"};
  }
  const std::string& level = settings.Text("log_level");
  if (level != "info" && level != "debug") {
    return SettingError{"setting log_level: must be debug or info"};
  }
  for (const char* time : kTimes) {
    const auto number = settings.Number(time);
    if (number < 1 || number > kMostMs) {
      return SettingError{"setting " + std::string(time) + ": must be 1 to 86400000"};
    }
  }
  if (!server::IsAddress(settings.Text("listen"))) {
    return SettingError{"setting listen: must be an IP address with a port"};
  }
  for (const char* local : {"health_listen", "metrics_listen"}) {
    const std::string& address = settings.Text(local);
    if (!address.empty() && !server::IsLoopback(address)) {
      return SettingError{"setting " + std::string(local) + ": must be a loopback address"};
    }
  }
  const std::string& reflection = settings.Text("reflection");
  if (reflection != "on" && reflection != "off") {
    return SettingError{"setting reflection: must be on or off"};
  }
  if (reflection == "on" && !server::IsLoopback(settings.Text("listen"))) {
    return SettingError{"setting reflection: is for a service that listens at a loopback address"};
  }
  ServiceConfig config;
  config.listen = settings.Text("listen");
  config.certificate_file = settings.Text("certificate");
  config.key_file = settings.Text("key");
  config.front_certificate_file = settings.Text("front_certificate");
  if (config.front_certificate_file.empty()) {
    config.front_certificate_file = config.certificate_file;
  }
  config.callers_file = settings.Text("callers");
  config.reload = MsOf(settings, "reload_ms");
  config.connection_age = MsOf(settings, "connection_age_ms");
  config.reflection = reflection == "on";
  config.health_listen = settings.Text("health_listen");
  config.metrics_listen = settings.Text("metrics_listen");
  config.database = settings.Text("database");
  config.connections = settings.Number("connections");
  config.workers = settings.Number("workers");
  config.queue = settings.Number("queue");
  config.limits.wait = MsOf(settings, "wait_ms");
  config.limits.stream = MsOf(settings, "stream_ms");
  config.drain = MsOf(settings, "drain_ms");
  config.log_debug = level == "debug";
  config.engine.committers = settings.Number("committers");
  config.engine.waiting_commits = settings.Number("waiting_commits");
  config.engine.commit_wait = MsOf(settings, "commit_wait_ms");
  config.engine.watch.streams = settings.Number("watch_streams");
  config.engine.watch.life = MsOf(settings, "watch_ms");
  config.engine.cached_vaults = settings.Number("cached_vaults");
  config.engine.cached_records = settings.Number("cached_records");
  Quotas& quotas = config.engine.quotas;
  quotas.puk_rotate_per_day = settings.Number("quota.puk_rotate_per_day");
  quotas.device_add_per_day = settings.Number("quota.device_add_per_day");
  quotas.create_per_day = settings.Number("quota.create_per_day");
  quotas.import_per_day = settings.Number("quota.import_per_day");
  quotas.epochs_per_vault_day = settings.Number("quota.epochs_per_vault_day");
  quotas.epochs_per_shared_vault_day = settings.Number("quota.epochs_per_shared_vault_day");
  quotas.bytes_per_day = settings.Number("quota.bytes_per_day");
  quotas.import_bytes_per_day = settings.Number("quota.import_bytes_per_day");
  quotas.freeze_bytes_per_day = settings.Number("quota.freeze_bytes_per_day");
  quotas.revokes_of_others_per_day = settings.Number("quota.revokes_of_others_per_day");
  return config;
}

}  // namespace godwit::realm
