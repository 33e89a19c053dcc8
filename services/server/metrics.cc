#include "services/server/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include "services/server/address.h"

namespace godwit::server {
namespace {

// Upper ends of the buckets of a call's time, in seconds.
const prometheus::Histogram::BucketBoundaries kSeconds{0.001, 0.003, 0.01, 0.03, 0.1,
                                                       0.3,   1,     3,    10,   30};
constexpr char kThreads[] = "2";
constexpr char kRequestMs[] = "5000";

std::string StringOf(base::Literal literal) { return std::string(literal.text()); }

// Figures that are read when somebody looks.
class Watched final : public prometheus::Collectable {
 public:
  void Add(Metrics::Kind kind, base::Literal name, base::Literal help,
           std::function<double()> read) {
    const std::lock_guard lock(mutex_);
    figures_.push_back({kind, name, help, std::move(read)});
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    const std::lock_guard lock(mutex_);
    std::vector<prometheus::MetricFamily> families;
    for (const auto& figure : figures_) {
      prometheus::ClientMetric metric;
      const bool gauge = figure.kind == Metrics::Kind::kGauge;
      (gauge ? metric.gauge.value : metric.counter.value) = figure.read();
      prometheus::MetricFamily family;
      family.name = StringOf(figure.name);
      family.help = StringOf(figure.help);
      family.type = gauge ? prometheus::MetricType::Gauge : prometheus::MetricType::Counter;
      family.metric.push_back(std::move(metric));
      families.push_back(std::move(family));
    }
    return families;
  }

 private:
  struct Figure {
    Metrics::Kind kind;
    base::Literal name;
    base::Literal help;
    std::function<double()> read;
  };

  mutable std::mutex mutex_;
  std::vector<Figure> figures_;
};

}  // namespace

struct Metrics::Impl {
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  std::shared_ptr<Watched> watched = std::make_shared<Watched>();
  prometheus::Gauge& running = prometheus::BuildGauge()
                                   .Name("godwit_calls_running")
                                   .Help("Calls that came in and were not answered yet.")
                                   .Register(*registry)
                                   .Add({});
  prometheus::Family<prometheus::Counter>& calls =
      prometheus::BuildCounter()
          .Name("godwit_calls_total")
          .Help("Calls that were answered, by method and code.")
          .Register(*registry);
  prometheus::Family<prometheus::Histogram>& seconds =
      prometheus::BuildHistogram()
          .Name("godwit_call_seconds")
          .Help("Time from a call's arrival to its answer.")
          .Register(*registry);
  prometheus::Family<prometheus::Counter>& reloads =
      prometheus::BuildCounter()
          .Name("godwit_certificate_reloads_total")
          .Help("New certificates that were read, by what became of them.")
          .Register(*registry);
  prometheus::Counter& taken = reloads.Add({{"result", "taken"}});
  prometheus::Counter& refused = reloads.Add({{"result", "refused"}});
  prometheus::Counter& upkeep = prometheus::BuildCounter()
                                    .Name("godwit_upkeep_failures_total")
                                    .Help("Failures to delete what expired.")
                                    .Register(*registry)
                                    .Add({});
};

Metrics::Metrics(base::Literal realm) : impl_(std::make_shared<Impl>()) {
  prometheus::BuildGauge()
      .Name("godwit_service")
      .Help("Always 1; the label says what this service serves.")
      .Register(*impl_->registry)
      .Add({{"realm", StringOf(realm)}})
      .Set(1);
}

Metrics::~Metrics() = default;

void Metrics::CallBegan() { impl_->running.Increment(); }

void Metrics::CallEnded(base::Literal method, std::optional<base::Code> code,
                        std::chrono::nanoseconds took) {
  impl_->running.Decrement();
  impl_->calls
      .Add({{"method", StringOf(method)}, {"code", code ? std::string(base::Name(*code)) : "OK"}})
      .Increment();
  impl_->seconds.Add({{"method", StringOf(method)}}, kSeconds)
      .Observe(std::chrono::duration<double>(took).count());
}

void Metrics::CertificatesRead(bool taken) { (taken ? impl_->taken : impl_->refused).Increment(); }

void Metrics::UpkeepFailed() { impl_->upkeep.Increment(); }

void Metrics::Watch(Kind kind, base::Literal name, base::Literal help,
                    std::function<double()> read) {
  impl_->watched->Add(kind, name, help, std::move(read));
}

std::string Metrics::Text() const {
  auto families = impl_->registry->Collect();
  for (auto& family : impl_->watched->Collect()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

struct MetricsListener::Impl {
  explicit Impl(const std::string& address)
      : exposer(std::vector<std::string>{"listening_ports", address, "num_threads", kThreads,
                                         "request_timeout_ms", kRequestMs}) {}
  prometheus::Exposer exposer;
};

base::Result<std::unique_ptr<MetricsListener>> MetricsListener::Start(const std::string& address,
                                                                      const Metrics& metrics) {
  if (!IsLoopback(address)) {
    return base::Error(base::Code::kInvalidArgument,
                       "metrics are for this machine alone: see setting metrics_listen");
  }
  try {
    auto impl = std::make_unique<Impl>(address);
    impl->exposer.RegisterCollectable(metrics.impl_->registry);
    impl->exposer.RegisterCollectable(metrics.impl_->watched);
    return std::unique_ptr<MetricsListener>(new MetricsListener(std::move(impl)));
  } catch (const std::exception&) {
    return base::Error(base::Code::kIo,
                       "the address cannot be listened at: see setting metrics_listen");
  }
}

MetricsListener::MetricsListener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

MetricsListener::~MetricsListener() = default;

int MetricsListener::port() const { return impl_->exposer.GetListeningPorts().front(); }

}  // namespace godwit::server
