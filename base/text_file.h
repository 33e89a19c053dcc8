#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace godwit::base {

// Returns the bytes of the regular file at `path`, or nothing where there is none that can be
// opened: not of a folder, which opens like a file and throws when it is read.
std::optional<std::string> ReadTextFile(const std::filesystem::path& path);

}  // namespace godwit::base
