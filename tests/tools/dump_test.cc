#include "tools/admin/dump.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <sstream>

#include "tests/support/codes.h"
#include "tests/support/postgres.h"
#include "tests/tools/chain_files.h"
#include "tests/tools/run.h"
#include "tools/admin/new_file.h"

namespace godwit::admin {
namespace {

namespace fs = std::filesystem;
using support::CodeOf;
using support::PostgresDatabase;
using support::Ran;
using support::RunShell;

class Dump : public support::ChainFiles {
 protected:
  DumpOptions To(const PostgresDatabase& database, const std::string& name) const {
    return {database.service(), folder_ / name};
  }
  bool IsEmpty() const { return fs::is_empty(folder_); }

  std::ostringstream out_;
};

std::string Command(const std::string& what, const PostgresDatabase& database,
                    const std::string& out) {
  return std::string(GODWIT_ADMIN) + " dump " + what + " --database \"" + database.service() +
         "\" --out " + out;
}

// A realm of rows alone, with statements and a vault of more than a page of the stores.
constexpr int kRows = 1'500;
constexpr char kVault[] = "00000000000000000000000000000002";
PostgresDatabase LongChains() {
  PostgresDatabase database;
  const std::string rows = std::to_string(kRows - 1);
  database.Sql(
      "INSERT INTO realm (realm_id, compartment, fingerprint, head_seq, head_link) VALUES "
      "(decode(repeat('11', 16), 'hex'), 2, decode(repeat('11', 32), 'hex'), " +
      rows + ", decode(repeat('22', 32), 'hex'))");
  const std::string bytes =
      "s, decode(repeat('33', 32), 'hex'), "
      "convert_to(s || repeat('.', 2000 + s % 7), 'UTF8') FROM generate_series(0, " +
      rows + ") AS s";
  database.Sql(
      "INSERT INTO statement (realm_id, seq, link, bytes) "
      "SELECT decode(repeat('11', 16), 'hex'), " +
      bytes);
  database.Sql(
      "INSERT INTO vault (realm_id, vault_id, kind, head_seq, head_link, epoch, epoch_link, "
      "roster_seq, mark, erase_day) VALUES (decode(repeat('11', 16), 'hex'), decode('" +
      std::string(kVault) + "', 'hex'), 9, " + rows +
      ", decode(repeat('44', 32), 'hex'), 0, decode(repeat('00', 32), 'hex'), 0, "
      "pg_current_xact_id(), 0)");
  database.Sql(
      "INSERT INTO entry (realm_id, vault_id, type, seq, link, bytes) "
      "SELECT decode(repeat('11', 16), 'hex'), decode('" +
      std::string(kVault) + "', 'hex'), 3, " + bytes);
  return database;
}

TEST_F(Dump, WritesAChainOfManyPagesWholeAndInOrder) {
  const auto database = LongChains();
  ASSERT_TRUE(DumpRoster(To(database, "roster"), out_));
  EXPECT_EQ(out_.str(), "items 1500\nhead " + base::ToHex(base::Bytes(32, 0x22)) + "\n");
  ASSERT_TRUE(DumpVault(To(database, "vault"), kVault, out_));
  for (const char* name : {"roster", "vault"}) {
    const auto items = Items(Read(folder_ / name));
    ASSERT_EQ(items.size(), static_cast<std::size_t>(kRows)) << name;
    for (std::size_t seq = 0; seq < items.size(); ++seq) {
      EXPECT_EQ(base::ToString(items[seq]), std::to_string(seq) + std::string(2000 + seq % 7, '.'));
    }
    struct stat status {};
    EXPECT_EQ(::stat((folder_ / name).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600u);
  }
  // The standard output gets the same bytes and nothing else.
  EXPECT_EQ(RunShell(Command("roster", database, "-")).output,
            base::ToString(Read(folder_ / "roster")));
  EXPECT_EQ(RunShell(Command("vault " + std::string(kVault), database, "-")).output,
            base::ToString(Read(folder_ / "vault")));
  EXPECT_EQ(RunShell(Command("roster", database, "-") + " 2>/dev/null >/dev/full").exit, 1);
}

TEST_F(Dump, IsOfTheHeadAsOfItsBeginning) {
  const auto database = LongChains();
  database.Sql("UPDATE realm SET head_seq = 1200");
  database.Sql("UPDATE vault SET head_seq = 0");
  ASSERT_TRUE(DumpRoster(To(database, "roster"), out_));
  EXPECT_EQ(Items(Read(folder_ / "roster")).size(), 1201u);
  ASSERT_TRUE(DumpVault(To(database, "vault"), kVault, out_));
  EXPECT_EQ(Items(Read(folder_ / "vault")).size(), 1u);
}

TEST_F(Dump, OfAChainWithAGapLeavesNothing) {
  const auto database = LongChains();
  database.Sql("DELETE FROM statement WHERE seq = 1100");
  database.Sql("DELETE FROM entry WHERE seq >= 1499");
  EXPECT_EQ(CodeOf(DumpRoster(To(database, "roster"), out_)), "E_STATE_LOST");
  EXPECT_EQ(CodeOf(DumpVault(To(database, "vault"), kVault, out_)), "E_STATE_LOST");
  EXPECT_TRUE(IsEmpty());
  EXPECT_EQ(out_.str(), "");
  // A file that is there is seen before anything is read.
  Write("there", base::AsBytes("mine"));
  EXPECT_EQ(CodeOf(DumpRoster(To(database, "there"), out_)), "EXISTS");
}

TEST_F(Dump, OnADiskThatIsFullLeavesNothing) {
  const auto database = LongChains();
  const Ran run = RunShell("trap '' XFSZ; ulimit -f 1000; " +
                           Command("roster", database, (folder_ / "file").string()) + " 2>&1");
  EXPECT_EQ(run.exit, 1);
  EXPECT_EQ(run.output.find("godwit-admin: IO: "), 0u) << run.output;
  EXPECT_TRUE(IsEmpty());
}

TEST_F(Dump, NeverReplacesAFile) {
  const auto database = LongChains();
  const auto there = Write("there", base::AsBytes("mine"));
  EXPECT_EQ(CodeOf(DumpRoster(To(database, "there"), out_)), "EXISTS");
  EXPECT_EQ(CodeOf(DumpVault(To(database, "there"), kVault, out_)), "EXISTS");
  EXPECT_EQ(base::ToString(Read(there)), "mine");
  // Nor one that comes while the dump is made, nor what a link leads to.
  auto file = NewFile::Begin(folder_ / "late", 0600, NewFile::Existing::kKeep);
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->Write(base::AsBytes("dump")));
  Write("late", base::AsBytes("theirs"));
  EXPECT_EQ(CodeOf(file->Finish()), "EXISTS");
  EXPECT_EQ(base::ToString(Read(folder_ / "late")), "theirs");
  fs::create_symlink(folder_ / "nowhere", folder_ / "link");
  EXPECT_EQ(CodeOf(DumpRoster(To(database, "link"), out_)), "EXISTS");
  EXPECT_FALSE(fs::exists(folder_ / "nowhere"));
}

TEST_F(Dump, LeavesNoDraftBehind) {
  {
    auto file = NewFile::Begin(folder_ / "file", 0600, NewFile::Existing::kKeep);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->Write(base::AsBytes("half")));
  }
  EXPECT_TRUE(IsEmpty());
}

TEST_F(Dump, SaysWhatIsMissing) {
  const PostgresDatabase empty;
  EXPECT_EQ(CodeOf(DumpRoster(To(empty, "file"), out_)), "NOT_FOUND");
  EXPECT_EQ(CodeOf(DumpVault(To(empty, "file"), kVault, out_)), "NOT_FOUND");
  const auto database = LongChains();
  const std::string unknown(32, '5');
  EXPECT_EQ(CodeOf(DumpVault(To(database, "file"), unknown, out_)), "NOT_FOUND");
  for (const std::string id : {"", "12", "not hexadecimal digits at all...", "1234567"}) {
    EXPECT_EQ(CodeOf(DumpVault(To(database, "file"), id, out_)), "INVALID_ARGUMENT") << id;
  }
  EXPECT_EQ(CodeOf(DumpRoster(To(database, "no/folder"), out_)), "IO");
  EXPECT_TRUE(IsEmpty());
  const Ran run =
      RunShell(Command("vault " + unknown, database, (folder_ / "file").string()) + " 2>&1");
  EXPECT_EQ(run.exit, 1);
  EXPECT_EQ(run.output, "godwit-admin: NOT_FOUND: this realm has no vault of that id\n");
}

}  // namespace
}  // namespace godwit::admin
