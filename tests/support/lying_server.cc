#include "tests/support/lying_server.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/text_file.h"
#include "transport/channel.h"
#include "transport/wire.h"

namespace godwit::support {
namespace {

// Calls that are served at once; more wait for their turn.
constexpr std::size_t kWorkers = 6;
constexpr std::chrono::seconds kPassingOn{60};

std::string BytesOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

grpc::ByteBuffer BufferOf(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

// Waits for the one step that a queue has under way.
bool Done(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  return queue.Next(&tag, &ok) && ok;
}

struct Answer {
  grpc::Status status;
  std::string code;  // of section 8, where the call failed
  std::string reply;
  bool written = false;  // message by message
};
using Write = std::function<bool(const std::string& message)>;

}  // namespace

class LyingServer::Impl {
 public:
  explicit Impl(const RealmServer& honest)
      : pins_(honest.address().pins),
        upstream_(transport::MakePinnedChannel(honest.address().host_port, pins_)),
        stub_(upstream_.channel) {
    const auto certificate = base::ReadTextFile(honest.certificates() / "server.crt");
    const auto key = base::ReadTextFile(honest.certificates() / "server.key");
    if (!certificate || !key) Fail();
    grpc::SslServerCredentialsOptions tls(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    tls.pem_key_cert_pairs.push_back({*key, *certificate});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(tls), &port_);
    builder.SetMaxReceiveMessageSize(static_cast<int>(transport::kMaxRequestSize));
    builder.RegisterAsyncGenericService(&service_);
    for (std::size_t i = 0; i < kWorkers; ++i) queues_.push_back(builder.AddCompletionQueue());
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0) Fail();
    for (const auto& queue : queues_) workers_.emplace_back([this, &queue] { Serve(*queue); });
  }

  ~Impl() {
    ends_ = true;
    server_->Shutdown(std::chrono::system_clock::now());
    workers_.clear();
    for (const auto& queue : queues_) {
      queue->Shutdown();
      void* tag = nullptr;
      bool ok = false;
      while (queue->Next(&tag, &ok)) {
      }
    }
  }

  transport::RealmAddress address() const { return {"127.0.0.1:" + std::to_string(port_), pins_}; }

  // The table and what passed, under one lock.
  struct Table {
    std::multimap<std::string, std::function<void(std::string&)>, std::less<>> requests;
    std::multimap<std::string, ReplyBytes, std::less<>> replies;
    std::map<std::string, std::string, std::less<>> answers;
    struct Loss {
      grpc::StatusCode status;
      std::shared_ptr<std::atomic<int>> left;
    };
    std::map<std::string, Loss, std::less<>> losses;
  };
  template <class Change>
  auto With(Change change) {
    const std::lock_guard lock(mutex_);
    return change(table_, calls_);
  }

 private:
  [[noreturn]] static void Fail() {
    std::fprintf(stderr, "lying_server: it cannot start\n");
    std::abort();
  }

  void Serve(grpc::ServerCompletionQueue& queue) {
    for (;;) {
      grpc::GenericServerContext context;
      grpc::GenericServerAsyncReaderWriter stream(&context);
      service_.RequestCall(&context, &stream, &queue, &queue, nullptr);
      if (!Done(queue)) return;  // the server ends
      grpc::ByteBuffer request;
      stream.Read(&request, nullptr);
      Answer answer;
      if (Done(queue)) {
        const auto write = [&](const std::string& message) {
          stream.Write(BufferOf(message), nullptr);
          return Done(queue);
        };
        answer = Handle(context, BytesOf(request), write);
      } else {
        answer.status =
            grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "a call without a request");
      }
      if (answer.status.ok() && !answer.written) {
        stream.Write(BufferOf(answer.reply), nullptr);
        Done(queue);
      } else if (!answer.code.empty()) {
        context.AddTrailingMetadata(transport::kCodeKey, answer.code);
      }
      stream.Finish(answer.status, nullptr);
      Done(queue);
    }
  }

  // The table is read once at the start of a call, so that a lie may take others back.
  Answer Handle(const grpc::GenericServerContext& context, std::string request,
                const Write& write) {
    const std::string method = context.method().substr(context.method().rfind('/') + 1);
    const Table table = With([&](const Table& now, std::vector<Call>& calls) {
      calls.push_back({method, request});
      return now;
    });
    const auto requests = table.requests.equal_range(method);
    for (auto lie = requests.first; lie != requests.second; ++lie) lie->second(request);
    Answer answer;
    if (const auto ready = table.answers.find(method); ready != table.answers.end()) {
      answer.reply = ready->second;
    } else if (method == "Watch") {
      return PassOnEach(context, request, write);
    } else {
      answer = PassOn(context, request);
    }
    if (!answer.status.ok()) return answer;
    if (const auto loss = table.losses.find(method);
        loss != table.losses.end() && loss->second.left->fetch_sub(1) > 0) {
      answer.status = grpc::Status(loss->second.status, "");
      return answer;
    }
    const auto replies = table.replies.equal_range(method);
    for (auto lie = replies.first; lie != replies.second; ++lie) lie->second(request, answer.reply);
    return answer;
  }

  // Messages of one type one after the other are one message: repeated fields add up, and of a
  // single field, as a cursor, the last stands.
  Answer PassOn(const grpc::GenericServerContext& from, const std::string& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPassingOn);
    const auto token = from.client_metadata().find(transport::kTokenKey);
    if (token != from.client_metadata().end()) {
      context.AddMetadata(transport::kTokenKey,
                          std::string(token->second.data(), token->second.size()));
    }
    Answer answer;
    grpc::CompletionQueue queue;
    const auto call = stub_.PrepareCall(&context, from.method(), &queue);
    call->StartCall(nullptr);
    if (Done(queue)) {
      call->WriteLast(BufferOf(request), grpc::WriteOptions(), nullptr);
      Done(queue);
      for (;;) {
        grpc::ByteBuffer part;
        call->Read(&part, nullptr);
        if (!Done(queue)) break;
        answer.reply += BytesOf(part);
      }
    }
    call->Finish(&answer.status, nullptr);
    Done(queue);
    const auto& trailers = context.GetServerTrailingMetadata();
    if (const auto code = trailers.find(transport::kCodeKey); code != trailers.end()) {
      answer.code.assign(code->second.data(), code->second.size());
    }
    return answer;
  }

  // Each message of a stream that goes on, as it comes, with the lies that are told by then.
  Answer PassOnEach(const grpc::GenericServerContext& from, const std::string& request,
                    const Write& write) {
    grpc::ClientContext context;
    const auto token = from.client_metadata().find(transport::kTokenKey);
    if (token != from.client_metadata().end()) {
      context.AddMetadata(transport::kTokenKey,
                          std::string(token->second.data(), token->second.size()));
    }
    Answer answer;
    answer.written = true;
    grpc::CompletionQueue queue;
    // Whether a step is done well; whoever waits for a message ends when this server does.
    const auto done = [&] {
      void* tag = nullptr;
      bool ok = false;
      for (;;) {
        const auto soon = std::chrono::system_clock::now() + std::chrono::milliseconds(50);
        const auto next = queue.AsyncNext(&tag, &ok, soon);
        if (next != grpc::CompletionQueue::TIMEOUT) return ok;
        if (ends_) context.TryCancel();
      }
    };
    const auto call = stub_.PrepareCall(&context, from.method(), &queue);
    call->StartCall(nullptr);
    if (done()) {
      call->WriteLast(BufferOf(request), grpc::WriteOptions(), nullptr);
      done();
      for (;;) {
        grpc::ByteBuffer part;
        call->Read(&part, nullptr);
        if (!done()) break;
        std::string message = BytesOf(part);
        const Table now = With([](const Table& table, auto&) { return table; });
        const auto lies = now.replies.equal_range("Watch");
        for (auto lie = lies.first; lie != lies.second; ++lie) lie->second(request, message);
        if (!write(message)) context.TryCancel();
      }
    }
    call->Finish(&answer.status, nullptr);
    done();
    const auto& trailers = context.GetServerTrailingMetadata();
    if (const auto code = trailers.find(transport::kCodeKey); code != trailers.end()) {
      answer.code.assign(code->second.data(), code->second.size());
    }
    return answer;
  }

  const std::vector<base::Sha256Hash> pins_;
  const transport::PinnedChannel upstream_;
  grpc::GenericStub stub_;
  std::mutex mutex_;
  Table table_;
  std::vector<Call> calls_;
  int port_ = 0;
  grpc::AsyncGenericService service_;
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::jthread> workers_;
  std::atomic<bool> ends_{false};
};

LyingServer::LyingServer(const RealmServer& honest) : impl_(std::make_unique<Impl>(honest)) {}
LyingServer::~LyingServer() = default;

transport::RealmAddress LyingServer::address() const { return impl_->address(); }

void LyingServer::RewriteReplyBytes(std::string_view method, ReplyBytes lie) {
  impl_->With([&](auto& table, auto&) { table.replies.emplace(method, std::move(lie)); });
}

void LyingServer::RewriteRequestBytes(std::string_view method,
                                      std::function<void(std::string&)> lie) {
  impl_->With([&](auto& table, auto&) { table.requests.emplace(method, std::move(lie)); });
}

void LyingServer::AnswerWithBytes(std::string_view method, std::string reply) {
  impl_->With([&](auto& table, auto&) { table.answers[std::string(method)] = std::move(reply); });
}

void LyingServer::LoseReplies(std::string_view method, int count, grpc::StatusCode status) {
  impl_->With([&](auto& table, auto&) {
    table.losses[std::string(method)] = {status, std::make_shared<std::atomic<int>>(count)};
  });
}

void LyingServer::BeHonest() {
  impl_->With([](auto& table, auto&) { table = {}; });
}

std::vector<LyingServer::Call> LyingServer::calls() const {
  return impl_->With([](auto&, auto& calls) { return calls; });
}

std::size_t LyingServer::CallsOf(std::string_view method) const {
  return impl_->With([&](auto&, auto& calls) {
    return static_cast<std::size_t>(std::ranges::count(calls, method, &Call::method));
  });
}

void LyingServer::ForgetCalls() {
  impl_->With([](auto&, auto& calls) { calls.clear(); });
}

}  // namespace godwit::support
