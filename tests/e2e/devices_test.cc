// Further devices of a person: what they read, what the others of the same person check of them,
// and what becomes of somebody who has none left.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "base/clock.h"
#include "client/approvals.h"
#include "client/cases.h"
#include "client/directory.h"
#include "client/invite.h"
#include "client/pinned_rows.h"
#include "client/self_audit.h"
#include "client/vault_writer.h"
#include "crypto/random.h"
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
using support::TestOrganisation;

NewCase Invented() {
  NewCase new_case;
  new_case.supervisor = "sv1";
  new_case.summary.set_risk(content::v1::RISK_LEVEL_HIGH);
  new_case.summary.mutable_consent()->set_store_identity(content::v1::ANSWER_YES);
  new_case.profile.add_names()->set_full("홍예시");
  return new_case;
}

class Devices : public testing::Test {
 protected:
  Devices() : organisation_(servers_, {{Compartment::kCases, liar_.address()}}) {
    organisation_.Join(support::Staff(1, 1, 1, 0, 0));
  }

  Organisation& Of(const std::string& device) { return organisation_.Of(device); }
  Realm& CasesOf(const std::string& device) {
    return organisation_.RealmOf(device, Compartment::kCases);
  }
  static std::string CodeOf(const base::Status& status) {
    return status ? "OK" : std::string(base::Name(status.error().code()));
  }
  // The notes of a case, as a device reads them after a sync.
  std::vector<std::string> Notes(const std::string& device, const std::string& code) {
    organisation_.Sync(device);
    std::vector<std::string> texts;
    const auto shown = Must(ShowCase(Of(device), code));
    for (const auto& note : shown.notes) texts.push_back(note.first.text());
    std::ranges::sort(texts);
    return texts;
  }
  VaultView VaultOf(const std::string& device, Kind kind) {
    Realm& realm = CasesOf(device);
    Require(SyncPinnedRows(realm, kind));
    const auto rows = Must(ReadPinnedRows(realm, kind));
    EXPECT_EQ(rows.size(), 1u);
    return Must(VaultView::Fetch(realm, rows.at(0).vault));
  }

  support::RealmServers servers_;
  support::LyingServer liar_{servers_.cases};  // honest, but for when something else comes first
  TestOrganisation organisation_;
};

TEST_F(Devices, ASecondDeviceReadsWhatIsOlderAndGoesOnWhenTheFirstIsRevoked) {
  const std::string code = Must(OpenCase(Of("cw01"), Invented()));
  // Three PUKs, and epochs under each.
  std::vector<std::string> notes;
  for (const char* note : {"a: under the first key", "b: under the second", "c: the third"}) {
    Must(AddNote(Of("cw01"), code, note));
    notes.emplace_back(note);
    for (const auto& [compartment, realm] : Of("cw01").realms()) Require(realm->RotatePuk());
  }
  EXPECT_EQ(VaultOf("sv1", Kind::kSensitive).state().epoch().number, 3u);

  organisation_.AddDevice("cw01", "second");
  Realm& first = CasesOf("cw01");
  Realm& second = CasesOf("second");
  EXPECT_EQ(second.member(), first.member());
  EXPECT_NE(second.device().id(), first.device().id());
  for (const std::uint32_t gen : {1u, 2u, 3u, 4u}) EXPECT_TRUE(second.PukPair(gen)) << gen;
  EXPECT_EQ(Notes("second", code), notes);
  EXPECT_EQ(Must(ShowPerson(Of("second"), code)).profile.names(0).full(), "홍예시");

  // Both write, each reads the other.
  Must(AddNote(Of("second"), code, "d: by the second device"));
  Must(AddNote(Of("cw01"), code, "e: by the first"));
  notes.insert(notes.end(), {"d: by the second device", "e: by the first"});
  EXPECT_EQ(Notes("second", code), notes);
  EXPECT_EQ(Notes("cw01", code), notes);

  // The first is lost. Until the second makes a new PUK, the member is suspended in what is
  // written.
  for (const auto& [compartment, realm] : Of("second").realms()) {
    Realm& lost = organisation_.RealmOf("cw01", compartment);
    Realm& founder = organisation_.RealmOf("founder", compartment);
    Require(founder.Sync());
    Must(founder.Author(protocol::DeviceRevoke{lost.member(), lost.device().id(), 1}));
  }
  Must(AddNote(Of("sv1"), code, "f: after the loss"));
  EXPECT_EQ(VaultOf("sv1", Kind::kSensitive).state().epoch().list.at(second.member()).puk_gen, 0u);
  organisation_.Sync("second");
  EXPECT_EQ(second.roster().UsablePukAt(second.member(), second.roster().head_seq())->gen, 5u);
  Must(AddNote(Of("sv1"), code, "g: after the new key"));
  EXPECT_EQ(VaultOf("sv1", Kind::kSensitive).state().epoch().list.at(second.member()).puk_gen, 5u);
  notes.insert(notes.end(), {"f: after the loss", "g: after the new key"});
  EXPECT_EQ(Notes("second", code), notes);
  Must(AddNote(Of("second"), code, "h: and on it goes"));
  notes.emplace_back("h: and on it goes");
  EXPECT_EQ(Notes("sv1", code), notes);
  EXPECT_FALSE(Of("cw01").Sync());
}

TEST_F(Devices, ADeviceThatJoinsWhileAnotherRotatesGetsTheKeyThatIsNewest) {
  Realm& first = CasesOf("cw01");
  organisation_.AddDevice("cw01", "second");
  // The second makes a PUK that the first has not heard of when it adds a third.
  Inviter inviter(Of("cw01"));
  auto invites = Must(inviter.InviteDevice());
  auto& invite = *std::ranges::find(invites, Compartment::kCases, &OpenInvite::compartment);
  auto joiner =
      Must(Joiner::Begin(Must(inviter.InvitationFor(invite)).Expose(), protocol::kOfferDevice));
  Require(CasesOf("second").Sync());
  Require(CasesOf("second").RotatePuk());
  EXPECT_EQ(TestOrganisation::ShakeHands(inviter, invite, joiner), 0u);
  const auto third = organisation_.Settle("third", std::move(joiner));
  EXPECT_EQ(third->roster().PukAt(first.member(), third->roster().head_seq())->gen, 2u);
  EXPECT_TRUE(third->PukPair(2));
  EXPECT_TRUE(third->PukPair(1));
}

TEST_F(Devices, TwoThatRotateAtOnceLeaveNeitherBehind) {
  organisation_.AddDevice("kc1", "second");
  organisation_.AddDevice("kc1", "third");
  Realm& first = CasesOf("kc1");
  Realm& second = CasesOf("second");
  Require(first.Sync());
  // `first_does` while what it sends is on its way, and `second_does` comes first.
  const auto race = [&](const std::function<base::Status()>& first_does,
                        const std::function<base::Status()>& second_does) {
    bool begun = false;
    liar_.RewriteRequest([&](realm::v1::AppendStatementsRequest&) {
      if (std::exchange(begun, true)) return;
      Require(second_does());
    });
    EXPECT_EQ(CodeOf(first_does()), "OK");
    liar_.BeHonest();
    EXPECT_TRUE(begun);
    Require(second.Sync());
    EXPECT_EQ(first.roster().head(), second.roster().head());
    return first.roster().PukAt(first.member(), first.roster().head_seq())->gen;
  };
  // Both see that a third device was revoked: one new PUK is enough.
  Realm& founder = CasesOf("founder");
  Require(founder.Sync());
  Must(founder.Author(protocol::DeviceRevoke{first.member(), CasesOf("third").device().id(), 1}));
  EXPECT_EQ(race([&] { return first.Sync(); }, [&] { return second.Sync(); }), 2u);
  // Whoever asks for one at the same time gets the same.
  EXPECT_EQ(race([&] { return first.RotatePuk(); }, [&] { return second.RotatePuk(); }), 3u);
  // One that comes later wraps the other device's, though this one has not opened it yet.
  Require(first.RotatePuk());
  Require(second.Sync());
  for (Realm* device : {&first, &second}) {
    for (const std::uint32_t gen : {1u, 2u, 3u, 4u}) EXPECT_TRUE(device->PukPair(gen)) << gen;
  }
  const auto* self = first.roster().FindMember(first.member());
  EXPECT_EQ(self->puks.back().prev_gen, 3u);
}

TEST_F(Devices, ADeviceWaitsForAnAdminWhereThePolicyAsksForOne) {
  Realm& founder = CasesOf("founder");
  Require(founder.Sync());
  auto policy = founder.roster().policy();
  ++policy.gen;
  policy.flags |= protocol::Policy::kDeviceAddNeedsAdmin;
  Must(founder.Author(protocol::PolicySet{policy}));

  const auto begin = [&](Inviter& inviter, OpenInvite& invite) {
    return Must(
        Joiner::Begin(Must(inviter.InvitationFor(invite)).Expose(), protocol::kOfferDevice));
  };
  Inviter inviter(Of("kc1"));
  auto invites = Must(inviter.InviteDevice());
  ASSERT_EQ(invites.size(), 1u);
  auto joiner = begin(inviter, invites[0]);
  EXPECT_EQ(TestOrganisation::ShakeHands(inviter, invites[0], joiner), 1u);
  EXPECT_FALSE(Must(joiner.IsAdded()));
  EXPECT_EQ(CodeOf(inviter.InviteDevice().error()), "EXISTS") << "one at a time";

  // Keys that changed meanwhile: it must be made anew, and says so.
  const std::uint64_t now_ms = base::SystemClock().NowMs();
  Require(CasesOf("kc1").RotatePuk());
  auto waiting = Must(ListWaiting(Of("founder"), now_ms));
  ASSERT_EQ(waiting.size(), 1u);
  ASSERT_TRUE(waiting[0].refusal);
  EXPECT_EQ(waiting[0].refusal->code(), Code::kInvalidArgument);
  EXPECT_FALSE(Approve(Of("founder"), waiting[0]));
  auto own = Must(ListWaiting(Of("kc1"), now_ms));
  ASSERT_EQ(own.size(), 1u);
  Require(GiveUp(Of("kc1"), own[0]));

  invites = Must(inviter.InviteDevice());
  joiner = begin(inviter, invites[0]);
  EXPECT_EQ(TestOrganisation::ShakeHands(inviter, invites[0], joiner), 1u);
  waiting = Must(ListWaiting(Of("founder"), now_ms));
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_FALSE(waiting[0].refusal);
  EXPECT_EQ(Must(Approve(Of("founder"), waiting[0])), 0u);
  const auto second = organisation_.Settle("second", std::move(joiner));
  EXPECT_TRUE(second->PukPair(2));
}

TEST_F(Devices, WhatThisPersonDidIsNoSurpriseAndAllElseIs) {
  const auto surprises = [](Realm& realm) {
    Require(realm.Sync());
    return Must(Surprises(realm));
  };
  Realm& first = CasesOf("kc1");
  organisation_.AddDevice("kc1", "second");
  Realm& second = CasesOf("second");
  // The first added the second, and the second was told of the first by joining.
  EXPECT_TRUE(surprises(first).empty());
  EXPECT_TRUE(surprises(second).empty());
  // What the second makes is its own matter.
  Require(second.RotatePuk());
  EXPECT_TRUE(surprises(first).empty());

  // The second adds a third, of which the first never heard.
  organisation_.AddDevice("second", "third");
  Realm& third = CasesOf("third");
  EXPECT_TRUE(surprises(second).empty());
  EXPECT_TRUE(surprises(third).empty());
  auto open = surprises(first);
  ASSERT_EQ(open.size(), 1u);
  EXPECT_EQ(open[0].what, Surprise::What::kDevice);
  EXPECT_EQ(open[0].id, base::ToBytes(third.device().id().bytes()));
  EXPECT_TRUE(open[0].active);
  // Whoever adds a device vouches for the others.
  Inviter inviter(Of("kc1"));
  EXPECT_EQ(CodeOf(inviter.InviteDevice().error()), "PERMISSION_DENIED");
  // It stays one after it is gone, until the person has answered.
  Must(first.Author(protocol::DeviceRevoke{first.member(), third.device().id(), 3}));
  Require(first.Sync());
  open = surprises(first);
  ASSERT_EQ(open.size(), 1u);
  EXPECT_FALSE(open[0].active);
  Require(Confirm(first, open[0]));
  EXPECT_TRUE(surprises(first).empty());
  for (auto& invite : Must(inviter.InviteDevice())) Require(inviter.Withdraw(invite));

  // Somebody with a copy of a device's keys makes a PUK: its own device did not.
  const auto copy = organisation_.RealmWithEmptyStore("kc1", Compartment::kCases);
  Require(copy->Sync());
  Require(copy->RotatePuk());
  open = surprises(first);
  ASSERT_EQ(open.size(), 1u);
  EXPECT_EQ(open[0].what, Surprise::What::kPuk);
  EXPECT_EQ(open[0].gen, first.roster().PukAt(first.member(), first.roster().head_seq())->gen);
  EXPECT_TRUE(surprises(second).empty());
  Require(Confirm(first, open[0]));
  EXPECT_TRUE(surprises(first).empty());
}

TEST_F(Devices, WhatChangesTheRulesIsShownOnceToEveryDevice) {
  const auto taken = [](Realm& realm) {
    Require(realm.Sync());
    std::vector<Notice::What> kinds;
    for (const auto& notice : Must(TakeNotices(realm))) kinds.push_back(notice.what);
    return kinds;
  };
  using What = Notice::What;
  using Kinds = std::vector<What>;
  // What was before a device was added is none of its news.
  Realm& worker = CasesOf("kc1");
  EXPECT_EQ(taken(worker), Kinds{});
  Realm& founder = CasesOf("founder");
  Require(founder.Sync());
  auto policy = founder.roster().policy();
  ++policy.gen;
  Must(founder.Author(protocol::PolicySet{policy}));
  organisation_.Join({{"ow2", "Owner Two", protocol::kOwner | protocol::kAdmin}});
  EXPECT_EQ(taken(worker), (Kinds{What::kPolicySet, What::kOwnerAdded}));
  EXPECT_EQ(taken(worker), Kinds{});
  const auto second = CasesOf("ow2").member();
  Must(founder.Author(protocol::RoleSet{second, protocol::kAdmin}));
  EXPECT_EQ(taken(worker), Kinds{What::kOwnerGone});
  Must(founder.Author(protocol::RoleSet{second, protocol::kAdmin | protocol::kOwner}));
  Must(founder.Author(protocol::MemberRemove{second, 1}));
  EXPECT_EQ(taken(worker), (Kinds{What::kOwnerAdded, What::kOwnerGone}));
  EXPECT_EQ(Must(AllNotices(worker)).size(), 5u);
  EXPECT_EQ(Must(AllNotices(worker)).back().member, second);
}

TEST_F(Devices, WhoeverLostAllDevicesComesBackAsTheSamePerson) {
  const std::string code = Must(OpenCase(Of("cw01"), Invented()));
  Must(AddNote(Of("cw01"), code, "a: before"));
  std::map<Compartment, base::MemberId> before;
  for (const auto& [compartment, realm] : Of("cw01").realms()) {
    before[compartment] = realm->member();
    Realm& founder = organisation_.RealmOf("founder", compartment);
    Require(founder.Sync());
    Must(founder.Author(protocol::DeviceRevoke{realm->member(), realm->device().id(), 1}));
  }
  const auto human_of = [&] {
    const auto staff = Must(FetchStaff(CasesOf("founder")));
    std::vector<Human> found;
    for (const Human& human : staff) {
      if (human.handle == "cw01") found.push_back(human);
    }
    EXPECT_EQ(found.size(), 1u);
    return found.at(0);
  };
  const auto human = human_of();

  // Others go on writing; in their lists the person is suspended.
  Must(AddNote(Of("sv1"), code, "b: while nobody can"));
  EXPECT_EQ(VaultOf("sv1", Kind::kSensitive)
                .state()
                .epoch()
                .list.at(before.at(Compartment::kCases))
                .puk_gen,
            0u);

  // The way back: first out, then in.
  Inviter inviter(Of("founder"));
  const Newcomer again{"cw01", "", protocol::kCaseworker};
  EXPECT_EQ(CodeOf(inviter.Invite(again).error()), "INVALID_ARGUMENT");
  EXPECT_TRUE(Must(RemoveMember(Of("founder"), "cw01", 4)).empty());
  organisation_.Join({again});
  for (const auto& [compartment, member] : before) {
    Realm& realm = organisation_.RealmOf("cw01", compartment);
    EXPECT_NE(realm.member(), member);
    // Known by name again, as the member of now.
    organisation_.Sync("sv1");
    const auto directory = Must(Directory::Read(organisation_.RealmOf("sv1", compartment)));
    ASSERT_NE(directory.ByHandle("cw01"), nullptr);
    EXPECT_EQ(directory.ByHandle("cw01")->member, realm.member());
    EXPECT_EQ(directory.ByHandle("cw01")->display_name, "Caseworker 01");
    EXPECT_EQ(directory.NameOf(member), "Caseworker 01") << "who wrote what before";
  }
  EXPECT_EQ(human_of().id, human.id);
  EXPECT_EQ(human_of().record, human.record);
  EXPECT_EQ(human_of().memberships.size(), 4u);
  EXPECT_EQ(CodeOf(inviter.Invite(again).error()), "EXISTS");

  // A manager lists them in the vault that they worked in, and they read what was before.
  Realm& supervisor = CasesOf("sv1");
  const auto vault = VaultOf("sv1", Kind::kSensitive).id();
  const auto member = CasesOf("cw01").member();
  Must(WriteVault(supervisor, vault, {}, [&](const protocol::MemberList& list) {
    std::map<base::MemberId, protocol::Perm> members;
    for (const auto& [id, row] : list) members[id] = row.perm;
    members[member] = protocol::kFull;
    return members;
  }));
  auto view = Must(VaultView::Fetch(CasesOf("cw01"), vault));
  std::vector<std::string> notes;
  for (const auto& [id, record] : Must(view.ReadAll(content::v1::Record::kNote))) {
    notes.push_back(record.note().text());
  }
  std::ranges::sort(notes);
  EXPECT_EQ(notes, (std::vector<std::string>{"a: before", "b: while nobody can"}));
  Must(WriteVault(CasesOf("cw01"), vault, [](VaultView&) -> base::Result<std::vector<Edit>> {
    Edit edit;
    edit.record = crypto::RandomId<base::RecordId>();
    edit.content.mutable_note()->set_text("c: back");
    return std::vector<Edit>{edit};
  }));
}

}  // namespace
}  // namespace godwit::client
