#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/import/source.h"

namespace godwit::client {

// CSV after RFC 4180, with what is seen in the field on top: any delimiter, CRLF, LF or CR as an
// end of line, UTF-8 in any script, empty lines between records passed over. libcsv is not used: in
// its strict mode one bad quote ends the file, in the other none is reported, and it tells neither
// lines nor offsets.
inline constexpr std::size_t kMaxCellBytes = 64 << 10;
inline constexpr std::size_t kMaxRecordBytes = 256 << 10;
inline constexpr std::size_t kMaxColumns = 1024;

struct CsvRecord {
  struct Fault {
    std::size_t cell;  // counted from 0
    base::Literal why;
  };

  std::uint64_t offset = 0;  // of its first byte
  std::uint32_t line = 0;    // the physical line of its first byte, counted from 1
  std::vector<std::string> cells;
  std::optional<Fault> fault;  // the first one; the cells are then not to be used
};

// Reads records one after another in bounded memory. Not thread-safe.
class CsvReader {
 public:
  // Begins at `offset`, the first byte of a record, which stands on physical line `line`. `source`
  // must outlive the reader.
  CsvReader(ByteSource& source, char delimiter, std::uint64_t offset, std::uint32_t line);

  // Reads the next record; false at the end. A record with a fault ends where it would have ended
  // without: a stray quote stands for itself, a quoted cell ends at its quote however long it is,
  // and one that never ends takes the rest of the file with it: nothing is guessed.
  // E_IO: the file could not be read.
  base::Result<bool> Next(CsvRecord& record);

 private:
  int Peek();
  void Take() { ++position_; }
  void TakeLineEnd(std::string* keep);
  void ReadQuoted(CsvRecord& record, std::string& cell);
  void ReadPlain(CsvRecord& record, std::string& cell);
  void Keep(CsvRecord& record, std::string& cell, char c);
  void Complain(CsvRecord& record, base::Literal why) const;

  ByteSource& source_;
  char delimiter_;
  std::uint64_t offset_;  // of the buffer
  std::uint32_t line_;
  std::size_t position_ = 0;  // in the buffer
  std::size_t filled_ = 0;
  std::size_t cell_number_ = 0;
  std::size_t record_bytes_ = 0;
  std::optional<base::Error> broken_;
  std::array<char, 16 << 10> buffer_;
};

// Returns the offset of the first record: behind a UTF-8 byte order mark, where there is one.
// E_UNSUPPORTED: the file is UTF-16 or UTF-32. E_IO.
base::Result<std::uint64_t> FirstRecord(ByteSource& source);

// Returns `cell` so that no spreadsheet takes it for a formula: an apostrophe goes before what
// begins with = + - @, a tab or an end of line (OWASP, "CSV Injection").
std::string HarmlessCell(std::string cell);

// Appends `cells` as one record that ends with `line_end`; a cell is quoted where it must be.
void AppendCsv(std::string& out, std::span<const std::string> cells, char delimiter = ',',
               std::string_view line_end = "\r\n");

}  // namespace godwit::client
