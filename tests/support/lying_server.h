#pragma once

#include <grpcpp/support/status.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "godwit/realm/v1/realm.pb.h"
#include "tests/support/realm_server.h"
#include "transport/realm_client.h"

namespace godwit::support {

// A realm's service that lies where it is told to: it stands before an honest one, shows the same
// certificate, passes every call of godwit.realm.v1 on with the caller's token, and rewrites
// requests and replies as its table says. Lies are told and taken back while it runs. Of a stream
// the caller gets all messages as one, so that a lie sees the whole reply; of Watch, which goes on,
// each as it comes. Thread-safe.
class LyingServer {
 public:
  // What passed: the method ("FetchVault") and the request's bytes, as the caller sent them.
  struct Call {
    std::string method;
    std::string request;
  };

  // Starts at once; ends the test program if it cannot. `honest` must outlive it.
  explicit LyingServer(const RealmServer& honest);
  LyingServer(const LyingServer&) = delete;
  LyingServer& operator=(const LyingServer&) = delete;
  ~LyingServer();

  // What a client is told: where, and the pin of the authority.
  transport::RealmAddress address() const;

  // From now on `lie(const XRequest&, XResponse&)` rewrites each good reply of method X, after all
  // that was said of X before.
  template <class Lie>
  void RewriteReply(Lie lie) {
    AddReply(std::function(std::move(lie)));
  }
  // The same, on the bytes of the reply.
  using ReplyBytes = std::function<void(const std::string& request, std::string& reply)>;
  void RewriteReplyBytes(std::string_view method, ReplyBytes lie);
  // From now on `lie(XRequest&)` rewrites each request of method X before it is passed on.
  template <class Lie>
  void RewriteRequest(Lie lie) {
    AddRequest(std::function(std::move(lie)));
  }
  // From now on method X is answered with `reply`, an XResponse, and not passed on.
  template <class Response>
  void AnswerWith(const Response& reply) {
    AnswerWithBytes(MethodOf<Response>("Response"), reply.SerializeAsString());
  }

  // From now on the next `count` good replies of a method are lost: the call was passed on and did
  // its work, and the caller is told `status`.
  void LoseReplies(std::string_view method, int count, grpc::StatusCode status);

  // Takes all lies back.
  void BeHonest();

  // What passed since the start, or since ForgetCalls.
  std::vector<Call> calls() const;
  std::size_t CallsOf(std::string_view method) const;
  void ForgetCalls();

 private:
  class Impl;

  // "FetchVault" of FetchVaultResponse.
  template <class Message>
  static std::string MethodOf(std::string_view suffix) {
    std::string name = Message::descriptor()->name();
    name.resize(name.size() - suffix.size());
    return name;
  }
  template <class Request, class Response>
  void AddReply(std::function<void(const Request&, Response&)> lie) {
    RewriteReplyBytes(MethodOf<Response>("Response"),
                      [lie = std::move(lie)](const std::string& request, std::string& reply) {
                        Request asked;
                        Response answer;
                        if (!asked.ParseFromString(request) || !answer.ParseFromString(reply)) {
                          return;
                        }
                        lie(asked, answer);
                        reply = answer.SerializeAsString();
                      });
  }
  template <class Request>
  void AddRequest(std::function<void(Request&)> lie) {
    RewriteRequestBytes(MethodOf<Request>("Request"), [lie = std::move(lie)](std::string& request) {
      Request asked;
      if (!asked.ParseFromString(request)) return;
      lie(asked);
      request = asked.SerializeAsString();
    });
  }
  void RewriteRequestBytes(std::string_view method, std::function<void(std::string&)> lie);
  void AnswerWithBytes(std::string_view method, std::string reply);

  std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::support
