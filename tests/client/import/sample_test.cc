#include "client/import/sample.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "client/import/dry_run.h"
#include "tests/client/import/mapped.h"

namespace godwit::client {
namespace {

SampleOptions Options(std::uint32_t cases, std::uint64_t seed) {
  return {.cases = cases,
          .seed = seed,
          .today = kImportDay,
          .caseworkers = {"cw01", "cw02"},
          .supervisors = {"sv1"}};
}

std::string Sample(const SampleOptions& options) {
  std::string csv;
  EXPECT_TRUE(WriteSample(options, [&](std::string_view piece) { csv += piece; }).ok());
  return csv;
}

Mapping SampleMapping() {
  std::vector<Fault> faults;
  auto mapping = Mapping::Load(std::string(GODWIT_MAPPINGS) + "/sample.toml", faults);
  return std::move(*mapping);
}

TEST(Sample, EveryRowMapsWhateverTheSeed) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    const auto csv = Sample(Options(200, seed));
    auto reader = ReaderOf(csv, SampleMapping(),
                           {.import_day = kImportDay, .handles = Handles{"cw01", "cw02", "sv1"}});
    const auto report =
        DryRun(reader, [](const Refusal& refusal) { ADD_FAILURE() << ToText(refusal); });
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(report->rows, 200U);
  }
}

TEST(Sample, ShowsWhatCasesAreLike) {
  const auto csv = Sample(Options(1000, 7));
  auto reader = ReaderOf(csv, SampleMapping());
  const auto report = DryRun(reader, [](const Refusal&) {});
  ASSERT_TRUE(report.ok());
  const auto& counts = report->counts;
  EXPECT_EQ(counts.at("summary.stage").size(), 10U);
  EXPECT_EQ(counts.at("identity_profile.names.script").size(), 3U);
  EXPECT_EQ(counts.at("identity_profile.names.kind").size(), 3U);
  EXPECT_EQ(counts.at("identity_profile.names.romanisation").size(), 2U);
  EXPECT_TRUE(counts.at("summary.consent.store_identity").contains("not_asked"));
  EXPECT_TRUE(counts.at("trafficking_context.exploitation_types").contains("unknown"));
  EXPECT_TRUE(counts.at("identity_profile.citizenship_known").contains("unknown"));
  // As spreadsheets write it.
  EXPECT_TRUE(csv.starts_with("\xef\xbb\xbfNo.,"));
  EXPECT_NE(csv.find("\r\n"), std::string::npos);
  EXPECT_NE(csv.find("\"\"tester\"\""), std::string::npos);
  EXPECT_NE(csv.find("example,\nin two"), std::string::npos);
}

// Nobody is called Example, Specimen or Imaginary.
TEST(Sample, EveryNameIsVisiblyInvented) {
  const std::set<std::string> families = {"예시", "가상", "견본", "표본", "모의", "시험"};
  const char* const marks[] = {"例示",    "假想",  "見本",   "標本",     "模擬",
                               "試驗",    "Yesi",  "Kasang", "Kyonbon",  "Phyobon",
                               "Moui",    "Sihom", "Lishi",  "Jiaxiang", "Jianben",
                               "Biaoben", "Moni",  "Shiyan", "Example",  "Sample"};
  const auto csv = Sample(Options(1000, 3));
  auto reader = ReaderOf(csv, SampleMapping());
  int names = 0;
  for (const auto& line : LinesOf(reader)) {
    ASSERT_NE(line.ok(), nullptr);
    for (const auto& name : line.ok()->identity_profile.names()) {
      ++names;
      if (!name.family().empty()) {
        EXPECT_TRUE(families.contains(name.family())) << name.family();
        continue;
      }
      EXPECT_TRUE(std::any_of(std::begin(marks), std::end(marks), [&](const char* mark) {
        return name.full().find(mark) != std::string::npos;
      })) << name.full();
    }
  }
  EXPECT_GT(names, 2000);
}

TEST(Sample, TheSameSeedGivesTheSameBytes) {
  EXPECT_EQ(Sample(Options(50, 1)), Sample(Options(50, 1)));
  EXPECT_NE(Sample(Options(50, 1)), Sample(Options(50, 2)));
}

TEST(Sample, NeedsSomebodyToWorkOnIt) {
  auto options = Options(1, 1);
  options.supervisors.clear();
  const auto status = WriteSample(options, [](std::string_view) {});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code(), base::Code::kInvalidArgument);
}

TEST(Sample, AFileIsTheOwnersAndNeverOverwritten) {
  std::string name = std::filesystem::temp_directory_path() / "godwit-sample-XXXXXX";
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  const std::filesystem::path folder = name;
  const std::string path = folder / "sample.csv";
  ASSERT_TRUE(WriteSampleFile(Options(20, 1), path).ok());
  std::ifstream file(path, std::ios::binary);
  const std::string written(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(written, Sample(Options(20, 1)));
  EXPECT_EQ(std::filesystem::status(path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  const auto again = WriteSampleFile(Options(20, 2), path);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code(), base::Code::kExists);
  const auto nowhere = WriteSampleFile(Options(20, 2), folder / "missing" / "sample.csv");
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().code(), base::Code::kIo);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace godwit::client
