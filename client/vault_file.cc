#include "client/vault_file.h"

#include <algorithm>
#include <set>

#include "client/case_code.h"
#include "client/identity_window.h"
#include "crypto/random.h"
#include "protocol/entry.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using content::v1::Record;
using protocol::Kind;

Error NoSuchCase() {
  return {Code::kNotFound,
          "no such case, or not yours: `godwit case list` shows yours as of the last sync"};
}

base::Result<VaultView> FetchFresh(Realm& realm, const base::VaultId& vault) {
  if (const auto synced = realm.Sync(); !synced) return synced.error();
  return VaultView::Fetch(realm, vault);
}

}  // namespace

base::RecordId VaultFile::pinned_record() const { return protocol::PinnedRecordOf(id_); }

base::Result<VaultFile> VaultFile::Open(Realm& realm, const base::VaultId& vault, From from) {
  const auto waiting = OutboxOf(realm);
  if (!waiting) return waiting.error();
  VaultFile file(realm, vault);
  bool unsent = false;
  for (const Pending& pending : *waiting) {
    if (pending.vault == vault && pending.create) unsent = true;
  }
  const bool ask = from == From::kService && !unsent && IsWindowOpen(realm);
  if (ask) {
    auto view = FetchFresh(realm, vault);
    if (view) {
      file.view_ = *std::move(view);
    } else if (IsLostAnswer(view.error().code())) {
      file.offline_ = true;
    } else {
      return view.error();
    }
  }
  if (!file.view_) {
    auto view = VaultView::Open(realm, vault);
    if (view) {
      file.view_ = *std::move(view);
    } else if (!unsent || view.error().code() != Code::kNotFound) {
      return view.error();
    }
  }
  if (file.view_) {
    if (const auto status = file.TakeView(); !status) return status.error();
  }
  for (const Pending& pending : *waiting) {
    if (pending.vault == vault) file.TakePending(pending);
  }
  return file;
}

base::Result<VaultFile> VaultFile::FromView(Realm& realm, VaultView view) {
  VaultFile file(realm, view.id());
  file.view_ = std::move(view);
  if (const auto status = file.TakeView(); !status) return status.error();
  return file;
}

Status VaultFile::TakeView() {
  kind_ = view_->kind();
  perm_ = view_->perm();
  hats_ = HatsNow(*realm_, *view_);
  for (const base::RecordId& id : view_->LiveRecords()) {
    auto record = view_->Read(id);
    if (!record && record.error().code() == Code::kNotFound) {
      ++unreadable_;
      continue;
    }
    if (!record) return record.error();
    const auto* latest = view_->Latest(id);
    Entry entry;
    entry.record = id;
    entry.content = *record;
    entry.signed_content = *std::move(record);
    entry.link = latest->link;
    entry.author = view_->First(id)->header.author_member;
    entry.changed_by = latest->header.author_member;
    entries_[id] = std::move(entry);
  }
  if (kind_ != Kind::kCase || unreadable_ > 0) return {};
  auto acts = ReadActs(*view_);
  if (!acts) return acts.error();
  acts_ = *std::move(acts);
  return {};
}

void VaultFile::TakePending(const Pending& pending) {
  if (pending.create) {
    kind_ = pending.create->kind;
    const auto mine = pending.create->members.find(realm_->member());
    if (mine != pending.create->members.end() && !view_) {
      perm_ = mine->second;
      hats_ = HatsOf(realm_->roles(), perm_);
    }
  }
  for (const PendingEdit& edit : pending.edits) {
    Entry& entry = entries_[edit.record];
    if (entry.record.IsZero()) {
      entry.record = edit.record;
      entry.author = realm_->member();
    }
    entry.changed_by = realm_->member();
    entry.content = edit.content;
    entry.waits = true;
    if (edit.content.has_act() && !edit.base) {
      const std::uint64_t last = acts_.acts.empty() ? 0 : acts_.acts.back().seq;
      acts_.acts.push_back({edit.content.act(), realm_->member(), hats_, last + 1, {}, {}});
    }
  }
}

std::vector<const VaultFile::Entry*> VaultFile::Of(Record::BodyCase body, bool with_errors) const {
  std::vector<const Entry*> found;
  for (const auto& [id, entry] : entries_) {
    if (entry.content.body_case() != body) continue;
    if (entry.content.entered_in_error() && !with_errors) continue;
    found.push_back(&entry);
  }
  return found;
}

const VaultFile::Entry* VaultFile::Find(const base::RecordId& record) const {
  const auto found = entries_.find(record);
  return found == entries_.end() ? nullptr : &found->second;
}

PendingEdit VaultFile::Change(const Entry& entry, Record content) {
  return {entry.record, entry.content, std::move(content), false};
}

PendingEdit VaultFile::Add(Record content) {
  return {crypto::RandomId<base::RecordId>(), std::nullopt, std::move(content), false};
}

const std::string& CodeOf(const Record& pinned) {
  if (pinned.has_summary()) return pinned.summary().code();
  if (pinned.has_screening_link()) return pinned.screening_link().case_code();
  return pinned.link1().case_code();
}

base::Result<std::vector<PinnedRow>> RowsWithWaiting(Realm& realm, Kind kind) {
  auto rows = ReadPinnedRows(realm, kind);
  if (!rows) return rows.error();
  const auto waiting = OutboxOf(realm);
  if (!waiting) return waiting.error();
  std::map<base::VaultId, std::size_t> places;
  for (std::size_t i = 0; i < rows->size(); ++i) places[(*rows)[i].vault] = i;
  // What this device made, opened or wrote since the last sync of the rows.
  const auto kept = realm.store().Vaults(kind);
  if (!kept) return kept.error();
  for (const auto& [vault, memory] : *kept) {
    const auto place = places.find(vault);
    if (memory.frozen) continue;
    if (place != places.end() && (*rows)[place->second].head_seq >= memory.seq) continue;
    auto view = VaultView::Open(realm, vault);
    if (!view) return view.error();
    if ((view->perm() & protocol::kRead) == 0) continue;
    auto pinned = view->Read(view->state().pinned_record());
    if (!pinned && pinned.error().code() == Code::kNotFound) continue;
    if (!pinned) return pinned.error();
    PinnedRow row{vault, memory.seq, memory.head, *std::move(pinned), true};
    if (place != places.end()) {
      (*rows)[place->second] = std::move(row);
      continue;
    }
    places[vault] = rows->size();
    rows->push_back(std::move(row));
  }
  for (const Pending& pending : *waiting) {
    if (pending.create && pending.create->kind == kind && !places.contains(pending.vault)) {
      places[pending.vault] = rows->size();
      PinnedRow row;
      row.vault = pending.vault;
      row.fully_checked = true;  // nobody else wrote to it
      rows->push_back(std::move(row));
    }
    const auto place = places.find(pending.vault);
    if (place == places.end()) continue;
    for (const PendingEdit& edit : pending.edits) {
      if (edit.record == protocol::PinnedRecordOf(pending.vault)) {
        (*rows)[place->second].record = edit.content;
      }
    }
  }
  return rows;
}

base::Result<CodeIndex> CodeIndex::Read(Realm& realm, Kind kind) {
  const auto rows = RowsWithWaiting(realm, kind);
  if (!rows) return rows.error();
  CodeIndex index;
  for (const PinnedRow& row : *rows) {
    const std::string& code = client::CodeOf(row.record);
    index.codes_[row.vault] = code;
    if (!code.empty()) index.vaults_.emplace(code, row.vault);
  }
  return index;
}

std::optional<base::VaultId> CodeIndex::VaultOf(const std::string& code) const {
  const auto found = vaults_.find(code);
  return found == vaults_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> CodeIndex::CodeOf(const base::VaultId& vault) const {
  const auto found = codes_.find(vault);
  return found == codes_.end() ? std::nullopt : std::optional(found->second);
}

base::Result<base::VaultId> FindVault(Realm& realm, Kind kind, std::string_view typed, From from) {
  const auto code = ReadCaseCode(typed);
  if (!code) return code.error();
  auto index = CodeIndex::Read(realm, kind);
  if (!index) return index.error();
  auto found = index->VaultOf(*code);
  if (!found && from == From::kService && IsWindowOpen(realm)) {
    const auto synced = SyncPinnedRows(realm, kind);
    if (!synced && !IsLostAnswer(synced.error().code())) return synced.error();
    index = CodeIndex::Read(realm, kind);
    if (!index) return index.error();
    found = index->VaultOf(*code);
  }
  if (!found) return NoSuchCase();
  return *found;
}

base::Result<VaultFile> OpenCaseFile(Realm& realm, Kind kind, std::string_view code, From from) {
  const auto vault = FindVault(realm, kind, code, from);
  if (!vault) return vault.error();
  return VaultFile::Open(realm, *vault, from);
}

}  // namespace godwit::client
