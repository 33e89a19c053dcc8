// The writer rule where calls cross each other and answers are lost: real services, real clients,
// and a server between them that decides who comes first.
#include <grpcpp/support/status.h>

#include <set>

#include "client/cases.h"
#include "client/pinned_rows.h"
#include "crypto/random.h"
#include "tests/e2e/attack_fixture.h"
#include "tests/e2e/writer_race.h"

namespace godwit::client {
namespace {

using grpc::StatusCode;

TEST(WriterRule, HoldsForTwoWritersAndARevoker) { RaceWriters(200); }

class CrossedCalls : public Attack {
 protected:
  // From now on the first request of this type waits until `other` is done.
  template <class Request>
  static void LetFirst(std::function<void()> other) {
    auto once = std::make_shared<std::atomic_flag>();
    liar().RewriteRequest([once, other = std::move(other)](Request&) {
      if (!once->test_and_set()) other();
    });
  }

  // How often the vault holds a note of this text, and who wrote the EPOCH in force.
  struct Found {
    std::ptrdiff_t notes = 0;
    protocol::EpochInForce epoch;
  };
  static Found Find(const base::VaultId& vault, const std::string& text) {
    const auto device = FreshDevice("kc1");
    Require(device->Sync());
    auto view = Must(VaultView::Fetch(*device, vault));
    const auto notes = Must(view.ReadAll(content::v1::Record::kComment));
    const auto count = std::ranges::count_if(
        notes, [&](const auto& note) { return note.second.comment().text() == text; });
    return {count, view.state().epoch()};
  }
  static Outcome Write(Realm& device, const base::VaultId& vault, const std::string& text) {
    const auto written = WriteVault(
        device, vault, [&](VaultView&) { return base::Result<std::vector<Edit>>(Notes({text})); });
    return written ? kWell : Outcome(written.error().code());
  }
  // Nothing of what the device sends is answered, though it is done.
  struct Loss {
    const char* name;
    int count;
    StatusCode status;
  };
  static constexpr Loss kLosses[] = {{"the time is over", 1, StatusCode::DEADLINE_EXCEEDED},
                                     {"the connection breaks", 5, StatusCode::UNAVAILABLE},
                                     {"the service is busy", 1, StatusCode::RESOURCE_EXHAUSTED}};
};

TEST_F(CrossedCalls, OfTwoEpochsAtOnceOneStandsAndTheOtherKeyIsDiscarded) {
  const auto vault = MakeCase();
  Require(Of("sv1").Sync());
  Require(Of("sv1").RotatePuk());
  const auto late = FreshDevice("kc1");
  LetFirst<wire::AppendEntriesRequest>(
      [&] { EXPECT_OUTCOME(Write(Of("cw01"), vault, "by the first"), kWell); });
  liar().ForgetCalls();
  EXPECT_OUTCOME(Write(*late, vault, "by the second"), kWell);
  const auto found = Find(vault, "by the second");
  EXPECT_EQ(found.notes, 1);
  EXPECT_EQ(Find(vault, "by the first").notes, 1);
  EXPECT_EQ(found.epoch.number, 2u);
  EXPECT_EQ(found.epoch.author, Of("cw01").member());
  // Sealed twice, each time under the EPOCH that was to stand: the first with one of its own.
  std::vector<std::vector<std::uint8_t>> sent;
  for (const auto& call : liar().calls()) {
    wire::AppendEntriesRequest request;
    if (call.method != "AppendEntries" || !request.ParseFromString(call.request)) continue;
    auto& types = sent.emplace_back();
    for (const auto& entry : request.vaults(0).entries()) {
      const Bytes bytes = BytesOf(entry.entry());
      types.push_back(Must(protocol::ReadEntry(bytes)).header.type);
    }
  }
  const std::uint8_t epoch = 2;
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(std::ranges::count(sent[0], epoch), 1);
  EXPECT_EQ(std::ranges::count(sent[1], epoch), 1);
  EXPECT_EQ(std::ranges::count(sent[2], epoch), 0);
}

TEST_F(CrossedCalls, TwoDevicesThatRotateOneStalePukMakeOne) {
  const auto first = FreshDevice("kc2");
  const auto second = FreshDevice("kc2");
  Require(first->Sync());
  Require(second->Sync());
  const auto member = first->member();
  const auto gen = first->roster().PukAt(member, first->roster().head_seq())->gen;
  LetFirst<wire::AppendStatementsRequest>([&] { EXPECT_TRUE(second->RotatePuk()); });
  EXPECT_TRUE(first->RotatePuk());
  for (Realm* device : {first.get(), second.get()}) {
    Require(device->Sync());
    const auto* puk = device->roster().PukAt(member, device->roster().head_seq());
    EXPECT_EQ(puk->gen, gen + 1);
    EXPECT_TRUE(device->PukPair(gen + 1));
  }
}

TEST_F(CrossedCalls, AMemberWhoLostAllDevicesHoldsNobodyUp) {
  const auto vault = MakeCase();
  organisation().Join({{"lost", "Caseworker who loses all", protocol::kCaseworker}});
  Realm& lost = Of("lost");
  Require(Of("cw01").Sync());
  Must(WriteVault(Of("cw01"), vault, {}, [&](const protocol::MemberList& list) {
    std::map<base::MemberId, protocol::Perm> members;
    for (const auto& [member, row] : list) members[member] = row.perm;
    members[lost.member()] = protocol::kReadWrite;
    return members;
  }));
  Require(Of("founder").Sync());
  Must(Of("founder").Author(protocol::DeviceRevoke{lost.member(), lost.device().id(), 1}));
  for (const char* handle : {"cw01", "kc1", "sv1"}) {
    EXPECT_OUTCOME(Write(Of(handle), vault, std::string("by ") + handle), kWell);
  }
  // Listed without a key, and nobody rekeys for it again.
  const auto found = Find(vault, "by sv1");
  EXPECT_EQ(found.epoch.list.at(lost.member()).puk_gen, 0u);
  EXPECT_EQ(found.epoch.number, 3u);
  EXPECT_OUTCOME(Write(lost, vault, "by nobody"), Code::kUnauthenticated);
  Must(Of("founder").Author(protocol::MemberRemove{lost.member(), 4}));
  EXPECT_OUTCOME(Write(Of("kc1"), vault, "after the removal"), kWell);
  EXPECT_FALSE(Find(vault, "after the removal").epoch.list.contains(lost.member()));
}

TEST_F(CrossedCalls, AWriterWhoIsNotToldToRekeyDoesSoAllTheSame) {
  const auto vault = MakeCase();
  const auto writer = FreshDevice("kc1");
  EXPECT_OUTCOME(ReadAll(*writer, vault), kWell);
  // The epoch ends between the writer's look at the roster and the entry.
  LetFirst<wire::AppendEntriesRequest>([] {
    Require(Of("sv1").Sync());
    Require(Of("sv1").RotatePuk());
  });
  std::vector<std::string> told;
  liar().RewriteReply([&](const wire::AppendEntriesRequest&, wire::AppendEntriesResponse& reply) {
    told.push_back(reply.results(0).code());
    if (!told.back().empty()) reply.mutable_results(0)->set_code("CONFLICT");
  });
  EXPECT_OUTCOME(Write(*writer, vault, "under a new key"), kWell);
  EXPECT_EQ(told, (std::vector<std::string>{"REKEY_REQUIRED", ""}));
  EXPECT_EQ(Find(vault, "under a new key").epoch.number, 2u);
}

TEST_F(CrossedCalls, ALostAnswerToAnEntryWritesItOnce) {
  for (const Loss& loss : kLosses) {
    SCOPED_TRACE(loss.name);
    const auto vault = MakeCase();
    const auto device = FreshDevice("kc1");
    EXPECT_OUTCOME(ReadAll(*device, vault), kWell);
    liar().LoseReplies("AppendEntries", loss.count, loss.status);
    EXPECT_OUTCOME(Write(*device, vault, "once"), kWell);
    EXPECT_EQ(Find(vault, "once").notes, 1);
    EXPECT_OUTCOME(ReadAll(*device, vault), kWell);
    liar().BeHonest();
    // Others who wrote meanwhile do not hide it.
    liar().LoseReplies("AppendEntries", 1, StatusCode::DEADLINE_EXCEEDED);
    auto colleague = std::make_shared<std::atomic_flag>();
    liar().RewriteRequest([&, colleague](wire::FetchVaultRequest&) {
      if (liar().CallsOf("AppendEntries") == 0 || colleague->test_and_set()) return;
      EXPECT_OUTCOME(Write(Of("cw01"), vault, "meanwhile"), kWell);
    });
    liar().ForgetCalls();
    EXPECT_OUTCOME(Write(*device, vault, "once more"), kWell);
    liar().BeHonest();
    EXPECT_EQ(Find(vault, "once more").notes, 1);
    EXPECT_EQ(Find(vault, "meanwhile").notes, 1);
  }
}

TEST_F(CrossedCalls, ALostAnswerToAStatementMakesItOnce) {
  Realm& owner = Of("founder");
  for (const Loss& loss : kLosses) {
    SCOPED_TRACE(loss.name);
    Require(owner.Sync());
    auto policy = owner.roster().policy();
    ++policy.gen;
    const auto size = owner.roster().size();
    liar().LoseReplies("AppendStatements", loss.count, loss.status);
    const auto missing = owner.Author(protocol::PolicySet{policy});
    ASSERT_TRUE(missing) << missing.error().message();
    EXPECT_EQ(*missing, 0u);
    EXPECT_EQ(owner.roster().size(), size + 1);
    liar().BeHonest();
    // A PUK whose answer was lost is this device's all the same.
    liar().LoseReplies("AppendStatements", loss.count, loss.status);
    Require(owner.RotatePuk());
    EXPECT_EQ(owner.roster().size(), size + 2);
    liar().BeHonest();
    Require(FreshDevice("founder")->Sync());
  }
}

TEST_F(CrossedCalls, ALostAnswerToANewVaultMakesOne) {
  for (const Loss& loss : kLosses) {
    SCOPED_TRACE(loss.name);
    liar().ForgetCalls();
    liar().LoseReplies("AppendEntries", loss.count, loss.status);
    const auto vault = MakeCase();
    std::set<base::VaultId> sent;
    for (const auto& call : liar().calls()) {
      wire::AppendEntriesRequest request;
      if (call.method != "AppendEntries" || !request.ParseFromString(call.request)) continue;
      const Bytes entry = BytesOf(request.vaults(0).entries(0).entry());
      sent.insert(Must(protocol::ReadEntry(entry)).header.vault);
    }
    EXPECT_EQ(sent, std::set<base::VaultId>{vault});
    liar().BeHonest();
  }
}

// A device that goes offline before it hears that its change was written, and a colleague who
// changes the same record before it is back.
TEST_F(CrossedCalls, AChangeThatWaitsThoughItStandsIsNoConflict) {
  auto& caseworker = organisation().Of("cw01");
  Require(caseworker.Sync());
  NewCase invented;
  invented.supervisor = "sv1";
  const std::string code = Must(OpenCase(caseworker, invented));
  Require(SyncPinnedRows(Of("sv1"), protocol::Kind::kCase));
  const auto edit = [&](const char* handle, const char* risk) {
    return Must(EditCase(organisation().Of(handle), code, {{"summary.risk", risk}})).queued;
  };
  EXPECT_FALSE(edit("cw01", "medium"));
  const auto seq = [&] { return Must(ShowCase(caseworker, code)).row.summary.risk(); };
  liar().RewriteRequest([](wire::AppendEntriesRequest&) {
    liar().LoseReplies("FetchRoster", 1'000, StatusCode::DEADLINE_EXCEEDED);
  });
  liar().LoseReplies("AppendEntries", 1, StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(edit("cw01", "high"));
  liar().BeHonest();
  EXPECT_FALSE(edit("sv1", "low"));
  const auto state = Must(SendOutbox(caseworker));
  EXPECT_EQ(state.waiting, 0u);
  EXPECT_EQ(state.refused, 0u);
  EXPECT_EQ(seq(), content::v1::RISK_LEVEL_LOW);

  // One that does not stand meets what was written meanwhile: both values are kept.
  liar().LoseReplies("FetchRoster", 1'000, StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(edit("cw01", "high"));
  liar().BeHonest();
  EXPECT_FALSE(edit("sv1", "medium"));
  EXPECT_EQ(Must(SendOutbox(caseworker)).waiting, 0u);
  const auto opened = Must(ShowCase(caseworker, code));
  EXPECT_EQ(opened.row.summary.risk(), content::v1::RISK_LEVEL_MEDIUM);
  const auto conflicts = opened.file.Of(content::v1::Record::kConflict);
  ASSERT_EQ(conflicts.size(), 1u);
  const auto& conflict = conflicts.front()->content.conflict();
  EXPECT_EQ(conflict.field(), "risk");
  content::v1::Record other;
  ASSERT_TRUE(other.ParseFromString(conflict.other()));
  EXPECT_EQ(other.summary().risk(), content::v1::RISK_LEVEL_HIGH);
}

}  // namespace
}  // namespace godwit::client
