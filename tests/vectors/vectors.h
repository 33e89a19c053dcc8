#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "tests/support/shared.h"

namespace godwit::support {

using Json = nlohmann::json;

// Returns the vector file `name` (a path below vectors/). Without GODWIT_SHARED the test is skipped
// or fails as SharedFolder says, and the caller returns at once.
inline std::optional<Json> Vectors(std::string_view name) {
  const auto shared = SharedFolder();
  if (!shared) return std::nullopt;
  std::ifstream file(*shared / "vectors" / name);
  EXPECT_TRUE(file) << name;
  return Json::parse(file);
}

// The bytes of a field in hex.
inline base::Bytes Hex(const Json& field) {
  const auto bytes = base::FromHex(field.get<std::string>());
  EXPECT_TRUE(bytes) << field;
  return bytes.value_or(base::Bytes());
}

// Prints how many cases of a file ran, and fails if that is not `known`: a file cut short, or a
// loop that ends early, would pass otherwise.
inline void ReportCount(std::string_view what, std::size_t ran, std::size_t known) {
  std::cout << what << ": " << ran << " cases\n";
  EXPECT_EQ(ran, known) << what;
}

}  // namespace godwit::support
