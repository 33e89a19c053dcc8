#include "client/casework/values.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace godwit::client {
namespace {

using content::v1::PartialDate;

std::vector<DateFormat> Formats(const std::vector<std::string>& texts) {
  std::vector<DateFormat> formats;
  for (const auto& text : texts) formats.push_back(*DateFormat::Parse(text));
  return formats;
}

// "2012-04-00 month", or why not.
std::string Shown(const base::Result<PartialDate>& date) {
  if (!date) return std::string(date.error().message());
  return std::to_string(date->year()) + "-" + std::to_string(date->month()) + "-" +
         std::to_string(date->day()) + " " +
         PartialDate::Precision_Name(date->precision()).substr(10);
}

TEST(Values, DatesAreReadInTheFormatsGivenAndNeverGainPrecision) {
  constexpr char kNone[] = "no date in a format of the mapping";
  constexpr char kTwoWays[] = "the date can be read in two ways";
  const struct {
    std::vector<std::string> formats;
    bool zeros;
    std::string text;
    std::string want;
  } rows[] = {
      {{"YYYY"}, false, "2012", "2012-0-0 YEAR"},
      {{"YYYY"}, false, "12", kNone},
      {{"YYYY"}, false, "2012 ", kNone},
      {{"YYYY"}, false, "", kNone},
      {{"YYYY"}, false, "1849", kNone},
      {{"YYYY"}, false, "2200", kNone},
      {{"YYYY-MM"}, false, "2012-04", "2012-4-0 MONTH"},
      {{"YYYY-MM"}, false, "2012-4", kNone},
      {{"YYYY-MM"}, false, "2012-13", kNone},
      {{"YYYY-MM"}, false, "2012-00", kNone},
      {{"YYYY-MM-DD"}, false, "2012-02-29", "2012-2-29 DAY"},
      {{"YYYY-MM-DD"}, false, "2011-02-29", kNone},
      {{"YYYYMMDD"}, false, "20120430", "2012-4-30 DAY"},
      {{"D.M.YYYY"}, false, "1.4.2012", "2012-4-1 DAY"},
      {{"D.M.YYYY"}, false, "01.04.2012", "2012-4-1 DAY"},
      {{"YYYY년 M월 D일"}, false, "2012년 4월 9일", "2012-4-9 DAY"},
      {{"YYYY-MM-DD"}, true, "2012-00-00", "2012-0-0 YEAR"},
      {{"YYYY-MM-DD"}, true, "2012-04-00", "2012-4-0 MONTH"},
      {{"YYYY-MM-DD"}, true, "2012-00-04", kNone},
      {{"YYYY-MM-DD"}, true, "0000-00-00", kNone},
      {{"YYYY-MM-DD"}, false, "2012-04-00", kNone},
      {{"YYYY", "YYYY-MM"}, false, "2012-04", "2012-4-0 MONTH"},
      {{"DD/MM/YYYY", "MM/DD/YYYY"}, false, "03/04/2012", kTwoWays},
      {{"DD/MM/YYYY", "MM/DD/YYYY"}, false, "13/04/2012", "2012-4-13 DAY"},
      {{"DD/MM/YYYY", "MM/DD/YYYY"}, false, "04/04/2012", "2012-4-4 DAY"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    EXPECT_EQ(Shown(ReadDate(row.text, Formats(row.formats), row.zeros)), row.want);
  }
}

TEST(Values, DateFormatsAreYearsMonthsAndDays) {
  for (const auto* text : {"YYYY", "YYYY/MM", "D.M.YYYY", "YYYYMMDD", "YYYY. M. D."}) {
    EXPECT_TRUE(DateFormat::Parse(text).ok()) << text;
  }
  for (const auto* text : {"", "MM", "YY", "YYYY-DD", "YYYY-MM-MM", "YYYY-MM-DD hh", "YYYYYYYY",
                           "2012", "DD.MM", "YYYY-MM-D-D"}) {
    EXPECT_FALSE(DateFormat::Parse(text).ok()) << text;
  }
}

TEST(Values, DaysAreCountedFrom1970) {
  EXPECT_EQ(DayOf(1970, 1, 1), 0);
  EXPECT_EQ(DayOf(2000, 3, 1), 11017);
  EXPECT_EQ(DayOf(1969, 12, 31), -1);
  EXPECT_EQ(DayOf(2023, 2, 29), std::nullopt);
  EXPECT_EQ(DayOf(2023, 13, 1), std::nullopt);
}

TEST(Values, AgeBandsAreReadAsTheFieldWritesThem) {
  const struct {
    std::string text;
    std::string want;  // empty: refused
  } rows[] = {
      {"9-17", "9-17"},
      {"Age 9-17", "9-17"},
      {"age 9-17", "9-17"},
      {"9--17", "9-17"},
      {"9 - 17", "9-17"},
      {"9–17", "9-17"},
      {"9 to 17", "9-17"},
      {"48+", "48+"},
      {"Age 48+", "48+"},
      {"48 +", "48+"},
      {"30", "30-30"},
      {"0-8", "0-8"},
      {"0", "0-0"},
      {"-99", ""},
      {"00", ""},
      {"09-17", ""},
      {"", ""},
      {"Age", ""},
      {"17-9", ""},
      {"9-", ""},
      {"-17", ""},
      {"9-17 years", ""},
      {"Sep 17", ""},
      {"17-Sep", ""},
      {"131", ""},
      {"1000", ""},
      {"9-131", ""},
      {"9-17-20", ""},
      {"99999999999999999999", ""},
      {"48++", ""},
      {"<18", ""},
      {"９-１７", ""},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    const auto band = ReadAgeBand(row.text);
    if (row.want.empty()) {
      EXPECT_FALSE(band.ok());
      continue;
    }
    ASSERT_TRUE(band.ok());
    const auto from = std::to_string(band->from_years());
    EXPECT_EQ(band->open() ? from + "+" : from + "-" + std::to_string(band->to_years()), row.want);
  }
}

RC_GTEST_PROP(ValuesProperty, AnyTextIsReadOrRefused, (const std::string& text)) {
  const auto formats = Formats({"YYYY", "D.M.YYYY", "YYYYMMDD"});
  const auto date = ReadDate(text, formats, true);
  if (date) RC_ASSERT(date->year() >= 1850);
  const auto band = ReadAgeBand(text);
  if (band) RC_ASSERT(band->open() || band->from_years() <= band->to_years());
  if (IsCountry(text)) RC_ASSERT(text.size() == 2U);
  RC_ASSERT(!IsLanguageTag(text) || !text.empty());
}

TEST(Values, CodesOfCountriesAndLanguages) {
  for (const auto* code : {"KP", "KR", "CN", "US", "LA"}) EXPECT_TRUE(IsCountry(code)) << code;
  for (const auto* code : {"", "kp", "XX", "ZZ", "KPR", "0", "K", "조선"}) {
    EXPECT_FALSE(IsCountry(code)) << code;
  }
  for (const auto* tag : {"ko", "zh-Hans", "zh-Hans-CN", "yue", "ko-KP"}) {
    EXPECT_TRUE(IsLanguageTag(tag)) << tag;
  }
  for (const auto* tag : {"", "k", "Korean", "ko-", "-ko", "k o", "ko--KP", "조선말", "1o"}) {
    EXPECT_FALSE(IsLanguageTag(tag)) << tag;
  }
}

TEST(Values, AmountsAreReadWithTheDecimalsOfTheirCurrency) {
  struct Row {
    const char* text;
    std::int64_t minor;
    const char* currency;
    const char* shown;
  };
  for (const Row& row : std::vector<Row>{{"120.50 USD", 12050, "USD", "120.50 USD"},
                                         {"120.5 USD", 12050, "USD", "120.50 USD"},
                                         {"0.05 THB", 5, "THB", "0.05 THB"},
                                         {"15000 KRW", 15000, "KRW", "15000 KRW"},
                                         {"3 CNY", 300, "CNY", "3.00 CNY"},
                                         {"0 USD", 0, "USD", "0.00 USD"}}) {
    SCOPED_TRACE(row.text);
    const auto money = ReadMoney(row.text);
    ASSERT_TRUE(money.ok());
    EXPECT_EQ(money->minor(), row.minor);
    EXPECT_EQ(money->currency(), row.currency);
    EXPECT_EQ(MoneyText(*money), row.shown);
  }
  for (const char* text : {"", "120", "USD", "120.505 USD", "1.5 KRW", "12 usd", "12 ZZZ", "-3 USD",
                           "1,000 USD", "1. USD", ".5 USD", "12 USDX", "9999999999999999 USD"}) {
    SCOPED_TRACE(text);
    EXPECT_FALSE(ReadMoney(text).ok());
  }
}

}  // namespace
}  // namespace godwit::client
