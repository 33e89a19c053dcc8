#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace godwit::bench {

// How often ours and the baseline run, one after the other.
inline constexpr int kRuns = 3;

double Median(std::vector<double> values);

// Seconds that `work` takes.
double Seconds(const std::function<void()>& work);

// Ours beside what it is measured against, in the same unit.
struct Comparison {
  std::string bench;
  std::string baseline;  // what `theirs` is
  std::string unit;
  std::uint64_t n = 0;  // records, cases or rows of one run
  std::vector<double> ours = {};
  std::vector<double> theirs = {};
};

// Fills `ours` and `theirs` by kRuns runs of each, interleaved, so that whatever else the machine
// does meets both.
void Interleave(Comparison& comparison, const std::function<double()>& ours,
                const std::function<double()>& theirs);

// One line of JSON: the medians, their ratio ours/theirs, and as spread the larger of
// (most - least) / median of both sides.
std::string Line(const Comparison& comparison);

}  // namespace godwit::bench
