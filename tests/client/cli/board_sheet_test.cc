#include "client/cli/board_sheet.h"

#include <gtest/gtest.h>

#include "client/import/csv.h"

namespace godwit::cli {
namespace {

using namespace content::v1;  // NOLINT: names of records

std::vector<std::vector<std::string>> CellsOf(const std::string& sheet) {
  const auto source = client::OpenMemory(sheet);
  client::CsvReader reader(*source, ',', *client::FirstRecord(*source), 1);
  std::vector<std::vector<std::string>> rows;
  for (client::CsvRecord record; *reader.Next(record);) {
    EXPECT_FALSE(record.fault);
    rows.push_back(record.cells);
  }
  return rows;
}

TEST(BoardSheet, HasARowOfCodesForEachCase) {
  client::BoardLine line;
  auto& summary = line.row.summary;
  summary.set_code("7K3MQ9TX2A*");
  summary.set_stage(CASE_STAGE_IN_TRANSIT);
  summary.set_risk(RISK_LEVEL_HIGH);
  summary.set_next_due_day(22'404);
  summary.mutable_age_band()->set_from_years(9);
  summary.mutable_age_band()->set_to_years(17);
  summary.add_flags(CASE_FLAG_IMPORTED);
  summary.add_flags(CASE_FLAG_PROTECTION);
  summary.set_approval_closure(APPROVAL_STATE_PENDING);
  summary.set_gate_bia(true);
  line.row.caseworker = "Haneul Specimen";
  line.row.caseworker_handle = "haneul";
  line.row.supervisor = "Jun Example";
  line.row.supervisor_handle = "jun";
  line.days_in_stage = 12;
  line.overdue = true;
  const std::string sheet = BoardSheet({line});
  EXPECT_TRUE(
      sheet.starts_with("\xef\xbb\xbf"
                        "code,stage,"));
  EXPECT_TRUE(sheet.ends_with("\r\n"));
  EXPECT_EQ(sheet.find("Specimen"), std::string::npos) << "handles, no names";
  EXPECT_EQ(sheet.find("Example"), std::string::npos);
  const auto rows = CellsOf(sheet);
  ASSERT_EQ(rows.size(), 2u);
  ASSERT_EQ(rows[0].size(), rows[1].size());
  std::map<std::string, std::string> row;
  for (std::size_t i = 0; i < rows[0].size(); ++i) row[rows[0][i]] = rows[1][i];
  EXPECT_EQ(row["code"], "7K3M-Q9TX-2A*");
  EXPECT_EQ(row["stage"], "in_transit");
  EXPECT_EQ(row["risk"], "high");
  EXPECT_EQ(row["caseworker"], "haneul");
  EXPECT_EQ(row["supervisor"], "jun");
  EXPECT_EQ(row["days_in_stage"], "12");
  EXPECT_EQ(row["next_due"], "2031-05-05");
  EXPECT_EQ(row["is_overdue"], "yes");
  EXPECT_EQ(row["age_band"], "9-17");
  EXPECT_EQ(row["flags"], "imported, protection");
  EXPECT_EQ(row["approval_assessment"], "");
  EXPECT_EQ(row["approval_closure"], "pending");
  EXPECT_EQ(row["gate_bia"], "yes");
  EXPECT_EQ(row["gate_bid"], "no");
}

TEST(BoardSheet, NoCellIsAFormula) {
  struct Row {
    const char* handle;
    const char* want;
  };
  const Row rows[] = {{"=1+1", "'=1+1"},    {"+82", "'+82"},
                      {"-2", "'-2"},        {"@SUM(A1)", "'@SUM(A1)"},
                      {"\tx", "'\tx"},      {"=HYPERLINK(\"a\",\"b\")", "'=HYPERLINK(\"a\",\"b\")"},
                      {"haneul", "haneul"}, {"a=b", "a=b"}};
  for (const Row& row : rows) {
    client::BoardLine line;
    line.row.caseworker_handle = row.handle;
    const auto cells = CellsOf(BoardSheet({line}));
    ASSERT_EQ(cells.size(), 2u);
    EXPECT_EQ(cells[1][5], row.want);
  }
}

}  // namespace
}  // namespace godwit::cli
