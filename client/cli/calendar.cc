#include "client/cli/calendar.h"

#include <unicode/dtptngen.h>
#include <unicode/smpdtfmt.h>
#include <unicode/timezone.h>

#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "client/casework/values.h"

namespace godwit::cli {
namespace {

constexpr double kDayMs = 86'400'000;

// What a date says: a year, a year and month, or a day.
enum Parts : std::size_t { kYear, kMonth, kDay };

struct Habits {
  std::string_view language;
  const char* locale;
  // What is shown of a date, for ICU to put in order. The era, where it is not the common one.
  std::array<const char*, 3> skeletons;
};
constexpr Habits kHabits[] = {
    {"ko", "ko@calendar=gregorian", {"y", "yMMM", "yMMMd"}},
    {"th", "th@calendar=buddhist", {"Gy", "GyMMM", "GyMMMd"}},
    {"zh_CN", "zh_Hans@calendar=gregorian", {"y", "yMMM", "yMMMd"}},
};

using Format = std::unique_ptr<icu::SimpleDateFormat>;
using Formats = std::array<Format, 3>;

// Nothing: ICU was built without this language.
std::optional<Formats> MakeFormats(const Habits& habits) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Locale locale(habits.locale);
  const std::unique_ptr<icu::DateTimePatternGenerator> patterns(
      icu::DateTimePatternGenerator::createInstance(locale, status));
  Formats formats;
  for (std::size_t i = 0; i < formats.size() && U_SUCCESS(status); ++i) {
    const auto pattern = patterns->getBestPattern(habits.skeletons[i], status);
    formats[i] = std::make_unique<icu::SimpleDateFormat>(pattern, locale, status);
    formats[i]->setTimeZone(*icu::TimeZone::getGMT());
  }
  if (U_FAILURE(status)) return std::nullopt;
  return formats;
}

// Nothing: a language without habits, or ICU does not know them.
const Formats* FormatsOf(std::string_view language) {
  // ICU takes a millisecond to find the patterns of a language, and tables have many dates.
  thread_local std::map<std::string_view, std::optional<Formats>> kept;
  for (const Habits& habits : kHabits) {
    if (habits.language != language) continue;
    auto found = kept.find(habits.language);
    if (found == kept.end()) found = kept.emplace(habits.language, MakeFormats(habits)).first;
    return found->second ? &*found->second : nullptr;
  }
  return nullptr;
}

std::string Iso(Parts parts, int year, unsigned month, unsigned day) {
  std::array<char, 40> text{};
  const auto length = std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", year, month, day);
  // Without "-03" a part.
  return std::string(text.data(), static_cast<std::size_t>(length) - 3 * (kDay - parts));
}

}  // namespace

std::string DateIn(std::string_view language, int year, unsigned month, unsigned day) {
  const Parts parts = month == 0 ? kYear : day == 0 ? kMonth : kDay;
  const Formats* formats = FormatsOf(language);
  const auto days = client::DayOf(year, parts == kYear ? 1 : month, parts == kDay ? day : 1);
  if (formats == nullptr || !days) return Iso(parts, year, month, day);
  icu::UnicodeString text;
  (*formats)[parts]->format(static_cast<UDate>(*days) * kDayMs, text);
  std::string utf8;
  return text.toUTF8String(utf8);
}

}  // namespace godwit::cli
