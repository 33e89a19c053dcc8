// Statements, well signed by members of a realm, with payloads that the fuzzer wrote: a refused one
// changes nothing, and what is taken leaves a roster that its own bytes rebuild.
//
//   input = u8 author | u8 type and header | payload;  a type of 16 and more changes a valid
//   payload
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "fuzz/world.h"
#include "tests/support/builders.h"

using namespace godwit;

namespace {

struct World {
  support::TestRealm realm{protocol::Compartment::kCases,
                           {{protocol::kOwner, 2}, {protocol::kOwner, 1}, {protocol::kAdmin, 1}}};
  support::Person& caseworker = realm.Add(protocol::kCaseworker);
  support::Person& stranger = realm.Stranger();
  std::vector<base::Bytes> payloads;

  World() {
    protocol::Policy policy = realm.roster().policy();
    ++policy.gen;
    payloads = {
        protocol::WriteStatementPayload(realm.AddOf(stranger, protocol::kCoordinator)),
        protocol::WriteStatementPayload(
            protocol::DeviceRevoke{caseworker.id, caseworker.device().id(), 1}),
        protocol::WriteStatementPayload(realm.RotationOf(caseworker).payload),
        protocol::WriteStatementPayload(protocol::MemberRemove{caseworker.id, 1}),
        protocol::WriteStatementPayload(protocol::PolicySet{policy}),
    };
  }
};
constexpr std::uint8_t kTypes[] = {1, 3, 4, 5, 7};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 3) return 0;
  const auto& world = fuzz::TheOnly<World>();
  const std::size_t who = bytes[0] % 5;
  const bool by_root = who == 4;
  protocol::StatementHeader header =
      by_root ? world.realm.NextByRoot() : world.realm.Next(world.realm.person(who));
  base::Bytes payload;
  if (bytes[1] < 16) {
    header.type = bytes[1];
    payload.assign(bytes + 2, bytes + size);
  } else {
    // A valid payload, and what follows lies over it.
    const std::size_t which = bytes[1] % 5;
    header.type = kTypes[which];
    payload = world.payloads[which];
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
