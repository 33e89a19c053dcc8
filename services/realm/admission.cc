#include "services/realm/admission.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include "crypto/hash.h"
#include "crypto/sign.h"
#include "protocol/entry.h"
#include "protocol/kinds.h"
#include "protocol/labels.h"
#include "protocol/leaf.h"
#include "protocol/statement.h"

namespace godwit::realm {
namespace {

using protocol::Kind;

constexpr std::uint64_t kMsPerDay = 86'400'000;

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
    ++epochs_;
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
};

// The boxes beside a statement, in full: those of a PUK_ROTATE, none of any other.
base::Status TakeBoxes(const StatementUpload& upload, const protocol::StatementPayload& payload,
                       std::vector<storage::PukBoxRow>& rows) {
  const auto* rotate = std::get_if<protocol::PukRotate>(&payload);
  if (rotate == nullptr) {
    if (!upload.boxes.empty()) return Invalid("a statement of this type comes without boxes");
    return {};
  }
  std::set<base::DeviceId> boxed;
  for (const auto& box : upload.boxes) {
    const auto listed = rotate->box_hashes.find(box.device);
    if (listed == rotate->box_hashes.end() || !boxed.insert(box.device).second) {
      return Invalid("a box for a device that is not listed, or two for one");
    }
    if (!Hashes(box.box, listed->second)) return Invalid("a box is not the one that is listed");
    rows.push_back({rotate->member, box.device, rotate->gen, base::ToBytes(box.box)});
  }
  if (boxed.size() != rotate->box_hashes.size()) return Invalid("a device's box is missing");
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
  const auto& key = root ? roster.root_pk() : device->keys.sign_pk;
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
  for (const auto& upload : statements) {
    const bool was_owner =
        (after->RolesAt(caller.member, after->head_seq()) & protocol::kOwner) != 0;
    const auto raw = protocol::ReadStatement(upload.statement);
    if (!raw) return raw.error();
    const auto& header = raw->header;
    const std::uint64_t before = after->head_seq();
    const bool was_stale = after->IsStaleAt(header.author_member, before);
    if (const auto status = after->Append(upload.statement); !status) return status.error();
    const bool by_root = header.author_member.IsZero() && header.author_device.IsZero();
    const bool by_caller =
        header.author_member == caller.member && header.author_device == caller.device;
    if (!by_caller && !(by_root && was_owner)) {
      return base::Error(base::Code::kPermissionDenied,
                         "a statement is sent by its author, one of the root by an owner");
    }
    // Pairs that a log published: there is none yet.
    if (header.log_size != 0 || !header.log_root.IsZero()) {
      return base::Error(base::Code::kRosterInvalid,
                         "a statement cites a checkpoint that was never published");
    }
    const auto payload = protocol::ReadStatementPayload(header.type, raw->payload);
    if (!payload) return payload.error();
    if (const auto status = TakeBoxes(upload, *payload, admitted.append.boxes); !status) {
      return status.error();
    }
    if (const auto* rotate = std::get_if<protocol::PukRotate>(&*payload)) {
      if (!was_stale) ++rotations[rotate->member];
    } else if (const auto* revoke = std::get_if<protocol::DeviceRevoke>(&*payload)) {
      admitted.append.revoked_devices.push_back(revoke->device);
      if (revoke->member != caller.member) ++revokes;
    } else if (const auto* remove = std::get_if<protocol::MemberRemove>(&*payload)) {
      admitted.append.removed_members.push_back(remove->member);
      for (const auto& device : after->ActiveDevicesAt(remove->member, before)) {
        admitted.append.revoked_devices.push_back(device);
      }
    }
    admitted.append.statements.push_back(
        {header.seq, base::ToBytes(upload.statement), after->head()});
  }
  for (const auto& [member, count] : rotations) {
    admitted.append.charges.push_back(
        Charge(member, Act::kPukRotate, count, quotas.puk_rotate_per_day, now_ms));
  }
  if (revokes > 0) {
    admitted.append.charges.push_back(Charge(caller.member, Act::kRevokeOther, revokes,
                                             quotas.revokes_of_others_per_day, now_ms));
  }
  admitted.after = std::move(after);
  return admitted;
}

}  // namespace godwit::realm
