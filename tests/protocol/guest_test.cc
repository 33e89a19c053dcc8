// A leg of a journey and its guide, a guest: someone with keys of this vault alone, in no roster.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "protocol/vault.h"
#include "tests/protocol/vault_world.h"

namespace godwit::protocol {
namespace {

struct Leg {
  TestRealm realm{Compartment::kJourneys};
  Person& route = realm.Add(kRoute);
  Person& second = realm.Add(kRoute);
  Person& writer = realm.Add(kRoute);
  // Somebody whom no statement ever lists.
  Person& guide = realm.Stranger();
  Person& stranger = realm.Stranger();
  base::GuestId guest{guide.device().id().bytes()};
  TestVault vault{realm, Kind::kLeg, route, {{&route, 7}, {&second, 7}, {&writer, 3}}};
  base::RecordId task = vault.NewRecord();

  Leg() {
    vault.Rekey(route, vault.vault().epoch().list, Guests());
    vault.Write(route, task, "task");
  }
  GuestList Guests() const {
    GuestList guests;
    guests[guest] = {kReadWrite, 500'000, guide.device().keys()};
    return guests;
  }
  EntryHeader NextByGuest() const { return NextBy(guide); }
  EntryHeader NextBy(const Person& author) const {
    EntryHeader header = vault.Next(author);
    header.author_member = base::MemberId(author.device().id().bytes());
    header.roster_seq = vault.vault().roster_seq();
    header.roster_head = realm.roster().LinkAt(header.roster_seq);
    return header;
  }
  Bytes ByGuest(const EntryPayload& payload) const {
    return SignEntry(NextByGuest(), payload, guide.device().signing_key());
  }
  Rev Signal(const base::RecordId& record) const {
    Rev rev;
    rev.record = record;
    const auto* last = vault.vault().FindRecord(record);
    rev.rver = last == nullptr ? 1 : last->rver + 1;
    if (last != nullptr) rev.rprev = last->link;
    rev.epoch = vault.vault().epoch().number;
    rev.ct_len =
        static_cast<std::uint32_t>(RecordFloor(Compartment::kJourneys, Kind::kLeg, false)) + 16;
    return rev;
  }
  std::string Try(const Bytes& entry) const {
    return CodeOf(vault.vault().Judge(entry, realm.roster()));
  }
  // An EPOCH by `author` with `edit` done to it.
  std::string Rekeyed(const Person& author, const std::function<void(Epoch&)>& edit) {
    Epoch epoch =
        vault.RekeyingOf(vault.vault().epoch().list, vault.vault().epoch().guests).epoch.payload;
    edit(epoch);
    return Try(vault.Sign(author, epoch));
  }
};

TEST(Guest, IsListedInALegWithTheOwnKeys) {
  Leg leg;
  EXPECT_EQ(leg.Rekeyed(leg.route, [](Epoch&) {}), kOk);
  EXPECT_EQ(leg.vault.vault().epoch().guests, leg.Guests());
  const auto row = [&](Epoch& epoch) -> EpochGuest& { return epoch.guests.at(leg.guest); };
  EXPECT_EQ(leg.Rekeyed(leg.route, [&](Epoch& e) { row(e).perm = kRead; }), kInvalid);
  EXPECT_EQ(leg.Rekeyed(leg.route, [&](Epoch& e) { row(e).perm = kFull; }), kInvalid);
  EXPECT_EQ(leg.Rekeyed(leg.route, [&](Epoch& e) { row(e).device = leg.stranger.device().keys(); }),
            kInvalid);
  EXPECT_EQ(leg.Rekeyed(leg.route,
                        [&](Epoch& e) {
                          const base::GuestId other(leg.stranger.device().id().bytes());
                          e.guests[other] = {kReadWrite, 1, leg.stranger.device().keys(), {}};
                        }),
            kInvalid);
  EXPECT_EQ(leg.Rekeyed(leg.route, [&](Epoch& e) { e.guests.clear(); }), kOk);
  EXPECT_EQ(leg.Rekeyed(leg.route,
                        [&](Epoch& e) {
                          // The id is right, the key is of low order.
                          EpochGuest bad = row(e);
                          bad.device.kems[kAlgX25519] = Bytes(32);
                          e.guests.clear();
                          e.guests[base::GuestId(DeviceIdOf(bad.device).bytes())] = bad;
                        }),
            kInvalid);
  TestVault party(leg.realm, Kind::kParty, leg.route, {{&leg.route, 7}});
  Epoch epoch = party.RekeyingOf(party.vault().epoch().list, leg.Guests()).epoch.payload;
  EXPECT_EQ(CodeOf(party.vault().Judge(party.Sign(leg.route, epoch), leg.realm.roster())),
            kInvalid);
}

TEST(Guest, IsChangedByAManagerAlone) {
  Leg leg;
  EXPECT_EQ(leg.Rekeyed(leg.writer, [](Epoch&) {}), kOk);
  EXPECT_EQ(leg.Rekeyed(leg.writer, [](Epoch& e) { e.guests.clear(); }), kInvalid);
  EXPECT_EQ(leg.Rekeyed(leg.writer, [&](Epoch& e) { ++e.guests.at(leg.guest).expires_hour; }),
            kInvalid);
  // The box is another one in each epoch.
  EXPECT_EQ(leg.Rekeyed(leg.writer,
                        [&](Epoch& e) {
                          e.guests.at(leg.guest).box_hash =
                              base::Sha256Hash(std::array<std::uint8_t, 32>{1});
                        }),
            kOk);
  EXPECT_EQ(leg.Rekeyed(leg.second, [&](Epoch& e) { ++e.guests.at(leg.guest).expires_hour; }), kOk);
}

TEST(Guest, WritesOwnRecordsAndNothingElse) {
  Leg leg;
  const base::RecordId signal = leg.vault.NewRecord();
  const Bytes first = leg.ByGuest(leg.Signal(signal));
  EXPECT_EQ(leg.Try(first), kOk);
  EXPECT_EQ(leg.Try(leg.ByGuest(leg.Signal(leg.task))), kInvalid);
  Rev flagged = leg.Signal(signal);
  flagged.flags = Rev::kForget;
  EXPECT_EQ(leg.Try(leg.ByGuest(flagged)), kInvalid);
  Rev older = leg.Signal(signal);
  older.epoch = 1;
  EXPECT_EQ(leg.Try(leg.ByGuest(older)), kInvalid);
  for (const EntryPayload& payload : std::vector<EntryPayload>{
           Create{{}, static_cast<std::uint8_t>(Kind::kLeg)},
           leg.vault.RekeyingOf(leg.vault.vault().epoch().list, leg.Guests()).epoch.payload,
           leg.vault.TombOf(leg.task), State{1, 0, 0},
           Assent{leg.vault.vault().head(), Assent::kYes}, Ask{Ask::kToRead, 1, 1, {}}}) {
    EXPECT_EQ(leg.Try(leg.ByGuest(payload)), kInvalid) << int{TypeOf(payload)};
  }
  leg.vault.Append(first);
  EXPECT_EQ(leg.vault.vault().FindRecord(signal)->creator.bytes()[0], leg.guest.bytes()[0]);
  EXPECT_EQ(leg.Try(leg.ByGuest(leg.Signal(signal))), kOk);
  // A member's word on it is the "seen".
  EXPECT_EQ(leg.Try(leg.vault.Sign(leg.writer, Assent{leg.vault.vault().head(), Assent::kYes})),
            kOk);
}

TEST(Guest, HasAKeyWhereAnEpochListedIt) {
  Leg leg;
  const base::RecordId signal = leg.vault.NewRecord();
  EXPECT_EQ(leg.Try(SignEntry(leg.NextBy(leg.stranger), leg.Signal(signal),
                              leg.stranger.device().signing_key())),
            kSig);
  EXPECT_EQ(leg.Try(SignEntry(leg.NextByGuest(), leg.Signal(signal),
                              leg.stranger.device().signing_key())),
            kSig);
  // Listed once and no longer: known, and without a right.
  leg.vault.Rekey(leg.route, leg.vault.vault().epoch().list);
  EXPECT_EQ(leg.Try(leg.ByGuest(leg.Signal(signal))), kInvalid);
}

TEST(Guest, CitesTheRosterOfTheEntryBefore) {
  Leg leg;
  const base::RecordId signal = leg.vault.NewRecord();
  // What the roster has come to since is nothing to a guest, nor whether the epoch is fresh.
  leg.realm.Remove(leg.writer);
  EXPECT_EQ(leg.Try(leg.ByGuest(leg.Signal(signal))), kOk);
  EntryHeader header = leg.NextByGuest();
  header.roster_seq = leg.realm.roster().head_seq();
  header.roster_head = leg.realm.roster().head();
  EXPECT_EQ(leg.Try(SignEntry(header, leg.Signal(signal), leg.guide.device().signing_key())),
            kInvalid);
  const auto judged = leg.vault.vault().Judge(leg.ByGuest(leg.Signal(signal)), leg.realm.roster());
  ASSERT_TRUE(judged);
  EXPECT_EQ(CodeOf(leg.vault.vault().Admit(*judged, leg.realm.roster())), kOk);
}

TEST(Guest, TellsFactsWhileTheLegIsFrozen) {
  Leg leg;
  const base::RecordId signal = leg.vault.NewRecord();
  leg.vault.Append(leg.vault.Sign(leg.route, State{1, 0, 0}));
  EXPECT_EQ(leg.Try(leg.ByGuest(leg.Signal(signal))), kOk);
  EXPECT_EQ(leg.Try(leg.vault.Sign(leg.route, leg.vault.TombOf(leg.task))), kOk);
  EXPECT_EQ(leg.Try(leg.vault.Sign(leg.writer, leg.vault.TombOf(leg.task))), kInvalid);
}

TEST(Leg, IsErasedAtOnceByAManager) {
  Leg leg;
  EXPECT_EQ(leg.Try(leg.vault.Sign(leg.writer, State{0, 0, 9})), kInvalid);
  leg.vault.Append(leg.vault.Sign(leg.route, State{0, 0, 9}));
  EXPECT_EQ(leg.vault.vault().state(), (State{0, 0, 9}));
  leg.vault.Append(leg.vault.Sign(leg.route, State{1, 0, 8}));
  EXPECT_EQ(leg.vault.vault().state(), (State{1, 0, 8}));
  // A hold, and an unfreeze, wait as everywhere; a new erase day takes their place.
  leg.vault.Append(leg.vault.Sign(leg.route, State{1, 1, 8}));
  EXPECT_TRUE(leg.vault.vault().waiting());
  leg.vault.Append(leg.vault.Sign(leg.route, State{0, 0, 7}));
  EXPECT_EQ(leg.vault.vault().state(), (State{1, 0, 8}));
  ASSERT_TRUE(leg.vault.vault().waiting());
  EXPECT_EQ(leg.vault.vault().waiting()->state, (State{0, 0, 7}));
  leg.vault.Append(leg.vault.Sign(leg.route, State{1, 0, 7}));
  EXPECT_EQ(leg.vault.vault().state(), (State{1, 0, 7}));
  EXPECT_FALSE(leg.vault.vault().waiting());
}

}  // namespace
}  // namespace godwit::protocol
