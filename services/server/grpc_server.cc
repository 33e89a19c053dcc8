#include "services/server/grpc_server.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "services/server/address.h"
#include "transport/wire.h"

namespace godwit::server {
namespace {

constexpr int kMaxStreamsPerConnection = 128;
constexpr std::size_t kMaxMetadata = 8 * 1024;
constexpr std::size_t kMemoryForRequests = std::size_t{512} << 20;
// A caller whose machine or line is gone is noticed after the sum of these.
constexpr int kAskIdleCallerAfterMs = 120'000;
constexpr int kAnswerWithinMs = 20'000;
// While the server stops.
constexpr std::chrono::milliseconds kLookEvery{20};
constexpr int kQuietLooks = 5;

// gRPC's library of reflection, once it is linked, adds itself to every server of the process.
class Reflection final : public grpc::ServerBuilderOption {
 public:
  explicit Reflection(bool on) : on_(on) {}

  void UpdateArguments(grpc::ChannelArguments* /*arguments*/) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    plugins->clear();
    if (!on_) return;
    plugins->push_back(std::make_unique<grpc::reflection::ProtoServerReflectionPlugin>());
  }

 private:
  const bool on_;
};

}  // namespace

// TLS whose key and certificate can be replaced while the server runs. gRPC's C++ interface has the
// file watcher alone, which reads files that nobody checked, at most once a second, and serves
// nobody from then on where they are bad. The C core asks a function before each handshake instead,
// and keeps what it has where that function has nothing better.
//
// gRPC 1.51 replaces under a lock and uses without it, so that two handshakes that begin at once
// would race. They do not: one listener accepts one after the other (GRPC_ARG_ALLOW_REUSEPORT is
// off), and an address that is no name has one listener.
class GrpcServer::Credentials final : public grpc::ServerCredentials {
 public:
  Credentials(CertificateSet first, std::string callers)
      : callers_(std::move(callers)),
        next_(std::move(first)),
        shown_(next_->shown),
        chain_(next_->chain) {
    core_ = grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(
            callers_.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                             : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
            &Credentials::Fetch, this));
  }
  ~Credentials() override { grpc_server_credentials_release(core_); }

  transport::ServerCertificate shown() const {
    const std::lock_guard lock(mutex_);
    return shown_;
  }
  std::string chain() const {
    const std::lock_guard lock(mutex_);
    return chain_;
  }
  void Show(CertificateSet next) {
    const std::lock_guard lock(mutex_);
    shown_ = next.shown;
    chain_ = next.chain;
    next_ = std::move(next);
  }

  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), core_);
  }

  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<Credentials*>(self)->Give(config);
  }
  grpc_ssl_certificate_config_reload_status Give(grpc_ssl_server_certificate_config** config) {
    const std::lock_guard lock(mutex_);
    if (!next_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair{reinterpret_cast<const char*>(next_->key.Expose().data()),
                                          next_->chain.c_str()};
    // gRPC asserts that there are roots for callers' certificates, even where it asks for none.
    const std::string& roots = callers_.empty() ? next_->chain : callers_;
    *config = grpc_ssl_server_certificate_config_create(roots.c_str(), &pair, 1);
    next_.reset();
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const std::string callers_;
  mutable std::mutex mutex_;
  std::optional<CertificateSet> next_;  // until a handshake has taken it
  transport::ServerCertificate shown_;
  std::string chain_;
  grpc_server_credentials* core_ = nullptr;
};

base::Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(const ListenOptions& options,
                                                            grpc::Service& service) {
  SilenceGrpc();
  if (!IsAddress(options.address)) {
    return base::Error(base::Code::kInvalidArgument,
                       "what to listen at is no IP address with a port: see setting listen");
  }
  auto set = ReadCertificates(options.files);
  if (!set) return set.error();
  const auto credentials = std::make_shared<Credentials>(*std::move(set), options.callers);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options.address, credentials, &port);
  builder.SetMaxReceiveMessageSize(static_cast<int>(transport::kMaxRequestSize));
  builder.SetMaxSendMessageSize(static_cast<int>(transport::kMaxResponseSize));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(kMaxMetadata));
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             static_cast<int>(options.handshake.count()));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kAskIdleCallerAfterMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kAnswerWithinMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                             static_cast<int>(options.connection_age.count()));
  // Compressed messages are refused: a small one could ask for much memory.
  for (int each = GRPC_COMPRESS_NONE + 1; each < GRPC_COMPRESS_ALGORITHMS_COUNT; ++each) {
    builder.SetCompressionAlgorithmSupportStatus(static_cast<grpc_compression_algorithm>(each),
                                                 false);
  }
  builder.SetResourceQuota(grpc::ResourceQuota("realm").Resize(kMemoryForRequests));
  builder.SetOption(ReflectionOption(options.reflection));
  builder.RegisterService(&service);
  auto server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return base::Error(base::Code::kIo, "the address cannot be listened at: see setting listen");
  }
  return std::unique_ptr<GrpcServer>(
      new GrpcServer(options.files, credentials, std::move(server), port));
}

GrpcServer::GrpcServer(CertificateFiles files, std::shared_ptr<Credentials> credentials,
                       std::unique_ptr<grpc::Server> server, int port)
    : files_(std::move(files)),
      credentials_(std::move(credentials)),
      server_(std::move(server)),
      port_(port) {}

GrpcServer::~GrpcServer() {
  Stop(std::chrono::milliseconds(0), [] { return std::size_t{0}; });
}

transport::ServerCertificate GrpcServer::shown() const { return credentials_->shown(); }

base::Result<std::optional<CertificateSet>> GrpcServer::ReadNext() const {
  auto next = ReadCertificates(files_);
  if (!next) return next.error();
  if (next->chain == credentials_->chain()) return std::optional<CertificateSet>();
  if (const auto status = CheckSuccessor(shown(), next->shown); !status) return status.error();
  return std::optional(*std::move(next));
}

void GrpcServer::Show(CertificateSet next) { credentials_->Show(std::move(next)); }

void GrpcServer::Stop(std::chrono::milliseconds grace,
                      const std::function<std::size_t()>& running) {
  std::atomic<bool> over{false};
  std::thread shutdown([&] {
    server_->Shutdown(std::chrono::system_clock::now() + grace);
    over = true;
  });
  // gRPC waits for connections, too, and a caller without a call may not notice for seconds that it
  // is told to go. One quiet look is not enough: a call can be on its way to its handler.
  for (int quiet = 0; !over && quiet < kQuietLooks;) {
    std::this_thread::sleep_for(kLookEvery);
    quiet = running() == 0 ? quiet + 1 : 0;
  }
  if (!over) grpc_server_cancel_all_calls(server_->c_server());
  shutdown.join();
  server_->Wait();
}

std::unique_ptr<grpc::ServerBuilderOption> ReflectionOption(bool on) {
  return std::make_unique<Reflection>(on);
}

void SilenceGrpc() {
  gpr_set_log_function([](gpr_log_func_args*) {});
}

}  // namespace godwit::server
