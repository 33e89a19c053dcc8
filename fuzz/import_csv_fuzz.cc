// Case files and mappings as strangers send them. The first byte chooses: a mapping, or a CSV file
// read by a fixed mapping, in any chunks and by blocks.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "client/import/case_file.h"
#include "client/import/dry_run.h"
#include "client/import/mapping.h"
#include "crypto/init.h"

namespace {

using godwit::base::Result;
using godwit::client::ByteSource;
using godwit::client::CaseFile;
using godwit::client::CsvReader;
using godwit::client::CsvRecord;
using godwit::client::Fault;
using godwit::client::Mapping;

constexpr char kMapping[] = R"(
version = 1
trim = true
caseworker = { in_turn = ["cw01", "cw02"] }
supervisor = { column = "w" }
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
[[field]]
target = "identity_profile.names[0].full"
compartment = "identity"
column = "n"
sentinels = { absent = [""] }
[[field]]
target = "case.registration_date"
compartment = "status"
column = "d"
formats = ["YYYY", "YYYY-MM-DD", "D.M.YYYY", "M/D/YYYY"]
zeros_are_unknown = true
[[field]]
target = "identity_profile.birth.age_band"
compartment = "identity"
column = "a"
[[field]]
target = "identity_profile.citizenships"
compartment = "identity"
column = "c"
separator = ";"
sentinels = { unknown = ["0"] }
no_answer = "identity_profile.citizenship_known"
)";

class ChunkedSource : public ByteSource {
 public:
  ChunkedSource(const std::string& bytes, std::size_t chunk) : bytes_(bytes), chunk_(chunk) {}

  Result<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const auto size = std::min({chunk_, into.size(), bytes_.size() - offset});
    std::copy_n(bytes_.data() + offset, size, into.data());
    return size;
  }

 private:
  const std::string& bytes_;
  std::size_t chunk_;
};

void Require(bool held) {
  if (!held) std::abort();
}

void TryMapping(const std::string& toml) {
  std::vector<Fault> faults;
  const auto mapping = Mapping::Parse(toml, faults);
  Require(mapping.ok() == faults.empty());
}

void TryFile(const std::string& csv, std::size_t chunk) {
  ChunkedSource chunked(csv, chunk);
  const auto whole = godwit::client::OpenMemory(csv);
  CsvReader a(chunked, ',', 0, 1);
  CsvReader b(*whole, ',', 0, 1);
  CsvRecord left;
  CsvRecord right;
  for (bool more = true; more;) {
    more = *a.Next(left);
    Require(more == *b.Next(right));
    if (!more) break;
    Require(left.offset == right.offset && left.line == right.line && left.cells == right.cells &&
            left.fault.has_value() == right.fault.has_value());
  }

  static const auto mapping = [] {
    std::vector<Fault> faults;
    return *Mapping::Parse(kMapping, faults);
  }();
  const std::string headed = "n,d,a,c,w\n" + csv;
  std::vector<Fault> faults;
  auto file = CaseFile::Open(godwit::client::OpenMemory(headed), mapping,
                             {.import_day = 20'455, .handles = {}}, faults);
  Require(file.ok());
  std::uint32_t refusals = 0;
  const auto report = godwit::client::DryRun(*file, [&](const godwit::client::Refusal& refusal) {
    ++refusals;
    godwit::client::ToJson(refusal);
  });
  Require(report.ok() && report->rows == file->row_count());
  Require(report->refused_rows <= refusals);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const bool ready = godwit::crypto::Init().ok();
  Require(ready);
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  if (bytes[0] % 4 == 0) {
    TryMapping(text);
  } else {
    TryFile(text, std::size_t{1} + bytes[0] / 4);
  }
  return 0;
}
