#include "storage/startup_check.h"

#include "storage/migrate.h"

namespace godwit::storage {
namespace {

using base::Code;
using base::Error;
using base::Status;

constexpr Statement kServer = {"check_server", R"(
SELECT current_setting('synchronous_commit') IN ('on', 'remote_apply'),
       current_setting('fsync') = 'on',
       current_setting('full_page_writes') = 'on',
       current_setting('data_checksums') = 'on')"};

constexpr Statement kRole = {"check_role", R"(
SELECT session_user = current_user, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolreplication,
       r.rolbypassrls, EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid),
       EXISTS (SELECT FROM pg_class WHERE relowner = r.oid)
         OR EXISTS (SELECT FROM pg_namespace WHERE nspowner = r.oid)
         OR EXISTS (SELECT FROM pg_database WHERE datdba = r.oid),
       has_schema_privilege('public', 'CREATE')
         OR has_database_privilege(current_database(), 'CREATE, TEMPORARY')
FROM pg_roles AS r WHERE r.rolname = current_user)"};

constexpr Statement kAppendOnly = {"check_append_only", R"(
SELECT bool_or(has_table_privilege(name, 'UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
               OR has_any_column_privilege(name, 'UPDATE, REFERENCES'))
FROM unnest(ARRAY['statement', 'entry', 'leaf']) AS name)"};

Status CheckServer(const Rows& server) {
  if (!server.Bool(0, 0)) {
    return Error(Code::kInvalidArgument,
                 "synchronous_commit is not on: acknowledged writes could be lost");
  }
  if (!server.Bool(0, 1)) {
    return Error(Code::kInvalidArgument, "fsync is off: acknowledged writes could be lost");
  }
  if (!server.Bool(0, 2)) {
    return Error(Code::kInvalidArgument, "full_page_writes is off: a crash could tear pages");
  }
  if (!server.Bool(0, 3)) {
    return Error(Code::kInvalidArgument,
                 "the cluster has no data checksums: enable them with pg_checksums");
  }
  return Status::Ok();
}

Status CheckRole(const Rows& role) {
  if (role.empty() || !role.Bool(0, 0)) {
    return Error(Code::kInvalidArgument, "the service must connect as the role it acts in");
  }
  if (role.Bool(0, 1)) {
    return Error(Code::kInvalidArgument, "the service's database role is a superuser");
  }
  if (role.Bool(0, 2)) {
    return Error(Code::kInvalidArgument, "the service's database role may create databases");
  }
  if (role.Bool(0, 3)) {
    return Error(Code::kInvalidArgument, "the service's database role may create roles");
  }
  if (role.Bool(0, 4)) {
    return Error(Code::kInvalidArgument, "the service's database role may replicate");
  }
  if (role.Bool(0, 5)) {
    return Error(Code::kInvalidArgument, "the service's database role bypasses row security");
  }
  if (role.Bool(0, 6)) {
    return Error(Code::kInvalidArgument, "the service's database role belongs to another role");
  }
  if (role.Bool(0, 7)) {
    return Error(Code::kInvalidArgument,
                 "the service's database role owns the database, a schema or a table");
  }
  if (role.Bool(0, 8)) {
    return Error(
        Code::kInvalidArgument,
        "the service's database role may create tables: revoke it, run godwit-admin migrate");
  }
  return Status::Ok();
}

}  // namespace

Status CheckRealmDatabase(Database& database) {
  const Status settings = database.Read([](Transaction& transaction) -> Status {
    const auto server = transaction.Execute(kServer);
    if (!server) return server.error();
    if (const Status status = CheckServer(*server); !status) return status;
    const auto role = transaction.Execute(kRole);
    if (!role) return role.error();
    return CheckRole(*role);
  });
  if (!settings) return settings;
  if (const Status schema = CheckSchema(database, RealmMigrations()); !schema) return schema;
  // The tables are there, now that the schema is right.
  return database.Read([](Transaction& transaction) -> Status {
    const auto changes = transaction.Execute(kAppendOnly);
    if (!changes) return changes.error();
    if (changes->Bool(0, 0)) {
      return Error(Code::kInvalidArgument,
                   "the service's database role may change statements, entries or leaves");
    }
    return Status::Ok();
  });
}

}  // namespace godwit::storage
