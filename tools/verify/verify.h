#pragma once

#include <filesystem>
#include <ostream>

namespace godwit::verify {

// What a command ends with. A file is judged front to back, and the first thing that is wrong with
// it decides.
enum ExitCode : int {
  kValid = 0,
  kNotValid = 1,  // a statement or entry fails
  kUnusable = 2,  // there is no chain to judge: unreadable, cut, empty, too long
};

struct Output {
  bool json = false;     // to `out` one object, whatever happens, that docs/operations.md describes
  std::ostream& out;     // the verdict
  std::ostream& errors;  // why a file is unusable
};

// Judges the chain of a roster, as ChainFile reads it.
ExitCode VerifyRoster(const std::filesystem::path& roster, const Output& output);

// Judges the chain of a vault by its realm's roster, which must be valid itself.
ExitCode VerifyVault(const std::filesystem::path& roster, const std::filesystem::path& vault,
                     const Output& output);

}  // namespace godwit::verify
