#pragma once

#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/server.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "services/server/certificates.h"
#include "services/server/limits.h"

namespace godwit::server {

struct ListenOptions {
  std::string address;  // "127.0.0.1:8443", an IP address; port 0: any that is free
  CertificateFiles files;
  // PEM of authorities: whoever shows no certificate of theirs is not spoken with; empty: all are.
  std::string callers{};
  std::chrono::milliseconds connection_age = kConnectionAge;
  std::chrono::milliseconds handshake{15'000};  // for TLS, from the connection on
  bool reflection = false;  // whether anybody may ask for the service's description
};

// A running gRPC server with TLS 1.3 and one service.
class GrpcServer {
 public:
  // RequireTls13 must have succeeded. `service` must outlive the server. The codes of
  // ReadCertificates; INVALID_ARGUMENT: the address is none; IO: it cannot be listened at.
  static base::Result<std::unique_ptr<GrpcServer>> Start(const ListenOptions& options,
                                                         grpc::Service& service);
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;
  ~GrpcServer();

  int port() const { return port_; }

  // What new connections are shown. Thread-safe.
  transport::ServerCertificate shown() const;
  // Reads the files again, for Show: what is wrong with it is said now, and never stops a
  // handshake. Nothing: they hold what is shown. The codes of ReadCertificates and CheckSuccessor.
  base::Result<std::optional<CertificateSet>> ReadNext() const;
  // Shows `next`, which ReadNext gave, to all new connections. Thread-safe.
  void Show(CertificateSet next);

  // Takes no new call, and gives those that run `grace` to end: less, once `running` says that
  // there are none, so that nobody waits for callers that stay connected.
  void Stop(std::chrono::milliseconds grace, const std::function<std::size_t()>& running);

 private:
  class Credentials;

  GrpcServer(CertificateFiles files, std::shared_ptr<Credentials> credentials,
             std::unique_ptr<grpc::Server> server, int port);

  const CertificateFiles files_;
  const std::shared_ptr<Credentials> credentials_;
  std::unique_ptr<grpc::Server> server_;
  const int port_;
};

// What a server's builder takes so that the server describes its services to whoever asks, or does
// not, which is not gRPC's default here.
std::unique_ptr<grpc::ServerBuilderOption> ReflectionOption(bool on);

// Switches gRPC's own log off: its lines are no JSON, and say whom it talks to.
void SilenceGrpc();

}  // namespace godwit::server
