#include "bench/comparison.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace godwit::bench {
namespace {

double Spread(const std::vector<double>& values) {
  const auto [least, most] = std::ranges::minmax(values);
  return (most - least) / Median(values);
}

}  // namespace

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

double Seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void Interleave(Comparison& comparison, const std::function<double()>& ours,
                const std::function<double()>& theirs) {
  for (int run = 0; run < kRuns; ++run) {
    comparison.ours.push_back(ours());
    comparison.theirs.push_back(theirs());
  }
}

std::string Line(const Comparison& comparison) {
  const double ours = Median(comparison.ours);
  const double theirs = Median(comparison.theirs);
  nlohmann::ordered_json line;
  line["bench"] = comparison.bench;
  line["ours"] = ours;
  line["baseline"] = comparison.baseline;
  line["theirs"] = theirs;
  line["ratio"] = ours / theirs;
  line["unit"] = comparison.unit;
  line["n"] = comparison.n;
  line["spread"] = std::max(Spread(comparison.ours), Spread(comparison.theirs));
  return line.dump();
}

}  // namespace godwit::bench
