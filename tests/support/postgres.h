#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/postgres.h"

namespace godwit::support {

// A migrated database of a test's own, for one realm, in the cluster of the ctest run; dropped at
// the end. Several may live at once. Made as a copy of a template that is migrated once a cluster.
//
// Run by hand, a test binary needs GODWIT_TEST_PG_FILE to name a conninfo file that
// tests/support/postgres_cluster.sh wrote; without it the test fails.
class PostgresDatabase {
 public:
  // A migrated database.
  PostgresDatabase();
  // An empty one, for tests of the migrations themselves.
  static PostgresDatabase Empty();
  // A migrated one in the cluster whose superuser's conninfo is given.
  static PostgresDatabase In(const std::string& superuser);

  PostgresDatabase(PostgresDatabase&&) noexcept;
  PostgresDatabase& operator=(PostgresDatabase&&) noexcept;
  ~PostgresDatabase();

  // libpq conninfo for the three who connect: the role that owns the schema, the service's role,
  // and the superuser.
  const std::string& owner() const { return owner_; }
  const std::string& service() const { return service_; }
  const std::string& superuser() const { return superuser_; }

  // Runs SQL as the superuser and returns the rows, each value as text: how tests look behind the
  // stores' backs, and break things. Fails the test on an error.
  std::vector<std::vector<std::string>> Sql(const std::string& sql) const;
  // The same as the service's role; the SQLSTATE of the error, or "" if it went well.
  std::string ServiceSqlState(const std::string& sql) const;

 private:
  PostgresDatabase(const std::string& superuser, bool migrated);

  std::string name_;
  std::string cluster_;  // the superuser's conninfo for the maintenance database
  std::string owner_;
  std::string service_;
  std::string superuser_;
};

// Names of the roles that every test database has.
inline constexpr char kOwnerRole[] = "godwit_test_owner";
inline constexpr char kServiceRole[] = "godwit_test_service";

// A cluster of its own, for tests that kill it; stopped and removed at the end.
class PostgresCluster {
 public:
  PostgresCluster();
  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;
  ~PostgresCluster();

  // libpq conninfo of the superuser.
  const std::string& superuser() const { return superuser_; }

  // kill -9 of the postmaster and all its backends; Start brings it back with its data.
  void Crash();
  void Start();
  // Stops it cleanly and switches its data checksums on or off, which needs a cluster at rest.
  void StopAndSetChecksums(bool on);

 private:
  void Run(const std::string& command);

  std::string folder_;
  std::string superuser_;
};

}  // namespace godwit::support
