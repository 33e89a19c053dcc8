#pragma once

#include <cstdint>
#include <map>
#include <string>
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
};
// From what the last sync kept. `today`: days since 1970-01-01 UTC.
base::Result<Board> ReadBoard(Organisation& organisation, std::uint32_t today);

}  // namespace godwit::client
