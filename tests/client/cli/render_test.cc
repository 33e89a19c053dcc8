#include "client/cli/render.h"

#include <gtest/gtest.h>

namespace godwit::cli {
namespace {

TEST(Render, DaysAndDatesKeepThePrecisionTheyHave) {
  EXPECT_EQ(DayText(0), "");
  EXPECT_EQ(DayText(1), "1970-01-02");
  EXPECT_EQ(DayText(22'404), "2031-05-05");
  EXPECT_EQ(TimeText(86'400'000ull * 22'404 + 61'000), "2031-05-05 00:01 UTC");
  content::v1::PartialDate date;
  EXPECT_EQ(DateText(date), "unknown");
  date.set_year(2012);
  date.set_precision(content::v1::PartialDate::PRECISION_YEAR);
  EXPECT_EQ(DateText(date), "2012");
  date.set_month(4);
  date.set_precision(content::v1::PartialDate::PRECISION_MONTH);
  EXPECT_EQ(DateText(date), "2012-04");
  date.set_day(9);
  date.set_precision(content::v1::PartialDate::PRECISION_DAY);
  EXPECT_EQ(DateText(date), "2012-04-09");
  date.set_precision(content::v1::PartialDate::PRECISION_ESTIMATED);
  EXPECT_EQ(DateText(date), "about 2012");
}

TEST(Render, CodesAreGrouped) {
  EXPECT_EQ(CodeText("7K3MQ9TX2A*"), "7K3M-Q9TX-2A*");
  EXPECT_EQ(CodeText("short"), "short");
}

TEST(Render, ARecordIsShownByItsFieldNames) {
  content::v1::Summary summary;
  summary.set_stage(content::v1::CASE_STAGE_IN_TRANSIT);
  summary.set_stage_since_day(1);
  summary.mutable_age_band()->set_from_years(9);
  summary.mutable_age_band()->set_to_years(17);
  summary.mutable_consent()->set_services(content::v1::ANSWER_NOT_ASKED);
  summary.add_flags(content::v1::CASE_FLAG_IMPORTED);
  summary.set_caseworker("0123456789abcdef");
  EXPECT_EQ(JsonLine(ContentJson(summary)),
            "{\"stage\":\"in_transit\",\"stage_since_day\":\"1970-01-02\",\"age_band\":\"9-17\","
            "\"flags\":[\"imported\"],\"consent\":{\"services\":\"not_asked\"}}");
  const auto fields = ContentFields(summary);
  ASSERT_EQ(fields.size(), 5u);
  EXPECT_EQ(fields[4].first, "consent.services");
  EXPECT_EQ(fields[4].second.text, "not_asked");
}

TEST(Render, PaperShowsWordsAndNoShortNames) {
  content::v1::Summary summary;
  summary.set_stage(content::v1::CASE_STAGE_IN_TRANSIT);
  summary.mutable_age_band()->set_missing(content::v1::ANSWER_NOT_ASKED);
  summary.add_flags(content::v1::CASE_FLAG_IMPORTED);
  summary.set_gate_bia(true);
  using Fields = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(ContentWords(summary), (Fields{{"stage", "in transit"},
                                           {"age_band", "not asked"},
                                           {"flags", "imported"},
                                           {"gate_bia", "yes"}}));
  EXPECT_EQ(FieldWords("names[0].valid_from"), "names 1 valid from");
  EXPECT_EQ(FieldWords("age_band"), "age band");
  EXPECT_EQ(FieldWords(""), "");
}

TEST(Render, ANewerClientsValueIsNotHidden) {
  content::v1::Summary summary;
  summary.set_stage(static_cast<content::v1::CaseStage>(77));
  EXPECT_EQ(ContentJson(summary)["stage"], "#77");
}

TEST(Render, RolesAreNamed) {
  EXPECT_EQ(Joined(RoleNames(protocol::kOwner | protocol::kAdmin)), "owner, admin");
  EXPECT_EQ(Joined(RoleNames(0)), "");
}

TEST(Render, SaysForHowManySignaturesSomethingWaits) {
  EXPECT_EQ(WaitsFor(1), "waits for 1 more signature");
  EXPECT_EQ(WaitsFor(2), "waits for 2 more signatures");
}

}  // namespace
}  // namespace godwit::cli
