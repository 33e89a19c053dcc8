#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/print/document.h"

// What papers have in common: they are in the language of whoever reads them, which need not be
// that of whoever prints them.
namespace godwit::cli {

// The languages of papers: "en", "ko", "zh", "th".
std::vector<std::string> PaperLanguages();
// The one of them that `language` means: BCP 47 or a locale's name, of which the first part counts.
// INVALID_ARGUMENT: none.
base::Result<std::string> PaperLanguage(std::string_view language);

// What `make` makes with its texts in that language. INVALID_ARGUMENT: as PaperLanguage.
// NOT_FOUND: the texts of this language are not installed.
base::Result<print::Document> PaperIn(std::string_view language,
                                      const std::function<print::Document()>& make);

// The head of a letter: who writes, by name and with lines for what is filled in by hand, the day,
// and the case by its code as it is shown. `today`: days since 1970-01-01 UTC.
void AddSender(print::Document& letter, std::string_view from, std::uint32_t today,
               std::string_view code);

// What somebody typed: whole, and made inert.
std::string Typed(std::string_view text);

// What of a person the root of a shared field is ("need", client/transitions.h), as a heading:
// "Specific needs". Of a newer client's, the root itself.
std::string SharedTitle(std::string_view root);

}  // namespace godwit::cli
