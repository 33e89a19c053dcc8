#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
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
  // What the source of a stream has: a message, nothing more, or nothing for now.
  enum class Next { kMessage, kOver, kLater };
  // Fills the next message of a stream.
  template <class Response>
  using NextMessage = std::function<base::Result<Next>(Response& message)>;
  // Checks the request and gives the source of the stream's messages.
  template <class Response>
  using StreamBody =
      std::function<base::Result<NextMessage<Response>>(const std::optional<Caller>& caller)>;
  // Has a stream ask its source again, which had nothing for now. Thread-safe; does nothing once
  // the stream is over.
  using Wake = std::function<void()>;
  // The same for a source that waits: it keeps `wake` for when it has something.
  template <class Response>
  using WaitingBody = std::function<base::Result<NextMessage<Response>>(
      const std::optional<Caller>& caller, Wake wake)>;

  // All must outlive the guard and all its calls.
  Guard(WorkerPool& pool, Metrics& metrics, Authenticate authenticate, CallLimits limits = {})
      : pool_(pool), metrics_(metrics), authenticate_(std::move(authenticate)), limits_(limits) {}

  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext* context, base::Literal method,
                                  Access access, UnaryBody body);

  template <class Response>
  grpc::ServerWriteReactor<Response>* Stream(grpc::CallbackServerContext* context,
                                             base::Literal method, Access access,
                                             StreamBody<Response> body) {
    return Waiting<Response>(
        context, method, access,
        [body = std::move(body)](const std::optional<Caller>& caller, const Wake& /*wake*/) {
          return body(caller);
        });
  }
  // A stream that holds no thread while its source has nothing.
  template <class Response>
  grpc::ServerWriteReactor<Response>* Waiting(grpc::CallbackServerContext* context,
                                              base::Literal method, Access access,
                                              WaitingBody<Response> body) {
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
                  Access access, WaitingBody<Response> body)
        : guard_(guard), context_(context), method_(method), body_(std::move(body)) {
      guard_.Began();
      guard_.Enter(this, {context_, began_, &overdue_});
      handle_->stream = this;
      const bool queued = guard_.pool_.TrySubmit([this, access] {
        const auto begun = Contain([&]() -> base::Status {
          const auto caller = guard_.Admit(*context_, access, began_);
          if (!caller) return caller.error();
          auto next = body_(*caller, [handle = handle_] { WakeUp(*handle); });
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
    // By which a stream is woken, whether it is still there or not.
    struct Handle {
      std::mutex mutex;
      StreamReactor* stream = nullptr;
      bool rests = false;  // its source has nothing: whoever unsets this goes on with it
      bool woken = false;  // while it did not rest
    };

    void WriteNext() {
      for (;;) {
        message_.Clear();
        Next next = Next::kOver;
        const auto status = Contain([&]() -> base::Status {
          const auto filled = next_(message_);
          if (!filled) return filled.error();
          next = *filled;
          return {};
        });
        if (!status || next == Next::kOver) return End(status);
        if (next == Next::kMessage) return this->StartWrite(&message_);
        const std::lock_guard lock(handle_->mutex);
        if (!handle_->woken) {
          handle_->rests = !cancelled_;
          if (handle_->rests) return;
          break;
        }
        handle_->woken = false;
      }
      EndGivenUp();
    }
    static void WakeUp(Handle& handle) {
      StreamReactor* stream = nullptr;
      {
        const std::lock_guard lock(handle.mutex);
        if (handle.stream == nullptr) return;
        handle.woken = !handle.rests;
        if (!handle.rests) return;
        handle.rests = false;
        stream = handle.stream;
      }
      stream->GoOn();
    }
    void GoOn() {
      if (!guard_.pool_.Continue([this] { WriteNext(); })) {
        End(base::Error(base::Code::kUnavailable, "the service stops: try again"));
      }
    }

    // On gRPC's own thread, which must not block.
    void OnWriteDone(bool ok) override {
      if (!ok || overdue_ || cancelled_) return EndGivenUp();
      // A caller that reads slowly holds no worker: each message is a task of its own.
      GoOn();
    }
    void OnCancel() override {
      cancelled_ = true;
      {
        const std::lock_guard lock(handle_->mutex);
        if (!handle_->rests) return;
        handle_->rests = false;
      }
      EndGivenUp();
    }
    void OnDone() override {
      {
        const std::lock_guard lock(handle_->mutex);
        handle_->stream = nullptr;
      }
      next_ = nullptr;
      guard_.Leave(this);
      guard_.Ended();
      delete this;
    }

    void EndGivenUp() {
      End(overdue_
              ? base::Error(base::Code::kDeadline, "the stream took longer than the time allowed")
              : base::Error(base::Code::kCancelled, "the caller gave the call up"));
    }
    void End(const base::Status& status) {
      this->Finish(guard_.Finish(*context_, method_, began_, status));
    }

    Guard& guard_;
    grpc::CallbackServerContext* const context_;
    const base::Literal method_;
    const WaitingBody<Response> body_;
    const Time began_ = std::chrono::steady_clock::now();
    const std::shared_ptr<Handle> handle_ = std::make_shared<Handle>();
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
