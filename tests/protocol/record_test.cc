#include "protocol/record.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "crypto/committing.h"
#include "crypto/hash.h"
#include "crypto/padding.h"
#include "protocol/labels.h"
#include "tests/protocol/generators.h"
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

RecordPlace AnyPlace() {
  return {testing::Any<base::RealmId>(),  testing::Any<base::VaultId>(),
          testing::Any<base::RecordId>(), testing::AnyInt<std::uint64_t>(),
          testing::Any<base::Link>(),     testing::AnyInt<std::uint32_t>(),
          testing::Any<base::MemberId>(), testing::Any<base::DeviceId>()};
}

RC_GTEST_PROP(RecordProperty, OpensWhatItSealsInItsPlaceAlone, (const Bytes& text)) {
  const auto vek = *Vek::Random();
  const RecordPlace place = AnyPlace();
  const std::size_t floor = *rc::gen::elementOf(std::vector<std::size_t>{256, 1024, 4096});
  const auto sealed = SealRecord(vek, place, text, floor);
  RC_ASSERT(sealed.ok());
  RC_ASSERT(sealed->ciphertext.size() == crypto::PaddedSize(text.size() + 4, floor) + 16);
  RC_ASSERT(sealed->rev.ct_len == sealed->ciphertext.size());
  RC_ASSERT(AreListed(sealed->rev, sealed->salt, sealed->ciphertext));
  const auto open = [&](const RecordPlace& at) {
    return OpenRecord(vek, at, sealed->rev, sealed->salt, sealed->ciphertext, floor);
  };
  const auto opened = open(place);
  RC_ASSERT(opened.ok());
  RC_ASSERT(base::ToBytes(opened->Expose()) == text);
  const std::function<void(RecordPlace&)> changes[] = {
      [](RecordPlace& p) { p.realm = testing::Any<base::RealmId>(); },
      [](RecordPlace& p) { p.vault = testing::Any<base::VaultId>(); },
      [](RecordPlace& p) { p.record = testing::Any<base::RecordId>(); },
      [](RecordPlace& p) { ++p.rver; },
      [](RecordPlace& p) { p.rprev = testing::Any<base::Link>(); },
      [](RecordPlace& p) { ++p.epoch; },
      [](RecordPlace& p) { p.author_member = testing::Any<base::MemberId>(); },
      [](RecordPlace& p) { p.author_device = testing::Any<base::DeviceId>(); },
  };
  for (const auto& change : changes) {
    RecordPlace other = place;
    change(other);
    if (RecordContext(other) == RecordContext(place)) continue;
    RC_ASSERT(CodeOf(open(other)) == "E_DECRYPT");
  }
  RC_ASSERT(CodeOf(OpenRecord(*Vek::Random(), place, sealed->rev, sealed->salt, sealed->ciphertext,
                              floor)) == "E_DECRYPT");
  // Another floor than the writer's is no size of this record.
  if (text.size() < 200) {
    RC_ASSERT(CodeOf(OpenRecord(vek, place, sealed->rev, sealed->salt, sealed->ciphertext,
                                floor == 256 ? 1024 : 256)) == "E_DECRYPT");
  }
}

TEST(Record, IsAtMostOneMebibytePadded) {
  const auto vek = *Vek::Random();
  const auto seal = [&](std::size_t size) {
    return CodeOf(SealRecord(vek, {}, Bytes(size), 1024));
  };
  EXPECT_EQ(seal((1u << 20) - 4), "ok");
  EXPECT_EQ(seal((1u << 20) - 3), "INVALID_ARGUMENT");
  EXPECT_EQ(seal(1u << 21), "INVALID_ARGUMENT");
}

TEST(Record, KeepsItsPlaceAndFlagsInTheRev) {
  const auto vek = *Vek::Random();
  TestRealm realm(Compartment::kCases);
  auto& coordinator = realm.Add(kCoordinator);
  TestVault vault(realm, Kind::kCase, coordinator, {{&coordinator, 7}});
  vault.Write(coordinator, vault.NewRecord(), "x", Rev::kDecision);
  const auto entry = *ReadEntry(vault.entries().back());
  const auto rev = std::get<Rev>(*ReadEntryPayload(entry.header.type, entry.payload));
  EXPECT_EQ(rev.flags, Rev::kDecision);
  const RecordPlace place = PlaceOf(entry.header, rev);
  EXPECT_EQ(place.realm, realm.roster().realm());
  EXPECT_EQ(place.vault, vault.vault().id());
  EXPECT_EQ(place.record, rev.record);
  EXPECT_EQ(place.rver, 1U);
  EXPECT_EQ(place.epoch, 1U);
  EXPECT_EQ(place.author_member, coordinator.id);
  EXPECT_EQ(place.author_device, coordinator.device().id());
  EXPECT_EQ(place.suite, kSuite1);
  const auto& beside = vault.Beside(vault.vault().head());
  const auto opened = OpenRecord(vault.vek(1), place, rev, beside.salt, beside.ciphertext, 1024);
  ASSERT_TRUE(opened);
  EXPECT_EQ(support::Plain(*opened), Bytes{'x'});
}

// Records of both suites differ in their context alone: a revision of suite 2 opens as one.
TEST(Record, OpensInItsSuiteAlone) {
  const auto vek = *Vek::Random();
  RecordPlace place;
  place.suite = kSuite2;
  const Bytes text{'x'};
  const auto sealed = *SealRecord(vek, place, text, 1024);
  EntryHeader header;
  header.suite = kSuite2;
  const auto open = [&] {
    return OpenRecord(vek, PlaceOf(header, sealed.rev), sealed.rev, sealed.salt, sealed.ciphertext,
                      1024);
  };
  const auto opened = open();
  ASSERT_TRUE(opened);
  EXPECT_EQ(support::Plain(*opened), text);
  header.suite = kSuite1;
  EXPECT_EQ(CodeOf(open()), "E_DECRYPT");
  // Boxes and wraps of suite 2 are for a later Godwit.
  EXPECT_EQ(CodeOf(CheckOpens(kSuite1)), "ok");
  EXPECT_EQ(CodeOf(CheckOpens(kSuite2)), "E_UNSUPPORTED");
}

// Salt and ciphertext lie with the server; c is signed by the author. Which of them is at fault
// shows without opening anything.
TEST(Record, AreListedTellsTheServersFaultFromTheAuthors) {
  const auto vek = *Vek::Random();
  const auto sealed = *SealRecord(vek, {}, Bytes{1}, 256);
  const auto flip = [](Bytes bytes) {
    bytes[3] ^= 1;
    return bytes;
  };
  const auto open = [&](const Rev& rev, const Bytes& salt, const Bytes& ct) {
    return CodeOf(OpenRecord(vek, {}, rev, salt, ct, 256));
  };
  Bytes longer = sealed.ciphertext;
  longer.push_back(0);
  Bytes longer_salt = sealed.salt;
  longer_salt.push_back(0);
  // The server's.
  EXPECT_FALSE(AreListed(sealed.rev, flip(sealed.salt), sealed.ciphertext));
  EXPECT_FALSE(AreListed(sealed.rev, sealed.salt, flip(sealed.ciphertext)));
  EXPECT_FALSE(AreListed(sealed.rev, sealed.salt, longer));
  EXPECT_FALSE(AreListed(sealed.rev, longer_salt, sealed.ciphertext));
  EXPECT_FALSE(AreListed(sealed.rev, {}, {}));
  EXPECT_EQ(open(sealed.rev, flip(sealed.salt), sealed.ciphertext), "E_DECRYPT");
  EXPECT_EQ(open(sealed.rev, sealed.salt, flip(sealed.ciphertext)), "E_DECRYPT");
  EXPECT_EQ(open(sealed.rev, sealed.salt, longer), "E_DECRYPT");
  // The author's: what is listed is there, and does not open.
  Rev rev = sealed.rev;
  rev.commitment[0] ^= 1;
  EXPECT_TRUE(AreListed(rev, sealed.salt, sealed.ciphertext));
  EXPECT_EQ(open(rev, sealed.salt, sealed.ciphertext), "E_DECRYPT");
  rev = sealed.rev;
  const Bytes garbage = flip(sealed.ciphertext);
  rev.ct_sha256 = base::Sha256Hash(crypto::Sha256(garbage));
  EXPECT_TRUE(AreListed(rev, sealed.salt, garbage));
  EXPECT_EQ(open(rev, sealed.salt, garbage), "E_DECRYPT");
  // Other bytes than were sealed, or another length: said by the author, and no server's fault.
  rev = sealed.rev;
  rev.ct_sha256 = base::Sha256Hash(crypto::Sha256(garbage));
  EXPECT_FALSE(AreListed(rev, sealed.salt, sealed.ciphertext));
  EXPECT_EQ(open(rev, sealed.salt, sealed.ciphertext), "E_DECRYPT");
  rev = sealed.rev;
  ++rev.ct_len;
  EXPECT_FALSE(AreListed(rev, sealed.salt, sealed.ciphertext));
  EXPECT_EQ(open(rev, sealed.salt, sealed.ciphertext), "E_DECRYPT");
  // A salt of another length, listed as such.
  rev = sealed.rev;
  rev.salt_sha256 = base::Sha256Hash(crypto::Sha256(longer_salt));
  EXPECT_TRUE(AreListed(rev, longer_salt, sealed.ciphertext));
  EXPECT_EQ(open(rev, longer_salt, sealed.ciphertext), "E_DECRYPT");
  // Well sealed over a text that no padding makes.
  for (const Bytes& bad : {Bytes(), Bytes(3), Bytes(256, 1), Bytes(255), Bytes{0, 0, 1, 0}}) {
    const auto parts = crypto::SealCommittingParts(vek, labels::kRecord, RecordContext({}), bad);
    rev = sealed.rev;
    const Bytes salt = base::ToBytes(parts.salt);
    rev.salt_sha256 = base::Sha256Hash(crypto::Sha256(salt));
    rev.commitment = parts.commitment;
    rev.ct_len = static_cast<std::uint32_t>(parts.ciphertext.size());
    rev.ct_sha256 = base::Sha256Hash(crypto::Sha256(parts.ciphertext));
    EXPECT_EQ(open(rev, salt, parts.ciphertext), "E_DECRYPT");
  }
}

// Blobs moved between records, revisions and vaults, as a server that writes its own tables could,
// with hashes that fit: nothing opens anywhere but where it was sealed.
TEST(Attack, Row12_NoBlobOpensInAnotherPlace) {
  TestRealm realm(Compartment::kCases);
  auto& coordinator = realm.Add(kCoordinator);
  auto& second = realm.Add(kCoordinator);
  TestVault a(realm, Kind::kCase, coordinator, {{&coordinator, 7}, {&second, 7}});
  TestVault b(realm, Kind::kCase, coordinator, {{&coordinator, 7}, {&second, 7}});
  struct Written {
    const TestVault* vault;
    EntryHeader header;
    Rev rev;
    const SealedRecord* beside;
  };
  std::vector<Written> all;
  const auto write = [&](TestVault& vault, const Person& author, const base::RecordId& record) {
    vault.Write(author, record, "the same text");
    const auto entry = *ReadEntry(vault.entries().back());
    all.push_back({&vault, entry.header,
                   std::get<Rev>(*ReadEntryPayload(entry.header.type, entry.payload)),
                   &vault.Beside(vault.vault().head())});
  };
  const auto record = a.NewRecord();
  write(a, coordinator, record);
  write(a, second, record);
  write(a, coordinator, a.NewRecord());
  write(b, coordinator, record);
  write(b, second, b.NewRecord());
  std::size_t opened = 0;
  for (const auto& from : all) {
    for (const auto& to : all) {
      // All of the seal's parts, under each of the two keys.
      Rev rev = to.rev;
      rev.salt_sha256 = from.rev.salt_sha256;
      rev.commitment = from.rev.commitment;
      rev.ct_sha256 = from.rev.ct_sha256;
      for (const auto* vault : {&a, &b}) {
        const bool opens = OpenRecord(vault->vek(1), PlaceOf(to.header, rev), rev,
                                      from.beside->salt, from.beside->ciphertext, 1024)
                               .ok();
        EXPECT_EQ(opens, &from == &to && vault == from.vault);
        opened += opens;
      }
      // One part alone, against the signed entry as it is.
      if (&from == &to) continue;
      EXPECT_FALSE(OpenRecord(to.vault->vek(1), PlaceOf(to.header, to.rev), to.rev,
                              from.beside->salt, to.beside->ciphertext, 1024));
      EXPECT_FALSE(OpenRecord(to.vault->vek(1), PlaceOf(to.header, to.rev), to.rev, to.beside->salt,
                              from.beside->ciphertext, 1024));
    }
  }
  EXPECT_EQ(opened, all.size());
}

// A server plants a record: under a zero key, one of its own, or one that an ex-member told it, it
// lacks the signature that a REV has.
TEST(Attack, Row3_NoRecordIsPlantedWithoutItsAuthorsSignature) {
  TestRealm realm(Compartment::kCases);
  auto& coordinator = realm.Add(kCoordinator);
  TestVault vault(realm, Kind::kCase, coordinator, {{&coordinator, 7}});
  const auto server = *crypto::SigningKey::FromSeed(support::RandomKey());
  const auto zero = *Vek::Copy(std::array<std::uint8_t, 32>{});
  const auto random = *Vek::Random();
  RecordPlace place{realm.roster().realm(), vault.vault().id(),       vault.NewRecord(), 1, {}, 1,
                    coordinator.id,         coordinator.device().id()};
  for (const Vek* key : {&zero, &random, &vault.vek(1)}) {
    const auto planted = *SealRecord(*key, place, Bytes{1}, 1024);
    const Bytes entry = SignEntry(vault.Next(coordinator), planted.rev, server);
    EXPECT_EQ(CodeOf(vault.vault().Judge(entry, realm.roster())), "E_SIG");
    // Under a key that is not the epoch's it would not open either.
    EXPECT_EQ(
        OpenRecord(vault.vek(1), place, planted.rev, planted.salt, planted.ciphertext, 1024).ok(),
        key == &vault.vek(1));
  }
}

// The server knows every cause (links, vaults, machines) and tries them all against the ids that it
// stores. It finds none, since they are made with the vault's key; made with a hash, it finds all.
TEST(Attack, Row56_DerivedIdsAnswerNoDictionary) {
  TestRealm realm(Compartment::kCases);
  auto& coordinator = realm.Add(kCoordinator);
  TestVault vault(realm, Kind::kCase, coordinator, {{&coordinator, 7}});
  for (int i = 0; i < 30; ++i) vault.Write(coordinator, vault.NewRecord(), "step");
  std::vector<std::array<std::uint8_t, 32>> causes;
  for (const Bytes& entry : vault.entries()) {
    std::array<std::uint8_t, 32> cause{};
    std::ranges::copy(EntryLink(entry).bytes(), cause.begin());
    causes.push_back(cause);
  }
  std::array<std::uint8_t, 16> object{};
  std::ranges::copy(vault.vault().id().bytes(), object.begin());
  const auto hashed = [&](std::uint8_t machine, const std::array<std::uint8_t, 32>& cause) {
    const Bytes machine_byte{machine};
    const auto hash = crypto::LabeledHash(
        labels::kSummary, {vault.vault().id().bytes(), machine_byte, object, cause});
    return base::RecordId(std::span(hash).first<16>());
  };
  std::set<base::RecordId> stored;
  std::set<base::RecordId> stored_by_hash;
  for (const auto& cause : causes) {
    for (std::uint8_t machine = 0; machine < 20; ++machine) {
      stored.insert(DerivedRecordId(vault.vek(1), vault.vault().id(), machine, object, cause));
      stored_by_hash.insert(hashed(machine, cause));
    }
  }
  EXPECT_EQ(stored.size(), causes.size() * 20);
  // All that the server can compute: hashes, and the derivation under keys that it can name.
  std::vector<Vek> known;
  known.push_back(*Vek::Copy(std::array<std::uint8_t, 32>{}));
  known.push_back(*Vek::Copy(vault.epoch(1).commitment));
  known.push_back(*Vek::Copy(std::span<const std::uint8_t, 32>(vault.vault().head().bytes())));
  std::size_t hits = 0;
  std::size_t control = 0;
  for (const auto& cause : causes) {
    for (std::uint8_t machine = 0; machine < 20; ++machine) {
      const auto guess = hashed(machine, cause);
      hits += stored.contains(guess);
      control += stored_by_hash.contains(guess);
      for (const Vek& key : known) {
        hits += stored.contains(DerivedRecordId(key, vault.vault().id(), machine, object, cause));
      }
    }
  }
  EXPECT_EQ(hits, 0U);
  EXPECT_EQ(control, causes.size() * 20);
  // Two clients with one cause meet in one record.
  EXPECT_EQ(DerivedRecordId(vault.vek(1), vault.vault().id(), 1, object, causes[0]),
            DerivedRecordId(vault.vek(1), vault.vault().id(), 1, object, causes[0]));
}

TEST(Record, AnActsIdIsMadeOfWhatItSays) {
  const Bytes text{1, 2, 3};
  const auto hash = crypto::LabeledHash(labels::kAct, {text});
  EXPECT_TRUE(std::ranges::equal(ActRecordId(text).bytes(), std::span(hash).first<16>()));
  EXPECT_NE(ActRecordId(text), ActRecordId(Bytes{1, 2, 4}));
}

}  // namespace
}  // namespace godwit::protocol
