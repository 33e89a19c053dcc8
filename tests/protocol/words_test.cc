#include "protocol/words.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <set>
#include <sstream>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "tests/protocol/generators.h"
#include "tests/support/shared.h"

namespace godwit::protocol {
namespace {

using Secret = std::array<std::uint8_t, 16>;

std::vector<std::string> Split(const std::string& words) {
  std::istringstream in(words);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

// The hash of the list as its makers publish it, a newline after each word.
TEST(Words, ListIsTheEnglishOneOfBip39) {
  std::string text;
  for (const auto word : WordList()) text.append(word).append("\n");
  EXPECT_EQ(base::ToHex(crypto::Sha256(base::AsBytes(text))),
            "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
  EXPECT_TRUE(std::ranges::is_sorted(WordList()));
  std::set<std::string_view> starts;
  for (const auto word : WordList()) starts.insert(word.substr(0, 4));
  EXPECT_EQ(starts.size(), 2048U);
  const auto shared = support::SharedFolder();
  if (!shared) return;
  std::ifstream file(*shared / "vectors" / "bip39" / "english.txt");
  std::ostringstream published;
  published << file.rdbuf();
  EXPECT_EQ(published.str(), text);
}

// bip39's published vectors (trezor/python-mnemonic, vectors.json) for entropies of 128 bits.
TEST(Words, SecretsReadAsBip39Says) {
  const struct {
    const char* entropy;
    const char* words;
  } rows[] = {
      {"00000000000000000000000000000000",
       "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
       "about"},
      {"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
       "legal winner thank year wave sausage worth useful legal winner thank yellow"},
      {"80808080808080808080808080808080",
       "letter advice cage absurd amount doctor acoustic avoid letter advice cage above"},
      {"ffffffffffffffffffffffffffffffff", "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong"},
      {"9e885d952ad362caeb4efe34a8e91bd2",
       "ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.entropy);
    const auto bytes = *base::FromHex(row.entropy);
    Secret secret{};
    std::ranges::copy(bytes, secret.begin());
    EXPECT_EQ(SecretAsWords(secret), row.words);
    EXPECT_EQ(SecretFromWords(row.words), secret);
  }
}

RC_GTEST_PROP(WordsProperty, ASecretComesBackFromItsWords, (const Secret& secret)) {
  const std::string words = SecretAsWords(secret);
  RC_ASSERT(Split(words).size() == 12U);
  RC_ASSERT(SecretFromWords(words) == secret);
  // As people type it.
  std::string typed = "  \t";
  for (const char c : words) {
    typed += c == ' ' ? std::string(" \n ") : std::string(1, static_cast<char>(std::toupper(c)));
  }
  RC_ASSERT(SecretFromWords(typed + "\r\n") == secret);
}

// The checksum has 4 bits: of 2,047 other last words only 127 read as a secret, another one.
RC_GTEST_PROP(WordsProperty, AnotherLastWordIsAnotherSecretOrNone, (const Secret& secret)) {
  const std::string words = SecretAsWords(secret);
  const std::string start = words.substr(0, words.rfind(' ') + 1);
  std::size_t read = 0;
  for (const auto word : WordList()) {
    const auto other = SecretFromWords(start + std::string(word));
    if (!other) continue;
    ++read;
    RC_ASSERT(SecretAsWords(*other) == start + std::string(word));
  }
  RC_ASSERT(read == 128U);
}

RC_GTEST_PROP(WordsProperty, AnyTextIsASecretOrNone, (const std::string& text)) {
  const auto secret = SecretFromWords(text);
  if (secret) RC_ASSERT(Split(SecretAsWords(*secret)).size() == 12U);
}

TEST(Words, RefusesWhatIsNoSecret) {
  const std::string good =
      "legal winner thank year wave sausage worth useful legal winner thank yellow";
  EXPECT_TRUE(SecretFromWords(good));
  for (const std::string& bad :
       {std::string(), std::string("   "), good + " legal", good.substr(0, good.rfind(' ')),
        std::string("legal winner thank year wave sausage worth useful legal winner thank thank"),
        std::string("legal winner thank year wave sausage worth useful legal winner thank yello"),
        std::string("legal winner thank year wave sausage worth useful legal winner thank zzz"),
        std::string("winner legal thank year wave sausage worth useful legal winner thank yellow"),
        std::string("legal,winner thank year wave sausage worth useful legal winner thank yellow"),
        std::string("legal winner thank year wave sausage worth useful legal winner thank "
                    "yellow\xc3\xa9")}) {
    EXPECT_FALSE(SecretFromWords(bad)) << bad;
  }
}

// The last of them is all zeros, as what is missing would be.
TEST(Words, RefusesElevenWordsOfASecret) {
  Secret secret{};
  std::string words;
  do {
    ++secret[0];
    words = SecretAsWords(secret);
  } while (Split(words).back() != "abandon");
  EXPECT_EQ(SecretFromWords(words), secret);
  EXPECT_FALSE(SecretFromWords(words.substr(0, words.rfind(' '))));
}

TEST(Words, AFingerprintIsTwelveWordsOfItsFirst132Bits) {
  std::array<std::uint8_t, 32> bytes{};
  EXPECT_EQ(FingerprintWords(base::Fingerprint(bytes)),
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
            "abandon abandon");
  // Bit 131 is the last that shows, bit 132 the first that does not.
  bytes[16] = 0x10;
  EXPECT_EQ(Split(FingerprintWords(base::Fingerprint(bytes))).back(), "ability");
  bytes[16] = 0x08;
  EXPECT_EQ(Split(FingerprintWords(base::Fingerprint(bytes))).back(), "abandon");
  bytes = {};
  bytes[0] = 0x80;
  EXPECT_EQ(Split(FingerprintWords(base::Fingerprint(bytes))).front(), WordList()[1024]);
}

TEST(Words, BitsAreReadElevenAtATime) {
  std::array<std::uint8_t, 11> bytes{};
  // 0x001, 0x002, ... as eleven-bit numbers.
  for (std::size_t word = 0; word < 8; ++word) {
    for (std::size_t bit = 0; bit < 11; ++bit) {
      const std::size_t at = word * 11 + bit;
      const auto one = static_cast<unsigned>((word + 1) >> (10 - bit) & 1);
      bytes[at / 8] = static_cast<std::uint8_t>(bytes[at / 8] | one << (7 - at % 8));
    }
  }
  std::string want;
  for (std::size_t word = 1; word <= 8; ++word) {
    want += (word > 1 ? " " : "") + std::string(WordList()[word]);
  }
  EXPECT_EQ(BitsAsWords(bytes, 8), want);
  EXPECT_EQ(BitsAsWords(bytes, 0), "");
}

}  // namespace
}  // namespace godwit::protocol
