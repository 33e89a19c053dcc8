#include "client/private_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace godwit::client {
namespace {

base::Error Io() { return {base::Code::kIo, "a file or folder of the profile cannot be used"}; }

// What open, stat and mkdir say, for a caller who has the path.
base::Error FromErrno(int error) {
  switch (error) {
    case ENOENT:
      return {base::Code::kNotFound, "there is no such file or folder"};
    case ELOOP:
    case ENOTDIR:
      return {base::Code::kPermissionDenied,
              "a symlink or another thing stands where a private file or folder belongs"};
    case EACCES:
    case EPERM:
      return {base::Code::kPermissionDenied, "this user may not open a file of the profile"};
    case EROFS:
      return {base::Code::kPermissionDenied, "the profile's file system is read-only"};
    case ENOSPC:
    case EDQUOT:
      return {base::Code::kResourceExhausted, "the disk is full"};
    default:
      return Io();
  }
}

base::Status CheckOwnerAndMode(const struct stat& entry) {
  if (entry.st_uid != geteuid()) {
    return base::Error(base::Code::kPermissionDenied,
                       "a file or folder of the profile belongs to another user");
  }
  if ((entry.st_mode & 077) != 0) {
    return base::Error(base::Code::kPermissionDenied,
                       "others can get at a file or folder of the profile: take their rights away "
                       "(chmod go-rwx), and ask who gave them");
  }
  return {};
}

base::Status CheckFile(const struct stat& entry) {
  if (!S_ISREG(entry.st_mode) || entry.st_nlink > 1) {
    return base::Error(base::Code::kPermissionDenied,
                       "a file of the profile is no plain file, or has a second name");
  }
  return CheckOwnerAndMode(entry);
}

base::Result<OwnedFd> OpenCheckedFile(const std::filesystem::path& path) {
  // Non-blocking, so that a pipe put there cannot hold us up; it means nothing to a plain file.
  OwnedFd file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.ok()) return FromErrno(errno);
  struct stat entry {};
  if (fstat(file.get(), &entry) != 0) return Io();
  if (const auto status = CheckFile(entry); !status) return status.error();
  return file;
}

// A path that ends in a slash would follow the symlink that O_NOFOLLOW looks for.
std::filesystem::path WithoutSlash(const std::filesystem::path& dir) {
  const auto normal = dir.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

base::Status MakeDirs(const std::filesystem::path& dir) {
  if (mkdir(dir.c_str(), 0700) == 0 || errno == EEXIST) return {};
  if (errno != ENOENT || dir == dir.parent_path()) return FromErrno(errno);
  if (const auto status = MakeDirs(dir.parent_path()); !status) return status.error();
  if (mkdir(dir.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return FromErrno(errno);
}

base::Status WriteAll(int fd, base::ByteSpan content) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return FromErrno(errno);
    content = content.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// `flags` are renameat2's.
base::Status WriteWhole(int dir, const std::string& name, base::ByteSpan content,
                        unsigned int flags) {
  const std::string temporary = "." + name + ".tmp";
  // What a crash left of an earlier try.
  unlinkat(dir, temporary.c_str(), 0);
  OwnedFd file(
      openat(dir, temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok()) return FromErrno(errno);
  auto status = WriteAll(file.get(), content);
  if (status && fsync(file.get()) != 0) status = FromErrno(errno);
  file.Close();
  if (status && renameat2(dir, temporary.c_str(), dir, name.c_str(), flags) != 0) {
    status = errno == EEXIST
                 ? base::Error(base::Code::kExists, "there is such a file in the profile already")
                 : FromErrno(errno);
  }
  if (!status) {
    unlinkat(dir, temporary.c_str(), 0);
    return status.error();
  }
  if (fsync(dir) != 0) return FromErrno(errno);
  return {};
}

}  // namespace

OwnedFd& OwnedFd::operator=(OwnedFd&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void OwnedFd::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

base::Result<OwnedFd> OpenPrivateDir(const std::filesystem::path& dir) {
  const auto path = WithoutSlash(dir);
  OwnedFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.ok()) return FromErrno(errno);
  struct stat entry {};
  if (fstat(fd.get(), &entry) != 0) return Io();
  if (const auto status = CheckOwnerAndMode(entry); !status) return status.error();
  // The bits are looked at too, since they do not bind root.
  if ((entry.st_mode & 0700) != 0700 || faccessat(fd.get(), ".", W_OK, AT_EACCESS) != 0) {
    return base::Error(base::Code::kPermissionDenied,
                       "a folder of the profile cannot be written to: its mode must be 0700, on a "
                       "file system that can be written");
  }
  return fd;
}

base::Result<OwnedFd> MakePrivateDir(const std::filesystem::path& dir) {
  if (const auto status = MakeDirs(WithoutSlash(dir)); !status) return status.error();
  return OpenPrivateDir(dir);
}

base::Status CheckPrivateFile(const std::filesystem::path& path) {
  struct stat entry {};
  if (lstat(path.c_str(), &entry) != 0) return FromErrno(errno);
  return CheckFile(entry);
}

base::Result<base::Bytes> ReadPrivateFile(const std::filesystem::path& path, std::size_t max_size) {
  const auto file = OpenCheckedFile(path);
  if (!file) return file.error();
  // One byte more than may be there, so that a longer file shows.
  base::Bytes content(max_size + 1);
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = read(file->get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Io();
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > max_size) return base::Error(base::Code::kIo, "a file of the profile is too long");
  content.resize(size);
  return content;
}

base::Status WriteNewPrivateFile(const std::filesystem::path& path, base::ByteSpan content) {
  const auto dir = OpenPrivateDir(path.parent_path());
  if (!dir) return dir.error();
  return WriteWhole(dir->get(), path.filename().string(), content, RENAME_NOREPLACE);
}

base::Status ReplacePrivateFile(const std::filesystem::path& path, base::ByteSpan content) {
  const auto parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const OwnedFd dir(open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir.ok()) return FromErrno(errno);
  return WriteWhole(dir.get(), path.filename().string(), content, 0);
}

}  // namespace godwit::client
