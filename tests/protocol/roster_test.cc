#include "protocol/roster.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <sstream>

#include "protocol/labels.h"
#include "tests/protocol/low_order.h"
#include "tests/support/builders.h"
#include "tests/support/codes.h"
#include "tests/support/keys.h"

namespace godwit::protocol {
namespace {

using base::Bytes;
using support::CodeOf;
using support::Person;
using support::TestRealm;

constexpr const char* kOk = "ok";
constexpr const char* kInvalid = "E_ROSTER_INVALID";
constexpr const char* kSig = "E_SIG";
constexpr const char* kFork = "E_FORK";
constexpr const char* kUnsupported = "E_UNSUPPORTED";
constexpr const char* kDowngrade = "E_DOWNGRADE";

// All that a roster says of the members as of `seq`.
std::string SnapshotAt(const Roster& roster, std::uint64_t seq) {
  std::ostringstream out;
  out << base::ToHex(roster.LinkAt(seq).bytes()) << " policy " << roster.PolicyAt(seq).gen
      << " rec " << roster.RecAt(seq) << "," << roster.Rec2At(seq) << "\n";
  for (const auto& [id, member] : roster.members()) {
    if (member.added_seq > seq) continue;
    out << base::ToHex(id.bytes()) << " roles " << roster.RolesAt(id, seq) << " member "
        << roster.IsMemberAt(id, seq) << " stale " << roster.IsStaleAt(id, seq) << " active "
        << roster.HasActiveDeviceAt(id, seq);
    for (const auto& device : roster.ActiveDevicesAt(id, seq)) {
      out << " " << base::ToHex(device.bytes());
    }
    for (const auto& device : member.devices) out << " listed " << roster.IsListedAt(device, seq);
    const auto* puk = roster.PukAt(id, seq);
    const auto* usable = roster.UsablePukAt(id, seq);
    out << " puk " << (puk == nullptr ? 0 : puk->gen) << "/"
        << (usable == nullptr ? 0 : usable->gen) << "\n";
  }
  return out.str();
}
std::string Snapshot(const Roster& roster) {
  std::ostringstream out;
  out << roster.size() << " " << base::ToHex(roster.fingerprint().bytes()) << " "
      << base::ToHex(roster.realm().bytes()) << " " << base::ToHex(roster.root_pk().bytes())
      << "\n";
  for (std::uint64_t seq = 0; seq < roster.size(); ++seq) out << SnapshotAt(roster, seq);
  return out.str();
}

// A realm of cases with somebody in every position.
struct World {
  TestRealm realm{Compartment::kCases, {{kOwner, 2}, {kOwner, 1}, {kAdmin, 2}, {kAuditor, 1}}};
  Person& owner = realm.person(0);
  Person& second_owner = realm.person(1);
  Person& admin = realm.person(2);
  Person& coordinator = realm.Add(kCoordinator);
  Person& caseworker = realm.Add(kCaseworker);
  Person& removed = realm.Add(kIntake);
  Person& stranger = realm.Stranger(2);

  World() { realm.Remove(removed); }

  // Signs with a header that `change` touched.
  Bytes Signed(const Person& author, const StatementPayload& payload,
               const std::function<void(StatementHeader&)>& change) const {
    StatementHeader header = realm.Next(author);
    change(header);
    return SignStatement(header, payload, author.device().signing_key());
  }
  // A MEMBER_ADD of the stranger, changed and proven again.
  Bytes Add(const Person& author, Roles roles, const std::function<void(MemberAdd&)>& change) {
    MemberAdd add = realm.AddOf(stranger, roles);
    change(add);
    realm.Prove(add, stranger.device());
    return realm.Sign(author, add);
  }
  Bytes Add(const Person& author, Roles roles) {
    return Add(author, roles, [](MemberAdd&) {});
  }
  Bytes Rotate(const Person& author, const std::function<void(PukRotate&)>& change) {
    PukRotate payload = realm.RotationOf(author).payload;
    change(payload);
    return realm.Sign(author, payload);
  }
  Bytes Set(const Person& author, const std::function<void(Policy&)>& change) {
    Policy policy = realm.roster().policy();
    ++policy.gen;
    change(policy);
    return realm.Sign(author, PolicySet{policy});
  }
};

struct Row {
  const char* name;
  std::function<Bytes(World&)> make;
  const char* want;
};

// Each row in a world of its own: what is refused changes nothing.
void Check(std::span<const Row> rows) {
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    World world;
    const Bytes statement = row.make(world);
    Roster roster = world.realm.roster();
    const std::string before = Snapshot(roster);
    EXPECT_EQ(CodeOf(roster.Append(statement)), row.want);
    if (row.want == std::string(kOk)) {
      EXPECT_EQ(roster.size(), world.realm.roster().size() + 1);
      EXPECT_EQ(roster.head(), StatementLink(statement));
    } else {
      EXPECT_EQ(Snapshot(roster), before);
    }
  }
}

TEST(Attack, Row29_NoBadLinkJoinsTheChain) {
  const Row rows[] = {
      {"prev of an older statement",
       [](World& w) {
         return w.Signed(w.owner, MemberRemove{w.caseworker.id, 1},
                         [&](StatementHeader& h) { h.prev = w.realm.roster().LinkAt(h.seq - 2); });
       },
       kFork},
      {"prev zero",
       [](World& w) {
         return w.Signed(w.owner, MemberRemove{w.caseworker.id, 1},
                         [](StatementHeader& h) { h.prev = {}; });
       },
       kFork},
      {"seq of the last",
       [](World& w) {
         return w.Signed(w.owner, MemberRemove{w.caseworker.id, 1},
                         [](StatementHeader& h) { --h.seq; });
       },
       kInvalid},
      {"seq skips",
       [](World& w) {
         return w.Signed(w.owner, MemberRemove{w.caseworker.id, 1},
                         [](StatementHeader& h) { ++h.seq; });
       },
       kInvalid},
      {"another realm",
       [](World& w) {
         return w.Signed(w.owner, MemberRemove{w.caseworker.id, 1}, [](StatementHeader& h) {
           h.realm = base::RealmId(std::array<std::uint8_t, 16>{1});
         });
       },
       kInvalid},
      {"unknown type",
       [](World& w) {
         StatementHeader header = w.realm.Next(w.owner);
         header.type = 13;
         return support::SignRaw(header, {}, w.owner.device().signing_key());
       },
       kUnsupported},
      {"unknown type on another prev",
       [](World& w) {
         StatementHeader header = w.realm.Next(w.owner);
         header.type = 13;
         header.prev = {};
         return support::SignRaw(header, {}, w.owner.device().signing_key());
       },
       kUnsupported},
      {"missing pop",
       [](World& w) {
         MemberAdd add = w.realm.AddOf(w.stranger, kCaseworker);
         add.pop = {};
         return w.realm.Sign(w.owner, add);
       },
       kInvalid},
      {"self-promotion",
       [](World& w) {
         return w.Add(w.caseworker, kOwner, [&](MemberAdd& add) { add.member = w.caseworker.id; });
       },
       kInvalid},
      {"admin demotes owner",
       [](World& w) {
         return w.realm.Sign(w.admin, MemberRemove{w.owner.id, 1});
       },
       kInvalid},
      {"signer revoked",
       [](World& w) {
         w.realm.Revoke(w.admin, 0, 1);
         return w.realm.Sign(w.admin, MemberRemove{w.caseworker.id, 1});
       },
       kInvalid},
      {"signer removed",
       [](World& w) {
         return w.realm.Sign(w.removed, MemberRemove{w.removed.id, 1});
       },
       kInvalid},
      {"signer unknown",
       [](World& w) {
         return w.realm.Sign(w.stranger, MemberRemove{w.caseworker.id, 1});
       },
       kSig},
      {"repeated genesis by root",
       [](World& w) {
         Genesis genesis;
         genesis.compartment = 2;
         genesis.policy = TestRealm::EvaluationPolicy();
         return w.realm.SignByRoot(genesis);
       },
       kInvalid},
      {"repeated genesis by an owner", [](World& w) { return w.realm.Sign(w.owner, Genesis()); },
       kInvalid},
      {"the same statement again", [](World& w) { return w.realm.statements().back(); }, kFork},
      {"signed by another device of the member",
       [](World& w) {
         return SignStatement(w.realm.Next(w.owner, 0), MemberRemove{w.caseworker.id, 1},
                              w.owner.devices[1].signing_key());
       },
       kSig},
      {"signed by another member",
       [](World& w) {
         return SignStatement(w.realm.Next(w.owner), MemberRemove{w.caseworker.id, 1},
                              w.admin.device().signing_key());
       },
       kSig},
      {"a device under another member's id",
       [](World& w) {
         return w.Signed(w.caseworker, MemberRemove{w.coordinator.id, 1},
                         [&](StatementHeader& h) { h.author_member = w.owner.id; });
       },
       kInvalid},
      {"a device without a member",
       [](World& w) {
         return w.Signed(w.owner, MemberRemove{w.coordinator.id, 1},
                         [&](StatementHeader& h) { h.author_member = {}; });
       },
       kInvalid},
      {"a member without a device",
       [](World& w) {
         return w.Signed(w.owner, MemberRemove{w.coordinator.id, 1},
                         [&](StatementHeader& h) { h.author_device = {}; });
       },
       kSig},
      {"root's place signed by an owner",
       [](World& w) {
         return SignStatement(w.realm.NextByRoot(), MemberRemove{w.coordinator.id, 1},
                              w.owner.device().signing_key());
       },
       kSig},
      {"signed as an entry of a vault",
       [](World& w) {
         Bytes statement = w.realm.Sign(w.owner, MemberRemove{w.coordinator.id, 1});
         const auto raw = *ReadStatement(statement);
         Writer out;
         out.Var32(raw.body);
         out.Fixed(w.owner.device().signing_key().Sign(labels::kVault, raw.body));
         return out.Take();
       },
       kSig},
      {"suite 0",
       [](World& w) {
         return w.Signed(w.owner, MemberRemove{w.coordinator.id, 1},
                         [&](StatementHeader& h) { h.suite = 0; });
       },
       kDowngrade},
      {"suite 2",
       [](World& w) {
         return w.Signed(w.owner, MemberRemove{w.coordinator.id, 1},
                         [&](StatementHeader& h) { h.suite = 2; });
       },
       kOk},
      {"suite 3",
       [](World& w) {
         return w.Signed(w.owner, MemberRemove{w.coordinator.id, 1},
                         [&](StatementHeader& h) { h.suite = 3; });
       },
       kUnsupported},
      {"suite below a policy that rose",
       [](World& w) {
         Policy policy = w.realm.roster().policy();
         ++policy.gen;
         policy.min_suite = 2;
         w.realm.SetPolicy(policy);
         return w.realm.Sign(w.owner, MemberRemove{w.coordinator.id, 1});
       },
       kDowngrade},
      {"log size without a log",
       [](World& w) {
         return w.Signed(w.owner, MemberRemove{w.coordinator.id, 1},
                         [&](StatementHeader& h) { h.log_size = 1; });
       },
       kInvalid},
      {"log root without a log",
       [](World& w) {
         return w.Signed(w.owner, MemberRemove{w.coordinator.id, 1}, [&](StatementHeader& h) {
           h.log_root = base::Sha256Hash(std::array<std::uint8_t, 32>{1});
         });
       },
       kInvalid},
      {"a trailing byte in the payload",
       [](World& w) {
         Bytes payload = WriteStatementPayload(MemberRemove{w.coordinator.id, 1});
         payload.push_back(0);
         StatementHeader header = w.realm.Next(w.owner);
         header.type = 5;
         return support::SignRaw(header, payload, w.owner.device().signing_key());
       },
       kSig},
      {"longer than 64 KiB",
       [](World& w) { return w.Set(w.owner, [](Policy& p) { p.extensions[2] = Bytes(0xffff); }); },
       kInvalid},
  };
  Check(rows);
}

TEST(Roster, MemberAddNeedsTheRightSignerRolesAndNewIds) {
  const Row rows[] = {
      {"caseworker by owner", [](World& w) { return w.Add(w.owner, kCaseworker); }, kOk},
      {"caseworker by admin", [](World& w) { return w.Add(w.admin, kCaseworker); }, kOk},
      {"auditor by admin", [](World& w) { return w.Add(w.admin, kAuditor); }, kOk},
      {"owner by owner", [](World& w) { return w.Add(w.owner, kOwner); }, kOk},
      {"admin by owner", [](World& w) { return w.Add(w.owner, kAdmin); }, kOk},
      {"owner by root",
       [](World& w) { return w.realm.SignByRoot(w.realm.AddOf(w.stranger, kOwner)); }, kOk},
      {"owner by admin", [](World& w) { return w.Add(w.admin, kOwner); }, kInvalid},
      {"admin by admin", [](World& w) { return w.Add(w.admin, kAdmin); }, kInvalid},
      {"owner and admin by admin", [](World& w) { return w.Add(w.admin, kOwner | kAdmin); },
       kInvalid},
      {"caseworker by caseworker", [](World& w) { return w.Add(w.caseworker, kCaseworker); },
       kInvalid},
      {"caseworker by coordinator", [](World& w) { return w.Add(w.coordinator, kCaseworker); },
       kInvalid},
      {"auditor by auditor", [](World& w) { return w.Add(w.realm.person(3), kAuditor); }, kInvalid},
      {"roles 0", [](World& w) { return w.Add(w.owner, 0); }, kInvalid},
      {"role of another realm", [](World& w) { return w.Add(w.owner, kRoute); }, kInvalid},
      {"unknown role", [](World& w) { return w.Add(w.owner, 8); }, kInvalid},
      {"coordinator and caseworker",
       [](World& w) { return w.Add(w.owner, kCoordinator | kCaseworker); }, kInvalid},
      {"owner who reads content", [](World& w) { return w.Add(w.owner, kOwner | kCoordinator); },
       kInvalid},
      {"join 2",
       [](World& w) { return w.Add(w.owner, kCaseworker, [](MemberAdd& a) { a.join = 2; }); },
       kInvalid},
      {"remote join without a log",
       [](World& w) { return w.Add(w.owner, kCaseworker, [](MemberAdd& a) { a.join = 1; }); },
       kInvalid},
      {"remote join with a log",
       [](World& w) {
         Policy policy = w.realm.roster().policy();
         ++policy.gen;
         policy.has_log = true;
         policy.log_name = "log.example";
         policy.receipt_pk.fill(1);
         w.realm.SetPolicy(policy);
         return w.Add(w.owner, kCaseworker, [](MemberAdd& a) { a.join = 1; });
       },
       kOk},
      {"join 2 with a log",
       [](World& w) {
         Policy policy = w.realm.roster().policy();
         ++policy.gen;
         policy.has_log = true;
         policy.log_name = "log.example";
         policy.receipt_pk.fill(1);
         w.realm.SetPolicy(policy);
         return w.Add(w.owner, kCaseworker, [](MemberAdd& a) { a.join = 2; });
       },
       kInvalid},
      {"member id 0",
       [](World& w) { return w.Add(w.owner, kCaseworker, [](MemberAdd& a) { a.member = {}; }); },
       kInvalid},
      {"invite id 0",
       [](World& w) { return w.Add(w.owner, kCaseworker, [](MemberAdd& a) { a.invite = {}; }); },
       kInvalid},
      {"a member's id",
       [](World& w) {
         return w.Add(w.owner, kCaseworker, [&](MemberAdd& a) { a.member = w.caseworker.id; });
       },
       kInvalid},
      {"a removed member's id",
       [](World& w) {
         return w.Add(w.owner, kCaseworker, [&](MemberAdd& a) { a.member = w.removed.id; });
       },
       kInvalid},
      {"an invite used before",
       [](World& w) {
         return w.Add(w.owner, kCaseworker, [&](MemberAdd& a) {
           a.invite = w.realm.roster().FindMember(w.caseworker.id)->invite;
         });
       },
       kInvalid},
      {"one id for member and invite",
       [](World& w) {
         return w.Add(w.owner, kCaseworker,
                      [](MemberAdd& a) { a.invite = base::InviteId(a.member.bytes()); });
       },
       kInvalid},
      {"a device of somebody else",
       [](World& w) {
         MemberAdd add = w.realm.AddOf(w.stranger, kCaseworker);
         add.device = w.caseworker.device().keys();
         w.realm.Prove(add, w.caseworker.device());
         return w.realm.Sign(w.owner, add);
       },
       kInvalid},
      {"the signing key of a device with another key for boxes",
       [](World& w) {
         MemberAdd add = w.realm.AddOf(w.stranger, kCaseworker);
         add.device.sign_pk = w.caseworker.device().keys().sign_pk;
         w.realm.Prove(add, w.caseworker.device());
         return w.realm.Sign(w.owner, add);
       },
       kInvalid},
      {"the root key",
       [](World& w) {
         MemberAdd add = w.realm.AddOf(w.stranger, kCaseworker);
         add.device.sign_pk = w.realm.root().public_key();
         add.pop =
             w.realm.root().Sign(labels::kRosterPop, PopMessage(w.realm.roster().realm(), add));
         return w.realm.Sign(w.owner, add);
       },
       kInvalid},
      {"the key for boxes of a device",
       [](World& w) {
         return w.Add(w.owner, kCaseworker,
                      [&](MemberAdd& a) { a.device.kems = w.caseworker.device().keys().kems; });
       },
       kInvalid},
      {"the key for boxes of a PUK",
       [](World& w) {
         return w.Add(w.owner, kCaseworker, [&](MemberAdd& a) {
           a.device.kems = w.realm.roster().PukAt(w.owner.id, w.realm.roster().head_seq())->kems;
         });
       },
       kInvalid},
      {"no key for boxes",
       [](World& w) {
         return w.Add(w.owner, kCaseworker, [](MemberAdd& a) { a.device.kems.clear(); });
       },
       kInvalid},
      {"a key of 31 bytes",
       [](World& w) {
         return w.Add(w.owner, kCaseworker,
                      [](MemberAdd& a) { a.device.kems[kAlgX25519].pop_back(); });
       },
       kInvalid},
      {"an X-Wing key beside",
       [](World& w) {
         return w.Add(w.owner, kCaseworker,
                      [](MemberAdd& a) { a.device.kems[kAlgXWing] = Bytes(1216, 1); });
       },
       kOk},
      {"an X-Wing key alone",
       [](World& w) {
         return w.Add(w.owner, kCaseworker, [](MemberAdd& a) {
           a.device.kems = {{kAlgXWing, Bytes(1216, 1)}};
         });
       },
       kInvalid},
      {"an X-Wing key of 1215 bytes",
       [](World& w) {
         return w.Add(w.owner, kCaseworker,
                      [](MemberAdd& a) { a.device.kems[kAlgXWing] = Bytes(1215, 1); });
       },
       kInvalid},
      {"an unknown algorithm",
       [](World& w) {
         return w.Add(w.owner, kCaseworker, [](MemberAdd& a) { a.device.kems[3] = Bytes(32, 1); });
       },
       kInvalid},
      {"a pop by another device",
       [](World& w) {
         MemberAdd add = w.realm.AddOf(w.stranger, kCaseworker);
         w.realm.Prove(add, w.stranger.devices[1]);
         return w.realm.Sign(w.owner, add);
       },
       kInvalid},
      {"a pop over other roles",
       [](World& w) {
         MemberAdd add = w.realm.AddOf(w.stranger, kCaseworker);
         add.roles = kSupervisor;
         return w.realm.Sign(w.owner, add);
       },
       kInvalid},
      {"a pop over another realm",
       [](World& w) {
         MemberAdd add = w.realm.AddOf(w.stranger, kCaseworker);
         add.pop = w.stranger.device().signing_key().Sign(labels::kRosterPop, PopMessage({}, add));
         return w.realm.Sign(w.owner, add);
       },
       kInvalid},
      {"a pop under the label of statements",
       [](World& w) {
         MemberAdd add = w.realm.AddOf(w.stranger, kCaseworker);
         add.pop = {};
         add.pop = w.stranger.device().signing_key().Sign(
             labels::kRoster, PopMessage(w.realm.roster().realm(), add));
         return w.realm.Sign(w.owner, add);
       },
       kInvalid},
  };
  Check(rows);
}

// What a refused statement brought is not used up: the corrected one is taken.
TEST(Roster, ARefusedStatementUsesNothingUp) {
  World world;
  Roster roster = world.realm.roster();
  MemberAdd add = world.realm.AddOf(world.stranger, kCaseworker);
  MemberAdd wrong = add;
  wrong.pop = {};
  EXPECT_EQ(CodeOf(roster.Append(world.realm.Sign(world.owner, wrong))), kInvalid);
  EXPECT_EQ(CodeOf(roster.Append(world.realm.Sign(world.owner, add))), kOk);

  const auto rotation = world.realm.RotationOf(world.caseworker);
  PukRotate short_list = rotation.payload;
  short_list.box_hashes.clear();
  roster = world.realm.roster();
  EXPECT_EQ(CodeOf(roster.Append(world.realm.Sign(world.caseworker, short_list))), kInvalid);
  EXPECT_EQ(CodeOf(roster.Append(world.realm.Sign(world.caseworker, rotation.payload))), kOk);
}

TEST(Roster, DeviceRevokeNeedsTheRightSigner) {
  const auto revoke = [](const Person& person, std::size_t device = 0) {
    return DeviceRevoke{person.id, person.devices[device].id(), 1};
  };
  const Row rows[] = {
      {"own device", [&](World& w) { return w.realm.Sign(w.caseworker, revoke(w.caseworker)); },
       kOk},
      {"own device of an owner",
       [&](World& w) { return w.realm.Sign(w.owner, revoke(w.owner, 1)); }, kOk},
      {"by admin", [&](World& w) { return w.realm.Sign(w.admin, revoke(w.caseworker)); }, kOk},
      {"by owner", [&](World& w) { return w.realm.Sign(w.owner, revoke(w.admin)); }, kOk},
      {"by root", [&](World& w) { return w.realm.SignByRoot(revoke(w.owner)); }, kOk},
      {"an owner's by another owner",
       [&](World& w) { return w.realm.Sign(w.second_owner, revoke(w.owner)); }, kOk},
      {"an owner's by an admin", [&](World& w) { return w.realm.Sign(w.admin, revoke(w.owner)); },
       kInvalid},
      {"by a colleague",
       [&](World& w) { return w.realm.Sign(w.coordinator, revoke(w.caseworker)); }, kInvalid},
      {"reason 0",
       [](World& w) {
         return w.realm.Sign(w.owner, DeviceRevoke{w.admin.id, w.admin.device().id(), 0});
       },
       kInvalid},
      {"reason 3",
       [](World& w) {
         return w.realm.Sign(w.owner, DeviceRevoke{w.admin.id, w.admin.device().id(), 3});
       },
       kOk},
      {"reason 4",
       [](World& w) {
         return w.realm.Sign(w.owner, DeviceRevoke{w.admin.id, w.admin.device().id(), 4});
       },
       kInvalid},
      {"unknown device", [&](World& w) { return w.realm.Sign(w.owner, revoke(w.stranger)); },
       kInvalid},
      {"a device under another member",
       [](World& w) {
         return w.realm.Sign(w.owner, DeviceRevoke{w.admin.id, w.caseworker.device().id(), 1});
       },
       kInvalid},
      {"twice",
       [&](World& w) {
         w.realm.Revoke(w.admin, 0, 1);
         return w.realm.Sign(w.owner, revoke(w.admin));
       },
       kInvalid},
      {"of a removed member", [&](World& w) { return w.realm.Sign(w.owner, revoke(w.removed)); },
       kInvalid},
  };
  Check(rows);
}

TEST(Attack, Row63_AStolenOwnersDeviceIsRevokedThoughOwnersRunShort) {
  TestRealm realm(Compartment::kCases, {{kOwner}, {kOwner}});
  Roster roster = realm.roster();
  const auto& first = realm.person(0);
  const auto& second = realm.person(1);
  EXPECT_EQ(
      CodeOf(roster.Append(realm.Sign(second, DeviceRevoke{first.id, first.device().id(), 3}))),
      kOk);
  EXPECT_FALSE(roster.HasActiveDeviceAt(first.id, roster.head_seq()));
  EXPECT_EQ(roster.RolesAt(first.id, roster.head_seq()), kOwner);
  // The last owner's last device too, and then root is the way out.
  const auto next = [&](StatementHeader header) {
    header.seq = roster.size();
    header.prev = roster.head();
    return header;
  };
  EXPECT_EQ(CodeOf(roster.Append(SignStatement(next(realm.Next(second)),
                                               DeviceRevoke{second.id, second.device().id(), 1},
                                               second.device().signing_key()))),
            kOk);
  auto& third = realm.Stranger();
  MemberAdd add = realm.AddOf(third, kOwner);
  EXPECT_EQ(CodeOf(roster.Append(SignStatement(next(realm.NextByRoot()), add, realm.root()))), kOk);
  EXPECT_TRUE(roster.HasActiveDeviceAt(third.id, roster.head_seq()));
}

TEST(Roster, PukRotateIsByTheMemberForExactlyTheActiveDevices) {
  const Row rows[] = {
      {"next", [](World& w) { return w.Rotate(w.caseworker, [](PukRotate&) {}); }, kOk},
      {"for two devices", [](World& w) { return w.Rotate(w.owner, [](PukRotate&) {}); }, kOk},
      {"first of a newcomer",
       [](World& w) {
         Person& newcomer = w.realm.AddWithoutPuk(kCaseworker);
         return w.Rotate(newcomer, [](PukRotate&) {});
       },
       kOk},
      {"without the one before",
       [](World& w) {
         return w.Rotate(w.caseworker, [](PukRotate& p) {
           p.prev_gen = 0;
           p.prev_wrap.clear();
         });
       },
       kOk},
      {"by another member",
       [](World& w) { return w.realm.Sign(w.owner, w.realm.RotationOf(w.caseworker).payload); },
       kInvalid},
      {"by root",
       [](World& w) { return w.realm.SignByRoot(w.realm.RotationOf(w.caseworker).payload); },
       kInvalid},
      {"of no member",
       [](World& w) {
         return w.Rotate(w.caseworker, [&](PukRotate& p) { p.member = w.stranger.id; });
       },
       kInvalid},
      {"gen again",
       [](World& w) { return w.Rotate(w.caseworker, [](PukRotate& p) { p.gen = 1; }); }, kInvalid},
      {"gen skips",
       [](World& w) { return w.Rotate(w.caseworker, [](PukRotate& p) { p.gen = 3; }); }, kInvalid},
      {"gen 2 first",
       [](World& w) {
         Person& newcomer = w.realm.AddWithoutPuk(kCaseworker);
         return w.Rotate(newcomer, [](PukRotate& p) { p.gen = 2; });
       },
       kInvalid},
      {"wraps itself",
       [](World& w) { return w.Rotate(w.caseworker, [](PukRotate& p) { p.prev_gen = 2; }); },
       kInvalid},
      {"wraps a later one",
       [](World& w) { return w.Rotate(w.caseworker, [](PukRotate& p) { p.prev_gen = 3; }); },
       kInvalid},
      {"no key", [](World& w) { return w.Rotate(w.caseworker, [](PukRotate& p) { p.kems = {}; }); },
       kInvalid},
      {"the same key again",
       [](World& w) {
         return w.Rotate(w.caseworker, [&](PukRotate& p) {
           p.kems = w.realm.roster().PukAt(p.member, w.realm.roster().head_seq())->kems;
         });
       },
       kInvalid},
      {"a device's key",
       [](World& w) {
         return w.Rotate(w.caseworker,
                         [&](PukRotate& p) { p.kems = w.caseworker.device().keys().kems; });
       },
       kInvalid},
      {"leaves out a device",
       [](World& w) {
         return w.Rotate(w.owner, [](PukRotate& p) { p.box_hashes.erase(p.box_hashes.begin()); });
       },
       kInvalid},
      {"lists another's device",
       [](World& w) {
         return w.Rotate(w.caseworker,
                         [&](PukRotate& p) { p.box_hashes[w.owner.device().id()] = {}; });
       },
       kInvalid},
      {"lists another's device instead",
       [](World& w) {
         return w.Rotate(w.caseworker, [&](PukRotate& p) {
           p.box_hashes = {{w.owner.device().id(), {}}};
         });
       },
       kInvalid},
      {"lists a revoked device",
       [](World& w) {
         const auto before = w.realm.RotationOf(w.admin);
         w.realm.Revoke(w.admin, 1, 0);
         return w.realm.Sign(w.admin, before.payload);
       },
       kInvalid},
  };
  Check(rows);
}

TEST(Roster, MemberRemoveNeedsTheRightSignerAndLeavesAnOwner) {
  const auto remove = [](const Person& person, std::uint8_t reason = 1) {
    return MemberRemove{person.id, reason};
  };
  const Row rows[] = {
      {"self", [&](World& w) { return w.realm.Sign(w.caseworker, remove(w.caseworker)); }, kOk},
      {"by admin", [&](World& w) { return w.realm.Sign(w.admin, remove(w.caseworker)); }, kOk},
      {"admin by admin", [&](World& w) { return w.realm.Sign(w.admin, remove(w.admin)); }, kOk},
      {"by owner", [&](World& w) { return w.realm.Sign(w.owner, remove(w.admin)); }, kOk},
      {"owner by owner", [&](World& w) { return w.realm.Sign(w.owner, remove(w.second_owner)); },
       kOk},
      {"owner leaves", [&](World& w) { return w.realm.Sign(w.owner, remove(w.owner)); }, kOk},
      {"owner by admin", [&](World& w) { return w.realm.Sign(w.admin, remove(w.owner)); },
       kInvalid},
      {"by a colleague",
       [&](World& w) { return w.realm.Sign(w.coordinator, remove(w.caseworker)); }, kInvalid},
      {"reason 0", [&](World& w) { return w.realm.Sign(w.owner, remove(w.admin, 0)); }, kInvalid},
      {"reason 4", [&](World& w) { return w.realm.Sign(w.owner, remove(w.admin, 4)); }, kOk},
      {"reason 5", [&](World& w) { return w.realm.Sign(w.owner, remove(w.admin, 5)); }, kInvalid},
      {"of no member", [&](World& w) { return w.realm.Sign(w.owner, remove(w.stranger)); },
       kInvalid},
      {"twice", [&](World& w) { return w.realm.Sign(w.owner, remove(w.removed)); }, kInvalid},
      {"the last owner leaves",
       [&](World& w) {
         w.realm.Remove(w.second_owner);
         return w.realm.Sign(w.owner, remove(w.owner));
       },
       kInvalid},
      {"the last owner by root",
       [&](World& w) {
         w.realm.Remove(w.second_owner);
         return w.realm.SignByRoot(remove(w.owner));
       },
       kOk},
      {"an owner without devices, beside the last",
       [&](World& w) {
         w.realm.RevokeByRoot(w.second_owner, 0);
         return w.realm.Sign(w.owner, remove(w.second_owner));
       },
       kOk},
      {"the last owner with a device",
       [&](World& w) {
         w.realm.RevokeByRoot(w.second_owner, 0);
         return w.realm.Sign(w.owner, remove(w.owner));
       },
       kInvalid},
  };
  Check(rows);
}

TEST(Attack, Row62_NobodyGrantsToThemselvesAndEveryoneMayLeave) {
  const Row rows[] = {
      {"an admin makes a second self",
       [](World& w) {
         return w.Add(w.admin, kOwner, [&](MemberAdd& add) { add.member = w.admin.id; });
       },
       kInvalid},
      {"an owner gives the own id other roles",
       [](World& w) {
         return w.Add(w.owner, kCoordinator, [&](MemberAdd& add) { add.member = w.owner.id; });
       },
       kInvalid},
      {"leaving needs nobody else",
       [](World& w) {
         return w.realm.Sign(w.coordinator, MemberRemove{w.coordinator.id, 1});
       },
       kOk},
  };
  Check(rows);
}

TEST(Roster, PolicySetIsByAnOwnerAndWithinReach) {
  const Row rows[] = {
      {"by an owner", [](World& w) { return w.Set(w.owner, [](Policy&) {}); }, kOk},
      {"by an admin", [](World& w) { return w.Set(w.admin, [](Policy&) {}); }, kInvalid},
      {"by a caseworker", [](World& w) { return w.Set(w.caseworker, [](Policy&) {}); }, kInvalid},
      {"by root",
       [](World& w) {
         Policy policy = w.realm.roster().policy();
         ++policy.gen;
         return w.realm.SignByRoot(PolicySet{policy});
       },
       kInvalid},
      {"not allowed by itself",
       [](World& w) { return w.Set(w.owner, [](Policy& p) { p.max_ver = 0; }); }, kInvalid},
      {"an odd extension",
       [](World& w) { return w.Set(w.owner, [](Policy& p) { p.extensions[1] = {}; }); },
       kUnsupported},
      {"no successor", [](World& w) { return w.Set(w.owner, [](Policy& p) { ++p.gen; }); },
       kInvalid},
      {"more owners than there are",
       [](World& w) { return w.Set(w.owner, [](Policy& p) { p.owner_threshold = 3; }); }, kInvalid},
      {"more granters than there are",
       [](World& w) { return w.Set(w.owner, [](Policy& p) { p.grant_threshold = 4; }); }, kInvalid},
      {"owner threshold 2",
       [](World& w) { return w.Set(w.owner, [](Policy& p) { p.owner_threshold = 2; }); }, kOk},
      {"grant threshold 3",
       [](World& w) { return w.Set(w.owner, [](Policy& p) { p.grant_threshold = 3; }); }, kOk},
      {"an audit key",
       [](World& w) {
         return w.Set(w.owner, [&](Policy& p) {
           p.audit_gen = 1;
           p.audit_kems = w.stranger.device().keys().kems;
         });
       },
       kOk},
      {"an audit key that is a device's",
       [](World& w) {
         return w.Set(w.owner, [&](Policy& p) {
           p.audit_gen = 1;
           p.audit_kems = w.admin.device().keys().kems;
         });
       },
       kInvalid},
      {"the audit key stays",
       [](World& w) {
         Policy policy = w.realm.roster().policy();
         ++policy.gen;
         policy.audit_gen = 1;
         policy.audit_kems = w.stranger.device().keys().kems;
         w.realm.SetPolicy(policy);
         return w.Set(w.owner, [](Policy&) {});
       },
       kOk},
      {"an audit gen with the old key",
       [](World& w) {
         Policy policy = w.realm.roster().policy();
         ++policy.gen;
         policy.audit_gen = 1;
         policy.audit_kems = w.stranger.device().keys().kems;
         w.realm.SetPolicy(policy);
         return w.Set(w.owner, [](Policy& p) { p.audit_gen = 2; });
       },
       kInvalid},
  };
  Check(rows);
}

// A GENESIS and what it is made with.
struct Founding {
  crypto::SigningKey root = *crypto::SigningKey::FromSeed(support::KeyOf(Bytes(32, 1)));
  std::vector<Device> devices;
  Genesis genesis;
  StatementHeader header;

  Founding() {
    genesis.compartment = 2;
    genesis.root_pk = root.public_key();
    genesis.policy = TestRealm::EvaluationPolicy();
    for (std::uint8_t i = 0; i < 18; ++i) {
      devices.push_back(
          *Device::FromSeed(*DeviceSeed::Copy(support::KeyOf(Bytes(32, i + 2u)).Expose())));
    }
    genesis.members[Id(1)].roles = kOwner;
    List(1, devices[0].keys());
    genesis.members[Id(2)].roles = kOwner;
    List(2, devices[1].keys());
    genesis.members[Id(3)].roles = kCoordinator;
    List(3, devices[2].keys());
  }
  static base::MemberId Id(std::uint8_t n) {
    return base::MemberId(std::array<std::uint8_t, 16>{n});
  }
  GenesisMember& member(std::uint8_t n) { return genesis.members.at(Id(n)); }
  void List(std::uint8_t n, const DeviceKeys& keys) {
    member(n).devices.emplace_back(keys, crypto::Signature());
    std::ranges::sort(member(n).devices, {}, [](const auto& device) {
      Writer w;
      WriteDeviceKeys(w, device.first);
      return w.Take();
    });
  }
  // Makes every pop whose device is at hand.
  void Prove() {
    const Bytes message = PopMessage({}, genesis);
    for (auto& [id, row] : genesis.members) {
      for (auto& [keys, pop] : row.devices) {
        for (const auto& device : devices) {
          if (device.keys().sign_pk == keys.sign_pk) {
            pop = device.signing_key().Sign(labels::kRosterPop, message);
          }
        }
      }
    }
  }
  Bytes Sign(const crypto::SigningKey& key) {
    header.realm = {};
    const Bytes unnamed = SignStatement(header, genesis, key);
    header.realm = RealmOf(FingerprintOf(ReadStatement(unnamed)->body));
    return SignStatement(header, genesis, key);
  }
};

struct FoundingRow {
  const char* name;
  std::function<void(Founding&)> change;
  const char* want;
};

void Check(std::span<const FoundingRow> rows) {
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Founding founding;
    row.change(founding);
    founding.Prove();
    Roster roster;
    EXPECT_EQ(CodeOf(roster.Append(founding.Sign(founding.root))), row.want);
    EXPECT_EQ(roster.empty(), row.want != std::string(kOk));
  }
}

TEST(Roster, GenesisFoundsARealmOrNone) {
  const FoundingRow rows[] = {
      {"good", [](Founding&) {}, kOk},
      {"of identity",
       [](Founding& f) {
         f.genesis.compartment = 1;
         f.member(3).roles = kCaseworker;
       },
       kOk},
      {"of journeys",
       [](Founding& f) {
         f.genesis.compartment = 3;
         f.member(3).roles = kRoute;
       },
       kOk},
      {"compartment 0", [](Founding& f) { f.genesis.compartment = 0; }, kInvalid},
      {"compartment 4", [](Founding& f) { f.genesis.compartment = 4; }, kInvalid},
      {"compartment 0, where nobody reads",
       [](Founding& f) {
         f.genesis.compartment = 0;
         f.member(3).roles = kAuditor;
       },
       kInvalid},
      {"compartment 4, where nobody reads",
       [](Founding& f) {
         f.genesis.compartment = 4;
         f.member(3).roles = kAuditor;
       },
       kInvalid},
      {"a member as author", [](Founding& f) { f.header.author_member = Founding::Id(1); },
       kInvalid},
      {"a device as author", [](Founding& f) { f.header.author_device = f.devices[0].id(); },
       kInvalid},
      {"log size", [](Founding& f) { f.header.log_size = 1; }, kInvalid},
      {"log root",
       [](Founding& f) { f.header.log_root = base::Sha256Hash(std::array<std::uint8_t, 32>{1}); },
       kInvalid},
      {"seq 1", [](Founding& f) { f.header.seq = 1; }, kInvalid},
      {"prev", [](Founding& f) { f.header.prev = base::Link(std::array<std::uint8_t, 32>{1}); },
       kFork},
      {"suite 0", [](Founding& f) { f.header.suite = 0; }, kDowngrade},
      {"suite 3", [](Founding& f) { f.header.suite = 3; }, kUnsupported},
      {"suite below its own policy", [](Founding& f) { f.genesis.policy.min_suite = 2; },
       kDowngrade},
      {"policy gen 0", [](Founding& f) { f.genesis.policy.gen = 0; }, kInvalid},
      {"policy gen 2", [](Founding& f) { f.genesis.policy.gen = 2; }, kInvalid},
      {"a policy that may not be", [](Founding& f) { f.genesis.policy.flags |= 64; }, kInvalid},
      {"an odd extension", [](Founding& f) { f.genesis.policy.extensions[1] = {}; }, kUnsupported},
      {"nobody", [](Founding& f) { f.genesis.members.clear(); }, kInvalid},
      {"no owner", [](Founding& f) { f.member(1).roles = f.member(2).roles = kAdmin; }, kInvalid},
      {"owners without devices",
       [](Founding& f) {
         f.member(1).devices.clear();
         f.member(2).devices.clear();
       },
       kInvalid},
      {"one owner without devices", [](Founding& f) { f.member(1).devices.clear(); }, kOk},
      {"roles 0", [](Founding& f) { f.member(3).roles = 0; }, kInvalid},
      {"roles of another realm", [](Founding& f) { f.member(3).roles = kRoute; }, kInvalid},
      {"an owner who reads", [](Founding& f) { f.member(1).roles = kOwner | kCaseworker; },
       kInvalid},
      {"member id 0",
       [](Founding& f) {
         f.genesis.members[base::MemberId()] = {kAdmin, {}, {}};
       },
       kInvalid},
      {"16 devices",
       [](Founding& f) {
         f.member(1).devices.clear();
         for (std::size_t i = 2; i < 18; ++i) f.List(1, f.devices[i].keys());
         f.member(3).devices.clear();
       },
       kOk},
      {"17 devices",
       [](Founding& f) {
         f.member(1).devices.clear();
         for (std::size_t i = 1; i < 18; ++i) f.List(1, f.devices[i].keys());
         f.member(2).devices.clear();
         f.member(3).devices.clear();
       },
       kInvalid},
      {"one device for two", [](Founding& f) { f.List(3, f.devices[0].keys()); }, kInvalid},
      {"one signing key for two",
       [](Founding& f) {
         f.List(3, {f.devices[0].keys().sign_pk, f.devices[5].keys().kems});
       },
       kInvalid},
      {"one key for boxes for two",
       [](Founding& f) {
         f.List(3, {f.devices[5].keys().sign_pk, f.devices[0].keys().kems});
       },
       kInvalid},
      {"the root key as a device",
       [](Founding& f) { f.genesis.root_pk = f.devices[0].keys().sign_pk; }, kSig},
      {"an audit key that is a device's",
       [](Founding& f) {
         f.genesis.policy.audit_gen = 1;
         f.genesis.policy.audit_kems = f.devices[0].keys().kems;
       },
       kInvalid},
      {"an audit key",
       [](Founding& f) {
         f.genesis.policy.audit_gen = 1;
         f.genesis.policy.audit_kems = f.devices[9].keys().kems;
       },
       kOk},
      {"owner threshold above all", [](Founding& f) { f.genesis.policy.owner_threshold = 3; },
       kInvalid},
      {"grant threshold above all", [](Founding& f) { f.genesis.policy.grant_threshold = 3; },
       kInvalid},
      {"owner threshold 2", [](Founding& f) { f.genesis.policy.owner_threshold = 2; }, kOk},
      {"grant threshold 2", [](Founding& f) { f.genesis.policy.grant_threshold = 2; }, kOk},
      {"longer than 64 KiB",
       [](Founding& f) {
         for (std::size_t i = 0; i < 1300; ++i) {
           std::array<std::uint8_t, 16> id{9, static_cast<std::uint8_t>(i >> 8),
                                           static_cast<std::uint8_t>(i)};
           f.genesis.members[base::MemberId(id)].roles = kCoordinator;
         }
       },
       kInvalid},
  };
  Check(rows);
}

TEST(Roster, GenesisIsSignedByItsRootAndProvenByItsDevices) {
  const auto refused = [](const Bytes& statement, const char* want) {
    Roster roster;
    EXPECT_EQ(CodeOf(roster.Append(statement)), want);
    EXPECT_TRUE(roster.empty());
  };
  {
    Founding f;
    f.Prove();
    refused(f.Sign(f.devices[0].signing_key()), kSig);
    f.header.realm = base::RealmId(std::array<std::uint8_t, 16>{1});
    refused(SignStatement(f.header, f.genesis, f.root), kInvalid);
  }
  {
    Founding f;
    f.Prove();
    f.member(1).devices[0].second = f.member(2).devices[0].second;
    refused(f.Sign(f.root), kInvalid);
  }
  {
    // A device's own key as root: the key is used twice.
    Founding f;
    f.genesis.root_pk = f.devices[0].keys().sign_pk;
    f.Prove();
    refused(f.Sign(f.devices[0].signing_key()), kInvalid);
  }
  // A roster begins with GENESIS, whoever signs.
  World world;
  refused(world.realm.SignByRoot(MemberRemove{world.admin.id, 1}), kSig);
  refused(world.realm.statements()[1], kSig);
  {
    Founding f;
    f.header.type = 0;
    refused(support::SignRaw(f.header, Bytes(3), f.root), kSig);
  }
}

TEST(Attack, Row61_NoKeyOfLowOrderOrOtherFormEntersARoster) {
  for (const auto& [name, key] : LowOrderKeys()) {
    SCOPED_TRACE(name);
    const Kems kems{{kAlgX25519, key}};
    EXPECT_FALSE(AreValidKems(kems));
    const Row rows[] = {
        {"MEMBER_ADD",
         [&](World& w) {
           return w.Add(w.owner, kCaseworker, [&](MemberAdd& a) { a.device.kems = kems; });
         },
         kInvalid},
        {"PUK_ROTATE",
         [&](World& w) { return w.Rotate(w.caseworker, [&](PukRotate& p) { p.kems = kems; }); },
         kInvalid},
        {"POLICY_SET, audit key",
         [&](World& w) {
           return w.Set(w.owner, [&](Policy& p) {
             p.audit_gen = 1;
             p.audit_kems = kems;
           });
         },
         kInvalid},
        {"POLICY_SET, peer",
         [&](World& w) { return w.Set(w.owner, [&](Policy& p) { p.peers[1].kems = kems; }); },
         kInvalid},
    };
    Check(rows);
    const FoundingRow founding[] = {
        {"GENESIS, device",
         [&](Founding& f) {
           f.List(3, {f.devices[5].keys().sign_pk, kems});
         },
         kInvalid},
        {"GENESIS, audit key",
         [&](Founding& f) {
           f.genesis.policy.audit_gen = 1;
           f.genesis.policy.audit_kems = kems;
         },
         kInvalid},
        {"GENESIS, peer", [&](Founding& f) { f.genesis.policy.peers[1].kems = kems; }, kInvalid},
    };
    Check(founding);
  }
}

TEST(Roster, AKeyOfAnAlgorithmThatNobodyKnowsIsNone) {
  EXPECT_TRUE(IsValidKem(kAlgXWing, Bytes(1216, 1)));
  EXPECT_FALSE(IsValidKem(kAlgXWing, Bytes(1215, 1)));
  EXPECT_FALSE(IsValidKem(kAlgXWing + 1, Bytes(1216, 1)));
}

TEST(Roster, AFoundersDeviceProvesItsKeysItself) {
  Founding f;
  std::vector<const Device*> at_hand{&f.devices[0], &f.devices[1]};
  const auto sign = [&] { return CodeOf(SignGenesis(f.genesis, 1, f.root, at_hand)); };
  EXPECT_EQ(sign(), "INVALID_ARGUMENT");
  at_hand.push_back(&f.devices[2]);
  EXPECT_EQ(sign(), kOk);
}

// One space for ids: whoever could give a member the id of a device would confuse lookups.
TEST(Attack, Row20_NoIdIsAlsoAnIdOfAnotherKind) {
  const Row rows[] = {
      {"a member with a device's id",
       [](World& w) {
         return w.Add(w.owner, kCaseworker, [&](MemberAdd& add) {
           add.member = base::MemberId(w.admin.device().id().bytes());
         });
       },
       kInvalid},
      {"a member with the own device's id",
       [](World& w) {
         return w.Add(w.owner, kCaseworker, [&](MemberAdd& add) {
           add.member = base::MemberId(w.stranger.device().id().bytes());
         });
       },
       kInvalid},
      {"an invitation with a member's id",
       [](World& w) {
         return w.Add(w.owner, kCaseworker,
                      [&](MemberAdd& add) { add.invite = base::InviteId(w.admin.id.bytes()); });
       },
       kInvalid},
      {"an invitation with a device's id",
       [](World& w) {
         return w.Add(w.owner, kCaseworker, [&](MemberAdd& add) {
           add.invite = base::InviteId(w.admin.device().id().bytes());
         });
       },
       kInvalid},
  };
  Check(rows);
  const FoundingRow founding[] = {
      {"a founder with a device's id",
       [](Founding& f) {
         f.genesis.members[base::MemberId(f.devices[0].id().bytes())] = {kAdmin, {}, {}};
       },
       kInvalid},
  };
  Check(founding);
  // Nor does looking up one kind find another.
  World world;
  const Roster& roster = world.realm.roster();
  const base::DeviceId as_device(world.admin.id.bytes());
  const base::MemberId as_member(world.admin.device().id().bytes());
  EXPECT_EQ(roster.FindDevice(as_device), nullptr);
  EXPECT_EQ(roster.FindMember(as_member), nullptr);
  static_assert(!std::is_convertible_v<base::DeviceId, base::MemberId>);
  static_assert(!std::is_constructible_v<base::DeviceId, base::MemberId>);
  // A device's id is made from its keys: no statement says it, so none can say it wrong.
  EXPECT_EQ(roster.FindDevice(DeviceIdOf(world.admin.device().keys()))->member, world.admin.id);
}

TEST(Roster, SaysWhatWasSoAtEveryStatement) {
  TestRealm realm(Compartment::kCases, {{kOwner, 2}});
  auto& member = realm.AddWithoutPuk(kCaseworker);
  const Roster& roster = realm.roster();
  const std::uint64_t added = roster.head_seq();
  EXPECT_EQ(roster.PukAt(member.id, added), nullptr);
  EXPECT_EQ(roster.UsablePukAt(member.id, added), nullptr);
  realm.RotatePuk(member);
  const std::uint64_t rotated = roster.head_seq();
  realm.Revoke(realm.person(0), 1, 0);
  const std::uint64_t revoked = roster.head_seq();
  realm.RotatePuk(realm.person(0));
  const std::uint64_t rotated_again = roster.head_seq();
  realm.Remove(member);
  const std::uint64_t removed = roster.head_seq();
  const auto& owner = realm.person(0);

  EXPECT_EQ(roster.RolesAt(member.id, added - 1), 0);
  EXPECT_FALSE(roster.IsMemberAt(member.id, added - 1));
  EXPECT_FALSE(roster.IsListedAt(member.device().id(), added - 1));
  EXPECT_FALSE(roster.IsActiveAt(member.device().id(), added - 1));
  EXPECT_EQ(roster.PukAt(member.id, added - 1), nullptr);
  EXPECT_EQ(roster.RolesAt(member.id, added), kCaseworker);
  EXPECT_TRUE(roster.IsListedAt(member.device().id(), added));
  EXPECT_TRUE(roster.IsActiveAt(member.device().id(), added));
  EXPECT_EQ(roster.UsablePukAt(member.id, rotated)->gen, 1U);
  EXPECT_EQ(roster.PukAt(member.id, rotated - 1), nullptr);

  EXPECT_TRUE(roster.IsActiveAt(owner.devices[1].id(), revoked - 1));
  EXPECT_FALSE(roster.IsActiveAt(owner.devices[1].id(), revoked));
  EXPECT_TRUE(roster.IsListedAt(owner.devices[1].id(), removed));
  EXPECT_FALSE(roster.IsStaleAt(owner.id, revoked - 1));
  EXPECT_TRUE(roster.IsStaleAt(owner.id, revoked));
  EXPECT_EQ(roster.UsablePukAt(owner.id, revoked), nullptr);
  EXPECT_EQ(roster.PukAt(owner.id, revoked)->gen, 1U);
  EXPECT_FALSE(roster.IsStaleAt(owner.id, rotated_again));
  EXPECT_EQ(roster.UsablePukAt(owner.id, rotated_again)->gen, 2U);
  EXPECT_EQ(roster.ActiveDevicesAt(owner.id, revoked - 1).size(), 2U);
  EXPECT_EQ(roster.ActiveDevicesAt(owner.id, revoked).size(), 1U);

  EXPECT_TRUE(roster.IsMemberAt(member.id, removed - 1));
  EXPECT_FALSE(roster.IsMemberAt(member.id, removed));
  EXPECT_EQ(roster.RolesAt(member.id, removed), 0);
  EXPECT_FALSE(roster.HasActiveDeviceAt(member.id, removed));
  EXPECT_EQ(roster.UsablePukAt(member.id, removed), nullptr);
  EXPECT_EQ(roster.PukAt(member.id, removed)->gen, 1U);

  const base::MemberId nobody(std::array<std::uint8_t, 16>{1});
  EXPECT_EQ(roster.FindMember(nobody), nullptr);
  EXPECT_FALSE(roster.IsActiveAt(base::DeviceId(nobody.bytes()), removed));
  EXPECT_TRUE(roster.ActiveDevicesAt(nobody, removed).empty());
  EXPECT_FALSE(roster.IsStaleAt(nobody, removed));
  EXPECT_FALSE(roster.HasActiveDeviceAt(nobody, removed));
  EXPECT_EQ(roster.PukAt(nobody, removed), nullptr);
  EXPECT_EQ(roster.FindMember(member.id)->staff_commit.IsZero(), false);
}

TEST(Roster, ARevokeBeforeTheFirstPukMakesStaleToo) {
  TestRealm realm(Compartment::kCases, {{kOwner, 2}}, TestRealm::EvaluationPolicy());
  realm.Revoke(realm.person(0), 1, 0);
  EXPECT_TRUE(realm.roster().IsStaleAt(realm.person(0).id, realm.roster().head_seq()));
  realm.RotatePuk(realm.person(0));
  EXPECT_FALSE(realm.roster().IsStaleAt(realm.person(0).id, realm.roster().head_seq()));
}

TEST(Roster, KnowsThePolicyOfEveryStatement) {
  World world;
  const Roster& roster = world.realm.roster();
  const std::uint64_t before = roster.head_seq();
  Policy policy = roster.policy();
  ++policy.gen;
  policy.min_suite = 2;
  world.realm.SetPolicy(policy);
  EXPECT_EQ(roster.PolicyAt(0).gen, 1U);
  EXPECT_EQ(roster.PolicyAt(before).min_suite, 1);
  EXPECT_EQ(roster.PolicyAt(before + 1).min_suite, 2);
  EXPECT_EQ(roster.policy().gen, 2U);
}

// Random histories. What a roster says of an older statement is what it said then, and reading the
// chain from the start gives the same.
RC_GTEST_PROP(RosterProperty, AnOlderStatementSaysWhatItSaidAtItsTime, ()) {
  TestRealm realm(Compartment::kCases, {{kOwner, 3}, {kOwner, 1}});
  std::vector<std::string> then;
  const auto note = [&] {
    while (then.size() < realm.roster().size()) {
      then.push_back(then.size() + 1 == realm.roster().size()
                         ? SnapshotAt(realm.roster(), realm.roster().head_seq())
                         : std::string());
    }
  };
  note();
  std::size_t people = 2;
  for (int i = *rc::gen::inRange(1, 8); i > 0; --i) {
    const std::uint64_t head = realm.roster().head_seq();
    auto& person = realm.person(*rc::gen::inRange<std::size_t>(0, people));
    const bool there = realm.roster().IsMemberAt(person.id, head);
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        realm.AddWithoutPuk(
            *rc::gen::elementOf(std::vector<Roles>{kCaseworker, kCoordinator, kAdmin, kAuditor}));
        ++people;
        break;
      case 1:
        if (there && realm.roster().IsActiveAt(person.device().id(), head)) realm.RotatePuk(person);
        break;
      case 2:
        if (there) realm.Remove(person);
        break;
      default: {
        const std::size_t device = person.devices.size() - 1;
        if (realm.roster().IsActiveAt(person.devices[device].id(), head)) {
          realm.RevokeByRoot(person, device);
        }
        break;
      }
    }
    note();
  }
  for (std::uint64_t seq = 0; seq < then.size(); ++seq) {
    if (!then[seq].empty()) RC_ASSERT(SnapshotAt(realm.roster(), seq) == then[seq]);
  }
  const auto verdict = VerifyRoster(realm.statements());
  RC_ASSERT(verdict.status.ok());
  RC_ASSERT(verdict.failed_at == realm.statements().size());
  RC_ASSERT(Snapshot(verdict.roster) == Snapshot(realm.roster()));
}

TEST(Roster, NoFlippedBitOfAStatementIsTaken) {
  World world;
  const Bytes statement = world.realm.Sign(world.owner, MemberRemove{world.caseworker.id, 1});
  for (std::size_t at = 0; at < statement.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes flipped = statement;
      flipped[at] = static_cast<std::uint8_t>(flipped[at] ^ 1u << bit);
      Roster roster = world.realm.roster();
      const std::string code = CodeOf(roster.Append(flipped));
      // A version is read before the signature, so that a later one can say so.
      ASSERT_TRUE(code == kSig || (at == 10 && code == kUnsupported)) << at << " " << code;
    }
  }
}

TEST(Roster, SaysWhichStatementFailed) {
  World world;
  std::vector<Bytes> statements = world.realm.statements();
  std::swap(statements[2], statements[3]);
  const auto verdict = VerifyRoster(statements);
  EXPECT_EQ(CodeOf(verdict.status), kFork);
  EXPECT_EQ(verdict.failed_at, 2U);
  EXPECT_EQ(verdict.roster.size(), 2U);
}

}  // namespace
}  // namespace godwit::protocol
