#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace godwit::server {

// A fixed number of threads that do the blocking work of calls, and a bounded queue before them.
// Thread-safe.
class WorkerPool {
 public:
  // At least one worker; `queue` is how many tasks may wait.
  WorkerPool(std::size_t workers, std::size_t queue);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  // Drain.
  ~WorkerPool();

  // Has `task` run by a worker. False: the queue is full or the pool drains, and it will not run.
  // A task must not throw.
  [[nodiscard]] bool TrySubmit(std::function<void()> task);
  // The same for the next piece of work that was admitted before: never refused for a full queue.
  [[nodiscard]] bool Continue(std::function<void()> task);

  // How many tasks wait for a worker.
  std::size_t waiting() const;

  // Takes nothing new, and returns when all that was taken has run.
  void Drain();

 private:
  void Work();

  const std::size_t queue_limit_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool draining_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace godwit::server
