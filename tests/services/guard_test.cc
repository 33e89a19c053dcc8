#include "services/server/guard.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "godwit/realm/v1/realm.grpc.pb.h"
#include "services/server/grpc_server.h"
#include "services/server/health.h"
#include "services/server/log.h"
#include "services/server/status.h"
#include "tools/admin/commands.h"
#include "tools/admin/pki.h"
#include "transport/channel.h"
#include "transport/tls.h"
#include "transport/wire.h"

namespace godwit::server {
namespace {

namespace v1 = godwit::realm::v1;

// A service whose two methods do what a test says, behind a guard.
class BentService final : public v1::RealmService::CallbackService {
 public:
  explicit BentService(WorkerPool& pool, CallLimits limits = {})
      : guard_(
            pool, metrics,
            [this](base::ByteSpan token) -> base::Result<Caller> {
              if (throws) throw std::runtime_error("the-secret-of-a-caller");
              if (token.size() == 3) return Caller{};
              return base::Error(base::Code::kUnauthenticated, "no session");
            },
            limits) {}

  grpc::ServerUnaryReactor* GetNonce(grpc::CallbackServerContext* context,
                                     const v1::GetNonceRequest*, v1::GetNonceResponse*) override {
    return guard_.Unary(context, "GetNonce", access,
                        [this](const std::optional<Caller>& caller) { return body(caller); });
  }
  grpc::ServerWriteReactor<v1::ListVaultsResponse>* ListVaults(
      grpc::CallbackServerContext* context, const v1::ListVaultsRequest*) override {
    using Response = v1::ListVaultsResponse;
    return guard_.Stream<Response>(
        context, "ListVaults", access,
        [this](const std::optional<Caller>& caller) -> base::Result<Guard::NextMessage<Response>> {
          if (const auto status = body(caller); !status) return status.error();
          return Guard::NextMessage<Response>(
              [this, left = messages](Response& message) mutable -> base::Result<Guard::Next> {
                if (throws_in_stream) throw std::runtime_error("the-secret-of-a-caller");
                message.set_cursor(std::string(size, 'x'));
                return left-- > 0 ? Guard::Next::kMessage : Guard::Next::kOver;
              });
        });
  }

  // A stream that has a message for each time that it was woken.
  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::WatchRequest*) override {
    using Response = v1::WatchResponse;
    return guard_.Waiting<Response>(
        context, "Watch", access,
        [this](const std::optional<Caller>&,
               Guard::Wake wake) -> base::Result<Guard::NextMessage<Response>> {
          const std::lock_guard lock(mutex_);
          wakes_.push_back(std::move(wake));
          return Guard::NextMessage<Response>([this](Response&) -> base::Result<Guard::Next> {
            int left = to_say.load();
            while (left > 0 && !to_say.compare_exchange_weak(left, left - 1)) {
            }
            if (left > 0) return Guard::Next::kMessage;
            return over ? Guard::Next::kOver : Guard::Next::kLater;
          });
        });
  }
  void WakeAll() {
    const std::lock_guard lock(mutex_);
    for (const auto& wake : wakes_) wake();
  }

  Guard& guard() { return guard_; }

  Metrics metrics{"cases"};
  Access access = Access::kOpen;
  Guard::UnaryBody body = [](const std::optional<Caller>&) { return base::Status(); };
  int messages = 3;
  std::size_t size = 1;
  std::atomic<bool> throws{false};
  std::atomic<bool> throws_in_stream{false};
  std::atomic<int> to_say{0};
  std::atomic<bool> over{false};

 private:
  Guard guard_;
  std::mutex mutex_;
  std::vector<Guard::Wake> wakes_;
};

class GuardTest : public testing::Test {
 protected:
  explicit GuardTest(std::size_t queue = 16, CallLimits limits = {})
      : pool_(1, queue), service_(pool_, limits) {
    std::string name = (std::filesystem::temp_directory_path() / "godwit-guard.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    std::ostringstream quiet;
    EXPECT_TRUE(transport::RequireTls13());
    EXPECT_TRUE(admin::PkiInit({folder_}, quiet));
    EXPECT_TRUE(admin::PkiIssue({folder_, {"127.0.0.1"}}, quiet));
    auto server = GrpcServer::Start(
        {"127.0.0.1:0", {folder_ / "server.crt", folder_ / "server.key"}}, service_);
    EXPECT_TRUE(server);
    server_ = *std::move(server);
    std::ifstream file(folder_ / "ca.crt");
    const std::string pem((std::istreambuf_iterator<char>(file)), {});
    pinned_ = transport::MakePinnedChannel("127.0.0.1:" + std::to_string(server_->port()),
                                           {*admin::PinOf(pem)});
    stub_ = v1::RealmService::NewStub(pinned_.channel);
  }
  ~GuardTest() override {
    Stop(std::chrono::milliseconds(500));
    pool_.Drain();
    std::filesystem::remove_all(folder_);
  }

  void Stop(std::chrono::milliseconds grace) {
    server_->Stop(grace, [this] { return service_.guard().running(); });
  }
  grpc::Status Call(grpc::ClientContext& context) {
    v1::GetNonceResponse response;
    return stub_->GetNonce(&context, {}, &response);
  }
  grpc::Status Call(const std::string& token = {}) {
    grpc::ClientContext context;
    if (!token.empty()) context.AddMetadata(transport::kTokenKey, token);
    return Call(context);
  }
  std::pair<grpc::Status, int> Read() {
    grpc::ClientContext context;
    const auto reader = stub_->ListVaults(&context, {});
    v1::ListVaultsResponse message;
    int messages = 0;
    while (reader->Read(&message)) ++messages;
    return {reader->Finish(), messages};
  }

  WorkerPool pool_;
  BentService service_;
  std::filesystem::path folder_;
  std::unique_ptr<GrpcServer> server_;
  transport::PinnedChannel pinned_;
  std::unique_ptr<v1::RealmService::Stub> stub_;
};

TEST_F(GuardTest, LetsACallerWithASessionThrough) {
  service_.access = Access::kSession;
  std::atomic<bool> known = false;
  service_.body = [&](const std::optional<Caller>& caller) {
    known = caller.has_value();
    return base::Status();
  };
  EXPECT_EQ(Call().error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Call("long").error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_FALSE(known);
  EXPECT_TRUE(Call("abc").ok());
  EXPECT_TRUE(known);
}

TEST_F(GuardTest, TakesOneTokenACall) {
  service_.access = Access::kSession;
  grpc::ClientContext context;
  context.AddMetadata(transport::kTokenKey, "abc");
  context.AddMetadata(transport::kTokenKey, "abd");
  EXPECT_EQ(Call(context).error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(GuardTest, AWrongTokenIsNoMissingOne) {
  service_.access = Access::kSessionIfGiven;
  EXPECT_TRUE(Call().ok());
  EXPECT_TRUE(Call("abc").ok());
  EXPECT_EQ(Call("long").error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(GuardTest, AnExceptionIsInternalAndSaysNothing) {
  service_.body = [](const std::optional<Caller>&) -> base::Status {
    throw std::runtime_error("the-secret-of-a-caller");
  };
  testing::internal::CaptureStderr();
  const auto in_body = Call();
  service_.access = Access::kSession;
  service_.throws = true;
  const auto in_authentication = Call("abc");
  service_.access = Access::kOpen;
  service_.body = [](const std::optional<Caller>&) { return base::Status(); };
  service_.throws_in_stream = true;
  const auto in_stream = Read();
  const std::string log = testing::internal::GetCapturedStderr();
  for (const auto& status : {in_body, in_authentication, in_stream.first}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
    EXPECT_EQ(status.error_message().find("secret"), std::string::npos);
  }
  EXPECT_NE(log.find("\"level\":\"error\""), std::string::npos);
  EXPECT_EQ(log.find("secret"), std::string::npos);
}

TEST_F(GuardTest, NamesTheCodeInTheTrailers) {
  service_.body = [](const std::optional<Caller>&) -> base::Status {
    return base::Error(base::Code::kRekeyRequired, "rekey");
  };
  grpc::ClientContext context;
  EXPECT_EQ(Call(context).error_code(), grpc::StatusCode::ABORTED);
  const auto found = context.GetServerTrailingMetadata().find(transport::kCodeKey);
  ASSERT_NE(found, context.GetServerTrailingMetadata().end());
  EXPECT_EQ(std::string(found->second.data(), found->second.size()), "REKEY_REQUIRED");
}

TEST_F(GuardTest, ACallWhoseTimeIsOverIsNotBegun) {
  std::promise<void> hold;
  std::atomic<int> begun{0};
  auto held = hold.get_future().share();
  service_.body = [&, held](const std::optional<Caller>&) {
    ++begun;
    held.wait();
    return base::Status();
  };
  std::thread first([&] { Call(); });
  while (begun == 0) std::this_thread::yield();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(50));
  EXPECT_EQ(Call(context).error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  // The service counts from when the call came in, which is later.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  hold.set_value();
  first.join();
  pool_.Drain();
  EXPECT_EQ(begun, 1);
}

TEST_F(GuardTest, StreamsWhatItIsGivenAndRefusesBeforeTheFirstMessage) {
  const auto [status, messages] = Read();
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(messages, 3);
  service_.access = Access::kSession;
  EXPECT_EQ(Read().first.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Read().second, 0);
}

// A caller that reads no more holds memory, and no worker.
TEST_F(GuardTest, WhoReadsNoMoreIsGivenUpWhenTheTimeIsOver) {
  service_.messages = 20'000;
  service_.size = 64 * 1024;
  grpc::ClientContext context;
  const auto reader = stub_->ListVaults(&context, {});
  v1::ListVaultsResponse message;
  ASSERT_TRUE(reader->Read(&message));
  // Another call gets its turn: the stream stands still, or will.
  EXPECT_TRUE(Call().ok());
  const auto now = std::chrono::steady_clock::now();
  service_.guard().EndOverdueStreams(now);
  EXPECT_TRUE(reader->Read(&message));
  testing::internal::CaptureStderr();
  service_.guard().EndOverdueStreams(now + CallLimits().stream + std::chrono::seconds(1));
  while (reader->Read(&message)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  Stop(std::chrono::hours(1));
  EXPECT_NE(testing::internal::GetCapturedStderr().find("\"code\":\"DEADLINE\""),
            std::string::npos);
}

// There is one worker, and it is free meanwhile.
TEST_F(GuardTest, AStreamThatWaitsHoldsNoWorker) {
  service_.to_say = 2;
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::WatchResponse>>> readers;
  v1::WatchResponse message;
  for (int i = 0; i < 2; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    readers.push_back(stub_->Watch(contexts.back().get(), {}));
    if (i == 0) {
      ASSERT_TRUE(readers[0]->Read(&message));
      ASSERT_TRUE(readers[0]->Read(&message));
    }
  }
  while (service_.guard().running() < 2) std::this_thread::yield();
  EXPECT_TRUE(Call().ok());
  // Woken, whoever comes first takes what there is; and for nothing.
  service_.WakeAll();
  service_.to_say = 1;
  service_.over = true;
  service_.WakeAll();
  int messages = 0;
  for (const auto& reader : readers) {
    while (reader->Read(&message)) ++messages;
    EXPECT_TRUE(reader->Finish().ok());
  }
  EXPECT_EQ(messages, 1);
  // To wake one that is over is nothing.
  service_.WakeAll();
}

TEST_F(GuardTest, AStreamThatWaitsEndsWithItsCallerAndItsTime) {
  v1::WatchResponse message;
  service_.to_say = 1;
  grpc::ClientContext left;
  const auto leaving = stub_->Watch(&left, {});
  ASSERT_TRUE(leaving->Read(&message));
  left.TryCancel();
  EXPECT_EQ(leaving->Finish().error_code(), grpc::StatusCode::CANCELLED);
  while (service_.guard().running() > 0) std::this_thread::yield();
  service_.to_say = 1;
  grpc::ClientContext stays;
  const auto staying = stub_->Watch(&stays, {});
  ASSERT_TRUE(staying->Read(&message));
  testing::internal::CaptureStderr();
  service_.guard().EndOverdueStreams(std::chrono::steady_clock::now() + CallLimits().stream +
                                     std::chrono::seconds(1));
  EXPECT_FALSE(staying->Read(&message));
  EXPECT_EQ(staying->Finish().error_code(), grpc::StatusCode::CANCELLED);
  while (service_.guard().running() > 0) std::this_thread::yield();
  EXPECT_NE(testing::internal::GetCapturedStderr().find("\"code\":\"DEADLINE\""),
            std::string::npos);
}

TEST_F(GuardTest, DrainingGivesUpWhoeverReadsNoMore) {
  service_.messages = 20'000;
  service_.size = 64 * 1024;
  grpc::ClientContext context;
  const auto reader = stub_->ListVaults(&context, {});
  v1::ListVaultsResponse message;
  ASSERT_TRUE(reader->Read(&message));
  Stop(std::chrono::milliseconds(100));
  while (reader->Read(&message)) {
  }
  EXPECT_FALSE(reader->Finish().ok());
}

class ImpatientGuardTest : public GuardTest {
 protected:
  ImpatientGuardTest() : GuardTest(16, {.wait = std::chrono::milliseconds(0)}) {}
};

// Whatever the caller's own deadline says, or where there is none.
TEST_F(ImpatientGuardTest, ACallThatWaitedTooLongForAWorkerIsNotBegun) {
  std::atomic<int> begun{0};
  service_.body = [&](const std::optional<Caller>&) {
    ++begun;
    return base::Status();
  };
  EXPECT_EQ(Call().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(Read().first.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(begun, 0);
}

class NarrowGuardTest : public GuardTest {
 protected:
  NarrowGuardTest() : GuardTest(1) {}
};

TEST_F(NarrowGuardTest, AQueueThatFillsUpRefusesAtOnceAndEmptiesAgain) {
  std::promise<void> hold;
  std::atomic<int> begun{0};
  auto held = hold.get_future().share();
  service_.body = [&, held](const std::optional<Caller>&) {
    ++begun;
    held.wait();
    return base::Status();
  };
  // One that the worker holds, and one that waits for it.
  std::thread first([&] { EXPECT_TRUE(Call().ok()); });
  while (begun == 0) std::this_thread::yield();
  std::thread second([&] { EXPECT_TRUE(Call().ok()); });
  while (pool_.waiting() == 0) std::this_thread::yield();
  EXPECT_EQ(Call().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Read().first.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  hold.set_value();
  first.join();
  second.join();
  EXPECT_TRUE(Call().ok());
  EXPECT_EQ(begun, 3);
}

class FullGuardTest : public GuardTest {
 protected:
  FullGuardTest() : GuardTest(0) {}
};

TEST_F(FullGuardTest, AFullQueueAnswersResourceExhausted) {
  EXPECT_EQ(Call().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(Read().first.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST(WorkerPool, RunsWhatItTookBeforeItEnds) {
  std::atomic<int> run{0};
  {
    WorkerPool pool(3, 1'000);
    for (int i = 0; i < 500; ++i) {
      ASSERT_TRUE(pool.TrySubmit([&] { ++run; }));
    }
    pool.Drain();
    EXPECT_FALSE(pool.TrySubmit([&] { ++run; }));
    EXPECT_FALSE(pool.Continue([&] { ++run; }));
  }
  EXPECT_EQ(run, 500);
}

TEST(Status, EveryCodeHasAStatusThatIsNoSuccess) {
  for (int i = 0; i <= static_cast<int>(base::Code::kInternal); ++i) {
    const auto code = static_cast<base::Code>(i);
    const auto status = ToGrpc(base::Error(code, "why"));
    EXPECT_FALSE(status.ok());
    EXPECT_NE(status.error_code(), grpc::StatusCode::UNKNOWN);
    EXPECT_EQ(status.error_message(), "why");
  }
}

TEST(GrpcServer, RefusesToStartAndSaysWhy) {
  std::string name = (std::filesystem::temp_directory_path() / "godwit-tls.XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  std::ostringstream quiet;
  ASSERT_TRUE(transport::RequireTls13());
  ASSERT_TRUE(admin::PkiInit({folder / "a"}, quiet));
  ASSERT_TRUE(admin::PkiIssue({folder / "a", {"127.0.0.1"}}, quiet));
  ASSERT_TRUE(admin::PkiInit({folder / "b"}, quiet));
  ASSERT_TRUE(admin::PkiIssue({folder / "b", {"127.0.0.1"}}, quiet));
  WorkerPool pool(1, 1);
  BentService service(pool);
  const auto why = [&](const std::filesystem::path& certificate, const std::filesystem::path& key,
                       const std::string& address = "127.0.0.1:0") {
    const auto started = GrpcServer::Start({address, {certificate, key}}, service);
    return started ? std::string() : std::string(started.error().message());
  };
  const auto certificate = folder / "a" / "server.crt";
  const auto key = folder / "a" / "server.key";
  EXPECT_NE(why(folder / "none", key).find("certificate"), std::string::npos);
  EXPECT_NE(why(certificate, folder / "none").find("key"), std::string::npos);
  EXPECT_NE(why(certificate, folder / "b" / "server.key").find("not that of"), std::string::npos);
  std::filesystem::permissions(
      key, std::filesystem::perms::owner_read | std::filesystem::perms::group_read);
  EXPECT_NE(why(certificate, key).find("chmod"), std::string::npos);
  std::filesystem::permissions(key, std::filesystem::perms::owner_read);
  EXPECT_EQ(why(certificate, key), "");
  const auto first = GrpcServer::Start({"127.0.0.1:0", {certificate, key}}, service);
  ASSERT_TRUE(first);
  BentService other(pool);
  const auto second = GrpcServer::Start(
      {"127.0.0.1:" + std::to_string((*first)->port()), {certificate, key}}, other);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), base::Code::kIo);
  std::filesystem::remove_all(folder);
}

// Whoever connects and says nothing holds a place for a while only.
TEST_F(GuardTest, AConnectionWithoutAHandshakeIsClosed) {
  ListenOptions options{"127.0.0.1:0", {folder_ / "server.crt", folder_ / "server.key"}};
  options.handshake = std::chrono::milliseconds(100);
  BentService service(pool_);
  const auto server = GrpcServer::Start(options, service);
  ASSERT_TRUE(server);
  const int connection = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>((*server)->port()));
  ASSERT_EQ(::connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  char byte = 0;
  EXPECT_EQ(::recv(connection, &byte, 1, 0), 0);
  ::close(connection);
}

TEST(Listeners, ForThisMachineAloneRefuseOtherAddresses) {
  Metrics metrics("cases");
  for (const char* address : {"0.0.0.0:0", "[::]:0", "192.0.2.1:0", "localhost:0", ""}) {
    SCOPED_TRACE(address);
    const auto health = HealthServer::Start(address);
    ASSERT_FALSE(health);
    EXPECT_EQ(health.error().code(), base::Code::kInvalidArgument);
    const auto exposition = MetricsListener::Start(address, metrics);
    ASSERT_FALSE(exposition);
    EXPECT_EQ(exposition.error().code(), base::Code::kInvalidArgument);
  }
  const auto health = HealthServer::Start("127.0.0.1:0");
  ASSERT_TRUE(health);
  const auto exposition = MetricsListener::Start("127.0.0.1:0", metrics);
  ASSERT_TRUE(exposition);
  // Taken addresses.
  const auto at = [](int port) { return "127.0.0.1:" + std::to_string(port); };
  EXPECT_EQ(HealthServer::Start(at((*health)->port())).error().code(), base::Code::kIo);
  EXPECT_EQ(MetricsListener::Start(at((*exposition)->port()), metrics).error().code(),
            base::Code::kIo);
}

TEST(Listeners, HealthIsNoUntilItIsYes) {
  const auto health = HealthServer::Start("127.0.0.1:0");
  ASSERT_TRUE(health);
  const std::string address = "127.0.0.1:" + std::to_string((*health)->port());
  EXPECT_FALSE(AskHealth(address, std::chrono::seconds(10)));
  (*health)->Set(true);
  EXPECT_TRUE(AskHealth(address, std::chrono::seconds(10)));
  (*health)->Set(false);
  EXPECT_FALSE(AskHealth(address, std::chrono::seconds(10)));
}

// What a value may be; nothing else makes a line of the log.
static_assert(!std::is_constructible_v<LogValue, std::string>);
static_assert(!std::is_constructible_v<LogValue, std::string_view>);
static_assert(!std::is_constructible_v<LogValue, base::Bytes>);
static_assert(!std::is_constructible_v<LogValue, base::MemberId>);
static_assert(!std::is_constructible_v<LogValue, base::VaultId>);
static_assert(!std::is_constructible_v<LogValue, const char*>);

TEST(Log, WritesOneLineOfJson) {
  testing::internal::CaptureStderr();
  Log(LogLevel::kInfo, "with \"quotes\"\n",
      {{"code", base::Code::kConflict}, {"n", std::uint64_t{7}}});
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_NE(line.find(R"("event":"with \"quotes\" ","code":"CONFLICT","n":7})"), std::string::npos);
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
}

}  // namespace
}  // namespace godwit::server
