#include "protocol/cold_read.h"

namespace godwit::protocol {
namespace {

base::Error Invalid(base::Literal why) { return {base::Code::kEntryInvalid, why}; }

// What one entry of the row must fulfil by itself: form, signature, place, an active author.
base::Result<SignedEntry> ReadOne(base::ByteSpan bytes, const base::VaultId* vault,
                                  const Roster& roster) {
  const auto raw = CheckSigned(bytes, roster);
  if (!raw) return raw.error();
  const EntryHeader& h = raw->header;
  if (h.realm != roster.realm()) return Invalid("an entry of another realm");
  if (h.vault != (vault == nullptr ? VaultIdOf(raw->body) : *vault)) {
    return Invalid("an entry of another vault");
  }
  if (h.roster_head != roster.LinkAt(h.roster_seq)) {
    return base::Error(base::Code::kFork, "an entry cites another roster");
  }
  auto payload = ReadEntryPayload(h.type, raw->payload);
  if (!payload) return payload.error();
  if (roster.FindDevice(h.author_device)->member != h.author_member ||
      !roster.IsActiveAt(h.author_device, h.roster_seq)) {
    return Invalid("an entry by a device that is not the author's, or not active");
  }
  return SignedEntry{h, EntryLink(bytes), *std::move(payload)};
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

  std::uint64_t seq = 0;
  std::uint64_t roster_seq = create->header.roster_seq;
  std::vector<EpochInForce> in_force;
  for (const base::Bytes& bytes : row.epochs) {
    const auto entry = ReadOne(bytes, &cold.vault, roster);
    if (!entry) return entry.error();
    const EntryHeader& h = entry->header;
    const auto* epoch = std::get_if<Epoch>(&entry->payload);
    if (epoch == nullptr) return Invalid("not an EPOCH where one should be");
    if (h.seq <= seq || h.roster_seq < roster_seq) return Invalid("EPOCHs out of order");
    if (h.epoch_link != cold.epoch.link) return Invalid("EPOCHs that do not follow each other");
    const auto status = CheckEpoch(h, *epoch, cold.kind, cold.epoch, first.creator(),
                                   create->header.roster_seq, roster, h.roster_seq);
    if (!status) return status.error();
    if (h.seq == 1 && h.prev != create->link) {
      return base::Error(base::Code::kFork, "an EPOCH follows another CREATE");
    }
    seq = h.seq;
    roster_seq = h.roster_seq;
    cold.epoch = InForce(h, entry->link, *epoch);
    cold.epochs.push_back(*epoch);
    in_force.push_back(cold.epoch);
  }
  if (in_force.empty()) return Invalid("a vault without an epoch");

  const auto pinned = ReadOne(row.pinned, &cold.vault, roster);
  if (!pinned) return pinned.error();
  const auto* rev = std::get_if<Rev>(&pinned->payload);
  if (rev == nullptr || rev->record != first.pinned_record()) {
    return Invalid("not the pinned record where it should be");
  }
  if (rev->epoch < 1 || rev->epoch > in_force.size()) return Invalid("a REV under no epoch");
  const EpochInForce& under = in_force[rev->epoch - 1];
  if (pinned->header.epoch_link != under.link) return Invalid("a REV's link to its epoch is wrong");
  const auto member = under.list.find(pinned->header.author_member);
  if (member == under.list.end() || (member->second.perm & kWrite) == 0) {
    return Invalid("the pinned record by somebody who may not write");
  }
  if (under.by_writer_only && (pinned->header.author_member != under.author || rev->rver != 1)) {
    return Invalid("the pinned record by another than the importer");
  }
  if (!IsFresh(under, cold.kind, roster, pinned->header.roster_seq)) {
    return Invalid("the pinned record under an epoch that was not fresh");
  }

  const auto head = ReadOne(row.head, &cold.vault, roster);
  if (!head) return head.error();
  const bool head_is_epoch = head->link == cold.epoch.link;
  if (!head_is_epoch && head->header.epoch_link != cold.epoch.link) {
    return Invalid("the head's link to the epoch in force is wrong");
  }
  if (head->link != pinned->link && head->header.pin_link != pinned->link) {
    return Invalid("the head's link to the pinned record is wrong");
  }
  if (head->header.seq < seq || head->header.seq < pinned->header.seq) {
    return Invalid("a head that is older than what it follows");
  }
  cold.head_seq = head->header.seq;
  cold.head = head->link;
  cold.pinned_header = pinned->header;
  cold.pinned = *rev;
  return cold;
}

}  // namespace godwit::protocol
