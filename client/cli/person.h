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
