#include "client/cli/completion.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace godwit::cli {
namespace {

CommandNode Sample() {
  return {"godwit",
          "",
          {"--json"},
          {{"case",
            "It's cases",
            {"--help"},
            {{"open", "Open one", {"--supervisor", "--from"}, {}}, {"close", "Close one", {}, {}}}},
           {"board", "All of them", {"--stage"}, {}}}};
}

// What a command prints.
std::string Printed(const std::string& command) {
  std::string out;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  char buffer[256];
  while (pipe && fgets(buffer, sizeof buffer, pipe.get()) != nullptr) out += buffer;
  return out;
}

class Completion : public testing::Test {
 protected:
  std::string Write(const std::string& shell) {
    const auto script = CompletionScript(Sample(), shell);
    EXPECT_TRUE(script);
    const std::string path = testing::TempDir() + "completion." + shell;
    std::ofstream(path) << *script;
    return path;
  }
};

TEST_F(Completion, BashOffersWhatMayFollow) {
  const std::string script = Write("bash");
  const auto offered = [&](const std::string& words, int at) {
    return Printed("/bin/bash -c 'source " + script + "; COMP_WORDS=(" + words +
                   "); COMP_CWORD=" + std::to_string(at) + "; _godwit; echo \"${COMPREPLY[*]}\"'");
  };
  EXPECT_EQ(offered("godwit \"\"", 1), "case board --json\n");
  EXPECT_EQ(offered("godwit ca", 1), "case\n");
  EXPECT_EQ(offered("godwit case \"\"", 2), "open close --help\n");
  EXPECT_EQ(offered("godwit --json case op", 3), "open\n");
  EXPECT_EQ(offered("godwit case open --", 3), "--supervisor --from\n");
  EXPECT_EQ(offered("godwit case open --supervisor minji --f", 5), "--from\n");
  EXPECT_EQ(offered("godwit board --", 2), "--stage\n");
  EXPECT_EQ(offered("godwit nothing \"\"", 2), "case board --json\n");
}

TEST_F(Completion, TheOtherShellsReadTheirScripts) {
  for (const std::string shell : {"zsh", "fish"}) {
    const std::string script = Write(shell);
    const auto text = *CompletionScript(Sample(), shell);
    for (const char* word : {"case", "open", "board", "It'\\''s cases"}) {
      EXPECT_NE(text.find(word), std::string::npos) << shell << " " << word;
    }
    // Where the shell is there, it reads the script without a word.
    if (Printed("command -v " + shell).empty()) continue;
    EXPECT_EQ(Printed(shell + " -n " + script + " 2>&1"), "") << shell;
  }
  EXPECT_FALSE(CompletionScript(Sample(), "tcsh"));
}

}  // namespace
}  // namespace godwit::cli
