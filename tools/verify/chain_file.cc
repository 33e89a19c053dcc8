#include "tools/verify/chain_file.h"

#include <array>

#include "protocol/ce.h"

namespace godwit::verify {
namespace {

constexpr std::size_t kLengthBytes = 4;

base::Error Unreadable() {
  return {base::Code::kIo, "the file cannot be read: is it there, a file, and open to you?"};
}

base::Error TooLong() {
  return {base::Code::kResourceExhausted,
          "the file is longer than 512 MiB, more than this program judges"};
}

std::FILE* OpenFile(const std::filesystem::path& path) {
  return path == "-" ? stdin : std::fopen(path.c_str(), "rbe");
}

void CloseFile(std::FILE* file) {
  if (file != stdin) std::fclose(file);
}

}  // namespace

base::Result<base::Bytes> ReadWhole(const std::filesystem::path& path, std::uint64_t max_bytes) {
  std::FILE* file = OpenFile(path);
  if (file == nullptr) return Unreadable();
  base::Bytes bytes;
  std::array<std::uint8_t, 65536> buffer{};
  std::size_t found = 0;
  do {
    found = std::fread(buffer.data(), 1, buffer.size(), file);
    base::Append(bytes, base::ByteSpan(buffer).first(found));
  } while (found == buffer.size() && bytes.size() <= max_bytes);
  const bool failed = std::ferror(file) != 0;
  CloseFile(file);
  if (failed) return Unreadable();
  if (bytes.size() > max_bytes) return TooLong();
  return bytes;
}

void ChainFile::Close::operator()(std::FILE* file) const { CloseFile(file); }

base::Result<ChainFile> ChainFile::Open(const std::filesystem::path& path,
                                        std::uint64_t max_bytes) {
  std::FILE* file = OpenFile(path);
  if (file == nullptr) return Unreadable();
  return ChainFile(file, max_bytes);
}

base::Result<std::optional<base::Bytes>> ChainFile::Next() {
  const base::Error cut(base::Code::kInvalidArgument,
                        "the file ends within an item: it was cut, or is no dump");
  std::array<std::uint8_t, kLengthBytes> prefix{};
  const auto found = Fill(prefix);
  if (!found) return found.error();
  if (*found == 0) return std::optional<base::Bytes>();
  if (*found != prefix.size()) return cut;
  const std::size_t size = protocol::Reader(prefix).U32();
  if (size > kMaxItemBytes) {
    return base::Error(base::Code::kInvalidArgument,
                       "an item is longer than any may be: the file was altered, or is no dump");
  }
  if (kLengthBytes + size > left_) {
    return TooLong();
  }
  left_ -= kLengthBytes + size;
  base::Bytes item(size);
  const auto read = Fill(item);
  if (!read) return read.error();
  if (*read != item.size()) return cut;
  return std::optional(std::move(item));
}

base::Result<std::size_t> ChainFile::Fill(std::span<std::uint8_t> bytes) {
  const std::size_t found = std::fread(bytes.data(), 1, bytes.size(), file_.get());
  if (std::ferror(file_.get()) != 0) return Unreadable();
  return found;
}

}  // namespace godwit::verify
