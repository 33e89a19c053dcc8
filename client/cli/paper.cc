#include "client/cli/paper.h"

#include <algorithm>
#include <array>
#include <utility>

#include "client/casework/inert.h"
#include "client/cli/language.h"
#include "client/cli/render.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;

constexpr std::array<std::string_view, 4> kPaperLanguages{"en", "ko", "zh", "th"};

// By the names that client/transitions.h has for them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kTitles{{
    {"summary", Translatable("Personal details")},
    {"identity_profile", Translatable("Personal details")},
    {"service", Translatable("Services")},
    {"document", Translatable("Identity documents")},
    {"contact", Translatable("Ways to make contact")},
    {"need", Translatable("Specific needs")},
    {"assessment", Translatable("Assessment")},
    {"plan", Translatable("Plan")},
    {"trafficking", Translatable("Trafficking")},
    {"best-interests", Translatable("Best interests")},
}};

}  // namespace

std::vector<std::string> PaperLanguages() {
  return {kPaperLanguages.begin(), kPaperLanguages.end()};
}

base::Result<std::string> PaperLanguage(std::string_view language) {
  const auto* const found =
      std::ranges::find(kPaperLanguages, language.substr(0, language.find_first_of("-_")));
  if (found == kPaperLanguages.end()) {
    return Error(Code::kInvalidArgument,
                 "nothing is printed in this language: choose en, ko, zh or th (--language)");
  }
  return std::string(*found);
}

base::Result<print::Document> PaperIn(std::string_view language,
                                      const std::function<print::Document()>& make) {
  const auto chosen = PaperLanguage(language);
  if (!chosen) return chosen.error();
  print::Document document;
  if (!InLanguage(LanguageOf(*chosen), [&] { document = make(); })) {
    return Error(Code::kNotFound,
                 "the texts of this language are not installed: the folder `locale` belongs beside "
                 "this program; or print in English (--language en)");
  }
  document.language = *chosen;
  return document;
}

void AddSender(print::Document& letter, std::string_view from, std::uint32_t today,
               std::string_view code) {
  const auto field = [&](std::string label, std::string value) {
    letter.blocks.emplace_back(print::Field{std::move(label), std::move(value)});
  };
  field(Translated("From"), Typed(from));
  field(Translated("Organisation"), {});
  field(Translated("How to reach us"), {});
  field(Translated("Date"), DayLabel(today));
  field(Translated("Our reference"), std::string(code));
}

std::string Typed(std::string_view text) { return client::Inert(text, std::string_view::npos); }

std::string SharedTitle(std::string_view root) {
  const auto* const found =
      std::ranges::find(kTitles, root, &std::pair<std::string_view, std::string_view>::first);
  return found == kTitles.end() ? Typed(root) : LookUp(found->second);
}

}  // namespace godwit::cli
