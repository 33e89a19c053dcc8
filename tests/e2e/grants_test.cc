// Who joins, who is named and what is granted, where a service lies on the way or a record says
// what is not so.
#include "client/grants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "client/approvals.h"
#include "client/directory.h"
#include "client/invite.h"
#include "client/staff.h"
#include "client/vault_writer.h"
#include "crypto/random.h"
#include "protocol/labels.h"
#include "protocol/record.h"
#include "tests/support/builders.h"
#include "tests/support/lying_server.h"
#include "tests/support/realm_server.h"
#include "tests/support/test_organisation.h"

namespace godwit::client {
namespace {

namespace wire = godwit::realm::v1;
using base::Code;
using protocol::Compartment;
using protocol::Kind;
using support::LyingServer;
using support::Must;
using support::Require;

std::string Text(base::ByteSpan bytes) { return base::ToString(bytes); }

// "OK", or the code's name.
std::string CodeOf(const base::Status& status) {
  return status ? "OK" : std::string(base::Name(status.error().code()));
}
template <class T>
std::string CodeOf(const base::Result<T>& result) {
  return result ? "OK" : std::string(base::Name(result.error().code()));
}

std::uint64_t Now() { return base::SystemClock().NowMs(); }

// Lies, told until the server is honest again.
void LieOfRoster(LyingServer& server) {
  server.RewriteReply([](const wire::FetchRosterRequest&, wire::FetchRosterResponse& reply) {
    reply.add_statements("no statement");
  });
}
void LieOfVault(LyingServer& server, const base::VaultId& vault) {
  server.RewriteReply(
      [vault](const wire::FetchVaultRequest& request, wire::FetchVaultResponse& reply) {
        if (request.vault() == Text(vault.bytes())) reply.add_entries("no entry");
      });
}
void WithholdRecords(LyingServer& server) {
  server.RewriteReply([](const wire::FetchVaultRequest&, wire::FetchVaultResponse& reply) {
    reply.clear_records();
  });
}
void WithholdVault(LyingServer& server, const base::VaultId& vault) {
  server.RewriteReply(
      [vault](const wire::FetchVaultRequest& request, wire::FetchVaultResponse& reply) {
        if (request.vault() == Text(vault.bytes())) reply.Clear();
      });
}
void SpoilWrites(LyingServer& server) {
  server.RewriteRequest([](wire::AppendEntriesRequest& request) {
    for (auto& upload : *request.mutable_vaults()) {
      for (auto& entry : *upload.mutable_entries()) entry.set_entry("no entry");
    }
  });
}
void SpoilOffers(LyingServer& server) {
  server.RewriteRequest([](wire::PutOfferRequest& request) { request.clear_invite_id(); });
}

// An organisation with a second owner, one caseworker (in identity and cases) and one coordinator
// (in cases alone). Whatever is said of identity and cases passes a server that can lie.
class Grants : public testing::Test {
 protected:
  Grants()
      : organisation_(servers_, {{Compartment::kIdentity, identity_.address()},
                                 {Compartment::kCases, cases_.address()}}) {
    auto people = support::Staff(1, 0, 1, 0, 0);
    people.push_back({"ow2", "Owner Two", protocol::kOwner | protocol::kAdmin});
    organisation_.Join(people);
  }

  Organisation& Of(const std::string& handle) { return organisation_.Of(handle); }
  Realm& CasesOf(const std::string& handle) {
    return organisation_.RealmOf(handle, Compartment::kCases);
  }
  Realm& IdentityOf(const std::string& handle) {
    return organisation_.RealmOf(handle, Compartment::kIdentity);
  }
  static base::VaultId Named(const Realm& realm, Kind kind) {
    return realm.roster().policy().VaultOf(kind);
  }
  void BeHonest() {
    identity_.BeHonest();
    cases_.BeHonest();
  }
  // How many must sign a grant from here on.
  void Need(std::uint8_t grants, std::uint8_t owners = 1) {
    for (const auto& [compartment, realm] : Of("founder").realms()) {
      Require(realm->Sync());
      auto policy = realm->roster().policy();
      ++policy.gen;
      policy.grant_threshold = grants;
      policy.owner_threshold = owners;
      Must(realm->Author(protocol::PolicySet{policy}));
    }
  }
  // An invitation that was answered, and whose words both sides saw.
  struct Answered {
    OpenInvite invite;
    Joiner joiner;
  };
  static std::vector<Answered> Answer(Inviter& inviter, const Newcomer& newcomer) {
    std::vector<Answered> answered;
    for (auto& invite : Must(inviter.Invite(newcomer))) {
      auto joiner = Must(Joiner::Begin(Must(inviter.InvitationFor(invite)).Expose()));
      Must(inviter.Poll(invite));
      Must(joiner.Poll());
      Must(inviter.Poll(invite));
      answered.push_back({std::move(invite), std::move(joiner)});
    }
    return answered;
  }
  Human HumanOf(const std::string& handle) {
    const auto staff = Must(FetchStaff(CasesOf("founder")));
    return *std::ranges::find(staff, handle, &Human::handle);
  }
  // Writes `content` as it is into a named vault.
  static void WriteRecord(Realm& author, Kind kind, const base::RecordId& record,
                          const content::v1::Record& content) {
    Must(WriteVault(author, Named(author, kind), [&](VaultView&) {
      return base::Result<std::vector<Edit>>(std::vector<Edit>{{record, content, 0}});
    }));
  }
  WaitingStatement OnlyWaiting(const std::string& handle) {
    auto all = Must(ListWaiting(Of(handle), Now()));
    EXPECT_EQ(all.size(), 1u);
    return all.at(0);
  }

  support::RealmServers servers_;
  LyingServer identity_{servers_.identity};
  LyingServer cases_{servers_.cases};
  support::TestOrganisation organisation_;
};

TEST_F(Grants, NothingIsGrantedOnWhatAServiceLiesAbout) {
  Inviter inviter(Of("founder"));
  auto answered = Answer(inviter, {"cw09", "Newcomer", protocol::kCaseworker});
  ASSERT_EQ(answered.size(), 2u);
  // In one realm they are, in the other they are about to be.
  Must(inviter.Confirm(answered[0].invite));
  const auto newcomer = organisation_.Settle("cw09", std::move(answered[0].joiner));
  std::vector<OpenInvite> in_identity;
  in_identity.push_back(std::move(answered[0].invite));
  OpenInvite& in_cases = answered[1].invite;
  ASSERT_EQ(in_cases.compartment, Compartment::kCases);
  const auto directory = Named(IdentityOf("founder"), Kind::kDirectory);
  const auto staff = Named(CasesOf("founder"), Kind::kStaff);

  const auto fetch_staff = [&] { return CodeOf(FetchStaff(CasesOf("founder"))); };
  const auto invite = [&] {
    return CodeOf(inviter.Invite({"new", "Newcomer", protocol::kCaseworker}));
  };
  const auto invite_known = [&] {
    return CodeOf(inviter.Invite({"cw01", "", protocol::kCaseworker}));
  };
  const auto invite_known_afresh = [&] {
    const auto fresh = organisation_.WithEmptyStores("founder");
    return CodeOf(Inviter(*fresh).Invite({"cw01", "", protocol::kCaseworker}));
  };
  const auto invite_device = [&] { return CodeOf(inviter.InviteDevice()); };
  const auto has_room = [&] { return CodeOf(inviter.HasRoom(in_identity[0])); };
  const auto confirm = [&] { return CodeOf(inviter.Confirm(in_cases)); };
  const auto list = [&] { return CodeOf(inviter.ListNewcomers(in_identity)); };
  const auto waiting = [&] { return CodeOf(ListWaiting(Of("founder"), Now())); };
  const auto waiting_names = [&] { return CodeOf(ListWaitingNames(Of("founder"))); };
  const auto remove = [&](const char* handle) {
    return [this, handle] { return CodeOf(RemoveMember(Of("founder"), handle, 1)); };
  };
  const auto read_directory = [&] {
    const auto fresh = organisation_.RealmWithEmptyStore("founder", Compartment::kIdentity);
    Require(fresh->Sync());
    return CodeOf(Directory::Read(*fresh));
  };
  const auto read_staff = [&] {
    const auto fresh = organisation_.RealmWithEmptyStore("founder", Compartment::kCases);
    return CodeOf(FetchStaff(*fresh));
  };

  const auto identitys_roster = [&] { LieOfRoster(identity_); };
  const auto cases_roster = [&] { LieOfRoster(cases_); };
  const auto identitys_directory = [&] { LieOfVault(identity_, directory); };
  const auto cases_staff = [&] { LieOfVault(cases_, staff); };
  const struct {
    const char* name;
    std::function<void()> lie;
    std::function<std::string()> call;
    const char* want;
  } rows[] = {
      // First, while the newcomer's key is not known here.
      {"a list, by a roster", identitys_roster, list, "E_SIG"},
      {"the staff, by a roster", cases_roster, fetch_staff, "E_SIG"},
      {"the staff, by its vault", cases_staff, fetch_staff, "E_SIG"},
      {"the staff, without its records", [&] { WithholdRecords(cases_); }, read_staff, "NOT_FOUND"},
      {"a newcomer, by the staff", cases_staff, invite, "E_SIG"},
      {"a newcomer, by a roster", identitys_roster, invite, "E_SIG"},
      {"a newcomer, by a directory", identitys_directory, invite, "E_SIG"},
      {"a newcomer without an offer", [&] { SpoilOffers(identity_); }, invite, "INVALID_ARGUMENT"},
      {"somebody known, by a roster", identitys_roster, invite_known, "E_SIG"},
      {"somebody known, by a directory", identitys_directory, invite_known_afresh, "E_SIG"},
      {"a device, by a roster", identitys_roster, invite_device, "E_SIG"},
      {"a device without an offer", [&] { SpoilOffers(identity_); }, invite_device,
       "INVALID_ARGUMENT"},
      {"room, by a roster", identitys_roster, has_room, "E_SIG"},
      {"a grant, by the staff", cases_staff, confirm, "E_SIG"},
      {"a grant, by another realm's roster", identitys_roster, confirm, "E_SIG"},
      {"a grant without a record", [&] { SpoilWrites(cases_); }, confirm, "E_SIG"},
      {"a list, by a directory", identitys_directory, list, "E_SIG"},
      {"a list that is not written", [&] { SpoilWrites(identity_); }, list, "E_SIG"},
      {"what waits, by a roster", identitys_roster, waiting, "E_SIG"},
      {"names, by a directory", identitys_directory, waiting_names, "E_SIG"},
      {"a directory", identitys_directory, read_directory, "E_SIG"},
      {"a directory without its records", [&] { WithholdRecords(identity_); }, read_directory,
       "NOT_FOUND"},
      {"a removal, by the staff", cases_staff, remove("kc1"), "E_SIG"},
      {"a removal, by another realm's roster", identitys_roster, remove("cw01"), "E_SIG"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    identity_.ForgetCalls();
    cases_.ForgetCalls();
    row.lie();
    EXPECT_EQ(row.call(), row.want);
    BeHonest();
    EXPECT_EQ(identity_.CallsOf("AppendStatements") + cases_.CallsOf("AppendStatements"), 0u);
  }

  // All of it is well again; and a realm that nobody joined is left alone.
  EXPECT_EQ(confirm(), "OK");
  cases_.ForgetCalls();
  EXPECT_TRUE(Must(inviter.ListNewcomers(in_identity)));
  EXPECT_TRUE(cases_.calls().empty());
  // A removal that is in the rosters goes on until record and lists say so too.
  const auto remove_other = remove("cw01");
  SpoilWrites(cases_);
  EXPECT_EQ(remove_other(), "E_SIG");
  BeHonest();
  EXPECT_TRUE(std::ranges::none_of(HumanOf("cw01").memberships, &Membership::ended));
  SpoilWrites(identity_);
  EXPECT_EQ(remove_other(), "E_SIG");
  BeHonest();
  EXPECT_TRUE(std::ranges::all_of(HumanOf("cw01").memberships, &Membership::ended));
}

TEST_F(Grants, AStaffRecordThatIsNoneIsReadByNobody) {
  Realm& cases = CasesOf("founder");
  const Human human = HumanOf("cw01");
  const content::v1::Record good = HumanEdit(human).content;
  using Change = std::function<void(content::v1::StaffHuman&)>;
  const std::pair<const char*, Change> rows[] = {
      {"a human's id", [](auto& record) { record.set_human_id("short"); }},
      {"a member's id", [](auto& record) { record.mutable_memberships(1)->set_member("short"); }},
      {"no realm", [](auto& record) { record.mutable_memberships(1)->set_compartment(0); }},
      {"a realm that is none",
       [](auto& record) { record.mutable_memberships(1)->set_compartment(4); }},
      {"a short opening", [](auto& record) { record.mutable_memberships(1)->set_r("short"); }},
  };
  for (const auto& [name, change] : rows) {
    SCOPED_TRACE(name);
    auto changed = good;
    change(*changed.mutable_staff_human());
    WriteRecord(cases, Kind::kStaff, human.record, changed);
    EXPECT_EQ(CodeOf(ReadStaff(cases)), "E_DECRYPT");
  }
  WriteRecord(cases, Kind::kStaff, human.record, good);
  EXPECT_EQ(HumanOf("cw01"), human);
  // Nor where there is none to read, or none at all.
  EXPECT_EQ(CodeOf(ReadStaff(CasesOf("cw01"))), "NOT_FOUND");
  identity_.ForgetCalls();
  EXPECT_EQ(CodeOf(FetchStaff(IdentityOf("founder"))), "NOT_FOUND");
  EXPECT_EQ(identity_.CallsOf("FetchVault"), 0u);
}

// Writes what this program's writer refuses, as another program may: a record of another kind of
// vault.
void Plant(Realm& author, const base::VaultId& id, const Edit& edit) {
  auto vault = Must(VaultView::Fetch(author, id));
  const auto& epoch = vault.state().epoch();
  protocol::RecordPlace place;
  place.realm = author.id();
  place.vault = id;
  place.record = edit.record;
  place.rver = 1;
  place.epoch = epoch.number;
  place.author_member = author.member();
  place.author_device = author.device().id();
  auto sealed = Must(protocol::SealRecord(
      *Must(vault.KeyOf(epoch.number)), place, SerializeRecord(edit.content).Expose(),
      protocol::RecordFloor(author.compartment(), vault.kind(), false)));
  protocol::EntryHeader header = author.EntryHeaderNow();
  header.vault = id;
  header.seq = vault.state().size();
  header.prev = vault.state().head();
  header.epoch_link = epoch.link;
  header.pin_link = vault.state().pin_link();
  transport::EntryUpload upload;
  upload.entry = protocol::SignEntry(header, sealed.rev, author.device().signing_key());
  upload.salt = sealed.salt;
  upload.ciphertext = sealed.ciphertext;
  transport::VaultUpload one;
  one.entries.push_back(std::move(upload));
  Require(Must(author.server().AppendEntries({one})).front());
}

TEST_F(Grants, WhatNoOwnerOrAdminWroteIsNeitherStaffNorName) {
  // The policy names a vault where others write.
  Realm& worker = CasesOf("cw01");
  Require(worker.Sync());
  const auto member = CasesOf("founder").member();
  Human human;
  human.record = crypto::RandomId<base::RecordId>();
  human.id = crypto::RandomId<base::HumanId>();
  human.handle = "planted";
  const auto planted = Must(CreateVault(
      worker, Kind::kSensitive, {{worker.member(), protocol::kFull}},
      [&](const base::VaultId&) { return base::Result<std::vector<Edit>>(std::vector<Edit>()); }));
  for (const Edit& edit : {HumanEdit(human), ColleagueEdit({member, "planted", "Planted"})}) {
    Plant(worker, planted.id(), edit);
  }
  Realm& founder = CasesOf("founder");
  Require(founder.Sync());
  auto policy = founder.roster().policy();
  ++policy.gen;
  for (const Kind kind : {Kind::kDirectory, Kind::kStaff}) {
    policy.vaults[static_cast<std::uint8_t>(kind)] = planted.id();
  }
  Must(founder.Author(protocol::PolicySet{policy}));
  Require(worker.Sync());
  EXPECT_EQ(Must(ReadStaff(worker)).size(), 0u);
  const auto directory = Must(Directory::Read(worker));
  EXPECT_EQ(directory.colleagues().size(), 0u);
  EXPECT_EQ(directory.proposed().size(), 0u);
}

TEST_F(Grants, ADirectoryNamesMembersAndEachOnce) {
  organisation_.Join({{"in1", "Intake 1", protocol::kIntake}});
  Realm& founder = IdentityOf("founder");
  const auto count = [&] { return Must(Directory::Read(founder)).colleagues().size(); };
  const auto before = count();
  content::v1::Record entry =
      ColleagueEdit({crypto::RandomId<base::MemberId>(), "nobody", "Nobody"}).content;
  WriteRecord(founder, Kind::kDirectory, crypto::RandomId<base::RecordId>(), entry);
  EXPECT_EQ(count(), before) << "of whom the roster does not have";
  entry.mutable_directory_entry()->set_member("short");
  WriteRecord(founder, Kind::kDirectory, crypto::RandomId<base::RecordId>(), entry);
  EXPECT_EQ(count(), before) << "of no id";

  // Who is named already is not named again, and the ledger has lists of its own.
  organisation_.MakeLedgers("in1");
  const Colleague known{IdentityOf("cw01").member(), "cw01", "Caseworker 01"};
  ASSERT_NE(Must(Directory::Read(founder)).ByMember(known.member), nullptr);
  EXPECT_EQ(CodeOf(ListEverybody(founder, {known})), "OK");
  EXPECT_EQ(count(), before);
  const auto fresh = organisation_.RealmWithEmptyStore("founder", Compartment::kIdentity);
  Require(fresh->Sync());
  WithholdRecords(identity_);
  EXPECT_EQ(CodeOf(ListEverybody(*fresh, {known})), "NOT_FOUND") << "who is named is not known";
}

TEST_F(Grants, AnInvitationIsForSomebodyWhoCanBeTold) {
  Inviter inviter(Of("founder"));
  const struct {
    const char* name;
    Newcomer newcomer;
    const char* want;
  } rows[] = {
      {"no handle", {"", "Newcomer", protocol::kCoordinator}, "INVALID_ARGUMENT"},
      {"a handle of two lines", {"a\nb", "Newcomer", protocol::kCoordinator}, "INVALID_ARGUMENT"},
      {"a name of two lines", {"new", "New\ncomer", protocol::kCoordinator}, "INVALID_ARGUMENT"},
      {"no name", {"new", "", protocol::kCoordinator}, "INVALID_ARGUMENT"},
      {"no role", {"new", "Newcomer", 0}, "INVALID_ARGUMENT"},
      {"a role that is none",
       {"new", "Newcomer", protocol::kCoordinator | 0x8000},
       "INVALID_ARGUMENT"},
      {"somebody there", {"kc1", "", protocol::kCoordinator}, "EXISTS"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(CodeOf(inviter.Invite(row.newcomer)), row.want);
  }
  Inviter colleague(Of("cw01"));
  EXPECT_EQ(CodeOf(colleague.Invite({"new", "Newcomer", protocol::kCoordinator})), "NOT_FOUND");

  // Whoever has not answered is confirmed by nobody, and who waits already is not invited again.
  Need(2);
  auto silent = Must(inviter.Invite({"kc8", "Newcomer", protocol::kCoordinator}));
  EXPECT_EQ(CodeOf(inviter.Confirm(silent[0])), "INVALID_ARGUMENT");
  auto answered = Answer(inviter, {"kc9", "Newcomer", protocol::kCoordinator});
  EXPECT_EQ(Must(inviter.Confirm(answered[0].invite)), 1u);
  EXPECT_EQ(CodeOf(inviter.Invite({"kc9", "Newcomer", protocol::kCoordinator})), "EXISTS");
}

TEST_F(Grants, ADeviceThatWaitsTakesNoPlaceOfANewcomer) {
  Realm& founder = CasesOf("founder");
  Need(2);
  auto policy = founder.roster().policy();
  ++policy.gen;
  policy.flags |= protocol::Policy::kDeviceAddNeedsAdmin;
  Must(founder.Author(protocol::PolicySet{policy}));
  Inviter inviter(Of("founder"));
  for (const char* handle : {"kc7", "kc8"}) {
    auto answered = Answer(inviter, {handle, "Newcomer", protocol::kCoordinator});
    EXPECT_EQ(Must(inviter.Confirm(answered[0].invite)), 1u);
  }
  auto devices = Must(inviter.InviteDevice());
  auto& device = *std::ranges::find(devices, Compartment::kCases, &OpenInvite::compartment);
  auto joiner =
      Must(Joiner::Begin(Must(inviter.InvitationFor(device)).Expose(), protocol::kOfferDevice));
  EXPECT_EQ(support::TestOrganisation::ShakeHands(inviter, device, joiner), 1u);
  EXPECT_EQ(founder.roster().pending().size(), 3u);
  auto answered = Answer(inviter, {"kc9", "Newcomer", protocol::kCoordinator});
  EXPECT_TRUE(Must(inviter.HasRoom(answered[0].invite)));
  EXPECT_EQ(Must(inviter.Confirm(answered[0].invite)), 1u);
  EXPECT_FALSE(Must(inviter.HasRoom(answered[0].invite)));
  EXPECT_EQ(CodeOf(RemoveMember(Of("founder"), "kc1", 1)), "E_ROSTER_INVALID");
  EXPECT_FALSE(HumanOf("kc1").memberships.at(0).ended);
}

TEST_F(Grants, OnePersonsRolesFitWheneverOneIsAdded) {
  // Whoever comes back, and is asked twice at once.
  Inviter inviter(Of("founder"));
  EXPECT_TRUE(Must(RemoveMember(Of("founder"), "kc1", 1)).empty());
  auto coordinator = Answer(inviter, {"kc1", "Coordinator 1", protocol::kCoordinator});
  auto route = Answer(inviter, {"kc1", "Coordinator 1", protocol::kRoute});
  // That they were a coordinator before is nothing to whoever approves.
  Need(2);
  EXPECT_EQ(Must(inviter.Confirm(coordinator.at(0).invite)), 1u);
  // Whom the record opens otherwise than the statement says is nobody yet.
  const Human known = HumanOf("kc1");
  Human changed = known;
  ++changed.memberships.back().r[0];
  Require(WriteHuman(CasesOf("founder"), changed));
  const auto nobodys = OnlyWaiting("ow2");
  EXPECT_FALSE(nobodys.human);
  ASSERT_TRUE(nobodys.refusal);
  EXPECT_EQ(nobodys.refusal->code(), Code::kPermissionDenied);
  Require(WriteHuman(CasesOf("founder"), known));
  const auto back = OnlyWaiting("ow2");
  ASSERT_TRUE(back.human);
  EXPECT_EQ(back.human->memberships.size(), 2u);
  EXPECT_FALSE(back.refusal);
  EXPECT_EQ(Must(Approve(Of("ow2"), back)), 0u);
  EXPECT_EQ(CodeOf(Approve(Of("ow2"), back)), "E_ROSTER_INVALID") << "it is over";
  EXPECT_EQ(CodeOf(GiveUp(Of("ow2"), back)), "E_ROSTER_INVALID");
  EXPECT_EQ(CodeOf(inviter.Confirm(route.at(0).invite)), "PERMISSION_DENIED");
  EXPECT_EQ(HumanOf("kc1").memberships.size(), 2u);

  // An owner who gives them the same id in another realm hides nothing.
  Realm& journeys = organisation_.RealmOf("founder", Compartment::kJourneys);
  Human human = HumanOf("kc1");
  Membership other = human.memberships.back();
  other.compartment = Compartment::kJourneys;
  other.roles = protocol::kRoute;
  human.memberships.push_back(other);
  Require(WriteHuman(CasesOf("founder"), human));
  const auto device = Must(protocol::Device::FromSeed(Must(protocol::DeviceSeed::Random())));
  protocol::MemberAdd add;
  add.member = other.member;
  add.roles = other.roles;
  add.staff_commit = StaffCommit(other.compartment, human.id, other.r);
  add.invite = crypto::RandomId<base::InviteId>();
  add.device = device.keys();
  add.pop = device.signing_key().Sign(protocol::labels::kRosterPop,
                                      protocol::PopMessage(journeys.id(), add));
  Require(journeys.Sync());
  EXPECT_EQ(Must(journeys.Author(add)), 1u);
  const auto hidden = OnlyWaiting("ow2");
  ASSERT_TRUE(hidden.human);
  ASSERT_TRUE(hidden.refusal);
  EXPECT_EQ(hidden.refusal->code(), Code::kPermissionDenied);
}

TEST_F(Grants, ARecordThatClaimsAnothersMemberStopsEveryGrant) {
  Inviter inviter(Of("founder"));
  const auto claim = [&](const std::string& handle) {
    Human human = HumanOf(handle);
    Membership others;
    others.compartment = Compartment::kJourneys;
    others.member = organisation_.RealmOf("ow2", Compartment::kJourneys).member();
    human.memberships.push_back(others);
    Require(WriteHuman(CasesOf("founder"), human));
  };
  auto answered = Answer(inviter, {"cw09", "Newcomer", protocol::kCaseworker});
  Must(inviter.Confirm(answered.at(0).invite));
  claim("cw09");
  EXPECT_EQ(CodeOf(inviter.Confirm(answered.at(1).invite)), "PERMISSION_DENIED");
  EXPECT_EQ(CodeOf(inviter.Invite({"cw09", "Newcomer", protocol::kCaseworker})),
            "PERMISSION_DENIED");
  claim("kc1");
  Need(2);
  Realm& founder = CasesOf("founder");
  Must(founder.Author(protocol::RoleSet{CasesOf("kc1").member(), protocol::kAuditor}));
  const auto waiting = OnlyWaiting("ow2");
  ASSERT_TRUE(waiting.refusal);
  EXPECT_EQ(waiting.refusal->code(), Code::kPermissionDenied);
  EXPECT_EQ(CodeOf(Approve(Of("ow2"), waiting)), "PERMISSION_DENIED");
}

TEST_F(Grants, ANameWaitsForThoseWhoMayAssentAndCanCheckIt) {
  Need(2);
  Realm& founder = IdentityOf("founder");
  WriteRecord(founder, Kind::kDirectory, crypto::RandomId<base::RecordId>(),
              ColleagueEdit({IdentityOf("cw01").member(), "cw01", "Another Name"}).content);
  const auto names = [](Organisation& organisation) {
    Must(ListWaiting(organisation, Now()));
    return ListWaitingNames(organisation);
  };
  const auto shown = Must(names(Of("ow2")));
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_FALSE(shown[0].refusal);
  EXPECT_TRUE(Must(names(Of("cw01"))).empty());

  // Not by whom nobody has listed, and not where a record of the directory is withheld.
  const auto unlisted = organisation_.WithEmptyStores("ow2");
  WithholdVault(identity_, Named(founder, Kind::kDirectory));
  EXPECT_TRUE(Must(names(*unlisted)).empty());
  BeHonest();
  WithholdRecords(identity_);
  EXPECT_EQ(CodeOf(names(*unlisted)), "NOT_FOUND");
  BeHonest();

  // Without the staff vault nobody can tell whose name it is.
  std::map<Compartment, std::unique_ptr<Realm>> one;
  one[Compartment::kIdentity] = organisation_.RealmWithEmptyStore("ow2", Compartment::kIdentity);
  Organisation identity_alone(std::move(one));
  const auto unchecked = Must(names(identity_alone));
  ASSERT_EQ(unchecked.size(), 1u);
  ASSERT_TRUE(unchecked[0].refusal);
  EXPECT_EQ(CodeOf(ApproveName(identity_alone, unchecked[0])), "PERMISSION_DENIED");
  EXPECT_EQ(CodeOf(ApproveName(Of("ow2"), shown[0])), "OK");

  // Nor where no vault holds names.
  auto policy = founder.roster().policy();
  ++policy.gen;
  policy.vaults.erase(static_cast<std::uint8_t>(Kind::kDirectory));
  Must(founder.Author(protocol::PolicySet{policy}));
  EXPECT_TRUE(Must(names(Of("ow2"))).empty());
}

TEST_F(Grants, NoRecoveryIsApprovedYet) {
  Realm& owner = CasesOf("founder");
  Realm& second = CasesOf("ow2");
  Require(owner.Sync());
  // Signed as it should be, and shown by the service to one device.
  protocol::StatementHeader header;
  header.realm = owner.id();
  header.seq = owner.roster().size();
  header.prev = owner.roster().head();
  header.author_member = owner.member();
  header.author_device = owner.device().id();
  header.time_ms = Now();
  const std::uint64_t first = header.seq;
  std::vector<std::string> statements;
  const auto show = [&](const protocol::StatementPayload& payload) {
    const auto statement = protocol::SignStatement(header, payload, owner.device().signing_key());
    header.prev = protocol::StatementLink(statement);
    ++header.seq;
    statements.push_back(Text(statement));
  };
  const auto any_key = [] {
    const auto device = Must(protocol::Device::FromSeed(Must(protocol::DeviceSeed::Random())));
    return device.keys().kems.at(protocol::kAlgX25519);
  };
  const auto set_of = [&](std::uint32_t gen) {
    protocol::RecoverySet set;
    set.use = protocol::kRecoveryLive;
    set.scheme = 1;
    set.gen = gen;
    set.kems = {{protocol::kAlgX25519, any_key()}};
    set.k = 2;
    set.shares = {{0, {}}, {1, {}}};
    for (auto& [index, share] : set.shares) {
      Realm* const trustee = index == 0 ? &owner : &second;
      share.member = trustee->member();
      share.device = trustee->device().id();
      share.ack = trustee->device().signing_key().Sign(
          protocol::labels::kShareAck,
          protocol::ShareAckMessage(owner.id(), set, index, share.share_commit));
    }
    return set;
  };
  show(set_of(1));
  protocol::RecoveryRequest request;
  request.use = protocol::kRecoveryLive;
  request.rec_gen = 1;
  request.recipient_member = second.member();
  request.recipient_device = second.device().id();
  request.eph_kem_pk = any_key();
  request.vaults = {crypto::RandomId<base::VaultId>()};
  request.sig = second.device().signing_key().Sign(
      protocol::labels::kRecoveryRequest, protocol::RecoveryRequestMessage(owner.id(), request));
  show(request);
  auto policy = owner.roster().policy();
  ++policy.gen;
  policy.owner_threshold = 2;
  show(protocol::PolicySet{policy});
  show(set_of(2));

  const auto device = organisation_.WithEmptyStores("ow2");
  cases_.RewriteReply([&](const wire::FetchRosterRequest& asked, wire::FetchRosterResponse& reply) {
    for (std::uint64_t i = 0; i < statements.size(); ++i) {
      if (first + i >= asked.from_seq()) reply.add_statements(statements[i]);
    }
  });
  const auto waiting = Must(ListWaiting(*device, Now()));
  ASSERT_EQ(waiting.size(), 2u);
  for (const auto& each : waiting) {
    ASSERT_TRUE(each.refusal);
    EXPECT_EQ(each.refusal->code(), Code::kUnsupported);
    EXPECT_EQ(CodeOf(Approve(*device, each)), "E_UNSUPPORTED");
  }
}

TEST_F(Grants, WhoeverJoinsTakesNothingElseThanTheOffer) {
  EXPECT_EQ(CodeOf(Joiner::Begin(base::AsBytes("no invitation"))), "INVALID_ARGUMENT");
  Inviter inviter(Of("founder"));
  // Another offer than before.
  auto answered = Answer(inviter, {"kc9", "Newcomer", protocol::kCoordinator});
  auto& [invite, joiner] = answered.at(0);
  cases_.RewriteReply(
      [](const wire::GetJoinMessagesRequest&, wire::GetJoinMessagesResponse& reply) {
        (*reply.mutable_offer())[0] ^= 1;
      });
  EXPECT_EQ(CodeOf(joiner.Poll()), "E_FORK");
  BeHonest();
  // Other roles than were offered.
  Must(inviter.Confirm(invite));
  EXPECT_TRUE(Must(joiner.IsAdded()));
  Must(CasesOf("founder").Author(protocol::RoleSet{invite.membership.member, protocol::kAuditor}));
  EXPECT_EQ(CodeOf(joiner.IsAdded()), "E_ROSTER_INVALID");
  // A device by one that is no more.
  organisation_.AddDevice("kc1", "lost");
  Inviter lost(Of("lost"));
  auto devices = Must(lost.InviteDevice());
  const auto words = Must(lost.InvitationFor(devices.at(0)));
  Realm& realm = CasesOf("lost");
  Require(CasesOf("founder").Sync());
  Must(CasesOf("founder").Author(protocol::DeviceRevoke{realm.member(), realm.device().id(), 1}));
  EXPECT_EQ(CodeOf(Joiner::Begin(words.Expose(), protocol::kOfferDevice)), "E_ROSTER_INVALID");
}

}  // namespace
}  // namespace godwit::client
