#include "client/cli/board_sheet.h"

#include "client/cli/render.h"
#include "client/import/csv.h"

namespace godwit::cli {
namespace {

std::string YesNo(bool yes) { return yes ? "yes" : "no"; }

// Nothing was asked for yet: an empty cell.
std::string ApprovalText(content::v1::ApprovalState state) {
  return state == content::v1::APPROVAL_STATE_UNSPECIFIED ? "" : EnumText(state);
}

std::string FlagsText(const content::v1::Summary& summary) {
  std::vector<std::string> flags;
  for (const int flag : summary.flags()) {
    flags.push_back(EnumText(static_cast<content::v1::CaseFlag>(flag)));
  }
  return Joined(flags);
}

}  // namespace

std::string BoardSheet(const std::vector<client::BoardLine>& lines) {
  std::string sheet = "\xef\xbb\xbf";
  const auto add = [&](std::vector<std::string> cells) {
    for (std::string& cell : cells) cell = client::HarmlessCell(std::move(cell));
    client::AppendCsv(sheet, cells);
  };
  add({"code",
       "stage",
       "status",
       "condition",
       "risk",
       "caseworker",
       "supervisor",
       "days_in_stage",
       "next_due",
       "is_overdue",
       "sex",
       "age_band",
       "population",
       "region_band",
       "flags",
       "approval_assessment",
       "approval_case_plan",
       "approval_closure",
       "gate_cleared",
       "gate_bia",
       "gate_bid"});
  for (const client::BoardLine& line : lines) {
    const auto& s = line.row.summary;
    add({CodeText(s.code()),
         EnumText(s.stage()),
         EnumText(s.status()),
         EnumText(s.condition()),
         EnumText(s.risk()),
         line.row.caseworker_handle,
         line.row.supervisor_handle,
         std::to_string(line.days_in_stage),
         DayText(s.next_due_day()),
         YesNo(line.overdue),
         EnumText(s.sex()),
         s.has_age_band() ? AgeText(s.age_band()) : "",
         EnumText(s.population()),
         EnumText(s.region_band()),
         FlagsText(s),
         ApprovalText(s.approval_assessment()),
         ApprovalText(s.approval_case_plan()),
         ApprovalText(s.approval_closure()),
         YesNo(s.gate_cleared()),
         YesNo(s.gate_bia()),
         YesNo(s.gate_bid())});
  }
  return sheet;
}

}  // namespace godwit::cli
