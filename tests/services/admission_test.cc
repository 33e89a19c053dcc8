#include "services/realm/admission.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>
#include <utility>

#include "protocol/entry.h"
#include "tests/services/fixture.h"

namespace godwit::realm {
namespace {

using protocol::Compartment;
using protocol::kFull;
using protocol::Kind;
using protocol::kReadWrite;
using support::Founder;
using support::Must;
using support::Person;
using support::TestRealm;
using support::TestVault;

// A case vault of a caseworker and a coordinator, not sent yet, and people who are not in it.
class Admission : public testing::Test {
 protected:
  explicit Admission(EngineConfig config = {})
      : caseworker_(realm_.Add(protocol::kCaseworker)),
        coordinator_(realm_.Add(protocol::kCoordinator)),
        stranger_(realm_.Add(protocol::kCoordinator)),
        to_(Compartment::kCases, config) {
    Sync(to_, realm_);
    vault_.emplace(realm_, Kind::kCase, caseworker_,
                   TestVault::Members{{&caseworker_, kFull}, {&coordinator_, kFull}});
  }

  std::string Send(const Person& person, const VaultUpload& upload) {
    return CodeOf(Append(to_.engine, CallerOf(person), upload));
  }
  // All of the vault that the engine has not, by the caseworker.
  void SendRest() {
    ASSERT_EQ(Send(caseworker_, UploadOf(*vault_, sent_)), "OK");
    sent_ = vault_->entries().size();
  }
  void ExpectRefused(const Person& person, const VaultUpload& upload, const std::string& code) {
    const std::string before = Contents(*to_.postgres);
    const auto status = Append(to_.engine, CallerOf(person), upload);
    EXPECT_EQ(CodeOf(status), code) << (status ? "" : status.error().message());
    EXPECT_EQ(Contents(*to_.postgres), before);
  }
  // A revision that was not written into the builder's own chain, and its entry.
  struct Draft {
    protocol::SealedRecord sealed;
    base::Bytes entry;
    EntryUpload Upload() const { return {entry, {}, sealed.salt, sealed.ciphertext}; }
  };
  Draft DraftOf(const Person& author, const base::RecordId& record, std::string_view text) {
    Draft draft{vault_->Revision(author, record, text), {}};
    draft.entry = vault_->Sign(author, draft.sealed.rev);
    return draft;
  }
  // The same with a changed payload or header.
  base::Bytes Bent(const Person& author, const protocol::EntryPayload& payload,
                   const std::function<void(protocol::EntryHeader&)>& bend) {
    auto header = vault_->Next(author);
    bend(header);
    return protocol::SignEntry(header, payload, author.device().signing_key());
  }

  TestRealm realm_{Compartment::kCases};
  Person& caseworker_;
  Person& coordinator_;
  Person& stranger_;
  TestEngine to_;
  std::optional<TestVault> vault_;
  std::size_t sent_ = 0;
};

TEST_F(Admission, KeepsAVaultWithAllThatGoesBesideIt) {
  vault_->WritePinned(caseworker_, "summary");
  SendRest();
  const auto read = FetchAll(to_.engine, CallerOf(coordinator_), vault_->vault().id());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->entries, vault_->entries());
  ASSERT_EQ(read->boxes.size(), 1u);
  EXPECT_EQ(read->boxes[0].box, vault_->box(1, coordinator_.id));
  ASSERT_EQ(read->records.size(), 1u);
  const auto& beside = vault_->Beside(protocol::EntryLink(vault_->entries().back()));
  EXPECT_EQ(base::ToBytes(read->records[0].salt->bytes()), beside.salt);
  EXPECT_EQ(read->records[0].ciphertext, beside.ciphertext);
  EXPECT_EQ(Number(*to_.postgres, "SELECT count(*) FROM leaf WHERE leaf_type = 2"), 3u);
  EXPECT_EQ(Number(*to_.postgres,
                   "SELECT count(*) FROM leaf WHERE leaf_type = 2 AND roster_seq <> "
                   "(SELECT head_seq FROM realm)"),
            0u);
}

TEST_F(Admission, TheSameBytesAgainAreAnsweredTheSame) {
  vault_->WritePinned(caseworker_, "summary");
  SendRest();
  const std::string before = Contents(*to_.postgres);
  EXPECT_EQ(Send(caseworker_, UploadOf(*vault_)), "OK");
  EXPECT_EQ(Send(caseworker_, UploadOf(*vault_, 2)), "OK");
  TestEngine replica(to_, {});
  EXPECT_EQ(CodeOf(Append(replica.engine, CallerOf(caseworker_), UploadOf(*vault_))), "OK");
  EXPECT_EQ(Contents(*to_.postgres), before);
  // Some of them with others that follow, as after a lost answer.
  vault_->Write(caseworker_, vault_->NewRecord(), "more");
  EXPECT_EQ(Send(caseworker_, UploadOf(*vault_, 1)), "OK");
}

TEST_F(Admission, OtherBytesAtAPlaceConflict) {
  SendRest();
  const Draft other = DraftOf(caseworker_, vault_->NewRecord(), "one");
  vault_->Write(caseworker_, vault_->NewRecord(), "two");
  SendRest();
  ExpectRefused(caseworker_, {{other.Upload()}}, "CONFLICT");
  Draft forged = other;
  forged.entry.back() ^= 1;
  ExpectRefused(caseworker_, {{forged.Upload()}}, "E_SIG");
}

TEST_F(Admission, CreateComesWithItsFirstEpoch) {
  VaultUpload alone = UploadOf(*vault_);
  alone.entries.resize(1);
  ExpectRefused(caseworker_, alone, "E_ENTRY_INVALID");
}

TEST_F(Admission, FirstEpochOfACaseListsAGuardWithAKey) {
  TestVault unguarded(realm_, Kind::kCase, caseworker_, {{&caseworker_, kFull}});
  ExpectRefused(caseworker_, UploadOf(unguarded), "INVALID_ARGUMENT");
  Person& keyless = realm_.AddWithoutPuk(protocol::kCoordinator);
  Sync(to_, realm_);
  TestVault locked(realm_, Kind::kCase, caseworker_, {{&caseworker_, kFull}, {&keyless, kFull}});
  ExpectRefused(caseworker_, UploadOf(locked), "INVALID_ARGUMENT");
  TestVault sensitive(realm_, Kind::kSensitive, caseworker_, {{&caseworker_, kFull}});
  EXPECT_EQ(Send(caseworker_, UploadOf(sensitive)), "OK");
}

TEST_F(Admission, AnEpochComesWithEveryListedBoxAndNoOther) {
  const VaultUpload good = UploadOf(*vault_);
  const base::Bytes garbage(80, 1);
  struct Row {
    const char* name;
    std::function<void(EntryUpload&)> bend;
  };
  const Row rows[] = {
      {"missing", [](EntryUpload& e) { e.boxes.pop_back(); }},
      {"none", [](EntryUpload& e) { e.boxes.clear(); }},
      {"swapped", [](EntryUpload& e) { std::swap(e.boxes[0].box, e.boxes[1].box); }},
      {"garbage", [&](EntryUpload& e) { e.boxes[0].box = garbage; }},
      {"two for one", [](EntryUpload& e) { e.boxes.push_back(e.boxes[0]); }},
      {"for a stranger",
       [&](EntryUpload& e) {
         e.boxes.push_back({stranger_.id, garbage});
       }},
      {"a salt", [&](EntryUpload& e) { e.salt = base::ByteSpan(garbage).first(32); }},
      {"a ciphertext", [&](EntryUpload& e) { e.ciphertext = garbage; }},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    VaultUpload bent = good;
    row.bend(bent.entries[1]);
    ExpectRefused(caseworker_, bent, "INVALID_ARGUMENT");
  }
  VaultUpload boxed = good;
  boxed.entries[0].boxes = good.entries[1].boxes;
  ExpectRefused(caseworker_, boxed, "INVALID_ARGUMENT");
  EXPECT_EQ(Send(caseworker_, good), "OK");
}

TEST_F(Admission, ARevisionComesWithItsSaltAndCiphertextAlone) {
  SendRest();
  const Draft draft = DraftOf(caseworker_, vault_->NewRecord(), "text");
  const EntryUpload good = draft.Upload();
  base::Bytes other_salt = draft.sealed.salt;
  other_salt[0] ^= 1;
  base::Bytes other_text = draft.sealed.ciphertext;
  other_text[0] ^= 1;
  const base::Bytes box(80);
  struct Row {
    const char* name;
    std::function<void(EntryUpload&)> bend;
  };
  const Row rows[] = {
      {"no salt", [](EntryUpload& e) { e.salt = {}; }},
      {"another salt", [&](EntryUpload& e) { e.salt = other_salt; }},
      {"no ciphertext", [](EntryUpload& e) { e.ciphertext = {}; }},
      {"another ciphertext", [&](EntryUpload& e) { e.ciphertext = other_text; }},
      {"a shorter one",
       [](EntryUpload& e) { e.ciphertext = e.ciphertext.first(e.ciphertext.size() - 1); }},
      {"a box",
       [&](EntryUpload& e) {
         e.boxes.push_back({caseworker_.id, box});
       }},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EntryUpload bent = good;
    row.bend(bent);
    ExpectRefused(caseworker_, {{bent}}, "INVALID_ARGUMENT");
  }
  EXPECT_EQ(Send(caseworker_, {{good}}), "OK");
}

TEST_F(Admission, RefusesAttachments) {
  SendRest();
  Draft draft = DraftOf(caseworker_, vault_->NewRecord(), "text");
  draft.sealed.rev.attachments[base::AttachmentId(std::array<std::uint8_t, 16>{1})] = {100, {}};
  draft.entry = vault_->Sign(caseworker_, draft.sealed.rev);
  ExpectRefused(caseworker_, {{draft.Upload()}}, "E_UNSUPPORTED");
}

TEST_F(Admission, AnEntryIsSentByItsAuthorAlone) {
  ExpectRefused(coordinator_, UploadOf(*vault_), "PERMISSION_DENIED");
  SendRest();
  // Nor does it tell whoever sends it again that it stands.
  ExpectRefused(coordinator_, UploadOf(*vault_), "PERMISSION_DENIED");
  const Draft draft = DraftOf(caseworker_, vault_->NewRecord(), "text");
  ExpectRefused(coordinator_, {{draft.Upload()}}, "PERMISSION_DENIED");
}

TEST_F(Admission, RoleIntakeSendsAnothersCreateAndNothingElseOfTheirs) {
  Person& first = realm_.Add(protocol::kIntake);
  Person& second = realm_.Add(protocol::kIntake);
  Sync(to_, realm_);
  const TestVault::Members members{{&second, protocol::kWrite}, {&coordinator_, kFull}};
  TestVault planned(realm_, Kind::kCase, first);
  const VaultUpload create = UploadOf(planned);
  auto rekeying = planned.RekeyingOf(planned.ListOf(members));
  const base::Bytes epoch = planned.Sign(second, rekeying.epoch.payload);
  VaultUpload upload = create;
  EntryUpload beside{epoch, {}, {}, {}};
  for (const auto& [member, box] : rekeying.epoch.boxes) beside.boxes.push_back({member, box});
  upload.entries.push_back(beside);
  ExpectRefused(first, upload, "PERMISSION_DENIED");
  EXPECT_EQ(Send(second, upload), "OK");
  // The one who planned it comes too late, and learns that it stands.
  auto late = planned.RekeyingOf(
      planned.ListOf(TestVault::Members{{&first, protocol::kWrite}, {&coordinator_, kFull}}));
  VaultUpload again = create;
  const base::Bytes other = planned.Sign(first, late.epoch.payload);
  again.entries.push_back({other, {}, {}, {}});
  ExpectRefused(first, again, "CONFLICT");
  // Perm 2 reads entries and nothing else.
  const auto read = FetchAll(to_.engine, CallerOf(second), planned.vault().id());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->entries.size(), 2u);
  EXPECT_TRUE(read->boxes.empty());
  EXPECT_TRUE(read->records.empty());
}

TEST_F(Admission, RefusesWhatTheVerdictRefuses) {
  SendRest();
  const Draft good = DraftOf(caseworker_, vault_->NewRecord(), "text");
  struct Row {
    const char* name;
    const char* code;
    std::function<void(protocol::EntryHeader&)> bend;
  };
  const Row rows[] = {
      {"prev", "E_FORK", [](auto& h) { h.prev = base::Link(); }},
      {"a gap", "E_ENTRY_INVALID", [](auto& h) { h.seq += 1; }},
      {"a roster to come", "STALE_ROSTER", [](auto& h) { h.roster_seq += 1; }},
      {"another roster", "E_FORK", [](auto& h) { h.roster_head = base::Link(); }},
      {"epoch link", "E_ENTRY_INVALID", [](auto& h) { h.epoch_link = base::Link(); }},
      {"pin link", "E_ENTRY_INVALID", [](auto& h) { h.pin_link = h.prev; }},
      {"suite", "E_UNSUPPORTED", [](auto& h) { h.suite = 9; }},
      {"realm", "E_ENTRY_INVALID", [](auto& h) { h.realm = base::RealmId(); }},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EntryUpload upload = good.Upload();
    const base::Bytes bent = Bent(caseworker_, good.sealed.rev, row.bend);
    upload.entry = bent;
    ExpectRefused(caseworker_, {{upload}}, row.code);
  }
  for (std::size_t at :
       {std::size_t{0}, std::size_t{5}, good.entry.size() / 2, good.entry.size() - 1}) {
    base::Bytes bent = good.entry;
    bent[at] ^= 1;
    EntryUpload upload = good.Upload();
    upload.entry = bent;
    const std::string before = Contents(*to_.postgres);
    EXPECT_NE(Send(caseworker_, {{upload}}), "OK");
    EXPECT_EQ(Contents(*to_.postgres), before);
  }
  ExpectRefused(caseworker_, {{{good.entry, {}, {}, {}}, {base::Bytes(3), {}, {}, {}}}},
                "INVALID_ARGUMENT");
}

TEST_F(Admission, AStaleEpochNeedsARekeyAndAnOldRosterAloneDoesNot) {
  SendRest();
  const Draft draft = DraftOf(caseworker_, vault_->NewRecord(), "text");
  realm_.Add(protocol::kAuditor);
  Sync(to_, realm_);
  EXPECT_EQ(Send(caseworker_, {{draft.Upload()}}), "OK");
  vault_->Append(draft.entry);
  sent_ = vault_->entries().size();

  const Draft stale = DraftOf(caseworker_, vault_->NewRecord(), "text");
  auto rekeying = vault_->RekeyingOf(
      vault_->ListOf(TestVault::Members{{&caseworker_, kFull}, {&coordinator_, kFull}}));
  const base::Bytes old_epoch = vault_->Sign(caseworker_, rekeying.epoch.payload);
  realm_.RotatePuk(coordinator_);
  Sync(to_, realm_);
  ExpectRefused(caseworker_, {{stale.Upload()}}, "REKEY_REQUIRED");
  EntryUpload epoch{old_epoch, {}, {}, {}};
  for (const auto& [member, box] : rekeying.epoch.boxes) epoch.boxes.push_back({member, box});
  ExpectRefused(caseworker_, {{epoch}}, "STALE_ROSTER");
  vault_->Refresh(caseworker_);
  vault_->Write(caseworker_, vault_->NewRecord(), "text");
  SendRest();
}

TEST_F(Admission, AVaultCommitsWholeOrNotAtAllAndItsNeighboursDoNotCare) {
  SendRest();
  TestVault second(realm_, Kind::kScreening, coordinator_, {{&coordinator_, kFull}});
  TestVault third(realm_, Kind::kScreening, coordinator_, {{&coordinator_, kFull}});
  VaultUpload broken = UploadOf(second);
  const base::Bytes nothing(100);
  broken.entries.push_back({nothing, {}, {}, {}});
  const auto answers = to_.engine.AppendEntries(CallerOf(coordinator_), {broken, UploadOf(third)});
  ASSERT_TRUE(answers);
  ASSERT_EQ(answers->size(), 2u);
  EXPECT_EQ(CodeOf((*answers)[0]), "E_SIG");
  EXPECT_EQ(CodeOf((*answers)[1]), "OK");
  EXPECT_EQ(Number(*to_.postgres, "SELECT count(*) FROM vault"), 2u);
  EXPECT_EQ(CodeOf(FetchAll(to_.engine, CallerOf(coordinator_), second.vault().id())), "NOT_FOUND");
}

TEST_F(Admission, TakesAVaultOnceACall) {
  const VaultUpload upload = UploadOf(*vault_);
  const std::string before = Contents(*to_.postgres);
  EXPECT_EQ(CodeOf(to_.engine.AppendEntries(CallerOf(caseworker_), {upload, upload})),
            "INVALID_ARGUMENT");
  EXPECT_EQ(Contents(*to_.postgres), before);
}

// Whether a vault exists is for its members to know.
TEST_F(Admission, NoSuchVaultAndNotAllowedReadAlike) {
  SendRest();
  base::VaultId unknown = vault_->vault().id();
  unknown = base::VaultId(std::array<std::uint8_t, 16>{7});
  const auto none = to_.engine.FetchVault(CallerOf(stranger_), unknown, 0);
  const auto not_mine = to_.engine.FetchVault(CallerOf(stranger_), vault_->vault().id(), 0);
  ASSERT_FALSE(none);
  ASSERT_FALSE(not_mine);
  EXPECT_EQ(none.error().code(), base::Code::kNotFound);
  EXPECT_EQ(not_mine.error().code(), none.error().code());
  EXPECT_EQ(not_mine.error().message(), none.error().message());

  const Draft draft = DraftOf(caseworker_, vault_->NewRecord(), "text");
  const auto entry_for = [&](const base::VaultId& vault) {
    return Bent(stranger_, draft.sealed.rev, [&](auto& h) { h.vault = vault; });
  };
  const base::Bytes mine = entry_for(vault_->vault().id());
  const base::Bytes nobodys = entry_for(unknown);
  const auto to_mine = Append(to_.engine, CallerOf(stranger_), {{{mine, {}, {}, {}}}});
  const auto to_nobodys = Append(to_.engine, CallerOf(stranger_), {{{nobodys, {}, {}, {}}}});
  EXPECT_EQ(CodeOf(to_mine), "NOT_FOUND");
  EXPECT_EQ(CodeOf(to_nobodys), "NOT_FOUND");
  EXPECT_EQ(to_mine.error().message(), to_nobodys.error().message());

  // A CREATE that names another's vault learns nothing either.
  const protocol::Create create{{}, static_cast<std::uint8_t>(Kind::kScreening)};
  for (const auto& vault : {vault_->vault().id(), unknown}) {
    protocol::EntryHeader header = vault_->Next(stranger_);
    header.vault = vault;
    header.seq = 0;
    header.prev = {};
    header.epoch_link = {};
    header.pin_link = {};
    const base::Bytes entry = protocol::SignEntry(header, create, stranger_.device().signing_key());
    EXPECT_EQ(Send(stranger_, {{{entry, {}, {}, {}}}}), "E_ENTRY_INVALID");
  }
}

TEST_F(Admission, WhoLeftTheListReadsNothingMore) {
  vault_->WritePinned(caseworker_, "summary");
  SendRest();
  ASSERT_TRUE(FetchAll(to_.engine, CallerOf(caseworker_), vault_->vault().id()));
  vault_->Rekey(coordinator_, vault_->ListOf({{&coordinator_, kFull}}));
  TestEngine replica(to_, {});
  ASSERT_TRUE(FetchAll(replica.engine, CallerOf(caseworker_), vault_->vault().id()));
  ASSERT_EQ(Send(coordinator_, UploadOf(*vault_, sent_)), "OK");
  EXPECT_EQ(CodeOf(FetchAll(to_.engine, CallerOf(caseworker_), vault_->vault().id())), "NOT_FOUND");
  EXPECT_EQ(CodeOf(FetchAll(replica.engine, CallerOf(caseworker_), vault_->vault().id())),
            "NOT_FOUND");
  EXPECT_EQ(Number(*to_.postgres, "SELECT count(*) FROM box WHERE member_id = '\\x" +
                                      base::ToHex(caseworker_.id.bytes()) + "'"),
            0u);
}

TEST_F(Admission, AReplicaJudgesByWhatAnotherWrote) {
  TestEngine replica(to_, {});
  SendRest();
  ASSERT_TRUE(FetchAll(replica.engine, CallerOf(caseworker_), vault_->vault().id()));
  vault_->Write(caseworker_, vault_->NewRecord(), "one");
  SendRest();
  vault_->Write(caseworker_, vault_->NewRecord(), "two");
  EXPECT_EQ(CodeOf(Append(replica.engine, CallerOf(caseworker_), UploadOf(*vault_, sent_))), "OK");
  sent_ = vault_->entries().size();
  vault_->Write(caseworker_, vault_->NewRecord(), "three");
  SendRest();
  const auto read = FetchAll(replica.engine, CallerOf(coordinator_), vault_->vault().id());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->entries, vault_->entries());
}

TEST_F(Admission, ForgettingAndTombsDeleteWhatTheyShould) {
  const auto record = vault_->NewRecord();
  const auto gone = vault_->NewRecord();
  vault_->Write(coordinator_, record, "one");
  vault_->Write(coordinator_, gone, "gone");
  const auto count = [&](const char* table) {
    return Number(*to_.postgres, std::string("SELECT count(*) FROM ") + table);
  };
  VaultUpload first = UploadOf(*vault_, 2);
  VaultUpload head = UploadOf(*vault_);
  head.entries.resize(2);
  ASSERT_EQ(Send(caseworker_, head), "OK");
  ASSERT_EQ(Send(coordinator_, first), "OK");
  std::size_t sent = vault_->entries().size();
  vault_->Write(coordinator_, record, "two");
  ASSERT_EQ(Send(coordinator_, UploadOf(*vault_, sent)), "OK");
  EXPECT_EQ(count("record_salt"), 3u);
  sent = vault_->entries().size();
  vault_->Write(coordinator_, record, "three", protocol::Rev::kForget);
  vault_->WriteTomb(coordinator_, gone);
  ASSERT_EQ(Send(coordinator_, UploadOf(*vault_, sent)), "OK");
  EXPECT_EQ(count("record_salt"), 1u);
  EXPECT_EQ(count("record_blob"), 1u);
  const auto read = FetchAll(to_.engine, CallerOf(caseworker_), vault_->vault().id());
  ASSERT_TRUE(read);
  ASSERT_EQ(read->records.size(), 1u);
  EXPECT_EQ(read->records[0].record, record);
  EXPECT_EQ(read->records[0].rver, 3u);
}

TEST_F(Admission, FetchesWhatChangedFromASeqOn) {
  const auto first = vault_->NewRecord();
  vault_->Write(caseworker_, first, "one");
  SendRest();
  const std::uint64_t from = vault_->entries().size();
  const auto second = vault_->NewRecord();
  vault_->Write(caseworker_, second, "two");
  SendRest();
  const auto read = FetchAll(to_.engine, CallerOf(caseworker_), vault_->vault().id(), from);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->entries, std::vector<base::Bytes>{vault_->entries().back()});
  ASSERT_EQ(read->records.size(), 1u);
  EXPECT_EQ(read->records[0].record, second);
  const auto nothing = FetchAll(to_.engine, CallerOf(caseworker_), vault_->vault().id(), from + 9);
  ASSERT_TRUE(nothing);
  EXPECT_TRUE(nothing->entries.empty());
  EXPECT_TRUE(nothing->records.empty());
}

TEST_F(Admission, BoardsAndListsShowWhatTheCallerMayRead) {
  vault_->WritePinned(caseworker_, "summary");
  SendRest();
  TestVault other(realm_, Kind::kCase, caseworker_, {{&caseworker_, kFull}, {&stranger_, kFull}});
  ASSERT_EQ(Send(caseworker_, UploadOf(other)), "OK");
  const auto board = [&](const Person& person, base::ByteSpan cursor) {
    const auto parts = Must(Drain(to_.engine.FetchBoard(CallerOf(person), Kind::kCase, cursor)));
    BoardPart all;
    for (const auto& part : parts) {
      all.rows.insert(all.rows.end(), part.rows.begin(), part.rows.end());
      if (!part.cursor.empty()) all.cursor = part.cursor;
    }
    return all;
  };
  const BoardPart mine = board(coordinator_, {});
  ASSERT_EQ(mine.rows.size(), 1u);
  const auto& row = mine.rows.front();
  EXPECT_EQ(row.create, vault_->entries()[0]);
  EXPECT_EQ(row.epochs, std::vector<base::Bytes>{vault_->entries()[1]});
  EXPECT_EQ(row.pinned, vault_->entries()[2]);
  EXPECT_EQ(row.head, vault_->entries()[2]);
  EXPECT_EQ(row.box, vault_->box(1, coordinator_.id));
  EXPECT_TRUE(board(stranger_, {}).rows.empty());  // its vault has no pinned record
  vault_->WritePinned(caseworker_, "changed");
  SendRest();
  EXPECT_EQ(board(coordinator_, mine.cursor).rows.size(), 1u);

  const auto list = Must(Drain(to_.engine.ListVaults(CallerOf(caseworker_), {})));
  std::size_t vaults = 0;
  for (const auto& part : list) vaults += part.rows.size();
  EXPECT_EQ(vaults, 2u);
  EXPECT_EQ(CodeOf(to_.engine.FetchBoard(CallerOf(coordinator_), Kind::kCase, base::Bytes(3))),
            "INVALID_ARGUMENT");
}

// Nothing is written in the vault when a role is taken and given back.
TEST_F(Admission, ACursorMissesNothingThatALoweredRoleHid) {
  vault_->WritePinned(caseworker_, "summary");
  SendRest();
  struct Seen {
    std::size_t rows = 0;
    base::Bytes cursor;
  };
  const auto see = [](auto source) {
    Seen seen;
    for (const auto& part : Must(Drain(std::move(source)))) {
      seen.rows += part.rows.size();
      if (!part.cursor.empty()) seen.cursor = part.cursor;
    }
    return seen;
  };
  const auto board = [&](const base::Bytes& cursor) {
    return see(to_.engine.FetchBoard(CallerOf(coordinator_), Kind::kCase, cursor));
  };
  const auto list = [&](const base::Bytes& cursor) {
    return see(to_.engine.ListVaults(CallerOf(coordinator_), cursor));
  };
  Seen on_board = board({});
  Seen on_list = list({});
  EXPECT_EQ(on_board.rows, 1u);
  EXPECT_EQ(on_list.rows, 1u);
  const auto set = [&](protocol::Roles roles) {
    realm_.DoByRoot(protocol::RoleSet{coordinator_.id, roles});
    Sync(to_, realm_);
  };
  set(protocol::kAuditor);
  // What the service takes while the role is lowered: a freeze needs no fresh EPOCH.
  vault_->Append(vault_->Sign(caseworker_, protocol::State{1, 0, 0}));
  SendRest();
  on_board = board(on_board.cursor);
  on_list = list(on_list.cursor);
  EXPECT_EQ(on_board.rows, 0u);
  EXPECT_EQ(on_list.rows, 0u);
  set(protocol::kCoordinator);
  on_board = board(on_board.cursor);
  on_list = list(on_list.cursor);
  EXPECT_EQ(on_board.rows, 1u);
  EXPECT_EQ(on_list.rows, 1u);
  // A row may be repeated while any transaction of the cluster that began before it goes on.
  for (int i = 0; i < 200 && on_board.rows + on_list.rows > 0; ++i) {
    on_board = board(on_board.cursor);
    on_list = list(on_list.cursor);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(on_board.rows, 0u);
  EXPECT_EQ(on_list.rows, 0u);
}

TEST_F(Admission, AnEpochThatComesWhileAVaultIsReadBringsItsBox) {
  vault_->WritePinned(caseworker_, "summary");
  SendRest();
  auto source = to_.engine.FetchVault(CallerOf(coordinator_), vault_->vault().id(), 0);
  ASSERT_TRUE(source);
  std::set<std::uint32_t> listed;
  std::set<std::uint32_t> boxed;
  bool written = false;
  for (;;) {
    const auto part = Must((*source)());
    if (!part) break;
    for (const auto& entry : part->entries) {
      const auto raw = Must(protocol::ReadEntry(entry));
      const auto payload = Must(protocol::ReadEntryPayload(raw.header.type, raw.payload));
      if (const auto* epoch = std::get_if<protocol::Epoch>(&payload)) listed.insert(epoch->epoch);
    }
    for (const auto& box : part->boxes) boxed.insert(box.epoch);
    if (written) continue;
    vault_->Refresh(caseworker_);
    vault_->WritePinned(caseworker_, "summary under the new key");
    SendRest();
    written = true;
  }
  EXPECT_EQ(listed, (std::set<std::uint32_t>{1, 2}));
  EXPECT_EQ(boxed, listed);
}

TEST_F(Admission, ALongAnswerEndsWithTheRightToIt) {
  vault_->WritePinned(caseworker_, "summary");
  SendRest();
  auto source = to_.engine.FetchVault(CallerOf(coordinator_), vault_->vault().id(), 0);
  ASSERT_TRUE(source);
  ASSERT_TRUE((*source)());
  realm_.RevokeByRoot(coordinator_, 0);
  Sync(to_, realm_);
  EXPECT_EQ(CodeOf((*source)()), "UNAUTHENTICATED");
}

// Perm 4 manages without reading: entries and boxes, no salt and no ciphertext.
TEST(AdmissionOfReaders, WhoManagesWithoutReadingGetsNoContent) {
  TestRealm realm(Compartment::kIdentity);
  Person& caseworker = realm.Add(protocol::kCaseworker);
  Person& supervisor = realm.Add(protocol::kSupervisor);
  TestEngine to(Compartment::kIdentity);
  Sync(to, realm);
  TestVault vault(realm, Kind::kPerson, caseworker,
                  {{&caseworker, kFull}, {&supervisor, protocol::kManage}});
  vault.WritePinned(caseworker, "name");
  ASSERT_EQ(CodeOf(Append(to.engine, CallerOf(caseworker), UploadOf(vault))), "OK");
  const auto read = FetchAll(to.engine, CallerOf(supervisor), vault.vault().id());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->entries, vault.entries());
  EXPECT_EQ(read->boxes.size(), 1u);
  EXPECT_TRUE(read->records.empty());
  const auto board = Must(Drain(to.engine.FetchBoard(CallerOf(supervisor), Kind::kPerson, {})));
  for (const auto& part : board) EXPECT_TRUE(part.rows.empty());
  EXPECT_EQ(FetchAll(to.engine, CallerOf(caseworker), vault.vault().id())->records.size(), 1u);
}

class Quota : public Admission {
 protected:
  Quota() : Admission(Config()) {}
  static EngineConfig Config() {
    EngineConfig config;
    config.quotas.create_per_day = 2;
    config.quotas.epochs_per_vault_day = 2;
    config.quotas.bytes_per_day = 100'000;
    return config;
  }
};

TEST_F(Quota, BoundsNewVaultsAMemberAndDay) {
  SendRest();
  TestVault second(realm_, Kind::kSensitive, caseworker_, {{&caseworker_, kFull}});
  TestVault third(realm_, Kind::kSensitive, caseworker_, {{&caseworker_, kFull}});
  EXPECT_EQ(Send(caseworker_, UploadOf(second)), "OK");
  ExpectRefused(caseworker_, UploadOf(third), "RATE_LIMITED");
  EXPECT_EQ(Send(caseworker_, UploadOf(second)), "OK");  // stored already: takes nothing
  to_.clock->now_ms += 86'400'000;
  EXPECT_EQ(Send(caseworker_, UploadOf(third)), "OK");
}

TEST_F(Quota, BoundsEpochsAVaultAndDay) {
  SendRest();
  vault_->Refresh(caseworker_);
  SendRest();
  vault_->Refresh(caseworker_);
  ExpectRefused(caseworker_, UploadOf(*vault_, sent_), "RATE_LIMITED");
}

TEST_F(Quota, AnEpochThatTheRosterAsksForIsFree) {
  SendRest();
  vault_->Refresh(caseworker_);
  SendRest();
  for (int i = 0; i < 2; ++i) {
    realm_.RotatePuk(coordinator_);
    Sync(to_, realm_);
    vault_->Refresh(caseworker_);
    SendRest();
  }
  vault_->Refresh(caseworker_);
  ExpectRefused(caseworker_, UploadOf(*vault_, sent_), "RATE_LIMITED");
}

TEST_F(Quota, BoundsBytesAMemberAndDay) {
  SendRest();
  vault_->Write(caseworker_, vault_->NewRecord(), std::string(90'000, 'x'));
  SendRest();
  vault_->Write(caseworker_, vault_->NewRecord(), std::string(20'000, 'x'));
  ExpectRefused(caseworker_, UploadOf(*vault_, sent_), "RATE_LIMITED");
}

TEST_F(Quota, WhoUsedUpTheirBytesStillFreezes) {
  SendRest();
  vault_->Write(caseworker_, vault_->NewRecord(), std::string(90'000, 'x'));
  SendRest();
  const Draft late = DraftOf(caseworker_, vault_->NewRecord(), std::string(20'000, 'x'));
  ExpectRefused(caseworker_, {{late.Upload()}}, "RATE_LIMITED");
  vault_->Append(vault_->Sign(caseworker_, protocol::State{1, 0, 0}));
  SendRest();
  // The share is a share: what it does not hold is refused too.
  vault_->Append(vault_->Sign(coordinator_, protocol::State{1, 0, 0}));
  TestEngine tight(to_, [] {
    EngineConfig config;
    config.quotas.freeze_bytes_per_day = 100;
    return config;
  }());
  EXPECT_EQ(CodeOf(Append(tight.engine, CallerOf(coordinator_), UploadOf(*vault_, sent_))),
            "RATE_LIMITED");
}

}  // namespace
}  // namespace godwit::realm
