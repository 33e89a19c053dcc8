#include <gtest/gtest.h>

#include "crypto/init.h"

// Listed among the sources of a test that uses crypto/: makes the library ready before any test.

namespace godwit::support {
namespace {

class CryptoEnvironment final : public testing::Environment {
 public:
  void SetUp() override { ASSERT_TRUE(crypto::Init()); }
};

[[maybe_unused]] const auto* const kCryptoEnvironment =
    testing::AddGlobalTestEnvironment(new CryptoEnvironment);

}  // namespace
}  // namespace godwit::support
