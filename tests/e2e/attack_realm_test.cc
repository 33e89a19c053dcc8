// A server that made a realm's whole roster, with some who belong to it: statements that wait for
// others, among two owners and more, against a colleague's device.
#include <stdlib.h>

#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "base/clock.h"
#include "client/realm.h"
#include "crypto/hash.h"
#include "crypto/init.h"
#include "protocol/roster.h"
#include "tests/e2e/attack_fixture.h"

namespace godwit::client {
namespace {

using protocol::Approve;
using protocol::DeviceRevoke;
using protocol::MemberRemove;
using protocol::PolicySet;
using protocol::RecoveryRequest;
using protocol::RoleSet;
using support::Person;

const base::VaultId kVault(std::array<std::uint8_t, 16>{7});

// A realm of cases where two owners, and two of owners and admins, are needed.
struct Realms {
  support::TestRealm realm{protocol::Compartment::kCases,
                           {{protocol::kOwner, 1},
                            {protocol::kOwner, 1},
                            {protocol::kOwner, 1},
                            {protocol::kAdmin, 1},
                            {protocol::kAdmin, 1}},
                           support::TestRealm::ThresholdsOfTwo()};
  Person& owner = realm.person(0);
  Person& second = realm.person(1);
  Person& third = realm.person(2);
  Person& admin = realm.person(3);
  Person& other_admin = realm.person(4);
  Person& caseworker = realm.Add(protocol::kCaseworker);
  Person& coordinator = realm.Add(protocol::kCoordinator);
  Person& newcomer = realm.Stranger();

  PolicySet NextPolicy() const {
    PolicySet set{realm.roster().policy()};
    ++set.policy.gen;
    return set;
  }
  // A secret of three trustees, two of whom are needed.
  void SetRecovery() {
    realm.AppendApproved(
        owner, realm.RecoverySetOf(protocol::kRecoveryLive, 2, {&second, &third, &other_admin}),
        {&second});
  }
  RecoveryRequest Request() {
    return realm.RequestOf(protocol::kRecoveryLive, coordinator, {kVault});
  }
};

class ServedRealm : public testing::Test {
 protected:
  ServedRealm() : liar_(honest_) {
    Require(crypto::Init());
    std::string name = (std::filesystem::temp_directory_path() / "godwit-row.XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~ServedRealm() override { std::filesystem::remove_all(folder_); }

  // The first device of `person`, with a store that holds these statements; `member`: whose its
  // keystore says that it is.
  base::Result<std::unique_ptr<Realm>> Open(const Realms& world, const Person& person,
                                            const base::MemberId& member,
                                            const std::vector<Bytes>& statements = {}) {
    const auto address = liar_.address();
    RealmInfo info;
    info.fingerprint = world.realm.roster().fingerprint();
    info.compartment = world.realm.roster().compartment();
    info.member = member;
    info.hosts = {{address.host_port, address.pins.front()}};
    info.evaluation = true;
    UnlockedRealm keys{Must(protocol::DeviceSeed::Copy(person.seeds[0].Expose())), info,
                       Must(StoreKey::Random())};
    const auto path = folder_ / std::to_string(++stores_);
    Require(Must(Store::Create(path, keys.store_key, world.realm.roster().realm()))
                .AppendRoster(0, statements));
    return Realm::Open(std::move(keys), path);
  }
  // With an empty one.
  std::unique_ptr<Realm> DeviceOf(const Realms& world, const Person& person) {
    return Must(Open(world, person, person.id));
  }

  // From now on the server shows the realm, and `more` after it, to a device of `person`.
  void Serve(const Realms& world, const Person& person, const Bytes& more = {}) {
    liar_.BeHonest();
    wire::GetNonceResponse nonce;
    nonce.set_nonce(std::string(32, 'n'));
    liar_.AnswerWith(nonce);
    wire::OpenSessionResponse session;
    session.set_token("token");
    session.set_seconds(900);
    liar_.AnswerWith(session);
    liar_.AnswerWith(wire::FetchRosterResponse());
    liar_.AnswerWith(wire::FetchPukBoxesResponse());
    auto statements = world.realm.statements();
    if (!more.empty()) statements.push_back(more);
    liar_.RewriteReply(
        [statements](const wire::FetchRosterRequest& request, wire::FetchRosterResponse& reply) {
          for (std::size_t i = request.from_seq(); i < statements.size(); ++i) {
            reply.add_statements(Text(statements[i]));
          }
        });
    if (!person.puks.empty()) {
      ServeBoxes({{1, world.realm.PukBoxes(person.id, 1).at(person.device().id())}});
    }
  }
  // From now on it shows these boxes of PUKs.
  void ServeBoxes(const std::map<std::uint32_t, Bytes>& boxes) {
    liar_.RewriteReply(
        [boxes](const wire::FetchPukBoxesRequest&, wire::FetchPukBoxesResponse& reply) {
          reply.clear_boxes();
          for (const auto& [gen, box] : boxes) {
            auto& row = *reply.add_boxes();
            row.set_gen(gen);
            row.set_box(Text(box));
          }
        });
  }
  // From now on it takes statements, but answers `status` to the first `count` of them; nobody is
  // shown them.
  void TakeStatements(int count = 0, grpc::StatusCode status = grpc::StatusCode::OK) {
    liar_.AnswerWith(wire::AppendStatementsResponse());
    if (count > 0) liar_.LoseReplies("AppendStatements", count, status);
    liar_.ForgetCalls();
  }
  std::size_t Sent() { return liar_.CallsOf("AppendStatements"); }
  // From now on, once `sent` statements came, the roster goes on with `more`.
  void ShowAfter(std::size_t sent, std::uint64_t seq, const std::function<Bytes()>& more) {
    liar_.RewriteReply(
        [=, this](const wire::FetchRosterRequest& request, wire::FetchRosterResponse& reply) {
          if (Sent() >= sent && request.from_seq() <= seq) reply.add_statements(Text(more()));
        });
  }
  // The statement that came first.
  Bytes FirstSent() {
    for (const auto& call : liar_.calls()) {
      wire::AppendStatementsRequest request;
      if (call.method == "AppendStatements" && request.ParseFromString(call.request)) {
        return BytesOf(request.statements(0).statement());
      }
    }
    return {};
  }
  // What a caseworker may not.
  static Bytes Promotion(const Realms& world) {
    return world.realm.Sign(world.caseworker, RoleSet{world.caseworker.id, protocol::kAdmin});
  }

  // From now on it shows this vault.
  void ServeVault(const StoredVault& vault) {
    liar_.AnswerWith(wire::FetchVaultResponse());
    liar_.RewriteReply(
        [=, this](const wire::FetchVaultRequest& request, wire::FetchVaultResponse& reply) {
          asked_from_ = request.from_seq();
          for (std::size_t i = request.from_seq(); i < vault.entries.size(); ++i) {
            reply.add_entries(Text(vault.entries[i]));
          }
          for (const auto& [epoch, box] : vault.boxes) {
            auto& row = *reply.add_boxes();
            row.set_epoch(epoch);
            row.set_box(Text(box));
          }
        });
  }

  // A statement that is shown after what `make` appended to the realm.
  struct Row {
    const char* name;
    std::function<Bytes(Realms&)> make;
    Outcome want;
  };
  // Shows each to a device of the coordinator that knows nothing, and to one that knows the realm
  // as it was before. Of what is refused nothing is taken, evidence is kept, and all is well once
  // the server is honest.
  void Expect(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      for (const bool known : {false, true}) {
        SCOPED_TRACE(std::string(row.name) + (known ? ", known device" : ", fresh device"));
        Realms world;
        const auto device = DeviceOf(world, world.coordinator);
        if (known) {
          Serve(world, world.coordinator);
          Require(device->Sync());
        }
        const auto before = device->roster().size();
        const Bytes last = row.make(world);
        Serve(world, world.coordinator, last);
        liar_.ForgetCalls();
        EXPECT_OUTCOME(OutcomeOf(device->Sync()), row.want);
        EXPECT_EQ(liar_.CallsOf("AppendStatements") + liar_.CallsOf("AppendEntries"), 0u);
        EXPECT_EQ(Must(device->store().KeptEvidence()).empty(), !row.want);
        if (!row.want) {
          EXPECT_EQ(device->roster().head(), protocol::StatementLink(last));
          continue;
        }
        EXPECT_EQ(device->roster().size(), before);
        Serve(world, world.coordinator);
        EXPECT_OUTCOME(OutcomeOf(device->Sync()), kWell);
        EXPECT_EQ(device->roster().head(), world.realm.roster().head());
      }
    }
  }

  support::LyingServer& liar() { return liar_; }
  std::uint64_t asked_from() const { return asked_from_; }

 private:
  support::RealmServer honest_{protocol::Compartment::kCases};
  support::LyingServer liar_;
  std::filesystem::path folder_;
  int stores_ = 0;
  std::uint64_t asked_from_ = 0;
};

TEST_F(ServedRealm, Row51_ARequestForARecoveryIsItsRecipientsOwn) {
  const auto request = [](std::function<void(Realms&, RecoveryRequest&)> change) {
    return [change](Realms& w) {
      w.SetRecovery();
      RecoveryRequest payload = w.Request();
      change(w, payload);
      return w.realm.Sign(w.admin, payload);
    };
  };
  const auto replayed = [](Realms& w) {
    w.SetRecovery();
    const RecoveryRequest payload = w.Request();
    const base::Link link = w.realm.Do(w.admin, payload);
    w.realm.Do(w.second, Approve{link, 0, {}});
    w.realm.Do(w.third, Approve{link, 1, {}});
    w.realm.Do(w.admin, protocol::Close{link, 1});
    return w.realm.Sign(w.admin, payload);
  };
  const Outcome invalid = Code::kRosterInvalid;
  Expect(
      {{"as it should be", request([](Realms&, RecoveryRequest&) {}), kWell},
       {"another key", request([](Realms& w, RecoveryRequest& r) {
          r.eph_kem_pk = w.newcomer.device().keys().kems.at(protocol::kAlgX25519);
        }),
        invalid},
       {"another recipient's signature",
        request([](Realms& w, RecoveryRequest& r) { w.realm.SignFor(r, w.caseworker); }), invalid},
       {"for its author", request([](Realms& w, RecoveryRequest& r) {
          r.recipient_member = w.admin.id;
          r.recipient_device = w.admin.device().id();
          w.realm.SignFor(r, w.admin);
        }),
        invalid},
       {"one more vault", request([](Realms&, RecoveryRequest& r) {
          r.vaults.insert(base::VaultId(std::array<std::uint8_t, 16>{8}));
        }),
        invalid},
       {"a second time", replayed, invalid}});
}

TEST_F(ServedRealm, Row60_NoSignatureOfAStolenDeviceCompletesAStatement) {
  // The stolen device's member asks for a newcomer; it is revoked before another approves.
  const auto stolen = [](Realms& w) {
    const base::Link link = w.realm.Do(w.admin, w.realm.AddOf(w.newcomer, protocol::kCaseworker));
    w.realm.Do(w.second, DeviceRevoke{w.admin.id, w.admin.device().id(), 3});
    return link;
  };
  Expect(
      {{"the newcomer whom it asked for",
        [=](Realms& w) {
          w.realm.Approve(w.second, stolen(w));
          return w.realm.Sign(w.newcomer, DeviceRevoke{w.newcomer.id, w.newcomer.device().id(), 2});
        },
        Code::kSig},
       {"the newcomer whom two who count approved",
        [=](Realms& w) {
          const base::Link link = stolen(w);
          w.realm.Approve(w.second, link);
          w.realm.Approve(w.other_admin, link);
          return w.realm.Sign(w.newcomer, DeviceRevoke{w.newcomer.id, w.newcomer.device().id(), 2});
        },
        kWell},
       {"its own approval",
        [](Realms& w) {
          const base::Link link =
              w.realm.Do(w.other_admin, w.realm.AddOf(w.newcomer, protocol::kCaseworker));
          w.realm.Do(w.second, DeviceRevoke{w.admin.id, w.admin.device().id(), 3});
          return w.realm.Sign(w.admin, Approve{link, protocol::kNoShare, {}});
        },
        Code::kRosterInvalid}});
}

TEST_F(ServedRealm, Row63_AStolenOwnersDeviceIsRevokedAmongTwo) {
  const auto two = [](Realms& w) { w.realm.DoByRoot(MemberRemove{w.third.id, 1}); };
  const auto revoke = [](const Person& person) {
    return DeviceRevoke{person.id, person.device().id(), 3};
  };
  Expect({{"by the other owner",
           [=](Realms& w) {
             two(w);
             return w.realm.Sign(w.second, revoke(w.owner));
           },
           kWell},
          {"by an admin",
           [=](Realms& w) {
             two(w);
             return w.realm.Sign(w.admin, revoke(w.owner));
           },
           Code::kRosterInvalid},
          {"what the stolen device signs afterwards",
           [=](Realms& w) {
             two(w);
             w.realm.Do(w.second, revoke(w.owner));
             return w.realm.Sign(w.owner, revoke(w.second));
           },
           Code::kRosterInvalid},
          {"an owner who leaves the other alone",
           [=](Realms& w) {
             two(w);
             const base::Link link = w.realm.Do(w.owner, MemberRemove{w.owner.id, 1});
             return w.realm.Sign(w.second, Approve{link, protocol::kNoShare, {}});
           },
           Code::kRosterInvalid}});
}

TEST_F(ServedRealm, Row64_OneRogueStopsNothingByWhatWaits) {
  const auto ask = [](Realms& w) {
    return w.realm.Sign(w.admin, RoleSet{w.caseworker.id, protocol::kSupervisor});
  };
  const auto fill = [=](Realms& w) {
    for (int i = 0; i < 3; ++i) w.realm.Append(ask(w));
  };
  Expect({{"a fourth that waits",
           [=](Realms& w) {
             fill(w);
             return ask(w);
           },
           Code::kRosterInvalid},
          {"a revocation",
           [=](Realms& w) {
             fill(w);
             return w.realm.Sign(w.second, DeviceRevoke{w.admin.id, w.admin.device().id(), 3});
           },
           kWell},
          {"a policy",
           [=](Realms& w) {
             fill(w);
             const base::Link link = w.realm.Do(w.owner, w.NextPolicy());
             return w.realm.Sign(w.second, Approve{link, protocol::kNoShare, {}});
           },
           kWell},
          {"a recovery",
           [=](Realms& w) {
             w.SetRecovery();
             fill(w);
             return w.realm.Sign(w.other_admin, w.Request());
           },
           kWell}});
}

// R7 for the roster: whoever was shown another branch notices when it is shown the one that all
// see.
TEST_F(ServedRealm, Row31_ARosterThatWasShownInTwoFormsIsAFork) {
  Realms world;
  const auto device = DeviceOf(world, world.coordinator);
  Serve(world, world.coordinator,
        world.realm.Sign(world.owner, RoleSet{world.caseworker.id, protocol::kSupervisor}));
  EXPECT_OUTCOME(OutcomeOf(device->Sync()), kWell);
  const Bytes shown = Must(device->store().Roster()).back();
  world.realm.Do(world.owner, world.NextPolicy());
  Serve(world, world.coordinator);
  EXPECT_OUTCOME(OutcomeOf(device->Sync()), Code::kFork);
  // Both branches are kept.
  const auto evidence = Must(device->store().KeptEvidence());
  ASSERT_EQ(evidence.size(), 1u);
  EXPECT_EQ(evidence[0].piece.claim, protocol::Claim::kTwoStatements);
  EXPECT_EQ(evidence[0].piece.exhibits,
            (std::vector<Bytes>{shown, world.realm.statements().back()}));
}

TEST_F(ServedRealm, AStoreIsOpenedWithTheRosterOfItsOwnRealmAlone) {
  const Realms world;
  const auto open = [&](const std::vector<Bytes>& statements) -> Outcome {
    const auto device = Open(world, world.coordinator, world.coordinator.id, statements);
    return device ? kWell : Outcome(device.error().code());
  };
  EXPECT_OUTCOME(open(world.realm.statements()), kWell);
  EXPECT_OUTCOME(open({Bytes(9, 9)}), Code::kSig);
  const support::TestRealm other(protocol::Compartment::kCases, support::TestRealm::OneOwner(),
                                 "other");
  EXPECT_OUTCOME(open(other.statements()), Code::kStateLost);
}

TEST_F(ServedRealm, ADeviceWorksWhereTheRosterListsIt) {
  Realms world;
  const auto sync = [&](const Person& person, const Person& member) {
    Serve(world, person);
    return OutcomeOf(Must(Open(world, person, member.id))->Sync());
  };
  EXPECT_OUTCOME(sync(world.coordinator, world.coordinator), kWell);
  EXPECT_OUTCOME(sync(world.coordinator, world.caseworker), Code::kRosterInvalid);
  EXPECT_OUTCOME(sync(world.newcomer, world.newcomer), Code::kPermissionDenied);
  world.realm.Do(world.second,
                 DeviceRevoke{world.coordinator.id, world.coordinator.device().id(), 3});
  EXPECT_OUTCOME(sync(world.coordinator, world.coordinator), Code::kPermissionDenied);
}

TEST_F(ServedRealm, ANonceOfAnotherLengthOpensNoSession) {
  const Realms world;
  Serve(world, world.coordinator);
  wire::GetNonceResponse nonce;
  nonce.set_nonce(std::string(31, 'n'));
  liar().AnswerWith(nonce);
  EXPECT_OUTCOME(OutcomeOf(DeviceOf(world, world.coordinator)->Sync()), Code::kInternal);
  EXPECT_EQ(liar().CallsOf("OpenSession"), 0u);
}

TEST_F(ServedRealm, ANewcomerJudgesTheRosterToo) {
  const Realms world;
  const auto device = DeviceOf(world, world.newcomer);
  Serve(world, world.newcomer, Promotion(world));
  EXPECT_OUTCOME(OutcomeOf(device->SyncUnder({})), Code::kRosterInvalid);
  EXPECT_TRUE(device->roster().empty());
  Serve(world, world.newcomer);
  EXPECT_OUTCOME(OutcomeOf(device->SyncUnder({})), kWell);
  // Nobody has a PUK before the roster lists one.
  EXPECT_OUTCOME(device->PukPair(1).error().code(), Code::kNotFound);
  const auto member = DeviceOf(world, world.coordinator);
  Serve(world, world.coordinator);
  Require(member->Sync());
  EXPECT_OUTCOME(member->PukPair(2).error().code(), Code::kNotFound);
}

TEST_F(ServedRealm, AStatementIsSentAsOftenAsItHelps) {
  const Realms world;
  const auto author = [&](const protocol::StatementPayload& payload) {
    const auto device = DeviceOf(world, world.owner);
    Require(device->SyncUnder({}));
    const auto authored = device->Author(payload);
    return authored ? kWell : Outcome(authored.error().code());
  };
  const auto serve = [&](int lost, grpc::StatusCode status) {
    Serve(world, world.owner);
    TakeStatements(lost, status);
  };
  serve(0, grpc::StatusCode::OK);
  EXPECT_OUTCOME(author(world.NextPolicy()), kWell);
  EXPECT_EQ(Sent(), 1u);
  // What the own verifier refuses never is.
  serve(0, grpc::StatusCode::OK);
  EXPECT_OUTCOME(author(Approve{{}, protocol::kNoShare, {}}), Code::kRosterInvalid);
  EXPECT_EQ(Sent(), 0u);
  // A refusal is an answer.
  serve(100, grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_OUTCOME(author(world.NextPolicy()), Code::kPermissionDenied);
  EXPECT_EQ(Sent(), 1u);
  // None is asked for eight times; a ninth would be answered.
  serve(8, grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_OUTCOME(author(world.NextPolicy()), Code::kDeadline);
  EXPECT_EQ(Sent(), 8u);
  // Nothing is sent again on a roster that is refused.
  serve(1, grpc::StatusCode::DEADLINE_EXCEEDED);
  ShowAfter(1, world.realm.roster().head_seq(), [&] { return Promotion(world); });
  EXPECT_OUTCOME(author(world.NextPolicy()), Code::kRosterInvalid);
  EXPECT_EQ(Sent(), 1u);
}

// Boxes and wraps of PUKs that are not what they should be, by the server or by another device of
// the same member.
TEST_F(ServedRealm, NoKeyIsMadeOfABoxThatIsNotTheListedOne) {
  Realms world;
  const Person& person = world.coordinator;
  const auto id = person.device().id();
  const Bytes box = world.realm.PukBoxes(person.id, 1).at(id);
  Bytes changed = box;
  changed.back() ^= 1;
  const auto newest = [](const Realm& device) {
    return device.roster().FindMember(device.member())->puks.back();
  };
  // Before the device has asked for any.
  const auto known_roster = [&] {
    auto device = DeviceOf(world, person);
    Serve(world, person);
    Require(device->SyncUnder({}));
    ServeBoxes({{1, changed}});
    TakeStatements();
    return device;
  };
  EXPECT_OUTCOME(OutcomeOf(known_roster()->RotatePuk()), Code::kKeyMismatch);
  const auto keys = world.newcomer.device().keys();
  EXPECT_OUTCOME(known_roster()->AddDevice(keys, {}).error().code(), Code::kKeyMismatch);
  EXPECT_EQ(Sent(), 0u);

  // None, and one of a PUK that is not listed.
  const auto sync = [&](const std::map<std::uint32_t, Bytes>& boxes) {
    const auto device = DeviceOf(world, person);
    Serve(world, person);
    ServeBoxes(boxes);
    return OutcomeOf(device->Sync());
  };
  EXPECT_OUTCOME(sync({}), Code::kNotFound);
  EXPECT_OUTCOME(sync({{1, box}, {9, box}}), kWell);

  // A listed one that holds nothing: a new PUK is made, which wraps the newest that opens.
  auto rotation = world.realm.RotationOf(world.coordinator);
  rotation.payload.box_hashes.at(id) = base::Sha256Hash(crypto::Sha256(changed));
  const Bytes closed = world.realm.Sign(person, rotation.payload);
  for (const bool taken : {true, false}) {
    SCOPED_TRACE(taken);
    const auto device = DeviceOf(world, person);
    Serve(world, person, closed);
    ServeBoxes({{1, box}, {2, changed}});
    TakeStatements(taken ? 0 : 1, grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_OUTCOME(OutcomeOf(device->Sync()), taken ? kWell : Outcome(Code::kPermissionDenied));
    EXPECT_EQ(newest(*device).gen, taken ? 3u : 2u);
    EXPECT_EQ(newest(*device).prev_gen, 1u);
    EXPECT_FALSE(Must(device->store().KeptEvidence()).empty());
  }

  // A wrap that holds nothing: the older key is out of reach, and no other is made of it.
  rotation = world.realm.RotationOf(world.coordinator);
  rotation.payload.prev_wrap.back() ^= 1;
  const auto device = DeviceOf(world, person);
  Serve(world, person, world.realm.Sign(person, rotation.payload));
  ServeBoxes({{2, rotation.boxes.at(id)}});
  EXPECT_OUTCOME(OutcomeOf(device->Sync()), kWell);
  EXPECT_TRUE(device->PukPair(2));
  EXPECT_OUTCOME(device->PukPair(1).error().code(), Code::kKeyMismatch);
}

TEST_F(ServedRealm, AFirstKeyThatTheServiceDoesNotTakeIsNone) {
  Realms world;
  const Person& person = world.realm.AddWithoutPuk(protocol::kCaseworker);
  const auto device = DeviceOf(world, person);
  Serve(world, person);
  TakeStatements(1, grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_OUTCOME(OutcomeOf(device->Sync()), Code::kPermissionDenied);
  EXPECT_EQ(Sent(), 1u);
  EXPECT_OUTCOME(OutcomeOf(device->Sync()), kWell);
}

// Of two PUKs that are made at once one stands, and comes in its box.
TEST_F(ServedRealm, AKeyThatStandsInThePlaceOfTheOwnIsTakenFromItsListedBox) {
  Realms world;
  const Person& person = world.coordinator;
  const auto id = person.device().id();
  const auto other = world.realm.RotationOf(world.coordinator);
  const Bytes by_other = world.realm.Sign(person, other.payload);
  const auto box_of = [](const std::vector<support::LyingServer::Call>& calls) {
    for (const auto& call : calls) {
      wire::AppendStatementsRequest request;
      if (call.method == "AppendStatements" && request.ParseFromString(call.request)) {
        return BytesOf(request.statements(0).boxes(0).box());
      }
    }
    return Bytes();
  };
  const struct {
    const char* name;
    std::size_t shown_after;  // statements
    std::function<Bytes()> shown;
    std::function<Bytes()> box;
  } rows[] = {{"another device's", 1, [&] { return by_other; }, [&] { return other.boxes.at(id); }},
              {"this device's own first try", 2, [&] { return FirstSent(); },
               [&] { return box_of(liar().calls()); }}};
  for (const auto& row : rows) {
    for (const bool changed : {false, true}) {
      SCOPED_TRACE(std::string(row.name) + (changed ? ", changed" : ""));
      const auto device = DeviceOf(world, person);
      Serve(world, person);
      Require(device->Sync());
      TakeStatements(static_cast<int>(row.shown_after), grpc::StatusCode::DEADLINE_EXCEEDED);
      ShowAfter(row.shown_after, world.realm.roster().head_seq(), row.shown);
      liar().RewriteReply(
          [&](const wire::FetchPukBoxesRequest&, wire::FetchPukBoxesResponse& reply) {
            auto& shown = *reply.add_boxes();
            shown.set_gen(2);
            Bytes box = row.box();
            if (changed) box.back() ^= 1;
            shown.set_box(Text(box));
          });
      EXPECT_OUTCOME(OutcomeOf(device->RotatePuk()), changed ? Outcome(Code::kKeyMismatch) : kWell);
      EXPECT_EQ(device->PukPair(2).ok(), !changed);
      EXPECT_EQ(Sent(), row.shown_after);
    }
  }
}

// A case with a summary and a note, as a coordinator's device might keep it.
class KeptVault {
 public:
  explicit KeptVault(Realms& world)
      : world_(world),
        vault_(world.realm, protocol::Kind::kCase, world.coordinator,
               {{&world.coordinator, protocol::kFull}, {&world.caseworker, protocol::kFull}}) {
    Write(vault_.vault().pinned_record(), "summary");
    Write(note_, "note");
  }

  support::TestVault& chain() { return vault_; }
  const base::RecordId& note() const { return note_; }
  static std::string TextOf(const std::string& note) {
    content::v1::Record record;
    record.mutable_note()->set_text(note);
    return record.SerializeAsString();
  }
  void Write(const base::RecordId& record, const std::string& note) {
    WriteBytes(record, TextOf(note));
  }
  void WriteBytes(const base::RecordId& record, const std::string& text) {
    vault_.Write(world_.coordinator, record, text);
    const auto& sealed = vault_.Beside(vault_.vault().head());
    records_[record] = {record, sealed.rev.rver, sealed.salt, sealed.ciphertext};
  }
  // The EPOCH that wraps the key before it, or does not.
  void Rekey(bool wraps) {
    auto rekeying = vault_.RekeyingOf(vault_.vault().epoch().list);
    if (!wraps) rekeying.epoch.payload.wraps.clear();
    const Bytes entry = vault_.Sign(world_.coordinator, rekeying.epoch.payload);
    vault_.Take(entry, std::move(rekeying));
  }
  void Tomb() { vault_.WriteTomb(world_.coordinator, note_); }
  // A STATE in effect.
  void Set(const protocol::State& state) {
    vault_.Append(vault_.Sign(world_.coordinator, state));
    vault_.Append(vault_.Sign(world_.caseworker,
                              protocol::Assent{vault_.vault().head(), protocol::Assent::kYes}));
  }

  StoredVault Stored() const {
    StoredVault stored;
    stored.entries = vault_.entries();
    for (std::uint32_t epoch = 1; epoch <= vault_.vault().epoch().number; ++epoch) {
      const auto& list = vault_.epoch(epoch).list;
      const auto row = list.find(world_.coordinator.id);
      if (row == list.end() || row->second.puk_gen == 0) continue;
      stored.boxes[epoch] = vault_.box(epoch, world_.coordinator.id);
    }
    for (const auto& [id, record] : records_) stored.records.push_back(record);
    return stored;
  }

 private:
  Realms& world_;
  support::TestVault vault_;
  base::RecordId note_ = vault_.NewRecord();
  std::map<base::RecordId, RecordBlob> records_;
};

TEST_F(ServedRealm, AViewReadsWhatItHoldsTheBytesAndTheKeyOf) {
  using Read = std::function<base::Status(VaultView&, const base::RecordId&)>;
  using Change = std::function<StoredVault(KeptVault&)>;
  const auto status = [](const auto& result) { return result ? base::Status() : result.error(); };
  const Read note = [=](VaultView& view, const auto& id) { return status(view.Read(id)); };
  const Read nobodys = [=](VaultView& view, const auto&) { return status(view.Read({})); };
  const Read all = [=](VaultView& view, const auto&) {
    return status(view.ReadAll(content::v1::Record::kNote));
  };
  const auto key = [=](std::uint32_t epoch) -> Read {
    return [=](VaultView& view, const auto&) { return status(view.KeyOf(epoch)); };
  };
  const auto stored = [](std::function<void(StoredVault&)> change) -> Change {
    return [=](KeptVault& kept) {
      StoredVault vault = kept.Stored();
      change(vault);
      return vault;
    };
  };
  const Change as_it_is = stored([](StoredVault&) {});
  const auto under = [](const protocol::State& state) -> Change {
    return [=](KeptVault& kept) {
      kept.Set(state);
      StoredVault vault = kept.Stored();
      vault.records.clear();
      return vault;
    };
  };
  const auto rekeyed = [](bool wraps, const std::set<std::uint32_t>& boxes) -> Change {
    return [=](KeptVault& kept) {
      kept.Rekey(wraps);
      StoredVault vault = kept.Stored();
      std::erase_if(vault.boxes, [&](const auto& box) { return !boxes.contains(box.first); });
      return vault;
    };
  };
  const struct {
    const char* name;
    Change make;
    Read read;
    Outcome want;
    std::string_view why;
  } rows[] = {
      {"as it is", as_it_is, note, kWell, ""},
      {"all as it is", as_it_is, all, kWell, ""},
      {"an entry that is none", stored([](StoredVault& v) { v.entries.back().pop_back(); }), note,
       Code::kInternal, ""},
      {"a record that nobody wrote", as_it_is, nobodys, Code::kNotFound, "not served to you"},
      {"a record that is gone, though its bytes are there",
       [](KeptVault& kept) {
         kept.Tomb();
         return kept.Stored();
       },
       note, Code::kNotFound, "not served to you"},
      {"the bytes of an older revision",
       [](KeptVault& kept) {
         const auto older = kept.Stored().records;
         kept.Write(kept.note(), "corrected");
         StoredVault vault = kept.Stored();
         vault.records = older;
         return vault;
       },
       note, Code::kNotFound, "not served to you"},
      {"all, of which one was not served", stored([](StoredVault& v) { v.records.pop_back(); }),
       all, Code::kNotFound, "not served to you"},
      {"what an erase_day took", under({0, 0, 1}), note, Code::kNotFound, "erase_day"},
      {"what an erase_day on hold took not", under({0, 1, 1}), note, Code::kNotFound,
       "not served to you"},
      {"a text that is no record",
       [](KeptVault& kept) {
         kept.WriteBytes(kept.note(), "\xff");
         return kept.Stored();
       },
       note, Code::kDecrypt, "holds no record"},
      {"no box", stored([](StoredVault& v) { v.boxes.clear(); }), note, Code::kNotFound,
       "out of your reach"},
      {"the key of no epoch", as_it_is, key(9), Code::kNotFound, "out of your reach"},
      {"a key by a wrap", rekeyed(true, {2}), key(1), kWell, ""},
      {"a key without a wrap", rekeyed(false, {2}), key(1), Code::kNotFound, "out of your reach"},
      {"a key by a wrap that is out of reach", rekeyed(true, {}), key(1), Code::kNotFound,
       "out of your reach"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Realms world;
    Serve(world, world.coordinator);
    const auto device = DeviceOf(world, world.coordinator);
    Require(device->Sync());
    KeptVault kept(world);
    const auto vault = row.make(kept);
    auto view = VaultView::FromStored(*device, vault);
    const auto read = view ? row.read(*view, kept.note()) : base::Status(view.error());
    EXPECT_OUTCOME(OutcomeOf(read), row.want);
    if (!read) {
      EXPECT_NE(read.error().message().find(row.why), std::string_view::npos);
    }
    // None of it is anybody's fault.
    EXPECT_TRUE(Must(device->store().KeptEvidence()).empty());
  }
}

TEST_F(ServedRealm, ABoxIsWithheldWhereTheEpochListsOne) {
  Realms world;
  const auto device = DeviceOf(world, world.coordinator);
  const auto outsider = DeviceOf(world, world.admin);
  KeptVault kept(world);
  const auto is_withheld = [](Realm& realm, const StoredVault& vault, std::uint32_t epoch) {
    return Must(VaultView::FromStored(realm, vault)).IsBoxWithheld(epoch);
  };
  StoredVault vault = kept.Stored();
  EXPECT_FALSE(is_withheld(*device, vault, 1));
  vault.boxes.clear();
  EXPECT_TRUE(is_withheld(*device, vault, 1));
  EXPECT_FALSE(is_withheld(*device, vault, 2)) << "there is no such epoch";
  EXPECT_FALSE(is_withheld(*outsider, vault, 1)) << "it does not list the outsider";
  world.realm.RevokeByRoot(world.coordinator, 0);
  kept.chain().Refresh(world.caseworker);
  EXPECT_FALSE(is_withheld(*device, kept.Stored(), 2)) << "nobody seals to a revoked device";
}

TEST_F(ServedRealm, AVaultIsFetchedOnTopOfWhatIsKept) {
  Realms world;
  Serve(world, world.coordinator);
  KeptVault kept(world);
  const auto id = kept.chain().vault().id();
  const auto fetch = [&](Realm& device) -> Outcome {
    const auto view = VaultView::Fetch(device, id);
    return view ? kWell : Outcome(view.error().code());
  };
  const auto device = DeviceOf(world, world.coordinator);
  Require(device->Sync());
  EXPECT_OUTCOME(VaultView::Open(*device, id).error().code(), Code::kNotFound);
  ServeVault(kept.Stored());
  EXPECT_OUTCOME(fetch(*device), kWell);
  EXPECT_TRUE(VaultView::Open(*device, id));

  // A store that holds no entry is not taken for an empty one.
  const auto damaged = DeviceOf(world, world.coordinator);
  Require(damaged->Sync());
  VaultUpdate update;
  update.vault = id;
  update.entries = {Bytes(9, 9)};
  Require(damaged->store().Apply({update}));
  EXPECT_OUTCOME(fetch(*damaged), Code::kInternal);

  // An entry that cites a statement not known yet makes the roster come, and be judged.
  world.realm.Do(world.second, DeviceRevoke{world.admin.id, world.admin.device().id(), 3});
  kept.Write(kept.note(), "after a revocation");
  Serve(world, world.coordinator, Promotion(world));
  ServeVault(kept.Stored());
  EXPECT_OUTCOME(fetch(*device), Code::kRosterInvalid);
  Serve(world, world.coordinator);
  ServeVault(kept.Stored());
  EXPECT_OUTCOME(fetch(*device), kWell);
}

TEST_F(ServedRealm, WhatWasNotServedIsAskedForUntilItIsGoneForGood) {
  const auto today =
      static_cast<std::uint32_t>(base::SystemClock().NowMs() / (std::uint64_t{86'400} * 1000));
  const struct {
    const char* name;
    protocol::State state;
    bool all;
  } rows[] = {{"no erase_day", {}, true},
              {"an erase_day that is past", {0, 0, today - 1}, false},
              {"one that is past, on hold", {0, 1, today - 1}, true},
              {"one that is still to come", {0, 0, today + 1}, true}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Realms world;
    Serve(world, world.coordinator);
    const auto device = DeviceOf(world, world.coordinator);
    Require(device->Sync());
    KeptVault kept(world);
    if (row.state != protocol::State()) kept.Set(row.state);
    ServeVault(kept.Stored());
    const auto id = kept.chain().vault().id();
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(VaultView::Fetch(*device, id));
    // CREATE, EPOCH, and the first revision that has no bytes.
    EXPECT_EQ(asked_from(), row.all ? 2 : kept.chain().vault().head_seq());
  }
}

}  // namespace
}  // namespace godwit::client
