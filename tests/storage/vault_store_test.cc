#include "storage/vault_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/storage/rows.h"

namespace godwit::storage {
namespace {

using testing::ElementsAre;

// Everything that a commit may touch, as one text: equal before and after a refusal.
std::string Fingerprint(const Realm& realm) {
  std::string all;
  for (const char* table : {"realm", "statement", "vault", "entry", "leaf", "membership", "box",
                            "record", "record_blob", "record_salt", "quota"}) {
    const auto rows = realm.postgres.Sql(
        std::string("SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM ") +
        table + " AS t");
    all += rows.at(0).at(0) + " ";
  }
  return all;
}

TEST(VaultStore, KeepsAllThatACommitBrings) {
  Realm realm;
  const MembershipRow writer{Random<base::MemberId>(), 7, 1};
  const MembershipRow reader{Random<base::MemberId>(), 1, 3};
  VaultBuilder vault;
  const VaultCommit commit = vault.Create({writer, reader});
  ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);

  const auto row = realm.vaults.Find(realm.id, vault.id());
  ASSERT_TRUE(row && *row);
  EXPECT_EQ((*row)->kind, kCaseKind);
  EXPECT_EQ((*row)->head, commit.after.head);
  EXPECT_EQ((*row)->epoch, 1u);
  EXPECT_EQ((*row)->epoch_link, commit.after.epoch_link);
  ASSERT_TRUE((*row)->pinned);
  EXPECT_EQ((*row)->pinned->link, commit.after.head.link);
  EXPECT_EQ((*row)->pinned->record, vault.pinned_record);
  EXPECT_EQ((*row)->pinned->rver, 1u);

  const auto entries = realm.vaults.ReadEntries(realm.id, vault.id(), 0, 100);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*entries)[i].seq, i);
    EXPECT_EQ((*entries)[i].type, commit.entries[i].type);
    EXPECT_EQ((*entries)[i].link, commit.entries[i].link);
    EXPECT_EQ((*entries)[i].bytes, commit.entries[i].bytes);
  }
  const auto again = realm.vaults.EntryAt(realm.id, vault.id(), 1);
  ASSERT_TRUE(again && *again);
  EXPECT_EQ((*again)->bytes, commit.entries[1].bytes);
  const auto beyond = realm.vaults.EntryAt(realm.id, vault.id(), 3);
  ASSERT_TRUE(beyond);
  EXPECT_FALSE(*beyond);

  const auto boxes = realm.vaults.Boxes(realm.id, vault.id(), reader.member);
  ASSERT_TRUE(boxes);
  ASSERT_EQ(boxes->size(), 1u);
  EXPECT_EQ(boxes->front().epoch, 1u);
  EXPECT_EQ(boxes->front().box, commit.boxes[1].box);

  const auto page = realm.vaults.ReadContent(realm.id, vault.id(), reader.member, 0, {});
  ASSERT_TRUE(page);
  ASSERT_EQ(page->records.size(), 1u);
  EXPECT_FALSE(page->more);
  EXPECT_EQ(page->records[0].record, vault.pinned_record);
  EXPECT_EQ(page->records[0].salt, commit.revisions[0].salt);
  EXPECT_EQ(page->records[0].ciphertext, commit.revisions[0].ciphertext);
}

TEST(VaultStore, WritesALeafForEveryEntryWithTheRosterSeqItWasAdmittedAt) {
  Realm realm;
  VaultBuilder vault;
  const VaultCommit commit = vault.Create({{Random<base::MemberId>(), 7, 1}});
  ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
  const auto leaves = realm.postgres.Sql(
      "SELECT leaf_type, encode(chain_tag, 'hex'), seq, encode(link, 'hex'), roster_seq FROM leaf "
      "WHERE leaf_type = 2 ORDER BY seq");
  ASSERT_EQ(leaves.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_THAT(leaves[i], ElementsAre("2", base::ToHex(vault.tag.bytes()), std::to_string(i),
                                       base::ToHex(commit.entries[i].link.bytes()), "0"));
  }
}

TEST(VaultStore, AConflictFailsNeitherItsNeighboursNorHalfOfItself) {
  Realm realm;
  const MembershipRow writer{Random<base::MemberId>(), 7, 1};
  VaultBuilder first, second, third, taken;
  for (VaultBuilder* vault : {&first, &second, &taken}) {
    const VaultCommit commit = vault->Create({writer});
    ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
    vault->Take(commit);
  }
  const VaultCommit good = first.Revise(Random<base::RecordId>());
  VaultCommit behind = second.Revise(Random<base::RecordId>());
  behind.expected->seq -= 1;
  VaultCommit forked = second.Revise(Random<base::RecordId>());
  forked.expected->link = Random<base::Link>();
  const VaultCommit made = third.Create({writer});
  const VaultCommit exists = taken.Create({writer});
  const VaultCommit* const batch[] = {&behind, &good, &made, &exists, &good};
  const auto outcomes = realm.vaults.CommitVaults(realm.id, realm.row.roster, batch);
  ASSERT_TRUE(outcomes);
  EXPECT_THAT(*outcomes, ElementsAre(CommitOutcome::kConflict, CommitOutcome::kCommitted,
                                     CommitOutcome::kCommitted, CommitOutcome::kConflict,
                                     CommitOutcome::kConflict));
  EXPECT_EQ(realm.Number("SELECT count(*) FROM entry"), 3u * 3 + 1 + 3);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM record_salt"), 3u + 1 + 1);

  const std::string before = Fingerprint(realm);
  EXPECT_EQ(realm.Commit(forked), CommitOutcome::kConflict);
  EXPECT_EQ(Fingerprint(realm), before);
}

TEST(VaultStore, AVaultThatIsNotThereConflicts) {
  Realm realm;
  VaultBuilder vault;
  vault.Take(vault.Create({{Random<base::MemberId>(), 7, 1}}));
  EXPECT_EQ(realm.Commit(vault.Revise(Random<base::RecordId>())), CommitOutcome::kConflict);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM entry"), 0u);
}

TEST(VaultStore, ARowBeyondTheSchemaIsRefusedAlone) {
  Realm realm;
  const MembershipRow writer{Random<base::MemberId>(), 7, 1};
  VaultBuilder good, large, twice, badperm;
  const VaultCommit first = good.Create({writer});
  VaultCommit second = large.Create({writer});
  second.revisions[0].ciphertext.resize((1 << 20) + 17);
  VaultCommit third = twice.Create({writer});
  third.revisions.push_back(third.revisions[0]);
  const VaultCommit fourth = badperm.Create({{Random<base::MemberId>(), 5, 1}});
  const VaultCommit* const batch[] = {&second, &third, &first, &fourth};
  const auto outcomes = realm.vaults.CommitVaults(realm.id, realm.row.roster, batch);
  ASSERT_TRUE(outcomes) << outcomes.error().message();
  EXPECT_THAT(*outcomes, ElementsAre(CommitOutcome::kRefused, CommitOutcome::kRefused,
                                     CommitOutcome::kCommitted, CommitOutcome::kRefused));
  EXPECT_EQ(realm.Number("SELECT count(*) FROM vault"), 1u);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM entry"), 3u);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM leaf WHERE leaf_type = 2"), 3u);
}

TEST(VaultStore, NothingIsWrittenOnceTheRosterMoved) {
  Realm realm;
  VaultBuilder vault;
  const VaultCommit commit = vault.Create({{Random<base::MemberId>(), 7, 1}});
  const VaultCommit* const batch[] = {&commit};
  const std::string before = Fingerprint(realm);
  ChainHead other = realm.row.roster;
  other.link = Random<base::Link>();
  for (const ChainHead& head : {other, ChainHead{1, realm.row.roster.link}}) {
    const auto outcomes = realm.vaults.CommitVaults(realm.id, head, batch);
    ASSERT_FALSE(outcomes);
    EXPECT_EQ(outcomes.error().code(), base::Code::kStaleRoster);
  }
  EXPECT_EQ(Fingerprint(realm), before);
}

TEST(VaultStore, OfManyWhoRaceForAHeadOneWinsEachTime) {
  Realm realm;
  VaultBuilder vault;
  const VaultCommit create = vault.Create({{Random<base::MemberId>(), 7, 1}});
  ASSERT_EQ(realm.Commit(create), CommitOutcome::kCommitted);
  constexpr int kThreads = 8;
  constexpr int kRounds = 25;
  std::atomic<int> won = 0, lost = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int done = 0; done < kRounds;) {
        const auto now = realm.vaults.Find(realm.id, vault.id());
        ASSERT_TRUE(now && *now);
        VaultCommit commit;
        commit.expected = (*now)->head;
        commit.after = **now;
        commit.chain_tag = vault.tag;
        commit.after.head = {(*now)->head.seq + 1, Random<base::Link>()};
        commit.entries.push_back({commit.after.head.seq, 3, commit.after.head.link, {1}});
        const auto outcome = realm.Commit(commit);
        ASSERT_TRUE(outcome);
        if (*outcome == CommitOutcome::kCommitted) {
          ++won;
          ++done;
        } else {
          ++lost;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, kThreads * kRounds);
  EXPECT_GT(lost, 0);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM entry"), 3u + kThreads * kRounds);
  EXPECT_EQ(realm.Number("SELECT max(seq) FROM entry"), 2u + kThreads * kRounds);
}

TEST(VaultStore, BatchesWithTheSameVaultsInAnyOrderAllEnd) {
  Realm realm;
  constexpr std::size_t kVaults = 20;
  std::vector<VaultBuilder> vaults(kVaults);
  for (VaultBuilder& vault : vaults) {
    const VaultCommit commit = vault.Create({{Random<base::MemberId>(), 7, 1}});
    ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
    vault.Take(commit);
  }
  std::atomic<int> committed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int round = 0; round < 10; ++round) {
        std::vector<VaultBuilder> fresh(5);
        std::vector<VaultCommit> commits;
        for (VaultBuilder& vault : fresh) {
          commits.push_back(vault.Create({{Random<base::MemberId>(), 7, 1}}));
        }
        for (VaultBuilder vault : vaults) commits.push_back(vault.Rekey({}));
        std::vector<const VaultCommit*> batch;
        for (const VaultCommit& commit : commits) batch.push_back(&commit);
        if (t % 2 == 1) std::reverse(batch.begin(), batch.end());
        const auto outcomes = realm.vaults.CommitVaults(realm.id, realm.row.roster, batch);
        ASSERT_TRUE(outcomes) << outcomes.error().message();
        committed += static_cast<int>(
            std::count(outcomes->begin(), outcomes->end(), CommitOutcome::kCommitted));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Each new vault, and of each old one the first rekey alone.
  EXPECT_EQ(committed, 4 * 10 * 5 + static_cast<int>(kVaults));
}

TEST(VaultStore, ForgettingAndBuryingDeleteSaltsAndCiphertextsOfEarlierRevisions) {
  Realm realm;
  const MembershipRow writer{Random<base::MemberId>(), 7, 1};
  VaultBuilder vault;
  const auto record = Random<base::RecordId>();
  const auto kept = Random<base::RecordId>();
  for (const VaultCommit& commit : {vault.Create({writer})}) {
    ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
    vault.Take(commit);
  }
  const auto write = [&](const VaultCommit& commit) {
    ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
    vault.Take(commit);
  };
  const auto left = [&](const char* table) {
    return realm.postgres.Sql(std::string("SELECT rver FROM ") + table + " WHERE record_id = '\\x" +
                              base::ToHex(record.bytes()) + "' ORDER BY rver");
  };
  using Rows = std::vector<std::vector<std::string>>;
  write(vault.Revise(record));
  write(vault.Revise(kept));
  write(vault.Revise(record));
  EXPECT_EQ(left("record_blob"), (Rows{{"1"}, {"2"}}));
  write(vault.Revise(record, 272, true));
  EXPECT_EQ(left("record_blob"), (Rows{{"3"}}));
  EXPECT_EQ(left("record_salt"), (Rows{{"3"}}));
  write(vault.Bury(record));
  EXPECT_EQ(left("record_blob"), Rows{});
  EXPECT_EQ(left("record_salt"), Rows{});
  const auto page = realm.vaults.ReadContent(realm.id, vault.id(), writer.member, 0, {});
  ASSERT_TRUE(page);
  EXPECT_EQ(page->records.size(), 2u);  // the pinned one and `kept`
  // Entries are for ever.
  EXPECT_EQ(realm.Number("SELECT count(*) FROM entry"), 3u + 5);
}

TEST(VaultStore, WhoIsDroppedLosesAllBoxesAndWhoStaysKeepsThem) {
  Realm realm;
  const MembershipRow stays{Random<base::MemberId>(), 7, 1};
  const MembershipRow leaves{Random<base::MemberId>(), 3, 1};
  VaultBuilder vault;
  for (int i = 0; i < 2; ++i) {
    const VaultCommit commit =
        i == 0 ? vault.Create({stays, leaves}) : vault.Rekey({stays, leaves});
    ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
    vault.Take(commit);
  }
  EXPECT_EQ(realm.vaults.Boxes(realm.id, vault.id(), leaves.member)->size(), 2u);
  ASSERT_EQ(realm.Commit(vault.Rekey({stays})), CommitOutcome::kCommitted);
  EXPECT_EQ(realm.vaults.Boxes(realm.id, vault.id(), leaves.member)->size(), 0u);
  EXPECT_EQ(realm.vaults.Boxes(realm.id, vault.id(), stays.member)->size(), 3u);
  const auto content = realm.vaults.ReadContent(realm.id, vault.id(), leaves.member, 0, {});
  ASSERT_TRUE(content);
  EXPECT_TRUE(content->records.empty());
}

TEST(VaultStore, ContentIsForMembersWithReadAlone) {
  Realm realm;
  const auto row = [](std::uint8_t perm) {
    return MembershipRow{Random<base::MemberId>(), perm, perm == 2 ? 0u : 1u};
  };
  const std::vector<MembershipRow> members = {row(1), row(2), row(3), row(4), row(7)};
  VaultBuilder vault;
  ASSERT_EQ(realm.Commit(vault.Create(members)), CommitOutcome::kCommitted);
  for (const MembershipRow& member : members) {
    SCOPED_TRACE(static_cast<int>(member.perm));
    const auto page = realm.vaults.ReadContent(realm.id, vault.id(), member.member, 0, {});
    ASSERT_TRUE(page);
    EXPECT_EQ(page->records.size(), (member.perm & 1) != 0 ? 1u : 0u);
    EXPECT_EQ(*realm.vaults.ListedPerm(realm.id, vault.id(), member.member), member.perm);
  }
  EXPECT_FALSE(*realm.vaults.ListedPerm(realm.id, vault.id(), Random<base::MemberId>()));
  const auto stranger =
      realm.vaults.ReadContent(realm.id, vault.id(), Random<base::MemberId>(), 0, {});
  ASSERT_TRUE(stranger);
  EXPECT_TRUE(stranger->records.empty());
}

TEST(VaultStore, ContentComesInPagesAndFromASeqOn) {
  Realm realm;
  const MembershipRow writer{Random<base::MemberId>(), 7, 1};
  VaultBuilder vault;
  VaultCommit commit = vault.Create({writer});
  ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
  vault.Take(commit);
  constexpr std::size_t kRecords = 10;
  for (std::size_t i = 0; i < kRecords; ++i) {
    commit = vault.Revise(Random<base::RecordId>(), 400'000);
    ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
    vault.Take(commit);
  }
  std::size_t pages = 0, records = 0;
  base::RecordId after;
  for (bool more = true; more; ++pages) {
    const auto page = realm.vaults.ReadContent(realm.id, vault.id(), writer.member, 3, after);
    ASSERT_TRUE(page);
    std::size_t bytes = 0;
    for (const ContentRow& row : page->records) {
      EXPECT_GT(row.record, after);
      EXPECT_TRUE(row.salt);
      after = row.record;
      bytes += row.ciphertext.size();
    }
    EXPECT_LT(bytes, 2u << 20);
    records += page->records.size();
    more = page->more;
  }
  EXPECT_EQ(records, kRecords);  // without the pinned one, which seq 2 wrote
  EXPECT_GE(pages, 4u);

  const auto last =
      realm.vaults.ReadContent(realm.id, vault.id(), writer.member, commit.after.head.seq, {});
  ASSERT_TRUE(last);
  EXPECT_EQ(last->records.size(), 1u);
  const auto entries = realm.vaults.ReadEntries(realm.id, vault.id(), 5, 4);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 4u);
  EXPECT_EQ(entries->front().seq, 5u);
}

TEST(VaultStore, AnotherRealmsNameOpensNothing) {
  Realm realm;
  const MembershipRow writer{Random<base::MemberId>(), 7, 1};
  VaultBuilder vault;
  ASSERT_EQ(realm.Commit(vault.Create({writer})), CommitOutcome::kCommitted);
  const auto other = Random<base::RealmId>();
  EXPECT_FALSE(*realm.vaults.Find(other, vault.id()));
  EXPECT_TRUE(realm.vaults.ReadEntries(other, vault.id(), 0, 9)->empty());
  EXPECT_TRUE(realm.vaults.Boxes(other, vault.id(), writer.member)->empty());
  const VaultCommit commit = VaultBuilder().Create({writer});
  const VaultCommit* const batch[] = {&commit};
  EXPECT_FALSE(realm.vaults.CommitVaults(other, realm.row.roster, batch));
}

TEST(VaultStore, ABatchIsManyTimesFasterThanItsCommitsOneByOne) {
  Realm realm;
  const MembershipRow writer{Random<base::MemberId>(), 7, 1};
  constexpr std::size_t kVaults = 500;
  std::vector<VaultBuilder> vaults(kVaults);
  // Commits what `build` makes for each vault, `together` at a time; returns entries a second.
  const auto run = [&](std::size_t together, auto&& build) {
    std::vector<VaultCommit> commits;
    std::size_t entries = 0;
    for (VaultBuilder& vault : vaults) {
      commits.push_back(build(vault));
      vault.Take(commits.back());
      entries += commits.back().entries.size();
    }
    std::size_t committed = 0;
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t at = 0; at < kVaults; at += together) {
      std::vector<const VaultCommit*> batch;
      for (std::size_t i = at; i < at + together; ++i) batch.push_back(&commits[i]);
      const auto outcomes = realm.vaults.CommitVaults(realm.id, realm.row.roster, batch);
      if (!outcomes) continue;
      committed += static_cast<std::size_t>(
          std::count(outcomes->begin(), outcomes->end(), CommitOutcome::kCommitted));
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(committed, kVaults);
    return static_cast<double>(entries) / took.count();
  };
  const auto revise = [](VaultBuilder& vault) { return vault.Revise(Random<base::RecordId>()); };
  const double created = run(kVaults, [&](VaultBuilder& vault) { return vault.Create({writer}); });
  const double one_by_one = run(1, revise);
  double best = 0;
  for (int i = 0; i < 5; ++i) best = std::max(best, run(kVaults, revise));
  std::printf("entries a second: %.0f creating vaults, %.0f revising, %.0f one by one\n", created,
              best, one_by_one);
  EXPECT_GT(best, 4 * one_by_one);
}

// A vault that nobody is listed in any more, as one that was sealed for retention.
TEST(VaultStore, ErasesWhatASealedVaultHoldsAndNothingOfAnothers) {
  Realm realm;
  const MembershipRow writer{Random<base::MemberId>(), 7, 1};
  VaultBuilder vault, other;
  for (VaultBuilder* each : {&vault, &other}) {
    const VaultCommit commit = each->Create({writer});
    ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
    each->Take(commit);
  }
  VaultCommit seal = vault.Rekey({});
  seal.after.erase_day = 20'000;
  ASSERT_EQ(realm.Commit(seal), CommitOutcome::kCommitted);
  const ChainHead before = vault.now().head;
  vault.Take(seal);
  EXPECT_EQ((*realm.vaults.Find(realm.id, vault.id()))->erase_day, 20'000u);

  const auto due = [&](std::uint32_t today) {
    const auto vaults = realm.vaults.DueForErasure(realm.id, today, 10);
    return vaults ? *vaults : std::vector{Random<base::VaultId>()};
  };
  EXPECT_THAT(due(20'000), ElementsAre());
  EXPECT_THAT(due(20'001), ElementsAre(vault.id()));
  const auto make = [](std::uint64_t n) {
    return EventRow{Random<base::Link>(), base::Bytes(1, static_cast<std::uint8_t>(n))};
  };
  // Another entry came first: judge again.
  const std::string untouched = Fingerprint(realm);
  ASSERT_TRUE(realm.vaults.Erase(realm.id, vault.id(), before, make));
  ASSERT_TRUE(realm.vaults.SetEraseDay(realm.id, vault.id(), before, 7));
  EXPECT_EQ(Fingerprint(realm), untouched);

  ASSERT_TRUE(realm.vaults.Erase(realm.id, vault.id(), vault.now().head, make));
  EXPECT_THAT(due(20'001), ElementsAre());
  EXPECT_EQ(realm.Number("SELECT count(*) FROM record_salt"), 1u);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM record_blob"), 1u);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM box"), 1u);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM entry"), 3u + 1 + 3);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM leaf WHERE leaf_type = 4"), 1u);
  ASSERT_TRUE(realm.vaults.SetEraseDay(realm.id, other.id(), other.now().head, 7));
  EXPECT_THAT(due(8), ElementsAre(other.id()));
}

TEST(VaultStore, EventsOfErasersAtOnceAreNumberedWithoutAGap) {
  Realm realm;
  constexpr std::size_t kVaults = 12;
  std::vector<VaultBuilder> vaults(kVaults);
  for (VaultBuilder& vault : vaults) {
    VaultCommit commit = vault.Create({{Random<base::MemberId>(), 7, 1}});
    commit.after.erase_day = 1;
    ASSERT_EQ(realm.Commit(commit), CommitOutcome::kCommitted);
    vault.Take(commit);
  }
  std::atomic<int> failed = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (const VaultBuilder& vault : vaults) {
        const auto status =
            realm.vaults.Erase(realm.id, vault.id(), vault.now().head, [](std::uint64_t) {
              return EventRow{Random<base::Link>(), base::Bytes(1)};
            });
        if (!status) ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM event"), kVaults);
  EXPECT_EQ(realm.Number("SELECT max(n) FROM event"), kVaults - 1);
}

}  // namespace
}  // namespace godwit::storage
