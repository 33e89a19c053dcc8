#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "client/realm_keys.h"
#include "crypto/secret.h"

struct sqlite3;
struct sqlite3_stmt;

namespace godwit::client {

// What a row is, with its key (owner, item). The numbers are part of what is sealed: never reused.
// Parts below kStatement stand in the table `top`, whose digest is one; the others in `inner`.
enum class Part : std::uint8_t {
  kMeta = 0,       // -, -; not in the digest, which it holds
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

// What a tag stands for, so that one id has another tag in another place.
enum class TagScope : std::uint8_t {
  kVault = 1,
  kKind = 2,
  kBoardRow = 3,
  kRecord = 4,
  kContent = 5,
  kName = 6,
};

// What a row's key says in place of an id: without the store key nobody tells whose it is.
using RowTag = std::array<std::uint8_t, 16>;
// A set of rows, each with its place and value: two that differ have two digests.
using RowDigest = std::array<std::uint8_t, 32>;

// "What this device keeps ... is damaged": the one answer to rows that are not as they were sealed.
base::Error StateLost();

// A SQLite file of sealed rows (docs/protocol.md sections 1 and 10):
//
//   head | body = CA(store key, "local", context, value), head = salt | c
//   context     = "gw1/local" | realm | u8 part | var16 owner | var16 item
//   tag         = HMAC-SHA256(X(store key,"local-tag","",32), u8 1 | u8 scope | ids)[0:16]
//   digest      = XOR over rows of HMAC-SHA256(the same, u8 2 | context | head)
//
// The digest is MSet-XOR-Hash of Clarke et al., "Incremental Multiset Hash Functions", ASIACRYPT
// 2003, section 4: its elements and sums are known to no one without the key.
//
// Not thread-safe. Any call may answer E_STATE_LOST, UNAVAILABLE (another process kept the file for
// ten seconds), IO or RESOURCE_EXHAUSTED.
class SealedRows {
 public:
  // Makes an empty file of mode 0600. EXISTS; errors as OpenPrivateDir.
  static base::Result<std::unique_ptr<SealedRows>> Create(const std::filesystem::path& path,
                                                          const StoreKey& key,
                                                          const base::RealmId& realm);
  // Opens a file and checks its schema, and changes nothing in it. E_STATE_LOST: there is none,
  // too. PERMISSION_DENIED, E_UNSUPPORTED: as Store::Open.
  static base::Result<std::unique_ptr<SealedRows>> Open(const std::filesystem::path& path,
                                                        const StoreKey& key,
                                                        const base::RealmId& realm);
  SealedRows(const SealedRows&) = delete;
  SealedRows& operator=(const SealedRows&) = delete;
  ~SealedRows();

  // Several calls as one, which see one moment; rolled back at its end unless committed.
  class Transaction {
   public:
    Transaction(Transaction&& other) noexcept : rows_(std::exchange(other.rows_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();

    base::Status Commit();

   private:
    friend class SealedRows;
    explicit Transaction(const SealedRows& rows) : rows_(&rows) {}

    const SealedRows* rows_;
  };
  base::Result<Transaction> BeginRead() const;
  base::Result<Transaction> BeginWrite();

  // The last of `ids` may be of any length, the others not.
  RowTag TagOf(TagScope scope, std::initializer_list<base::ByteSpan> ids) const;

  base::Result<std::optional<crypto::SecretBytes>> Get(Part part, base::ByteSpan owner,
                                                       base::ByteSpan item) const;
  // Adds or replaces a row, here and in `digest`.
  base::Status Put(Part part, base::ByteSpan owner, base::ByteSpan item, base::ByteSpan value,
                   RowDigest& digest);
  // Removes a row, here and in `digest`, if it is there.
  base::Status Drop(Part part, base::ByteSpan owner, base::ByteSpan item, RowDigest& digest);

  // Whether a row makes sense; if not, the scan ends with E_STATE_LOST.
  using Use = std::function<bool(base::ByteSpan item, base::ByteSpan value)>;
  // Calls `use` for each row of an owner, in the order of their items, and adds them to `digest`.
  base::Status ScanOwner(Part part, base::ByteSpan owner, RowDigest& digest, const Use& use) const;
  // Calls `use` for each row of a part.
  base::Status ScanPart(Part part, const Use& use) const;
  // The digest of all rows of `top` but kMeta; reads the file, and opens none of them.
  base::Result<RowDigest> TopDigest() const;

  // Makes sure that writes go through a write-ahead log: for a file that was checked.
  base::Status UseLog();

 private:
  using TagKey = crypto::Secret<struct TagKeyTag, 32>;
  struct CloseDatabase {
    void operator()(sqlite3* database) const;
  };
  struct FinishStatement {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Database = std::unique_ptr<sqlite3, CloseDatabase>;
  using Statement = std::unique_ptr<sqlite3_stmt, FinishStatement>;
  // The statements of one table.
  struct Statements {
    Statement get, get_head, put, drop, scan_owner, scan_part;
  };
  class Run;

  SealedRows(StoreKey key, TagKey tag_key, const base::RealmId& realm);

  static base::Result<std::unique_ptr<SealedRows>> Connect(const std::filesystem::path& path,
                                                           const StoreKey& key,
                                                           const base::RealmId& realm);
  base::Status MakeSchema();
  base::Status CheckSchema() const;
  base::Status PrepareAll();
  base::Result<Statement> Prepare(const std::string& sql) const;
  base::Status Execute(const char* sql) const;
  void EmptyLog() const;

  const Statements& Of(Part part) const;
  base::Bytes Context(Part part, base::ByteSpan owner, base::ByteSpan item) const;
  RowDigest Element(Part part, base::ByteSpan owner, base::ByteSpan item,
                    base::ByteSpan head) const;
  base::Result<crypto::SecretBytes> OpenRow(Part part, base::ByteSpan owner, base::ByteSpan item,
                                            base::ByteSpan head, base::ByteSpan body) const;
  // Takes the row that stands at this key out of `digest`. False: there is none.
  base::Result<bool> TakeOut(Part part, base::ByteSpan owner, base::ByteSpan item,
                             RowDigest& digest) const;

  StoreKey key_;
  TagKey tag_key_;
  base::RealmId realm_;
  // Before the statements, so that it is closed after they are finished.
  Database database_;
  Statements top_;
  Statements inner_;
};

}  // namespace godwit::client
