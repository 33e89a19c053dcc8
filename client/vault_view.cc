#include "client/vault_view.h"

#include <algorithm>

#include "base/clock.h"
#include "crypto/hash.h"
#include "protocol/ce.h"
#include "protocol/epoch_keys.h"
#include "protocol/record.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using protocol::Claim;

VaultMemory MemoryOf(const protocol::Vault& vault) {
  VaultMemory memory;
  memory.kind = vault.kind();
  memory.seq = vault.head_seq();
  memory.head = vault.head();
  memory.roster_seq = vault.roster_seq();
  memory.epoch = vault.epoch().number;
  return memory;
}

// Whether the day is past by this device's clock after which the service has nothing left to serve.
bool IsErased(const protocol::State& state) {
  constexpr std::uint64_t kDayMs = 86'400'000;
  return state.erase_day != 0 && state.hold == 0 &&
         base::SystemClock().NowMs() / kDayMs > state.erase_day;
}

Error Rollback() {
  return {Code::kRollback,
          "the service shows an older state of a vault than before: tell your colleagues by "
          "another way, and keep the evidence"};
}

Error Fork() {
  return {Code::kFork,
          "the service shows another history of a vault than before: tell your colleagues by "
          "another way, and keep the evidence"};
}

}  // namespace

base::Result<content::v1::Record> ParseRecord(base::ByteSpan text) {
  content::v1::Record record;
  if (!record.ParseFromArray(text.data(), static_cast<int>(text.size()))) {
    return Error(Code::kDecrypt, "a record opens, but holds no record");
  }
  return record;
}

crypto::SecretBytes SerializeRecord(const content::v1::Record& record) {
  crypto::SecretBytes text(record.ByteSizeLong());
  record.SerializeToArray(text.Expose().data(), static_cast<int>(text.size()));
  return text;
}

void VaultView::Keep(const Error& error, Claim claim, std::vector<base::Bytes> exhibits,
                     std::vector<base::Bytes> not_kept_yet) const {
  const std::uint64_t before = state_.size() - not_kept_yet.size();
  realm_->KeepEvidence(error,
                       {.claim = claim,
                        .form = protocol::Evidence::Form::kChain,
                        .vault = state_.id(),
                        .entries = std::move(not_kept_yet),
                        .exhibits = std::move(exhibits)},
                       realm_->roster().size(), before);
}

void VaultView::KeepBoxNotOfKey(std::uint32_t epoch, const base::MemberId& member) const {
  const Error error(Code::kKeyMismatch, "an epoch lists a box that is not of its key");
  protocol::Writer which;
  which.U32(epoch).Fixed(member);
  Keep(error, Claim::kVekBoxNotOfKey, {which.Take()}, {});
}

void VaultView::TakePayload(base::ByteSpan bytes) {
  const auto raw = protocol::ReadEntry(bytes);
  auto payload = protocol::ReadEntryPayload(raw->header.type, raw->payload);
  headers_.push_back(raw->header);
  if (auto* epoch = std::get_if<protocol::Epoch>(&*payload)) {
    epoch_seqs_[epoch->epoch] = raw->header.seq;
    closed_.clear();
    epochs_[epoch->epoch] = std::move(*epoch);
  } else if (auto* rev = std::get_if<protocol::Rev>(&*payload)) {
    RecordVersion version{raw->header, *rev, protocol::EntryLink(bytes), {}};
    if (rev->rver == 1) first_[rev->record] = version;
    latest_[rev->record] = std::move(version);
  } else if (auto* tomb = std::get_if<protocol::Tomb>(&*payload)) {
    latest_.erase(tomb->record);
    first_.erase(tomb->record);
  } else if (const auto* ask = std::get_if<protocol::Ask>(&*payload)) {
    asked_[raw->header.author_member] = {raw->header, *ask, protocol::EntryLink(bytes), {}, false};
  } else if (const auto* assent = std::get_if<protocol::Assent>(&*payload)) {
    for (auto& [member, asked] : asked_) {
      if (asked.link != assent->target) continue;
      if (assent->say == protocol::Assent::kYes) asked.assents.push_back(raw->header);
      asked.refused = asked.refused || assent->say == protocol::Assent::kNo;
    }
    if (assent->say != protocol::Assent::kYes) return;
    const auto of = std::ranges::find_if(
        latest_, [&](const auto& row) { return row.second.link == assent->target; });
    if (of == latest_.end()) return;
    of->second.assents.push_back(raw->header);
    if (of->second.rev.rver == 1) first_[of->first].assents.push_back(raw->header);
  }
}

Status VaultView::Replay(const StoredVault& stored) {
  for (const base::Bytes& entry : stored.entries) {
    if (const auto status = state_.Replay(entry); !status) return status;
    TakePayload(entry);
  }
  boxes_ = stored.boxes;
  for (const auto& record : stored.records) {
    sealed_[{record.record, record.rver}] = {record.salt, record.ciphertext};
  }
  return {};
}

base::Result<VaultView> VaultView::FromStored(Realm& realm, const StoredVault& stored) {
  VaultView view(realm);
  if (const auto status = view.Replay(stored); !status) return status.error();
  return view;
}

base::Result<VaultView> VaultView::Open(Realm& realm, const base::VaultId& vault) {
  const auto stored = realm.store().Load(vault);
  if (!stored) return stored.error();
  if (!*stored) {
    return Error(Code::kNotFound, "this vault is not on this device: run `godwit sync` first");
  }
  return FromStored(realm, **stored);
}

base::Result<VaultView> VaultView::Fetch(Realm& realm, const base::VaultId& vault) {
  const auto stored = realm.store().Load(vault);
  if (!stored) return stored.error();
  VaultView view(realm);
  if (*stored) {
    if ((*stored)->memory.frozen) {
      return Error(Code::kFork,
                   "this vault is frozen on this device, since the service showed two histories "
                   "of it: see `godwit evidence list`");
    }
    if (const auto status = view.Replay(**stored); !status) return status.error();
  }

  // What is known is asked for again, the last entry at least: the service must still have it (R7).
  const std::uint64_t from = view.AskFrom();
  std::vector<base::Bytes> entries;
  std::vector<transport::RecordContent> contents;
  std::map<std::uint32_t, base::Bytes> boxes;
  const auto fetched =
      realm.server().FetchVault(vault, from, [&](transport::VaultPart part) -> Status {
        std::ranges::move(part.entries, std::back_inserter(entries));
        std::ranges::move(part.records, std::back_inserter(contents));
        for (auto& box : part.boxes) boxes[box.epoch] = std::move(box.box);
        return {};
      });
  if (!fetched) return fetched.error();

  // What shows it is kept, and nothing is written on this vault from here.
  const auto piece = [&](Claim claim, std::vector<base::Bytes> exhibits) {
    return protocol::Evidence{.claim = claim,
                              .form = protocol::Evidence::Form::kChain,
                              .vault = vault,
                              .exhibits = std::move(exhibits)};
  };
  const auto freeze = [&](const Error& error, Claim claim, std::vector<base::Bytes> exhibits,
                          std::uint64_t entries_before) {
    const auto frozen =
        realm.store().Freeze(vault, realm.ToKeep(error, piece(claim, std::move(exhibits)),
                                                 realm.roster().size(), entries_before));
    return frozen ? error : frozen.error();
  };
  if (!view.state_.empty()) {
    const std::vector<base::Bytes>& known = (*stored)->entries;
    for (std::size_t i = from; i < known.size(); ++i) {
      if (i - from >= entries.size()) {
        return freeze(Rollback(), Claim::kOlderVault, {base::ToBytes(view.state_.head().bytes())},
                      known.size());
      }
      const base::Bytes& shown = entries[i - from];
      if (shown != known[i]) return freeze(Fork(), Claim::kTwoEntries, {known[i], shown}, i);
    }
    entries.erase(entries.begin(),
                  entries.begin() + static_cast<std::ptrdiff_t>(known.size() - from));
  }

  VaultUpdate update;
  update.vault = vault;
  Status verdict;
  Claim claim = Claim::kEntry;
  base::Bytes refused;
  for (const base::Bytes& entry : entries) {
    auto judged = view.state_.Judge(entry, realm.roster());
    if (!judged && judged.error().code() == Code::kStaleRoster) {
      if (const auto synced = realm.Sync(); !synced) return synced.error();
      judged = view.state_.Judge(entry, realm.roster());
    }
    if (judged && view.state_.empty() && judged->header.vault != vault) {
      claim = Claim::kOtherVault;
      judged = Error(Code::kEntryInvalid, "the service shows another vault than the one asked for");
    }
    if (!judged) {
      // Readable up to the last good entry.
      verdict = judged.error();
      refused = entry;
      break;
    }
    view.state_.Take(*judged);
    view.TakePayload(entry);
    if (const auto* tomb = std::get_if<protocol::Tomb>(&judged->payload)) {
      update.dropped_records.push_back(tomb->record);
    }
    update.entries.push_back(entry);
  }
  // What an author signed wrongly is evidence.
  const auto keep_refused = [&](std::vector<base::Bytes> not_kept_yet) {
    if (verdict || verdict.error().code() == Code::kUnsupported) return;
    auto refusal = piece(claim, {refused});
    const std::uint64_t before = view.state_.size() - not_kept_yet.size();
    refusal.entries = std::move(not_kept_yet);
    realm.KeepEvidence(verdict.error(), std::move(refusal), realm.roster().size(), before);
  };
  if (view.state_.empty()) {
    if (verdict) return Error(Code::kNotFound, "no such vault, or not yours to see");
    keep_refused({});
    return verdict.error();
  }
  for (auto& content : contents) {
    const RecordVersion* latest = view.Latest(content.record);
    // A later entry that was not taken, or a record that is gone: nothing of it is kept.
    if (latest == nullptr || latest->rev.rver != content.rver) continue;
    if (!protocol::AreListed(latest->rev, content.salt, content.ciphertext)) {
      const Error error(Code::kDecrypt,
                        "the service changed a record's bytes: what it sent is refused");
      keep_refused(update.entries);
      view.Keep(error, Claim::kRecordChanged,
                {base::ToBytes(latest->link.bytes()), std::move(content.salt),
                 std::move(content.ciphertext)},
                std::move(update.entries));
      return error;
    }
    view.sealed_[{content.record, content.rver}] = {content.salt, content.ciphertext};
    update.records.push_back(
        {content.record, content.rver, std::move(content.salt), std::move(content.ciphertext)});
  }
  for (auto& [number, box] : boxes) {
    const base::Sha256Hash* listed = view.ListedBox(number);
    if (listed == nullptr) continue;
    // Kept, it would stand in the place of the right one.
    if (base::Sha256Hash(crypto::Sha256(box)) != *listed) {
      const Error error(Code::kKeyMismatch,
                        "the service changed the box of a vault's key: what it sent is refused");
      keep_refused(update.entries);
      view.Keep(error, Claim::kVekBoxChanged, {view.BoxExhibit(number), std::move(box)},
                std::move(update.entries));
      return error;
    }
    view.boxes_[number] = box;
    view.closed_.clear();
    update.boxes[number] = std::move(box);
  }
  update.memory = MemoryOf(view.state_);
  if (const auto status = realm.store().Apply({std::move(update)}); !status) return status.error();
  if (!verdict && verdict.error().code() == Code::kFork) {
    return freeze(verdict.error(), claim, {refused}, view.state_.size());
  }
  if (!verdict) {
    keep_refused({});
    return verdict.error();
  }
  return view;
}

Status VaultView::TakeServed(std::vector<transport::RecordContent> contents) {
  for (auto& content : contents) {
    const RecordVersion* latest = Latest(content.record);
    if (latest == nullptr || latest->rev.rver != content.rver) continue;
    if (!protocol::AreListed(latest->rev, content.salt, content.ciphertext)) {
      const Error error(Code::kDecrypt,
                        "the service changed a record's bytes: what it sent is refused");
      Keep(error, Claim::kRecordChanged,
           {base::ToBytes(latest->link.bytes()), std::move(content.salt),
            std::move(content.ciphertext)});
      return error;
    }
    sealed_[{content.record, content.rver}] = {std::move(content.salt),
                                               std::move(content.ciphertext)};
  }
  return {};
}

std::uint64_t VaultView::AskFrom() const {
  if (state_.empty()) return 0;
  std::uint64_t from = state_.head_seq();
  if ((perm() & protocol::kRead) == 0 || IsErased(state_.state())) return from;
  // A record that was not served once, by a lie or before this member might read, is asked for
  // until it comes, or is gone for good.
  for (const auto& [record, version] : latest_) {
    if (BytesOf(version.rev) == nullptr) from = std::min(from, version.header.seq);
  }
  return from;
}

const VaultView::Sealed* VaultView::BytesOf(const protocol::Rev& rev) const {
  const auto sealed = sealed_.find({rev.record, rev.rver});
  return sealed == sealed_.end() ? nullptr : &sealed->second;
}

const base::Sha256Hash* VaultView::ListedBox(std::uint32_t number) const {
  const auto epoch = epochs_.find(number);
  if (epoch == epochs_.end()) return nullptr;
  const auto row = epoch->second.list.find(realm_->member());
  if (row == epoch->second.list.end() || row->second.puk_gen == 0) return nullptr;
  return &row->second.box_hash;
}

base::Bytes VaultView::BoxExhibit(std::uint32_t number) const {
  protocol::Writer which;
  which.U32(number).Fixed(realm_->member());
  return which.Take();
}

bool VaultView::IsBoxWithheld(std::uint32_t number) const {
  return ListedBox(number) != nullptr && !boxes_.contains(number);
}

protocol::Perm VaultView::perm() const {
  return state_.PermAt(realm_->member(), realm_->roster(), realm_->roster().head_seq());
}

base::Result<const protocol::Vek*> VaultView::KeyOf(std::uint32_t number) {
  if (const auto known = keys_.find(number); known != keys_.end()) return known->second.get();
  // Each is tried once: else a writer could make of the wraps a graph with more ways through it
  // than anybody has time for.
  if (const auto closed = closed_.find(number); closed != closed_.end()) return closed->second;
  const Error unreachable(Code::kNotFound, "the key of this epoch is out of your reach");
  const auto epoch = epochs_.find(number);
  if (epoch == epochs_.end()) return unreachable;

  std::optional<base::Result<protocol::Vek>> opened;
  const auto opens = protocol::CheckOpens(headers_[epoch_seqs_.at(number)].suite);
  if (!opens) opened = opens.error();
  const auto row = epoch->second.list.find(realm_->member());
  const auto box = boxes_.find(number);
  if (!opened && row != epoch->second.list.end() && row->second.puk_gen != 0 &&
      box != boxes_.end()) {
    const auto pair = realm_->PukPair(row->second.puk_gen);
    if (pair) {
      opened = protocol::OpenVek(epoch->second, state_.realm(), state_.id(), realm_->member(),
                                 **pair, box->second);
      if (!*opened) {
        Keep(opened->error(), Claim::kVekBoxClosed, {BoxExhibit(number), box->second});
      }
    }
  }
  if (!opened) {
    for (const auto& [later, payload] : epochs_) {
      if (!payload.wraps.contains(number)) continue;
      const auto key = KeyOf(later);
      if (!key) continue;
      opened = protocol::UnwrapVek(**key, payload, epoch->second, state_.realm(), state_.id());
      if (*opened) break;
      protocol::Writer which;
      which.U32(later).U32(number);
      Keep(opened->error(), Claim::kWrapClosed, {which.Take()});
    }
  }
  if (!opened) opened = unreachable;
  if (!*opened) closed_.emplace(number, opened->error());
  if (!*opened) return opened->error();
  auto key = std::make_unique<protocol::Vek>(*std::move(*opened));
  return keys_.emplace(number, std::move(key)).first->second.get();
}

std::vector<base::RecordId> VaultView::LiveRecords() const {
  std::vector<base::RecordId> live;
  for (const auto& [record, version] : latest_) live.push_back(record);
  return live;
}

const VaultView::RecordVersion* VaultView::Latest(const base::RecordId& record) const {
  const auto found = latest_.find(record);
  return found == latest_.end() ? nullptr : &found->second;
}

const VaultView::RecordVersion* VaultView::First(const base::RecordId& record) const {
  const auto found = first_.find(record);
  return found == first_.end() ? nullptr : &found->second;
}

protocol::Perm VaultView::ListedPerm(const base::MemberId& member, std::uint64_t seq) const {
  const protocol::Epoch* in_force = nullptr;
  for (const auto& [number, at] : epoch_seqs_) {
    if (at < seq) in_force = &epochs_.at(number);
  }
  if (in_force == nullptr) return 0;
  const auto row = in_force->list.find(member);
  return row == in_force->list.end() ? protocol::Perm{0} : row->second.perm;
}

base::Result<content::v1::Record> VaultView::Read(const base::RecordId& record) {
  const auto text = ReadText(record);
  if (!text) return text.error();
  return ParseRecord(text->Expose());
}

base::Result<crypto::SecretBytes> VaultView::ReadText(const base::RecordId& record) {
  const RecordVersion* version = Latest(record);
  const Sealed* sealed = version == nullptr ? nullptr : BytesOf(version->rev);
  if (sealed == nullptr) {
    // No fault of the service's: after that day it has nothing to serve.
    if (state_.state().erase_day != 0 && state_.state().hold == 0) {
      return Error(Code::kNotFound,
                   "this record is not served: its vault has an erase_day, after which its content "
                   "is gone for good");
    }
    return Error(Code::kNotFound, "this record is not served to you");
  }
  const auto key = KeyOf(version->rev.epoch);
  if (!key) return key.error();
  const std::size_t floor =
      protocol::RecordFloor(realm_->compartment(), kind(), record == state_.pinned_record());
  auto text = protocol::OpenRecord(**key, protocol::PlaceOf(version->header, version->rev),
                                   version->rev, sealed->salt, sealed->ciphertext, floor);
  if (!text) {
    // The bytes are those that the author listed: the fault is the author's.
    Keep(text.error(), Claim::kRecordClosed,
         {base::ToBytes(version->link.bytes()), sealed->salt, sealed->ciphertext});
    return text.error();
  }
  return text;
}

base::Result<std::vector<std::pair<base::RecordId, content::v1::Record>>> VaultView::ReadAll(
    content::v1::Record::BodyCase body) {
  std::vector<std::pair<base::RecordId, content::v1::Record>> records;
  for (const base::RecordId& id : LiveRecords()) {
    auto record = Read(id);
    if (!record) return record.error();
    if (record->body_case() == body) records.emplace_back(id, *std::move(record));
  }
  return records;
}

}  // namespace godwit::client
