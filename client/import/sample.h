#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/casework/values.h"

namespace godwit::client {

// A file of cases that anybody sees to be invented: families are called Example, Specimen or
// Imaginary in Korean, given names count and enumerate, places are Exampletons. Names stand in
// Hangul, in hanja and as the DPRK romanises them; some have a Chinese alias or none but a
// nickname; a few rows are nameless first contacts. Its mapping is
// client/import/mappings/sample.toml.
struct SampleOptions {
  std::uint32_t cases = 0;
  std::uint64_t seed = 0;
  Day today = 0;                         // dates are made around it
  std::vector<std::string> caseworkers;  // handles, at least one each, no supervisor a caseworker
  std::vector<std::string> supervisors;
};

using Write = std::function<void(std::string_view)>;

// Writes the file piece by piece to `write`: UTF-8 with a byte order mark, CRLF, quotes, commas and
// ends of line within cells, as spreadsheets write it. The same options give the same bytes.
// E_INVALID_ARGUMENT: a list of handles is empty.
base::Status WriteSample(const SampleOptions& options, const Write& write);

// The same into a new file that its owner alone may read. E_EXISTS: there is one. E_IO.
base::Status WriteSampleFile(const SampleOptions& options, const std::string& path);

// Makes a new file, which its owner alone may read, of what `make` writes: whole or not at all.
// E_EXISTS: there is one. E_IO. Errors of `make`.
base::Status WriteNewFile(const std::string& path,
                          const std::function<base::Status(const Write&)>& make);

}  // namespace godwit::client
