// What a vault knows beyond every day: break-glass, the seal, and what may befall a sealed vault.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "protocol/vault.h"
#include "tests/protocol/vault_world.h"

namespace godwit::protocol {
namespace {

constexpr std::uint32_t kDay = 30'000;

// The statements of a recovery: the first two of the realm are its trustees, the third asks.
void SetSecret(TestRealm& realm, std::uint8_t use) {
  realm.Do(realm.person(0), realm.RecoverySetOf(use, 2, {&realm.person(0), &realm.person(1)}));
}
base::Link Request(TestRealm& realm, std::uint8_t use, const Person& recipient,
                   const base::VaultId& vault) {
  const base::Link link = realm.Do(realm.person(2), realm.RequestOf(use, recipient, {vault}));
  realm.Do(realm.person(0), Approve{link, 0, {}});
  realm.Do(realm.person(1), Approve{link, 1, {}});
  return link;
}

// A leg, with a guide, whose maker alone is listed; a colleague has the role and no place in it.
struct Emergency {
  TestRealm realm{Compartment::kJourneys,
                  {{kOwner, 1}, {kAdmin, 1}, {kAdmin, 1}, {kRoute, 2}, {kRoute, 2}},
                  TestRealm::EvaluationPolicy()};
  Person& owner = realm.person(0);
  Person& admin = realm.person(1);
  Person& route = realm.person(3);
  Person& colleague = realm.person(4);
  Person& guide = realm.Stranger();
  TestVault vault;

  Emergency() : vault(Rotated(), Kind::kLeg, route, {{&route, 7}}) {
    vault.Rekey(route, vault.vault().epoch().list, Guests());
  }
  TestRealm& Rotated() {
    for (std::size_t i = 0; i < 5; ++i) realm.RotatePuk(realm.person(i));
    return realm;
  }
  GuestList Guests() const {
    GuestList guests;
    guests[base::GuestId(guide.device().id().bytes())] = {kReadWrite, 500'000,
                                                          guide.device().keys()};
    return guests;
  }
  std::string Try(const Bytes& entry) const {
    return CodeOf(vault.vault().Judge(entry, realm.roster()));
  }
  std::string Try(const Person& author, const EntryPayload& payload) const {
    return Try(vault.Sign(author, payload));
  }
  base::Link Do(const Person& author, const EntryPayload& payload) {
    vault.Append(vault.Sign(author, payload));
    return vault.vault().head();
  }

  // The colleague's EPOCH by a request: the list as it is, and the colleague.
  Epoch BreakGlass(const base::Link& request) {
    MemberList list = vault.vault().epoch().list;
    list[colleague.id] = vault.ListOf({{&colleague, kReadWrite}}).at(colleague.id);
    Epoch epoch = vault.RekeyingOf(list, vault.vault().epoch().guests).epoch.payload;
    epoch.request = request;
    return epoch;
  }
  Epoch SealOf() { return vault.RekeyingOf({}).epoch.payload; }
  // Ready to be sealed: a secret, no guide, an erase day.
  void Prepare() {
    SetSecret(realm, kRecoverySealed);
    vault.Rekey(route, vault.vault().epoch().list);
    Do(route, State{0, 0, kDay});
  }
  void Seal() {
    auto rekeying = vault.RekeyingOf({});
    const Bytes entry = vault.Sign(route, rekeying.epoch.payload);
    vault.Take(entry, std::move(rekeying));
    ASSERT_TRUE(vault.vault().epoch().IsSealed());
  }
};

TEST(BreakGlass, ListsTheRecipientOfAnOpenRequestAndChangesNothingElse) {
  const struct {
    const char* name;
    std::function<std::string(Emergency&, const base::Link&)> run;
    const char* want;
  } rows[] = {
      {"by the recipient",
       [](Emergency& e, const base::Link& link) { return e.Try(e.colleague, e.BreakGlass(link)); },
       kOk},
      {"without the request",
       [](Emergency& e, const base::Link&) { return e.Try(e.colleague, e.BreakGlass({})); },
       kInvalid},
      {"by a request of nobody",
       [](Emergency& e, const base::Link&) {
         return e.Try(e.colleague, e.BreakGlass(e.vault.vault().head()));
       },
       kInvalid},
      {"at a statement before the request took effect",
       [](Emergency& e, const base::Link& link) {
         EntryHeader header = e.vault.Next(e.colleague);
         --header.roster_seq;
         header.roster_head = e.realm.roster().LinkAt(header.roster_seq);
         Epoch epoch = e.BreakGlass(link);
         epoch.rec_gen = e.realm.roster().RecAt(header.roster_seq);
         return e.Try(SignEntry(header, epoch, e.colleague.device().signing_key()));
       },
       kInvalid},
      {"after the request was closed",
       [](Emergency& e, const base::Link& link) {
         e.realm.Do(e.admin, Close{link, 1});
         return e.Try(e.colleague, e.BreakGlass(link));
       },
       kInvalid},
      {"by another member, for the recipient",
       [](Emergency& e, const base::Link& link) { return e.Try(e.route, e.BreakGlass(link)); },
       kInvalid},
      {"by another device of the recipient",
       [](Emergency& e, const base::Link& link) {
         return e.Try(SignEntry(e.vault.Next(e.colleague, 1), e.BreakGlass(link),
                                e.colleague.devices[1].signing_key()));
       },
       kInvalid},
      {"without the guests",
       [](Emergency& e, const base::Link& link) {
         Epoch epoch = e.BreakGlass(link);
         epoch.guests.clear();
         return e.Try(e.colleague, epoch);
       },
       kInvalid},
      {"without whoever was listed",
       [](Emergency& e, const base::Link& link) {
         Epoch epoch = e.BreakGlass(link);
         epoch.list.erase(e.route.id);
         return e.Try(e.colleague, epoch);
       },
       kInvalid},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Emergency e;
    SetSecret(e.realm, kRecoveryLive);
    const base::Link link = Request(e.realm, kRecoveryLive, e.colleague, e.vault.vault().id());
    EXPECT_EQ(row.run(e, link), row.want);
  }
}

TEST(BreakGlass, IsOfTheVaultsThatTheRequestNames) {
  Emergency e;
  SetSecret(e.realm, kRecoveryLive);
  TestVault other(e.realm, Kind::kLeg, e.route, {{&e.route, 7}});
  const base::Link link = Request(e.realm, kRecoveryLive, e.colleague, other.vault().id());
  EXPECT_EQ(e.Try(e.colleague, e.BreakGlass(link)), kInvalid);
}

TEST(BreakGlass, ASecretOfSealedVaultsOpensSealedOnesAlone) {
  Emergency e;
  e.Prepare();
  const base::Link link = Request(e.realm, kRecoverySealed, e.colleague, e.vault.vault().id());
  EXPECT_EQ(e.Try(e.colleague, e.BreakGlass(link)), kInvalid);
  // Sealed to a secret that is there again.
  SetSecret(e.realm, kRecoverySealed);
  e.Seal();
  EXPECT_EQ(e.Try(e.colleague, e.BreakGlass(link)), kOk);
}

TEST(Seal, IsByTheManagerWhoAloneIsListed) {
  const struct {
    const char* name;
    std::function<std::string(Emergency&)> run;
    const char* want;
  } rows[] = {
      {"as it should be", [](Emergency& e) { return e.Try(e.route, e.SealOf()); }, kOk},
      {"by somebody who is not listed", [](Emergency& e) { return e.Try(e.colleague, e.SealOf()); },
       kInvalid},
      {"with another listed",
       [](Emergency& e) {
         e.vault.Rekey(e.route, e.vault.ListOf({{&e.route, 7}, {&e.colleague, 7}}));
         return e.Try(e.route, e.SealOf());
       },
       kInvalid},
      {"by a manager who is suspended",
       [](Emergency& e) {
         e.realm.Revoke(e.route, 1, 0);
         return e.Try(e.route, e.SealOf());
       },
       kInvalid},
      {"with a guest",
       [](Emergency& e) {
         Epoch epoch = e.SealOf();
         epoch.guests[base::GuestId(e.guide.device().id().bytes())] = {
             kReadWrite, 1, e.guide.device().keys(), {}};
         return e.Try(e.route, epoch);
       },
       kInvalid},
      {"with a request",
       [](Emergency& e) {
         Epoch epoch = e.SealOf();
         epoch.request = e.vault.vault().head();
         return e.Try(e.route, epoch);
       },
       kInvalid},
      {"on hold",
       [](Emergency& e) {
         e.vault.Rekey(e.route, e.vault.ListOf({{&e.route, 7}, {&e.colleague, 7}}));
         e.Do(e.colleague, Assent{e.Do(e.route, State{0, 1, kDay}), Assent::kYes});
         e.vault.Rekey(e.route, e.vault.ListOf({{&e.route, 7}}));
         return e.Try(e.route, e.SealOf());
       },
       kInvalid},
      {"without an erase day",
       [](Emergency& e) {
         e.Do(e.route, State{0, 0, 0});
         return e.Try(e.route, e.SealOf());
       },
       kInvalid},
      {"to another generation of the secret",
       [](Emergency& e) {
         Epoch epoch = e.SealOf();
         ++epoch.rec_gen;
         return e.Try(e.route, epoch);
       },
       kInvalid},
      {"to a secret that was spent",
       [](Emergency& e) {
         Request(e.realm, kRecoverySealed, e.colleague, e.vault.vault().id());
         return e.Try(e.route, e.SealOf());
       },
       kInvalid},
      {"without the last key",
       [](Emergency& e) {
         Epoch epoch = e.SealOf();
         epoch.wraps.clear();
         return e.Try(e.route, epoch);
       },
       kInvalid},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Emergency e;
    e.Prepare();
    EXPECT_EQ(row.run(e), row.want);
  }
}

TEST(Seal, ASealedVaultIsHeldOrKeptLongerByPeopleOfItsKind) {
  Emergency e;
  e.Prepare();
  e.Do(e.route, State{1, 0, kDay});
  e.Seal();
  EXPECT_EQ(e.Try(e.route, State{1, 1, kDay}), kOk);
  EXPECT_EQ(e.Try(e.colleague, State{1, 0, kDay + 1}), kOk);
  EXPECT_EQ(e.Try(e.route, State{1, 1, kDay + 1}), kOk);
  // Whose role has no say there.
  EXPECT_EQ(e.Try(e.owner, State{1, 1, kDay}), kInvalid);
  // Nothing that hastens the end, or is nothing at all.
  EXPECT_EQ(e.Try(e.route, State{1, 0, kDay - 1}), kInvalid);
  EXPECT_EQ(e.Try(e.route, State{1, 1, kDay - 1}), kInvalid);
  EXPECT_EQ(e.Try(e.route, State{1, 0, kDay}), kInvalid);
  EXPECT_EQ(e.Try(e.route, State{0, 1, kDay}), kInvalid);
  const base::Link hold = e.Do(e.route, State{1, 1, kDay});
  EXPECT_EQ(e.Try(e.route, Assent{hold, Assent::kYes}), kInvalid);
  EXPECT_EQ(e.Try(e.owner, Assent{hold, Assent::kYes}), kInvalid);
  e.Do(e.colleague, Assent{hold, Assent::kYes});
  EXPECT_EQ(e.vault.vault().state(), (State{1, 1, kDay}));
  // A hold does not end there.
  EXPECT_EQ(e.Try(e.route, State{1, 0, kDay + 1}), kInvalid);
}

TEST(Seal, NothingThatWaitedBeforeHastensTheEnd) {
  Emergency e;
  e.Prepare();
  e.vault.Rekey(e.route, e.vault.ListOf({{&e.route, 7}, {&e.colleague, 7}}));
  const base::RecordId note = e.vault.NewRecord();
  e.vault.Write(e.colleague, note, "note");
  const base::Link rev = e.vault.vault().head();
  e.vault.Rekey(e.route, e.vault.ListOf({{&e.route, 7}}));
  e.Do(e.route, State{1, 0, kDay});
  const base::Link unfreeze = e.Do(e.route, State{0, 0, kDay - 1});
  e.Seal();
  ASSERT_TRUE(e.vault.vault().waiting());
  EXPECT_EQ(e.Try(e.colleague, Assent{unfreeze, Assent::kYes}), kInvalid);
  // Nor is a word said on anything but a STATE.
  EXPECT_EQ(e.Try(e.route, Assent{rev, Assent::kYes}), kInvalid);
  EXPECT_EQ(e.Try(e.colleague, Ask{Ask::kToRead, 1, 1, {}}), kInvalid);
}

TEST(Seal, AHoldThatWaitedBeforeIsGrantedAfter) {
  Emergency e;
  e.Prepare();
  const base::Link hold = e.Do(e.route, State{0, 1, kDay});
  e.Seal();
  e.Do(e.colleague, Assent{hold, Assent::kYes});
  EXPECT_EQ(e.vault.vault().state(), (State{0, 1, kDay}));
}

TEST(Leg, AHoldWaitsWithWhateverComesWithIt) {
  Emergency e;
  e.Do(e.route, State{0, 1, kDay});
  EXPECT_EQ(e.vault.vault().state(), State());
  EXPECT_TRUE(e.vault.vault().waiting());
}

}  // namespace
}  // namespace godwit::protocol
