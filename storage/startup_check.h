#pragma once

#include "base/result.h"
#include "storage/postgres.h"

namespace godwit::storage {

// What a service asks of its database before it serves; each refusal says what to change.
// INVALID_ARGUMENT: the server may lose what it acknowledged (synchronous_commit, fsync,
// full_page_writes, data checksums), or the role of `database` may do more than a service needs (it
// is a superuser, may make databases or roles, replicate or pass row security, belongs to another
// role, owns or may make tables, may change what is only ever appended to). UNSUPPORTED, INTERNAL:
// the schema is not this build's (CheckSchema). Else as Database::Read.
base::Status CheckRealmDatabase(Database& database);

}  // namespace godwit::storage
