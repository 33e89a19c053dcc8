#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "client/print/document.h"
#include "godwit/content/v1/record.pb.h"

namespace godwit::cli {

// What is filled in of a consent that was given.
struct FilledConsent {
  std::string code;  // of the case
  std::string asked_by;
  content::v1::Consent consent;
};

// The form on which a person answers purpose by purpose and signs by hand: blank, or as it was
// answered. It never has the person's name: they sign it. Its texts stand here and in no catalog,
// since people sign them. INVALID_ARGUMENT: as PaperLanguage (client/cli/paper.h).
base::Result<print::Document> ConsentForm(std::string_view language, const FilledConsent* filled);

}  // namespace godwit::cli
