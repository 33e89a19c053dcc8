#pragma once

#include <cstddef>
#include <filesystem>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"

namespace godwit::client {

// A file descriptor that is closed at the end. Moves, does not copy.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept;
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd() { Close(); }

  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  void Close();

 private:
  int fd_ = -1;
};

// Opens a directory that is its owner's alone: no symlink, this user's, mode 0700, writable.
// NOT_FOUND: there is none. PERMISSION_DENIED: it is not private; the message says what to do. IO.
base::Result<OwnedFd> OpenPrivateDir(const std::filesystem::path& dir);

// Makes `dir` with mode 0700 unless it is there, and opens it as OpenPrivateDir does; its parents
// are made too, as 0700, where they are missing.
base::Result<OwnedFd> MakePrivateDir(const std::filesystem::path& dir);

// Checks that `path` is a regular file of this user's alone: no symlink, no second hard link,
// neither readable nor writable by anybody else. Never opens it: closing a file ends the locks that
// SQLite holds on it in this process. NOT_FOUND, PERMISSION_DENIED, IO.
base::Status CheckPrivateFile(const std::filesystem::path& path);

// Returns the content of such a file. Errors as CheckPrivateFile; IO: longer than `max_size`.
base::Result<base::Bytes> ReadPrivateFile(const std::filesystem::path& path, std::size_t max_size);

// Writes a new file of mode 0600, whole or not at all, also when the power fails: a temporary
// file in the same directory, fsync, rename, fsync of the directory. EXISTS: there is a file of
// that name, which stays as it is. IO, RESOURCE_EXHAUSTED: the disk is full.
base::Status WriteNewPrivateFile(const std::filesystem::path& path, base::ByteSpan content);
// The same in the place of a file that may be there, in a folder that others may list: what people
// carry to each other.
base::Status ReplacePrivateFile(const std::filesystem::path& path, base::ByteSpan content);

}  // namespace godwit::client
