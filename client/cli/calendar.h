#pragma once

#include <string>
#include <string_view>

namespace godwit::cli {

// A date as readers of `language` write it, in their calendar, as ICU knows them: "2026년 3월 5일",
// "2026年3月5日", "5 มี.ค. พ.ศ. 2569" of the Buddhist era. With a `day` of 0 the year and month,
// with a `month` of 0 the year alone. ISO 8601 for another language, and for a day that the common
// calendar does not have.
std::string DateIn(std::string_view language, int year, unsigned month, unsigned day);

}  // namespace godwit::cli
