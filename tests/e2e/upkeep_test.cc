// What keeps an organisation's vaults in repair, over the real services: newcomers who read history
// or do not, `reconcile`, who reads a case, and what the doctor finds.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "client/case_access.h"
#include "client/cases.h"
#include "client/directory.h"
#include "client/doctor.h"
#include "client/invite.h"
#include "client/pinned_rows.h"
#include "client/reconcile.h"
#include "client/vault_writer.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "protocol/epoch_keys.h"
#include "tests/support/builders.h"
#include "tests/support/lying_server.h"
#include "tests/support/realm_server.h"
#include "tests/support/test_organisation.h"

namespace godwit::client {
namespace {

using base::Code;
using protocol::Compartment;
using protocol::Kind;
using support::Must;
using support::Require;

std::uint64_t Now() { return base::SystemClock().NowMs(); }

realm::EngineConfig ManyEpochs() {
  realm::EngineConfig config;
  config.quotas.epochs_per_vault_day = 100;
  return config;
}

class Upkeep : public testing::Test {
 protected:
  Upkeep()
      : servers_{support::RealmServer(Compartment::kIdentity),
                 support::RealmServer(Compartment::kCases, ManyEpochs()),
                 support::RealmServer(Compartment::kJourneys)},
        liar_(servers_.cases),
        organisation_(servers_, {{Compartment::kCases, liar_.address()}}) {
    organisation_.Join(support::Staff(1, 1, 2, 0, 0));
  }

  Organisation& Of(const std::string& handle) { return organisation_.Of(handle); }
  Realm& CasesOf(const std::string& handle) {
    return organisation_.RealmOf(handle, Compartment::kCases);
  }
  void Join(const std::string& handle, const std::string& name, protocol::Roles roles) {
    organisation_.Join({{handle, name, roles}});
  }

  std::string NewCaseOf(const std::string& caseworker) {
    NewCase new_case;
    new_case.supervisor = "sv1";
    new_case.summary.set_risk(content::v1::RISK_LEVEL_HIGH);
    return Must(OpenCase(Of(caseworker), std::move(new_case)));
  }
  base::VaultId VaultOf(const std::string& handle, const std::string& code, Kind kind) {
    return Must(FindCaseVault(CasesOf(handle), kind, code, false)).id();
  }
  VaultView View(const std::string& handle, const base::VaultId& vault) {
    Require(CasesOf(handle).Sync());
    return Must(VaultView::Fetch(CasesOf(handle), vault));
  }

  // A vault of coordinators with a summary and `notes` notes, the first of them revised once.
  base::VaultId MakeCase(int notes) {
    Realm& author = CasesOf("kc1");
    Require(author.Sync());
    const auto made = Must(CreateVault(
        author, Kind::kCase,
        {{author.member(), protocol::kFull}, {CasesOf("kc2").member(), protocol::kFull}},
        [&](const base::VaultId& id) -> base::Result<std::vector<Edit>> {
          std::vector<Edit> edits;
          Edit summary{protocol::PinnedRecordOf(id), {}, 0};
          summary.content.mutable_summary()->set_code("invented");
          edits.push_back(std::move(summary));
          for (int i = 0; i < notes; ++i) {
            Edit note{crypto::RandomId<base::RecordId>(), {}, 0};
            note.content.mutable_comment()->set_text("note " + std::to_string(i));
            edits.push_back(std::move(note));
          }
          return edits;
        }));
    Must(WriteVault(author, made.id(), [](VaultView& vault) -> base::Result<std::vector<Edit>> {
      for (const auto& record : vault.LiveRecords()) {
        auto content = Must(vault.Read(record));
        if (content.comment().text() != "note 0") continue;
        content.mutable_comment()->set_text("note 0, corrected");
        return std::vector<Edit>{{record, std::move(content), 0}};
      }
      return std::vector<Edit>();
    }));
    return made.id();
  }
  static Editor Note(const std::string& text) {
    return [text](VaultView&) -> base::Result<std::vector<Edit>> {
      Edit note{crypto::RandomId<base::RecordId>(), {}, 0};
      note.content.mutable_comment()->set_text(text);
      return std::vector<Edit>{std::move(note)};
    };
  }
  Relister With(const std::string& newcomer) {
    const auto member = CasesOf(newcomer).member();
    return [member](const protocol::MemberList& list) {
      std::map<base::MemberId, protocol::Perm> members{{member, protocol::kFull}};
      for (const auto& [listed, row] : list) members[listed] = row.perm;
      return members;
    };
  }
  // A key for those listed, by `author`, which wraps `older` alone and is changed before it is
  // signed.
  void SendEpoch(const std::string& author, const base::VaultId& id,
                 const std::set<std::uint32_t>& older,
                 const std::function<void(protocol::NewEpoch&)>& change = {}) {
    Realm& realm = CasesOf(author);
    auto vault = View(author, id);
    const auto& in_force = vault.state().epoch();
    std::map<std::uint32_t, const protocol::Vek*> keys;
    for (const std::uint32_t number : older) keys[number] = Must(vault.KeyOf(number));
    const auto vek = Must(protocol::Vek::Random());
    const auto& roster = realm.roster();
    auto made = Must(
        protocol::MakeEpoch(vek, id, in_force.number + 1,
                            protocol::Want(in_force.list, vault.kind(), roster, roster.head_seq()),
                            {}, roster, roster.head_seq(), keys));
    if (change) change(made);
    transport::EntryUpload upload{Sign(realm, vault, made.payload), {}, {}, {}};
    for (auto& [member, box] : made.boxes) upload.boxes.push_back({member, box});
    Send(realm, std::move(upload));
  }
  static base::Bytes Sign(Realm& realm, const VaultView& vault,
                          const protocol::EntryPayload& payload) {
    protocol::EntryHeader header = realm.EntryHeaderNow();
    header.vault = vault.id();
    header.seq = vault.state().size();
    header.prev = vault.state().head();
    header.epoch_link = vault.state().epoch().link;
    header.pin_link = vault.state().pin_link();
    return protocol::SignEntry(header, payload, realm.device().signing_key());
  }
  static void Send(Realm& realm, transport::EntryUpload upload) {
    transport::VaultUpload one;
    one.entries.push_back(std::move(upload));
    Require(Must(realm.server().AppendEntries({one})).front());
  }

  ReconcilePlan PlanOf(const std::string& handle, std::uint64_t now_ms = Now()) {
    return Must(PlanReconcile(Of(handle), now_ms));
  }
  // The repair of `vault`, which must be planned.
  static Repair RepairOf(const ReconcilePlan& plan, const base::VaultId& vault) {
    const auto found = std::ranges::find(plan.repairs, vault, &Repair::vault);
    EXPECT_NE(found, plan.repairs.end());
    return found == plan.repairs.end() ? Repair() : *found;
  }
  static bool Plans(const ReconcilePlan& plan, const base::VaultId& vault) {
    return std::ranges::find(plan.repairs, vault, &Repair::vault) != plan.repairs.end();
  }
  void CarryOutAll(const std::string& handle, const ReconcilePlan& plan) {
    for (const Repair& repair : plan.repairs) Require(CarryOut(Of(handle), repair));
  }

  support::RealmServers servers_;
  support::LyingServer liar_;
  support::TestOrganisation organisation_;
};

// Every live record, opened.
std::vector<std::string> NotesOf(VaultView& vault) {
  std::vector<std::string> notes;
  for (const auto& [id, record] : Must(vault.ReadAll(content::v1::Record::kComment))) {
    notes.push_back(record.comment().text());
  }
  std::ranges::sort(notes);
  return notes;
}
const std::vector<std::string> kTwoNotes{"note 0, corrected", "note 1"};

TEST_F(Upkeep, ANewcomerReadsWhatWasThereBefore) {
  const auto id = MakeCase(2);
  Join("kc3", "Coordinator 3", protocol::kCoordinator);
  Must(WriteVault(CasesOf("kc1"), id, {}, With("kc3")));
  auto newcomer = View("kc3", id);
  EXPECT_EQ(NotesOf(newcomer), kTwoNotes);
  EXPECT_EQ(newcomer.state().epoch().number, 2u);
  EXPECT_TRUE(newcomer.KeyOf(1));
}

// A program that goes every way through it never ends.
TEST_F(Upkeep, AGraphOfWrapsHoldsNoNewcomerUp) {
  const auto id = MakeCase(1);
  constexpr std::uint32_t kEpochs = 44;
  for (std::uint32_t number = 2; number < kEpochs; ++number) {
    std::set<std::uint32_t> older;
    for (std::uint32_t back = 1; back <= protocol::kMaxWraps && back < number; ++back) {
      older.insert(number - back);
    }
    SendEpoch("kc1", id, older);
  }
  SendEpoch("kc1", id, {});
  Join("kc3", "Third Coordinator", protocol::kCoordinator);
  Must(WriteVault(CasesOf("kc1"), id, Note("after all that"), With("kc3")));

  auto vault = View("kc3", id);
  EXPECT_EQ(vault.KeyOf(1).error().code(), Code::kNotFound);
  EXPECT_TRUE(vault.KeyOf(kEpochs));
}

TEST_F(Upkeep, HiddenHistoryStaysHiddenFromNewcomersAlone) {
  const auto id = MakeCase(2);
  Join("kc3", "Coordinator 3", protocol::kCoordinator);
  WriteOptions hidden;
  hidden.hide_history = true;
  Must(WriteVault(CasesOf("kc1"), id, {}, With("kc3"), hidden));

  const auto expect_hidden = [&](const std::vector<std::string>& notes) {
    auto newcomer = View("kc3", id);
    EXPECT_EQ(NotesOf(newcomer), notes);
    EXPECT_EQ(Must(newcomer.Read(newcomer.state().pinned_record())).summary().code(), "invented");
    const auto older = newcomer.KeyOf(1);
    ASSERT_FALSE(older);
    EXPECT_EQ(older.error().code(), Code::kNotFound);
    // Colleagues read all, by their own boxes, and on a device that knows nothing yet too.
    for (const char* colleague : {"kc1", "kc2"}) {
      auto view = View(colleague, id);
      EXPECT_EQ(NotesOf(view), notes);
      EXPECT_TRUE(view.KeyOf(1));
    }
    const auto fresh = organisation_.RealmWithEmptyStore("kc2", Compartment::kCases);
    Require(fresh->Sync());
    auto view = Must(VaultView::Fetch(*fresh, id));
    EXPECT_TRUE(view.KeyOf(1));
    EXPECT_EQ(NotesOf(view), notes);
  };
  expect_hidden(kTwoNotes);

  // Whoever rekeys later knows the older key, and does not hand it on either.
  WriteOptions again;
  again.is_due = [](VaultView& view) { return view.state().epoch().number < 4; };
  Must(WriteVault(CasesOf("kc2"), id, Note("note 2"), {}, again));
  EXPECT_EQ(View("kc1", id).state().epoch().number, 4u);
  expect_hidden({"note 0, corrected", "note 1", "note 2"});

  // The next newcomer reads from the hidden one on, as the first does; the one after that reads no
  // more than that either where history is hidden once more.
  Join("kc4", "Coordinator 4", protocol::kCoordinator);
  Must(WriteVault(CasesOf("kc3"), id, {}, With("kc4")));
  auto second = View("kc4", id);
  EXPECT_TRUE(second.KeyOf(2));
  EXPECT_FALSE(second.KeyOf(1));
  Join("kc5", "Coordinator 5", protocol::kCoordinator);
  Must(WriteVault(CasesOf("kc3"), id, {}, With("kc5"), hidden));
  auto third = View("kc5", id);
  EXPECT_EQ(NotesOf(third).size(), 3u);
  EXPECT_FALSE(third.KeyOf(5));
}

TEST_F(Upkeep, HidingHistoryThatWasInterruptedIsGoneOnWith) {
  const auto id = MakeCase(150);
  Join("kc3", "Coordinator 3", protocol::kCoordinator);
  WriteOptions hidden;
  hidden.hide_history = true;
  int calls = 0;
  liar_.RewriteRequest([&](godwit::realm::v1::AppendEntriesRequest& request) {
    if (++calls == 3) request.mutable_vaults(0)->mutable_entries(0)->set_entry("lost on the way");
  });
  EXPECT_FALSE(WriteVault(CasesOf("kc1"), id, {}, With("kc3"), hidden));
  liar_.BeHonest();
  const auto member = CasesOf("kc3").member();
  const auto before = View("kc2", id);
  EXPECT_EQ(before.state().epoch().number, 2u);
  EXPECT_FALSE(before.state().epoch().list.contains(member));
  const auto behind = [](const VaultView& view) {
    return std::ranges::count_if(view.LiveRecords(), [&](const base::RecordId& record) {
      return view.Latest(record)->rev.epoch < 2;
    });
  };
  EXPECT_GT(behind(before), 0);
  EXPECT_LT(behind(before), 151);

  Must(WriteVault(CasesOf("kc1"), id, {}, With("kc3"), hidden));
  auto after = View("kc3", id);
  EXPECT_EQ(after.state().epoch().number, 3u);
  EXPECT_EQ(behind(after), 0);
  EXPECT_EQ(NotesOf(after).size(), 150u);
  // What was written anew before is not written again: but for the pinned record, each once.
  std::size_t revisions = 0;
  for (const auto& record : after.LiveRecords()) revisions += after.Latest(record)->rev.rver;
  EXPECT_EQ(revisions, 151u + 1 + 151 + 1);
}

TEST_F(Upkeep, HistoryIsHiddenByWhoReadsAndManagesAll) {
  const std::string code = NewCaseOf("cw01");
  const auto id = VaultOf("kc1", code, Kind::kCase);
  Join("kc3", "Coordinator 3", protocol::kCoordinator);
  WriteOptions hidden;
  hidden.hide_history = true;
  const auto by_writer = WriteVault(CasesOf("sv1"), id, {}, With("kc3"), hidden);
  ASSERT_FALSE(by_writer);
  EXPECT_EQ(by_writer.error().code(), Code::kPermissionDenied);
  EXPECT_EQ(View("kc1", id).state().epoch().number, 1u);

  Join("in1", "Intake 1", protocol::kIntake);
  Join("in2", "Intake 2", protocol::kIntake);
  Realm& intake = CasesOf("in1");
  const auto ledger = Must(CreateVault(
      intake, Kind::kLedger, {{intake.member(), protocol::kFull}},
      [](const base::VaultId&) -> base::Result<std::vector<Edit>> { return std::vector<Edit>(); }));
  const auto in_ledger = WriteVault(intake, ledger.id(), {}, With("in2"), hidden);
  ASSERT_FALSE(in_ledger);
  EXPECT_EQ(in_ledger.error().code(), Code::kInvalidArgument);
}

TEST_F(Upkeep, ReconcileListsANewCoordinatorInEveryCaseAndNobodyElseAnywhere) {
  const std::string codes[] = {NewCaseOf("cw01"), NewCaseOf("cw01")};
  EXPECT_TRUE(PlanOf("kc1").repairs.empty());
  Join("kc3", "Coordinator 3", protocol::kCoordinator);
  Join("sv2", "Supervisor 2", protocol::kSupervisor);
  const auto newcomer = CasesOf("kc3").member();
  EXPECT_EQ(ShowCase(Of("kc3"), codes[0]).error().code(), Code::kNotFound);

  const auto plan = PlanOf("kc1");
  EXPECT_EQ(plan.repairs.size(), 2u);
  EXPECT_TRUE(plan.failures.empty());
  EXPECT_TRUE(plan.few_managers.empty());
  for (const Repair& repair : plan.repairs) {
    EXPECT_EQ(repair.kind, Kind::kCase);
    EXPECT_EQ(repair.causes, std::set{RepairCause::kMembersMissing});
    EXPECT_EQ(repair.gains,
              (std::map<base::MemberId, protocol::Perm>{{newcomer, protocol::kFull}}));
  }
  // A plan writes nothing.
  EXPECT_EQ(ShowCase(Of("kc3"), codes[0]).error().code(), Code::kNotFound);
  // Whoever writes without managing lists nobody.
  EXPECT_TRUE(PlanOf("sv1").repairs.empty());

  CarryOutAll("kc1", plan);
  for (const std::string& code : codes) {
    EXPECT_EQ(Must(ShowCase(Of("kc3"), code)).row.summary.risk(), content::v1::RISK_LEVEL_HIGH);
  }
  EXPECT_EQ(ShowCase(Of("sv2"), codes[0]).error().code(), Code::kNotFound);
  // Nothing is done twice, by the same plan, a new one, or another manager.
  CarryOutAll("kc1", plan);
  EXPECT_TRUE(PlanOf("kc1").repairs.empty());
  EXPECT_TRUE(PlanOf("kc2").repairs.empty());
  EXPECT_EQ(View("kc1", plan.repairs[0].vault).state().epoch().number, 2u);
}

TEST_F(Upkeep, ReconcileGivesNobodyMoreThanItsPlanNamed) {
  const auto id = MakeCase(1);
  Join("kc3", "Coordinator 3", protocol::kCoordinator);
  const auto plan = PlanOf("kc1");
  Join("kc4", "Coordinator 4", protocol::kCoordinator);
  Require(CasesOf("kc1").Sync());
  Must(
      CasesOf("founder").Author(protocol::RoleSet{CasesOf("kc3").member(), protocol::kCaseworker}));
  CarryOutAll("kc1", plan);
  const auto vault = View("kc1", id);
  EXPECT_FALSE(vault.state().epoch().list.contains(CasesOf("kc3").member()));
  EXPECT_FALSE(vault.state().epoch().list.contains(CasesOf("kc4").member()));
}

TEST_F(Upkeep, ReconcileHidesHistoryWhereItIsAsked) {
  const auto id = MakeCase(2);
  Join("kc3", "Coordinator 3", protocol::kCoordinator);
  for (const Repair& repair : PlanOf("kc1").repairs) {
    Require(CarryOut(Of("kc1"), repair, /*hide_history=*/true));
  }
  auto newcomer = View("kc3", id);
  EXPECT_EQ(NotesOf(newcomer), kTwoNotes);
  EXPECT_FALSE(newcomer.KeyOf(1));
}

TEST_F(Upkeep, ReconcileRenewsTheKeysThatALeaverKnows) {
  const std::string code = NewCaseOf("cw01");
  const auto case_vault = VaultOf("sv1", code, Kind::kCase);
  const auto sensitive = VaultOf("sv1", code, Kind::kSensitive);
  const auto leaver = CasesOf("cw01").member();
  EXPECT_TRUE(Must(RemoveMember(Of("founder"), "cw01", 1)).empty());

  // A supervisor writes the case, manages the sensitive part, and manages the person without
  // reading: each is theirs to rekey, and none to widen.
  const auto plan = PlanOf("sv1");
  EXPECT_EQ(plan.repairs.size(), 3u);
  for (const Repair& repair : plan.repairs) {
    EXPECT_EQ(repair.causes, std::set{RepairCause::kListNotFresh});
    EXPECT_TRUE(repair.gains.empty());
    EXPECT_EQ(repair.lose.size(), 1u);
  }
  EXPECT_TRUE(RepairOf(plan, sensitive).lose.contains(leaver));
  // The parts that people are chosen for have one manager left.
  ASSERT_EQ(plan.few_managers.size(), 2u);
  EXPECT_EQ(plan.few_managers[0].kind, Kind::kPerson);
  EXPECT_EQ(plan.few_managers[1].kind, Kind::kSensitive);
  EXPECT_EQ(plan.few_managers[1].managers, 1u);

  CarryOutAll("sv1", plan);
  for (const auto& vault : {case_vault, sensitive}) {
    EXPECT_FALSE(View("sv1", vault).state().epoch().list.contains(leaver));
  }
  EXPECT_TRUE(PlanOf("sv1").repairs.empty());
  EXPECT_TRUE(PlanOf("kc1").repairs.empty());
}

TEST_F(Upkeep, ReconcileReplacesKeysOfNinetyDaysOnce) {
  const auto id = MakeCase(1);
  const std::uint64_t later = Now() + kEpochAgeMs + 86'400'000;
  // Nothing shows yet that it is that old: this device remembers from here on.
  EXPECT_FALSE(Plans(PlanOf("kc1", later), id));
  EXPECT_FALSE(Plans(PlanOf("kc1", later + kEpochAgeMs - 1), id));
  const auto plan = PlanOf("kc1", later + kEpochAgeMs + 1);
  EXPECT_EQ(RepairOf(plan, id).causes, std::set{RepairCause::kOld});
  CarryOutAll("kc1", plan);
  EXPECT_EQ(View("kc1", id).state().epoch().number, 2u);
  EXPECT_FALSE(Plans(PlanOf("kc1", later + kEpochAgeMs + 1), id));

  // A statement that follows the one which the EPOCH cites says its age to every device.
  Join("cw02", "Caseworker 2", protocol::kCaseworker);
  EXPECT_EQ(RepairOf(PlanOf("kc2", later), id).causes, std::set{RepairCause::kOld});
  EXPECT_FALSE(Plans(PlanOf("kc2", Now()), id));
}

TEST_F(Upkeep, ReconcileReplacesAKeyWithAWrongBoxAndKeepsEvidence) {
  const auto id = MakeCase(1);
  const auto victim = CasesOf("kc2").member();
  SendEpoch("kc1", id, {1}, [&](protocol::NewEpoch& epoch) {
    base::Bytes& box = epoch.boxes.at(victim);
    box.back() ^= 1;
    epoch.payload.list.at(victim).box_hash = base::Sha256Hash(crypto::Sha256(box));
  });
  Join("kc3", "Coordinator 3", protocol::kCoordinator);
  // Who was cheated finds it, and so does whoever has the key.
  for (const char* finder : {"kc1", "kc2"}) {
    EXPECT_TRUE(RepairOf(PlanOf(finder), id).causes.contains(RepairCause::kWrongBox));
    EXPECT_FALSE(Must(CasesOf(finder).store().KeptEvidence()).empty());
  }
  CarryOutAll("kc2", PlanOf("kc2"));
  auto vault = View("kc3", id);
  EXPECT_EQ(vault.state().epoch().number, 3u);
  EXPECT_TRUE(vault.KeyOf(1));
  // The key in between was out of the reach of whoever repaired it; who has it hands it on.
  EXPECT_FALSE(vault.KeyOf(2));
  EXPECT_EQ(RepairOf(PlanOf("kc1"), id).causes, std::set{RepairCause::kKeysLost});
  CarryOutAll("kc1", PlanOf("kc1"));
  EXPECT_TRUE(View("kc3", id).KeyOf(2));
  EXPECT_FALSE(Plans(PlanOf("kc1"), id));
}

TEST_F(Upkeep, ReconcileHandsOnKeysThatTheChainLost) {
  const auto id = MakeCase(1);
  SendEpoch("kc1", id, {1});
  Must(WriteVault(CasesOf("kc1"), id, Note("under the second key")));
  SendEpoch("kc1", id, {1});  // as by somebody who never had the second key
  EXPECT_EQ(RepairOf(PlanOf("kc2"), id).causes, std::set{RepairCause::kKeysLost});
  CarryOutAll("kc2", PlanOf("kc2"));
  EXPECT_FALSE(Plans(PlanOf("kc1"), id));
  Join("kc3", "Coordinator 3", protocol::kCoordinator);
  CarryOutAll("kc1", PlanOf("kc1"));
  auto newcomer = View("kc3", id);
  for (std::uint32_t epoch = 1; epoch <= 5; ++epoch) EXPECT_TRUE(newcomer.KeyOf(epoch));
  EXPECT_EQ(NotesOf(newcomer).size(), 2u);
}

TEST_F(Upkeep, ReconcileGoesOnWhereAVaultFails) {
  const auto broken = MakeCase(1);
  const auto sound = MakeCase(1);
  Join("kc3", "Coordinator 3", protocol::kCoordinator);
  Require(CasesOf("kc1").store().Freeze(
      broken, EvidenceItem{.code = Code::kFork, .piece = {.claim = protocol::Claim::kTwoEntries}}));
  const auto plan = PlanOf("kc1");
  ASSERT_EQ(plan.failures.size(), 1u);
  EXPECT_EQ(plan.failures[0].vault, broken);
  EXPECT_EQ(plan.failures[0].error.code(), Code::kFork);
  EXPECT_TRUE(Plans(plan, sound));
  CarryOutAll("kc1", plan);
  EXPECT_EQ(View("kc3", sound).state().epoch().number, 2u);
}

TEST_F(Upkeep, AFrozenVaultIsGivenNewKeys) {
  const auto id = MakeCase(1);
  Join("kc3", "Coordinator 3", protocol::kCoordinator);
  const auto vault = View("kc1", id);
  Send(CasesOf("kc1"), {Sign(CasesOf("kc1"), vault, protocol::State{1, 0, 0}), {}, {}, {}});
  CarryOutAll("kc2", PlanOf("kc2"));
  auto after = View("kc3", id);
  EXPECT_EQ(after.state().epoch().number, 2u);
  EXPECT_EQ(after.state().state().frozen, 1u);
  EXPECT_EQ(NotesOf(after).size(), 1u);
}

TEST_F(Upkeep, AnOwnerWithoutADeviceKeepsTheirPlace) {
  Join("ow2", "Owner Two", protocol::kOwner | protocol::kAdmin);
  Realm& owner = CasesOf("ow2");
  Realm& founder = CasesOf("founder");
  Require(founder.Sync());
  Must(founder.Author(protocol::DeviceRevoke{owner.member(), owner.device().id(), 1}));
  Require(ListEverybody(founder, {}));
  const auto directory = founder.roster().policy().VaultOf(Kind::kDirectory);
  const auto list = Must(VaultView::Fetch(founder, directory)).state().epoch().list;
  ASSERT_TRUE(list.contains(owner.member()));
  EXPECT_EQ(list.at(owner.member()).puk_gen, 0u);
}

TEST_F(Upkeep, ACaseSaysWhoReadsItWhoCouldAndWhoWrote) {
  const std::string code = NewCaseOf("cw01");
  const auto case_vault = VaultOf("kc1", code, Kind::kCase);
  EXPECT_TRUE(Must(RemoveMember(Of("founder"), "kc2", 1)).empty());
  const auto leaving = Must(WhoReads(Of("cw01"), code));
  const auto reader = [](const CasePart& part, const std::string& name) {
    const auto found = std::ranges::find(part.readers, name, &CaseReader::name);
    EXPECT_NE(found, part.readers.end()) << name;
    return found == part.readers.end() ? CaseReader() : *found;
  };
  EXPECT_EQ(reader(leaving.parts.at(0), "Coordinator 2").state, AccessState::kLeaving);

  Join("kc3", "Coordinator 3", protocol::kCoordinator);
  WriteOptions hidden;
  hidden.hide_history = true;
  Must(WriteVault(CasesOf("kc1"), case_vault, {}, With("kc3"), hidden));
  Realm& founder = CasesOf("founder");
  Require(founder.Sync());
  Realm& supervisor = CasesOf("sv1");
  Must(founder.Author(protocol::DeviceRevoke{supervisor.member(), supervisor.device().id(), 1}));

  organisation_.Sync("cw01");
  const auto access = Must(WhoReads(Of("cw01"), code));
  EXPECT_EQ(access.code, code);
  EXPECT_TRUE(access.not_yours.empty());
  ASSERT_EQ(access.parts.size(), 3u);
  const CasePart& part = access.parts[0];
  EXPECT_EQ(part.kind, Kind::kCase);
  EXPECT_EQ(part.vault, case_vault);
  EXPECT_EQ(part.epoch, 3u);
  EXPECT_EQ(part.history_hidden_at, (std::vector<std::uint32_t>{2}));
  ASSERT_EQ(part.readers.size(), 4u);
  const std::vector<std::uint32_t> all{1, 2, 3};
  EXPECT_EQ(reader(part, "Caseworker 01").perm, protocol::kFull);
  EXPECT_EQ(reader(part, "Caseworker 01").roles, protocol::kCaseworker);
  EXPECT_EQ(reader(part, "Caseworker 01").epochs, all);
  EXPECT_EQ(reader(part, "Caseworker 01").since_epoch, 1u);
  EXPECT_EQ(reader(part, "Caseworker 01").state, AccessState::kActive);
  EXPECT_EQ(reader(part, "Coordinator 3").since_epoch, 3u);
  EXPECT_EQ(reader(part, "Coordinator 3").epochs, (std::vector<std::uint32_t>{2, 3}));
  EXPECT_EQ(reader(part, "Supervisor 1").perm, protocol::kReadWrite);
  EXPECT_EQ(reader(part, "Supervisor 1").state, AccessState::kWithoutKey);
  ASSERT_EQ(part.former.size(), 1u);
  EXPECT_EQ(part.former[0].name, "Coordinator 2");
  EXPECT_EQ(part.former[0].until_epoch, 1u);
  EXPECT_EQ(part.former[0].epochs, (std::vector<std::uint32_t>{1}));
  ASSERT_EQ(part.writers.size(), 2u);
  EXPECT_EQ(part.writers[0].name, "Caseworker 01");
  EXPECT_EQ(part.writers[0].entries, 4u);  // CREATE, EPOCH, summary, facts
  EXPECT_EQ(part.writers[0].records, 2u);
  EXPECT_EQ(part.writers[1].name, "Coordinator 1");
  EXPECT_EQ(access.parts[1].kind, Kind::kSensitive);
  EXPECT_EQ(access.parts[1].readers.size(), 2u);
  EXPECT_EQ(access.parts[2].kind, Kind::kPerson);
  EXPECT_EQ(reader(access.parts[2], "Supervisor 1").perm, protocol::kManage);

  // The same from what is on the device; and each sees the parts that are theirs.
  EXPECT_EQ(Must(WhoReads(Of("cw01"), code, /*offline=*/true)).parts.size(), 3u);
  const auto coordinators = Must(WhoReads(Of("kc1"), code));
  EXPECT_EQ(coordinators.parts.size(), 1u);
  EXPECT_EQ(coordinators.not_yours, (std::vector<Kind>{Kind::kSensitive, Kind::kPerson}));
  EXPECT_EQ(WhoReads(Of("founder"), code).error().code(), Code::kNotFound);
}

TEST_F(Upkeep, ASupervisorSeesWhoReadsThePersonThatTheyManage) {
  const std::string code = NewCaseOf("cw01");
  const auto access = Must(WhoReads(Of("sv1"), code));
  ASSERT_EQ(access.parts.size(), 3u);
  EXPECT_EQ(access.parts[2].kind, Kind::kPerson);
  EXPECT_EQ(access.parts[2].readers.size(), 2u);
}

TEST_F(Upkeep, TheDoctorSaysWhatItSawAndWhatItDidNot) {
  NewCaseOf("cw01");
  const auto codes = [](const Diagnosis& diagnosis) {
    std::set<std::string_view> all;
    for (const Finding& finding : diagnosis.findings) all.insert(finding.code);
    return all;
  };
  // One owner of an evaluation organisation, with one supervisor and no auditor.
  organisation_.Sync("founder");
  const auto healthy = Must(Examine(Of("founder"), Now()));
  EXPECT_FALSE(healthy.IsBroken());
  EXPECT_EQ(codes(healthy),
            (std::set<std::string_view>{"owners_few", "granters_few", "evaluation", "unwitnessed",
                                        "recovery_missing", "second_granter_missing",
                                        "auditor_missing", "second_route_missing"}));
  EXPECT_EQ(healthy.findings.back().grade, Grade::kNote);

  // A caseworker has no part in journeys and no staff vault, and looks at the vaults of their own.
  organisation_.Sync("cw01");
  const auto caseworkers = Must(Examine(Of("cw01"), Now()));
  const auto skipped = [](const Diagnosis& diagnosis, std::optional<Compartment> realm,
                          std::string_view start) {
    return std::ranges::any_of(diagnosis.not_looked_at, [&](const NotLookedAt& each) {
      return each.realm == realm && each.what.text.starts_with(start);
    });
  };
  EXPECT_TRUE(skipped(caseworkers, Compartment::kJourneys, "all of it"));
  EXPECT_TRUE(skipped(caseworkers, std::nullopt, "who is who"));
  EXPECT_FALSE(skipped(healthy, std::nullopt, "who is who"));

  // Somebody leaves: keys are old until reconcile has run; and what this device keeps shows.
  EXPECT_TRUE(Must(RemoveMember(Of("founder"), "kc2", 1)).empty());
  const auto stale = codes(Must(Examine(Of("cw01"), Now())));
  EXPECT_TRUE(stale.contains("vault_not_fresh"));
  EXPECT_TRUE(stale.contains("second_coordinator_missing"));
  CarryOutAll("cw01", PlanOf("cw01"));
  EXPECT_FALSE(codes(Must(Examine(Of("cw01"), Now()))).contains("vault_not_fresh"));

  // A staff record that no longer opens breaks it.
  auto staff = Must(FetchStaff(CasesOf("founder")));
  auto human = std::ranges::find(staff, "kc1", &Human::handle);
  ASSERT_NE(human, staff.end());
  ++human->memberships.at(0).r[0];
  Require(WriteHuman(CasesOf("founder"), *human));
  const auto broken = Must(Examine(Of("founder"), Now()));
  EXPECT_TRUE(broken.IsBroken());
  EXPECT_EQ(broken.findings.front().code, "staff_commit_unopened");
}

}  // namespace
}  // namespace godwit::client
