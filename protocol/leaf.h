#pragma once

#include <array>
#include <cstdint>

#include "base/id.h"

namespace godwit::protocol {

// A leaf of the realm's log (docs/protocol.md section 7):
//
//   leaf = "gw1/leaf"|u8 type|chain_tag[32]|u64 seq|link[32]        81 bytes
enum class LeafType : std::uint8_t { kRoster = 1, kVault = 2, kAccess = 3, kEvent = 4, kHeads = 5 };
using ChainTag = base::FixedBytes<struct ChainTagTag, 32>;
inline constexpr std::size_t kLeafSize = 81;

// H("chain", realm | zero id) for the roster, H("chain", realm | vault) for a vault.
ChainTag RosterTag(const base::RealmId& realm);
ChainTag VaultTag(const base::RealmId& realm, const base::VaultId& vault);

std::array<std::uint8_t, kLeafSize> LeafBytes(LeafType type, const ChainTag& tag, std::uint64_t seq,
                                              const base::Link& link);

}  // namespace godwit::protocol
