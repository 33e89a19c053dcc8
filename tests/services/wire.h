#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>
#include <vector>

#include "godwit/realm/v1/realm.grpc.pb.h"
#include "tests/services/fixture.h"
#include "transport/channel.h"
#include "transport/realm_client.h"

namespace godwit::realm {

// What a client does with its own keys, for a person of a test. Both must outlive the prover.
transport::SessionProver ProverOf(const support::TestRealm& realm, const support::Person& person,
                                  std::size_t device = 0);

// The same upload as a client sends it.
transport::StatementUpload WireOf(const StatementUpload& upload);
transport::VaultUpload WireOf(const VaultUpload& upload);

// One channel for raw calls, whose every part a test chooses.
class Raw {
 public:
  explicit Raw(const transport::RealmAddress& address);
  // Over a channel that the test made.
  explicit Raw(std::shared_ptr<grpc::Channel> channel);

  v1::RealmService::Stub& stub() { return *stub_; }

  // All that a caller sees of an answer.
  struct Answer {
    grpc::Status status;
    std::string bytes;     // of all messages
    std::string trailers;  // "key=value;", sorted
  };
  // Calls a method by its full name with these bytes and, where not empty, this token.
  Answer Ask(const std::string& method, const std::string& bytes, const std::string& token = {});
  grpc::Status Call(const std::string& method, const std::string& bytes,
                    const std::string& token = {}) {
    return Ask(method, bytes, token).status;
  }
  // A session's token for `person`.
  std::string OpenSession(const support::TestRealm& realm, const support::Person& person,
                          const base::Sha256Hash& spki);

 private:
  std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub generic_;
  std::unique_ptr<v1::RealmService::Stub> stub_;
};

// The full names of the realm service's methods, and the last part of one.
std::vector<std::string> Methods();
std::string Name(const std::string& method);

}  // namespace godwit::realm
