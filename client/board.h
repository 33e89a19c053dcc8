#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/cases.h"
#include "client/organisation.h"

namespace godwit::client {

// A coordinator's board: every case of the realm.
struct BoardLine {
  CaseRow row;
  std::uint32_t days_in_stage = 0;
  bool overdue = false;  // next_due_day lies before today, or overdue follow-ups
};
struct Board {
  std::vector<BoardLine> lines;  // overdue first, then by risk, next due and days in stage
  std::map<content::v1::CaseStage, std::size_t> by_stage;
  std::size_t not_fully_checked = 0;
  // Handles: of colleagues with the role, and of whoever a case names.
  std::set<std::string> caseworkers;
  std::set<std::string> supervisors;
};
// From what the last sync kept. `today`: days since 1970-01-01 UTC.
base::Result<Board> ReadBoard(Organisation& organisation, std::uint32_t today);

// Which lines of a board are wanted: those that pass all of it.
struct BoardFilter {
  // By an enum of the summary (stage, status, condition, risk, population, flags): the short names
  // of which a line has one; none: any.
  std::map<std::string, std::vector<std::string>> values;
  std::vector<std::string> caseworkers;  // handles; none: any
  std::vector<std::string> supervisors;
  bool approval_waits = false;  // an assessment, plan or closure waits for an answer
  bool overdue = false;
  // Cases that are no longer open show where this is set, or their status or stage is asked for.
  bool closed = false;
};
bool Wants(const BoardFilter& filter, const BoardLine& line);
// Whether a line is left out for no other reason than that its case is no longer open.
bool HidesAsClosed(const BoardFilter& filter, const BoardLine& line);

// What the lines of a board are sorted by.
struct BoardOrder {
  std::string field;  // of BoardFields
  bool descending = false;
};
std::span<const std::string_view> BoardFields();
// By the first order, then the second and so on, and else as they stand; lines without a value,
// such as a day that is due, come last either way. Risk ascends from high to not assessed.
void SortBoard(std::vector<BoardLine>& lines, std::span<const BoardOrder> orders);

// A value that a filter or an order does not have, and those that it has.
struct UnknownValue {
  std::string option;  // "stage", "caseworker", "sort"
  std::string value;
  std::vector<std::string> known;
};
// The first one of them.
std::optional<UnknownValue> FindUnknown(const Board& board, const BoardFilter& filter,
                                        std::span<const BoardOrder> orders);

}  // namespace godwit::client
