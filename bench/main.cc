// What scripts/bench.sh runs: measures Godwit beside what its work cannot do without, and prints a
// line of JSON for each.
//
//   godwit_bench SERVICES [--quick] [NAME...]
//
// SERVICES is the build's folder services/; GODWIT_TEST_PG_FILE names the cluster.
#include <cstring>
#include <iostream>
#include <set>
#include <string>

#include "bench/benches.h"
#include "crypto/init.h"
#include "transport/tls.h"

namespace godwit::bench {
namespace {

// How much one run does. Quick shows that everything works, and measures nothing.
struct Sizes {
  std::size_t single_calls = 200;
  std::size_t batch_calls = 24;
  std::size_t board_cases = 10'000;
  std::uint32_t import_cases = 1'000;
};
constexpr Sizes kQuick = {
    .single_calls = 3, .batch_calls = 1, .board_cases = 64, .import_cases = 10};

constexpr std::size_t kBatchRecords = 64;

int Usage() {
  std::cerr << "usage: godwit_bench SERVICES [--quick] [commit_single|commit_batch|board_cold|"
               "import...]\n";
  return 2;
}

int Main(int argc, char** argv) {
  const std::set<std::string> known = {"commit_single", "commit_batch", "board_cold", "import"};
  std::set<std::string> names;
  Sizes sizes;
  if (argc < 2) return Usage();
  for (int i = 2; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) {
      sizes = kQuick;
    } else if (known.contains(argv[i])) {
      names.insert(argv[i]);
    } else {
      return Usage();
    }
  }
  if (names.empty()) names = known;
  // An import is measured against the rate of this run's.
  if (names.contains("import")) names.insert("commit_batch");
  if (!crypto::Init() || !transport::RequireTls13()) return 1;

  World world(argv[1]);
  const auto print = [](const Comparison& comparison) {
    std::cout << Line(comparison) << std::endl;
  };
  if (names.contains("commit_single")) {
    print(MeasureCommit(world, "commit_single", 1, sizes.single_calls));
  }
  double records_per_second = 0;
  if (names.contains("commit_batch")) {
    const Comparison batch = MeasureCommit(world, "commit_batch", kBatchRecords, sizes.batch_calls);
    records_per_second = Median(batch.ours);
    print(batch);
  }
  if (names.contains("board_cold")) print(MeasureBoard(world, sizes.board_cases));
  if (names.contains("import")) {
    print(MeasureImport(world, sizes.import_cases, records_per_second));
  }
  return 0;
}

}  // namespace
}  // namespace godwit::bench

int main(int argc, char** argv) { return godwit::bench::Main(argc, argv); }
