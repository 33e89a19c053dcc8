#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit import cases`.
struct ImportCasesOptions {
  std::string file;
  std::string mapping;
  std::string handles;  // a file with a handle a line, for a dry run; empty: none
  bool dry_run = false;
  bool skip_refused = false;  // import the rows that map, though others do not
};
ExitCode ImportCasesCommand(const Context& context, const ImportCasesOptions& options);

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
