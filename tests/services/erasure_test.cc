#include <gtest/gtest.h>

#include <utility>

#include "protocol/entry.h"
#include "protocol/event.h"
#include "protocol/leaf.h"
#include "services/realm/admission.h"
#include "tests/services/fixture.h"

namespace godwit::realm {
namespace {

using protocol::Assent;
using protocol::Compartment;
using protocol::kFull;
using protocol::Kind;
using protocol::State;
using support::Must;
using support::Person;
using support::TestRealm;
using support::TestVault;

constexpr std::uint64_t kMsPerDay = 86'400'000;
constexpr std::uint32_t kToday = 1'800'000'000'000 / kMsPerDay;
constexpr std::uint32_t kErase = kToday + 40;

// Two vaults of the same people with a summary and a note each.
class Erasure : public testing::Test {
 protected:
  Erasure() : Erasure(Compartment::kCases, protocol::kCoordinator, Kind::kCase) {}
  Erasure(Compartment compartment, protocol::Roles role, Kind kind)
      : realm_(compartment),
        first_(realm_.Add(role)),
        second_(realm_.Add(role)),
        to_(compartment),
        vault_(realm_, kind, first_, Members()),
        other_(realm_, kind, first_, Members()) {
    Sync(to_, realm_);
    for (TestVault* vault : {&vault_, &other_}) {
      vault->WritePinned(first_, "summary");
      vault->Write(first_, vault->NewRecord(), "note");
      EXPECT_EQ(CodeOf(Append(to_.engine, CallerOf(first_), UploadOf(*vault))), "OK");
    }
  }
  TestVault::Members Members() const { return {{&first_, kFull}, {&second_, kFull}}; }

  void SendNewest(const Person& author) {
    const std::size_t from = vault_.entries().size() - 1;
    ASSERT_EQ(CodeOf(Append(to_.engine, CallerOf(author), UploadOf(vault_, from))), "OK");
  }
  void Do(const Person& author, const protocol::EntryPayload& payload) {
    vault_.Append(vault_.Sign(author, payload));
    SendNewest(author);
  }
  // What takes two.
  void Put(const State& state) {
    Do(first_, state);
    Do(second_, Assent{vault_.vault().head(), Assent::kYes});
  }
  void CleanUpOn(std::uint32_t day, Engine& engine) {
    to_.clock->now_ms = day * kMsPerDay + kMsPerDay - 1;
    const auto status = engine.CleanUp();
    EXPECT_TRUE(status) << status.error().message();
  }
  void CleanUpOn(std::uint32_t day) { CleanUpOn(day, to_.engine); }

  std::uint64_t Count(const std::string& table, const TestVault& vault) const {
    return Number(*to_.postgres, "SELECT count(*) FROM " + table + " WHERE vault_id = '\\x" +
                                     base::ToHex(vault.vault().id().bytes()) + "'");
  }
  // Salts, boxes and ciphertexts.
  std::string Left(const TestVault& vault) const {
    std::string left;
    for (const char* table : {"record_salt", "box", "record_blob"}) {
      left += std::to_string(Count(table, vault)) + " ";
    }
    return left;
  }
  std::uint64_t Events() const { return Number(*to_.postgres, "SELECT count(*) FROM event"); }

  TestRealm realm_;
  Person& first_;
  Person& second_;
  TestEngine to_;
  TestVault vault_;
  TestVault other_;
};

constexpr const char* kAll = "2 2 2 ";
constexpr const char* kNothing = "0 0 0 ";

TEST_F(Erasure, ComesAfterItsDayAndNotOnIt) {
  Put({.frozen = 0, .hold = 0, .erase_day = kErase});
  for (const std::uint32_t day : {kErase - 1, kErase}) {
    CleanUpOn(day);
    EXPECT_EQ(Left(vault_), kAll) << day;
    EXPECT_EQ(Events(), 0u);
  }
  CleanUpOn(kErase + 1);
  EXPECT_EQ(Left(vault_), kNothing);
  EXPECT_EQ(Count("entry", vault_), vault_.entries().size());
  EXPECT_EQ(Left(other_), kAll);
  EXPECT_EQ(Count("entry", other_), other_.entries().size());
}

TEST_F(Erasure, LeavesReadersTheChainAndNothingElse) {
  Put({.frozen = 0, .hold = 0, .erase_day = kErase});
  CleanUpOn(kErase + 1);
  const auto read = Must(FetchAll(to_.engine, CallerOf(second_), vault_.vault().id()));
  EXPECT_EQ(read.entries, vault_.entries());
  EXPECT_TRUE(read.records.empty());
  EXPECT_TRUE(read.boxes.empty());
  std::vector<base::VaultId> board;
  for (const auto& part : Must(Drain(to_.engine.FetchBoard(CallerOf(second_), Kind::kCase, {})))) {
    for (const auto& row : part.rows) board.push_back(row.vault);
  }
  EXPECT_EQ(board, std::vector{other_.vault().id()});
  std::size_t listed = 0;
  for (const auto& part : Must(Drain(to_.engine.ListVaults(CallerOf(second_), {})))) {
    listed += part.rows.size();
  }
  EXPECT_EQ(listed, 2u);
}

TEST_F(Erasure, IsAnEventWithItsLeaf) {
  Put({.frozen = 0, .hold = 0, .erase_day = kErase});
  CleanUpOn(kErase + 1);
  ASSERT_EQ(Events(), 1u);
  const auto row = to_.postgres->Sql("SELECT n, encode(bytes, 'hex') FROM event").at(0);
  EXPECT_EQ(row[0], "0");
  const auto bytes = base::FromHex(row[1]).value();
  const auto event = Must(protocol::ReadEvent(bytes));
  EXPECT_EQ(event.realm, realm_.roster().realm());
  EXPECT_EQ(event.n, 0u);
  EXPECT_EQ(event.time_ms, to_.clock->now_ms);
  EXPECT_EQ(event.detail, base::ToBytes(vault_.vault().id().bytes()));
  const auto leaf = to_.postgres->Sql(
      "SELECT encode(chain_tag, 'hex'), seq, encode(link, 'hex'), roster_seq FROM leaf "
      "WHERE leaf_type = 4");
  ASSERT_EQ(leaf.size(), 1u);
  EXPECT_EQ(leaf[0], (std::vector<std::string>{std::string(64, '0'), "0",
                                               base::ToHex(protocol::EventLink(bytes).bytes()),
                                               std::to_string(realm_.roster().head_seq())}));
}

TEST_F(Erasure, IsDoneOnceByWhicheverReplicaComes) {
  Put({.frozen = 0, .hold = 0, .erase_day = kErase});
  // As a process that was started anew, which knows no vault yet.
  TestEngine replica(to_, {});
  ASSERT_TRUE(replica.engine.CheckRealm());
  CleanUpOn(kErase + 1, replica.engine);
  EXPECT_EQ(Left(vault_), kNothing);
  const std::string before = Contents(*to_.postgres);
  CleanUpOn(kErase + 1);
  CleanUpOn(kErase + 2, replica.engine);
  EXPECT_EQ(Contents(*to_.postgres), before);
  EXPECT_EQ(Events(), 1u);
}

TEST_F(Erasure, IsOfWhatComesAfterItToo) {
  Put({.frozen = 0, .hold = 0, .erase_day = kErase});
  CleanUpOn(kErase + 1);
  vault_.WritePinned(first_, "too late");
  SendNewest(first_);
  EXPECT_EQ(Left(vault_), "1 0 1 ");
  CleanUpOn(kErase + 1);
  EXPECT_EQ(Left(vault_), kNothing);
  EXPECT_EQ(to_.postgres->Sql("SELECT string_agg(n::text, ' ' ORDER BY n) FROM event")[0][0],
            "0 1");
  // An entry that brings nothing to delete is no event.
  Do(first_, State{.frozen = 1, .hold = 0, .erase_day = kErase});
  CleanUpOn(kErase + 1);
  EXPECT_EQ(Events(), 2u);
}

TEST_F(Erasure, WaitsWhileTheVaultIsOnHold) {
  Put({.frozen = 0, .hold = 1, .erase_day = kErase});
  CleanUpOn(kErase + 1);
  EXPECT_EQ(Left(vault_), kAll);
  EXPECT_EQ(Events(), 0u);
  Put({.frozen = 0, .hold = 0, .erase_day = kErase});
  CleanUpOn(kErase + 1);
  EXPECT_EQ(Left(vault_), kNothing);
}

TEST_F(Erasure, NeedsAnEraseDayThatIsInEffect) {
  Do(first_, State{.frozen = 0, .hold = 0, .erase_day = kErase});
  CleanUpOn(kErase + 1);
  EXPECT_EQ(Left(vault_), kAll);
  // Put off in time, by the two that it takes.
  to_.clock->now_ms = kToday * kMsPerDay;
  Do(second_, Assent{vault_.vault().head(), Assent::kYes});
  Put({.frozen = 0, .hold = 0, .erase_day = kErase + 20});
  CleanUpOn(kErase + 1);
  EXPECT_EQ(Left(vault_), kAll);
  CleanUpOn(kErase + 21);
  EXPECT_EQ(Left(vault_), kNothing);
}

TEST_F(Erasure, IsNotAssentedToWhenItsDayIsNear) {
  Do(first_, State{.frozen = 0, .hold = 0, .erase_day = kErase});
  to_.clock->now_ms = (kErase - 29) * kMsPerDay;
  vault_.Append(vault_.Sign(second_, Assent{vault_.vault().head(), Assent::kYes}));
  const std::size_t from = vault_.entries().size() - 1;
  EXPECT_EQ(CodeOf(Append(to_.engine, CallerOf(second_), UploadOf(vault_, from))),
            "INVALID_ARGUMENT");
  CleanUpOn(kErase + 1);
  EXPECT_EQ(Left(vault_), kAll);
}

// The row finds a vault, the chain decides: what the row says of before a migration may be wrong.
TEST_F(Erasure, IsByTheChainAndNotByTheRow) {
  Put({.frozen = 0, .hold = 0, .erase_day = kErase});
  to_.postgres->Sql("UPDATE vault SET erase_day = 1");
  CleanUpOn(kErase);
  EXPECT_EQ(Left(vault_), kAll);
  EXPECT_EQ(Left(other_), kAll);
  CleanUpOn(kErase + 1);
  EXPECT_EQ(Left(vault_), kNothing);
  EXPECT_EQ(Left(other_), kAll);
}

TEST_F(Erasure, OfOneVaultDoesNotWaitForABrokenOne) {
  Put({.frozen = 0, .hold = 0, .erase_day = kErase});
  to_.postgres->Sql("UPDATE vault SET erase_day = 1 WHERE vault_id = '\\x" +
                    base::ToHex(other_.vault().id().bytes()) + "'");
  to_.postgres->Sql("DELETE FROM entry WHERE seq = 1 AND vault_id = '\\x" +
                    base::ToHex(other_.vault().id().bytes()) + "'");
  TestEngine replica(to_, {});
  ASSERT_TRUE(replica.engine.CheckRealm());
  to_.clock->now_ms = (kErase + 1) * kMsPerDay;
  EXPECT_EQ(CodeOf(replica.engine.CleanUp()), "INTERNAL");
  EXPECT_EQ(Left(vault_), kNothing);
  EXPECT_EQ(Left(other_), kAll);
}

class LegErasure : public Erasure {
 protected:
  LegErasure() : Erasure(Compartment::kJourneys, protocol::kRoute, Kind::kLeg) {}
};

TEST_F(LegErasure, IsByOneManagerFromTheNextDayOn) {
  Do(first_, State{.frozen = 0, .hold = 0, .erase_day = kToday});
  CleanUpOn(kToday);
  EXPECT_EQ(Left(vault_), kAll);
  CleanUpOn(kToday + 1);
  EXPECT_EQ(Left(vault_), kNothing);
  EXPECT_EQ(Left(other_), kAll);
}

}  // namespace
}  // namespace godwit::realm
