#include "client/import/sample.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <random>
#include <span>

#include "client/import/csv.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;

struct Syllable {
  std::string_view hangul;
  std::string_view hanja;
  std::string_view dprk;  // by the DPRK's rules of 1992, without marks
  std::string_view pinyin;
};

// Words for what is made up; none is a family name.
constexpr std::array<Syllable, 6> kFamilies = {{
    {"예시", "例示", "Yesi", "Lishi"},
    {"가상", "假想", "Kasang", "Jiaxiang"},
    {"견본", "見本", "Kyonbon", "Jianben"},
    {"표본", "標本", "Phyobon", "Biaoben"},
    {"모의", "模擬", "Moui", "Moni"},
    {"시험", "試驗", "Sihom", "Shiyan"},
}};

// The ten stems enumerate, as A, B and C do, and the numbers count.
constexpr std::array<Syllable, 10> kStems = {{
    {"갑", "甲", "Kap", "Jia"},
    {"을", "乙", "Ul", "Yi"},
    {"병", "丙", "Pyong", "Bing"},
    {"정", "丁", "Jong", "Ding"},
    {"무", "戊", "Mu", "Wu"},
    {"기", "己", "Ki", "Ji"},
    {"경", "庚", "Kyong", "Geng"},
    {"신", "辛", "Sin", "Xin"},
    {"임", "壬", "Im", "Ren"},
    {"계", "癸", "Kye", "Gui"},
}};
constexpr std::array<Syllable, 10> kNumbers = {{
    {"일", "一", "il", "yi"},
    {"이", "二", "i", "er"},
    {"삼", "三", "sam", "san"},
    {"사", "四", "sa", "si"},
    {"오", "五", "o", "wu"},
    {"륙", "六", "ryuk", "liu"},
    {"칠", "七", "chil", "qi"},
    {"팔", "八", "phal", "ba"},
    {"구", "九", "ku", "jiu"},
    {"십", "十", "sip", "shi"},
}};

constexpr std::array<std::string_view, 6> kPlaces = {"Exampleton",  "Sampleville", "Nowhere-ri",
                                                     "Placeholder", "Fictionburg", "Mockup-dong"};
constexpr std::array<std::string_view, 5> kTrades = {
    "sample weaver", "specimen keeper", "example, of no trade", "\"tester\"", "imaginary cook"};

constexpr std::array<std::string_view, 24> kHeader = {
    "No.",   "Registered", "Found by",    "Stage", "Since", "Next due", "Risk",   "Group",
    "Where", "Sex",        "Age",         "Born",  "성",    "이름",     "漢字",   "Romanised",
    "別名",  "Called",     "Nationality", "Home",  "Trade", "Remarks",  "Store?", "Services?"};
constexpr std::array<std::string_view, 5> kTail = {"Trafficked?", "Exploitation", "Control",
                                                   "Caseworker", "Supervisor"};

// Numbers that are the same on every machine, unlike the standard library's distributions.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}

  std::uint32_t Below(std::uint32_t limit) {
    return static_cast<std::uint32_t>((engine_() >> 32) * limit >> 32);
  }
  bool Chance(std::uint32_t percent) { return Below(100) < percent; }
  // One of an array or a span.
  template <class All>
  const auto& Pick(const All& all) {
    return all[Below(static_cast<std::uint32_t>(all.size()))];
  }

 private:
  std::mt19937_64 engine_;
};

std::string Join(std::initializer_list<std::string_view> parts) {
  std::string all;
  for (const auto part : parts) all += part;
  return all;
}

// Years, months and days as the columns of the sample write them.
std::string Written(Day day, std::string_view format) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  const int year = static_cast<int>(date.year());
  const auto month = static_cast<unsigned>(date.month());
  const auto of_month = static_cast<unsigned>(date.day());
  std::array<char, 32> text{};
  if (format == "D.M.YYYY") {
    std::snprintf(text.data(), text.size(), "%u.%u.%d", of_month, month, year);
  } else if (format == "YYYY-MM-DD") {
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", year, month, of_month);
  } else if (format == "YYYY-MM") {
    std::snprintf(text.data(), text.size(), "%04d-%02u", year, month);
  } else {
    std::snprintf(text.data(), text.size(), "%04d", year);
  }
  return text.data();
}

struct Names {
  std::string family;
  std::string given;
  std::string hanja;
  std::string romanised;
  std::string alias;
  std::string nickname;
};

Names MakeNames(Dice& dice) {
  const auto& family = dice.Pick(kFamilies);
  const auto& stem = dice.Pick(kStems);
  const auto& number = dice.Pick(kNumbers);
  Names names;
  // Some are known by a nickname and nothing else.
  if (dice.Chance(5)) {
    names.nickname = Join({"the Example ", stem.dprk, "-", number.dprk});
    return names;
  }
  names.family = family.hangul;
  names.given = Join({stem.hangul, number.hangul});
  if (dice.Chance(60)) names.hanja = Join({family.hanja, stem.hanja, number.hanja});
  if (dice.Chance(80)) {
    // Written apart or as one word, both are found.
    names.romanised = Join({family.dprk, " ", stem.dprk, dice.Chance(50) ? " " : "", number.dprk});
  }
  if (dice.Chance(30)) {
    names.alias = Join({family.pinyin, " ", stem.pinyin, number.pinyin});
  }
  if (dice.Chance(10)) names.nickname = Join({"Sample, \"", number.dprk, "\""});
  return names;
}

struct StageOdds {
  std::string_view stage;
  std::uint32_t percent;
};
constexpr std::array<StageOdds, 10> kStages = {{
    {"Contact", 10},
    {"Screening", 10},
    {"Accepted", 12},
    {"Planning", 18},
    {"Ready", 14},
    {"In transit", 10},
    {"Third country", 10},
    {"Departed", 3},
    {"Arrived", 5},
    {"Settling", 8},
}};

std::string_view PickStage(Dice& dice) {
  std::uint32_t roll = dice.Below(100);
  for (const auto& each : kStages) {
    if (roll < each.percent) return each.stage;
    roll -= each.percent;
  }
  return kStages.back().stage;
}

std::string MakeRemarks(Dice& dice) {
  switch (dice.Below(4)) {
    case 0:
      return "Invented, says \"hello\"";
    case 1:
      return "An example,\nin two lines";
    case 2:
      return "예시입니다: 실제 인물이 아님";
    default:
      return "";
  }
}

std::string_view WhereOf(std::string_view stage) {
  if (stage == "Third country" || stage == "Departed") return "safe third country";
  if (stage == "Arrived" || stage == "Settling") return "destination";
  if (stage == "In transit") return "on the way";
  return "first country";
}

std::vector<std::string> MakeRow(const SampleOptions& options, std::uint32_t number, Dice& dice) {
  const auto text = [&](std::initializer_list<std::string_view> all) {
    return std::string(dice.Pick(std::span(all.begin(), all.size())));
  };
  const std::string_view stage = PickStage(dice);
  const Day since = options.today - static_cast<Day>(dice.Below(200));
  const Day registered = since - static_cast<Day>(dice.Below(300));
  const bool nameless = stage == "Contact" && dice.Chance(50);
  const Names names = nameless ? Names{} : MakeNames(dice);
  const bool trafficked = dice.Chance(25);

  // The order of the calls is the order of the cells: it decides what a seed gives.
  std::vector<std::string> cells;
  cells.push_back(Join({"EX-", std::to_string(number + 1)}));
  cells.push_back(Written(registered, text({"YYYY", "YYYY-MM", "YYYY-MM-DD", "D.M.YYYY"})));
  cells.push_back(text({"kin", "self", "outreach", "partner organisation", "community", "N/A"}));
  cells.push_back(std::string(stage));
  cells.push_back(Written(since, "YYYY-MM-DD"));
  cells.push_back(dice.Chance(70)
                      ? Written(options.today + static_cast<Day>(dice.Below(60)) - 10, "YYYY-MM-DD")
                      : "");
  cells.push_back(text({"high", "medium", "medium", "low", "low", "?"}));
  cells.push_back(text({"national", "national", "national", "born abroad", "relative", "other"}));
  cells.push_back(std::string(WhereOf(stage)));
  cells.push_back(text({"F", "F", "F", "M", "N/A"}));
  const std::uint32_t age = 3 + dice.Below(60);
  const std::uint32_t band = age / 10 * 10;
  cells.push_back(dice.Chance(10) ? "-99"
                  : age >= 60     ? "60+"
                                  : std::to_string(band) + "--" + std::to_string(band + 9));
  const Day born = registered - static_cast<Day>(age * 365 + dice.Below(365));
  cells.push_back(nameless || dice.Chance(40) ? "" : Written(born, text({"YYYY", "YYYY-MM"})));
  cells.push_back(names.family);
  cells.push_back(names.given);
  cells.push_back(names.hanja);
  cells.push_back(names.romanised);
  cells.push_back(names.alias);
  cells.push_back(names.nickname);
  cells.push_back(dice.Chance(85) ? "KP" : "0");
  cells.push_back(nameless ? "" : std::string(dice.Pick(kPlaces)));
  cells.push_back(nameless || dice.Chance(30) ? "" : std::string(dice.Pick(kTrades)));
  cells.push_back(nameless ? "" : MakeRemarks(dice));
  cells.push_back(nameless ? "not asked" : "Y");
  cells.push_back(nameless ? "not asked" : "Y");
  cells.push_back(trafficked ? "possible" : text({"no", "no", "N/A"}));
  cells.push_back(trafficked ? text({"marriage", "labour; marriage", "labour", "N/A"}) : "none");
  cells.push_back(trafficked ? text({"threats; debt", "debt", "threats", "N/A"}) : "none");
  cells.push_back(options.caseworkers[number % options.caseworkers.size()]);
  cells.push_back(options.supervisors[number % options.supervisors.size()]);
  return cells;
}

}  // namespace

base::Status WriteSample(const SampleOptions& options, const Write& write) {
  if (options.caseworkers.empty() || options.supervisors.empty()) {
    return Error(Code::kInvalidArgument, "a sample needs a caseworker and a supervisor");
  }
  Dice dice(options.seed);
  std::string piece = "\xef\xbb\xbf";
  std::vector<std::string> header(kHeader.begin(), kHeader.end());
  header.insert(header.end(), kTail.begin(), kTail.end());
  AppendCsv(piece, header);
  for (std::uint32_t number = 0; number < options.cases; ++number) {
    AppendCsv(piece, MakeRow(options, number, dice));
    write(piece);
    piece.clear();
  }
  write(piece);
  return base::Status::Ok();
}

base::Status WriteSampleFile(const SampleOptions& options, const std::string& path) {
  return WriteNewFile(path, [&](const Write& write) { return WriteSample(options, write); });
}

base::Status WriteNewFile(const std::string& path,
                          const std::function<base::Status(const Write&)>& make) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) {
    if (errno == EEXIST) return Error(Code::kExists, "there is a file of that name already");
    return Error(Code::kIo, "the file cannot be made");
  }
  bool written = true;
  auto status = make([&](std::string_view piece) {
    while (written && !piece.empty()) {
      const auto done = ::write(file, piece.data(), piece.size());
      if (done < 0 && errno == EINTR) continue;
      written = done > 0;
      if (written) piece.remove_prefix(static_cast<std::size_t>(done));
    }
  });
  written = close(file) == 0 && written;
  if (status && !written) status = Error(Code::kIo, "the file could not be written");
  // Half a file is none.
  if (!status) unlink(path.c_str());
  return status;
}

}  // namespace godwit::client
