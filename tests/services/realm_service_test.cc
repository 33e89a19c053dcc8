#include "services/realm/realm_service.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iterator>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "godwit/realm/v1/realm.grpc.pb.h"
#include "tests/services/fixture.h"
#include "tests/services/service_process.h"
#include "tests/services/wire.h"
#include "tests/support/realm_server.h"
#include "transport/wire.h"

namespace godwit::realm {
namespace {

using protocol::Compartment;
using protocol::kFull;
using protocol::Kind;
using support::Must;
using support::TestRealm;
using support::TestVault;

// A server with a realm, and a client of its owner and of its coordinator.
class RealmServiceTest : public testing::Test {
 protected:
  RealmServiceTest()
      : coordinator_(realm_.Add(protocol::kCoordinator)),
        owner_client_(server_.address()),
        client_(server_.address()) {
    owner_client_.SetProver(ProverOf(realm_, realm_.person(0)));
    client_.SetProver(ProverOf(realm_, coordinator_));
    support::Require(owner_client_.CreateRealm(server_.claim(), realm_.statements()[0]));
    Sync(1);
  }

  // Sends the statements from `from` on, the coordinator's by its own client.
  void Sync(std::size_t from) {
    for (std::size_t i = from; i < realm_.statements().size(); ++i) {
      const auto upload = WireOf(UploadOf(realm_, realm_.statements()[i]));
      const auto raw = Must(protocol::ReadStatement(realm_.statements()[i]));
      auto& sender = raw.header.author_member == coordinator_.id ? client_ : owner_client_;
      const auto appended = sender.AppendStatements({upload});
      ASSERT_TRUE(appended) << appended.error().message();
    }
  }

  TestRealm realm_{Compartment::kCases};
  support::Person& coordinator_;
  support::RealmServer server_{Compartment::kCases};
  transport::RealmClient owner_client_;
  transport::RealmClient client_;
};

TEST_F(RealmServiceTest, CarriesEveryCallThroughTheWire) {
  EXPECT_EQ(Must(client_.FetchRoster(0)), realm_.statements());
  EXPECT_EQ(Must(client_.FetchPukBoxes(0)).size(), 1u);
  EXPECT_TRUE(Must(client_.FetchRoster(1'000)).empty());

  TestVault vault(realm_, Kind::kScreening, coordinator_, {{&coordinator_, kFull}});
  vault.WritePinned(coordinator_, "summary");
  const auto outcomes = Must(client_.AppendEntries({WireOf(UploadOf(vault))}));
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_TRUE(outcomes[0]);
  std::vector<base::Bytes> entries;
  std::size_t boxes = 0;
  std::size_t records = 0;
  EXPECT_TRUE(client_.FetchVault(vault.vault().id(), 0, [&](transport::VaultPart part) {
    for (auto& entry : part.entries) entries.push_back(std::move(entry));
    boxes += part.boxes.size();
    records += part.records.size();
    return base::Status();
  }));
  EXPECT_EQ(entries, vault.entries());
  EXPECT_EQ(boxes, 1u);
  EXPECT_EQ(records, 1u);
  std::size_t rows = 0;
  const auto cursor = client_.FetchBoard(static_cast<std::uint32_t>(Kind::kScreening), {},
                                         [&](transport::BoardRow row) {
                                           ++rows;
                                           EXPECT_EQ(row.pinned, vault.entries().back());
                                           EXPECT_EQ(row.ciphertext.size(), 1040u);
                                           return base::Status();
                                         });
  EXPECT_EQ(rows, 1u);
  ASSERT_TRUE(cursor);
  EXPECT_FALSE(cursor->empty());
  std::size_t heads = 0;
  EXPECT_TRUE(client_.ListVaults({}, [&](transport::VaultHead head) {
    ++heads;
    EXPECT_EQ(head.vault, vault.vault().id());
    EXPECT_EQ(head.head, vault.vault().head());
    EXPECT_EQ(head.perm, kFull);
    return base::Status();
  }));
  EXPECT_EQ(heads, 1u);

  const base::InviteId invite(std::array<std::uint8_t, 16>{9});
  EXPECT_TRUE(owner_client_.PutOffer(invite, base::Bytes(100)));
  EXPECT_EQ(Must(client_.GetJoinMessages(invite)).offer.size(), 100u);
  EXPECT_EQ(Must(client_.FetchRoster(0, invite)), realm_.statements());
  EXPECT_TRUE(owner_client_.DeleteOffer(invite));
  EXPECT_EQ(CodeOf(client_.GetJoinMessages(invite)), "NOT_FOUND");
  EXPECT_TRUE(client_.CloseSession());
}

TEST_F(RealmServiceTest, NamesTheCodeOfEachRefusal) {
  auto policy = realm_.roster().policy();
  ++policy.gen;
  EXPECT_EQ(CodeOf(client_.AppendStatements(
                {{realm_.Sign(realm_.person(0), protocol::PolicySet{policy}), {}}})),
            "PERMISSION_DENIED");
  EXPECT_EQ(CodeOf(client_.AppendStatements({{base::Bytes(100), {}}})), "E_SIG");
  EXPECT_EQ(CodeOf(client_.FetchVault(base::VaultId(std::array<std::uint8_t, 16>{9}), 0,
                                      [](transport::VaultPart) { return base::Status(); })),
            "NOT_FOUND");
  const auto outcomes = Must(client_.AppendEntries({{{{base::Bytes(100), {}, {}, {}}}}}));
  EXPECT_EQ(CodeOf(outcomes[0]), "E_SIG");
}

TEST_F(RealmServiceTest, ASessionIsDeadWithinASecondOnEveryReplica) {
  support::RealmServer replica(server_, {});
  transport::RealmClient other(replica.address());
  other.SetProver(ProverOf(realm_, coordinator_));
  ASSERT_TRUE(client_.FetchRoster(0));
  ASSERT_TRUE(other.FetchRoster(0));
  const std::size_t from = realm_.statements().size();
  realm_.RevokeByRoot(coordinator_, 0);
  Sync(from);
  const auto revoked_at = std::chrono::steady_clock::now();
  EXPECT_EQ(CodeOf(client_.FetchRoster(0)), "UNAUTHENTICATED");
  EXPECT_EQ(CodeOf(other.FetchRoster(0)), "UNAUTHENTICATED");
  EXPECT_LT(std::chrono::steady_clock::now() - revoked_at, std::chrono::seconds(1));
}

TEST_F(RealmServiceTest, AClientComesThroughARestart) {
  transport::RealmClient client(server_.address(), {.tries = 10});
  client.SetProver(ProverOf(realm_, coordinator_));
  ASSERT_TRUE(client.FetchRoster(0));
  server_.Stop();
  std::thread restart([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    server_.Start();
  });
  EXPECT_TRUE(client.FetchRoster(0));
  restart.join();
}

// What a client that watches heard, for a test to wait for.
class Listener {
 public:
  explicit Listener(transport::RealmClient& client)
      : thread_([this, &client] {
          const auto ended = client.Watch([this](const transport::Hints& hints) {
            const std::lock_guard lock(mutex_);
            heard_.push_back(hints);
            wake_.notify_all();
            return base::Status();
          });
          const std::lock_guard lock(mutex_);
          ended_ = ended;
          wake_.notify_all();
        }) {}

  // The next message; nothing once the stream is over.
  std::optional<transport::Hints> Next() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return ended_ || taken_ < heard_.size(); });
    if (taken_ == heard_.size()) return std::nullopt;
    return heard_[taken_++];
  }
  std::string End() {
    while (Next()) {
    }
    return CodeOf(*ended_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<transport::Hints> heard_;
  std::size_t taken_ = 0;
  std::optional<base::Status> ended_;
  std::jthread thread_;
};

TEST_F(RealmServiceTest, HintsComeByTheWireFromWhicheverReplicaTheyAreAskedFor) {
  support::RealmServer replica(server_, {});
  transport::RealmClient other(replica.address());
  other.SetProver(ProverOf(realm_, coordinator_));
  Listener here(client_);
  Listener there(other);
  ASSERT_TRUE(here.Next());
  ASSERT_TRUE(there.Next());
  TestVault vault(realm_, Kind::kScreening, coordinator_, {{&coordinator_, kFull}});
  ASSERT_TRUE(Must(client_.AppendEntries({WireOf(UploadOf(vault))})).front());
  for (Listener* listener : {&here, &there}) {
    const auto hints = listener->Next();
    ASSERT_TRUE(hints);
    ASSERT_EQ(hints->vaults.size(), 1u);
    EXPECT_EQ(hints->vaults[0].vault, vault.vault().id());
    EXPECT_EQ(hints->vaults[0].head_seq, vault.vault().head_seq());
  }
  replica.Stop();
  EXPECT_EQ(there.End(), "UNAVAILABLE");
  // The session is closed: its stream ends by itself.
  EXPECT_TRUE(client_.CloseSession());
  EXPECT_EQ(here.End(), "UNAUTHENTICATED");
}

TEST_F(RealmServiceTest, WhoGoesAwayIsForgottenAndWhoIsCancelledComesBack) {
  realm::EngineConfig narrow;
  narrow.watch.streams = 1;
  support::RealmServer replica(server_, narrow);
  for (int i = 0; i < 3; ++i) {
    transport::RealmClient client(replica.address());
    client.SetProver(ProverOf(realm_, coordinator_));
    // The place of the one before is free as soon as the service knows that it went.
    for (bool stands = false; !stands;) {
      Listener listener(client);
      stands = listener.Next().has_value();
      if (stands) client.Cancel();
      EXPECT_EQ(listener.End(), stands ? "CANCELLED" : "RESOURCE_EXHAUSTED");
    }
    EXPECT_EQ(CodeOf(client.FetchRoster(0)), "CANCELLED") << "so is what comes after it";
  }
}

// Every method but those that are listed as open refuses a caller without a token, one with a
// foreign token, and one whose token has another form; and none of them is missing.
TEST_F(RealmServiceTest, EveryMethodButTheOpenOnesNeedsASession) {
  const std::set<std::string> open{"GetNonce", "OpenSession", "CreateRealm", "GetJoinMessages",
                                   "PutJoinMessage"};
  Raw raw(server_.address());
  std::size_t guarded = 0;
  for (const auto& method : Methods()) {
    SCOPED_TRACE(method);
    const auto without = raw.Call(method, "");
    EXPECT_NE(without.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    if (open.contains(Name(method))) {
      EXPECT_NE(without.error_code(), grpc::StatusCode::UNAUTHENTICATED);
      continue;
    }
    ++guarded;
    for (const std::string& token :
         {std::string(), std::string(32, 'x'), std::string(1, 'x'), std::string(257, 'x')}) {
      EXPECT_EQ(raw.Call(method, "", token).error_code(), grpc::StatusCode::UNAUTHENTICATED);
    }
  }
  EXPECT_EQ(guarded, Methods().size() - open.size());
}

TEST_F(RealmServiceTest, GarbageIsRefusedWithoutAChangedRow) {
  Raw raw(server_.address());
  // A session, to come behind the guard.
  const std::string token = raw.OpenSession(realm_, coordinator_, Must(client_.ServerKey()));
  const std::string before = Contents(server_.database());
  std::uint64_t seed = 1;
  for (const auto& method : Methods()) {
    if (Name(method) == "CloseSession" || Name(method) == "GetNonce") continue;
    if (Name(method) == "Watch") continue;  // it takes nothing, and goes on
    SCOPED_TRACE(method);
    for (int round = 0; round < 20; ++round) {
      std::string bytes(static_cast<std::size_t>(round) * 13, '\0');
      for (char& c : bytes) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        c = static_cast<char>(seed >> 56);
      }
      const auto code = raw.Call(method, bytes, token).error_code();
      // gRPC 1.51 answers INTERNAL, itself, to what is no protobuf.
      EXPECT_NE(code, grpc::StatusCode::UNKNOWN);
      EXPECT_NE(code, grpc::StatusCode::UNAVAILABLE);
    }
  }
  EXPECT_EQ(Contents(server_.database()), before);
}

// The work is counted where the engine is tested.
TEST_F(RealmServiceTest, NoSuchAndNotAllowedAreTheSameBytes) {
  TestVault theirs(realm_, Kind::kScreening, coordinator_, {{&coordinator_, kFull}});
  ASSERT_TRUE(Must(client_.AppendEntries({WireOf(UploadOf(theirs))})).front());
  Raw raw(server_.address());
  // The owner is no member of it.
  const std::string token = raw.OpenSession(realm_, realm_.person(0), Must(client_.ServerKey()));
  const auto fetch = [&](const base::VaultId& vault) {
    v1::FetchVaultRequest request;
    request.set_vault(base::ToString(vault.bytes()));
    return raw.Ask("/godwit.realm.v1.RealmService/FetchVault", request.SerializeAsString(), token);
  };
  const auto none = fetch(base::VaultId(std::array<std::uint8_t, 16>{9}));
  const auto hidden = fetch(theirs.vault().id());
  EXPECT_EQ(none.status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(none.status.error_code(), hidden.status.error_code());
  EXPECT_EQ(none.status.error_message(), hidden.status.error_message());
  EXPECT_EQ(none.status.error_details(), hidden.status.error_details());
  EXPECT_EQ(none.trailers, hidden.trailers);
  EXPECT_EQ(none.bytes, hidden.bytes);
  EXPECT_NE(none.trailers, "");
}

TEST_F(RealmServiceTest, AMessageAboveTheLimitIsRefused) {
  Raw raw(server_.address());
  const std::string huge(transport::kMaxRequestSize + 1024, 'x');
  EXPECT_EQ(raw.Call(Methods().back(), huge).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(client_.FetchRoster(0));
}

TEST_F(RealmServiceTest, SpeaksTls13AndNothingOlder) {
  const std::string connect =
      "openssl s_client -connect " + server_.address().host_port + " -alpn h2 </dev/null ";
  EXPECT_NE(RunProgram(connect + "-tls1_2").second, 0);
  EXPECT_NE(RunProgram(connect + "-tls1_1").second, 0);
  const auto [output, code] = RunProgram(connect + "-tls1_3");
  EXPECT_EQ(code, 0);
  EXPECT_NE(output.find("TLSv1.3"), std::string::npos);
}

// The front of another realm, or somebody in between, whose AU is replayed here.
TEST_F(RealmServiceTest, AnAuForAnotherCertificateOpensNothing) {
  transport::RealmClient client(server_.address());
  client.SetProver([&](const base::Sha256Hash&, base::ByteSpan nonce) {
    return ProverOf(realm_, coordinator_)(base::Sha256Hash(), nonce);
  });
  EXPECT_EQ(CodeOf(client.FetchRoster(0)), "UNAUTHENTICATED");
}

}  // namespace
}  // namespace godwit::realm
