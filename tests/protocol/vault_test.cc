#include "protocol/vault.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <functional>

#include "protocol/labels.h"
#include "tests/protocol/vault_world.h"

namespace godwit::protocol {
namespace {

TEST(Vault, AnEntryFollowsTheLastAndCitesTheRoster) {
  const Row rows[] = {
      {"good", [](World& w) { return w.Write(w.caseworker); }, kOk},
      {"prev of an older entry",
       [](World& w) {
         return w.Signed(w.caseworker, w.Revision(w.caseworker),
                         [&](EntryHeader& h) { h.prev = EntryLink(w.vault.entries().front()); });
       },
       kFork},
      {"prev zero",
       [](World& w) {
         return w.Signed(w.caseworker, w.Revision(w.caseworker),
                         [](EntryHeader& h) { h.prev = {}; });
       },
       kFork},
      {"seq skips",
       [](World& w) {
         return w.Signed(w.caseworker, w.Revision(w.caseworker), [](EntryHeader& h) { ++h.seq; });
       },
       kInvalid},
      {"seq again",
       [](World& w) {
         return w.Signed(w.caseworker, w.Revision(w.caseworker), [](EntryHeader& h) { --h.seq; });
       },
       kInvalid},
      {"another realm",
       [](World& w) {
         return w.Signed(w.caseworker, w.Revision(w.caseworker), [](EntryHeader& h) {
           h.realm = base::RealmId(std::array<std::uint8_t, 16>{1});
         });
       },
       kInvalid},
      {"another vault",
       [](World& w) {
         return w.Signed(w.caseworker, w.Revision(w.caseworker), [](EntryHeader& h) {
           h.vault = base::VaultId(std::array<std::uint8_t, 16>{1});
         });
       },
       kInvalid},
      {"a statement not there yet",
       [](World& w) {
         return w.Signed(w.caseworker, w.Revision(w.caseworker),
                         [](EntryHeader& h) { ++h.roster_seq; });
       },
       kStaleRoster},
      {"a statement before the author's",
       [](World& w) {
         return w.Signed(w.outsider, w.Revision(w.outsider), [&](EntryHeader& h) {
           h.roster_seq = 1;
           h.roster_head = w.realm.roster().LinkAt(1);
         });
       },
       kSig},
      {"another statement in that place",
       [](World& w) {
         return w.Signed(w.caseworker, w.Revision(w.caseworker), [&](EntryHeader& h) {
           h.roster_head = w.realm.roster().LinkAt(h.roster_seq - 1);
         });
       },
       kFork},
      {"epoch_link zero",
       [](World& w) {
         return w.Signed(w.caseworker, w.Revision(w.caseworker),
                         [](EntryHeader& h) { h.epoch_link = {}; });
       },
       kInvalid},
      {"pin_link zero",
       [](World& w) {
         return w.Signed(w.caseworker, w.Revision(w.caseworker),
                         [](EntryHeader& h) { h.pin_link = {}; });
       },
       kInvalid},
      {"pin_link of the head",
       [](World& w) {
         return w.Signed(w.caseworker, w.Revision(w.caseworker),
                         [](EntryHeader& h) { h.pin_link = h.prev; });
       },
       kInvalid},
      {"signed by a colleague",
       [](World& w) {
         return SignEntry(w.vault.Next(w.caseworker), w.Revision(w.caseworker),
                          w.coordinator.device().signing_key());
       },
       kSig},
      {"signed as a statement",
       [](World& w) {
         const Bytes entry = w.Write(w.caseworker);
         const auto raw = *ReadEntry(entry);
         Writer out;
         out.Var32(raw.body);
         out.Fixed(w.caseworker.device().signing_key().Sign(labels::kRoster, raw.body));
         return out.Take();
       },
       kSig},
      {"a colleague's member id",
       [](World& w) {
         return w.Signed(w.reader, w.Revision(w.reader),
                         [&](EntryHeader& h) { h.author_member = w.coordinator.id; });
       },
       kInvalid},
      {"a revoked device",
       [](World& w) {
         w.realm.RevokeByRoot(w.caseworker, 0);
         return w.Write(w.caseworker);
       },
       kInvalid},
      {"a removed member",
       [](World& w) {
         w.realm.Remove(w.caseworker);
         return w.Write(w.caseworker);
       },
       kInvalid},
      {"suite 0",
       [](World& w) {
         return w.Signed(w.caseworker, w.Revision(w.caseworker),
                         [](EntryHeader& h) { h.suite = 0; });
       },
       kDowngrade},
      {"suite 2",
       [](World& w) {
         return w.Signed(w.caseworker, w.Revision(w.caseworker),
                         [](EntryHeader& h) { h.suite = 2; });
       },
       kOk},
      {"suite 3",
       [](World& w) {
         return w.Signed(w.caseworker, w.Revision(w.caseworker),
                         [](EntryHeader& h) { h.suite = 3; });
       },
       kUnsupported},
      {"suite below a policy that rose",
       [](World& w) {
         Policy policy = w.realm.roster().policy();
         ++policy.gen;
         policy.min_suite = 2;
         w.realm.SetPolicy(policy);
         return w.Write(w.caseworker);
       },
       kDowngrade},
      {"suite of the policy at its own roster_seq",
       [](World& w) {
         const Bytes entry = w.Write(w.caseworker);
         Policy policy = w.realm.roster().policy();
         ++policy.gen;
         policy.min_suite = 2;
         w.realm.SetPolicy(policy);
         return entry;
       },
       kOk},
      {"a trailing byte in the payload",
       [](World& w) {
         Bytes payload = WriteEntryPayload(w.Revision(w.caseworker));
         payload.push_back(0);
         EntryHeader header = w.vault.Next(w.caseworker);
         header.type = 3;
         return support::SignRaw(header, payload, w.caseworker.device().signing_key());
       },
       kSig},
      {"a second CREATE",
       [](World& w) {
         return w.vault.Sign(w.coordinator, Create{{}, static_cast<std::uint8_t>(Kind::kCase)});
       },
       kInvalid},
      {"longer than 128 KiB",
       [](World& w) {
         Epoch epoch;
         epoch.epoch = 2;
         for (std::size_t i = 0; i < 2500; ++i) {
           epoch.list[base::MemberId(std::array<std::uint8_t, 16>{
               1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)})] = {1, 1, {}};
         }
         return w.vault.Sign(w.coordinator, epoch);
       },
       kInvalid},
  };
  Check(rows);
}

TEST(Vault, EntriesOfOtherTypesAreUnsupported) {
  for (const std::uint8_t type : Bytes{0, 8, 255}) {
    World world;
    EntryHeader header = world.vault.Next(world.coordinator);
    header.type = type;
    Vault vault = world.vault.vault();
    EXPECT_EQ(CodeOf(vault.Append(
                  support::SignRaw(header, Bytes(6), world.coordinator.device().signing_key()),
                  world.realm.roster())),
              kUnsupported)
        << int{type};
  }
  // Which of them are known to the protocol shows by the order of checks: prev comes between.
  for (const auto& [type, want] :
       {std::pair{std::uint8_t{7}, kFork}, std::pair{std::uint8_t{8}, kUnsupported},
        std::pair{std::uint8_t{0}, kUnsupported}}) {
    World world;
    EntryHeader header = world.vault.Next(world.coordinator);
    header.type = type;
    header.prev = {};
    EXPECT_EQ(CodeOf(world.vault.vault().Judge(
                  support::SignRaw(header, {}, world.coordinator.device().signing_key()),
                  world.realm.roster())),
              want);
  }
}

TEST(Vault, ACreateIsByARoleOfThatKindInThatRealm) {
  const struct {
    const char* name;
    Compartment compartment;
    Roles roles;
    std::uint8_t kind;
    const char* want;
  } rows[] = {
      {"case by caseworker", Compartment::kCases, kCaseworker, 9, kOk},
      {"case by intake", Compartment::kCases, kIntake, 9, kOk},
      {"case by supervisor", Compartment::kCases, kSupervisor, 9, kInvalid},
      {"case by auditor", Compartment::kCases, kAuditor, 9, kInvalid},
      {"case by owner", Compartment::kCases, kOwner, 9, kInvalid},
      {"directory by owner", Compartment::kCases, kOwner, 1, kOk},
      {"directory by admin", Compartment::kCases, kAdmin, 1, kOk},
      {"directory by caseworker", Compartment::kCases, kCaseworker, 1, kInvalid},
      {"person in cases", Compartment::kCases, kCaseworker, 7, kInvalid},
      {"person in identity", Compartment::kIdentity, kCaseworker, 7, kOk},
      {"person by supervisor", Compartment::kIdentity, kSupervisor, 7, kInvalid},
      {"leg by route", Compartment::kJourneys, kRoute, 17, kOk},
      {"leg by owner", Compartment::kJourneys, kOwner, 17, kInvalid},
      {"ledger in journeys", Compartment::kJourneys, kRoute, 18, kInvalid},
      {"ledger by intake", Compartment::kIdentity, kIntake, 18, kOk},
      {"kind 0", Compartment::kCases, kCaseworker, 0, kUnsupported},
      {"kind 19", Compartment::kCases, kCaseworker, 19, kUnsupported},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    TestRealm realm(row.compartment);
    const auto& author = realm.AddWithoutPuk(row.roles);
    EntryHeader header;
    header.realm = realm.roster().realm();
    header.author_member = author.id;
    header.author_device = author.device().id();
    header.roster_seq = realm.roster().head_seq();
    header.roster_head = realm.roster().head();
    const auto created = SignCreate(header, Create{{1}, row.kind}, author.device().signing_key());
    Vault vault;
    EXPECT_EQ(CodeOf(vault.Append(created.entry, realm.roster())), row.want);
    EXPECT_EQ(vault.empty(), row.want != std::string(kOk));
    if (!vault.empty()) {
      EXPECT_EQ(vault.id(), created.vault);
    }
    // An id that is not made from these bytes.
    header.vault = base::VaultId(std::array<std::uint8_t, 16>{1});
    EXPECT_EQ(CodeOf(Vault().Append(
                  SignEntry(header, Create{{1}, row.kind}, author.device().signing_key()),
                  realm.roster())),
              kInvalid);
  }
}

TEST(Vault, AnEpochListsTwoThousandMembersAtMost) {
  // As many as GENESIS holds, and the rest one by one.
  std::vector<support::Founder> founders(1);
  founders.resize(1'150, {kCaseworker, 0});
  TestRealm realm(Compartment::kCases, founders, TestRealm::EvaluationPolicy());
  auto& coordinator = realm.Add(kCoordinator);
  TestVault vault(realm, Kind::kCase, coordinator);
  MemberList list = vault.ListOf({{&coordinator, 7}});
  for (std::size_t i = 1; i < founders.size(); ++i) list[realm.person(i).id] = {kRead, 0};
  while (list.size() < 2'000) list[realm.AddWithoutPuk(kCaseworker).id] = {kRead, 0};
  const auto rekeyed = [&] {
    return CodeOf(vault.vault().Judge(vault.Sign(coordinator, vault.RekeyingOf(list).epoch.payload),
                                      realm.roster()));
  };
  EXPECT_EQ(rekeyed(), kOk);
  list[realm.AddWithoutPuk(kCaseworker).id] = {kRead, 0};
  EXPECT_EQ(rekeyed(), kInvalid);
}

TEST(Vault, BeginsWithCreate) {
  World world;
  EntryHeader header = world.vault.Next(world.coordinator);
  header.seq = 0;
  header.prev = header.epoch_link = header.pin_link = {};
  for (const EntryPayload& payload :
       std::vector<EntryPayload>{Epoch(), Rev(), Tomb(), State(), Assent(), Ask()}) {
    // Even under the id that these very bytes would give.
    header.vault = {};
    const Bytes unnamed = SignEntry(header, payload, world.coordinator.device().signing_key());
    header.vault = VaultIdOf(ReadEntry(unnamed)->body);
    EXPECT_EQ(
        CodeOf(Vault().Append(SignEntry(header, payload, world.coordinator.device().signing_key()),
                              world.realm.roster())),
        kInvalid);
  }
}

// The list as a table: what becomes of a row when the roster moves on.
TEST(Vault, WantIsTheListAsTheRosterHasIt) {
  TestRealm realm(Compartment::kIdentity);
  auto& plain = realm.Add(kCaseworker);
  auto& removed = realm.Add(kCaseworker);
  auto& revoked = realm.Add(kCaseworker);
  auto& rotated = realm.Add(kCaseworker);
  auto& no_puk = realm.AddWithoutPuk(kCaseworker);
  auto& supervisor = realm.Add(kSupervisor);
  auto& intake = realm.Add(kIntake);
  auto& both = realm.Add(kCaseworker | kSupervisor);
  auto& owner = realm.person(0);
  realm.Remove(removed);
  realm.RevokeByRoot(revoked, 0);
  realm.RotatePuk(rotated);
  const std::uint64_t head = realm.roster().head_seq();
  const struct {
    const char* name;
    const Person& person;
    Kind kind;
    Perm perm;
    std::optional<MemberRow> want;
  } rows[] = {
      {"as it is", plain, Kind::kPerson, 7, MemberRow{7, 1}},
      {"reads", plain, Kind::kPerson, 1, MemberRow{1, 1}},
      {"removed", removed, Kind::kPerson, 7, std::nullopt},
      {"without devices", revoked, Kind::kPerson, 7, MemberRow{7, 0}},
      {"rotated", rotated, Kind::kPerson, 3, MemberRow{3, 2}},
      {"without a PUK", no_puk, Kind::kPerson, 3, MemberRow{3, 0}},
      {"supervisor with all", supervisor, Kind::kPerson, 7, MemberRow{4, 1}},
      {"supervisor who would read", supervisor, Kind::kPerson, 3, std::nullopt},
      {"supervisor in an index", supervisor, Kind::kIndex, 7, MemberRow{7, 1}},
      {"intake with all", intake, Kind::kPerson, 7, MemberRow{2, 0}},
      {"intake who would read", intake, Kind::kPerson, 1, std::nullopt},
      {"intake in a ledger", intake, Kind::kLedger, 7, MemberRow{7, 1}},
      {"two roles, the one that leaves most", both, Kind::kPerson, 7, MemberRow{7, 1}},
      {"owner in a person", owner, Kind::kPerson, 7, std::nullopt},
      {"owner in the directory", owner, Kind::kDirectory, 7, MemberRow{7, 1}},
      {"caseworker in the directory", plain, Kind::kDirectory, 7, MemberRow{1, 1}},
      {"caseworker of the audit", plain, Kind::kAudit, 7, std::nullopt},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    // The gen that the list had does not matter.
    for (const std::uint32_t gen : {0u, 1u, 7u}) {
      const MemberList list{{row.person.id, {row.perm, gen}}};
      const MemberList want = Want(list, row.kind, realm.roster(), head);
      if (!row.want) {
        EXPECT_TRUE(want.empty());
        continue;
      }
      ASSERT_EQ(want.size(), 1U);
      EXPECT_EQ(want.begin()->second, *row.want);
      EpochInForce epoch;
      epoch.list = list;
      EXPECT_EQ(IsFresh(epoch, row.kind, realm.roster(), head), want == list);
      epoch.list = want;
      EXPECT_TRUE(IsFresh(epoch, row.kind, realm.roster(), head));
      epoch.rec_gen = 1;
      EXPECT_FALSE(IsFresh(epoch, row.kind, realm.roster(), head));
    }
  }
  // As of an older statement.
  const MemberList list{{removed.id, {7, 1}}, {rotated.id, {7, 1}}};
  EXPECT_EQ(Want(list, Kind::kPerson, realm.roster(), head - 3), list);
  const base::MemberId nobody(std::array<std::uint8_t, 16>{1});
  EXPECT_TRUE(Want({{nobody, {7, 1}}}, Kind::kPerson, realm.roster(), head).empty());
}

RC_GTEST_PROP(VaultProperty, WantIsWhatItIsOfItself, ()) {
  static TestRealm* const realm = [] {
    auto* made = new TestRealm(Compartment::kCases, {{kOwner, 1}, {kAdmin, 1}, {kAuditor, 1}});
    made->Add(kCoordinator);
    made->Add(kCaseworker);
    made->Add(kSupervisor);
    made->Add(kIntake);
    made->AddWithoutPuk(kCaseworker | kSupervisor);
    made->RevokeByRoot(made->Add(kCoordinator), 0);
    made->Remove(made->Add(kCoordinator));
    made->RotatePuk(made->person(3));
    return made;
  }();
  const auto kind = Kind{*rc::gen::inRange<std::uint8_t>(1, kLastKind + 1)};
  const std::uint64_t r = *rc::gen::inRange<std::uint64_t>(0, realm->roster().size());
  MemberList list;
  for (std::size_t i = 0; i < 10; ++i) {
    const Perm perm = *rc::gen::elementOf(std::vector<Perm>{0, 1, 2, 3, 4, 7});
    if (perm != 0) list[realm->person(i).id] = {perm, *rc::gen::inRange<std::uint32_t>(0, 3)};
  }
  const MemberList want = Want(list, kind, realm->roster(), r);
  RC_ASSERT(Want(want, kind, realm->roster(), r) == want);
  for (const auto& [member, row] : want) {
    // Nobody is added, nobody gains a bit, nobody keeps what the kind denies.
    RC_ASSERT(list.contains(member));
    RC_ASSERT((row.perm & ~list.at(member).perm) == 0);
    RC_ASSERT(IsAllowed(kind, realm->roster().RolesAt(member, r), row.perm));
    RC_ASSERT(realm->roster().IsMemberAt(member, r));
    const auto* puk = realm->roster().UsablePukAt(member, r);
    RC_ASSERT(row.puk_gen == (row.perm == kWrite || puk == nullptr ? 0 : puk->gen));
  }
}

// Rule (c).
TEST(Vault, EpochOneIsByTheMakerOrAnImporterBesideAManager) {
  struct First {
    TestRealm realm{Compartment::kCases};
    Person& coordinator = realm.Add(kCoordinator);
    Person& second = realm.Add(kCoordinator);
    Person& caseworker = realm.Add(kCaseworker);
    Person& intake = realm.Add(kIntake);
    Person& other_intake = realm.Add(kIntake);
    Person& without_puk = realm.AddWithoutPuk(kCoordinator);
  };
  using Members = std::function<TestVault::Members(First&)>;
  using Who = std::function<Person&(First&)>;
  const Who coordinator = [](First& f) -> Person& { return f.coordinator; };
  const Who second = [](First& f) -> Person& { return f.second; };
  const Who caseworker = [](First& f) -> Person& { return f.caseworker; };
  const Who intake = [](First& f) -> Person& { return f.intake; };
  const Who other_intake = [](First& f) -> Person& { return f.other_intake; };
  const struct {
    const char* name;
    Who creator;
    Who author;
    Members members;
    const char* want;
  } rows[] = {
      {"by its maker with 7", coordinator, coordinator,
       [](First& f) {
         return TestVault::Members{{&f.coordinator, 7}};
       },
       kOk},
      {"by its maker with 3", caseworker, caseworker,
       [](First& f) {
         return TestVault::Members{{&f.caseworker, 3}, {&f.coordinator, 7}};
       },
       kInvalid},
      {"by another manager", coordinator, second,
       [](First& f) {
         return TestVault::Members{{&f.coordinator, 7}, {&f.second, 7}};
       },
       kInvalid},
      {"by its maker, not listed", coordinator, coordinator,
       [](First& f) {
         return TestVault::Members{{&f.second, 7}};
       },
       kInvalid},
      {"by intake beside a manager", intake, intake,
       [](First& f) {
         return TestVault::Members{{&f.intake, 2}, {&f.coordinator, 7}};
       },
       kOk},
      {"by another intake than the maker", other_intake, intake,
       [](First& f) {
         return TestVault::Members{{&f.intake, 2}, {&f.coordinator, 7}};
       },
       kOk},
      {"by intake of a coordinator's vault", coordinator, intake,
       [](First& f) {
         return TestVault::Members{{&f.intake, 2}, {&f.coordinator, 7}};
       },
       kInvalid},
      {"by intake alone", intake, intake,
       [](First& f) {
         return TestVault::Members{{&f.intake, 2}};
       },
       kInvalid},
      {"by intake beside a writer", intake, intake,
       [](First& f) {
         return TestVault::Members{{&f.intake, 2}, {&f.caseworker, 3}};
       },
       kInvalid},
      {"by intake beside a manager who cannot open it", intake, intake,
       [](First& f) {
         return TestVault::Members{{&f.intake, 2}, {&f.without_puk, 7}};
       },
       kInvalid},
      {"with another's perm 2", coordinator, coordinator,
       [](First& f) {
         return TestVault::Members{{&f.coordinator, 7}, {&f.intake, 2}};
       },
       kInvalid},
      {"with two of perm 2", intake, intake,
       [](First& f) {
         return TestVault::Members{{&f.intake, 2}, {&f.other_intake, 2}, {&f.coordinator, 7}};
       },
       kInvalid},
      {"by nobody's list", coordinator, coordinator, [](First&) { return TestVault::Members{}; },
       kInvalid},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    First first;
    TestVault vault(first.realm, Kind::kCase, row.creator(first));
    const auto epoch = vault.RekeyingOf(vault.ListOf(row.members(first))).epoch.payload;
    Vault judged = vault.vault();
    EXPECT_EQ(CodeOf(judged.Append(vault.Sign(row.author(first), epoch), first.realm.roster())),
              row.want);
  }
  // Conditions that a list cannot show.
  First first;
  TestVault vault(first.realm, Kind::kCase, first.coordinator);
  const auto good = vault.RekeyingOf(vault.ListOf({{&first.coordinator, 7}})).epoch.payload;
  const auto code = [&](const std::function<void(Epoch&)>& change) {
    Epoch epoch = good;
    change(epoch);
    return CodeOf(vault.vault().Judge(vault.Sign(first.coordinator, epoch), first.realm.roster()));
  };
  EXPECT_EQ(code([](Epoch&) {}), kOk);
  EXPECT_EQ(code([](Epoch& e) { e.epoch = 0; }), kInvalid);
  EXPECT_EQ(code([](Epoch& e) { e.epoch = 2; }), kInvalid);
  EXPECT_EQ(code([](Epoch& e) { e.request = base::Link(std::array<std::uint8_t, 32>{1}); }),
            kInvalid);
  EXPECT_EQ(code([](Epoch& e) { e.rec_gen = 1; }), kInvalid);
  EXPECT_EQ(code([](Epoch& e) { e.wraps[0] = {}; }), kInvalid);
  EXPECT_EQ(code([](Epoch& e) { e.wraps[1] = {}; }), kInvalid);
  // Nothing but an epoch 1 follows CREATE.
  Rev rev;
  rev.record = vault.NewRecord();
  rev.rver = 1;
  rev.epoch = 0;
  rev.ct_len = 1024 + 16;
  EXPECT_EQ(CodeOf(vault.vault().Judge(vault.Sign(first.coordinator, rev), first.realm.roster())),
            kInvalid);
}

// Epoch 1 is at seq 1 in every chain that Judge took; as a rule of its own it guards cold reading.
TEST(Vault, EpochOneStandsAtSeqOne) {
  World world;
  const Epoch epoch = world.vault.epoch(1);
  EntryHeader header = ReadEntry(world.vault.entries()[1])->header;
  const auto code = [&] {
    const EpochInForce none;
    const EpochPlace place{Kind::kCase, world.coordinator.id, header.roster_seq, none, {}};
    return CodeOf(CheckEpoch(header, epoch, place, world.realm.roster(), header.roster_seq));
  };
  EXPECT_EQ(code(), kOk);
  header.seq = 2;
  EXPECT_EQ(code(), kInvalid);
}

TEST(Vault, AnEpochListsItsMembersAsTheRosterHasThem) {
  const auto edit = [](const std::function<void(World&, MemberList&)>& change) {
    return [change](World& w) {
      MemberList list = w.Wanted();
      change(w, list);
      Epoch epoch;
      epoch.epoch = w.vault.vault().epoch().number + 1;
      for (const auto& [member, row] : list) epoch.list[member] = {row.perm, row.puk_gen, {}};
      return w.vault.Sign(w.coordinator, epoch);
    };
  };
  const auto change = [](const std::function<void(World&, Epoch&)>& edit_epoch) {
    return [edit_epoch](World& w) {
      return w.Rekeyed(w.coordinator, w.Wanted(), [&](Epoch& epoch) { edit_epoch(w, epoch); });
    };
  };
  const Row rows[] = {
      {"as it is", edit([](World&, MemberList&) {}), kOk},
      {"a removed member", edit([](World& w, MemberList&) { w.realm.Remove(w.reader); }), kInvalid},
      {"a gen that was", edit([](World& w, MemberList&) { w.realm.RotatePuk(w.reader); }),
       kInvalid},
      {"a gen that is not yet",
       edit([](World& w, MemberList& l) { l.at(w.reader.id).puk_gen = 2; }), kInvalid},
      {"a gen for a member without devices",
       edit([](World& w, MemberList&) { w.realm.RevokeByRoot(w.reader, 0); }), kInvalid},
      {"no gen for a member with a PUK",
       edit([](World& w, MemberList& l) { l.at(w.reader.id).puk_gen = 0; }), kInvalid},
      {"nobody known", edit([](World&, MemberList& l) {
         l[base::MemberId(std::array<std::uint8_t, 16>{1})] = {1, 1};
       }),
       kInvalid},
      {"an owner", edit([](World& w, MemberList& l) {
         l[w.owner.id] = {1, 1};
       }),
       kInvalid},
      {"a supervisor with 7", edit([](World& w, MemberList& l) { l.at(w.supervisor.id).perm = 7; }),
       kInvalid},
      {"a supervisor with 4", edit([](World& w, MemberList& l) { l.at(w.supervisor.id).perm = 4; }),
       kInvalid},
      {"perm 0", edit([](World& w, MemberList& l) { l.at(w.reader.id).perm = 0; }), kInvalid},
      {"perm 5", edit([](World& w, MemberList& l) { l.at(w.reader.id).perm = 5; }), kInvalid},
      {"perm 6", edit([](World& w, MemberList& l) { l.at(w.reader.id).perm = 6; }), kInvalid},
      {"perm 8", edit([](World& w, MemberList& l) { l.at(w.reader.id).perm = 8; }), kInvalid},
      {"perm 0x81", edit([](World& w, MemberList& l) { l.at(w.reader.id).perm = 0x81; }), kInvalid},
      {"an importer's row in epoch 2", edit([](World& w, MemberList& l) {
         l[w.intake.id] = {2, 0};
       }),
       kInvalid},
      {"an importer with a box", edit([](World& w, MemberList& l) {
         l[w.intake.id] = {2, 1};
       }),
       kInvalid},
      {"intake who reads", edit([](World& w, MemberList& l) {
         l[w.intake.id] = {1, 1};
       }),
       kInvalid},
      {"more than 2,000", edit([](World&, MemberList& l) {
         for (std::size_t i = 0; i < 2001; ++i) {
           l[base::MemberId(std::array<std::uint8_t, 16>{1, static_cast<std::uint8_t>(i >> 8),
                                                         static_cast<std::uint8_t>(i)})] = {1, 1};
         }
       }),
       kInvalid},
      {"number again", change([](World&, Epoch& e) { e.epoch = 1; }), kInvalid},
      {"number skips", change([](World&, Epoch& e) { e.epoch = 3; }), kInvalid},
      {"wraps itself", change([](World&, Epoch& e) { e.wraps[2] = {}; }), kInvalid},
      {"wraps epoch 0", change([](World&, Epoch& e) { e.wraps[0] = {}; }), kInvalid},
      {"no wraps", change([](World&, Epoch& e) { e.wraps.clear(); }), kOk},
      {"a box hash for no key",
       [](World& w) {
         w.realm.RevokeByRoot(w.reader, 0);
         return w.Rekeyed(w.coordinator, w.Wanted(), [&](Epoch& e) {
           e.list.at(w.reader.id).box_hash = base::Sha256Hash(std::array<std::uint8_t, 32>{1});
         });
       },
       kInvalid},
      {"a recovery box for none", change([](World&, Epoch& e) {
         e.rec_box_hash = base::Sha256Hash(std::array<std::uint8_t, 32>{1});
       }),
       kInvalid},
      {"a recovery gen that is none", change([](World&, Epoch& e) { e.rec_gen = 1; }), kInvalid},
      {"a recovery request of nothing",
       change([](World&, Epoch& e) { e.request = base::Link(std::array<std::uint8_t, 32>{1}); }),
       kInvalid},
      {"a guest in a case", change([](World&, Epoch& e) { e.guests[{}] = {}; }), kInvalid},
      {"an author who is not listed",
       [](World& w) { return w.Edited(w.second, [&](MemberList& l) { l.erase(w.second.id); }); },
       kInvalid},
      {"an author listed to read",
       [](World& w) {
         return w.Edited(w.second, [&](MemberList& l) { l.at(w.second.id).perm = 1; });
       },
       kInvalid},
  };
  Check(rows);
}

TEST(Vault, AnEpochHasAtMostEightWraps) {
  World world;
  for (int i = 0; i < 9; ++i) world.vault.Refresh(world.coordinator);
  ASSERT_EQ(world.vault.vault().epoch().number, 10U);
  const auto code = [&](std::uint32_t wraps) {
    Epoch epoch = world.vault.RekeyingOf(world.Wanted()).epoch.payload;
    epoch.wraps.clear();
    for (std::uint32_t older = 1; older <= wraps; ++older) epoch.wraps[older] = {};
    return CodeOf(world.vault.vault().Judge(world.vault.Sign(world.coordinator, epoch),
                                            world.realm.roster()));
  };
  EXPECT_EQ(code(8), kOk);
  EXPECT_EQ(code(9), kInvalid);
}

// Rule (a): whoever reads and writes renews the list and changes nothing in it.
TEST(Vault, AWriterRekeysForTheListAsItIs) {
  const Row rows[] = {
      {"same list", [](World& w) { return w.Edited(w.caseworker, [](MemberList&) {}); }, kOk},
      {"by a supervisor who writes",
       [](World& w) { return w.Edited(w.supervisor, [](MemberList&) {}); }, kOk},
      {"after a removal",
       [](World& w) {
         w.realm.Remove(w.reader);
         return w.Edited(w.caseworker, [](MemberList&) {});
       },
       kOk},
      {"after the removal of a guard",
       [](World& w) {
         w.realm.Remove(w.second);
         return w.Edited(w.caseworker, [](MemberList&) {});
       },
       kOk},
      {"after a rotation",
       [](World& w) {
         w.realm.RotatePuk(w.reader);
         return w.Edited(w.caseworker, [](MemberList&) {});
       },
       kOk},
      {"suspends who lost the devices",
       [](World& w) {
         w.realm.RevokeByRoot(w.second, 0);
         return w.Edited(w.caseworker, [](MemberList&) {});
       },
       kOk},
      {"by a reader", [](World& w) { return w.Edited(w.reader, [](MemberList&) {}); }, kInvalid},
      {"by an outsider", [](World& w) { return w.Edited(w.outsider, [](MemberList&) {}); },
       kInvalid},
      {"adds a member",
       [](World& w) {
         return w.Edited(w.caseworker,
                         [&](MemberList& l) { l[w.outsider.id] = w.RowOf(w.outsider, 1); });
       },
       kInvalid},
      {"drops a member",
       [](World& w) {
         return w.Edited(w.caseworker, [&](MemberList& l) { l.erase(w.reader.id); });
       },
       kInvalid},
      {"lowers a member",
       [](World& w) {
         return w.Edited(w.caseworker, [&](MemberList& l) { l.at(w.supervisor.id).perm = 1; });
       },
       kInvalid},
      {"raises a member",
       [](World& w) {
         return w.Edited(w.caseworker, [&](MemberList& l) { l.at(w.reader.id).perm = 3; });
       },
       kInvalid},
      {"raises the author",
       [](World& w) {
         return w.Edited(w.caseworker, [&](MemberList& l) { l.at(w.caseworker.id).perm = 7; });
       },
       kInvalid},
      {"a reader who raises himself",
       [](World& w) {
         return w.Edited(w.reader, [&](MemberList& l) { l.at(w.reader.id).perm = 3; });
       },
       kInvalid},
      {"an outsider who lists himself",
       [](World& w) {
         return w.Edited(w.outsider,
                         [&](MemberList& l) { l[w.outsider.id] = w.RowOf(w.outsider, 7); });
       },
       kInvalid},
  };
  Check(rows);
}

// Rule (b): whoever manages changes the list, but takes nothing from a guard and gains nothing.
TEST(Attack, Row53_NoManagerHidesAVaultFromItsGuards) {
  const Row rows[] = {
      {"adds a reader",
       [](World& w) {
         return w.Edited(w.coordinator,
                         [&](MemberList& l) { l[w.outsider.id] = w.RowOf(w.outsider, 1); });
       },
       kOk},
      {"adds a manager who guards nothing",
       [](World& w) {
         return w.Edited(w.coordinator,
                         [&](MemberList& l) { l[w.outsider.id] = w.RowOf(w.outsider, 7); });
       },
       kOk},
      {"drops a caseworker",
       [](World& w) {
         return w.Edited(w.coordinator, [&](MemberList& l) { l.erase(w.caseworker.id); });
       },
       kOk},
      {"lowers a supervisor, who guards no case",
       [](World& w) {
         return w.Edited(w.coordinator, [&](MemberList& l) { l.at(w.supervisor.id).perm = 1; });
       },
       kOk},
      {"drops a coordinator",
       [](World& w) {
         return w.Edited(w.coordinator, [&](MemberList& l) { l.erase(w.second.id); });
       },
       kInvalid},
      {"lowers a coordinator to write",
       [](World& w) {
         return w.Edited(w.coordinator, [&](MemberList& l) { l.at(w.second.id).perm = 3; });
       },
       kInvalid},
      {"lowers a coordinator to read",
       [](World& w) {
         return w.Edited(w.coordinator, [&](MemberList& l) { l.at(w.second.id).perm = 1; });
       },
       kInvalid},
      {"lowers a coordinator to manage alone",
       [](World& w) {
         return w.Edited(w.coordinator, [&](MemberList& l) { l.at(w.second.id).perm = 4; });
       },
       kInvalid},
      {"drops a suspended coordinator",
       [](World& w) {
         w.realm.RevokeByRoot(w.second, 0);
         return w.Edited(w.coordinator, [&](MemberList& l) { l.erase(w.second.id); });
       },
       kInvalid},
      {"a guard leaves the rights to manage by the own epoch",
       [](World& w) {
         return w.Edited(w.coordinator, [&](MemberList& l) { l.at(w.coordinator.id).perm = 3; });
       },
       kOk},
      {"a guard left by removal",
       [](World& w) {
         w.realm.Remove(w.second);
         return w.Edited(w.coordinator,
                         [&](MemberList& l) { l[w.outsider.id] = w.RowOf(w.outsider, 1); });
       },
       kOk},
      {"a manager who is no guard drops a coordinator",
       [](World& w) {
         MemberList list = w.Wanted();
         list[w.outsider.id] = w.RowOf(w.outsider, 7);
         w.vault.Rekey(w.coordinator, list);
         return w.Edited(w.outsider, [&](MemberList& l) { l.erase(w.coordinator.id); });
       },
       kInvalid},
      {"the last manager leaves no manager",
       [](World& w) {
         w.realm.Remove(w.second);
         return w.Edited(w.coordinator, [&](MemberList& l) { l.at(w.coordinator.id).perm = 3; });
       },
       kInvalid},
      {"leaves one manager who cannot open it",
       [](World& w) {
         w.realm.RevokeByRoot(w.second, 0);
         return w.Edited(w.coordinator, [&](MemberList& l) { l.at(w.coordinator.id).perm = 3; });
       },
       kInvalid},
  };
  Check(rows);

  // The guards of the other kinds.
  TestRealm realm(Compartment::kIdentity, {{kOwner, 1}, {kOwner, 1}, {kAdmin, 1}, {kAuditor, 1}});
  auto& owner = realm.person(0);
  auto& second_owner = realm.person(1);
  auto& admin = realm.person(2);
  auto& caseworker = realm.Add(kCaseworker);
  auto& supervisor = realm.Add(kSupervisor);
  auto& second_supervisor = realm.Add(kSupervisor);
  const auto code = [&](TestVault& vault, const Person& author,
                        const std::function<void(MemberList&)>& edit) {
    MemberList list = vault.vault().epoch().list;
    edit(list);
    return CodeOf(vault.vault().Judge(vault.Sign(author, vault.RekeyingOf(list).epoch.payload),
                                      realm.roster()));
  };
  TestVault directory(realm, Kind::kDirectory, owner,
                      {{&owner, 7}, {&second_owner, 7}, {&admin, 7}});
  EXPECT_EQ(code(directory, admin, [&](MemberList& l) { l.erase(owner.id); }), kInvalid);
  EXPECT_EQ(code(directory, owner, [&](MemberList& l) { l.erase(second_owner.id); }), kInvalid);
  EXPECT_EQ(code(directory, owner, [&](MemberList& l) { l.erase(admin.id); }), kOk);
  TestVault person(realm, Kind::kPerson, caseworker,
                   {{&caseworker, 7}, {&supervisor, 4}, {&second_supervisor, 4}});
  EXPECT_EQ(code(person, caseworker, [&](MemberList& l) { l.erase(supervisor.id); }), kInvalid);
  EXPECT_EQ(code(person, supervisor, [&](MemberList& l) { l.erase(second_supervisor.id); }),
            kInvalid);
  EXPECT_EQ(code(person, supervisor, [&](MemberList& l) { l.erase(caseworker.id); }), kOk);
}

TEST(Vault, AManagerGainsNoRightByTheOwnEpoch) {
  TestRealm realm(Compartment::kIdentity);
  auto& caseworker = realm.Add(kCaseworker);
  auto& both = realm.Add(kCaseworker | kSupervisor);
  TestVault person(realm, Kind::kPerson, caseworker, {{&caseworker, 7}, {&both, 4}});
  MemberList list = person.vault().epoch().list;
  list.at(both.id).perm = 7;
  const auto epoch = person.RekeyingOf(list).epoch.payload;
  // Their roles would allow it; another manager may give it, they may not take it.
  EXPECT_EQ(CodeOf(person.vault().Judge(person.Sign(both, epoch), realm.roster())), kInvalid);
  EXPECT_EQ(CodeOf(person.vault().Judge(person.Sign(caseworker, epoch), realm.roster())), kOk);
}

TEST(Vault, ASuspendedMemberWritesNothing) {
  const Row rows[] = {
      {"REV of a suspended author",
       [](World& w) {
         // A newcomer without a PUK has a device that signs, and no box.
         auto& newcomer = w.realm.AddWithoutPuk(kCaseworker);
         MemberList list = w.Wanted();
         list[newcomer.id] = {3, 0};
         w.vault.Rekey(w.coordinator, list);
         return w.Write(newcomer);
       },
       kInvalid},
      {"EPOCH of a suspended author",
       [](World& w) {
         auto& newcomer = w.realm.AddWithoutPuk(kCoordinator);
         MemberList list = w.Wanted();
         list[newcomer.id] = {7, 0};
         w.vault.Rekey(w.coordinator, list);
         return w.Edited(newcomer, [](MemberList&) {});
       },
       kInvalid},
      {"TOMB of a suspended author",
       [](World& w) {
         auto& newcomer = w.realm.AddWithoutPuk(kCoordinator);
         MemberList list = w.Wanted();
         list[newcomer.id] = {7, 0};
         w.vault.Rekey(w.coordinator, list);
         return w.Tombed(newcomer);
       },
       kInvalid},
  };
  Check(rows);
}

TEST(Vault, ARevFollowsItsRecordUnderAFreshEpoch) {
  const Row rows[] = {
      {"next", [](World& w) { return w.Write(w.caseworker); }, kOk},
      {"by a colleague who writes", [](World& w) { return w.Write(w.supervisor); }, kOk},
      {"by a reader", [](World& w) { return w.Write(w.reader); }, kInvalid},
      {"by an outsider", [](World& w) { return w.Write(w.outsider); }, kInvalid},
      {"by an owner", [](World& w) { return w.Write(w.owner); }, kInvalid},
      {"rver again", [](World& w) { return w.Write(w.caseworker, [](Rev& r) { r.rver = 1; }); },
       kInvalid},
      {"rver skips", [](World& w) { return w.Write(w.caseworker, [](Rev& r) { ++r.rver; }); },
       kInvalid},
      {"rver 0", [](World& w) { return w.Write(w.caseworker, [](Rev& r) { r.rver = 0; }); },
       kInvalid},
      {"rprev zero", [](World& w) { return w.Write(w.caseworker, [](Rev& r) { r.rprev = {}; }); },
       kInvalid},
      {"rprev of another record",
       [](World& w) {
         return w.Write(w.caseworker, [&](Rev& r) { r.rprev = w.vault.vault().pin_link(); });
       },
       kInvalid},
      {"a new record with rprev",
       [](World& w) {
         return w.Write(w.caseworker, [&](Rev& r) {
           r.record = w.vault.NewRecord();
           r.rver = 1;
         });
       },
       kInvalid},
      {"a new record with rver 2",
       [](World& w) {
         return w.Write(w.caseworker, [&](Rev& r) {
           r.record = w.vault.NewRecord();
           r.rprev = {};
         });
       },
       kInvalid},
      {"a new record",
       [](World& w) {
         return w.Write(w.caseworker, [&](Rev& r) {
           r.record = w.vault.NewRecord();
           r.rver = 1;
           r.rprev = {};
         });
       },
       kOk},
      {"an older epoch",
       [](World& w) {
         w.vault.Refresh(w.caseworker);
         return w.Write(w.caseworker, [](Rev& r) { r.epoch = 1; });
       },
       kInvalid},
      {"an epoch to come",
       [](World& w) { return w.Write(w.caseworker, [](Rev& r) { ++r.epoch; }); }, kInvalid},
      {"forget by a writer",
       [](World& w) { return w.Write(w.caseworker, [](Rev& r) { r.flags = 1; }); }, kInvalid},
      {"decision by a writer",
       [](World& w) { return w.Write(w.caseworker, [](Rev& r) { r.flags = 2; }); }, kInvalid},
      {"forget and decision by a manager",
       [](World& w) { return w.Write(w.coordinator, [](Rev& r) { r.flags = 3; }); }, kOk},
      {"flag 4", [](World& w) { return w.Write(w.coordinator, [](Rev& r) { r.flags = 4; }); },
       kInvalid},
      {"flag 0x80", [](World& w) { return w.Write(w.coordinator, [](Rev& r) { r.flags = 0x80; }); },
       kInvalid},
      {"no room for a tag",
       [](World& w) { return w.Write(w.caseworker, [](Rev& r) { r.ct_len = 15; }); }, kInvalid},
      {"an empty text",
       [](World& w) { return w.Write(w.caseworker, [](Rev& r) { r.ct_len = 16; }); }, kInvalid},
      {"below the floor",
       [](World& w) { return w.Write(w.caseworker, [](Rev& r) { r.ct_len = 16 + 1023; }); },
       kInvalid},
      {"the pinned record's floor for a note",
       [](World& w) { return w.Write(w.caseworker, [](Rev& r) { r.ct_len = 16 + 256; }); },
       kInvalid},
      {"the floor without its tag",
       [](World& w) { return w.Write(w.caseworker, [](Rev& r) { r.ct_len = 1024; }); }, kInvalid},
      {"between two sizes",
       [](World& w) { return w.Write(w.caseworker, [](Rev& r) { r.ct_len = 16 + 1025; }); },
       kInvalid},
      {"the next size",
       [](World& w) { return w.Write(w.caseworker, [](Rev& r) { r.ct_len = 16 + 1088; }); }, kOk},
      {"1 MiB",
       [](World& w) { return w.Write(w.caseworker, [](Rev& r) { r.ct_len = 16 + (1 << 20); }); },
       kOk},
      {"a size above 1 MiB",
       [](World& w) {
         return w.Write(w.caseworker, [](Rev& r) { r.ct_len = 16 + (1 << 20) + (1 << 15); });
       },
       kInvalid},
      {"64 attachments",
       [](World& w) {
         return w.Write(w.caseworker, [](Rev& r) {
           for (std::uint8_t i = 0; i < 64; ++i) {
             r.attachments[base::AttachmentId(std::array<std::uint8_t, 16>{i})] = {
                 kMaxAttachmentSize, {}};
           }
         });
       },
       kOk},
      {"65 attachments",
       [](World& w) {
         return w.Write(w.caseworker, [](Rev& r) {
           for (std::uint8_t i = 0; i < 65; ++i) {
             r.attachments[base::AttachmentId(std::array<std::uint8_t, 16>{i})] = {};
           }
         });
       },
       kInvalid},
      {"an attachment above 1 GiB",
       [](World& w) {
         return w.Write(w.caseworker,
                        [](Rev& r) { r.attachments[{}].size = kMaxAttachmentSize + 1; });
       },
       kInvalid},
      {"after a removal",
       [](World& w) {
         w.realm.Remove(w.reader);
         return w.Write(w.caseworker);
       },
       kInvalid},
      {"after a rotation",
       [](World& w) {
         w.realm.RotatePuk(w.reader);
         return w.Write(w.caseworker);
       },
       kInvalid},
      {"citing the roster from before the rotation",
       [](World& w) {
         const Bytes entry = w.Write(w.caseworker);
         w.realm.RotatePuk(w.reader);
         return entry;
       },
       kOk},
      {"after a rekey",
       [](World& w) {
         w.realm.Remove(w.reader);
         w.vault.Refresh(w.caseworker);
         return w.Write(w.caseworker);
       },
       kOk},
      {"of a record that is gone",
       [](World& w) {
         const auto tomb = w.vault.TombOf(w.note);
         w.vault.WriteTomb(w.caseworker, w.note);
         return w.Write(w.caseworker, [&](Rev& r) {
           r.rver = tomb.rver + 1;
           r.rprev = w.vault.vault().head();
         });
       },
       kInvalid},
      {"of a record that is gone, from its start",
       [](World& w) {
         w.vault.WriteTomb(w.caseworker, w.note);
         return w.Write(w.caseworker, [&](Rev& r) {
           r.rver = 1;
           r.rprev = {};
         });
       },
       kInvalid},
      {"of the pinned record at its floor",
       [](World& w) {
         const auto rev = w.vault.Revision(w.coordinator, w.vault.vault().pinned_record(), "s").rev;
         EXPECT_EQ(rev.ct_len, 256U + 16U);
         return w.vault.Sign(w.coordinator, rev);
       },
       kOk},
  };
  Check(rows);
}

TEST(Vault, ATombIsByAManagerOrTheRecordsMaker) {
  const Row rows[] = {
      {"by its maker", [](World& w) { return w.Tombed(w.caseworker); }, kOk},
      {"by a manager", [](World& w) { return w.Tombed(w.coordinator); }, kOk},
      {"by another writer", [](World& w) { return w.Tombed(w.supervisor); }, kInvalid},
      {"by a later author",
       [](World& w) {
         w.vault.Write(w.supervisor, w.note, "changed");
         return w.Tombed(w.supervisor);
       },
       kInvalid},
      {"by its maker after a later author",
       [](World& w) {
         w.vault.Write(w.supervisor, w.note, "changed");
         return w.Tombed(w.caseworker);
       },
       kOk},
      {"by its maker who only reads now",
       [](World& w) {
         MemberList list = w.Wanted();
         list.at(w.caseworker.id).perm = 1;
         w.vault.Rekey(w.coordinator, list);
         return w.Tombed(w.caseworker);
       },
       kInvalid},
      {"by a reader", [](World& w) { return w.Tombed(w.reader); }, kInvalid},
      {"by an outsider", [](World& w) { return w.Tombed(w.outsider); }, kInvalid},
      {"reason 0", [](World& w) { return w.Tombed(w.coordinator, [](Tomb& t) { t.reason = 0; }); },
       kInvalid},
      {"reason 4", [](World& w) { return w.Tombed(w.coordinator, [](Tomb& t) { t.reason = 4; }); },
       kOk},
      {"reason 5", [](World& w) { return w.Tombed(w.coordinator, [](Tomb& t) { t.reason = 5; }); },
       kInvalid},
      {"rver again", [](World& w) { return w.Tombed(w.coordinator, [](Tomb& t) { --t.rver; }); },
       kInvalid},
      {"rver skips", [](World& w) { return w.Tombed(w.coordinator, [](Tomb& t) { ++t.rver; }); },
       kInvalid},
      {"rprev", [](World& w) { return w.Tombed(w.coordinator, [](Tomb& t) { t.rprev = {}; }); },
       kInvalid},
      {"of no record",
       [](World& w) {
         return w.Tombed(w.coordinator, [&](Tomb& t) {
           t.record = w.vault.NewRecord();
           t.rver = 1;
           t.rprev = {};
         });
       },
       kInvalid},
      {"twice",
       [](World& w) {
         w.vault.WriteTomb(w.coordinator, w.note);
         return w.Tombed(w.coordinator);
       },
       kInvalid},
      {"of the pinned record",
       [](World& w) {
         return w.vault.Sign(w.coordinator, w.vault.TombOf(w.vault.vault().pinned_record()));
       },
       kInvalid},
      {"under an epoch that is not fresh",
       [](World& w) {
         w.realm.RotatePuk(w.reader);
         return w.Tombed(w.coordinator);
       },
       kInvalid},
  };
  Check(rows);
}

TEST(Vault, ManageWithoutReadingDeletesNothing) {
  TestRealm realm(Compartment::kIdentity);
  auto& caseworker = realm.Add(kCaseworker);
  auto& supervisor = realm.Add(kSupervisor);
  TestVault person(realm, Kind::kPerson, caseworker, {{&caseworker, 7}, {&supervisor, 4}});
  const auto record = person.NewRecord();
  person.Write(caseworker, record, "name");
  EXPECT_EQ(
      CodeOf(person.vault().Judge(person.Sign(supervisor, person.TombOf(record)), realm.roster())),
      kInvalid);
  EXPECT_EQ(
      CodeOf(person.vault().Judge(
          person.Sign(supervisor, person.Revision(supervisor, record, "x").rev), realm.roster())),
      kInvalid);
}

// A vault as an import leaves it: epoch 1 by an importer who is listed with perm 2.
struct Imported {
  TestRealm realm{Compartment::kCases};
  Person& coordinator = realm.Add(kCoordinator);
  Person& second = realm.Add(kCoordinator);
  Person& caseworker = realm.Add(kCaseworker);
  Person& intake = realm.Add(kIntake);
  Person& other_intake = realm.Add(kIntake);
  TestVault vault{realm,
                  Kind::kCase,
                  intake,
                  {{&intake, 2}, {&coordinator, 7}, {&second, 7}, {&caseworker, 3}}};
  base::RecordId record = vault.NewRecord();

  Imported() { vault.WritePinned(intake, "imported"); }
  std::string Code(const Bytes& entry) const {
    return CodeOf(vault.vault().Judge(entry, realm.roster()));
  }
};

TEST(Attack, Row52_AnImporterNeverRekeys) {
  Imported world;
  const MemberList in_force = world.vault.vault().epoch().list;
  MemberList without = in_force;
  without.erase(world.intake.id);
  MemberList reads = in_force;
  reads.at(world.intake.id) = {1, 1};
  MemberList other = without;
  other[world.other_intake.id] = {2, 0};
  for (const MemberList& list : {in_force, without, reads, other}) {
    const auto epoch = world.vault.RekeyingOf(list).epoch.payload;
    EXPECT_EQ(world.Code(world.vault.Sign(world.intake, epoch)), kInvalid);
    EXPECT_EQ(world.Code(world.vault.Sign(world.other_intake, epoch)), kInvalid);
  }
  const auto rekeying = world.vault.RekeyingOf(without).epoch.payload;
  EXPECT_EQ(world.Code(world.vault.Sign(world.caseworker, rekeying)), kOk);
  EXPECT_EQ(world.Code(world.vault.Sign(world.coordinator, rekeying)), kOk);
  // Nobody keeps the row, under (a) or (b).
  const auto keeps = world.vault.RekeyingOf(in_force).epoch.payload;
  EXPECT_EQ(world.Code(world.vault.Sign(world.caseworker, keeps)), kInvalid);
  EXPECT_EQ(world.Code(world.vault.Sign(world.coordinator, keeps)), kInvalid);
  // Once rekeyed, the importer writes nothing more.
  world.vault.Refresh(world.caseworker);
  EXPECT_EQ(world.Code(world.vault.Sign(world.intake,
                                        world.vault.Revision(world.intake, world.record, "x").rev)),
            kInvalid);
}

TEST(Vault, AnImportersEpochTakesItsFirstRevisionsAlone) {
  Imported world;
  const auto write = [&](const Person& author, const base::RecordId& record) {
    return world.Code(world.vault.Sign(author, world.vault.Revision(author, record, "x").rev));
  };
  EXPECT_EQ(write(world.intake, world.record), kOk);
  EXPECT_EQ(write(world.coordinator, world.record), kInvalid);
  EXPECT_EQ(write(world.caseworker, world.record), kInvalid);
  EXPECT_EQ(write(world.other_intake, world.record), kInvalid);
  EXPECT_EQ(write(world.intake, world.vault.vault().pinned_record()), kInvalid);
  world.vault.Write(world.intake, world.record, "x");
  for (const auto* author : {&world.intake, &world.coordinator, &world.caseworker}) {
    EXPECT_EQ(world.Code(world.vault.Sign(*author, world.vault.TombOf(world.record))), kInvalid);
  }
  Rev forget = world.vault.Revision(world.intake, world.vault.NewRecord(), "x").rev;
  forget.flags = Rev::kForget;
  EXPECT_EQ(world.Code(world.vault.Sign(world.intake, forget)), kInvalid);
  world.vault.Refresh(world.coordinator);
  EXPECT_EQ(write(world.coordinator, world.record), kOk);
  EXPECT_EQ(write(world.caseworker, world.vault.vault().pinned_record()), kOk);
}

// Chains to play tricks with: several epochs, records of two authors, a removal.
struct Chain {
  World world;
  TestVault other{world.realm,
                  Kind::kCase,
                  world.coordinator,
                  {{&world.coordinator, 7}, {&world.second, 7}, {&world.caseworker, 3}}};

  Chain() {
    auto& vault = world.vault;
    vault.Write(world.supervisor, world.note, "changed");
    world.realm.Remove(world.reader);
    vault.Refresh(world.caseworker);
    vault.WritePinned(world.coordinator, "summary 2");
    vault.Write(world.caseworker, vault.NewRecord(), "b");
    vault.WriteTomb(world.coordinator, world.note);
    other.WritePinned(world.coordinator, "other");
    other.Write(world.caseworker, other.NewRecord(), "other");
  }
  // The first failing place of a sequence of entries, or its length.
  std::size_t Good(const std::vector<Bytes>& entries) const {
    Vault vault;
    std::size_t good = 0;
    for (const Bytes& entry : entries) {
      if (!vault.Append(entry, world.realm.roster())) break;
      ++good;
    }
    return good;
  }
};

TEST(Attack, Row17_NoOldEntryIsTakenAgain) {
  Chain chain;
  const Vault& vault = chain.world.vault.vault();
  for (const Bytes& entry : chain.world.vault.entries()) {
    const std::string before = Snapshot(vault);
    Vault copy = vault;
    EXPECT_EQ(CodeOf(copy.Append(entry, chain.world.realm.roster())), kFork);
    EXPECT_EQ(Snapshot(copy), before);
  }
  for (const Bytes& statement : chain.world.realm.statements()) {
    Roster roster = chain.world.realm.roster();
    EXPECT_EQ(CodeOf(roster.Append(statement)), kFork);
  }
}

TEST(Attack, Row24_EntriesKeepTheirOrderTheirVaultAndTheirRealm) {
  Chain chain;
  const std::vector<Bytes>& entries = chain.world.vault.entries();
  ASSERT_EQ(chain.Good(entries), entries.size());
  for (std::size_t i = 0; i + 1 < entries.size(); ++i) {
    // Swapped with the next.
    auto changed = entries;
    std::swap(changed[i], changed[i + 1]);
    EXPECT_EQ(chain.Good(changed), i);
    // Dropped.
    changed = entries;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(chain.Good(changed), i);
    // Twice.
    changed = entries;
    changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(i), entries[i]);
    EXPECT_EQ(chain.Good(changed), i + 1);
  }
  // Reflected from another vault.
  const auto& others = chain.other.entries();
  for (std::size_t i = 0; i < others.size(); ++i) {
    for (std::size_t at = 1; at <= entries.size(); ++at) {
      std::vector<Bytes> changed(entries.begin(),
                                 entries.begin() + static_cast<std::ptrdiff_t>(at));
      changed.push_back(others[i]);
      EXPECT_EQ(chain.Good(changed), at);
    }
  }
  // And the same bytes under the roster of another realm.
  TestRealm elsewhere(Compartment::kCases, {{kOwner, 1}}, "elsewhere");
  Vault vault;
  EXPECT_FALSE(vault.Append(entries.front(), elsewhere.roster()));
  EXPECT_TRUE(vault.empty());
}

RC_GTEST_PROP(Attack, Row24_NoPermutationOfAChainIsAChain, ()) {
  static const Chain* const chain = new Chain;
  const auto& entries = chain->world.vault.entries();
  std::vector<std::size_t> order(entries.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  for (std::size_t i = order.size(); i-- > 1;) {
    std::swap(order[i], order[*rc::gen::inRange<std::size_t>(0, i + 1)]);
  }
  std::vector<Bytes> permuted;
  std::size_t first_wrong = 0;
  while (first_wrong < order.size() && order[first_wrong] == first_wrong) ++first_wrong;
  for (const std::size_t i : order) permuted.push_back(entries[i]);
  RC_ASSERT(chain->Good(permuted) == first_wrong);
}

TEST(Attack, Row24_NoFlippedBitOfAnEntryIsTaken) {
  World world;
  const Bytes entry = world.Write(world.caseworker);
  for (std::size_t at = 0; at < entry.size(); ++at) {
    Bytes flipped = entry;
    flipped[at] = static_cast<std::uint8_t>(flipped[at] ^ 1u << at % 8);
    const std::string code = CodeOf(world.vault.vault().Judge(flipped, world.realm.roster()));
    // The version, and the statement to fetch, are read before the signature.
    const std::size_t roster_seq = 4 + 6 + 1 + 2 + 16 + 16 + 8 + 32 + 1 + 16 + 16;
    EXPECT_TRUE(code == kSig || (at == 10 && code == kUnsupported) ||
                (at >= roster_seq && at < roster_seq + 8 && code == kStaleRoster))
        << at << " " << code;
  }
}

TEST(Attack, Row28_NoEntryCitesAnOlderRosterThanTheLast) {
  World world;
  const std::uint64_t before = world.realm.roster().head_seq();
  // Somebody whom no list names is removed: the epoch stays fresh, the roster moves on.
  world.realm.Remove(world.outsider);
  const auto at = [&](std::uint64_t seq) {
    return world.Signed(world.caseworker, world.Revision(world.caseworker), [&](EntryHeader& h) {
      h.roster_seq = seq;
      h.roster_head = world.realm.roster().LinkAt(seq);
    });
  };
  EXPECT_EQ(CodeOf(world.vault.vault().Judge(at(before), world.realm.roster())), kOk);
  world.vault.Append(at(before + 1));
  EXPECT_EQ(CodeOf(world.vault.vault().Judge(at(before), world.realm.roster())), kInvalid);
  EXPECT_EQ(CodeOf(world.vault.vault().Judge(at(before + 1), world.realm.roster())), kOk);
}

TEST(Attack, Row47_AnEntrySignedUnderAnOldRosterIsNotAdmitted) {
  // The same entry, judged at its own statement and admitted at the roster's head.
  const struct {
    const char* name;
    std::function<Bytes(World&)> sign;
    std::function<void(World&)> then;
    const char* want;
  } rows[] = {
      {"nothing happened", [](World& w) { return w.Write(w.caseworker); }, [](World&) {}, kOk},
      {"a removal that concerns nobody here", [](World& w) { return w.Write(w.caseworker); },
       [](World& w) { w.realm.Remove(w.outsider); }, kOk},
      {"REV after a member's removal", [](World& w) { return w.Write(w.caseworker); },
       [](World& w) { w.realm.Remove(w.reader); }, "REKEY_REQUIRED"},
      {"REV after a rotation", [](World& w) { return w.Write(w.caseworker); },
       [](World& w) { w.realm.RotatePuk(w.reader); }, "REKEY_REQUIRED"},
      {"TOMB after a rotation", [](World& w) { return w.Tombed(w.caseworker); },
       [](World& w) { w.realm.RotatePuk(w.reader); }, "REKEY_REQUIRED"},
      {"EPOCH after a rotation",
       [](World& w) { return w.Edited(w.caseworker, [](MemberList&) {}); },
       [](World& w) { w.realm.RotatePuk(w.reader); }, kStaleRoster},
      {"EPOCH after its author's removal",
       [](World& w) { return w.Edited(w.caseworker, [](MemberList&) {}); },
       [](World& w) { w.realm.Remove(w.caseworker); }, kStaleRoster},
      {"EPOCH after its author's revoke",
       [](World& w) { return w.Edited(w.caseworker, [](MemberList&) {}); },
       [](World& w) { w.realm.RevokeByRoot(w.caseworker, 0); }, kStaleRoster},
      {"REV with attachments",
       [](World& w) { return w.Write(w.caseworker, [](Rev& r) {
                        r.attachments[{}] = {1, {}};
                      }); },
       [](World&) {}, kUnsupported},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    World world;
    const Bytes bytes = row.sign(world);
    row.then(world);
    const auto entry = world.vault.vault().Judge(bytes, world.realm.roster());
    ASSERT_EQ(CodeOf(entry), kOk);
    EXPECT_EQ(CodeOf(world.vault.vault().Admit(*entry, world.realm.roster())), row.want);
  }
  // A CREATE whose author lost the device.
  TestRealm realm(Compartment::kCases);
  auto& caseworker = realm.Add(kCaseworker);
  TestVault made(realm, Kind::kCase, caseworker);
  const auto create = Vault().Judge(made.entries().front(), realm.roster());
  ASSERT_TRUE(create);
  EXPECT_EQ(CodeOf(Vault().Admit(*create, realm.roster())), kOk);
  realm.RevokeByRoot(caseworker, 0);
  EXPECT_EQ(CodeOf(Vault().Admit(*create, realm.roster())), kStaleRoster);
}

TEST(Vault, AServerTakesAnEpochOneOnlyWithAGuardWhoCanOpenIt) {
  TestRealm cases(Compartment::kCases);
  auto& coordinator = cases.Add(kCoordinator);
  auto& suspended = cases.AddWithoutPuk(kCoordinator);
  auto& caseworker = cases.Add(kCaseworker);
  TestRealm identity(Compartment::kIdentity, {{kOwner, 1}}, "identity");
  auto& alone = identity.Add(kCaseworker);
  const auto admitted = [](TestRealm& realm, Kind kind, const Person& author,
                           const TestVault::Members& members) {
    TestVault vault(realm, kind, author);
    const auto entry = vault.vault().Judge(
        vault.Sign(author, vault.RekeyingOf(vault.ListOf(members)).epoch.payload), realm.roster());
    EXPECT_EQ(CodeOf(entry), kOk);
    return CodeOf(vault.vault().Admit(*entry, realm.roster()));
  };
  constexpr const char* kRefused = "INVALID_ARGUMENT";
  EXPECT_EQ(admitted(cases, Kind::kCase, caseworker, {{&caseworker, 7}, {&coordinator, 7}}), kOk);
  EXPECT_EQ(admitted(cases, Kind::kCase, caseworker, {{&caseworker, 7}}), kRefused);
  EXPECT_EQ(admitted(cases, Kind::kCase, caseworker, {{&caseworker, 7}, {&suspended, 7}}),
            kRefused);
  EXPECT_EQ(admitted(cases, Kind::kCase, caseworker, {{&caseworker, 7}, {&coordinator, 3}}),
            kRefused);
  EXPECT_EQ(admitted(cases, Kind::kSensitive, caseworker, {{&caseworker, 7}}), kOk);
  EXPECT_EQ(admitted(cases, Kind::kScreening, coordinator, {{&coordinator, 7}}), kOk);
  EXPECT_EQ(admitted(identity, Kind::kPerson, alone, {{&alone, 7}}), kOk);
  // Of later epochs the guards take care themselves.
  TestVault vault(cases, Kind::kCase, coordinator, {{&coordinator, 7}, {&caseworker, 7}});
  const auto left = vault.vault().Judge(
      vault.Sign(caseworker, vault.RekeyingOf(vault.vault().epoch().list).epoch.payload),
      cases.roster());
  ASSERT_TRUE(left);
  EXPECT_EQ(CodeOf(vault.vault().Admit(*left, cases.roster())), kOk);
}

TEST(Vault, ReplayGivesWhatJudgeAndTakeGave) {
  Chain chain;
  Vault replayed;
  Vault judged;
  for (const Bytes& entry : chain.world.vault.entries()) {
    ASSERT_TRUE(replayed.Replay(entry));
    const auto verdict = judged.Judge(entry, chain.world.realm.roster());
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->link, EntryLink(entry));
    judged.Take(*verdict);
    EXPECT_EQ(Snapshot(replayed), Snapshot(judged));
  }
  EXPECT_EQ(Snapshot(replayed), Snapshot(chain.world.vault.vault()));
  const std::string before = Snapshot(replayed);
  EXPECT_EQ(CodeOf(replayed.Replay(Bytes(3))), "INTERNAL");
  EntryHeader header = chain.world.vault.Next(chain.world.coordinator);
  header.type = 8;
  EXPECT_EQ(CodeOf(replayed.Replay(support::SignRaw(
                header, Bytes(6), chain.world.coordinator.device().signing_key()))),
            "INTERNAL");
  EXPECT_EQ(Snapshot(replayed), before);
}

TEST(Vault, SaysWhatItHolds) {
  World world;
  const Vault& vault = world.vault.vault();
  EXPECT_EQ(vault.realm(), world.realm.roster().realm());
  EXPECT_EQ(vault.kind(), Kind::kCase);
  EXPECT_EQ(vault.head_seq(), 3U);
  EXPECT_EQ(vault.head(), EntryLink(world.vault.entries().back()));
  EXPECT_EQ(vault.pin_link(), EntryLink(world.vault.entries()[2]));
  EXPECT_EQ(vault.epoch().link, EntryLink(world.vault.entries()[1]));
  EXPECT_EQ(vault.pinned_record(), PinnedRecordOf(vault.id()));
  EXPECT_EQ(vault.FindRecord(world.vault.NewRecord()), nullptr);
  EXPECT_EQ(vault.FindRecord(world.note)->creator, world.caseworker.id);
  const std::uint64_t head = world.realm.roster().head_seq();
  EXPECT_EQ(vault.PermAt(world.caseworker.id, world.realm.roster(), head), 3);
  EXPECT_EQ(vault.PermAt(world.outsider.id, world.realm.roster(), head), 0);
  world.realm.Remove(world.caseworker);
  EXPECT_EQ(vault.PermAt(world.caseworker.id, world.realm.roster(), head + 1), 0);
  EXPECT_EQ(vault.PermAt(world.caseworker.id, world.realm.roster(), head), 3);
}

}  // namespace
}  // namespace godwit::protocol
