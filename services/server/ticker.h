#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace godwit::server {

// Calls a function every now and then, on a thread of its own, until it is destroyed. Thread-safe.
class Ticker {
 public:
  // The first call comes after `period`. `work` must not throw.
  Ticker(std::chrono::milliseconds period, std::function<void()> work);
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;
  // Waits for a call that runs.
  ~Ticker();

  // Has the next call come at once.
  void CallNow();

 private:
  void Work();

  const std::chrono::milliseconds period_;
  const std::function<void()> work_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  bool asked_ = false;
  std::thread thread_;
};

}  // namespace godwit::server
