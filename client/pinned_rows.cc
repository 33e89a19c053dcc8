#include "client/pinned_rows.h"

#include <algorithm>
#include <map>
#include <optional>
#include <thread>
#include <variant>

#include "client/vault_view.h"
#include "crypto/hash.h"
#include "protocol/ce.h"
#include "protocol/cold_read.h"
#include "protocol/epoch_keys.h"
#include "protocol/record.h"
#include "protocol/vault.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using protocol::Claim;

// Rows that are verified together, and the most that are held in memory unopened.
constexpr std::size_t kBatch = 512;
// Vaults that one sync fetches whole for rows that cold reading refuses.
constexpr std::size_t kChains = 16;

// row = u64 head_seq|head[32]|u8 fully checked|var32 record
base::Bytes WriteRow(const PinnedRow& row, base::ByteSpan record) {
  protocol::Writer w;
  w.U64(row.head_seq).Fixed(row.head).U8(row.fully_checked ? 1 : 0).Var32(record);
  return w.Take();
}

base::Result<PinnedRow> ParseRow(const base::VaultId& vault, base::ByteSpan bytes) {
  protocol::Reader r(bytes);
  PinnedRow row;
  row.vault = vault;
  row.head_seq = r.U64();
  row.head = r.Take<base::Link>();
  row.fully_checked = r.Presence();
  const base::ByteSpan record = r.Var32();
  if (!r.Done()) return Error(Code::kStateLost, "a row of the local store is malformed");
  auto parsed = ParseRecord(record);
  if (!parsed) return parsed.error();
  row.record = *std::move(parsed);
  return row;
}

using PukPairs = std::map<std::uint32_t, const crypto::KemKeyPair*>;

struct Opened {
  base::VaultId vault;
  protocol::Kind kind = protocol::Kind::kCase;
  std::uint64_t head_seq = 0;
  base::Link head;
  // Nothing while this member is suspended: the epoch in force is from when they had no key.
  std::optional<crypto::SecretBytes> text;
};

// A row that was not opened: why, and what shows it, which is kept as evidence unless better
// is, or the row is to be looked into another time.
struct Refusal {
  Error error;
  Claim claim = Claim::kRow;
  std::vector<base::Bytes> exhibits;
  bool keep = true;
};

// Of an EPOCH's list, or of one in force.
template <class List>
bool IsSuspended(const List& list, const base::MemberId& member) {
  const auto own = list.find(member);
  return own != list.end() && own->second.puk_gen == 0;
}

// The key of epoch `number`: the box opens the one in force, wraps lead from there to older ones.
std::variant<protocol::Vek, Refusal> KeyOf(const protocol::ColdVault& cold, std::uint32_t number,
                                           base::ByteSpan box, const base::RealmId& realm,
                                           const base::MemberId& member, const PukPairs& pairs) {
  const Refusal unreachable{{Code::kNotFound, "the key of a vault is out of your reach"}, {}, {}};
  if (const auto opens = protocol::CheckOpens(cold.suite); !opens) {
    return Refusal{opens.error(), {}, {}};
  }
  const protocol::Epoch& current = cold.epochs.back();
  const auto row = current.list.find(member);
  if (row == current.list.end() || !pairs.contains(row->second.puk_gen)) return unreachable;
  // An erasure takes the box of a vault that somebody writes to still.
  if (box.empty()) return unreachable;
  auto key =
      protocol::OpenVek(current, realm, cold.vault, member, *pairs.at(row->second.puk_gen), box);
  if (!key) {
    const bool is_listed = base::Sha256Hash(crypto::Sha256(box)) == row->second.box_hash;
    protocol::Writer which;
    which.U32(current.epoch).Fixed(member);
    return Refusal{key.error(),
                   is_listed ? Claim::kVekBoxClosed : Claim::kVekBoxChanged,
                   {which.Take(), base::ToBytes(box)}};
  }
  std::uint32_t at = current.epoch;
  while (at != number) {
    const protocol::Epoch& epoch = cold.epochs[at - 1];
    // The oldest wrap that is not older than what is looked for leads there soonest.
    const auto wrap = epoch.wraps.lower_bound(number);
    if (wrap == epoch.wraps.end()) return unreachable;
    key = protocol::UnwrapVek(*key, epoch, cold.epochs[wrap->first - 1], realm, cold.vault);
    if (!key) {
      protocol::Writer which;
      which.U32(at).U32(wrap->first);
      return Refusal{key.error(), Claim::kWrapClosed, {which.Take()}};
    }
    at = wrap->first;
  }
  return *std::move(key);
}

std::variant<Opened, Refusal> OpenRow(const transport::BoardRow& row,
                                      const protocol::Roster& roster, const base::MemberId& member,
                                      const PukPairs& pairs) {
  const auto cold = protocol::ReadCold({row.create, row.epochs, row.pinned, row.head}, roster);
  if (!cold) return Refusal{cold.error(), Claim::kRow, {}};
  if (IsSuspended(cold->epochs.back().list, member)) {
    return Opened{cold->vault, cold->kind, cold->head_seq, cold->head, std::nullopt};
  }
  auto key = KeyOf(*cold, cold->pinned.epoch, row.box, roster.realm(), member, pairs);
  if (auto* refusal = std::get_if<Refusal>(&key)) return std::move(*refusal);
  auto text = protocol::OpenRecord(std::get<protocol::Vek>(key),
                                   protocol::PlaceOf(cold->pinned_header, cold->pinned),
                                   cold->pinned, row.salt, row.ciphertext,
                                   protocol::RecordFloor(roster.compartment(), cold->kind, true));
  if (!text) {
    const bool are_listed = protocol::AreListed(cold->pinned, row.salt, row.ciphertext);
    return Refusal{
        text.error(),
        are_listed ? Claim::kRecordClosed : Claim::kRecordChanged,
        {base::ToBytes(protocol::EntryLink(row.pinned).bytes()), row.salt, row.ciphertext}};
  }
  return Opened{cold->vault, cold->kind, cold->head_seq, cold->head, *std::move(text)};
}

// The id that the row's CREATE makes; zero if it is none.
base::VaultId VaultOf(const transport::BoardRow& row) {
  const auto create = protocol::ReadEntry(row.create);
  return create ? protocol::VaultIdOf(create->body) : base::VaultId();
}

// Whether each entry of the row is what the verified chain has in its place, as of the row's head.
bool IsOfChain(const transport::BoardRow& row, const std::vector<base::Bytes>& chain) {
  const auto head = protocol::ReadEntry(row.head);
  if (!head || head->header.seq >= chain.size()) return false;
  const std::uint64_t last = head->header.seq;
  const base::RecordId pinned_record = protocol::PinnedRecordOf(VaultOf(row));
  std::vector<base::Bytes> epochs;
  base::Bytes pinned;
  for (std::uint64_t seq = 0; seq <= last; ++seq) {
    const auto raw = protocol::ReadEntry(chain[seq]);
    if (!raw) return false;
    const auto payload = protocol::ReadEntryPayload(raw->header.type, raw->payload);
    if (!payload) return false;
    const auto* rev = std::get_if<protocol::Rev>(&*payload);
    if (rev != nullptr && rev->record == pinned_record) pinned = chain[seq];
    if (std::holds_alternative<protocol::Epoch>(*payload)) epochs.push_back(chain[seq]);
  }
  return row.create == chain.front() && row.epochs == epochs && row.pinned == pinned &&
         row.head == chain[last];
}

// The row as `view` has it, if it is of that chain; nothing if it is not.
base::Result<std::optional<Opened>> OpenOf(Realm& realm, VaultView& view,
                                           const transport::BoardRow& row) {
  const auto stored = realm.store().Load(view.id());
  if (!stored) return stored.error();
  if (!*stored || !IsOfChain(row, (*stored)->entries)) return std::optional<Opened>();
  const auto head = protocol::ReadEntry(row.head);
  Opened opened{view.id(), view.kind(), head->header.seq, protocol::EntryLink(row.head),
                std::nullopt};
  if (IsSuspended(view.state().epoch().list, realm.member())) {
    return std::optional(std::move(opened));
  }
  const auto record = view.Read(view.state().pinned_record());
  if (!record) return record.error();
  opened.text = SerializeRecord(*record);
  return std::optional(std::move(opened));
}

// Looks for a row that cold reading refused with `refusal` in its vault's whole chain, which knows
// the STATEs that a row does not show: here, or fetched while `chains` lasts.
std::variant<Opened, Refusal> OpenByChain(Realm& realm, const transport::BoardRow& row,
                                          const Refusal& refusal, std::size_t& chains) {
  const base::VaultId vault = VaultOf(row);
  if (vault.IsZero()) return refusal;
  if (auto known = VaultView::Open(realm, vault)) {
    // What is known and no longer in force is asked for anew: it might be a rollback.
    if (known->state().head() == protocol::EntryLink(row.head)) {
      auto opened = OpenOf(realm, *known, row);
      if (opened && *opened) return *std::move(*opened);
    }
  } else if (known.error().code() != Code::kNotFound) {
    return Refusal{known.error(), {}, {}, false};
  }
  if (chains == 0) return Refusal{refusal.error, {}, {}, false};
  --chains;
  auto view = VaultView::Fetch(realm, vault);
  // Of what is wrong with the chain, that is the evidence. A vault that the service shows on the
  // board, and by itself does not, has nothing to make the row right.
  if (!view && view.error().code() == Code::kNotFound) return refusal;
  if (!view) return Refusal{view.error(), {}, {}, false};
  auto opened = OpenOf(realm, *view, row);
  if (!opened) return Refusal{opened.error(), {}, {}, false};
  if (!*opened) return refusal;
  return *std::move(*opened);
}

PukPairs PairsOf(Realm& realm) {
  PukPairs pairs;
  const auto* self = realm.roster().FindMember(realm.member());
  if (self == nullptr) return pairs;
  for (const auto& puk : self->puks) {
    if (const auto pair = realm.PukPair(puk.gen)) pairs[puk.gen] = *pair;
  }
  return pairs;
}

// Opens a batch on all cores; each result stands at its row's place.
std::vector<std::optional<std::variant<Opened, Refusal>>> OpenAll(
    const std::vector<transport::BoardRow>& rows, const protocol::Roster& roster,
    const base::MemberId& member, const PukPairs& pairs) {
  std::vector<std::optional<std::variant<Opened, Refusal>>> results(rows.size());
  const std::size_t threads = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> workers;
  for (std::size_t t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      for (std::size_t i = t; i < rows.size(); i += threads) {
        results[i].emplace(OpenRow(rows[i], roster, member, pairs));
      }
    });
  }
  workers.clear();
  return results;
}

}  // namespace

Status SyncPinnedRows(Realm& realm, protocol::Kind kind,
                      const std::function<void(std::size_t)>& progress) {
  if (const auto synced = realm.Sync(); !synced) return synced;
  const auto cursor = realm.store().RowsCursor(kind);
  if (!cursor) return cursor.error();
  std::map<base::VaultId, std::pair<std::uint64_t, base::Link>> known;
  const auto cached = ReadPinnedRows(realm, kind);
  if (!cached) return cached.error();
  for (const PinnedRow& row : *cached) known[row.vault] = {row.head_seq, row.head};
  // What was verified whole is remembered too (R7). As of before the service is asked, so that what
  // another process fetches meanwhile makes no honest row look old.
  const auto vaults = realm.store().Vaults(kind);
  if (!vaults) return vaults.error();
  for (const auto& [vault, memory] : *vaults) {
    const auto row = known.find(vault);
    if (row == known.end() || row->second.first < memory.seq) {
      known[vault] = {memory.seq, memory.head};
    }
  }

  Status first;
  bool complete = true;
  std::size_t done = 0;
  std::vector<transport::BoardRow> batch;
  PukPairs pairs = PairsOf(realm);
  std::size_t chains = kChains;
  const auto refuse = [&](const Refusal& refusal, const transport::BoardRow& row) {
    // A vault that others moved to a key out of reach is no fault of anybody's.
    const Code code = refusal.error.code();
    if (refusal.keep && code != Code::kNotFound && code != Code::kUnsupported) {
      realm.KeepEvidence(
          refusal.error,
          {.claim = refusal.claim,
           .form = protocol::Evidence::Form::kRow,
           .vault = VaultOf(row),
           .entries = protocol::EntriesOf({row.create, row.epochs, row.pinned, row.head}),
           .exhibits = refusal.exhibits},
          realm.roster().size());
    }
    if (first) first = refusal.error;
    complete = false;
  };
  const auto flush = [&](const base::Bytes& next_cursor) -> Status {
    auto results = OpenAll(batch, realm.roster(), realm.member(), pairs);
    std::vector<std::pair<base::VaultId, base::Bytes>> rows;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const auto* refusal = std::get_if<Refusal>(&*results[i]);
      if (refusal != nullptr && refusal->error.code() == Code::kStaleRoster) {
        if (const auto synced = realm.Sync(); !synced) return synced;
        pairs = PairsOf(realm);
        results[i].emplace(OpenRow(batch[i], realm.roster(), realm.member(), pairs));
        refusal = std::get_if<Refusal>(&*results[i]);
      }
      if (refusal != nullptr && refusal->claim == Claim::kRow &&
          refusal->error.code() != Code::kUnsupported) {
        results[i].emplace(OpenByChain(realm, batch[i], *refusal, chains));
        pairs = PairsOf(realm);
        refusal = std::get_if<Refusal>(&*results[i]);
      }
      if (refusal != nullptr) {
        refuse(*refusal, batch[i]);
        continue;
      }
      const Opened& opened = std::get<Opened>(*results[i]);
      // The row is right, and nothing in it shows what was asked for: no evidence.
      if (opened.kind != kind) {
        refuse({{Code::kEntryInvalid, "the service shows a vault of another kind than asked for"},
                {},
                {},
                false},
               batch[i]);
        continue;
      }
      PinnedRow row;
      row.vault = opened.vault;
      row.head_seq = opened.head_seq;
      row.head = opened.head;
      const auto before = known.find(row.vault);
      if (before != known.end()) {
        const auto& [seq, head] = before->second;
        protocol::Writer seen;
        seen.U64(seq).Fixed(head);
        if (row.head_seq < seq) {
          refuse({{Code::kRollback, "the service shows an older state of a vault than before"},
                  Claim::kOtherRow,
                  {seen.Take()}},
                 batch[i]);
          continue;
        }
        if (row.head_seq == seq && row.head != head) {
          refuse({{Code::kFork, "the service shows another history of a vault than before"},
                  Claim::kOtherRow,
                  {seen.Take()}},
                 batch[i]);
          continue;
        }
      }
      // The next writer lists this member with a key again, and the row comes anew.
      if (!opened.text) continue;
      const auto whole = realm.store().Remembered(row.vault);
      if (!whole) return whole.error();
      row.fully_checked = *whole && (*whole)->head == row.head;
      rows.emplace_back(row.vault, WriteRow(row, opened.text->Expose()));
    }
    done += batch.size();
    batch.clear();
    if (progress) progress(done);
    // Rows that were refused are asked for again the next time.
    return realm.store().PutRows(kind, rows, complete ? next_cursor : *cursor);
  };

  const auto fetched = realm.server().FetchBoard(
      static_cast<std::uint32_t>(kind), *cursor, [&](transport::BoardRow row) -> Status {
        batch.push_back(std::move(row));
        return batch.size() == kBatch ? flush(*cursor) : Status();
      });
  if (!fetched) return fetched.error();
  if (const auto status = flush(*fetched); !status) return status;
  return first;
}

base::Result<std::vector<PinnedRow>> ReadPinnedRows(Realm& realm, protocol::Kind kind) {
  const auto stored = realm.store().Rows(kind);
  if (!stored) return stored.error();
  std::vector<PinnedRow> rows;
  rows.reserve(stored->size());
  for (const auto& [vault, bytes] : *stored) {
    auto row = ParseRow(vault, bytes);
    if (!row) return row.error();
    if (!row->fully_checked) {
      const auto whole = realm.store().Remembered(vault);
      if (!whole) return whole.error();
      row->fully_checked = *whole && (*whole)->seq >= row->head_seq;
    }
    rows.push_back(*std::move(row));
  }
  return rows;
}

}  // namespace godwit::client
