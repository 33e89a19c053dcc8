// Entries, well signed by members of a realm, with payloads that the fuzzer wrote: a refused one
// changes nothing, one that is taken keeps the guards and is what Replay takes too.
//
//   input = u8 author | u8 type | payload;  a type of 16 and more changes a valid payload
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "fuzz/world.h"
#include "tests/support/builders.h"

using namespace godwit;

namespace {

struct World {
  support::TestRealm realm{protocol::Compartment::kCases};
  support::Person& coordinator = realm.Add(protocol::kCoordinator);
  support::Person& second = realm.Add(protocol::kCoordinator);
  support::Person& caseworker = realm.Add(protocol::kCaseworker);
  support::Person& outsider = realm.Add(protocol::kCaseworker);
  support::TestVault vault{realm,
                           protocol::Kind::kCase,
                           coordinator,
                           {{&coordinator, 7}, {&second, 7}, {&caseworker, 3}}};
  std::vector<base::Bytes> payloads;

  World() {
    const auto note = vault.NewRecord();
    vault.WritePinned(coordinator, "summary");
    vault.Write(caseworker, note, "note");
    payloads = {
        protocol::WriteEntryPayload(vault.RekeyingOf(vault.vault().epoch().list).epoch.payload),
        protocol::WriteEntryPayload(vault.Revision(caseworker, note, "more").rev),
        protocol::WriteEntryPayload(vault.TombOf(note)),
        protocol::WriteEntryPayload(protocol::State{1, 0, 0}),
        protocol::WriteEntryPayload(protocol::Assent{vault.vault().head(), 1}),
        protocol::WriteEntryPayload(protocol::Ask{protocol::Ask::kToRead, 1, 1, {note}}),
    };
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size < 4) return 0;
  const auto& world = fuzz::TheOnly<World>();
  const support::Person& author = world.realm.person(bytes[0] % 5);
  protocol::EntryHeader header = world.vault.Next(author);
  base::Bytes payload;
  if (bytes[1] < 16) {
    header.type = bytes[1];
    payload.assign(bytes + 2, bytes + size);
  } else {
    const std::size_t which = bytes[1] % world.payloads.size();
    header.type = static_cast<std::uint8_t>(2 + which);
    payload = world.payloads[which];
    const std::size_t at = (bytes[2] | bytes[3] << 8) % payload.size();
    const std::size_t count = std::min(size - 4, payload.size() - at);
    std::copy_n(bytes + 4, count, payload.begin() + static_cast<std::ptrdiff_t>(at));
  }
  const base::Bytes entry = support::SignRaw(header, payload, author.device().signing_key());

  const protocol::Vault& before = world.vault.vault();
  const protocol::Roster& roster = world.realm.roster();
  protocol::Vault vault = before;
  if (!vault.Append(entry, roster)) {
    if (vault.head() != before.head() || vault.size() != before.size()) std::abort();
    return 0;
  }
  if (author.id == world.outsider.id || author.id == world.realm.person(0).id) std::abort();
  // No coordinator loses a bit by another's entry, and the list is one that the roster bears out.
  for (const auto* guard : {&world.coordinator, &world.second}) {
    if (author.id != guard->id &&
        vault.PermAt(guard->id, roster, roster.head_seq()) != protocol::kFull) {
      std::abort();
    }
  }
  if (!protocol::IsFresh(vault.epoch(), vault.kind(), roster, roster.head_seq())) std::abort();
  protocol::Vault replayed = before;
  if (!replayed.Replay(entry) || replayed.head() != vault.head() ||
      replayed.epoch().link != vault.epoch().link || replayed.pin_link() != vault.pin_link()) {
    std::abort();
  }
  return 0;
}
