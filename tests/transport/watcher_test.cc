// A client's ear, before a service that does what a test says.
#include "transport/watcher.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <sstream>
#include <string>

#include "base/text_file.h"
#include "godwit/realm/v1/realm.grpc.pb.h"
#include "tools/admin/commands.h"
#include "tools/admin/pki.h"
#include "transport/tls.h"

namespace godwit::transport {
namespace {

namespace v1 = godwit::realm::v1;
using std::chrono::hours;
using std::chrono::milliseconds;
using Writer = grpc::ServerWriter<v1::WatchResponse>;

class BentService final : public v1::RealmService::Service {
 public:
  grpc::Status GetNonce(grpc::ServerContext*, const v1::GetNonceRequest*,
                        v1::GetNonceResponse* response) override {
    response->set_nonce(std::string(32, 'n'));
    return grpc::Status::OK;
  }
  grpc::Status OpenSession(grpc::ServerContext*, const v1::OpenSessionRequest*,
                           v1::OpenSessionResponse* response) override {
    response->set_token("token");
    response->set_seconds(900);
    return grpc::Status::OK;
  }
  grpc::Status Watch(grpc::ServerContext* context, const v1::WatchRequest*,
                     Writer* writer) override {
    ++streams;
    return watch(*context, *writer);
  }

  static void Rest(const grpc::ServerContext& context) {
    while (!context.IsCancelled()) std::this_thread::sleep_for(milliseconds(5));
  }

  std::function<grpc::Status(grpc::ServerContext&, Writer&)> watch;
  std::atomic<int> streams{0};
};

class WatcherTest : public testing::Test {
 protected:
  WatcherTest() {
    std::string name = (std::filesystem::temp_directory_path() / "godwit-watch.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    std::ostringstream quiet;
    EXPECT_TRUE(RequireTls13());
    EXPECT_TRUE(admin::PkiInit({folder_}, quiet));
    EXPECT_TRUE(admin::PkiIssue({folder_, {"127.0.0.1"}}, quiet));
    pin_ = *admin::PinOf(*base::ReadTextFile(folder_ / "ca.crt"));
    Start();
  }
  ~WatcherTest() override {
    Stop();
    std::filesystem::remove_all(folder_);
  }

  void Start() {
    grpc::SslServerCredentialsOptions tls(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    tls.pem_key_cert_pairs.push_back(
        {*base::ReadTextFile(folder_ / "server.key"), *base::ReadTextFile(folder_ / "server.crt")});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port_), grpc::SslServerCredentials(tls),
                             &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }
  void Stop() {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_.reset();
  }
  Watcher::MakeClient Make() {
    return [this] {
      auto client =
          std::make_unique<RealmClient>(RealmAddress{"127.0.0.1:" + std::to_string(port_), {pin_}},
                                        CallOptions{.timeout = milliseconds(5'000), .tries = 1});
      client->SetProver([](const base::Sha256Hash&, base::ByteSpan) { return base::Bytes(100); });
      return client;
    };
  }
  // News of a kind, however long they take.
  static Watcher::News Await(Watcher& watcher,
                             const std::function<bool(const Watcher::News&)>& of) {
    for (;;) {
      auto news = watcher.Wait(milliseconds(50));
      if (of(news)) return news;
    }
  }
  static bool Changed(const Watcher::News& news) { return news.changed; }

  std::filesystem::path folder_;
  base::Sha256Hash pin_;
  int port_ = 0;
  BentService service_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(WatcherTest, TheFirstMessageIsAReasonToSyncAndSilenceIsNone) {
  std::atomic<int> say{0};
  service_.watch = [&](grpc::ServerContext& context, Writer& writer) {
    writer.Write({});
    while (!context.IsCancelled()) {
      v1::WatchResponse response;
      const int what = say.exchange(0);
      if (what == 1) writer.Write(response);
      response.set_roster_seq(7);
      if (what == 2) writer.Write(response);
      std::this_thread::sleep_for(milliseconds(5));
    }
    return grpc::Status::OK;
  };
  Watcher watcher(Make(), {.between = milliseconds(1)});
  EXPECT_TRUE(Await(watcher, Changed).line);
  say = 1;
  while (say != 0) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_FALSE(watcher.Wait(milliseconds(100)).changed) << "it lives, and nothing changed";
  say = 2;
  EXPECT_TRUE(Await(watcher, Changed).line);
}

// A flood is read at the pace of whoever it is for.
TEST_F(WatcherTest, OfAFloodAFewAreTaken) {
  service_.watch = [](grpc::ServerContext&, Writer& writer) {
    v1::WatchResponse response;
    response.set_more(true);
    while (writer.Write(response)) {
    }
    return grpc::Status::OK;
  };
  Watcher watcher(Make(), {.between = hours(1)});
  Await(watcher, Changed);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(watcher.Wait(milliseconds(50)).changed);
}

TEST_F(WatcherTest, AStreamThatEndsAtOnceIsNotOpenedAgainAtOnce) {
  service_.watch = [](grpc::ServerContext&, Writer& writer) {
    writer.Write({});
    return grpc::Status::OK;
  };
  {
    Watcher watcher(Make(), {.first_wait = hours(1), .longest_wait = hours(1)});
    Await(watcher, Changed);
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(watcher.Wait(milliseconds(50)).changed);
    EXPECT_EQ(service_.streams, 1);
  }
  // One that lasted is, and an end that is well is no broken line.
  Watcher watcher(Make(), {.first_wait = milliseconds(1), .early = milliseconds(0)});
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Await(watcher, Changed).line);
}

TEST_F(WatcherTest, ASilentStreamIsGivenUpAndOpenedAnew) {
  service_.watch = [](grpc::ServerContext& context, Writer& writer) {
    writer.Write({});
    BentService::Rest(context);
    return grpc::Status::OK;
  };
  Watcher watcher(Make(), {.first_wait = milliseconds(1), .silence = milliseconds(100)});
  for (int i = 0; i < 3; ++i) Await(watcher, Changed);
  EXPECT_GE(service_.streams, 3);
}

TEST_F(WatcherTest, ItSaysWhyNothingIsHeardAndComesBack) {
  service_.watch = [](grpc::ServerContext& context, Writer& writer) {
    writer.Write({});
    BentService::Rest(context);
    return grpc::Status::OK;
  };
  Watcher watcher(Make(), {.first_wait = milliseconds(1), .longest_wait = milliseconds(50)});
  Await(watcher, Changed);
  Stop();
  const auto broken = Await(watcher, [](const Watcher::News& news) { return !news.line; });
  EXPECT_EQ(broken.line.error().code(), base::Code::kUnavailable);
  // Hints of another form are none.
  std::atomic<bool> bad{true};
  service_.watch = [&](grpc::ServerContext& context, Writer& writer) {
    v1::WatchResponse response;
    if (bad) response.add_vaults()->set_vault("short");
    writer.Write(response);
    BentService::Rest(context);
    return grpc::Status::OK;
  };
  Start();
  Await(watcher, [](const Watcher::News& news) {
    return !news.line && news.line.error().code() == base::Code::kInternal;
  });
  bad = false;
  EXPECT_TRUE(Await(watcher, Changed).line);
}

}  // namespace
}  // namespace godwit::transport
