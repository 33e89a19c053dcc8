// A server that lies to somebody who joins, and answers that are no answers.
#include <algorithm>

#include "client/invite.h"
#include "client/pinned_rows.h"
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

TEST_F(Attack, Row18_ANewcomerTakesTheOfferedRosterAlone) {
  Inviter inviter(organisation().Of("founder"));
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
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    // So that the last statement is one that can be signed in two ways.
    Realm& owner = Of("founder");
    Require(owner.Sync());
    auto policy = owner.roster().policy();
    ++policy.gen;
    Must(owner.Author(protocol::PolicySet{policy}));
    const auto invites = InviteSomebody(inviter);
    const auto words = Must(inviter.InvitationFor(invites.front()));
    liar().RewriteReply(
        [&](const wire::FetchRosterRequest&, wire::FetchRosterResponse& reply) { row.lie(reply); });
    liar().ForgetCalls();
    const auto joiner = Joiner::Begin(words.Expose());
    ASSERT_FALSE(joiner);
    EXPECT_OUTCOME(joiner.error().code(), row.want);
    // No key was made known.
    EXPECT_EQ(liar().CallsOf("PutJoinMessage"), 0u);
    liar().BeHonest();
    EXPECT_TRUE(Joiner::Begin(words.Expose()));
    Require(inviter.Withdraw(invites.front()));
  }
}

TEST_F(Attack, Row37_NoMessageOfAJoinIsReplaced) {
  Inviter inviter(organisation().Of("founder"));
  const auto ghost = Must(protocol::Device::FromSeed(Must(protocol::DeviceSeed::Random())));
  const auto flip = [](std::string& text) { text[text.size() / 2] ^= 1; };
  // The offer.
  {
    auto invites = InviteSomebody(inviter);
    const auto words = Must(inviter.InvitationFor(invites.front()));
    liar().RewriteReply(
        [&](const wire::GetJoinMessagesRequest&, wire::GetJoinMessagesResponse& reply) {
          flip(*reply.mutable_offer());
        });
    const auto joiner = Joiner::Begin(words.Expose());
    ASSERT_FALSE(joiner);
    EXPECT_OUTCOME(joiner.error().code(), Code::kDecrypt);
    liar().BeHonest();
    // J1 on its way, and what comes back of it.
    auto honest = Must(Joiner::Begin(words.Expose()));
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
  // A server that was told the invitation's secret joins in the newcomer's place: the words differ.
  auto invites = InviteSomebody(inviter);
  const auto words = Must(inviter.InvitationFor(invites.front()));
  auto joiner = Must(Joiner::Begin(words.Expose()));
  const auto& s = invites.front().s;
  protocol::Nonce32 nonce{};
  nonce.fill(7);
  const auto request = Must(protocol::ReadJ1(s, [&] {
    Bytes j1;
    liar().RewriteReply([&](const wire::GetJoinMessagesRequest&,
                            wire::GetJoinMessagesResponse& reply) { j1 = BytesOf(reply.j1()); });
    Must(inviter.Poll(invites.front()));
    liar().BeHonest();
    return j1;
  }()));
  protocol::JoinRequest forged = request;
  forged.device = ghost.keys();
  forged.commit = protocol::JoinCommit(nonce, invites.front().invite);
  const auto theirs = Must(joiner.Poll());
  liar().RewriteReply(
      [&](const wire::GetJoinMessagesRequest&, wire::GetJoinMessagesResponse& reply) {
        reply.set_j1(Text(protocol::WriteJ1(s, forged)));
        reply.set_j3(Text(protocol::WriteJ3(s, nonce)));
      });
  const auto ours = Must(inviter.Poll(invites.front()));
  ASSERT_TRUE(theirs && ours);
  EXPECT_NE(*theirs, *ours);
}

// A reply in which one byte is another, or that is cut or longer, ends in an error or in the truth.
TEST_F(Attack, Row50_NoReplyOfAnyBytesIsBelievedOrFatal) {
  const auto vault = MakeCase();
  const std::string text = "the second note";
  const auto use = [&](Realm& device) -> Outcome {
    if (const auto outcome = ReadAll(device, vault)) return outcome;
    auto view = Must(VaultView::Open(device, vault));
    const auto notes = Must(view.ReadAll(content::v1::Record::kNote));
    EXPECT_TRUE(std::ranges::any_of(
        notes, [&](const auto& note) { return note.second.note().text() == text; }));
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
