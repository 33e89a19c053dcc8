#include <gtest/gtest.h>

#include "tests/e2e/histories.h"

namespace godwit::client {
namespace {

TEST(Histories, ThousandConvergeAndLoseNothing) {
  for (unsigned seed = 2; seed < 12; ++seed) RunHistories(100, seed);
}

}  // namespace
}  // namespace godwit::client
