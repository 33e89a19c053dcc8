#include "storage/migrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/postgres.h"

namespace godwit::storage {
namespace {

using base::Code;
using support::kOwnerRole;
using support::kServiceRole;
using support::PostgresDatabase;
using testing::HasSubstr;

const Migration kFirst{1, "0001_first",
                       "CREATE TABLE first (n int); GRANT SELECT ON first TO {service_role}; "
                       "GRANT USAGE ON SCHEMA public TO {service_role}"};
const Migration kSecond{2, "0002_second", "CREATE TABLE second (n int)"};
const Migration kThird{3, "0003_third", "CREATE TABLE third (n int)"};

std::string Tables(const PostgresDatabase& postgres) {
  return postgres.Sql(
      "SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') FROM pg_class "
      "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")[0][0];
}

// The message of a refusal, and that it left everything as it was.
std::string Refusal(const PostgresDatabase& postgres, const std::vector<Migration>& migrations,
                    Code code, const char* role = kServiceRole) {
  Database database({.conninfo = postgres.owner()});
  const std::string before = Tables(postgres);
  const auto report = Migrate(database, migrations, role);
  EXPECT_FALSE(report);
  if (report) return "";
  EXPECT_EQ(report.error().code(), code);
  EXPECT_EQ(Tables(postgres), before);
  return std::string(report.error().message());
}

TEST(Migrate, AppliesWhatIsMissingInOrderAndThenNothing) {
  const auto postgres = PostgresDatabase::Empty();
  Database database({.conninfo = postgres.owner()});
  auto report = Migrate(database, std::vector{kFirst}, kServiceRole);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->before, 0u);
  EXPECT_EQ(report->after, 1u);
  report = Migrate(database, std::vector{kFirst, kSecond, kThird}, kServiceRole);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->before, 1u);
  EXPECT_EQ(report->after, 3u);
  report = Migrate(database, std::vector{kFirst, kSecond, kThird}, kServiceRole);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->before, 3u);
  EXPECT_EQ(report->after, 3u);
  EXPECT_EQ(Tables(postgres), "first schema_migration second third");
  EXPECT_EQ(postgres.ServiceSqlState("SELECT * FROM first"), "");
  EXPECT_EQ(postgres.ServiceSqlState("SELECT * FROM second"), "42501");
}

TEST(Migrate, RefusesAnEditedMigration) {
  const auto postgres = PostgresDatabase::Empty();
  Database database({.conninfo = postgres.owner()});
  ASSERT_TRUE(Migrate(database, std::vector{kFirst, kSecond}, kServiceRole));
  Migration edited = kFirst;
  edited.sql = "CREATE TABLE first (n bigint)";
  EXPECT_THAT(Refusal(postgres, {edited, kSecond, kThird}, Code::kInternal), HasSubstr("edited"));
  EXPECT_EQ(CheckSchema(database, std::vector{edited, kSecond}).error().code(), Code::kInternal);
}

TEST(Migrate, RefusesADatabaseThatIsNewer) {
  const auto postgres = PostgresDatabase::Empty();
  Database database({.conninfo = postgres.owner()});
  ASSERT_TRUE(Migrate(database, std::vector{kFirst, kSecond}, kServiceRole));
  EXPECT_THAT(Refusal(postgres, {kFirst}, Code::kUnsupported), HasSubstr("newer"));
  EXPECT_EQ(CheckSchema(database, std::vector{kFirst}).error().code(), Code::kUnsupported);
}

TEST(Migrate, RefusesAListWithAGap) {
  const auto postgres = PostgresDatabase::Empty();
  Database database({.conninfo = postgres.owner()});
  ASSERT_TRUE(Migrate(database, std::vector{kFirst, kSecond}, kServiceRole));
  postgres.Sql("DELETE FROM schema_migration WHERE number = 1");
  EXPECT_THAT(Refusal(postgres, {kFirst, kSecond, kThird}, Code::kInternal), HasSubstr("missing"));
}

TEST(Migrate, AMigrationThatFailsLeavesNothingOfItself) {
  const auto postgres = PostgresDatabase::Empty();
  Database database({.conninfo = postgres.owner()});
  const Migration broken{2, "0002_broken", "CREATE TABLE half (n int); CREATE TABLE first (n int)"};
  EXPECT_FALSE(Migrate(database, std::vector{kFirst, broken, kThird}, kServiceRole));
  EXPECT_EQ(Tables(postgres), "first schema_migration");
  const auto report = Migrate(database, std::vector{kFirst, kSecond}, kServiceRole);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->before, 1u);
}

TEST(Migrate, WantsTheServicesRoleToBeAnotherAndTheSame) {
  const auto postgres = PostgresDatabase::Empty();
  EXPECT_THAT(Refusal(postgres, {kFirst}, Code::kInvalidArgument, "nobody_here"),
              HasSubstr("does not exist"));
  EXPECT_THAT(Refusal(postgres, {kFirst}, Code::kInvalidArgument, kOwnerRole),
              HasSubstr("must be another"));
  Database database({.conninfo = postgres.owner()});
  ASSERT_TRUE(Migrate(database, std::vector{kFirst}, kServiceRole));
  EXPECT_THAT(Refusal(postgres, {kFirst, kSecond}, Code::kInvalidArgument, "postgres"),
              HasSubstr("another role"));
}

TEST(Migrate, TwoAtOnceWaitForEachOther) {
  const auto postgres = PostgresDatabase::Empty();
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      Database database({.conninfo = postgres.owner()});
      const auto report = Migrate(database, std::vector{kFirst, kSecond, kThird}, kServiceRole);
      if (report && report->after == 3) ++good;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 4);
}

TEST(Migrate, TheSchemaIsCheckedBeforeServing) {
  const auto postgres = PostgresDatabase::Empty();
  Database database({.conninfo = postgres.owner()});
  EXPECT_EQ(CheckSchema(database, std::vector{kFirst}).error().code(), Code::kUnsupported);
  ASSERT_TRUE(Migrate(database, std::vector{kFirst}, kServiceRole));
  EXPECT_TRUE(CheckSchema(database, std::vector{kFirst}));
  EXPECT_EQ(CheckSchema(database, std::vector{kFirst, kSecond}).error().code(), Code::kUnsupported);
}

TEST(Migrate, TheMigrationsOfThisBuildAreNumberedWithoutGaps) {
  ASSERT_FALSE(RealmMigrations().empty());
  for (std::size_t i = 0; i < RealmMigrations().size(); ++i) {
    EXPECT_EQ(RealmMigrations()[i].number, i + 1);
  }
}

TEST(Migrate, VaultsFromBeforeErasureAreLookedIntoWhereAStateMaySetADay) {
  const auto postgres = PostgresDatabase::Empty();
  Database database({.conninfo = postgres.owner()});
  ASSERT_TRUE(Migrate(database, RealmMigrations().first(1), kServiceRole));
  const auto id = [](int number) {
    return "decode(lpad('" + std::to_string(number) + "', 32, '0'), 'hex')";
  };
  const std::string hash = "decode(repeat('00', 32), 'hex')";
  for (const int vault : {1, 2}) {
    postgres.Sql("INSERT INTO vault VALUES (" + id(9) + ", " + id(vault) + ", 9, 1, " + hash +
                 ", 1, " + hash + ", NULL, NULL, NULL, NULL, 0, '1')");
    postgres.Sql("INSERT INTO entry VALUES (" + id(9) + ", " + id(vault) + ", 1, " +
                 (vault == 1 ? "5, " : "3, ") + hash + ", 'x')");
  }
  ASSERT_TRUE(Migrate(database, RealmMigrations(), kServiceRole));
  using Rows = std::vector<std::vector<std::string>>;
  EXPECT_EQ(postgres.Sql("SELECT vault_id = " + id(1) + ", erase_day FROM vault ORDER BY vault_id"),
            (Rows{{"t", "1"}, {"f", "0"}}));
}

TEST(Schema, CanBeSpreadOverMachinesByVault) {
  const PostgresDatabase postgres;
  using Rows = std::vector<std::vector<std::string>>;
  // Keys without realm_id; the list of migrations is the operator's.
  EXPECT_EQ(postgres.Sql("SELECT indexrelid::regclass FROM pg_index AS i JOIN pg_class AS c "
                         "ON c.oid = indrelid WHERE relnamespace = 'public'::regnamespace "
                         "AND indisunique AND relname <> 'schema_migration' AND NOT EXISTS "
                         "(SELECT FROM pg_attribute WHERE attrelid = indrelid AND attnum = "
                         "ANY (indkey) AND attname = 'realm_id')"),
            Rows{});
  // Tables with a vault_id whose key does not hold it.
  EXPECT_EQ(postgres.Sql("SELECT a.attrelid::regclass FROM pg_attribute AS a JOIN pg_index AS i "
                         "ON i.indrelid = a.attrelid AND i.indisprimary "
                         "WHERE attname = 'vault_id' AND NOT a.attnum = ANY (i.indkey)"),
            Rows{});
  EXPECT_EQ(postgres.Sql("SELECT tgname FROM pg_trigger"), Rows{});
  EXPECT_EQ(postgres.Sql("SELECT conname FROM pg_constraint WHERE contype = 'f'"), Rows{});
  EXPECT_EQ(postgres.Sql("SELECT relname FROM pg_class WHERE relkind = 'S'"), Rows{});
}

}  // namespace
}  // namespace godwit::storage
