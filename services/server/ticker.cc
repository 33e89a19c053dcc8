#include "services/server/ticker.h"

#include <utility>

namespace godwit::server {

Ticker::Ticker(std::chrono::milliseconds period, std::function<void()> work)
    : period_(period), work_(std::move(work)), thread_([this] { Work(); }) {}

Ticker::~Ticker() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Ticker::CallNow() {
  {
    const std::lock_guard lock(mutex_);
    asked_ = true;
  }
  wake_.notify_all();
}

void Ticker::Work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait_for(lock, period_, [this] { return ending_ || asked_; });
    if (ending_) return;
    asked_ = false;
    lock.unlock();
    work_();
    lock.lock();
  }
}

}  // namespace godwit::server
