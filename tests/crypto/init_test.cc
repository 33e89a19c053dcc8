#include "crypto/init.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>

#include "crypto/random.h"

namespace godwit::crypto {
namespace {

TEST(Init, LeavesNoCoreFileAndNoDebugger) {
  ASSERT_TRUE(Init());
  EXPECT_EQ(prctl(PR_GET_DUMPABLE), 0);
  rlimit core{1, 1};
  ASSERT_EQ(getrlimit(RLIMIT_CORE, &core), 0);
  EXPECT_EQ(core.rlim_cur, 0U);
  EXPECT_EQ(core.rlim_max, 0U);
}

TEST(Init, MayBeCalledAgain) {
  EXPECT_TRUE(Init());
  EXPECT_TRUE(Init());
}

TEST(Attack, Row49_AGeneratorThatRepeatsItselfIsCaughtAtStart) {
  EXPECT_TRUE(internal::LooksRandom(FillRandom));
  EXPECT_FALSE(internal::LooksRandom([](std::span<std::uint8_t>) {}));
  EXPECT_FALSE(internal::LooksRandom(
      [](std::span<std::uint8_t> out) { std::ranges::fill(out, std::uint8_t{0x42}); }));
  EXPECT_FALSE(internal::LooksRandom([](std::span<std::uint8_t> out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(i);
  }));
  // Differs from draw to draw, but is one byte over and over.
  std::uint8_t next = 0;
  EXPECT_FALSE(
      internal::LooksRandom([&](std::span<std::uint8_t> out) { std::ranges::fill(out, next++); }));
}

TEST(Random, IdsAreNeverZeroAndNeverTheSame) {
  const auto a = RandomId<base::RecordId>();
  const auto b = RandomId<base::RecordId>();
  EXPECT_FALSE(a.IsZero());
  EXPECT_NE(a, b);
}

}  // namespace
}  // namespace godwit::crypto
