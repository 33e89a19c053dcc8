#include "crypto/argon2id.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/support/keys.h"

namespace godwit::crypto {
namespace {

constexpr std::uint64_t kSmall = 8 * 1024;
constexpr std::array<std::uint8_t, 16> kSalt{1, 2, 3};
constexpr std::array<std::uint8_t, 16> kOtherSalt{9, 2, 3};

SecretBytes Text(std::string_view text) { return SecretBytes::Copy(base::AsBytes(text)); }

TEST(Argon2id, EveryInputChangesTheKey) {
  const auto key = Argon2id(Text("open sesame"), kSalt, 1, kSmall);
  ASSERT_TRUE(key);
  ASSERT_EQ(key->size(), 64U);
  const auto plain = support::Plain(*key);
  EXPECT_EQ(support::Plain(*Argon2id(Text("open sesame"), kSalt, 1, kSmall)), plain);
  EXPECT_NE(support::Plain(*Argon2id(Text("open sesamf"), kSalt, 1, kSmall)), plain);
  EXPECT_NE(support::Plain(*Argon2id(Text("open sesame"), kOtherSalt, 1, kSmall)), plain);
  EXPECT_NE(support::Plain(*Argon2id(Text("open sesame"), kSalt, 2, kSmall)), plain);
  EXPECT_NE(support::Plain(*Argon2id(Text("open sesame"), kSalt, 1, 2 * kSmall)), plain);
}

TEST(Argon2id, TakesAnEmptyPassphrase) { EXPECT_TRUE(Argon2id(SecretBytes(), kSalt, 1, kSmall)); }

TEST(Argon2id, RefusesWhatCannotBeDone) {
  const struct {
    const char* name;
    std::uint32_t ops;
    std::uint64_t memory;
    std::size_t size;
  } rows[] = {
      {"no pass", 0, kSmall, 64},
      {"no memory", 1, 0, 64},
      {"less memory than the algorithm works with", 1, kSmall - 1, 64},
      {"a key of nothing", 1, kSmall, 0},
      {"more memory than there is", 1, std::uint64_t{1} << 41, 64},
      {"more memory than there are numbers for", 1, ~std::uint64_t{0}, 64},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto key = Argon2id(Text("x"), kSalt, row.ops, row.memory, row.size);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code(), base::Code::kResourceExhausted);
  }
}

}  // namespace
}  // namespace godwit::crypto
