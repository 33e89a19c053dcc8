#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace godwit::client {

// By what a name is found, whatever script and spelling it was entered and is asked for in. A name
// and a query meet where one key of each is the same. The first letter of a key says what it is of:
//
//   t  the letters themselves, compatibility forms and case folded (NFKC_Casefold, UAX #31)
//   k  how Koreans say it: of Hangul by its letters, of hanja by its Korean reading, of anything
//      else by its letters read as a romanisation, be it the DPRK's, the Revised one, McCune and
//      Reischauer's or nobody's
//   l  its Latin letters without marks; of Han by pinyin, of Thai, Cyrillic and others by ICU
//
// Spaces, hyphens and which of its words comes first count for nothing. `k` is coarse on purpose,
// since people spell as they please: k and g are one, so are t d, p b f, c ch j z, r and l, and the
// vowels eo, o, u and eu; of r, l and n at the beginning only what the initial-sound rule leaves
// counts (리 이, 로 노, 녀 여). So it finds some who are somebody else, and hardly misses one.
//
// Not found from another script: Lao, which ICU does not spell, and Thai by the spelling of
// passports, which writes vowels that the script leaves out (สมชาย is "smchay", not "Somchai").
struct NameKey {
  std::string key;
  bool whole = false;  // of all words of the name; else of some that stand together

  friend auto operator<=>(const NameKey&, const NameKey&) = default;
};

// The keys of a name, each once, in order. A name without a letter or digit has none.
std::vector<NameKey> NameKeys(std::string_view name);

// The keys that a query asks for: those of all its words in their order. Each is a key of the name
// that says the same.
std::vector<std::string> QueryKeys(std::string_view query);

}  // namespace godwit::client
