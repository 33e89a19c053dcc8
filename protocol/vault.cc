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

base::GuestId GuestOf(const EntryHeader& h) { return base::GuestId(h.author_member.bytes()); }

// What a member of the list in force may do, as of roster seq `r`.
struct Rights {
  Perm perm = 0;
  bool suspended = false;
};

base::Result<Rights> RightsOf(const EntryHeader& h, Kind kind, const EpochInForce& epoch,
                              const Roster& roster, std::uint64_t r) {
  const MemberList want = Want(epoch.list, kind, roster, r);
  const Perm perm = PermOf(want, h.author_member);
  if (perm == 0) return Invalid("the author is not a member of the vault");
  return Rights{perm, perm != kWrite && want.at(h.author_member).puk_gen == 0};
}

base::Result<Perm> ActivePermOf(const EntryHeader& h, Kind kind, const EpochInForce& epoch,
                                const Roster& roster, std::uint64_t r) {
  const auto rights = RightsOf(h, kind, epoch, roster, r);
  if (!rights) return rights.error();
  if (rights->suspended) return Invalid("the author is suspended");
  return rights->perm;
}

// What REV and TOMB share: an author who is an active member, and R8. Gives the author's perm.
base::Result<Perm> FreshPermOf(const EntryHeader& h, Kind kind, const EpochInForce& epoch,
                               const Roster& roster, std::uint64_t r) {
  const auto perm = ActivePermOf(h, kind, epoch, roster, r);
  if (perm && !IsFresh(epoch, kind, roster, r)) return NotFresh();
  return perm;
}

// In a sealed vault nobody is listed: its kind's own people keep it from being erased.
base::Status CheckKeeperOfSealed(const EntryHeader& h, Kind kind, const Roster& roster,
                                 std::uint64_t r) {
  if (!IsAllowed(kind, roster.RolesAt(h.author_member, r), kFull)) {
    return Invalid("a role that has no say in a sealed vault of this kind");
  }
  return {};
}

base::Status CheckGuests(const Epoch& epoch, Kind kind) {
  if (epoch.guests.empty()) return {};
  if (!HasGuests(kind)) return Invalid("a vault of this kind has no guests");
  if (epoch.guests.size() > 1) return Invalid("more than one guest");
  for (const auto& [guest, row] : epoch.guests) {
    if (row.perm != kReadWrite) return Invalid("a guest reads and writes, and nothing else");
    if (!std::ranges::equal(guest.bytes(), DeviceIdOf(row.device).bytes())) {
      return Invalid("a guest's id is not that of the keys");
    }
    if (!AreValidKems(row.device.kems)) return Invalid("a guest's key for boxes is none");
  }
  return {};
}

GuestList GuestsOf(const Epoch& epoch) {
  GuestList guests;
  for (const auto& [guest, row] : epoch.guests) {
    guests[guest] = {row.perm, row.expires_hour, row.device};
  }
  return guests;
}

// (c) Whoever makes a vault, or an importer for whoever made it, writes its first epoch.
base::Status CheckFirst(const EntryHeader& h, Perm author_perm, bool has_manager,
                        const EpochPlace& place, const Roster& roster, std::uint64_t r) {
  if (h.seq != 1) return Invalid("epoch 1 is the second entry of its vault");
  if (h.author_member == place.creator && author_perm == kFull) return {};
  if (author_perm == kWrite && has_manager &&
      (roster.RolesAt(place.creator, place.create_roster_seq) & kIntake) != 0 &&
      (roster.RolesAt(h.author_member, r) & kIntake) != 0) {
    return {};
  }
  return Invalid("epoch 1 by another than the vault's maker, or with other rights");
}

// (d) Break-glass: the recipient of an open recovery takes a place in the list, and nothing else
// changes.
base::Status CheckBreakGlass(const EntryHeader& h, const Epoch& epoch, const EpochPlace& place,
                             const MemberList& want, const Roster& roster, std::uint64_t r) {
  const auto request = std::ranges::find(roster.requests(), epoch.request, &Roster::Request::link);
  if (request == roster.requests().end() || r < request->seq || r >= request->closed_seq) {
    return Invalid("no recovery request is in effect");
  }
  const RecoveryRequest& asked = request->request;
  if (!asked.vaults.contains(h.vault)) return Invalid("the recovery request is for other vaults");
  if (asked.recipient_device != h.author_device) {
    return Invalid("the recovery request is for another device");
  }
  if (asked.use != kRecoveryLive && !place.previous.IsSealed()) {
    return Invalid("a recovery of sealed vaults, and this is none");
  }
  MemberList expected = WithoutWriterOnly(want);
  MemberList list = ListOf(epoch);
  expected.erase(h.author_member);
  list.erase(h.author_member);
  if (list != expected || GuestsOf(epoch) != place.previous.guests) {
    return Invalid("a break-glass epoch changes more than its recipient's row");
  }
  return {};
}

// (e) The last manager of a vault that is due to be erased seals it to the recovery secret of
// use 2.
base::Status CheckSeal(const EntryHeader& h, const Epoch& epoch, const EpochPlace& place,
                       const MemberList& want, const Roster& roster, std::uint64_t r) {
  if (want.size() != 1 || (PermOf(want, h.author_member) & kManage) == 0 ||
      want.begin()->second.puk_gen == 0) {
    return Invalid("a vault is sealed by a manager who alone is listed");
  }
  if (!epoch.guests.empty() || !epoch.request.IsZero()) {
    return Invalid("an EPOCH that seals lists nobody");
  }
  if (place.state.hold != 0 || place.state.erase_day == 0) {
    return Invalid("a vault is sealed once it is due to be erased, and never on hold");
  }
  if (roster.Rec2At(r) == 0 || epoch.rec_gen != roster.Rec2At(r)) {
    return Invalid("a vault is sealed to the recovery secret for sealed vaults");
  }
  if (!epoch.wraps.contains(place.previous.number)) {
    return Invalid("an EPOCH that seals hands on the last key");
  }
  return {};
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
  force.guests = GuestsOf(epoch);
  force.rec_gen = epoch.rec_gen;
  force.by_writer_only = PermOf(force.list, header.author_member) == kWrite;
  return force;
}

base::Result<RawEntry> CheckSigned(base::ByteSpan bytes, const Roster& roster,
                                   const GuestKeys& guests) {
  auto raw = ReadEntry(bytes);
  if (!raw) return raw.error();
  const EntryHeader& h = raw->header;
  if (h.roster_seq >= roster.size()) {
    return base::Error(base::Code::kStaleRoster, "an entry cites a statement not known here");
  }
  const DeviceKeys* author = nullptr;
  if (IsByGuest(h)) {
    const auto guest = guests.find(GuestOf(h));
    if (guest != guests.end()) author = &guest->second;
  } else if (roster.IsListedAt(h.author_device, h.roster_seq)) {
    author = &roster.FindDevice(h.author_device)->keys;
  }
  if (author == nullptr ||
      !crypto::Verify(author->sign_pk, labels::kVault, raw->body, raw->signature)) {
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

base::Status CheckAuthorDevice(const EntryHeader& h, const Roster& roster, std::uint64_t r) {
  if (IsByGuest(h)) return {};
  if (roster.FindDevice(h.author_device)->member != h.author_member ||
      !roster.IsActiveAt(h.author_device, r)) {
    return Invalid("an entry by a device that is not the author's, or not active");
  }
  return {};
}

base::Result<SignedEntry> Vault::Judge(base::ByteSpan bytes, const Roster& roster) const {
  const auto raw = CheckSigned(bytes, roster, guests_);
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
  const EntryHeader& h = entry.header;
  if (const auto status = CheckAuthorDevice(h, roster, r); !status) return status;
  if (IsByGuest(h)) {
    if (!std::holds_alternative<Rev>(entry.payload)) return Invalid("a guest writes REV alone");
    if (h.roster_seq != roster_seq_) return Invalid("a guest cites the roster of the last entry");
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
  return CheckEpoch(h, epoch, {kind_, creator_, create_roster_seq_, epoch_, state_}, roster, r);
}

base::Status CheckEpoch(const EntryHeader& h, const Epoch& epoch, const EpochPlace& place,
                        const Roster& roster, std::uint64_t r) {
  const Kind kind = place.kind;
  const EpochInForce& previous = place.previous;
  if (epoch.list.size() > kMaxEpochList) return Invalid("an EPOCH lists too many members");
  if (epoch.wraps.size() > kMaxWraps) return Invalid("an EPOCH has too many wraps");
  if (epoch.epoch != previous.number + 1) return Invalid("an epoch's number is not the next");
  if (epoch.wraps.size() > 0 &&
      (epoch.wraps.begin()->first == 0 || epoch.wraps.rbegin()->first >= epoch.epoch)) {
    return Invalid("an EPOCH wraps a key that is not older");
  }
  if (const auto status = CheckGuests(epoch, kind); !status) return status;
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
  if (epoch.rec_gen == 0 && !epoch.rec_box_hash.IsZero()) return Invalid("a recovery box for none");

  const MemberList want = Want(previous.list, kind, roster, r);
  if (list.empty()) return CheckSeal(h, epoch, place, want, roster, r);
  if (epoch.rec_gen != roster.RecAt(r)) return Invalid("an EPOCH of another recovery gen");
  const Perm author_perm = PermOf(list, h.author_member);
  if ((author_perm & (kWrite | kManage)) == 0 ||
      (author_perm != kWrite && list.at(h.author_member).puk_gen == 0)) {
    return Invalid("an EPOCH's author is not listed with write or manage");
  }
  const bool has_manager = std::ranges::any_of(list, [](const auto& row) {
    return (row.second.perm & kManage) != 0 && row.second.puk_gen != 0;
  });
  if (previous.number == 0) {
    if (!epoch.request.IsZero()) return Invalid("no recovery request is in effect");
    return CheckFirst(h, author_perm, has_manager, place, roster, r);
  }
  if (!epoch.request.IsZero()) return CheckBreakGlass(h, epoch, place, want, roster, r);

  const Perm before = PermOf(want, h.author_member);
  // (a)
  if ((before & kReadWrite) == kReadWrite && list == WithoutWriterOnly(want) &&
      GuestsOf(epoch) == previous.guests) {
    return {};
  }
  // (b)
  if ((before & kManage) == 0) return Invalid("an EPOCH by a member who may not change the list");
  if (!has_manager) return Invalid("an EPOCH leaves no manager who can open it");
  if ((author_perm & ~before) != 0) return Invalid("an EPOCH's author gains a right");
  if (place.state.erase_day != 0) return {};
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
  Perm perm = kReadWrite;
  if (IsByGuest(h)) {
    if (!epoch.guests.contains(GuestOf(h))) return Invalid("the author is no guest of the vault");
  } else {
    const auto member = FreshPermOf(h, kind, epoch, roster, r);
    if (!member) return member.error();
    perm = *member;
  }
  if ((perm & kWrite) == 0) return Invalid("the author may not write");
  if (epoch.by_writer_only && h.author_member != epoch.author) {
    return Invalid("an importer's epoch is in force: a rekey is due");
  }
  if (rev.flags != 0 && (perm & kManage) == 0) return Invalid("a REV's flags need manage");
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
  const auto perm = FreshPermOf(h, kind, epoch, roster, r);
  if (!perm) return perm.error();
  if (epoch.by_writer_only) return Invalid("an importer's epoch is in force: a rekey is due");
  if (pinned) return Invalid("a TOMB of the pinned record");
  if (!MayTombOthers(*perm) && (*perm & kWrite) == 0) {
    return Invalid("a TOMB by somebody who may not");
  }
  return perm;
}

base::Status CheckStateAuthor(const EntryHeader& h, Kind kind, const EpochInForce& epoch,
                              const Roster& roster, std::uint64_t r) {
  if (epoch.IsSealed()) return CheckKeeperOfSealed(h, kind, roster, r);
  const auto rights = RightsOf(h, kind, epoch, roster, r);
  if (!rights) return rights.error();
  if ((rights->perm & kReadWrite) == kReadWrite || (rights->perm & kManage) != 0) return {};
  return Invalid("a STATE by somebody who may not");
}

base::Status CheckAssent(const EntryHeader& h, const Assent& assent, Kind kind,
                         const EpochInForce& epoch, const Roster& roster, std::uint64_t r) {
  if (assent.say != Assent::kYes && assent.say != Assent::kNo) {
    return Invalid("an ASSENT says yes or no");
  }
  if (epoch.IsSealed()) return CheckKeeperOfSealed(h, kind, roster, r);
  const auto perm = ActivePermOf(h, kind, epoch, roster, r);
  if (!perm) return perm.error();
  if (*perm == kWrite || (*perm & (kWrite | kManage)) == 0) {
    return Invalid("an ASSENT by somebody who may not");
  }
  return {};
}

base::Status CheckAsk(const EntryHeader& h, const Ask& ask, Kind kind, const EpochInForce& epoch,
                      const Roster& roster, std::uint64_t r) {
  if (ask.what != Ask::kToRead) return Invalid("an ASK for nothing that can be asked");
  if (ask.hours > kMaxAskHours) return Invalid("an ASK for more than 72 hours");
  const auto perm = ActivePermOf(h, kind, epoch, roster, r);
  if (!perm) return perm.error();
  if (*perm != kManage) return Invalid("an ASK by somebody who does not manage without reading");
  return {};
}

base::Status Vault::Check(const EntryHeader& h, const Rev& rev, const Roster& roster,
                          std::uint64_t r) const {
  const bool pinned = rev.record == pinned_record_;
  if (const auto status = CheckRev(h, rev, kind_, epoch_, pinned, roster, r); !status) {
    return status;
  }
  if (state_.frozen != 0 && !IsByGuest(h) && (rev.flags & Rev::kDecision) == 0) {
    return Invalid("a frozen vault takes facts of guests, and decisions");
  }
  if (state_.hold != 0 && (rev.flags & Rev::kForget) != 0) {
    return Invalid("nothing is forgotten on hold");
  }
  // R6
  const Record* record = FindRecord(rev.record);
  if (IsByGuest(h) && record != nullptr && record->creator != h.author_member) {
    return Invalid("a guest revises own records alone");
  }
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
  if (state_.hold != 0) return Invalid("a TOMB on hold");
  if (state_.frozen != 0 && (kind_ != Kind::kLeg || (*perm & kManage) == 0)) {
    return Invalid("a TOMB in a frozen vault");
  }
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

bool Vault::IsFreeze(const State& state) const {
  return state_.frozen == 0 && state.frozen == 1 && state.hold == state_.hold &&
         state.erase_day == state_.erase_day;
}

bool Vault::IsEraseDayOfLeg(const State& state) const {
  return kind_ == Kind::kLeg && state.hold == state_.hold && state.frozen >= state_.frozen;
}

bool Vault::KeepsSealed(const State& state) const {
  const bool later = state.erase_day > state_.erase_day;
  return state.frozen == state_.frozen && state.hold >= state_.hold &&
         state.erase_day >= state_.erase_day && (state.hold == 1 || later);
}

base::Status Vault::Check(const EntryHeader& h, const State& state, const Roster& roster,
                          std::uint64_t r) const {
  if (state.frozen > 1 || state.hold > 1) return Invalid("a STATE of values that are none");
  if (const auto status = CheckStateAuthor(h, kind_, epoch_, roster, r); !status) return status;
  if (epoch_.IsSealed()) {
    if (!KeepsSealed(state)) return Invalid("a sealed vault is held, or kept longer, alone");
    return {};
  }
  if (IsFreeze(state)) return {};
  const auto perm = ActivePermOf(h, kind_, epoch_, roster, r);
  if (!perm) return perm.error();
  if ((*perm & kManage) == 0) return Invalid("a STATE that only a manager writes");
  return {};
}

base::Status Vault::Check(const EntryHeader& h, const Assent& assent, const Roster& roster,
                          std::uint64_t r) const {
  if (const auto status = CheckAssent(h, assent, kind_, epoch_, roster, r); !status) return status;
  const auto target = written_.find(assent.target);
  if (target == written_.end()) return Invalid("an ASSENT of no earlier entry of the vault");
  const auto& [type, author, record] = target->second;
  if (author == h.author_member) return Invalid("an ASSENT by the author");
  switch (EntryType{type}) {
    case EntryType::kRev:
      if (records_.at(record).link != assent.target) {
        return Invalid("an ASSENT of a REV that is not its record's newest");
      }
      break;
    case EntryType::kAsk:
      if (asks_.at(author).link != assent.target) {
        return Invalid("an ASSENT of an ASK that is not its author's newest");
      }
      break;
    case EntryType::kState:
      if (epoch_.IsSealed() && waiting_ && waiting_->link == assent.target &&
          !KeepsSealed(waiting_->state)) {
        return Invalid("a sealed vault is held, or kept longer, alone");
      }
      return {};
    default:
      break;
  }
  if (epoch_.IsSealed()) return Invalid("in a sealed vault an ASSENT is of a STATE");
  return {};
}

base::Status Vault::Check(const EntryHeader& h, const Ask& ask, const Roster& roster,
                          std::uint64_t r) const {
  return CheckAsk(h, ask, kind_, epoch_, roster, r);
}

void Vault::Take(const SignedEntry& entry) {
  std::visit([&](const auto& p) { Take(entry, p); }, entry.payload);
  const auto* rev = std::get_if<Rev>(&entry.payload);
  written_[entry.link] = {entry.header.type, entry.header.author_member,
                          rev == nullptr ? base::RecordId() : rev->record};
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
  for (const auto& [guest, row] : epoch.guests) guests_[guest] = row.device;
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

void Vault::Take(const SignedEntry& entry, const State& state) {
  if (state == state_) return;
  if (IsFreeze(state)) {
    // What waits is about the rest, and shall not undo this.
    state_.frozen = 1;
    if (waiting_) waiting_->state.frozen = 1;
  } else if (IsEraseDayOfLeg(state) && !epoch_.IsSealed()) {
    state_ = state;
    waiting_.reset();
  } else {
    waiting_ = WaitingState{entry.link, state};
  }
}

void Vault::Take(const SignedEntry& /*entry*/, const Assent& assent) {
  if (!waiting_ || waiting_->link != assent.target) return;
  if (assent.say == Assent::kYes) state_ = waiting_->state;
  waiting_.reset();
}

void Vault::Take(const SignedEntry& entry, const Ask& ask) {
  asks_[entry.header.author_member] = {entry.link, ask};
}

std::optional<Vault::OpenAsk> Vault::AskAt(const base::Link& link) const {
  const auto written = written_.find(link);
  if (written == written_.end() || EntryType{written->second.type} != EntryType::kAsk) {
    return std::nullopt;
  }
  const AskMade& newest = asks_.at(written->second.author);
  if (newest.link != link) return std::nullopt;
  return OpenAsk{written->second.author, link, newest.ask};
}

std::optional<Vault::OpenAsk> Vault::AskOf(const base::MemberId& member) const {
  const auto made = asks_.find(member);
  if (made == asks_.end()) return std::nullopt;
  return OpenAsk{member, made->second.link, made->second.ask};
}

}  // namespace godwit::protocol
