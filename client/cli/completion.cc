#include "client/cli/completion.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;

// In single quotes, as all three shells take it; help texts have no control characters.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted.push_back(c);
    }
  }
  return quoted + "'";
}

// Calls `visit(path, node)` for a command and all below it; the root's path is empty.
template <class Visit>
void Walk(const CommandNode& node, const std::string& path, Visit&& visit) {
  visit(path, node);
  for (const CommandNode& command : node.commands) {
    Walk(command, path.empty() ? command.name : path + " " + command.name, visit);
  }
}

std::string Words(const CommandNode& node) {
  std::string words;
  for (const CommandNode& command : node.commands) words += command.name + " ";
  for (const std::string& option : node.options) words += option + " ";
  if (!words.empty()) words.pop_back();
  return words;
}

// The deepest command among the words typed so far decides; files complete what is left.
std::string Bash(const CommandNode& root) {
  std::string script = R"(# bash completion of godwit: source it, or put it into
# ~/.local/share/bash-completion/completions/godwit
_godwit() {
  local path='' word i words
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case " $(_godwit_words "$path") " in
      *" $word "*) [[ $word == -* ]] || path=${path:+$path }$word ;;
    esac
  done
  words=$(_godwit_words "$path")
  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
_godwit_words() {
  case $1 in
)";
  Walk(root, "", [&](const std::string& path, const CommandNode& node) {
    script += "    " + Quoted(path) + ") echo " + Quoted(Words(node)) + " ;;\n";
  });
  script += "  esac\n}\ncomplete -o default -F _godwit godwit\n";
  return script;
}

std::string Zsh(const CommandNode& root) {
  std::string script = R"(#compdef godwit
# zsh completion of godwit: put it into a folder of $fpath as _godwit
_godwit() {
  local path_='' word i
  local -a choices
  for ((i = 2; i < CURRENT; i++)); do
    word=${words[i]}
    _godwit_choices "$path_"
    if [[ $word != -* && -n ${choices[(r)$word:*]} ]]; then path_=${path_:+$path_ }$word; fi
  done
  _godwit_choices "$path_"
  _describe 'godwit' choices || _files
}
_godwit_choices() {
  choices=()
  case $1 in
)";
  Walk(root, "", [&](const std::string& path, const CommandNode& node) {
    script += "    " + Quoted(path) + ") choices=(";
    for (const CommandNode& command : node.commands) {
      script += Quoted(command.name + ":" + command.help) + " ";
    }
    for (const std::string& option : node.options) script += Quoted(option + ":option") + " ";
    script += ") ;;\n";
  });
  script += "  esac\n}\ncompdef _godwit godwit\n";
  return script;
}

std::string Fish(const CommandNode& root) {
  std::string script =
      R"(# fish completion of godwit: put it into ~/.config/fish/completions/godwit.fish
function __godwit_path
  set -l path
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; and continue
    contains -- (string join ' ' $path $word) $__godwit_paths; and set -a path $word
  end
  string join ' ' $path
end
)";
  std::string paths;
  Walk(root, "", [&](const std::string& path, const CommandNode&) {
    if (!path.empty()) paths += " " + Quoted(path);
  });
  script += "set -g __godwit_paths" + paths + "\n";
  Walk(root, "", [&](const std::string& path, const CommandNode& node) {
    const std::string when = "-n " + Quoted("test (__godwit_path) = " + Quoted(path));
    for (const CommandNode& command : node.commands) {
      script += "complete -c godwit " + when + " -a " + Quoted(command.name) + " -d " +
                Quoted(command.help) + "\n";
    }
    for (const std::string& option : node.options) {
      script += "complete -c godwit " + when + " -l " + Quoted(option.substr(2)) + "\n";
    }
  });
  return script;
}

}  // namespace

base::Result<std::string> CompletionScript(const CommandNode& root, std::string_view shell) {
  if (shell == "bash") return Bash(root);
  if (shell == "zsh") return Zsh(root);
  if (shell == "fish") return Fish(root);
  return Error(Code::kInvalidArgument, "the shells are bash, zsh and fish");
}

}  // namespace godwit::cli
