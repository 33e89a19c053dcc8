#include "services/server/guard.h"

#include <string_view>

#include "services/server/log.h"
#include "services/server/status.h"
#include "transport/wire.h"

namespace godwit::server {
namespace {

constexpr std::size_t kMaxToken = 256;

base::Error Unauthenticated() {
  return {base::Code::kUnauthenticated, "this call needs a live session: open one"};
}

}  // namespace

grpc::ServerUnaryReactor* Guard::Unary(grpc::CallbackServerContext* context, base::Literal method,
                                       Access access, UnaryBody body) {
  auto* reactor = new UnaryReactor(*this);
  const Time began = std::chrono::steady_clock::now();
  const bool queued =
      pool_.TrySubmit([this, context, reactor, method, access, began, body = std::move(body)] {
        const auto status = Contain([&]() -> base::Status {
          const auto caller = Admit(*context, access, began);
          if (!caller) return caller.error();
          return body(*caller);
        });
        reactor->Finish(Finish(*context, method, began, status));
      });
  if (!queued) reactor->Finish(Finish(*context, method, began, Busy()));
  return reactor;
}

base::Result<std::optional<Caller>> Guard::Admit(grpc::CallbackServerContext& context,
                                                 Access access, Time began) {
  // Whoever waited in the queue until nobody waits for the answer costs no more work.
  if (context.IsCancelled()) {
    return base::Error(base::Code::kCancelled, "the caller gave the call up");
  }
  if (context.deadline() <= std::chrono::system_clock::now() ||
      std::chrono::steady_clock::now() - began > limits_.wait) {
    return base::Error(base::Code::kDeadline, "the call's time was over before its turn");
  }
  if (access == Access::kOpen) return std::optional<Caller>();
  const auto& metadata = context.client_metadata();
  const auto [first, last] = metadata.equal_range(transport::kTokenKey);
  if (first == last) {
    if (access == Access::kSessionIfGiven) return std::optional<Caller>();
    return Unauthenticated();
  }
  const std::string_view token(first->second.data(), first->second.size());
  if (std::next(first) != last || token.empty() || token.size() > kMaxToken) {
    return Unauthenticated();
  }
  const auto caller = authenticate_(base::AsBytes(token));
  if (!caller) return caller.error();
  return std::optional<Caller>(*caller);
}

void Guard::EndOverdueStreams(Time now) {
  const std::lock_guard lock(mutex_);
  for (auto& [stream, running] : streams_) {
    if (now - running.began <= limits_.stream) continue;
    *running.overdue = true;
    running.context->TryCancel();
  }
}

void Guard::Enter(const void* stream, const Running& running) {
  const std::lock_guard lock(mutex_);
  streams_.emplace(stream, running);
}

void Guard::Leave(const void* stream) {
  const std::lock_guard lock(mutex_);
  streams_.erase(stream);
}

base::Status Guard::Contain(const std::function<base::Status()>& work) {
  try {
    return work();
  } catch (...) {
    // What the exception says may hold what a caller sent: it is not even logged.
    return base::Error(base::Code::kInternal, "the service failed: an exception");
  }
}

base::Error Guard::Busy() {
  return {base::Code::kResourceExhausted, "the service is busy: try again later"};
}

grpc::Status Guard::Finish(grpc::CallbackServerContext& context, base::Literal method, Time began,
                           const base::Status& status) {
  const base::Code code = status ? base::Code::kInternal : status.error().code();
  const auto elapsed = std::chrono::steady_clock::now() - began;
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(elapsed);
  metrics_.CallEnded(method, status ? std::nullopt : std::optional(code), elapsed);
  if (status) {
    Log(LogLevel::kDebug, "call", {{"method", method}, {"ms", took}});
  } else {
    const bool bug = code == base::Code::kInternal || code == base::Code::kIo;
    Log(bug ? LogLevel::kError : LogLevel::kInfo, "call refused",
        {{"method", method}, {"code", code}, {"why", status.error()}, {"ms", took}});
  }
  return Answer(context, status);
}

}  // namespace godwit::server
