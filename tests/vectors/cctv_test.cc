// C2SP/CCTV ed25519: 914 signatures at the edges, which implementations judge differently.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "crypto/sign.h"
#include "tests/vectors/vectors.h"

namespace godwit::crypto {
namespace {

using support::Hex;
using support::Json;

// A signature with any of these flags is refused, every other one is accepted: the rule of
// libsodium, and with it ours.
constexpr std::array<std::string_view, 6> kRefused{"low_order_A",       "low_order_R",
                                                   "low_order_residue", "non_canonical_A",
                                                   "non_canonical_R",   "reencoded_k"};

TEST(Attack, Row42_CctvEd25519) {
  const auto file = support::Vectors("cctv/ed25519vectors.json");
  if (!file) return;
  std::size_t ran = 0;
  std::size_t accepted = 0;
  for (const auto& test : *file) {
    SCOPED_TRACE(test["number"].dump());
    bool want = true;
    if (test["flags"].is_array()) {
      for (const auto& flag : test["flags"]) {
        if (std::ranges::find(kRefused, flag.get<std::string>()) != kRefused.end()) want = false;
      }
    }
    const auto key = SigningPublicKey::FromBytes(Hex(test["key"]));
    const auto signature = Signature::FromBytes(Hex(test["sig"]));
    ASSERT_TRUE(key && signature);
    const auto text = test["msg"].get<std::string>();
    EXPECT_EQ(VerifyBare(*key, base::AsBytes(text), *signature), want);
    ++ran;
    if (want) ++accepted;
  }
  support::ReportCount("cctv ed25519", ran, 914);
  support::ReportCount("cctv ed25519, accepted", accepted, 43);
}

}  // namespace
}  // namespace godwit::crypto
