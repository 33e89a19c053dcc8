#include "client/import/source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace godwit::client {
namespace {

using base::Code;
using base::Error;

class FileSource : public ByteSource {
 public:
  explicit FileSource(int file) : file_(file) {}
  ~FileSource() override { close(file_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  base::Result<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) override {
    if (offset >= size_) return std::size_t{0};
    const auto size = std::min<std::uint64_t>(into.size(), size_ - offset);
    for (;;) {
      const auto got = pread(file_, into.data(), size, static_cast<off_t>(offset));
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return Error(Code::kIo, "the file could not be read");
    }
  }

  void Limit(std::uint64_t size) { size_ = size; }

 private:
  int file_;
  std::uint64_t size_ = 0;
};

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(const std::string& bytes) : bytes_(bytes) {}

  base::Result<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const auto size = std::min<std::size_t>(into.size(), bytes_.size() - offset);
    std::memcpy(into.data(), bytes_.data() + offset, size);
    return size;
  }

 private:
  const std::string& bytes_;
};

}  // namespace

base::Result<std::unique_ptr<ByteSource>> OpenFile(const std::string& path) {
  // Not to wait for a pipe's other end before it is known to be one.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (file < 0) {
    if (errno == ENOENT) return Error(Code::kNotFound, "there is no such file");
    return Error(Code::kIo, "the file cannot be opened");
  }
  auto source = std::make_unique<FileSource>(file);
  struct stat status {};
  if (fstat(file, &status) != 0) return Error(Code::kIo, "the file cannot be opened");
  if (!S_ISREG(status.st_mode)) {
    return Error(Code::kInvalidArgument, "this is no regular file, so it cannot be read twice");
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > kMaxFileBytes) return Error(Code::kInvalidArgument, "the file is larger than 1 GiB");
  source->Limit(size);
  return std::unique_ptr<ByteSource>(std::move(source));
}

std::unique_ptr<ByteSource> OpenMemory(const std::string& bytes) {
  return std::make_unique<MemorySource>(bytes);
}

}  // namespace godwit::client
