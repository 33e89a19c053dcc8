// Those who watch a realm, without gRPC: what each is told, and when it ends.
#include <gtest/gtest.h>

#include <memory>

#include "protocol/session.h"
#include "services/realm/watch_hub.h"
#include "tests/services/fixture.h"

namespace godwit::realm {
namespace {

using protocol::Compartment;
using protocol::kFull;
using protocol::Kind;
using support::Must;
using support::Person;
using support::TestRealm;
using support::TestVault;
using Hints = WatchHub::Hints;

// Whoever watches in a test: what it was told, in the end why not.
struct Ear {
  std::unique_ptr<WatchHub::Watcher> watcher;
  std::shared_ptr<std::atomic<int>> woken = std::make_shared<std::atomic<int>>(0);

  base::Result<std::optional<Hints>> Take() const { return watcher->Take(); }
};

EngineConfig Narrow() {
  EngineConfig config;
  config.watch.streams = 5;
  config.watch.per_member = 3;
  config.watch.pending = 2;
  return config;
}

class Watching : public testing::Test {
 protected:
  Watching()
      : caseworker_(realm_.Add(protocol::kCaseworker)),
        coordinator_(realm_.Add(protocol::kCoordinator)),
        other_(realm_.Add(protocol::kCoordinator)),
        engine_(Compartment::kCases, Narrow()),
        replica_(engine_, Narrow()) {
    Sync(engine_, realm_);
  }

  server::Caller Enter(const Person& person) {
    auto& sessions = engine_.engine.sessions();
    const auto request = RequestOf(realm_, person, Must(sessions.MakeNonce()));
    const auto opened =
        Must(sessions.Open(protocol::SignSessionRequest(request, person.device().signing_key())));
    return Must(sessions.Authenticate(opened.token));
  }
  Ear Listen(const server::Caller& caller, TestEngine* to = nullptr) {
    Ear ear;
    ear.watcher = Must(
        (to == nullptr ? engine_ : *to).engine.Watch(caller, [woken = ear.woken] { ++*woken; }));
    return ear;
  }
  // Somebody whose stream stands.
  Ear Stands(const Person& person, TestEngine* to = nullptr) {
    Ear ear = Listen(Enter(person), to);
    Look(to);
    EXPECT_TRUE(Must(ear.Take())) << "the first message says that the stream stands";
    return ear;
  }
  // The service looks, once the rest after its last look is over.
  void Look(TestEngine* at = nullptr) {
    engine_.clock->steady_ms += 10'000;
    support::Require((at == nullptr ? engine_ : *at).engine.TellWatchers());
  }
  // What it hears by the next look; nothing if nothing.
  Hints Hear(const Ear& ear, TestEngine* at = nullptr) {
    Look(at);
    return Must(ear.Take()).value_or(Hints());
  }
  void Send(TestVault& vault, const Person& by) {
    const auto sent = Append(engine_.engine, CallerOf(by), UploadOf(vault, sent_[&vault]));
    ASSERT_TRUE(sent) << sent.error().message();
    sent_[&vault] = vault.entries().size();
  }
  TestVault::Members Two() { return {{&caseworker_, kFull}, {&coordinator_, kFull}}; }

  TestRealm realm_{Compartment::kCases};
  const Person& caseworker_;
  const Person& coordinator_;
  const Person& other_;
  TestEngine engine_;
  TestEngine replica_;
  std::map<const TestVault*, std::size_t> sent_;
};

TEST_F(Watching, AMemberHearsOfTheVaultsThatListItAndOfNoOther) {
  const Ear mine = Stands(coordinator_);
  const Ear others = Stands(other_);
  TestVault vault(realm_, Kind::kCase, caseworker_, Two());
  Send(vault, caseworker_);
  const Hints hints = Hear(mine);
  EXPECT_EQ(
      hints.vaults,
      (std::map<base::VaultId, std::uint64_t>{{vault.vault().id(), vault.vault().head_seq()}}));
  EXPECT_EQ(hints.roster_seq, 0u);
  EXPECT_FALSE(hints.more);
  EXPECT_FALSE(Must(others.Take()));
  EXPECT_GE(*mine.woken, 2);
  EXPECT_EQ(*others.woken, 1) << "whoever has nothing to hear is not woken for it";
  // The same change is told once, however often it is found.
  EXPECT_TRUE(Hear(mine).empty());
}

TEST_F(Watching, CommitsOfAnotherReplicaAreHeard) {
  const Ear ear = Stands(coordinator_, &replica_);
  TestVault vault(realm_, Kind::kCase, caseworker_, Two());
  Send(vault, caseworker_);
  EXPECT_EQ(Hear(ear, &replica_).vaults.size(), 1u);
  vault.WritePinned(caseworker_, "summary");
  Send(vault, caseworker_);
  EXPECT_EQ(Hear(ear, &replica_).vaults.at(vault.vault().id()), vault.vault().head_seq());
}

// What comes between two looks is told when its stream stands at the latest, or found by the sync
// that follows.
TEST_F(Watching, NothingIsMissedBetweenTheFirstMessageAndTheFirstChange) {
  const Ear first = Stands(other_);
  const Ear ear = Listen(Enter(coordinator_));
  EXPECT_FALSE(Must(ear.Take())) << "not listened for yet";
  TestVault vault(realm_, Kind::kCase, caseworker_, Two());
  Send(vault, caseworker_);
  Look();
  EXPECT_TRUE(Must(ear.Take()));
  vault.WritePinned(caseworker_, "summary");
  Send(vault, caseworker_);
  EXPECT_EQ(Hear(ear).vaults.size(), 1u);
}

TEST_F(Watching, WhoIsDroppedFromAVaultHearsOfItNoMore) {
  const Ear ear = Stands(caseworker_);
  TestVault vault(realm_, Kind::kCase, caseworker_, Two());
  Send(vault, caseworker_);
  EXPECT_EQ(Hear(ear).vaults.size(), 1u);
  vault.Rekey(coordinator_, vault.ListOf({{&coordinator_, kFull}}));
  Send(vault, coordinator_);
  EXPECT_TRUE(Hear(ear).empty()) << "not even of its own removal";
  vault.WritePinned(coordinator_, "summary");
  Send(vault, coordinator_);
  EXPECT_TRUE(Hear(ear).empty());
}

TEST_F(Watching, LoweredRolesEndHintsAndTheRosterIsAHintOfItsOwn) {
  const Ear ear = Stands(coordinator_);
  TestVault vault(realm_, Kind::kCase, caseworker_, Two());
  Send(vault, caseworker_);
  EXPECT_EQ(Hear(ear).vaults.size(), 1u);
  realm_.DoByRoot(protocol::RoleSet{coordinator_.id, protocol::kAuditor});
  Sync(engine_, realm_);
  vault.Append(vault.Sign(caseworker_, protocol::State{1, 0, 0}));
  Send(vault, caseworker_);
  const Hints hints = Hear(ear);
  EXPECT_TRUE(hints.vaults.empty());
  EXPECT_EQ(hints.roster_seq, realm_.roster().head_seq());
  EXPECT_TRUE(Hear(ear).empty()) << "once";
}

TEST_F(Watching, AStreamEndsWithItsSessionAndItsDevice) {
  const auto caller = Enter(coordinator_);
  const Ear closed = Listen(caller);
  const Ear same_member = Listen(Enter(coordinator_));
  const Ear expired = Listen(Enter(other_));
  Look();
  for (const Ear* ear : {&closed, &same_member, &expired}) EXPECT_TRUE(Must(ear->Take()));
  TestVault vault(realm_, Kind::kCase, caseworker_, Two());
  Send(vault, caseworker_);
  // Closed at another replica.
  ASSERT_TRUE(replica_.engine.CheckRealm());
  ASSERT_TRUE(replica_.engine.sessions().Close(caller));
  Look();
  EXPECT_EQ(CodeOf(closed.Take()), "UNAUTHENTICATED");
  EXPECT_TRUE(Must(same_member.Take()));
  realm_.RevokeByRoot(coordinator_, 0);
  Sync(engine_, realm_);
  Look();
  EXPECT_EQ(CodeOf(same_member.Take()), "UNAUTHENTICATED");
  EXPECT_TRUE(Must(expired.Take())) << "the roster moved";
  engine_.clock->now_ms += std::uint64_t{kSessionSeconds} * 1'000;
  Look();
  EXPECT_EQ(CodeOf(expired.Take()), "UNAUTHENTICATED");
}

// Where the session was looked for before the revocation, and the roster after it.
TEST_F(Watching, ARosterWithoutTheDeviceEndsAStreamWhateverItsSession) {
  WatchHub hub({}, *engine_.clock);
  const auto watcher = Must(hub.Open(Enter(coordinator_), [] {}));
  const auto round = hub.Begin();
  WatchHub::Found found;
  found.sessions = round->sessions;
  found.roster = std::make_shared<const protocol::Roster>(realm_.roster());
  hub.Tell(*round, found);
  EXPECT_TRUE(Must(watcher->Take()));
  realm_.RevokeByRoot(coordinator_, 0);
  found.roster = std::make_shared<const protocol::Roster>(realm_.roster());
  hub.Tell(*round, found);
  EXPECT_EQ(CodeOf(watcher->Take()), "UNAUTHENTICATED");
}

// While a transaction of the cluster goes on, each look finds what the one before it found.
TEST_F(Watching, WhatIsFoundAgainIsNotToldAgain) {
  WatchHub hub({}, *engine_.clock);
  const auto watcher = Must(hub.Open(Enter(coordinator_), [] {}));
  const auto round = hub.Begin();
  WatchHub::Found found;
  found.sessions = round->sessions;
  found.roster = std::make_shared<const protocol::Roster>(realm_.roster());
  const base::VaultId vault(std::array<std::uint8_t, 16>{9});
  found.changes.rows = {
      {coordinator_.id, vault, static_cast<std::uint8_t>(Kind::kCase), 7, protocol::kFull}};
  hub.Tell(*round, found);
  EXPECT_EQ(Must(watcher->Take())->vaults.at(vault), 7u);
  hub.Tell(*round, found);
  EXPECT_FALSE(Must(watcher->Take()));
  found.changes.rows[0].head_seq = 8;
  hub.Tell(*round, found);
  EXPECT_EQ(Must(watcher->Take())->vaults.at(vault), 8u);
}

TEST_F(Watching, WhatWaitsForASlowCallerIsOneHintAVaultAndBounded) {
  const Ear ear = Stands(coordinator_);
  std::deque<TestVault> vaults;
  for (int i = 0; i < 2; ++i) {
    Send(vaults.emplace_back(realm_, Kind::kCase, caseworker_, Two()), caseworker_);
  }
  Look();
  vaults[0].WritePinned(caseworker_, "summary");
  Send(vaults[0], caseworker_);
  Hints hints = Hear(ear);
  EXPECT_EQ(hints.vaults.size(), 2u);
  EXPECT_EQ(hints.vaults.at(vaults[0].vault().id()), vaults[0].vault().head_seq());
  EXPECT_FALSE(hints.more);
  for (TestVault& vault : vaults) {
    vault.WritePinned(caseworker_, "another");
    Send(vault, caseworker_);
  }
  Send(vaults.emplace_back(realm_, Kind::kCase, caseworker_, Two()), caseworker_);
  hints = Hear(ear);
  EXPECT_EQ(hints.vaults.size(), 2u) << "as many as may wait";
  EXPECT_TRUE(hints.more);
  EXPECT_TRUE(Hear(ear).empty());
}

TEST_F(Watching, AMemberAndAServiceHaveSoManyStreams) {
  const auto caller = Enter(coordinator_);
  std::vector<Ear> ears;
  for (int i = 0; i < 3; ++i) ears.push_back(Listen(caller));
  EXPECT_EQ(CodeOf(engine_.engine.Watch(caller, [] {})), "RESOURCE_EXHAUSTED");
  ears.pop_back();
  ears.push_back(Listen(caller));
  const auto others = Enter(other_);
  for (int i = 0; i < 2; ++i) ears.push_back(Listen(others));
  EXPECT_EQ(CodeOf(engine_.engine.Watch(Enter(caseworker_), [] {})), "RESOURCE_EXHAUSTED");
  EXPECT_EQ(engine_.engine.watchers(), 5u);
  ears.clear();
  EXPECT_EQ(engine_.engine.watchers(), 0u);
  EXPECT_TRUE(engine_.engine.Watch(Enter(caseworker_), [] {}));
}

TEST_F(Watching, SilenceIsBrokenAndEveryStreamEndsWell) {
  const Ear ear = Stands(coordinator_);
  Look();
  EXPECT_FALSE(Must(ear.Take()));
  Look();
  const auto beat = Must(ear.Take());
  ASSERT_TRUE(beat);
  EXPECT_TRUE(beat->empty());
  EXPECT_FALSE(ear.watcher->over());
  // What is still to be told is told before the end.
  TestVault vault(realm_, Kind::kCase, caseworker_, Two());
  Send(vault, caseworker_);
  engine_.clock->steady_ms += 600'000;
  Look();
  EXPECT_TRUE(ear.watcher->over());
  EXPECT_EQ(Must(ear.Take())->vaults.size(), 1u);
  EXPECT_FALSE(Must(ear.Take()));
}

TEST_F(Watching, AServiceThatStopsEndsAllStreamsAndTakesNone) {
  const Ear ear = Stands(coordinator_);
  const int before = *ear.woken;
  engine_.engine.StopWatching();
  EXPECT_EQ(*ear.woken, before + 1);
  EXPECT_EQ(CodeOf(ear.Take()), "UNAVAILABLE");
  EXPECT_EQ(CodeOf(engine_.engine.Watch(Enter(other_), [] {})), "UNAVAILABLE");
}

TEST_F(Watching, NobodyIsLookedForWhereNobodyWatches) {
  WatchHub hub({}, *engine_.clock);
  EXPECT_FALSE(hub.Begin());
  const auto watcher = Must(hub.Open(Enter(coordinator_), [] {}));
  EXPECT_TRUE(hub.Begin());
}

// However long a look takes, it is a tenth of the time at most.
TEST_F(Watching, ALookIsFollowedByARest) {
  const Ear ear = Stands(coordinator_);
  TestVault vault(realm_, Kind::kCase, caseworker_, Two());
  Send(vault, caseworker_);
  ASSERT_TRUE(engine_.engine.TellWatchers());
  // The machine's clock went on meanwhile, so look again and have two at once.
  Look();
  (void)Must(ear.Take());
  vault.WritePinned(caseworker_, "summary");
  engine_.clock->steady_ms += 10'000;
  support::Require(engine_.engine.TellWatchers());
  Send(vault, caseworker_);
  engine_.clock->steady_ms -= 9'000;
  support::Require(engine_.engine.TellWatchers());
  EXPECT_FALSE(Must(ear.Take())) << "it rests";
  EXPECT_EQ(Hear(ear).vaults.size(), 1u);
}

}  // namespace
}  // namespace godwit::realm
