#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// Texts for people, in the reader's language. A text is written in English where it is made, in a
// call that scripts/update_translations.sh knows by its name, and looked up where it is printed;
// what no catalog has is shown in English. With --json no catalog is read, so that what programs
// read is the same everywhere.
namespace godwit::cli {

// The languages besides English, as gettext names them: po/<name>.po.
inline constexpr std::array<std::string_view, 3> kLanguages{"ko", "th", "zh_CN"};

// The messages of one language: a file that msgfmt makes (GNU gettext manual, section 10.3, "The
// Format of GNU MO Files"), of this machine's byte order. Read by hand, since glibc's gettext looks
// nothing up in the locale C.UTF-8 (from glibc 2.39 on), which is often the only one there is.
class Catalog {
 public:
  // Nothing if `bytes` are no such file.
  static std::optional<Catalog> Parse(std::string bytes);

  // What stands for `text`, the singular where there is a plural too; empty: nothing. It lives as
  // long as the catalog.
  std::string_view Find(std::string_view text) const;

 private:
  // A text with a NUL behind it, by its place in bytes_.
  struct Entry {
    std::uint32_t size;
    std::uint32_t offset;
  };
  explicit Catalog(std::string bytes) : bytes_(std::move(bytes)) {}
  std::uint32_t Word(std::size_t offset) const;
  // The row at `index` of the table at `table`; nothing: it points out of the file.
  std::optional<std::string_view> At(std::uint32_t table, std::uint32_t index) const;

  std::string bytes_;
  std::uint32_t count_ = 0;
  std::uint32_t originals_ = 0;
  std::uint32_t translations_ = 0;
};

// The value of an environment variable; empty if it is not set.
using Environment = std::function<std::string(const char* name)>;
// Which of kLanguages people read here; empty: English. `chosen`, as --language has it, or else the
// first of the environment's that there is: LANGUAGE, a list, unless the locale is none, C or
// POSIX; then LC_ALL, LC_MESSAGES or LANG, whichever is set first.
std::string LanguageOf(std::string_view chosen, const Environment& environment);
// By this process's environment.
std::string LanguageOf(std::string_view chosen);

// Reads the catalog of `language`, from the first of `folders` that has <language>/LC_MESSAGES/
// godwit.mo; from then on texts are looked up in it, and in none if there is no such file. Not
// thread-safe: to be called before there are other threads, and by tests.
void UseLanguage(std::string_view language, const std::vector<std::filesystem::path>& folders);
// The same with the folders of this program: locale/ beside it, then ../share/locale.
void UseLanguage(std::string_view language);
// Does `work` with the texts of this thread in another language, as for somebody else than who sits
// here: empty for English, else as UseLanguage has it. False: there is no catalog of it, and
// nothing was done.
bool InLanguage(std::string_view language, const std::vector<std::filesystem::path>& folders,
                const std::function<void()>& work);
bool InLanguage(std::string_view language, const std::function<void()>& work);
// The language that texts are in now; empty: English.
const std::string& LanguageInUse();

// `text` as it is in the reader's language, or itself. Where it is not known to be one of the
// program's own texts, it may be any.
std::string LookUp(std::string_view text);
// The same of a text with a context: "code", "field".
std::string LookUp(std::string_view context, std::string_view text);
// Whether the reader's language has `text`; false in English.
bool IsTranslated(std::string_view text);

// `format` with {0}, {1} and so on replaced by `values`, which are not looked at; what has no value
// stays.
std::string Fill(std::string_view format, std::initializer_list<std::string> values);

inline std::string ValueText(std::string_view value) { return std::string(value); }
inline std::string ValueText(std::integral auto value) { return std::to_string(value); }

// `text` in the reader's language, with its {0}, {1} filled in.
template <class... Values>
std::string Translated(base::Literal text, const Values&... values) {
  return Fill(LookUp(text.text()), {ValueText(values)...});
}
// The same of something counted, which is {0}: "{0} case", "{0} cases".
template <class... Values>
std::string Counted(std::integral auto count, base::Literal one, base::Literal many,
                    const Values&... values) {
  // No language that there is a catalog for has a plural.
  const std::string_view english = count == 1 ? one.text() : many.text();
  const std::string_view format = IsTranslated(one.text()) ? one.text() : english;
  return Fill(LookUp(format), {ValueText(count), ValueText(values)...});
}

// Marks a text that is looked up where it is printed.
consteval std::string_view Translatable(base::Literal text) { return text.text(); }

}  // namespace godwit::cli
