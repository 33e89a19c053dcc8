#include "client/sealed_rows.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <vector>

#include "client/private_file.h"
#include "crypto/committing.h"
#include "crypto/hkdf.h"
#include "crypto/hmac.h"
#include "protocol/ce.h"
#include "protocol/labels.h"

namespace godwit::client {
namespace {

using base::Bytes;
using base::ByteSpan;

// "gw1s": shown by file(1), and refused if it is another.
constexpr int kApplicationId = 0x67773173;
constexpr int kSchemaVersion = 1;
constexpr int kBusyMs = 10'000;
// In bytes; keeps the row of a board on one page.
constexpr int kPageSize = 8192;
constexpr const char* kUseLog = "PRAGMA journal_mode=WAL";

// Two tables of one form. `top` is read whole at Open, `inner` a vault at a time. A table WITHOUT
// ROWID is one tree: what a search and what a scan go through are the same bytes, so that no row
// can hide from the one and show to the other. `head` comes before `body`, whose overflow pages a
// scan of the digest leaves alone.
constexpr std::array<std::string_view, 2> kSchema{
    "CREATE TABLE inner (part INTEGER NOT NULL, owner BLOB NOT NULL, item BLOB NOT NULL, "
    "head BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (part, owner, item)) WITHOUT ROWID",
    "CREATE TABLE top (part INTEGER NOT NULL, owner BLOB NOT NULL, item BLOB NOT NULL, "
    "head BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (part, owner, item)) WITHOUT ROWID"};

// The first byte of what the tag key is used for.
constexpr std::uint8_t kForTag = 1;
constexpr std::uint8_t kForDigest = 2;

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

void Xor(RowDigest& digest, const RowDigest& element) {
  for (std::size_t i = 0; i < digest.size(); ++i) digest[i] ^= element[i];
}

}  // namespace

base::Error StateLost() {
  return {base::Code::kStateLost,
          "what this device keeps of the realm is damaged, was changed, or is another device's: "
          "it was left as it is; verify the realm again with a second person"};
}

// One run of a prepared statement; ready for the next at its end.
class SealedRows::Run {
 public:
  explicit Run(const Statement& statement) : statement_(statement.get()) {}
  Run(const Statement& statement, Part part) : Run(statement) {
    sqlite3_bind_int(statement_, 1, static_cast<int>(part));
  }
  Run(const Statement& statement, Part part, ByteSpan owner) : Run(statement, part) {
    Bind(2, owner);
  }
  Run(const Statement& statement, Part part, ByteSpan owner, ByteSpan item)
      : Run(statement, part, owner) {
    Bind(3, item);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

  // `bytes` must outlive the run. Empty ones are an empty blob, not NULL.
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

 private:
  sqlite3_stmt* statement_;
};

void SealedRows::CloseDatabase::operator()(sqlite3* database) const { sqlite3_close(database); }
void SealedRows::FinishStatement::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

SealedRows::SealedRows(StoreKey key, TagKey tag_key, const base::RealmId& realm)
    : key_(std::move(key)), tag_key_(std::move(tag_key)), realm_(realm) {}
SealedRows::~SealedRows() = default;

base::Result<std::unique_ptr<SealedRows>> SealedRows::Create(const std::filesystem::path& path,
                                                             const StoreKey& key,
                                                             const base::RealmId& realm) {
  const auto dir = OpenPrivateDir(path.parent_path());
  if (!dir) return dir.error();
  OwnedFd file(openat(dir->get(), path.filename().c_str(),
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok()) {
    if (errno == EEXIST) {
      return base::Error(base::Code::kExists, "this profile has a store of the realm already");
    }
    return base::Error(base::Code::kIo, "the store's file cannot be made");
  }
  // Closed before SQLite opens it: closing it later would end SQLite's locks.
  file.Close();
  auto rows = Connect(path, key, realm);
  if (!rows) return rows.error();
  if (const auto status = (*rows)->MakeSchema(); !status) return status.error();
  if (const auto status = (*rows)->PrepareAll(); !status) return status.error();
  if (fsync(dir->get()) != 0) return base::Error(base::Code::kIo, "the store's file is not kept");
  return rows;
}

base::Result<std::unique_ptr<SealedRows>> SealedRows::Open(const std::filesystem::path& path,
                                                           const StoreKey& key,
                                                           const base::RealmId& realm) {
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
  auto rows = Connect(path, key, realm);
  if (!rows) return rows.error();
  if (const auto status = (*rows)->CheckSchema(); !status) return status.error();
  if (const auto status = (*rows)->PrepareAll(); !status) return status.error();
  return rows;
}

base::Result<std::unique_ptr<SealedRows>> SealedRows::Connect(const std::filesystem::path& path,
                                                              const StoreKey& key,
                                                              const base::RealmId& realm) {
  auto own_key = StoreKey::Copy(key.Expose());
  if (!own_key) return own_key.error();
  auto tag_key =
      crypto::DeriveSecret<struct TagKeyTag, 32>(key, protocol::labels::kLocalTag, ByteSpan());
  if (!tag_key) return tag_key.error();
  std::unique_ptr<SealedRows> rows(new SealedRows(*std::move(own_key), *std::move(tag_key), realm));
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &database,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  rows->database_.reset(database);
  if (code != SQLITE_OK) return FromSqlite(code);
  // The file may be an attacker's: nothing in its schema may run.
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_busy_timeout(database, kBusyMs);
  // Sorting spills into memory, not into a file.
  for (const char* const pragma : {"PRAGMA cell_size_check=ON", "PRAGMA secure_delete=ON",
                                   "PRAGMA temp_store=MEMORY", "PRAGMA synchronous=FULL"}) {
    if (const auto status = rows->Execute(pragma); !status) return status.error();
  }
  return rows;
}

base::Status SealedRows::MakeSchema() {
  const std::string page_size = "PRAGMA page_size=" + std::to_string(kPageSize);
  for (const char* const pragma : {page_size.c_str(), kUseLog}) {
    if (const auto status = Execute(pragma); !status) return status.error();
  }
  auto transaction = BeginWrite();
  if (!transaction) return transaction.error();
  const std::string marks = "PRAGMA application_id=" + std::to_string(kApplicationId) +
                            "; PRAGMA user_version=" + std::to_string(kSchemaVersion);
  for (const char* const sql : {kSchema[0].data(), kSchema[1].data(), marks.c_str()}) {
    if (const auto status = Execute(sql); !status) return status.error();
  }
  return transaction->Commit();
}

// The tables must be exactly ours: a changed definition could make SQLite read other columns, or
// add an index that disagrees with its table.
base::Status SealedRows::CheckSchema() const {
  const auto number = [this](const char* sql) -> base::Result<std::int64_t> {
    const auto statement = Prepare(sql);
    if (!statement) return statement.error();
    Run run(*statement);
    if (const int code = run.Step(); code != SQLITE_ROW) return FromSqlite(code);
    return run.Integer(0);
  };
  const auto application = number("PRAGMA application_id");
  if (!application) return application.error();
  if (*application != kApplicationId) return StateLost();
  const auto version = number("PRAGMA user_version");
  if (!version) return version.error();
  if (*version > kSchemaVersion) {
    return base::Error(base::Code::kUnsupported,
                       "a later version of Godwit wrote this device's store: update Godwit");
  }
  if (*version != kSchemaVersion) return StateLost();

  const auto statement = Prepare("SELECT sql FROM sqlite_schema ORDER BY name");
  if (!statement) return statement.error();
  Run run(*statement);
  for (const auto sql : kSchema) {
    const int code = run.Step();
    if (code != SQLITE_ROW && code != SQLITE_DONE) return FromSqlite(code);
    if (code == SQLITE_DONE || !std::ranges::equal(run.Blob(0), base::AsBytes(sql))) {
      return StateLost();
    }
  }
  if (run.Step() != SQLITE_DONE) return StateLost();
  return {};
}

base::Status SealedRows::PrepareAll() {
  for (const auto& [table, statements] : {std::pair<std::string, Statements*>("top", &top_),
                                          std::pair<std::string, Statements*>("inner", &inner_)}) {
    const std::string at = " FROM " + table + " WHERE part=?1 AND owner=?2 AND item=?3";
    const std::string all = "SELECT owner, item, head, body FROM " + table + " WHERE part=?1";
    const std::array<std::pair<Statement*, std::string>, 6> wanted{
        {{&statements->get, "SELECT head, body" + at},
         {&statements->get_head, "SELECT head" + at},
         {&statements->put, "INSERT INTO " + table +
                                " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (part, owner, item) "
                                "DO UPDATE SET head=excluded.head, body=excluded.body"},
         {&statements->drop, "DELETE" + at},
         {&statements->scan_owner, all + " AND owner=?2 ORDER BY item"},
         {&statements->scan_part, all + " ORDER BY owner, item"}}};
    for (const auto& [statement, sql] : wanted) {
      auto prepared = Prepare(sql);
      if (!prepared) return prepared.error();
      *statement = *std::move(prepared);
    }
  }
  return {};
}

base::Result<SealedRows::Statement> SealedRows::Prepare(const std::string& sql) const {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.c_str(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return FromSqlite(code);
  return Statement(statement);
}

base::Status SealedRows::Execute(const char* sql) const {
  const int code = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return FromSqlite(code);
  return {};
}

SealedRows::Transaction::~Transaction() {
  // Fails only where SQLite rolled back by itself.
  if (rows_ != nullptr) static_cast<void>(rows_->Execute("ROLLBACK"));
}

base::Status SealedRows::Transaction::Commit() {
  if (const auto status = rows_->Execute("COMMIT"); !status) return status.error();
  std::exchange(rows_, nullptr)->EmptyLog();
  return {};
}

base::Result<SealedRows::Transaction> SealedRows::BeginRead() const {
  if (const auto status = Execute("BEGIN"); !status) return status.error();
  return Transaction(*this);
}

base::Result<SealedRows::Transaction> SealedRows::BeginWrite() {
  if (const auto status = Execute("BEGIN IMMEDIATE"); !status) return status.error();
  return Transaction(*this);
}

// SQLite takes a damaged write-ahead log for one that ends early, and so would forget what was
// committed last. Emptied after every commit it has nothing to lose, but for a crash in between.
// A reader elsewhere may hold it back until the next commit: that is no error.
void SealedRows::EmptyLog() const {
  sqlite3_busy_timeout(database_.get(), 0);
  sqlite3_wal_checkpoint_v2(database_.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_timeout(database_.get(), kBusyMs);
}

RowTag SealedRows::TagOf(TagScope scope, std::initializer_list<ByteSpan> ids) const {
  const std::array<std::uint8_t, 2> prefix{kForTag, static_cast<std::uint8_t>(scope)};
  Bytes all = base::ToBytes(prefix);
  for (const auto id : ids) base::Append(all, id);
  const auto mac = crypto::HmacSha256(tag_key_, {all});
  RowTag tag;
  std::copy_n(mac.begin(), tag.size(), tag.begin());
  return tag;
}

base::Result<std::optional<crypto::SecretBytes>> SealedRows::Get(Part part, ByteSpan owner,
                                                                 ByteSpan item) const {
  Run run(Of(part).get, part, owner, item);
  const int code = run.Step();
  if (code == SQLITE_DONE) return std::optional<crypto::SecretBytes>();
  if (code != SQLITE_ROW) return FromSqlite(code);
  auto value = OpenRow(part, owner, item, run.Blob(0), run.Blob(1));
  if (!value) return value.error();
  return std::optional(*std::move(value));
}

base::Status SealedRows::Put(Part part, ByteSpan owner, ByteSpan item, ByteSpan value,
                             RowDigest& digest) {
  if (const auto replaced = TakeOut(part, owner, item, digest); !replaced) return replaced.error();
  const auto sealed = crypto::SealCommittingParts(key_, protocol::labels::kLocal,
                                                  Context(part, owner, item), value);
  Bytes head = base::ToBytes(sealed.salt);
  base::Append(head, sealed.commitment);
  Run run(Of(part).put, part, owner, item);
  run.Bind(4, head);
  run.Bind(5, sealed.ciphertext);
  if (const int code = run.Step(); code != SQLITE_DONE) return FromSqlite(code);
  Xor(digest, Element(part, owner, item, head));
  return {};
}

base::Status SealedRows::Drop(Part part, ByteSpan owner, ByteSpan item, RowDigest& digest) {
  if (const auto there = TakeOut(part, owner, item, digest); !there) return there.error();
  Run run(Of(part).drop, part, owner, item);
  if (const int code = run.Step(); code != SQLITE_DONE) return FromSqlite(code);
  return {};
}

base::Status SealedRows::ScanOwner(Part part, ByteSpan owner, RowDigest& digest,
                                   const Use& use) const {
  Run run(Of(part).scan_owner, part, owner);
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

base::Status SealedRows::ScanPart(Part part, const Use& use) const {
  Run run(Of(part).scan_part, part);
  int code = run.Step();
  for (; code == SQLITE_ROW; code = run.Step()) {
    const auto value = OpenRow(part, run.Blob(0), run.Blob(1), run.Blob(2), run.Blob(3));
    if (!value) return value.error();
    if (!use(run.Blob(1), value->Expose())) return StateLost();
  }
  if (code != SQLITE_DONE) return FromSqlite(code);
  return {};
}

base::Result<RowDigest> SealedRows::TopDigest() const {
  const auto statement = Prepare("SELECT part, owner, item, head FROM top");
  if (!statement) return statement.error();
  Run run(*statement);
  RowDigest digest{};
  int code = run.Step();
  for (; code == SQLITE_ROW; code = run.Step()) {
    const std::int64_t part = run.Integer(0);
    if (part == static_cast<std::int64_t>(Part::kMeta)) continue;
    if (part < 0 || part > 0xff) return StateLost();
    Xor(digest, Element(static_cast<Part>(part), run.Blob(1), run.Blob(2), run.Blob(3)));
  }
  if (code != SQLITE_DONE) return FromSqlite(code);
  return digest;
}

base::Status SealedRows::UseLog() { return Execute(kUseLog); }

const SealedRows::Statements& SealedRows::Of(Part part) const {
  return part >= Part::kStatement ? inner_ : top_;
}

Bytes SealedRows::Context(Part part, ByteSpan owner, ByteSpan item) const {
  protocol::Writer w;
  w.Raw("gw1/local").Fixed(realm_).U8(static_cast<std::uint8_t>(part)).Var16(owner).Var16(item);
  return w.Take();
}

RowDigest SealedRows::Element(Part part, ByteSpan owner, ByteSpan item, ByteSpan head) const {
  const Bytes context = Context(part, owner, item);
  return crypto::HmacSha256(tag_key_, {{&kForDigest, 1}, context, head});
}

base::Result<crypto::SecretBytes> SealedRows::OpenRow(Part part, ByteSpan owner, ByteSpan item,
                                                      ByteSpan head, ByteSpan body) const {
  if (head.size() != 64) return StateLost();
  auto value =
      crypto::OpenCommittingParts(key_, protocol::labels::kLocal, Context(part, owner, item),
                                  head.first<32>(), head.last<32>(), body);
  if (!value) return StateLost();
  return value;
}

base::Result<bool> SealedRows::TakeOut(Part part, ByteSpan owner, ByteSpan item,
                                       RowDigest& digest) const {
  Run run(Of(part).get_head, part, owner, item);
  const int code = run.Step();
  if (code == SQLITE_DONE) return false;
  if (code != SQLITE_ROW) return FromSqlite(code);
  Xor(digest, Element(part, owner, item, run.Blob(0)));
  return true;
}

}  // namespace godwit::client
