#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/result.h"
#include "client/import/case_file.h"

namespace godwit::client {

// What an import of a file would do.
struct DryRunReport {
  std::array<std::uint8_t, 32> sha256{};
  std::uint32_t rows = 0;
  std::uint32_t refused_rows = 0;
  bool handles_checked = false;  // false: nobody said which handles there are

  // Target, then value, then rows: {"summary.sex", {"female", 12460}}. Enums by their short names,
  // dates by their years, bands as "9-17" and "48+", country and language codes as they are; of any
  // other text only "given". "nameless": rows whose names and contacts are left out.
  std::map<std::string, std::map<std::string, std::uint32_t>> counts;
};

// Maps every row of `file` and imports nothing; needs no network and no keys. `on_refusal` is
// called for each refusal in the order of the file. Errors: as CaseFile::Rows.
base::Result<DryRunReport> DryRun(CaseFile& file,
                                  const std::function<void(const Refusal&)>& on_refusal);

// Adds the values of `row` to `counts`, as DryRunReport describes them.
void Count(const ImportRow& row,
           std::map<std::string, std::map<std::string, std::uint32_t>>& counts);

// One line for the user's own screen: "line 12, column gender: there is no mapping ...: Femme".
std::string ToText(const Refusal& refusal);

// One JSON object, without an end of line. A refusal's has the cell: for the user's own screen.
std::string ToJson(const Refusal& refusal);
std::string ToJson(const Fault& fault);
std::string ToJson(const DryRunReport& report);

}  // namespace godwit::client
