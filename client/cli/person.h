#pragma once

#include <string>
#include <vector>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit person list|add|edit|link|unlink`.
struct PersonOptions {
  std::string supervisor;
  std::string from;
  std::string code;
  std::string person;  // the beginning of an id
  bool consents = false;
  bool offline = false;
};
ExitCode PersonList(const Context& context, const PersonOptions& options);
ExitCode PersonAdd(const Context& context, const PersonOptions& options);
ExitCode PersonEdit(const Context& context, const PersonOptions& options);
ExitCode PersonLink(const Context& context, const PersonOptions& options);
ExitCode PersonUnlink(const Context& context, const PersonOptions& options);

// `godwit person draft`: registering somebody while the keys are locked, and what becomes of it.
struct DraftOptions {
  std::string supervisor;
  std::string from = "-";
  bool take_in = false;
  std::string discard;  // the beginning of an id
};
ExitCode PersonDraft(const Context& context, const DraftOptions& options);
// Takes in what was drafted, as `person draft --take-in` and `sync` do, with a line each. Those
// that cannot be are said to stay, and the first reason is returned. `supervisor`: instead of
// theirs.
base::Status TakeDraftsIn(const Context& context, Session& session, std::string_view supervisor);

// `godwit person ask|assent`: reading as the supervisor.
struct AskOptions {
  std::string code;
  int hours = 72;
  int reason = 0;
  bool no = false;
};
ExitCode PersonAsk(const Context& context, const AskOptions& options);
ExitCode PersonAssent(const Context& context, const AskOptions& options);

// `godwit family list|make|set|remove`.
struct FamilyOptions {
  std::string supervisor;
  std::string family;                // the beginning of an id
  std::vector<std::string> members;  // ID=ROLE
  std::string together;
  std::string separated_since;
  bool offline = false;
};
ExitCode FamilyList(const Context& context, const FamilyOptions& options);
ExitCode FamilyMake(const Context& context, const FamilyOptions& options);
ExitCode FamilySet(const Context& context, const FamilyOptions& options);
ExitCode FamilyRemove(const Context& context, const FamilyOptions& options);

}  // namespace godwit::cli
