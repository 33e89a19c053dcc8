#include "client/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "client/private_file.h"
#include "crypto/committing.h"
#include "crypto/constant_time.h"
#include "crypto/hkdf.h"
#include "crypto/hmac.h"
#include "protocol/ce.h"
#include "protocol/labels.h"

namespace godwit::client {
namespace {

using base::Bytes;
using base::ByteSpan;
using protocol::Reader;
using protocol::Writer;

// "gw1s": shown by file(1), and refused if it is another.
constexpr int kApplicationId = 0x67773173;
constexpr int kSchemaVersion = 1;
constexpr int kBusyMs = 10'000;
// In bytes; keeps the row of a board on one page.
constexpr int kPageSize = 8192;
constexpr const char* kUseLog = "PRAGMA journal_mode=WAL";

// Two tables of one form. `top` is read whole at Open, `inner` a vault at a time. A table WITHOUT
// ROWID is one tree: what a search and what a scan go through are the same bytes, so that no row
// can hide from the one and show to the other. `head` is salt | c and comes before `body`, the
// ciphertext, whose overflow pages a scan leaves alone.
constexpr std::array<std::string_view, 2> kSchema{
    "CREATE TABLE inner (part INTEGER NOT NULL, owner BLOB NOT NULL, item BLOB NOT NULL, "
    "head BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (part, owner, item)) WITHOUT ROWID",
    "CREATE TABLE top (part INTEGER NOT NULL, owner BLOB NOT NULL, item BLOB NOT NULL, "
    "head BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (part, owner, item)) WITHOUT ROWID"};

// What a row is, with its key (owner, item). Numbers of parts are in sealed contexts: never reused.
enum class Part : std::uint8_t {
  kMeta = 0,       // -, -
  kMemory = 1,     // vault, -
  kBoardRow = 2,   // kind, vault
  kCursor = 3,     // kind, -
  kOutbox = 4,     // -, u64 id
  kEvidence = 5,   // -, content
  kNamed = 6,      // name, -
  kStatement = 7,  // -, u64 seq
  kEntry = 8,      // vault, u64 seq
  kBox = 9,        // vault, u64 epoch
  kRecord = 10,    // vault, record
};
bool IsInner(Part part) { return part >= Part::kStatement; }

// What a tag stands for, so that equal ids in two places have unequal tags.
enum class Scope : std::uint8_t {
  kVault = 1,
  kKind = 2,
  kRow = 3,
  kRecord = 4,
  kContent = 5,
  kName = 6
};

using TagKey = crypto::Secret<struct TagKeyTag, 32>;
using Tag = std::array<std::uint8_t, 16>;
using Digest = std::array<std::uint8_t, 32>;

base::Error StateLost() {
  return {base::Code::kStateLost,
          "what this device keeps of the realm is damaged, was changed, or is another device's: "
          "it was left as it is; verify the realm again with a second person"};
}

base::Error FromSqlite(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {base::Code::kUnavailable,
              "another godwit command is at work in the store: try again"};
    case SQLITE_FULL:
      return {base::Code::kResourceExhausted, "the disk is full"};
    case SQLITE_NOMEM:
      return {base::Code::kResourceExhausted, "there is not enough memory"};
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {base::Code::kIo, "the store cannot be read or written"};
    default:
      // Our statements are fixed, so whatever else SQLite dislikes is in the file.
      return StateLost();
  }
}

Bytes Number(std::uint64_t value) {
  Writer w;
  w.U64(value);
  return w.Take();
}

void Xor(Digest& digest, const Digest& element) {
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] ^= element[i];
}

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
struct FinishStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinishStatement>;

// One run of a prepared statement; ready for the next at its end.
class Run {
 public:
  explicit Run(const Statement& statement) : statement_(statement.get()) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

  void Bind(int index, Part part) { sqlite3_bind_int(statement_, index, static_cast<int>(part)); }
  // `bytes` must outlive the run. An empty one is an empty blob, not NULL.
  void Bind(int index, ByteSpan bytes) {
    const void* const at = bytes.empty() ? "" : static_cast<const void*>(bytes.data());
    sqlite3_bind_blob64(statement_, index, at, bytes.size(), SQLITE_STATIC);
  }
  int Step() { return sqlite3_step(statement_); }

  // Valid until the next step.
  ByteSpan Blob(int column) const {
    const auto* const at =
        static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    return {at, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  std::int64_t Integer(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string_view Text(int column) const {
    const ByteSpan bytes = Blob(column);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

 private:
  sqlite3_stmt* statement_;
};

// The row that everything hangs on.
struct Meta {
  std::uint64_t statements = 0;
  std::uint64_t next_outbox = 1;
  Digest roster{};  // of the parts kStatement
  Digest top{};     // of all other rows in `top`

  Bytes Write() const {
    Writer w;
    w.U8(kSchemaVersion).U64(statements).U64(next_outbox).Raw(roster).Raw(top);
    return w.Take();
  }
  static std::optional<Meta> Read(ByteSpan bytes) {
    Reader r(bytes);
    const std::uint8_t version = r.U8();
    Meta meta;
    meta.statements = r.U64();
    meta.next_outbox = r.U64();
    meta.roster = r.Array<32>();
    meta.top = r.Array<32>();
    if (!r.Done() || version != kSchemaVersion) return std::nullopt;
    return meta;
  }
};

// A vault's row in `top`, with the digest of its rows in `inner`.
struct MemoryRow {
  base::VaultId vault;
  VaultMemory memory;
  Digest inner{};

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

std::optional<base::Code> CodeByName(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(base::Code::kInternal); ++i) {
    if (base::Name(static_cast<base::Code>(i)) == name) return static_cast<base::Code>(i);
  }
  return std::nullopt;
}

Bytes WriteEvidence(const Evidence& evidence) {
  Writer w;
  w.U64(evidence.time_ms).Str(base::Name(evidence.code)).Var32(evidence.content);
  return w.Take();
}

std::optional<Evidence> ReadEvidence(ByteSpan bytes) {
  Reader r(bytes);
  Evidence evidence;
  evidence.time_ms = r.U64();
  const auto code = CodeByName(r.Str());
  evidence.content = base::ToBytes(r.Var32());
  if (!r.Done() || !code) return std::nullopt;
  evidence.code = *code;
  return evidence;
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
  Impl(StoreKey key, TagKey tag_key, const base::RealmId& realm, const base::Clock& clock)
      : key_(std::move(key)), tag_key_(std::move(tag_key)), realm_(realm), clock_(clock) {}

  static base::Result<std::unique_ptr<Impl>> Make(const std::filesystem::path& path,
                                                  const StoreKey& key, const base::RealmId& realm,
                                                  const base::Clock& clock);

  // Lays the schema down in an empty file, and writes the first meta row.
  base::Status Begin();
  // Checks what a file of that name holds, and changes nothing in it.
  base::Status Check();
  // Makes sure that writes go through a write-ahead log.
  base::Status UseLog();

  // --- Transactions. Begun and not committed, it is rolled back.
  class Transaction;

  // --- Rows.
  Tag TagOf(Scope scope, ByteSpan first, ByteSpan second = {}) const;
  Tag VaultTag(const base::VaultId& vault) const { return TagOf(Scope::kVault, vault.bytes()); }
  Tag KindTag(protocol::Kind kind) const {
    const std::uint8_t byte = static_cast<std::uint8_t>(kind);
    return TagOf(Scope::kKind, {&byte, 1});
  }

  base::Result<std::optional<crypto::SecretBytes>> GetRow(Part part, ByteSpan owner,
                                                          ByteSpan item = {}) const;
  // Adds or replaces a row, and its element in `digest`.
  base::Status PutRow(Part part, ByteSpan owner, ByteSpan item, ByteSpan value, Digest& digest);
  // Removes it, if it is there.
  base::Status DropRow(Part part, ByteSpan owner, ByteSpan item, Digest& digest);
  // Calls `use(ByteSpan item, ByteSpan value) -> bool` for each row of an owner, in the order of
  // their items, and adds up their digest. E_STATE_LOST: `use` said false.
  template <class Use>
  base::Status ScanOwner(Part part, ByteSpan owner, Digest& digest, Use&& use) const;
  // The same for all owners.
  template <class Use>
  base::Status ScanPart(Part part, Use&& use) const;

  base::Result<Meta> GetMeta() const;
  base::Status PutMeta(const Meta& meta);
  base::Result<std::optional<MemoryRow>> GetMemory(const base::VaultId& vault) const;

  base::Status ApplyOne(const VaultUpdate& update, Meta& meta);
  base::Status PutRecord(const base::VaultId& vault, ByteSpan owner, const RecordBlob& record,
                         Digest& digest);
  base::Status KeepEvidence(base::Code code, ByteSpan content, Meta& meta);

 private:
  base::Status Execute(const char* sql) const;
  base::Status CheckSchema() const;
  base::Status CheckDigest() const;
  void Checkpoint() const;

  Bytes Context(Part part, ByteSpan owner, ByteSpan item) const;
  Digest Element(Part part, ByteSpan owner, ByteSpan item, ByteSpan head) const;
  base::Result<crypto::SecretBytes> OpenRow(Part part, ByteSpan owner, ByteSpan item, ByteSpan head,
                                            ByteSpan body) const;
  // The statements of one table.
  struct Statements {
    Statement get, get_head, put, drop, scan_owner, scan_part;
  };
  base::Status Prepare(const std::string& table, Statements& statements) const;
  const Statements& Of(Part part) const { return IsInner(part) ? inner_ : top_; }
  // Takes the element of the row that stands at this key out of `digest`. True: there is one.
  base::Result<bool> TakeOut(Part part, ByteSpan owner, ByteSpan item, Digest& digest) const;

  StoreKey key_;
  TagKey tag_key_;
  base::RealmId realm_;
  const base::Clock& clock_;
  // Before the statements, so that it is closed after they are finished.
  Database db_;
  Statements top_;
  Statements inner_;
};

// Several statements as one. Reads take one too, so that they see one moment.
class Store::Impl::Transaction {
 public:
  enum class Kind { kRead, kWrite };

  static base::Result<Transaction> Start(const Impl& impl, Kind kind) {
    const auto status = impl.Execute(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
    if (!status) return status.error();
    return Transaction(impl);
  }
  Transaction(Transaction&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction() {
    // Fails only where SQLite rolled back by itself.
    if (impl_ != nullptr) static_cast<void>(impl_->Execute("ROLLBACK"));
  }

  base::Status Commit() {
    const auto status = impl_->Execute("COMMIT");
    if (!status) return status.error();
    std::exchange(impl_, nullptr)->Checkpoint();
    return {};
  }

 private:
  explicit Transaction(const Impl& impl) : impl_(&impl) {}

  const Impl* impl_;
};

base::Result<std::unique_ptr<Store::Impl>> Store::Impl::Make(const std::filesystem::path& path,
                                                             const StoreKey& key,
                                                             const base::RealmId& realm,
                                                             const base::Clock& clock) {
  auto own_key = StoreKey::Copy(key.Expose());
  if (!own_key) return own_key.error();
  auto tag_key =
      crypto::DeriveSecret<struct TagKeyTag, 32>(key, protocol::labels::kLocalTag, ByteSpan());
  if (!tag_key) return tag_key.error();
  auto impl = std::make_unique<Impl>(*std::move(own_key), *std::move(tag_key), realm, clock);
  sqlite3* db = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  impl->db_.reset(db);
  if (code != SQLITE_OK) return FromSqlite(code);
  // The file may be an attacker's: nothing in its schema may run.
  sqlite3_extended_result_codes(db, 1);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_busy_timeout(db, kBusyMs);
  // Sorting spills into memory, not into a file.
  for (const char* const pragma : {"PRAGMA cell_size_check=ON", "PRAGMA secure_delete=ON",
                                   "PRAGMA temp_store=MEMORY", "PRAGMA synchronous=FULL"}) {
    if (const auto status = impl->Execute(pragma); !status) return status.error();
  }
  return impl;
}

base::Status Store::Impl::Begin() {
  const std::string page_size = "PRAGMA page_size=" + std::to_string(kPageSize);
  for (const char* const pragma : {page_size.c_str(), kUseLog}) {
    if (const auto status = Execute(pragma); !status) return status.error();
  }
  auto transaction = Transaction::Start(*this, Transaction::Kind::kWrite);
  if (!transaction) return transaction.error();
  for (const auto sql : kSchema) {
    if (const auto status = Execute(sql.data()); !status) return status.error();
  }
  const std::string marks = "PRAGMA application_id=" + std::to_string(kApplicationId) +
                            "; PRAGMA user_version=" + std::to_string(kSchemaVersion);
  if (const auto status = Execute(marks.c_str()); !status) return status.error();
  for (const auto& [table, statements] : {std::pair("top", &top_), std::pair("inner", &inner_)}) {
    if (const auto status = Prepare(table, *statements); !status) return status.error();
  }
  if (const auto status = PutMeta(Meta{}); !status) return status.error();
  return transaction->Commit();
}

base::Status Store::Impl::Check() {
  auto transaction = Transaction::Start(*this, Transaction::Kind::kRead);
  if (!transaction) return transaction.error();
  if (const auto status = CheckSchema(); !status) return status.error();
  for (const auto& [table, statements] : {std::pair("top", &top_), std::pair("inner", &inner_)}) {
    if (const auto status = Prepare(table, *statements); !status) return status.error();
  }
  return CheckDigest();
}

base::Status Store::Impl::UseLog() { return Execute(kUseLog); }

base::Status Store::Impl::Execute(const char* sql) const {
  const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return FromSqlite(code);
  return {};
}

namespace {

base::Result<Statement> PrepareOne(sqlite3* db, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db, sql.c_str(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return FromSqlite(code);
  return Statement(statement);
}

}  // namespace

base::Status Store::Impl::Prepare(const std::string& table, Statements& statements) const {
  const std::string at = " FROM " + table + " WHERE part=?1 AND owner=?2 AND item=?3";
  const std::array<std::pair<Statement*, std::string>, 6> all{
      {{&statements.get, "SELECT head, body" + at},
       {&statements.get_head, "SELECT head" + at},
       {&statements.put, "INSERT INTO " + table +
                             " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (part, owner, item) "
                             "DO UPDATE SET head=excluded.head, body=excluded.body"},
       {&statements.drop, "DELETE" + at},
       {&statements.scan_owner, "SELECT owner, item, head, body FROM " + table +
                                    " WHERE part=?1 AND owner=?2 ORDER BY item"},
       {&statements.scan_part,
        "SELECT owner, item, head, body FROM " + table + " WHERE part=?1 ORDER BY owner, item"}}};
  for (const auto& [statement, sql] : all) {
    auto prepared = PrepareOne(db_.get(), sql);
    if (!prepared) return prepared.error();
    *statement = *std::move(prepared);
  }
  return {};
}

// The tables must be exactly ours: a changed definition could make SQLite read other columns, or
// add an index that disagrees with its table.
base::Status Store::Impl::CheckSchema() const {
  for (const auto& [sql, want] : {std::pair("PRAGMA application_id", kApplicationId),
                                  std::pair("PRAGMA user_version", kSchemaVersion)}) {
    const auto statement = PrepareOne(db_.get(), sql);
    if (!statement) return statement.error();
    Run run(*statement);
    if (const int code = run.Step(); code != SQLITE_ROW) return FromSqlite(code);
    if (want == kSchemaVersion && run.Integer(0) > kSchemaVersion) {
      return base::Error(base::Code::kUnsupported,
                         "a later version of Godwit wrote this device's store: update Godwit");
    }
    if (run.Integer(0) != want) return StateLost();
  }
  const auto statement = PrepareOne(db_.get(), "SELECT sql FROM sqlite_schema ORDER BY name");
  if (!statement) return statement.error();
  Run run(*statement);
  for (const auto sql : kSchema) {
    const int code = run.Step();
    if (code != SQLITE_ROW && code != SQLITE_DONE) return FromSqlite(code);
    if (code == SQLITE_DONE || run.Text(0) != sql) return StateLost();
  }
  const int code = run.Step();
  return code == SQLITE_DONE ? base::Status::Ok() : base::Status(StateLost());
}

base::Status Store::Impl::CheckDigest() const {
  const auto meta = GetMeta();
  if (!meta) return meta.error();
  const auto statement = PrepareOne(db_.get(), "SELECT part, owner, item, head FROM top");
  if (!statement) return statement.error();
  Run run(*statement);
  Digest digest{};
  int code = run.Step();
  for (; code == SQLITE_ROW; code = run.Step()) {
    const std::int64_t part = run.Integer(0);
    if (part < 0 || part >= static_cast<std::int64_t>(Part::kStatement)) return StateLost();
    if (static_cast<Part>(part) == Part::kMeta) continue;
    Xor(digest, Element(static_cast<Part>(part), run.Blob(1), run.Blob(2), run.Blob(3)));
  }
  if (code != SQLITE_DONE) return FromSqlite(code);
  if (!crypto::ConstantTimeEqual(digest, meta->top)) return StateLost();
  return {};
}

// SQLite takes a damaged write-ahead log for one that ends early, and so would forget what was
// committed last. Emptied after every commit it has nothing to lose, but for a crash in between.
// A reader elsewhere may hold it back until the next commit: that is no error.
void Store::Impl::Checkpoint() const {
  sqlite3_busy_timeout(db_.get(), 0);
  sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_timeout(db_.get(), kBusyMs);
}

// tag = HMAC-SHA256(tag key, u8 1 | u8 scope | ids)[0:16]; ids of one scope have one length, but
// for one of any length at the end.
Tag Store::Impl::TagOf(Scope scope, ByteSpan first, ByteSpan second) const {
  const std::array<std::uint8_t, 2> prefix{1, static_cast<std::uint8_t>(scope)};
  const auto mac = crypto::HmacSha256(tag_key_, {prefix, first, second});
  Tag tag;
  std::copy_n(mac.begin(), tag.size(), tag.begin());
  return tag;
}

// context = "gw1/local" | realm | u8 part | var16 owner | var16 item
Bytes Store::Impl::Context(Part part, ByteSpan owner, ByteSpan item) const {
  Writer w;
  w.Raw("gw1/local").Fixed(realm_).U8(static_cast<std::uint8_t>(part)).Var16(owner).Var16(item);
  return w.Take();
}

// The digest of a set of rows is the XOR of HMAC-SHA256(tag key, u8 2 | context | c) over them:
// nobody without the key knows an element or the sum, which is itself sealed (MSet-XOR-Hash of
// Clarke et al., "Incremental Multiset Hash Functions", ASIACRYPT 2003, section 4).
Digest Store::Impl::Element(Part part, ByteSpan owner, ByteSpan item, ByteSpan head) const {
  const std::uint8_t prefix = 2;
  const Bytes context = Context(part, owner, item);
  return crypto::HmacSha256(tag_key_, {{&prefix, 1}, context, head});
}

base::Result<crypto::SecretBytes> Store::Impl::OpenRow(Part part, ByteSpan owner, ByteSpan item,
                                                       ByteSpan head, ByteSpan body) const {
  if (head.size() != 64) return StateLost();
  auto value =
      crypto::OpenCommittingParts(key_, protocol::labels::kLocal, Context(part, owner, item),
                                  head.first<32>(), head.last<32>(), body);
  if (!value) return StateLost();
  return value;
}

base::Result<std::optional<crypto::SecretBytes>> Store::Impl::GetRow(Part part, ByteSpan owner,
                                                                     ByteSpan item) const {
  Run run(Of(part).get);
  run.Bind(1, part);
  run.Bind(2, owner);
  run.Bind(3, item);
  const int code = run.Step();
  if (code == SQLITE_DONE) return std::optional<crypto::SecretBytes>();
  if (code != SQLITE_ROW) return FromSqlite(code);
  auto value = OpenRow(part, owner, item, run.Blob(0), run.Blob(1));
  if (!value) return value.error();
  return std::optional(*std::move(value));
}

base::Result<bool> Store::Impl::TakeOut(Part part, ByteSpan owner, ByteSpan item,
                                        Digest& digest) const {
  Run run(Of(part).get_head);
  run.Bind(1, part);
  run.Bind(2, owner);
  run.Bind(3, item);
  const int code = run.Step();
  if (code == SQLITE_DONE) return false;
  if (code != SQLITE_ROW) return FromSqlite(code);
  Xor(digest, Element(part, owner, item, run.Blob(0)));
  return true;
}

base::Status Store::Impl::PutRow(Part part, ByteSpan owner, ByteSpan item, ByteSpan value,
                                 Digest& digest) {
  const auto replaced = TakeOut(part, owner, item, digest);
  if (!replaced) return replaced.error();
  const auto sealed = crypto::SealCommittingParts(key_, protocol::labels::kLocal,
                                                  Context(part, owner, item), value);
  Bytes head = base::ToBytes(sealed.salt);
  base::Append(head, sealed.commitment);
  Run run(Of(part).put);
  run.Bind(1, part);
  run.Bind(2, owner);
  run.Bind(3, item);
  run.Bind(4, head);
  run.Bind(5, sealed.ciphertext);
  if (const int code = run.Step(); code != SQLITE_DONE) return FromSqlite(code);
  Xor(digest, Element(part, owner, item, head));
  return {};
}

base::Status Store::Impl::DropRow(Part part, ByteSpan owner, ByteSpan item, Digest& digest) {
  const auto there = TakeOut(part, owner, item, digest);
  if (!there) return there.error();
  if (!*there) return {};
  Run run(Of(part).drop);
  run.Bind(1, part);
  run.Bind(2, owner);
  run.Bind(3, item);
  if (const int code = run.Step(); code != SQLITE_DONE) return FromSqlite(code);
  return {};
}

template <class Use>
base::Status Store::Impl::ScanOwner(Part part, ByteSpan owner, Digest& digest, Use&& use) const {
  Run run(Of(part).scan_owner);
  run.Bind(1, part);
  run.Bind(2, owner);
  int code = run.Step();
  for (; code == SQLITE_ROW; code = run.Step()) {
    const auto value = OpenRow(part, run.Blob(0), run.Blob(1), run.Blob(2), run.Blob(3));
    if (!value) return value.error();
    if (!use(run.Blob(1), value->Expose())) return StateLost();
    Xor(digest, Element(part, run.Blob(0), run.Blob(1), run.Blob(2)));
  }
  if (code != SQLITE_DONE) return FromSqlite(code);
  return {};
}

template <class Use>
base::Status Store::Impl::ScanPart(Part part, Use&& use) const {
  Run run(Of(part).scan_part);
  run.Bind(1, part);
  int code = run.Step();
  for (; code == SQLITE_ROW; code = run.Step()) {
    const auto value = OpenRow(part, run.Blob(0), run.Blob(1), run.Blob(2), run.Blob(3));
    if (!value) return value.error();
    if (!use(run.Blob(1), value->Expose())) return StateLost();
  }
  if (code != SQLITE_DONE) return FromSqlite(code);
  return {};
}

base::Result<Meta> Store::Impl::GetMeta() const {
  const auto value = GetRow(Part::kMeta, {});
  if (!value) return value.error();
  if (!*value) return StateLost();
  const auto meta = Meta::Read((*value)->Expose());
  if (!meta) return StateLost();
  return *meta;
}

base::Status Store::Impl::PutMeta(const Meta& meta) {
  Digest none{};
  return PutRow(Part::kMeta, {}, {}, meta.Write(), none);
}

base::Result<std::optional<MemoryRow>> Store::Impl::GetMemory(const base::VaultId& vault) const {
  const auto value = GetRow(Part::kMemory, VaultTag(vault));
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
  // A new vault has its entry 0 at least; seq - first + 1 would overflow for neither.
  const bool complete =
      *known ? update.entries.size() == update.memory.seq - row.memory.seq
             : !update.entries.empty() && update.entries.size() - 1 == update.memory.seq;
  if (!complete) {
    return base::Error(base::Code::kInvalidArgument,
                       "a vault's entries do not follow those that are kept");
  }
  row.memory = update.memory;

  const Tag owner = VaultTag(update.vault);
  for (std::size_t i = 0; i < update.entries.size(); ++i) {
    const auto status =
        PutRow(Part::kEntry, owner, Number(first + i), update.entries[i], row.inner);
    if (!status) return status.error();
  }
  for (const auto& [epoch, box] : update.boxes) {
    const auto status = PutRow(Part::kBox, owner, Number(epoch), box, row.inner);
    if (!status) return status.error();
  }
  for (const auto& record : update.records) {
    const auto status = PutRecord(update.vault, owner, record, row.inner);
    if (!status) return status.error();
  }
  for (const auto& record : update.dropped_records) {
    const auto status =
        DropRow(Part::kRecord, owner, TagOf(Scope::kRecord, update.vault.bytes(), record.bytes()),
                row.inner);
    if (!status) return status.error();
  }
  return PutRow(Part::kMemory, owner, {}, row.Write(), meta.top);
}

base::Status Store::Impl::PutRecord(const base::VaultId& vault, ByteSpan owner,
                                    const RecordBlob& record, Digest& digest) {
  const Tag item = TagOf(Scope::kRecord, vault.bytes(), record.record.bytes());
  const auto known = GetRow(Part::kRecord, owner, item);
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
  return PutRow(Part::kRecord, owner, item, WriteRecord(record), digest);
}

base::Status Store::Impl::KeepEvidence(base::Code code, ByteSpan content, Meta& meta) {
  const Tag item = TagOf(Scope::kContent, content);
  const auto known = GetRow(Part::kEvidence, {}, item);
  if (!known) return known.error();
  if (*known) return {};
  const Evidence evidence{code, clock_.NowMs(), base::ToBytes(content)};
  return PutRow(Part::kEvidence, {}, item, WriteEvidence(evidence), meta.top);
}

// --- The store ------------------------------------------------------------------------------

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

namespace {

// Runs `change(Meta&) -> Status` in a write transaction, with the meta row read before and written
// after it.
template <class Impl, class Change>
base::Status InTransaction(Impl& impl, Change&& change) {
  auto transaction = Impl::Transaction::Start(impl, Impl::Transaction::Kind::kWrite);
  if (!transaction) return transaction.error();
  auto meta = impl.GetMeta();
  if (!meta) return meta.error();
  if (const base::Status status = change(*meta); !status) return status.error();
  if (const auto status = impl.PutMeta(*meta); !status) return status.error();
  return transaction->Commit();
}

}  // namespace

base::Result<Store> Store::Create(const std::filesystem::path& path, const StoreKey& key,
                                  const base::RealmId& realm, const base::Clock& clock) {
  const auto dir = OpenPrivateDir(path.parent_path());
  if (!dir) return dir.error();
  {
    const OwnedFd file(openat(dir->get(), path.filename().c_str(),
                              O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.ok()) {
      if (errno == EEXIST) {
        return base::Error(base::Code::kExists, "this profile has a store of the realm already");
      }
      return base::Error(base::Code::kIo, "the store's file cannot be made");
    }
  }
  auto impl = Impl::Make(path, key, realm, clock);
  if (!impl) return impl.error();
  if (const auto status = (*impl)->Begin(); !status) return status.error();
  if (fsync(dir->get()) != 0) return base::Error(base::Code::kIo, "the store's file is not kept");
  return Store(*std::move(impl));
}

base::Result<Store> Store::Open(const std::filesystem::path& path, const StoreKey& key,
                                const base::RealmId& realm, const base::Clock& clock) {
  if (const auto status = CheckPrivateFile(path); !status) {
    if (status.error().code() == base::Code::kNotFound) {
      return base::Error(base::Code::kStateLost,
                         "what this device kept of the realm is gone: verify the realm again with "
                         "a second person");
    }
    return status.error();
  }
  // SQLite takes an empty file for a new database, and would make it one.
  std::error_code error;
  if (std::filesystem::file_size(path, error) < kPageSize) return StateLost();
  auto impl = Impl::Make(path, key, realm, clock);
  if (!impl) return impl.error();
  if (const auto status = (*impl)->Check(); !status) return status.error();
  if (const auto status = (*impl)->UseLog(); !status) return status.error();
  return Store(*std::move(impl));
}

base::Result<std::vector<base::Bytes>> Store::Roster() const {
  auto transaction = Impl::Transaction::Start(*impl_, Impl::Transaction::Kind::kRead);
  if (!transaction) return transaction.error();
  const auto meta = impl_->GetMeta();
  if (!meta) return meta.error();
  std::vector<Bytes> statements;
  Digest digest{};
  const auto status = impl_->ScanOwner(Part::kStatement, {}, digest, [&](ByteSpan, ByteSpan value) {
    statements.push_back(base::ToBytes(value));
    return true;
  });
  if (!status) return status.error();
  // The digest binds each statement to its seq; the count, that none is missing between them.
  if (statements.size() != meta->statements || !crypto::ConstantTimeEqual(digest, meta->roster)) {
    return StateLost();
  }
  return statements;
}

base::Status Store::AppendRoster(std::uint64_t first_seq, const std::vector<Bytes>& statements) {
  return InTransaction(*impl_, [&](Meta& meta) -> base::Status {
    if (first_seq != meta.statements) {
      return base::Error(base::Code::kConflict,
                         "the roster that is kept does not end there: load it again");
    }
    for (const auto& statement : statements) {
      const auto status =
          impl_->PutRow(Part::kStatement, {}, Number(meta.statements), statement, meta.roster);
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
  const auto status = impl_->ScanPart(Part::kMemory, [&](ByteSpan, ByteSpan value) {
    const auto row = MemoryRow::Read(value);
    if (!row) return false;
    if (!kind || row->memory.kind == *kind) vaults.emplace_back(row->vault, row->memory);
    return true;
  });
  if (!status) return status.error();
  return vaults;
}

base::Result<std::optional<StoredVault>> Store::Load(const base::VaultId& vault) const {
  auto transaction = Impl::Transaction::Start(*impl_, Impl::Transaction::Kind::kRead);
  if (!transaction) return transaction.error();
  const auto row = impl_->GetMemory(vault);
  if (!row) return row.error();
  if (!*row) return std::optional<StoredVault>();

  StoredVault stored;
  stored.memory = (*row)->memory;
  const Tag owner = impl_->VaultTag(vault);
  Digest digest{};
  auto status = impl_->ScanOwner(Part::kEntry, owner, digest, [&](ByteSpan item, ByteSpan value) {
    if (Reader(item).U64() != stored.entries.size()) return false;
    stored.entries.push_back(base::ToBytes(value));
    return true;
  });
  if (!status) return status.error();
  status = impl_->ScanOwner(Part::kBox, owner, digest, [&](ByteSpan item, ByteSpan value) {
    const std::uint64_t epoch = Reader(item).U64();
    stored.boxes.emplace(static_cast<std::uint32_t>(epoch), base::ToBytes(value));
    return true;
  });
  if (!status) return status.error();
  status = impl_->ScanOwner(Part::kRecord, owner, digest, [&](ByteSpan, ByteSpan value) {
    auto record = ReadRecord(value);
    if (!record) return false;
    stored.records.push_back(*std::move(record));
    return true;
  });
  if (!status) return status.error();
  if (stored.entries.empty() || stored.entries.size() - 1 != stored.memory.seq ||
      !crypto::ConstantTimeEqual(digest, (*row)->inner)) {
    return StateLost();
  }
  // They came in the order of their tags.
  std::ranges::sort(stored.records, {}, &RecordBlob::record);
  return std::optional(std::move(stored));
}

base::Status Store::Apply(const std::vector<VaultUpdate>& updates,
                          const std::vector<std::uint64_t>& outbox_done) {
  return InTransaction(*impl_, [&](Meta& meta) -> base::Status {
    for (const auto& update : updates) {
      if (const auto status = impl_->ApplyOne(update, meta); !status) return status.error();
    }
    for (const auto id : outbox_done) {
      const auto status = impl_->DropRow(Part::kOutbox, {}, Number(id), meta.top);
      if (!status) return status.error();
    }
    return {};
  });
}

base::Status Store::Freeze(const base::VaultId& vault, base::Code code, ByteSpan content) {
  return InTransaction(*impl_, [&](Meta& meta) -> base::Status {
    auto row = impl_->GetMemory(vault);
    if (!row) return row.error();
    if (!*row) {
      return base::Error(base::Code::kNotFound, "this device never verified such a vault");
    }
    (*row)->memory.frozen = true;
    const auto status =
        impl_->PutRow(Part::kMemory, impl_->VaultTag(vault), {}, (*row)->Write(), meta.top);
    if (!status) return status.error();
    return impl_->KeepEvidence(code, content, meta);
  });
}

base::Status Store::PutRows(protocol::Kind kind,
                            const std::vector<std::pair<base::VaultId, Bytes>>& rows,
                            ByteSpan cursor, const std::vector<base::VaultId>& gone) {
  return InTransaction(*impl_, [&](Meta& meta) -> base::Status {
    const Tag owner = impl_->KindTag(kind);
    const auto item = [&](const base::VaultId& vault) {
      return impl_->TagOf(Scope::kRow, owner, vault.bytes());
    };
    for (const auto& [vault, content] : rows) {
      Bytes value = base::ToBytes(vault.bytes());
      base::Append(value, content);
      const auto status = impl_->PutRow(Part::kBoardRow, owner, item(vault), value, meta.top);
      if (!status) return status.error();
    }
    for (const auto& vault : gone) {
      const auto status = impl_->DropRow(Part::kBoardRow, owner, item(vault), meta.top);
      if (!status) return status.error();
    }
    return impl_->PutRow(Part::kCursor, owner, {}, cursor, meta.top);
  });
}

base::Result<std::vector<std::pair<base::VaultId, Bytes>>> Store::Rows(protocol::Kind kind) const {
  std::vector<std::pair<base::VaultId, Bytes>> rows;
  Digest digest{};
  const auto status = impl_->ScanOwner(Part::kBoardRow, impl_->KindTag(kind), digest,
                                       [&](ByteSpan, ByteSpan value) {
                                         Reader r(value);
                                         const auto vault = r.Take<base::VaultId>();
                                         if (r.ok())
                                           rows.emplace_back(vault, base::ToBytes(r.rest()));
                                         return r.ok();
                                       });
  if (!status) return status.error();
  return rows;
}

base::Result<Bytes> Store::RowsCursor(protocol::Kind kind) const {
  const auto value = impl_->GetRow(Part::kCursor, impl_->KindTag(kind));
  if (!value) return value.error();
  return *value ? base::ToBytes((*value)->Expose()) : Bytes();
}

base::Result<std::uint64_t> Store::PutOutbox(ByteSpan content) {
  std::uint64_t id = 0;
  const auto status = InTransaction(*impl_, [&](Meta& meta) -> base::Status {
    id = meta.next_outbox++;
    return impl_->PutRow(Part::kOutbox, {}, Number(id), content, meta.top);
  });
  if (!status) return status.error();
  return id;
}

base::Result<std::vector<OutboxItem>> Store::Outbox() const {
  std::vector<OutboxItem> items;
  Digest digest{};
  const auto status =
      impl_->ScanOwner(Part::kOutbox, {}, digest, [&](ByteSpan item, ByteSpan value) {
        items.push_back({Reader(item).U64(), base::ToBytes(value)});
        return true;
      });
  if (!status) return status.error();
  return items;
}

base::Status Store::RemoveOutbox(std::uint64_t id) { return Apply({}, {id}); }

base::Status Store::KeepEvidence(base::Code code, ByteSpan content) {
  return InTransaction(*impl_,
                       [&](Meta& meta) { return impl_->KeepEvidence(code, content, meta); });
}

base::Result<std::vector<Evidence>> Store::KeptEvidence() const {
  std::vector<Evidence> all;
  Digest digest{};
  const auto status = impl_->ScanOwner(Part::kEvidence, {}, digest, [&](ByteSpan, ByteSpan value) {
    auto evidence = ReadEvidence(value);
    if (!evidence) return false;
    all.push_back(*std::move(evidence));
    return true;
  });
  if (!status) return status.error();
  std::ranges::stable_sort(all, {}, &Evidence::time_ms);
  return all;
}

base::Status Store::Put(std::string_view name, ByteSpan value) {
  return InTransaction(*impl_, [&](Meta& meta) {
    return impl_->PutRow(Part::kNamed, impl_->TagOf(Scope::kName, base::AsBytes(name)), {}, value,
                         meta.top);
  });
}

base::Result<std::optional<Bytes>> Store::Get(std::string_view name) const {
  const auto value = impl_->GetRow(Part::kNamed, impl_->TagOf(Scope::kName, base::AsBytes(name)));
  if (!value) return value.error();
  if (!*value) return std::optional<Bytes>();
  return std::optional(base::ToBytes((*value)->Expose()));
}

}  // namespace godwit::client
