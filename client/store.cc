#include "client/store.h"

#include <algorithm>
#include <utility>

#include "client/sealed_rows.h"
#include "crypto/constant_time.h"
#include "protocol/ce.h"

namespace godwit::client {
namespace {

using base::Bytes;
using base::ByteSpan;
using protocol::Reader;
using protocol::Writer;

// Of the values; the schema of the file has a version of its own.
constexpr std::uint8_t kVersion = 2;

Bytes Number(std::uint64_t value) {
  Writer w;
  w.U64(value);
  return w.Take();
}

// The row that everything hangs on.
struct Meta {
  std::uint64_t statements = 0;
  std::uint64_t next_outbox = 1;
  RowDigest top{};  // SealedRows::TopDigest

  Bytes Write() const {
    Writer w;
    w.U8(kVersion).U64(statements).U64(next_outbox).Raw(top);
    return w.Take();
  }
  static std::optional<Meta> Read(ByteSpan bytes) {
    Reader r(bytes);
    const std::uint8_t version = r.U8();
    Meta meta;
    meta.statements = r.U64();
    meta.next_outbox = r.U64();
    meta.top = r.Array<32>();
    if (!r.Done() || version != kVersion) return std::nullopt;
    return meta;
  }
};

// A vault's row in `top`, with the digest of its rows in `inner`.
struct MemoryRow {
  base::VaultId vault;
  VaultMemory memory;
  RowDigest inner{};

  Bytes Write() const {
    Writer w;
    w.Fixed(vault).U8(static_cast<std::uint8_t>(memory.kind)).U64(memory.seq).Fixed(memory.head);
    w.U64(memory.roster_seq).U32(memory.epoch).U8(memory.frozen ? 1 : 0).Raw(inner);
    return w.Take();
  }
  static std::optional<MemoryRow> Read(ByteSpan bytes) {
    Reader r(bytes);
    MemoryRow row;
    row.vault = r.Take<base::VaultId>();
    const std::uint8_t kind = r.U8();
    row.memory.kind = static_cast<protocol::Kind>(kind);
    row.memory.seq = r.U64();
    row.memory.head = r.Take<base::Link>();
    row.memory.roster_seq = r.U64();
    row.memory.epoch = r.U32();
    row.memory.frozen = r.Presence();
    row.inner = r.Array<32>();
    if (!r.Done() || !protocol::IsKnownKind(kind)) return std::nullopt;
    return row;
  }
};

Bytes WriteRecord(const RecordBlob& record) {
  Writer w;
  w.Fixed(record.record).U64(record.rver).Var32(record.salt).Var32(record.ciphertext);
  return w.Take();
}

std::optional<RecordBlob> ReadRecord(ByteSpan bytes) {
  Reader r(bytes);
  RecordBlob record;
  record.record = r.Take<base::RecordId>();
  record.rver = r.U64();
  record.salt = base::ToBytes(r.Var32());
  record.ciphertext = base::ToBytes(r.Var32());
  if (!r.Done()) return std::nullopt;
  return record;
}

Bytes WriteEvidenceItem(const EvidenceItem& item) {
  Writer w;
  w.Str(base::Name(item.code)).U64(item.statements_before).U64(item.entries_before);
  w.Var32(protocol::WriteEvidence(item.piece));
  return w.Take();
}

std::optional<EvidenceItem> ReadEvidenceItem(ByteSpan bytes) {
  Reader r(bytes);
  EvidenceItem kept;
  const auto code = base::CodeByName(r.Str());
  kept.statements_before = r.U64();
  kept.entries_before = r.U64();
  auto piece = protocol::ReadEvidence(r.Var32());
  if (!r.Done() || !code || !piece) return std::nullopt;
  kept.code = *code;
  kept.piece = *std::move(piece);
  return kept;
}

// What Store::Apply asks of a vault that is there already.
base::Status CheckProgress(const VaultMemory& old, const VaultMemory& now) {
  if (now.kind != old.kind || (now.seq == old.seq && now.head != old.head)) {
    return base::Error(base::Code::kFork, "a vault has another history than this device remembers");
  }
  if (now.seq < old.seq || now.roster_seq < old.roster_seq || now.epoch < old.epoch) {
    return base::Error(base::Code::kRollback, "a vault is older than this device remembers");
  }
  if (old.frozen && (!now.frozen || now.seq != old.seq)) {
    return base::Error(base::Code::kFrozen,
                       "this device has evidence against the vault's history, and froze it");
  }
  return {};
}

}  // namespace

class Store::Impl {
 public:
  Impl(std::unique_ptr<SealedRows> rows, const base::Clock& clock)
      : rows_(std::move(rows)), clock_(clock) {}

  SealedRows& rows() { return *rows_; }

  RowTag VaultTag(const base::VaultId& vault) const {
    return rows_->TagOf(TagScope::kVault, {vault.bytes()});
  }
  RowTag KindTag(protocol::Kind kind) const {
    const std::uint8_t byte = static_cast<std::uint8_t>(kind);
    return rows_->TagOf(TagScope::kKind, {{&byte, 1}});
  }
  RowTag RecordTag(const base::VaultId& vault, const base::RecordId& record) const {
    return rows_->TagOf(TagScope::kRecord, {vault.bytes(), record.bytes()});
  }

  base::Result<Meta> GetMeta() const;
  base::Status PutMeta(const Meta& meta);
  base::Result<std::optional<MemoryRow>> GetMemory(const base::VaultId& vault) const;

  // Runs `change(Meta&) -> Status` in a write transaction, with the meta row read before and
  // written after it.
  template <class Change>
  base::Status Write(Change&& change);
  base::Status ApplyOne(const VaultUpdate& update, Meta& meta);
  base::Status PutRecord(const base::VaultId& vault, ByteSpan owner, const RecordBlob& record,
                         RowDigest& digest);
  base::Status KeepEvidence(EvidenceItem evidence, Meta& meta);

 private:
  std::unique_ptr<SealedRows> rows_;
  const base::Clock& clock_;
};

base::Result<Meta> Store::Impl::GetMeta() const {
  const auto value = rows_->Get(Part::kMeta, {}, {});
  if (!value) return value.error();
  if (!*value) return StateLost();
  const auto meta = Meta::Read((*value)->Expose());
  if (!meta) return StateLost();
  return *meta;
}

base::Status Store::Impl::PutMeta(const Meta& meta) {
  RowDigest none{};
  return rows_->Put(Part::kMeta, {}, {}, meta.Write(), none);
}

base::Result<std::optional<MemoryRow>> Store::Impl::GetMemory(const base::VaultId& vault) const {
  const auto value = rows_->Get(Part::kMemory, VaultTag(vault), {});
  if (!value) return value.error();
  if (!*value) return std::optional<MemoryRow>();
  auto row = MemoryRow::Read((*value)->Expose());
  if (!row || row->vault != vault) return StateLost();
  return row;
}

base::Status Store::Impl::ApplyOne(const VaultUpdate& update, Meta& meta) {
  auto known = GetMemory(update.vault);
  if (!known) return known.error();
  MemoryRow row = *known ? **known : MemoryRow{update.vault, {}, {}};
  if (*known) {
    if (const auto status = CheckProgress(row.memory, update.memory); !status) {
      return status.error();
    }
  }
  const std::uint64_t first = *known ? row.memory.seq + 1 : 0;
  // A new vault has its entry 0 at least. Neither side overflows, whatever the seq.
  const bool complete =
      *known ? update.entries.size() == update.memory.seq - row.memory.seq
             : !update.entries.empty() && update.entries.size() - 1 == update.memory.seq;
  if (!complete) {
    return base::Error(base::Code::kInvalidArgument,
                       "a vault's entries do not follow those that are kept");
  }
  row.memory = update.memory;

  const RowTag owner = VaultTag(update.vault);
  for (std::size_t i = 0; i < update.entries.size(); ++i) {
    const auto status =
        rows_->Put(Part::kEntry, owner, Number(first + i), update.entries[i], row.inner);
    if (!status) return status.error();
  }
  for (const auto& [epoch, box] : update.boxes) {
    const auto status = rows_->Put(Part::kBox, owner, Number(epoch), box, row.inner);
    if (!status) return status.error();
  }
  for (const auto& record : update.records) {
    const auto status = PutRecord(update.vault, owner, record, row.inner);
    if (!status) return status.error();
  }
  if (!update.dropped_records.empty()) {
    const auto name =
        rows().TagOf(TagScope::kName, {base::AsBytes(SearchedName(SearchedShard(update.vault)))});
    if (const auto status = rows().Drop(Part::kNamed, name, {}, meta.top); !status) {
      return status.error();
    }
  }
  for (const auto& record : update.dropped_records) {
    const auto status =
        rows_->Drop(Part::kRecord, owner, RecordTag(update.vault, record), row.inner);
    if (!status) return status.error();
  }
  return rows_->Put(Part::kMemory, owner, {}, row.Write(), meta.top);
}

base::Status Store::Impl::PutRecord(const base::VaultId& vault, ByteSpan owner,
                                    const RecordBlob& record, RowDigest& digest) {
  const RowTag item = RecordTag(vault, record.record);
  const auto known = rows_->Get(Part::kRecord, owner, item);
  if (!known) return known.error();
  if (*known) {
    const auto old = ReadRecord((*known)->Expose());
    if (!old) return StateLost();
    if (record.rver < old->rver) {
      return base::Error(base::Code::kRollback, "a record is older than this device remembers");
    }
    if (record.rver == old->rver && record != *old) {
      return base::Error(base::Code::kFork, "a record is another than this device remembers");
    }
  }
  return rows_->Put(Part::kRecord, owner, item, WriteRecord(record), digest);
}

base::Status Store::Impl::KeepEvidence(EvidenceItem evidence, Meta& meta) {
  // Not by when, nor by how much was known of the rest: a lie is told again at every sync.
  evidence.piece.time_ms = 0;
  const RowTag item = rows_->TagOf(TagScope::kContent, {protocol::WriteEvidence(evidence.piece)});
  const auto known = rows_->Get(Part::kEvidence, {}, item);
  if (!known) return known.error();
  if (*known) return {};
  evidence.piece.time_ms = clock_.NowMs();
  return rows_->Put(Part::kEvidence, {}, item, WriteEvidenceItem(evidence), meta.top);
}

template <class Change>
base::Status Store::Impl::Write(Change&& change) {
  auto transaction = rows_->BeginWrite();
  if (!transaction) return transaction.error();
  auto meta = GetMeta();
  if (!meta) return meta.error();
  if (const base::Status status = change(*meta); !status) return status.error();
  if (const auto status = PutMeta(*meta); !status) return status.error();
  return transaction->Commit();
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

base::Result<Store> Store::Create(const std::filesystem::path& path, const StoreKey& key,
                                  const base::RealmId& realm, const base::Clock& clock) {
  auto rows = SealedRows::Create(path, key, realm);
  if (!rows) return rows.error();
  auto impl = std::make_unique<Impl>(*std::move(rows), clock);
  auto transaction = impl->rows().BeginWrite();
  if (!transaction) return transaction.error();
  if (const auto status = impl->PutMeta(Meta{}); !status) return status.error();
  if (const auto status = transaction->Commit(); !status) return status.error();
  return Store(std::move(impl));
}

base::Result<Store> Store::Open(const std::filesystem::path& path, const StoreKey& key,
                                const base::RealmId& realm, const base::Clock& clock) {
  auto rows = SealedRows::Open(path, key, realm);
  if (!rows) return rows.error();
  auto impl = std::make_unique<Impl>(*std::move(rows), clock);
  {
    const auto transaction = impl->rows().BeginRead();
    if (!transaction) return transaction.error();
    const auto meta = impl->GetMeta();
    if (!meta) return meta.error();
    const auto digest = impl->rows().TopDigest();
    if (!digest) return digest.error();
    if (!crypto::ConstantTimeEqual(*digest, meta->top)) return StateLost();
  }
  if (const auto status = impl->rows().UseLog(); !status) return status.error();
  return Store(std::move(impl));
}

base::Result<std::vector<base::Bytes>> Store::Roster() const {
  auto transaction = impl_->rows().BeginRead();
  if (!transaction) return transaction.error();
  const auto meta = impl_->GetMeta();
  if (!meta) return meta.error();
  std::vector<Bytes> statements;
  RowDigest digest{};
  const auto status =
      impl_->rows().ScanOwner(Part::kStatement, {}, digest, [&](ByteSpan item, ByteSpan value) {
        if (Reader(item).U64() != statements.size()) return false;
        statements.push_back(base::ToBytes(value));
        return true;
      });
  if (!status) return status.error();
  // A statement is sealed for its seq and never replaced: their number says it all, without a
  // digest.
  if (statements.size() != meta->statements) return StateLost();
  return statements;
}

base::Status Store::AppendRoster(std::uint64_t first_seq, const std::vector<Bytes>& statements) {
  return impl_->Write([&](Meta& meta) -> base::Status {
    if (first_seq != meta.statements) {
      return base::Error(base::Code::kConflict,
                         "the roster that is kept does not end there: load it again");
    }
    RowDigest none{};
    for (const auto& statement : statements) {
      const auto status =
          impl_->rows().Put(Part::kStatement, {}, Number(meta.statements), statement, none);
      if (!status) return status.error();
      ++meta.statements;
    }
    return {};
  });
}

base::Result<std::optional<VaultMemory>> Store::Remembered(const base::VaultId& vault) const {
  const auto row = impl_->GetMemory(vault);
  if (!row) return row.error();
  if (!*row) return std::optional<VaultMemory>();
  return std::optional((*row)->memory);
}

base::Result<std::vector<std::pair<base::VaultId, VaultMemory>>> Store::Vaults(
    std::optional<protocol::Kind> kind) const {
  std::vector<std::pair<base::VaultId, VaultMemory>> vaults;
  const auto status = impl_->rows().ScanPart(Part::kMemory, [&](ByteSpan, ByteSpan value) {
    const auto row = MemoryRow::Read(value);
    if (!row) return false;
    if (!kind || row->memory.kind == *kind) vaults.emplace_back(row->vault, row->memory);
    return true;
  });
  if (!status) return status.error();
  return vaults;
}

base::Result<std::optional<StoredVault>> Store::Load(const base::VaultId& vault) const {
  auto transaction = impl_->rows().BeginRead();
  if (!transaction) return transaction.error();
  const auto row = impl_->GetMemory(vault);
  if (!row) return row.error();
  if (!*row) return std::optional<StoredVault>();

  StoredVault stored;
  stored.memory = (*row)->memory;
  const RowTag owner = impl_->VaultTag(vault);
  RowDigest digest{};
  auto status = impl_->rows().ScanOwner(Part::kEntry, owner, digest, [&](ByteSpan, ByteSpan value) {
    stored.entries.push_back(base::ToBytes(value));
    return true;
  });
  if (!status) return status.error();
  status = impl_->rows().ScanOwner(Part::kBox, owner, digest, [&](ByteSpan item, ByteSpan value) {
    const std::uint64_t epoch = Reader(item).U64();
    stored.boxes.emplace(static_cast<std::uint32_t>(epoch), base::ToBytes(value));
    return true;
  });
  if (!status) return status.error();
  status = impl_->rows().ScanOwner(Part::kRecord, owner, digest, [&](ByteSpan, ByteSpan value) {
    auto record = ReadRecord(value);
    if (!record) return false;
    stored.records.push_back(*std::move(record));
    return true;
  });
  if (!status) return status.error();
  if (!crypto::ConstantTimeEqual(digest, (*row)->inner)) return StateLost();
  // They came in the order of their tags.
  std::ranges::sort(stored.records, {}, &RecordBlob::record);
  return std::optional(std::move(stored));
}

base::Status Store::Apply(const std::vector<VaultUpdate>& updates,
                          const std::vector<std::uint64_t>& outbox_done) {
  return impl_->Write([&](Meta& meta) -> base::Status {
    for (const auto& update : updates) {
      if (const auto status = impl_->ApplyOne(update, meta); !status) return status.error();
    }
    for (const auto id : outbox_done) {
      const auto status = impl_->rows().Drop(Part::kOutbox, {}, Number(id), meta.top);
      if (!status) return status.error();
    }
    return {};
  });
}

base::Status Store::Freeze(const base::VaultId& vault, EvidenceItem evidence) {
  return impl_->Write([&](Meta& meta) -> base::Status {
    auto row = impl_->GetMemory(vault);
    if (!row) return row.error();
    if (!*row) {
      return base::Error(base::Code::kNotFound, "this device never verified such a vault");
    }
    (*row)->memory.frozen = true;
    const auto status =
        impl_->rows().Put(Part::kMemory, impl_->VaultTag(vault), {}, (*row)->Write(), meta.top);
    if (!status) return status.error();
    return impl_->KeepEvidence(std::move(evidence), meta);
  });
}

base::Status Store::PutRows(protocol::Kind kind,
                            const std::vector<std::pair<base::VaultId, Bytes>>& rows,
                            ByteSpan cursor, const std::vector<base::VaultId>& gone) {
  return impl_->Write([&](Meta& meta) -> base::Status {
    const RowTag owner = impl_->KindTag(kind);
    const auto item = [&](const base::VaultId& vault) {
      return impl_->rows().TagOf(TagScope::kBoardRow, {owner, vault.bytes()});
    };
    for (const auto& [vault, content] : rows) {
      Bytes value = base::ToBytes(vault.bytes());
      base::Append(value, content);
      const auto status = impl_->rows().Put(Part::kBoardRow, owner, item(vault), value, meta.top);
      if (!status) return status.error();
    }
    for (const auto& vault : gone) {
      const auto status = impl_->rows().Drop(Part::kBoardRow, owner, item(vault), meta.top);
      if (!status) return status.error();
    }
    return impl_->rows().Put(Part::kCursor, owner, {}, cursor, meta.top);
  });
}

base::Result<std::vector<std::pair<base::VaultId, Bytes>>> Store::Rows(protocol::Kind kind) const {
  std::vector<std::pair<base::VaultId, Bytes>> rows;
  RowDigest digest{};
  const auto status = impl_->rows().ScanOwner(Part::kBoardRow, impl_->KindTag(kind), digest,
                                              [&](ByteSpan, ByteSpan value) {
                                                Reader r(value);
                                                const auto vault = r.Take<base::VaultId>();
                                                rows.emplace_back(vault, base::ToBytes(r.rest()));
                                                return r.ok();
                                              });
  if (!status) return status.error();
  return rows;
}

base::Result<Bytes> Store::RowsCursor(protocol::Kind kind) const {
  const auto value = impl_->rows().Get(Part::kCursor, impl_->KindTag(kind), {});
  if (!value) return value.error();
  return *value ? base::ToBytes((*value)->Expose()) : Bytes();
}

base::Result<std::uint64_t> Store::PutOutbox(ByteSpan content) {
  std::uint64_t id = 0;
  const auto status = impl_->Write([&](Meta& meta) -> base::Status {
    id = meta.next_outbox++;
    return impl_->rows().Put(Part::kOutbox, {}, Number(id), content, meta.top);
  });
  if (!status) return status.error();
  return id;
}

base::Status Store::ReplaceOutbox(std::uint64_t id, ByteSpan content) {
  return impl_->Write([&](Meta& meta) -> base::Status {
    return impl_->rows().Put(Part::kOutbox, {}, Number(id), content, meta.top);
  });
}

base::Result<std::vector<OutboxItem>> Store::Outbox() const {
  std::vector<OutboxItem> items;
  RowDigest digest{};
  const auto status =
      impl_->rows().ScanOwner(Part::kOutbox, {}, digest, [&](ByteSpan item, ByteSpan value) {
        items.push_back({Reader(item).U64(), base::ToBytes(value)});
        return true;
      });
  if (!status) return status.error();
  return items;
}

base::Status Store::RemoveOutbox(std::uint64_t id) { return Apply({}, {id}); }

base::Status Store::KeepEvidence(EvidenceItem evidence) {
  return impl_->Write([&](Meta& meta) { return impl_->KeepEvidence(std::move(evidence), meta); });
}

base::Result<std::vector<EvidenceItem>> Store::KeptEvidence() const {
  std::vector<EvidenceItem> all;
  RowDigest digest{};
  const auto status =
      impl_->rows().ScanOwner(Part::kEvidence, {}, digest, [&](ByteSpan, ByteSpan value) {
        auto kept = ReadEvidenceItem(value);
        if (!kept) return false;
        all.push_back(*std::move(kept));
        return true;
      });
  if (!status) return status.error();
  std::ranges::stable_sort(all, {}, [](const EvidenceItem& kept) { return kept.piece.time_ms; });
  return all;
}

std::size_t Store::SearchedShard(const base::VaultId& vault) { return vault.bytes()[0] >> 4; }

std::string Store::SearchedName(std::size_t shard) {
  return std::string("searched/") + "0123456789abcdef"[shard];
}

base::Status Store::Put(std::string_view name, ByteSpan value) {
  return impl_->Write([&](Meta& meta) {
    return impl_->rows().Put(Part::kNamed,
                             impl_->rows().TagOf(TagScope::kName, {base::AsBytes(name)}), {}, value,
                             meta.top);
  });
}

base::Result<std::optional<Bytes>> Store::Get(std::string_view name) const {
  const auto value = impl_->rows().Get(
      Part::kNamed, impl_->rows().TagOf(TagScope::kName, {base::AsBytes(name)}), {});
  if (!value) return value.error();
  if (!*value) return std::optional<Bytes>();
  return std::optional(base::ToBytes((*value)->Expose()));
}

}  // namespace godwit::client
