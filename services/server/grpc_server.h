#pragma once

#include <grpcpp/server.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"

namespace godwit::server {

struct ListenOptions {
  std::string address;           // "127.0.0.1:8443"; port 0: any that is free
  std::string certificate_file;  // PEM: the server's, then its authority's
  std::string key_file;          // PEM, for its owner alone
};

// A running gRPC server with TLS 1.3 and one service.
class GrpcServer {
 public:
  // RequireTls13 must have succeeded. `service` must outlive the server. INVALID_ARGUMENT: a file
  // cannot be read, or others than its owner may read the key, or the key is not the
  // certificate's. IO: the address cannot be listened at.
  static base::Result<std::unique_ptr<GrpcServer>> Start(const ListenOptions& options,
                                                         grpc::Service& service);
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;
  ~GrpcServer();

  int port() const { return port_; }
  // Takes no new call, and gives those that run `grace` to end.
  void Stop(std::chrono::milliseconds grace);

 private:
  GrpcServer(std::unique_ptr<grpc::Server> server, int port);

  std::unique_ptr<grpc::Server> server_;
  const int port_;
};

}  // namespace godwit::server
