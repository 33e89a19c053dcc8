#include "client/import/csv.h"

#include "client/casework/inert.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;

constexpr int kEnd = -1;

}  // namespace

CsvReader::CsvReader(ByteSource& source, char delimiter, std::uint64_t offset, std::uint32_t line)
    : source_(source), delimiter_(delimiter), offset_(offset), line_(line) {}

base::Result<bool> CsvReader::Next(CsvRecord& record) {
  record.cells.clear();
  record.fault.reset();
  while (Peek() == '\r' || Peek() == '\n') TakeLineEnd(nullptr);
  if (broken_) return *broken_;
  if (Peek() == kEnd) return false;

  record.offset = offset_ + position_;
  record.line = line_;
  record_bytes_ = 0;
  for (cell_number_ = 0;; ++cell_number_) {
    std::string cell;
    if (Peek() == '"') {
      ReadQuoted(record, cell);
    } else {
      ReadPlain(record, cell);
    }
    if (cell.find('\0') != std::string::npos) Complain(record, "the cell holds a NUL byte");
    if (!IsUtf8(cell)) Complain(record, "the cell is not UTF-8");
    if (cell_number_ >= kMaxColumns) Complain(record, "the record has too many cells");
    if (!record.fault) record.cells.push_back(std::move(cell));
    if (Peek() != static_cast<unsigned char>(delimiter_)) break;
    Take();
  }
  if (broken_) return *broken_;
  if (Peek() != kEnd) TakeLineEnd(nullptr);
  if (record.fault) record.cells.clear();
  return true;
}

int CsvReader::Peek() {
  if (position_ == filled_) {
    if (broken_) return kEnd;
    offset_ += filled_;
    position_ = filled_ = 0;
    const auto got = source_.ReadAt(offset_, buffer_);
    if (!got) {
      broken_ = got.error();
      return kEnd;
    }
    filled_ = *got;
    if (filled_ == 0) return kEnd;
  }
  return static_cast<unsigned char>(buffer_[position_]);
}

// Takes CRLF, LF or CR, which is there; into `keep`, unless null.
void CsvReader::TakeLineEnd(std::string* keep) {
  const int first = Peek();
  Take();
  if (keep != nullptr) keep->push_back(static_cast<char>(first));
  if (first == '\r' && Peek() == '\n') {
    Take();
    if (keep != nullptr) keep->push_back('\n');
  }
  ++line_;
}

void CsvReader::ReadQuoted(CsvRecord& record, std::string& cell) {
  Take();
  for (;;) {
    const int c = Peek();
    if (c == kEnd) {
      Complain(record, "a quoted cell never ends: nothing after it can be read");
      return;
    }
    if (c == '\r' || c == '\n') {
      std::string line_end;
      TakeLineEnd(&line_end);
      for (const char kept : line_end) Keep(record, cell, kept);
      continue;
    }
    Take();
    if (c == '"') {
      if (Peek() != '"') break;
      Take();
    }
    Keep(record, cell, static_cast<char>(c));
  }
  const int next = Peek();
  if (next != kEnd && next != '\r' && next != '\n' &&
      next != static_cast<unsigned char>(delimiter_)) {
    Complain(record, "there is text after a closing quote");
    ReadPlain(record, cell);
  }
}

void CsvReader::ReadPlain(CsvRecord& record, std::string& cell) {
  for (;;) {
    const int c = Peek();
    if (c == kEnd || c == '\r' || c == '\n' || c == static_cast<unsigned char>(delimiter_)) return;
    Take();
    if (c == '"') Complain(record, "there is a quote in a cell that is not quoted");
    Keep(record, cell, static_cast<char>(c));
  }
}

void CsvReader::Keep(CsvRecord& record, std::string& cell, char c) {
  if (cell.size() >= kMaxCellBytes) {
    Complain(record, "the cell is too long");
  } else if (record_bytes_ >= kMaxRecordBytes) {
    Complain(record, "the record is too long");
  } else {
    cell.push_back(c);
    ++record_bytes_;
  }
}

void CsvReader::Complain(CsvRecord& record, base::Literal why) const {
  if (!record.fault) record.fault = CsvRecord::Fault{cell_number_, why};
}

base::Result<std::uint64_t> FirstRecord(ByteSource& source) {
  std::array<char, 4> head{};
  std::size_t size = 0;
  while (size < head.size()) {
    const auto got = source.ReadAt(size, std::span(head).subspan(size));
    if (!got) return got.error();
    if (*got == 0) break;
    size += *got;
  }
  const std::string_view text(head.data(), size);
  // Without a mark, UTF-16 and UTF-32 betray themselves by the zeros of their Latin letters.
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") ||
      text.find('\0') != std::string_view::npos) {
    return Error(Code::kUnsupported,
                 "the file is UTF-16 or UTF-32, or no text: save it as CSV in UTF-8");
  }
  return std::uint64_t{text.starts_with("\xef\xbb\xbf") ? 3U : 0U};
}

std::string HarmlessCell(std::string cell) {
  if (cell.find_first_of("=+-@\t\r\n") == 0) cell.insert(cell.begin(), '\'');
  return cell;
}

void AppendCsv(std::string& out, std::span<const std::string> cells, char delimiter,
               std::string_view line_end) {
  bool first = true;
  for (const auto& cell : cells) {
    if (!first) out.push_back(delimiter);
    first = false;
    // A record of one empty cell would otherwise be an empty line.
    const bool quoted = cell.find_first_of("\"\r\n") != std::string::npos ||
                        cell.find(delimiter) != std::string::npos ||
                        (cells.size() == 1 && cell.empty());
    if (!quoted) {
      out += cell;
      continue;
    }
    out.push_back('"');
    for (const char c : cell) {
      if (c == '"') out.push_back('"');
      out.push_back(c);
    }
    out.push_back('"');
  }
  out += line_end;
}

}  // namespace godwit::client
