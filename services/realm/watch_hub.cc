#include "services/realm/watch_hub.h"

#include <algorithm>
#include <utility>

#include "protocol/kinds.h"

namespace godwit::realm {
namespace {

base::Error Stopping() { return {base::Code::kUnavailable, "the service stops: try again"}; }

}  // namespace

base::Result<std::unique_ptr<WatchHub::Watcher>> WatchHub::Open(const server::Caller& caller,
                                                                std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return Stopping();
  const auto own = std::ranges::count_if(
      places_, [&](const auto& place) { return place.second.caller.member == caller.member; });
  if (places_.size() >= limits_.streams || static_cast<std::size_t>(own) >= limits_.per_member) {
    return base::Error(base::Code::kResourceExhausted,
                       "too many watch already: end another one of yours, or try again later");
  }
  Place place;
  place.caller = caller;
  place.wake = std::move(wake);
  place.began = place.told = clock_.Steady();
  places_.emplace(++last_number_, std::move(place));
  return std::unique_ptr<Watcher>(new Watcher(*this, last_number_));
}

std::size_t WatchHub::watchers() const {
  const std::lock_guard lock(mutex_);
  return places_.size();
}

std::optional<WatchHub::Round> WatchHub::Begin() const {
  const std::lock_guard lock(mutex_);
  if (places_.empty()) return std::nullopt;
  Round round;
  round.since = since_;
  for (const auto& [number, place] : places_) {
    round.watchers.insert(number);
    round.members.insert(place.caller.member);
    round.sessions.insert(storage::TokenHash(place.caller.session.bytes()));
  }
  return round;
}

void WatchHub::Add(const Found& found, const std::vector<const storage::ChangedVault*>& rows,
                   Place& place) {
  const protocol::Roster& roster = *found.roster;
  const auto roles = roster.RolesAt(place.caller.member, roster.head_seq());
  if (found.changes.more) place.pending.more = true;
  for (const storage::ChangedVault* row : rows) {
    if (protocol::Lowered(protocol::Kind{row->kind}, roles, row->perm) == 0) continue;
    if (place.pending.vaults.size() >= limits_.pending &&
        !place.pending.vaults.contains(row->vault)) {
      place.pending.more = true;
      continue;
    }
    place.pending.vaults[row->vault] = row->head_seq;
  }
  if (place.roster_seq && *place.roster_seq < roster.head_seq()) {
    place.pending.roster_seq = roster.head_seq();
  }
  // The first thing that a caller hears is that it is listened for.
  const bool first = !place.roster_seq;
  place.roster_seq = roster.head_seq();
  const auto now = clock_.Steady();
  if (first || !place.pending.empty() || now - place.told >= limits_.beat) place.speaks = true;
  if (now - place.began >= limits_.life) place.over = true;
}

void WatchHub::Tell(const Round& round, const Found& found) {
  std::vector<std::function<void()>> wakes;
  {
    const std::lock_guard lock(mutex_);
    std::map<base::MemberId, std::vector<const storage::ChangedVault*>> rows;
    std::map<base::VaultId, std::uint64_t> told;
    for (const storage::ChangedVault& row : found.changes.rows) {
      told[row.vault] = row.head_seq;
      const auto before = told_.find(row.vault);
      if (before != told_.end() && before->second == row.head_seq) continue;
      rows[row.member].push_back(&row);
    }
    if (places_.empty()) return;
    told_ = std::move(told);
    since_ = found.changes.cursor;
    for (auto& [number, place] : places_) {
      if (!round.watchers.contains(number)) continue;
      const storage::TokenHash session(place.caller.session.bytes());
      if (!found.sessions.contains(session) ||
          !found.roster->IsActiveAt(place.caller.device, found.roster->head_seq())) {
        place.refused =
            base::Error(base::Code::kUnauthenticated, "this device has no live session: open one");
      } else {
        Add(found, rows[place.caller.member], place);
      }
      if (place.refused || place.over || place.speaks) wakes.push_back(place.wake);
    }
  }
  for (const auto& wake : wakes) wake();
}

void WatchHub::Stop() {
  std::vector<std::function<void()>> wakes;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    for (auto& [number, place] : places_) {
      place.refused = Stopping();
      wakes.push_back(place.wake);
    }
  }
  for (const auto& wake : wakes) wake();
}

base::Result<std::optional<WatchHub::Hints>> WatchHub::Take(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  Place& place = places_.at(number);
  if (place.refused) return *place.refused;
  if (!place.speaks) return std::optional<Hints>();
  place.speaks = false;
  place.told = clock_.Steady();
  return std::optional(std::exchange(place.pending, {}));
}

bool WatchHub::IsOver(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  return places_.at(number).over;
}

void WatchHub::Forget(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  places_.erase(number);
  if (!places_.empty()) return;
  since_.reset();
  told_.clear();
}

}  // namespace godwit::realm
