#include "tests/support/shared.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string_view>

namespace godwit::support {
namespace {

std::string_view Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

void MarkSkipped() { GTEST_SKIP() << "GODWIT_SHARED names no folder"; }

}  // namespace

std::optional<std::filesystem::path> SharedFolder() {
  const std::filesystem::path folder = Environment("GODWIT_SHARED");
  if (!folder.empty() && std::filesystem::is_directory(folder / "vectors")) return folder;
  if (Environment("CI") == "true") {
    ADD_FAILURE() << "GODWIT_SHARED names no folder with vectors, and CI=true allows no skipping";
  } else {
    MarkSkipped();
  }
  return std::nullopt;
}

}  // namespace godwit::support
