#include "services/realm/serve.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
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
#include "services/server/grpc_server.h"
#include "services/server/log.h"
#include "services/server/worker_pool.h"
#include "storage/postgres.h"
#include "storage/startup_check.h"
#include "transport/certificate.h"
#include "transport/tls.h"

namespace godwit::realm {
namespace {

constexpr std::chrono::seconds kCleanUpEvery{60};
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

int Fail(int code, std::string_view program, std::string_view why) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(program.size()), program.data(),
               static_cast<int>(why.size()), why.data());
  return code;
}

// Deletes what expired, every now and then, until it is told to end.
class Cleaner {
 public:
  explicit Cleaner(Engine& engine) : thread_([this, &engine] { Work(engine); }) {}
  ~Cleaner() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

 private:
  void Work(Engine& engine) {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, kCleanUpEvery, [this] { return ending_; })) {
      lock.unlock();
      if (const auto status = engine.CleanUp(); !status) {
        server::Log(server::LogLevel::kWarning, "cleaning up failed",
                    {{"code", status.error().code()}, {"why", status.error()}});
      }
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace

// Members end in the opposite order: first the listener, last the database.
struct Service::Parts {
  Parts(const storage::DatabaseOptions& options, protocol::Compartment compartment,
        const base::Sha256Hash& spki, const ServiceConfig& service_config)
      : config(service_config),
        database(options),
        engine(database, compartment, spki, service_config.engine, base::SystemClock()),
        pool(service_config.workers, service_config.queue),
        service(engine, pool) {}

  const ServiceConfig config;
  storage::Database database;
  Engine engine;
  server::WorkerPool pool;
  RealmService service;
  std::unique_ptr<Cleaner> cleaner;
  std::unique_ptr<server::GrpcServer> listener;
};

base::Result<std::unique_ptr<Service>> Service::Start(protocol::Compartment compartment,
                                                      const ServiceConfig& config) {
  if (const auto status = transport::RequireTls13(); !status) return status.error();
  const auto spki = FrontKey(config.front_certificate_file);
  if (!spki) return spki.error();
  storage::DatabaseOptions options;
  options.conninfo = config.database;
  options.connections = config.connections;
  auto parts = std::make_unique<Parts>(options, compartment, *spki, config);
  if (const auto status = storage::CheckRealmDatabase(parts->database); !status) {
    return status.error();
  }
  if (const auto status = parts->engine.CheckRealm(); !status) return status.error();
  auto listener = server::GrpcServer::Start(
      {config.listen, config.certificate_file, config.key_file}, parts->service);
  if (!listener) return listener.error();
  parts->listener = *std::move(listener);
  parts->cleaner = std::make_unique<Cleaner>(parts->engine);
  return std::unique_ptr<Service>(new Service(std::move(parts)));
}

Service::Service(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Service::~Service() { Stop(); }

int Service::port() const { return parts_->listener->port(); }

void Service::Stop() {
  if (parts_ == nullptr) return;
  parts_->listener->Stop(parts_->config.drain);
  parts_->cleaner.reset();
  parts_->pool.Drain();
  parts_.reset();
}

int RunService(protocol::Compartment compartment, server::Settings settings,
               std::string_view prefix, std::span<const Flag> flags) {
  const std::string program = "godwit-" + std::string(protocol::Name(compartment)) + "d";
  auto wrong = settings.ReadEnvironment(prefix, environ);
  for (const auto& flag : flags) {
    if (!wrong) wrong = settings.Set(flag.name, flag.value);
  }
  if (wrong) return Fail(kWrongSettings, program, wrong->text);
  const auto config = ConfigOf(settings);
  if (const auto* error = std::get_if<server::SettingError>(&config)) {
    return Fail(kWrongSettings, program, error->text);
  }
  if (const auto status = crypto::Init(); !status) {
    return Fail(kRefused, program, status.error().message());
  }
  if (std::get<ServiceConfig>(config).log_debug) server::SetLogLevel(server::LogLevel::kDebug);

  // Signals are waited for by this thread, so no other may take them: blocked before any starts.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  auto service = Service::Start(compartment, std::get<ServiceConfig>(config));
  if (!service) {
    server::Log(server::LogLevel::kWarning, "refuses to serve",
                {{"code", service.error().code()}, {"why", service.error()}});
    return Fail(kRefused, program, service.error().message());
  }
  server::Log(server::LogLevel::kInfo, "serves",
              {{"port", static_cast<std::uint64_t>((*service)->port())}});
  int signal = 0;
  sigwait(&signals, &signal);
  server::Log(server::LogLevel::kInfo, "drains");
  (*service)->Stop();
  server::Log(server::LogLevel::kInfo, "ended");
  return 0;
}

}  // namespace godwit::realm
