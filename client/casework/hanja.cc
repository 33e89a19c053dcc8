#include "client/casework/hanja.h"

#include <algorithm>
#include <iterator>

namespace godwit::client {
namespace {

struct Reading {
  char32_t hanja;
  char16_t reading;
};

// In the order of the characters; made from Unihan's kHangul by hanja_readings.py.
constexpr Reading kReadings[] = {
#include <hanja_readings.inc>
};

}  // namespace

char16_t KoreanReading(char32_t hanja) {
  const auto* const found = std::ranges::lower_bound(kReadings, hanja, {}, &Reading::hanja);
  return found != std::end(kReadings) && found->hanja == hanja ? found->reading : char16_t{0};
}

}  // namespace godwit::client
