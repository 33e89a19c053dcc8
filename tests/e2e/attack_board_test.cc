// A server that lies about a board: rows that are read cold.
#include <algorithm>

#include "base/clock.h"
#include "client/pinned_rows.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "protocol/ce.h"
#include "protocol/epoch_keys.h"
#include "tests/e2e/attack_fixture.h"

namespace godwit::client {
namespace {

using protocol::Kind;
using Row = wire::BoardRow;

// Which row of a reply is the vault's.
bool IsOf(const Row& row, const base::VaultId& vault) {
  const Bytes create = BytesOf(row.create());
  const auto raw = protocol::ReadEntry(create);
  return raw && protocol::VaultIdOf(raw->body) == vault;
}

Outcome ReadBoard(Realm& device) { return OutcomeOf(SyncPinnedRows(device, Kind::kCase)); }

std::optional<PinnedRow> RowOf(Realm& device, const base::VaultId& vault) {
  const auto rows = Must(ReadPinnedRows(device, Kind::kCase));
  const auto found = std::ranges::find(rows, vault, &PinnedRow::vault);
  return found == rows.end() ? std::nullopt : std::optional(*found);
}

class Board {
 public:
  Board(support::LyingServer& liar, const base::VaultId& vault) : liar_(liar), vault_(vault) {}

  // What an honest server shows of the vault now.
  Row Honest(Realm& device) {
    Row honest;
    liar_.RewriteReply([&](const wire::FetchBoardRequest&, wire::FetchBoardResponse& reply) {
      for (const Row& row : reply.rows()) {
        if (IsOf(row, vault_)) honest = row;
      }
    });
    EXPECT_OUTCOME(ReadBoard(device), kWell);
    liar_.BeHonest();
    return honest;
  }

  // From now on the vault's row is this one.
  void Show(const Row& row) {
    liar_.RewriteReply(
        [this, row](const wire::FetchBoardRequest&, wire::FetchBoardResponse& reply) {
          const std::string cursor = reply.cursor();
          wire::FetchBoardResponse shown;
          for (const Row& each : reply.rows()) {
            if (!IsOf(each, vault_)) *shown.add_rows() = each;
          }
          *shown.add_rows() = row;
          shown.set_cursor(cursor);
          reply = shown;
        });
  }

 private:
  support::LyingServer& liar_;
  const base::VaultId vault_;
};

// A new summary by cw01.
void Renew(Realm& author, const base::VaultId& vault, const std::string& code) {
  Must(WriteVault(author, vault, [&](VaultView& view) {
    Edit edit;
    edit.record = view.state().pinned_record();
    edit.content.mutable_summary()->set_code(code);
    return base::Result<std::vector<Edit>>(std::vector<Edit>{edit});
  }));
}

TEST_F(Attack, Row58_NoForgedRowIsShownColdOrWarm) {
  const auto vault = MakeCase();
  const auto other_vault = MakeCase();
  Board board(liar(), vault);
  Realm& outsider = Of("kc2");
  const auto servers_key = Must(crypto::SigningKey::FromSeed(support::RandomKey()));
  const Row other = Board(liar(), other_vault).Honest(*FreshDevice("kc1"));
  const auto state = [&] {
    Require(Of("cw01").Sync());
    return Must(VaultView::Fetch(Of("cw01"), vault)).state();
  };
  const auto key = protocol::Vek::Random();
  // A coordinator who was never in the vault, with the server.
  const auto pinned = [&](Row& row, Realm& author, const crypto::SigningKey* signer) {
    Require(author.Sync());
    const auto now = state();
    const auto sealed = Seal(author, now, now.pinned_record(), *key);
    Bytes entry = NextEntry(author, now, sealed.rev);
    if (signer != nullptr) {
      entry = protocol::SignEntry(Must(protocol::ReadEntry(entry)).header, sealed.rev, *signer);
    }
    row.set_pinned(Text(entry));
    row.set_head(Text(entry));
    row.set_salt(Text(sealed.salt));
    row.set_ciphertext(Text(sealed.ciphertext));
  };
  const auto epoch = [&](Row& row, Realm& author) {
    Require(author.Sync());
    const auto now = state();
    auto list = now.epoch().list;
    list[author.member()] = {protocol::kFull, 1};
    const auto& roster = author.roster();
    list = protocol::Want(list, Kind::kCase, roster, roster.head_seq());
    const auto made = Must(protocol::MakeEpoch(*key, vault, now.epoch().number + 1, list, {},
                                               roster, roster.head_seq()));
    const Bytes entry = NextEntry(author, now, made.payload);
    row.add_epochs(Text(entry));
    row.set_head(Text(entry));
    row.set_box(Text(made.boxes.at(Of("kc1").member())));
  };
  const struct {
    const char* name;
    std::function<void(Row&)> forge;
    Code want;
  } rows[] = {
      {"REV by an outsider", [&](Row& row) { pinned(row, outsider, nullptr); },
       Code::kEntryInvalid},
      {"REV by the server", [&](Row& row) { pinned(row, Of("cw01"), &servers_key); }, Code::kSig},
      {"EPOCH by an outsider", [&](Row& row) { epoch(row, outsider); }, Code::kEntryInvalid},
      {"EPOCH and REV by an outsider",
       [&](Row& row) {
         epoch(row, outsider);
         pinned(row, outsider, nullptr);
       },
       Code::kEntryInvalid},
      {"head by an outsider",
       [&](Row& row) {
         const auto now = state();
         const auto sealed = Seal(outsider, now, protocol::PinnedRecordOf(other_vault), *key);
         row.set_head(Text(NextEntry(outsider, now, sealed.rev)));
       },
       Code::kEntryInvalid},
      {"head of another vault", [&](Row& row) { row.set_head(other.head()); }, Code::kEntryInvalid},
      {"no EPOCH", [](Row& row) { row.clear_epochs(); }, Code::kEntryInvalid},
      {"no CREATE", [](Row& row) { row.clear_create(); }, Code::kSig},
      // Of which the honest chain has all but one signature.
      {"CREATE signed anew", [](Row& row) { row.mutable_create()->back() ^= 1; }, Code::kSig},
      {"EPOCH signed anew", [](Row& row) { row.mutable_epochs(0)->back() ^= 1; }, Code::kSig},
      {"head signed anew", [](Row& row) { row.mutable_head()->back() ^= 1; }, Code::kSig},
      {"no head", [](Row& row) { row.clear_head(); }, Code::kSig},
      {"pinned of another vault", [&](Row& row) { row.set_pinned(other.pinned()); },
       Code::kEntryInvalid},
      {"box of another vault", [&](Row& row) { row.set_box(other.box()); }, Code::kKeyMismatch},
      {"ciphertext of another vault",
       [&](Row& row) {
         row.set_salt(other.salt());
         row.set_ciphertext(other.ciphertext());
       },
       Code::kDecrypt},
      {"no ciphertext", [](Row& row) { row.clear_ciphertext(); }, Code::kDecrypt},
  };
  for (const auto& row : rows) {
    for (const Memory memory : kBoth) {
      SCOPED_TRACE(std::string(row.name) + ", " + NameOf(memory));
      const auto device = FreshDevice("kc1");
      if (memory == Memory::kKnown) {
        EXPECT_OUTCOME(ReadBoard(*device), kWell);
      }
      Renew(Of("cw01"), vault, "renewed");
      Row forged = board.Honest(*FreshDevice("kc1"));
      row.forge(forged);
      const auto before = RowOf(*device, vault);
      board.Show(forged);
      liar().ForgetCalls();
      EXPECT_OUTCOME(ReadBoard(*device), row.want);
      EXPECT_EQ(Uploads(), 0u);
      // What was known stays as it was; of the lie nothing is shown, and all of it is evidence.
      const auto after = RowOf(*device, vault);
      EXPECT_EQ(before.has_value(), after.has_value());
      if (before && after) {
        EXPECT_EQ(before->head, after->head);
      }
      const auto evidence = Must(device->store().KeptEvidence());
      ASSERT_EQ(evidence.size(), 1u);
      EXPECT_EQ(Text(evidence[0].piece.entries.back()), forged.head());
      // What the outsider signed convicts the outsider; all else names the server.
      const auto judged = Judged(*device);
      ASSERT_EQ(judged.size(), 1u);
      EXPECT_EQ(judged[0].finding.code(), row.want);
      const bool by_outsider = std::string_view(row.name).find("outsider") != std::string::npos;
      EXPECT_EQ(judged[0].proved, by_outsider);
      ASSERT_EQ(judged[0].author.has_value(), by_outsider);
      if (by_outsider) {
        EXPECT_EQ(judged[0].author->member, outsider.member());
      }
      // The other rows of the same reply are good.
      EXPECT_TRUE(RowOf(*device, other_vault));
      liar().BeHonest();
      EXPECT_OUTCOME(ReadBoard(*device), kWell);
      EXPECT_EQ(RowOf(*device, vault)->record.summary().code(), "renewed");
    }
  }
}

TEST_F(Attack, Row58_NoOlderOrOtherRowThanWasSeenIsShown) {
  const auto vault = MakeCase();
  Board board(liar(), vault);
  const Row old_row = board.Honest(*FreshDevice("kc1"));
  // Somebody signs two things in one place.
  Require(Of("cw01").Sync());
  auto view = Must(VaultView::Fetch(Of("cw01"), vault));
  const auto& vek = *Must(view.KeyOf(1));
  const auto sealed = Seal(Of("cw01"), view.state(), view.state().pinned_record(), vek);
  Row sibling = old_row;
  sibling.set_pinned(Text(NextEntry(Of("cw01"), view.state(), sealed.rev)));
  sibling.set_head(sibling.pinned());
  sibling.set_salt(Text(sealed.salt));
  sibling.set_ciphertext(Text(sealed.ciphertext));
  Renew(Of("cw01"), vault, "renewed");

  // By the board, or by the whole vault.
  for (const bool whole : {false, true}) {
    SCOPED_TRACE(whole ? "the vault was read whole" : "the board was read");
    for (const auto& [row, want] : {std::pair(old_row, Code::kRollback), {sibling, Code::kFork}}) {
      const auto device = FreshDevice("kc1");
      EXPECT_OUTCOME(whole ? ReadAll(*device, vault) : ReadBoard(*device), kWell);
      board.Show(row);
      EXPECT_OUTCOME(ReadBoard(*device), want);
      ASSERT_EQ(Judged(*device).size(), 1u);
      EXPECT_EQ(Judged(*device)[0].claim, protocol::Claim::kOtherRow);
      EXPECT_EQ(Judged(*device)[0].finding.code(), want);
      liar().BeHonest();
      EXPECT_OUTCOME(ReadBoard(*device), kWell);
      EXPECT_EQ(RowOf(*device, vault)->record.summary().code(), "renewed");
    }
  }
}

// What no cold reading takes: `author` and a colleague let the vault be erased one day, and then
// `author` takes `guard` out of its list.
void DropGuard(const base::VaultId& vault, Realm& author, Realm& colleague, Realm& guard) {
  const auto day = static_cast<std::uint32_t>(base::SystemClock().NowMs() / 86'400'000) + 40;
  using Choice = std::optional<protocol::EntryPayload>;
  const auto write = [&](Realm& by, const protocol::EntryPayload& payload) {
    const auto view =
        Must(WriteEntry(by, vault, [&](VaultView&) { return base::Result(Choice(payload)); }));
    return view.state().head();
  };
  const base::Link state = write(author, protocol::State{0, 0, day});
  write(colleague, protocol::Assent{state, protocol::Assent::kYes});
  Must(WriteVault(
      author, vault, [](VaultView&) { return base::Result(std::vector<Edit>()); },
      [&](const protocol::MemberList& list) {
        std::map<base::MemberId, protocol::Perm> members;
        for (const auto& [member, row] : list) {
          if (member != guard.member()) members[member] = row.perm;
        }
        return members;
      }));
}

TEST_F(Attack, Row58_WhatOnlyAnEraseDayMakesRightIsShownFromItsChainWithoutAlarm) {
  for (const Memory memory : kBoth) {
    SCOPED_TRACE(NameOf(memory));
    const auto vault = MakeCase();
    Board board(liar(), vault);
    const auto device = FreshDevice("sv1");
    if (memory == Memory::kKnown) {
      EXPECT_OUTCOME(ReadBoard(*device), kWell);
    }
    DropGuard(vault, Of("cw01"), Of("sv1"), Of("kc1"));
    EXPECT_OUTCOME(ReadBoard(*device), kWell);
    EXPECT_TRUE(Must(device->store().KeptEvidence()).empty());
    ASSERT_TRUE(RowOf(*device, vault));
    EXPECT_TRUE(RowOf(*device, vault)->fully_checked);
    EXPECT_EQ(RowOf(*device, vault)->record.summary().code(), "invented");
    Renew(Of("cw01"), vault, "renewed");
    const Row honest = board.Honest(*device);
    EXPECT_EQ(RowOf(*device, vault)->record.summary().code(), "renewed");
    EXPECT_EQ(RowOf(*device, vault)->head, protocol::EntryLink(BytesOf(honest.head())));
    // What was fetched whole needs no second look.
    board.Show(honest);
    liar().ForgetCalls();
    EXPECT_OUTCOME(ReadBoard(*device), kWell);
    EXPECT_EQ(liar().CallsOf("FetchVault"), 0u);
    EXPECT_TRUE(Must(device->store().KeptEvidence()).empty());
    liar().BeHonest();

    // The chain makes right what it has in the same places, and nothing else.
    Renew(Of("cw01"), vault, "renewed again");
    const Row newer = board.Honest(*FreshDevice("sv1"));
    Row older_summary = newer;
    older_summary.set_pinned(honest.pinned());
    Row other_head = newer;
    const auto now = Truth(Of("cw01"), vault).state();
    const auto sealed =
        Seal(Of("kc1"), now, crypto::RandomId<base::RecordId>(), Truth(Of("cw01"), vault).key());
    other_head.set_head(Text(NextEntry(Of("kc1"), now, sealed.rev)));
    for (const auto& [name, forged] :
         {std::pair("an older summary", older_summary), {"a head by the guard", other_head}}) {
      SCOPED_TRACE(name);
      const auto fooled = FreshDevice("sv1");
      if (memory == Memory::kKnown) {
        EXPECT_OUTCOME(ReadAll(*fooled, vault), kWell);
      }
      board.Show(forged);
      EXPECT_OUTCOME(ReadBoard(*fooled), Code::kEntryInvalid);
      EXPECT_FALSE(RowOf(*fooled, vault));
      const auto evidence = Must(fooled->store().KeptEvidence());
      ASSERT_EQ(evidence.size(), 1u);
      EXPECT_EQ(evidence[0].piece.claim, protocol::Claim::kRow);
      EXPECT_EQ(Text(evidence[0].piece.entries.back()), forged.head());
      liar().BeHonest();
    }
    // A row of which the service shows no chain is a lie as it stands.
    liar().RewriteReply(
        [](const wire::FetchVaultRequest&, wire::FetchVaultResponse& reply) { reply.Clear(); });
    const auto fooled = FreshDevice("sv1");
    EXPECT_OUTCOME(ReadBoard(*fooled), Code::kEntryInvalid);
    EXPECT_FALSE(RowOf(*fooled, vault));
    EXPECT_FALSE(Must(fooled->store().KeptEvidence()).empty());
    liar().BeHonest();
  }
}

TEST_F(Attack, Row58_ARowThatDoesNotOpenIsNotShown) {
  const auto vault = MakeCase();
  Board board(liar(), vault);
  const Row honest = board.Honest(*FreshDevice("kc1"));
  Realm& author = Of("cw01");
  const auto now = Truth(author, vault).state();
  const auto key = Must(protocol::Vek::Random());
  const auto other = Must(protocol::Vek::Random());
  // A new EPOCH by an author of the vault that hands on `older`.
  const auto rekeyed = [&](const std::map<std::uint32_t, const protocol::Vek*>& older) {
    const auto& roster = author.roster();
    const auto made = Must(
        protocol::MakeEpoch(key, vault, 2, now.epoch().list, {}, roster, roster.head_seq(), older));
    Row row = honest;
    row.set_head(Text(NextEntry(author, now, made.payload)));
    row.add_epochs(row.head());
    row.set_box(Text(made.boxes.at(Of("kc1").member())));
    return row;
  };
  const struct {
    const char* name;
    const char* reader;
    Row row;
    Code want;
    std::optional<protocol::Claim> claim;
  } rows[] = {
      {"to somebody who is not listed", "kc2", honest, Code::kNotFound, {}},
      {"under a key that leads to no older one", "kc1", rekeyed({}), Code::kNotFound, {}},
      {"under a key that leads to another", "kc1", rekeyed({{1, &other}}), Code::kKeyMismatch,
       protocol::Claim::kWrapClosed},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto device = FreshDevice(row.reader);
    board.Show(row.row);
    EXPECT_OUTCOME(ReadBoard(*device), row.want);
    EXPECT_FALSE(RowOf(*device, vault));
    const auto evidence = Must(device->store().KeptEvidence());
    ASSERT_EQ(evidence.size(), row.claim ? 1u : 0u);
    if (row.claim) {
      EXPECT_EQ(evidence[0].piece.claim, *row.claim);
    }
    liar().BeHonest();
    EXPECT_OUTCOME(ReadBoard(*device), kWell);
  }

  // A key of this member's before, which the newest does not lead to, and whose box is withheld.
  const auto reader = FreshDevice("sv1");
  const Row to_reader = board.Honest(*reader);
  const auto puk = Must(protocol::Puk::Random());
  const auto& keys = reader->device().keys();
  protocol::PukRotate rotate;
  rotate.member = reader->member();
  rotate.gen = reader->roster().PukAt(rotate.member, reader->roster().head_seq())->gen + 1;
  rotate.kems = {{protocol::kAlgX25519, Must(protocol::PukKem(puk)).public_key}};
  const auto box = Must(protocol::SealPuk(puk, reader->id(), rotate.member, rotate.gen,
                                          reader->device().id(), keys.kems));
  rotate.box_hashes[reader->device().id()] = base::Sha256Hash(crypto::Sha256(box));
  Must(reader->Author(rotate, {{reader->device().id(), box}}));
  const auto device = FreshDevice("sv1");
  liar().RewriteReply([](const wire::FetchPukBoxesRequest&, wire::FetchPukBoxesResponse& reply) {
    while (reply.boxes_size() > 1) {
      const bool first = reply.boxes(0).gen() < reply.boxes(1).gen();
      reply.mutable_boxes()->DeleteSubrange(first ? 0 : 1, 1);
    }
  });
  board.Show(to_reader);
  Require(device->Sync());
  EXPECT_OUTCOME(ReadBoard(*device), Code::kNotFound);
  EXPECT_FALSE(RowOf(*device, vault));
  EXPECT_TRUE(Must(device->store().KeptEvidence()).empty());
  liar().BeHonest();
  const auto other_device = FreshDevice("sv1");
  EXPECT_OUTCOME(ReadBoard(*other_device), kWell);
  EXPECT_TRUE(RowOf(*other_device, vault));
}

TEST_F(Attack, Row58_NothingOfABoardIsKeptWhereTheServiceLiesBesides) {
  const auto vault = MakeCase();
  const auto other_vault = MakeCase();
  const auto lie_of_roster = [](std::size_t hidden) {
    liar().RewriteReply(
        [hidden](const wire::FetchRosterRequest&, wire::FetchRosterResponse& reply) {
          for (std::size_t i = 0; i < hidden; ++i) reply.mutable_statements()->RemoveLast();
          if (hidden == 0) reply.add_statements("no statement");
        });
  };
  Board board(liar(), vault);
  {
    SCOPED_TRACE("the roster before");
    const auto device = FreshDevice("kc1");
    Require(device->Sync());
    lie_of_roster(0);
    EXPECT_OUTCOME(ReadBoard(*device), Code::kSig);
    EXPECT_FALSE(RowOf(*device, vault));
    liar().BeHonest();
  }
  {
    SCOPED_TRACE("the roster that a row cites");
    Realm& owner = Of("founder");
    Require(owner.Sync());
    auto policy = owner.roster().policy();
    ++policy.gen;
    Must(owner.Author(protocol::PolicySet{policy}));
    Require(Of("cw01").Sync());
    Renew(Of("cw01"), vault, "renewed");
    const auto device = FreshDevice("kc1");
    lie_of_roster(1);
    liar().RewriteReply([&](const wire::FetchBoardRequest&, wire::FetchBoardResponse&) {
      liar().BeHonest();
      lie_of_roster(0);
    });
    liar().ForgetCalls();
    EXPECT_OUTCOME(ReadBoard(*device), Code::kSig);
    EXPECT_EQ(liar().CallsOf("FetchVault"), 0u) << "no chain makes a row right before its roster";
    EXPECT_FALSE(RowOf(*device, vault));
    EXPECT_FALSE(RowOf(*device, other_vault));
    liar().BeHonest();
    EXPECT_OUTCOME(ReadBoard(*device), kWell);
  }
  // Where the chain is asked, and is no better.
  Row forged = board.Honest(*FreshDevice("kc1"));
  forged.clear_epochs();
  {
    SCOPED_TRACE("the chain");
    const auto device = FreshDevice("kc1");
    board.Show(forged);
    liar().RewriteReply([](const wire::FetchVaultRequest&, wire::FetchVaultResponse& reply) {
      reply.add_entries("no entry");
    });
    EXPECT_OUTCOME(ReadBoard(*device), Code::kSig);
    EXPECT_FALSE(RowOf(*device, vault));
    ASSERT_EQ(Judged(*device).size(), 1u);
    EXPECT_EQ(Judged(*device)[0].claim, protocol::Claim::kEntry) << "of the chain, not the row";
    liar().BeHonest();
  }
  {
    SCOPED_TRACE("its contents");
    DropGuard(vault, Of("cw01"), Of("sv1"), Of("kc1"));
    const auto device = FreshDevice("sv1");
    liar().RewriteReply([](const wire::FetchVaultRequest&, wire::FetchVaultResponse& reply) {
      reply.clear_records();
    });
    EXPECT_OUTCOME(ReadBoard(*device), Code::kNotFound);
    EXPECT_FALSE(RowOf(*device, vault));
    EXPECT_TRUE(Must(device->store().KeptEvidence()).empty());
    liar().BeHonest();
  }
}

TEST_F(Attack, Row58_NoVaultOfAnotherKindThanWasAskedForIsShown) {
  const auto vault = MakeCase();
  const auto by_chain = MakeCase();
  DropGuard(by_chain, Of("cw01"), Of("sv1"), Of("kc1"));
  for (const auto& [name, shown] : {std::pair("read cold", vault), {"by its chain", by_chain}}) {
    SCOPED_TRACE(name);
    const auto device = FreshDevice("sv1");
    liar().RewriteRequest([](wire::FetchBoardRequest& request) {
      request.set_kind(static_cast<std::uint32_t>(Kind::kCase));
    });
    liar().RewriteReply([&](const wire::FetchBoardRequest&, wire::FetchBoardResponse& reply) {
      const auto all = reply.rows();
      reply.clear_rows();
      std::ranges::copy_if(all, RepeatedFieldBackInserter(reply.mutable_rows()),
                           [&](const Row& row) { return IsOf(row, shown); });
      EXPECT_EQ(reply.rows_size(), 1);
    });
    EXPECT_OUTCOME(OutcomeOf(SyncPinnedRows(*device, Kind::kSensitive)), Code::kEntryInvalid);
    EXPECT_TRUE(Must(ReadPinnedRows(*device, Kind::kSensitive)).empty());
    EXPECT_TRUE(Must(device->store().KeptEvidence()).empty());
    liar().BeHonest();
    EXPECT_OUTCOME(OutcomeOf(SyncPinnedRows(*device, Kind::kSensitive)), kWell);
    EXPECT_OUTCOME(ReadBoard(*device), kWell);
    EXPECT_TRUE(RowOf(*device, shown));
  }
}

// Not the service's doing: what another program wrote into the store.
TEST_F(Attack, ARowOfTheOwnStoreThatIsNoneIsShownToNobody) {
  const auto vault = MakeCase();
  protocol::Writer no_record;
  no_record.U64(1).Fixed(base::Link()).U8(1).Var32(base::AsBytes("\xff"));
  for (const auto& [bytes, want] :
       {std::pair(BytesOf("no row"), Code::kStateLost), {no_record.Take(), Code::kDecrypt}}) {
    const auto device = FreshDevice("kc1");
    Require(device->store().PutRows(Kind::kCase, {{vault, bytes}}, {}));
    const auto rows = ReadPinnedRows(*device, Kind::kCase);
    ASSERT_FALSE(rows);
    EXPECT_OUTCOME(rows.error().code(), want);
    EXPECT_OUTCOME(ReadBoard(*device), want);
  }
}

TEST_F(Attack, Row58_ManyForgedRowsMakeNobodyFetchManyVaults) {
  const auto vault = MakeCase();
  Row forged = Board(liar(), vault).Honest(*FreshDevice("kc1"));
  forged.clear_head();
  liar().RewriteReply([&](const wire::FetchBoardRequest&, wire::FetchBoardResponse& reply) {
    for (int i = 0; i < 100; ++i) *reply.add_rows() = forged;
  });
  const auto device = FreshDevice("kc1");
  liar().ForgetCalls();
  EXPECT_OUTCOME(ReadBoard(*device), Code::kSig);
  EXPECT_EQ(liar().CallsOf("FetchVault"), 16u);
  EXPECT_FALSE(Must(device->store().KeptEvidence()).empty());
}

}  // namespace
}  // namespace godwit::client
