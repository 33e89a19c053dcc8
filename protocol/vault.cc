#include "protocol/vault.h"

#include <algorithm>

#include "crypto/padding.h"
#include "crypto/sign.h"
#include "protocol/labels.h"

namespace godwit::protocol {
namespace {

base::Error Invalid(base::Literal why) { return {base::Code::kEntryInvalid, why}; }
base::Error NotFresh() {
  return {base::Code::kEntryInvalid, "the epoch in force is not fresh: a rekey is due"};
}

Perm PermOf(const MemberList& list, const base::MemberId& member) {
  const auto row = list.find(member);
  return row == list.end() ? Perm{0} : row->second.perm;
}

MemberList WithoutWriterOnly(MemberList list) {
  std::erase_if(list, [](const auto& row) { return row.second.perm == kWrite; });
  return list;
}

// Read and manage: who may TOMB the record of somebody else.
bool MayTombOthers(Perm perm) { return (perm & kRead) != 0 && (perm & kManage) != 0; }

// Kinds whose epoch 1 a server takes only with a guard who can open it (section 8, admission).
bool NeedsGuard(Kind kind) {
  return kind == Kind::kCase || (kind >= Kind::kScreening && kind <= Kind::kLeg);
}

// A record's ciphertext has the length of a padded text and a tag.
bool IsRecordSize(std::uint32_t ct_len, std::size_t floor) {
  constexpr std::size_t kTag = 16;
  if (ct_len < kTag) return false;
  const std::size_t padded = ct_len - kTag;
  return padded <= kMaxRecordPlaintext && crypto::PaddedSize(padded, floor) == padded;
}

bool IsGuard(const base::MemberId& member, Perm perm, Kind kind, const Roster& roster,
             std::uint64_t r) {
  return (perm & kManage) != 0 && (roster.RolesAt(member, r) & GuardRoles(kind)) != 0;
}

bool HasGuard(const Epoch& epoch, Kind kind, const Roster& roster, std::uint64_t r) {
  return std::ranges::any_of(epoch.list, [&](const auto& row) {
    return row.second.puk_gen != 0 && IsGuard(row.first, row.second.perm, kind, roster, r);
  });
}

// What REV and TOMB share: an epoch in force that is fresh, and an author who is a member of it and
// not suspended. Gives the author's perm.
base::Result<Perm> CheckAuthor(const EntryHeader& h, Kind kind, const EpochInForce& epoch,
                               const Roster& roster, std::uint64_t r) {
  if (epoch.number == 0) return Invalid("no epoch is in force");
  const MemberList want = Want(epoch.list, kind, roster, r);
  const Perm perm = PermOf(want, h.author_member);
  if (perm == 0) return Invalid("the author is not a member of the vault");
  if (perm != kWrite && want.at(h.author_member).puk_gen == 0) {
    return Invalid("the author is suspended");
  }
  // R8
  if (want != epoch.list || epoch.rec_gen != roster.RecAt(r)) return NotFresh();
  return perm;
}

}  // namespace

MemberList ListOf(const Epoch& epoch) {
  MemberList list;
  for (const auto& [member, row] : epoch.list) list[member] = {row.perm, row.puk_gen};
  return list;
}

MemberList Want(const MemberList& list, Kind kind, const Roster& roster, std::uint64_t r) {
  MemberList want;
  for (const auto& [member, row] : list) {
    const Perm perm = Lowered(kind, roster.RolesAt(member, r), row.perm);
    if (perm == 0) continue;
    const Roster::PukGen* puk = perm == kWrite ? nullptr : roster.UsablePukAt(member, r);
    want[member] = {perm, puk == nullptr ? 0 : puk->gen};
  }
  return want;
}

bool IsFresh(const EpochInForce& epoch, Kind kind, const Roster& roster, std::uint64_t r) {
  return epoch.rec_gen == roster.RecAt(r) && Want(epoch.list, kind, roster, r) == epoch.list;
}

EpochInForce InForce(const EntryHeader& header, const base::Link& link, const Epoch& epoch) {
  EpochInForce force;
  force.number = epoch.epoch;
  force.link = link;
  force.author = header.author_member;
  force.list = ListOf(epoch);
  force.rec_gen = epoch.rec_gen;
  force.by_writer_only = PermOf(force.list, header.author_member) == kWrite;
  return force;
}

base::Result<RawEntry> CheckSigned(base::ByteSpan bytes, const Roster& roster) {
  auto raw = ReadEntry(bytes);
  if (!raw) return raw.error();
  const EntryHeader& h = raw->header;
  if (h.roster_seq >= roster.size()) {
    return base::Error(base::Code::kStaleRoster, "an entry cites a statement not known here");
  }
  if (!roster.IsListedAt(h.author_device, h.roster_seq) ||
      !crypto::Verify(roster.FindDevice(h.author_device)->keys.sign_pk, labels::kVault, raw->body,
                      raw->signature)) {
    return base::Error(base::Code::kSig, "an entry's signature is wrong");
  }
  if (h.suite < roster.PolicyAt(h.roster_seq).min_suite) {
    return base::Error(base::Code::kDowngrade, "an entry's suite is below the policy's");
  }
  if (!IsKnownSuite(h.suite)) {
    return base::Error(base::Code::kUnsupported,
                       "an entry of a suite that this Godwit does not know: update it");
  }
  if (h.type < 1 || h.type > kLastEntryType) {
    return base::Error(base::Code::kUnsupported,
                       "an entry of a type that this Godwit does not know: update it");
  }
  if (raw->body.size() > kMaxEntryBody) return Invalid("an entry is too long");
  return raw;
}

base::Result<SignedEntry> Vault::Judge(base::ByteSpan bytes, const Roster& roster) const {
  const auto raw = CheckSigned(bytes, roster);
  if (!raw) return raw.error();
  const EntryHeader& h = raw->header;
  // R2, R1
  if (h.prev != head_) {
    return base::Error(base::Code::kFork, "an entry follows another one than the last");
  }
  if (h.seq != size_) return Invalid("an entry's seq is not the next");
  if (h.realm != roster.realm()) return Invalid("an entry of another realm");
  if (h.vault != (empty() ? VaultIdOf(raw->body) : id_))
    return Invalid("an entry of another vault");
  // R3
  if (h.roster_seq < roster_seq_) return Invalid("an entry cites an older roster than the last");
  if (h.roster_head != roster.LinkAt(h.roster_seq)) {
    return base::Error(base::Code::kFork, "an entry cites another roster");
  }
  // R10
  if (h.epoch_link != epoch_.link || h.pin_link != pin_link_) {
    return Invalid("an entry's links to epoch and pinned record are wrong");
  }
  auto payload = ReadEntryPayload(h.type, raw->payload);
  if (!payload) return payload.error();
  SignedEntry entry{h, EntryLink(bytes), *std::move(payload)};
  if (const auto status = CheckRules(entry, roster, h.roster_seq); !status) return status.error();
  return entry;
}

base::Status Vault::Admit(const SignedEntry& entry, const Roster& roster) const {
  const std::uint64_t head = roster.head_seq();
  const bool writes =
      std::holds_alternative<Rev>(entry.payload) || std::holds_alternative<Tomb>(entry.payload);
  if (const auto* rev = std::get_if<Rev>(&entry.payload); rev && !rev->attachments.empty()) {
    return base::Error(base::Code::kUnsupported, "attachments are not known to this Godwit");
  }
  if (CheckRules(entry, roster, head)) {
    const auto* epoch = std::get_if<Epoch>(&entry.payload);
    if (epoch != nullptr && epoch->epoch == 1 && NeedsGuard(kind_) &&
        !HasGuard(*epoch, kind_, roster, head)) {
      return base::Error(base::Code::kInvalidArgument,
                         "a vault of this kind begins with a guard who can open it: list one");
    }
    return {};
  }
  if (writes && !IsFresh(epoch_, kind_, roster, head)) {
    return base::Error(base::Code::kRekeyRequired,
                       "the vault's members have changed: sync and write a new epoch first");
  }
  return base::Error(base::Code::kStaleRoster, "the roster has moved on: sync and sign again");
}

base::Status Vault::Append(base::ByteSpan bytes, const Roster& roster) {
  const auto entry = Judge(bytes, roster);
  if (!entry) return entry.error();
  Take(*entry);
  return {};
}

base::Status Vault::Replay(base::ByteSpan bytes) {
  const auto raw = ReadEntry(bytes);
  if (!raw) return base::Error(base::Code::kInternal, "a stored entry cannot be read");
  auto payload = ReadEntryPayload(raw->header.type, raw->payload);
  if (!payload) return base::Error(base::Code::kInternal, "a stored entry cannot be read");
  Take({raw->header, EntryLink(bytes), *std::move(payload)});
  return {};
}

const Vault::Record* Vault::FindRecord(const base::RecordId& record) const {
  const auto found = records_.find(record);
  return found == records_.end() ? nullptr : &found->second;
}

Perm Vault::PermAt(const base::MemberId& member, const Roster& roster, std::uint64_t r) const {
  return PermOf(Want(epoch_.list, kind_, roster, r), member);
}

base::Status Vault::CheckRules(const SignedEntry& entry, const Roster& roster,
                               std::uint64_t r) const {
  // R4, the half that is the same for all types.
  const EntryHeader& h = entry.header;
  if (roster.FindDevice(h.author_device)->member != h.author_member ||
      !roster.IsActiveAt(h.author_device, r)) {
    return Invalid("an entry by a device that is not the author's, or not active");
  }
  if (!std::holds_alternative<Create>(entry.payload) && empty()) {
    return Invalid("a vault begins with CREATE");
  }
  return std::visit([&](const auto& p) { return Check(h, p, roster, r); }, entry.payload);
}

base::Status Vault::Check(const EntryHeader& h, const Create& create, const Roster& roster,
                          std::uint64_t r) const {
  if (!empty()) return Invalid("a second CREATE");
  if (!IsKnownKind(create.kind)) {
    return base::Error(base::Code::kUnsupported,
                       "a vault of a kind that this Godwit does not know: update it");
  }
  const auto kind = Kind{create.kind};
  if (!HasKind(roster.compartment(), kind)) return Invalid("this realm has no vaults of that kind");
  if (!MayCreate(kind, roster.RolesAt(h.author_member, r))) {
    return Invalid("CREATE by a role that may not");
  }
  return {};
}

base::Status Vault::Check(const EntryHeader& h, const Epoch& epoch, const Roster& roster,
                          std::uint64_t r) const {
  return CheckEpoch(h, epoch, kind_, epoch_, creator_, create_roster_seq_, roster, r);
}

base::Status CheckEpoch(const EntryHeader& h, const Epoch& epoch, Kind kind,
                        const EpochInForce& previous, const base::MemberId& create_author,
                        std::uint64_t create_roster_seq, const Roster& roster, std::uint64_t r) {
  if (epoch.list.size() > kMaxEpochList) return Invalid("an EPOCH lists too many members");
  if (epoch.wraps.size() > kMaxWraps) return Invalid("an EPOCH has too many wraps");
  if (epoch.epoch != previous.number + 1) return Invalid("an epoch's number is not the next");
  if (epoch.wraps.size() > 0 &&
      (epoch.wraps.begin()->first == 0 || epoch.wraps.rbegin()->first >= epoch.epoch)) {
    return Invalid("an EPOCH wraps a key that is not older");
  }
  if (!epoch.guests.empty()) {
    if (!HasGuests(kind)) return Invalid("a vault of this kind has no guests");
    return base::Error(base::Code::kUnsupported, "guests are not known to this Godwit: update it");
  }
  const MemberList list = ListOf(epoch);
  for (const auto& [member, row] : epoch.list) {
    if (!IsValidPerm(row.perm)) return Invalid("an unknown permission");
    if (row.puk_gen == 0 && !row.box_hash.IsZero()) return Invalid("a box for no key");
    if (row.perm == kWrite && (epoch.epoch != 1 || member != h.author_member)) {
      return Invalid("write without reading stands in epoch 1 alone, for its author alone");
    }
  }
  // want() keeps a perm only if the kind allows it to one of the member's roles.
  if (Want(list, kind, roster, r) != list) {
    return Invalid("an EPOCH does not list its members as the roster has them");
  }
  if (epoch.rec_gen != roster.RecAt(r)) return Invalid("an EPOCH of another recovery gen");
  if (epoch.rec_gen == 0 && !epoch.rec_box_hash.IsZero()) return Invalid("a recovery box for none");
  const auto author = list.find(h.author_member);
  if (author == list.end() || (author->second.perm & (kWrite | kManage)) == 0 ||
      (author->second.perm != kWrite && author->second.puk_gen == 0)) {
    return Invalid("an EPOCH's author is not listed with write or manage");
  }
  const bool has_manager = std::ranges::any_of(list, [](const auto& row) {
    return (row.second.perm & kManage) != 0 && row.second.puk_gen != 0;
  });
  const Perm author_perm = author->second.perm;

  // (c)
  if (previous.number == 0) {
    if (!epoch.request.IsZero()) return Invalid("no recovery request is in effect");
    if (h.seq != 1) return Invalid("epoch 1 is the second entry of its vault");
    if (h.author_member == create_author && author_perm == kFull) return {};
    if (author_perm == kWrite && has_manager &&
        (roster.RolesAt(create_author, create_roster_seq) & kIntake) != 0 &&
        (roster.RolesAt(h.author_member, r) & kIntake) != 0) {
      return {};
    }
    return Invalid("epoch 1 by another than the vault's maker, or with other rights");
  }
  if (!epoch.request.IsZero()) return Invalid("no recovery request is in effect");

  const MemberList want = Want(previous.list, kind, roster, r);
  const Perm before = PermOf(want, h.author_member);
  // (a)
  if ((before & kReadWrite) == kReadWrite && list == WithoutWriterOnly(want)) return {};
  // (b)
  if ((before & kManage) == 0) return Invalid("an EPOCH by a member who may not change the list");
  if (!has_manager) return Invalid("an EPOCH leaves no manager who can open it");
  if ((author_perm & ~before) != 0) return Invalid("an EPOCH's author gains a right");
  for (const auto& [member, row] : want) {
    if (IsGuard(member, row.perm, kind, roster, r) && member != h.author_member &&
        (row.perm & ~PermOf(list, member)) != 0) {
      return Invalid("an EPOCH takes a right from a guard");
    }
  }
  return {};
}

base::Status CheckRev(const EntryHeader& h, const Rev& rev, Kind kind, const EpochInForce& epoch,
                      bool pinned, const Roster& roster, std::uint64_t r) {
  if (rev.attachments.size() > kMaxAttachments) return Invalid("too many attachments");
  for (const auto& [id, attachment] : rev.attachments) {
    if (attachment.size > kMaxAttachmentSize) return Invalid("an attachment is too long");
  }
  if ((rev.flags & ~(Rev::kForget | Rev::kDecision)) != 0) return Invalid("unknown flags of a REV");
  const auto perm = CheckAuthor(h, kind, epoch, roster, r);
  if (!perm) return perm.error();
  if ((*perm & kWrite) == 0) return Invalid("the author may not write");
  if (epoch.by_writer_only && h.author_member != epoch.author) {
    return Invalid("an importer's epoch is in force: a rekey is due");
  }
  if (rev.flags != 0 && (*perm & kManage) == 0) return Invalid("a REV's flags need manage");
  if (rev.epoch != epoch.number) return Invalid("a REV under another epoch");
  if (epoch.by_writer_only && rev.rver != 1) return Invalid("an importer writes first revisions");
  if (!IsRecordSize(rev.ct_len, RecordFloor(roster.compartment(), kind, pinned))) {
    return Invalid("a record of a length that padding never makes");
  }
  return {};
}

base::Result<Perm> CheckTomb(const EntryHeader& h, const Tomb& tomb, Kind kind,
                             const EpochInForce& epoch, bool pinned, const Roster& roster,
                             std::uint64_t r) {
  if (tomb.reason < 1 || tomb.reason > 4) return Invalid("unknown reason of a TOMB");
  const auto perm = CheckAuthor(h, kind, epoch, roster, r);
  if (!perm) return perm.error();
  if (epoch.by_writer_only) return Invalid("an importer's epoch is in force: a rekey is due");
  if (pinned) return Invalid("a TOMB of the pinned record");
  if (!MayTombOthers(*perm) && (*perm & kWrite) == 0) {
    return Invalid("a TOMB by somebody who may not");
  }
  return perm;
}

base::Status Vault::Check(const EntryHeader& h, const Rev& rev, const Roster& roster,
                          std::uint64_t r) const {
  const bool pinned = rev.record == pinned_record_;
  if (const auto status = CheckRev(h, rev, kind_, epoch_, pinned, roster, r); !status) {
    return status;
  }
  // R6
  const Record* record = FindRecord(rev.record);
  if (record != nullptr && record->dead) return Invalid("a REV of a record that is gone");
  if (rev.rver != (record == nullptr ? 0 : record->rver) + 1 ||
      rev.rprev != (record == nullptr ? base::Link() : record->link)) {
    return Invalid("a REV does not follow its record's last");
  }
  return {};
}

base::Status Vault::Check(const EntryHeader& h, const Tomb& tomb, const Roster& roster,
                          std::uint64_t r) const {
  const bool pinned = tomb.record == pinned_record_;
  const auto perm = CheckTomb(h, tomb, kind_, epoch_, pinned, roster, r);
  if (!perm) return perm.error();
  const Record* record = FindRecord(tomb.record);
  if (record == nullptr || record->dead) return Invalid("a TOMB of no live record");
  if (tomb.rver != record->rver + 1 || tomb.rprev != record->link) {
    return Invalid("a TOMB does not follow its record's last REV");
  }
  if (!MayTombOthers(*perm) && record->creator != h.author_member) {
    return Invalid("a TOMB of another's record needs read and manage");
  }
  return {};
}

void Vault::Take(const SignedEntry& entry) {
  std::visit([&](const auto& p) { Take(entry, p); }, entry.payload);
  head_ = entry.link;
  roster_seq_ = entry.header.roster_seq;
  ++size_;
}

void Vault::Take(const SignedEntry& entry, const Create& create) {
  realm_ = entry.header.realm;
  id_ = entry.header.vault;
  kind_ = Kind{create.kind};
  creator_ = entry.header.author_member;
  create_roster_seq_ = entry.header.roster_seq;
  pinned_record_ = PinnedRecordOf(id_);
}

void Vault::Take(const SignedEntry& entry, const Epoch& epoch) {
  epoch_ = InForce(entry.header, entry.link, epoch);
}

void Vault::Take(const SignedEntry& entry, const Rev& rev) {
  Record& record = records_[rev.record];
  if (rev.rver == 1) record.creator = entry.header.author_member;
  record.rver = rev.rver;
  record.link = entry.link;
  if (rev.record == pinned_record_) pin_link_ = entry.link;
}

void Vault::Take(const SignedEntry& entry, const Tomb& tomb) {
  Record& record = records_[tomb.record];
  record.rver = tomb.rver;
  record.link = entry.link;
  record.dead = true;
}

}  // namespace godwit::protocol
