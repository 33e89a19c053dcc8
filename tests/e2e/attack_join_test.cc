// A server that lies to somebody who joins, and answers that are no answers.
#include <algorithm>

#include "client/invite.h"
#include "client/pinned_rows.h"
#include "client/self_audit.h"
#include "protocol/join.h"
#include "protocol/labels.h"
#include "tests/e2e/attack_fixture.h"

namespace godwit::client {
namespace {

using protocol::Kind;

// Invites into the cases realm alone: a coordinator.
std::vector<OpenInvite> InviteSomebody(Inviter& inviter) {
  static int count = 0;
  return Must(
      inviter.Invite({"new" + std::to_string(++count), "Newcomer", protocol::kCoordinator}));
}

// What whoever joins is invited to be: a member, or a device of kc1's.
struct Guest {
  const char* name;
  std::uint8_t kind;
  const char* inviter;

  std::vector<OpenInvite> Invite(Inviter& by) const {
    return kind == protocol::kOfferMember ? InviteSomebody(by) : Must(by.InviteDevice());
  }
};
constexpr Guest kBothKinds[] = {{"a member", protocol::kOfferMember, "founder"},
                                {"a device", protocol::kOfferDevice, "kc1"}};

TEST_F(Attack, Row18_WhoeverJoinsTakesTheOfferedRosterAlone) {
  const support::TestRealm other(protocol::Compartment::kCases);
  const struct {
    const char* name;
    std::function<void(wire::FetchRosterResponse&)> lie;
    Code want;
  } rows[] = {
      {"of another realm",
       [&](auto& reply) {
         reply.clear_statements();
         for (const auto& statement : other.statements()) reply.add_statements(Text(statement));
       },
       Code::kRosterInvalid},
      {"none", [](auto& reply) { reply.clear_statements(); }, Code::kRosterInvalid},
      {"older than offered", [](auto& reply) { reply.mutable_statements()->RemoveLast(); },
       Code::kRollback},
      {"altered", [](auto& reply) { (*reply.mutable_statements(1))[90] ^= 1; }, Code::kSig},
      {"one is left out", [](auto& reply) { reply.mutable_statements()->DeleteSubrange(1, 1); },
       Code::kFork},
      {"another head",
       [](auto& reply) {
         reply.mutable_statements()->RemoveLast();
         Realm& owner = Of("founder");
         const auto& roster = owner.roster();
         auto policy = roster.policy();
         policy.gen = roster.PolicyAt(roster.head_seq() - 1).gen + 1;
         reply.add_statements(
             Text(NextStatement(owner, protocol::PolicySet{policy}, [&](auto& header) {
               --header.seq;
               header.prev = roster.LinkAt(roster.head_seq() - 1);
             })));
       },
       Code::kFork},
  };
  for (const Guest& guest : kBothKinds)
    for (const auto& row : rows) {
      SCOPED_TRACE(std::string(guest.name) + ", " + row.name);
      Inviter inviter(organisation().Of(guest.inviter));
      // So that the last statement is one that can be signed in two ways.
      Realm& owner = Of("founder");
      Require(owner.Sync());
      auto policy = owner.roster().policy();
      ++policy.gen;
      Must(owner.Author(protocol::PolicySet{policy}));
      const auto invites = guest.Invite(inviter);
      const auto words = Must(inviter.InvitationFor(invites.front()));
      liar().RewriteReply([&](const wire::FetchRosterRequest&, wire::FetchRosterResponse& reply) {
        row.lie(reply);
      });
      liar().ForgetCalls();
      const auto joiner = Joiner::Begin(words.Expose(), guest.kind);
      ASSERT_FALSE(joiner);
      EXPECT_OUTCOME(joiner.error().code(), row.want);
      // No key was made known.
      EXPECT_EQ(liar().CallsOf("PutJoinMessage"), 0u);
      liar().BeHonest();
      EXPECT_TRUE(Joiner::Begin(words.Expose(), guest.kind));
      Require(inviter.Withdraw(invites.front()));
    }
}

TEST_F(Attack, Row37_NoMessageOfAJoinIsReplaced) {
  for (const Guest& guest : kBothKinds) {
    SCOPED_TRACE(guest.name);
    Inviter inviter(organisation().Of(guest.inviter));
    const auto ghost = Must(protocol::Device::FromSeed(Must(protocol::DeviceSeed::Random())));
    const auto flip = [](std::string& text) { text[text.size() / 2] ^= 1; };
    // The offer.
    {
      auto invites = guest.Invite(inviter);
      const auto words = Must(inviter.InvitationFor(invites.front()));
      liar().RewriteReply(
          [&](const wire::GetJoinMessagesRequest&, wire::GetJoinMessagesResponse& reply) {
            flip(*reply.mutable_offer());
          });
      const auto joiner = Joiner::Begin(words.Expose(), guest.kind);
      ASSERT_FALSE(joiner);
      EXPECT_OUTCOME(joiner.error().code(), Code::kDecrypt);
      liar().BeHonest();
      // J1 on its way, and what comes back of it.
      auto honest = Must(Joiner::Begin(words.Expose(), guest.kind));
      liar().RewriteReply([&](const wire::GetJoinMessagesRequest&,
                              wire::GetJoinMessagesResponse& reply) { flip(*reply.mutable_j1()); });
      liar().ForgetCalls();
      EXPECT_OUTCOME(inviter.Poll(invites.front()).error().code(), Code::kDecrypt);
      EXPECT_OUTCOME(honest.Poll().error().code(), Code::kFork);
      EXPECT_EQ(liar().CallsOf("PutJoinMessage"), 0u);
      liar().BeHonest();
      Must(inviter.Poll(invites.front()));
      // J2 and J3.
      liar().RewriteReply([&](const wire::GetJoinMessagesRequest&,
                              wire::GetJoinMessagesResponse& reply) { flip(*reply.mutable_j2()); });
      EXPECT_OUTCOME(honest.Poll().error().code(), Code::kDecrypt);
      liar().BeHonest();
      const auto theirs = Must(honest.Poll());
      liar().RewriteReply([&](const wire::GetJoinMessagesRequest&,
                              wire::GetJoinMessagesResponse& reply) { flip(*reply.mutable_j3()); });
      EXPECT_OUTCOME(inviter.Poll(invites.front()).error().code(), Code::kDecrypt);
      liar().BeHonest();
      const auto ours = Must(inviter.Poll(invites.front()));
      ASSERT_TRUE(theirs && ours);
      EXPECT_EQ(*theirs, *ours);
      Require(inviter.Withdraw(invites.front()));
    }
    // A server that was told the invitation's secret joins in the newcomer's place: the words
    // differ.
    auto invites = guest.Invite(inviter);
    auto& invite = invites.front();
    const auto words = Must(inviter.InvitationFor(invite));
    auto joiner = Must(Joiner::Begin(words.Expose(), guest.kind));
    protocol::Nonce32 nonce{};
    nonce.fill(7);
    protocol::JoinRequest forged;
    forged.device = ghost.keys();
    forged.commit = protocol::JoinCommit(nonce, invite.invite);
    const auto forge = [&] {
      liar().RewriteReply(
          [&](const wire::GetJoinMessagesRequest&, wire::GetJoinMessagesResponse& reply) {
            reply.set_j1(Text(protocol::WriteJ1(invite.s, forged)));
            if (!reply.j3().empty()) reply.set_j3(Text(protocol::WriteJ3(invite.s, nonce)));
          });
    };
    forge();
    Must(inviter.Poll(invite));
    liar().BeHonest();
    const auto theirs = Must(joiner.Poll());
    forge();
    const auto ours = Must(inviter.Poll(invite));
    ASSERT_TRUE(theirs && ours);
    EXPECT_NE(*theirs, *ours);
    liar().BeHonest();
    Require(inviter.Withdraw(invite));

    // Once it knows the other's nonce, it changes nothing more: it could look for the same words.
    auto late = guest.Invite(inviter);
    joiner = Must(Joiner::Begin(Must(inviter.InvitationFor(late.front())).Expose(), guest.kind));
    Must(inviter.Poll(late.front()));
    ASSERT_TRUE(Must(joiner.Poll()));
    const auto& s = late.front().s;
    forged.commit = protocol::JoinCommit(nonce, late.front().invite);
    liar().RewriteReply(
        [&](const wire::GetJoinMessagesRequest&, wire::GetJoinMessagesResponse& reply) {
          reply.set_j1(Text(protocol::WriteJ1(s, forged)));
          reply.set_j3(Text(protocol::WriteJ3(s, nonce)));
        });
    EXPECT_OUTCOME(inviter.Poll(late.front()).error().code(), Code::kFork);
    liar().BeHonest();
    liar().RewriteReply(
        [&](const wire::GetJoinMessagesRequest&, wire::GetJoinMessagesResponse& reply) {
          reply.set_j2(Text(protocol::WriteJ2(s, nonce)));
        });
    EXPECT_OUTCOME(joiner.Poll().error().code(), Code::kFork);
    liar().BeHonest();
    Require(inviter.Withdraw(late.front()));
  }
}

TEST_F(Attack, Row37_AnInvitationIsTakenForWhatItIsOnceAndNoLonger) {
  const auto refused = [&](const auto& words, std::uint8_t kind) {
    liar().ForgetCalls();
    const auto joiner = Joiner::Begin(words.Expose(), kind);
    EXPECT_FALSE(joiner);
    EXPECT_EQ(liar().CallsOf("PutJoinMessage"), 0u) << "no key was made known";
    return joiner ? kWell : Outcome(joiner.error().code());
  };
  for (const Guest& guest : kBothKinds) {
    SCOPED_TRACE(guest.name);
    Inviter inviter(organisation().Of(guest.inviter));
    auto invites = guest.Invite(inviter);
    const auto words = Must(inviter.InvitationFor(invites.front()));
    // Of the other kind than was asked for.
    const std::uint8_t other =
        guest.kind == protocol::kOfferMember ? protocol::kOfferDevice : protocol::kOfferMember;
    EXPECT_OUTCOME(refused(words, other), Code::kInvalidArgument);
    // Used already: by the service's word, and where it hides that, by its refusal of a second J1.
    auto first = Must(Joiner::Begin(words.Expose(), guest.kind));
    EXPECT_OUTCOME(refused(words, guest.kind), Code::kExists);
    liar().RewriteReply([](const wire::GetJoinMessagesRequest&,
                           wire::GetJoinMessagesResponse& reply) { reply.clear_j1(); });
    const auto second = Joiner::Begin(words.Expose(), guest.kind);
    ASSERT_FALSE(second);
    EXPECT_OUTCOME(second.error().code(), Code::kConflict);
    liar().BeHonest();
    // Withdrawn.
    Require(inviter.Withdraw(invites.front()));
    EXPECT_OUTCOME(refused(words, guest.kind), Code::kNotFound);
  }

  // An offer that says what is not so, from somebody who may make one.
  Realm& offerer = Of("kc1");
  Require(offerer.Sync());
  const auto& roster = offerer.roster();
  const auto offer_with = [&](const std::function<void(protocol::Offer&)>& change) {
    const auto s = Must(protocol::JoinSecret::Random());
    protocol::Offer offer;
    offer.kind = protocol::kOfferDevice;
    offer.fingerprint = roster.fingerprint();
    offer.seq = roster.head_seq();
    offer.link = roster.head();
    offer.hosts = offerer.info().hosts;
    offer.member = offerer.member();
    offer.roles = offerer.roles();
    offer.offerer = offerer.device().id();
    change(offer);
    Require(
        offerer.server().PutOffer(protocol::InviteIdOf(s), Must(protocol::SealOffer(s, offer))));
    return protocol::WriteInvitation(
        {offerer.info().hosts, Must(protocol::JoinSecret::Copy(s.Expose()))});
  };
  const struct {
    const char* name;
    std::function<void(protocol::Offer&)> change;
    Code want;
  } rows[] = {
      {"another realm", [](auto& offer) { offer.fingerprint = base::Fingerprint(); },
       Code::kRosterInvalid},
      {"another's member", [](auto& offer) { offer.member = Of("cw01").member(); },
       Code::kRosterInvalid},
      {"another's device", [](auto& offer) { offer.offerer = Of("cw01").device().id(); },
       Code::kRosterInvalid},
      {"no device", [](auto& offer) { offer.offerer = base::DeviceId(); }, Code::kRosterInvalid},
      {"other hosts", [](auto& offer) { offer.hosts.begin()->second = base::Sha256Hash(); },
       Code::kDecrypt},
      {"a later roster", [](auto& offer) { ++offer.seq; }, Code::kRollback},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_OUTCOME(refused(offer_with(row.change), protocol::kOfferDevice), row.want);
  }
  EXPECT_TRUE(Joiner::Begin(offer_with([](auto&) {}).Expose(), protocol::kOfferDevice));
  // An offer of no realm, by a service that shows none.
  liar().RewriteReply([](const wire::FetchRosterRequest&, wire::FetchRosterResponse& reply) {
    reply.clear_statements();
  });
  const auto of_none = offer_with([](auto& offer) { offer.fingerprint = base::Fingerprint(); });
  EXPECT_OUTCOME(refused(of_none, protocol::kOfferDevice), Code::kRosterInvalid);
}

// Nobody but a device of the member adds one: neither the service, nor what it adds to a call.
TEST_F(Attack, Row30_TheServiceAddsNoDevice) {
  Inviter inviter(organisation().Of("kc1"));
  auto invites = Must(inviter.InviteDevice());
  auto joiner = Must(
      Joiner::Begin(Must(inviter.InvitationFor(invites.front())).Expose(), protocol::kOfferDevice));
  const auto ghost = Must(protocol::Device::FromSeed(Must(protocol::DeviceSeed::Random())));
  Must(inviter.Poll(invites.front()));
  Must(joiner.Poll());
  ASSERT_TRUE(Must(inviter.Poll(invites.front())));
  const std::pair<const char*, std::function<void(wire::AppendStatementsRequest&)>> lies[] = {
      {"a box for another device",
       [&](auto& request) {
         request.mutable_statements(0)->mutable_boxes(0)->set_device(Text(ghost.id().bytes()));
       }},
      {"another box",
       [](auto& request) {
         (*request.mutable_statements(0)->mutable_boxes(0)->mutable_box())[40] ^= 1;
       }},
      {"one box more",
       [&](auto& request) {
         auto& box = *request.mutable_statements(0)->add_boxes();
         box.set_device(Text(ghost.id().bytes()));
         box.set_box(std::string(80, 'g'));
       }},
  };
  for (const auto& [name, lie] : lies) {
    SCOPED_TRACE(name);
    liar().RewriteRequest(lie);
    EXPECT_OUTCOME(inviter.Confirm(invites.front()).error().code(), Code::kInvalidArgument);
    liar().BeHonest();
  }
  // A roster in which it added one itself, for a device that joins and for a known one.
  Realm& member = Of("kc1");
  Require(member.Sync());
  protocol::DeviceAdd add;
  add.member = member.member();
  add.device = ghost.keys();
  add.puk_gen = member.roster().PukAt(member.member(), member.roster().head_seq())->gen;
  add.pop = ghost.signing_key().Sign(protocol::labels::kRosterPop,
                                     protocol::PopMessage(member.id(), add));
  auto header_of = [&](auto& header) { header.author_device = ghost.id(); };
  protocol::StatementHeader header;
  header.realm = member.id();
  header.seq = member.roster().size();
  header.prev = member.roster().head();
  header.author_member = member.member();
  header_of(header);
  const Bytes forged = protocol::SignStatement(header, add, ghost.signing_key());
  liar().RewriteReply([&](const wire::FetchRosterRequest&, wire::FetchRosterResponse& reply) {
    reply.add_statements(Text(forged));
  });
  EXPECT_OUTCOME(joiner.IsAdded().error().code(), Code::kSig);
  EXPECT_OUTCOME(OutcomeOf(member.Sync()), Code::kSig);
  liar().BeHonest();
  EXPECT_FALSE(Must(joiner.IsAdded()));
  EXPECT_EQ(Must(inviter.Confirm(invites.front())), 0u);
  EXPECT_TRUE(Must(joiner.IsAdded()));
  EXPECT_EQ(member.roster().ActiveDevicesAt(member.member(), member.roster().head_seq()).size(),
            2u);
}

// Whoever has a copy of a device's keys adds one of their own in the member's name: the device
// itself knows that it did not.
TEST_F(Attack, Row36_ADeviceThatNobodyOfThePersonAddedIsASurprise) {
  Realm& owner = Of("kc2");
  Require(owner.Sync());
  EXPECT_TRUE(Must(Surprises(owner)).empty());
  const auto ghost = Must(protocol::Device::FromSeed(Must(protocol::DeviceSeed::Random())));
  const auto copy = FreshDevice("kc2");
  Require(copy->Sync());
  protocol::DeviceAdd add;
  add.member = copy->member();
  add.device = ghost.keys();
  const auto pop =
      ghost.signing_key().Sign(protocol::labels::kRosterPop, protocol::PopMessage(copy->id(), add));
  EXPECT_EQ(Must(copy->AddDevice(ghost.keys(), pop)), 0u);
  Require(owner.Sync());
  const auto surprises = Must(Surprises(owner));
  ASSERT_EQ(surprises.size(), 1u);
  EXPECT_EQ(surprises[0].what, Surprise::What::kDevice);
  EXPECT_EQ(surprises[0].id, base::ToBytes(ghost.id().bytes()));
  EXPECT_TRUE(surprises[0].active);
}

// A reply in which one byte is another, or that is cut or longer, ends in an error or in the truth.
TEST_F(Attack, Row50_NoReplyOfAnyBytesIsBelievedOrFatal) {
  const auto vault = MakeCase();
  const std::string text = "the second note";
  const auto use = [&](Realm& device) -> Outcome {
    if (const auto outcome = ReadAll(device, vault)) return outcome;
    auto view = Must(VaultView::Open(device, vault));
    const auto notes = Must(view.ReadAll(content::v1::Record::kComment));
    EXPECT_TRUE(std::ranges::any_of(
        notes, [&](const auto& note) { return note.second.comment().text() == text; }));
    if (const auto outcome = OutcomeOf(SyncPinnedRows(device, Kind::kCase))) return outcome;
    const auto rows = Must(ReadPinnedRows(device, Kind::kCase));
    const auto row = std::ranges::find(rows, vault, &PinnedRow::vault);
    if (row != rows.end()) {
      EXPECT_EQ(row->record.summary().code(), "invented");
    }
    const auto listed =
        device.server().ListVaults({}, [](const transport::VaultHead&) { return base::Status(); });
    return listed ? kWell : Outcome(listed.error().code());
  };
  const struct {
    const char* name;
    std::function<void(std::string& reply, std::size_t at)> change;
  } changes[] = {
      {"cut", [](std::string& reply, std::size_t at) { reply.resize(at); }},
      {"longer", [](std::string& reply, std::size_t at) { reply.insert(at, "\xff\xff\xff\x7f"); }},
      {"flipped", [](std::string& reply, std::size_t at) { reply[at] ^= 0x15; }},
      {"zeroed", [](std::string& reply, std::size_t at) {
         std::fill(reply.begin() + static_cast<std::ptrdiff_t>(at), reply.end(), '\0');
       }}};
  std::size_t refused = 0;
  for (const char* method : {"GetNonce", "OpenSession", "FetchRoster", "FetchPukBoxes",
                             "FetchVault", "FetchBoard", "ListVaults"}) {
    for (const auto& change : changes) {
      for (const std::size_t percent : {0, 37, 99}) {
        SCOPED_TRACE(std::string(method) + ", " + change.name + ", " + std::to_string(percent));
        const auto device = FreshDevice("kc1");
        liar().RewriteReplyBytes(method, [&](const std::string&, std::string& reply) {
          if (!reply.empty()) change.change(reply, reply.size() * percent / 100);
        });
        refused += use(*device).has_value() ? 1 : 0;
        liar().BeHonest();
      }
    }
  }
  EXPECT_GT(refused, 40u);
  const auto device = FreshDevice("kc1");
  EXPECT_OUTCOME(use(*device), kWell);
}

// Whoever has the service, the database and every call adds a reader nowhere.
TEST_F(Attack, Row30_NoPathOfTheApiAddsAReader) {
  const auto vault = MakeCase();
  const auto ghost = Must(protocol::Device::FromSeed(Must(protocol::DeviceSeed::Random())));
  const auto ghost_member = base::MemberId(std::array<std::uint8_t, 16>{9, 9, 9});
  const std::string ghost_id = Text(ghost_member.bytes());
  const auto device = FreshDevice("kc1");
  EXPECT_OUTCOME(ReadAll(*device, vault), kWell);
  // On the way in: what the device sends gets one more box, member or device. The honest service
  // refuses it, as readers would.
  liar().RewriteRequest([&](wire::AppendEntriesRequest& request) {
    for (auto& upload : *request.mutable_vaults()) {
      for (auto& entry : *upload.mutable_entries()) {
        auto& box = *entry.add_boxes();
        box.set_member(ghost_id);
        box.set_box(std::string(112, 'g'));
      }
    }
  });
  EXPECT_OUTCOME(WriteNote(*device, vault), Code::kInvalidArgument);
  liar().BeHonest();
  liar().RewriteRequest([&](wire::AppendStatementsRequest& request) {
    for (auto& upload : *request.mutable_statements()) {
      auto& box = *upload.add_boxes();
      box.set_device(Text(ghost.id().bytes()));
      box.set_box(std::string(112, 'g'));
    }
  });
  EXPECT_FALSE(device->RotatePuk());
  liar().BeHonest();
  // On the way out: every list of a reply names the ghost.
  liar().RewriteReply([&](const wire::ListVaultsRequest&, wire::ListVaultsResponse& reply) {
    for (auto& head : *reply.mutable_vaults()) head.set_perm(protocol::kFull);
  });
  liar().RewriteReply([&](const wire::FetchPukBoxesRequest&, wire::FetchPukBoxesResponse& reply) {
    auto& box = *reply.add_boxes();
    box.set_gen(77);
    box.set_box(std::string(112, 'g'));
  });
  liar().RewriteReply([&](const wire::FetchVaultRequest&, wire::FetchVaultResponse& reply) {
    auto& box = *reply.add_boxes();
    box.set_epoch(77);
    box.set_box(std::string(112, 'g'));
  });
  liar().ForgetCalls();
  const auto fresh = FreshDevice("kc1");
  for (Realm* each : {device.get(), fresh.get()}) {
    EXPECT_OUTCOME(ReadAll(*each, vault), kWell);
    Require(each->RotatePuk());
    EXPECT_OUTCOME(WriteNote(*each, vault), kWell);
  }
  std::size_t boxes = 0;
  const auto& roster = fresh->roster();
  for (const auto& call : liar().calls()) {
    EXPECT_EQ(call.request.find(ghost_id), std::string::npos);
    EXPECT_EQ(call.request.find(Text(ghost.id().bytes())), std::string::npos);
    wire::AppendEntriesRequest entries;
    if (call.method != "AppendEntries" || !entries.ParseFromString(call.request)) continue;
    for (const auto& upload : entries.vaults()) {
      for (const auto& entry : upload.entries()) {
        for (const auto& box : entry.boxes()) {
          ++boxes;
          const auto member = base::MemberId::FromBytes(base::AsBytes(box.member()));
          ASSERT_TRUE(member);
          EXPECT_TRUE(roster.IsMemberAt(*member, roster.head_seq()));
        }
      }
    }
  }
  EXPECT_GT(boxes, 0u);
}

}  // namespace
}  // namespace godwit::client
