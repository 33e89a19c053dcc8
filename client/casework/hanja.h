#pragma once

#include <string_view>

namespace godwit::client {

// How Koreans read a Chinese character, as one Hangul syllable, without the initial-sound rule: 李
// is 리. 0: not known. One reading each; of characters with several it is not always that of names.
char16_t KoreanReading(char32_t hanja);

}  // namespace godwit::client
