#include "client/import/csv.h"

#include <csv.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace godwit::client {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// Gives its bytes a few at a time, so that every end of line and quote falls on an edge.
class DripSource : public ByteSource {
 public:
  DripSource(const std::string& bytes, std::size_t drip) : bytes_(bytes), drip_(drip) {}

  base::Result<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const auto size = std::min({drip_, into.size(), bytes_.size() - offset});
    std::copy_n(bytes_.data() + offset, size, into.data());
    return size;
  }

 private:
  const std::string& bytes_;
  std::size_t drip_;
};

std::vector<CsvRecord> Records(ByteSource& source, char delimiter = ',') {
  std::vector<CsvRecord> records;
  const auto start = FirstRecord(source);
  if (!start) return records;
  CsvReader reader(source, delimiter, *start, 1);
  CsvRecord record;
  for (;;) {
    const auto more = reader.Next(record);
    EXPECT_TRUE(more.ok());
    if (!more || !*more) return records;
    records.push_back(record);
  }
}

std::vector<CsvRecord> Records(const std::string& bytes, char delimiter = ',') {
  return Records(*OpenMemory(bytes), delimiter);
}

// Cells, or in place of them the fault.
Rows RowsOf(const std::vector<CsvRecord>& records) {
  Rows rows;
  for (const auto& record : records) {
    if (record.fault) {
      rows.push_back(
          {"FAULT " + std::to_string(record.fault->cell), std::string(record.fault->why.text())});
    } else {
      rows.push_back(record.cells);
    }
  }
  return rows;
}

constexpr char kStray[] = "there is a quote in a cell that is not quoted";
constexpr char kAfter[] = "there is text after a closing quote";
constexpr char kNeverEnds[] = "a quoted cell never ends: nothing after it can be read";
constexpr char kNul[] = "the cell holds a NUL byte";
constexpr char kNoUtf8[] = "the cell is not UTF-8";

TEST(Csv, ReadsWhatTheFieldSends) {
  using std::string_literals::operator""s;
  const struct {
    const char* name;
    std::string bytes;
    Rows want;
    std::vector<std::uint32_t> lines;
  } rows[] = {
      {"nothing", "", {}, {}},
      {"a byte order mark and nothing", "\xef\xbb\xbf", {}, {}},
      {"LF", "a,b\n1,2\n", {{"a", "b"}, {"1", "2"}}, {1, 2}},
      {"CRLF", "a,b\r\n1,2\r\n", {{"a", "b"}, {"1", "2"}}, {1, 2}},
      {"CR", "a,b\r1,2\r", {{"a", "b"}, {"1", "2"}}, {1, 2}},
      {"all of them", "a\rb\r\nc\nd", {{"a"}, {"b"}, {"c"}, {"d"}}, {1, 2, 3, 4}},
      {"no end of line at the end", "a,b\n1,2", {{"a", "b"}, {"1", "2"}}, {1, 2}},
      {"a byte order mark",
       "\xef\xbb\xbf"
       "a,b\n",
       {{"a", "b"}},
       {1}},
      {"a quoted header behind a byte order mark", "\xef\xbb\xbf\"a\",b\n", {{"a", "b"}}, {1}},
      {"quoted commas", "\"a,b\",c\n", {{"a,b", "c"}}, {1}},
      {"doubled quotes", "\"say \"\"hi\"\"\",\"\"\"\"\n", {{"say \"hi\"", "\""}}, {1}},
      {"ends of line in quotes",
       "\"a\nb\r\nc\rd\",e\nf,g\n",
       {{"a\nb\r\nc\rd", "e"}, {"f", "g"}},
       {1, 5}},
      {"empty cells", ",,\n\"\",,\"\"\n", {{"", "", ""}, {"", "", ""}}, {1, 2}},
      {"an empty cell at the end of the file", "a,", {{"a", ""}}, {1}},
      {"empty lines", "\n\r\na\n\n\r\nb\n\n\n\r\n", {{"a"}, {"b"}}, {3, 6}},
      {"one empty cell", "\"\"\n", {{""}}, {1}},
      {"spaces stay", " a , b \n", {{" a ", " b "}}, {1}},
      {"other scripts",
       "이름,名\n\"림,꺽정\",林巨正\n",
       {{"이름", "名"}, {"림,꺽정", "林巨正"}},
       {1, 2}},
      {"a stray quote", "a,5\" pipe\nb,c\n", {{"FAULT 1", kStray}, {"b", "c"}}, {1, 2}},
      {"a quote behind a space", " \"a\"\nb\n", {{"FAULT 0", kStray}, {"b"}}, {1, 2}},
      {"text after a quote", "\"a\"b,c\nd,e\n", {{"FAULT 0", kAfter}, {"d", "e"}}, {1, 2}},
      {"a space after a quote", "\"a\" ,c\nd,e\n", {{"FAULT 0", kAfter}, {"d", "e"}}, {1, 2}},
      {"a quote that never closes",
       "a,b\nc,\"d\ne,f\n",
       {{"a", "b"}, {"FAULT 1", kNeverEnds}},
       {1, 2}},
      {"a quote as the last byte", "a,\"", {{"FAULT 1", kNeverEnds}}, {1}},
      {"a NUL byte",
       "abcd,e\na\0b,c\nd,e\n"s,
       {{"abcd", "e"}, {"FAULT 0", kNul}, {"d", "e"}},
       {1, 2, 3}},
      {"no UTF-8", "a,b\nc,\xff\nd,e\n", {{"a", "b"}, {"FAULT 1", kNoUtf8}, {"d", "e"}}, {1, 2, 3}},
      {"Latin-1", "caf\xe9\nb\n", {{"FAULT 0", kNoUtf8}, {"b"}}, {1, 2}},
      {"an overlong form", "\xc0\xaf,b\n", {{"FAULT 0", kNoUtf8}}, {1}},
      {"a surrogate", "\xed\xa0\x80\n", {{"FAULT 0", kNoUtf8}}, {1}},
      {"a character cut by the comma", "\xea\xb0,\x80\n", {{"FAULT 0", kNoUtf8}}, {1}},
      {"the first fault counts", "\"a\"b,\xff\n", {{"FAULT 0", kAfter}}, {1}},
  };
  for (const auto& row : rows) {
    for (const std::size_t drip : {1, 2, 3, 1000}) {
      SCOPED_TRACE(std::string(row.name) + ", " + std::to_string(drip) + " bytes at a time");
      DripSource source(row.bytes, drip);
      const auto records = Records(source);
      EXPECT_EQ(RowsOf(records), row.want);
      std::vector<std::uint32_t> lines;
      for (const auto& record : records) lines.push_back(record.line);
      EXPECT_EQ(lines, row.lines);
    }
  }
}

TEST(Csv, OtherDelimitersLeaveCommasAlone) {
  EXPECT_EQ(RowsOf(Records("a,b;c\n\"d;e\";f\n", ';')), (Rows{{"a,b", "c"}, {"d;e", "f"}}));
  EXPECT_EQ(RowsOf(Records("a\tb\n", '\t')), (Rows{{"a", "b"}}));
}

TEST(Csv, OtherEncodingsAreRefused) {
  using std::string_literals::operator""s;
  for (const auto& bytes :
       {"\xff\xfe"
        "a\0,\0"s,
        "\xfe\xff\0a\0,"s, "a\0b\0"s, "\0a\0b"s, "\0\0\xfe\xff\0\0\0a"s, "\xff\xfe\0\0a\0\0\0"s}) {
    const auto source = OpenMemory(bytes);
    const auto start = FirstRecord(*source);
    ASSERT_FALSE(start.ok());
    EXPECT_EQ(start.error().code(), base::Code::kUnsupported);
  }
}

TEST(Csv, LongCellsAndRecordsAreRefusedAndTheNextOneIsRead) {
  const std::string longest(kMaxCellBytes, 'x');
  EXPECT_EQ(RowsOf(Records(longest + ",b\n")), (Rows{{longest, "b"}}));
  const std::string after = "\nc,d\n";
  const struct {
    const char* name;
    std::string bytes;
    const char* why;
  } rows[] = {
      {"a cell", "a," + longest + "x" + after, "the cell is too long"},
      {"a quoted cell", "a,\"" + longest + "\n\n\"\"x\"" + after, "the cell is too long"},
      {"cells together", longest + "," + longest + "," + longest + "," + longest + ",x" + after,
       "the record is too long"},
      {"many cells", std::string(kMaxColumns, ',') + after, "the record has too many cells"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto records = Records(row.bytes);
    ASSERT_EQ(records.size(), 2U);
    ASSERT_TRUE(records[0].fault.has_value());
    EXPECT_EQ(records[0].fault->why.text(), row.why);
    EXPECT_TRUE(records[0].cells.empty());
    EXPECT_EQ(records[1].cells, (std::vector<std::string>{"c", "d"}));
  }
}

// A source that fails after so many bytes.
class BrokenSource : public ByteSource {
 public:
  base::Result<std::size_t> ReadAt(std::uint64_t offset, std::span<char> into) override {
    if (offset >= 4) return base::Error(base::Code::kIo, "broken");
    into[0] = 'a';
    return std::size_t{1};
  }
};

TEST(Csv, AFileThatCannotBeReadToTheEndIsAnError) {
  BrokenSource source;
  CsvReader reader(source, ',', 0, 1);
  CsvRecord record;
  const auto more = reader.Next(record);
  ASSERT_FALSE(more.ok());
  EXPECT_EQ(more.error().code(), base::Code::kIo);
}

rc::Gen<std::string> Cell() {
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(
                          rc::gen::weightedElement<std::string>({{6, "a"},
                                                                 {2, " "},
                                                                 {2, ","},
                                                                 {2, ";"},
                                                                 {2, "\""},
                                                                 {1, "\r"},
                                                                 {1, "\n"},
                                                                 {1, "\r\n"},
                                                                 {1, "\xea\xb0\x80"},
                                                                 {1, "\xf0\x9f\x98\x80"},
                                                                 {1, "\t"}})),
                      [](const std::vector<std::string>& parts) {
                        std::string cell;
                        for (const auto& part : parts) cell += part;
                        return cell;
                      });
}

RC_GTEST_PROP(CsvProperty, WhatIsWrittenIsReadBack, ()) {
  auto rows = *rc::gen::container<Rows>(
      rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(Cell())));
  const char delimiter = *rc::gen::element(',', ';', '\t', '|');
  const auto line_end = *rc::gen::element<std::string>("\n", "\r\n", "\r");
  const auto drip = *rc::gen::element<std::size_t>(1, 2, 7, 4096);
  std::string bytes = "\xef\xbb\xbf";
  for (const auto& row : rows) AppendCsv(bytes, row, delimiter, line_end);
  DripSource source(bytes, drip);
  RC_ASSERT(RowsOf(Records(source, delimiter)) == rows);
}

// libcsv reads what we write as we do: a second opinion on the format.
RC_GTEST_PROP(CsvProperty, LibcsvReadsTheSameCells, ()) {
  const auto rows = *rc::gen::container<Rows>(
      rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(Cell())));
  std::string bytes;
  for (const auto& row : rows) AppendCsv(bytes, row);

  struct Reading {
    Rows rows;
    std::vector<std::string> row;
  } reading;
  csv_parser parser;
  csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
  csv_set_space_func(&parser, [](unsigned char) { return 0; });
  const auto on_cell = [](void* cell, std::size_t size, void* to) {
    static_cast<Reading*>(to)->row.emplace_back(static_cast<const char*>(cell), size);
  };
  const auto on_row = [](int, void* to) {
    auto* all = static_cast<Reading*>(to);
    all->rows.push_back(std::move(all->row));
    all->row.clear();
  };
  const auto parsed = csv_parse(&parser, bytes.data(), bytes.size(), on_cell, on_row, &reading);
  csv_fini(&parser, on_cell, on_row, &reading);
  csv_free(&parser);
  RC_ASSERT(parsed == bytes.size());
  RC_ASSERT(reading.rows == rows);
}

rc::Gen<std::string> UglyBytes() {
  return rc::gen::container<std::string>(rc::gen::weightedElement<char>(
      {{6, 'a'}, {4, ','}, {4, '"'}, {2, '\r'}, {2, '\n'}, {1, '\0'}, {1, '\xff'}, {1, '\xea'}}));
}

RC_GTEST_PROP(CsvProperty, AnyBytesReadTheSameHoweverTheyCome, ()) {
  const auto bytes = *UglyBytes();
  DripSource slow(bytes, 1);
  const auto a = Records(slow);
  const auto b = Records(bytes);
  RC_ASSERT(RowsOf(a) == RowsOf(b));
  for (std::size_t i = 0; i < b.size(); ++i) {
    RC_ASSERT(a[i].offset == b[i].offset);
    RC_ASSERT(a[i].line == b[i].line);
    if (i > 0) RC_ASSERT(b[i].line > b[i - 1].line && b[i].offset > b[i - 1].offset);
  }
}

// A reader that begins at any record reads on as the one that came by.
RC_GTEST_PROP(CsvProperty, ReadingCanBeginAtAnyRecord, ()) {
  const auto bytes = *UglyBytes();
  const auto all = Records(bytes);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto source = OpenMemory(bytes);
    CsvReader reader(*source, ',', all[i].offset, all[i].line);
    CsvRecord record;
    for (std::size_t j = i; j < all.size(); ++j) {
      const auto more = reader.Next(record);
      RC_ASSERT(more.ok() && *more);
      RC_ASSERT(RowsOf({record}) == RowsOf({all[j]}));
      RC_ASSERT(record.line == all[j].line);
    }
    const auto more = reader.Next(record);
    RC_ASSERT(more.ok() && !*more);
  }
}

}  // namespace
}  // namespace godwit::client
