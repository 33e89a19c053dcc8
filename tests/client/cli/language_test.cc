#include "client/cli/language.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "client/cli/doctor.h"
#include "client/cli/errors.h"
#include "client/cli/import.h"
#include "client/cli/output.h"
#include "client/cli/render.h"
#include "tests/client/temporary.h"

namespace godwit::cli {
namespace {

// The file that msgfmt makes of `messages`: magic, revision, count, two tables of sizes and
// offsets, then the texts with a NUL behind each (GNU gettext manual, section 10.3).
std::string Mo(const std::map<std::string, std::string>& messages) {
  const auto count = static_cast<std::uint32_t>(messages.size());
  std::string tables;
  std::string texts;
  const auto word = [](std::uint32_t value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
  };
  const std::uint32_t begin = 28 + 16 * count;
  std::string rows[2];
  for (int i = 0; i < 2; ++i) {
    for (const auto& [original, translation] : messages) {
      const std::string& text = i == 0 ? original : translation;
      rows[i] += word(static_cast<std::uint32_t>(text.size())) +
                 word(begin + static_cast<std::uint32_t>(texts.size()));
      texts += text + '\0';
    }
  }
  return word(0x950412de) + word(0) + word(count) + word(28) + word(28 + 8 * count) + word(0) +
         word(0) + rows[0] + rows[1] + texts;
}

// A language in use for as long as it lives.
class Spoken {
 public:
  explicit Spoken(const std::map<std::string, std::string>& messages,
                  std::string_view language = "ko") {
    const auto folder = dir_.path() / language / "LC_MESSAGES";
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "godwit.mo", std::ios::binary) << Mo(messages);
    UseLanguage(language, {dir_.path() / "missing", dir_.path()});
  }
  ~Spoken() { UseLanguage("", {}); }

 private:
  support::TemporaryDir dir_;
};

TEST(Catalog, FindsWhatItHolds) {
  const std::string plural = std::string("{0} case") + '\0' + "{0} cases";
  const auto catalog =
      Catalog::Parse(Mo({{"", "header"}, {"b", "나"}, {"a", "가"}, {plural, "사건 {0}건"}}));
  ASSERT_TRUE(catalog);
  EXPECT_EQ(catalog->Find("a"), "가");
  EXPECT_EQ(catalog->Find("b"), "나");
  EXPECT_EQ(catalog->Find("{0} case"), "사건 {0}건");
  EXPECT_EQ(catalog->Find("{0} cases"), "");
  EXPECT_EQ(catalog->Find("c"), "");
}

TEST(Catalog, RefusesWhatIsCutOff) {
  const std::string whole = Mo({{"a", "가"}, {"b", "나"}});
  ASSERT_TRUE(Catalog::Parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Catalog::Parse(whole.substr(0, size))) << size;
  }
}

RC_GTEST_PROP(Catalog, ReadsNoFurtherThanItsBytes, (std::string bytes)) {
  std::string damaged = Mo({{"a", "가"}, {"b", "나"}, {"c", "다"}});
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(8, damaged.size());
    damaged[at] = bytes[i];
  }
  for (const std::string& file : {damaged, bytes}) {
    const auto catalog = Catalog::Parse(file);
    if (catalog) RC_ASSERT(catalog->Find("b").size() <= file.size());
  }
}

TEST(Language, IsTheChosenOneOrThatOfTheEnvironment) {
  using Variables = std::map<std::string, std::string>;
  struct {
    const char* name;
    std::string chosen;
    Variables variables;
    std::string want;
  } const rows[] = {
      {"nothing is set", "", {}, ""},
      {"chosen", "th", {{"LC_ALL", "ko_KR.UTF-8"}}, "th"},
      {"English is chosen", "en", {{"LC_ALL", "ko_KR.UTF-8"}}, ""},
      {"LANG", "", {{"LANG", "ko_KR.UTF-8"}}, "ko"},
      {"LC_MESSAGES before LANG", "", {{"LC_MESSAGES", "th_TH"}, {"LANG", "ko_KR"}}, "th"},
      {"LC_ALL before all", "", {{"LC_ALL", "zh_CN.UTF-8"}, {"LC_MESSAGES", "ko"}}, "zh_CN"},
      {"a set but empty one does not count", "", {{"LC_ALL", ""}, {"LANG", "ko"}}, "ko"},
      {"Chinese of no country", "", {{"LANG", "zh.UTF-8"}}, "zh_CN"},
      {"Traditional Chinese", "", {{"LANG", "zh_TW.UTF-8"}}, ""},
      {"another language", "", {{"LANG", "fr_FR.UTF-8"}}, ""},
      {"a list", "", {{"LANG", "fr_FR.UTF-8"}, {"LANGUAGE", "fr:th:ko"}}, "th"},
      {"a list with English first", "", {{"LANG", "ko_KR"}, {"LANGUAGE", "en_GB:ko"}}, ""},
      {"no list in the locale C", "", {{"LANG", "C.UTF-8"}, {"LANGUAGE", "ko"}}, ""},
      {"no language in POSIX", "", {{"LC_ALL", "POSIX"}, {"LANG", "ko_KR.UTF-8"}}, ""},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto environment = [&](const char* name) {
      const auto found = row.variables.find(name);
      return found == row.variables.end() ? std::string() : found->second;
    };
    EXPECT_EQ(LanguageOf(row.chosen, environment), row.want);
  }
}

TEST(Language, WithoutACatalogIsEnglish) {
  UseLanguage("ko", {"/nowhere"});
  EXPECT_EQ(LanguageInUse(), "");
  EXPECT_EQ(Translated("{0} of {1} are closed.", 1, 2), "1 of 2 are closed.");
  EXPECT_EQ(Counted(1, "{0} case handed over.", "{0} cases handed over."), "1 case handed over.");
  EXPECT_EQ(Counted(2, "{0} case handed over.", "{0} cases handed over."), "2 cases handed over.");
}

TEST(Language, IsAnothersWhileThereIsWorkForThem) {
  const std::map<std::string, std::string> korean{{"Risk", "위험도"}, {"Status", "상태"}};
  const Spoken spoken(korean);
  support::TemporaryDir folder;
  std::filesystem::create_directories(folder.path() / "th" / "LC_MESSAGES");
  std::ofstream(folder.path() / "th" / "LC_MESSAGES" / "godwit.mo", std::ios::binary)
      << Mo({{"Risk", "ความเสี่ยง"}, {"Status", "สถานะ"}});
  const auto status = [] { return LanguageInUse() + " " + Translated("Status"); };
  std::string inside;
  EXPECT_TRUE(InLanguage("th", {folder.path()}, [&] { inside = status(); }));
  EXPECT_EQ(inside, "th สถานะ");
  EXPECT_EQ(status(), "ko 상태");
  EXPECT_TRUE(InLanguage("", {}, [&] { inside = status(); }));
  EXPECT_EQ(inside, " Status");
  EXPECT_EQ(status(), "ko 상태");
  // Without a catalog nothing is done in a language that is not the one that was asked for.
  inside = "nothing";
  EXPECT_FALSE(InLanguage("zh_CN", {folder.path()}, [&] { inside = status(); }));
  EXPECT_EQ(inside, "nothing");
}

TEST(Language, ValuesMoveWithTheSentence) {
  const std::string plural = std::string("{0} case of {1}") + '\0' + "{0} cases of {1}";
  const Spoken spoken(
      {{"{0} of {1} are closed.", "{1}건 중 {0}건 종결."}, {plural, "{1}의 {0}건"}});
  EXPECT_EQ(LanguageInUse(), "ko");
  EXPECT_EQ(Translated("{0} of {1} are closed.", 1, 2), "2건 중 1건 종결.");
  EXPECT_EQ(Counted(1, "{0} case of {1}", "{0} cases of {1}", "jun"), "jun의 1건");
  EXPECT_EQ(Counted(7, "{0} case of {1}", "{0} cases of {1}", "jun"), "jun의 7건");
  EXPECT_EQ(Translated("no translation has {0}", 1), "no translation has 1");
}

TEST(Language, AValueIsNotLookedInto) {
  EXPECT_EQ(Fill("{0} {1} {2} {x} {", {"{1}", "two"}), "{1} two {2} {x} {");
}

TEST(Language, FailuresSayWhatHappenedAndKeepTheCode) {
  const Spoken spoken({{"godwit: cannot {0}: {1} ({2})", "godwit: {0} 실패: {1} ({2})"},
                       {"open the case", "사건 열기"},
                       {"there is no such file", "그런 파일이 없습니다"},
                       {"a file or device failed", "파일 오류"},
                       {"{0}; in English: {1}", "{0} (영어: {1})"}});
  std::ostringstream out, err;
  Output output({}, out, err);
  output.Fail("open the case", base::Error(base::Code::kNotFound, "there is no such file"));
  EXPECT_TRUE(err.str().starts_with("godwit: 사건 열기 실패: 그런 파일이 없습니다 (NOT_FOUND)\n"))
      << err.str();
  EXPECT_EQ(WhyText(base::Error(base::Code::kIo, "bit 7 of the cable")),
            "파일 오류 (영어: bit 7 of the cable)");
}

TEST(Language, CodesHaveLabelsForPeopleAndStayThemselvesForPrograms) {
  const Spoken spoken({{"code\x04in_transit", "이동 중"},
                       {"code\x04yes", "예"},
                       {"field\x04services", "서비스"},
                       {"stage", "단계"},
                       {"about {0}", "약 {0}"}});
  content::v1::Summary summary;
  summary.set_stage(content::v1::CASE_STAGE_IN_TRANSIT);
  summary.mutable_consent()->set_services(content::v1::ANSWER_YES);
  EXPECT_EQ(JsonLine(ContentJson(summary)),
            "{\"stage\":\"in_transit\",\"consent\":{\"services\":\"yes\"}}");
  const auto fields = ContentFields(summary);
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields[0].first, "stage");
  EXPECT_EQ(fields[0].second.text, "이동 중 (in_transit)");
  EXPECT_EQ(fields[1].first, "consent.services  서비스");
  EXPECT_EQ(fields[1].second.text, "예 (yes)");
  EXPECT_EQ(EnumText(summary.stage()), "in_transit");
  EXPECT_EQ(EnumLabel(summary.stage()), "이동 중");
  EXPECT_EQ(CodesWithLabels({"in_transit", "ready"}), "in_transit (이동 중), ready");
  EXPECT_EQ(Column("stage").title, "단계");
  content::v1::PartialDate date;
  date.set_year(2012);
  date.set_precision(content::v1::PartialDate::PRECISION_ESTIMATED);
  EXPECT_EQ(DateText(date), "about 2012");
  EXPECT_EQ(DateLabel(date), "약 2012년");
}

content::v1::PartialDate Date(content::v1::PartialDate::Precision precision, int year,
                              unsigned month = 0, unsigned day = 0) {
  content::v1::PartialDate date;
  date.set_precision(precision);
  date.set_year(year);
  date.set_month(month);
  date.set_day(day);
  return date;
}

TEST(Language, DatesAreOfTheReadersCalendarAndOfNoMorePrecision) {
  using content::v1::PartialDate;
  constexpr std::uint32_t kDay = 20'517;  // 2026-03-05
  constexpr std::uint64_t kMorning = (kDay * 24ULL + 7) * 3'600'000 + 480'000;
  struct {
    std::string_view language;
    std::string day;
    std::string month;
    std::string year;
    std::string about;
  } const rows[] = {
      {"", "2026-03-05", "1990-11", "1990", "about 1990"},
      {"ko", "2026년 3월 5일", "1990년 11월", "1990년", "~1990년"},
      {"zh_CN", "2026年3月5日", "1990年11月", "1990年", "~1990年"},
      {"th", "5 มี.ค. พ.ศ. 2569", "พ.ย. พ.ศ. 2533", "พ.ศ. 2533", "~พ.ศ. 2533"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.language);
    std::optional<Spoken> spoken;
    if (!row.language.empty())
      spoken.emplace(std::map<std::string, std::string>{{"about {0}", "~{0}"}}, row.language);
    const auto day = Date(PartialDate::PRECISION_DAY, 2026, 3, 5);
    const auto month = Date(PartialDate::PRECISION_MONTH, 1990, 11);
    const auto year = Date(PartialDate::PRECISION_YEAR, 1990);
    const auto about = Date(PartialDate::PRECISION_ESTIMATED, 1990);
    EXPECT_EQ(DayLabel(kDay), row.day);
    EXPECT_EQ(TimeLabel(kMorning), row.day + " 07:08 UTC");
    EXPECT_EQ(DateLabel(day), row.day);
    EXPECT_EQ(DateLabel(month), row.month);
    EXPECT_EQ(DateLabel(year), row.year);
    EXPECT_EQ(DateLabel(about), row.about);
    EXPECT_EQ(DateLabel(Date(PartialDate::PRECISION_UNKNOWN, 0)), "unknown");
    EXPECT_EQ(DayLabel(0), "");
    // What no calendar has stands as it is.
    EXPECT_EQ(DateLabel(Date(PartialDate::PRECISION_DAY, 1990, 2, 30)), "1990-02-30");
    // Programs and files read one form.
    EXPECT_EQ(DayText(kDay), "2026-03-05");
    EXPECT_EQ(TimeText(kMorning), "2026-03-05 07:08 UTC");
    EXPECT_EQ(DateText(day), "2026-03-05");
    EXPECT_EQ(DateText(month), "1990-11");
    EXPECT_EQ(DateText(about), "about 1990");
  }
}

TEST(Language, ALunarBirthIsMarkedAndNotConverted) {
  using content::v1::PartialDate;
  for (const std::string_view language : kLanguages) {
    SCOPED_TRACE(language);
    const Spoken spoken({{"{0} (lunar)", "<lunar> {0}"}, {"about {0}", "~{0}"}}, language);
    content::v1::IdentityProfile profile;
    auto& birth = *profile.mutable_birth();
    birth.set_calendar(content::v1::BIRTH_CALENDAR_LUNAR);
    *birth.mutable_date() = Date(PartialDate::PRECISION_DAY, 1990, 3, 5);
    ASSERT_EQ(ContentFields(profile).size(), 2u);
    EXPECT_EQ(ContentFields(profile)[0].second.text, "<lunar> 1990-03-05");
    EXPECT_EQ(ContentJson(profile)["birth"]["date"], "1990-03-05");
    *birth.mutable_date() = Date(PartialDate::PRECISION_DAY, 1990, 2, 30);
    EXPECT_EQ(BirthLabel(birth), "<lunar> 1990-02-30");
    *birth.mutable_date() = Date(PartialDate::PRECISION_MONTH, 1990, 3);
    EXPECT_EQ(BirthLabel(birth), "<lunar> 1990-03");
    *birth.mutable_date() = Date(PartialDate::PRECISION_ESTIMATED, 1990);
    EXPECT_EQ(BirthLabel(birth), "<lunar> ~1990");
    *birth.mutable_date() = Date(PartialDate::PRECISION_UNKNOWN, 0);
    EXPECT_EQ(BirthLabel(birth), "unknown");
    *birth.mutable_date() = Date(PartialDate::PRECISION_YEAR, 1990);
    for (const auto calendar :
         {content::v1::BIRTH_CALENDAR_SOLAR, content::v1::BIRTH_CALENDAR_UNSPECIFIED}) {
      birth.set_calendar(calendar);
      EXPECT_EQ(BirthLabel(birth), DateLabel(birth.date()));
    }
  }
}

TEST(Language, RecordsShowDaysAndTimesInTheReadersCalendar) {
  const Spoken spoken({}, "th");
  content::v1::Comment comment;
  comment.set_written_ms(20'517ULL * 86'400'000);
  EXPECT_EQ(ContentFields(comment)[0].second.text, "5 มี.ค. พ.ศ. 2569 00:00 UTC");
  EXPECT_EQ(ContentJson(comment)["written_ms"], 20'517ULL * 86'400'000);
  content::v1::FollowUp follow_up;
  follow_up.set_due_day(20'517);
  EXPECT_EQ(ContentFields(follow_up)[0].second.text, "5 มี.ค. พ.ศ. 2569");
  EXPECT_EQ(ContentJson(follow_up)["due_day"], "2026-03-05");
}

TEST(Language, FindingsAndFaultsAreToldInItAndNamesStayAsTheyAre) {
  const Spoken spoken({{"a statement by {1} waits for signatures since {0} days",
                        "{1}의 진술이 {0}일째 서명을 기다립니다"},
                       {"there is no such key", "그런 키가 없습니다"},
                       {"line {0}: {1}", "{0}행: {1}"},
                       {"jun", "names are no texts"}});
  const client::Sentence waits(
      base::Literal("a statement by {1} waits for signatures since {0} days"), "3", "jun");
  EXPECT_EQ(SentenceText(waits), "a statement by jun waits for signatures since 3 days");
  EXPECT_EQ(SentenceLabel(waits), "jun의 진술이 3일째 서명을 기다립니다");
  EXPECT_EQ(SentenceLabel(client::Sentence(base::Literal("of {0}"), "\x1b[2J")), "of \\u{1b}[2J");
  EXPECT_EQ(FaultText({3, "field", "there is no such key"}), "3행: field: 그런 키가 없습니다");
  EXPECT_EQ(FaultText({0, "", "there is no such key"}), "그런 키가 없습니다");
}

TEST(Language, TablesMeasureWhatATerminalShows) {
  // Vowels and tones above and below a Thai consonant take no column, Hangul and Han take two.
  EXPECT_EQ(DisplayWidth("ที่อยู่"), 3u);
  EXPECT_EQ(DisplayWidth("น้ำ"), 2u);
  EXPECT_EQ(DisplayWidth("단계"), 4u);
  EXPECT_EQ(DisplayWidth("阶段"), 4u);
  const Table table{{{"ที่อยู่"}, {"阶段"}, {"x"}}, {{"a", "b", "c"}, {"단계", "d", "e"}}};
  EXPECT_EQ(Render(table, 0, false), "ที่อยู่   阶段  x\na     b     c\n단계  d     e\n");
}

}  // namespace
}  // namespace godwit::cli
