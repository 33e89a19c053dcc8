// A small organisation over the real services and databases: who sees what, and what happens when
// people leave, lose devices, or work without a network.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/clock.h"
#include "client/approvals.h"
#include "client/board.h"
#include "client/cases.h"
#include "client/directory.h"
#include "client/invite.h"
#include "client/pinned_rows.h"
#include "client/staff.h"
#include "client/vault_writer.h"
#include "crypto/random.h"
#include "tests/support/builders.h"
#include "tests/support/realm_server.h"
#include "tests/support/test_organisation.h"

namespace godwit::client {
namespace {

using base::Code;
using protocol::Compartment;
using protocol::Kind;
using support::Must;
using support::Require;

NewCase Invented(const std::string& supervisor) {
  NewCase new_case;
  new_case.supervisor = supervisor;
  new_case.summary.set_risk(content::v1::RISK_LEVEL_HIGH);
  new_case.summary.set_population(content::v1::POPULATION_GROUP_OTHER);
  new_case.summary.mutable_consent()->set_store_identity(content::v1::ANSWER_YES);
  new_case.summary.mutable_consent()->set_services(content::v1::ANSWER_YES);
  auto& name = *new_case.profile.add_names();
  name.set_kind(content::v1::NAME_KIND_CURRENT);
  name.set_script(content::v1::SCRIPT_HANG);
  name.set_full("홍예시");
  new_case.trafficking.emplace().add_control_methods(content::v1::CONTROL_METHOD_THREATS);
  return new_case;
}

class Casework : public testing::Test {
 protected:
  Casework() : organisation_(servers_) { organisation_.Join(support::Staff(2, 2, 2, 0, 1)); }

  Organisation& Of(const std::string& handle) { return organisation_.Of(handle); }
  void Sync(const std::string& handle) { organisation_.Sync(handle); }

  // From here on two must sign a grant in the cases realm; returns the founder's view of it.
  Realm& NeedTwo() {
    Realm& founders = organisation_.RealmOf("founder", Compartment::kCases);
    Require(founders.Sync());
    protocol::Policy policy = founders.roster().policy();
    ++policy.gen;
    policy.grant_threshold = 2;
    EXPECT_EQ(Must(founders.Author(protocol::PolicySet{policy})), 0u);
    return founders;
  }

  support::RealmServers servers_;
  support::TestOrganisation organisation_;
};

TEST_F(Casework, ACaseIsReadByItsOwnPeopleAndEachPartByItsOwn) {
  const std::string code = Must(OpenCase(Of("cw01"), Invented("sv1")));

  const auto mine = Must(ShowCase(Of("cw01"), code));
  EXPECT_EQ(mine.row.summary.risk(), content::v1::RISK_LEVEL_HIGH);
  EXPECT_EQ(mine.row.caseworker, "Caseworker 01");
  EXPECT_EQ(mine.row.supervisor, "Supervisor 1");
  EXPECT_EQ(mine.link, LinkState::kBothSides);
  ASSERT_TRUE(mine.trafficking);
  const auto person = Must(ShowPerson(Of("cw01"), code));
  EXPECT_EQ(person.profile.names(0).full(), "홍예시");

  // The supervisor reads the case and its sensitive part, manages the person, and does not read it.
  const auto supervised = Must(ShowCase(Of("sv1"), code));
  EXPECT_TRUE(supervised.sensitive_readable());
  const auto closed = ShowPerson(Of("sv1"), code);
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code(), Code::kNotFound);
  Realm& identity = organisation_.RealmOf("sv1", Compartment::kIdentity);
  auto managed = Must(VaultView::Fetch(identity, person.vault));
  EXPECT_EQ(managed.perm(), protocol::kManage);
  for (const auto& record : managed.LiveRecords()) {
    EXPECT_EQ(managed.Read(record).error().code(), Code::kNotFound);
  }

  // Every coordinator reads the case alone, and no identity at all.
  for (const char* coordinator : {"kc1", "kc2"}) {
    const auto seen = Must(ShowCase(Of(coordinator), code));
    EXPECT_FALSE(seen.sensitive_readable());
    EXPECT_EQ(seen.row.caseworker, "Caseworker 01");
    EXPECT_EQ(ShowPerson(Of(coordinator), code).error().code(), Code::kPermissionDenied);
  }

  // Nobody else knows that it exists.
  for (const char* other : {"cw02", "sv2"}) {
    EXPECT_EQ(ShowCase(Of(other), code).error().code(), Code::kNotFound);
    EXPECT_EQ(ShowPerson(Of(other), code).error().code(), Code::kNotFound);
    Realm& theirs = organisation_.RealmOf(other, Compartment::kIdentity);
    EXPECT_EQ(VaultView::Fetch(theirs, person.vault).error().code(), Code::kNotFound);
  }
  EXPECT_EQ(ShowCase(Of("rc1"), code).error().code(), Code::kPermissionDenied);
  EXPECT_EQ(ShowPerson(Of("rc1"), code).error().code(), Code::kPermissionDenied);
  EXPECT_EQ(ShowCase(Of("founder"), code).error().code(), Code::kNotFound);
}

TEST_F(Casework, WhatIsWrongWithANewCaseIsSaidBeforeAnythingIsMade) {
  auto nobody = Invented("nobody");
  EXPECT_EQ(OpenCase(Of("cw01"), nobody).error().code(), Code::kInvalidArgument);
  auto coordinator = Invented("kc1");
  EXPECT_EQ(OpenCase(Of("cw01"), coordinator).error().code(), Code::kInvalidArgument);
  auto unasked = Invented("sv1");
  unasked.summary.mutable_consent()->set_store_identity(content::v1::ANSWER_NOT_ASKED);
  EXPECT_EQ(OpenCase(Of("cw01"), unasked).error().code(), Code::kInvalidArgument);
  EXPECT_EQ(OpenCase(Of("sv1"), Invented("sv2")).error().code(), Code::kPermissionDenied);
  EXPECT_EQ(OpenCase(Of("kc1"), Invented("sv1")).error().code(), Code::kPermissionDenied);
  Sync("cw01");
  EXPECT_TRUE(Must(ListCases(Of("cw01"))).empty());
}

TEST_F(Casework, NotesAndEditsReachColleagues) {
  const std::string code = Must(OpenCase(Of("cw01"), Invented("sv1")));
  EXPECT_FALSE(Must(AddNote(Of("cw01"), code, "called, nobody answered")).queued);
  EXPECT_FALSE(Must(EditCase(Of("cw01"), code,
                             {{"summary.risk", "low"}, {"case.to_desk", "needs warm clothes"}}))
                   .queued);
  const auto seen = Must(ShowCase(Of("sv1"), code));
  ASSERT_EQ(seen.notes.size(), 1u);
  EXPECT_EQ(seen.notes[0].first.text(), "called, nobody answered");
  EXPECT_EQ(seen.notes[0].second, "Caseworker 01");
  EXPECT_EQ(seen.row.summary.risk(), content::v1::RISK_LEVEL_LOW);
  EXPECT_EQ(seen.facts->to_desk(), "needs warm clothes");
  EXPECT_EQ(EditCase(Of("cw01"), code, {{"summary.stage", "closed"}}).error().code(),
            Code::kPermissionDenied);
  EXPECT_EQ(EditCase(Of("cw01"), code, {{"summary.risk", "tremendous"}}).error().code(),
            Code::kInvalidArgument);
}

TEST_F(Casework, OfflineWorkWaitsInTheOutboxAndIsSentLater) {
  const std::string code = Must(OpenCase(Of("cw01"), Invented("sv1")));
  Must(ShowCase(Of("cw01"), code));
  Sync("cw01");
  support::ServerOf(servers_, Compartment::kCases).Stop();
  EXPECT_TRUE(Must(AddNote(Of("cw01"), code, "written on the train")).queued);
  EXPECT_EQ(Must(Outbox(Of("cw01"))).waiting, 1u);
  EXPECT_TRUE(Must(ShowCase(Of("cw01"), code, /*offline=*/true)).sensitive_readable());
  support::ServerOf(servers_, Compartment::kCases).Start();
  const auto sent = Must(SendOutbox(Of("cw01")));
  EXPECT_EQ(sent.waiting, 0u);
  EXPECT_EQ(Must(ShowCase(Of("sv1"), code)).notes.size(), 1u);
  // Nothing is sent twice.
  EXPECT_EQ(Must(SendOutbox(Of("cw01"))).waiting, 0u);
  EXPECT_EQ(Must(ShowCase(Of("sv1"), code)).notes.size(), 1u);
}

TEST_F(Casework, TheBoardShowsEveryCaseOverdueFirst) {
  const std::string calm = Must(OpenCase(Of("cw01"), Invented("sv1")));
  const std::string late = Must(OpenCase(Of("cw02"), Invented("sv2")));
  Must(EditCase(Of("cw02"), late, {{"summary.next_due_day", "2001-02-03"}}));
  Sync("kc1");
  const Board board = Must(ReadBoard(Of("kc1"), 20'000));
  ASSERT_EQ(board.lines.size(), 2u);
  EXPECT_EQ(board.lines[0].row.summary.code(), late);
  EXPECT_TRUE(board.lines[0].overdue);
  EXPECT_EQ(board.lines[0].row.caseworker, "Caseworker 02");
  EXPECT_EQ(board.lines[1].row.summary.code(), calm);
  EXPECT_EQ(board.by_stage.at(content::v1::CASE_STAGE_CONTACT), 2u);
  // Read cold; once opened whole it counts as checked.
  EXPECT_EQ(board.not_fully_checked, 2u);
  Must(ShowCase(Of("kc1"), calm));
  EXPECT_EQ(Must(ReadBoard(Of("kc1"), 20'000)).not_fully_checked, 1u);
}

TEST_F(Casework, ARevokedDeviceIsOutWithinASecond) {
  const std::string code = Must(OpenCase(Of("cw01"), Invented("sv1")));
  Realm& theirs = organisation_.RealmOf("cw01", Compartment::kCases);
  Require(theirs.Sync());
  Realm& founders = organisation_.RealmOf("founder", Compartment::kCases);
  Require(founders.Sync());
  Must(founders.Author(protocol::DeviceRevoke{theirs.member(), theirs.device().id(), 1}));
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const auto refused = theirs.Sync();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kUnauthenticated);
  // The next writer rekeys first: what is new is out of reach of the revoked device's keys.
  Must(AddNote(Of("sv1"), code, "after the loss"));
  Realm& supervisor = organisation_.RealmOf("sv1", Compartment::kCases);
  const auto rows = Must(ReadPinnedRows(supervisor, Kind::kSensitive));
  ASSERT_EQ(rows.size(), 1u);
  auto vault = Must(VaultView::Fetch(supervisor, rows[0].vault));
  EXPECT_EQ(vault.state().epoch().number, 2u);
  EXPECT_EQ(vault.state().epoch().list.at(theirs.member()).puk_gen, 0u);
}

TEST_F(Casework, WhoIsRemovedLeavesTheVaultsWithTheNextWriter) {
  const std::string code = Must(OpenCase(Of("cw01"), Invented("sv1")));
  const auto removed = organisation_.RealmOf("kc2", Compartment::kCases).member();
  EXPECT_TRUE(Must(RemoveMember(Of("founder"), "kc2", 1)).empty());
  Must(EditCase(Of("cw01"), code, {{"summary.risk", "medium"}}));
  Realm& realm = organisation_.RealmOf("cw01", Compartment::kCases);
  const auto vault = Must(FindCaseVault(realm, Kind::kCase, code, false));
  EXPECT_FALSE(vault.state().epoch().list.contains(removed));
  EXPECT_EQ(Must(ShowCase(Of("kc1"), code)).row.summary.risk(), content::v1::RISK_LEVEL_MEDIUM);
  EXPECT_FALSE(Of("kc2").Sync());
}

TEST_F(Casework, WhatNeedsASecondSignatureWaitsForIt) {
  organisation_.Join({{"ad1", "Admin One", protocol::kAdmin}});
  Realm& founders = NeedTwo();
  Realm& admins = organisation_.RealmOf("ad1", Compartment::kCases);
  const auto approve = [&] {
    Require(admins.Sync());
    const base::Link link = admins.roster().pending().at(0).link;
    EXPECT_EQ(Must(admins.Author(protocol::Approve{link, protocol::kNoShare, {}})), 0u);
  };

  // A removal, asked for twice, is one.
  for (int i = 0; i < 2; ++i) {
    const auto waiting = Must(RemoveMember(Of("founder"), "kc2", 1));
    ASSERT_EQ(waiting.size(), 1u);
    EXPECT_EQ(waiting[0].compartment, Compartment::kCases);
    EXPECT_EQ(waiting[0].missing, 1u);
    EXPECT_EQ(founders.roster().pending().size(), 1u);
  }
  Require(organisation_.RealmOf("kc2", Compartment::kCases).Sync());
  approve();
  EXPECT_TRUE(Must(RemoveMember(Of("founder"), "kc2", 1)).empty());
  EXPECT_FALSE(organisation_.RealmOf("kc2", Compartment::kCases).Sync());
  EXPECT_EQ(RemoveMember(Of("founder"), "kc2", 1).error().code(), Code::kNotFound);

  // A newcomer is none before.
  Inviter inviter(Of("founder"));
  auto invites = Must(inviter.Invite({"kc9", "Newcomer", protocol::kCoordinator}));
  ASSERT_EQ(invites.size(), 1u);
  const auto words = Must(inviter.InvitationFor(invites[0]));
  auto joiner = Must(Joiner::Begin(words.Expose()));
  Must(inviter.Poll(invites[0]));
  Must(joiner.Poll());
  EXPECT_EQ(Must(inviter.Confirm(invites[0])), 1u);
  EXPECT_FALSE(Must(joiner.IsAdded()));
  EXPECT_FALSE(Must(inviter.ListNewcomers(invites)));
  approve();
  EXPECT_TRUE(Must(joiner.IsAdded()));
}

TEST_F(Casework, TwoInvitationsOfOneHandleMakeOneHuman) {
  Inviter inviter(Of("founder"));
  std::vector<OpenInvite> both;
  for (int i = 0; i < 2; ++i) {
    auto invites = Must(inviter.Invite({"kc5", "Newcomer", protocol::kCoordinator}));
    ASSERT_EQ(invites.size(), 1u);
    auto joiner = Must(Joiner::Begin(Must(inviter.InvitationFor(invites[0])).Expose()));
    Must(inviter.Poll(invites[0]));
    Must(joiner.Poll());
    Must(inviter.Poll(invites[0]));
    both.push_back(std::move(invites[0]));
  }
  EXPECT_EQ(Must(inviter.Confirm(both[0])), 0u);
  EXPECT_EQ(inviter.Confirm(both[1]).error().code(), Code::kExists);
  const auto staff = Must(FetchStaff(organisation_.RealmOf("founder", Compartment::kCases)));
  EXPECT_EQ(std::ranges::count(staff, std::string("kc5"), &Human::handle), 1);
}

TEST_F(Casework, NobodyLeavesMoreWaitingThanARosterTakes) {
  organisation_.Join({{"ad1", "Admin One", protocol::kAdmin}});
  NeedTwo();
  Inviter inviter(Of("founder"));
  std::vector<OpenInvite> all;
  for (const char* handle : {"kc5", "kc6", "kc7", "kc8"}) {
    auto invites = Must(inviter.Invite({handle, "Newcomer", protocol::kCoordinator}));
    const auto words = Must(inviter.InvitationFor(invites[0]));
    auto joiner = Must(Joiner::Begin(words.Expose()));
    Must(inviter.Poll(invites[0]));
    Must(joiner.Poll());
    Must(inviter.Poll(invites[0]));
    all.push_back(std::move(invites[0]));
  }
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(Must(inviter.HasRoom(all[i])));
    EXPECT_EQ(Must(inviter.Confirm(all[i])), 1u);
  }
  EXPECT_FALSE(Must(inviter.HasRoom(all[3])));
  EXPECT_EQ(inviter.Confirm(all[3]).error().code(), Code::kRosterInvalid);
  const auto waiting = Must(ListWaiting(Of("ad1"), base::SystemClock().NowMs()));
  ASSERT_EQ(waiting.size(), 3u);
  EXPECT_EQ(Must(Approve(Of("ad1"), waiting[1])), 0u);
  EXPECT_TRUE(Must(inviter.HasRoom(all[3])));
  EXPECT_EQ(Must(inviter.Confirm(all[3])), 1u);
}

// A name counts once a second owner or admin has looked at it.
TEST_F(Casework, ANameIsBelievedOfTwo) {
  organisation_.Join(
      {{"ad1", "Admin One", protocol::kAdmin}, {"ad2", "Admin Two", protocol::kAdmin}});
  Realm& founders = NeedTwo();
  const auto member = organisation_.RealmOf("kc1", Compartment::kCases).member();
  const auto propose = [&](const std::string& handle) {
    Must(WriteVault(founders, founders.roster().policy().VaultOf(Kind::kDirectory),
                    [&](VaultView&) -> base::Result<std::vector<Edit>> {
                      return std::vector<Edit>{ColleagueEdit({member, handle, "Another Name"})};
                    }));
  };
  const auto names = [&](const std::string& handle) {
    Realm& realm = organisation_.RealmOf(handle, Compartment::kCases);
    Require(realm.Sync());
    Must(VaultView::Fetch(realm, realm.roster().policy().VaultOf(Kind::kDirectory)));
    const auto directory = Must(Directory::Read(realm));
    return std::ranges::count(directory.colleagues(), "Another Name", &Colleague::display_name);
  };
  const auto waiting = [&](const std::string& handle) {
    Must(ListWaiting(Of(handle), base::SystemClock().NowMs()));
    return Must(ListWaitingNames(Of(handle)));
  };

  // What was written while one sufficed is still believed; this is not yet.
  EXPECT_EQ(Must(Directory::Read(founders)).NameOf(member), "Coordinator 1");
  propose("kc1");
  EXPECT_EQ(names("cw01"), 0);
  auto shown = waiting("ad1");
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_FALSE(shown[0].written_by_me);
  EXPECT_FALSE(shown[0].refusal);
  ASSERT_EQ(waiting("founder").size(), 1u);
  EXPECT_TRUE(waiting("founder")[0].written_by_me);
  EXPECT_FALSE(ApproveName(Of("founder"), waiting("founder")[0])) << "nobody assents to their own";
  EXPECT_EQ(names("cw01"), 0);
  Require(ApproveName(Of("ad1"), shown[0]));
  EXPECT_EQ(names("cw01"), 1);
  EXPECT_TRUE(waiting("ad2").empty());

  // A name that the staff vault has for somebody else is assented to by nobody.
  propose("kc2");
  shown = waiting("ad1");
  ASSERT_EQ(shown.size(), 1u);
  ASSERT_TRUE(shown[0].refusal);
  EXPECT_FALSE(ApproveName(Of("ad1"), shown[0]));
  EXPECT_EQ(names("cw01"), 1);
}

TEST_F(Casework, AGrantIsApprovedForWhomTheStaffRecordNames) {
  organisation_.Join({{"ow2", "Owner Two", protocol::kOwner | protocol::kAdmin}});
  Realm& founders = NeedTwo();
  const std::uint64_t now_ms = base::SystemClock().NowMs();
  const auto waiting = [&](std::uint64_t at_ms) {
    auto all = Must(ListWaiting(Of("ow2"), at_ms));
    EXPECT_EQ(all.size(), 1u);
    return all.front();
  };
  const auto refused = [&](std::uint64_t at_ms, Code code) {
    const auto shown = waiting(at_ms);
    ASSERT_TRUE(shown.refusal);
    EXPECT_EQ(shown.refusal->code(), code);
    const auto approved = Approve(Of("ow2"), shown);
    ASSERT_FALSE(approved);
    EXPECT_EQ(approved.error().code(), code);
    EXPECT_EQ(waiting(at_ms).statement.approvals.size(), 0u);
  };

  Inviter inviter(Of("founder"));
  auto invites = Must(inviter.Invite({"kc9", "Newcomer", protocol::kCoordinator}));
  const auto words = Must(inviter.InvitationFor(invites[0]));
  auto joiner = Must(Joiner::Begin(words.Expose()));
  Must(inviter.Poll(invites[0]));
  Must(joiner.Poll());
  EXPECT_EQ(Must(inviter.Confirm(invites[0])), 1u);
  {
    SCOPED_TRACE("after 31 days");
    refused(now_ms + 31 * std::uint64_t{86'400'000}, Code::kInvalidArgument);
  }
  const auto shown = waiting(now_ms);
  EXPECT_FALSE(shown.refusal);
  ASSERT_TRUE(shown.human);
  EXPECT_EQ(shown.human->handle, "kc9");
  EXPECT_EQ(Must(Approve(Of("ow2"), shown)), 0u);
  EXPECT_TRUE(Must(joiner.IsAdded()));

  // Roles that do not go together over the realms, though each of them could be had in its own.
  const auto member_of = [&](const char* handle) {
    return organisation_.RealmOf(handle, Compartment::kCases).member();
  };
  EXPECT_EQ(Must(founders.Author(protocol::RoleSet{member_of("cw01"), protocol::kCoordinator})),
            1u);
  {
    SCOPED_TRACE("roles that do not fit");
    refused(now_ms, Code::kPermissionDenied);
  }
  Require(GiveUp(Of("ow2"), waiting(now_ms)));
  EXPECT_TRUE(Must(ListWaiting(Of("ow2"), now_ms)).empty());

  // A member whom no staff record claims with the right opening.
  auto staff = Must(FetchStaff(founders));
  const auto kc2 = std::ranges::find(staff, "kc2", &Human::handle);
  ASSERT_NE(kc2, staff.end());
  ++kc2->memberships.at(0).r[0];
  Require(WriteHuman(founders, *kc2));
  EXPECT_EQ(Must(founders.Author(protocol::RoleSet{member_of("kc2"), protocol::kAuditor})), 1u);
  {
    SCOPED_TRACE("nobody's");
    refused(now_ms, Code::kPermissionDenied);
  }
  --kc2->memberships.at(0).r[0];
  Require(WriteHuman(founders, *kc2));
  EXPECT_EQ(Must(Approve(Of("ow2"), waiting(now_ms))), 0u);
}

TEST_F(Casework, GrantsRefuseRolesThatTogetherJoinWhoAndWhere) {
  Inviter inviter(Of("founder"));
  const struct {
    const char* name;
    protocol::Roles roles;
    Code want;
  } rows[] = {
      {"identity and journeys", protocol::kCaseworker | protocol::kRoute, Code::kPermissionDenied},
      {"intake and route", protocol::kIntake | protocol::kRoute, Code::kPermissionDenied},
      {"coordinator and caseworker", protocol::kCoordinator | protocol::kCaseworker,
       Code::kPermissionDenied},
      {"coordinator and intake", protocol::kCoordinator | protocol::kIntake,
       Code::kPermissionDenied},
      {"coordinator and route", protocol::kCoordinator | protocol::kRoute, Code::kPermissionDenied},
      {"admin who reads", protocol::kAdmin | protocol::kCaseworker, Code::kPermissionDenied},
      {"auditor who reads", protocol::kAuditor | protocol::kRoute, Code::kPermissionDenied},
      {"none", 0, Code::kInvalidArgument},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto invited = inviter.Invite({"new", "Newcomer", row.roles});
    ASSERT_FALSE(invited);
    EXPECT_EQ(invited.error().code(), row.want);
  }
  EXPECT_EQ(inviter.Invite({"cw01", "Another", protocol::kCaseworker}).error().code(),
            Code::kExists);
  EXPECT_TRUE(inviter.Invite({"new", "Newcomer", protocol::kCaseworker | protocol::kSupervisor}));
}

TEST_F(Casework, TheStaffVaultOpensEveryStaffCommit) {
  Realm& cases = organisation_.RealmOf("founder", Compartment::kCases);
  Sync("founder");
  const auto staff = Must(ReadStaff(cases));
  EXPECT_EQ(staff.size(), 8u);
  for (const auto compartment :
       {Compartment::kIdentity, Compartment::kCases, Compartment::kJourneys}) {
    Realm& realm = organisation_.RealmOf("founder", compartment);
    for (const auto& [member, row] : realm.roster().members()) {
      std::size_t opened = 0;
      for (const Human& human : staff) {
        for (const Membership& m : human.memberships) {
          if (m.compartment == compartment && m.member == member &&
              StaffCommit(compartment, human.id, m.r) == row.staff_commit) {
            ++opened;
          }
        }
      }
      EXPECT_EQ(opened, 1u);
    }
  }
}

TEST_F(Casework, LosingALocalStoreLosesNothingButTime) {
  const std::string code = Must(OpenCase(Of("cw01"), Invented("sv1")));
  auto again = organisation_.WithEmptyStores("cw01");
  Require(again->Sync());
  EXPECT_EQ(Must(ShowPerson(*again, code)).profile.names(0).full(), "홍예시");
}

TEST_F(Casework, TwoWhoWriteAtOnceBothKeepWhatTheyWrote) {
  const std::string code = Must(OpenCase(Of("cw01"), Invented("sv1")));
  Sync("sv1");
  Sync("cw01");
  constexpr int kNotes = 10;
  std::thread other([&] {
    for (int i = 0; i < kNotes; ++i) Must(AddNote(Of("sv1"), code, "from the supervisor"));
  });
  for (int i = 0; i < kNotes; ++i) Must(AddNote(Of("cw01"), code, "from the caseworker"));
  other.join();
  EXPECT_EQ(Must(ShowCase(Of("cw01"), code)).notes.size(), 2u * kNotes);
}

}  // namespace
}  // namespace godwit::client
