#include "services/realm/roster_cache.h"

#include <utility>

namespace godwit::realm {
namespace {

constexpr std::size_t kPage = 256;

base::Error Broken() {
  return {base::Code::kInternal, "the stored roster does not verify: restore the database"};
}

bool Reaches(const protocol::Roster* roster, const storage::ChainHead& head) {
  return roster != nullptr && roster->size() > head.seq && roster->LinkAt(head.seq) == head.link;
}

}  // namespace

RosterPtr RosterCache::Known() const {
  const std::lock_guard lock(mutex_);
  return known_;
}

base::Result<RosterPtr> RosterCache::Newest() {
  const auto row = store_.LoadRealm();
  if (!row) return row.error();
  if (!*row) {
    return base::Error(base::Code::kNotFound, "this service has no realm yet: make one first");
  }
  if ((*row)->compartment != static_cast<std::uint8_t>(compartment_)) {
    return base::Error(base::Code::kInvalidArgument,
                       "the database holds the realm of another compartment: see setting database");
  }
  return ReadOn((*row)->realm, (*row)->roster);
}

base::Result<RosterPtr> RosterCache::AtLeast(const storage::ChainHead& head) {
  auto known = Known();
  if (Reaches(known.get(), head)) return known;
  if (known == nullptr) return Newest();
  return ReadOn(known->realm(), head);
}

base::Result<RosterPtr> RosterCache::ReadOn(const base::RealmId& realm,
                                            const storage::ChainHead& head) {
  const std::lock_guard reading(reading_);
  auto known = Known();
  if (Reaches(known.get(), head)) return known;
  auto grown = known == nullptr ? std::make_shared<protocol::Roster>()
                                : std::make_shared<protocol::Roster>(*known);
  while (grown->size() <= head.seq) {
    const auto page = store_.Read(realm, grown->size(), kPage);
    if (!page) return page.error();
    if (page->empty()) return Broken();
    for (const auto& statement : *page) {
      if (!grown->Append(statement.bytes)) return Broken();
    }
  }
  if (!Reaches(grown.get(), head) || grown->realm() != realm ||
      grown->compartment() != compartment_) {
    return Broken();
  }
  const std::lock_guard lock(mutex_);
  known_ = std::move(grown);
  return known_;
}

}  // namespace godwit::realm
