#include "client/board.h"

#include <algorithm>
#include <tuple>

namespace godwit::client {

base::Result<Board> ReadBoard(Organisation& organisation, std::uint32_t today) {
  auto cases = ListCases(organisation);
  if (!cases) return cases.error();
  Board board;
  for (CaseRow& row : *cases) {
    BoardLine line;
    const auto& summary = row.summary;
    if (summary.stage_since_day() != 0 && summary.stage_since_day() <= today) {
      line.days_in_stage = today - summary.stage_since_day();
    }
    line.overdue =
        summary.overdue() > 0 || (summary.next_due_day() != 0 && summary.next_due_day() < today);
    ++board.by_stage[summary.stage()];
    board.not_fully_checked += row.fully_checked ? 0 : 1;
    line.row = std::move(row);
    board.lines.push_back(std::move(line));
  }
  const auto order = [](const BoardLine& line) {
    const auto& s = line.row.summary;
    const int risk = s.risk() == content::v1::RISK_LEVEL_UNSPECIFIED
                         ? static_cast<int>(content::v1::RISK_LEVEL_NOT_ASSESSED)
                         : static_cast<int>(s.risk());
    const std::uint32_t due = s.next_due_day() == 0 ? ~std::uint32_t{0} : s.next_due_day();
    return std::tuple(!line.overdue, risk, due, ~line.days_in_stage, s.code());
  };
  std::ranges::sort(board.lines,
                    [&](const BoardLine& a, const BoardLine& b) { return order(a) < order(b); });
  return board;
}

}  // namespace godwit::client
