#include "client/import/case_file.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "tests/client/import/mapped.h"

namespace godwit::client {
namespace {

using base::Code;

const std::string kToml =
    std::string(kLeastMapping) + FieldOf("identity_profile.names[0].full", "identity", "name",
                                         "sentinels = { absent = [\"\"] }");

std::string FileOf(int rows) {
  std::string csv = "\xef\xbb\xbfname\r\n";
  for (int i = 0; i < rows; ++i) {
    csv += i % 3 == 0 ? "\"예시\n" + std::to_string(i) + "\"\r\n" : std::to_string(i) + "\n";
  }
  return csv;
}

TEST(CaseFile, TellsHashAndRowsBeforeAnyRowIsRead) {
  const std::string csv = FileOf(1000);
  const auto reader = ReaderOf(csv, MappingOf(kToml));
  EXPECT_EQ(reader.row_count(), 1000U);
  EXPECT_EQ(reader.sha256(), crypto::Sha256(base::AsBytes(csv)));
}

TEST(CaseFile, BlocksComeInAnyOrder) {
  for (const int rows : {1, 63, 64, 65, 128, 300}) {
    SCOPED_TRACE(rows);
    const std::string csv = FileOf(rows);
    auto reader = ReaderOf(csv, MappingOf(kToml));
    std::vector<std::uint32_t> firsts;
    for (std::uint32_t row = 0; row < reader.row_count(); row += kBlockRows) firsts.push_back(row);
    std::reverse(firsts.begin(), firsts.end());
    std::size_t seen = 0;
    for (const auto first : firsts) {
      const auto lines = reader.Rows(first);
      ASSERT_TRUE(lines.ok());
      for (std::uint32_t i = 0; i < lines->size(); ++i) {
        const auto& line = (*lines)[i];
        const auto row = first + i;
        EXPECT_EQ(line.row, row);
        // The header, then one line a row and one more for every third.
        EXPECT_EQ(line.line, 2 + row + (row + 2) / 3);
        ASSERT_NE(line.ok(), nullptr);
        const auto number = std::to_string(row);
        EXPECT_EQ(line.ok()->identity_profile.names(0).full(),
                  row % 3 == 0 ? "예시\n" + number : number);
        ++seen;
      }
    }
    EXPECT_EQ(seen, static_cast<std::size_t>(rows));
  }
}

TEST(CaseFile, BlocksBeginAtTheirFirstRow) {
  const std::string csv = FileOf(100);
  auto reader = ReaderOf(csv, MappingOf(kToml));
  for (const std::uint32_t first : {1U, 63U, 65U, 100U, 128U, 0xffff'ffc0U}) {
    const auto lines = reader.Rows(first);
    ASSERT_FALSE(lines.ok()) << first;
    EXPECT_EQ(lines.error().code(), Code::kInvalidArgument);
  }
}

TEST(CaseFile, AHeaderWithoutRowsIsAFileOfNone) {
  const std::string csv = "name\n\n\n";
  auto reader = ReaderOf(csv, MappingOf(kToml));
  EXPECT_EQ(reader.row_count(), 0U);
  EXPECT_FALSE(reader.Rows(0).ok());
}

TEST(CaseFile, RefusesFilesWithoutAHeader) {
  for (const std::string csv : {"", "\xef\xbb\xbf", "\n\r\n"}) {
    std::vector<Fault> faults;
    const auto reader = CaseFile::Open(OpenMemory(csv), MappingOf(kToml), {}, faults);
    ASSERT_FALSE(reader.ok());
    EXPECT_EQ(reader.error().message(), "the file is empty: it has no header");
  }
}

// Any change of what was hashed is seen in the block where it stands, whatever it maps to.
TEST(CaseFile, AFileThatChangesMeanwhileIsAnError) {
  const std::string original = FileOf(200);
  const struct {
    const char* name;
    std::string changed;
  } rows[] = {
      {"another cell", std::string(original).replace(original.find("100\n"), 4, "1O0\n")},
      {"a row less", std::string(original).replace(original.find("100\n"), 4, "")},
      {"a row more", std::string(original).replace(original.find("100\n"), 4, "10\n0\n")},
      {"another end of line", std::string(original).replace(original.find("100\n"), 4, "100\r\n")},
      {"cut off", original.substr(0, original.find("100\n"))},
      {"empty", ""},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    std::string csv = original;
    auto reader = ReaderOf(csv, MappingOf(kToml));
    ASSERT_TRUE(reader.Rows(64).ok());
    csv = row.changed;
    const auto lines = reader.Rows(64);
    ASSERT_FALSE(lines.ok());
    EXPECT_EQ(lines.error().code(), Code::kConflict);
    csv = original;
    EXPECT_TRUE(reader.Rows(64).ok());
  }
}

// Cells are hashed with their bounds: what moves from one to the next is a change.
TEST(CaseFile, ACellThatMovesIsAChange) {
  const auto toml = kToml + FieldOf("identity_profile.occupation", "identity", "work");
  std::string csv = "name,work\nab,c\n";
  auto reader = ReaderOf(csv, MappingOf(toml));
  csv = "name,work\na,bc\n";
  EXPECT_FALSE(reader.Rows(0).ok());
}

class CaseFileFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "godwit-import-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  base::Code CodeOf(const std::string& path) {
    std::vector<Fault> faults;
    const auto reader = CaseFile::Open(path, MappingOf(kToml), {}, faults);
    EXPECT_FALSE(reader.ok());
    return reader ? Code::kInternal : reader.error().code();
  }

  std::filesystem::path folder_;
};

TEST_F(CaseFileFiles, OnlyRegularFilesAreRead) {
  EXPECT_EQ(CodeOf(folder_ / "missing"), Code::kNotFound);
  EXPECT_EQ(CodeOf(folder_), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf("/dev/zero"), Code::kInvalidArgument);
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(CodeOf(folder_ / "pipe"), Code::kInvalidArgument);
}

TEST_F(CaseFileFiles, AFileIsReadFromDisk) {
  const std::string csv = FileOf(130);
  std::ofstream(folder_ / "cases.csv", std::ios::binary) << csv;
  std::vector<Fault> faults;
  auto reader = CaseFile::Open(folder_ / "cases.csv", MappingOf(kToml), {}, faults);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->sha256(), crypto::Sha256(base::AsBytes(csv)));
  EXPECT_EQ(LinesOf(*reader).size(), 130U);
  std::ofstream(folder_ / "cases.csv", std::ios::binary | std::ios::app) << "later\n";
  EXPECT_TRUE(reader->Rows(128).ok());
  std::filesystem::resize_file(folder_ / "cases.csv", csv.size() - 4);
  const auto cut = reader->Rows(128);
  ASSERT_FALSE(cut.ok());
  EXPECT_EQ(cut.error().code(), Code::kConflict);
}

TEST_F(CaseFileFiles, AFileBeyondTheLimitIsRefused) {
  std::ofstream(folder_ / "large.csv", std::ios::binary) << "name\n";  // and then sparse
  std::filesystem::resize_file(folder_ / "large.csv", kMaxFileBytes + 1);
  EXPECT_EQ(CodeOf(folder_ / "large.csv"), Code::kInvalidArgument);
}

RC_GTEST_PROP(CaseFileProperty, AnyBytesAreMappedOrRefused, ()) {
  std::string csv = "name\n";
  csv += *rc::gen::container<std::string>(rc::gen::weightedElement<char>(
      {{6, 'a'}, {1, ','}, {1, '"'}, {2, '\r'}, {4, '\n'}, {1, '\0'}, {1, '\xff'}}));
  std::vector<Fault> faults;
  auto reader = CaseFile::Open(OpenMemory(csv), MappingOf(kToml),
                               {.import_day = kImportDay, .handles = {}}, faults);
  RC_ASSERT(reader.ok());
  std::uint32_t row = 0;
  for (const auto& line : LinesOf(*reader)) {
    RC_ASSERT(line.row == row++);
    if (line.ok() != nullptr) continue;
    RC_ASSERT(!std::get<std::vector<Refusal>>(line.outcome).empty());
  }
  RC_ASSERT(row == reader->row_count());
}

}  // namespace
}  // namespace godwit::client
