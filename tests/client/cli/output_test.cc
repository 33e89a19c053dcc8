#include "client/cli/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <sstream>

namespace godwit::cli {
namespace {

class FixedClock : public base::Clock {
 public:
  std::uint64_t NowMs() const override { return 0; }
  std::chrono::steady_clock::time_point Steady() const override { return now; }
  std::chrono::steady_clock::time_point now{};
};

std::vector<std::string> Lines(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

Table Colleagues() {
  return {{{"handle"}, {"name", false, true}, {"days", true}},
          {{"haneul", "Haneul Specimen of Exampleton", "7"},
           {"jun", "전 예시 가나다라마바사아자차", "128"}}};
}

TEST(Table, PutsColumnsBelowEachOther) {
  EXPECT_EQ(Render(Colleagues(), 0, false),
            "handle  name                           days\n"
            "haneul  Haneul Specimen of Exampleton     7\n"
            "jun     전 예시 가나다라마바사아자차    128\n");
}

TEST(Table, FitsEveryWidth) {
  for (std::size_t width = 20; width <= 60; ++width) {
    SCOPED_TRACE(width);
    for (const std::string& line : Lines(Render(Colleagues(), width, false))) {
      EXPECT_LE(DisplayWidth(line), width) << line;
    }
  }
}

RC_GTEST_PROP(Table, FitsWhateverItHolds, ()) {
  Table table{{{"one"}, {"two", false, true}, {"three", true, true}}, {}};
  const auto texts = *rc::gen::container<std::vector<std::string>>(rc::gen::oneOf(
      rc::gen::arbitrary<std::string>(),
      rc::gen::element<std::string>("이름", "漢字漢字漢字漢字漢字", "plain words here",
                                    "a\u0301\u0301", "\u202eevil", "")));
  for (const std::string& text : texts) table.rows.push_back({text, text, text});
  const auto width = *rc::gen::inRange<std::size_t>(20, 120);
  for (const std::string& line : Lines(Render(table, width, false))) {
    RC_ASSERT(DisplayWidth(line) <= width);
    for (const char c : line) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  }
}

TEST(Table, NarrowTerminalsGetARowAsLines) {
  const Table table{{{"first"}, {"second"}}, {{"aaaaaaaaaa", "bbbbbbbbbb"}}};
  EXPECT_EQ(Render(table, 20, false), "first: aaaaaaaaaa\nsecond: bbbbbbbbbb\n");
}

TEST(Table, CellsCannotSteerTheTerminal) {
  const Table table{{{"name"}}, {{"\x1b[2Jgone\u202e\u2066\n\u0085"}}};
  const std::string shown = Render(table, 0, false);
  EXPECT_EQ(shown.find('\x1b'), std::string::npos);
  EXPECT_EQ(shown.find("\u202e"), std::string::npos);
  EXPECT_EQ(shown.find("\u2066"), std::string::npos);
  EXPECT_EQ(Lines(shown).size(), 2u);
}

TEST(Table, ColoursOnlyWhereAsked) {
  const Table table{{{"risk"}}, {{Cell("high", Style::kBad)}}};
  EXPECT_EQ(Render(table, 0, false).find('\x1b'), std::string::npos);
  EXPECT_NE(Render(table, 0, true).find("\x1b[31mhigh\x1b[0m"), std::string::npos);
}

TEST(Fit, CutsByColumnsNotBytes) {
  EXPECT_EQ(Fit("이름이름", 8), "이름이름");
  EXPECT_EQ(Fit("이름이름", 7), "이름이…");
  EXPECT_EQ(Fit("이름이름", 6), "이름…");
  EXPECT_EQ(Fit("plain", 3), "pl…");
  EXPECT_EQ(Fit("plain", 0), "");
}

TEST(Settings, PipesGetNeitherColourNorAWidth) {
  // The test's own stdout is a pipe or a file under ctest; made sure of here.
  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  const int before = dup(STDOUT_FILENO);
  dup2(fds[1], STDOUT_FILENO);
  const OutputSettings settings = SettingsOfProcess(false);
  dup2(before, STDOUT_FILENO);
  for (const int fd : {fds[0], fds[1], before}) close(fd);
  EXPECT_FALSE(settings.colour);
  EXPECT_EQ(settings.width, 0u);
}

// A terminal on stdout for as long as it lives.
class TerminalOnStdout {
 public:
  TerminalOnStdout() : before_(dup(STDOUT_FILENO)), master_(posix_openpt(O_RDWR | O_NOCTTY)) {
    if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0) return;
    const int slave = open(ptsname(master_), O_RDWR | O_NOCTTY);
    if (slave < 0) return;
    dup2(slave, STDOUT_FILENO);
    close(slave);
  }
  ~TerminalOnStdout() {
    dup2(before_, STDOUT_FILENO);
    close(before_);
    close(master_);
  }

 private:
  int before_;
  int master_;
};

TEST(Settings, TerminalsGetColourUnlessNoColorOrDumb) {
  const struct {
    const char* name;
    const char* no_color;
    const char* term;
    bool json;
    bool want;
  } rows[] = {{"plain", nullptr, "xterm", false, true},
              {"empty NO_COLOR counts as none", "", "xterm", false, true},
              {"NO_COLOR", "1", "xterm", false, false},
              {"dumb", nullptr, "dumb", false, false},
              {"json", nullptr, "xterm", true, false}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    row.no_color == nullptr ? unsetenv("NO_COLOR") : setenv("NO_COLOR", row.no_color, 1);
    setenv("TERM", row.term, 1);
    const auto settings = [&] {
      const TerminalOnStdout terminal;
      return SettingsOfProcess(row.json);
    }();
    EXPECT_EQ(settings.colour, row.want);
    EXPECT_GT(settings.width, 0u);
  }
  unsetenv("NO_COLOR");
}

TEST(JsonLine, IsOneLineThatReadsBackTheSame) {
  const Json json = {{"text", "a\nb\t\"c\" \\ 이름 \u202e \u0085 \U000e0001"}, {"n", 7}};
  const std::string line = JsonLine(json);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_EQ(line.find("\u202e"), std::string::npos);
  EXPECT_EQ(line.find("\u0085"), std::string::npos);
  EXPECT_NE(line.find("이름"), std::string::npos);
  EXPECT_EQ(Json::parse(line), json);
}

RC_GTEST_PROP(JsonLine, ParsesWhateverItWasGiven, (const std::string& text)) {
  const std::string line = JsonLine({{"text", text}});
  RC_ASSERT(Json::accept(line));
  for (const char c : line) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

TEST(Output, PeopleAndProgramsGetTheirOwn) {
  std::ostringstream out, err;
  Output plain({}, out, err);
  plain.Line("for people");
  plain.Emit({{"for", "programs"}});
  EXPECT_EQ(out.str(), "for people\n");
  out.str("");
  Output json({.json = true}, out, err);
  json.Line("for people");
  json.Banner();
  json.Show(Colleagues());
  json.Fields({{"name", "value"}});
  json.Emit({{"for", "programs"}});
  EXPECT_EQ(out.str(), "{\"for\":\"programs\"}\n");
  EXPECT_EQ(err.str(), "");
}

TEST(Output, AFailureSaysWhatWhyAndWhatNext) {
  std::ostringstream out, err;
  const base::Error why(base::Code::kUnavailable, "nobody answers there");
  EXPECT_EQ(Output({}, out, err).Fail("show the board", why), ExitCode::kUnavailable);
  EXPECT_EQ(out.str(), "");
  const auto lines = Lines(err.str());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "godwit: cannot show the board: nobody answers there (UNAVAILABLE)");
  EXPECT_FALSE(lines[1].empty());

  err.str("");
  EXPECT_EQ(Output({.json = true}, out, err).Fail("show the board", why), ExitCode::kUnavailable);
  const Json json = Json::parse(out.str());
  EXPECT_EQ(json["error"]["code"], "UNAVAILABLE");
  EXPECT_EQ(json["error"]["exit"], 3);
  EXPECT_EQ(err.str(), "");
}

TEST(Output, TheBannerComesOnce) {
  std::ostringstream out, err;
  Output output({}, out, err);
  output.Banner();
  output.Banner();
  EXPECT_EQ(out.str(), "EVALUATION: to try Godwit out; not for real people\n");
}

TEST(Output, WhatIsPractisedSaysSoInEveryObjectAndOnceOnStderr) {
  std::ostringstream out, err;
  Output output({.json = true}, out, err);
  output.Practice();
  output.Banner();
  output.Emit({{"event", "x"}});
  output.Fail("do it", base::Error(base::Code::kNotFound, "none"));
  EXPECT_EQ(err.str().find("PRACTICE"), 0u);
  std::istringstream lines(out.str());
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_EQ(Json::parse(line)["practice"], true) << line;
  }
  EXPECT_EQ(count, 2u);
}

TEST(Output, ATerminalIsDrawnOverWithItsBanner) {
  std::ostringstream out, err;
  Output output({.redraws = true}, out, err);
  output.Banner();
  output.Clear();
  output.Banner();
  const std::string banner = "EVALUATION: to try Godwit out; not for real people\n";
  EXPECT_EQ(out.str(), banner + "\x1b[H\x1b[2J" + banner);
  EXPECT_TRUE(output.Redraws());
  EXPECT_FALSE(Output({.json = true, .redraws = true}, out, err).Redraws());
}

TEST(Output, FieldsWrapInTheirColumn) {
  std::ostringstream out, err;
  Output output({.width = 24}, out, err);
  output.Fields({{"words", "one two three four five"}, {"n", "1"}});
  EXPECT_EQ(out.str(),
            "words  one two three\n"
            "       four five\n"
            "n      1\n");
}

TEST(Progress, RedrawsOnATerminalAndWipesItselfAway) {
  std::ostringstream out, err;
  FixedClock clock;
  Output output({.progress_redraws = true}, out, err);
  {
    Progress progress(output, clock);
    progress.Update("reading", 1, 4);
    EXPECT_EQ(err.str(), "") << "a short job shows none";
    clock.now += std::chrono::seconds(1);
    progress.Update("reading", 2, 4);
    EXPECT_EQ(err.str(), "\r\x1b[K[############            ] reading: 2 of 4");
    progress.Update("reading", 3, 4);
    EXPECT_EQ(err.str(), "\r\x1b[K[############            ] reading: 2 of 4") << "too soon";
  }
  EXPECT_TRUE(err.str().ends_with("\r\x1b[K"));
  EXPECT_EQ(out.str(), "");
}

TEST(Progress, IsALineEveryFiveSecondsElsewhere) {
  std::ostringstream out, err;
  FixedClock clock;
  Output output({}, out, err);
  Progress progress(output, clock);
  for (int i = 0; i < 12; ++i) {
    clock.now += std::chrono::seconds(1);
    progress.Update("reading", static_cast<std::uint64_t>(i), 0);
  }
  EXPECT_EQ(err.str(), "reading: 4\nreading: 9\n");
}

}  // namespace
}  // namespace godwit::cli
