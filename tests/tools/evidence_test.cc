// godwit-verify evidence: the program itself on files that prove, that do not, and that lie.
#include "protocol/evidence.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "protocol/words.h"
#include "tests/support/builders.h"
#include "tests/tools/chain_files.h"
#include "tests/tools/run.h"
#include "tools/verify/chain_file.h"
#include "tools/verify/verify.h"

namespace godwit::verify {
namespace {

using Json = nlohmann::json;
using protocol::Claim;
using protocol::Evidence;
using support::Person;
using support::Ran;

class VerifyEvidence : public support::ChainFiles {
 protected:
  static std::string Hex(const auto& fixed) { return base::ToHex(fixed.bytes()); }
  Ran Program(const Evidence& evidence, const std::string& more = "") const {
    const auto file = Write("piece", protocol::WriteEvidence(evidence));
    return Run("evidence " + file.string() + more);
  }
  static Ran Run(const std::string& arguments) {
    return support::RunShell(std::string(GODWIT_VERIFY) + " " + arguments + " 2>/dev/null");
  }
  Json JsonOf(const Evidence& evidence, int exit) const {
    const Ran run = Program(evidence, " --json");
    EXPECT_EQ(run.exit, exit) << run.output;
    return Json::parse(run.output);
  }

  Evidence OfEntry(Claim claim, std::vector<base::Bytes> exhibits) const {
    return {.claim = claim,
            .fingerprint = realm_.roster().fingerprint(),
            .time_ms = 1'700'000'000'000,
            .statements = realm_.statements(),
            .form = Evidence::Form::kChain,
            .vault = vault_.vault().id(),
            .entries = vault_.entries(),
            .exhibits = std::move(exhibits)};
  }
  base::Bytes Note(const Person& author) {
    return vault_.Sign(author, vault_.Revision(author, note_, "a note").rev);
  }

  support::TestRealm realm_{protocol::Compartment::kCases};
  Person& caseworker_ = realm_.Add(protocol::kCaseworker);
  Person& coordinator_ = realm_.Add(protocol::kCoordinator);
  Person& outsider_ = realm_.Add(protocol::kCaseworker);
  support::TestVault vault_{
      realm_, protocol::Kind::kCase, caseworker_, {{&caseworker_, 7}, {&coordinator_, 7}}};
  base::RecordId note_ = vault_.NewRecord();
};

TEST_F(VerifyEvidence, SaysWhoDidWhatByWhichRuleAndThatItIsProved) {
  const auto evidence = OfEntry(Claim::kEntry, {Note(outsider_)});
  EXPECT_EQ(JsonOf(evidence, 0), (Json{{"ok", true},
                                       {"what", "entry_refused"},
                                       {"proved", true},
                                       {"against", "author"},
                                       {"member", Hex(outsider_.id)},
                                       {"device", Hex(outsider_.device().id())},
                                       {"code", "E_ENTRY_INVALID"},
                                       {"seq", 2},
                                       {"vault", Hex(vault_.vault().id())},
                                       {"signers", Json::array()},
                                       {"time_ms", 1'700'000'000'000},
                                       {"F", Hex(realm_.roster().fingerprint())}}));
  const Ran text = Program(evidence);
  EXPECT_EQ(text.exit, 0);
  EXPECT_EQ(text.output.find("evidence: PROVED\n"), 0u);
  for (const std::string& part :
       {"who           member " + Hex(outsider_.id) + " with device " +
            Hex(outsider_.device().id()),
        std::string("did           signed an entry that the rules refuse"),
        std::string("rule          E_ENTRY_INVALID: the author is not a member of the vault"),
        "vault         " + Hex(vault_.vault().id()), std::string("entry         2"),
        "words         " + protocol::FingerprintWords(realm_.roster().fingerprint())}) {
    EXPECT_NE(text.output.find(part), std::string::npos) << part << "\n" << text.output;
  }
}

TEST_F(VerifyEvidence, SaysWhatRestsOnSomebodysWord) {
  const auto fork = OfEntry(Claim::kTwoEntries, {Note(caseworker_), Note(coordinator_)});
  const Json json = JsonOf(fork, 0);
  EXPECT_EQ(json["proved"], false);
  EXPECT_EQ(json["against"], "server");
  EXPECT_TRUE(json["member"].is_null());
  EXPECT_EQ(json["code"], "E_FORK");
  EXPECT_EQ(
      json["signers"],
      (Json{{{"member", Hex(caseworker_.id)}, {"device", Hex(caseworker_.device().id())}},
            {{"member", Hex(coordinator_.id)}, {"device", Hex(coordinator_.device().id())}}}));
  const Ran text = Program(fork);
  EXPECT_EQ(text.exit, 0);
  for (const char* part : {"evidence: NOT PROVED, but consistent\n", "who           the server\n",
                           "showed another entry in the place of one that was seen",
                           "rests on the word of whoever kept it", "need not have done wrong"}) {
    EXPECT_NE(text.output.find(part), std::string::npos) << part << "\n" << text.output;
  }
  protocol::Writer which;
  which.U32(1).Fixed(coordinator_.id);
  const Ran box =
      Program(OfEntry(Claim::kVekBoxClosed, {which.Take(), vault_.box(1, coordinator_.id)}));
  EXPECT_EQ(box.exit, 0);
  for (const std::string& part :
       {"who           member " + Hex(caseworker_.id), std::string("NOT PROVED"),
        std::string("only who holds the key in question")}) {
    EXPECT_NE(box.output.find(part), std::string::npos) << part << "\n" << box.output;
  }
}

TEST_F(VerifyEvidence, NamesRootAsNoMember) {
  auto policy = realm_.roster().policy();
  ++policy.gen;
  Evidence evidence = OfEntry(Claim::kStatement, {realm_.SignByRoot(protocol::PolicySet{policy})});
  evidence.form = Evidence::Form::kNone;
  evidence.entries.clear();
  const Json json = JsonOf(evidence, 0);
  EXPECT_EQ(json["proved"], true);
  EXPECT_EQ(json["against"], "author");
  EXPECT_TRUE(json["member"].is_null() && json["device"].is_null() && json["vault"].is_null());
  EXPECT_NE(Program(evidence).output.find("whoever holds the realm's root key"), std::string::npos);
}

TEST_F(VerifyEvidence, SaysOfAFileThatAccusesNobodyWhyNot) {
  const auto valid = OfEntry(Claim::kEntry, {Note(caseworker_)});
  const Json json = JsonOf(valid, 1);
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["proved"], false);
  EXPECT_TRUE(json["against"].is_null() && json["member"].is_null() && json["what"].is_null());
  EXPECT_EQ(json["code"], "INVALID_ARGUMENT");
  EXPECT_EQ(Program(valid).output,
            "evidence: ACCUSES NOBODY\n"
            "INVALID_ARGUMENT: what it accuses is as it should be\n");
  const auto other = Write("other", base::Bytes(100, 7));
  EXPECT_EQ(Run("evidence " + other.string()).exit, 1);
  EXPECT_EQ(Json::parse(Run("evidence --json " + other.string()).output)["code"], "E_SIG");
}

TEST_F(VerifyEvidence, ReadsTheStandardInputAndSaysWhatCannotBeRead) {
  const auto file =
      Write("piece", protocol::WriteEvidence(OfEntry(Claim::kEntry, {Note(outsider_)})));
  const Ran piped = support::RunShell("cat " + file.string() + " | " + GODWIT_VERIFY +
                                      " evidence - --json 2>/dev/null");
  EXPECT_EQ(piped.exit, 0);
  EXPECT_EQ(Json::parse(piped.output)["proved"], true);
  EXPECT_EQ(Run("evidence " + folder_.string()).exit, 2);
  EXPECT_EQ(Run("evidence " + (folder_ / "none").string()).exit, 2);
  EXPECT_EQ(Json::parse(Run("evidence --json " + (folder_ / "none").string()).output)["code"],
            "IO");
  EXPECT_EQ(Run("evidence").exit, 2);
  EXPECT_EQ(Run("evidence --help").exit, 0);
  const auto long_file = Write("long", base::Bytes(200'000, 1));
  const auto whole = ReadWhole(long_file);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->size(), 200'000u);
  EXPECT_EQ(ReadWhole(long_file, 199'999).error().code(), base::Code::kResourceExhausted);
  EXPECT_EQ(ReadWhole(long_file, 200'000)->size(), 200'000u);
}

}  // namespace
}  // namespace godwit::verify
