#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace godwit::cli {

// What may follow a command: its commands with a line of help each, and its options.
struct CommandNode {
  std::string name;
  std::string help;
  std::vector<std::string> options;  // "--json"
  std::vector<CommandNode> commands;
};

// The script by which a shell completes the commands of `root`, from the program alone: it asks no
// profile and unlocks nothing. INVALID_ARGUMENT: a shell other than bash, zsh and fish.
base::Result<std::string> CompletionScript(const CommandNode& root, std::string_view shell);

}  // namespace godwit::cli
