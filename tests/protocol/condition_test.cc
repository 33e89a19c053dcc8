// STATE, ASSENT and ASK: what freezes, holds and erases a vault, and who has a say in it.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "protocol/vault.h"
#include "tests/protocol/vault_world.h"

namespace godwit::protocol {
namespace {

constexpr State kAsItWas{0, 0, 0};
constexpr State kFrozen{1, 0, 0};
constexpr State kHeld{0, 1, 0};
constexpr std::uint32_t kDay = 30'000;
constexpr State kErased{0, 0, kDay};

// Appends what must be valid; gives its link.
base::Link Do(TestVault& vault, const Person& author, const EntryPayload& payload) {
  vault.Append(vault.Sign(author, payload));
  return vault.vault().head();
}
std::string Try(const TestRealm& realm, const TestVault& vault, const Person& author,
                const EntryPayload& payload) {
  return CodeOf(vault.vault().Judge(vault.Sign(author, payload), realm.roster()));
}

// A person's vault, where the supervisor manages without reading.
struct PersonWorld {
  TestRealm realm{Compartment::kIdentity};
  Person& caseworker = realm.Add(kCaseworker);
  Person& second = realm.Add(kCaseworker);
  Person& supervisor = realm.Add(kSupervisor);
  Person& colleague = realm.Add(kSupervisor);
  Person& reader = realm.Add(kCaseworker);
  TestVault vault{
      realm,
      Kind::kPerson,
      caseworker,
      {{&caseworker, 7}, {&second, 3}, {&supervisor, 4}, {&colleague, 4}, {&reader, 1}}};
};

TEST(Condition, AFreezeIsByWhoeverWritesOrManages) {
  const Row rows[] = {
      {"a manager", [](World& w) { return w.vault.Sign(w.coordinator, kFrozen); }, kOk},
      {"a writer", [](World& w) { return w.vault.Sign(w.caseworker, kFrozen); }, kOk},
      {"a reader", [](World& w) { return w.vault.Sign(w.reader, kFrozen); }, kInvalid},
      {"somebody who is not listed", [](World& w) { return w.vault.Sign(w.outsider, kFrozen); },
       kInvalid},
      {"an owner", [](World& w) { return w.vault.Sign(w.owner, kFrozen); }, kInvalid},
      {"a suspended writer",
       [](World& w) {
         w.realm.Stranger();
         w.realm.RevokeByRoot(w.caseworker, 0);
         return w.vault.Sign(w.coordinator, kFrozen);
       },
       kOk},
      {"one who lost the role",
       [](World& w) {
         w.realm.Remove(w.caseworker);
         return w.vault.Sign(w.caseworker, kFrozen);
       },
       kInvalid},
      {"while the list is not fresh",
       [](World& w) {
         w.realm.Remove(w.reader);
         return w.vault.Sign(w.caseworker, kFrozen);
       },
       kOk},
      {"a value that is none",
       [](World& w) {
         return w.vault.Sign(w.coordinator, State{2, 0, 0});
       },
       kInvalid},
      {"a hold that is none",
       [](World& w) {
         return w.vault.Sign(w.coordinator, State{0, 2, 0});
       },
       kInvalid},
      {"frozen and held, by a writer",
       [](World& w) {
         return w.vault.Sign(w.caseworker, State{1, 1, 0});
       },
       kInvalid},
      {"frozen and erased, by a writer",
       [](World& w) {
         return w.vault.Sign(w.caseworker, State{1, 0, kDay});
       },
       kInvalid},
      {"held, by a writer", [](World& w) { return w.vault.Sign(w.caseworker, kHeld); }, kInvalid},
      {"as it is, by a writer", [](World& w) { return w.vault.Sign(w.caseworker, kAsItWas); },
       kInvalid},
      {"as it is, by a manager", [](World& w) { return w.vault.Sign(w.coordinator, kAsItWas); },
       kOk},
      {"an unfreeze by a writer",
       [](World& w) {
         Do(w.vault, w.caseworker, kFrozen);
         return w.vault.Sign(w.caseworker, kAsItWas);
       },
       kInvalid},
      {"before any epoch",
       [](World& w) {
         EntryHeader header = TestVault(w.realm, Kind::kCase, w.coordinator).Next(w.coordinator);
         return SignEntry(header, kFrozen, w.coordinator.device().signing_key());
       },
       kFork},
  };
  Check(rows);

  World world;
  TestVault bare(world.realm, Kind::kCase, world.coordinator);
  EXPECT_EQ(Try(world.realm, bare, world.coordinator, kFrozen), kInvalid);
  EXPECT_EQ(Try(world.realm, bare, world.coordinator, Assent{bare.vault().head(), 1}), kInvalid);

  Do(world.vault, world.caseworker, kFrozen);
  EXPECT_EQ(world.vault.vault().state(), kFrozen);
  EXPECT_FALSE(world.vault.vault().waiting());
  // What is frozen already is no freeze.
  EXPECT_EQ(Try(world.realm, world.vault, world.caseworker, kFrozen), kInvalid);
  EXPECT_EQ(Try(world.realm, world.vault, world.coordinator, kFrozen), kOk);
}

TEST(Condition, ASuspendedMemberFreezesAndNothingElse) {
  World world;
  auto& stale = world.realm.Add(kCoordinator);
  world.realm.Stranger();
  TestVault vault(world.realm, Kind::kCase, world.coordinator,
                  {{&world.coordinator, 7}, {&world.second, 7}, {&stale, 7}});
  // A second device takes the first's place, and the PUK is not rotated yet.
  TestRealm realm(Compartment::kCases, {{kOwner, 1}, {kCoordinator, 2}, {kCoordinator, 1}});
  for (std::size_t i = 0; i < 3; ++i) realm.RotatePuk(realm.person(i));
  auto& suspended = realm.person(1);
  auto& other = realm.person(2);
  TestVault held(realm, Kind::kCase, suspended, {{&suspended, 7}, {&other, 7}});
  const base::RecordId note = held.NewRecord();
  held.Write(other, note, "note");
  const base::Link rev = held.vault().head();
  realm.Revoke(suspended, 1, 0);
  EXPECT_EQ(Try(realm, held, suspended, kFrozen), kOk);
  EXPECT_EQ(Try(realm, held, suspended, kHeld), kInvalid);
  EXPECT_EQ(Try(realm, held, suspended, kAsItWas), kInvalid);
  EXPECT_EQ(Try(realm, held, suspended, Assent{rev, Assent::kYes}), kInvalid);
}

TEST(Condition, AllElseWaitsForAnothersYes) {
  for (const State& state : {kHeld, kErased, State{1, 1, 0}, State{0, 1, kDay}}) {
    World w;
    const base::Link link = Do(w.vault, w.coordinator, state);
    EXPECT_EQ(w.vault.vault().state(), kAsItWas);
    ASSERT_TRUE(w.vault.vault().waiting());
    EXPECT_EQ(w.vault.vault().waiting()->link, link);
    EXPECT_EQ(Try(w.realm, w.vault, w.coordinator, Assent{link, Assent::kYes}), kInvalid);
    EXPECT_EQ(Try(w.realm, w.vault, w.reader, Assent{link, Assent::kYes}), kInvalid);
    EXPECT_EQ(Try(w.realm, w.vault, w.outsider, Assent{link, Assent::kYes}), kInvalid);
    EXPECT_EQ(Try(w.realm, w.vault, w.second, Assent{link, 0}), kInvalid);
    EXPECT_EQ(Try(w.realm, w.vault, w.second, Assent{link, 3}), kInvalid);
    EXPECT_EQ(Try(w.realm, w.vault, w.second, Assent{{}, Assent::kYes}), kInvalid);
    // With write alone the say is the same.
    Do(w.vault, w.caseworker, Assent{link, Assent::kYes});
    EXPECT_EQ(w.vault.vault().state(), state);
    EXPECT_FALSE(w.vault.vault().waiting());
    // A second one changes nothing.
    Do(w.vault, w.second, Assent{link, Assent::kNo});
    EXPECT_EQ(w.vault.vault().state(), state);
  }
}

TEST(Condition, ANoEndsWhatWaits) {
  World w;
  const base::Link link = Do(w.vault, w.coordinator, kHeld);
  Do(w.vault, w.second, Assent{link, Assent::kNo});
  EXPECT_FALSE(w.vault.vault().waiting());
  Do(w.vault, w.second, Assent{link, Assent::kYes});
  EXPECT_EQ(w.vault.vault().state(), kAsItWas);
}

TEST(Condition, OneThatIsEqualDropsNothing) {
  World w;
  const base::Link link = Do(w.vault, w.coordinator, kHeld);
  Do(w.vault, w.second, kAsItWas);
  ASSERT_TRUE(w.vault.vault().waiting());
  EXPECT_EQ(w.vault.vault().waiting()->link, link);
  Do(w.vault, w.second, Assent{link, Assent::kYes});
  EXPECT_EQ(w.vault.vault().state(), kHeld);
}

// All orders of two STATEs and an ASSENT of each, with a freeze that comes anywhere between: only
// the newest that waits takes effect, and never undoes a freeze that came after it.
TEST(Attack, Row54_NoOldAssentAndNoOldUnfreezeIsUsedAfterANewFreeze) {
  enum class Act { kFirst, kSecond, kAssentFirst, kAssentSecond, kFreeze };
  std::vector<Act> acts{Act::kFirst, Act::kSecond, Act::kAssentFirst, Act::kAssentSecond,
                        Act::kFreeze};
  std::size_t orders = 0;
  do {
    World w;
    Do(w.vault, w.caseworker, kFrozen);
    State in_effect = kFrozen;
    std::optional<base::Link> links[2];
    const State states[2] = {kAsItWas, kHeld};
    constexpr int kNone = -1;
    int waiting = kNone;
    bool waiting_frozen = false;
    bool possible = true;
    for (const Act act : acts) {
      switch (act) {
        case Act::kFirst:
        case Act::kSecond: {
          const int i = act == Act::kFirst ? 0 : 1;
          const bool same = states[i] == in_effect;
          links[i] = Do(w.vault, w.coordinator, states[i]);
          if (!same) {
            waiting = i;
            waiting_frozen = false;
          }
          break;
        }
        case Act::kAssentFirst:
        case Act::kAssentSecond: {
          const int i = act == Act::kAssentFirst ? 0 : 1;
          if (!links[i]) {
            possible = false;
            break;
          }
          Do(w.vault, w.second, Assent{*links[i], Assent::kYes});
          if (waiting == i) {
            in_effect = states[i];
            if (waiting_frozen) in_effect.frozen = 1;
            waiting = kNone;
          }
          break;
        }
        case Act::kFreeze: {
          State freeze = in_effect;
          freeze.frozen = 1;
          const bool freezes = in_effect.frozen == 0;
          Do(w.vault, w.coordinator, freeze);
          if (freezes) {
            in_effect.frozen = 1;
            waiting_frozen = waiting != kNone;
          }
          break;
        }
      }
      if (!possible) break;
      EXPECT_EQ(w.vault.vault().state(), in_effect);
      EXPECT_EQ(w.vault.vault().waiting().has_value(), waiting != kNone);
    }
    orders += possible;
  } while (std::next_permutation(acts.begin(), acts.end()));
  EXPECT_EQ(orders, 30u);
}

TEST(Condition, AFrozenVaultTakesDecisionsAndWhatEndsTheFreeze) {
  const auto frozen = [](World& w) { Do(w.vault, w.caseworker, kFrozen); };
  const Row rows[] = {
      {"a fact",
       [&](World& w) {
         frozen(w);
         return w.Write(w.coordinator);
       },
       kInvalid},
      {"a decision",
       [&](World& w) {
         frozen(w);
         return w.Write(w.coordinator, [](Rev& rev) { rev.flags = Rev::kDecision; });
       },
       kOk},
      {"a decision by a writer",
       [&](World& w) {
         frozen(w);
         return w.Write(w.caseworker, [](Rev& rev) { rev.flags = Rev::kDecision; });
       },
       kInvalid},
      {"a forget that is no decision",
       [&](World& w) {
         frozen(w);
         return w.Write(w.coordinator, [](Rev& rev) { rev.flags = Rev::kForget; });
       },
       kInvalid},
      {"a TOMB by a manager",
       [&](World& w) {
         frozen(w);
         return w.Tombed(w.coordinator);
       },
       kInvalid},
      {"an EPOCH",
       [&](World& w) {
         frozen(w);
         return w.Rekeyed(w.caseworker, w.Wanted());
       },
       kOk},
      {"a STATE",
       [&](World& w) {
         frozen(w);
         return w.vault.Sign(w.coordinator, kAsItWas);
       },
       kOk},
      {"an ASSENT",
       [&](World& w) {
         frozen(w);
         const auto link = Do(w.vault, w.coordinator, kAsItWas);
         return w.vault.Sign(w.second, Assent{link, Assent::kYes});
       },
       kOk},
      {"a fact after the freeze ended",
       [&](World& w) {
         frozen(w);
         const auto link = Do(w.vault, w.coordinator, kAsItWas);
         Do(w.vault, w.second, Assent{link, Assent::kYes});
         return w.Write(w.caseworker);
       },
       kOk},
  };
  Check(rows);
}

TEST(Condition, OnHoldNothingIsDeleted) {
  const auto held = [](World& w) {
    Do(w.vault, w.caseworker, Assent{Do(w.vault, w.coordinator, kHeld), Assent::kYes});
  };
  const Row rows[] = {
      {"a TOMB",
       [&](World& w) {
         held(w);
         return w.Tombed(w.coordinator);
       },
       kInvalid},
      {"a forget",
       [&](World& w) {
         held(w);
         return w.Write(w.coordinator, [](Rev& rev) { rev.flags = Rev::kForget; });
       },
       kInvalid},
      {"a fact",
       [&](World& w) {
         held(w);
         return w.Write(w.caseworker);
       },
       kOk},
      {"a TOMB while the hold waits",
       [&](World& w) {
         Do(w.vault, w.coordinator, kHeld);
         return w.Tombed(w.coordinator);
       },
       kOk},
  };
  Check(rows);
}

TEST(Condition, AnEraseDayInEffectLetsAManagerPartWithGuards) {
  const auto alone = [](World& w) {
    return w.Edited(w.coordinator, [&](MemberList& list) {
      std::erase_if(list, [&](const auto& row) { return row.first != w.coordinator.id; });
    });
  };
  const Row rows[] = {
      {"no erase day", alone, kInvalid},
      {"an erase day that waits",
       [&](World& w) {
         Do(w.vault, w.coordinator, kErased);
         return alone(w);
       },
       kInvalid},
      {"an erase day",
       [&](World& w) {
         Do(w.vault, w.second, Assent{Do(w.vault, w.coordinator, kErased), Assent::kYes});
         return alone(w);
       },
       kOk},
  };
  Check(rows);
}

// One stolen device of a manager: it can ask for everything and end nothing.
TEST(Attack, Row55_OneDeviceAloneErasesAndSealsNothing) {
  World w;
  const base::Link erase = Do(w.vault, w.coordinator, kErased);
  EXPECT_EQ(Try(w.realm, w.vault, w.coordinator, Assent{erase, Assent::kYes}), kInvalid);
  EXPECT_EQ(w.vault.vault().state(), kAsItWas);
  Epoch seal;
  seal.epoch = 2;
  EXPECT_EQ(Try(w.realm, w.vault, w.coordinator, seal), kInvalid);
  MemberList alone = w.List();
  std::erase_if(alone, [&](const auto& row) { return row.first != w.coordinator.id; });
  EXPECT_EQ(CodeOf(w.vault.vault().Judge(w.Rekeyed(w.coordinator, alone), w.realm.roster())),
            kInvalid);
  // With another's yes the first step stands.
  Do(w.vault, w.second, Assent{erase, Assent::kYes});
  EXPECT_EQ(w.vault.vault().state(), kErased);
}

TEST(Condition, AnAssentIsOfWhatStandsNow) {
  World w;
  const base::RecordId note = w.vault.NewRecord();
  w.vault.Write(w.caseworker, note, "first");
  const base::Link first = w.vault.vault().head();
  EXPECT_EQ(Try(w.realm, w.vault, w.coordinator, Assent{first, Assent::kYes}), kOk);
  EXPECT_EQ(Try(w.realm, w.vault, w.supervisor, Assent{first, Assent::kNo}), kOk);
  EXPECT_EQ(Try(w.realm, w.vault, w.caseworker, Assent{first, Assent::kYes}), kInvalid);
  EXPECT_EQ(Try(w.realm, w.vault, w.reader, Assent{first, Assent::kYes}), kInvalid);
  w.vault.Write(w.supervisor, note, "second");
  const base::Link second = w.vault.vault().head();
  EXPECT_EQ(Try(w.realm, w.vault, w.coordinator, Assent{first, Assent::kYes}), kInvalid);
  EXPECT_EQ(Try(w.realm, w.vault, w.coordinator, Assent{second, Assent::kYes}), kOk);
  w.vault.WriteTomb(w.coordinator, note);
  EXPECT_EQ(Try(w.realm, w.vault, w.coordinator, Assent{second, Assent::kYes}), kInvalid);
  // Of what waits for nothing: it changes nothing.
  EXPECT_EQ(Try(w.realm, w.vault, w.second, Assent{w.vault.vault().head(), Assent::kYes}), kOk);
  EXPECT_EQ(Try(w.realm, w.vault, w.second, Assent{w.vault.vault().epoch().link, Assent::kYes}),
            kOk);
}

TEST(Condition, AnImporterAssentsToNothing) {
  World w;
  TestVault imported(w.realm, Kind::kCase, w.intake, {{&w.intake, 2}, {&w.coordinator, 7}});
  imported.WritePinned(w.intake, "summary");
  const base::Link rev = imported.vault().head();
  EXPECT_EQ(Try(w.realm, imported, w.intake, kFrozen), kInvalid);
  const base::Link state = Do(imported, w.coordinator, kHeld);
  EXPECT_EQ(Try(w.realm, imported, w.intake, Assent{state, Assent::kYes}), kInvalid);
  EXPECT_EQ(Try(w.realm, imported, w.coordinator, Assent{rev, Assent::kYes}), kOk);
}

TEST(Condition, AnAskStandsUntilItsAuthorAsksAgain) {
  PersonWorld w;
  const Vault& vault = w.vault.vault();
  EXPECT_FALSE(vault.AskOf(w.supervisor.id));
  const base::Link first = Do(w.vault, w.supervisor, Ask{Ask::kToRead, 7, 72, {}});
  ASSERT_TRUE(vault.AskAt(first));
  EXPECT_EQ(vault.AskAt(first)->member, w.supervisor.id);
  EXPECT_EQ(vault.AskAt(first)->ask.hours, 72);
  const base::Link second = Do(w.vault, w.supervisor, Ask{Ask::kToRead, 7, 4, {}});
  EXPECT_FALSE(vault.AskAt(first));
  ASSERT_TRUE(vault.AskAt(second));
  EXPECT_EQ(vault.AskAt(second)->ask.hours, 4);
  EXPECT_EQ(vault.AskOf(w.supervisor.id)->link, second);
  EXPECT_FALSE(vault.AskOf(w.caseworker.id));
  EXPECT_FALSE(vault.AskAt(vault.epoch().link));
  EXPECT_FALSE(vault.AskAt(base::Link()));
}

TEST(Condition, WhoManagesWithoutReadingAsks) {
  PersonWorld w;
  const Ask ask{Ask::kToRead, 7, 72, {}};
  EXPECT_EQ(Try(w.realm, w.vault, w.supervisor, ask), kOk);
  EXPECT_EQ(Try(w.realm, w.vault, w.supervisor,
                Ask{Ask::kToRead, 0, 0, {w.vault.NewRecord(), w.vault.NewRecord()}}),
            kOk);
  for (const Person* person : {&w.caseworker, &w.second, &w.reader, &w.realm.person(0)}) {
    EXPECT_EQ(Try(w.realm, w.vault, *person, ask), kInvalid);
  }
  EXPECT_EQ(Try(w.realm, w.vault, w.supervisor, Ask{0, 7, 72, {}}), kInvalid);
  EXPECT_EQ(Try(w.realm, w.vault, w.supervisor, Ask{2, 7, 72, {}}), kInvalid);
  EXPECT_EQ(Try(w.realm, w.vault, w.supervisor, Ask{Ask::kToRead, 7, 73, {}}), kInvalid);

  // Longer than an entry may be.
  Ask all = ask;
  for (std::size_t i = 0; i < 8'300; ++i) {
    all.records.insert(base::RecordId(std::array<std::uint8_t, 16>{
        1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}));
    if (i == 7'000) {
      EXPECT_EQ(Try(w.realm, w.vault, w.supervisor, all), kOk);
    }
  }
  EXPECT_EQ(Try(w.realm, w.vault, w.supervisor, all), kInvalid);

  const base::Link first = Do(w.vault, w.supervisor, ask);
  EXPECT_EQ(Try(w.realm, w.vault, w.supervisor, Assent{first, Assent::kYes}), kInvalid);
  EXPECT_EQ(Try(w.realm, w.vault, w.reader, Assent{first, Assent::kYes}), kInvalid);
  for (const Person* person : {&w.caseworker, &w.second, &w.colleague}) {
    EXPECT_EQ(Try(w.realm, w.vault, *person, Assent{first, Assent::kYes}), kOk);
  }
  // A newer one of the same member takes its place, one of another does not.
  const base::Link theirs = Do(w.vault, w.colleague, ask);
  EXPECT_EQ(Try(w.realm, w.vault, w.caseworker, Assent{first, Assent::kYes}), kOk);
  const base::Link again = Do(w.vault, w.supervisor, ask);
  EXPECT_EQ(Try(w.realm, w.vault, w.caseworker, Assent{first, Assent::kYes}), kInvalid);
  EXPECT_EQ(Try(w.realm, w.vault, w.caseworker, Assent{theirs, Assent::kYes}), kOk);
  EXPECT_EQ(Try(w.realm, w.vault, w.caseworker, Assent{again, Assent::kYes}), kOk);
}

TEST(Condition, WhoManagesWithoutReadingWritesFourTypesAndNoRecord) {
  PersonWorld w;
  EXPECT_EQ(Try(w.realm, w.vault, w.supervisor, kFrozen), kOk);
  EXPECT_EQ(Try(w.realm, w.vault, w.supervisor, kErased), kOk);
  const base::Link state = Do(w.vault, w.caseworker, kErased);
  EXPECT_EQ(Try(w.realm, w.vault, w.supervisor, Assent{state, Assent::kYes}), kOk);
  EXPECT_EQ(Try(w.realm, w.vault, w.supervisor,
                w.vault.RekeyingOf(w.vault.vault().epoch().list).epoch.payload),
            kOk);
  const base::RecordId note = w.vault.NewRecord();
  EXPECT_EQ(Try(w.realm, w.vault, w.supervisor, w.vault.Revision(w.supervisor, note, "no").rev),
            kInvalid);
}

}  // namespace
}  // namespace godwit::protocol
