#include "client/import/dry_run.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tests/client/import/mapped.h"

namespace godwit::client {
namespace {

const std::string kToml =
    std::string(kLeastMapping) +
    FieldOf("summary.sex", "status", "g", "values = { F = \"female\", M = \"male\" }") +
    FieldOf("identity_profile.names[0].full", "identity", "n", "sentinels = { absent = [\"\"] }") +
    FieldOf("case.registration_date", "status", "d", "formats = [\"YYYY-MM-DD\", \"YYYY\"]") +
    FieldOf("summary.age_band", "status", "a", "sentinels = { refused = [\"-\"] }");

constexpr char kFile[] =
    "g,n,d,a\n"
    "F,예시 갑일,2012-04-30,9-17\n"
    "M,,2012,48+\n"
    "X,예시 을이,2012,9-17\n"
    "F,예시 병삼,2013,-\n"
    "F,short\n";

TEST(DryRun, CountsWhatWouldBeImportedAndListsWhatWouldNot) {
  const std::string csv = kFile;
  auto reader = ReaderOf(csv, MappingOf(kToml));
  std::vector<std::string> refusals;
  const auto report =
      DryRun(reader, [&](const Refusal& refusal) { refusals.push_back(ToText(refusal)); });
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(refusals,
            (std::vector<std::string>{"line 4, column g: there is no mapping for this value: X",
                                      "line 6: the row has fewer cells than the header"}));
  EXPECT_EQ(report->rows, 5U);
  EXPECT_EQ(report->refused_rows, 2U);
  EXPECT_FALSE(report->handles_checked);
  EXPECT_EQ(report->sha256, reader.sha256());
  using Values = std::map<std::string, std::uint32_t>;
  EXPECT_EQ(report->counts.at("summary.sex"), (Values{{"female", 2}, {"male", 1}}));
  EXPECT_EQ(report->counts.at("case.registration_date"), (Values{{"2012", 2}, {"2013", 1}}));
  EXPECT_EQ(report->counts.at("summary.age_band"),
            (Values{{"9-17", 1}, {"48+", 1}, {"refused", 1}}));
  EXPECT_EQ(report->counts.at("summary.flags"), (Values{{"imported", 3}}));
  EXPECT_EQ(report->counts.at("summary.consent.services"), (Values{{"yes", 3}}));
  EXPECT_EQ(report->counts.at("caseworker"), (Values{{"cw01", 1}, {"cw02", 2}}));
  // Names are counted and never listed.
  EXPECT_EQ(report->counts.at("identity_profile.names.full"), (Values{{"given", 2}}));
}

TEST(DryRun, CountsPeopleAndThoseWhoStayNameless) {
  const std::string toml =
      kLeastOfPeople +
      FieldOf("consent.store_identity", "identity", "ok", "values = { y = \"yes\", n = \"no\" }") +
      FieldOf("identity_profile.names[0].full", "identity", "name") +
      FieldOf("contacts[0].handle", "identity", "phone");
  const std::string csv = "ok,name,phone\ny,예시,555\nn,보기,556\ny,본보기,557\n";
  auto reader = ReaderOf(csv, MappingOf(toml));
  const auto report = DryRun(reader, [](const Refusal&) {});
  ASSERT_TRUE(report.ok());
  using Values = std::map<std::string, std::uint32_t>;
  EXPECT_EQ(report->counts.at("contacts.handle"), (Values{{"given", 2}}));
  EXPECT_EQ(report->counts.at("consent.store_identity"), (Values{{"no", 1}, {"yes", 2}}));
  EXPECT_EQ(report->counts.at("nameless"), (Values{{"without consent", 1}}));
  EXPECT_FALSE(report->counts.contains("summary.status"));
}

TEST(DryRun, ChecksHandlesWhereTheyAreKnown) {
  const std::string csv = kFile;
  auto reader = ReaderOf(csv, MappingOf(kToml),
                         {.import_day = kImportDay, .handles = Handles{"cw01", "sv1"}});
  const auto report = DryRun(reader, [](const Refusal&) {});
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->handles_checked);
  EXPECT_EQ(report->refused_rows, 4U);
}

TEST(DryRun, SpeaksJson) {
  const std::string csv = kFile;
  auto reader = ReaderOf(csv, MappingOf(kToml));
  std::vector<nlohmann::json> refusals;
  const auto report = DryRun(reader, [&](const Refusal& refusal) {
    refusals.push_back(nlohmann::json::parse(ToJson(refusal)));
  });
  ASSERT_EQ(refusals.size(), 2U);
  EXPECT_EQ(refusals[0], (nlohmann::json{{"line", 4},
                                         {"row", 2},
                                         {"column", "g"},
                                         {"why", "there is no mapping for this value"},
                                         {"cell", "X"}}));
  const auto json = nlohmann::json::parse(ToJson(*report));
  EXPECT_EQ(json["rows"], 5);
  EXPECT_EQ(json["refused_rows"], 2);
  EXPECT_EQ(json["handles_checked"], false);
  EXPECT_EQ(json["sha256"], base::ToHex(reader.sha256()));
  EXPECT_EQ(json["counts"]["summary.sex"]["female"], 2);
  const auto fault = nlohmann::json::parse(ToJson(Fault{3, "x", "there is no such key"}));
  EXPECT_EQ(fault, (nlohmann::json{{"line", 3}, {"where", "x"}, {"why", "there is no such key"}}));
}

TEST(DryRun, StopsAtAFileThatChanges) {
  std::string csv = kFile;
  auto reader = ReaderOf(csv, MappingOf(kToml));
  csv[10] = 'M';
  const auto report = DryRun(reader, [](const Refusal&) {});
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code(), base::Code::kConflict);
}

}  // namespace
}  // namespace godwit::client
