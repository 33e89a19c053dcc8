#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/result.h"
#include "transport/realm_client.h"

namespace godwit::transport {

struct WatchTimes {
  // After a stream that ended early, twice as long each time, up to the longest.
  std::chrono::milliseconds first_wait{500};
  std::chrono::milliseconds longest_wait{30'000};
  std::chrono::milliseconds early{30'000};
  // After which a stream that says nothing is given up.
  std::chrono::milliseconds silence{60'000};
  // Between two hints that are taken.
  std::chrono::milliseconds between{100};
};

// Hears from a realm's service, on a thread of its own, that something changed: it keeps a stream
// of hints open and opens it anew when it ends. Of a hint it keeps nothing but that there was one,
// and it takes a few a second, so that a service that lies, or floods it, costs no more than syncs
// at the rate at which its user makes them. Thread-safe.
class Watcher {
 public:
  // Makes a client of the realm, with its prover: for each new connection another.
  using MakeClient = std::function<std::unique_ptr<RealmClient>()>;
  // Starts at once. `make` is called on the thread, and what it refers to must outlive the watcher.
  explicit Watcher(MakeClient make, WatchTimes times = {});
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  // Ends the stream.
  ~Watcher();

  struct News {
    bool changed = false;  // since it was asked last, as far as the service says: sync
    // Why the service is not heard now; nothing: it is. OK before the first stream stands.
    base::Status line;
  };
  // Waits until something changed or the line did, at most for `time`. To be called every few
  // seconds at least: it is what notices that a stream is silent.
  News Wait(std::chrono::milliseconds time);

 private:
  using Time = std::chrono::steady_clock::time_point;

  void Work();
  // Holds one stream open to its end. Whether it lived long enough to be one of an honest service.
  bool Hear();
  void Take(const Hints& hints);

  const MakeClient make_;
  const WatchTimes times_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  bool changed_ = false;
  bool moved_ = false;  // the line is another than when it was asked last
  base::Status line_;
  bool stands_ = false;            // the stream that runs has said something
  Time heard_;                     // the last message
  RealmClient* client_ = nullptr;  // of the stream that runs
  std::thread thread_;
};

}  // namespace godwit::transport
