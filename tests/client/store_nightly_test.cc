#include <gtest/gtest.h>

#include "tests/client/store_fixture.h"

namespace godwit::client {
namespace {

class StoreNightly : public StoreTest {};

TEST_F(StoreNightly, TenThousandChangedBytesAreRefusedOrHaveNoEffect) {
  const Filled filled;
  {
    auto store = Create();
    filled.Fill(store);
  }
  FlipBytes(path_, 10'000, std::random_device()(), [&] { return Everything(Open(), filled); });
}

}  // namespace
}  // namespace godwit::client
