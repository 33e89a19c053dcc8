#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <string>

#include "tests/mutation/mutant.h"

// Compiled into every test binary of the copy that scripts/mutate.sh builds. Appends to the file
// that GODWIT_MUTANTS_REACHED names a line for each test: suite.name, "ok" or "failed",
// milliseconds, and the numbers of the mutants that it reached, each after a space.

namespace godwit::mutant {
namespace {

class Listener final : public testing::EmptyTestEventListener {
 public:
  explicit Listener(const char* file) : out_(file, std::ios::app) {}

  void OnTestSuiteStart(const testing::TestSuite& /*suite*/) override { shared_ = TakeReached(); }

  // What a suite sets up for all its tests, each of them reaches.
  void OnTestStart(const testing::TestInfo& /*test*/) override { shared_.merge(TakeReached()); }

  void OnTestEnd(const testing::TestInfo& test) override {
    std::set<std::size_t> numbers = TakeReached();
    numbers.insert(shared_.begin(), shared_.end());
    out_ << test.test_suite_name() << '.' << test.name()
         << (test.result()->Failed() ? " failed " : " ok ") << test.result()->elapsed_time();
    for (const std::size_t number : numbers) out_ << ' ' << number;
    out_ << std::endl;
  }

 private:
  static std::set<std::size_t> TakeReached() {
    std::set<std::size_t> numbers;
    for (std::size_t i = 0; i < kNumbers; ++i) {
      if (reached[i].exchange(false)) numbers.insert(i);
    }
    return numbers;
  }

  std::ofstream out_;
  std::set<std::size_t> shared_;
};

class Environment final : public testing::Environment {
 public:
  void SetUp() override {
    const char* file = std::getenv("GODWIT_MUTANTS_REACHED");
    if (file != nullptr) {
      testing::UnitTest::GetInstance()->listeners().Append(new Listener(file));
    }
  }
};

[[maybe_unused]] const auto* const kEnvironment =
    testing::AddGlobalTestEnvironment(new Environment);

}  // namespace
}  // namespace godwit::mutant
