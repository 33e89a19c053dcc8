#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "storage/postgres.h"
#include "storage/roster_store.h"
#include "tests/support/postgres.h"
#include "tests/tools/run.h"
#include "tools/admin/commands.h"
#include "tools/admin/pki.h"

namespace godwit::admin {
namespace {

namespace fs = std::filesystem;

std::string CodeOf(const base::Status& status) {
  return status ? "OK" : std::string(base::Name(status.error().code()));
}

class Admin : public testing::Test {
 protected:
  Admin() {
    std::string name = (fs::temp_directory_path() / "godwit-admin.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~Admin() override { fs::remove_all(folder_); }

  static std::string Text(const fs::path& path) {
    std::ifstream file(path);
    return {(std::istreambuf_iterator<char>(file)), {}};
  }
  static mode_t Mode(const fs::path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  }
  // What follows `word` on its line.
  static std::string After(const std::string& output, const std::string& word) {
    const auto at = output.find(word + " ");
    if (at == std::string::npos) return {};
    const auto from = at + word.size() + 1;
    return output.substr(from, output.find('\n', from) - from);
  }

  fs::path folder_;
  std::ostringstream out_;
};

TEST_F(Admin, KeysAreForTheirOwnerAlone) {
  ASSERT_TRUE(PkiInit({folder_ / "cases"}, out_));
  ASSERT_TRUE(PkiIssue({folder_ / "cases", {"127.0.0.1"}}, out_));
  EXPECT_EQ(Mode(folder_ / "cases" / "ca.key"), 0600u);
  EXPECT_EQ(Mode(folder_ / "cases" / "server.key"), 0600u);
  EXPECT_EQ(out_.str().find("PRIVATE"), std::string::npos);
}

TEST_F(Admin, PrintsThePinOfTheAuthority) {
  ASSERT_TRUE(PkiInit({folder_}, out_));
  const std::string pin = After(out_.str(), "pin");
  EXPECT_EQ(pin.size(), 64u);
  EXPECT_EQ(pin, base::ToHex(PinOf(Text(folder_ / "ca.crt"))->bytes()));
  std::ostringstream second;
  ASSERT_TRUE(PkiIssue({folder_, {"127.0.0.1"}}, second));
  EXPECT_EQ(After(second.str(), "pin"), pin);
  // The same as OpenSSL's own way to it.
  FILE* pipe = ::popen(("openssl x509 -in " + (folder_ / "ca.crt").string() +
                        " -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst "
                        "-sha256 -r")
                           .c_str(),
                       "r");
  ASSERT_NE(pipe, nullptr);
  char buffer[65] = {};
  EXPECT_EQ(std::fread(buffer, 1, 64, pipe), 64u);
  ::pclose(pipe);
  EXPECT_EQ(pin, std::string(buffer));
}

TEST_F(Admin, AnAuthorityIsNeverReplaced) {
  ASSERT_TRUE(PkiInit({folder_}, out_));
  const std::string key = Text(folder_ / "ca.key");
  EXPECT_EQ(CodeOf(PkiInit({folder_}, out_)), "EXISTS");
  EXPECT_EQ(Text(folder_ / "ca.key"), key);
}

TEST_F(Admin, AServersCertificateIsIssuedAnew) {
  ASSERT_TRUE(PkiInit({folder_}, out_));
  ASSERT_TRUE(PkiIssue({folder_, {"127.0.0.1"}}, out_));
  const std::string first = Text(folder_ / "server.crt");
  ASSERT_TRUE(PkiIssue({folder_, {"realm.example"}}, out_));
  EXPECT_NE(Text(folder_ / "server.crt"), first);
  EXPECT_FALSE(fs::exists(folder_ / "server.crt.new"));
}

TEST_F(Admin, RefusesHostsThatAreNone) {
  ASSERT_TRUE(PkiInit({folder_}, out_));
  for (const char* host : {"", "127.0.0.1:8443", "a b", "a,DNS:evil.example", "*.example", "a/b"}) {
    EXPECT_EQ(CodeOf(PkiIssue({folder_, {host}}, out_)), "INVALID_ARGUMENT") << host;
  }
  EXPECT_EQ(CodeOf(PkiIssue({folder_, {}}, out_)), "INVALID_ARGUMENT");
  EXPECT_FALSE(fs::exists(folder_ / "server.key"));
  EXPECT_EQ(CodeOf(PkiIssue({folder_ / "none", {"127.0.0.1"}}, out_)), "IO");
}

// Whoever had that key could stand between the two.
TEST_F(Admin, AFrontAndItsServiceAreKnownByAnAuthorityWithoutAKey) {
  ASSERT_TRUE(PkiFront({folder_, {"casesd"}}));
  std::set<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    files.insert(entry.path().filename().string());
  }
  EXPECT_EQ(files, (std::set<std::string>{"ca.crt", "front.crt", "front.key", "server.crt",
                                          "server.key"}));
  EXPECT_EQ(Mode(folder_ / "front.key"), 0600u);
  EXPECT_EQ(Mode(folder_ / "server.key"), 0600u);
  const std::string first = Text(folder_ / "ca.crt");
  ASSERT_TRUE(PkiFront({folder_, {"casesd"}}));
  EXPECT_NE(Text(folder_ / "ca.crt"), first) << "each time another";
  EXPECT_EQ(CodeOf(PkiFront({folder_, {"a b"}})), "INVALID_ARGUMENT");
}

TEST_F(Admin, MigratesAndPrintsTheClaimOnce) {
  const auto database = support::PostgresDatabase::Empty();
  MigrateOptions options;
  options.database = database.owner();
  options.role = support::kServiceRole;
  ASSERT_TRUE(Migrate(options, out_));
  const std::string claim = After(out_.str(), "claim");
  const auto bytes = base::FromHex(claim);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->size(), 32u);
  // Kept as a hash alone.
  EXPECT_EQ(database.Sql("SELECT encode(claim_sha256, 'hex') FROM genesis_claim")[0][0],
            base::ToHex(crypto::Sha256(*bytes)));
  std::ostringstream again;
  ASSERT_TRUE(Migrate(options, again));
  EXPECT_EQ(After(again.str(), "claim"), "");
  options.new_claim = true;
  std::ostringstream lost;
  ASSERT_TRUE(Migrate(options, lost));
  EXPECT_EQ(After(lost.str(), "claim").size(), 64u);
  EXPECT_NE(After(lost.str(), "claim"), claim);
}

TEST_F(Admin, WritesTheClaimToAFileOfItsOwn) {
  const auto database = support::PostgresDatabase::Empty();
  MigrateOptions options;
  options.database = database.owner();
  options.role = support::kServiceRole;
  options.claim_file = folder_ / "claim";
  ASSERT_TRUE(Migrate(options, out_));
  EXPECT_EQ(out_.str().find("claim"), std::string::npos);
  EXPECT_EQ(Mode(options.claim_file), 0600u);
  EXPECT_EQ(Text(options.claim_file).size(), 65u);
  options.new_claim = true;
  EXPECT_EQ(CodeOf(Migrate(options, out_)), "EXISTS");
}

// The program itself: its exit codes, and help that shows how.
int Exit(const std::string& arguments, std::string* output = nullptr) {
  const support::Ran run = support::RunShell(std::string(GODWIT_ADMIN) + " " + arguments + " 2>&1");
  if (output != nullptr) *output = run.output;
  return run.exit;
}

TEST_F(Admin, TheProgramExplainsItselfAndEndsWithACode) {
  for (const char* command : {"--help", "migrate --help", "pki init --help", "pki issue --help",
                              "dump roster --help", "dump vault --help"}) {
    std::string help;
    EXPECT_EQ(Exit(command, &help), 0);
    EXPECT_NE(help.find("Example"), std::string::npos) << command;
  }
  EXPECT_NE(Exit(""), 0);
  EXPECT_NE(Exit("pki issue"), 0);
  std::string output;
  EXPECT_EQ(Exit("pki init " + (folder_ / "made").string(), &output), 0);
  EXPECT_EQ(After(output, "pin").size(), 64u);
  EXPECT_EQ(Exit("pki init " + (folder_ / "made").string(), &output), 1);
  EXPECT_NE(output.find("EXISTS"), std::string::npos);
}

}  // namespace
}  // namespace godwit::admin
