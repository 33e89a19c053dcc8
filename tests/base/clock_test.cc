#include "base/clock.h"

#include <gtest/gtest.h>

namespace godwit::base {
namespace {

TEST(Clock, TellsMillisecondsSince1970AndNeverGoesBack) {
  const auto& clock = SystemClock();
  // 2024-01-01 and 2100-01-01: whoever counts seconds or microseconds falls outside.
  EXPECT_GT(clock.NowMs(), 1'704'067'200'000U);
  EXPECT_LT(clock.NowMs(), 4'102'444'800'000U);
  const auto before = clock.Steady();
  EXPECT_GE(clock.Steady(), before);
}

}  // namespace
}  // namespace godwit::base
