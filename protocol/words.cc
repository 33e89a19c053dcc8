#include "protocol/words.h"

#include <algorithm>
#include <cassert>

#include "crypto/hash.h"

namespace godwit::protocol {
namespace {

constexpr std::array<std::string_view, 2048> kWords{
#include "protocol/words_english.inc"
};

std::size_t BitsAt(std::span<const std::uint8_t> bytes, std::size_t word) {
  std::size_t index = 0;
  for (std::size_t bit = word * 11; bit < word * 11 + 11; ++bit) {
    index = index << 1 | (bytes[bit / 8] >> (7 - bit % 8) & 1u);
  }
  return index;
}

}  // namespace

std::span<const std::string_view, 2048> WordList() { return kWords; }

std::string BitsAsWords(std::span<const std::uint8_t> bytes, std::size_t count) {
  assert(bytes.size() * 8 >= count * 11);
  std::string words;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) words.push_back(' ');
    words.append(kWords[BitsAt(bytes, i)]);
  }
  return words;
}

std::string FingerprintWords(const base::Fingerprint& fingerprint) {
  return BitsAsWords(fingerprint.bytes(), 12);
}

std::string SecretAsWords(std::span<const std::uint8_t, 16> secret) {
  std::array<std::uint8_t, 17> bits{};
  std::ranges::copy(secret, bits.begin());
  bits[16] = crypto::Sha256(secret)[0];
  return BitsAsWords(bits, 12);
}

std::optional<std::array<std::uint8_t, 16>> SecretFromWords(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!space) {
      words.back().push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  if (words.size() != 12) return std::nullopt;
  std::array<std::uint8_t, 17> bits{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto found = std::ranges::lower_bound(kWords, words[i]);
    if (found == kWords.end() || *found != words[i]) return std::nullopt;
    const auto index = static_cast<std::size_t>(found - kWords.begin());
    for (std::size_t bit = 0; bit < 11; ++bit) {
      const std::size_t at = i * 11 + bit;
      const auto one = static_cast<unsigned>(index >> (10 - bit) & 1u);
      bits[at / 8] = static_cast<std::uint8_t>(bits[at / 8] | one << (7 - at % 8));
    }
  }
  std::array<std::uint8_t, 16> secret{};
  std::copy_n(bits.begin(), 16, secret.begin());
  if ((crypto::Sha256(secret)[0] & 0xf0) != bits[16]) return std::nullopt;
  return secret;
}

}  // namespace godwit::protocol
