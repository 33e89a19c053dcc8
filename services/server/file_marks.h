#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace godwit::server {

// Tells whether files changed: their bytes, or which file stands at their path, behind links too.
// For one thread at a time.
class FileMarks {
 public:
  explicit FileMarks(std::vector<std::string> files);

  // Whether any of them changed since the last call, or since the construction.
  [[nodiscard]] bool Changed();

 private:
  // What changes when a file is written or another takes its place; zeros where there is none.
  using Mark = std::array<std::int64_t, 7>;

  static Mark MarkOf(const std::string& path);
  std::vector<Mark> Look() const;

  const std::vector<std::string> files_;
  std::vector<Mark> seen_;
};

}  // namespace godwit::server
