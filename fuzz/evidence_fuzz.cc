// Files of evidence: any bytes, and files over chains of the world with exhibits that the fuzzer
// chose. Nobody in the world signed what the verdict refuses, so nothing is ever proved.
//
//   input = u8 shape | bytes of a file, or u8 claim | u8 form | u8 statements | u8 entries |
//   exhibits
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "fuzz/world.h"
#include "protocol/ce.h"
#include "protocol/evidence.h"
#include "tests/support/builders.h"

using namespace godwit;

namespace {

struct World {
  support::TestRealm realm{protocol::Compartment::kCases};
  support::Person& coordinator = realm.Add(protocol::kCoordinator);
  support::Person& caseworker = realm.Add(protocol::kCaseworker);
  support::TestVault vault{
      realm, protocol::Kind::kCase, coordinator, {{&coordinator, 7}, {&caseworker, 3}}};

  World() {
    vault.WritePinned(coordinator, "summary");
    vault.Refresh(caseworker);
    vault.WritePinned(caseworker, "summary 2");
  }
};

std::vector<base::Bytes> Some(const std::vector<base::Bytes>& all, std::uint8_t count) {
  const auto size = static_cast<std::ptrdiff_t>(std::min<std::size_t>(count, all.size()));
  return {all.begin(), all.begin() + size};
}

base::Bytes Chosen(const World& world, protocol::Reader& r) {
  protocol::Evidence evidence;
  evidence.claim = protocol::Claim{static_cast<std::uint8_t>(1 + r.U8() % 17)};
  evidence.form = protocol::Evidence::Form{static_cast<std::uint8_t>(r.U8() % 3)};
  evidence.fingerprint = world.realm.roster().fingerprint();
  evidence.vault = world.vault.vault().id();
  evidence.statements = Some(world.realm.statements(), r.U8());
  evidence.entries =
      Some(evidence.form == protocol::Evidence::Form::kRow ? protocol::EntriesOf(world.vault.Row())
                                                           : world.vault.entries(),
           r.U8());
  for (int i = 0; i < 4 && r.ok() && !r.rest().empty(); ++i) {
    const std::uint8_t source = r.U8();
    const auto& own = source % 3 == 0 ? world.realm.statements() : world.vault.entries();
    evidence.exhibits.push_back(source % 3 == 2 ? base::ToBytes(r.Var16())
                                                : own[r.U8() % own.size()]);
  }
  return protocol::WriteEvidence(evidence);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto& world = fuzz::TheOnly<World>();
  protocol::Reader r(base::ByteSpan(bytes, size));
  const bool is_file = r.U8() % 2 == 0;
  const base::Bytes file = is_file ? base::ToBytes(r.rest()) : Chosen(world, r);
  const auto evidence = protocol::ReadEvidence(file);
  if (!evidence) return 0;
  if (protocol::WriteEvidence(*evidence) != file) std::abort();
  const auto judged = protocol::JudgeEvidence(*evidence);
  // A realm of the fuzzer's own needs a signature that it cannot make.
  if (judged && judged->proved) std::abort();
  return 0;
}
