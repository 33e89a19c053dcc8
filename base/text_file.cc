#include "base/text_file.h"

#include <fstream>
#include <iterator>
#include <system_error>

namespace godwit::base {

std::optional<std::string> ReadTextFile(const std::filesystem::path& path) {
  std::error_code ignored;
  std::ifstream file(path, std::ios::binary);
  if (!std::filesystem::is_regular_file(path, ignored) || !file.is_open()) return std::nullopt;
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

}  // namespace godwit::base
