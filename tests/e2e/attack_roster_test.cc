// A server that lies about who belongs: its roster, its boxes of PUKs, its session.
#include <algorithm>

#include "crypto/random.h"
#include "protocol/labels.h"
#include "tests/e2e/attack_fixture.h"
#include "tests/protocol/low_order.h"

namespace godwit::client {
namespace {

using protocol::MemberAdd;
using protocol::PukRotate;
using protocol::RoleSet;
using protocol::StatementHeader;

using Reply = wire::FetchRosterResponse;
using Rewrite = std::function<void(std::uint64_t, Reply&)>;

std::function<Rewrite()> Always(Rewrite rewrite) {
  return [rewrite] { return rewrite; };
}

Rewrite Append(const Bytes& statement) {
  return [statement](std::uint64_t, Reply& reply) { reply.add_statements(Text(statement)); };
}

// Somebody whom nobody invited.
struct Ghost {
  Ghost()
      : member(crypto::RandomId<base::MemberId>()),
        device(Must(protocol::Device::FromSeed(Must(protocol::DeviceSeed::Random())))) {}

  MemberAdd Add(const base::RealmId& realm) const {
    MemberAdd add;
    add.member = member;
    add.roles = protocol::kCoordinator;
    add.invite = crypto::RandomId<base::InviteId>();
    add.device = device.keys();
    Prove(realm, add);
    return add;
  }
  void Prove(const base::RealmId& realm, MemberAdd& add) const {
    add.pop =
        device.signing_key().Sign(protocol::labels::kRosterPop, protocol::PopMessage(realm, add));
  }
  PukRotate Puk(const base::MemberId& of, std::uint32_t gen) const {
    PukRotate rotate;
    rotate.member = of;
    rotate.gen = gen;
    rotate.kems = device.keys().kems;
    rotate.box_hashes[device.id()] = base::Sha256Hash(std::array<std::uint8_t, 32>{1});
    return rotate;
  }

  base::MemberId member;
  protocol::Device device;
};

// The same statement, signed by another key in its author's name.
Bytes Resigned(const Bytes& statement, const crypto::SigningKey& key) {
  const auto raw = Must(protocol::ReadStatement(statement));
  return support::SignRaw(raw.header, raw.payload, key);
}

TEST_F(Attack, Row6_NoKeyOfAColleagueIsReplaced) {
  const Ghost ghost;
  Realm& friend_of_server = Of("cw02");
  const auto sv1 = Of("sv1").member();
  const auto rotate = [&](Realm& author, std::uint32_t more, bool resigned) {
    return [&, more, resigned]() -> Rewrite {
      Require(author.Sync());
      const auto gen = author.roster().PukAt(sv1, author.roster().head_seq())->gen + more;
      const Bytes statement = NextStatement(author, ghost.Puk(sv1, gen));
      return Append(resigned ? Resigned(statement, ghost.device.signing_key()) : statement);
    };
  };
  ExpectRosterLies({{"signed by the server", rotate(Of("sv1"), 1, true), Code::kSig, Code::kSig},
                    {"signed by a colleague", rotate(friend_of_server, 1, false),
                     Code::kRosterInvalid, Code::kRosterInvalid},
                    {"of the gen in force", rotate(Of("sv1"), 0, false), Code::kRosterInvalid,
                     Code::kRosterInvalid},
                    {"of a gen that leaves one out", rotate(Of("sv1"), 2, false),
                     Code::kRosterInvalid, Code::kRosterInvalid}});
}

TEST_F(Attack, Row19_NobodyIsAddedByTheServer) {
  const Ghost ghost;
  const auto add = [&](const std::string& author, bool resigned) {
    return [&, author, resigned]() -> Rewrite {
      Require(Of(author).Sync());
      const Bytes statement = NextStatement(Of(author), ghost.Add(Of(author).id()));
      return Append(resigned ? Resigned(statement, ghost.device.signing_key()) : statement);
    };
  };
  const auto by_itself = [&]() -> Rewrite {
    Require(Of("founder").Sync());
    const Bytes statement =
        NextStatement(Of("founder"), ghost.Add(Of("founder").id()), [&](StatementHeader& h) {
          h.author_member = ghost.member;
          h.author_device = ghost.device.id();
        });
    return Append(Resigned(statement, ghost.device.signing_key()));
  };
  const auto device_of_a_member = [&]() -> Rewrite {
    Require(Of("cw02").Sync());
    protocol::DeviceAdd device;
    device.member = Of("sv1").member();
    device.device = ghost.device.keys();
    device.pop = ghost.device.signing_key().Sign(protocol::labels::kRosterPop,
                                                 protocol::PopMessage(Of("cw02").id(), device));
    return Append(NextStatement(Of("cw02"), device));
  };
  ExpectRosterLies(
      {{"in the owner's name", add("founder", true), Code::kSig, Code::kSig},
       {"in its own name", by_itself, Code::kSig, Code::kSig},
       {"by a caseworker", add("cw02", false), Code::kRosterInvalid, Code::kRosterInvalid},
       {"a device of somebody else", device_of_a_member, Code::kRosterInvalid,
        Code::kRosterInvalid}});
  // What is written afterwards is sealed to nobody else.
  liar().ForgetCalls();
  MakeCase();
  for (const auto& call : liar().calls()) {
    if (call.method != "AppendEntries") continue;
    EXPECT_EQ(call.request.find(Text(ghost.member.bytes())), std::string::npos);
  }
}

TEST_F(Attack, Row29_NoBadLinkJoinsTheRostersChain) {
  const Ghost ghost;
  Realm& owner = Of("founder");
  const auto link = [&](StatementChange change) {
    return [&, change]() -> Rewrite {
      Require(owner.Sync());
      auto policy = owner.roster().policy();
      ++policy.gen;
      return Append(NextStatement(owner, protocol::PolicySet{policy}, change));
    };
  };
  const auto payload = [&](const std::string& author,
                           std::function<protocol::StatementPayload()> make) {
    return [=]() -> Rewrite {
      Require(Of(author).Sync());
      return Append(NextStatement(Of(author), make()));
    };
  };
  const auto raw = [&](std::uint8_t type) {
    return [&, type]() -> Rewrite {
      Require(owner.Sync());
      auto header =
          Must(protocol::ReadStatement(NextStatement(owner, RoleSet{owner.member(), 1}))).header;
      header.type = type;
      return Append(support::SignRaw(header, Bytes(5, 9), owner.device().signing_key()));
    };
  };
  const auto genesis = [&]() -> Rewrite { return Append(Must(owner.store().Roster()).front()); };
  const Outcome invalid = Code::kRosterInvalid;
  ExpectRosterLies(
      {{"seq", link([](StatementHeader& h) { ++h.seq; }), invalid, invalid},
       {"prev", link([](StatementHeader& h) { h.prev = {}; }), Code::kFork, Code::kFork},
       {"realm", link([](StatementHeader& h) { h.realm = {}; }), invalid, invalid},
       {"author", link([](StatementHeader& h) { h.author_member = Of("cw01").member(); }), invalid,
        invalid},
       {"suite 0", link([](StatementHeader& h) { h.suite = 0; }), Code::kDowngrade,
        Code::kDowngrade},
       {"unknown suite", link([](StatementHeader& h) { h.suite = 9; }), Code::kUnsupported,
        Code::kUnsupported},
       {"unknown version", link([](StatementHeader& h) { h.ver = 9; }), Code::kUnsupported,
        Code::kUnsupported},
       {"unknown type", raw(200), Code::kUnsupported, Code::kUnsupported},
       {"a payload that is none", raw(1), Code::kSig, Code::kSig},
       {"GENESIS again", genesis, Code::kFork, Code::kFork},
       {"a proof of possession is missing",
        payload("founder",
                [&] {
                  auto add = ghost.Add(owner.id());
                  add.pop = {};
                  return add;
                }),
        invalid, invalid},
       {"self-promotion",
        payload("cw02",
                [] {
                  return RoleSet{Of("cw02").member(), protocol::kAdmin};
                }),
        invalid, invalid},
       {"a caseworker demotes the owner",
        payload("cw02",
                [] {
                  return RoleSet{Of("founder").member(), protocol::kAuditor};
                }),
        invalid, invalid},
       {"a caseworker removes the owner",
        payload("cw02",
                [] {
                  return protocol::MemberRemove{Of("founder").member(), 1};
                }),
        invalid, invalid},
       {"a caseworker revokes another's device",
        payload("cw02",
                [] {
                  return protocol::DeviceRevoke{Of("sv1").member(), Of("sv1").device().id(), 1};
                }),
        invalid, invalid}});
}

TEST_F(Attack, Row24_StatementsKeepTheirOrderAndNumber) {
  const support::TestRealm other(protocol::Compartment::kCases);
  const auto last = [](Reply& reply) { return reply.statements_size() - 1; };
  ExpectRosterLies({{"the last two change places", Always([=](std::uint64_t, Reply& reply) {
                       reply.mutable_statements()->SwapElements(last(reply), last(reply) - 1);
                     }),
                     Code::kFork, Code::kFork},
                    {"one is left out", Always([=](std::uint64_t, Reply& reply) {
                       reply.mutable_statements()->DeleteSubrange(last(reply) - 1, 1);
                     }),
                     Code::kFork, Code::kFork},
                    {"one comes twice", Always([=](std::uint64_t, Reply& reply) {
                       reply.add_statements(reply.statements(last(reply)));
                     }),
                     Code::kFork, Code::kFork}});
}

TEST_F(Attack, Row18_NoRosterOfAnotherRealmOrPastIsTaken) {
  const support::TestRealm other(protocol::Compartment::kCases);
  ExpectRosterLies(
      {{"another realm's", Always([&](std::uint64_t, Reply& reply) {
          reply.clear_statements();
          for (const auto& statement : other.statements()) reply.add_statements(Text(statement));
        }),
        Code::kRosterInvalid, Code::kFork},
       {"nothing", Always([](std::uint64_t, Reply& reply) { reply.clear_statements(); }),
        Code::kPermissionDenied, Code::kRollback},
       {"the statement that is known is another",
        [&]() -> Rewrite {
          Realm& owner = Of("founder");
          Require(owner.Sync());
          const Bytes other_past =
              NextStatement(owner, RoleSet{Of("cw02").member(), protocol::kSupervisor},
                            [](StatementHeader& h) { --h.seq; });
          return [=](std::uint64_t from, Reply& reply) {
            reply.set_statements(from == 0 ? 1 : 0, Text(other_past));
          };
        },
        Code::kFork, Code::kFork}});
}

TEST_F(Attack, Row61_NoKeyOfLowOrderIsTakenFromARoster) {
  const Ghost ghost;
  Realm& owner = Of("founder");
  std::vector<RosterLie> lies;
  for (const auto& [name, key] : protocol::LowOrderKeys()) {
    lies.push_back({name,
                    [&, key = key]() -> Rewrite {
                      Require(owner.Sync());
                      auto add = ghost.Add(owner.id());
                      add.device.kems[protocol::kAlgX25519] = key;
                      ghost.Prove(owner.id(), add);
                      return Append(NextStatement(owner, add));
                    },
                    Code::kRosterInvalid, Code::kRosterInvalid});
  }
  ExpectRosterLies(lies);
}

TEST_F(Attack, Row20_NoMemberHasTheIdOfSomethingElse) {
  const Ghost ghost;
  Realm& owner = Of("founder");
  const auto named = [&](base::ByteSpan id) {
    return [&, id = base::ToBytes(id)]() -> Rewrite {
      Require(owner.Sync());
      auto add = ghost.Add(owner.id());
      add.member = *base::MemberId::FromBytes(id);
      ghost.Prove(owner.id(), add);
      return Append(NextStatement(owner, add));
    };
  };
  ExpectRosterLies({{"a device's", named(Of("sv1").device().id().bytes()), Code::kRosterInvalid,
                     Code::kRosterInvalid},
                    {"a member's", named(Of("sv1").member().bytes()), Code::kRosterInvalid,
                     Code::kRosterInvalid},
                    {"root's", named(Bytes(16, 0)), Code::kRosterInvalid, Code::kRosterInvalid}});
}

TEST_F(Attack, Row62_NobodyGrantsToThemselves) {
  ExpectRosterLies({{"an owner who would read",
                     []() -> Rewrite {
                       Require(Of("founder").Sync());
                       return Append(NextStatement(
                           Of("founder"), RoleSet{Of("founder").member(), protocol::kCoordinator}));
                     },
                     Code::kRosterInvalid, Code::kRosterInvalid}});
}

// Boxes of PUKs, for a device that has lost its store and for one that meets a new gen.
TEST_F(Attack, Row15_NoBoxOfAPukIsTakenThatWasNotSigned) {
  const auto vault = MakeCase();
  const auto known = FreshDevice("kc1");
  EXPECT_OUTCOME(ReadAll(*known, vault), kWell);
  const auto other = FreshDevice("kc1");
  Require(other->Sync());
  Require(other->RotatePuk());
  const struct {
    const char* name;
    std::function<void(wire::FetchPukBoxesResponse&)> lie;
    Outcome want;
  } rows[] = {
      {"altered", [](auto& reply) { (*reply.mutable_boxes(0)->mutable_box())[40] ^= 1; },
       Code::kKeyMismatch},
      {"the last one altered",
       [](auto& reply) { (*reply.mutable_boxes(reply.boxes_size() - 1)->mutable_box())[40] ^= 1; },
       Code::kKeyMismatch},
      {"empty", [](auto& reply) { reply.mutable_boxes(0)->clear_box(); }, Code::kKeyMismatch},
      {"of each other's gens",
       [](auto& reply) {
         reply.mutable_boxes(0)->mutable_box()->swap(
             *reply.mutable_boxes(reply.boxes_size() - 1)->mutable_box());
       },
       Code::kKeyMismatch},
      {"of a gen that is not there",
       [](auto& reply) {
         for (auto& box : *reply.mutable_boxes()) box.set_gen(99);
       },
       Code::kNotFound},
      {"none", [](auto& reply) { reply.clear_boxes(); }, Code::kNotFound},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto fresh = FreshDevice("kc1");
    liar().RewriteReply([&](const wire::FetchPukBoxesRequest&, wire::FetchPukBoxesResponse& reply) {
      row.lie(reply);
    });
    liar().ForgetCalls();
    for (Realm* device : {known.get(), fresh.get()}) {
      EXPECT_OUTCOME(OutcomeOf(device->Sync()), row.want);
      EXPECT_OUTCOME(WriteNote(*device, vault), row.want);
      EXPECT_EQ(Judged(*device).empty(), row.want == Code::kNotFound && device == fresh.get());
    }
    EXPECT_EQ(Uploads(), 0u);
    liar().BeHonest();
    EXPECT_OUTCOME(ReadAll(*fresh, vault), kWell);
  }
  EXPECT_OUTCOME(ReadAll(*known, vault), kWell);
  EXPECT_OUTCOME(WriteNote(*known, vault), kWell);
}

TEST_F(Attack, Row23_ASessionsSignatureIsNoStatements) {
  Realm& owner = Of("founder");
  Require(owner.Sync());
  auto policy = owner.roster().policy();
  ++policy.gen;
  // A statement that the owner never signed; the owner's device is made to sign its bytes as a
  // nonce, as far as they go.
  const Bytes statement =
      Resigned(NextStatement(owner, protocol::PolicySet{policy}), Ghost().device.signing_key());
  const auto body = Must(protocol::ReadStatement(statement)).body;
  const auto device = FreshDevice("founder");
  liar().RewriteReply([&](const wire::GetNonceRequest&, wire::GetNonceResponse& reply) {
    reply.set_nonce(Text(body));
  });
  liar().ForgetCalls();
  EXPECT_OUTCOME(OutcomeOf(device->Sync()), Code::kInternal);
  EXPECT_EQ(liar().CallsOf("OpenSession"), 0u);
  liar().BeHonest();
  liar().RewriteReply([&](const wire::GetNonceRequest&, wire::GetNonceResponse& reply) {
    reply.set_nonce(Text(body.first(32)));
  });
  EXPECT_OUTCOME(OutcomeOf(device->Sync()), Code::kUnauthenticated);
  std::string au;
  for (const auto& call : liar().calls()) {
    wire::OpenSessionRequest request;
    if (call.method == "OpenSession" && request.ParseFromString(call.request)) au = request.au();
  }
  ASSERT_GT(au.size(), 64u);
  liar().BeHonest();
  std::string forged = Text(statement);
  forged.replace(forged.size() - 64, 64, au.substr(au.size() - 64));
  liar().RewriteReply(
      [&](const wire::FetchRosterRequest&, Reply& reply) { reply.add_statements(forged); });
  EXPECT_OUTCOME(OutcomeOf(FreshDevice("kc1")->Sync()), Code::kSig);
  liar().BeHonest();
  EXPECT_OUTCOME(OutcomeOf(device->Sync()), kWell);
}

}  // namespace
}  // namespace godwit::client
