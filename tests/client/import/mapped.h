#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "client/import/case_file.h"
#include "client/import/mapping.h"

namespace godwit::client {

// 2026-01-02: after every date of the test files that is not meant to lie in the future.
inline constexpr Day kImportDay = 20'455;

// The least that a mapping has, without [[field]] tables that a test adds.
inline constexpr char kLeastMapping[] = R"(
version = 1
caseworker = { in_turn = ["cw01", "cw02"] }
supervisor = { in_turn = ["sv1"] }
[[field]]
target = "summary.stage"
compartment = "status"
constant = "planning"
[[field]]
target = "summary.risk"
compartment = "status"
constant = "high"
[[field]]
target = "summary.consent.services"
compartment = "status"
constant = "yes"
[[field]]
target = "summary.consent.store_identity"
compartment = "status"
constant = "yes"
)";

// The same of people who have no case.
inline constexpr char kLeastOfPeople[] = R"(
version = 1
imports = "people"
caseworker = { in_turn = ["cw01", "cw02"] }
supervisor = { in_turn = ["sv1"] }
)";

// A [[field]] of a column.
inline std::string FieldOf(const std::string& target, const std::string& compartment,
                           const std::string& column, const std::string& rest = "") {
  return "[[field]]\ntarget = \"" + target + "\"\ncompartment = \"" + compartment +
         "\"\ncolumn = \"" + column + "\"\n" + rest + "\n";
}

// Parses a mapping that must be right.
inline Mapping MappingOf(const std::string& toml) {
  std::vector<Fault> faults;
  auto mapping = Mapping::Parse(toml, faults);
  for (const auto& fault : faults) ADD_FAILURE() << fault.where << ": " << fault.why;
  return std::move(*mapping);
}

// Opens a file that must be right; `csv` must outlive the reader.
inline CaseFile ReaderOf(const std::string& csv, Mapping mapping,
                         ImportOptions options = {.import_day = kImportDay, .handles = {}}) {
  std::vector<Fault> faults;
  auto reader = CaseFile::Open(OpenMemory(csv), std::move(mapping), std::move(options), faults);
  for (const auto& fault : faults) ADD_FAILURE() << fault.where << ": " << fault.why;
  return std::move(*reader);
}

// Every line of the file.
inline std::vector<ImportLine> LinesOf(CaseFile& reader) {
  std::vector<ImportLine> all;
  for (std::uint32_t row = 0; row < reader.row_count(); row += kBlockRows) {
    auto lines = reader.Rows(row);
    EXPECT_TRUE(lines.ok());
    for (auto& line : *lines) all.push_back(std::move(line));
  }
  return all;
}

}  // namespace godwit::client
