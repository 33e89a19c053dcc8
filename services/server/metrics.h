#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/code.h"
#include "base/result.h"

namespace godwit::server {

// What a service counts of itself, for Prometheus. Names and labels are texts of the program and
// codes: there is no way to give it an id, a name or an address. Thread-safe.
class Metrics {
 public:
  // `realm`: the kind of the realm, such as "cases", or of what else it serves.
  explicit Metrics(base::Literal realm);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  void CallBegan();
  // No code: it went well.
  void CallEnded(base::Literal method, std::optional<base::Code> code,
                 std::chrono::nanoseconds took);
  // A new set of certificates was taken into use, or refused.
  void CertificatesRead(bool taken);
  void UpkeepFailed();

  enum class Kind { kGauge, kCounter };
  // Adds a figure that is asked for whenever somebody looks. `read` must not block, and works until
  // the listeners are gone.
  void Watch(Kind kind, base::Literal name, base::Literal help, std::function<double()> read);

  // All of it as a text of Prometheus' exposition format.
  std::string Text() const;

 private:
  friend class MetricsListener;
  struct Impl;

  const std::shared_ptr<Impl> impl_;
};

// Answers GET /metrics by HTTP, for this machine alone.
class MetricsListener {
 public:
  // `metrics` must outlive it. INVALID_ARGUMENT: `address` is no loopback address; IO: it cannot be
  // listened at.
  static base::Result<std::unique_ptr<MetricsListener>> Start(const std::string& address,
                                                              const Metrics& metrics);
  MetricsListener(const MetricsListener&) = delete;
  MetricsListener& operator=(const MetricsListener&) = delete;
  ~MetricsListener();

  int port() const;

 private:
  struct Impl;

  explicit MetricsListener(std::unique_ptr<Impl> impl);

  const std::unique_ptr<Impl> impl_;
};

}  // namespace godwit::server
