#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"

namespace grpc {
class Server;
}

namespace godwit::server {

// The health of a service, for this machine alone: gRPC's health protocol (grpc.health.v1.Health,
// method Check, of the whole server) on a listener of its own without TLS, so that whoever asks
// needs no secret, and strangers have nothing to ask. Thread-safe.
class HealthServer {
 public:
  // NOT_SERVING at first. INVALID_ARGUMENT: `address` is no loopback address; IO: it cannot be
  // listened at.
  static base::Result<std::unique_ptr<HealthServer>> Start(const std::string& address);
  HealthServer(const HealthServer&) = delete;
  HealthServer& operator=(const HealthServer&) = delete;
  ~HealthServer();

  int port() const { return port_; }
  // What is answered from now on.
  void Set(bool serves);

 private:
  class Answers;

  HealthServer(std::unique_ptr<Answers> answers, std::unique_ptr<grpc::Server> server, int port);

  const std::unique_ptr<Answers> answers_;
  const std::unique_ptr<grpc::Server> server_;
  const int port_;
};

// Asks the service whose HealthServer listens at `address`. UNAVAILABLE: it does not serve, or
// nobody answers there in time.
base::Status AskHealth(const std::string& address, std::chrono::milliseconds timeout);

}  // namespace godwit::server
