#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace godwit::verify {

// More than any statement or entry may have, so that one that breaks its limit by a little is
// judged by the protocol's rules, and a length that makes no sense costs no memory.
inline constexpr std::size_t kMaxItemBytes = std::size_t{1} << 20;
// More than any real chain, and what bounds the memory that judging one takes.
inline constexpr std::uint64_t kMaxFileBytes = std::uint64_t{512} << 20;

// The bytes of a whole file; "-" is the standard input. IO: it cannot be read, as a folder cannot.
// RESOURCE_EXHAUSTED: it has more than `max_bytes`.
base::Result<base::Bytes> ReadWhole(const std::filesystem::path& path,
                                    std::uint64_t max_bytes = kMaxFileBytes);

// A chain as a file: its statements or entries from seq 0 on, each behind its length,
//
//   u32 length | bytes      big-endian, as `godwit-admin dump` writes it
//
// read front to back, one item at a time. Not thread-safe.
class ChainFile {
 public:
  // Opens the file at `path`; "-" is the standard input. IO: it cannot be opened.
  static base::Result<ChainFile> Open(const std::filesystem::path& path,
                                      std::uint64_t max_bytes = kMaxFileBytes);

  // The next item, or nothing at the end. INVALID_ARGUMENT: the file ends within an item, or gives
  // an item more than kMaxItemBytes. RESOURCE_EXHAUSTED: it has more than `max_bytes`. IO: it
  // cannot be read, as a folder cannot.
  base::Result<std::optional<base::Bytes>> Next();

 private:
  struct Close {
    void operator()(std::FILE* file) const;
  };

  ChainFile(std::FILE* file, std::uint64_t max_bytes) : file_(file), left_(max_bytes) {}

  // Reads as many of `bytes` as there still are, and says how many. IO.
  base::Result<std::size_t> Fill(std::span<std::uint8_t> bytes);

  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t left_;
};

}  // namespace godwit::verify
