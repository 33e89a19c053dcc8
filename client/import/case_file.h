#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/import/row_mapper.h"
#include "client/import/source.h"

namespace godwit::client {

// Rows to a block of an import (docs/protocol.md section 6).
inline constexpr std::uint32_t kBlockRows = 64;

// A CSV file of cases or people and its mapping. Opening it reads it once, in bounded memory, for
// its hash and an index of its blocks; Rows then gives any block, and only of the file that was
// hashed. Not thread-safe.
class CaseFile {
 public:
  // E_NOT_FOUND, E_IO: the file. E_UNSUPPORTED: it is UTF-16 or UTF-32. E_INVALID_ARGUMENT: it is
  // no regular file, is empty, is larger than kMaxFileBytes, or has a broken header; or its header
  // does not fit the mapping, and `faults` says where.
  static base::Result<CaseFile> Open(const std::string& path, Mapping mapping,
                                     ImportOptions options, std::vector<Fault>& faults);
  static base::Result<CaseFile> Open(std::unique_ptr<ByteSource> source, Mapping mapping,
                                     ImportOptions options, std::vector<Fault>& faults);

  // SHA-256 of the file's bytes.
  const std::array<std::uint8_t, 32>& sha256() const { return sha256_; }
  // Rows without the header, refused ones counted. An empty line is none.
  std::uint32_t row_count() const { return row_count_; }
  const RowMapper& mapper() const { return mapper_; }

  // Returns the rows from `first_row`, a multiple of kBlockRows below row_count(), to the end of
  // their block: all kBlockRows but in the last one. E_INVALID_ARGUMENT: no such block. CONFLICT:
  // the file has changed since it was opened. E_IO.
  base::Result<std::vector<ImportLine>> Rows(std::uint32_t first_row);

 private:
  struct Block {
    std::uint64_t offset;
    std::uint32_t line;
    std::array<std::uint8_t, 32> digest;  // of its records as they were read
  };

  CaseFile(std::unique_ptr<ByteSource> source, RowMapper mapper)
      : source_(std::move(source)), mapper_(std::move(mapper)) {}

  base::Status Index(CsvReader& reader);

  std::unique_ptr<ByteSource> source_;
  RowMapper mapper_;
  std::array<std::uint8_t, 32> sha256_{};
  std::uint32_t row_count_ = 0;
  std::vector<Block> blocks_;
};

}  // namespace godwit::client
