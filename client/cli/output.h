#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "client/cli/errors.h"
#include "client/cli/language.h"

namespace godwit::cli {

// Keys stay in the order in which they are written.
using Json = nlohmann::ordered_json;

// How and where to write.
struct OutputSettings {
  bool json = false;
  bool colour = false;            // on stdout
  bool progress_redraws = false;  // stderr is a terminal
  bool redraws = false;           // stdout is one that understands escapes
  std::size_t width = 0;          // columns of the terminal on stdout; 0: no limit
};
// What the two streams of this process and its environment ask for: colours on a terminal unless
// NO_COLOR is set to something (https://no-color.org) or TERM is "dumb".
OutputSettings SettingsOfProcess(bool json);

enum class Style { kPlain, kStrong, kFaint, kGood, kWarning, kBad };

// One cell of a table; its text may come from anywhere.
struct Cell {
  Cell(std::string cell_text = {}, Style cell_style = Style::kPlain)  // NOLINT: implicit by design
      : text(std::move(cell_text)), style(cell_style) {}
  Cell(const char* cell_text) : text(cell_text) {}  // NOLINT: implicit by design
  std::string text;
  Style style = Style::kPlain;
};
struct Table {
  struct Column {
    std::string title;
    bool right = false;    // numbers
    bool shrinks = false;  // may be cut where the terminal is narrow
  };
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;  // as many cells as there are columns
};

// The columns of a table by their titles, in the reader's language.
inline Table::Column Column(base::Literal title) { return {LookUp(title.text())}; }
inline Table::Column Shrinking(base::Literal title) { return {LookUp(title.text()), false, true}; }
inline Table::Column Number(base::Literal title) { return {LookUp(title.text()), true}; }
// The name of a field for Output::Fields, in the reader's language.
inline std::string Label(base::Literal name) { return LookUp(name.text()); }

// Columns of a terminal that `text` takes: two for East Asian wide characters, none for marks.
std::size_t DisplayWidth(std::string_view text);
// `text` in at most `width` columns, an ellipsis at its end if it was cut.
std::string Fit(std::string_view text, std::size_t width);
// `table` with a header, no line wider than `width` (0: no limit). Where the columns cannot be made
// narrow enough, each row is written as lines "title: text". Cells are made inert.
std::string Render(const Table& table, std::size_t width, bool colour);
// `json` on one line; characters that steer a terminal or turn the direction of writing escaped.
std::string JsonLine(const Json& json);

// What a command says. Not thread-safe.
class Output {
 public:
  // The streams must outlive it.
  Output(const OutputSettings& settings, std::ostream& out, std::ostream& err)
      : settings_(settings), out_(out), err_(err) {}

  bool json() const { return settings_.json; }
  const OutputSettings& settings() const { return settings_; }

  // For people, on stdout; nothing with --json. `text` is this program's own or made inert, and may
  // have several lines; a literal is shown in the reader's language.
  void Line(std::string_view text = {}, Style style = Style::kPlain);
  template <std::size_t N>
  void Line(const char (&text)[N], Style style = Style::kPlain) {
    Line(std::string_view(LookUp(text)), style);
  }
  void Show(const Table& table);
  // "name  value" with values that may come from anywhere, in one column.
  void Fields(const std::vector<std::pair<std::string, Cell>>& fields);
  // For programs, on stdout; nothing without --json.
  void Emit(const Json& object);
  // For people, on stderr, with --json too.
  void Note(std::string_view text);
  template <std::size_t N>
  void Note(const char (&text)[N]) {
    Note(std::string_view(LookUp(text)));
  }
  // Whether what stands on stdout can be drawn over: it is a terminal.
  bool Redraws() const { return settings_.redraws && !settings_.json; }
  // Empties that terminal, to draw anew.
  void Clear();
  // The line that every screen of an evaluation organisation begins with; once a process.
  void Banner();
  // From now on everything that is said is of a practice organisation: a line on stderr, once a
  // process, and "practice" in every object.
  void Practice();

  // Says what failed, why, and what to do next; as {"error": {...}} with --json. `doing` completes
  // "cannot ...". Returns how the command ends.
  ExitCode Fail(base::Literal doing, const base::Error& why);

 private:
  friend class Progress;

  OutputSettings settings_;
  std::ostream& out_;
  std::ostream& err_;
  bool banner_shown_ = false;
  bool practice_ = false;
};

// How far a long job has come, on stderr: a bar that is drawn again on a terminal, a line every
// five seconds elsewhere; nothing for what takes less than half a second. Not thread-safe.
class Progress {
 public:
  explicit Progress(Output& output, const base::Clock& clock = base::SystemClock());
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();  // wipes the bar

  // `all` 0: not known.
  void Update(std::string_view phase, std::uint64_t done, std::uint64_t all);

 private:
  Output& output_;
  const base::Clock& clock_;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point last_;
  std::string phase_;
  bool drawn_ = false;
};

}  // namespace godwit::cli
