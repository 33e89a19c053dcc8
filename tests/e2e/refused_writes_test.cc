// Writes that do not come about: what a writer makes of a refusal, by its own verifier, by the
// service, or by whoever says what to write.
#include <grpcpp/support/status.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "crypto/random.h"
#include "protocol/epoch_keys.h"
#include "tests/e2e/attack_fixture.h"

namespace godwit::client {
namespace {

using protocol::EntryPayload;
using protocol::Kind;
using protocol::MemberList;
using Edits = base::Result<std::vector<Edit>>;

class RefusedWrites : public Attack {
 protected:
  static void SetUpTestSuite() {
    Attack::SetUpTestSuite();
    organisation().Join({{"in1", "Intake 1", protocol::kIntake}});
    for (const char* handle : {"founder", "cw01", "cw02", "sv1", "kc1", "kc2"}) {
      Require(Of(handle).Sync());
    }
    vault_ = MakeCase();
  }

  static const base::VaultId& vault() { return vault_; }

  // All that a device writes to a vault, by the name of the call.
  using Call = std::function<base::Status(Realm&)>;
  static std::map<std::string, Call> Calls() {
    const auto status = [](const auto& written) {
      return written ? base::Status() : written.error();
    };
    return {{"WriteVault",
             [=](Realm& device) {
               return status(
                   WriteVault(device, vault(), [](VaultView&) -> Edits { return Notes({"one"}); }));
             }},
            {"WriteEntry",
             [=](Realm& device) {
               return status(WriteEntry(device, vault(), [](VaultView&) {
                 return std::optional(EntryPayload(kFreeze));
               }));
             }},
            {"hidden history",
             [=](Realm& device) {
               return status(WriteVault(device, vault(), {}, With("kc2"), Hidden()));
             }},
            {"CreateVault", [=](Realm& device) {
               return status(CreateVault(device, Kind::kCase, {{device.member(), protocol::kFull}},
                                         [](const base::VaultId&) { return Edits(Notes({"a"})); }));
             }}};
  }
  static constexpr protocol::State kFreeze{1, 0, 0};

  static Relister With(const std::string& newcomer, protocol::Perm perm = protocol::kFull) {
    return [member = Of(newcomer).member(), perm](const MemberList& list) {
      std::map<base::MemberId, protocol::Perm> members;
      for (const auto& [listed, row] : list) members[listed] = row.perm;
      members[member] = perm;
      return members;
    };
  }
  static WriteOptions Hidden() {
    WriteOptions options;
    options.hide_history = true;
    return options;
  }
  // A device of kc1 that has read the vault and may do all of the calls.
  static std::unique_ptr<Realm> Reader() {
    auto device = FreshDevice("kc1");
    EXPECT_OUTCOME(ReadAll(*device, vault()), kWell);
    liar().ForgetCalls();
    return device;
  }
  // From now on each call that appends is answered so, and not passed on.
  static void AnswerAppends(Code code) {
    wire::AppendEntriesResponse refused;
    refused.add_results()->set_code(std::string(base::Name(code)));
    liar().AnswerWith(refused);
  }
  // From now on the roster goes on with what no member may sign.
  static void ShowBadRoster() {
    const Bytes statement =
        NextStatement(Of("cw02"), protocol::RoleSet{Of("cw02").member(), protocol::kAdmin});
    const auto size = Of("cw02").roster().size();
    liar().RewriteReply(
        [=](const wire::FetchRosterRequest& request, wire::FetchRosterResponse& reply) {
          if (request.from_seq() <= size) reply.add_statements(Text(statement));
        });
  }

 private:
  static base::VaultId vault_;
};

base::VaultId RefusedWrites::vault_;

TEST_F(RefusedWrites, WhatTheServiceRefusesForGoodIsSentOnce) {
  for (const auto& [name, call] : Calls()) {
    SCOPED_TRACE(name);
    const auto device = Reader();
    AnswerAppends(Code::kPermissionDenied);
    EXPECT_OUTCOME(OutcomeOf(call(*device)), Code::kPermissionDenied);
    EXPECT_EQ(Uploads(), 1u);
    liar().BeHonest();
    EXPECT_OUTCOME(ReadAll(*device, vault()), kWell);
  }
}

TEST_F(RefusedWrites, AWriterGivesUpAtTheEighthTry) {
  for (const auto& [name, call] : Calls()) {
    SCOPED_TRACE(name);
    const auto device = Reader();
    AnswerAppends(Code::kConflict);
    // A ninth would be said to be taken.
    int tries = 0;
    liar().RewriteReply([&](const wire::AppendEntriesRequest&, wire::AppendEntriesResponse& reply) {
      if (++tries > 8) reply.mutable_results(0)->clear_code();
    });
    EXPECT_OUTCOME(OutcomeOf(call(*device)), Code::kConflict);
    EXPECT_EQ(Uploads(), 8u);
    liar().BeHonest();
  }
}

TEST_F(RefusedWrites, ARosterThatIsRefusedEndsEveryWrite) {
  for (const auto& [name, call] : Calls()) {
    SCOPED_TRACE(name);
    const auto device = Reader();
    ShowBadRoster();
    // A new vault is made of what is known, and looks at the roster before it is made again.
    AnswerAppends(Code::kConflict);
    EXPECT_OUTCOME(OutcomeOf(call(*device)), Code::kRosterInvalid);
    EXPECT_EQ(liar().CallsOf("FetchVault"), 0u);
    EXPECT_EQ(Uploads(), name == "CreateVault" ? 1u : 0u);
    liar().BeHonest();
    EXPECT_OUTCOME(ReadAll(*device, vault()), kWell);
  }
}

TEST_F(RefusedWrites, AVaultThatIsRefusedEndsEveryWriteThere) {
  const Truth truth(Of("cw01"), vault());
  const Bytes entry = NextEntry(Of("cw02"), truth.state(), kFreeze);
  for (const auto& [name, call] : Calls()) {
    if (name == "CreateVault") continue;
    SCOPED_TRACE(name);
    const auto device = Reader();
    liar().RewriteReply([&](const wire::FetchVaultRequest&, wire::FetchVaultResponse& reply) {
      reply.add_entries(Text(entry));
    });
    EXPECT_OUTCOME(OutcomeOf(call(*device)), Code::kEntryInvalid);
    EXPECT_EQ(Uploads(), 0u);
    liar().BeHonest();
  }
}

TEST_F(RefusedWrites, WhatTheOwnVerifierRefusesIsNeverSent) {
  const auto stays = [](const auto& written) { return written ? kWell : written.error().code(); };
  const auto none = [](const base::VaultId&) { return Edits(std::vector<Edit>()); };
  const struct {
    const char* name;
    const char* author;
    std::function<Outcome(Realm&)> write;
    Outcome want;
  } rows[] = {
      {"a record's flag, by who does not manage", "sv1",
       [=](Realm& device) -> Outcome {
         return stays(WriteVault(device, vault(), [](VaultView&) -> Edits {
           auto edits = Notes({"a decision"});
           edits[0].flags = protocol::Rev::kDecision;
           return edits;
         }));
       },
       Code::kEntryInvalid},
      {"a list, by who does not manage", "sv1",
       [=](Realm& device) -> Outcome {
         return stays(WriteVault(device, vault(), {}, With("cw02", protocol::kReadWrite)));
       },
       Code::kEntryInvalid},
      {"a state, by who does not manage", "sv1",
       [=](Realm& device) -> Outcome {
         return stays(WriteEntry(device, vault(), [](VaultView&) {
           return std::optional(EntryPayload(protocol::State{0, 1, 0}));
         }));
       },
       Code::kEntryInvalid},
      {"a vault of a kind that is not theirs", "cw01",
       [=](Realm& device) -> Outcome {
         const auto made =
             CreateVault(device, Kind::kLedger, {{device.member(), protocol::kFull}}, none);
         return made ? kWell : made.error().code();
       },
       Code::kInvalidArgument},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto device = FreshDevice(row.author);
    Require(device->Sync());
    liar().ForgetCalls();
    EXPECT_OUTCOME(row.write(*device), row.want);
    EXPECT_EQ(Uploads(), 0u);
  }
  EXPECT_OUTCOME(ReadAll(Of("cw01"), vault()), kWell);
}

TEST_F(RefusedWrites, WhoSaysWhatToWriteMayRefuse) {
  const base::Error no(Code::kExists, "it is there already");
  Tries tries;
  tries.keep = [&](const std::vector<base::Link>&) { return base::Status(no); };
  WriteOptions kept;
  kept.tries = &tries;
  const auto note = [](VaultView&) -> Edits { return Notes({"one"}); };
  const std::map<std::string, Call> calls{
      {"the editor",
       [&](Realm& device) {
         return WriteVault(device, vault(), [&](VaultView&) { return Edits(no); }).error();
       }},
      {"the chooser",
       [&](Realm& device) {
         return WriteEntry(
                    device, vault(),
                    [&](VaultView&) { return base::Result<std::optional<EntryPayload>>(no); })
             .error();
       }},
      {"whoever keeps the tries",
       [&](Realm& device) {
         const auto written = WriteVault(device, vault(), note, {}, kept);
         return written ? base::Status() : written.error();
       }},
      {"the editor of a new vault", [&](Realm& device) {
         return CreateVault(device, Kind::kCase, {{device.member(), protocol::kFull}},
                            [&](const base::VaultId&) { return Edits(no); })
             .error();
       }}};
  for (const auto& [name, call] : calls) {
    SCOPED_TRACE(name);
    const auto device = Reader();
    EXPECT_OUTCOME(OutcomeOf(call(*device)), Code::kExists);
    EXPECT_EQ(Uploads(), 0u);
  }
}

TEST_F(RefusedWrites, HistoryIsHiddenByWhoeverReadsWritesAndManagesAllOfIt) {
  const auto hide = [](Realm& device, const base::VaultId& id) -> Outcome {
    liar().ForgetCalls();
    const auto hidden = WriteVault(device, id, {}, With("kc2", protocol::kReadWrite), Hidden());
    EXPECT_EQ(Uploads(), 0u);
    return hidden ? kWell : Outcome(hidden.error().code());
  };
  EXPECT_OUTCOME(hide(Of("sv1"), vault()), Code::kPermissionDenied);
  Realm& intake = Of("in1");
  Require(intake.Sync());
  const auto ledger =
      Must(CreateVault(intake, Kind::kLedger, {{intake.member(), protocol::kFull}},
                       [](const base::VaultId&) { return Edits(std::vector<Edit>()); }));
  EXPECT_OUTCOME(hide(intake, ledger.id()), Code::kInvalidArgument);
}

TEST_F(RefusedWrites, WhatIsOutOfReachStaysAsItIsWhereHistoryIsHidden) {
  // An EPOCH hides what is before it, and nothing of that is written anew.
  const auto id = MakeCase();
  int calls = 0;
  liar().RewriteRequest([&](wire::AppendEntriesRequest& request) {
    if (++calls == 2) request.mutable_vaults(0)->mutable_entries(0)->set_entry("lost on the way");
  });
  EXPECT_FALSE(WriteVault(*FreshDevice("kc1"), id, {}, With("kc2"), Hidden()));
  liar().BeHonest();
  Must(WriteVault(Of("cw01"), id, {}, With("kc2")));
  // Whom that hides it from cannot write it anew either, and lists others all the same.
  const auto newcomer = FreshDevice("kc2");
  Must(WriteVault(*newcomer, id, {}, With("cw02"), Hidden()));
  const Truth truth(Of("cw01"), id);
  EXPECT_TRUE(truth.list().contains(Of("cw02").member()));
  auto view = Must(VaultView::Open(*newcomer, id));
  EXPECT_FALSE(view.KeyOf(1));
  EXPECT_TRUE(std::ranges::any_of(view.LiveRecords(), [&](const base::RecordId& record) {
    return view.Latest(record)->rev.epoch == 1;
  }));
}

TEST_F(RefusedWrites, HistoryIsNotHiddenByHalf) {
  // What is to be written anew under the EPOCH is lost on the way, once.
  const auto id = MakeCase();
  const auto device = FreshDevice("kc1");
  int calls = 0;
  liar().RewriteRequest([&](wire::AppendEntriesRequest& request) {
    if (++calls == 2) request.mutable_vaults(0)->mutable_entries(0)->set_entry("lost on the way");
  });
  EXPECT_FALSE(WriteVault(*device, id, {}, With("kc2"), Hidden()));
  EXPECT_EQ(calls, 2);
  const auto newcomer = Of("kc2").member();
  EXPECT_FALSE(Truth(Of("cw01"), id).list().contains(newcomer));
  liar().BeHonest();

  // A service that withholds the key of what is to be written anew.
  const auto fresh = FreshDevice("kc1");
  liar().RewriteReply([](const wire::FetchVaultRequest&, wire::FetchVaultResponse& reply) {
    for (auto& box : *reply.mutable_boxes()) {
      if (box.epoch() == 1) box.set_epoch(9);
    }
  });
  liar().ForgetCalls();
  const auto withheld = WriteVault(*fresh, id, {}, With("kc2"), Hidden());
  ASSERT_FALSE(withheld);
  EXPECT_EQ(withheld.error().code(), Code::kNotFound);
  EXPECT_EQ(Uploads(), 0u);
  liar().BeHonest();
  Must(WriteVault(*device, id, {}, With("kc2"), Hidden()));
  EXPECT_TRUE(Truth(Of("cw01"), id).list().contains(newcomer));
}

// A note is before readers of the sensitive part, a case before every coordinator.
TEST_F(RefusedWrites, WhatBelongsInAnotherVaultIsNotWritten) {
  liar().ForgetCalls();
  const auto written = WriteVault(Of("cw01"), vault(), [](VaultView&) -> Edits {
    Edit note{crypto::RandomId<base::RecordId>(), {}, 0};
    note.content.mutable_note()->set_text("hides in a shed");
    return std::vector<Edit>{std::move(note)};
  });
  EXPECT_EQ(written.error().code(), Code::kPermissionDenied);
  EXPECT_EQ(Uploads(), 0u);
}

}  // namespace
}  // namespace godwit::client
