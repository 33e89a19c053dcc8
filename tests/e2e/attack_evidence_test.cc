// What a device keeps of a server that lies, and of colleagues who work with it, exported as files
// and judged by godwit-verify itself.
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "client/pinned_rows.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "protocol/epoch_keys.h"
#include "protocol/record.h"
#include "tests/client/temporary.h"
#include "tests/e2e/attack_fixture.h"
#include "tests/tools/run.h"

namespace godwit::client {
namespace {

using nlohmann::json;
using protocol::RoleSet;
using protocol::StatementHeader;

std::string Hex(const auto& fixed) { return base::ToHex(fixed.bytes()); }

class Evidence : public Attack {
 protected:
  // What godwit-verify says of each file that the device would export.
  static std::vector<json> Verified(Realm& device) {
    const support::TemporaryDir dir;
    std::vector<json> verdicts;
    for (const Bytes& file : EvidenceFiles(device)) {
      const auto path = dir.path() / "piece.evidence";
      std::ofstream(path, std::ios::binary | std::ios::trunc) << Text(file);
      const auto ran = support::RunShell(GODWIT_VERIFY " evidence --json " + path.string());
      EXPECT_EQ(ran.exit, 0) << ran.output;
      verdicts.push_back(json::parse(ran.output));
      EXPECT_EQ(verdicts.back()["F"], Hex(device.info().fingerprint));
    }
    return verdicts;
  }
  // The only one.
  static json TheOne(Realm& device) {
    const auto all = Verified(device);
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? json() : all.front();
  }
  static void ExpectProved(const json& verdict, const char* what, const char* code,
                           const Realm& author) {
    EXPECT_EQ(verdict["what"], what);
    EXPECT_EQ(verdict["proved"], true) << verdict;
    EXPECT_EQ(verdict["against"], "author");
    EXPECT_EQ(verdict["member"], Hex(author.member()));
    EXPECT_EQ(verdict["device"], Hex(author.device().id()));
    EXPECT_EQ(verdict["code"], code);
  }
  // On the word of the device, against the server or `author`.
  static void ExpectWord(const json& verdict, const char* what, const char* code,
                         const Realm* author = nullptr) {
    EXPECT_EQ(verdict["what"], what);
    EXPECT_EQ(verdict["proved"], false) << verdict;
    EXPECT_EQ(verdict["against"], author == nullptr ? "server" : "author");
    EXPECT_EQ(verdict["member"], author == nullptr ? json() : json(Hex(author->member())));
    EXPECT_EQ(verdict["code"], code);
  }
  static json Signer(const Realm& realm) {
    return {{"member", Hex(realm.member())}, {"device", Hex(realm.device().id())}};
  }

  using VaultReply = wire::FetchVaultResponse;
  // Lies about one vault, until the server is honest again.
  static void Show(const base::VaultId& vault,
                   std::function<void(std::uint64_t from, VaultReply&)> lie) {
    liar().RewriteReply([=](const wire::FetchVaultRequest& request, VaultReply& reply) {
      if (request.vault() == Text(vault.bytes())) lie(request.from_seq(), reply);
    });
  }
  static void ShowEntry(const base::VaultId& vault, const Bytes& entry) {
    Show(vault, [entry](std::uint64_t, VaultReply& reply) { reply.add_entries(Text(entry)); });
  }
  static VaultView Fetched(Realm& realm, const base::VaultId& vault) {
    Require(realm.Sync());
    return Must(VaultView::Fetch(realm, vault));
  }
  static std::unique_ptr<Realm> Device(Memory memory, const base::VaultId& vault) {
    auto device = FreshDevice("kc1");
    if (memory == Memory::kKnown) {
      EXPECT_OUTCOME(ReadAll(*device, vault), kWell);
    }
    return device;
  }
};

TEST_F(Evidence, AnInvalidEntryConvictsWhoSignedIt) {
  const auto vault = MakeCase();
  Require(Of("cw02").Sync());
  for (const Memory memory : kBoth) {
    SCOPED_TRACE(NameOf(memory));
    const auto device = Device(memory, vault);
    auto view = Fetched(Of("cw01"), vault);
    const auto sealed = Seal(Of("cw02"), view.state(), crypto::RandomId<base::RecordId>(),
                             *Must(view.KeyOf(view.state().epoch().number)));
    ShowEntry(vault, NextEntry(Of("cw02"), view.state(), sealed.rev));
    EXPECT_OUTCOME(ReadAll(*device, vault), Code::kEntryInvalid);
    // Told again, it is kept once.
    EXPECT_OUTCOME(ReadAll(*device, vault), Code::kEntryInvalid);
    const json verdict = TheOne(*device);
    ExpectProved(verdict, "entry_refused", "E_ENTRY_INVALID", Of("cw02"));
    EXPECT_EQ(verdict["vault"], Hex(vault));
    EXPECT_EQ(verdict["seq"], view.state().size());
    liar().BeHonest();
    // What is written later changes nothing about it.
    EXPECT_OUTCOME(WriteNote(Of("cw01"), vault), kWell);
    EXPECT_OUTCOME(ReadAll(*device, vault), kWell);
    EXPECT_EQ(TheOne(*device), verdict);
  }
}

TEST_F(Evidence, AnEntryThatNobodySignedNamesTheServer) {
  const auto vault = MakeCase();
  for (const Memory memory : kBoth) {
    SCOPED_TRACE(NameOf(memory));
    const auto device = Device(memory, vault);
    const auto view = Fetched(Of("cw01"), vault);
    Bytes entry = NextEntry(Of("cw01"), view.state(), protocol::State{1, 0, 0});
    entry.back() ^= 1;
    ShowEntry(vault, entry);
    EXPECT_OUTCOME(ReadAll(*device, vault), Code::kSig);
    ExpectWord(TheOne(*device), "entry_refused", "E_SIG");
    liar().BeHonest();
  }
}

TEST_F(Evidence, AForkOfAVaultNamesTheServerAndWhoSignedItsBranches) {
  const auto vault = MakeCase();
  const auto device = Device(Memory::kKnown, vault);
  // The device is shown a branch that another colleague signed, then the one that stands.
  Require(Of("sv1").Sync());
  auto view = Fetched(Of("cw01"), vault);
  const auto sealed = Seal(Of("sv1"), view.state(), crypto::RandomId<base::RecordId>(),
                           *Must(view.KeyOf(view.state().epoch().number)));
  ShowEntry(vault, NextEntry(Of("sv1"), view.state(), sealed.rev));
  EXPECT_OUTCOME(ReadAll(*device, vault), Code::kNotFound);  // its bytes are not shown
  liar().BeHonest();
  EXPECT_TRUE(EvidenceFiles(*device).empty());
  EXPECT_OUTCOME(WriteNote(Of("cw01"), vault), kWell);
  EXPECT_OUTCOME(ReadAll(*device, vault), Code::kFork);
  const json verdict = TheOne(*device);
  ExpectWord(verdict, "two_entries", "E_FORK");
  EXPECT_EQ(verdict["signers"], (json{Signer(Of("sv1")), Signer(Of("cw01"))}));
  EXPECT_EQ(verdict["vault"], Hex(vault));
  EXPECT_EQ(verdict["seq"], view.state().size());
}

TEST_F(Evidence, AForkOfTheRosterNamesTheServerAndWhoSignedItsBranches) {
  Realm& owner = Of("founder");
  Require(owner.Sync());
  Require(Of("cw02").Sync());
  const Bytes other = NextStatement(
      Of("cw02"), protocol::DeviceRevoke{Of("cw02").member(), Of("cw02").device().id(), 2});
  auto policy = owner.roster().policy();
  ++policy.gen;
  Must(owner.Author(protocol::PolicySet{policy}));
  const auto device = FreshDevice("kc1");
  Require(device->Sync());
  const auto seq = device->roster().head_seq();
  liar().RewriteReply(
      [&](const wire::FetchRosterRequest& request, wire::FetchRosterResponse& reply) {
        reply.set_statements(static_cast<int>(seq - request.from_seq()), Text(other));
      });
  EXPECT_OUTCOME(OutcomeOf(device->Sync()), Code::kFork);
  const json verdict = TheOne(*device);
  ExpectWord(verdict, "two_statements", "E_FORK");
  EXPECT_EQ(verdict["signers"], (json{Signer(owner), Signer(Of("cw02"))}));
  EXPECT_EQ(verdict["seq"], seq);
  EXPECT_TRUE(verdict["vault"].is_null());
}

TEST_F(Evidence, ARefusedStatementConvictsWhoSignedIt) {
  for (const Memory memory : kBoth) {
    SCOPED_TRACE(NameOf(memory));
    const auto device = FreshDevice("kc1");
    if (memory == Memory::kKnown) Require(device->Sync());
    Require(Of("cw02").Sync());
    const Bytes statement =
        NextStatement(Of("cw02"), RoleSet{Of("cw02").member(), protocol::kAdmin});
    liar().RewriteReply([&](const wire::FetchRosterRequest&, wire::FetchRosterResponse& reply) {
      reply.add_statements(Text(statement));
    });
    EXPECT_OUTCOME(OutcomeOf(device->Sync()), Code::kRosterInvalid);
    const json verdict = TheOne(*device);
    ExpectProved(verdict, "statement_refused", "E_ROSTER_INVALID", Of("cw02"));
    EXPECT_EQ(verdict["seq"], Of("cw02").roster().size());
    liar().BeHonest();
    Require(device->Sync());
    EXPECT_EQ(TheOne(*device), verdict);
  }
}

TEST_F(Evidence, AnOlderStateNamesTheServer) {
  const auto vault = MakeCase();
  const auto device = Device(Memory::kKnown, vault);
  Show(vault, [](std::uint64_t, VaultReply& reply) { reply.clear_entries(); });
  EXPECT_OUTCOME(ReadAll(*device, vault), Code::kRollback);
  const json verdict = TheOne(*device);
  ExpectWord(verdict, "older_vault", "E_ROLLBACK");
  EXPECT_EQ(verdict["vault"], Hex(vault));
  liar().BeHonest();

  const auto other = FreshDevice("kc1");
  Require(other->Sync());
  liar().RewriteReply([](const wire::FetchRosterRequest&, wire::FetchRosterResponse& reply) {
    reply.clear_statements();
  });
  EXPECT_OUTCOME(OutcomeOf(other->Sync()), Code::kRollback);
  ExpectWord(TheOne(*other), "older_roster", "E_ROLLBACK");
}

TEST_F(Evidence, AnotherRealmOrVaultNamesTheServer) {
  const support::TestRealm realm(protocol::Compartment::kCases);
  const auto device = FreshDevice("kc1");
  liar().RewriteReply([&](const wire::FetchRosterRequest&, wire::FetchRosterResponse& reply) {
    reply.clear_statements();
    for (const auto& statement : realm.statements()) reply.add_statements(Text(statement));
  });
  EXPECT_OUTCOME(OutcomeOf(device->Sync()), Code::kRosterInvalid);
  ExpectWord(TheOne(*device), "other_realm", "E_ROSTER_INVALID");
  liar().BeHonest();

  const auto asked = MakeCase();
  const auto shown = MakeCase();
  const auto reader = FreshDevice("kc1");
  liar().RewriteRequest([&](wire::FetchVaultRequest& request) {
    if (request.vault() == Text(asked.bytes())) request.set_vault(Text(shown.bytes()));
  });
  EXPECT_OUTCOME(ReadAll(*reader, asked), Code::kEntryInvalid);
  const json verdict = TheOne(*reader);
  ExpectWord(verdict, "other_vault", "E_ENTRY_INVALID");
  EXPECT_EQ(verdict["vault"], Hex(asked));
}

TEST_F(Evidence, ChangedBytesNameTheServer) {
  const auto vault = MakeCase();
  for (const Memory memory : kBoth) {
    SCOPED_TRACE(NameOf(memory));
    const auto device = Device(memory, vault);
    EXPECT_OUTCOME(WriteNote(Of("cw01"), vault), kWell);
    Show(vault, [](std::uint64_t, VaultReply& reply) {
      auto& ciphertext = *reply.mutable_records(reply.records_size() - 1)->mutable_ciphertext();
      ciphertext[40] ^= 1;
    });
    EXPECT_OUTCOME(ReadAll(*device, vault), Code::kDecrypt);
    const json verdict = TheOne(*device);
    ExpectWord(verdict, "record_changed", "E_DECRYPT");
    EXPECT_EQ(verdict["vault"], Hex(vault));
    liar().BeHonest();
  }
  const auto device = FreshDevice("kc1");
  Show(vault,
       [](std::uint64_t, VaultReply& reply) { (*reply.mutable_boxes(0)->mutable_box())[40] ^= 1; });
  EXPECT_OUTCOME(ReadAll(*device, vault), Code::kKeyMismatch);
  ExpectWord(TheOne(*device), "vek_box_changed", "E_KEY_MISMATCH");
  liar().BeHonest();

  const auto member = FreshDevice("kc1");
  liar().RewriteReply([](const wire::FetchPukBoxesRequest&, wire::FetchPukBoxesResponse& reply) {
    (*reply.mutable_boxes(0)->mutable_box())[40] ^= 1;
  });
  EXPECT_OUTCOME(OutcomeOf(member->Sync()), Code::kKeyMismatch);
  ExpectWord(TheOne(*member), "puk_box_changed", "E_KEY_MISMATCH");
}

TEST_F(Evidence, ListedBytesThatDoNotOpenNameTheirAuthor) {
  const auto vault = MakeCase();
  auto view = Fetched(Of("cw01"), vault);
  // A record that is sealed under another key.
  const auto other = Must(protocol::Vek::Random());
  const auto sealed = Seal(Of("cw01"), view.state(), crypto::RandomId<base::RecordId>(), other);
  const Bytes entry = NextEntry(Of("cw01"), view.state(), sealed.rev);
  const auto reader = FreshDevice("kc1");
  Show(vault, [&](std::uint64_t, VaultReply& reply) {
    reply.add_entries(Text(entry));
    auto& content = *reply.add_records();
    content.set_record(Text(sealed.rev.record.bytes()));
    content.set_rver(1);
    content.set_salt(Text(sealed.salt));
    content.set_ciphertext(Text(sealed.ciphertext));
  });
  EXPECT_OUTCOME(ReadAll(*reader, vault), Code::kDecrypt);
  const json record = TheOne(*reader);
  ExpectWord(record, "record_closed", "E_DECRYPT", &Of("cw01"));
  EXPECT_EQ(record["seq"], view.state().size());
  liar().BeHonest();

  // An EPOCH whose boxes, and one whose wrap, hold another key than it commits to.
  const auto& roster = Of("cw01").roster();
  const auto rekeyed = [&](const protocol::Vek& key) {
    return Must(protocol::MakeEpoch(key, vault, 2, view.state().epoch().list, {}, roster,
                                    roster.head_seq(), {{1, &other}}));
  };
  const auto key = Must(protocol::Vek::Random());
  const auto good = rekeyed(key);
  auto bad = rekeyed(Must(protocol::Vek::Random()));
  bad.payload.commitment = good.payload.commitment;
  const auto kc1 = Of("kc1").member();
  const auto show = [&](const protocol::NewEpoch& epoch, bool with_first_box) {
    const Bytes signed_epoch = NextEntry(Of("cw01"), view.state(), epoch.payload);
    Show(vault, [=](std::uint64_t, VaultReply& reply) {
      if (!with_first_box) reply.clear_boxes();
      reply.add_entries(Text(signed_epoch));
      auto& box = *reply.add_boxes();
      box.set_epoch(2);
      box.set_box(Text(epoch.boxes.at(kc1)));
    });
  };
  const auto boxed = FreshDevice("kc1");
  show(bad, true);
  EXPECT_EQ(Fetched(*boxed, vault).KeyOf(2).error().code(), Code::kKeyMismatch);
  ExpectWord(TheOne(*boxed), "vek_box_closed", "E_KEY_MISMATCH", &Of("cw01"));
  liar().BeHonest();
  const auto wrapped = FreshDevice("kc1");
  show(good, false);
  EXPECT_EQ(Fetched(*wrapped, vault).KeyOf(1).error().code(), Code::kKeyMismatch);
  ExpectWord(TheOne(*wrapped), "wrap_closed", "E_KEY_MISMATCH", &Of("cw01"));
}

// One device of a member gives another a box of a PUK that is not the listed one.
TEST_F(Evidence, AListedBoxOfAPukThatDoesNotOpenNamesItsAuthor) {
  const auto author = FreshDevice("kc2");
  Require(author->Sync());
  const auto puk = Must(protocol::Puk::Random());
  const auto other = Must(protocol::Puk::Random());
  const std::uint32_t gen =
      author->roster().PukAt(author->member(), author->roster().head_seq())->gen + 1;
  protocol::PukRotate rotate;
  rotate.member = author->member();
  rotate.gen = gen;
  rotate.kems = {{protocol::kAlgX25519, Must(protocol::PukKem(puk)).public_key}};
  const auto box = Must(protocol::SealPuk(other, author->id(), author->member(), gen,
                                          author->device().id(), author->device().keys().kems));
  rotate.box_hashes[author->device().id()] = base::Sha256Hash(crypto::Sha256(box));
  Must(author->Author(rotate, {{author->device().id(), box}}));
  const auto device = FreshDevice("kc2");
  Require(device->Sync());
  ExpectWord(TheOne(*device), "puk_box_closed", "E_KEY_MISMATCH", author.get());
  // And a new one was made.
  EXPECT_EQ(device->roster().PukAt(device->member(), device->roster().head_seq())->gen, gen + 1);
}

// A later Godwit seals in a suite that this one verifies and cannot open: whoever is behind is told
// to update, and nobody is accused.
TEST_F(Evidence, WhatALaterGodwitSealsAccusesNobody) {
  const auto in_suite_2 = [](auto& header) { header.suite = protocol::kSuite2; };
  const auto vault = MakeCase();
  auto view = Fetched(Of("cw01"), vault);
  const auto& roster = Of("cw01").roster();
  const auto made =
      Must(protocol::MakeEpoch(Must(protocol::Vek::Random()), vault, 2, view.state().epoch().list,
                               {}, roster, roster.head_seq()));
  const Bytes epoch = NextEntry(Of("cw01"), view.state(), made.payload, in_suite_2);
  Show(vault, [&](std::uint64_t, VaultReply& reply) {
    reply.add_entries(Text(epoch));
    auto& second = *reply.add_boxes();
    second.set_epoch(2);
    second.set_box(Text(made.boxes.at(Of("kc1").member())));
  });
  const auto reader = FreshDevice("kc1");
  auto fetched = Fetched(*reader, vault);
  EXPECT_EQ(fetched.KeyOf(2).error().code(), Code::kUnsupported);
  EXPECT_TRUE(fetched.KeyOf(1));
  // Nor is its key replaced by one of this Godwit's.
  EXPECT_OUTCOME(WriteNote(*reader, vault), Code::kUnsupported);
  EXPECT_TRUE(EvidenceFiles(*reader).empty());
  liar().BeHonest();

  const std::string create = Text(Must(Of("cw01").store().Load(vault))->entries.front());
  liar().RewriteReply([&](const wire::FetchBoardRequest&, wire::FetchBoardResponse& reply) {
    for (auto& row : *reply.mutable_rows()) {
      if (row.create() != create) continue;
      row.add_epochs(Text(epoch));
      row.set_head(Text(epoch));
      row.set_box(Text(made.boxes.at(Of("kc1").member())));
    }
  });
  EXPECT_OUTCOME(OutcomeOf(SyncPinnedRows(*reader, protocol::Kind::kCase)), Code::kUnsupported);
  EXPECT_TRUE(EvidenceFiles(*reader).empty());
  liar().BeHonest();

  const auto author = FreshDevice("kc2");
  Require(author->Sync());
  const auto puk = Must(protocol::Puk::Random());
  protocol::PukRotate rotate;
  rotate.member = author->member();
  rotate.gen = author->roster().PukAt(author->member(), author->roster().head_seq())->gen + 1;
  rotate.kems = {{protocol::kAlgX25519, Must(protocol::PukKem(puk)).public_key}};
  const auto puk_box = Must(protocol::SealPuk(puk, author->id(), author->member(), rotate.gen,
                                              author->device().id(), author->device().keys().kems));
  rotate.box_hashes[author->device().id()] = base::Sha256Hash(crypto::Sha256(puk_box));
  const Bytes statement = NextStatement(*author, rotate, in_suite_2);
  liar().RewriteReply([&](const wire::FetchRosterRequest&, wire::FetchRosterResponse& reply) {
    reply.add_statements(Text(statement));
  });
  liar().RewriteReply([&](const wire::FetchPukBoxesRequest&, wire::FetchPukBoxesResponse& reply) {
    auto& newest = *reply.add_boxes();
    newest.set_gen(rotate.gen);
    newest.set_box(Text(puk_box));
  });
  const auto member = FreshDevice("kc2");
  EXPECT_OUTCOME(OutcomeOf(member->Sync()), Code::kUnsupported);
  EXPECT_TRUE(EvidenceFiles(*member).empty());
}

// A board's rows hold no chain.
TEST_F(Evidence, ARowKeepsWhatItWasMadeOf) {
  const auto vault = MakeCase();
  Require(Of("cw02").Sync());
  auto view = Fetched(Of("cw01"), vault);
  const auto sealed = Seal(Of("cw02"), view.state(), view.state().pinned_record(),
                           *Must(view.KeyOf(view.state().epoch().number)));
  const Bytes pinned = NextEntry(Of("cw02"), view.state(), sealed.rev);
  const std::string create = Text(Must(Of("cw01").store().Load(vault))->entries.front());
  const auto on_board = [&](std::function<void(wire::BoardRow&)> change) {
    liar().BeHonest();
    liar().RewriteReply(
        [&, change](const wire::FetchBoardRequest&, wire::FetchBoardResponse& reply) {
          for (auto& row : *reply.mutable_rows()) {
            if (row.create() == create) change(row);
          }
        });
    const auto device = FreshDevice("kc1");
    EXPECT_FALSE(SyncPinnedRows(*device, protocol::Kind::kCase));
    return TheOne(*device);
  };
  const json forged = on_board([&](wire::BoardRow& row) {
    row.set_pinned(Text(pinned));
    row.set_head(Text(pinned));
  });
  ExpectProved(forged, "row_refused", "E_ENTRY_INVALID", Of("cw02"));
  EXPECT_EQ(forged["vault"], Hex(vault));
  ExpectWord(on_board([](wire::BoardRow& row) { (*row.mutable_box())[40] ^= 1; }),
             "vek_box_changed", "E_KEY_MISMATCH");
  ExpectWord(on_board([](wire::BoardRow& row) { (*row.mutable_ciphertext())[40] ^= 1; }),
             "record_changed", "E_DECRYPT");
  ExpectWord(on_board([](wire::BoardRow& row) { row.clear_epochs(); }), "row_refused",
             "E_ENTRY_INVALID");
}

// An honest service has none for a member of a vault that was erased and is written to still.
TEST_F(Evidence, ARowWithoutABoxAccusesNobody) {
  const auto vault = MakeCase();
  const auto other = MakeCase();
  const std::string create = Text(Must(Of("cw01").store().Load(vault))->entries.front());
  liar().RewriteReply([&](const wire::FetchBoardRequest&, wire::FetchBoardResponse& reply) {
    for (auto& row : *reply.mutable_rows()) {
      if (row.create() == create) row.clear_box();
    }
  });
  const auto device = FreshDevice("kc1");
  const auto rows_of = [&](const base::VaultId& id) {
    return std::ranges::count(Must(ReadPinnedRows(*device, protocol::Kind::kCase)), id,
                              &PinnedRow::vault);
  };
  EXPECT_OUTCOME(OutcomeOf(SyncPinnedRows(*device, protocol::Kind::kCase)), Code::kNotFound);
  EXPECT_EQ(rows_of(vault), 0);
  EXPECT_EQ(rows_of(other), 1);
  EXPECT_TRUE(EvidenceFiles(*device).empty());
  liar().BeHonest();
  EXPECT_OUTCOME(OutcomeOf(SyncPinnedRows(*device, protocol::Kind::kCase)), kWell);
  EXPECT_EQ(rows_of(vault), 1);
}

}  // namespace
}  // namespace godwit::client
