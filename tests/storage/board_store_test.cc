#include "storage/board_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <pqxx/pqxx>
#include <set>
#include <thread>

#include "tests/storage/rows.h"

namespace godwit::storage {
namespace {

// All pages of a board, and the cursor to come back with.
struct Reading {
  std::vector<BoardRow> rows;
  std::size_t pages = 0;
  ChangeCursor cursor;
};

Reading ReadAll(Realm& realm, const base::MemberId& member, const ChangeCursor& since,
                std::uint8_t kind = kCaseKind) {
  Reading all;
  base::VaultId after;
  for (bool more = true; more; ++all.pages) {
    auto page = realm.boards.ReadBoard(realm.id, member, kind, since, after);
    if (!page) {
      ADD_FAILURE() << page.error().message();
      return all;
    }
    if (all.pages == 0) all.cursor = page->cursor;
    EXPECT_FALSE(page->more && page->rows.empty());
    for (BoardRow& row : page->rows) {
      EXPECT_GT(row.vault, after);
      after = row.vault;
      all.rows.push_back(std::move(row));
    }
    more = page->more;
  }
  return all;
}

// The same of a list; `cursor` becomes the one to come back with.
std::vector<ListedVault> ListAll(Realm& realm, const base::MemberId& member, ChangeCursor& cursor) {
  std::vector<ListedVault> all;
  const ChangeCursor since = cursor;
  base::VaultId after;
  for (bool more = true, first = true; more; first = false) {
    auto page = realm.boards.ListVaults(realm.id, member, since, after);
    if (!page) {
      ADD_FAILURE() << page.error().message();
      return all;
    }
    if (first) cursor = page->cursor;
    for (const ListedVault& row : page->rows) {
      after = row.vault;
      all.push_back(row);
    }
    more = page->more;
  }
  return all;
}

// Commits `count` new vaults with `members` in batches, on connections of its own.
std::vector<VaultBuilder> MakeVaults(Realm& realm, std::size_t count,
                                     const std::vector<MembershipRow>& members,
                                     std::uint8_t kind = kCaseKind) {
  Database database({.conninfo = realm.postgres.service(), .connections = 1});
  VaultStore store(database, realm.salts);
  std::vector<VaultBuilder> vaults(count);
  for (VaultBuilder& vault : vaults) vault = VaultBuilder(kind);
  for (std::size_t start = 0; start < count; start += 500) {
    std::vector<VaultCommit> commits;
    for (std::size_t i = start; i < std::min(count, start + 500); ++i) {
      commits.push_back(vaults[i].Create(members));
      vaults[i].Take(commits.back());
    }
    std::vector<const VaultCommit*> batch;
    for (const VaultCommit& commit : commits) batch.push_back(&commit);
    EXPECT_TRUE(store.CommitVaults(realm.id, realm.row.roster, batch));
  }
  return vaults;
}

TEST(Board, ARowHoldsAllThatColdReadingNeeds) {
  Realm realm;
  const MembershipRow reader{Random<base::MemberId>(), 1, 1};
  const MembershipRow writer{Random<base::MemberId>(), 7, 1};
  VaultBuilder vault;
  std::vector<VaultCommit> commits;
  const auto write = [&](VaultCommit commit) {
    ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
    vault.Take(commit);
    commits.push_back(std::move(commit));
  };
  write(vault.Create({reader, writer}));
  write(vault.Revise(vault.pinned_record, 512));
  write(vault.Rekey({reader, writer}));
  write(vault.Revise(Random<base::RecordId>()));

  const Reading board = ReadAll(realm, reader.member, {});
  ASSERT_EQ(board.rows.size(), 1u);
  const BoardRow& row = board.rows[0];
  EXPECT_EQ(row.vault, vault.id());
  EXPECT_EQ(row.perm, 1);
  EXPECT_EQ(row.create, commits[0].entries[0].bytes);
  EXPECT_THAT(row.epochs,
              testing::ElementsAre(commits[0].entries[1].bytes, commits[2].entries[0].bytes));
  EXPECT_EQ(row.pinned, commits[1].entries[0].bytes);
  EXPECT_EQ(row.head, commits[3].entries[0].bytes);
  EXPECT_EQ(row.box, commits[2].boxes[0].box);
  EXPECT_EQ(row.salt, commits[1].revisions[0].salt);
  EXPECT_EQ(row.ciphertext, commits[1].revisions[0].ciphertext);
}

TEST(Board, WhoMayNotReadGetsNeitherSaltNorCiphertext) {
  Realm realm;
  const auto member = [](std::uint8_t perm) {
    return MembershipRow{Random<base::MemberId>(), perm, perm == 2 ? 0u : 1u};
  };
  const std::vector<MembershipRow> members = {member(1), member(2), member(3), member(4),
                                              member(7)};
  VaultBuilder vault;
  ASSERT_EQ(realm.Commit(vault.Create(members)), CommitOutcome::kCommitted);
  for (const MembershipRow& row : members) {
    SCOPED_TRACE(static_cast<int>(row.perm));
    const Reading board = ReadAll(realm, row.member, {});
    ASSERT_EQ(board.rows.size(), 1u);
    EXPECT_EQ(board.rows[0].perm, row.perm);
    EXPECT_EQ(board.rows[0].salt.has_value(), (row.perm & 1) != 0);
    EXPECT_EQ(board.rows[0].ciphertext.empty(), (row.perm & 1) == 0);
    EXPECT_EQ(board.rows[0].box.empty(), row.puk_gen == 0);
    EXPECT_FALSE(board.rows[0].pinned.empty());
  }
  EXPECT_TRUE(ReadAll(realm, Random<base::MemberId>(), {}).rows.empty());
}

TEST(Board, HoldsOneKindAndTheListHoldsAll) {
  Realm realm;
  const MembershipRow reader{Random<base::MemberId>(), 1, 1};
  VaultBuilder vault(kCaseKind), sensitive(10);
  for (VaultBuilder* each : {&vault, &sensitive}) {
    const VaultCommit commit = each->Create({reader});
    ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
    each->Take(commit);
  }
  const Reading board = ReadAll(realm, reader.member, {}, 10);
  ASSERT_EQ(board.rows.size(), 1u);
  EXPECT_EQ(board.rows[0].vault, sensitive.id());
  ChangeCursor cursor;
  const auto list = ListAll(realm, reader.member, cursor);
  ASSERT_EQ(list.size(), 2u);
  std::map<base::VaultId, ListedVault> by_vault;
  for (const ListedVault& row : list) by_vault[row.vault] = row;
  EXPECT_EQ(by_vault[vault.id()].head, vault.now().head);
  EXPECT_EQ(by_vault[vault.id()].kind, kCaseKind);
  EXPECT_EQ(by_vault[sensitive.id()].kind, 10);
  EXPECT_EQ(by_vault[sensitive.id()].perm, 1);
}

TEST(Board, AVaultWithoutAPinnedRecordHasARowToo) {
  Realm realm;
  const MembershipRow reader{Random<base::MemberId>(), 7, 1};
  VaultBuilder vault;
  VaultCommit commit = vault.Create({reader});
  commit.entries.pop_back();
  commit.revisions.clear();
  commit.records.clear();
  commit.after.pinned.reset();
  commit.after.head = {1, commit.entries.back().link};
  ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
  const Reading board = ReadAll(realm, reader.member, {});
  ASSERT_EQ(board.rows.size(), 1u);
  EXPECT_TRUE(board.rows[0].pinned.empty());
  EXPECT_FALSE(board.rows[0].salt);
  EXPECT_EQ(board.rows[0].head, commit.entries[1].bytes);
}

TEST(Board, WithACursorOnlyWhatChangedComesAgain) {
  Realm realm;
  const MembershipRow reader{Random<base::MemberId>(), 7, 1};
  auto vaults = MakeVaults(realm, 20, {reader});
  const Reading first = ReadAll(realm, reader.member, {});
  EXPECT_EQ(first.rows.size(), 20u);

  // Other tests' transactions in the cluster may hold the cursor back for a moment: rows may come
  // twice, so look until none does.
  Reading second;
  ChangeCursor cursor = first.cursor;
  for (int i = 0; i < 200; ++i) {
    second = ReadAll(realm, reader.member, cursor);
    cursor = second.cursor;
    if (second.rows.empty()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  ASSERT_TRUE(second.rows.empty());
  const VaultCommit change = vaults[7].Revise(Random<base::RecordId>());
  ASSERT_EQ(realm.Commit(change), CommitOutcome::kCommitted);
  const Reading third = ReadAll(realm, reader.member, cursor);
  ASSERT_EQ(third.rows.size(), 1u);
  EXPECT_EQ(third.rows[0].vault, vaults[7].id());
  EXPECT_EQ(ListAll(realm, reader.member, cursor).size(), 1u);
}

TEST(Board, ACursorOfAnotherClusterOrTimelineReadsEverything) {
  Realm realm;
  const MembershipRow reader{Random<base::MemberId>(), 7, 1};
  MakeVaults(realm, 3, {reader});
  const base::Bytes cursor = ReadAll(realm, reader.member, {}).cursor.bytes();
  ASSERT_EQ(cursor.size(), ChangeCursor::kSize);
  for (const std::size_t at : {std::size_t{0}, std::size_t{11}}) {
    base::Bytes other = cursor;
    other[at] ^= 1;
    // The highest number there is: no row of this timeline would come.
    std::fill(other.begin() + 12, other.end(), 0xff);
    const auto parsed = ChangeCursor::FromBytes(other);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(ReadAll(realm, reader.member, *parsed).rows.size(), 3u);
  }
  base::Bytes future = cursor;
  std::fill(future.begin() + 12, future.end(), 0xff);
  EXPECT_EQ(ReadAll(realm, reader.member, *ChangeCursor::FromBytes(future)).rows.size(), 0u);
}

TEST(Board, ACursorIsReadStrictly) {
  EXPECT_TRUE(ChangeCursor::FromBytes({}));
  const base::Bytes bytes = ChangeCursor(1, 2, 3).bytes();
  const auto again = ChangeCursor::FromBytes(bytes);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->bytes(), bytes);
  for (const std::size_t size : {1u, 19u, 21u}) {
    const auto refused = ChangeCursor::FromBytes(base::Bytes(size));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), base::Code::kInvalidArgument);
  }
}

// A reader who keeps the newest mark it saw, as one would without much thought.
class NaiveReader {
 public:
  NaiveReader(const Realm& realm, const base::MemberId& member)
      : link_(realm.postgres.superuser()), member_(base::ToHex(member.bytes())) {}

  std::set<std::string> Read() {
    std::set<std::string> vaults;
    pqxx::nontransaction work(link_);
    for (const pqxx::row& row :
         work.exec("SELECT vault_id, mark FROM vault JOIN membership USING (realm_id, vault_id) "
                   "WHERE member_id = '\\x" +
                   member_ + "' AND mark > '" + std::to_string(newest_) + "'::xid8")) {
      vaults.insert(row[0].c_str());
      newest_ = std::max<std::uint64_t>(newest_, std::stoull(row[1].c_str()));
    }
    return vaults;
  }

 private:
  pqxx::connection link_;
  std::string member_;
  std::uint64_t newest_ = 0;
};

TEST(Board, ACursorMissesNothingThatCommitsLateAndANaiveOneDoes) {
  Realm realm;
  const MembershipRow reader{Random<base::MemberId>(), 7, 1};
  auto vaults = MakeVaults(realm, 2, {reader});
  NaiveReader naive(realm, reader.member);
  naive.Read();
  ChangeCursor cursor = ReadAll(realm, reader.member, {}).cursor;

  // A transaction that takes its number before another's, and commits after it was read.
  pqxx::connection link(realm.postgres.superuser());
  pqxx::transaction<> late(link);
  late.exec("UPDATE vault SET mark = pg_current_xact_id() WHERE vault_id = '\\x" +
            base::ToHex(vaults[0].id().bytes()) + "'");
  ASSERT_EQ(realm.Commit(vaults[1].Revise(Random<base::RecordId>())), CommitOutcome::kCommitted);
  const Reading between = ReadAll(realm, reader.member, cursor);
  // Twice is allowed, where anything else in the cluster was under way: missing is not.
  std::set<base::VaultId> meanwhile;
  for (const BoardRow& row : between.rows) meanwhile.insert(row.vault);
  EXPECT_TRUE(meanwhile.contains(vaults[1].id()));
  EXPECT_EQ(naive.Read().size(), 1u);
  late.commit();

  std::set<base::VaultId> seen;
  for (const BoardRow& row : ReadAll(realm, reader.member, between.cursor).rows) {
    seen.insert(row.vault);
  }
  EXPECT_TRUE(seen.contains(vaults[0].id()));
  EXPECT_TRUE(naive.Read().empty()) << "the control found what it should miss";
}

TEST(Board, ACursorMissesNothingUnderConcurrentCommits) {
  Realm realm({}, 12);
  const MembershipRow reader{Random<base::MemberId>(), 7, 1};
  constexpr std::size_t kWriters = 4;
  constexpr std::size_t kOwn = 10;
  auto vaults = MakeVaults(realm, kWriters * kOwn, {reader});
  std::atomic<bool> done = false;
  std::map<base::VaultId, std::uint64_t> seen;
  std::thread follower([&] {
    ChangeCursor cursor;
    for (bool last = false;; last = done) {
      for (const ListedVault& row : ListAll(realm, reader.member, cursor)) {
        seen[row.vault] = std::max(seen[row.vault], row.head.seq);
      }
      if (last) break;
    }
  });
  std::vector<std::thread> writers;
  for (std::size_t w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int round = 0; round < 30; ++round) {
        VaultBuilder& vault = vaults[w * kOwn + static_cast<std::size_t>(round) % kOwn];
        const VaultCommit commit = vault.Revise(Random<base::RecordId>());
        ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
        vault.Take(commit);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  done = true;
  follower.join();
  for (const VaultBuilder& vault : vaults) EXPECT_EQ(seen[vault.id()], vault.now().head.seq);
}

TEST(Board, TenThousandRowsComeInBoundedPages) {
  Realm realm;
  const MembershipRow reader{Random<base::MemberId>(), 7, 1};
  MakeVaults(realm, 10'000, {reader});
  const auto start = std::chrono::steady_clock::now();
  const Reading board = ReadAll(realm, reader.member, {});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(board.rows.size(), 10'000u);
  EXPECT_GE(board.pages, 10'000u / 256);
  for (const BoardRow& row : board.rows) {
    ASSERT_TRUE(row.salt && !row.ciphertext.empty() && !row.box.empty() && !row.create.empty() &&
                !row.pinned.empty() && !row.head.empty() && row.epochs.size() == 1);
  }
  std::printf("a board of 10,000 rows: %.2f s\n", took.count());
  EXPECT_LT(took.count(), 30.0);
}

TEST(Board, LargeRowsMakeShortPages) {
  Realm realm;
  const MembershipRow reader{Random<base::MemberId>(), 7, 1};
  constexpr std::size_t kVaults = 6;
  for (std::size_t i = 0; i < kVaults; ++i) {
    VaultBuilder vault;
    VaultCommit commit = vault.Create({reader});
    commit.revisions[0].ciphertext = RandomBytes(600'000);
    ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
  }
  const Reading board = ReadAll(realm, reader.member, {});
  EXPECT_EQ(board.rows.size(), kVaults);
  EXPECT_GE(board.pages, kVaults);
}

TEST(Board, PlansMadeOnEmptyTablesReadNoOtherVaultsOnFullOnes) {
  Realm realm;
  const MembershipRow reader{Random<base::MemberId>(), 7, 1};
  const MembershipRow other{Random<base::MemberId>(), 7, 1};
  // Counters are seen when a session ends: this one's come at the end.
  auto database = std::make_unique<Database>(
      DatabaseOptions{.conninfo = realm.postgres.service(), .connections = 1});
  VaultStore store(*database, realm.salts);
  BoardStore boards(*database, realm.salts);
  const auto use = [&] {
    VaultBuilder vault;
    for (int i = 0; i < 4; ++i) {
      VaultCommit commit = i == 0   ? vault.Create({reader, other})
                           : i == 1 ? vault.Rekey({reader})
                           : i == 2 ? vault.Revise(vault.pinned_record, 272, true)
                                    : vault.Bury(vault.pinned_record);
      commit.charges.push_back({SubjectOf(vault.id()), 1, 1, 1, 9});
      const VaultCommit* const batch[] = {&commit};
      const auto outcomes = store.CommitVaults(realm.id, realm.row.roster, batch);
      ASSERT_TRUE(outcomes && outcomes->front() == CommitOutcome::kCommitted);
      vault.Take(commit);
      ASSERT_TRUE(boards.ReadBoard(realm.id, reader.member, kCaseKind, {}, {}));
      ASSERT_TRUE(store.ReadContent(realm.id, vault.id(), reader.member, 0, {}));
      ASSERT_TRUE(store.ReadEntries(realm.id, vault.id(), 0, 10));
      ASSERT_TRUE(store.Boxes(realm.id, vault.id(), reader.member));
      ASSERT_TRUE(store.Find(realm.id, vault.id()));
    }
  };
  const auto rows_read = [&] {
    return realm.Number(
        "SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname <> 'realm') + "
        "(SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)");
  };
  use();
  constexpr std::size_t kOthers = 3'000;
  MakeVaults(realm, kOthers, {other, reader}, 10);
  const std::uint64_t before = rows_read();
  use();
  database.reset();
  const std::uint64_t read = rows_read() - before;
  EXPECT_GT(read, 0u);
  EXPECT_LT(read, kOthers / 2);
}

}  // namespace
}  // namespace godwit::storage
