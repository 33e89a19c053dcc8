#include "client/evidence.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "crypto/hash.h"

namespace godwit::client {
namespace {

constexpr std::size_t kNameBytes = 8;

// Puts the first `count` of `kept`, or as many as there are, before `piece`.
void Prepend(std::vector<base::Bytes> kept, std::uint64_t count, std::vector<base::Bytes>& piece) {
  kept.resize(std::min<std::uint64_t>(count, kept.size()));
  std::ranges::move(piece, std::back_inserter(kept));
  piece = std::move(kept);
}

}  // namespace

base::Result<protocol::Evidence> EvidenceOf(const Store& store, const EvidenceItem& kept) {
  protocol::Evidence whole = kept.piece;
  if (kept.statements_before > 0) {
    auto roster = store.Roster();
    if (!roster) return roster.error();
    Prepend(*std::move(roster), kept.statements_before, whole.statements);
  }
  if (kept.entries_before > 0) {
    auto vault = store.Load(whole.vault);
    if (!vault) return vault.error();
    if (*vault) Prepend(std::move((*vault)->entries), kept.entries_before, whole.entries);
  }
  return whole;
}

std::string EvidenceName(base::ByteSpan file) {
  return base::ToHex(base::ByteSpan(crypto::Sha256(file)).first(kNameBytes));
}

}  // namespace godwit::client
