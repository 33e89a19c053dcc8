// Rows for cold reading, put together from entries of two vaults, entries signed anew with headers
// and payloads that the fuzzer changed, and any bytes. A row that is read has the pinned record of
// its vault, by somebody whom its epoch lets write.
//
//   input = parts: u8 slot | u8 source | ...
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "fuzz/world.h"
#include "protocol/ce.h"
#include "protocol/cold_read.h"
#include "tests/support/builders.h"

using namespace godwit;

namespace {

struct World {
  support::TestRealm realm{protocol::Compartment::kCases};
  support::Person& coordinator = realm.Add(protocol::kCoordinator);
  support::Person& second = realm.Add(protocol::kCoordinator);
  support::Person& caseworker = realm.Add(protocol::kCaseworker);
  support::Person& outsider = realm.Add(protocol::kCoordinator);
  support::TestVault vault{realm,
                           protocol::Kind::kCase,
                           coordinator,
                           {{&coordinator, 7}, {&second, 7}, {&caseworker, 3}}};
  support::TestVault other{realm, protocol::Kind::kCase, outsider, {{&outsider, 7}}};
  std::vector<base::Bytes> entries;

  World() {
    vault.WritePinned(coordinator, "summary");
    vault.Write(caseworker, vault.NewRecord(), "note");
    vault.Refresh(caseworker);
    vault.WritePinned(caseworker, "summary 2");
    vault.Write(caseworker, vault.NewRecord(), "note");
    other.WritePinned(outsider, "other");
    entries = vault.entries();
    entries.insert(entries.end(), other.entries().begin(), other.entries().end());
  }
};

// An entry of the world, signed anew by `author` with some bytes of its body changed.
base::Bytes Changed(const World& world, protocol::Reader& r) {
  const base::Bytes& entry = world.entries[r.U8() % world.entries.size()];
  const support::Person& author = world.realm.person(r.U8() % 5);
  const auto raw = support::Must(protocol::ReadEntry(entry));
  protocol::EntryHeader header = raw.header;
  base::Bytes payload = base::ToBytes(raw.payload);
  const std::uint8_t change = r.U8();
  if ((change & 1) != 0) {
    header.author_member = author.id;
    header.author_device = author.device().id();
  }
  if ((change & 2) != 0) header.seq = r.U8() % 16;
  if ((change & 4) != 0)
    header.prev = protocol::EntryLink(world.entries[r.U8() % world.entries.size()]);
  if ((change & 8) != 0) {
    header.epoch_link = protocol::EntryLink(world.entries[r.U8() % world.entries.size()]);
  }
  if ((change & 16) != 0) {
    header.pin_link = protocol::EntryLink(world.entries[r.U8() % world.entries.size()]);
  }
  if ((change & 32) != 0) {
    header.roster_seq = r.U8() % world.realm.roster().size();
    header.roster_head = world.realm.roster().LinkAt(header.roster_seq);
  }
  if ((change & 64) != 0) {
    const std::size_t at = r.U8() % payload.size();
    payload[at] = r.U8();
  }
  if ((change & 128) != 0) header.type = r.U8() % 9;
  return support::SignRaw(header, payload, author.device().signing_key());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto& world = fuzz::TheOnly<World>();
  protocol::ColdRow row = world.vault.Row();
  protocol::Reader r(base::ByteSpan(bytes, size));
  for (int part = 0; part < 8 && r.ok() && !r.rest().empty(); ++part) {
    const std::uint8_t slot = r.U8();
    base::Bytes entry;
    switch (r.U8() % 3) {
      case 0:
        entry = world.entries[r.U8() % world.entries.size()];
        break;
      case 1:
        entry = Changed(world, r);
        break;
      default:
        entry = base::ToBytes(r.Var16());
        break;
    }
    switch (slot % 6) {
      case 0:
        row.create = entry;
        break;
      case 1:
        row.epochs.push_back(entry);
        break;
      case 2:
        if (!row.epochs.empty()) row.epochs.pop_back();
        break;
      case 3:
        row.pinned = entry;
        break;
      case 4:
        row.head = entry;
        break;
      default:
        row.pinned = row.head = entry;
        break;
    }
  }
  const auto cold = protocol::ReadCold(row, world.realm.roster());
  if (!cold) return 0;
  if (cold->pinned.record != protocol::PinnedRecordOf(cold->vault)) std::abort();
  if (cold->epochs.size() != cold->epoch.number) std::abort();
  if (cold->head_seq < cold->pinned_header.seq) std::abort();
  const auto& epoch = cold->epochs[cold->pinned.epoch - 1];
  const auto author = epoch.list.find(cold->pinned_header.author_member);
  if (author == epoch.list.end() || (author->second.perm & protocol::kWrite) == 0) std::abort();
  return 0;
}
