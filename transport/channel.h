#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"

namespace godwit::transport {

// What the last handshake of a channel came to. Thread-safe.
class Handshake {
 public:
  void Set(const base::Result<base::Sha256Hash>& server_key);
  // SHA-256 of the SubjectPublicKeyInfo of the server's certificate. UNAVAILABLE: there was no
  // handshake yet, or why the last certificate was refused.
  base::Result<base::Sha256Hash> server_key() const;

 private:
  mutable std::mutex mutex_;
  base::Result<base::Sha256Hash> server_key_ = base::Error(
      base::Code::kUnavailable, "the service cannot be reached: check the address and the network");
};

// A channel to `host_port` that believes a certificate of an authority that `pins` name, and no
// other (CheckPinned). RequireTls13 must have succeeded in this process.
struct PinnedChannel {
  std::shared_ptr<grpc::Channel> channel;
  std::shared_ptr<Handshake> handshake;
};
PinnedChannel MakePinnedChannel(const std::string& host_port,
                                const std::vector<base::Sha256Hash>& pins);

}  // namespace godwit::transport
