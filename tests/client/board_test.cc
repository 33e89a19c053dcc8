#include "client/board.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace godwit::client {
namespace {

using namespace content::v1;  // NOLINT: names of records

BoardLine LineOf(const std::string& code, CaseStage stage = CASE_STAGE_PLANNING) {
  BoardLine line;
  auto& summary = line.row.summary;
  summary.set_code(code);
  summary.set_stage(stage);
  summary.set_status(stage == CASE_STAGE_CLOSED ? CASE_STATUS_CLOSED : CASE_STATUS_OPEN);
  summary.set_condition(CASE_CONDITION_NORMAL);
  summary.set_risk(RISK_LEVEL_LOW);
  summary.set_population(POPULATION_GROUP_OTHER);
  line.row.caseworker_handle = "haneul";
  line.row.supervisor_handle = "jun";
  return line;
}

TEST(Board, EachFilterLeavesOutWhatItDoesNotWant) {
  const BoardLine plain = LineOf("A");
  struct Row {
    const char* name;
    BoardFilter filter;
    void (*change)(BoardLine& line);
  };
  const auto by = [](const std::string& field, const std::string& value) {
    BoardFilter filter;
    filter.values[field] = {"closed", value};
    return filter;
  };
  BoardFilter caseworker, supervisor, waits, overdue;
  caseworker.caseworkers = {"seol"};
  supervisor.supervisors = {"seol"};
  waits.approval_waits = true;
  overdue.overdue = true;
  const Row rows[] = {
      {"stage", by("stage", "ready"),
       [](BoardLine& line) { line.row.summary.set_stage(CASE_STAGE_READY); }},
      {"status", by("status", "transferred"),
       [](BoardLine& line) { line.row.summary.set_status(CASE_STATUS_TRANSFERRED); }},
      {"condition", by("condition", "missing"),
       [](BoardLine& line) { line.row.summary.set_condition(CASE_CONDITION_MISSING); }},
      {"risk", by("risk", "high"),
       [](BoardLine& line) { line.row.summary.set_risk(RISK_LEVEL_HIGH); }},
      {"population", by("population", "dprk_national"),
       [](BoardLine& line) { line.row.summary.set_population(POPULATION_GROUP_DPRK_NATIONAL); }},
      {"flag", by("flags", "protection"),
       [](BoardLine& line) {
         line.row.summary.add_flags(CASE_FLAG_IMPORTED);
         line.row.summary.add_flags(CASE_FLAG_PROTECTION);
       }},
      {"caseworker", caseworker, [](BoardLine& line) { line.row.caseworker_handle = "seol"; }},
      {"supervisor", supervisor, [](BoardLine& line) { line.row.supervisor_handle = "seol"; }},
      {"assessment waits", waits,
       [](BoardLine& line) { line.row.summary.set_approval_assessment(APPROVAL_STATE_PENDING); }},
      {"plan waits", waits,
       [](BoardLine& line) { line.row.summary.set_approval_case_plan(APPROVAL_STATE_PENDING); }},
      {"closure waits", waits,
       [](BoardLine& line) { line.row.summary.set_approval_closure(APPROVAL_STATE_PENDING); }},
      {"overdue", overdue, [](BoardLine& line) { line.overdue = true; }},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    BoardLine changed = plain;
    row.change(changed);
    EXPECT_FALSE(Wants(row.filter, plain));
    EXPECT_FALSE(HidesAsClosed(row.filter, plain));
    EXPECT_TRUE(Wants(row.filter, changed));
  }
  EXPECT_TRUE(Wants({}, plain));
}

TEST(Board, CasesThatAreNoLongerOpenShowWhereTheyAreAskedFor) {
  const BoardLine closed = LineOf("A", CASE_STAGE_CLOSED);
  BoardLine duplicate = LineOf("B");
  duplicate.row.summary.set_status(CASE_STATUS_DUPLICATE);
  for (const BoardLine& line : {closed, duplicate}) {
    EXPECT_FALSE(Wants({}, line));
    EXPECT_TRUE(HidesAsClosed({}, line));
    BoardFilter filter;
    filter.closed = true;
    EXPECT_TRUE(Wants(filter, line));
    EXPECT_FALSE(HidesAsClosed(filter, line));
  }
  BoardFilter filter;
  filter.values["stage"] = {"closed"};
  EXPECT_TRUE(Wants(filter, closed));
  filter = {};
  filter.values["status"] = {"duplicate"};
  EXPECT_TRUE(Wants(filter, duplicate));
  EXPECT_FALSE(Wants(filter, closed));
  filter.values["status"] = {};
  EXPECT_FALSE(Wants(filter, duplicate)) << "an option that was not given asks for nothing";
}

TEST(Board, SortsByOneFieldAfterTheOtherAndKeepsTheRest) {
  std::vector<BoardLine> lines{LineOf("A"), LineOf("B"), LineOf("C"), LineOf("D")};
  lines[0].row.summary.set_next_due_day(30);
  lines[1].row.summary.set_next_due_day(20);
  lines[3].row.summary.set_next_due_day(30);
  lines[2].row.summary.set_risk(RISK_LEVEL_HIGH);
  lines[1].row.caseworker_handle = "ara";
  lines[0].days_in_stage = 5;
  lines[3].days_in_stage = 11;
  lines[2].overdue = true;
  struct Row {
    std::vector<BoardOrder> orders;
    const char* want;
  };
  const Row rows[] = {
      {{}, "ABCD"},
      {{{"code", true}}, "DCBA"},
      {{{"due", false}}, "BADC"},
      {{{"due", true}}, "ADBC"},  // nothing is due: last all the same
      {{{"due", false}, {"days", true}}, "BDAC"},
      {{{"risk", false}}, "CABD"},
      {{{"risk", true}}, "ABDC"},
      {{{"caseworker", false}}, "BACD"},
      {{{"days", true}}, "DABC"},
      {{{"overdue", false}}, "CABD"},
  };
  for (const Row& row : rows) {
    auto sorted = lines;
    SortBoard(sorted, row.orders);
    std::string codes;
    for (const BoardLine& line : sorted) codes += line.row.summary.code();
    EXPECT_EQ(codes, row.want) << (row.orders.empty() ? "" : row.orders[0].field);
  }
  // Each field that is offered can be sorted by.
  for (const std::string_view field : BoardFields()) {
    const std::vector<BoardOrder> orders{{std::string(field), false}};
    SortBoard(lines, orders);
  }
}

TEST(Board, WhatAFilterDoesNotHaveIsFoundWithWhatItHas) {
  Board board;
  board.caseworkers = {"haneul", "seol"};
  EXPECT_FALSE(FindUnknown(board, {}, {}));
  BoardFilter filter;
  filter.values["stage"] = {"ready", "redy"};
  auto unknown = FindUnknown(board, filter, {});
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->option, "stage");
  EXPECT_EQ(unknown->value, "redy");
  EXPECT_EQ(unknown->known.size(), 11u);
  EXPECT_EQ(unknown->known.back(), "closed");

  filter = {};
  filter.values["flags"] = {"protected"};
  unknown = FindUnknown(board, filter, {});
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->option, "flag");

  filter = {};
  filter.caseworkers = {"haneul"};
  EXPECT_FALSE(FindUnknown(board, filter, {}));
  filter.caseworkers = {"jun"};
  unknown = FindUnknown(board, filter, {});
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->known, (std::vector<std::string>{"haneul", "seol"}));
  filter = {};
  filter.supervisors = {"jun"};
  EXPECT_TRUE(FindUnknown(board, filter, {})) << "there is none at all";

  const std::vector<BoardOrder> orders{{"due", true}, {"name", false}};
  unknown = FindUnknown(board, {}, orders);
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->option, "sort");
  EXPECT_EQ(unknown->value, "name");
  EXPECT_EQ(unknown->known.size(), BoardFields().size());
}

}  // namespace
}  // namespace godwit::client
