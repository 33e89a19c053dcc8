#include "services/realm/admission.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include "crypto/hash.h"
#include "crypto/sign.h"
#include "protocol/approval.h"
#include "protocol/entry.h"
#include "protocol/kinds.h"
#include "protocol/labels.h"
#include "protocol/leaf.h"
#include "protocol/statement.h"

namespace godwit::realm {
namespace {

using protocol::Kind;

constexpr std::uint64_t kMsPerDay = 86'400'000;
constexpr std::uint64_t kMsPerHour = 3'600'000;
// Until a vault is erased there is time for somebody to object.
constexpr std::uint64_t kLeastDaysToErase = 30;

base::Error Invalid(base::Literal message) {
  return base::Error(base::Code::kInvalidArgument, message);
}

bool Hashes(base::ByteSpan bytes, const base::Sha256Hash& hash) {
  return base::Sha256Hash(crypto::Sha256(bytes)) == hash;
}

template <class Subject>
storage::QuotaCharge Charge(const Subject& subject, Act act, std::uint64_t amount,
                            std::uint64_t limit, std::uint64_t now_ms) {
  return {storage::SubjectOf(subject), static_cast<std::uint16_t>(act),
          static_cast<std::uint32_t>(now_ms / kMsPerDay), amount, limit};
}

storage::ChainTag Stored(const protocol::ChainTag& tag) { return storage::ChainTag(tag.bytes()); }

// What the entries of one upload come to, gathered entry by entry.
class Gathering {
 public:
  Gathering(const VaultState& before, const protocol::Roster& roster, const server::Caller& caller,
            const Quotas& quotas, std::uint64_t now_ms)
      : roster_(roster),
        caller_(caller),
        quotas_(quotas),
        now_ms_(now_ms),
        state_(std::make_shared<VaultState>(before)) {
    if (!before.vault.empty()) {
      commit_.expected = storage::ChainHead{before.vault.head_seq(), before.vault.head()};
    }
  }

  base::Status Add(const EntryUpload& upload) {
    auto entry = state_->vault.Judge(upload.entry, roster_);
    if (!entry) return entry.error();
    if (!MaySend(entry->header, roster_, caller_)) {
      return base::Error(base::Code::kPermissionDenied, "an entry is sent by its author alone");
    }
    if (const auto status = state_->vault.Admit(*entry, roster_); !status) return status;
    const auto status = std::visit(
        [&](const auto& payload) { return Take(entry->header, payload, upload); }, entry->payload);
    if (!status) return status;
    state_->vault.Take(*entry);
    state_->NotePinned(entry->link, entry->header.seq);
    const auto* given = std::get_if<protocol::State>(&entry->payload);
    freezes_ = freezes_ && given != nullptr && given->frozen == 1;
    commit_.entries.push_back(
        {entry->header.seq, entry->header.type, entry->link, base::ToBytes(upload.entry)});
    bytes_ += upload.entry.size() + upload.ciphertext.size();
    for (const auto& box : upload.boxes) bytes_ += box.box.size();
    return {};
  }

  base::Result<AdmittedEntries> Finish() && {
    const auto& vault = state_->vault;
    if (vault.epoch().number == 0) {
      return base::Error(base::Code::kEntryInvalid, "CREATE comes with its EPOCH 1 in one call");
    }
    commit_.after.vault = vault.id();
    commit_.after.kind = static_cast<std::uint8_t>(vault.kind());
    commit_.after.head = {vault.head_seq(), vault.head()};
    commit_.after.epoch = vault.epoch().number;
    commit_.after.epoch_link = vault.epoch().link;
    commit_.after.pinned = state_->pinned;
    commit_.after.roster_seq = vault.roster_seq();
    commit_.after.erase_day = EraseDayOf(vault);
    commit_.chain_tag = Stored(protocol::VaultTag(vault.realm(), vault.id()));
    for (const auto& [record, head] : records_) commit_.records.push_back(head);
    for (const auto& [record, below] : forgets_) commit_.forgets.push_back({record, below});
    // A revision that a later entry of the same call forgets, or whose record it ends, is not kept.
    std::erase_if(commit_.revisions, [&](const storage::RevisionRow& row) {
      const auto forget = forgets_.find(row.record);
      return forget != forgets_.end() && row.rver < forget->second;
    });
    Charges();
    return AdmittedEntries{std::move(commit_), std::move(state_)};
  }

 private:
  base::Status Take(const protocol::EntryHeader& /*header*/, const protocol::Create& /*create*/,
                    const EntryUpload& upload) {
    created_ = true;
    return Nothing(upload);
  }

  base::Status Take(const protocol::EntryHeader& /*header*/, const protocol::Epoch& epoch,
                    const EntryUpload& upload) {
    if (!upload.salt.empty() || !upload.ciphertext.empty()) {
      return Invalid("an EPOCH comes with boxes alone");
    }
    if (!epoch.guests.empty() || epoch.rec_gen != 0) {
      return base::Error(base::Code::kUnsupported,
                         "boxes for guests and for recoveries have no place in this Godwit yet");
    }
    std::map<base::MemberId, base::ByteSpan> boxes;
    for (const auto& box : upload.boxes) {
      if (!boxes.emplace(box.member, box.box).second) return Invalid("a member has two boxes");
    }
    commit_.membership.emplace();
    std::size_t boxed = 0;
    for (const auto& [member, row] : epoch.list) {
      commit_.membership->push_back({member, row.perm, row.puk_gen});
      if (row.puk_gen == 0) continue;
      const auto box = boxes.find(member);
      if (box == boxes.end()) return Invalid("a member's box is missing");
      if (!Hashes(box->second, row.box_hash)) return Invalid("a box is not the one that is listed");
      commit_.boxes.push_back({epoch.epoch, member, base::ToBytes(box->second)});
      ++boxed;
    }
    if (boxed != boxes.size()) return Invalid("a box for somebody who is listed without a key");
    // What the roster's own moves ask for is free: else whoever used up a day's EPOCHs of a vault
    // would keep everybody from writing there once somebody is removed.
    const auto& before = state_->vault.epoch();
    if (before.number == 0 ||
        protocol::IsFresh(before, state_->vault.kind(), roster_, roster_.head_seq())) {
      ++epochs_;
    }
    return {};
  }

  base::Status Take(const protocol::EntryHeader& header, const protocol::Rev& rev,
                    const EntryUpload& upload) {
    if (!upload.boxes.empty()) return Invalid("a REV comes without boxes");
    const auto salt = storage::Salt::FromBytes(upload.salt);
    if (!salt || !Hashes(upload.salt, rev.salt_sha256)) {
      return Invalid("a record's salt is missing, or not the one that is listed");
    }
    if (upload.ciphertext.size() != rev.ct_len || !Hashes(upload.ciphertext, rev.ct_sha256)) {
      return Invalid("a record's ciphertext is missing, or not the one that is listed");
    }
    commit_.revisions.push_back({rev.record, rev.rver, *salt, base::ToBytes(upload.ciphertext)});
    records_[rev.record] = {rev.record, rev.rver, header.seq, false};
    if ((rev.flags & protocol::Rev::kForget) != 0) forgets_[rev.record] = rev.rver;
    return {};
  }

  base::Status Take(const protocol::EntryHeader& header, const protocol::Tomb& tomb,
                    const EntryUpload& upload) {
    records_[tomb.record] = {tomb.record, tomb.rver, header.seq, true};
    forgets_[tomb.record] = tomb.rver;
    return Nothing(upload);
  }

  base::Status Take(const protocol::EntryHeader& /*header*/, const protocol::State& state,
                    const EntryUpload& upload) {
    if (const auto status = CheckEraseDay(state); !status) return status;
    return Nothing(upload);
  }

  base::Status Take(const protocol::EntryHeader& /*header*/, const protocol::Assent& assent,
                    const EntryUpload& upload) {
    const auto& vault = state_->vault;
    const auto& waiting = vault.waiting();
    if (assent.say == protocol::Assent::kYes && waiting && waiting->link == assent.target) {
      // A STATE may have waited until its day came near.
      if (const auto status = CheckEraseDay(waiting->state); !status) return status;
    }
    // No entry carries a time: the hours of an ASK begin here.
    const auto ask = vault.AskAt(assent.target);
    if (ask && assent.say == protocol::Assent::kYes) {
      commit_.openings.push_back(
          {ask->member, ask->link, now_ms_ + std::uint64_t{ask->ask.hours} * kMsPerHour});
    }
    return Nothing(upload);
  }

  // Until a vault is erased there is time for somebody to object.
  base::Status CheckEraseDay(const protocol::State& state) const {
    const auto& vault = state_->vault;
    if (vault.kind() != Kind::kLeg && state.erase_day != 0 &&
        state.erase_day != vault.state().erase_day &&
        state.erase_day < now_ms_ / kMsPerDay + kLeastDaysToErase) {
      return Invalid("an erase_day is at least 30 days from today: name a later one");
    }
    return {};
  }

  base::Status Take(const protocol::EntryHeader& /*header*/, const protocol::Ask& /*ask*/,
                    const EntryUpload& upload) {
    return Nothing(upload);
  }

  static base::Status Nothing(const EntryUpload& upload) {
    if (!upload.boxes.empty() || !upload.salt.empty() || !upload.ciphertext.empty()) {
      return Invalid("an entry of this type comes with nothing beside it");
    }
    return {};
  }

  void Charges() {
    const auto roles = roster_.RolesAt(caller_.member, roster_.head_seq());
    const bool imports = (roles & protocol::kIntake) != 0;
    const Kind kind = state_->vault.kind();
    if (created_) {
      commit_.charges.push_back(Charge(caller_.member, Act::kCreate, 1,
                                       imports ? quotas_.import_per_day : quotas_.create_per_day,
                                       now_ms_));
    }
    if (epochs_ > 0) {
      const bool shared = kind == Kind::kDirectory || kind == Kind::kConfig;
      commit_.charges.push_back(Charge(
          state_->vault.id(), Act::kEpoch, epochs_,
          shared ? quotas_.epochs_per_shared_vault_day : quotas_.epochs_per_vault_day, now_ms_));
    }
    if (freezes_) {
      commit_.charges.push_back(
          Charge(caller_.member, Act::kFreezeBytes, bytes_, quotas_.freeze_bytes_per_day, now_ms_));
      return;
    }
    commit_.charges.push_back(Charge(caller_.member, Act::kBytes, bytes_,
                                     imports ? quotas_.import_bytes_per_day : quotas_.bytes_per_day,
                                     now_ms_));
  }

  const protocol::Roster& roster_;
  const server::Caller& caller_;
  const Quotas& quotas_;
  const std::uint64_t now_ms_;
  std::shared_ptr<VaultState> state_;
  storage::VaultCommit commit_;
  std::map<base::RecordId, storage::RecordHeadRow> records_;
  std::map<base::RecordId, std::uint64_t> forgets_;
  std::uint64_t bytes_ = 0;
  std::uint64_t epochs_ = 0;
  bool created_ = false;
  bool freezes_ = true;  // each entry so far is a STATE frozen = 1
};

// The boxes beside a statement, in full: those of a PUK_ROTATE, that of a DEVICE_ADD to a member
// who has a PUK, none of any other.
base::Status TakeBoxes(const StatementUpload& upload, const protocol::StatementPayload& payload,
                       std::vector<storage::PukBoxRow>& rows) {
  base::MemberId member;
  std::uint32_t gen = 0;
  std::map<base::DeviceId, base::Sha256Hash> listed;
  if (const auto* rotate = std::get_if<protocol::PukRotate>(&payload)) {
    member = rotate->member;
    gen = rotate->gen;
    listed = rotate->box_hashes;
  } else if (const auto* add = std::get_if<protocol::DeviceAdd>(&payload);
             add && add->puk_gen != 0) {
    member = add->member;
    gen = add->puk_gen;
    listed[protocol::DeviceIdOf(add->device)] = add->box_hash;
  } else if (!upload.boxes.empty()) {
    return Invalid("a statement of this type comes without boxes");
  }
  for (const auto& box : upload.boxes) {
    const auto hash = listed.find(box.device);
    if (hash == listed.end()) {
      return Invalid("a box for a device that is not listed, or two for one");
    }
    if (!Hashes(box.box, hash->second)) return Invalid("a box is not the one that is listed");
    rows.push_back({member, box.device, gen, base::ToBytes(box.box)});
    listed.erase(hash);
  }
  if (!listed.empty()) return Invalid("a device's box is missing");
  return {};
}

// The devices that a DEVICE_ADD which waits would add.
std::set<base::DeviceId> WaitingDevices(const protocol::Roster& roster) {
  std::set<base::DeviceId> devices;
  for (const auto& pending : roster.pending()) {
    const auto* add = std::get_if<protocol::DeviceAdd>(&pending.payload);
    if (add != nullptr) devices.insert(protocol::DeviceIdOf(add->device));
  }
  return devices;
}

// What a call's statements end, from the rosters before and after them: members, active devices,
// and devices that waited to be added. A statement may take effect long after it came, at another's
// APPROVE. A box that the call brings for a device that it ends is not kept.
void NoteEnds(const protocol::Roster& before, const protocol::Roster& after,
              storage::RosterAppend& append) {
  const std::uint64_t then = before.head_seq();
  const std::uint64_t now = after.head_seq();
  const auto waiting = WaitingDevices(after);
  const auto lives = [&](const base::DeviceId& device) {
    return after.IsActiveAt(device, now) || waiting.contains(device);
  };
  for (const auto& [id, member] : before.members()) {
    if (before.IsMemberAt(id, then) && !after.IsMemberAt(id, now)) {
      append.removed_members.push_back(id);
    }
    for (const auto& device : member.devices) {
      if (before.IsActiveAt(device, then) && !lives(device)) {
        append.revoked_devices.push_back(device);
      }
    }
  }
  // One that is given up and added again in one call loses the box of its first addition.
  for (const auto& pending : before.pending()) {
    const auto* add = std::get_if<protocol::DeviceAdd>(&pending.payload);
    if (add == nullptr || after.FindPending(pending.link) != nullptr) continue;
    const auto device = protocol::DeviceIdOf(add->device);
    if (!after.IsActiveAt(device, now)) append.revoked_devices.push_back(device);
  }
  std::erase_if(append.boxes, [&](const storage::PukBoxRow& row) { return !lives(row.device); });
}

// What a server does not take though it is valid.
base::Status CheckAdmissible(const protocol::Roster& before,
                             const protocol::StatementHeader& header,
                             const protocol::StatementPayload& payload, std::uint64_t now_ms) {
  // Pairs that a log published: there is none yet.
  if (header.log_size != 0 || !header.log_root.IsZero()) {
    return base::Error(base::Code::kRosterInvalid,
                       "a statement cites a checkpoint that was never published");
  }
  if (std::holds_alternative<protocol::RecoverySet>(payload) ||
      std::holds_alternative<protocol::RecoveryRequest>(payload)) {
    return base::Error(base::Code::kUnsupported,
                       "recovery has no place in this Godwit yet: its shares could not be kept");
  }
  if (const auto* approve = std::get_if<protocol::Approve>(&payload)) {
    const auto* target = before.FindPending(approve->target);
    if (target != nullptr && now_ms > target->time_ms + protocol::kApprovableMs) {
      return Invalid("a statement waited for more than 30 days: make it anew");
    }
  }
  return {};
}

}  // namespace

bool MaySend(const protocol::EntryHeader& header, const protocol::Roster& roster,
             const server::Caller& caller) {
  if (header.author_member == caller.member && header.author_device == caller.device) return true;
  return header.type == static_cast<std::uint8_t>(protocol::EntryType::kCreate) &&
         (roster.RolesAt(caller.member, roster.head_seq()) & protocol::kIntake) != 0;
}

base::Result<AdmittedEntries> AdmitEntries(const VaultState& state, const protocol::Roster& roster,
                                           const server::Caller& caller,
                                           const std::vector<EntryUpload>& entries,
                                           const Quotas& quotas, std::uint64_t now_ms) {
  Gathering gathering(state, roster, caller, quotas, now_ms);
  for (const auto& entry : entries) {
    if (const auto status = gathering.Add(entry); !status) return status.error();
  }
  return std::move(gathering).Finish();
}

base::Status CheckStatementSigned(base::ByteSpan statement, const protocol::Roster& roster) {
  const auto raw = protocol::ReadStatement(statement);
  if (!raw) return raw.error();
  const auto* device = roster.FindDevice(raw->header.author_device);
  const bool root = raw->header.author_member.IsZero() && raw->header.author_device.IsZero();
  if (!root && device == nullptr) {
    return base::Error(base::Code::kSig, "a statement by a device that was never listed");
  }
  // A ROOT_ROTATE is signed by the key that it ends.
  const std::uint64_t before = raw->header.seq == 0 ? 0 : raw->header.seq - 1;
  const auto& key =
      root ? roster.RootPkAt(std::min(before, roster.head_seq())) : device->keys.sign_pk;
  if (!crypto::Verify(key, protocol::labels::kRoster, raw->body, raw->signature)) {
    return base::Error(base::Code::kSig, "a statement's signature is wrong");
  }
  return {};
}

base::Result<AdmittedStatements> AdmitStatements(const protocol::Roster& roster,
                                                 const server::Caller& caller,
                                                 const std::vector<StatementUpload>& statements,
                                                 const Quotas& quotas, std::uint64_t now_ms) {
  auto after = std::make_shared<protocol::Roster>(roster);
  AdmittedStatements admitted;
  admitted.append.expected = HeadOf(roster);
  admitted.append.chain_tag = Stored(protocol::RosterTag(roster.realm()));
  std::uint64_t revokes = 0;
  std::map<base::MemberId, std::uint64_t> rotations;
  std::map<base::MemberId, std::uint64_t> devices;
  for (const auto& upload : statements) {
    const auto raw = protocol::ReadStatement(upload.statement);
    if (!raw) return raw.error();
    const auto& header = raw->header;
    const std::uint64_t before = after->head_seq();
    const bool was_owner = (after->RolesAt(caller.member, before) & protocol::kOwner) != 0;
    const bool was_stale = after->IsStaleAt(header.author_member, before);
    const auto payload = protocol::ReadStatementPayload(header.type, raw->payload);
    const auto admissible =
        payload ? CheckAdmissible(*after, header, *payload, now_ms) : base::Status();
    // The verdict comes first.
    if (const auto status = after->Append(upload.statement); !status) return status.error();
    if (!payload) return payload.error();
    const bool by_root = header.author_member.IsZero() && header.author_device.IsZero();
    const bool by_caller =
        header.author_member == caller.member && header.author_device == caller.device;
    if (!by_caller && !(by_root && was_owner)) {
      return base::Error(base::Code::kPermissionDenied,
                         "a statement is sent by its author, one of the root by an owner");
    }
    if (!admissible) return admissible.error();
    // Its 30 days count from the time that it gives itself.
    if (after->FindPending(after->head()) != nullptr && header.time_ms > now_ms + kMsPerDay) {
      return Invalid("a statement that waits is dated a day ahead: set this device's clock");
    }
    if (const auto* add = std::get_if<protocol::DeviceAdd>(&*payload)) {
      // An addition that is valid is the device's only one: an earlier one was given up.
      const auto device = protocol::DeviceIdOf(add->device);
      std::erase_if(admitted.append.boxes,
                    [&](const storage::PukBoxRow& row) { return row.device == device; });
    }
    if (const auto status = TakeBoxes(upload, *payload, admitted.append.boxes); !status) {
      return status.error();
    }
    if (const auto* rotate = std::get_if<protocol::PukRotate>(&*payload)) {
      if (!was_stale) ++rotations[rotate->member];
    } else if (const auto* add = std::get_if<protocol::DeviceAdd>(&*payload)) {
      ++devices[add->member];
    } else if (const auto* revoke = std::get_if<protocol::DeviceRevoke>(&*payload)) {
      // What the root revokes is nobody's quota.
      if (by_caller && revoke->member != caller.member) ++revokes;
    }
    admitted.append.statements.push_back(
        {header.seq, base::ToBytes(upload.statement), after->head()});
  }
  NoteEnds(roster, *after, admitted.append);
  for (const auto& [member, count] : rotations) {
    admitted.append.charges.push_back(
        Charge(member, Act::kPukRotate, count, quotas.puk_rotate_per_day, now_ms));
  }
  for (const auto& [member, count] : devices) {
    admitted.append.charges.push_back(
        Charge(member, Act::kDeviceAdd, count, quotas.device_add_per_day, now_ms));
  }
  if (revokes > 0) {
    admitted.append.charges.push_back(Charge(caller.member, Act::kRevokeOther, revokes,
                                             quotas.revokes_of_others_per_day, now_ms));
  }
  admitted.after = std::move(after);
  return admitted;
}

}  // namespace godwit::realm
