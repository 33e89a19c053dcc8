#include "client/vault_writer.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "base/clock.h"
#include "client/casework/compartments.h"
#include "crypto/random.h"
#include "protocol/epoch_keys.h"
#include "protocol/record.h"
#include "protocol/statement.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;

constexpr int kTries = 8;
// Records that one call writes anew, well below what a call may hold.
constexpr std::size_t kRewrites = 100;
constexpr std::size_t kRewrittenBytes = 2u << 20;

// How long content vaults are made after the recovery secret was spent.
constexpr std::uint64_t kSpentMs = std::uint64_t{14} * 24 * 60 * 60 * 1000;

// Whether a content vault may be made (docs/protocol.md section 4): outside evaluation only where
// somebody could open it once all its managers are lost.
Status CheckRecovery(Realm& realm, protocol::Kind kind) {
  const protocol::Roster& roster = realm.roster();
  if (kind < protocol::Kind::kIndex || roster.policy().evaluation()) return {};
  const protocol::Roster::Recovery* last = nullptr;
  for (const auto& recovery : roster.recoveries()) {
    if (recovery.set.use == protocol::kRecoveryLive) last = &recovery;
  }
  if (last == nullptr) {
    return Error(Code::kPermissionDenied,
                 "this realm has no recovery secret, so that what is put into a vault is lost with "
                 "its managers: nothing is made here before the owners set one (RECOVERY_SET)");
  }
  if (last->spent_seq == protocol::kNever) return {};
  const auto statements = realm.store().Roster();
  if (!statements) return statements.error();
  if (last->spent_seq >= statements->size()) {
    return Error(Code::kStateLost, "the local store lacks a statement that it had");
  }
  const auto spent = protocol::ReadStatement((*statements)[last->spent_seq]);
  if (!spent) return spent.error();
  const std::uint64_t now = base::SystemClock().NowMs();
  const std::uint64_t then = spent->header.time_ms;
  if (now < then || now - then < kSpentMs) return {};
  return Error(Code::kPermissionDenied,
               "the recovery secret of this realm was used up more than 14 days ago: nothing is "
               "made here before the owners set a new one (RECOVERY_SET)");
}

bool IsRace(Code code) {
  return code == Code::kConflict || code == Code::kStaleRoster || code == Code::kRekeyRequired ||
         code == Code::kFork;
}

bool IsWorthAnotherTry(Code code) { return IsRace(code) || IsLostAnswer(code); }

// Whether one of the tries stands in the vault.
bool Stands(const VaultView& vault, const Tries& tries) {
  return std::ranges::any_of(tries.links, [&](const base::Link& link) {
    return vault.state().head() == link ||
           std::ranges::count(vault.headers(), link, &protocol::EntryHeader::prev) != 0;
  });
}

// Builds the entries of one vault one after the other, and what the store keeps of them.
class Draft {
 public:
  Draft(Realm& realm, protocol::Vault state) : realm_(realm), state_(std::move(state)) {}

  const protocol::Vault& state() const { return state_; }

  Status Create(base::ByteSpan entry) { return Add(entry, {}); }

  Status Create(protocol::Kind kind) {
    protocol::Create create;
    create.kind = static_cast<std::uint8_t>(kind);
    crypto::FillRandom(create.nonce);
    const auto signed_create =
        protocol::SignCreate(realm_.EntryHeaderNow(), create, realm_.device().signing_key());
    return Add(signed_create.entry, {});
  }

  Status Epoch(const protocol::Vek& vek, const protocol::MemberList& list,
               const std::map<std::uint32_t, const protocol::Vek*>& older) {
    const std::uint32_t number = state_.epoch().number + 1;
    auto made = protocol::MakeEpoch(vek, state_.id(), number, list, state_.epoch().guests,
                                    realm_.roster(), realm_.roster().head_seq(), older);
    if (!made) return made.error();
    transport::EntryUpload upload;
    for (auto& [member, box] : made->boxes) {
      if (member == realm_.member()) boxes_[number] = box;
      upload.boxes.push_back({member, std::move(box)});
    }
    return Add(Sign(made->payload), std::move(upload));
  }

  Status Rev(const protocol::Vek& vek, const Edit& edit) {
    if (!BelongsIn(edit.content, state_.kind())) {
      return Error(Code::kPermissionDenied,
                   "this says what belongs in another vault of the case, before other readers: "
                   "nothing was written");
    }
    content::v1::Record content = edit.content;
    base::RecordId id = edit.record;
    if (edit.names_previous) {
      const std::string previous = base::ToString(state_.head().bytes());
      if (content.has_summary()) content.mutable_summary()->set_state_link(previous);
      if (content.has_act()) {
        content.mutable_act()->set_subject(previous);
        id = protocol::ActRecordId(SerializeRecord(content).Expose());
      }
    }
    const auto* record = state_.FindRecord(id);
    protocol::RecordPlace place;
    place.realm = realm_.id();
    place.vault = state_.id();
    place.record = id;
    place.rver = (record == nullptr ? 0 : record->rver) + 1;
    if (record != nullptr) place.rprev = record->link;
    place.epoch = state_.epoch().number;
    place.author_member = realm_.member();
    place.author_device = realm_.device().id();
    const std::size_t floor =
        protocol::RecordFloor(realm_.compartment(), state_.kind(), id == state_.pinned_record());
    const crypto::SecretBytes text = SerializeRecord(content);
    auto sealed = protocol::SealRecord(vek, place, text.Expose(), floor, edit.flags);
    if (!sealed) return sealed.error();
    records_.push_back({id, place.rver, sealed->salt, sealed->ciphertext});
    transport::EntryUpload upload;
    upload.salt = std::move(sealed->salt);
    upload.ciphertext = std::move(sealed->ciphertext);
    return Add(Sign(sealed->rev), std::move(upload));
  }

  Status Plain(const protocol::EntryPayload& payload) {
    const auto* tomb = std::get_if<protocol::Tomb>(&payload);
    if (tomb != nullptr) dropped_records_.push_back(tomb->record);
    return Add(Sign(payload), {});
  }

  transport::VaultUpload TakeUpload() { return std::move(upload_); }
  // What the store keeps of the entries made here.
  VaultUpdate Update() const {
    VaultUpdate update;
    update.vault = state_.id();
    update.memory.kind = state_.kind();
    update.memory.seq = state_.head_seq();
    update.memory.head = state_.head();
    update.memory.roster_seq = state_.roster_seq();
    update.memory.epoch = state_.epoch().number;
    update.entries = entries_;
    update.boxes = boxes_;
    update.records = records_;
    update.dropped_records = dropped_records_;
    return update;
  }

 private:
  base::Bytes Sign(const protocol::EntryPayload& payload) const {
    protocol::EntryHeader header = realm_.EntryHeaderNow();
    header.vault = state_.id();
    header.seq = state_.size();
    header.prev = state_.head();
    header.epoch_link = state_.epoch().link;
    header.pin_link = state_.pin_link();
    return protocol::SignEntry(header, payload, realm_.device().signing_key());
  }

  // The own verifier judges it first: what it refuses is never sent.
  Status Add(base::ByteSpan entry, transport::EntryUpload upload) {
    const auto judged = state_.Judge(entry, realm_.roster());
    if (!judged) return judged.error();
    state_.Take(*judged);
    upload.entry = base::ToBytes(entry);
    entries_.push_back(upload.entry);
    upload_.entries.push_back(std::move(upload));
    return {};
  }

  Realm& realm_;
  protocol::Vault state_;
  transport::VaultUpload upload_;
  std::vector<base::Bytes> entries_;
  std::map<std::uint32_t, base::Bytes> boxes_;
  std::vector<RecordBlob> records_;
  std::vector<base::RecordId> dropped_records_;
};

// Sends entries of one vault, and keeps them here.
Status Send(Realm& realm, const transport::VaultUpload& upload, const VaultUpdate& update) {
  const auto sent = realm.server().AppendEntries({upload});
  if (!sent) return sent.error();
  if (!sent->front()) return sent->front();
  return realm.store().Apply({update});
}

// The list of the EPOCH that is due, or nothing if the one in force may stay.
std::optional<protocol::MemberList> DueList(Realm& realm, VaultView& vault, const Relister& relist,
                                            const std::function<bool(VaultView&)>& is_due,
                                            bool has_key) {
  const protocol::Roster& roster = realm.roster();
  const auto& epoch = vault.state().epoch();
  protocol::MemberList want = protocol::Want(epoch.list, vault.kind(), roster, roster.head_seq());
  std::erase_if(want, [](const auto& row) { return row.second.perm == protocol::kWrite; });
  if (relist) {
    const auto members = relist(want);
    protocol::MemberList list = ListNow(realm, vault.kind(), members);
    if (list != epoch.list) return list;
  }
  if (has_key && !epoch.by_writer_only &&
      protocol::IsFresh(epoch, vault.kind(), roster, roster.head_seq()) &&
      !(is_due && is_due(vault))) {
    return std::nullopt;
  }
  return want;
}

// The older keys that the next epoch must hand on: the newest that the author knows, and any other
// that no wrap reaches from there, but none from before an epoch that hides it.
std::map<std::uint32_t, const protocol::Vek*> KeysToHandOn(VaultView& vault) {
  std::map<std::uint32_t, const protocol::Vek*> older;
  std::set<std::uint32_t> reached;
  for (std::uint32_t number = vault.state().epoch().number;
       number > 0 && older.size() < protocol::kMaxWraps; --number) {
    const protocol::Epoch& epoch = vault.epochs().at(number);
    if (const auto key = vault.KeyOf(number)) {
      if (!reached.contains(number)) older[number] = *key;
      for (const auto& [wrapped, wrap] : epoch.wraps) reached.insert(wrapped);
    }
    if (HidesHistory(epoch)) break;
  }
  return older;
}

bool ListsNewcomer(const Realm& realm, const VaultView& vault, const Relister& relist) {
  const auto& roster = realm.roster();
  const auto& listed = vault.state().epoch().list;
  const auto members = relist(protocol::Want(listed, vault.kind(), roster, roster.head_seq()));
  return std::ranges::any_of(members, [&](const auto& row) { return !listed.contains(row.first); });
}

// The live records of before epoch `first` that this member reads, as many as one call takes. What
// lies under a key out of this member's own reach stays as it is.
base::Result<std::vector<Edit>> RecordsBefore(VaultView& vault, std::uint32_t first) {
  std::vector<Edit> edits;
  std::size_t bytes = 0;
  for (const base::RecordId& record : vault.LiveRecords()) {
    const std::uint32_t epoch = vault.Latest(record)->rev.epoch;
    if (epoch >= first) continue;
    const auto key = vault.KeyOf(epoch);
    if (!key && key.error().code() == Code::kNotFound && !vault.IsBoxWithheld(epoch)) continue;
    auto content = vault.Read(record);
    if (!content) return content.error();
    bytes += vault.Latest(record)->rev.ct_len;
    if (!edits.empty() && (edits.size() == kRewrites || bytes > kRewrittenBytes)) break;
    edits.push_back({record, *std::move(content), 0});
  }
  return edits;
}

// WriteVault by itself; `wraps_nothing`: the EPOCH, if there is one, hides what was before it.
base::Result<VaultView> WriteOnce(Realm& realm, const base::VaultId& id, const Editor& edit,
                                  const Relister& relist, const WriteOptions& options,
                                  bool wraps_nothing = false) {
  Tries own;
  Tries& tries = options.tries == nullptr ? own : *options.tries;
  for (int i = 0;; ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5 << i));
    if (const auto synced = realm.Sync(); !synced) return synced.error();
    auto vault = VaultView::Fetch(realm, id);
    if (!vault) return vault.error();
    if (Stands(*vault, tries)) return vault;
    const auto current = vault->KeyOf(vault->state().epoch().number);
    // An EPOCH that cannot hand on the keys before it hides them from whoever comes: no service
    // gets one by withholding a box.
    if (!current && vault->IsBoxWithheld(vault->state().epoch().number)) return current.error();
    if (!current && current.error().code() == Code::kUnsupported) return current.error();
    const auto list = DueList(realm, *vault, relist, options.is_due, current.ok());

    std::vector<Edit> edits;
    if (edit) {
      auto wanted = edit(*vault);
      if (!wanted) return wanted.error();
      edits = *std::move(wanted);
    }
    if (!list && edits.empty()) return vault;

    Draft draft(realm, vault->state());
    const protocol::Vek* key = current ? *current : nullptr;
    std::optional<protocol::Vek> fresh_key;
    if (list) {
      auto vek = protocol::Vek::Random();
      if (!vek) return vek.error();
      std::map<std::uint32_t, const protocol::Vek*> older;
      if (!wraps_nothing) older = KeysToHandOn(*vault);
      const auto status = draft.Epoch(*vek, *list, older);
      if (!status) return status.error();
      fresh_key = *std::move(vek);
      key = &*fresh_key;
      // Whoever writes an EPOCH and can read the pinned record rewrites it in the same call, unless
      // the vault is frozen.
      const base::RecordId pinned = vault->state().pinned_record();
      const bool edited =
          std::ranges::any_of(edits, [&](const Edit& e) { return e.record == pinned; });
      if (!edited && vault->state().state().frozen == 0 && vault->Latest(pinned) != nullptr) {
        if (auto content = vault->Read(pinned)) {
          edits.push_back({pinned, *std::move(content), 0});
        }
      }
    }
    for (const Edit& e : edits) {
      if (const auto status = draft.Rev(*key, e); !status) return status.error();
    }

    tries.links.push_back(draft.state().head());
    if (tries.keep) {
      if (const auto status = tries.keep(tries.links); !status) return status.error();
    }
    const Status outcome = Send(realm, draft.TakeUpload(), draft.Update());
    if (outcome) return VaultView::Open(realm, id);
    if (!IsWorthAnotherTry(outcome.error().code()) || i + 1 == kTries) return outcome.error();
  }
}

// Readies a vault for newcomers who shall not read its history.
Status HideHistory(Realm& realm, const base::VaultId& id, const Relister& relist) {
  if (const auto synced = realm.Sync(); !synced) return synced;
  auto vault = VaultView::Fetch(realm, id);
  if (!vault) return vault.error();
  if (!ListsNewcomer(realm, *vault, relist)) return {};
  if (vault->kind() == protocol::Kind::kLedger) {
    return Error(Code::kInvalidArgument, "a ledger hides no history: whoever imports needs all");
  }
  if (vault->perm() != protocol::kFull) {
    return Error(Code::kPermissionDenied,
                 "history is hidden by whoever reads, writes and manages all of a vault: ask one "
                 "of its other managers");
  }
  const auto hides = [](const VaultView& view) {
    return HidesHistory(view.epochs().at(view.state().epoch().number));
  };
  const std::uint32_t before = vault->state().epoch().number;
  auto behind = RecordsBefore(*vault, before);
  if (!behind) return behind.error();
  // What was begun is gone on with; an older such epoch has a history of its own by now.
  if (!hides(*vault) || behind->empty()) {
    WriteOptions again;
    again.is_due = [&](VaultView& view) {
      return view.state().epoch().number == before || !hides(view);
    };
    vault = WriteOnce(realm, id, {}, {}, again, /*wraps_nothing=*/true);
    if (!vault) return vault.error();
  }
  const std::uint32_t boundary = vault->state().epoch().number;
  for (bool all = false; !all;) {
    const auto written = WriteOnce(realm, id,
                                   [&](VaultView& view) {
                                     auto edits = RecordsBefore(view, boundary);
                                     all = edits && edits->empty();
                                     return edits;
                                   },
                                   {}, {});
    if (!written) return written.error();
  }
  return {};
}

}  // namespace

bool HidesHistory(const protocol::Epoch& epoch) { return epoch.epoch > 1 && epoch.wraps.empty(); }

protocol::MemberList ListNow(const Realm& realm, protocol::Kind kind,
                             const std::map<base::MemberId, protocol::Perm>& members) {
  protocol::MemberList list;
  for (const auto& [member, perm] : members) list[member] = {perm, 0};
  return protocol::Want(list, kind, realm.roster(), realm.roster().head_seq());
}

base::Result<VaultView> WriteVault(Realm& realm, const base::VaultId& id, const Editor& edit,
                                   const Relister& relist, const WriteOptions& options) {
  if (options.hide_history && relist) {
    if (const auto hidden = HideHistory(realm, id, relist); !hidden) return hidden.error();
  }
  return WriteOnce(realm, id, edit, relist, options);
}

base::Result<VaultView> WriteEntry(Realm& realm, const base::VaultId& id,
                                   const EntryChooser& choose) {
  Tries tries;
  for (int i = 0;; ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5 << i));
    if (const auto synced = realm.Sync(); !synced) return synced.error();
    auto vault = VaultView::Fetch(realm, id);
    if (!vault) return vault.error();
    if (Stands(*vault, tries)) return vault;
    const auto payload = choose(*vault);
    if (!payload) return payload.error();
    if (!*payload) return vault;
    Draft draft(realm, vault->state());
    if (const auto status = draft.Plain(**payload); !status) return status.error();
    tries.links.push_back(draft.state().head());
    const Status outcome = Send(realm, draft.TakeUpload(), draft.Update());
    if (outcome) return VaultView::Open(realm, id);
    if (!IsWorthAnotherTry(outcome.error().code()) || i + 1 == kTries) return outcome.error();
  }
}

base::Result<NewVault> MakeVault(
    Realm& realm, protocol::Kind kind, const std::map<base::MemberId, protocol::Perm>& members,
    const std::function<base::Result<std::vector<Edit>>(const base::VaultId& id)>& edit,
    const base::Bytes* create) {
  if (const auto allowed = CheckRecovery(realm, kind); !allowed) return allowed.error();
  const protocol::MemberList list = ListNow(realm, kind, members);
  for (const auto& [member, perm] : members) {
    const auto row = list.find(member);
    if (row == list.end() || row->second.perm != perm) {
      return Error(Code::kInvalidArgument,
                   "a member cannot be listed like that: see `godwit member list` for who holds "
                   "which role");
    }
  }
  Draft draft(realm, protocol::Vault());
  const Status created = create != nullptr ? draft.Create(*create) : draft.Create(kind);
  if (!created) return created.error();
  auto vek = protocol::Vek::Random();
  if (!vek) return vek.error();
  if (const auto status = draft.Epoch(*vek, list, {}); !status) return status.error();
  const auto edits = edit(draft.state().id());
  if (!edits) return edits.error();
  for (const Edit& e : *edits) {
    if (const auto status = draft.Rev(*vek, e); !status) return status.error();
  }
  NewVault made;
  made.id = draft.state().id();
  made.update = draft.Update();
  made.upload = draft.TakeUpload();
  return made;
}

base::Result<VaultView> CreateVault(
    Realm& realm, protocol::Kind kind, const std::map<base::MemberId, protocol::Perm>& members,
    const std::function<base::Result<std::vector<Edit>>(const base::VaultId& id)>& edit,
    const base::Bytes* create) {
  std::optional<NewVault> made;
  for (int i = 0;; ++i) {
    if (!made) {
      auto anew = MakeVault(realm, kind, members, edit, create);
      if (!anew) return anew.error();
      made = *std::move(anew);
    }
    const Status outcome = Send(realm, made->upload, made->update);
    if (outcome) return VaultView::Open(realm, made->id);
    const Code code = outcome.error().code();
    if (!IsWorthAnotherTry(code) || i + 1 == kTries) return outcome.error();
    // A vault that may stand is sent again as it is: the same bytes have the same answer.
    if (IsRace(code)) made.reset();
    std::this_thread::sleep_for(std::chrono::milliseconds(5 << i));
    if (const auto synced = realm.Sync(); !synced) return synced.error();
  }
}

}  // namespace godwit::client
