#include "client/cli/doctor.h"

#include "base/clock.h"
#include "client/casework/inert.h"
#include "client/cli/render.h"

namespace godwit::cli {
namespace {

using client::Finding;
using client::Grade;

constexpr std::size_t kLongest = 1'000;

Style StyleOf(Grade grade) {
  switch (grade) {
    case Grade::kBroken:
      return Style::kBad;
    case Grade::kWarning:
      return Style::kWarning;
    case Grade::kNote:
      return Style::kFaint;
  }
  return Style::kPlain;
}

// "cases: ", of what is of one realm.
std::string Where(const std::optional<protocol::Compartment>& realm) {
  return realm ? std::string(protocol::Name(*realm)) + ": " : std::string();
}

void Show(Output& output, const Finding& finding) {
  Json vaults = Json::array();
  for (const auto& vault : finding.vaults) vaults.push_back(base::ToHex(vault.bytes()));
  Json json{{"grade", client::Name(finding.grade)},
            {"code", finding.code},
            {"realm", finding.realm ? Json(protocol::Name(*finding.realm)) : Json(nullptr)},
            {"what", SentenceText(finding.what)},
            {"why", finding.why},
            {"next", finding.next}};
  if (!vaults.empty()) json["vaults"] = vaults;
  output.Emit(json);

  output.Line(CodeLabel(client::Name(finding.grade)) + "  " + Where(finding.realm) +
                  SentenceLabel(finding.what),
              StyleOf(finding.grade));
  output.Line("    " + Translated("why:  {0}", LookUp(finding.why)));
  output.Line("    " + Translated("next: {0}", LookUp(finding.next)));
}

}  // namespace

std::string SentenceText(const client::Sentence& sentence) {
  const auto& [first, second, third] = sentence.values;
  return Fill(sentence.text, {first, second, third});
}

std::string SentenceLabel(const client::Sentence& sentence) {
  const auto& [first, second, third] = sentence.values;
  return client::Inert(Fill(LookUp(sentence.text), {first, second, third}), kLongest);
}

ExitCode OrgDoctor(const Context& context) {
  Output& output = context.output;
  const auto fail = [&](const base::Error& why) {
    return output.Fail("look for faults in the organisation", why);
  };
  auto session = Session::Open(context, kAllRealms);
  if (!session) return fail(session.error());
  base::Result<client::Diagnosis> diagnosis =
      base::Error(base::Code::kInternal, "nothing was looked at");
  {
    Progress progress(output);
    diagnosis = client::Examine(
        session->organisation(), base::SystemClock().NowMs(),
        [&](protocol::Compartment compartment, std::size_t done, std::size_t all) {
          progress.Update(Translated("looking at {0}", protocol::Name(compartment)), done, all);
        });
  }
  if (!diagnosis) return fail(diagnosis.error());
  Json counts{{"broken", 0}, {"warning", 0}, {"note", 0}};
  for (const Finding& finding : diagnosis->findings) {
    Show(output, finding);
    auto& count = counts[std::string(client::Name(finding.grade))];
    count = count.get<std::size_t>() + 1;
  }
  if (diagnosis->findings.empty()) output.Line("Nothing to say.", Style::kGood);
  output.Line("\nNot looked at:", Style::kFaint);
  Json not_looked_at = Json::array();
  for (const auto& [realm, what, since] : diagnosis->not_looked_at) {
    not_looked_at.push_back(Where(realm) + SentenceText(what) +
                            (since ? ", since " + std::string(since->message()) : std::string()));
    // TRANSLATORS: {0} was not looked at; {1} says why.
    output.Line("    " + Where(realm) +
                    (since ? Translated("{0}, since {1}", SentenceLabel(what), WhyText(*since))
                           : SentenceLabel(what)),
                Style::kFaint);
  }
  output.Emit({{"broken", counts["broken"]},
               {"warnings", counts["warning"]},
               {"notes", counts["note"]},
               {"not_looked_at", not_looked_at}});
  return diagnosis->IsBroken() ? ExitCode::kError : ExitCode::kOk;
}

}  // namespace godwit::cli
