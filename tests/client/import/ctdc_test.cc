#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "client/import/dry_run.h"
#include "tests/client/import/mapped.h"
#include "tests/support/shared.h"

namespace godwit::client {
namespace {

// The README beside the file gives the numbers, counted independently; those of the columns that it
// leaves out were counted in the file with Python's csv module.
TEST(Ctdc, EveryRowMapsAndTheCountsAreThoseOfTheReadme) {
  const auto shared = support::SharedFolder();
  if (!shared) return;
  std::vector<Fault> faults;
  auto mapping = Mapping::Load(std::string(GODWIT_MAPPINGS) + "/ctdc.toml", faults);
  ASSERT_TRUE(mapping.ok());
  Handles handles = {"sv1", "sv2"};
  for (int i = 1; i <= 40; ++i) {
    handles.insert((i < 10 ? "cw0" : "cw") + std::to_string(i));
  }
  auto reader =
      CaseFile::Open(*shared / "data/ctdc/ctdc-victims-cleaned-14299.csv", std::move(*mapping),
                     {.import_day = kImportDay, .handles = handles}, faults);
  ASSERT_TRUE(reader.ok());
  const auto report =
      DryRun(*reader, [](const Refusal& refusal) { ADD_FAILURE() << ToText(refusal); });
  ASSERT_TRUE(report.ok());
  // Repeated rows are different people.
  EXPECT_EQ(report->rows, 14'299U);
  EXPECT_EQ(report->refused_rows, 0U);
  EXPECT_TRUE(report->handles_checked);

  using Values = std::map<std::string, std::uint32_t>;
  const auto& counts = report->counts;
  const Values sex = {{"female", 12'460}, {"male", 1'839}};
  EXPECT_EQ(counts.at("summary.sex"), sex);
  EXPECT_EQ(counts.at("identity_profile.sex"), sex);
  EXPECT_EQ(counts.at("case.identification_source"), (Values{{"self", 11'997}, {"ngo", 2'302}}));
  EXPECT_EQ(counts.at("case.identification_source_original"), (Values{{"given", 14'299}}));
  EXPECT_EQ(counts.at("case.registration_date"), (Values{{"2012", 120},
                                                         {"2013", 237},
                                                         {"2014", 212},
                                                         {"2015", 2'218},
                                                         {"2016", 3'711},
                                                         {"2017", 3'847},
                                                         {"2018", 3'954}}));
  EXPECT_EQ(counts.at("trafficking_context.forced_labour"),
            (Values{{"no", 11'923}, {"yes", 2'315}, {"unknown", 61}}));
  EXPECT_EQ(
      counts.at("trafficking_context.exploitation_types"),
      (Values{
          {"sexual", 11'908}, {"forced_labour", 2'240}, {"other", 76}, {"forced_marriage", 75}}));
  EXPECT_EQ(counts.at("trafficking_context.control_methods"), (Values{{"other", 5'926},
                                                                      {"threats", 3'919},
                                                                      {"financial", 2'668},
                                                                      {"physical", 1'590},
                                                                      {"survival", 196}}));
  EXPECT_EQ(counts.at("trafficking_context.recruiter_relations"),
            (Values{{"unknown", 8'283},
                    {"other", 2'260},
                    {"intimate_partner", 1'523},
                    {"family", 1'147},
                    {"friend", 1'086}}));
  EXPECT_EQ(counts.at("trafficking_context.labour_types"), (Values{{"unknown", 12'540},
                                                                   {"construction", 810},
                                                                   {"manufacturing", 304},
                                                                   {"domestic_work", 229},
                                                                   {"other", 110},
                                                                   {"aquafarming", 91},
                                                                   {"begging", 88},
                                                                   {"agriculture", 69},
                                                                   {"peddling", 58}}));
  const Values ages = {{"0-8", 201},     {"9-17", 4'942},  {"18-20", 2'056},
                       {"21-23", 1'547}, {"24-26", 1'219}, {"27-29", 895},
                       {"30-38", 2'213}, {"39-47", 802},   {"48+", 424}};
  EXPECT_EQ(counts.at("summary.age_band"), ages);
  EXPECT_EQ(counts.at("identity_profile.birth.age_band"), ages);
  EXPECT_EQ(counts.at("identity_profile.birth.date"), (Values{{"age_band", 14'299}}));
  EXPECT_EQ(counts.at("identity_profile.citizenship_known"), (Values{{"unknown", 8'353}}));
  // 22 values, of which 0 is one.
  const auto& countries = counts.at("identity_profile.citizenships");
  EXPECT_EQ(countries.size(), 21U);
  EXPECT_EQ(countries.at("US"), 3'590U);
  EXPECT_EQ(countries.at("ER"), 1U);
  std::uint32_t known = 0;
  for (const auto& [country, rows] : countries) known += rows;
  EXPECT_EQ(known, 14'299U - 8'353U);
  EXPECT_FALSE(counts.contains("identity_profile.names.full"));

  ASSERT_EQ(counts.at("caseworker").size(), 40U);
  EXPECT_EQ(counts.at("caseworker").at("cw01"), 358U);
  EXPECT_EQ(counts.at("caseworker").at("cw40"), 357U);
  EXPECT_EQ(counts.at("supervisor"), (Values{{"sv1", 7'150}, {"sv2", 7'149}}));
}

}  // namespace
}  // namespace godwit::client
