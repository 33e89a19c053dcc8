#pragma once

#include <string>
#include <vector>

#include "client/cases.h"
#include "client/cli/session.h"
#include "client/directory.h"

namespace godwit::cli {

// `godwit case stage|condition|ask|assent|review|trim|reopen|merge|best-interests`.
struct ActOptions {
  std::string code;
  std::string to;        // a stage, a condition, what is asked for or answered
  std::string reason;    // of leaving a stage, or of reopening
  std::string rests_on;  // the beginning of the id of the record that it rests on
  std::string into;      // the other case
  bool no = false;       // the answer is no; best interests: not done
};
ExitCode CaseStage(const Context& context, const ActOptions& options);
ExitCode CaseCondition(const Context& context, const ActOptions& options);
ExitCode CaseAsk(const Context& context, const ActOptions& options);
ExitCode CaseAssent(const Context& context, const ActOptions& options);
ExitCode CaseReview(const Context& context, const ActOptions& options);
ExitCode CaseTrim(const Context& context, const ActOptions& options);
ExitCode CaseReopen(const Context& context, const ActOptions& options);
ExitCode CaseMerge(const Context& context, const ActOptions& options);
ExitCode CaseBestInterests(const Context& context, const ActOptions& options);

// `godwit case close`: one case, or several at once after a preview and a question.
struct CloseOptions {
  std::vector<std::string> codes;
  std::string reason;
  std::string rests_on;  // as ActOptions has it; of one case alone
  std::string follow_up;
  bool dry_run = false;  // shown alone
};
ExitCode CaseClose(const Context& context, const CloseOptions& options);

// `godwit case assign`: one case, or several at once after a preview.
struct AssignOptions {
  std::vector<std::string> codes;
  std::string caseworker;
  std::string from;  // all that this caseworker has instead
  bool dry_run = false;
};
ExitCode CaseAssign(const Context& context, const AssignOptions& options);

// `godwit case history`.
struct HistoryOptions {
  std::string code;
  bool offline = false;
};
ExitCode CaseHistory(const Context& context, const HistoryOptions& options);

// `godwit consent` and `godwit screening`: facts from a file or stdin; none: shown.
struct FactsOptions {
  std::string code;
  std::vector<std::string> facts;
  std::string from;
  bool withdraw = false;
};
ExitCode Consent(const Context& context, const FactsOptions& options);
ExitCode Screening(const Context& context, const FactsOptions& options);

// A step of a case's history, as docs/guide/json.md has it.
Json StepJson(const client::OpenedCase& opened, const client::SignedAct& act,
              const client::Directory& directory);

// Says that `id` was written, or is kept to be sent.
void SayKept(Output& output, const std::string& id, bool queued);
// Says that something was written, or waits.
ExitCode SayWritten(Output& output, bool queued, std::string_view event);

}  // namespace godwit::cli
