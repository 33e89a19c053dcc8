// What a shell sees of the real program where no service is needed.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/client/cli/program.h"

namespace godwit::cli {
namespace {

using Words = std::vector<std::string>;

class Command : public testing::Test {
 protected:
  Program godwit{GODWIT_BINARY};
};

nlohmann::json LastLine(const Ran& ran) {
  std::istringstream in(ran.out);
  nlohmann::json last;
  for (std::string line; std::getline(in, line);) last = nlohmann::json::parse(line);
  return last;
}

TEST_F(Command, HelpOfEachHasExamples) {
  const Words commands[] = {{"org", "create"},
                            {"org", "fingerprint"},
                            {"org", "doctor"},
                            {"org", "ledger"},
                            {"org", "ledger", "make"},
                            {"org", "ledger", "name"},
                            {"org", "ledger", "admit"},
                            {"member", "invite"},
                            {"member", "join"},
                            {"member", "list"},
                            {"member", "remove"},
                            {"reconcile"},
                            {"device", "list"},
                            {"device", "revoke"},
                            {"case", "open"},
                            {"case", "list"},
                            {"case", "show"},
                            {"case", "who"},
                            {"case", "edit"},
                            {"case", "note"},
                            {"person", "draft"},
                            {"person", "show"},
                            {"board"},
                            {"export"},
                            {"print", "consent-form"},
                            {"print", "case-card"},
                            {"print", "referral"},
                            {"import", "cases"},
                            {"import", "people"},
                            {"import", "sample"},
                            {"evidence", "list"},
                            {"evidence", "export"},
                            {"sync"},
                            {"status"},
                            {"whoami"},
                            {"unlock"},
                            {"lock"}};
  for (Words words : commands) {
    words.push_back("--help");
    const Ran ran = godwit.Run(words);
    SCOPED_TRACE(testing::PrintToString(words));
    EXPECT_EQ(ran.exit, 0);
    EXPECT_NE(ran.out.find("Examples:\n  godwit "), std::string::npos) << ran.out;
  }
}

TEST_F(Command, HelpListsTheExitCodesAndHidesTheAgent) {
  const Ran ran = godwit.Run({"--help"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_NE(ran.out.find("Exit codes:"), std::string::npos);
  EXPECT_EQ(ran.out.find("agent --profile"), std::string::npos);
  EXPECT_EQ(ran.out.find("\n  agent"), std::string::npos);
}

TEST_F(Command, AWrongCommandLineIsUsage) {
  const Words lines[] = {{},
                         {"nothing"},
                         {"case"},
                         {"case", "show"},
                         {"board", "--nothing"},
                         {"board", "--stage", "nowhere"},
                         {"case", "edit", "7K3MQ9TX2A*", "nothing"},
                         {"member", "remove", "haneul", "--reason", "bored"},
                         {"device", "revoke", "haneul", "--reason", "bored"},
                         {"member", "invite", "haneul", "--name", "Haneul", "--roles", "king"}};
  for (const Words& words : lines) {
    SCOPED_TRACE(testing::PrintToString(words));
    EXPECT_EQ(godwit.Run(words).exit, 2);
  }
}

TEST_F(Command, PrintsTheScriptThatCompletesCommands) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Ran ran = godwit.Run({"completion", shell});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    EXPECT_NE(ran.out.find("godwit"), std::string::npos) << shell;
  }
  EXPECT_EQ(godwit.Run({"completion", "tcsh"}).exit, 2);
}

TEST_F(Command, NoLanguageChangesWhatProgramsRead) {
  const Ran english = godwit.Run({"status", "--json"});
  for (const char* language : {"ko", "th", "zh_CN", "en"}) {
    SCOPED_TRACE(language);
    const Ran ran = godwit.Run({"--language", language, "status", "--json"});
    EXPECT_EQ(ran.exit, english.exit);
    EXPECT_EQ(ran.out, english.out);
    EXPECT_EQ(ran.err, english.err);
    // The code stands behind what people read, too.
    const Ran people = godwit.Run({"status", "--language", language});
    EXPECT_EQ(people.exit, english.exit);
    EXPECT_NE(people.err.find("(NOT_FOUND)"), std::string::npos) << people.err;
  }
  EXPECT_EQ(godwit.Run({"--language", "xx", "status"}).exit, 2);
}

TEST_F(Command, ErrorsAreJsonWhereJsonIsAskedFor) {
  const Ran ran = godwit.Run({"status", "--json"});
  EXPECT_EQ(ran.exit, 1);
  const auto error = LastLine(ran)["error"];
  EXPECT_EQ(error["code"], "NOT_FOUND");
  EXPECT_EQ(error["exit"], 1);
  EXPECT_FALSE(error["next"].get<std::string>().empty());
}

TEST_F(Command, FactsAboutAPersonAreRefusedOnTheCommandLine) {
  const Ran ran = godwit.Run(
      {"case", "open", "--supervisor", "minji", "identity_profile.names[0].full=Somebody"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_NE(ran.err.find("do not belong on a command line"), std::string::npos);
  EXPECT_EQ(ran.err.find("Somebody"), std::string::npos);
}

Words Founding(const Program& godwit, const std::string& claim) {
  const std::string pin(64, 'a');
  Words words{"org",      "create", "--profile", "minji",
              "--handle", "minji",  "--name",    "Minji Example"};
  int port = 1;
  for (const char* realm : {"identity", "cases", "journeys"}) {
    words.push_back("--realm");
    words.push_back(std::string(realm) + "=127.0.0.1:" + std::to_string(port++) + "," + pin + "," +
                    godwit.Write(std::string(realm) + ".claim", claim));
  }
  return words;
}

TEST_F(Command, ManyCasesAreNeverExportedAtOnce) {
  const Words many[] = {{"7K3M-Q9TX-2A*", "9B2C-4D5E-6F7"},
                        {"*"},
                        {"7K3M*"},
                        {"7K3M-?-2A*"},
                        {"all"},
                        {"%"},
                        {"a,b"}};
  for (const Words& codes : many) {
    Words words{"export", "--out", (godwit.dir() / "many.json").string(), "--json"};
    words.insert(words.end(), codes.begin(), codes.end());
    const Ran ran = godwit.Run(words);
    SCOPED_TRACE(testing::PrintToString(codes));
    EXPECT_EQ(ran.exit, 4);
    EXPECT_NE(std::string(LastLine(ran)["error"]["why"]).find("one case at a time"),
              std::string::npos);
  }
  // A code whose check symbol is an asterisk is no pattern.
  const Ran one =
      godwit.Run({"export", "0000-0000-10*", "--out", (godwit.dir() / "one.json").string()});
  EXPECT_EQ(one.exit, 1) << "there is no profile here: " << one.out << one.err;
}

TEST_F(Command, RootKeysAreShownToSomebodyOrNotMade) {
  const Ran ran = godwit.Run(Founding(godwit, std::string(64, '1')));
  EXPECT_EQ(ran.exit, 2);
  EXPECT_NE(ran.err.find("--root-fd"), std::string::npos) << ran.err;
  EXPECT_FALSE(std::filesystem::exists(godwit.home() / "minji"));
}

TEST_F(Command, RootKeysAreThrownAwayInAnEvaluationAlone) {
  Words words = Founding(godwit, std::string(64, '1'));
  words.push_back("--discard-root");
  const Ran ran = godwit.Run(words);
  EXPECT_EQ(ran.exit, 2);
  EXPECT_FALSE(std::filesystem::exists(godwit.home() / "minji"));
}

TEST_F(Command, AClaimIsNoClaimUnlessItIsPrivateAndWhole) {
  const struct {
    const char* name;
    std::string claim;
    bool open_to_all;
    int want;
  } rows[] = {{"too short", std::string(62, '1'), false, 2},
              {"no hexadecimal digits", std::string(64, 'x'), false, 2},
              {"open to others", std::string(64, '1'), true, 4}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Words words = Founding(godwit, row.claim);
    words.insert(words.end(), {"--evaluation", "--discard-root"});
    if (row.open_to_all) {
      std::filesystem::permissions(godwit.dir() / "identity.claim",
                                   std::filesystem::perms::others_read,
                                   std::filesystem::perm_options::add);
    }
    const Ran ran = godwit.Run(words);
    EXPECT_EQ(ran.exit, row.want) << ran.err;
    EXPECT_EQ(ran.err.find("1111"), std::string::npos) << "a claim is in no message";
    EXPECT_FALSE(std::filesystem::exists(godwit.home() / "minji"));
  }
}

TEST_F(Command, EachRealmIsFoundedOnce) {
  Words words = Founding(godwit, std::string(64, '1'));
  words.insert(words.end(), {"--evaluation", "--discard-root"});
  words[words.size() - 3].replace(0, 8, "identity");
  const Ran ran = godwit.Run(words);
  EXPECT_EQ(ran.exit, 2) << ran.err;
}

TEST_F(Command, JoiningNeedsAnInvitation) {
  for (const char* text : {"", "\n", "hello\n", "gw1-invite:u\n", "gw1-invite:cr\n"}) {
    SCOPED_TRACE(text);
    const std::map<int, std::string> files{{3, godwit.Write("invitation", text)},
                                           {4, godwit.Write("passphrase", "long enough\n")}};
    const Ran ran = godwit.Run(
        {"member", "join", "--profile", "haneul", "--invitation-fd", "3", "--passphrase-fd", "4"},
        files);
    EXPECT_EQ(ran.exit, 2) << ran.err;
    EXPECT_FALSE(std::filesystem::exists(godwit.home() / "haneul"));
  }
}

TEST_F(Command, InvitingNeedsATerminalOrJson) {
  const Ran ran =
      godwit.Run({"member", "invite", "haneul", "--name", "Haneul", "--roles", "caseworker"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_NE(ran.err.find("--json"), std::string::npos) << ran.err;
}

TEST_F(Command, ASampleMapsWithItsOwnMapping) {
  const std::string out = (godwit.dir() / "sample.csv").string();
  const std::string mapping = (godwit.dir() / "sample.toml").string();
  const Words sample{"import",        "sample", "--out",  out, "--mapping-out", mapping,
                     "--cases",       "40",     "--seed", "7", "--caseworkers", "haneul,jun",
                     "--supervisors", "minji"};
  EXPECT_EQ(godwit.Run(sample).exit, 0);
  EXPECT_EQ(godwit.Run(sample).exit, 1) << "an existing file is not written over";
  EXPECT_EQ(Program::Read(mapping),
            Program::Read(GODWIT_TREE "/client/import/mappings/sample.toml"));

  // Anywhere, and both files or none.
  const auto shown = godwit.dir() / "shown";
  ASSERT_EQ(mkdir(shown.c_str(), 0755), 0);
  const auto into = [&](const char* cases) {
    Words words = sample;
    words[3] = (shown / cases).string();
    words[5] = (shown / "mapping.toml").string();
    return godwit.Run(words).exit;
  };
  EXPECT_EQ(into("first.csv"), 0);
  EXPECT_EQ(into("second.csv"), 1);
  EXPECT_FALSE(std::filesystem::exists(shown / "second.csv"));

  const std::string handles = godwit.Write("handles", "haneul\njun\nminji\n");
  const Ran dry = godwit.Run(
      {"import", "cases", out, "--mapping", mapping, "--dry-run", "--handles", handles, "--json"});
  EXPECT_EQ(dry.exit, 0) << dry.out;
  EXPECT_EQ(LastLine(dry)["dry_run"]["rows"], 40);

  const std::string others = godwit.Write("others", "minji\n");
  const Ran refused = godwit.Run(
      {"import", "cases", out, "--mapping", mapping, "--dry-run", "--handles", others, "--json"});
  EXPECT_EQ(refused.exit, 7);
  std::istringstream lines(refused.out);
  std::string first;
  std::getline(lines, first);
  EXPECT_TRUE(nlohmann::json::parse(first).contains("refused")) << first;

  const Ran unchecked = godwit.Run({"import", "cases", out, "--mapping", mapping, "--dry-run"});
  EXPECT_EQ(unchecked.exit, 0);
  EXPECT_NE(unchecked.out.find("Handles were not checked"), std::string::npos);
}

TEST_F(Command, LockingWhatIsNotUnlockedIsNoError) {
  ASSERT_EQ(mkdir(godwit.home().c_str(), 0700), 0);
  ASSERT_EQ(mkdir((godwit.home() / "haneul").c_str(), 0700), 0);
  EXPECT_EQ(godwit.Run({"lock"}).exit, 0);
  const Ran both = godwit.Run({"lock", "--profile", "nobody"});
  EXPECT_EQ(both.exit, 1);
}

TEST_F(Command, SeveralProfilesNeedAName) {
  ASSERT_EQ(mkdir(godwit.home().c_str(), 0700), 0);
  for (const char* name : {"haneul", "jun"}) {
    ASSERT_EQ(mkdir((godwit.home() / name).c_str(), 0700), 0);
  }
  const Ran ran = godwit.Run({"status"});
  EXPECT_EQ(ran.exit, 2);
  EXPECT_NE(ran.err.find("--profile"), std::string::npos);
}

}  // namespace
}  // namespace godwit::cli
