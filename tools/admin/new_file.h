#pragma once

#include <sys/types.h>

#include <filesystem>

#include "base/bytes.h"
#include "base/result.h"

namespace godwit::admin {

// A file in the making, as `<path>.new`. It takes its place as a whole, or is removed: a reader
// finds the old file or the new one. Not thread-safe.
class NewFile {
 public:
  enum class Existing { kReplace, kKeep };

  // EXISTS: `existing` is to be kept, and there is one. IO: nothing can be written there.
  static base::Result<NewFile> Begin(const std::filesystem::path& path, mode_t mode,
                                     Existing existing);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  // IO.
  base::Status Write(base::ByteSpan bytes);
  // Puts the file in its place, synced. EXISTS as Begin; IO.
  base::Status Finish();

 private:
  NewFile(int file, std::filesystem::path path, std::filesystem::path draft, Existing existing);

  int file_;  // -1: finished, or moved from
  std::filesystem::path path_;
  std::filesystem::path draft_;
  Existing existing_;
};

}  // namespace godwit::admin
