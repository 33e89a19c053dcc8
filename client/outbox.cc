#include "client/outbox.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "base/clock.h"
#include "client/acts.h"
#include "client/casework/merge.h"
#include "client/identity_window.h"
#include "client/vault_writer.h"
#include "crypto/random.h"
#include "godwit/content/v1/local.pb.h"
#include "protocol/entry.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using content::v1::OutboxEntry;
using content::v1::Record;

base::Bytes Write(const Pending& pending) {
  const std::string bytes = ToEntry(pending).SerializeAsString();
  return base::ToBytes(base::AsBytes(bytes));
}

base::Result<Pending> Read(const OutboxItem& item) {
  OutboxEntry entry;
  if (!entry.ParseFromArray(item.content.data(), static_cast<int>(item.content.size()))) {
    return Error(Code::kStateLost, "an item of the outbox is malformed");
  }
  auto pending = FromEntry(entry);
  if (pending) pending->id = item.id;
  return pending;
}

bool Same(const Record& a, const Record& b) {
  return a.SerializeAsString() == b.SerializeAsString();
}

// The other value of each field that both changed, as records of their own.
void AddConflicts(const PendingEdit& edit, const Merged& merged, std::vector<Edit>& edits) {
  for (const std::string& field : merged.both) {
    Record record;
    auto& conflict = *record.mutable_conflict();
    conflict.set_record(base::ToString(edit.record.bytes()));
    conflict.set_field(field);
    conflict.set_other(OnlyField(edit.content, field).SerializeAsString());
    conflict.set_written_ms(base::SystemClock().NowMs());
    edits.push_back({crypto::RandomId<base::RecordId>(), std::move(record), 0, false});
  }
}

// What to write to the vault as it is now.
base::Result<std::vector<Edit>> EditsFor(VaultView& vault, const Pending& pending) {
  std::vector<Edit> edits;
  std::vector<content::v1::Act> new_acts;
  Edit* summary = nullptr;
  edits.reserve(pending.edits.size() * 4 + 4);  // so that `summary` stays where it is
  for (const PendingEdit& edit : pending.edits) {
    Record content = edit.content;
    Merged merged;
    if (edit.base) {
      if (vault.Latest(edit.record) == nullptr) {
        return Error(Code::kConflict,
                     "the record was deleted meanwhile: what you wrote is still here; write it "
                     "anew, or discard it with `godwit outbox discard`");
      }
      const auto theirs = vault.Read(edit.record);
      if (!theirs) return theirs.error();
      if (Same(*theirs, edit.content)) continue;
      if (!Same(*theirs, *edit.base)) {
        merged = Merge(*edit.base, edit.content, *theirs);
        content = merged.record;
      }
    }
    if (content.has_act()) new_acts.push_back(content.act());
    edits.push_back({edit.record, std::move(content), 0, edit.names_previous});
    if (edits.back().content.has_summary()) summary = &edits.back();
    AddConflicts(edit, merged, edits);
  }
  if (vault.kind() != protocol::Kind::kCase || (new_acts.empty() && summary == nullptr)) {
    return edits;
  }
  // Where the case stands is what its acts say, those that came meanwhile too.
  auto acts = ReadActs(vault);
  if (!acts) return acts.error();
  const Realm& realm = vault.realm();
  std::uint64_t seq = vault.state().size();
  for (const content::v1::Act& act : new_acts) {
    const Verdict verdict = Judge(acts->Life(), act, realm.member(), HatsNow(realm, vault));
    if (verdict.refused) return RefusedAct(*verdict.refused);
    acts->acts.push_back({act, realm.member(), HatsNow(realm, vault), seq++, {}, {}});
  }
  if (summary != nullptr) WriteLife(acts->Life(), *summary->content.mutable_summary());
  return edits;
}

Tries TriesOf(Realm& realm, const Pending& pending) {
  Tries tries;
  tries.links = pending.tries;
  tries.keep = [&realm, pending](const std::vector<base::Link>& links) {
    Pending tried = pending;
    tried.tries = links;
    return realm.store().ReplaceOutbox(pending.id, Write(tried));
  };
  return tries;
}

// Notes why an item is still there, beside the tries that were noted while it was sent.
Status KeepWhy(Realm& realm, std::uint64_t id, const Error& why) {
  const auto items = realm.store().Outbox();
  if (!items) return items.error();
  for (const OutboxItem& item : *items) {
    if (item.id != id) continue;
    auto pending = Read(item);
    if (!pending) return pending.error();
    pending->why = why.message();
    pending->refused = !IsLostAnswer(why.code());
    return realm.store().ReplaceOutbox(id, Write(*pending));
  }
  return {};
}

// An ASSENT to what is still the newest of its record, unless this member said so before.
std::optional<protocol::EntryPayload> AssentTo(const VaultView& vault, const base::Link& target,
                                               bool yes) {
  for (const base::RecordId& record : vault.LiveRecords()) {
    const auto* version = vault.Latest(record);
    if (version->link != target) continue;
    const bool said = std::ranges::any_of(version->assents, [&](const auto& header) {
      return header.author_member == vault.realm().member();
    });
    if (said && yes) return std::nullopt;
    protocol::Assent assent;
    assent.target = target;
    assent.say = yes ? protocol::Assent::kYes : protocol::Assent::kNo;
    return assent;
  }
  return std::nullopt;
}

// In a random order, but for what is of one vault.
void ShuffleVaults(std::vector<Pending>& waiting) {
  std::map<base::VaultId, std::uint64_t> places;
  for (const Pending& pending : waiting) {
    std::array<std::uint8_t, 8> random{};
    crypto::FillRandom(random);
    std::uint64_t place = 0;
    std::memcpy(&place, random.data(), sizeof place);
    places.emplace(pending.vault, place);
  }
  std::ranges::stable_sort(waiting, {},
                           [&](const Pending& pending) { return places.at(pending.vault); });
}

Status SendCreate(Realm& realm, const Pending& pending) {
  // It may stand already, by a try whose answer was lost: nobody else could have signed it.
  if (const auto synced = realm.Sync(); !synced) return synced;
  if (const auto there = VaultView::Fetch(realm, pending.vault)) {
    return {};
  } else if (there.error().code() != Code::kNotFound) {
    return there.error();
  }
  const auto made = CreateVault(
      realm, pending.create->kind, pending.create->members,
      [&](const base::VaultId&) -> base::Result<std::vector<Edit>> {
        std::vector<Edit> edits;
        for (const PendingEdit& edit : pending.edits) {
          edits.push_back({edit.record, edit.content, 0, edit.names_previous});
        }
        return edits;
      },
      &pending.create->create);
  return made ? Status() : Status(made.error());
}

Status SendOne(Realm& realm, const Pending& pending) {
  if (pending.create) return SendCreate(realm, pending);
  if (pending.assent) {
    const auto written =
        WriteEntry(realm, pending.vault,
                   [&](VaultView& vault) -> base::Result<std::optional<protocol::EntryPayload>> {
                     return AssentTo(vault, *pending.assent, pending.assent_yes);
                   });
    if (!written) return written.error();
    if (pending.edits.empty()) return {};
  }
  Tries tries = TriesOf(realm, pending);
  Relister relist;
  if (!pending.relist.empty()) {
    relist = [&](const protocol::MemberList& list) {
      std::map<base::MemberId, protocol::Perm> members;
      for (const auto& [member, row] : list) members[member] = row.perm;
      for (const auto& [member, perm] : pending.relist) {
        if (perm == 0) members.erase(member);
        if (perm != 0) members[member] = perm;
      }
      return members;
    };
  }
  const auto written =
      WriteVault(realm, pending.vault, [&](VaultView& vault) { return EditsFor(vault, pending); },
                 relist, {.is_due = {}, .hide_history = false, .tries = &tries});
  return written ? Status() : Status(written.error());
}

}  // namespace

Pending NewPendingVault(Realm& realm, protocol::Kind kind,
                        std::map<base::MemberId, protocol::Perm> members) {
  protocol::Create create;
  create.kind = static_cast<std::uint8_t>(kind);
  crypto::FillRandom(create.nonce);
  auto made = protocol::SignCreate(realm.EntryHeaderNow(), create, realm.device().signing_key());
  Pending pending;
  pending.vault = made.vault;
  pending.create = {kind, std::move(members), std::move(made.entry)};
  return pending;
}

base::Result<Written> Queue(Realm& realm, Pending pending) {
  pending.written_ms = base::SystemClock().NowMs();
  const auto id = realm.store().PutOutbox(Write(pending));
  if (!id) return id.error();
  return Written{true};
}

base::Result<Written> Submit(Realm& realm, Pending pending) {
  if (!IsWindowOpen(realm)) return Queue(realm, std::move(pending));
  const auto waiting = OutboxOf(realm);
  if (!waiting) return waiting.error();
  // What follows on something that waits, waits behind it.
  const bool behind = std::ranges::any_of(
      *waiting, [&](const Pending& other) { return other.vault == pending.vault; });
  pending.written_ms = base::SystemClock().NowMs();
  const auto id = realm.store().PutOutbox(Write(pending));
  if (!id) return id.error();
  pending.id = *id;
  if (behind) {
    if (const auto left = SendWaiting(realm); !left) return left.error();
    const auto now = OutboxOf(realm);
    if (!now) return now.error();
    return Written{std::ranges::any_of(*now, [&](const Pending& p) { return p.id == *id; })};
  }
  const Status sent = SendOne(realm, pending);
  if (!sent && IsLostAnswer(sent.error().code())) return Written{true};
  if (const auto removed = realm.store().RemoveOutbox(*id); !removed) return removed.error();
  if (!sent) return sent.error();
  return Written{false};
}

OutboxEntry ToEntry(const Pending& pending) {
  OutboxEntry entry;
  entry.set_vault(base::ToString(pending.vault.bytes()));
  for (const PendingEdit& edit : pending.edits) {
    auto& row = *entry.add_edits();
    row.set_record(base::ToString(edit.record.bytes()));
    if (edit.base) row.set_base(edit.base->SerializeAsString());
    row.set_content(edit.content.SerializeAsString());
    row.set_names_previous(edit.names_previous);
  }
  if (pending.create) {
    auto& create = *entry.mutable_create();
    create.set_kind(static_cast<std::uint32_t>(pending.create->kind));
    for (const auto& [member, perm] : pending.create->members) {
      auto& row = *create.add_members();
      row.set_member(base::ToString(member.bytes()));
      row.set_perm(perm);
    }
    create.set_entry(base::ToString(pending.create->create));
  }
  for (const auto& [member, perm] : pending.relist) {
    auto& row = *entry.add_relist();
    row.set_member(base::ToString(member.bytes()));
    row.set_perm(perm);
  }
  if (pending.assent) {
    entry.mutable_assent()->set_target(base::ToString(pending.assent->bytes()));
    entry.mutable_assent()->set_yes(pending.assent_yes);
  }
  for (const base::Link& link : pending.tries) entry.add_tries(base::ToString(link.bytes()));
  entry.set_what(pending.what);
  entry.set_written_ms(pending.written_ms);
  entry.set_why(pending.why);
  entry.set_refused(pending.refused);
  return entry;
}

base::Result<Pending> FromEntry(const OutboxEntry& entry) {
  const Error malformed(Code::kStateLost, "an item of the outbox is malformed");
  Pending pending;
  const auto vault = base::VaultId::FromBytes(base::AsBytes(entry.vault()));
  if (!vault) return malformed;
  pending.vault = *vault;
  for (const auto& row : entry.edits()) {
    PendingEdit edit;
    const auto record = base::RecordId::FromBytes(base::AsBytes(row.record()));
    if (!record) return malformed;
    edit.record = *record;
    if (!row.base().empty() && !edit.base.emplace().ParseFromString(row.base())) return malformed;
    if (!edit.content.ParseFromString(row.content())) return malformed;
    edit.names_previous = row.names_previous();
    pending.edits.push_back(std::move(edit));
  }
  if (entry.has_create()) {
    PendingVault create;
    create.kind = static_cast<protocol::Kind>(entry.create().kind());
    for (const auto& row : entry.create().members()) {
      const auto member = base::MemberId::FromBytes(base::AsBytes(row.member()));
      if (!member) return malformed;
      create.members[*member] = static_cast<protocol::Perm>(row.perm());
    }
    create.create = base::ToBytes(base::AsBytes(entry.create().entry()));
    pending.create = std::move(create);
  }
  for (const auto& row : entry.relist()) {
    const auto member = base::MemberId::FromBytes(base::AsBytes(row.member()));
    if (!member) return malformed;
    pending.relist[*member] = static_cast<protocol::Perm>(row.perm());
  }
  if (entry.has_assent()) {
    pending.assent = base::Link::FromBytes(base::AsBytes(entry.assent().target()));
    if (!pending.assent) return malformed;
    pending.assent_yes = entry.assent().yes();
  }
  for (const auto& link : entry.tries()) {
    const auto read = base::Link::FromBytes(base::AsBytes(link));
    if (!read) return malformed;
    pending.tries.push_back(*read);
  }
  pending.what = entry.what();
  pending.written_ms = entry.written_ms();
  pending.why = entry.why();
  pending.refused = entry.refused();
  return pending;
}

base::Result<std::vector<Pending>> OutboxOf(Realm& realm) {
  const auto items = realm.store().Outbox();
  if (!items) return items.error();
  std::vector<Pending> waiting;
  for (const OutboxItem& item : *items) {
    auto pending = Read(item);
    if (!pending) return pending.error();
    waiting.push_back(*std::move(pending));
  }
  return waiting;
}

base::Result<std::size_t> SendWaiting(Realm& realm) {
  auto waiting = OutboxOf(realm);
  if (!waiting) return waiting.error();
  if (!IsWindowOpen(realm)) return waiting->size();
  if (realm.compartment() == protocol::Compartment::kIdentity) ShuffleVaults(*waiting);
  std::set<base::VaultId> stuck;
  std::size_t done = 0;
  for (const Pending& pending : *waiting) {
    if (stuck.contains(pending.vault)) continue;
    const Status sent = SendOne(realm, pending);
    if (sent) {
      if (const auto removed = realm.store().RemoveOutbox(pending.id); !removed) {
        return removed.error();
      }
      ++done;
      continue;
    }
    stuck.insert(pending.vault);
    if (const auto kept = KeepWhy(realm, pending.id, sent.error()); !kept) return kept.error();
    if (IsLostAnswer(sent.error().code())) break;
  }
  return waiting->size() - done;
}

Status Discard(Realm& realm, std::uint64_t id) {
  const auto waiting = OutboxOf(realm);
  if (!waiting) return waiting.error();
  const bool there =
      std::ranges::any_of(*waiting, [&](const Pending& pending) { return pending.id == id; });
  if (!there) return Error(Code::kNotFound, "nothing of that number waits: see `godwit outbox`");
  return realm.store().RemoveOutbox(id);
}

}  // namespace godwit::client
