#include "tests/support/plaintext_search.h"

#include <gtest/gtest.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <pqxx/pqxx>
#include <set>
#include <unordered_map>

namespace godwit::support {
namespace {

std::string Base64(const std::string& text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i + 3 <= text.size(); i += 3) {
    const unsigned word = static_cast<unsigned char>(text[i]) << 16 |
                          static_cast<unsigned char>(text[i + 1]) << 8 |
                          static_cast<unsigned char>(text[i + 2]);
    for (int shift = 18; shift >= 0; shift -= 6) out.push_back(kDigits[word >> shift & 63]);
  }
  return out;
}

base::Bytes Utf16(const std::string& text, bool big) {
  base::Bytes out;
  const auto wide = icu::UnicodeString::fromUTF8(text);
  for (int i = 0; i < wide.length(); ++i) {
    const char16_t unit = wide[i];
    const auto high = static_cast<std::uint8_t>(unit >> 8);
    const auto low = static_cast<std::uint8_t>(unit & 0xff);
    out.push_back(big ? high : low);
    out.push_back(big ? low : high);
  }
  return out;
}

// Thousands of texts to be found in one pass: each stands under its first four bytes.
class Needles {
 public:
  void Add(const base::Bytes& form, const std::string& text) {
    const std::uint32_t begin = Begin(form.data());
    may_begin_[begin % kSlots] = true;
    by_begin_[begin].push_back({std::string(form.begin(), form.end()), &text});
  }

  void FindIn(std::string_view content, std::set<std::string>& found) const {
    for (std::size_t at = 0; at + 4 <= content.size(); ++at) {
      const auto begin = Begin(reinterpret_cast<const std::uint8_t*>(content.data()) + at);
      if (!may_begin_[begin % kSlots]) continue;
      const auto needles = by_begin_.find(begin);
      if (needles == by_begin_.end()) continue;
      for (const auto& [form, text] : needles->second) {
        if (content.substr(at).starts_with(form)) found.insert(*text);
      }
    }
  }

 private:
  static constexpr std::size_t kSlots = std::size_t{1} << 24;
  static std::uint32_t Begin(const std::uint8_t* bytes) {
    std::uint32_t begin = 0;
    std::memcpy(&begin, bytes, sizeof begin);
    return begin;
  }

  std::vector<bool> may_begin_ = std::vector<bool>(kSlots);
  std::unordered_map<std::uint32_t, std::vector<std::pair<std::string, const std::string*>>>
      by_begin_;
};

// Calls `take` with every regular file below `folder`. What vanishes meanwhile, as databases of
// other tests do, is passed over, and nothing else with it.
template <class Take>
void ForEachFile(const std::filesystem::path& folder, const Take& take) {
  std::error_code gone;
  std::filesystem::directory_iterator at(folder, gone);
  for (; !gone && at != std::filesystem::directory_iterator(); at.increment(gone)) {
    std::error_code error;
    if (at->is_directory(error) && !at->is_symlink(error)) {
      ForEachFile(at->path(), take);
    } else if (at->is_regular_file(error)) {
      take(at->path());
    }
  }
}

}  // namespace

std::vector<base::Bytes> FormsOf(const std::string& text) {
  std::vector<base::Bytes> forms;
  const auto add = [&](std::string_view form) {
    forms.push_back(base::ToBytes(base::AsBytes(form)));
  };
  add(text);
  add(base::ToHex(base::AsBytes(text)));
  // A text of three more bytes has whole groups in each phase.
  for (std::size_t phase = 0; phase < 3 && text.size() >= phase + 6; ++phase) {
    add(Base64(text.substr(phase)));
  }
  forms.push_back(Utf16(text, false));
  forms.push_back(Utf16(text, true));
  add(std::string(text.rbegin(), text.rend()));
  return forms;
}

PlaintextSearch::PlaintextSearch(const std::string& superuser) : superuser_(superuser) {}

void PlaintextSearch::Look(const std::string& text) { texts_.push_back(text); }

std::vector<std::string> PlaintextSearch::Run() const {
  std::filesystem::path data;
  {
    pqxx::connection connection(superuser_);
    pqxx::nontransaction work(connection);
    work.exec("CHECKPOINT");
    data = work.exec("SHOW data_directory")[0][0].c_str();
  }
  Needles needles;
  for (const std::string& text : texts_) {
    for (const base::Bytes& form : FormsOf(text)) needles.Add(form, text);
  }
  std::set<std::string> found;
  std::size_t files = 0;
  ForEachFile(data, [&](const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(in)),
                              std::istreambuf_iterator<char>());
    ++files;
    needles.FindIn(content, found);
  });
  EXPECT_GT(files, 100u) << "the data directory was not read";
  return {found.begin(), found.end()};
}

}  // namespace godwit::support
