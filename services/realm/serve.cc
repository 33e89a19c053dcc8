#include "services/realm/serve.h"

#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "base/clock.h"
#include "base/text_file.h"
#include "crypto/init.h"
#include "services/realm/engine.h"
#include "services/realm/realm_service.h"
#include "services/server/file_marks.h"
#include "services/server/grpc_server.h"
#include "services/server/health.h"
#include "services/server/log.h"
#include "services/server/metrics.h"
#include "services/server/ticker.h"
#include "services/server/worker_pool.h"
#include "storage/postgres.h"
#include "storage/startup_check.h"
#include "transport/certificate.h"
#include "transport/tls.h"

namespace godwit::realm {
namespace {

using server::Log;
using server::LogLevel;
using Metric = server::Metrics::Kind;

constexpr std::chrono::seconds kCleanUpEvery{60};
constexpr std::chrono::seconds kLookEvery{1};
constexpr std::chrono::milliseconds kTellEvery{500};
// After the time that running calls have to end: for what no call can cut short, a COMMIT.
constexpr std::chrono::seconds kToEnd{12};
constexpr std::uint64_t kExpiresSoonMs = std::uint64_t{14} * 86'400'000;
constexpr std::uint64_t kDayMs = 86'400'000;
constexpr int kRefused = 1;
constexpr int kWrongSettings = 2;

base::Result<base::Sha256Hash> FrontKey(const std::string& path) {
  auto key = transport::CertificateKey(base::ReadTextFile(path).value_or(""));
  if (!key) {
    return base::Error(base::Code::kInvalidArgument,
                       "the certificate that clients see cannot be read: see settings certificate "
                       "and front_certificate");
  }
  return key;
}

// A text of the program for each kind of realm.
base::Literal NameOf(protocol::Compartment compartment) {
  switch (compartment) {
    case protocol::Compartment::kIdentity:
      return "identity";
    case protocol::Compartment::kCases:
      return "cases";
    case protocol::Compartment::kJourneys:
      return "journeys";
  }
  return "unknown";
}

void WarnIfExpiring(const transport::ServerCertificate& shown) {
  const std::uint64_t now_ms = base::SystemClock().NowMs();
  if (shown.expires_ms > now_ms + kExpiresSoonMs) return;
  const std::uint64_t left_ms = shown.expires_ms > now_ms ? shown.expires_ms - now_ms : 0;
  Log(LogLevel::kWarning, "certificate expires soon", {{"days", left_ms / kDayMs}});
}

// Ends the process where stopping takes longer than it may.
class Watchdog {
 public:
  explicit Watchdog(std::chrono::milliseconds time) : thread_([this, time] { Wait(time); }) {}
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  void Wait(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, time, [this] { return over_; })) return;
    Log(LogLevel::kWarning, "ended by force");
    std::_Exit(kRefused);
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace

// Members end in the opposite order: first what looks and listens, last the database.
struct Service::Parts {
  Parts(const storage::DatabaseOptions& options, protocol::Compartment compartment,
        const base::Sha256Hash& spki, const ServiceConfig& service_config)
      : config(service_config),
        metrics(NameOf(compartment)),
        database(options),
        engine(database, compartment, spki, service_config.engine, base::SystemClock()),
        pool(service_config.workers, service_config.queue),
        service(engine, pool, metrics, service_config.limits),
        marks({config.certificate_file, config.key_file, config.front_certificate_file}),
        seen_key(spki) {}

  [[nodiscard]] bool HasFront() const {
    return config.front_certificate_file != config.certificate_file;
  }
  // Whether there was something new.
  base::Result<bool> ReadCertificates() {
    auto next = listener->ReadNext();
    if (!next) return next.error();
    base::Sha256Hash key = seen_key;
    if (HasFront()) {
      const auto front = FrontKey(config.front_certificate_file);
      if (!front) return front.error();
      key = *front;
    } else if (*next) {
      key = (*next)->shown.key;
    }
    const bool other_key = key != seen_key;
    if (other_key) {
      // Accepted before anybody can see it, and the one before it until whoever saw that one has
      // connected anew, which comes a tenth later than it should at most.
      engine.sessions().Accept(key, static_cast<std::uint64_t>(2 * config.connection_age.count()));
      seen_key = key;
    }
    if (!*next) return other_key;
    listener->Show(**std::move(next));
    return true;
  }
  void TakeNewCertificates() {
    const auto taken = ReadCertificates();
    if (!taken) {
      metrics.CertificatesRead(false);
      Log(LogLevel::kWarning, "certificate refused",
          {{"code", taken.error().code()}, {"why", taken.error()}});
    } else if (*taken) {
      metrics.CertificatesRead(true);
      Log(LogLevel::kInfo, "certificate taken");
      WarnIfExpiring(listener->shown());
    } else {
      Log(LogLevel::kInfo, "certificate unchanged");
    }
  }
  void CleanUp() {
    const auto status = engine.CleanUp();
    if (status) return;
    metrics.UpkeepFailed();
    Log(LogLevel::kWarning, "cleaning up failed",
        {{"code", status.error().code()}, {"why", status.error()}});
  }
  void Look() {
    service.EndOverdueStreams();
    const auto status = engine.CheckRealm();
    // Busy is not broken: whoever ends a busy service makes it worse.
    if (!status && (status.error().code() == base::Code::kResourceExhausted ||
                    status.error().code() == base::Code::kDeadline)) {
      return;
    }
    const bool now = status.ok();
    if (serves.exchange(now) != now) {
      if (now) {
        Log(LogLevel::kInfo, "ready");
      } else {
        Log(LogLevel::kWarning, "not ready",
            {{"code", status.error().code()}, {"why", status.error()}});
      }
    }
    if (health != nullptr) health->Set(now);
  }
  void AddFigures() {
    const auto count = [](std::size_t n) { return static_cast<double>(n); };
    metrics.Watch(Metric::kGauge, "godwit_ready", "1 where the database answers, else 0.",
                  [this] { return serves ? 1.0 : 0.0; });
    metrics.Watch(Metric::kGauge, "godwit_workers_waiting", "Calls that wait for a worker.",
                  [this, count] { return count(pool.waiting()); });
    metrics.Watch(Metric::kGauge, "godwit_commits_waiting", "Commits that wait for a committer.",
                  [this, count] { return count(engine.commit_counts().waiting); });
    metrics.Watch(Metric::kCounter, "godwit_commits_total", "Commits of one vault's entries.",
                  [this, count] { return count(engine.commit_counts().commits); });
    metrics.Watch(Metric::kCounter, "godwit_commit_transactions_total",
                  "Transactions that these took.",
                  [this, count] { return count(engine.commit_counts().transactions); });
    metrics.Watch(Metric::kGauge, "godwit_watchers", "Callers that watch for changes.",
                  [this, count] { return count(engine.watchers()); });
    metrics.Watch(Metric::kGauge, "godwit_certificate_expires_seconds",
                  "When the certificate in use ends, in seconds since 1970.",
                  [this] { return static_cast<double>(listener->shown().expires_ms) / 1000; });
  }

  const ServiceConfig config;
  server::Metrics metrics;
  storage::Database database;
  Engine engine;
  server::WorkerPool pool;
  RealmService service;
  server::FileMarks marks;
  base::Sha256Hash seen_key;  // of the certificate that clients see
  std::atomic<bool> asked{false};
  std::atomic<bool> serves{false};
  std::unique_ptr<server::GrpcServer> listener;
  std::unique_ptr<server::HealthServer> health;
  std::unique_ptr<server::MetricsListener> exposition;
  std::unique_ptr<server::Ticker> cleaner;
  std::unique_ptr<server::Ticker> looker;
  std::unique_ptr<server::Ticker> reloader;
  std::unique_ptr<server::Ticker> teller;
};

base::Result<std::unique_ptr<Service>> Service::Start(protocol::Compartment compartment,
                                                      const ServiceConfig& config) {
  if (const auto status = transport::RequireTls13(); !status) return status.error();
  const auto spki = FrontKey(config.front_certificate_file);
  if (!spki) return spki.error();
  storage::DatabaseOptions options;
  options.conninfo = config.database;
  options.connections = config.connections;
  auto made = std::make_unique<Parts>(options, compartment, *spki, config);
  Parts& parts = *made;
  if (const auto status = storage::CheckRealmDatabase(parts.database); !status) {
    return status.error();
  }
  if (const auto status = parts.engine.CheckRealm(); !status) return status.error();
  server::ListenOptions listen;
  listen.address = config.listen;
  listen.files = {config.certificate_file, config.key_file};
  if (!config.callers_file.empty()) {
    listen.callers = base::ReadTextFile(config.callers_file).value_or("");
    if (const auto key = transport::CertificateKey(listen.callers); !key) {
      return base::Error(base::Code::kInvalidArgument,
                         "the authority of callers cannot be read: see setting callers");
    }
  }
  listen.connection_age = config.connection_age;
  listen.reflection = config.reflection;
  auto listener = server::GrpcServer::Start(listen, parts.service);
  if (!listener) return listener.error();
  parts.listener = *std::move(listener);
  WarnIfExpiring(parts.listener->shown());
  parts.AddFigures();
  if (!config.health_listen.empty()) {
    auto health = server::HealthServer::Start(config.health_listen);
    if (!health) return health.error();
    parts.health = *std::move(health);
  }
  if (!config.metrics_listen.empty()) {
    auto exposition = server::MetricsListener::Start(config.metrics_listen, parts.metrics);
    if (!exposition) return exposition.error();
    parts.exposition = *std::move(exposition);
  }
  parts.serves = true;
  if (parts.health != nullptr) parts.health->Set(true);
  parts.cleaner = std::make_unique<server::Ticker>(kCleanUpEvery, [&parts] { parts.CleanUp(); });
  parts.looker = std::make_unique<server::Ticker>(kLookEvery, [&parts] { parts.Look(); });
  // Where the database does not answer nobody is told, which callers notice by themselves.
  parts.teller =
      std::make_unique<server::Ticker>(kTellEvery, [&parts] { (void)parts.engine.TellWatchers(); });
  parts.reloader = std::make_unique<server::Ticker>(config.reload, [&parts] {
    const bool changed = parts.marks.Changed();
    if (parts.asked.exchange(false) || changed) parts.TakeNewCertificates();
  });
  return std::unique_ptr<Service>(new Service(std::move(made)));
}

Service::Service(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Service::~Service() { Stop(); }

int Service::port() const { return parts_->listener->port(); }

int Service::health_port() const { return parts_->health == nullptr ? 0 : parts_->health->port(); }

int Service::metrics_port() const {
  return parts_->exposition == nullptr ? 0 : parts_->exposition->port();
}

void Service::Reload() {
  parts_->asked = true;
  parts_->reloader->CallNow();
}

void Service::Stop() {
  if (parts_ == nullptr) return;
  parts_->teller.reset();
  parts_->reloader.reset();
  parts_->looker.reset();
  parts_->serves = false;
  if (parts_->health != nullptr) parts_->health->Set(false);
  parts_->engine.StopWatching();
  parts_->listener->Stop(parts_->config.drain, [this] { return parts_->service.running(); });
  parts_->cleaner.reset();
  parts_->pool.Drain();
  parts_.reset();
}

int RunService(protocol::Compartment compartment, const server::Settings& settings) {
  const auto made = ConfigOf(settings);
  if (const auto* error = std::get_if<server::SettingError>(&made)) {
    std::fprintf(stderr, "%s\n", error->text.c_str());
    return kWrongSettings;
  }
  const auto& config = std::get<ServiceConfig>(made);
  if (config.log_debug) server::SetLogLevel(LogLevel::kDebug);
  const auto refuse = [](const base::Error& why) {
    Log(LogLevel::kWarning, "refuses to serve", {{"code", why.code()}, {"why", why}});
    return kRefused;
  };
  if (const auto status = crypto::Init(); !status) return refuse(status.error());

  // Signals are waited for by this thread, so no other may take them: blocked before any starts.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int each : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, each);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  auto service = Service::Start(compartment, config);
  if (!service) return refuse(service.error());
  const auto port = [](int number) { return static_cast<std::uint64_t>(number); };
  Log(LogLevel::kInfo, "serves",
      {{"port", port((*service)->port())},
       {"health_port", port((*service)->health_port())},
       {"metrics_port", port((*service)->metrics_port())}});
  for (int signal = SIGHUP; signal == SIGHUP;) {
    if (sigwait(&signals, &signal) == 0 && signal == SIGHUP) (*service)->Reload();
  }
  Log(LogLevel::kInfo, "drains");
  {
    const Watchdog watchdog(config.drain + kToEnd);
    (*service)->Stop();
  }
  Log(LogLevel::kInfo, "ended");
  return 0;
}

}  // namespace godwit::realm
