#include "protocol/cold_read.h"

#include <algorithm>

namespace godwit::protocol {
namespace {

base::Error Invalid(base::Literal why) { return {base::Code::kEntryInvalid, why}; }

// What one entry of the row must fulfil by itself: form, signature, place, an active author.
base::Result<SignedEntry> ReadOne(base::ByteSpan bytes, const base::VaultId& vault,
                                  const GuestKeys& guests, const Roster& roster) {
  const auto raw = CheckSigned(bytes, roster, guests);
  if (!raw) return raw.error();
  const EntryHeader& h = raw->header;
  if (h.realm != roster.realm()) return Invalid("an entry of another realm");
  if (h.vault != vault) return Invalid("an entry of another vault");
  if (h.roster_head != roster.LinkAt(h.roster_seq)) {
    return base::Error(base::Code::kFork, "an entry cites another roster");
  }
  auto payload = ReadEntryPayload(h.type, raw->payload);
  if (!payload) return payload.error();
  if (const auto status = CheckAuthorDevice(h, roster, h.roster_seq); !status) {
    return status.error();
  }
  return SignedEntry{h, EntryLink(bytes), *std::move(payload)};
}

// Where an entry of the row stands in its chain.
struct Place {
  EntryHeader header;
  base::Link link;
};
Place PlaceOf(const SignedEntry& entry) { return {entry.header, entry.link}; }

// A head that is neither the last EPOCH nor the pinned REV: written by somebody who may, under the
// EPOCH in force.
base::Status CheckHead(const SignedEntry& head, const ColdVault& cold,
                       const base::RecordId& pinned_record, const Roster& roster) {
  const EntryHeader& h = head.header;
  if (h.epoch_link != cold.epoch.link) {
    return Invalid("the head's link to the epoch in force is wrong");
  }
  if (const auto* rev = std::get_if<Rev>(&head.payload)) {
    if (rev->record == pinned_record) return Invalid("a newer pinned record than the row's");
    return CheckRev(h, *rev, cold.kind, cold.epoch, false, roster, h.roster_seq);
  }
  if (IsByGuest(h)) return Invalid("a guest writes REV alone");
  if (const auto* tomb = std::get_if<Tomb>(&head.payload)) {
    const auto perm = CheckTomb(h, *tomb, cold.kind, cold.epoch, tomb->record == pinned_record,
                                roster, h.roster_seq);
    return perm ? base::Status() : perm.error();
  }
  if (std::holds_alternative<State>(head.payload)) {
    return CheckStateAuthor(h, cold.kind, cold.epoch, roster, h.roster_seq);
  }
  if (const auto* assent = std::get_if<Assent>(&head.payload)) {
    return CheckAssent(h, *assent, cold.kind, cold.epoch, roster, h.roster_seq);
  }
  if (const auto* ask = std::get_if<Ask>(&head.payload)) {
    return CheckAsk(h, *ask, cold.kind, cold.epoch, roster, h.roster_seq);
  }
  return Invalid("a head that the row should hold as an epoch");
}

// The rules on order among the entries of the row: seq, R3, R2 and pin_link between neighbours, and
// pin_link before and after the pinned REV. `head` is the newest of them.
base::Status CheckOrder(std::vector<Place> places, const SignedEntry& head,
                        const SignedEntry& pinned, const Rev& rev) {
  std::ranges::sort(places, {}, [](const Place& place) { return place.header.seq; });
  for (std::size_t i = 0; i < places.size(); ++i) {
    const EntryHeader& h = places[i].header;
    if (h.seq > pinned.header.seq && h.pin_link != pinned.link) {
      return Invalid("a link to the pinned record is wrong");
    }
    if (h.seq < pinned.header.seq && rev.rver == 1 && !h.pin_link.IsZero()) {
      return Invalid("a link to a pinned record that is older than the first");
    }
    if (i == 0) continue;
    const Place& before = places[i - 1];
    if (h.seq == before.header.seq) return Invalid("two entries in one place");
    if (h.seq == before.header.seq + 1) {
      if (h.prev != before.link) {
        return base::Error(base::Code::kFork, "an entry follows another one than the last");
      }
      // Behind the pinned REV, above.
      if (h.seq <= pinned.header.seq && h.pin_link != before.header.pin_link) {
        return Invalid("a link to the pinned record is another than the last entry's");
      }
    }
    if (h.roster_seq < before.header.roster_seq) {
      return Invalid("an entry cites an older roster than the last");
    }
  }
  if (head.link != places.back().link) return Invalid("a head that is older than what it follows");
  return {};
}

}  // namespace

base::Result<ColdVault> ReadCold(const ColdRow& row, const Roster& roster) {
  // CREATE is judged whole: it is the first entry of a chain.
  Vault first;
  const auto create = first.Judge(row.create, roster);
  if (!create) return create.error();
  first.Take(*create);
  ColdVault cold;
  cold.vault = first.id();
  cold.kind = first.kind();

  std::vector<Place> places{PlaceOf(*create)};
  GuestKeys guests;
  std::vector<EpochInForce> in_force;
  std::vector<std::uint64_t> epoch_seqs;
  for (const base::Bytes& bytes : row.epochs) {
    const auto entry = ReadOne(bytes, cold.vault, guests, roster);
    if (!entry) return entry.error();
    const EntryHeader& h = entry->header;
    const auto* epoch = std::get_if<Epoch>(&entry->payload);
    if (IsByGuest(h)) return Invalid("a guest writes REV alone");
    if (epoch == nullptr) return Invalid("not an EPOCH where one should be");
    if (h.seq <= places.back().header.seq) return Invalid("EPOCHs out of order");
    if (h.epoch_link != cold.epoch.link) return Invalid("EPOCHs that do not follow each other");
    // No STATE is at hand: what one would allow, the whole chain must show.
    const EpochPlace place{cold.kind, first.creator(), create->header.roster_seq, cold.epoch, {}};
    const auto status = CheckEpoch(h, *epoch, place, roster, h.roster_seq);
    if (!status) return status.error();
    for (const auto& [guest, listed] : epoch->guests) guests[guest] = listed.device;
    cold.epoch = InForce(h, entry->link, *epoch);
    cold.epochs.push_back(*epoch);
    cold.suite = std::max(cold.suite, h.suite);
    in_force.push_back(cold.epoch);
    epoch_seqs.push_back(h.seq);
    places.push_back(PlaceOf(*entry));
  }

  const auto pinned = ReadOne(row.pinned, cold.vault, guests, roster);
  if (!pinned) return pinned.error();
  const EntryHeader& pinned_header = pinned->header;
  const auto* rev = std::get_if<Rev>(&pinned->payload);
  if (rev == nullptr || rev->record != first.pinned_record()) {
    return Invalid("not the pinned record where it should be");
  }
  // The EPOCH in force where it stands, not one that it names: who was listed once and no longer is
  // may not write on behind the row.
  const auto after = std::ranges::upper_bound(epoch_seqs, pinned_header.seq);
  if (after == epoch_seqs.begin()) return Invalid("a REV before any epoch");
  const EpochInForce& under = in_force[static_cast<std::size_t>(after - epoch_seqs.begin()) - 1];
  if (pinned_header.epoch_link != under.link) return Invalid("a REV's link to its epoch is wrong");
  if (const auto status =
          CheckRev(pinned_header, *rev, cold.kind, under, true, roster, pinned_header.roster_seq);
      !status) {
    return status.error();
  }
  // R6 as far as it shows: the pinned record is never gone, so that what went before it is both.
  if (rev->rver == 0 || (rev->rver == 1) != rev->rprev.IsZero() ||
      pinned_header.pin_link != rev->rprev) {
    return Invalid("a REV does not follow its record's last");
  }
  places.push_back(PlaceOf(*pinned));

  const auto head = ReadOne(row.head, cold.vault, guests, roster);
  if (!head) return head.error();
  if (head->link != cold.epoch.link && head->link != pinned->link) {
    if (const auto status = CheckHead(*head, cold, first.pinned_record(), roster); !status) {
      return status.error();
    }
    places.push_back(PlaceOf(*head));
  }
  if (const auto status = CheckOrder(std::move(places), *head, *pinned, *rev); !status) {
    return status.error();
  }
  cold.head_seq = head->header.seq;
  cold.head = head->link;
  cold.pinned_header = pinned_header;
  cold.pinned = *rev;
  return cold;
}

}  // namespace godwit::protocol
