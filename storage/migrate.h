#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "storage/postgres.h"

namespace godwit::storage {

// A step of the schema: a file NNNN_name.sql of storage/migrations/. The text may name the
// service's role as {service_role}.
struct Migration {
  std::uint32_t number = 0;  // from 1, contiguous
  std::string_view name;
  std::string_view sql;
};

// The migrations of a realm's database that this build has, in order.
std::span<const Migration> RealmMigrations();

struct MigrationReport {
  std::uint32_t before = 0;  // number of the newest migration that was there, 0 none
  std::uint32_t after = 0;
};

// Brings a database up to the newest of `migrations`, each in a transaction of its own, and grants
// `service_role`, which must exist and be another than the one that connects, what it needs. For
// the role that owns the database; two at once wait for each other.
//
// UNSUPPORTED: the database is newer than `migrations`; nothing runs backwards. INTERNAL: an
// applied migration is not in `migrations`, or its text was changed since. INVALID_ARGUMENT:
// `service_role` is no role, the owner itself, or not the one that earlier migrations served. Else
// as Database::Write; migrations before the one that failed stay.
base::Result<MigrationReport> Migrate(Database& database, std::span<const Migration> migrations,
                                      std::string_view service_role);

// Whether the schema is exactly what `migrations` make. UNSUPPORTED: it is older or newer.
// INTERNAL: an applied migration has another text.
base::Status CheckSchema(Database& database, std::span<const Migration> migrations);

}  // namespace godwit::storage
