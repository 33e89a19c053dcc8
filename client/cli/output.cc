#include "client/cli/output.h"

#include <sys/ioctl.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "client/casework/inert.h"

namespace godwit::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kNarrowest = 6;  // of a column that shrinks
constexpr std::size_t kBarWidth = 24;
constexpr auto kQuiet = std::chrono::milliseconds(500);
constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kPlainEvery = std::chrono::seconds(5);

// Takes one code point off the front of `text`, which is UTF-8; U+FFFD for a byte that is none.
UChar32 Take(std::string_view& text) {
  const auto length = static_cast<std::int32_t>(std::min<std::size_t>(text.size(), 4));
  std::int32_t taken = 0;
  UChar32 point = 0;
  U8_NEXT(reinterpret_cast<const std::uint8_t*>(text.data()), taken, length, point);
  text.remove_prefix(point < 0 ? 1 : static_cast<std::size_t>(taken));
  return point < 0 ? 0xfffd : point;
}

std::size_t WidthOf(UChar32 point) {
  switch (u_charType(point)) {
    case U_NON_SPACING_MARK:
    case U_ENCLOSING_MARK:
    case U_FORMAT_CHAR:
    case U_CONTROL_CHAR:
      return 0;
    default:
      break;
  }
  // Vowels and finals of Hangul that join the consonant before them.
  const auto hangul = u_getIntPropertyValue(point, UCHAR_HANGUL_SYLLABLE_TYPE);
  if (hangul == U_HST_VOWEL_JAMO || hangul == U_HST_TRAILING_JAMO) return 0;
  const auto width = u_getIntPropertyValue(point, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

std::string_view Escape(Style style) {
  switch (style) {
    case Style::kPlain:
      return "";
    case Style::kStrong:
      return "\x1b[1m";
    case Style::kFaint:
      return "\x1b[2m";
    case Style::kGood:
      return "\x1b[32m";
    case Style::kWarning:
      return "\x1b[33m";
    case Style::kBad:
      return "\x1b[31m";
  }
  return "";
}

std::string Styled(std::string_view text, Style style, bool colour) {
  if (!colour || style == Style::kPlain || text.empty()) return std::string(text);
  std::string styled(Escape(style));
  styled += text;
  styled += "\x1b[0m";
  return styled;
}

std::string Inert(std::string_view text) { return client::Inert(text, std::string_view::npos); }

bool IsSetEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

// Takes columns' width away, from the widest that may shrink, until `width` is kept.
bool Shrink(const Table& table, std::size_t width, std::vector<std::size_t>& widths) {
  std::size_t total =
      std::accumulate(widths.begin(), widths.end(), std::size_t{0}) + kGap * (widths.size() - 1);
  while (total > width) {
    std::size_t widest = widths.size();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (!table.columns[i].shrinks || widths[i] <= kNarrowest) continue;
      if (widest == widths.size() || widths[i] > widths[widest]) widest = i;
    }
    if (widest == widths.size()) return false;
    --widths[widest];
    --total;
  }
  return true;
}

// How many bytes of `text` fit into `width` columns.
std::size_t FittingBytes(std::string_view text, std::size_t width) {
  std::size_t used = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view after = rest;
    used += WidthOf(Take(after));
    if (used > width) break;
    rest = after;
  }
  return text.size() - rest.size();
}

// Writes `text` in lines of at most `width` columns (0: no limit), broken at spaces where there are
// any; all but the first begin with `indent`, which is shorter than `width` by two at least.
void Wrap(std::string_view text, std::size_t width, std::string_view indent, std::string& out) {
  if (width == 0) {
    out += text;
    out += '\n';
    return;
  }
  std::size_t used = 0;
  bool begun = false;  // whether the line has a word
  const auto end_line = [&] {
    out += '\n';
    out += indent;
    used = indent.size();
    begun = false;
  };
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    if (begun && used + 1 + DisplayWidth(word) > width) end_line();
    if (begun) {
      out += ' ';
      ++used;
    }
    // A word longer than a line is cut.
    while (used + DisplayWidth(word) > width) {
      const std::size_t fitting = FittingBytes(word, width - used);
      out += word.substr(0, fitting);
      word.remove_prefix(fitting);
      end_line();
    }
    out += word;
    used += DisplayWidth(word);
    begun = true;
  }
  out += '\n';
}

std::string RenderBlocks(const Table& table, std::size_t width, bool colour) {
  std::string out;
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    if (r > 0) out += '\n';
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const Cell& cell = table.rows[r][i];
      if (cell.text.empty()) continue;
      std::string line;
      Wrap(table.columns[i].title + ": " + Inert(cell.text), std::max(width, kNarrowest), "  ",
           line);
      out += Styled(line.substr(0, line.size() - 1), cell.style, colour);
      out += '\n';
    }
  }
  return out;
}

}  // namespace

OutputSettings SettingsOfProcess(bool json) {
  OutputSettings settings;
  settings.json = json;
  settings.progress_redraws = isatty(STDERR_FILENO) != 0;
  if (isatty(STDOUT_FILENO) != 0) {
    const char* term = std::getenv("TERM");
    const bool dumb = term != nullptr && std::string_view(term) == "dumb";
    settings.colour = !json && !dumb && !IsSetEnvironment("NO_COLOR");
    settings.redraws = !dumb;
    winsize size{};
    settings.width = 80;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
      settings.width = size.ws_col;
    }
  }
  return settings;
}

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) width += WidthOf(Take(text));
  return width;
}

std::string Fit(std::string_view text, std::size_t width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width == 0) return {};
  return std::string(text.substr(0, FittingBytes(text, width - 1))) + "…";
}

std::string Render(const Table& table, std::size_t width, bool colour) {
  std::vector<std::size_t> widths;
  for (const Table::Column& column : table.columns) widths.push_back(DisplayWidth(column.title));
  std::vector<std::vector<std::string>> texts;
  for (const auto& row : table.rows) {
    std::vector<std::string>& cells = texts.emplace_back();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      cells.push_back(Inert(row[i].text));
      widths[i] = std::max(widths[i], DisplayWidth(cells.back()));
    }
  }
  if (width > 0 && !Shrink(table, width, widths)) return RenderBlocks(table, width, colour);

  std::string out;
  const auto write = [&](std::size_t column, std::string_view text, Style style, bool last) {
    const std::string fitted = Fit(text, widths[column]);
    const std::string pad(widths[column] - DisplayWidth(fitted), ' ');
    if (table.columns[column].right) out += pad;
    out += Styled(fitted, style, colour);
    if (!table.columns[column].right && !last) out += pad;
    out += last ? "\n" : std::string(kGap, ' ');
  };
  for (std::size_t i = 0; i < widths.size(); ++i) {
    write(i, table.columns[i].title, Style::kStrong, i + 1 == widths.size());
  }
  for (std::size_t r = 0; r < texts.size(); ++r) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      write(i, texts[r][i], table.rows[r][i].style, i + 1 == widths.size());
    }
  }
  return out;
}

std::string JsonLine(const Json& json) {
  const std::string raw = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  // Outside of strings JSON has printable ASCII alone, so what is replaced stands in a string.
  std::string line;
  for (std::string_view rest = raw; !rest.empty();) {
    const std::string_view before = rest;
    const UChar32 point = Take(rest);
    const std::string_view taken = before.substr(0, before.size() - rest.size());
    if (taken == "\\" || client::Inert(taken) == taken) {
      line += taken;
      continue;
    }
    const auto escape = [&](unsigned unit) {
      std::array<char, 12> text{};
      std::snprintf(text.data(), text.size(), "\\u%04x", unit);
      line += text.data();
    };
    if (point > 0xffff) {
      escape(0xd800u + (static_cast<unsigned>(point - 0x10000) >> 10));
      escape(0xdc00u + (static_cast<unsigned>(point - 0x10000) & 0x3ffu));
    } else {
      escape(static_cast<unsigned>(point));
    }
  }
  return line;
}

void Output::Line(std::string_view text, Style style) {
  if (settings_.json) return;
  out_ << Styled(text, style, settings_.colour) << '\n' << std::flush;
}

void Output::Show(const Table& table) {
  if (settings_.json) return;
  out_ << Render(table, settings_.width, settings_.colour) << std::flush;
}

void Output::Fields(const std::vector<std::pair<std::string, Cell>>& fields) {
  if (settings_.json) return;
  std::size_t names = 0;
  for (const auto& [name, cell] : fields) names = std::max(names, DisplayWidth(name));
  for (const auto& [name, cell] : fields) {
    std::string line;
    const std::string indent(names + kGap, ' ');
    const std::size_t rest =
        settings_.width > names + kGap + kNarrowest ? settings_.width - names - kGap : 0;
    Wrap(Inert(cell.text), rest, "", line);
    std::string indented;
    for (std::size_t at = 0; at + 1 < line.size();) {
      const std::size_t end = line.find('\n', at);
      if (at > 0) indented += "\n" + indent;
      indented += Styled(line.substr(at, end - at), cell.style, settings_.colour);
      at = end + 1;
    }
    out_ << Styled(name, Style::kFaint, settings_.colour)
         << std::string(names - DisplayWidth(name) + kGap, ' ') << indented << '\n';
  }
  out_ << std::flush;
}

void Output::Emit(const Json& object) {
  if (!settings_.json) return;
  Json said = object;
  if (practice_) said["practice"] = true;
  out_ << JsonLine(said) << '\n' << std::flush;
}

void Output::Note(std::string_view text) { err_ << text << '\n' << std::flush; }

void Output::Clear() {
  out_ << "\x1b[H\x1b[2J" << std::flush;
  banner_shown_ = false;
}

void Output::Banner() {
  if (banner_shown_) return;
  banner_shown_ = true;
  if (practice_) return Note("PRACTICE: everybody here is invented; nothing here is real");
  Line("EVALUATION: to try Godwit out; not for real people", Style::kWarning);
}

void Output::Practice() {
  practice_ = true;
  Banner();
}

ExitCode Output::Fail(base::Literal doing, const base::Error& why) {
  const ExitCode exit = ExitCodeOf(why.code());
  if (settings_.json) {
    Emit({{"error",
           {{"code", Name(why.code())},
            {"what", "cannot " + std::string(doing.text())},
            {"why", why.message()},
            {"next", NextStep(why.code()).text()},
            {"exit", static_cast<int>(exit)}}}});
    return exit;
  }
  // TRANSLATORS: {0} says what was to be done, "open the case"; {1} is why it failed, {2} a code.
  err_ << Translated("godwit: cannot {0}: {1} ({2})", LookUp(doing.text()), WhyText(why),
                     Name(why.code()))
       << '\n'
       << LookUp(NextStep(why.code()).text()) << '\n'
       << std::flush;
  return exit;
}

Progress::Progress(Output& output, const base::Clock& clock)
    : output_(output), clock_(clock), started_(clock.Steady()), last_(started_) {}

Progress::~Progress() {
  if (drawn_) output_.err_ << "\r\x1b[K" << std::flush;
}

void Progress::Update(std::string_view phase, std::uint64_t done, std::uint64_t all) {
  const auto now = clock_.Steady();
  const bool redraws = output_.settings_.progress_redraws;
  const bool new_phase = phase != phase_;
  if (now - started_ < kQuiet) return;
  if (now - last_ < (redraws ? kRedraw : kPlainEvery) && !(new_phase && redraws)) return;
  last_ = now;
  phase_ = phase;
  // TRANSLATORS: {0} is what is done, "closing"; how far it has come follows.
  const std::string line = all > 0 ? Translated("{0}: {1} of {2}", phase, done, all)
                                   : Translated("{0}: {1}", phase, done);
  if (!redraws) {
    output_.err_ << line << '\n' << std::flush;
    return;
  }
  std::string bar;
  if (all > 0) {
    const std::uint64_t filled = std::min(done, all) * kBarWidth / all;
    bar = "[" + std::string(filled, '#') + std::string(kBarWidth - filled, ' ') + "] ";
  }
  output_.err_ << "\r\x1b[K" << bar << line << std::flush;
  drawn_ = true;
}

}  // namespace godwit::cli
