#include "storage/startup_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <pqxx/pqxx>

#include "tests/support/postgres.h"

namespace godwit::storage {
namespace {

using support::kServiceRole;
using support::PostgresDatabase;

// What the check says on a new connection; "" if it passes.
std::string Verdict(const std::string& conninfo) {
  Database database({.conninfo = conninfo, .connections = 1});
  const auto status = CheckRealmDatabase(database);
  return status ? "" : std::string(status.error().message());
}

TEST(StartupCheck, RefusesEachWeaknessAndPassesWithoutIt) {
  support::PostgresCluster cluster;
  auto postgres = PostgresDatabase::In(cluster.superuser());
  const std::string role = kServiceRole;
  const std::string database = postgres.Sql("SELECT current_database()")[0][0];
  const std::string reload = "; SELECT pg_reload_conf(), pg_sleep(0.3)";
  struct Case {
    const char* name;
    std::vector<std::string> weaken;
    std::vector<std::string> mend;
    const char* want;
  };
  const std::vector<Case> cases = {
      {"synchronous_commit",
       {"ALTER DATABASE " + database + " SET synchronous_commit = off"},
       {"ALTER DATABASE " + database + " RESET synchronous_commit"},
       "synchronous_commit"},
      {"synchronous_commit of the role",
       {"ALTER ROLE " + role + " SET synchronous_commit = local"},
       {"ALTER ROLE " + role + " RESET synchronous_commit"},
       "synchronous_commit"},
      {"fsync",
       {"ALTER SYSTEM SET fsync = off", "SELECT 1" + reload},
       {"ALTER SYSTEM RESET fsync", "SELECT 1" + reload},
       "fsync is off"},
      {"full_page_writes",
       {"ALTER SYSTEM SET full_page_writes = off", "SELECT 1" + reload},
       {"ALTER SYSTEM RESET full_page_writes", "SELECT 1" + reload},
       "full_page_writes"},
      {"superuser",
       {"ALTER ROLE " + role + " SUPERUSER"},
       {"ALTER ROLE " + role + " NOSUPERUSER"},
       "is a superuser"},
      {"createdb",
       {"ALTER ROLE " + role + " CREATEDB"},
       {"ALTER ROLE " + role + " NOCREATEDB"},
       "create databases"},
      {"createrole",
       {"ALTER ROLE " + role + " CREATEROLE"},
       {"ALTER ROLE " + role + " NOCREATEROLE"},
       "create roles"},
      {"replication",
       {"ALTER ROLE " + role + " REPLICATION"},
       {"ALTER ROLE " + role + " NOREPLICATION"},
       "replicate"},
      {"bypassrls",
       {"ALTER ROLE " + role + " BYPASSRLS"},
       {"ALTER ROLE " + role + " NOBYPASSRLS"},
       "row security"},
      {"member of another role",
       {"GRANT pg_read_all_data TO " + role},
       {"REVOKE pg_read_all_data FROM " + role},
       "belongs to another role"},
      {"owner of a table",
       {"ALTER TABLE session OWNER TO " + role},
       {"ALTER TABLE session OWNER TO godwit_test_owner"},
       "owns"},
      {"owner of the database",
       {"ALTER DATABASE " + database + " OWNER TO " + role},
       {"ALTER DATABASE " + database + " OWNER TO godwit_test_owner",
        "GRANT CONNECT ON DATABASE " + database + " TO " + role},
       "owns"},
      {"may create tables",
       {"GRANT CREATE ON SCHEMA public TO PUBLIC"},
       {"REVOKE CREATE ON SCHEMA public FROM PUBLIC"},
       "create tables"},
      {"may create temporary tables",
       {"GRANT TEMPORARY ON DATABASE " + database + " TO PUBLIC"},
       {"REVOKE TEMPORARY ON DATABASE " + database + " FROM PUBLIC"},
       "create tables"},
      {"may change entries",
       {"GRANT UPDATE ON entry TO " + role},
       {"REVOKE UPDATE ON entry FROM " + role},
       "may change"},
      {"may change a column of leaves",
       {"GRANT UPDATE (link) ON leaf TO " + role},
       {"REVOKE UPDATE (link) ON leaf FROM " + role},
       "may change"},
      {"may delete statements",
       {"GRANT DELETE ON statement TO PUBLIC"},
       {"REVOKE DELETE ON statement FROM PUBLIC"},
       "may change"},
      {"may truncate leaves",
       {"GRANT TRUNCATE ON leaf TO " + role},
       {"REVOKE TRUNCATE ON leaf FROM " + role},
       "may change"},
      {"older schema",
       {"CREATE TABLE kept AS SELECT * FROM schema_migration", "DELETE FROM schema_migration"},
       {"INSERT INTO schema_migration SELECT * FROM kept", "DROP TABLE kept"},
       "older than this program"},
      {"newer schema",
       {"INSERT INTO schema_migration SELECT 9999, name, sha256, service_role FROM "
        "schema_migration LIMIT 1"},
       {"DELETE FROM schema_migration WHERE number = 9999"},
       "newer than this program"},
      {"edited schema",
       {"UPDATE schema_migration SET sha256 = sha256(sha256) WHERE number = 1"},
       {},
       "edited"},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(Verdict(postgres.service()), "");
    for (const std::string& sql : row.weaken) postgres.Sql(sql);
    EXPECT_THAT(Verdict(postgres.service()), testing::HasSubstr(row.want));
    for (const std::string& sql : row.mend) postgres.Sql(sql);
  }
}

TEST(StartupCheck, RefusesAClusterWithoutDataChecksums) {
  support::PostgresCluster cluster;
  auto postgres = PostgresDatabase::In(cluster.superuser());
  EXPECT_EQ(Verdict(postgres.service()), "");
  cluster.StopAndSetChecksums(false);
  cluster.Start();
  EXPECT_THAT(Verdict(postgres.service()), testing::HasSubstr("checksums"));
}

TEST(StartupCheck, RefusesTheOwnerAndAnEmptyDatabase) {
  const PostgresDatabase postgres;
  EXPECT_NE(Verdict(postgres.owner()), "");
  EXPECT_THAT(Verdict(postgres.superuser()), testing::HasSubstr("superuser"));
  EXPECT_EQ(Verdict(postgres.service()), "");
  const auto empty = PostgresDatabase::Empty();
  EXPECT_NE(Verdict(empty.service()), "");
}

// AZ-9 of the test catalogue: each table and verb, exactly.
TEST(RoleMatrix, TheServiceMayDoWhatItNeedsAndNothingElse) {
  const PostgresDatabase postgres;
  const std::map<std::string, std::string> want = {
      {"box", "SELECT INSERT DELETE"},
      {"entry", "SELECT INSERT"},
      {"event", "SELECT INSERT"},
      {"genesis_claim", "SELECT DELETE"},
      {"invitation", "SELECT INSERT DELETE"},
      {"leaf", "SELECT INSERT"},
      {"membership", "SELECT INSERT DELETE"},
      {"nonce", "SELECT INSERT DELETE"},
      {"opening", "SELECT INSERT"},
      {"puk_box", "SELECT INSERT DELETE"},
      {"quota", "SELECT INSERT UPDATE DELETE"},
      {"realm", "SELECT INSERT"},
      {"record", "SELECT INSERT UPDATE"},
      {"record_blob", "SELECT INSERT DELETE"},
      {"record_salt", "SELECT INSERT DELETE"},
      {"schema_migration", "SELECT"},
      {"session", "SELECT INSERT DELETE"},
      {"statement", "SELECT INSERT"},
      {"vault", "SELECT INSERT UPDATE"},
  };
  std::map<std::string, std::string> got;
  for (const auto& row : postgres.Sql(
           "SELECT relname, (SELECT string_agg(verb, ' ' ORDER BY place) FROM unnest(ARRAY["
           "'SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) "
           "WITH ORDINALITY AS v (verb, place) "
           "WHERE has_table_privilege('godwit_test_service', c.oid, verb)) "
           "FROM pg_class AS c WHERE relkind IN ('r', 'v', 'S') "
           "AND relnamespace = 'public'::regnamespace")) {
    got[row[0]] = row[1];
  }
  EXPECT_EQ(got, want);
  std::map<std::string, std::string> columns;
  for (const auto& row :
       postgres.Sql("SELECT relname, string_agg(attname, ' ' ORDER BY attnum) FROM pg_class AS c "
                    "JOIN pg_attribute AS a ON a.attrelid = c.oid AND attnum > 0 "
                    "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
                    "AND NOT has_table_privilege('godwit_test_service', c.oid, 'UPDATE') "
                    "AND has_column_privilege('godwit_test_service', c.oid, attnum, 'UPDATE') "
                    "GROUP BY relname")) {
    columns[row[0]] = row[1];
  }
  EXPECT_EQ(columns, (std::map<std::string, std::string>{{"invitation", "j1 j2 j3"},
                                                         {"realm", "head_seq head_link"}}));
}

TEST(RoleMatrix, TheServiceIsRefusedWhereItTries) {
  const PostgresDatabase postgres;
  for (const char* sql : {"UPDATE entry SET type = 1",
                          "DELETE FROM entry",
                          "TRUNCATE entry",
                          "UPDATE leaf SET roster_seq = 0",
                          "DELETE FROM leaf",
                          "UPDATE event SET n = 0",
                          "DELETE FROM event",
                          "TRUNCATE leaf",
                          "UPDATE statement SET seq = 0",
                          "DELETE FROM statement",
                          "TRUNCATE statement",
                          "UPDATE realm SET fingerprint = fingerprint",
                          "DELETE FROM realm",
                          "INSERT INTO genesis_claim VALUES ('', '')",
                          "UPDATE box SET epoch = 1",
                          "UPDATE record_blob SET rver = 1",
                          "UPDATE membership SET perm = 7",
                          "CREATE TABLE own (n int)",
                          "CREATE TEMPORARY TABLE own (n int)",
                          "CREATE SCHEMA own",
                          "ALTER TABLE entry ADD n int",
                          "DROP TABLE entry",
                          "CREATE INDEX ON entry (seq)",
                          "COPY entry TO PROGRAM 'true'",
                          "CREATE ROLE other",
                          "CREATE DATABASE other"}) {
    EXPECT_EQ(postgres.ServiceSqlState(sql), "42501") << sql;
  }
  EXPECT_EQ(postgres.ServiceSqlState("SELECT * FROM entry"), "");
}

TEST(RoleMatrix, AnotherServicesRoleCannotConnect) {
  const PostgresDatabase postgres;
  const std::string role = "godwit_other_" + std::to_string(getpid());
  postgres.Sql("CREATE ROLE " + role + " LOGIN");
  EXPECT_THROW(pqxx::connection(postgres.superuser() + " user=" + role), pqxx::broken_connection);
  EXPECT_NO_THROW(pqxx::connection(postgres.superuser() + " user=" + kServiceRole));
  postgres.Sql("DROP ROLE " + role);
}

}  // namespace
}  // namespace godwit::storage
