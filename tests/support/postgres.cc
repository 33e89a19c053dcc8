#include "tests/support/postgres.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <pqxx/pqxx>
#include <utility>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "storage/migrate.h"

namespace godwit::support {
namespace {

[[noreturn]] void Give(const std::string& why) {
  std::fprintf(stderr, "tests/support/postgres: %s\n", why.c_str());
  std::abort();
}

std::string ClusterOfThisRun() {
  const char* file = std::getenv("GODWIT_TEST_PG_FILE");
  if (file == nullptr) Give("GODWIT_TEST_PG_FILE names no conninfo file (postgres_cluster.sh)");
  std::ifstream in(file);
  std::string conninfo;
  if (!std::getline(in, conninfo)) Give("the file of GODWIT_TEST_PG_FILE cannot be read");
  return conninfo;
}

// Later words of a conninfo win.
std::string With(const std::string& conninfo, const std::string& database,
                 const std::string& user = {}) {
  return conninfo + " dbname=" + database + (user.empty() ? "" : " user=" + user);
}

std::string RandomName() {
  std::array<std::uint8_t, 8> bytes;
  crypto::FillRandom(bytes);
  return "godwit_" + base::ToHex(bytes);
}

void Migrate(const std::string& owner) {
  storage::Database database({.conninfo = owner, .connections = 1});
  const auto report = storage::Migrate(database, storage::RealmMigrations(), kServiceRole);
  if (!report) Give("migration failed: " + std::string(report.error().message()));
}

// The template that fits this build, made by whichever test comes first.
std::string TemplateOf(const std::string& cluster) {
  base::Bytes texts;
  for (const storage::Migration& migration : storage::RealmMigrations()) {
    base::Append(texts, base::AsBytes(migration.sql));
  }
  const std::string name = "godwit_template_" + base::ToHex(crypto::Sha256(texts)).substr(0, 16);

  pqxx::connection link(cluster);
  pqxx::nontransaction work(link);
  // Held until the link closes: tests run at once.
  work.exec("SELECT pg_advisory_lock(1)");
  for (const char* role : {kOwnerRole, kServiceRole}) {
    if (work.exec("SELECT FROM pg_roles WHERE rolname = " + work.quote(std::string(role)))
            .empty()) {
      work.exec(std::string("CREATE ROLE ") + role + " LOGIN");
    }
  }
  // The name is given last, so that a template that was left half made is not taken for whole.
  if (work.exec("SELECT FROM pg_database WHERE datname = " + work.quote(name)).empty()) {
    const std::string draft = RandomName();
    work.exec("CREATE DATABASE " + draft + " OWNER " + kOwnerRole);
    Migrate(With(cluster, draft, kOwnerRole));
    work.exec("ALTER DATABASE " + draft + " RENAME TO " + name);
  }
  return name;
}

}  // namespace

PostgresDatabase::PostgresDatabase() : PostgresDatabase(ClusterOfThisRun(), true) {}
PostgresDatabase PostgresDatabase::Empty() { return {ClusterOfThisRun(), false}; }
PostgresDatabase PostgresDatabase::In(const std::string& superuser) { return {superuser, true}; }

PostgresDatabase::PostgresDatabase(const std::string& superuser, bool migrated)
    : name_(RandomName()),
      cluster_(superuser),
      owner_(With(superuser, name_, kOwnerRole)),
      service_(With(superuser, name_, kServiceRole)),
      superuser_(With(superuser, name_)) {
  const std::string source = TemplateOf(cluster_);
  pqxx::connection link(cluster_);
  pqxx::nontransaction work(link);
  work.exec("CREATE DATABASE " + name_ + " OWNER " + kOwnerRole + " TEMPLATE " +
            (migrated ? source : "template0"));
  if (migrated) Migrate(owner_);
}

PostgresDatabase::PostgresDatabase(PostgresDatabase&& other) noexcept
    : name_(std::exchange(other.name_, {})),
      cluster_(std::move(other.cluster_)),
      owner_(std::move(other.owner_)),
      service_(std::move(other.service_)),
      superuser_(std::move(other.superuser_)) {}

PostgresDatabase& PostgresDatabase::operator=(PostgresDatabase&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(cluster_, other.cluster_);
  std::swap(owner_, other.owner_);
  std::swap(service_, other.service_);
  std::swap(superuser_, other.superuser_);
  return *this;
}

PostgresDatabase::~PostgresDatabase() {
  if (name_.empty()) return;
  try {
    pqxx::connection link(cluster_);
    pqxx::nontransaction(link).exec("DROP DATABASE IF EXISTS " + name_ + " WITH (FORCE)");
  } catch (const std::exception&) {
    // The cluster is gone, and its databases with it.
  }
}

std::vector<std::vector<std::string>> PostgresDatabase::Sql(const std::string& sql) const {
  std::vector<std::vector<std::string>> rows;
  try {
    pqxx::connection link(superuser_);
    pqxx::nontransaction work(link);
    for (const pqxx::row& row : work.exec(sql)) {
      auto& values = rows.emplace_back();
      for (const pqxx::field& field : row) values.emplace_back(field.c_str(), field.size());
    }
  } catch (const std::exception& thrown) {
    ADD_FAILURE() << sql << ": " << thrown.what();
  }
  return rows;
}

std::string PostgresDatabase::ServiceSqlState(const std::string& sql) const {
  try {
    pqxx::connection link(service_);
    pqxx::nontransaction(link).exec(sql);
  } catch (const pqxx::insufficient_privilege&) {
    return "42501";  // libpqxx 6.4 drops the SQLSTATE of this one
  } catch (const pqxx::sql_error& thrown) {
    return thrown.sqlstate();
  } catch (const std::exception&) {
    return "08006";
  }
  return "";
}

PostgresCluster::PostgresCluster() {
  char folder[] = "/tmp/godwit-cluster.XXXXXX";
  if (mkdtemp(folder) == nullptr) Give("no temporary folder");
  folder_ = folder;
  Start();
  std::ifstream in(folder_ + "/conninfo");
  std::getline(in, superuser_);
}

PostgresCluster::~PostgresCluster() {
  Run("stop");
  std::filesystem::remove_all(folder_);
}

void PostgresCluster::Crash() { Run("crash"); }
void PostgresCluster::Start() { Run("start"); }

void PostgresCluster::StopAndSetChecksums(bool on) {
  Run("halt");
  const std::string as_server = geteuid() == 0 ? "runuser -u postgres -- " : "";
  const std::string line =
      "cd / && " + as_server + "$(ls -d /usr/lib/postgresql/*/bin | head -n 1)" + "/pg_checksums " +
      (on ? "--enable" : "--disable") + " -D \"$(cat " + folder_ + "/cluster)/data\" >/dev/null";
  if (std::system(line.c_str()) != 0) Give("pg_checksums failed");
}

void PostgresCluster::Run(const std::string& command) {
  const std::string line =
      std::string(GODWIT_POSTGRES_CLUSTER) + " " + command + " " + folder_ + " >/dev/null";
  if (std::system(line.c_str()) != 0) Give("postgres_cluster.sh " + command + " failed");
}

}  // namespace godwit::support
