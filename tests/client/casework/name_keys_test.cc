#include "client/casework/name_keys.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "client/casework/hanja.h"
#include "tests/support/shared.h"

namespace godwit::client {
namespace {

bool Meets(const std::string& query, const std::string& name, bool whole) {
  const auto keys = NameKeys(name);
  return std::ranges::any_of(QueryKeys(query), [&](const std::string& asked) {
    return std::ranges::any_of(
        keys, [&](const NameKey& key) { return key.key == asked && (!whole || key.whole); });
  });
}
bool Finds(const std::string& query, const std::string& name) { return Meets(query, name, false); }
// As the whole name, not as a part of it.
bool IsSame(const std::string& query, const std::string& name) { return Meets(query, name, true); }

TEST(NameKeys, NamesAreFoundInEveryScriptAndSpelling) {
  // The rows of one name find each other, each from each.
  const struct {
    std::string source;
    std::vector<std::string> spellings;
  } names[] = {
      {"the example of the requirement",
       {"리철수", "이철수", "李哲秀", "Ri Chol Su", "Lee Cheol-soo", "Ri Chŏl-su", "Yi Ch'ŏlsu",
        "Lee Chul Soo", "Rhee Chulsoo", "Chol Su Ri", "Cheolsoo LEE", "리 철수", "RI CHOL SU",
        "Ли Чхоль Су"}},
      {"family names: the forms of the Revised Romanisation's guide, of McCune-Reischauer, of the "
       "DPRK's passports and of common use (en.wikipedia.org/wiki/List_of_Korean_surnames)",
       {"리", "이", "李", "Ri", "Li", "Lee", "Yi", "Rhee", "I", "Ree"}},
      {"the same", {"박", "朴", "Pak", "Park", "Bak", "Bahk", "Pahk"}},
      {"the same", {"림", "임", "林", "Rim", "Lim", "Im", "Yim", "Leem"}},
      {"the same", {"로", "노", "盧", "Ro", "No", "Roh", "Noh", "Rho"}},
      {"the same", {"최", "崔", "Choe", "Choi", "Ch'oe", "Choy", "Chwe"}},
      {"the same", {"정", "鄭", "Jeong", "Jong", "Jung", "Chung", "Chŏng", "Cheong"}},
      {"the same", {"유", "류", "柳", "Yu", "Ryu", "Yoo", "You", "Ryoo"}},
      {"the same", {"허", "許", "Heo", "Ho", "Hur", "Huh"}},
      {"the same", {"안", "安", "An", "Ahn"}},
      {"the same", {"우", "禹", "U", "Woo", "Wu", "Oo"}},
      {"the same", {"권", "權", "Kwon", "Gwon", "Kweon"}},
      {"the same", {"백", "白", "Paek", "Baek", "Paik", "Baik"}},
      {"the same; 금 is the character's reading elsewhere", {"김", "金", "Kim", "Gim", "Ghim"}},
      {"the initial-sound rule (Korean orthography, articles 10 to 12)",
       {"녀옥", "여옥", "女玉", "Nyo Ok", "Yeo-ok"}},
      {"the same", {"라은", "나은", "Ra-eun", "Naeun", "Na-eun"}},
      {"given names with a vowel after a vowel", {"하은", "Ha-eun", "Haeun", "Ha Un"}},
      {"the same", {"재은", "Jae-eun", "Jae Un", "Chae-ŭn"}},
      {"the same", {"예은", "Ye-eun", "Yeeun", "Ye Un"}},
      {"the same", {"다인", "Da-in", "Dain", "Ta In"}},
      {"the same", {"소은", "So-eun", "Soeun", "So Un"}},
      {"희 is Hui, Hee and Hi", {"영희", "Yong Hui", "Young-hee", "Yeonghui", "Yŏnghŭi", "영 희"}},
      {"an aspiration after a closed syllable", {"종훈", "Jong-hoon", "Jonghun", "Chong Hun"}},
      {"the same", {"철호", "Chol Ho", "Cheolho"}},
      {"a family name of two syllables", {"남궁민", "Namgung Min", "Nam Gung Min", "Min Namkung"}},
      {"pinyin (ISO 7098), without tones",
       {"王小明", "Wang Xiaoming", "Wáng Xiǎo-míng", "xiaoming wang", "WANG XIAO MING"}},
      {"a character that has another reading as a family name: 单 is Shan",
       {"单雪梅", "Shan Xuemei", "Xuemei Shan"}},
      {"Thai as ICU spells it (the tones and marks of ISO 11940 left out)",
       {"สมชาย ใจดี", "smchay cidi", "ใจดี สมชาย"}},
      {"Vietnamese, with marks and without",
       {"Nguyễn Văn Đức", "Nguyen Van Duc", "Đức Nguyễn Văn", "NGUYEN VAN DUC"}},
      {"wide letters", {"Ｒｉ　Ｃｈｏｌ　Ｓｕ", "Ri Chol Su"}},
  };
  for (const auto& [source, spellings] : names) {
    for (const std::string& name : spellings) {
      for (const std::string& query : spellings) {
        EXPECT_TRUE(IsSame(query, name)) << query << " finds " << name << "; " << source;
      }
    }
  }
}

TEST(NameKeys, PartsOfANameFindItAndAreNotTheWhole) {
  const struct {
    std::string query;
    std::string name;
  } parts[] = {{"철수", "리철수"},    {"수", "리철수"},         {"리", "李哲秀"},
               {"Chol Su", "리철수"}, {"Lee", "리철수"},        {"Kim", "Yong Hui Kim"},
               {"哲秀", "리철수"},    {"小明", "王小明"},       {"xiaoming", "王小明"},
               {"ใจดี", "สมชาย ใจดี"},  {"Duc", "Nguyễn Văn Đức"}};
  for (const auto& [query, name] : parts) {
    EXPECT_TRUE(Finds(query, name)) << query << " finds " << name;
    EXPECT_FALSE(IsSame(query, name)) << query << " is not all of " << name;
  }
}

TEST(NameKeys, OthersAreNotFound) {
  const struct {
    std::string query;
    std::string name;
  } others[] = {
      {"Ri Chol Su", "리철민"},
      {"Kim Chol Su", "리철수"},
      {"박영희", "리철수"},
      {"Pak", "Paek"},
      {"철호", "철수"},
      {"Yong Hui", "용수"},
      {"Wang Xiaoming", "王小红"},
      {"สมหญิง", "สมชาย"},
      {"Li Chol Su Ri", "리철수"},
      {"哲秀", "哲民"},
      {"Ri Chol Su", ""},
      {"", "리철수"},
      {"Nguyen Van An", "Nguyễn Văn Đức"},
  };
  for (const auto& [query, name] : others) {
    EXPECT_FALSE(Finds(query, name)) << query << " finds no " << name;
  }
}

TEST(NameKeys, WhatHasNoLetterHasNoKey) {
  for (const std::string text : {"", " ", "-", "…", "'", "\xff"}) {
    EXPECT_TRUE(NameKeys(text).empty());
    EXPECT_TRUE(QueryKeys(text).empty());
  }
}

RC_GTEST_PROP(NameKeys, AnyTextFindsItself, ()) {
  const auto pieces = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
      "리", "철", "수", "李", "哲", "金", "Ri", "Chol", "soo", "Haeun", "สมชาย", "ใจดี", "Đức", "Ли",
      "ວຽງ", "リ", " ", " ", "-", "'", "7", "\xc3"));
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  const auto keys = NameKeys(text);
  for (const std::string& asked : QueryKeys(text)) {
    RC_ASSERT(std::ranges::count(keys, NameKey{asked, true}) == 1);
  }
  RC_ASSERT(keys.empty() == QueryKeys(text).empty());
}

RC_GTEST_PROP(NameKeys, AnyBytesHaveKeysOrNone, (const std::string& bytes)) {
  RC_ASSERT(std::ranges::is_sorted(NameKeys(bytes)));
}

RC_GTEST_PROP(NameKeys, WordsMayComeInAnyRotationWithAnyGaps, ()) {
  auto words = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("Ri", "Chol", "Su", "Van", "Min", "Haeun"));
  RC_PRE(!words.empty() && words.size() <= 8);
  const auto joined = [&](const std::string& gap) {
    std::string text;
    for (const std::string& word : words) text += word + gap;
    return text;
  };
  const std::string name = joined(" ");
  std::ranges::rotate(words, words.begin() + *rc::gen::inRange<int>(0, int(words.size())));
  RC_ASSERT(IsSame(joined("-"), name));
}

// Romanisations written down from their rules, apart from the program.
struct System {
  std::array<const char*, 19> onsets;
  std::array<const char*, 21> vowels;
};
// The Revised Romanisation of 2000 (National Institute of Korean Language), without assimilation,
// as its section 3 (4) has it for names.
constexpr System kRevised{{"g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj",
                           "ch", "k", "t", "p", "h"},
                          {"a",  "ae", "ya", "yae", "eo", "e",  "yeo", "ye", "o",  "wa", "wae",
                           "oe", "yo", "u",  "wo",  "we", "wi", "yu",  "eu", "ui", "i"}};
// The DPRK's of 1992, its marks over vowels left out, as passports and news have it.
constexpr System kDprk{{"k", "kk", "n", "t", "tt", "r", "m", "p", "pp", "s", "ss", "", "j", "jj",
                        "ch", "kh", "th", "ph", "h"},
                       {"a",  "ae", "ya", "yae", "o",  "e",  "yo", "ye", "o",  "wa", "wae",
                        "oe", "yo", "u",  "wo",  "we", "wi", "yu", "u",  "ui", "i"}};
// McCune and Reischauer's of 1939, without its voicing between vowels.
constexpr System kMcCune{{"k", "kk", "n", "t", "tt", "r", "m", "p", "pp", "s", "ss", "", "ch",
                          "tch", "ch'", "k'", "t'", "p'", "h"},
                         {"a",  "ae", "ya", "yae", "ŏ",  "e",  "yŏ", "ye", "o",  "wa", "wae",
                          "oe", "yo", "u",  "wŏ",  "we", "wi", "yu", "ŭ",  "ŭi", "i"}};
constexpr std::array<const char*, 28> kFinals{"",  "k",  "k", "k", "n", "n", "n", "t", "l", "k",
                                              "m", "l",  "l", "l", "p", "l", "m", "p", "p", "t",
                                              "t", "ng", "t", "t", "k", "t", "p", "t"};

// The syllables of a name in Hangul.
std::vector<int> Syllables(const std::string& name) {
  std::vector<int> syllables;
  for (std::size_t i = 0; i + 2 < name.size(); i += 3) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(name[i + at]); };
    syllables.push_back((((byte(0) & 15) << 12) | ((byte(1) & 63) << 6) | (byte(2) & 63)) - 0xAC00);
  }
  return syllables;
}
std::string Romanised(const std::string& name, const System& system, const std::string& gap) {
  std::string text;
  for (const int s : Syllables(name)) {
    if (!text.empty()) text += gap;
    text += system.onsets[static_cast<std::size_t>(s / 588)];
    text += system.vowels[static_cast<std::size_t>(s / 28 % 21)];
    text += kFinals[static_cast<std::size_t>(s % 28)];
  }
  return text;
}

class NamesOfTheData : public testing::Test {
 protected:
  static nlohmann::json Read(const std::string& file) {
    const auto folder = support::SharedFolder();
    if (!folder) return {};
    std::ifstream in(*folder / "data" / "names-cjk" / file);
    return nlohmann::json::parse(in);
  }
  static std::set<std::string> All(const nlohmann::json& lists) {
    std::set<std::string> names;
    for (const auto& list : lists) {
      for (const auto& name : list) names.insert(name.get<std::string>());
    }
    return names;
  }
};

TEST_F(NamesOfTheData, EveryNameOfEveryLanguageFindsItselfAloneAndInEitherOrder) {
  const auto data = Read("faker-10.6.0-ko-zhCN-th-vi-ja.json");
  if (data.is_null()) return;
  std::map<std::string, std::size_t> counted;
  std::size_t missed = 0;
  for (const auto& [language, lists] : data.items()) {
    const auto given = All(lists["first_name"]);
    const auto family = All(lists["last_name"]);
    std::vector<std::string> families(family.begin(), family.end());
    std::size_t next = 0;
    for (const std::string& name : given) {
      const std::string& of = families[next++ % families.size()];
      missed += IsSame(name, name) ? 0 : 1;
      missed += IsSame(of + " " + name, name + " " + of) ? 0 : 1;
      missed += Finds(name, of + " " + name) ? 0 : 1;
      missed += Finds(of, of + name) || language != "ko" ? 0 : 1;
    }
    for (const std::string& name : family) missed += IsSame(name, name) ? 0 : 1;
    counted[language] = given.size() + family.size();
  }
  EXPECT_EQ(missed, 0u);
  EXPECT_EQ(counted, (std::map<std::string, std::size_t>{
                         {"ja", 779}, {"ko", 652}, {"th", 1'270}, {"vi", 2'514}, {"zh_CN", 440}}));
}

TEST_F(NamesOfTheData, EveryKoreanNameIsFoundFromEachRomanisation) {
  const auto data = Read("faker-10.6.0-ko-zhCN-th-vi-ja.json");
  if (data.is_null()) return;
  const auto given = All(data["ko"]["first_name"]);
  const auto family = All(data["ko"]["last_name"]);
  // The DPRK's forms of the families that lost their first sound in the South.
  const std::map<std::string, std::string> northern{{"이", "리"}, {"유", "류"}, {"임", "림"},
                                                    {"노", "로"}, {"양", "량"}, {"여", "려"},
                                                    {"나", "라"}, {"염", "렴"}, {"용", "룡"}};
  std::size_t asked = 0;
  std::size_t joined_missed = 0;
  std::vector<std::string> missed;
  const auto ask = [&](const std::string& query, const std::string& name) {
    ++asked;
    if (!IsSame(query, name)) missed.push_back(query + " for " + name);
  };
  // Every given name with every eighth family, every family with some of them.
  std::vector<std::pair<std::string, std::string>> names;
  std::size_t turn = 0;
  for (const std::string& name : given) {
    std::size_t place = turn++ % 8;
    for (const std::string& of : family) {
      if (place++ % 8 == 0) names.emplace_back(of, name);
    }
  }
  for (const auto& [of, name] : names) {
    const auto north = northern.find(of);
    const std::string dprk = north == northern.end() ? of : north->second;
    ask(Romanised(of, kRevised, "") + " " + Romanised(name, kRevised, "-"), of + name);
    ask(Romanised(name, kRevised, "-") + " " + Romanised(of, kRevised, ""), of + name);
    ask(Romanised(dprk, kDprk, "") + " " + Romanised(name, kDprk, " "), of + name);
    ask(Romanised(dprk, kMcCune, "") + " " + Romanised(name, kMcCune, "-"), of + name);
    ask(Romanised(of, kRevised, "") + " " + Romanised(name, kRevised, "-"), dprk + name);
    if (!IsSame(Romanised(of, kRevised, "") + " " + Romanised(name, kRevised, ""), of + name)) {
      ++joined_missed;
    }
  }
  EXPECT_EQ(missed, std::vector<std::string>());
  EXPECT_EQ(asked, 37'800u);
  // Of those written as one word without a hyphen, three names: Rael (라엘), Hael (하엘), Roun
  // (로운).
  EXPECT_EQ(joined_missed, 42u);
}

// The first character of UTF-8.
char32_t FirstOf(const std::string& text) {
  return static_cast<char32_t>(icu::UnicodeString::fromUTF8(text).char32At(0));
}

// The table is Unihan's, the data another's: where both read a character, they nearly always agree.
TEST_F(NamesOfTheData, HanjaSoundAsTheirReading) {
  const auto data = Read("hanja-eum.json");
  if (data.is_null()) return;
  std::size_t known = 0;
  std::size_t found = 0;
  for (const auto& [hanja, reading] : data.items()) {
    if (KoreanReading(FirstOf(hanja)) == 0) continue;
    ++known;
    if (IsSame(reading.get<std::string>(), hanja)) ++found;
  }
  EXPECT_EQ(known, 8'196u);
  EXPECT_EQ(found, 8'092u) << "others have several readings";
}

// How coarse the sounds are: how many of the data's given names a search for one of them finds.
TEST_F(NamesOfTheData, AKoreanGivenNameFindsFewOthers) {
  const auto data = Read("faker-10.6.0-ko-zhCN-th-vi-ja.json");
  if (data.is_null()) return;
  const auto given = All(data["ko"]["first_name"]);
  std::map<std::string, std::size_t> sounds;
  for (const std::string& name : given) {
    for (const std::string& key : QueryKeys(name)) {
      if (key.front() == 'k') ++sounds[key];
    }
  }
  EXPECT_GT(sounds.size(), given.size() / 2);
}

}  // namespace
}  // namespace godwit::client
