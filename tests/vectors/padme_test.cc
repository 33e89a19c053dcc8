// Padmé: the assertions of dedis/purb, and its formula evaluated with integers.

#include <gtest/gtest.h>

#include "crypto/padding.h"
#include "tests/vectors/vectors.h"

namespace godwit::crypto {
namespace {

TEST(Vectors, PadmeOfDedisPurb) {
  const auto file = support::Vectors("padme/padme.json");
  if (!file) return;
  std::size_t ran = 0;
  for (const char* part : {"upstream_asserted", "computed"}) {
    for (const auto& test : (*file)[part]) {
      EXPECT_EQ(PaddedSize(test["L"].get<std::size_t>(), 0), test["want"].get<std::size_t>())
          << test;
      ++ran;
    }
  }
  support::ReportCount("padme", ran, 50);
}

}  // namespace
}  // namespace godwit::crypto
