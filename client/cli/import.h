#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/cli/session.h"
#include "client/import/mapping.h"
#include "client/import/target.h"

namespace godwit::cli {

// "line 3: field: ...", in the reader's language.
std::string FaultText(const client::Fault& fault);

// `godwit import cases` and `godwit import people`.
struct ImportOptions {
  client::Subject subject = client::Subject::kCases;
  std::string file;
  std::string mapping;
  std::string handles;  // a file with a handle a line, for a dry run; empty: none
  bool dry_run = false;
  bool skip_refused = false;  // import the rows that map, though others do not
};
ExitCode ImportFile(const Context& context, const ImportOptions& options);

// `godwit import sample`.
struct ImportSampleOptions {
  std::string out;
  std::string mapping_out;
  std::uint32_t cases = 0;
  std::uint64_t seed = 0;
  std::vector<std::string> caseworkers;
  std::vector<std::string> supervisors;
};
ExitCode ImportSample(const Context& context, const ImportSampleOptions& options);

// The mapping of what ImportSample writes: client/import/mappings/sample.toml as it was built in.
extern const std::string_view kSampleMapping;

}  // namespace godwit::cli
