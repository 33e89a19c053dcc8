// Argon2id as the reference command line tool computes it, independent of libsodium.

#include "crypto/argon2id.h"

#include <gtest/gtest.h>

#include "tests/support/keys.h"
#include "tests/vectors/vectors.h"

namespace godwit::crypto {
namespace {

using support::Hex;

TEST(Vectors, Argon2idOfTheReferenceTool) {
  const auto file = support::Vectors("argon2id/argon2id_reference_cli.json");
  if (!file) return;
  std::size_t ran = 0;
  for (const auto& test : (*file)["tests"]) {
    SCOPED_TRACE(test["encoded"].get<std::string>());
    ASSERT_EQ(test["parallelism"], 1);
    ASSERT_EQ(test["version"], 0x13);
    const auto salt = Hex(test["salt_hex"]);
    ASSERT_EQ(salt.size(), 16U);
    const auto key =
        Argon2id(SecretBytes::Copy(Hex(test["password_utf8_hex"])),
                 base::ByteSpan(salt).first<16>(), test["t_cost"].get<std::uint32_t>(),
                 test["m_cost_KiB"].get<std::uint64_t>() * 1024, test["outlen"].get<std::size_t>());
    ASSERT_TRUE(key);
    EXPECT_EQ(support::Plain(*key), Hex(test["hash_hex"]));
    ++ran;
  }
  support::ReportCount("argon2id reference tool", ran, 7);
}

}  // namespace
}  // namespace godwit::crypto
