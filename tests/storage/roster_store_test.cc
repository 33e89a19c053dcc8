#include "storage/roster_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/storage/rows.h"

namespace godwit::storage {
namespace {

using base::Code;

RealmRow NewRealmRow() {
  RealmRow row;
  row.compartment = 1;
  row.fingerprint = Random<base::Fingerprint>();
  row.realm = *base::RealmId::FromBytes(base::ByteSpan(row.fingerprint.bytes()).first(16));
  row.roster.link = Random<base::Link>();
  return row;
}

// `count` statements on top of `head`.
RosterAppend Statements(const Realm& realm, const ChainHead& head, std::size_t count = 1) {
  RosterAppend append;
  append.expected = head;
  append.chain_tag = realm.roster_tag;
  for (std::size_t i = 1; i <= count; ++i) {
    append.statements.push_back({head.seq + i, RandomBytes(300), Random<base::Link>()});
  }
  return append;
}

ChainHead HeadAfter(const RosterAppend& append) {
  return {append.statements.back().seq, append.statements.back().link};
}

TEST(RosterStore, AnEmptyDatabaseTakesOneGenesisAgainstItsClaim) {
  Stores stores;
  RosterStore owner(stores.owner);
  ASSERT_TRUE(stores.roster.LoadRealm());
  EXPECT_FALSE(*stores.roster.LoadRealm());
  const RealmRow row = NewRealmRow();
  const auto tag = Random<ChainTag>();
  const base::Bytes genesis = RandomBytes(500);
  const auto refusal = [&](base::ByteSpan claim, const base::Bytes& bytes) {
    const auto made = stores.roster.CreateRealm(claim, row, tag, bytes);
    return made ? Code::kIo : made.error().code();
  };

  EXPECT_EQ(refusal(RandomBytes(32), genesis), Code::kPermissionDenied);  // none was made
  auto claim = owner.MakeClaim(false);
  ASSERT_TRUE(claim && *claim);
  const auto second = owner.MakeClaim(false);
  ASSERT_TRUE(second);
  EXPECT_FALSE(*second);
  EXPECT_EQ(refusal(RandomBytes(32), genesis), Code::kPermissionDenied);
  EXPECT_EQ(refusal({}, genesis), Code::kPermissionDenied);
  EXPECT_FALSE(*stores.roster.LoadRealm());

  ASSERT_TRUE(stores.roster.CreateRealm((*claim)->Expose(), row, tag, genesis));
  const auto there = stores.roster.LoadRealm();
  ASSERT_TRUE(there && *there);
  EXPECT_EQ((*there)->realm, row.realm);
  EXPECT_EQ((*there)->compartment, 1);
  EXPECT_EQ((*there)->fingerprint, row.fingerprint);
  EXPECT_EQ((*there)->roster, row.roster);
  const auto statements = stores.roster.Read(row.realm, 0, 10);
  ASSERT_TRUE(statements);
  ASSERT_EQ(statements->size(), 1u);
  EXPECT_EQ(statements->front().bytes, genesis);
  EXPECT_EQ(stores.postgres.Sql("SELECT count(*) FROM genesis_claim")[0][0], "0");

  // A lost answer asked for again, and another realm.
  EXPECT_TRUE(stores.roster.CreateRealm((*claim)->Expose(), row, tag, genesis));
  EXPECT_EQ(refusal((*claim)->Expose(), RandomBytes(500)), Code::kExists);
  const auto late = owner.MakeClaim(true);
  ASSERT_TRUE(late);
  EXPECT_FALSE(*late);
  EXPECT_EQ(stores.postgres.Sql("SELECT count(*) FROM realm")[0][0], "1");
}

TEST(RosterStore, TheClaimIsKeptAsAHashAndCanBeMadeAgain) {
  Stores stores;
  RosterStore owner(stores.owner);
  auto lost = owner.MakeClaim(false);
  ASSERT_TRUE(lost && *lost);
  const auto found = [&](const Claim& claim) {
    return stores.postgres.Sql("SELECT count(*) FROM genesis_claim WHERE claim_sha256 = '\\x" +
                               base::ToHex(claim.Expose()) + "'")[0][0];
  };
  EXPECT_EQ(found(**lost), "0");
  auto claim = owner.MakeClaim(true);
  ASSERT_TRUE(claim && *claim);
  const RealmRow row = NewRealmRow();
  const auto refused =
      stores.roster.CreateRealm((*lost)->Expose(), row, Random<ChainTag>(), RandomBytes(10));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kPermissionDenied);
  EXPECT_TRUE(
      stores.roster.CreateRealm((*claim)->Expose(), row, Random<ChainTag>(), RandomBytes(10)));
}

TEST(RosterStore, OfManyWhoComeWithTheClaimOneMakesTheRealm) {
  Stores stores;
  auto claim = RosterStore(stores.owner).MakeClaim(false);
  ASSERT_TRUE(claim && *claim);
  std::atomic<int> made = 0, exists = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&] {
      const auto status = stores.roster.CreateRealm((*claim)->Expose(), NewRealmRow(),
                                                    Random<ChainTag>(), RandomBytes(100));
      if (status) ++made;
      if (!status && status.error().code() == Code::kExists) ++exists;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(exists, 5);
}

TEST(RosterStore, StatementsAreAppendedWholeByCompareAndSwap) {
  Realm realm;
  const RosterAppend first = Statements(realm, realm.row.roster, 3);
  ASSERT_TRUE(realm.roster.Append(realm.id, first));
  const auto loaded = realm.roster.LoadRealm();
  EXPECT_EQ((*loaded)->roster, HeadAfter(first));
  const auto refusal = [&](const RosterAppend& append) {
    const auto status = realm.roster.Append(realm.id, append);
    return status ? Code::kIo : status.error().code();
  };
  EXPECT_EQ(refusal(Statements(realm, realm.row.roster)), Code::kConflict);
  EXPECT_EQ(refusal(Statements(realm, {3, Random<base::Link>()})), Code::kConflict);
  EXPECT_EQ(refusal(Statements(realm, {2, first.statements[1].link})), Code::kConflict);
  EXPECT_EQ(refusal(Statements(realm, HeadAfter(first), 0)), Code::kConflict);
  RosterAppend large = Statements(realm, HeadAfter(first), 2);
  large.statements[1].bytes = RandomBytes(70'000);
  EXPECT_EQ(refusal(large), Code::kInvalidArgument);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM statement"), 4u);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM leaf"), 4u);

  const auto from = realm.roster.Read(realm.id, 2, 10);
  ASSERT_TRUE(from);
  ASSERT_EQ(from->size(), 2u);
  EXPECT_EQ(from->front().bytes, first.statements[1].bytes);
  EXPECT_EQ(from->front().link, first.statements[1].link);
  EXPECT_EQ(realm.roster.Read(realm.id, 0, 3)->size(), 3u);
  const auto leaves = realm.postgres.Sql(
      "SELECT leaf_type, encode(link, 'hex'), roster_seq FROM leaf WHERE chain_tag = '\\x" +
      base::ToHex(realm.roster_tag.bytes()) + "' ORDER BY seq");
  ASSERT_EQ(leaves.size(), 4u);
  EXPECT_THAT(leaves[2],
              testing::ElementsAre("1", base::ToHex(first.statements[1].link.bytes()), "2"));
}

TEST(RosterStore, LargeStatementsComeInPages) {
  Realm realm;
  RosterAppend append = Statements(realm, realm.row.roster, 40);
  for (StatementRow& row : append.statements) row.bytes = RandomBytes(60'000);
  ASSERT_TRUE(realm.roster.Append(realm.id, append));
  std::uint64_t next = 0;
  int pages = 0;
  for (;; ++pages) {
    const auto page = realm.roster.Read(realm.id, next, 1'000);
    ASSERT_TRUE(page);
    if (page->empty()) break;
    EXPECT_EQ(page->front().seq, next);
    EXPECT_LT(page->size(), 20u);
    next = page->back().seq + 1;
  }
  EXPECT_EQ(next, 41u);
  EXPECT_GE(pages, 3);
}

TEST(RosterStore, OfManyWhoRaceForTheHeadOneWinsEachTime) {
  Realm realm;
  std::atomic<int> won = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      if (realm.roster.Append(realm.id, Statements(realm, realm.row.roster))) ++won;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM statement"), 2u);
}

TEST(RosterStore, CommitsWaitForTheRosterAndThenAreJudgedAgain) {
  Realm realm;
  const RosterAppend append = Statements(realm, realm.row.roster);
  ASSERT_TRUE(realm.roster.Append(realm.id, append));
  const VaultCommit commit = VaultBuilder().Create({{Random<base::MemberId>(), 7, 1}});
  const VaultCommit* const batch[] = {&commit};
  const auto stale = realm.vaults.CommitVaults(realm.id, realm.row.roster, batch);
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code(), Code::kStaleRoster);
  const auto fresh = realm.vaults.CommitVaults(realm.id, HeadAfter(append), batch);
  ASSERT_TRUE(fresh);
  EXPECT_EQ(realm.Number("SELECT roster_seq FROM leaf WHERE leaf_type = 2 LIMIT 1"), 1u);
}

TEST(RosterStore, WhatAStatementEndsIsGoneAtOnce) {
  Realm realm;
  const MembershipRow removed{Random<base::MemberId>(), 7, 1};
  const MembershipRow stays{Random<base::MemberId>(), 7, 1};
  const auto removed_device = Random<base::DeviceId>();
  const auto revoked_device = Random<base::DeviceId>();
  const auto kept_device = Random<base::DeviceId>();
  VaultBuilder vault;
  ASSERT_EQ(realm.Commit(vault.Create({removed, stays})), CommitOutcome::kCommitted);
  Invitation invitation;
  invitation.invite = Random<base::InviteId>();
  invitation.expires_ms = kNow + 1;
  invitation.offer = {1};
  ASSERT_TRUE(realm.mailbox.PutOffer(realm.id, invitation, kNow, 1));
  std::map<base::DeviceId, TokenHash> tokens;
  RosterAppend boxes = Statements(realm, realm.row.roster);
  for (const auto& [member, device] :
       {std::pair(removed.member, removed_device), std::pair(stays.member, revoked_device),
        std::pair(stays.member, kept_device)}) {
    boxes.boxes.push_back({member, device, 1, RandomBytes(80)});
    tokens[device] = Random<TokenHash>();
    ASSERT_TRUE(realm.sessions.Open(realm.id, {tokens[device], member, device, kNow + 1}));
  }
  ASSERT_TRUE(realm.roster.Append(realm.id, boxes));
  const auto read = realm.roster.PukBoxes(realm.id, kept_device, 1);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 1u);
  EXPECT_EQ(read->front().box, boxes.boxes[2].box);
  EXPECT_EQ(read->front().member, stays.member);
  EXPECT_TRUE(realm.roster.PukBoxes(realm.id, kept_device, 2)->empty());

  RosterAppend ends = Statements(realm, HeadAfter(boxes));
  ends.removed_members = {removed.member};
  ends.revoked_devices = {revoked_device};
  ends.used_invites = {invitation.invite};
  ASSERT_TRUE(realm.roster.Append(realm.id, ends));
  for (const base::DeviceId& device : {removed_device, revoked_device}) {
    EXPECT_TRUE(realm.roster.PukBoxes(realm.id, device, 1)->empty());
    EXPECT_FALSE(*realm.sessions.Find(realm.id, tokens[device], kNow));
  }
  EXPECT_EQ(realm.roster.PukBoxes(realm.id, kept_device, 1)->size(), 1u);
  EXPECT_TRUE(*realm.sessions.Find(realm.id, tokens[kept_device], kNow));
  EXPECT_TRUE(realm.vaults.Boxes(realm.id, vault.id(), removed.member)->empty());
  EXPECT_EQ(realm.vaults.Boxes(realm.id, vault.id(), stays.member)->size(), 1u);
  EXPECT_FALSE(*realm.mailbox.Find(realm.id, invitation.invite, kNow));
}

TEST(RosterStore, ChargesAreCountedWithTheStatements) {
  Realm realm;
  const auto member = Random<base::MemberId>();
  RosterAppend append = Statements(realm, realm.row.roster);
  append.charges.push_back({SubjectOf(member), 1, 2, 1, 1});
  ASSERT_TRUE(realm.roster.Append(realm.id, append));
  RosterAppend second = Statements(realm, HeadAfter(append));
  second.charges = append.charges;
  const auto refused = realm.roster.Append(realm.id, second);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kRateLimited);
  EXPECT_EQ(realm.Number("SELECT count(*) FROM statement"), 2u);
  EXPECT_EQ(*realm.quotas.Count(realm.id, SubjectOf(member), 1, 2), 1u);
}

}  // namespace
}  // namespace godwit::storage
