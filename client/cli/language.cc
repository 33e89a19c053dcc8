#include "client/cli/language.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace godwit::cli {
namespace {

constexpr std::uint32_t kMagic = 0x950412de;
constexpr std::size_t kHeader = 20;  // magic, revision, count, two tables
constexpr std::size_t kRow = 8;      // size, offset
constexpr char kContextEnd = '\x04';

struct InUse {
  std::string language;
  std::optional<Catalog> catalog;
};
InUse& OfReader() {
  static InUse in_use;
  return in_use;
}
// Of somebody else, while there is work for them.
thread_local const InUse* of_other = nullptr;
const InUse& Current() { return of_other != nullptr ? *of_other : OfReader(); }

// The first catalog of `language` in `folders`; English is no language, and needs none.
std::optional<InUse> ReadCatalog(std::string_view language,
                                 const std::vector<std::filesystem::path>& folders) {
  if (language.empty()) return InUse{};
  for (const auto& folder : folders) {
    std::ifstream file(folder / language / "LC_MESSAGES" / "godwit.mo", std::ios::binary);
    if (!file) continue;
    std::ostringstream bytes;
    bytes << file.rdbuf();
    auto catalog = Catalog::Parse(std::move(bytes).str());
    if (catalog) return InUse{std::string(language), *std::move(catalog)};
  }
  return std::nullopt;
}

std::vector<std::filesystem::path> FoldersOfProgram() {
  std::error_code none;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", none);
  if (none) return {};
  const auto folder = program.parent_path();
  return {folder / "locale", folder.parent_path() / "share" / "locale"};
}

std::string_view Found(std::string_view text) {
  const auto& catalog = Current().catalog;
  // The empty text is the catalog's own header.
  return catalog && !text.empty() ? catalog->Find(text) : std::string_view();
}

// The one of kLanguages that a locale's name means: "ko_KR.UTF-8".
std::string_view Known(std::string_view locale) {
  const std::string_view name = locale.substr(0, locale.find_first_of(".@"));
  const std::string_view alone = name.substr(0, name.find('_'));
  // Who reads Simplified Chinese without saying where.
  if (alone == "zh" && (name == alone || name == "zh_SG" || name == "zh_Hans")) return "zh_CN";
  for (const std::string_view candidate : {name, alone}) {
    const auto* found = std::ranges::find(kLanguages, candidate);
    if (found != kLanguages.end()) return *found;
  }
  return {};
}

bool IsEnglish(std::string_view locale) { return locale == "en" || locale.starts_with("en_"); }

}  // namespace

std::uint32_t Catalog::Word(std::size_t offset) const {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes_.data() + offset, sizeof(word));
  return word;
}

std::optional<std::string_view> Catalog::At(std::uint32_t table, std::uint32_t index) const {
  const std::size_t row = table + std::size_t{index} * kRow;
  const std::size_t size = Word(row);
  const std::size_t offset = Word(row + sizeof(std::uint32_t));
  if (size >= bytes_.size() || offset > bytes_.size() - size - 1) return std::nullopt;
  const std::string_view text = std::string_view(bytes_).substr(offset, size);
  // Behind a NUL the plural stands.
  return text.substr(0, text.find('\0'));
}

std::optional<Catalog> Catalog::Parse(std::string bytes) {
  Catalog catalog(std::move(bytes));
  const std::size_t size = catalog.bytes_.size();
  if (size < kHeader || catalog.Word(0) != kMagic || catalog.Word(4) >> 16 != 0) {
    return std::nullopt;
  }
  catalog.count_ = catalog.Word(8);
  catalog.originals_ = catalog.Word(12);
  catalog.translations_ = catalog.Word(16);
  for (const std::size_t table : {catalog.originals_, catalog.translations_}) {
    if (table > size || catalog.count_ > (size - table) / kRow) return std::nullopt;
  }
  for (std::uint32_t i = 0; i < catalog.count_; ++i) {
    if (!catalog.At(catalog.originals_, i) || !catalog.At(catalog.translations_, i)) {
      return std::nullopt;
    }
  }
  return catalog;
}

std::string_view Catalog::Find(std::string_view text) const {
  // The originals are sorted.
  std::uint32_t first = 0;
  std::uint32_t end = count_;
  while (first < end) {
    const std::uint32_t middle = first + (end - first) / 2;
    const std::string_view original = *At(originals_, middle);
    if (original == text) return *At(translations_, middle);
    if (original < text) {
      first = middle + 1;
    } else {
      end = middle;
    }
  }
  return {};
}

std::string LanguageOf(std::string_view chosen, const Environment& environment) {
  if (!chosen.empty()) return std::string(Known(chosen));
  std::string locale;
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    if (locale.empty()) locale = environment(name);
  }
  const std::string_view base = std::string_view(locale).substr(0, locale.find('.'));
  if (base.empty() || base == "C" || base == "POSIX") return {};
  std::istringstream list(environment("LANGUAGE"));
  for (std::string each; std::getline(list, each, ':');) {
    if (IsEnglish(each)) return {};
    if (const auto known = Known(each); !known.empty()) return std::string(known);
  }
  return std::string(Known(locale));
}

std::string LanguageOf(std::string_view chosen) {
  return LanguageOf(chosen, [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  });
}

void UseLanguage(std::string_view language, const std::vector<std::filesystem::path>& folders) {
  OfReader() = ReadCatalog(language, folders).value_or(InUse{});
}

void UseLanguage(std::string_view language) { UseLanguage(language, FoldersOfProgram()); }

bool InLanguage(std::string_view language, const std::vector<std::filesystem::path>& folders,
                const std::function<void()>& work) {
  const auto other = ReadCatalog(language, folders);
  if (!other) return false;
  const InUse* const before = std::exchange(of_other, &*other);
  work();
  of_other = before;
  return true;
}

bool InLanguage(std::string_view language, const std::function<void()>& work) {
  return InLanguage(language, FoldersOfProgram(), work);
}

const std::string& LanguageInUse() { return Current().language; }

std::string LookUp(std::string_view text) {
  const std::string_view found = Found(text);
  return std::string(found.empty() ? text : found);
}

std::string LookUp(std::string_view context, std::string_view text) {
  std::string key(context);
  key += kContextEnd;
  key += text;
  const std::string_view found = Found(key);
  return std::string(found.empty() ? text : found);
}

bool IsTranslated(std::string_view text) { return !Found(text).empty(); }

std::string Fill(std::string_view format, std::initializer_list<std::string> values) {
  std::string filled;
  while (!format.empty()) {
    // "{7}": no text has more than ten values.
    if (format.size() >= 3 && format[0] == '{' && format[2] == '}' && format[1] >= '0') {
      const auto index = static_cast<std::size_t>(format[1] - '0');
      if (index < values.size()) {
        filled += values.begin()[index];
        format.remove_prefix(3);
        continue;
      }
    }
    filled += format.front();
    format.remove_prefix(1);
  }
  return filled;
}

}  // namespace godwit::cli
