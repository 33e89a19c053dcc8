#include <gtest/gtest.h>

#include "tests/e2e/writer_race.h"

namespace godwit::client {
namespace {

TEST(WriterRule, HoldsForTwoWritersAndARevokerTenThousandTimes) {
  for (int i = 0; i < 50; ++i) RaceWriters(200);
}

}  // namespace
}  // namespace godwit::client
