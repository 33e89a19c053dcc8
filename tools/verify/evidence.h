#pragma once

#include <filesystem>

#include "tools/verify/verify.h"

namespace godwit::verify {

// Judges a file of evidence, as `godwit evidence export` writes it: kValid, it proves or is
// consistent with what it says; kNotValid, it accuses nobody. kUnusable: it cannot be read.
ExitCode VerifyEvidence(const std::filesystem::path& evidence, const Output& output);

}  // namespace godwit::verify
