#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "bench/benches.h"
#include "bench/sodium_calls.h"
#include "client/import/case_file.h"
#include "client/import/sample.h"
#include "client/importer.h"
#include "tests/support/builders.h"

namespace godwit::bench {
namespace {

using support::Must;
using support::Require;

constexpr client::Day kToday = 20'000;

client::CaseFile OpenFile(const std::string& path) {
  std::vector<client::Fault> faults;
  auto mapping =
      Must(client::Mapping::Load(GODWIT_SOURCE_DIR "/client/import/mappings/sample.toml", faults));
  client::ImportOptions options;
  options.import_day = kToday;
  return Must(client::CaseFile::Open(path, std::move(mapping), options, faults));
}

}  // namespace

Comparison MeasureImport(World& world, std::uint32_t cases, double records_per_second) {
  Comparison comparison{
      .bench = "import", .baseline = "libsodium + commit_batch", .unit = "s", .n = cases};
  client::Organisation& intake = world.people().Of("in1");
  SodiumCounts counts;
  std::uint64_t entries = 0;
  std::uint64_t seed = 0;
  Interleave(
      comparison,
      [&] {
        client::SampleOptions options;
        options.cases = cases;
        options.seed = ++seed;
        options.today = kToday;
        options.caseworkers = {"cw01", "cw02"};
        options.supervisors = {"sv1"};
        const auto path = world.people().Home("in1") / ("sample-" + std::to_string(seed) + ".csv");
        Require(client::WriteSampleFile(options, path.string()));
        client::CaseFile file = OpenFile(path.string());
        const std::uint64_t entries_before = world.EntryCount();
        const SodiumCounts before = CountsNow();
        const double seconds = Seconds([&] {
          const auto report = Must(client::ImportRows(
              intake, file, false, [](std::string_view, std::uint64_t, std::uint64_t) {}));
          if (report.made_now == cases) return;
          std::cerr << "import: not all cases were made\n";
          std::exit(1);
        });
        counts = Between(before, CountsNow());
        entries = world.EntryCount() - entries_before;
        return seconds;
      },
      [&] { return SecondsOf(counts) + static_cast<double>(entries) / records_per_second; });
  return comparison;
}

}  // namespace godwit::bench
