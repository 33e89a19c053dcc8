#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"

namespace godwit::storage {

struct DatabaseOptions {
  // libpq's key=value form, not a URI. A password stands in a file that `passfile` names.
  std::string conninfo;
  // Connections at most; each is opened when it is first needed.
  std::size_t connections = 8;
  // How long a caller waits for a free one.
  std::chrono::milliseconds wait{2'000};
  // Of each statement but COMMIT, which nothing may cancel: it could have taken place.
  std::chrono::milliseconds statement_timeout{10'000};
  std::chrono::milliseconds lock_timeout{5'000};
};

// A statement of a store, prepared once on each connection. Both texts are literals.
struct Statement {
  const char* name;
  const char* sql;
};

// The parameters of a statement, $1 first, in PostgreSQL's binary form: an integer is a bigint, an
// array one of bigint or of bytea. None is ever null.
class Parameters {
 public:
  Parameters& Int(std::uint64_t value);
  Parameters& Bytes(base::ByteSpan value);
  template <class Tag, std::size_t N>
  Parameters& Id(const base::FixedBytes<Tag, N>& id) {
    return Bytes(id.bytes());
  }
  Parameters& Text(std::string_view value);
  Parameters& IntArray(std::span<const std::uint64_t> values);
  Parameters& BytesArray(std::span<const base::ByteSpan> values);

 private:
  friend class Transaction;

  std::vector<base::Bytes> values_;
};

// What a statement gave, independent of its connection.
class Rows {
 public:
  Rows();
  Rows(Rows&&) noexcept;
  Rows& operator=(Rows&&) noexcept;
  ~Rows();

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  // Number of rows that an INSERT, UPDATE or DELETE touched.
  std::uint64_t affected() const;

  // Row and column must be there, and the column of that type: a store knows its statements.
  bool IsNull(std::size_t row, std::size_t column) const;
  std::uint64_t Int(std::size_t row, std::size_t column) const;
  bool Bool(std::size_t row, std::size_t column) const;
  std::string_view Text(std::size_t row, std::size_t column) const;
  base::Bytes Bytes(std::size_t row, std::size_t column) const;
  template <class Id>
  Id As(std::size_t row, std::size_t column) const {
    Id id;
    const auto bytes = Id::FromBytes(Bytes(row, column));
    if (bytes) id = *bytes;
    return id;
  }

 private:
  friend class Transaction;
  struct Impl;

  explicit Rows(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

// A transaction in progress: for one thread, and for the time of the function it was given to.
class Transaction {
 public:
  // Runs a prepared statement. Any error ends the transaction: return it, and nothing else.
  // Codes as Database::Write.
  base::Result<Rows> Execute(const Statement& statement, const Parameters& parameters = {});
  // Runs the statements of `sql`, which take no parameters: for migrations.
  base::Status Script(std::string_view sql);
  // Runs `work` so that its failure undoes its own statements alone, and the transaction goes on:
  // an error of its own, EXISTS or INVALID_ARGUMENT. Any other still ends the transaction.
  base::Status Attempt(const std::function<base::Status(Transaction&)>& work);

 private:
  friend class Database;
  struct Impl;

  explicit Transaction(Impl* impl) : impl_(impl) {}

  Impl* impl_;
};

// A bounded pool of connections to one database, and the place where libpqxx's exceptions end.
// Nothing that it returns or prints holds a parameter or a message of the server. Thread-safe.
class Database {
 public:
  explicit Database(DatabaseOptions options);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // Runs `work` in one READ COMMITTED transaction and commits it if it returns success; else rolls
  // it back and returns its error. May run `work` again, from its beginning: after a serialization
  // failure or deadlock (40001, 40P01), and once on a new connection if the old one was lost before
  // COMMIT was sent. `work` must not have effects of its own outside the transaction.
  //
  // RESOURCE_EXHAUSTED: no connection became free in time, or a disk, memory or connection limit of
  // the server is reached. UNAVAILABLE: the server cannot be reached, or is starting or stopping;
  // nothing was written. UNAVAILABLE for which IsUnknownOutcome: the answer to COMMIT was lost, so
  // that everything or nothing was written. DEADLINE: a statement or a lock took too long.
  // EXISTS: a primary key is taken. INVALID_ARGUMENT: a row breaks a limit of the schema.
  // PERMISSION_DENIED: the role may not. INTERNAL: anything else.
  base::Status Write(const std::function<base::Status(Transaction&)>& work);

  // The same, read-only and REPEATABLE READ: every statement of `work` sees one moment.
  base::Status Read(const std::function<base::Status(Transaction&)>& work);

  // Runs one statement that only reads, by itself: one round trip, where Read takes four. Codes as
  // Read.
  base::Result<Rows> Select(const Statement& statement, const Parameters& parameters = {});

 private:
  struct Impl;

  std::unique_ptr<Impl> impl_;
};

// Database::Read with a `work` that returns base::Result<T>.
template <class T, class Work>
base::Result<T> ReadAs(Database& database, Work&& work) {
  std::optional<T> value;
  const base::Status status = database.Read([&](Transaction& transaction) -> base::Status {
    base::Result<T> result = work(transaction);
    if (!result) return result.error();
    value.emplace(*std::move(result));
    return base::Status::Ok();
  });
  if (!status) return status.error();
  return *std::move(value);
}

// Whether `error` says that a commit may or may not have taken place. Never success, and no proof
// of failure: read again what is stored before going on.
bool IsUnknownOutcome(const base::Error& error);

}  // namespace godwit::storage
