#include "protocol/leaf.h"

#include <algorithm>

#include "crypto/hash.h"
#include "protocol/ce.h"
#include "protocol/labels.h"

namespace godwit::protocol {

ChainTag RosterTag(const base::RealmId& realm) { return VaultTag(realm, {}); }

ChainTag VaultTag(const base::RealmId& realm, const base::VaultId& vault) {
  return ChainTag(crypto::LabeledHash(labels::kChain, {realm.bytes(), vault.bytes()}));
}

std::array<std::uint8_t, kLeafSize> LeafBytes(LeafType type, const ChainTag& tag, std::uint64_t seq,
                                              const base::Link& link) {
  Writer w;
  w.Raw("gw1/leaf").U8(static_cast<std::uint8_t>(type)).Fixed(tag).U64(seq).Fixed(link);
  std::array<std::uint8_t, kLeafSize> leaf{};
  std::ranges::copy(w.bytes(), leaf.begin());
  return leaf;
}

}  // namespace godwit::protocol
