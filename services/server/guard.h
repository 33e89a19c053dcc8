#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "services/server/caller.h"
#include "services/server/limits.h"
#include "services/server/metrics.h"
#include "services/server/worker_pool.h"

namespace godwit::server {

// Who may call a method: anybody, only a caller with a session, or either (a call that takes an
// invitation instead).
enum class Access { kOpen, kSession, kSessionIfGiven };

// What stands around every method of a service: a place in the worker pool, the call's deadline,
// who the caller is, exceptions, the mapping of errors, a line of the log, a figure of the metrics.
// A handler is only what it is given as `body`, which runs on a worker and may block. Thread-safe.
class Guard {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Tells whose session a token opens. UNAUTHENTICATED: nobody's.
  using Authenticate = std::function<base::Result<Caller>(base::ByteSpan token)>;
  using UnaryBody = std::function<base::Status(const std::optional<Caller>& caller)>;
  // Fills the next message of a stream. False: there is none, the stream is over.
  template <class Response>
  using NextMessage = std::function<base::Result<bool>(Response& message)>;
  // Checks the request and gives the source of the stream's messages.
  template <class Response>
  using StreamBody =
      std::function<base::Result<NextMessage<Response>>(const std::optional<Caller>& caller)>;

  // All must outlive the guard and all its calls.
  Guard(WorkerPool& pool, Metrics& metrics, Authenticate authenticate, CallLimits limits = {})
      : pool_(pool), metrics_(metrics), authenticate_(std::move(authenticate)), limits_(limits) {}

  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, base::Literal method,
                                  Access access, UnaryBody body);

  template <class Response>
  grpc::ServerWriteReactor<Response>* Stream(grpc::CallbackServerContext* context,
                                             base::Literal method, Access access,
                                             StreamBody<Response> body) {
    return new StreamReactor<Response>(*this, context, method, access, std::move(body));
  }

  // Calls that came in and whose answer has not left whole.
  std::size_t running() const { return running_; }
  // Gives up the streams whose time is over at `now`: those, too, whose caller reads no more. To be
  // called every second or so.
  void EndOverdueStreams(Time now = std::chrono::steady_clock::now());

 private:
  // A call with one answer; it ends when that has left.
  class UnaryReactor final : public grpc::ServerUnaryReactor {
   public:
    explicit UnaryReactor(Guard& guard) : guard_(guard) { guard_.Began(); }

   private:
    void OnDone() override {
      guard_.Ended();
      delete this;
    }

    Guard& guard_;
  };

  // A stream that runs; `overdue` tells it why it was cancelled.
  struct Running {
    grpc::CallbackServerContext* context = nullptr;
    Time began;
    std::atomic<bool>* overdue = nullptr;
  };

  // The caller, or why the call goes no further. For Access::kOpen nobody.
  base::Result<std::optional<Caller>> Admit(grpc::CallbackServerContext& context, Access access,
                                            Time began);
  // Calls `work` and turns whatever it throws into INTERNAL.
  static base::Status Contain(const std::function<base::Status()>& work);
  static base::Error Busy();
  // The status to finish with; writes the line of the log and counts the call.
  grpc::Status Finish(grpc::CallbackServerContext& context, base::Literal method, Time began,
                      const base::Status& status);
  void Began() {
    ++running_;
    metrics_.CallBegan();
  }
  void Ended() { --running_; }
  void Enter(const void* stream, const Running& running);
  void Leave(const void* stream);

  template <class Response>
  class StreamReactor final : public grpc::ServerWriteReactor<Response> {
   public:
    StreamReactor(Guard& guard, grpc::CallbackServerContext* context, base::Literal method,
                  Access access, StreamBody<Response> body)
        : guard_(guard), context_(context), method_(method), body_(std::move(body)) {
      guard_.Began();
      guard_.Enter(this, {context_, began_, &overdue_});
      const bool queued = guard_.pool_.TrySubmit([this, access] {
        const auto begun = Contain([&]() -> base::Status {
          const auto caller = guard_.Admit(*context_, access, began_);
          if (!caller) return caller.error();
          auto next = body_(*caller);
          if (!next) return next.error();
          next_ = *std::move(next);
          return {};
        });
        if (!begun) return End(begun);
        WriteNext();
      });
      if (!queued) End(Busy());
    }

   private:
    void WriteNext() {
      message_.Clear();
      bool more = false;
      const auto status = Contain([&]() -> base::Status {
        const auto filled = next_(message_);
        if (!filled) return filled.error();
        more = *filled;
        return {};
      });
      if (!status || !more) return End(status);
      this->StartWrite(&message_);
    }

    // On gRPC's own thread, which must not block.
    void OnWriteDone(bool ok) override {
      if (overdue_) {
        return End(
            base::Error(base::Code::kDeadline, "the stream took longer than the time allowed"));
      }
      if (!ok || cancelled_) {
        return End(base::Error(base::Code::kCancelled, "the caller gave the call up"));
      }
      // A caller that reads slowly holds no worker: each message is a task of its own.
      if (!guard_.pool_.Continue([this] { WriteNext(); })) {
        End(base::Error(base::Code::kUnavailable, "the service stops: try again"));
      }
    }
    void OnCancel() override { cancelled_ = true; }
    void OnDone() override {
      guard_.Leave(this);
      guard_.Ended();
      delete this;
    }

    void End(const base::Status& status) {
      this->Finish(guard_.Finish(*context_, method_, began_, status));
    }

    Guard& guard_;
    grpc::CallbackServerContext* const context_;
    const base::Literal method_;
    const StreamBody<Response> body_;
    const Time began_ = std::chrono::steady_clock::now();
    NextMessage<Response> next_;
    Response message_;
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> overdue_{false};
  };

  WorkerPool& pool_;
  Metrics& metrics_;
  const Authenticate authenticate_;
  const CallLimits limits_;
  std::atomic<std::size_t> running_{0};
  std::mutex mutex_;
  std::map<const void*, Running> streams_;
};

}  // namespace godwit::server
