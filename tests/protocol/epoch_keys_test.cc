#include "protocol/epoch_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "crypto/box.h"
#include "crypto/committing.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"
#include "protocol/labels.h"
#include "tests/support/builders.h"
#include "tests/support/codes.h"
#include "tests/support/keys.h"

namespace godwit::protocol {
namespace {

using base::Bytes;
using support::CodeOf;
using support::Person;
using support::TestRealm;
using support::TestVault;

constexpr const char* kMismatch = "E_KEY_MISMATCH";

struct World {
  TestRealm realm{Compartment::kCases};
  Person& coordinator = realm.Add(kCoordinator);
  Person& caseworker = realm.Add(kCaseworker);
  TestVault vault{realm, Kind::kCase, coordinator, {{&coordinator, 7}, {&caseworker, 3}}};
  crypto::KemKeyPair pair = *PukKem(caseworker.puks[0]);

  World() { vault.Refresh(coordinator); }
  base::Result<Vek> Open(std::uint32_t epoch, const Bytes& box) const {
    return OpenVek(vault.epoch(epoch), realm.roster().realm(), vault.vault().id(), caseworker.id,
                   pair, box);
  }
  base::Result<Vek> Unwrap(const Epoch& epoch) const {
    return UnwrapVek(vault.vek(2), epoch, vault.epoch(1), realm.roster().realm(),
                     vault.vault().id());
  }
};

bool Same(const Vek& a, const Vek& b) { return std::ranges::equal(a.Expose(), b.Expose()); }

TEST(EpochKeys, EveryMemberOpensTheKeyAndTheOneBefore) {
  World world;
  for (const Person* person : {&world.coordinator, &world.caseworker}) {
    const auto pair = *PukKem(person->puks[0]);
    for (const std::uint32_t epoch : {1u, 2u}) {
      const auto opened =
          OpenVek(world.vault.epoch(epoch), world.realm.roster().realm(), world.vault.vault().id(),
                  person->id, pair, world.vault.box(epoch, person->id));
      ASSERT_EQ(CodeOf(opened), "ok");
      EXPECT_TRUE(Same(*opened, world.vault.vek(epoch)));
    }
  }
  const auto older = world.Unwrap(world.vault.epoch(2));
  ASSERT_EQ(CodeOf(older), "ok");
  EXPECT_TRUE(Same(*older, world.vault.vek(1)));
  EXPECT_EQ(CodeOf(UnwrapVek(world.vault.vek(2), world.vault.epoch(2), world.vault.epoch(2),
                             world.realm.roster().realm(), world.vault.vault().id())),
            "NOT_FOUND");
  for (const std::uint32_t epoch : {1u, 2u}) {
    EXPECT_EQ(CodeOf(CheckBoxes(world.vault.vek(epoch), world.vault.epoch(epoch),
                                world.vault.vault().id(), world.realm.roster(),
                                world.realm.roster().head_seq())),
              "ok");
  }
}

TEST(Attack, Row1_NoFlippedByteOfAWrapOpensAndAllLookAlike) {
  World world;
  const auto flip = [](Bytes bytes, std::size_t at) {
    bytes[at] ^= 1;
    return bytes;
  };
  // The box of a VEK; its hash is signed, so the flip is in the hash too, as an author could do it.
  const Bytes& box = world.vault.box(2, world.caseworker.id);
  for (std::size_t at = 0; at < box.size(); ++at) {
    const Bytes flipped = flip(box, at);
    ASSERT_EQ(CodeOf(world.Open(2, flipped)), kMismatch) << at;
    Epoch epoch = world.vault.epoch(2);
    epoch.list.at(world.caseworker.id).box_hash = base::Sha256Hash(crypto::Sha256(flipped));
    ASSERT_EQ(CodeOf(OpenVek(epoch, world.realm.roster().realm(), world.vault.vault().id(),
                             world.caseworker.id, world.pair, flipped)),
              kMismatch)
        << at;
  }
  // The wrap of an older VEK.
  for (std::size_t at = 0; at < kWrapSize; ++at) {
    Epoch epoch = world.vault.epoch(2);
    epoch.wraps.at(1)[at] ^= 1;
    ASSERT_EQ(CodeOf(world.Unwrap(epoch)), kMismatch) << at;
  }
  // The box of a PUK, the wrap of an older one.
  world.realm.RotatePuk(world.caseworker);
  const auto& roster = world.realm.roster();
  const auto& device = world.caseworker.device();
  const Bytes& puk_box = world.realm.PukBoxes(world.caseworker.id, 2).at(device.id());
  for (std::size_t at = 0; at < puk_box.size(); ++at) {
    ASSERT_EQ(CodeOf(OpenPuk(flip(puk_box, at), roster.realm(), world.caseworker.id, 2, device)),
              "E_DECRYPT");
  }
  const Bytes wrap = roster.PukAt(world.caseworker.id, roster.head_seq())->prev_wrap;
  const auto unwrap = [&](const Bytes& bytes) {
    return UnwrapPreviousPuk(world.caseworker.puks[1], roster.realm(), world.caseworker.id, 2, 1,
                             bytes);
  };
  ASSERT_EQ(CodeOf(unwrap(wrap)), "ok");
  for (std::size_t at = 0; at < wrap.size(); ++at) {
    ASSERT_EQ(CodeOf(unwrap(flip(wrap, at))), "E_DECRYPT") << at;
  }
  // Whatever fails reads the same.
  std::set<std::string_view> messages;
  for (const std::size_t at : {0u, 40u, 79u}) {
    messages.insert(world.Open(2, flip(box, at)).error().message());
  }
  messages.insert(world.Open(2, {}).error().message());
  messages.insert(world.Open(1, box).error().message());
  EXPECT_EQ(messages.size(), 1U);
}

TEST(Attack, Row1_NoWrapServesAnotherKeyRealmVaultEpochOrMember) {
  World world;
  const auto& roster = world.realm.roster();
  const auto realm = roster.realm();
  const auto vault = world.vault.vault().id();
  const base::RealmId other_realm(std::array<std::uint8_t, 16>{1});
  const base::VaultId other_vault(std::array<std::uint8_t, 16>{1});
  const Epoch& epoch = world.vault.epoch(2);
  const Bytes& box = world.vault.box(2, world.caseworker.id);
  const auto open = [&](const Epoch& e, const base::RealmId& r, const base::VaultId& v,
                        const Person& person, const Bytes& b) {
    return CodeOf(OpenVek(e, r, v, person.id, *PukKem(person.puks[0]), b));
  };
  EXPECT_EQ(open(epoch, realm, vault, world.caseworker, box), "ok");
  EXPECT_EQ(open(epoch, other_realm, vault, world.caseworker, box), kMismatch);
  EXPECT_EQ(open(epoch, realm, other_vault, world.caseworker, box), kMismatch);
  EXPECT_EQ(open(epoch, realm, vault, world.coordinator, box), kMismatch);
  EXPECT_EQ(open(world.vault.epoch(1), realm, vault, world.caseworker, box), kMismatch);
  EXPECT_EQ(open(epoch, realm, vault, world.caseworker, world.vault.box(1, world.caseworker.id)),
            kMismatch);
  // The same with hashes that agree, as a lying author could sign them.
  const auto agreeing = [](Epoch e, const base::MemberId& member, const Bytes& b) {
    e.list.at(member).box_hash = base::Sha256Hash(crypto::Sha256(b));
    return e;
  };
  const Bytes& older_box = world.vault.box(1, world.caseworker.id);
  EXPECT_EQ(open(agreeing(epoch, world.caseworker.id, older_box), realm, vault, world.caseworker,
                 older_box),
            kMismatch);
  EXPECT_EQ(open(agreeing(epoch, world.coordinator.id, box), realm, vault, world.coordinator, box),
            kMismatch);
  Epoch renumbered = epoch;
  renumbered.epoch = 3;
  EXPECT_EQ(open(renumbered, realm, vault, world.caseworker, box), kMismatch);
  Epoch regen = epoch;
  regen.list.at(world.caseworker.id).puk_gen = 2;
  EXPECT_EQ(open(regen, realm, vault, world.caseworker, box), kMismatch);

  const auto unwrap = [&](const Vek& vek, const Epoch& from, const base::RealmId& r,
                          const base::VaultId& v) {
    return CodeOf(UnwrapVek(vek, from, world.vault.epoch(1), r, v));
  };
  EXPECT_EQ(unwrap(world.vault.vek(2), epoch, realm, vault), "ok");
  EXPECT_EQ(unwrap(world.vault.vek(1), epoch, realm, vault), kMismatch);
  EXPECT_EQ(unwrap(world.vault.vek(2), renumbered, realm, vault), kMismatch);
  EXPECT_EQ(unwrap(world.vault.vek(2), epoch, other_realm, vault), kMismatch);
  EXPECT_EQ(unwrap(world.vault.vek(2), epoch, realm, other_vault), kMismatch);

  world.realm.RotatePuk(world.caseworker);
  const auto& device = world.caseworker.device();
  const auto& first = world.realm.PukBoxes(world.caseworker.id, 1).at(device.id());
  const auto open_puk = [&](const base::RealmId& r, const base::MemberId& m, std::uint32_t gen,
                            const Device& d) { return CodeOf(OpenPuk(first, r, m, gen, d)); };
  EXPECT_EQ(open_puk(realm, world.caseworker.id, 1, device), "ok");
  EXPECT_EQ(open_puk(other_realm, world.caseworker.id, 1, device), "E_DECRYPT");
  EXPECT_EQ(open_puk(realm, world.coordinator.id, 1, device), "E_DECRYPT");
  EXPECT_EQ(open_puk(realm, world.caseworker.id, 2, device), "E_DECRYPT");
  EXPECT_EQ(open_puk(realm, world.caseworker.id, 1, world.coordinator.device()), "E_DECRYPT");
  const Bytes wrap = roster.PukAt(world.caseworker.id, roster.head_seq())->prev_wrap;
  const auto unwrap_puk = [&](const Puk& puk, const base::MemberId& m, std::uint32_t gen,
                              std::uint32_t before) {
    return CodeOf(UnwrapPreviousPuk(puk, realm, m, gen, before, wrap));
  };
  EXPECT_EQ(unwrap_puk(world.caseworker.puks[1], world.caseworker.id, 2, 1), "ok");
  EXPECT_EQ(unwrap_puk(world.caseworker.puks[0], world.caseworker.id, 2, 1), "E_DECRYPT");
  EXPECT_EQ(unwrap_puk(world.caseworker.puks[1], world.coordinator.id, 2, 1), "E_DECRYPT");
  EXPECT_EQ(unwrap_puk(world.caseworker.puks[1], world.caseworker.id, 3, 1), "E_DECRYPT");
  EXPECT_EQ(unwrap_puk(world.caseworker.puks[1], world.caseworker.id, 2, 2), "E_DECRYPT");
}

// Wraps of a whole key's length alone: what authenticates and is shorter is none.
TEST(Attack, Row7_EmptyAndShortKeysAreFatal) {
  World world;
  const auto& roster = world.realm.roster();
  const auto vault = world.vault.vault().id();
  const Bytes& box = world.vault.box(2, world.caseworker.id);
  // No boxes.
  Epoch epoch = world.vault.epoch(2);
  epoch.list.clear();
  const auto open = [&](const Epoch& e, const Bytes& b) {
    return CodeOf(OpenVek(e, roster.realm(), vault, world.caseworker.id, world.pair, b));
  };
  EXPECT_EQ(open(epoch, box), kMismatch);
  // A box that is empty, short, or zero, and hashed as such.
  for (const Bytes& bad : {Bytes(), Bytes(79), Bytes(80), Bytes(81)}) {
    epoch = world.vault.epoch(2);
    EXPECT_EQ(open(epoch, bad), kMismatch);
    epoch.list.at(world.caseworker.id).box_hash = base::Sha256Hash(crypto::Sha256(bad));
    EXPECT_EQ(open(epoch, bad), kMismatch);
  }
  // A row for no key, epoch 0.
  epoch = world.vault.epoch(2);
  epoch.list.at(world.caseworker.id).puk_gen = 0;
  EXPECT_EQ(open(epoch, box), kMismatch);
  epoch = world.vault.epoch(2);
  epoch.epoch = 0;
  EXPECT_EQ(open(epoch, box), kMismatch);
  // A PUK of no bytes, well sealed.
  crypto::StackSecret<32> key;
  crypto::Derive(world.caseworker.puks[0], labels::kPukSymmetric, {}, key.Expose());
  for (const std::size_t size : {0u, 31u, 33u}) {
    const Bytes wrap = crypto::SealCommitting(
        key, labels::kPukPrevious, PukPreviousContext(roster.realm(), world.caseworker.id, 2, 1),
        Bytes(size));
    EXPECT_EQ(CodeOf(UnwrapPreviousPuk(world.caseworker.puks[0], roster.realm(),
                                       world.caseworker.id, 2, 1, wrap)),
              "E_DECRYPT");
  }
}

// All fits, the key too, but the EPOCH lists another box.
TEST(EpochKeys, ABoxThatIsNotListedIsNotOpened) {
  World world;
  Epoch other = world.vault.epoch(2);
  other.list.at(world.caseworker.id).box_hash =
      base::Sha256Hash(crypto::Sha256(world.vault.box(1, world.caseworker.id)));
  EXPECT_EQ(
      CodeOf(OpenVek(other, world.realm.roster().realm(), world.vault.vault().id(),
                     world.caseworker.id, world.pair, world.vault.box(2, world.caseworker.id))),
      kMismatch);
}

TEST(EpochKeys, TheBoxesOfGuestsAndOfTheRecoverySecretAreFoundOutToo) {
  TestRealm realm(Compartment::kJourneys, {{kOwner, 1}, {kOwner, 1}});
  auto& route = realm.Add(kRoute);
  auto& guide = realm.Stranger();
  realm.Do(realm.person(0),
           realm.RecoverySetOf(kRecoveryLive, 2, {&realm.person(0), &realm.person(1)}));
  TestVault vault(realm, Kind::kLeg, route, {{&route, 7}});
  const base::GuestId guest(guide.device().id().bytes());
  GuestList guests;
  guests[guest] = {kReadWrite, 500'000, guide.device().keys()};
  vault.Rekey(route, vault.vault().epoch().list, guests);
  const auto check = [&](const Epoch& epoch) {
    return CodeOf(CheckBoxes(vault.vek(2), epoch, vault.vault().id(), realm.roster(),
                             realm.roster().head_seq()));
  };
  const base::Sha256Hash garbage(crypto::Sha256(Bytes(80)));
  Epoch epoch = vault.epoch(2);
  EXPECT_EQ(check(epoch), "ok");
  epoch.guests.at(guest).box_hash = garbage;
  EXPECT_EQ(check(epoch), kMismatch);
  epoch = vault.epoch(2);
  epoch.rec_box_hash = garbage;
  EXPECT_EQ(check(epoch), kMismatch);
  // To a key that is none, none is made.
  guests.at(guest).device.kems[kAlgX25519] = Bytes(32);
  EXPECT_FALSE(MakeEpoch(vault.vek(2), vault.vault().id(), 3, vault.vault().epoch().list, guests,
                         realm.roster(), realm.roster().head_seq()));
}

// The server boxes a key of its own to a member, rightly in every other way.
TEST(Attack, Row8_AKeyThatNoEpochCommitsToIsRefused) {
  World world;
  const auto& roster = world.realm.roster();
  const auto vault = world.vault.vault().id();
  const auto planted = *Vek::Random();
  const Bytes box =
      *crypto::SealBox(crypto::DefaultHpke(), world.pair.public_key, labels::kVekBox,
                       VekBoxContext(roster.realm(), vault, 2, world.caseworker.id, 1), planted);
  EXPECT_EQ(CodeOf(world.Open(2, box)), kMismatch);
  // Even with its hash in the EPOCH: the commitment is to another key.
  Epoch epoch = world.vault.epoch(2);
  epoch.list.at(world.caseworker.id).box_hash = base::Sha256Hash(crypto::Sha256(box));
  EXPECT_EQ(CodeOf(OpenVek(epoch, roster.realm(), vault, world.caseworker.id, world.pair, box)),
            kMismatch);
  // And an EPOCH with hash and commitment of its own has no signature of a member.
  epoch.epoch = 3;
  epoch.commitment = crypto::KeyCommitment(planted, labels::kVekCommitment,
                                           VekCommitmentContext(roster.realm(), vault, 3));
  const auto server = *crypto::SigningKey::FromSeed(support::RandomKey());
  EXPECT_EQ(CodeOf(world.vault.vault().Judge(
                SignEntry(world.vault.Next(world.coordinator), epoch, server), roster)),
            "E_SIG");
}

TEST(Attack, Row22_AWrapOfAnotherKeyIsRefused) {
  World world;
  const auto& roster = world.realm.roster();
  const auto vault = world.vault.vault().id();
  const auto planted = *Vek::Random();
  const auto wrapped_under = [&](const Vek& vek) {
    crypto::StackSecret<32> key;
    crypto::Derive(vek, labels::kPreviousKey, {}, key.Expose());
    const Bytes wrap =
        crypto::SealCommitting(key, labels::kVekPrevious,
                               VekPreviousContext(roster.realm(), vault, 2, 1), planted.Expose());
    Epoch epoch = world.vault.epoch(2);
    std::ranges::copy(wrap, epoch.wraps.at(1).begin());
    return epoch;
  };
  // Sealed under a key of the server's, and under the right one by somebody who knows it.
  EXPECT_EQ(CodeOf(world.Unwrap(wrapped_under(planted))), kMismatch);
  EXPECT_EQ(CodeOf(world.Unwrap(wrapped_under(world.vault.vek(2)))), kMismatch);
  // The epoch unwrapped must be the one that the wrap names.
  Epoch moved = world.vault.epoch(2);
  moved.wraps[5] = moved.wraps.at(1);
  Epoch fifth = world.vault.epoch(1);
  fifth.epoch = 5;
  EXPECT_EQ(CodeOf(UnwrapVek(world.vault.vek(2), moved, fifth, roster.realm(), vault)), kMismatch);
}

// Recipients come from the roster alone: a list that is older or larger makes no box.
TEST(Attack, Row15_ARekeyBoxesToTheRostersKeysAlone) {
  World world;
  const auto& roster = world.realm.roster();
  const std::uint64_t before = roster.head_seq();
  const MemberList list = world.vault.vault().epoch().list;
  world.realm.RotatePuk(world.caseworker);
  const auto vek = *Vek::Random();
  const auto make = [&](const MemberList& l, std::uint64_t r) {
    return MakeEpoch(vek, world.vault.vault().id(), 3, l, {}, roster, r);
  };
  EXPECT_EQ(CodeOf(make(list, roster.head_seq())), "INVALID_ARGUMENT");
  EXPECT_EQ(CodeOf(make(list, before)), "ok");
  MemberList extra = world.vault.ListOf({{&world.coordinator, 7}});
  extra[world.realm.Stranger().id] = {3, 1};
  EXPECT_EQ(CodeOf(make(extra, roster.head_seq())), "INVALID_ARGUMENT");
  MemberList later = world.vault.ListOf({{&world.coordinator, 7}});
  later.at(world.coordinator.id).puk_gen = 2;
  EXPECT_EQ(CodeOf(make(later, roster.head_seq())), "INVALID_ARGUMENT");
  // The box of the rotated member opens with the new PUK, not with the old one.
  const MemberList fresh = world.vault.ListOf({{&world.coordinator, 7}, {&world.caseworker, 3}});
  const auto made = make(fresh, roster.head_seq());
  ASSERT_TRUE(made);
  EXPECT_EQ(made->boxes.size(), 2U);
  for (const std::size_t gen : {0u, 1u}) {
    EXPECT_EQ(OpenVek(made->payload, roster.realm(), world.vault.vault().id(), world.caseworker.id,
                      *PukKem(world.caseworker.puks[gen]), made->boxes.at(world.caseworker.id))
                  .ok(),
              gen == 1);
  }
  // Who is suspended, or writes alone, gets none.
  auto& newcomer = world.realm.AddWithoutPuk(kCaseworker);
  MemberList suspended = fresh;
  suspended[newcomer.id] = {3, 0};
  const auto without = make(suspended, roster.head_seq());
  ASSERT_TRUE(without);
  EXPECT_FALSE(without->boxes.contains(newcomer.id));
  EXPECT_TRUE(without->payload.list.at(newcomer.id).box_hash.IsZero());
}

TEST(EpochKeys, AGarbageBoxIsFoundByWhoeverHoldsTheKey) {
  World world;
  const auto& roster = world.realm.roster();
  const auto check = [&](const Epoch& epoch) {
    return CodeOf(
        CheckBoxes(world.vault.vek(2), epoch, world.vault.vault().id(), roster, roster.head_seq()));
  };
  Epoch epoch = world.vault.epoch(2);
  EXPECT_EQ(check(epoch), "ok");
  epoch.list.at(world.caseworker.id).box_hash = base::Sha256Hash(crypto::Sha256(Bytes(80)));
  EXPECT_EQ(check(epoch), kMismatch);
  epoch = world.vault.epoch(2);
  epoch.list.at(world.caseworker.id).puk_gen = 2;
  EXPECT_EQ(check(epoch), "INVALID_ARGUMENT");
  epoch.list.at(world.caseworker.id) = {3, 0, {}};
  EXPECT_EQ(check(epoch), "ok");
}

// Only seeds are kept, so that no public half can be altered beside its private one.
TEST(Attack, Row5_PublicHalvesAreMadeAnewFromTheSeed) {
  World world;
  const auto& seed = world.caseworker.seeds[0];
  const auto again = *Device::FromSeed(seed);
  EXPECT_EQ(again.keys(), world.caseworker.device().keys());
  EXPECT_EQ(again.id(), world.caseworker.device().id());
  EXPECT_EQ(DeviceIdOf(again.keys()), again.id());
  // A roster whose copy of a key was altered names another device: it is not found.
  for (std::size_t at = 0; at < 32; ++at) {
    auto sign_pk = base::ToBytes(again.keys().sign_pk.bytes());
    sign_pk[at] ^= 1;
    DeviceKeys altered = again.keys();
    altered.sign_pk = *crypto::SigningPublicKey::FromBytes(sign_pk);
    EXPECT_EQ(world.realm.roster().FindDevice(DeviceIdOf(altered)), nullptr);
    altered = again.keys();
    altered.kems.at(kAlgX25519)[at] ^= 1;
    EXPECT_EQ(world.realm.roster().FindDevice(DeviceIdOf(altered)), nullptr);
  }
  // A PUK that the server made opens well and gives another key than the roster lists.
  const auto planted = *Puk::Random();
  const auto& roster = world.realm.roster();
  const Bytes box = *SealPuk(planted, roster.realm(), world.caseworker.id, 1,
                             world.caseworker.device().id(), world.caseworker.device().keys().kems);
  const auto opened =
      OpenPuk(box, roster.realm(), world.caseworker.id, 1, world.caseworker.device());
  ASSERT_TRUE(opened);
  const auto* listed = roster.PukAt(world.caseworker.id, roster.head_seq());
  EXPECT_NE(PukKem(*opened)->public_key, listed->kems.at(kAlgX25519));
  EXPECT_EQ(PukKem(world.caseworker.puks[0])->public_key, listed->kems.at(kAlgX25519));
  EXPECT_NE(base::Sha256Hash(crypto::Sha256(box)),
            listed->box_hashes.at(world.caseworker.device().id()));
}

TEST(EpochKeys, NoBoxIsMadeForADeviceWithoutAKey) {
  World world;
  const auto sealed = SealPuk(world.caseworker.puks[0], world.realm.roster().realm(),
                              world.caseworker.id, 1, world.caseworker.device().id(), {});
  ASSERT_EQ(CodeOf(sealed), "INVALID_ARGUMENT");
  EXPECT_EQ(sealed.error().message(), "the device lists no X25519 key");
}

}  // namespace
}  // namespace godwit::protocol
