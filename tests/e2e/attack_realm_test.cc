// A server that made a realm's whole roster, with some who belong to it: statements that wait for
// others, among two owners and more, against a colleague's device.
#include <stdlib.h>

#include <filesystem>
#include <functional>

#include "client/realm.h"
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

  // The first device of `person`, with an empty store.
  std::unique_ptr<Realm> DeviceOf(const Realms& world, const Person& person) {
    const auto address = liar_.address();
    RealmInfo info;
    info.fingerprint = world.realm.roster().fingerprint();
    info.compartment = world.realm.roster().compartment();
    info.member = person.id;
    info.hosts = {{address.host_port, address.pins.front()}};
    info.evaluation = true;
    UnlockedRealm keys{Must(protocol::DeviceSeed::Copy(person.seeds[0].Expose())), info,
                       Must(StoreKey::Random())};
    const auto path = folder_ / std::to_string(++stores_);
    Must(Store::Create(path, keys.store_key, world.realm.roster().realm()));
    return Must(Realm::Open(std::move(keys), path));
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
    const Bytes box = world.realm.PukBoxes(person.id, 1).at(person.device().id());
    liar_.RewriteReply(
        [box](const wire::FetchPukBoxesRequest&, wire::FetchPukBoxesResponse& reply) {
          auto& row = *reply.add_boxes();
          row.set_gen(1);
          row.set_box(Text(box));
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

 private:
  support::RealmServer honest_{protocol::Compartment::kCases};
  support::LyingServer liar_;
  std::filesystem::path folder_;
  int stores_ = 0;
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

}  // namespace
}  // namespace godwit::client
