// Statements, well signed by members of a realm, with payloads that the fuzzer wrote: a refused one
// changes nothing, and what is taken leaves a roster that its own bytes rebuild.
//
//   input = u8 author | u8 type and header | payload;  a type of 16 and more changes a valid
//   payload
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "crypto/random.h"
#include "fuzz/world.h"
#include "tests/support/builders.h"

using namespace godwit;

namespace {

// Thresholds of two, so that things wait: a grant, and a recovery that asks for trustees.
struct World {
  support::TestRealm realm{protocol::Compartment::kCases,
                           {{protocol::kOwner, 2}, {protocol::kOwner, 1}, {protocol::kAdmin, 1}},
                           support::TestRealm::ThresholdsOfTwo()};
  support::Person& caseworker = realm.Add(protocol::kCaseworker);
  support::Person& trustee = realm.Add(protocol::kCaseworker);
  support::Person& stranger = realm.Stranger(2);
  std::vector<protocol::StatementPayload> payloads;

  World() {
    using namespace protocol;  // NOLINT(google-build-using-namespace)
    const auto& owner = realm.person(0);
    const auto& second = realm.person(1);
    const auto& admin = realm.person(2);
    for (std::size_t i = 0; i < 3; ++i) realm.RotatePuk(realm.person(i));
    realm.Approve(second,
                  realm.Do(owner, realm.RecoverySetOf(kRecoveryLive, 2, {&caseworker, &trustee})));
    const auto grant = realm.Do(admin, realm.AddOf(stranger, kCoordinator));
    const std::set<base::VaultId> vaults = {crypto::RandomId<base::VaultId>()};
    const auto request = realm.Do(admin, realm.RequestOf(kRecoveryLive, second, vaults));
    Policy policy = realm.roster().policy();
    ++policy.gen;
    policy.owner_threshold = 1;
    payloads = {realm.AddOf(stranger, kCoordinator),
                DeviceRevoke{caseworker.id, caseworker.device().id(), 1},
                realm.RotationOf(caseworker).payload,
                MemberRemove{caseworker.id, 1},
                RoleSet{caseworker.id, kSupervisor},
                PolicySet{policy},
                realm.RecoverySetOf(kRecoveryLive, 2, {&caseworker, &trustee}),
                realm.RequestOf(kRecoveryLive, second, vaults),
                Approve{grant, kNoShare, {}},
                Approve{request, 0, {}},
                Close{grant, 0},
                realm.RootRotateTo(stranger.devices[0].signing_key()),
                DeviceAddOf(owner)};
  }

  // A device more for `person`, with the keys of a stranger's.
  protocol::DeviceAdd DeviceAddOf(const support::Person& person) {
    protocol::DeviceAdd add = realm.DeviceAddOf(stranger, stranger.devices[1]).payload;
    add.member = person.id;
    add.puk_gen = 1;
    realm.Prove(add, stranger.devices[1]);
    return add;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 3) return 0;
  const auto& world = fuzz::TheOnly<World>();
  const std::size_t who = bytes[0] % 6;
  const bool by_root = who == 5;
  protocol::StatementHeader header =
      by_root ? world.realm.NextByRoot() : world.realm.Next(world.realm.person(who));
  base::Bytes payload;
  if (bytes[1] < 16) {
    header.type = bytes[1];
    payload.assign(bytes + 2, bytes + size);
  } else {
    // A valid payload, and what follows lies over it.
    const auto& valid = world.payloads[bytes[1] % world.payloads.size()];
    header.type = protocol::TypeOf(valid);
    payload = protocol::WriteStatementPayload(valid);
    const std::size_t at = bytes[2] % payload.size();
    const std::size_t count = std::min(size - 3, payload.size() - at);
    std::copy_n(bytes + 3, count, payload.begin() + static_cast<std::ptrdiff_t>(at));
  }
  const auto& key = by_root ? world.realm.root() : world.realm.person(who).device().signing_key();
  const base::Bytes statement = support::SignRaw(header, payload, key);

  protocol::Roster roster = world.realm.roster();
  const bool taken = roster.Append(statement).ok();
  if (roster.size() != world.realm.roster().size() + (taken ? 1 : 0)) std::abort();
  const std::uint64_t head = roster.head_seq();
  if (roster.pending().size() > world.realm.roster().pending().size() + 1) std::abort();
  if (!taken) {
    if (roster.head() != world.realm.roster().head()) std::abort();
    return 0;
  }
  // Every member's boxes can be told, and no one holds what cannot be held.
  for (const auto& [member, row] : roster.members()) {
    if (roster.IsMemberAt(member, head) &&
        !protocol::AreValidRoles(roster.compartment(), roster.RolesAt(member, head))) {
      std::abort();
    }
    if (const auto* puk = roster.UsablePukAt(member, head)) {
      if (!protocol::AreValidKems(puk->kems)) std::abort();
    }
  }
  auto statements = world.realm.statements();
  statements.push_back(statement);
  if (protocol::VerifyRoster(statements).roster.head() != roster.head()) std::abort();
  return 0;
}
