#include "services/server/health.h"

#include <grpcpp/channel.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/channel_arguments.h>

#include <string_view>
#include <utility>
#include <vector>

#include "services/server/address.h"
#include "services/server/grpc_server.h"

namespace godwit::server {
namespace {

constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
constexpr int kMostRequestBytes = 1024;

// HealthCheckRequest has one field, 1: a text, the name of a service; HealthCheckResponse has one
// field, 1: an enumeration.
constexpr char kNoName[] = {0x0a, 0x00};
constexpr char kServing[] = {0x08, 0x01};
constexpr char kNotServing[] = {0x08, 0x02};

template <std::size_t N>
std::string_view View(const char (&bytes)[N]) {
  return {bytes, N};
}

grpc::ByteBuffer BufferOf(std::string_view bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  return {&slice, 1};
}

std::string TextOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string text;
  if (!buffer.Dump(&slices).ok()) return text;
  for (const auto& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return text;
}

// One question: read, answer, end.
class Answer final : public grpc::ServerGenericBidiReactor {
 public:
  Answer(std::string_view method, bool serves) : serves_(serves) {
    if (method != kCheck) {
      Finish({grpc::StatusCode::UNIMPLEMENTED, "only Check is answered here"});
    } else {
      StartRead(&request_);
    }
  }

 private:
  void OnReadDone(bool ok) override {
    const std::string request = ok ? TextOf(request_) : std::string();
    if (!ok) {
      Finish({grpc::StatusCode::INVALID_ARGUMENT, "there is no question"});
    } else if (!request.empty() && request != View(kNoName)) {
      Finish({grpc::StatusCode::NOT_FOUND, "the server answers as a whole: ask for no service"});
    } else {
      response_ = BufferOf(serves_ ? View(kServing) : View(kNotServing));
      StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
    }
  }
  void OnDone() override { delete this; }

  const bool serves_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
};

}  // namespace

class HealthServer::Answers final : public grpc::CallbackGenericService {
 public:
  std::atomic<bool> serves{false};

 private:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    return new Answer(context->method(), serves);
  }
};

base::Result<std::unique_ptr<HealthServer>> HealthServer::Start(const std::string& address) {
  SilenceGrpc();
  if (!IsLoopback(address)) {
    return base::Error(base::Code::kInvalidArgument,
                       "health is for this machine alone: see setting health_listen");
  }
  auto answers = std::make_unique<Answers>();
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(kMostRequestBytes);
  builder.SetOption(ReflectionOption(false));
  builder.RegisterCallbackGenericService(answers.get());
  auto server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return base::Error(base::Code::kIo,
                       "the address cannot be listened at: see setting health_listen");
  }
  return std::unique_ptr<HealthServer>(
      new HealthServer(std::move(answers), std::move(server), port));
}

HealthServer::HealthServer(std::unique_ptr<Answers> answers, std::unique_ptr<grpc::Server> server,
                           int port)
    : answers_(std::move(answers)), server_(std::move(server)), port_(port) {}

HealthServer::~HealthServer() {
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
}

void HealthServer::Set(bool serves) { answers_->serves = serves; }

base::Status AskHealth(const std::string& address, std::chrono::milliseconds timeout) {
  SilenceGrpc();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  grpc::GenericStub stub(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + timeout);
  grpc::CompletionQueue queue;
  grpc::ByteBuffer response;
  grpc::Status status;
  const auto call = stub.PrepareUnaryCall(&context, kCheck, BufferOf({}), &queue);
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (!status.ok()) {
    return base::Error(base::Code::kUnavailable,
                       "nobody answers: see whether the service runs with this health_listen");
  }
  if (TextOf(response) != View(kServing)) {
    return base::Error(base::Code::kUnavailable,
                       "the service runs and does not serve: see its log");
  }
  return {};
}

}  // namespace godwit::server
