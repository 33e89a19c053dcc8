// godwit-verify: the program itself on the chains of vectors/gw1 and on files that are none.
#include "tools/verify/verify.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "protocol/words.h"
#include "tests/support/shared.h"
#include "tests/tools/chain_files.h"
#include "tests/tools/run.h"
#include "tools/verify/chain_file.h"

namespace godwit::verify {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using support::Ran;
using support::RunShell;

constexpr std::size_t kRosters = 219;
constexpr std::size_t kVaults = 200;

std::vector<base::Bytes> Blobs(const Json& list) {
  std::vector<base::Bytes> blobs;
  for (const auto& hex : list) blobs.push_back(*base::FromHex(hex.get<std::string>()));
  return blobs;
}

// The cases of gw1 in the order of their names.
std::vector<Json> Cases(const fs::path& shared) {
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator(shared / "vectors" / "gw1")) {
    if (file.path().extension() == ".json" && file.path().stem() != "kat") {
      files.push_back(file.path());
    }
  }
  std::ranges::sort(files);
  std::vector<Json> cases;
  for (const auto& file : files) cases.push_back(Json::parse(std::ifstream(file)));
  return cases;
}

class Verify : public support::ChainFiles {
 protected:
  // Writes both chains of a case, and the arguments that judge it.
  std::string Arguments(const Json& test) const {
    const auto roster = Write("roster", Framed(Blobs(test["roster"])));
    if (test["vault"].is_null()) return "roster " + roster.string();
    const auto vault = Write("vault", Framed(Blobs(test["vault"])));
    return "vault " + roster.string() + " " + vault.string();
  }
  static Ran Program(const std::string& arguments) {
    return RunShell(std::string(GODWIT_VERIFY) + " " + arguments + " 2>/dev/null");
  }
  // The same in this process, where it is fast.
  ExitCode Here(const Json& test, bool json, std::string* text) const {
    const auto roster = Write("roster", Framed(Blobs(test["roster"])));
    std::ostringstream out;
    const Output output{json, out, out};
    ExitCode exit;
    if (test["vault"].is_null()) {
      exit = VerifyRoster(roster, output);
    } else {
      exit = VerifyVault(roster, Write("vault", Framed(Blobs(test["vault"]))), output);
    }
    *text = out.str();
    return exit;
  }
  // A valid case of gw1, the first one whose vault is there or not, as asked.
  static std::optional<Json> Valid(bool with_vault) {
    const auto shared = support::SharedFolder();
    if (!shared) return std::nullopt;
    for (auto& test : Cases(*shared)) {
      if (test["vault"].is_null() != with_vault && test.contains("state") &&
          test["roster"].size() > 3) {
        return test;
      }
    }
    ADD_FAILURE() << "no such case";
    return std::nullopt;
  }
};

TEST_F(Verify, JudgesEveryChainOfGw1AsItsFileSays) {
  const auto shared = support::SharedFolder();
  if (!shared) return;
  std::size_t rosters = 0;
  std::size_t vaults = 0;
  for (const auto& test : Cases(*shared)) {
    SCOPED_TRACE(test["name"].get<std::string>());
    const bool has_vault = !test["vault"].is_null();
    ++(has_vault ? vaults : rosters);
    const std::string chain = has_vault ? "vault" : "roster";
    const Json& expect = test["expect"];
    const bool ok = expect[chain] == "ok";
    const Ran run = Program("--json " + Arguments(test));
    EXPECT_EQ(run.exit, ok ? 0 : 1);
    const Json got = Json::parse(run.output, nullptr, false);
    Json state = nullptr;
    if (ok) state = has_vault ? test["state"] : test["state"]["roster"];
    const Json want = {{"ok", ok},
                       {"chain", chain},
                       {"code", expect[chain]},
                       {"seq", expect[chain + "_fail_seq"]},
                       {"state", state}};
    EXPECT_EQ(got, want);
  }
  EXPECT_EQ(rosters, kRosters);
  EXPECT_EQ(vaults, kVaults);
}

TEST_F(Verify, TellsPeopleWhatAChainSays) {
  const auto shared = support::SharedFolder();
  if (!shared) return;
  std::size_t pending = 0;
  std::size_t frozen = 0;
  std::size_t guests = 0;
  std::size_t open = 0;
  for (const auto& test : Cases(*shared)) {
    if (!test.contains("state")) continue;
    SCOPED_TRACE(test["name"].get<std::string>());
    std::string text;
    EXPECT_EQ(Here(test, false, &text), kValid);
    const auto says = [&](const std::string& what) {
      EXPECT_NE(text.find(what), std::string::npos) << what << "\nin\n" << text;
    };
    const Json& roster = test["state"]["roster"];
    says("roster: valid, " + std::to_string(test["roster"].size()) + " statement");
    says(roster["realm"]);
    says(roster["head"]);
    const auto fingerprint =
        base::Fingerprint::FromBytes(*base::FromHex(roster["F"].get<std::string>()));
    says(protocol::FingerprintWords(*fingerprint));
    says("gen " + std::to_string(roster["policy_gen"].get<int>()));
    for (const auto& [id, member] : roster["members"].items()) {
      says(id);
      for (const auto& device : member["devices"]) says("device " + device.get<std::string>());
    }
    if (roster["pending"].empty()) {
      says("pending       nothing");
    } else {
      says("pending\n  statement ");
      ++pending;
    }
    EXPECT_EQ(text.find("BREAK-GLASS") != std::string::npos, !roster["open_requests"].empty());
    open += roster["open_requests"].size();
    if (test["vault"].is_null()) continue;
    const Json& vault = test["state"]["vault"];
    says("vault: valid, " + std::to_string(test["vault"].size()) + " entr");
    says(vault["vault"]);
    says(vault["head"]);
    for (const auto& row : vault["list"]) says(row[0]);
    for (const auto& guest : vault["guests"]) {
      says(guest.get<std::string>() + "  guest");
      ++guests;
    }
    EXPECT_EQ(text.find("state         frozen\n") != std::string::npos, vault["frozen"] == 1);
    frozen += vault["frozen"] == 1;
    EXPECT_EQ(text.find("; fresh\n") != std::string::npos, vault["fresh_at_head"] == true);
    if (vault["waiting"].is_string()) says(vault["waiting"]);
    if (vault["erase_day"] == 20500) says("erased after 2026-02-16");
  }
  // The cases have all of this.
  EXPECT_GT(pending, 0u);
  EXPECT_GT(frozen, 0u);
  EXPECT_GT(guests, 0u);
  EXPECT_GT(open, 0u);
}

TEST_F(Verify, TellsPeopleWhichStatementFailsAndWhatToDo) {
  const auto test = Valid(false);
  if (!test) return;
  auto items = Blobs((*test)["roster"]);
  items[2].back() ^= 1;
  const Ran run = Program("roster " + Write("roster", Framed(items)).string());
  EXPECT_EQ(run.exit, 1);
  EXPECT_EQ(run.output.find("roster: NOT VALID at statement 2\nE_SIG: "), 0u) << run.output;
  EXPECT_NE(run.output.find("Dump again"), std::string::npos);
}

TEST_F(Verify, NamesTheChainThatFails) {
  auto test = Valid(true);
  if (!test) return;
  auto roster = Blobs((*test)["roster"]);
  const auto vault = Write("vault", Framed(Blobs((*test)["vault"])));
  const auto judge = [&] {
    const auto path = Write("roster", Framed(roster));
    return Program("vault --json " + path.string() + " " + vault.string());
  };
  ASSERT_EQ(judge().exit, 0);
  roster[1].back() ^= 1;
  Ran run = judge();
  EXPECT_EQ(run.exit, 1);
  EXPECT_EQ(
      Json::parse(run.output),
      (Json{
          {"ok", false}, {"chain", "roster"}, {"code", "E_SIG"}, {"seq", 1}, {"state", nullptr}}));
  // A roster from before the vault was made.
  roster.resize(1);
  run = judge();
  EXPECT_EQ(run.exit, 1);
  EXPECT_EQ(Json::parse(run.output), (Json{{"ok", false},
                                           {"chain", "vault"},
                                           {"code", "STALE_ROSTER"},
                                           {"seq", 0},
                                           {"state", nullptr}}));
}

TEST_F(Verify, ReadsTheStandardInput) {
  const auto test = Valid(true);
  if (!test) return;
  const auto roster = Write("roster", Framed(Blobs((*test)["roster"])));
  const auto vault = Write("vault", Framed(Blobs((*test)["vault"])));
  EXPECT_EQ(Program("roster - <" + roster.string()).exit, 0);
  EXPECT_EQ(Program("vault - " + vault.string() + " <" + roster.string()).exit, 0);
  EXPECT_EQ(Program("vault " + roster.string() + " - <" + vault.string()).exit, 0);
  EXPECT_EQ(RunShell("cat " + roster.string() + " | " + GODWIT_VERIFY + " roster -").exit, 0);
}

TEST_F(Verify, SaysOfAFileThatIsNoChainWhyNot) {
  const base::Bytes statement(100, 0);
  base::Bytes cut = Framed({statement});
  cut.pop_back();
  base::Bytes longest(kMaxItemBytes, 0);
  base::Bytes longer(kMaxItemBytes + 1, 0);
  struct Row {
    const char* name;
    base::Bytes bytes;
    const char* code;
    int exit;
  };
  const Row rows[] = {
      {"empty", {}, "INVALID_ARGUMENT", 2},
      {"a length that is cut", {0, 0, 0}, "INVALID_ARGUMENT", 2},
      {"a length beyond the end", cut, "INVALID_ARGUMENT", 2},
      {"a length and nothing", {0, 0, 0, 1}, "INVALID_ARGUMENT", 2},
      {"4 GiB", {0xff, 0xff, 0xff, 0xff, 1, 2, 3}, "INVALID_ARGUMENT", 2},
      {"longer than any", Framed({longer}), "INVALID_ARGUMENT", 2},
      {"an item of nothing", Framed({{}}), "E_SIG", 1},
      {"an item of zeros", Framed({statement}), "E_SIG", 1},
      {"the longest item", Framed({longest}), "E_SIG", 1},
      {"text", base::ToBytes(base::AsBytes("-- PostgreSQL database dump")), "INVALID_ARGUMENT", 2},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Json seq = nullptr;
    if (!row.bytes.empty()) seq = 0;
    const auto path = Write("file", row.bytes);
    for (const std::string command : {"roster", "vault"}) {
      std::string arguments = " --json " + command + " " + path.string();
      if (command == "vault") arguments += " " + path.string();
      // A length is believed only as far as there are bytes: little memory is enough.
      const Ran run = RunShell("ulimit -v 200000; exec " + std::string(GODWIT_VERIFY) + arguments);
      EXPECT_EQ(run.exit, row.exit);
      EXPECT_EQ(Json::parse(run.output, nullptr, false), (Json{{"ok", false},
                                                               {"chain", "roster"},
                                                               {"code", row.code},
                                                               {"seq", seq},
                                                               {"state", nullptr}}));
    }
  }
}

TEST_F(Verify, SaysOfWhatCannotBeReadSo) {
  const Json unopened = {
      {"ok", false}, {"chain", "roster"}, {"code", "IO"}, {"seq", nullptr}, {"state", nullptr}};
  Ran run = Program("--json roster " + (folder_ / "none").string());
  EXPECT_EQ(run.exit, 2);
  EXPECT_EQ(Json::parse(run.output, nullptr, false), unopened);
  // A folder opens like a file.
  run = Program("--json roster " + folder_.string());
  EXPECT_EQ(run.exit, 2);
  EXPECT_EQ(Json::parse(run.output, nullptr, false)["code"], "IO");
  // For people it is no verdict.
  run = Program("roster " + folder_.string());
  EXPECT_EQ(run.exit, 2);
  EXPECT_EQ(run.output, "");
}

TEST_F(Verify, FailsWhereTheVerdictCannotBeWritten) {
  const auto test = Valid(false);
  if (!test) return;
  EXPECT_EQ(Program(Arguments(*test) + " >/dev/full").exit, 2);
}

TEST_F(Verify, ExplainsItselfAndRefusesWrongUsage) {
  for (const char* arguments : {"--help", "roster --help", "vault --help"}) {
    const Ran run = Program(arguments);
    EXPECT_EQ(run.exit, 0) << arguments;
    EXPECT_NE(run.output.find("Example"), std::string::npos) << arguments;
    EXPECT_NE(run.output.find("1 not valid"), std::string::npos) << arguments;
  }
  for (const char* arguments :
       {"", "roster", "vault", "vault one", "roster one two", "vault - -", "other file",
        "roster --unknown file", "roster file vault file file"}) {
    EXPECT_EQ(Program(arguments).exit, 2) << arguments;
  }
}

TEST_F(Verify, ReadsNoMoreThanItsLimit) {
  const base::Bytes framed = Framed({{1, 2, 3}, {4, 5}});
  const auto path = Write("file", framed);
  auto whole = ChainFile::Open(path, framed.size());
  ASSERT_TRUE(whole);
  EXPECT_EQ(**whole->Next(), (base::Bytes{1, 2, 3}));
  EXPECT_EQ(**whole->Next(), (base::Bytes{4, 5}));
  const auto end = whole->Next();
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
  auto less = ChainFile::Open(path, framed.size() - 1);
  ASSERT_TRUE(less);
  EXPECT_TRUE(less->Next());
  const auto refused = less->Next();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), base::Code::kResourceExhausted);
}

// What no signature covers is a length alone, and it is needed to read what one covers.
RC_GTEST_FIXTURE_PROP(Verify, RefusesAChainOfWhichAByteWasChanged, ()) {
  static const auto test = Valid(false);
  if (!test) return;
  static const base::Bytes good = Framed(Blobs((*test)["roster"]));
  base::Bytes bytes = good;
  const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
  bytes[at] ^= *rc::gen::inRange<std::uint8_t>(1, 255);
  std::ostringstream out;
  RC_ASSERT(VerifyRoster(Write("roster", bytes), {.json = true, .out = out, .errors = out}) !=
            kValid);
}

RC_GTEST_FIXTURE_PROP(Verify, SurvivesAnyBytes, (const std::vector<base::Bytes>& items)) {
  std::ostringstream out;
  const auto path = Write("file", Framed(items));
  RC_ASSERT(VerifyVault(path, path, {.json = true, .out = out, .errors = out}) != kValid);
}

}  // namespace
}  // namespace godwit::verify
