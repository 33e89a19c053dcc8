#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace godwit::client {

inline constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 30;

// Bytes that can be read from any place, more than once. Not thread-safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Reads up to `into.size()` bytes at `offset` and returns how many; 0 at or beyond the end.
  // E_IO: the file could not be read.
  virtual base::Result<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) = 0;
};

// Opens a regular file; what is appended to it later is not read. E_NOT_FOUND: there is none.
// E_INVALID_ARGUMENT: it is larger than kMaxFileBytes; or a folder, a pipe or a device, none of
// which can be read twice. E_IO: it cannot be opened.
base::Result<std::unique_ptr<ByteSource>> OpenFile(const std::string& path);

// Bytes at hand. `bytes` is read at each call, so that it must outlive the source.
std::unique_ptr<ByteSource> OpenMemory(const std::string& bytes);

}  // namespace godwit::client
