#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/cli/render.h"
#include "client/cli/session.h"
#include "client/directory.h"
#include "client/entries.h"

namespace godwit::cli {

// `godwit need|service|kin|... add|list|edit|strike`: the records that people fill in.
struct EntryOptions {
  const client::EntryKind* kind = nullptr;
  std::string code;
  std::string id;
  std::vector<std::string> facts;  // of those that may stand on a command line
  std::string from;
  bool offline = false;
  bool all = false;  // those entered in error, too
};
ExitCode EntryAdd(const Context& context, const EntryOptions& options);
ExitCode EntryEdit(const Context& context, const EntryOptions& options);
ExitCode EntryStrike(const Context& context, const EntryOptions& options);
ExitCode EntryList(const Context& context, const EntryOptions& options);

// What became of one, under its id.
ExitCode SayEntry(Output& output, const client::EntryWritten& written, std::string_view event);
// One as it stands; `name`: its key in JSON; `more` adds to both forms.
void ShowEntry(
    Output& output, std::string_view name, const client::VaultFile::Entry& entry,
    const client::Directory& directory,
    const std::function<void(Json&, std::vector<std::pair<std::string, Cell>>&)>& more = {});

// `godwit case comment|task|conflict`.
struct CommentOptions {
  std::string code;
  std::string in = "sensitive";  // case, sensitive or person
  std::string to;                // handle
  std::string from = "-";
  bool read = false;  // mark mine as read
};
ExitCode CaseComment(const Context& context, const CommentOptions& options);
struct TaskOptions {
  std::string code;
  std::string in = "sensitive";
  std::string kind = "other";
  std::string to;
  std::string due;   // 2031-05-06
  std::string from;  // a file with its text
  std::string done;  // the id of a task that is done
};
ExitCode CaseTask(const Context& context, const TaskOptions& options);
struct ConflictOptions {
  std::string code;
  std::string id;
  std::string choose;  // kept or other
};
ExitCode CaseConflict(const Context& context, const ConflictOptions& options);

// `godwit today`.
struct TodayOptions {
  bool offline = false;
};
ExitCode TodayShow(const Context& context, const TodayOptions& options);

// `godwit outbox`.
struct OutboxOptions {
  std::string discard;  // a number
};
ExitCode OutboxShow(const Context& context, const OutboxOptions& options);

}  // namespace godwit::cli
