#include "storage/postgres.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/storage/rows.h"

namespace godwit::storage {
namespace {

using base::Code;
using base::Error;
using base::Status;
using std::chrono::milliseconds;

constexpr Statement kPut = {"test_put", "INSERT INTO test (n) VALUES ($1::bigint)"};
constexpr Statement kPutWatched = {"test_put_watched",
                                   "INSERT INTO watched (n) VALUES ($1::bigint)"};
constexpr Statement kSleep = {"test_sleep", "SELECT pg_sleep($1::bigint / 1000.0)"};
constexpr Statement kLock = {"test_lock", "SELECT FROM test WHERE n = $1::bigint FOR UPDATE"};
constexpr Statement kDie = {"test_die", "SELECT pg_terminate_backend(pg_backend_pid())"};
constexpr Statement kForbidden = {"test_forbidden", "DELETE FROM entry"};
constexpr Statement kEcho = {"test_echo", R"(
SELECT $1::bigint, $2::bytea, $3::text, $4::bigint[], $5::bytea[], NULL::bytea, true)"};

// A database with a table of the test's own, and one whose rows do `body` when they are committed.
support::PostgresDatabase WithTables(const std::string& body = "NULL;") {
  support::PostgresDatabase postgres;
  postgres.Sql(
      "CREATE TABLE test (n bigint PRIMARY KEY CHECK (n < 100));"
      "CREATE TABLE watched (n bigint);"
      "CREATE FUNCTION at_commit() RETURNS trigger SECURITY DEFINER LANGUAGE plpgsql AS "
      "$$ BEGIN " +
      body +
      " RETURN NULL; END $$;"
      "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON watched DEFERRABLE INITIALLY DEFERRED "
      "FOR EACH ROW EXECUTE FUNCTION at_commit();"
      "GRANT ALL ON test, watched TO PUBLIC");
  return postgres;
}

Status Put(Transaction& transaction, const Statement& statement, std::uint64_t n) {
  const auto rows = transaction.Execute(statement, Parameters().Int(n));
  if (!rows) return rows.error();
  return Status::Ok();
}

Status PutOne(Database& database, const Statement& statement, std::uint64_t n) {
  return database.Write([&](Transaction& transaction) { return Put(transaction, statement, n); });
}

std::string Count(const support::PostgresDatabase& postgres, const std::string& table) {
  return postgres.Sql("SELECT count(*) FROM " + table)[0][0];
}

TEST(Database, ValuesOfEveryTypeArriveAsTheyWereSent) {
  const support::PostgresDatabase postgres;
  Database database({.conninfo = postgres.service()});
  const base::Bytes bytes = {0, 1, 0x5c, 0x27, 0xff};
  const Status status = database.Read([&](Transaction& transaction) -> Status {
    Parameters parameters;
    const std::vector<std::uint64_t> numbers = {0, 1, ~std::uint64_t{0} >> 1};
    const std::vector<base::ByteSpan> texts = {bytes, {}};
    parameters.Int(~std::uint64_t{0} >> 1).Bytes(bytes).Text("it's").IntArray(numbers);
    parameters.BytesArray(texts);
    const auto rows = transaction.Execute(kEcho, parameters);
    if (!rows) return rows.error();
    EXPECT_EQ(rows->size(), 1u);
    EXPECT_EQ(rows->Int(0, 0), ~std::uint64_t{0} >> 1);
    EXPECT_EQ(rows->Bytes(0, 1), bytes);
    EXPECT_EQ(rows->Text(0, 2), "it's");
    EXPECT_EQ(rows->Text(0, 3), "{0,1,9223372036854775807}");
    EXPECT_EQ(rows->Text(0, 4), "{\"\\\\x00015c27ff\",\"\\\\x\"}");
    EXPECT_TRUE(rows->IsNull(0, 5));
    EXPECT_TRUE(rows->Bool(0, 6));
    return Status::Ok();
  });
  EXPECT_TRUE(status) << status.error().message();
}

TEST(Database, WhatFailsIsRolledBackWhole) {
  const auto postgres = WithTables();
  Database database({.conninfo = postgres.service()});
  const Status own = database.Write([](Transaction& transaction) -> Status {
    if (const Status put = Put(transaction, kPut, 1); !put) return put;
    return Error(Code::kFrozen, "no");
  });
  EXPECT_EQ(own.error().code(), Code::kFrozen);
  // An error that the work overlooks counts all the same.
  const Status ignored = database.Write([](Transaction& transaction) -> Status {
    (void)Put(transaction, kPut, 1);
    (void)Put(transaction, kPut, 1);
    return Status::Ok();
  });
  ASSERT_FALSE(ignored);
  EXPECT_EQ(ignored.error().code(), Code::kExists);
  EXPECT_EQ(Count(postgres, "test"), "0");
  EXPECT_TRUE(PutOne(database, kPut, 1));
  EXPECT_EQ(Count(postgres, "test"), "1");
}

TEST(Database, ErrorsHaveTheirCodes) {
  const auto postgres = WithTables();
  Database database({.conninfo = postgres.service(),
                     .statement_timeout = milliseconds(500),
                     .lock_timeout = milliseconds(100)});
  ASSERT_TRUE(PutOne(database, kPut, 1));
  const auto code = [&](const Statement& statement, std::uint64_t n) {
    const Status status = PutOne(database, statement, n);
    return status ? Code::kIo : status.error().code();
  };
  EXPECT_EQ(code(kPut, 1), Code::kExists);
  EXPECT_EQ(code(kPut, 100), Code::kInvalidArgument);
  EXPECT_EQ(code(kSleep, 2'000), Code::kDeadline);
  const Status forbidden = database.Write([](Transaction& transaction) -> Status {
    const auto rows = transaction.Execute(kForbidden);
    if (!rows) return rows.error();
    return Status::Ok();
  });
  EXPECT_EQ(forbidden.error().code(), Code::kPermissionDenied);
  const Status held = database.Write([&](Transaction& transaction) -> Status {
    if (const Status locked = Put(transaction, kLock, 1); !locked) return locked;
    EXPECT_EQ(code(kLock, 1), Code::kDeadline);
    return Status::Ok();
  });
  EXPECT_TRUE(held);
}

TEST(Database, AReadWritesNothingAndSeesOneMoment) {
  const auto postgres = WithTables();
  Database database({.conninfo = postgres.service()});
  const Status wrote =
      database.Read([](Transaction& transaction) { return Put(transaction, kPut, 1); });
  EXPECT_FALSE(wrote);
  constexpr Statement count = {"test_count", "SELECT count(*) FROM test"};
  const Status saw = database.Read([&](Transaction& transaction) -> Status {
    EXPECT_EQ(transaction.Execute(count)->Int(0, 0), 0u);
    EXPECT_TRUE(PutOne(database, kPut, 1));
    EXPECT_EQ(transaction.Execute(count)->Int(0, 0), 0u);
    return Status::Ok();
  });
  EXPECT_TRUE(saw);
  EXPECT_EQ(Count(postgres, "test"), "1");
}

TEST(Database, SerializationFailuresAndDeadlocksRunTheWorkAgain) {
  const auto postgres = WithTables();
  Database database({.conninfo = postgres.service()});
  for (const char* state : {"40001", "40P01"}) {
    SCOPED_TRACE(state);
    int runs = 0;
    const Status status = database.Write([&](Transaction& transaction) -> Status {
      if (++runs < 3) {
        return transaction.Script(std::string("DO $$ BEGIN RAISE 'x' USING ERRCODE = '") + state +
                                  "'; END $$");
      }
      return Status::Ok();
    });
    EXPECT_TRUE(status);
    EXPECT_EQ(runs, 3);
  }
  int runs = 0;
  const Status never = database.Write([&](Transaction& transaction) -> Status {
    ++runs;
    return transaction.Script("DO $$ BEGIN RAISE 'x' USING ERRCODE = '40001'; END $$");
  });
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().code(), Code::kUnavailable);
  EXPECT_GT(runs, 3);
  EXPECT_LT(runs, 20);
}

TEST(Database, TwoWhoWaitForEachOtherBothEnd) {
  const auto postgres = WithTables();
  postgres.Sql("INSERT INTO test VALUES (1), (2)");
  Database database({.conninfo = postgres.service()});
  std::atomic<int> ended = 0, first_locks = 0;
  std::vector<std::thread> threads;
  for (const std::uint64_t own : {1, 2}) {
    threads.emplace_back([&, own] {
      const Status status = database.Write([&](Transaction& transaction) -> Status {
        if (const Status locked = Put(transaction, kLock, own); !locked) return locked;
        ++first_locks;
        for (int i = 0; i < 300 && first_locks < 2; ++i) {
          std::this_thread::sleep_for(milliseconds(10));
        }
        return Put(transaction, kLock, 3 - own);
      });
      if (status) ++ended;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ended, 2);
  EXPECT_GE(first_locks, 3) << "nobody was chosen as the victim of the deadlock";
}

TEST(Database, WhoGetsNoConnectionInTimeIsToldSo) {
  const auto postgres = WithTables();
  Database database({.conninfo = postgres.service(), .connections = 2, .wait = milliseconds(50)});
  const Status outer = database.Write([&](Transaction&) -> Status {
    return database.Write([&](Transaction&) -> Status {
      const Status third = PutOne(database, kPut, 1);
      EXPECT_FALSE(third);
      EXPECT_EQ(third.error().code(), Code::kResourceExhausted);
      return Status::Ok();
    });
  });
  EXPECT_TRUE(outer);
  EXPECT_TRUE(PutOne(database, kPut, 1));
}

TEST(Database, AServerThatIsNotThereIsUnavailable) {
  Database database({.conninfo = "host=/nonexistent dbname=x user=x", .connections = 1});
  for (int i = 0; i < 3; ++i) {
    const Status status = PutOne(database, kPut, 1);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), Code::kUnavailable);
    EXPECT_FALSE(IsUnknownOutcome(status.error()));
  }
}

TEST(Database, ConnectionsThatDiedAreMadeAnew) {
  const auto postgres = WithTables();
  Database database({.conninfo = postgres.service(), .connections = 4});
  const auto use_all = [&] {
    std::vector<std::thread> threads;
    std::atomic<int> good = 0;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        if (PutOne(database, kSleep, 100)) ++good;
      });
    }
    for (std::thread& thread : threads) thread.join();
    return good.load();
  };
  EXPECT_EQ(use_all(), 4);
  postgres.Sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
      "WHERE datname = current_database() AND pid <> pg_backend_pid()");
  EXPECT_EQ(use_all(), 4);
}

TEST(Database, AConnectionLostBeforeCommitRunsTheWorkOnceMore) {
  const auto postgres = WithTables();
  Database database({.conninfo = postgres.service()});
  int runs = 0;
  const Status status = database.Write([&](Transaction& transaction) -> Status {
    if (const Status put = Put(transaction, kPut, 1); !put) return put;
    if (++runs == 1) (void)transaction.Execute(kDie);
    return Status::Ok();
  });
  EXPECT_TRUE(status);
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(Count(postgres, "test"), "1");
  runs = 0;
  const Status never = database.Write([&](Transaction& transaction) -> Status {
    ++runs;
    const auto rows = transaction.Execute(kDie);
    if (!rows) return rows.error();
    return Status::Ok();
  });
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().code(), Code::kUnavailable);
  EXPECT_FALSE(IsUnknownOutcome(never.error()));
  EXPECT_EQ(runs, 2);
}

TEST(Database, AConnectionLostDuringCommitIsAnUnknownOutcomeAndNotRunAgain) {
  const auto postgres = WithTables("PERFORM pg_terminate_backend(pg_backend_pid());");
  Database database({.conninfo = postgres.service()});
  int runs = 0;
  const Status status = database.Write([&](Transaction& transaction) -> Status {
    ++runs;
    return Put(transaction, kPutWatched, 1);
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kUnavailable);
  EXPECT_TRUE(IsUnknownOutcome(status.error()));
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(PutOne(database, kPut, 1));
}

TEST(Database, ANoticeAtCommitIsAnUnknownOutcome) {
  const auto postgres = WithTables("RAISE WARNING 'committed here, perhaps not elsewhere';");
  Database database({.conninfo = postgres.service()});
  const Status status = PutOne(database, kPutWatched, 1);
  ASSERT_FALSE(status);
  EXPECT_TRUE(IsUnknownOutcome(status.error()));
  EXPECT_EQ(Count(postgres, "watched"), "1");
}

TEST(Database, ACommitIsNeverCancelledForItsTime) {
  const auto postgres = WithTables("PERFORM pg_sleep(0.6);");
  Database database({.conninfo = postgres.service(), .statement_timeout = milliseconds(200)});
  EXPECT_EQ(PutOne(database, kSleep, 600).error().code(), Code::kDeadline);
  EXPECT_TRUE(PutOne(database, kPutWatched, 1));
  EXPECT_EQ(Count(postgres, "watched"), "1");
}

TEST(Database, AnAttemptUndoesItselfAlone) {
  const auto postgres = WithTables();
  Database database({.conninfo = postgres.service()});
  const Status status = database.Write([&](Transaction& transaction) -> Status {
    if (const Status put = Put(transaction, kPut, 1); !put) return put;
    const Status taken = transaction.Attempt([](Transaction& attempt) -> Status {
      if (const Status put = Put(attempt, kPut, 2); !put) return put;
      return Put(attempt, kPut, 1);
    });
    EXPECT_EQ(taken.error().code(), Code::kExists);
    const Status own = transaction.Attempt([](Transaction& attempt) -> Status {
      if (const Status put = Put(attempt, kPut, 3); !put) return put;
      return Error(Code::kFrozen, "no");
    });
    EXPECT_EQ(own.error().code(), Code::kFrozen);
    return transaction.Attempt([](Transaction& attempt) { return Put(attempt, kPut, 4); });
  });
  EXPECT_TRUE(status);
  EXPECT_EQ(postgres.Sql("SELECT string_agg(n::text, ' ' ORDER BY n) FROM test")[0][0], "1 4");
}

TEST(Database, NothingOfWhatTheServerSaysIsPrinted) {
  const auto postgres = WithTables("RAISE WARNING 'visibly secret';");
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  {
    Database database({.conninfo = postgres.service()});
    EXPECT_FALSE(PutOne(database, kPut, 100));
    EXPECT_FALSE(PutOne(database, kPutWatched, 1));
    EXPECT_FALSE(PutOne(database, kDie, 1));
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

}  // namespace
}  // namespace godwit::storage
