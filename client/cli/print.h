#pragma once

#include <string>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit print consent-form|case-card|referral|withdrawal`: PDF files for paper.
struct PrintOptions {
  std::string code;
  std::string id;  // of a referral or transfer: its beginning
  std::string out;
  std::string language = "en";  // of who reads it, as PaperLanguage takes it
  bool offline = false;
};
ExitCode PrintConsentForm(const Context& context, const PrintOptions& options);
ExitCode PrintCaseCard(const Context& context, const PrintOptions& options);
ExitCode PrintReferral(const Context& context, const PrintOptions& options);
ExitCode PrintWithdrawal(const Context& context, const PrintOptions& options);

}  // namespace godwit::cli
