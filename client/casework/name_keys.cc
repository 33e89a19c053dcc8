#include "client/casework/name_keys.h"

#include <unicode/normalizer2.h>
#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "client/casework/hanja.h"

namespace godwit::client {
namespace {

// More words than this stand in no name that people would ask for in another order.
constexpr std::size_t kMostParts = 8;

// A syllable of Hangul, a character of Han, or a word of another script.
enum class Writing { kHangul, kHan, kOther };
struct Part {
  Writing writing = Writing::kOther;
  icu::UnicodeString text;
};

std::string ToUtf8(const icu::UnicodeString& text) {
  std::string bytes;
  text.toUTF8String(bytes);
  return bytes;
}

icu::UnicodeString Normal(const icu::UnicodeString& text, const icu::Normalizer2* form,
                          UErrorCode& status) {
  return U_SUCCESS(status) ? form->normalize(text, status) : text;
}

icu::UnicodeString FoldedText(std::string_view text) {
  const auto plain = icu::UnicodeString::fromUTF8({text.data(), static_cast<int>(text.size())});
  UErrorCode status = U_ZERO_ERROR;
  const auto* form = icu::Normalizer2::getNFKCCasefoldInstance(status);
  const icu::UnicodeString folded = Normal(plain, form, status);
  return U_SUCCESS(status) ? folded : plain;
}

// Marks of aspiration in McCune and Reischauer's romanisation, and soft signs: no letters, no gaps.
bool IsApostrophe(UChar32 c) {
  return c == '\'' || c == '`' || c == 0x2018 || c == 0x2019 || c == 0x02BB || c == 0x02BC ||
         c == 0x02B9;
}

Writing WritingOf(UChar32 c) {
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(c, &status);
  if (c >= 0xAC00 && c <= 0xD7A3) return Writing::kHangul;
  return script == USCRIPT_HAN ? Writing::kHan : Writing::kOther;
}

std::vector<Part> Split(const icu::UnicodeString& text) {
  std::vector<Part> parts;
  bool in_word = false;
  for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    const UChar32 c = text.char32At(i);
    if (IsApostrophe(c)) continue;
    const bool mark = (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0;
    if (!mark && !u_isalnum(c)) {
      in_word = false;
      continue;
    }
    const Writing writing = WritingOf(c);
    if (!in_word || writing != Writing::kOther || parts.back().writing != Writing::kOther) {
      parts.push_back({writing, {}});
    }
    parts.back().text.append(c);
    in_word = true;
  }
  return parts;
}

// ---- Latin letters

const icu::Transliterator* MakeTransliterator(const char* id) {
  UErrorCode status = U_ZERO_ERROR;
  UParseError where;
  return icu::Transliterator::createInstance(id, UTRANS_FORWARD, where, status);
}

// The letters a to z and digits of a text that has no others; nothing: it has.
std::optional<std::string> PlainLetters(const icu::UnicodeString& text) {
  std::string letters;
  for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    const UChar32 c = u_tolower(text.char32At(i));
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      letters += static_cast<char>(c);
    } else if (u_isalpha(c)) {
      return std::nullopt;
    }
  }
  return letters;
}

// A word in Latin letters; nothing: ICU does not spell its script.
std::optional<std::string> LatinWord(const icu::UnicodeString& word) {
  UErrorCode status = U_ZERO_ERROR;
  const auto* form = icu::Normalizer2::getNFKDInstance(status);
  // Most words are Latin already, and the transliterator takes a while to make.
  if (auto plain = PlainLetters(Normal(word, form, status))) return plain;
  static const std::unique_ptr<const icu::Transliterator> to_latin(
      MakeTransliterator("Any-Latin; Latin-ASCII"));
  if (!to_latin) return std::nullopt;
  icu::UnicodeString spelled = word;
  to_latin->transliterate(spelled);
  return PlainLetters(spelled);
}

// What each part is in Latin letters, pinyin for Han; empty: some part is not.
std::vector<std::string> LatinParts(const std::vector<Part>& parts) {
  std::vector<std::string> spelled;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].writing == Writing::kHangul) return {};
    if (parts[i].writing == Writing::kOther) {
      auto word = LatinWord(parts[i].text);
      if (!word) return {};
      spelled.push_back(*std::move(word));
      continue;
    }
    // Characters that stand together say how they are read: 单 is Shan as a family name.
    icu::UnicodeString run;
    std::size_t end = i;
    for (; end < parts.size() && parts[end].writing == Writing::kHan; ++end) {
      run.append(parts[end].text);
    }
    static const std::unique_ptr<const icu::Transliterator> pinyin(
        MakeTransliterator("Han-Latin/Names; Latin-ASCII; Lower"));
    if (!pinyin) return {};
    pinyin->transliterate(run);
    run.append(' ');
    const std::size_t before = spelled.size();
    for (std::int32_t from = 0, to = run.indexOf(u' '); to >= 0;
         from = to + 1, to = run.indexOf(u' ', from)) {
      const auto letters = PlainLetters(run.tempSubStringBetween(from, to));
      if (!letters) return {};
      if (!letters->empty()) spelled.push_back(*letters);
    }
    if (spelled.size() - before != end - i) return {};
    i = end - 1;
  }
  return spelled;
}

// ---- Korean sounds
//
// A sound is written with k n t l m p s c h, the glides y w and the vowels A E I O.

constexpr std::array<std::string_view, 19> kOnsets{"k", "k", "n", "t", "t", "l", "m", "p", "p", "s",
                                                   "s", "",  "c", "c", "c", "k", "t", "p", "h"};
constexpr std::array<std::string_view, 21> kVowels{"A",  "E",  "yA", "yE", "O",  "E",  "yO",
                                                   "yE", "O",  "wA", "wE", "wE", "yO", "O",
                                                   "wO", "wE", "wI", "yO", "O",  "wI", "I"};
constexpr std::array<std::string_view, 28> kCodas{"",  "k",  "k", "k", "n", "n", "n", "t", "l", "k",
                                                  "m", "l",  "l", "l", "p", "l", "m", "p", "p", "t",
                                                  "t", "nk", "t", "t", "k", "t", "p", ""};
constexpr std::size_t kOnsetHieut = 18;
constexpr std::size_t kVowelUi = 19;

std::string SoundOfSyllable(UChar32 syllable) {
  const auto index = static_cast<std::size_t>(syllable - 0xAC00);
  const std::size_t onset = index / (21 * 28);
  const std::size_t vowel = index / 28 % 21;
  std::string sound(kOnsets[onset]);
  // 희 is Hui, Hee and Hi.
  sound += onset == kOnsetHieut && vowel == kVowelUi ? "I" : kVowels[vowel];
  sound += kCodas[index % 28];
  return sound;
}

// How a vowel is spelled in romanisations of any kind; the longest first.
constexpr std::array<std::pair<std::string_view, std::string_view>, 40> kSpelledVowels{{
    {"yeo", "yO"}, {"yae", "yE"}, {"wae", "wE"}, {"weo", "wO"}, {"woo", "O"},  {"eui", "wI"},
    {"you", "yO"}, {"yoo", "yO"}, {"yeu", "yO"}, {"yee", "I"},  {"wee", "wI"}, {"ae", "E"},
    {"ai", "E"},   {"ay", "E"},   {"ee", "I"},   {"eo", "O"},   {"eu", "O"},   {"oo", "O"},
    {"ou", "O"},   {"oe", "wE"},  {"oi", "wE"},  {"oy", "wE"},  {"ui", "wI"},  {"ya", "yA"},
    {"ye", "yE"},  {"yo", "yO"},  {"yu", "yO"},  {"yi", "I"},   {"wa", "wA"},  {"we", "wE"},
    {"wo", "wO"},  {"wi", "wI"},  {"wu", "O"},   {"a", "A"},    {"e", "E"},    {"i", "I"},
    {"o", "O"},    {"u", "O"},    {"y", "I"},    {"w", ""},
}};

bool IsOneOf(char c, std::string_view letters) { return letters.find(c) != std::string_view::npos; }
bool IsVowelish(char c) { return IsOneOf(c, "aeiouyw"); }

// Reads a word of Latin letters as a romanisation. Where letters may be one vowel or the end of one
// syllable and the beginning of the next, 해운 or 하은 (Haeun), 댄 or 다인 (Dain), `second_breaks`
// takes the break.
std::string SoundOfWord(std::string_view word, bool second_breaks) {
  std::string sound;
  for (std::size_t i = 0; i < word.size();) {
    const std::string_view rest = word.substr(i);
    const char c = rest.front();
    const char next = rest.size() > 1 ? rest[1] : '\0';
    if (IsVowelish(c)) {
      std::string_view spelled;
      std::string_view vowel;
      for (const auto& [letters, said] : kSpelledVowels) {
        if (!rest.starts_with(letters)) continue;
        const std::string_view last = rest.substr(letters.size() - 1);
        const bool e_begins = last.starts_with("eu") || last.starts_with("eo");
        const bool breaks = letters.size() == 2
                                ? c != 'y' && c != 'w' && (e_begins || last.starts_with("i"))
                                : letters.size() == 3 && e_begins;
        // "ay" and "oy" are no vowel where the y begins the next one.
        const bool glides =
            letters.size() == 2 && letters.back() == 'y' && rest.size() > 2 && IsVowelish(rest[2]);
        if ((second_breaks && breaks) || glides) continue;
        spelled = letters;
        vowel = said;
        break;
      }
      const bool hui = vowel == "wI" && spelled.front() != 'w' && sound.ends_with('h');
      sound += hui ? "I" : vowel;
      i += spelled.size();
      // Noh, Suh, Ahn.
      if (i < word.size() && word[i] == 'h' && (i + 1 == word.size() || !IsVowelish(word[i + 1]))) {
        ++i;
      }
      continue;
    }
    ++i;
    switch (c) {
      case 'b':
      case 'f':
      case 'v':
        sound += 'p';
        break;
      case 'c':
        if (next != 'k') sound += 'c';
        break;
      case 'd':
        sound += 't';
        break;
      case 'g':
      case 'q':
        sound += 'k';
        break;
      case 'j':
      case 'z':
        sound += 'c';
        break;
      case 'r': {
        // Rhee; and Park, where it is not said.
        if (next == 'h') ++i;
        if (i < word.size() && IsVowelish(word[i])) sound += 'l';
        break;
      }
      case 't':
        if (!rest.starts_with("tch")) sound += 't';
        break;
      case 'x':
        sound += "ks";
        break;
      default:
        sound += c;
    }
  }
  return sound;
}

// What remains of sounds said one after the other, wherever a syllable or word of them began.
std::string Joined(const std::string& sounds) {
  std::string single;
  for (const char c : sounds) {
    const bool vowel = IsOneOf(c, "AEIO");
    if (!vowel && !single.empty() && single.back() == c) continue;
    // An aspiration, but in Cholho, Namhyok and Jonghun.
    if (c == 'h' && !single.empty() && IsOneOf(single.back(), "ktpcs") && !single.ends_with("nk")) {
      continue;
    }
    single += c;
  }
  std::string joined;
  for (std::size_t i = 0; i < single.size(); ++i) {
    const char c = single[i];
    const char next = i + 1 < single.size() ? single[i + 1] : '\0';
    const bool before_i = next == 'I' || next == 'y';
    if (before_i && (c == 'l' || (c == 'n' && i == 0))) continue;
    joined += c == 'l' && IsOneOf(next, "AEOw") ? 'n' : c;
  }
  return joined;
}

// Family names whose character has another reading elsewhere.
constexpr std::array<std::pair<char32_t, char16_t>, 6> kFamilyReadings{{{U'金', u'김'},
                                                                        {U'沈', u'심'},
                                                                        {U'葉', u'섭'},
                                                                        {U'奈', u'나'},
                                                                        {U'賈', u'고'},
                                                                        {U'車', u'거'}}};

// What each part sounds like; `second`: in the second of two ways. Empty: some part is not read.
std::vector<std::string> KoreanParts(const std::vector<Part>& parts, bool second) {
  std::vector<std::string> sounds;
  for (const Part& part : parts) {
    const UChar32 c = part.text.char32At(0);
    if (part.writing == Writing::kOther) {
      const auto word = LatinWord(part.text);
      if (!word) return {};
      sounds.push_back(SoundOfWord(*word, second));
      continue;
    }
    UChar32 syllable = c;
    if (part.writing == Writing::kHan) {
      const auto other = std::ranges::find(kFamilyReadings, static_cast<char32_t>(c),
                                           &std::pair<char32_t, char16_t>::first);
      syllable = second && other != kFamilyReadings.end() ? other->second
                                                          : KoreanReading(static_cast<char32_t>(c));
      if (syllable == 0) return {};
    }
    sounds.push_back(SoundOfSyllable(syllable));
  }
  return sounds;
}

// ---- Keys

// One way to say a name, part by part.
struct Reading {
  char of = 't';
  std::vector<std::string> parts;

  std::string Key(std::size_t first, std::size_t count) const {
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += parts[(first + i) % parts.size()];
    return of + (of == 'k' ? Joined(all) : all);
  }
};

std::vector<Reading> ReadingsOf(std::string_view name) {
  const std::vector<Part> parts = Split(FoldedText(name));
  std::vector<Reading> readings(1);
  for (const Part& part : parts) readings[0].parts.push_back(ToUtf8(part.text));
  readings.push_back({'l', LatinParts(parts)});
  for (const bool second : {false, true}) readings.push_back({'k', KoreanParts(parts, second)});
  std::erase_if(readings, [](const Reading& reading) { return reading.parts.empty(); });
  return readings;
}

}  // namespace

std::vector<NameKey> NameKeys(std::string_view name) {
  std::set<NameKey> keys;
  for (const Reading& reading : ReadingsOf(name)) {
    const std::size_t parts = reading.parts.size();
    // Whichever word comes first: the name goes round.
    const bool round = parts <= kMostParts;
    for (std::size_t first = 0; first < parts; ++first) {
      const std::size_t most = round ? parts : std::min(kMostParts, parts - first);
      for (std::size_t count = 1; count <= most; ++count) {
        keys.insert({reading.Key(first, count), count == parts});
      }
    }
    keys.insert({reading.Key(0, parts), true});
  }
  std::erase_if(keys, [](const NameKey& key) { return key.key.size() < 2; });
  return {keys.begin(), keys.end()};
}

std::vector<std::string> QueryKeys(std::string_view query) {
  std::set<std::string> keys;
  for (const Reading& reading : ReadingsOf(query)) {
    keys.insert(reading.Key(0, reading.parts.size()));
  }
  std::erase_if(keys, [](const std::string& key) { return key.size() < 2; });
  return {keys.begin(), keys.end()};
}

}  // namespace godwit::client
