#include "client/cli/case_card.h"

#include <algorithm>

#include "client/casework/life.h"
#include "client/cli/render.h"

namespace godwit::cli {
namespace {

using content::v1::Record;

// So many lines of each list fit on the page; those of Thai are taller.
std::size_t MostLines() { return LanguageInUse() == "th" ? 2 : 4; }

// "a, b" of what is not empty.
std::string Several(const std::vector<std::string>& parts) {
  std::vector<std::string> there;
  std::ranges::copy_if(parts, std::back_inserter(there),
                       [](const std::string& part) { return !part.empty(); });
  return Joined(there);
}

// What is said of a day, which is {0} in it; nothing for none.
std::string On(std::string_view what, std::uint32_t day) {
  return day == 0 ? std::string() : Fill(what, {DayLabel(day)});
}
// The same of an enum's value.
template <class Enum>
std::string Of(std::string_view what, Enum value) {
  return value == 0 ? std::string() : Fill(what, {EnumWords(value)});
}

std::string Answers(const content::v1::ConsentBits& consent) {
  // TRANSLATORS: to what a person agreed; {0} is yes, no, refused and so on.
  return Several({Of(Translated("services {0}"), consent.services()),
                  Of(Translated("identity {0}"), consent.store_identity()),
                  Of(Translated("partners {0}"), consent.share_partner()),
                  Of(Translated("authorities {0}"), consent.share_authority()),
                  Of(Translated("UNHCR {0}"), consent.share_unhcr()),
                  Of(Translated("reports {0}"), consent.reporting_aggregate()),
                  Of(Translated("tracing {0}"), consent.tracing())});
}

// The lists, by what stands above them.
constexpr std::string_view kFollowUps = Translatable("Follow-up");
constexpr std::string_view kServices = Translatable("Services");
constexpr std::string_view kIncidents = Translatable("Incidents");
constexpr std::string_view kSteps = Translatable("Process by authorities");

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
      return {{kFollowUps,
               {~it.due_day(), {EnumWords(it.type()), On(Translated("due {0}"), it.due_day())}}}};
    }
    case Record::kService: {
      const auto& it = record.service();
      return {{kServices,
               {std::max(it.appointment_day(), it.implemented_day()),
                {EnumWords(it.type()),
                 Several({EnumWords(it.status()), On(Translated("on {0}"), it.appointment_day()),
                          On(Translated("done {0}"), it.implemented_day())})}}}};
    }
    case Record::kIncident: {
      const auto& it = record.incident();
      return {
          {kIncidents,
           {it.discovered_day(),
            {EnumWords(it.type()), Several({Translated("severity {0}", it.severity()),
                                            EnumWords(it.status()), EnumWords(it.verification()),
                                            On(Translated("on {0}"), it.discovered_day())})}}}};
    }
    case Record::kAuthorityProcess: {
      const auto& it = record.authority_process();
      const auto& date = it.date();
      return {{kSteps,
               {static_cast<std::uint32_t>(std::max(date.year(), 0)) * 372 + date.month() * 31 +
                    date.day(),
                {EnumWords(it.step()), it.has_date() ? DateLabel(date) : std::string()}}}};
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
  print::Document card{.title = Translated("Case {0}", code),
                       .footer = Translated("{0}, as of {1}", code, DayLabel(today))};
  const auto field = [&](std::string label, std::string value) {
    if (!value.empty()) card.blocks.emplace_back(print::Field{std::move(label), std::move(value)});
  };
  field(Translated("Status"), EnumWords(summary.status()));
  field(Translated("Stage"), Several({EnumWords(summary.stage()),
                                      On(Translated("since {0}"), summary.stage_since_day())}));
  field(Translated("Condition"), EnumWords(summary.condition()));
  field(Translated("Work"), EnumWords(summary.workflow()));
  field(Translated("Risk"), EnumWords(summary.risk()));
  field(Translated("Sex"), EnumWords(summary.sex()));
  if (summary.has_age_band()) field(Translated("Age"), AgeWords(summary.age_band()));
  field(Translated("Group"), EnumWords(summary.population()));
  field(Translated("Region"), EnumWords(summary.region_band()));
  std::vector<std::string> flags;
  for (const int flag : summary.flags()) {
    flags.push_back(EnumWords(static_cast<content::v1::CaseFlag>(flag)));
  }
  field(Translated("Flags"), Several(flags));
  for (const Record& record : facts.records) {
    if (!record.has_case_()) continue;
    const auto& of = record.case_();
    if (of.has_registration_date()) {
      field(Translated("Registered"), DateLabel(of.registration_date()));
    }
    field(Translated("Came by"), EnumWords(of.identification_source()));
  }
  field(Translated("Consents"), Answers(summary.consent()));
  field(Translated("Approvals"),
        Several({Of(Translated("assessment {0}"), summary.approval_assessment()),
                 Of(Translated("plan {0}"), summary.approval_case_plan()),
                 Of(Translated("closure {0}"), summary.approval_closure())}));
  const auto gate = [](bool open, std::string what) {
    return open ? std::move(what) : std::string();
  };
  field(Translated("Gates"),
        Several({gate(summary.gate_cleared(), Translated("screening clear")),
                 gate(summary.gate_bia(), Translated("best interests assessed")),
                 gate(summary.gate_bid(), Translated("best interests determined"))}));
  field(Translated("Next due"), DayLabel(summary.next_due_day()));

  std::vector<std::pair<std::string_view, std::vector<Line>>> lists{
      {kFollowUps, {}}, {kServices, {}}, {kIncidents, {}}, {kSteps, {}}};
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
    const std::size_t shown = std::min(lines.size(), MostLines());
    std::string title = LookUp(heading);
    if (shown < lines.size()) title = Translated("{0} ({1} of {2})", title, shown, lines.size());
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
