#include "client/cli/case_card.h"

#include <algorithm>

#include "client/casework/life.h"
#include "client/cli/render.h"

namespace godwit::cli {
namespace {

using content::v1::Record;

// So many lines of each list fit on the page.
constexpr std::size_t kMostLines = 4;

// "in_transit" as people read it.
std::string Words(std::string text) {
  std::ranges::replace(text, '_', ' ');
  return text;
}

template <class Enum>
std::string Words(Enum value) {
  return Words(EnumText(value));
}

// "a, b" of what is not empty.
std::string Several(const std::vector<std::string>& parts) {
  std::vector<std::string> there;
  std::ranges::copy_if(parts, std::back_inserter(there),
                       [](const std::string& part) { return !part.empty(); });
  return Joined(there);
}

std::string On(std::string_view what, std::uint32_t day) {
  return day == 0 ? std::string() : std::string(what) + " " + DayLabel(day);
}

std::string Answers(const content::v1::ConsentBits& consent) {
  const auto of = [](std::string_view what, content::v1::Answer answer) {
    return answer == content::v1::ANSWER_UNSPECIFIED ? std::string()
                                                     : std::string(what) + " " + Words(answer);
  };
  return Several({of("services", consent.services()), of("identity", consent.store_identity()),
                  of("partners", consent.share_partner()),
                  of("authorities", consent.share_authority()), of("UNHCR", consent.share_unhcr()),
                  of("reports", consent.reporting_aggregate()), of("tracing", consent.tracing())});
}

// A line of a list; those of later days come first.
struct Line {
  std::uint32_t day = 0;
  print::Field field{};
};

std::optional<std::pair<std::string_view, Line>> LineOf(const Record& record) {
  switch (record.body_case()) {
    case Record::kFollowUp: {
      const auto& it = record.follow_up();
      if (it.done_day() != 0) return std::nullopt;
      // What is due first comes first.
      return {{"Follow-up", {~it.due_day(), {Words(it.type()), On("due", it.due_day())}}}};
    }
    case Record::kService: {
      const auto& it = record.service();
      return {{"Services",
               {std::max(it.appointment_day(), it.implemented_day()),
                {Words(it.type()), Several({Words(it.status()), On("on", it.appointment_day()),
                                            On("done", it.implemented_day())})}}}};
    }
    case Record::kIncident: {
      const auto& it = record.incident();
      return {{"Incidents",
               {it.discovered_day(),
                {Words(it.type()),
                 Several({"severity " + std::to_string(it.severity()), Words(it.status()),
                          Words(it.verification()), On("on", it.discovered_day())})}}}};
    }
    case Record::kAuthorityProcess: {
      const auto& it = record.authority_process();
      const auto& date = it.date();
      return {{"Process by authorities",
               {static_cast<std::uint32_t>(std::max(date.year(), 0)) * 372 + date.month() * 31 +
                    date.day(),
                {Words(it.step()), it.has_date() ? DateLabel(date) : std::string()}}}};
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

print::Document CaseCard(const client::VaultFile& case_file, std::uint32_t today) {
  CardFacts facts;
  if (const auto* pinned = case_file.Pinned()) facts.summary = pinned->content.summary();
  client::WriteLife(case_file.Life(), facts.summary);
  for (const auto body : {Record::kCase, Record::kFollowUp, Record::kService, Record::kIncident,
                          Record::kAuthorityProcess}) {
    for (const auto* entry : case_file.Of(body)) facts.records.push_back(entry->content);
  }
  return CaseCard(facts, today);
}

print::Document CaseCard(const CardFacts& facts, std::uint32_t today) {
  const auto& summary = facts.summary;
  const std::string code = CodeText(summary.code());
  print::Document card{.title = "Case " + code, .footer = code + ", as of " + DayLabel(today)};
  const auto field = [&](std::string label, std::string value) {
    if (!value.empty()) card.blocks.emplace_back(print::Field{std::move(label), std::move(value)});
  };
  field("Status", Words(summary.status()));
  field("Stage", Several({Words(summary.stage()), On("since", summary.stage_since_day())}));
  field("Condition", Words(summary.condition()));
  field("Work", Words(summary.workflow()));
  field("Risk", Words(summary.risk()));
  field("Sex", Words(summary.sex()));
  if (summary.has_age_band()) field("Age", Words(AgeText(summary.age_band())));
  field("Group", Words(summary.population()));
  field("Region", Words(summary.region_band()));
  std::vector<std::string> flags;
  for (const int flag : summary.flags()) {
    flags.push_back(Words(static_cast<content::v1::CaseFlag>(flag)));
  }
  field("Flags", Several(flags));
  for (const Record& record : facts.records) {
    if (!record.has_case_()) continue;
    const auto& of = record.case_();
    if (of.has_registration_date()) field("Registered", DateLabel(of.registration_date()));
    field("Came by", Words(of.identification_source()));
  }
  field("Consents", Answers(summary.consent()));
  field(
      "Approvals",
      Several({summary.approval_assessment() == 0
                   ? std::string()
                   : "assessment " + Words(summary.approval_assessment()),
               summary.approval_case_plan() == 0 ? std::string()
                                                 : "plan " + Words(summary.approval_case_plan()),
               summary.approval_closure() == 0 ? std::string()
                                               : "closure " + Words(summary.approval_closure())}));
  field("Gates", Several({summary.gate_cleared() ? "screening clear" : "",
                          summary.gate_bia() ? "best interests assessed" : "",
                          summary.gate_bid() ? "best interests determined" : ""}));
  field("Next due", DayLabel(summary.next_due_day()));

  std::vector<std::pair<std::string_view, std::vector<Line>>> lists{
      {"Follow-up", {}}, {"Services", {}}, {"Incidents", {}}, {"Process by authorities", {}}};
  for (const Record& record : facts.records) {
    auto line = LineOf(record);
    if (!line) continue;
    std::ranges::find(lists, line->first, [](const auto& list) {
      return list.first;
    })->second.push_back(std::move(line->second));
  }
  for (auto& [heading, lines] : lists) {
    if (lines.empty()) continue;
    std::ranges::sort(lines, [](const Line& a, const Line& b) {
      return std::tie(b.day, a.field.label, a.field.value) <
             std::tie(a.day, b.field.label, b.field.value);
    });
    const std::size_t shown = std::min(lines.size(), kMostLines);
    std::string title(heading);
    if (shown < lines.size()) {
      title += " (" + std::to_string(shown) + " of " + std::to_string(lines.size()) + ")";
    }
    card.blocks.emplace_back(print::Heading{std::move(title)});
    for (std::size_t i = 0; i < shown; ++i) {
      // A line to write on stands for nothing here.
      if (lines[i].field.value.empty()) lines[i].field.value = "-";
      card.blocks.emplace_back(std::move(lines[i].field));
    }
  }
  return card;
}

}  // namespace godwit::cli
