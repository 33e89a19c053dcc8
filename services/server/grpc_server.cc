#include "services/server/grpc_server.h"

#include <grpc/support/log.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <utility>

#include "base/text_file.h"
#include "transport/wire.h"

namespace godwit::server {
namespace {

constexpr int kMaxStreamsPerConnection = 128;
constexpr std::size_t kMaxMetadata = 8 * 1024;
constexpr std::size_t kMemoryForRequests = std::size_t{512} << 20;

base::Error Invalid(base::Literal message) {
  return base::Error(base::Code::kInvalidArgument, message);
}

// gRPC starts with a key of another certificate, and then fails every handshake.
bool BelongTogether(const ListenOptions& options) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_server_method()),
                                                                  &SSL_CTX_free);
  return context != nullptr &&
         SSL_CTX_use_certificate_chain_file(context.get(), options.certificate_file.c_str()) == 1 &&
         SSL_CTX_use_PrivateKey_file(context.get(), options.key_file.c_str(), SSL_FILETYPE_PEM) ==
             1 &&
         SSL_CTX_check_private_key(context.get()) == 1;
}

}  // namespace

base::Result<std::unique_ptr<GrpcServer>> GrpcServer::Start(const ListenOptions& options,
                                                            grpc::Service& service) {
  // gRPC's own lines are no JSON, and say whom it talks to.
  gpr_set_log_function([](gpr_log_func_args*) {});
  const auto certificate = base::ReadTextFile(options.certificate_file);
  if (!certificate || certificate->empty())
    return Invalid("the certificate file cannot be read: see setting certificate");
  struct stat key_status {};
  if (stat(options.key_file.c_str(), &key_status) != 0) {
    return Invalid("the key file cannot be read: see setting key");
  }
  if ((key_status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Invalid("others may read the key file: chmod 0600 it");
  }
  const auto key = base::ReadTextFile(options.key_file);
  if (!key || key->empty()) return Invalid("the key file cannot be read: see setting key");
  if (!BelongTogether(options)) {
    return Invalid("the key is not that of the certificate, or one of them is no PEM");
  }

  grpc::SslServerCredentialsOptions tls(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  tls.pem_key_cert_pairs.push_back({*key, *certificate});
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options.address, grpc::SslServerCredentials(tls), &port);
  builder.SetMaxReceiveMessageSize(static_cast<int>(transport::kMaxRequestSize));
  builder.SetMaxSendMessageSize(static_cast<int>(transport::kMaxResponseSize));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, static_cast<int>(kMaxMetadata));
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Compressed messages are refused: a small one could ask for much memory.
  for (int each = GRPC_COMPRESS_NONE + 1; each < GRPC_COMPRESS_ALGORITHMS_COUNT; ++each) {
    builder.SetCompressionAlgorithmSupportStatus(static_cast<grpc_compression_algorithm>(each),
                                                 false);
  }
  builder.SetResourceQuota(grpc::ResourceQuota("realm").Resize(kMemoryForRequests));
  builder.RegisterService(&service);
  auto server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return base::Error(base::Code::kIo, "the address cannot be listened at: see setting listen");
  }
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(server), port));
}

GrpcServer::GrpcServer(std::unique_ptr<grpc::Server> server, int port)
    : server_(std::move(server)), port_(port) {}

GrpcServer::~GrpcServer() { Stop(std::chrono::milliseconds(0)); }

void GrpcServer::Stop(std::chrono::milliseconds grace) {
  server_->Shutdown(std::chrono::system_clock::now() + grace);
  server_->Wait();
}

}  // namespace godwit::server
