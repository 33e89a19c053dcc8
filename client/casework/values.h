#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "godwit/content/v1/common.pb.h"

namespace godwit::client {

// Days since 1970-01-01 of the proleptic Gregorian calendar.
using Day = std::int32_t;

// Returns the day, or nothing if that month has no such day.
std::optional<Day> DayOf(int year, unsigned month, unsigned day);

// The first day that `date` can mean; nothing for a date without a year.
std::optional<Day> FirstDay(const content::v1::PartialDate& date);

// How a date is written: the words YYYY, MM, M, DD and D, each at most once, with anything else
// standing for itself; M and D take one or two digits, the others as many as they have letters.
// A format without D gives a month, one without M a year: no date gains precision.
class DateFormat {
 public:
  // E_INVALID_ARGUMENT: no YYYY, a day without a month, a word twice, or another letter.
  static base::Result<DateFormat> Parse(std::string_view text);

  // Nothing if `text` is not written so, or is no date: its year before 1850 or after 2199.
  // `zeros`: 00 stands for a month or day that is not known.
  std::optional<content::v1::PartialDate> Read(std::string_view text, bool zeros) const;

 private:
  std::string text_;
};

// Reads `text` by whichever of `formats` fits. E_INVALID_ARGUMENT: none fits, or two of them fit
// and disagree.
base::Result<content::v1::PartialDate> ReadDate(std::string_view text,
                                                std::span<const DateFormat> formats, bool zeros);

// Reads ages as they are found in the field: "9-17", "Age 9-17", "9--17", "9 to 17", "48+", "30",
// with any dash. E_INVALID_ARGUMENT: something else, "00" and the like, an age above 130, or ends
// the wrong way round.
base::Result<content::v1::AgeBand> ReadAgeBand(std::string_view text);

// Reads an amount with its currency: "120.50 USD", "15000 KRW". INVALID_ARGUMENT: no such currency
// in ISO 4217, more decimals than it has, or more than 15
// digits.
base::Result<content::v1::Money> ReadMoney(std::string_view text);
// The same, written out.
std::string MoneyText(const content::v1::Money& money);

// Whether `text` is an ISO 3166-1 alpha-2 code of a country, in capitals.
bool IsCountry(std::string_view text);

// Whether `text` has the form of a BCP 47 language tag: "ko", "zh-Hans-CN".
bool IsLanguageTag(std::string_view text);

}  // namespace godwit::client
