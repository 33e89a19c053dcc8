#include "transport/channel.h"

#include <grpcpp/support/server_callback.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "godwit/realm/v1/realm.grpc.pb.h"
#include "services/server/grpc_server.h"
#include "tools/admin/commands.h"
#include "tools/admin/pki.h"
#include "transport/code_text.h"
#include "transport/realm_client.h"
#include "transport/tls.h"
#include "transport/wire.h"

namespace godwit::transport {
namespace {

namespace v1 = godwit::realm::v1;

// A service that answers as a test says, and counts.
class FakeService final : public v1::RealmService::CallbackService {
 public:
  grpc::ServerUnaryReactor* GetNonce(grpc::CallbackServerContext* context,
                                     const v1::GetNonceRequest*,
                                     v1::GetNonceResponse* response) override {
    response->set_nonce(std::string(32, 'n'));
    return Finish(context, grpc::Status::OK);
  }
  grpc::ServerUnaryReactor* OpenSession(grpc::CallbackServerContext* context,
                                        const v1::OpenSessionRequest*,
                                        v1::OpenSessionResponse* response) override {
    ++sessions;
    response->set_token(token);
    response->set_seconds(seconds);
    return Finish(context, grpc::Status::OK);
  }
  grpc::ServerUnaryReactor* FetchPukBoxes(grpc::CallbackServerContext* context,
                                          const v1::FetchPukBoxesRequest*,
                                          v1::FetchPukBoxesResponse*) override {
    ++calls;
    const auto& metadata = context->client_metadata();
    const auto found = metadata.find(kTokenKey);
    const bool known =
        found != metadata.end() && std::string(found->second.data(), found->second.size()) == token;
    if (!known || forget-- > 0) {
      return Finish(context, {grpc::StatusCode::UNAUTHENTICATED, "who"});
    }
    if (unavailable-- > 0) return Finish(context, {grpc::StatusCode::UNAVAILABLE, "later"});
    if (!code.empty()) context->AddTrailingMetadata(kCodeKey, code);
    return Finish(context, code.empty()
                               ? grpc::Status::OK
                               : grpc::Status(grpc::StatusCode::ABORTED, "server's words"));
  }
  grpc::ServerUnaryReactor* AppendEntries(grpc::CallbackServerContext* context,
                                          const v1::AppendEntriesRequest*,
                                          v1::AppendEntriesResponse* response) override {
    for (const auto& result : results) response->add_results()->set_code(result);
    return Finish(context, grpc::Status::OK);
  }

  std::atomic<int> sessions{0};
  std::atomic<int> calls{0};
  std::atomic<int> forget{0};
  std::atomic<int> unavailable{0};
  std::uint32_t seconds = 900;
  std::string token = std::string(32, 't');
  std::string code;
  std::vector<std::string> results;

 private:
  static grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context,
                                          const grpc::Status& status) {
    auto* reactor = context->DefaultReactor();
    reactor->Finish(status);
    return reactor;
  }
};

class Channel : public testing::Test {
 protected:
  Channel() {
    std::string name = (std::filesystem::temp_directory_path() / "godwit-channel.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    std::ostringstream quiet;
    EXPECT_TRUE(RequireTls13());
    EXPECT_TRUE(admin::PkiInit({folder_}, quiet));
    EXPECT_TRUE(admin::PkiIssue({folder_, {"127.0.0.1"}}, quiet));
    Start();
    std::ifstream file(folder_ / "ca.crt");
    const std::string pem((std::istreambuf_iterator<char>(file)), {});
    pin_ = *admin::PinOf(pem);
    client_ = std::make_unique<RealmClient>(Address());
    client_->SetProver([](const base::Sha256Hash&, base::ByteSpan) { return base::Bytes(10); });
  }
  ~Channel() override {
    client_.reset();
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Start() {
    auto server = server::GrpcServer::Start(
        {"127.0.0.1:" + std::to_string(port_), folder_ / "server.crt", folder_ / "server.key"},
        service_);
    ASSERT_TRUE(server) << server.error().message();
    server_ = *std::move(server);
    port_ = server_->port();
  }
  RealmAddress Address() const { return {"127.0.0.1:" + std::to_string(port_), {pin_}}; }
  std::string Fetch(RealmClient& client) {
    const auto boxes = client.FetchPukBoxes(0);
    return boxes ? "OK" : std::string(base::Name(boxes.error().code()));
  }

  FakeService service_;
  std::filesystem::path folder_;
  std::unique_ptr<server::GrpcServer> server_;
  int port_ = 0;
  base::Sha256Hash pin_;
  std::unique_ptr<RealmClient> client_;
};

TEST_F(Channel, ShowsTheServersKeyToTheProver) {
  std::ifstream file(folder_ / "server.crt");
  const std::string pem((std::istreambuf_iterator<char>(file)), {});
  const auto key = client_->ServerKey();
  ASSERT_TRUE(key);
  EXPECT_EQ(*key, *admin::PinOf(pem));
  base::Sha256Hash seen;
  base::Bytes nonce;
  client_->SetProver([&](const base::Sha256Hash& spki, base::ByteSpan bytes) {
    seen = spki;
    nonce = base::ToBytes(bytes);
    return base::Bytes(10);
  });
  EXPECT_EQ(Fetch(*client_), "OK");
  EXPECT_EQ(seen, *key);
  EXPECT_EQ(nonce, base::Bytes(32, 'n'));
}

TEST_F(Channel, RefusesAServerThatNoPinNamesAndTriesNoMore) {
  RealmAddress address = Address();
  address.pins = {base::Sha256Hash()};
  RealmClient client(address);
  client.SetProver([](const base::Sha256Hash&, base::ByteSpan) { return base::Bytes(10); });
  const auto refused = client.FetchPukBoxes(0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), base::Code::kUnavailable);
  EXPECT_NE(refused.error().message().find("pin"), std::string_view::npos);
  EXPECT_FALSE(client.ServerKey());
  address.pins = {};
  RealmClient without(address);
  EXPECT_FALSE(without.ServerKey());
  EXPECT_EQ(service_.sessions, 0);
}

TEST_F(Channel, RefusesACertificateForAnotherAddress) {
  RealmAddress address = Address();
  address.host_port = "localhost:" + std::to_string(port_);
  RealmClient client(address);
  const auto refused = client.GetJoinMessages(base::InviteId());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), base::Code::kUnavailable);
  EXPECT_NE(refused.error().message().find("address"), std::string_view::npos);
}

TEST_F(Channel, OpensOneSessionForManyCallsAndANewOneWhenItIsForgotten) {
  EXPECT_EQ(Fetch(*client_), "OK");
  EXPECT_EQ(Fetch(*client_), "OK");
  EXPECT_EQ(service_.sessions, 1);
  service_.forget = 1;
  EXPECT_EQ(Fetch(*client_), "OK");
  EXPECT_EQ(service_.sessions, 2);
  service_.forget = 5;
  EXPECT_EQ(Fetch(*client_), "UNAUTHENTICATED");
  EXPECT_EQ(service_.sessions, 3);
}

TEST_F(Channel, RenewsASessionBeforeItsEnd) {
  service_.seconds = 0;
  EXPECT_EQ(Fetch(*client_), "OK");
  EXPECT_EQ(Fetch(*client_), "OK");
  EXPECT_EQ(service_.sessions, 2);
}

TEST_F(Channel, TriesAgainWhileTheServiceIsUnavailable) {
  service_.unavailable = 2;
  EXPECT_EQ(Fetch(*client_), "OK");
  EXPECT_EQ(service_.calls, 3);
  service_.unavailable = 100;
  EXPECT_EQ(Fetch(*client_), "UNAVAILABLE");
  EXPECT_EQ(service_.calls, 8);
}

TEST_F(Channel, OutlivesTheServersRestart) {
  EXPECT_EQ(Fetch(*client_), "OK");
  server_.reset();
  std::thread restart([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    Start();
  });
  EXPECT_EQ(Fetch(*client_), "OK");
  restart.join();
}

TEST_F(Channel, SaysSoWhereNobodyListens) {
  server_.reset();
  CallOptions options;
  options.timeout = std::chrono::milliseconds(500);
  RealmClient client(Address(), options);
  const auto began = std::chrono::steady_clock::now();
  const auto found = client.GetJoinMessages(base::InviteId());
  ASSERT_FALSE(found);
  EXPECT_TRUE(found.error().code() == base::Code::kUnavailable ||
              found.error().code() == base::Code::kDeadline);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST_F(Channel, TurnsANamedCodeIntoWordsOfItsOwn) {
  service_.code = "REKEY_REQUIRED";
  const auto boxes = client_->FetchPukBoxes(0);
  ASSERT_FALSE(boxes);
  EXPECT_EQ(boxes.error().code(), base::Code::kRekeyRequired);
  EXPECT_EQ(boxes.error().message(), ErrorOf(base::Code::kRekeyRequired).message());
  service_.code = "NO_SUCH_CODE";
  const auto unnamed = client_->FetchPukBoxes(0);
  ASSERT_FALSE(unnamed);
  EXPECT_EQ(unnamed.error().code(), base::Code::kConflict);
}

TEST_F(Channel, AnAnswerMustFitItsQuestion) {
  const std::vector<VaultUpload> two{{{{base::Bytes(1), {}, {}, {}}}},
                                     {{{base::Bytes(1), {}, {}, {}}}}};
  service_.results = {""};
  const auto short_answer = client_->AppendEntries(two);
  ASSERT_FALSE(short_answer);
  EXPECT_EQ(short_answer.error().code(), base::Code::kInternal);
  service_.results = {"", "CONFLICT"};
  const auto outcomes = client_->AppendEntries(two);
  ASSERT_TRUE(outcomes);
  EXPECT_TRUE((*outcomes)[0]);
  EXPECT_EQ((*outcomes)[1].error().code(), base::Code::kConflict);
  service_.results = {"", "OK"};
  const auto unknown = client_->AppendEntries(two);
  ASSERT_TRUE(unknown);
  EXPECT_EQ((*unknown)[1].error().code(), base::Code::kInternal);
  service_.token = std::string(257, 't');
  client_->SetProver([](const base::Sha256Hash&, base::ByteSpan) { return base::Bytes(10); });
  EXPECT_EQ(Fetch(*client_), "INTERNAL");
}

TEST_F(Channel, SendsNoMoreThanACallMayHold) {
  VaultUpload many;
  many.entries.resize(kMaxEntriesPerCall + 1);
  const auto too_many = client_->AppendEntries({many});
  ASSERT_FALSE(too_many);
  EXPECT_EQ(too_many.error().code(), base::Code::kInvalidArgument);
  VaultUpload large;
  for (int i = 0; i < 5; ++i) large.entries.push_back({{}, {}, {}, base::Bytes(1 << 20)});
  EXPECT_FALSE(client_->AppendEntries({large}));
  EXPECT_EQ(service_.sessions, 0);
}

TEST_F(Channel, NeedsAProverForWhatNeedsASession) {
  RealmClient client(Address());
  EXPECT_EQ(Fetch(client), "UNAUTHENTICATED");
  EXPECT_EQ(service_.calls, 0);
  EXPECT_TRUE(client.CloseSession());
}

}  // namespace
}  // namespace godwit::transport
