#include "transport/watcher.h"

#include <algorithm>
#include <utility>

#include "transport/jitter.h"

namespace godwit::transport {

Watcher::Watcher(MakeClient make, WatchTimes times)
    : make_(std::move(make)), times_(times), thread_([this] { Work(); }) {}

Watcher::~Watcher() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    if (client_ != nullptr) client_->Cancel();
  }
  wake_.notify_all();
  thread_.join();
}

Watcher::News Watcher::Wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, time, [this] { return changed_ || moved_; });
  const bool silent = std::chrono::steady_clock::now() - heard_ > times_.silence;
  if (client_ != nullptr && silent) client_->Cancel();
  moved_ = false;
  return {std::exchange(changed_, false), line_};
}

void Watcher::Work() {
  auto wait = times_.first_wait;
  for (;;) {
    const bool lasted = Hear();
    wait = lasted ? times_.first_wait : std::min(2 * wait, times_.longest_wait);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, Jittered(wait), [this] { return ending_; });
    if (ending_) return;
  }
}

bool Watcher::Hear() {
  const auto began = std::chrono::steady_clock::now();
  const auto client = make_();
  {
    const std::lock_guard lock(mutex_);
    if (ending_) return false;
    heard_ = began;
    stands_ = false;
    client_ = client.get();
  }
  const base::Status ended = client->Watch([this](const Hints& hints) {
    Take(hints);
    return base::Status();
  });
  const std::lock_guard lock(mutex_);
  client_ = nullptr;
  // One that the service ended well leaves the line as it is: the next stream tells.
  if (!ended) {
    line_ = ended;
    moved_ = true;
    wake_.notify_all();
  }
  return std::chrono::steady_clock::now() - began >= times_.early;
}

void Watcher::Take(const Hints& hints) {
  std::unique_lock lock(mutex_);
  heard_ = std::chrono::steady_clock::now();
  // The first message of a stream may be empty: what changed before it, no hint says.
  changed_ = changed_ || !stands_ || !hints.empty();
  moved_ = moved_ || !line_;
  line_ = {};
  stands_ = true;
  wake_.notify_all();
  wake_.wait_for(lock, times_.between, [this] { return ending_; });
}

}  // namespace godwit::transport
