#include "client/import/case_file.h"

#include "base/bytes.h"
#include "crypto/hash.h"

namespace godwit::client {
namespace {

using base::AsBytes;
using base::Code;
using base::Error;

// Hashes the file's bytes as a reader asks for them from the front to the end.
class HashingSource : public ByteSource {
 public:
  explicit HashingSource(ByteSource& source) : source_(source) {}

  base::Result<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) override {
    const auto got = source_.ReadAt(offset, into);
    if (!got) return got.error();
    if (offset == hashed_) {
      hash_.Update(AsBytes({into.data(), *got}));
      hashed_ += *got;
    }
    return *got;
  }

  std::array<std::uint8_t, 32> Finish() { return hash_.Finish(); }

 private:
  ByteSource& source_;
  crypto::Sha256Stream hash_;
  std::uint64_t hashed_ = 0;
};

void UpdateNumber(crypto::Sha256Stream& digest, std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes{};
  for (auto& byte : bytes) {
    byte = static_cast<std::uint8_t>(number);
    number >>= 8;
  }
  digest.Update(bytes);
}

// Every part is preceded by its length, so that no two records are written alike.
void UpdateRecord(crypto::Sha256Stream& digest, const CsvRecord& record) {
  UpdateNumber(digest, record.offset);
  UpdateNumber(digest, record.line);
  UpdateNumber(digest, record.cells.size());
  for (const auto& cell : record.cells) {
    UpdateNumber(digest, cell.size());
    digest.Update(AsBytes(cell));
  }
  const auto why = record.fault ? record.fault->why.text() : std::string_view();
  UpdateNumber(digest, record.fault ? record.fault->cell : 0);
  UpdateNumber(digest, why.size());
  digest.Update(AsBytes(why));
}

}  // namespace

base::Result<CaseFile> CaseFile::Open(const std::string& path, Mapping mapping,
                                      ImportOptions options, std::vector<Fault>& faults) {
  auto source = OpenFile(path);
  if (!source) return source.error();
  return Open(std::move(*source), std::move(mapping), std::move(options), faults);
}

base::Result<CaseFile> CaseFile::Open(std::unique_ptr<ByteSource> source, Mapping mapping,
                                      ImportOptions options, std::vector<Fault>& faults) {
  faults.clear();
  const auto start = FirstRecord(*source);
  if (!start) return start.error();
  HashingSource hashing(*source);
  if (*start > 0) {
    std::array<char, 3> mark{};
    if (const auto got = hashing.ReadAt(0, mark); !got) return got.error();
  }
  CsvReader reader(hashing, mapping.delimiter(), *start, 1);
  CsvRecord header;
  const auto any = reader.Next(header);
  if (!any) return any.error();
  if (!*any) return Error(Code::kInvalidArgument, "the file is empty: it has no header");
  if (header.fault) {
    faults.push_back({header.line, "", header.fault->why.text()});
    return Error(Code::kInvalidArgument, "the file's header cannot be read");
  }
  auto mapper = RowMapper::Bind(std::move(mapping), header, std::move(options), faults);
  if (!mapper) return mapper.error();

  CaseFile file(std::move(source), std::move(*mapper));
  if (const auto status = file.Index(reader); !status) return status.error();
  file.sha256_ = hashing.Finish();
  return file;
}

base::Status CaseFile::Index(CsvReader& reader) {
  CsvRecord record;
  crypto::Sha256Stream digest;
  for (;;) {
    const auto more = reader.Next(record);
    if (!more) return more.error();
    if (row_count_ % kBlockRows == 0 || !*more) {
      if (!blocks_.empty()) blocks_.back().digest = digest.Finish();
      if (!*more) return base::Status::Ok();
      blocks_.push_back({record.offset, record.line, {}});
      digest = crypto::Sha256Stream();
    }
    UpdateRecord(digest, record);
    ++row_count_;
  }
}

base::Result<std::vector<ImportLine>> CaseFile::Rows(std::uint32_t first_row) {
  if (first_row % kBlockRows != 0 || first_row >= row_count_) {
    return Error(Code::kInvalidArgument, "no block of the file begins with this row");
  }
  const Block& block = blocks_[first_row / kBlockRows];
  CsvReader reader(*source_, mapper_.mapping().delimiter(), block.offset, block.line);
  CsvRecord record;
  crypto::Sha256Stream digest;
  std::vector<ImportLine> lines;
  const std::uint32_t end = std::min(row_count_, first_row + kBlockRows);
  for (std::uint32_t row = first_row; row < end; ++row) {
    const auto more = reader.Next(record);
    if (!more) return more.error();
    if (!*more) break;
    UpdateRecord(digest, record);
    lines.push_back(mapper_.Map(record, row));
  }
  if (digest.Finish() != block.digest) {
    return Error(Code::kConflict, "the file has changed since it was opened: begin again");
  }
  return lines;
}

}  // namespace godwit::client
