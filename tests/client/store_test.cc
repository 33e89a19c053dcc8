#include "client/store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "client/evidence.h"
#include "tests/client/store_fixture.h"
#include "tests/client/temporary.h"

namespace godwit::client {
namespace {

using std::chrono::milliseconds;

TEST_F(StoreTest, IsMadeOnceAndOpenedOnlyWhereItIs) {
  EXPECT_EQ(CodeOf(Open()), Code::kStateLost);
  EXPECT_FALSE(std::filesystem::exists(path_));
  Create();
  EXPECT_EQ(CodeOf(Store::Create(path_, key_, realm_)), Code::kExists);
  const auto store = Reopen();
  EXPECT_TRUE(store.Roster()->empty());
  EXPECT_TRUE(store.Vaults()->empty());
  EXPECT_TRUE(store.Outbox()->empty());
  EXPECT_TRUE(store.KeptEvidence()->empty());
  EXPECT_TRUE(store.Rows(Kind::kCase)->empty());
  EXPECT_TRUE(store.RowsCursor(Kind::kCase)->empty());
  EXPECT_FALSE(*store.Get("anything"));
  EXPECT_FALSE(*store.Remembered(crypto::RandomId<base::VaultId>()));
  EXPECT_FALSE(*store.Load(crypto::RandomId<base::VaultId>()));
}

TEST_F(StoreTest, FilesArePrivateAndMustBe) {
  const mode_t before = umask(0);
  {
    auto store = Create();
    ASSERT_TRUE(store.Put("a", Text("b")));
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
      struct stat file {};
      ASSERT_EQ(stat(entry.path().c_str(), &file), 0);
      EXPECT_EQ(file.st_mode & 07777, 0600U) << entry.path();
    }
  }
  umask(before);
  ASSERT_EQ(chmod(path_.c_str(), 0640), 0);
  EXPECT_EQ(CodeOf(Open()), Code::kPermissionDenied);
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  EXPECT_TRUE(Open());
  const auto real = path_;
  path_ = dir_.path() / "link.db";
  std::filesystem::create_symlink(real, path_);
  EXPECT_EQ(CodeOf(Open()), Code::kPermissionDenied);
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  EXPECT_EQ(CodeOf(Store::Create(dir_.path() / "other.db", key_, realm_)), Code::kPermissionDenied);
}

TEST_F(StoreTest, KeepsTheRosterInOrder) {
  std::vector<Bytes> all;
  {
    auto store = Create();
    for (std::uint64_t batch = 0; batch < 30; ++batch) {
      std::vector<Bytes> statements;
      for (std::uint64_t i = 0; i < batch % 4; ++i) statements.push_back(Bytes(batch * 50 + i, 3));
      ASSERT_TRUE(store.AppendRoster(all.size(), statements));
      all.insert(all.end(), statements.begin(), statements.end());
      EXPECT_EQ(CodeOf(store.AppendRoster(all.size() + 1, {Text("gap")})), Code::kConflict);
      if (!all.empty()) {
        EXPECT_EQ(CodeOf(store.AppendRoster(all.size() - 1, {Text("again")})), Code::kConflict);
      }
    }
    EXPECT_EQ(*store.Roster(), all);
  }
  EXPECT_EQ(*Reopen().Roster(), all);
}

TEST_F(StoreTest, KeepsAllOfAVault) {
  auto update = SomeVault(2);
  update.boxes[2] = Text("box of epoch 2");
  update.records = {SomeRecord(), SomeRecord(), SomeRecord(7)};
  auto next = Next(update);
  next.memory.epoch = 3;
  next.memory.roster_seq = 9;
  next.boxes[3] = Text("box of epoch 3");
  next.boxes[1] = Text("another box of epoch 1");
  auto changed = update.records[1];
  changed.rver = 2;
  changed.ciphertext = Bytes(10, 1);
  const auto added = SomeRecord();
  next.records = {changed, added, update.records[2]};
  next.dropped_records = {update.records[0].record, crypto::RandomId<base::RecordId>()};
  {
    auto store = Create();
    ASSERT_TRUE(store.Apply({update}));
    EXPECT_EQ(**store.Remembered(update.vault), update.memory);
    ASSERT_TRUE(store.Apply({next}));
  }
  const auto store = Reopen();
  const auto loaded = store.Load(update.vault);
  ASSERT_TRUE(loaded && *loaded);
  EXPECT_EQ((*loaded)->memory, next.memory);
  std::vector<Bytes> entries = update.entries;
  entries.push_back(next.entries[0]);
  EXPECT_EQ((*loaded)->entries, entries);
  EXPECT_EQ((*loaded)->boxes, (std::map<std::uint32_t, Bytes>{
                                  {1, next.boxes[1]}, {2, update.boxes[2]}, {3, next.boxes[3]}}));
  std::vector<RecordBlob> records{changed, added, update.records[2]};
  std::ranges::sort(records, {}, &RecordBlob::record);
  EXPECT_EQ((*loaded)->records, records);
}

TEST_F(StoreTest, ListsVaultsByKind) {
  auto store = Create();
  std::set<base::VaultId> cases;
  std::set<base::VaultId> all;
  for (int i = 0; i < 5; ++i) {
    const auto one = SomeVault(0, Kind::kCase);
    const auto other = SomeVault(1, Kind::kSensitive);
    ASSERT_TRUE(store.Apply({one, other}));
    cases.insert(one.vault);
    all.insert({one.vault, other.vault});
  }
  std::set<base::VaultId> found;
  const auto of_kind = *store.Vaults(Kind::kCase);
  for (const auto& [vault, memory] : of_kind) {
    EXPECT_EQ(memory.kind, Kind::kCase);
    found.insert(vault);
  }
  EXPECT_EQ(found, cases);
  found.clear();
  const auto of_all_kinds = *store.Vaults();
  for (const auto& [vault, memory] : of_all_kinds) found.insert(vault);
  EXPECT_EQ(found, all);
  EXPECT_TRUE(store.Vaults(Kind::kParty)->empty());
}

// R7 of docs/protocol.md section 5.
TEST_F(StoreTest, NoVaultGoesBackForksOrHasGaps) {
  auto store = Create();
  const auto first = SomeVault(4);
  ASSERT_TRUE(store.Apply({first}));
  auto base = Next(first);
  base.memory.roster_seq = 5;
  base.memory.epoch = 2;
  base.records = {SomeRecord(5)};
  ASSERT_TRUE(store.Apply({base}));

  struct Case {
    const char* name;
    VaultUpdate update;
    Code want;
  };
  std::vector<Case> cases;
  const auto add = [&](const char* name, Code want, auto spoil) {
    auto update = Next(base);
    spoil(update);
    cases.push_back({name, update, want});
  };
  add("seq goes back", Code::kRollback, [](VaultUpdate& u) {
    u.memory.seq = 3;
    u.entries.clear();
  });
  add("roster_seq goes back", Code::kRollback, [](VaultUpdate& u) { u.memory.roster_seq = 4; });
  add("epoch goes back", Code::kRollback, [](VaultUpdate& u) { u.memory.epoch = 1; });
  add("another head", Code::kFork, [&](VaultUpdate& u) {
    u.memory.seq = base.memory.seq;
    u.entries.clear();
  });
  add("another kind", Code::kFork, [](VaultUpdate& u) { u.memory.kind = Kind::kSensitive; });
  add("an entry is missing", Code::kInvalidArgument, [](VaultUpdate& u) { u.entries.clear(); });
  add("a gap", Code::kInvalidArgument, [](VaultUpdate& u) { ++u.memory.seq; });
  add("an entry too many", Code::kInvalidArgument,
      [](VaultUpdate& u) { u.entries.push_back(Text("one more")); });
  add("an older revision", Code::kRollback, [&](VaultUpdate& u) {
    u.records = base.records;
    u.records[0].rver = 4;
  });
  add("the same revision with other bytes", Code::kFork, [&](VaultUpdate& u) {
    u.records = base.records;
    u.records[0].ciphertext[0] ^= 1;
  });
  auto fresh = SomeVault(2);
  fresh.entries.pop_back();
  cases.push_back({"a new vault without its last entry", fresh, Code::kInvalidArgument});
  fresh = SomeVault(0);
  fresh.entries.clear();
  cases.push_back({"a new vault without entries", fresh, Code::kInvalidArgument});
  fresh.memory.seq = ~std::uint64_t{0};
  cases.push_back({"a new vault with the last seq there is", fresh, Code::kInvalidArgument});

  const auto before = **store.Load(first.vault);
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    // A good one in the same call stays out too.
    const auto good = SomeVault(1);
    EXPECT_EQ(CodeOf(store.Apply({good, c.update})), c.want);
    EXPECT_FALSE(*store.Remembered(good.vault));
    const auto after = **store.Load(first.vault);
    EXPECT_EQ(after.memory, before.memory);
    EXPECT_EQ(after.entries, before.entries);
    EXPECT_EQ(after.records, before.records);
  }
  // The same again is no error, nor is what follows.
  auto again = base;
  again.entries.clear();
  EXPECT_TRUE(store.Apply({again}));
  EXPECT_TRUE(store.Apply({Next(base)}));
}

TEST_F(StoreTest, AFrozenVaultStaysAsItIs) {
  auto store = Create();
  const auto vault = SomeVault(3);
  ASSERT_TRUE(store.Apply({vault}));
  EXPECT_EQ(CodeOf(store.Freeze(crypto::RandomId<base::VaultId>(), SomeEvidence(Code::kFork, "x"))),
            Code::kNotFound);
  EXPECT_TRUE(store.KeptEvidence()->empty());
  ASSERT_TRUE(store.Freeze(vault.vault, SomeEvidence(Code::kFork, "both branches")));
  EXPECT_TRUE((*store.Remembered(vault.vault))->frozen);
  EXPECT_EQ(store.KeptEvidence()->size(), 1U);

  auto next = Next(vault);
  EXPECT_EQ(CodeOf(store.Apply({next})), Code::kFrozen);
  next.memory.frozen = true;
  EXPECT_EQ(CodeOf(store.Apply({next})), Code::kFrozen);
  auto thawed = vault;
  thawed.entries.clear();
  EXPECT_EQ(CodeOf(store.Apply({thawed})), Code::kFrozen);
  // Reading goes on.
  EXPECT_EQ((*store.Load(vault.vault))->entries, vault.entries);
}

TEST_F(StoreTest, KeepsTheBoardWithItsCursor) {
  const auto a = crypto::RandomId<base::VaultId>();
  const auto b = crypto::RandomId<base::VaultId>();
  const auto c = crypto::RandomId<base::VaultId>();
  {
    auto store = Create();
    ASSERT_TRUE(store.PutRows(Kind::kCase, {{a, Text("row a")}, {b, Text("row b")}}, Text("one")));
    ASSERT_TRUE(store.PutRows(Kind::kParty, {{a, Text("party")}}, Text("other")));
    ASSERT_TRUE(store.PutRows(Kind::kCase, {{a, Text("row a 2")}, {c, Bytes()}}, Text("two"), {b}));
  }
  const auto store = Reopen();
  const auto rows = *store.Rows(Kind::kCase);
  const std::map<base::VaultId, Bytes> found(rows.begin(), rows.end());
  EXPECT_EQ(found, (std::map<base::VaultId, Bytes>{{a, Text("row a 2")}, {c, Bytes()}}));
  EXPECT_EQ(*store.RowsCursor(Kind::kCase), Text("two"));
  EXPECT_EQ(store.Rows(Kind::kParty)->size(), 1U);
  EXPECT_EQ(*store.RowsCursor(Kind::kParty), Text("other"));
  EXPECT_TRUE(store.Rows(Kind::kLeg)->empty());
}

TEST_F(StoreTest, AWholeBoardLoadsInAboutASecond) {
  auto store = Create();
  std::vector<std::pair<base::VaultId, Bytes>> rows;
  std::vector<VaultUpdate> vaults;
  for (int i = 0; i < 14'300; ++i) {
    const auto vault = crypto::RandomId<base::VaultId>();
    rows.emplace_back(vault, Bytes(1024, static_cast<std::uint8_t>(i)));
  }
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(store.PutRows(Kind::kCase, rows, Text("cursor")));
  const auto written = std::chrono::steady_clock::now();
  const auto reopened = Reopen();
  const auto opened = std::chrono::steady_clock::now();
  EXPECT_EQ(reopened.Rows(Kind::kCase)->size(), rows.size());
  const auto read = std::chrono::steady_clock::now();
  const auto ms = [](auto time) { return std::chrono::duration_cast<milliseconds>(time).count(); };
  std::cout << "14300 rows of 1 KiB: written in " << ms(written - start) << " ms, opened in "
            << ms(opened - written) << " ms, read in " << ms(read - opened) << " ms\n";
#ifdef NDEBUG
  EXPECT_LT(read - written, std::chrono::seconds(5));
#endif
}

TEST_F(StoreTest, TheOutboxKeepsOrderAndGoesWithItsAnswer) {
  auto store = Create();
  const auto first = store.PutOutbox(Text("first"));
  const auto second = store.PutOutbox(Text("second"));
  const auto third = store.PutOutbox(Bytes());
  ASSERT_TRUE(first && second && third);
  EXPECT_LT(*first, *second);
  EXPECT_LT(*second, *third);
  const auto vault = SomeVault(1);
  ASSERT_TRUE(store.Apply({vault}, {*second}));
  auto items = *store.Outbox();
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].id, *first);
  EXPECT_EQ(items[0].content, Text("first"));
  EXPECT_EQ(items[1].id, *third);
  ASSERT_TRUE(store.ReplaceOutbox(*first, Text("first, sent once")));
  items = *store.Outbox();
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].id, *first);
  EXPECT_EQ(items[0].content, Text("first, sent once"));

  // Refused together.
  auto gap = Next(vault);
  gap.entries.clear();
  EXPECT_EQ(CodeOf(store.Apply({gap}, {*first})), Code::kInvalidArgument);
  EXPECT_EQ(store.Outbox()->size(), 2U);

  ASSERT_TRUE(store.RemoveOutbox(*third));
  EXPECT_TRUE(store.RemoveOutbox(*third));
  // No id is used again, also not the highest.
  EXPECT_GT(*store.PutOutbox(Text("fourth")), *third);
}

TEST_F(StoreTest, KeepsEvidenceOnceAndWithItsTime) {
  auto later = SomeEvidence(Code::kFork, "two branches");
  later.statements_before = 9;
  auto of_another_kind = SomeEvidence(Code::kFork, "two branches");
  of_another_kind.piece.claim = protocol::Claim::kTwoEntries;
  {
    auto store = Create();
    ASSERT_TRUE(store.KeepEvidence(SomeEvidence(Code::kFork, "two branches")));
    ASSERT_TRUE(store.KeepEvidence(SomeEvidence(Code::kRollback, std::string(100'000, 'r'))));
    ASSERT_TRUE(store.KeepEvidence(later));
    ASSERT_TRUE(store.KeepEvidence(of_another_kind));
  }
  const auto evidence = *Reopen().KeptEvidence();
  ASSERT_EQ(evidence.size(), 3U);
  EXPECT_EQ(evidence[0].code, Code::kFork);
  EXPECT_EQ(evidence[0].statements_before, 3U);
  EXPECT_EQ(evidence[0].entries_before, 5U);
  EXPECT_EQ(evidence[0].piece.exhibits, std::vector<Bytes>{Text("two branches")});
  EXPECT_EQ(evidence[0].piece.time_ms, 1'700'000'000'000U);
  EXPECT_EQ(evidence[1].code, Code::kRollback);
  EXPECT_EQ(evidence[1].piece.time_ms, 1'700'000'000'001U);
  EXPECT_EQ(evidence[2].piece.claim, protocol::Claim::kTwoEntries);
}

TEST_F(StoreTest, JoinsEvidenceWithWhatIsKeptBeforeIt) {
  auto store = Create();
  auto vault = SomeVault(6);
  ASSERT_TRUE(store.AppendRoster(0, {Text("s0"), Text("s1"), Text("s2"), Text("s3")}));
  ASSERT_TRUE(store.Apply({vault}));
  auto item = SomeEvidence(Code::kEntryInvalid, "refused");
  item.piece.vault = vault.vault;
  item.piece.entries = {Text("not kept yet")};
  const auto whole = *EvidenceOf(store, item);
  EXPECT_EQ(whole.statements, (std::vector{Text("s0"), Text("s1"), Text("s2")}));
  EXPECT_EQ(whole.entries, (std::vector{Text("entry 0"), Text("entry 1"), Text("entry 2"),
                                        Text("entry 3"), Text("entry 4"), Text("not kept yet")}));
  EXPECT_EQ(whole.exhibits, item.piece.exhibits);
  // Nothing of it is kept, or less.
  item.piece.vault = crypto::RandomId<base::VaultId>();
  item.statements_before = 99;
  EXPECT_EQ(EvidenceOf(store, item)->statements.size(), 4U);
  EXPECT_EQ(EvidenceOf(store, item)->entries, item.piece.entries);
  item.statements_before = 0;
  EXPECT_TRUE(EvidenceOf(store, item)->statements.empty());
  const auto name = EvidenceName(protocol::WriteEvidence(whole));
  EXPECT_EQ(name.size(), 16U);
  EXPECT_NE(name, EvidenceName(protocol::WriteEvidence(item.piece)));
}

TEST_F(StoreTest, KeepsNamedValues) {
  {
    auto store = Create();
    ASSERT_TRUE(store.Put("a", Text("1")));
    ASSERT_TRUE(store.Put("b", Bytes()));
    ASSERT_TRUE(store.Put("a", Text("2")));
  }
  const auto store = Reopen();
  EXPECT_EQ(**store.Get("a"), Text("2"));
  EXPECT_EQ(**store.Get("b"), Bytes());
  EXPECT_FALSE(*store.Get("c"));
  EXPECT_FALSE(*store.Get(""));
}

// --- Who takes the file ----------------------------------------------------------------------

bool Holds(const std::filesystem::path& dir, ByteSpan needle) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    const std::string content = entry.path().string() + ReadFile(entry.path());
    if (content.find(base::ToString(needle)) != std::string::npos) return true;
  }
  return false;
}

TEST_F(StoreTest, NothingReadableIsInTheFileOrItsLog) {
  // Made while the test runs, so that it is in no other place.
  const auto canary_id = crypto::RandomId<base::VaultId>();
  const Bytes canary = base::ToBytes(canary_id.bytes());
  const std::string hex = base::ToHex(canary);
  const Bytes canary_text = Text(hex);
  auto update = SomeVault(1);
  update.entries[1] = canary_text;
  update.boxes[1] = canary_text;
  update.records = {SomeRecord()};
  update.records[0].salt = canary;
  update.records[0].ciphertext = canary_text;

  auto store = Create();
  ASSERT_TRUE(store.AppendRoster(0, {canary_text}));
  ASSERT_TRUE(store.Apply({update}));
  ASSERT_TRUE(store.PutRows(Kind::kCase, {{update.vault, canary_text}}, canary_text));
  ASSERT_TRUE(store.PutOutbox(canary_text));
  ASSERT_TRUE(store.Put(hex, canary_text));
  // A reader in another process keeps the log from being emptied.
  auto reader = Reopen();
  ASSERT_TRUE(store.Freeze(update.vault, SomeEvidence(Code::kFork, base::ToString(canary_text))));

  const auto refuse_all = [&](const char* when) {
    SCOPED_TRACE(when);
    EXPECT_FALSE(Holds(dir_.path(), canary));
    EXPECT_FALSE(Holds(dir_.path(), canary_text));
    EXPECT_FALSE(Holds(dir_.path(), update.vault.bytes()));
    EXPECT_FALSE(Holds(dir_.path(), Text(base::ToHex(update.vault.bytes()))));
    EXPECT_FALSE(Holds(dir_.path(), update.records[0].record.bytes()));
    EXPECT_FALSE(Holds(dir_.path(), update.memory.head.bytes()));
    EXPECT_FALSE(Holds(dir_.path(), key_.Expose()));
    EXPECT_FALSE(Holds(dir_.path(), realm_.bytes()));
  };
  refuse_all("open");
  store = Reopen();
  reader = Reopen();
  refuse_all("reopened");

  // The control: the same search finds what SQLite is given in the open.
  sqlite3* careless = nullptr;
  ASSERT_EQ(sqlite3_open((dir_.path() / "careless.db").c_str(), &careless), SQLITE_OK);
  const std::string sql =
      "CREATE TABLE t(v); INSERT INTO t VALUES (x'" + hex + "'), ('" + hex + "')";
  ASSERT_EQ(sqlite3_exec(careless, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(careless);
  EXPECT_TRUE(Holds(dir_.path(), canary));
  EXPECT_TRUE(Holds(dir_.path(), canary_text));
}

TEST_F(StoreTest, AnotherKeyOrRealmIsRefusedAndNothingLost) {
  Create();
  const auto before = ReadFile(path_);
  EXPECT_EQ(CodeOf(Store::Open(path_, *StoreKey::Random(), realm_)), Code::kStateLost);
  EXPECT_EQ(CodeOf(Store::Open(path_, key_, crypto::RandomId<base::RealmId>())), Code::kStateLost);
  EXPECT_EQ(ReadFile(path_), before);
  EXPECT_TRUE(Open());
}

TEST_F(StoreTest, ALaterVersionIsRefused) {
  Create();
  Tamper("PRAGMA user_version=2");
  EXPECT_EQ(CodeOf(Open()), Code::kUnsupported);
  Tamper("PRAGMA user_version=0");
  EXPECT_EQ(CodeOf(Open()), Code::kStateLost);
  Tamper("PRAGMA user_version=1");
  EXPECT_TRUE(Open());
  Tamper("PRAGMA application_id=1");
  EXPECT_EQ(CodeOf(Open()), Code::kStateLost);
}

TEST_F(StoreTest, NothingMayBeAddedToTheSchema) {
  Create();
  for (const char* const sql :
       {"CREATE TABLE x(y)", "CREATE INDEX a ON top(owner)", "CREATE VIEW a AS SELECT 1",
        "CREATE TRIGGER a AFTER INSERT ON top BEGIN DELETE FROM top; END"}) {
    const auto before = ReadFile(path_);
    Tamper(sql);
    EXPECT_EQ(CodeOf(Open()), Code::kStateLost) << sql;
    WriteFile(path_, before);
    EXPECT_TRUE(Open()) << sql;
  }
}

// Numbers of parts as in client/sealed_rows.h.
TEST_F(StoreTest, ARowThatIsMissingSwappedOrOldIsNoticed) {
  const Filled filled;
  std::string older;
  {
    auto store = Create();
    filled.Fill(store);
  }
  older = ReadFile(path_);
  {
    auto store = Reopen();
    auto next = Next(filled.first);
    next.boxes[1] = Text("another box of epoch 1");
    next.records = {filled.first.records[0]};
    ++next.records[0].rver;
    ASSERT_TRUE(store.Apply({next}));
    ASSERT_TRUE(store.AppendRoster(3, {Text("fourth")}));
    ASSERT_TRUE(store.PutRows(Kind::kCase, {{filled.first.vault, Text("r3")}}, Text("cursor 2")));
  }
  const auto good = ReadFile(path_);
  const auto want = Everything(Open(), filled);
  ASSERT_TRUE(want);
  WriteFile(dir_.path() / "older.db", older);
  const std::string attach = "ATTACH '" + (dir_.path() / "older.db").string() + "' AS old; ";

  std::vector<std::string> cases;
  for (int part = 0; part <= 10; ++part) {
    const std::string table = part >= 7 ? "inner" : "top";
    const std::string of_part = " WHERE part=" + std::to_string(part);
    const std::string one =
        of_part + " AND (owner, item) = (SELECT owner, item FROM " + table + of_part + " LIMIT 1)";
    cases.push_back("DELETE FROM " + table + one);
    cases.push_back("DELETE FROM " + table + of_part);
    cases.push_back("UPDATE " + table + " SET body=x''" + one);
    cases.push_back("UPDATE " + table + " SET head=x''" + one);
    cases.push_back("UPDATE " + table + " SET head=zeroblob(64)" + one);
    cases.push_back("UPDATE " + table + " SET owner=zeroblob(16)" + one);
    cases.push_back("UPDATE " + table + " SET item=zeroblob(16)" + one);
    cases.push_back("UPDATE " + table + " SET part=part+20" + one);
    // Values of two rows of a part change places.
    for (const char* const columns : {"head, body", "body", "head"}) {
      if (part == 0 || part == 3 || part == 5 || part == 6) continue;  // one row
      cases.push_back("CREATE TEMP TABLE s AS SELECT owner, item, head, body FROM " + table +
                      of_part + " LIMIT 2; UPDATE " + table + " SET (" + columns + ") = (SELECT " +
                      columns +
                      " FROM s WHERE s.rowid = 3 - (SELECT rowid FROM s "
                      "WHERE (s.owner, s.item) = (" +
                      table + ".owner, " + table + ".item)))" + of_part +
                      " AND (owner, item) IN (SELECT owner, item FROM s)");
    }
  }
  // One row of the moment before, in its own place.
  for (const char* const part : {"0", "1", "2", "3"}) {
    cases.push_back(attach + "REPLACE INTO top SELECT * FROM old.top WHERE part=" + part);
  }
  for (const char* const part : {"9", "10"}) {
    cases.push_back(attach + "REPLACE INTO inner SELECT * FROM old.inner WHERE part=" + part);
  }
  cases.push_back("INSERT INTO top VALUES (6, zeroblob(16), x'', zeroblob(64), zeroblob(20))");
  cases.push_back("INSERT INTO top VALUES (40, zeroblob(16), x'', zeroblob(64), zeroblob(20))");

  for (const auto& sql : cases) {
    WriteFile(path_, good);
    Tamper(sql);
    const auto all = Everything(Open(), filled);
    EXPECT_EQ(CodeOf(all), Code::kStateLost) << sql;
  }
  // The control: untouched, it opens.
  WriteFile(path_, good);
  EXPECT_EQ(*Everything(Open(), filled), *want);

  // A later statement in place of one before the end: the number is right, the places are not.
  WriteFile(dir_.path() / "newer.db", good);
  WriteFile(path_, older);
  ASSERT_TRUE(Everything(Open(), filled));
  Tamper("ATTACH '" + (dir_.path() / "newer.db").string() +
         "' AS new; DELETE FROM inner WHERE part=7 AND item=x'0000000000000001'; INSERT INTO inner "
         "SELECT * FROM new.inner WHERE part=7 AND item=x'0000000000000003'");
  EXPECT_EQ(CodeOf(Open()->Roster()), Code::kStateLost);
}

// SQLite forgets what a damaged log held: there is nothing in it between two changes.
TEST_F(StoreTest, TheLogIsEmptyAfterEveryChange) {
  auto store = Create();
  const std::filesystem::path log = path_.string() + "-wal";
  ASSERT_TRUE(std::filesystem::exists(log));
  EXPECT_EQ(std::filesystem::file_size(log), 0U);
  ASSERT_TRUE(store.Put("a", Text("b")));
  EXPECT_EQ(std::filesystem::file_size(log), 0U);
  const auto vault = SomeVault(1);
  ASSERT_TRUE(store.Apply({vault}));
  EXPECT_EQ(std::filesystem::file_size(log), 0U);
  // Killed now, the file alone is enough.
  const auto content = ReadFile(path_);
  WriteFile(dir_.path() / "copy.db", content);
  const auto copy = Store::Open(dir_.path() / "copy.db", key_, realm_);
  ASSERT_TRUE(copy);
  EXPECT_TRUE(*copy->Remembered(vault.vault));
}

TEST_F(StoreTest, AChangedByteIsRefusedOrHasNoEffect) {
  const Filled filled;
  {
    auto store = Create();
    filled.Fill(store);
  }
  FlipBytes(path_, 1000, std::random_device()(), [&] { return Everything(Open(), filled); });
}

TEST_F(StoreTest, AFileThatIsTooShortOrLongIsRefusedOrHasNoEffect) {
  const Filled filled;
  {
    auto store = Create();
    filled.Fill(store);
  }
  const auto good = ReadFile(path_);
  const auto want = *Everything(Open(), filled);
  std::mt19937 random(1);
  std::vector<std::size_t> sizes{0, 1, 15, 16, 99, 100, 4096, 8191, 8192, 8193, good.size() - 1};
  for (int i = 0; i < 40; ++i) sizes.push_back(random() % good.size());
  for (const auto size : sizes) {
    WriteFile(path_, good.substr(0, size));
    EXPECT_EQ(CodeOf(Everything(Open(), filled)), Code::kStateLost) << size;
    EXPECT_EQ(std::filesystem::file_size(path_), size) << "the file was not left as it is";
  }
  WriteFile(path_, good + std::string(8192, 'x'));
  EXPECT_EQ(*Everything(Open(), filled), want);
}

// --- Several processes -----------------------------------------------------------------------

pid_t Fork(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  return child;
}

int ExitOf(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

TEST_F(StoreTest, TwoProcessesWriteOneAfterTheOther) {
  Create();
  constexpr std::size_t kEach = 20;
  const auto append = [&](std::string_view name) {
    auto store = Open();
    if (!store) return 1;
    for (std::size_t done = 0; done < kEach;) {
      const auto roster = store->Roster();
      if (!roster) return 2;
      const auto status = store->AppendRoster(roster->size(), {Text(name)});
      if (status) {
        ++done;
        if (!store->PutOutbox(Text(name))) return 3;
      } else if (status.error().code() != Code::kConflict) {
        return 4;
      }
    }
    return 0;
  };
  const pid_t one = Fork([&] { return append("one"); });
  const pid_t two = Fork([&] { return append("two"); });
  EXPECT_EQ(ExitOf(one), 0);
  EXPECT_EQ(ExitOf(two), 0);
  const auto store = Reopen();
  const auto roster = *store.Roster();
  EXPECT_EQ(roster.size(), 2 * kEach);
  EXPECT_EQ(std::ranges::count(roster, Text("one")), static_cast<std::ptrdiff_t>(kEach));
  std::set<std::uint64_t> ids;
  const auto outbox = *store.Outbox();
  for (const auto& item : outbox) ids.insert(item.id);
  EXPECT_EQ(ids.size(), 2 * kEach);
}

TEST_F(StoreTest, AReaderSeesWholeChangesAlone) {
  auto store = Create();
  auto vault = SomeVault(0);
  vault.records = {SomeRecord()};
  ASSERT_TRUE(store.Apply({vault}));
  std::array<int, 2> stop{};
  ASSERT_EQ(pipe2(stop.data(), O_NONBLOCK), 0);
  const pid_t reader = Fork([&] {
    const auto own = Open();
    if (!own) return 1;
    char byte = 0;
    while (read(stop[0], &byte, 1) != 1) {
      const auto loaded = own->Load(vault.vault);
      if (!loaded || !*loaded) return 2;
      // Each entry comes with a revision of the record, in one change.
      if ((*loaded)->records[0].rver != (*loaded)->memory.seq + 1) return 3;
    }
    return 0;
  });
  for (int i = 0; i < 60; ++i) {
    auto next = Next(vault);
    next.records = vault.records;
    next.records[0].rver = next.memory.seq + 1;
    ASSERT_TRUE(store.Apply({next}));
    vault.memory = next.memory;
  }
  ASSERT_EQ(write(stop[1], "x", 1), 1);
  EXPECT_EQ(ExitOf(reader), 0);
  close(stop[0]);
  close(stop[1]);
}

TEST_F(StoreTest, AKillAtAnyMomentLeavesWholeChanges) {
  constexpr int kRounds = 20;
  constexpr int kVaults = 6;
  std::vector<VaultUpdate> vaults;
  {
    auto store = Create();
    for (int i = 0; i < kVaults; ++i) vaults.push_back(SomeVault(0));
    ASSERT_TRUE(store.Apply(vaults));
  }
  std::mt19937 random(std::random_device{}());
  std::uint64_t changes = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::array<int, 2> progress{};
    ASSERT_EQ(pipe(progress.data()), 0);
    const pid_t writer = Fork([&] {
      auto store = Open();
      if (!store) return 1;
      for (;;) {
        // Each change moves every vault by one, and the outbox with them.
        const auto item = store->PutOutbox(Bytes(100, 1));
        if (!item) return 2;
        std::vector<VaultUpdate> changed;
        for (const auto& vault : vaults) {
          const auto memory = store->Remembered(vault.vault);
          if (!memory || !*memory) return 3;
          auto next = Next({vault.vault, **memory, {}, {}, {}, {}});
          next.boxes[1] = Bytes(2000, 2);
          changed.push_back(std::move(next));
        }
        if (!store->Apply(changed, {*item})) return 4;
        const std::uint64_t seq = changed[0].memory.seq;
        if (write(progress[1], &seq, sizeof seq) != sizeof seq) return 5;
      }
    });
    close(progress[1]);
    // The first answer comes first, so that every round writes.
    std::uint64_t acknowledged = 0;
    ASSERT_EQ(read(progress[0], &acknowledged, sizeof acknowledged),
              static_cast<ssize_t>(sizeof acknowledged));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
    ASSERT_EQ(kill(writer, SIGKILL), 0);
    ASSERT_EQ(ExitOf(writer), 1000 + SIGKILL);
    for (std::uint64_t seq = 0; read(progress[0], &seq, sizeof seq) == sizeof seq;) {
      acknowledged = seq;
    }
    close(progress[0]);

    const auto store = Reopen();
    const auto first = **store.Remembered(vaults[0].vault);
    EXPECT_GE(first.seq, acknowledged);
    EXPECT_LE(first.seq, acknowledged + 1);
    changes = first.seq;
    for (const auto& vault : vaults) {
      const auto loaded = store.Load(vault.vault);
      ASSERT_TRUE(loaded && *loaded);
      EXPECT_EQ((*loaded)->memory.seq, first.seq);
      EXPECT_EQ((*loaded)->entries.size(), first.seq + 1);
    }
    // An item that was put and not answered may be there, once a round at most.
    EXPECT_LE(store.Outbox()->size(), static_cast<std::size_t>(round) + 1);
  }
  std::cout << kRounds << " kills among " << changes << " changes\n";
}

// --- Any content -----------------------------------------------------------------------------

RC_GTEST_PROP(StoreProperty, KeepsAnyContent, ()) {
  const support::TemporaryDir dir;
  const auto path = dir.path() / "cases.db";
  const auto key = *StoreKey::Random();
  const auto realm = crypto::RandomId<base::RealmId>();
  auto entries = *rc::gen::nonEmpty(rc::gen::arbitrary<std::vector<Bytes>>());
  const auto boxes = *rc::gen::arbitrary<std::map<std::uint32_t, Bytes>>();
  const auto name = *rc::gen::arbitrary<std::string>();
  const auto value = *rc::gen::arbitrary<Bytes>();
  VaultUpdate update = SomeVault(0);
  update.memory.seq = entries.size() - 1;
  update.memory.roster_seq = *rc::gen::arbitrary<std::uint64_t>();
  update.memory.epoch = *rc::gen::arbitrary<std::uint32_t>();
  update.entries = entries;
  update.boxes = boxes;
  {
    auto store = Store::Create(path, key, realm);
    RC_ASSERT(store.ok());
    RC_ASSERT(store->Apply({update}).ok());
    RC_ASSERT(store->Put(name, value).ok());
  }
  const auto store = Store::Open(path, key, realm);
  RC_ASSERT(store.ok());
  const auto loaded = store->Load(update.vault);
  RC_ASSERT(loaded.ok() && loaded->has_value());
  RC_ASSERT((*loaded)->memory == update.memory);
  RC_ASSERT((*loaded)->entries == entries);
  RC_ASSERT((*loaded)->boxes == boxes);
  RC_ASSERT(**store->Get(name) == value);
}

}  // namespace
}  // namespace godwit::client
