#include "client/founding.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>

#include "base/code.h"
#include "client/founding_file.h"
#include "crypto/random.h"
#include "tests/client/temporary.h"
#include "tests/support/builders.h"

namespace godwit::client {
namespace {

using base::Bytes;
using base::Code;
using protocol::Compartment;
using support::Must;
using support::Require;

constexpr protocol::Roles kBoth = protocol::kOwner | protocol::kAdmin;

Founding OfTwo() {
  Founding founding;
  founding.endpoints = {
      {Compartment::kIdentity, "a.example:1", crypto::RandomId<base::Sha256Hash>(), {}},
      {Compartment::kCases, "b.example:1", crypto::RandomId<base::Sha256Hash>(), {}},
      {Compartment::kJourneys, "c.example:1", crypto::RandomId<base::Sha256Hash>(), {}}};
  founding.founders = {{"minji", protocol::kOwner}, {"seol", kBoth}};
  return founding;
}

// A draft of two, with both founders' keys.
struct Signed {
  Draft draft;
  FounderRealms minji;
  FounderRealms seol;
  RootSeeds roots;
};
Signed SignedByTwo() {
  auto made = Must(MakeDraft(OfTwo()));
  Signed all{std::move(made.draft), {}, {}, std::move(made.roots)};
  all.minji = Must(AddFounder(all.draft, "minji", "Minji Founder"));
  all.seol = Must(AddFounder(all.draft, "seol", "Seol Founder"));
  Require(SignDraft(all.draft, all.seol));
  Require(SignDraft(all.draft, all.minji));
  return all;
}
FounderKeys CopyOf(const FounderKeys& keys) {
  return {keys.handle, keys.member, Must(protocol::DeviceSeed::Copy(keys.seed.Expose())),
          Must(StoreKey::Copy(keys.store_key.Expose()))};
}
// The first error of pinning all realms, or none.
base::Status PinAll(const Draft& draft, const FounderRealms& keys) {
  for (const auto& [compartment, mine] : keys) {
    if (const auto pinned = PinRealm(draft, compartment, CopyOf(mine)); !pinned) {
      return pinned.error();
    }
  }
  return {};
}

TEST(Founding, TwoFoundersPinTheSameRealms) {
  const Signed all = SignedByTwo();
  EXPECT_TRUE(all.draft.complete());
  std::set<base::Fingerprint> fingerprints;
  for (const auto& [compartment, mine] : all.minji) {
    const auto minjis = Must(PinRealm(all.draft, compartment, CopyOf(mine)));
    const auto seols = Must(PinRealm(all.draft, compartment, CopyOf(all.seol.at(compartment))));
    EXPECT_EQ(minjis.info.fingerprint, seols.info.fingerprint);
    EXPECT_EQ(minjis.info.hosts, seols.info.hosts);
    EXPECT_NE(minjis.info.member, seols.info.member);
    EXPECT_FALSE(minjis.info.evaluation);
    fingerprints.insert(minjis.info.fingerprint);
  }
  EXPECT_EQ(fingerprints.size(), 3u);
}

TEST(Founding, APinIsTheFingerprintOfTheGenesisThatIsPublished) {
  const Signed all = SignedByTwo();
  for (const auto& [compartment, mine] : all.minji) {
    const auto pinned = Must(PinRealm(all.draft, compartment, CopyOf(mine)));
    const auto root = Must(crypto::SigningKey::FromSeed(all.roots.at(compartment)));
    protocol::Roster roster;
    Require(roster.Append(DraftedGenesis(all.draft, compartment, root)));
    EXPECT_EQ(roster.fingerprint(), pinned.info.fingerprint);
    EXPECT_EQ(roster.compartment(), compartment);
    EXPECT_EQ(roster.members().size(), 2u);
    EXPECT_EQ(roster.RolesAt(mine.member, 0), protocol::kOwner);
  }
}

TEST(Founding, OutsideEvaluationTheRealmsAreHoursApart) {
  const Draft draft = Must(MakeDraft(OfTwo())).draft;
  const std::uint64_t cases = draft.realms.at(Compartment::kCases).time_ms;
  for (const auto compartment : {Compartment::kIdentity, Compartment::kJourneys}) {
    const std::uint64_t apart = draft.realms.at(compartment).time_ms - cases;
    EXPECT_GE(apart, 3'600'000u);
    EXPECT_LE(apart, 12u * 3'600'000u);
  }
  Founding evaluation = OfTwo();
  evaluation.evaluation = true;
  const Draft at_once = Must(MakeDraft(evaluation)).draft;
  for (const auto& [compartment, realm] : at_once.realms) {
    EXPECT_EQ(realm.time_ms, at_once.realms.at(Compartment::kCases).time_ms);
  }
}

TEST(Founding, WhatNoOrganisationCanBeginWithIsRefusedAtOnce) {
  const struct {
    const char* name;
    std::function<void(Founding&)> change;
    bool good;
  } rows[] = {
      {"as it is", [](Founding&) {}, true},
      {"two realms", [](Founding& f) { f.endpoints.pop_back(); }, false},
      {"one realm twice",
       [](Founding& f) { f.endpoints[0].compartment = f.endpoints[1].compartment; }, false},
      {"no port", [](Founding& f) { f.endpoints[0].host_port = "a.example"; }, false},
      {"one host of two realms", [](Founding& f) { f.endpoints[0].host_port = "b.example:2"; },
       false},
      {"one authority of two realms", [](Founding& f) { f.endpoints[0].pin = f.endpoints[1].pin; },
       false},
      {"nobody", [](Founding& f) { f.founders.clear(); }, false},
      {"a caseworker", [](Founding& f) { f.founders["haneul"] = protocol::kCaseworker; }, false},
      {"an auditor besides", [](Founding& f) { f.founders["bada"] = protocol::kAuditor; }, true},
      {"one owner for two signatures", [](Founding& f) { f.founders["seol"] = protocol::kAdmin; },
       false},
      {"more grants than granters", [](Founding& f) { f.grant_threshold = 3; }, false},
      {"a threshold of one", [](Founding& f) { f.owner_threshold = 1; }, false},
      {"a threshold of one to try it out",
       [](Founding& f) {
         f.evaluation = true;
         f.owner_threshold = f.grant_threshold = 1;
       },
       true},
      {"one host of two realms to try it out",
       [](Founding& f) {
         f.evaluation = true;
         f.endpoints[0].host_port = "b.example:2";
       },
       true},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Founding founding = OfTwo();
    row.change(founding);
    const auto made = MakeDraft(founding);
    EXPECT_EQ(made.ok(), row.good);
    EXPECT_EQ(made ? Code::kInvalidArgument : made.error().code(), Code::kInvalidArgument);
  }
}

TEST(Founding, FoundersAreThoseWhomTheDraftNamesAndEachAddsKeysOnce) {
  Draft draft = Must(MakeDraft(OfTwo())).draft;
  EXPECT_EQ(AddFounder(draft, "haneul", "Haneul Specimen").error().code(), Code::kNotFound);
  EXPECT_EQ(AddFounder(draft, "minji", "").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(AddFounder(draft, "minji", "a\nb").error().code(), Code::kInvalidArgument);
  const auto minji = Must(AddFounder(draft, "minji", "Minji Founder"));
  EXPECT_EQ(AddFounder(draft, "minji", "Minji Founder").error().code(), Code::kExists);
  // Nobody signs before all are there, nor pins before all have signed.
  EXPECT_EQ(SignDraft(draft, minji).error().code(), Code::kConflict);
  const auto seol = Must(AddFounder(draft, "seol", "Seol Founder"));
  Require(SignDraft(draft, minji));
  EXPECT_FALSE(draft.complete());
  EXPECT_EQ(PinAll(draft, minji).error().code(), Code::kConflict);
}

TEST(Founding, WhatWasChangedAfterAFounderSignedIsNotPinned) {
  const Signed all = SignedByTwo();
  ASSERT_TRUE(PinAll(all.draft, all.minji));
  const auto other = Must(protocol::DeviceSeed::Random());
  const auto device = Must(protocol::Device::FromSeed(other));
  const struct {
    const char* name;
    std::function<void(Draft&)> change;
  } rows[] = {
      {"a threshold",
       [](Draft& d) {
         for (auto& [c, realm] : d.realms) realm.policy.grant_threshold = 1;
       }},
      {"a window", [](Draft& d) { d.realms.at(Compartment::kIdentity).policy.hold_s = 1; }},
      {"a root key",
       [&](Draft& d) { d.realms.at(Compartment::kCases).root_pk = device.keys().sign_pk; }},
      {"a time", [](Draft& d) { ++d.realms.at(Compartment::kJourneys).time_ms; }},
      {"a host", [](Draft& d) { d.realms.at(Compartment::kJourneys).host_port = "d.example:1"; }},
      {"roles", [](Draft& d) { d.founders.at("seol").roles = protocol::kOwner; }},
      {"a name", [](Draft& d) { d.founders.at("seol").name = "Somebody Else"; }},
      {"two names",
       [](Draft& d) { std::swap(d.founders.at("seol").name, d.founders.at("minji").name); }},
      {"a human", [](Draft& d) { d.founders.at("seol").human = base::HumanId(); }},
      {"an opening",
       [](Draft& d) { ++d.founders.at("seol").members.at(Compartment::kCases).r[0]; }},
      {"a member",
       [](Draft& d) {
         d.founders.at("seol").members.at(Compartment::kIdentity).member =
             crypto::RandomId<base::MemberId>();
       }},
      {"another's device",
       [&](Draft& d) {
         d.founders.at("seol").members.at(Compartment::kIdentity).device = device.keys();
       }},
      {"the own device",
       [&](Draft& d) {
         d.founders.at("minji").members.at(Compartment::kIdentity).device = device.keys();
       }},
      {"a founder more",
       [](Draft& d) {
         DraftFounder ghost = d.founders.at("seol");
         for (auto& [c, member] : ghost.members) {
           member.member = crypto::RandomId<base::MemberId>();
         }
         d.founders["ghost"] = ghost;
       }},
      {"a founder less", [](Draft& d) { d.founders.erase("seol"); }},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Draft draft = all.draft;
    row.change(draft);
    const auto pinned = PinAll(draft, all.minji);
    ASSERT_FALSE(pinned);
    EXPECT_EQ(pinned.error().code(), Code::kRosterInvalid);
  }
}

TEST(Founding, AFounderSignsForTheirOwnKeysAlone) {
  Draft draft = Must(MakeDraft(OfTwo())).draft;
  const auto minji = Must(AddFounder(draft, "minji", "Minji Founder"));
  Must(AddFounder(draft, "seol", "Seol Founder"));
  auto& mine = draft.founders.at("minji").members.at(Compartment::kIdentity);
  const auto device = Must(protocol::Device::FromSeed(Must(protocol::DeviceSeed::Random())));
  mine.device = device.keys();
  EXPECT_EQ(SignDraft(draft, minji).error().code(), Code::kRosterInvalid);
  Draft swapped = Must(ReadDraft(WriteDraft(draft)));
  swapped.founders.erase("minji");
  EXPECT_EQ(SignDraft(swapped, minji).error().code(), Code::kRosterInvalid);
}

TEST(Founding, ADraftReadsBackAsItWasWritten) {
  const Draft begun = Must(MakeDraft(OfTwo())).draft;
  EXPECT_EQ(WriteDraft(Must(ReadDraft(WriteDraft(begun)))), WriteDraft(begun));
  const Signed all = SignedByTwo();
  EXPECT_EQ(WriteDraft(Must(ReadDraft(WriteDraft(all.draft)))), WriteDraft(all.draft));
}

RC_GTEST_PROP(FoundingProperty, ADraftWithOneOtherByteIsNoDraftOrNotPinned, ()) {
  static const Signed all = SignedByTwo();
  Bytes bytes = WriteDraft(all.draft);
  const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
  bytes[at] ^= *rc::gen::inRange<std::uint8_t>(1, 255);
  const auto draft = ReadDraft(bytes);
  if (draft && draft->complete()) RC_ASSERT(!PinAll(*draft, all.minji));
}

RC_GTEST_PROP(FoundingProperty, AnyBytesAreRefusedWithoutHarm, (const Bytes& bytes)) {
  RC_ASSERT(!ReadDraft(bytes));
  static const Bytes whole = WriteDraft(SignedByTwo().draft);
  RC_ASSERT(
      !ReadDraft(base::ByteSpan(whole).first(*rc::gen::inRange<std::size_t>(0, whole.size()))));
}

TEST(FoundingFile, GivesAFoundersKeysBackToTheirPassphraseAlone) {
  const support::TemporaryDir dir;
  const auto path = dir.path() / "cases.founding";
  const protocol::KdfCost cost{protocol::KdfCost::kFloorOps, protocol::KdfCost::kFloorMem};
  const auto passphrase = crypto::SecretBytes::Copy(base::AsBytes(std::string("correct horse")));
  const auto other = crypto::SecretBytes::Copy(base::AsBytes(std::string("wrong horse")));
  Draft draft = Must(MakeDraft(OfTwo())).draft;
  const auto keys = Must(AddFounder(draft, "minji", "Minji Founder"));
  const FounderKeys& mine = keys.at(Compartment::kCases);
  Require(CreateFoundingFile(path, passphrase, cost, Compartment::kCases, mine));
  EXPECT_EQ(CreateFoundingFile(path, passphrase, cost, Compartment::kCases, mine).error().code(),
            Code::kExists);
  const auto read = Must(UnlockFoundingFile(path, passphrase, Compartment::kCases));
  EXPECT_EQ(read.handle, mine.handle);
  EXPECT_EQ(read.member, mine.member);
  EXPECT_TRUE(std::ranges::equal(read.seed.Expose(), mine.seed.Expose()));
  EXPECT_TRUE(std::ranges::equal(read.store_key.Expose(), mine.store_key.Expose()));
  EXPECT_EQ(UnlockFoundingFile(path, other, Compartment::kCases).error().code(), Code::kDecrypt);
  EXPECT_EQ(UnlockFoundingFile(path, passphrase, Compartment::kIdentity).error().code(),
            Code::kDecrypt);
  EXPECT_EQ(UnlockFoundingFile(dir.path() / "none", passphrase, Compartment::kCases).error().code(),
            Code::kNotFound);
}

}  // namespace
}  // namespace godwit::client
