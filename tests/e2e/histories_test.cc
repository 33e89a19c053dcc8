#include "tests/e2e/histories.h"

#include <gtest/gtest.h>

namespace godwit::client {
namespace {

TEST(Histories, ConvergeAndLoseNothing) { RunHistories(25, 1); }

}  // namespace
}  // namespace godwit::client
