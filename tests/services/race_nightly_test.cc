#include <gtest/gtest.h>

#include "tests/services/race.h"

namespace godwit::realm {
namespace {

TEST(Attack, Row28RevokeAgainstWriteTenThousandTimes) {
  for (int i = 0; i < 20; ++i) RaceRevocations(500);
}

}  // namespace
}  // namespace godwit::realm
