#include "client/casework/values.h"

#include <unicode/ucal.h>
#include <unicode/ucurr.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "client/casework/inert.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using content::v1::AgeBand;
using content::v1::PartialDate;

constexpr int kFirstYear = 1850;
constexpr int kLastYear = 2199;
constexpr unsigned kOldest = 130;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Takes the digits at the front of `text`, `least` to `most` of them.
std::optional<unsigned> TakeNumber(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t size = 0;
  while (size < text.size() && size < most && IsDigit(text[size])) ++size;
  if (size < least) return std::nullopt;
  unsigned number = 0;
  std::from_chars(text.data(), text.data() + size, number);
  text.remove_prefix(size);
  return number;
}

// The words of a format, the longer before the one that it begins with.
constexpr std::string_view kWords[] = {"YYYY", "MM", "M", "DD", "D"};

std::string_view WordAt(std::string_view format) {
  for (const auto word : kWords) {
    if (format.starts_with(word)) return word;
  }
  return {};
}

}  // namespace

std::optional<Day> DayOf(int year, unsigned month, unsigned day) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  return static_cast<Day>(std::chrono::sys_days(date).time_since_epoch().count());
}

std::optional<Day> FirstDay(const PartialDate& date) {
  if (date.year() == 0) return std::nullopt;
  return DayOf(date.year(), std::max(1U, date.month()), std::max(1U, date.day()));
}

base::Result<DateFormat> DateFormat::Parse(std::string_view text) {
  int years = 0;
  int months = 0;
  int days = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const auto word = WordAt(rest);
    if (word.empty()) {
      if (IsLetter(rest[0]) || IsDigit(rest[0])) {
        return Error(Code::kInvalidArgument, "a date format knows YYYY, MM, M, DD and D only");
      }
      rest.remove_prefix(1);
      continue;
    }
    ++(word[0] == 'Y' ? years : word[0] == 'M' ? months : days);
    rest.remove_prefix(word.size());
  }
  if (years != 1 || months > 1 || days > 1 || days > months) {
    return Error(Code::kInvalidArgument,
                 "a date format is a year, a year and month, or a year, month and day");
  }
  DateFormat format;
  format.text_ = text;
  return format;
}

std::optional<PartialDate> DateFormat::Read(std::string_view text, bool zeros) const {
  unsigned year = 0;
  unsigned month = 0;
  unsigned day = 0;
  bool has_month = false;
  bool has_day = false;
  for (std::string_view format = text_; !format.empty();) {
    const auto word = WordAt(format);
    if (word.empty()) {
      if (text.empty() || text[0] != format[0]) return std::nullopt;
      text.remove_prefix(1);
      format.remove_prefix(1);
      continue;
    }
    const auto number = TakeNumber(text, word.size(), std::max<std::size_t>(word.size(), 2));
    if (!number) return std::nullopt;
    if (word[0] == 'Y') {
      year = *number;
    } else if (word[0] == 'M') {
      month = *number;
      has_month = month != 0 || !zeros;
    } else {
      day = *number;
      has_day = day != 0 || !zeros;
    }
    format.remove_prefix(word.size());
  }
  if (!text.empty() || year < kFirstYear || year > kLastYear) return std::nullopt;
  // A day of an unknown month says nothing that could be kept.
  if (has_day && !has_month) return std::nullopt;
  PartialDate date;
  date.set_year(static_cast<int>(year));
  date.set_precision(PartialDate::PRECISION_YEAR);
  if (has_month) {
    if (!DayOf(date.year(), month, has_day ? day : 1)) return std::nullopt;
    date.set_month(month);
    date.set_precision(PartialDate::PRECISION_MONTH);
  }
  if (has_day) {
    date.set_day(day);
    date.set_precision(PartialDate::PRECISION_DAY);
  }
  return date;
}

base::Result<PartialDate> ReadDate(std::string_view text, std::span<const DateFormat> formats,
                                   bool zeros) {
  std::optional<PartialDate> found;
  for (const auto& format : formats) {
    const auto date = format.Read(text, zeros);
    if (!date) continue;
    if (found && found->SerializeAsString() != date->SerializeAsString()) {
      return Error(Code::kInvalidArgument, "the date can be read in two ways");
    }
    found = date;
  }
  if (!found) return Error(Code::kInvalidArgument, "no date in a format of the mapping");
  return *found;
}

base::Result<AgeBand> ReadAgeBand(std::string_view text) {
  const Error refused = Error(Code::kInvalidArgument, "no age or band of ages");
  text = Trimmed(text);
  for (const std::string_view word : {"Age ", "age ", "Aged ", "aged ", "Ages ", "ages "}) {
    if (text.starts_with(word)) {
      text = Trimmed(text.substr(word.size()));
      break;
    }
  }
  // Where ages are coded, "00" stands for something else than no years.
  if (text.starts_with("0") && text.size() > 1 && IsDigit(text[1])) return refused;
  const auto from = TakeNumber(text, 1, 3);
  if (!from || *from > kOldest) return refused;
  AgeBand band;
  band.set_from_years(*from);
  band.set_to_years(*from);
  text = Trimmed(text);
  if (text.empty()) return band;
  if (text == "+") {
    band.set_to_years(0);
    band.set_open(true);
    return band;
  }
  bool separated = false;
  for (const std::string_view dash : {"--", "-", "–", "—", "to "}) {
    if (text.starts_with(dash)) {
      text = Trimmed(text.substr(dash.size()));
      separated = true;
      break;
    }
  }
  if (!separated) return refused;
  const auto to = TakeNumber(text, 1, 3);
  if (!to || !text.empty() || *to > kOldest || *to < *from) return refused;
  band.set_to_years(*to);
  return band;
}

namespace {

// The decimals of a currency in use; nothing if ISO 4217 has no such code. ICU's list has every
// code that ever was, so a date decides.
std::optional<int> DecimalsOf(std::string_view currency) {
  if (currency.size() != 3) return std::nullopt;
  std::array<UChar, 4> code{};
  for (std::size_t i = 0; i < 3; ++i) {
    if (currency[i] < 'A' || currency[i] > 'Z') return std::nullopt;
    code[i] = static_cast<UChar>(currency[i]);
  }
  UErrorCode error = U_ZERO_ERROR;
  const UDate now = ucal_getNow();
  if (!ucurr_isAvailable(code.data(), now, now, &error) || U_FAILURE(error)) return std::nullopt;
  const int decimals = ucurr_getDefaultFractionDigits(code.data(), &error);
  if (U_FAILURE(error)) return std::nullopt;
  return decimals;
}

}  // namespace

base::Result<content::v1::Money> ReadMoney(std::string_view text) {
  const base::Error refused = base::Error(
      base::Code::kInvalidArgument, "no amount with its currency, such as 120.50 USD or 15000 KRW");
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return refused;
  const std::string_view currency = Trimmed(text.substr(space));
  std::string_view number = text.substr(0, space);
  const auto decimals = DecimalsOf(currency);
  if (!decimals || number.empty()) return refused;
  const std::size_t dot = number.find('.');
  std::string digits(number.substr(0, dot));
  std::string fraction;
  if (dot != std::string_view::npos) {
    fraction = number.substr(dot + 1);
    if (fraction.empty()) return refused;
  }
  if (digits.empty() || static_cast<int>(fraction.size()) > *decimals) return refused;
  fraction.resize(static_cast<std::size_t>(*decimals), '0');
  digits += fraction;
  if (digits.size() > 15 || !std::ranges::all_of(digits, IsDigit)) return refused;
  std::int64_t minor = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), minor);
  content::v1::Money money;
  money.set_minor(minor);
  money.set_currency(std::string(currency));
  return money;
}

std::string MoneyText(const content::v1::Money& money) {
  const auto decimals = static_cast<std::size_t>(DecimalsOf(money.currency()).value_or(0));
  std::string digits = std::to_string(money.minor());
  if (decimals > 0) {
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    digits.insert(digits.size() - decimals, ".");
  }
  return digits + " " + money.currency();
}

bool IsCountry(std::string_view text) {
  if (text.size() != 2) return false;
  for (const char* const* country = uloc_getISOCountries(); *country != nullptr; ++country) {
    if (text == *country) return true;
  }
  return false;
}

bool IsLanguageTag(std::string_view text) {
  std::size_t part = 0;
  std::size_t parts = 0;
  for (const char c : text) {
    if (c == '-') {
      if (part == 0) return false;
      part = 0;
      ++parts;
      continue;
    }
    if (!IsLetter(c) && (parts == 0 || !IsDigit(c))) return false;
    if (++part > 8) return false;
    if (parts == 0 && part > 3) return false;
  }
  return part > 0 && (parts > 0 || part > 1) && text.size() <= 35;
}

}  // namespace godwit::client
