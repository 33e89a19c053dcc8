#include "storage/migrate.h"

#include <algorithm>
#include <string>

#include "crypto/hash.h"

namespace godwit::storage {
namespace {

using base::Code;
using base::Error;
using base::Status;

constexpr char kTable[] = R"(
CREATE TABLE IF NOT EXISTS schema_migration (
  number bigint PRIMARY KEY,
  name text NOT NULL,
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  service_role text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
))";

// A number of our own choice: whoever migrates this database waits for it.
constexpr Statement kLock = {"migration_lock", "SELECT pg_advisory_xact_lock(7241967)"};

constexpr Statement kExists = {"migration_table",
                               "SELECT to_regclass('schema_migration') IS NOT NULL"};
constexpr Statement kApplied = {
    "migration_applied",
    "SELECT number, sha256, service_role FROM schema_migration ORDER BY number"};

constexpr Statement kRecord = {"migration_record", R"(
INSERT INTO schema_migration (number, name, sha256, service_role)
VALUES ($1::bigint, $2::text, $3::bytea, $4::text))"};

constexpr Statement kRole = {"migration_role", R"(
SELECT quote_ident($1::text), $1::text = current_user, quote_ident(current_database())
FROM pg_roles WHERE rolname = $1::text)"};

base::Sha256Hash Checksum(const Migration& migration) {
  return base::Sha256Hash(crypto::Sha256(base::AsBytes(migration.sql)));
}

// The rows of schema_migration against what this build has; the number of the newest.
base::Result<std::uint32_t> Compare(const Rows& applied, std::span<const Migration> migrations) {
  for (std::size_t i = 0; i < applied.size(); ++i) {
    const std::uint64_t number = applied.Int(i, 0);
    if (number > migrations.size()) {
      return Error(
          Code::kUnsupported,
          "the database is newer than this program: update Godwit, nothing runs backwards");
    }
    if (number != i + 1) {
      return Error(Code::kInternal, "an applied migration is missing from the database's list");
    }
    if (applied.As<base::Sha256Hash>(i, 1) != Checksum(migrations[i])) {
      return Error(Code::kInternal,
                   "a migration was edited after it had been applied: use the program as released");
    }
  }
  return static_cast<std::uint32_t>(applied.size());
}

std::string Replaced(std::string_view text, std::string_view name, std::string_view value) {
  std::string out;
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name)) {
    out += text.substr(0, at);
    out += value;
    text.remove_prefix(at + name.size());
  }
  out += text;
  return out;
}

// Applies the first migration that is missing; nothing if none is.
base::Result<bool> Step(Transaction& transaction, std::span<const Migration> migrations,
                        std::string_view service_role, std::uint32_t& newest) {
  if (const auto locked = transaction.Execute(kLock); !locked) return locked.error();
  const auto role = transaction.Execute(kRole, Parameters().Text(service_role));
  if (!role) return role.error();
  if (role->empty()) {
    return Error(Code::kInvalidArgument,
                 "the service's role does not exist: create it before migrating");
  }
  if (role->Bool(0, 1)) {
    return Error(Code::kInvalidArgument,
                 "the service's role must be another than the one that owns the schema");
  }
  const std::string quoted_role(role->Text(0, 0));
  if (const Status made = transaction.Script(kTable); !made) return made.error();
  const auto applied = transaction.Execute(kApplied);
  if (!applied) return applied.error();
  const auto compared = Compare(*applied, migrations);
  if (!compared) return compared.error();
  newest = *compared;
  for (std::size_t i = 0; i < applied->size(); ++i) {
    if (applied->Text(i, 2) != service_role) {
      return Error(Code::kInvalidArgument,
                   "earlier migrations served another role: name the same one again");
    }
  }
  // What PostgreSQL gives to everybody. A copy of a database does not take these rights along.
  const std::string database(role->Text(0, 2));
  const Status closed =
      transaction.Script("REVOKE ALL ON DATABASE " + database +
                         " FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC" +
                         "; GRANT CONNECT ON DATABASE " + database + " TO " + quoted_role);
  if (!closed) return closed.error();

  if (newest == migrations.size()) return false;
  const Migration& next = migrations[newest];
  const Status done = transaction.Script(Replaced(next.sql, "{service_role}", quoted_role));
  if (!done) return done.error();
  Parameters row;
  row.Int(next.number).Text(next.name).Id(Checksum(next)).Text(service_role);
  if (const auto recorded = transaction.Execute(kRecord, row); !recorded) return recorded.error();
  ++newest;
  return true;
}

}  // namespace

base::Result<MigrationReport> Migrate(Database& database, std::span<const Migration> migrations,
                                      std::string_view service_role) {
  MigrationReport report;
  for (bool first = true, more = true; more; first = false) {
    std::uint32_t newest = 0;
    const Status status = database.Write([&](Transaction& transaction) -> Status {
      const auto stepped = Step(transaction, migrations, service_role, newest);
      if (!stepped) return stepped.error();
      more = *stepped;
      return Status::Ok();
    });
    if (!status) return status.error();
    if (first) report.before = more ? newest - 1 : newest;
    report.after = newest;
  }
  return report;
}

Status CheckSchema(Database& database, std::span<const Migration> migrations) {
  return database.Read([&](Transaction& transaction) -> Status {
    const Error older(Code::kUnsupported,
                      "the database is older than this program: run godwit-admin migrate");
    const auto exists = transaction.Execute(kExists);
    if (!exists) return exists.error();
    if (!exists->Bool(0, 0)) return older;
    const auto applied = transaction.Execute(kApplied);
    if (!applied) return applied.error();
    const auto newest = Compare(*applied, migrations);
    if (!newest) return newest.error();
    if (*newest < migrations.size()) return older;
    return Status::Ok();
  });
}

}  // namespace godwit::storage
