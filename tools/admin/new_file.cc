#include "tools/admin/new_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace godwit::admin {
namespace {

namespace fs = std::filesystem;

base::Error CannotWrite() {
  return {base::Code::kIo, "a file cannot be written: look at its folder's rights"};
}

base::Error IsThere() { return {base::Code::kExists, "a file is there already"}; }

}  // namespace

base::Result<NewFile> NewFile::Begin(const fs::path& path, mode_t mode, Existing existing) {
  // Seen now, so that nobody waits for what cannot be kept; Finish looks again.
  std::error_code ignored;
  if (existing == Existing::kKeep && fs::exists(fs::symlink_status(path, ignored))) {
    return IsThere();
  }
  fs::path draft(path.string() + ".new");
  ::unlink(draft.c_str());
  const int file = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return CannotWrite();
  return NewFile(file, path, std::move(draft), existing);
}

NewFile::NewFile(int file, fs::path path, fs::path draft, Existing existing)
    : file_(file), path_(std::move(path)), draft_(std::move(draft)), existing_(existing) {}

NewFile::NewFile(NewFile&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      path_(std::move(other.path_)),
      draft_(std::move(other.draft_)),
      existing_(other.existing_) {}

NewFile::~NewFile() {
  if (file_ < 0) return;
  ::close(file_);
  ::unlink(draft_.c_str());
}

base::Status NewFile::Write(base::ByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return CannotWrite();
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

base::Status NewFile::Finish() {
  if (::fsync(file_) != 0) return CannotWrite();
  const unsigned flags = existing_ == Existing::kKeep ? RENAME_NOREPLACE : 0;
  if (::renameat2(AT_FDCWD, draft_.c_str(), AT_FDCWD, path_.c_str(), flags) != 0) {
    return errno == EEXIST ? IsThere() : CannotWrite();
  }
  const bool closed = ::close(std::exchange(file_, -1)) == 0;
  return closed ? base::Status::Ok() : CannotWrite();
}

}  // namespace godwit::admin
