#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <regex>

#include "protocol/join.h"
#include "tests/services/fixture.h"

namespace godwit::realm {
namespace {

using protocol::Compartment;
using protocol::kFull;
using protocol::Kind;
using support::Must;
using support::TestRealm;
using support::TestVault;

// The statements that a database is asked, by the log of its cluster. One test at a time.
class StatementLog {
 public:
  explicit StatementLog(const support::PostgresDatabase& database) {
    const auto name = database.Sql("SELECT current_database()").front().front();
    // Of whoever connects from now on.
    database.Sql("ALTER DATABASE " + name + " SET log_statement = 'all'");
    const auto folder = database.Sql("SHOW data_directory").front().front();
    file_ = std::filesystem::path(folder).parent_path() / "log";
  }

  // What `work` has it execute, in order.
  std::vector<std::string> During(const std::function<void()>& work) const {
    const auto before = std::filesystem::file_size(file_);
    work();
    std::ifstream file(file_);
    file.seekg(static_cast<std::streamoff>(before));
    static const std::regex statement(R"(.* LOG:  (?:execute (\w+):|statement: (\w+)).*)");
    std::vector<std::string> statements;
    std::smatch match;
    for (std::string line; std::getline(file, line);) {
      if (std::regex_match(line, match, statement))
        statements.push_back(match[1].str() + match[2].str());
    }
    return statements;
  }

 private:
  std::filesystem::path file_;
};

// Of each call that names something: the answer where there is no such thing, and where there is
// one that is not the caller's to see, are the same, for the same work of the database.
TEST(Existence, NoSuchAndNotAllowedAreOneAnswerForOneWork) {
  TestRealm realm{Compartment::kCases};
  const auto& owner = realm.person(0);
  const auto& member = realm.Add(protocol::kCoordinator);
  const auto& other = realm.Add(protocol::kCoordinator);
  const auto& revoked = realm.Add(protocol::kCoordinator);
  TestEngine first;
  Sync(first, realm);
  const auto& stranger = realm.Stranger();
  TestVault theirs(realm, Kind::kScreening, member, {{&member, kFull}});
  TestVault nowhere(realm, Kind::kScreening, member, {{&member, kFull}});
  const base::Bytes offer(100);
  ASSERT_EQ(CodeOf(Append(first.engine, CallerOf(member), UploadOf(theirs))), "OK");
  const base::Bytes to_theirs = theirs.Sign(other, protocol::State{1, 0, 0});
  const base::Bytes to_nowhere = nowhere.Sign(other, protocol::State{1, 0, 0});
  const auto secret = Must(protocol::JoinSecret::Random());
  const auto unknown = Must(protocol::JoinSecret::Random());
  const auto ended = Must(protocol::JoinSecret::Random());
  for (const auto* each : {&ended, &secret}) {
    ASSERT_TRUE(first.engine.PutOffer(CallerOf(owner), protocol::InviteIdOf(*each), offer));
    if (each == &ended) first.clock->now_ms += std::uint64_t{25} * 3'600'000;
  }
  const auto token = [&](const support::Person& person) {
    const auto request = RequestOf(realm, person, Must(first.engine.sessions().MakeNonce()));
    return Must(first.engine.sessions().Open(
                    protocol::SignSessionRequest(request, person.device().signing_key())))
        .token;
  };
  const base::Bytes dead = token(revoked);
  realm.RevokeByRoot(revoked, 0);
  Sync(first, realm);

  const StatementLog log(*first.postgres);
  // A replica that knows none of it yet, and one that does.
  for (const bool warm : {false, true}) {
    SCOPED_TRACE(warm ? "warm" : "cold");
    TestEngine replica(first, {});
    Engine& engine = replica.engine;
    if (warm) {
      ASSERT_TRUE(Drain(engine.FetchVault(CallerOf(member), theirs.vault().id(), 0)));
    }
    const auto caller = CallerOf(other);
    const auto put_j2 = [&](const protocol::JoinSecret& of) {
      return engine.PutJoinMessage(caller, protocol::InviteIdOf(of), storage::JoinStep::kJ2,
                                   protocol::WriteJ2(of, protocol::Nonce32{1}));
    };
    const auto open = [&](const support::Person& person) {
      const auto request = RequestOf(realm, person, Must(engine.sessions().MakeNonce()));
      return engine.sessions().Open(
          protocol::SignSessionRequest(request, person.device().signing_key()));
    };
    struct Row {
      const char* name;
      std::function<base::Status()> no_such;
      std::function<base::Status()> not_allowed;
    };
    const auto status = [](const auto& result) {
      return result ? base::Status() : base::Status(result.error());
    };
    const Row rows[] = {
        {"FetchVault", [&] { return status(engine.FetchVault(caller, nowhere.vault().id(), 0)); },
         [&] { return status(engine.FetchVault(caller, theirs.vault().id(), 0)); }},
        {"AppendEntries", [&] { return Append(engine, caller, {{UploadOf(nowhere, to_nowhere)}}); },
         [&] { return Append(engine, caller, {{UploadOf(theirs, to_theirs)}}); }},
        {"DeleteOffer", [&] { return engine.DeleteOffer(caller, protocol::InviteIdOf(unknown)); },
         [&] { return engine.DeleteOffer(caller, protocol::InviteIdOf(secret)); }},
        {"PutJoinMessage", [&] { return put_j2(unknown); }, [&] { return put_j2(secret); }},
        {"GetJoinMessages",
         [&] { return status(engine.GetJoinMessages(protocol::InviteIdOf(unknown))); },
         [&] { return status(engine.GetJoinMessages(protocol::InviteIdOf(ended))); }},
        {"FetchRoster",
         [&] { return status(engine.FetchRoster(std::nullopt, protocol::InviteIdOf(unknown), 0)); },
         [&] { return status(engine.FetchRoster(std::nullopt, protocol::InviteIdOf(ended), 0)); }},
        {"OpenSession", [&] { return status(open(stranger)); },
         [&] { return status(open(revoked)); }},
        {"a token", [&] { return status(engine.sessions().Authenticate(base::Bytes(32, 7))); },
         [&] { return status(engine.sessions().Authenticate(dead)); }},
    };
    for (const auto& row : rows) {
      SCOPED_TRACE(row.name);
      // Connections and the roster are there from the first call on.
      (void)row.no_such();
      base::Status none;
      base::Status hidden;
      const auto none_work = log.During([&] { none = row.no_such(); });
      const auto hidden_work = log.During([&] { hidden = row.not_allowed(); });
      ASSERT_FALSE(none);
      ASSERT_FALSE(hidden);
      EXPECT_EQ(none.error().code(), hidden.error().code());
      EXPECT_EQ(none.error().message(), hidden.error().message());
      EXPECT_FALSE(none_work.empty());
      EXPECT_EQ(none_work, hidden_work);
    }
    // The control: what is the caller's to see is more work.
    const auto seen = log.During(
        [&] { EXPECT_TRUE(engine.FetchVault(CallerOf(member), theirs.vault().id(), 0)); });
    const auto unseen = log.During([&] { (void)rows[0].not_allowed(); });
    EXPECT_GT(seen.size(), unseen.size());
  }
}

}  // namespace
}  // namespace godwit::realm
