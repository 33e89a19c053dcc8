// The chains of vectors/gw1 against a service: each in a realm of its own, loaded behind the
// service's back with what stands before the entry or statement in question, which is then sent
// by its author.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "protocol/entry.h"
#include "protocol/leaf.h"
#include "protocol/statement.h"
#include "services/realm/vault_state.h"
#include "storage/roster_store.h"
#include "storage/salt_store.h"
#include "storage/vault_store.h"
#include "tests/services/fixture.h"
#include "tests/support/shared.h"

namespace godwit::realm {
namespace {

using Json = nlohmann::json;
using support::Must;

// One database for all cases, emptied between them.
class Gw1Admission : public testing::Test {
 protected:
  Gw1Admission()
      : database_({.conninfo = postgres_.service()}),
        owner_({.conninfo = postgres_.owner(), .connections = 1}),
        rosters_(database_),
        vaults_(database_, salts_) {}

  // An empty database, and a service that knows nothing yet.
  void Begin(protocol::Compartment compartment) {
    engine_.reset();
    roster_ = {};
    vault_ = {};
    support::Require(owner_.Write([](storage::Transaction& transaction) {
      return transaction.Script(
          "DELETE FROM realm; DELETE FROM genesis_claim; DELETE FROM statement;"
          "DELETE FROM puk_box; DELETE FROM vault; DELETE FROM entry; DELETE FROM membership;"
          "DELETE FROM box; DELETE FROM record; DELETE FROM leaf; DELETE FROM quota");
    }));
    claim_ = base::ToBytes(Must(storage::RosterStore(owner_).MakeClaim(true))->Expose());
    EngineConfig config;
    config.committers = 1;
    engine_.emplace(database_, compartment, TestEngine::Spki(), config, clock_);
  }

  // Takes over what is valid, judged by the verifier and not by admission; in the database too,
  // where it is not there yet.
  void LoadStatements(const std::vector<base::Bytes>& statements, bool store = true) {
    storage::RosterAppend append;
    for (const auto& statement : statements) {
      const bool first = roster_.empty();
      if (!first && append.statements.empty()) append.expected = HeadOf(roster_);
      support::Require(roster_.Append(statement));
      if (first) {
        support::Require(engine_->CreateRealm(claim_, statement));
      } else {
        append.statements.push_back({roster_.head_seq(), statement, roster_.head()});
      }
    }
    if (append.statements.empty() || !store) return;
    append.chain_tag = storage::ChainTag(protocol::RosterTag(roster_.realm()).bytes());
    support::Require(rosters_.Append(roster_.realm(), append));
  }
  // The same for entries; the first call begins with CREATE and its EPOCH 1.
  void LoadEntries(const std::vector<base::Bytes>& entries, bool store = true) {
    storage::VaultCommit commit;
    if (!vault_.vault.empty()) {
      commit.expected = storage::ChainHead{vault_.vault.head_seq(), vault_.vault.head()};
    }
    std::map<base::RecordId, storage::RecordHeadRow> records;
    for (const auto& bytes : entries) {
      const auto entry = Must(vault_.vault.Judge(bytes, roster_));
      vault_.vault.Take(entry);
      vault_.NotePinned(entry.link, entry.header.seq);
      commit.entries.push_back({entry.header.seq, entry.header.type, entry.link, bytes});
      if (const auto* epoch = std::get_if<protocol::Epoch>(&entry.payload)) {
        commit.membership.emplace();
        for (const auto& [member, row] : epoch->list) {
          commit.membership->push_back({member, row.perm, row.puk_gen});
        }
      } else if (const auto* rev = std::get_if<protocol::Rev>(&entry.payload)) {
        records[rev->record] = {rev->record, rev->rver, entry.header.seq, false};
      } else if (const auto* tomb = std::get_if<protocol::Tomb>(&entry.payload)) {
        records[tomb->record] = {tomb->record, tomb->rver, entry.header.seq, true};
      }
    }
    if (!store) return;
    const auto& vault = vault_.vault;
    commit.after = {vault.id(),
                    static_cast<std::uint8_t>(vault.kind()),
                    {vault.head_seq(), vault.head()},
                    vault.epoch().number,
                    vault.epoch().link,
                    vault_.pinned,
                    vault.roster_seq()};
    commit.chain_tag = storage::ChainTag(protocol::VaultTag(vault.realm(), vault.id()).bytes());
    for (const auto& [record, row] : records) commit.records.push_back(row);
    const storage::VaultCommit* only = &commit;
    const auto outcomes = Must(vaults_.CommitVaults(roster_.realm(), HeadOf(roster_), {&only, 1}));
    ASSERT_EQ(outcomes.front(), storage::CommitOutcome::kCommitted);
  }

  // The answer to a statement as `caller` sends it; nothing was written unless it is OK.
  std::string Send(const server::Caller& caller, const base::Bytes& statement) {
    return Unchanged([&] { return CodeOf(engine_->AppendStatements(caller, {{statement, {}}})); });
  }
  std::string Send(const server::Caller& caller, const std::vector<base::Bytes>& entries) {
    VaultUpload upload;
    for (const auto& entry : entries) upload.entries.push_back({entry, {}, {}, {}});
    return Unchanged([&] { return CodeOf(Append(*engine_, caller, upload)); });
  }
  std::string SendGenesis(const base::Bytes& genesis) {
    return Unchanged([&] { return CodeOf(engine_->CreateRealm(claim_, genesis)); });
  }

  // Who signed it as far as it can be read, somebody else of the realm where the root did or where
  // it cannot be read.
  template <class Raw>
  server::Caller AuthorOf(const base::Result<Raw>& raw) const {
    if (!raw || raw->header.author_member.IsZero()) return SomeActive(protocol::kOwner);
    return {raw->header.author_member, raw->header.author_device, {}};
  }
  // Whose device is active now, with one of `roles` if any has one.
  server::Caller SomeActive(protocol::Roles roles) const {
    server::Caller found;
    for (const auto& [id, member] : roster_.members()) {
      const auto devices = roster_.ActiveDevicesAt(id, roster_.head_seq());
      if (devices.empty()) continue;
      const bool has = (roster_.RolesAt(id, roster_.head_seq()) & roles) != 0;
      if (found.member.IsZero() || has) found = {id, devices.front(), {}};
      if (has) break;
    }
    return found;
  }
  // A member of the vault whose device is active now.
  server::Caller SomeMember() const {
    for (const auto& [id, row] : vault_.vault.epoch().list) {
      const auto devices = roster_.ActiveDevicesAt(id, roster_.head_seq());
      if (!devices.empty() && vault_.vault.PermAt(id, roster_, roster_.head_seq()) != 0) {
        return {id, devices.front(), {}};
      }
    }
    return {};
  }

  support::PostgresDatabase postgres_;
  TestClock clock_;
  storage::Database database_;
  storage::Database owner_;
  storage::TableSaltStore salts_;
  storage::RosterStore rosters_;
  storage::VaultStore vaults_;
  base::Bytes claim_;
  std::optional<Engine> engine_;
  protocol::Roster roster_;
  VaultState vault_;

 private:
  template <class Call>
  std::string Unchanged(const Call& call) {
    const std::string before = Contents(postgres_);
    const std::string code = call();
    if (code != "OK") {
      EXPECT_EQ(Contents(postgres_), before);
    }
    return code;
  }
};

struct Case {
  std::string name;
  protocol::Compartment compartment;
  std::vector<base::Bytes> roster;
  std::vector<base::Bytes> vault;
  bool of_a_vault = false;
  std::string code;       // "ok", or that of what fails
  std::size_t fails = 0;  // where
};

std::vector<base::Bytes> Blobs(const Json& list) {
  std::vector<base::Bytes> blobs;
  if (list.is_null()) return blobs;
  for (const auto& hex : list) blobs.push_back(*base::FromHex(hex.get<std::string>()));
  return blobs;
}

std::vector<Case> Cases() {
  const auto shared = support::SharedFolder();
  if (!shared) return {};
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(*shared / "vectors" / "gw1")) {
    if (file.path().extension() == ".json" && file.path().stem() != "kat") {
      files.push_back(file.path());
    }
  }
  std::ranges::sort(files);
  std::vector<Case> cases;
  for (const auto& file : files) {
    const Json test = Json::parse(std::ifstream(file));
    const bool of_a_vault = !test["vault"].is_null();
    const std::string part = of_a_vault ? "vault" : "roster";
    const Json& fails = test["expect"][part + "_fail_seq"];
    cases.push_back(
        {file.stem().string(), static_cast<protocol::Compartment>(test["compartment"].get<int>()),
         Blobs(test["roster"]), Blobs(test["vault"]), of_a_vault,
         test["expect"][part].get<std::string>(), fails.is_null() ? 0 : fails.get<std::size_t>()});
  }
  return cases;
}

std::vector<base::Bytes> First(const std::vector<base::Bytes>& all, std::size_t count) {
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(count, all.size()))};
}

// Where a service rightly answers its caller otherwise than a verifier would, and the sentence of
// docs/protocol.md that says so.
constexpr char kStoredAnswer[] = "section 8: the stored bytes again = the stored answer";
constexpr char kNoSession[] = "section 8: every call re-checks the device at the roster head";
constexpr char kNoGuests[] =
    "section 5: a service refuses an EPOCH with guests, so none has a session";
constexpr char kNotAllowed[] = "section 8: same error and timing class for no such and not allowed";
constexpr char kNotItsAuthor[] = "section 6: every other entry is sent by its author";

struct Otherwise {
  const char* sentence;
  const char* code;
};
const std::map<std::string, Otherwise> kOtherwise = {
    {"roster-a-statement-twice", {kStoredAnswer, "OK"}},
    {"roster-author-never-listed", {kNoSession, "UNAUTHENTICATED"}},
    {"roster-author-removed", {kNoSession, "UNAUTHENTICATED"}},
    {"roster-device-add-by-the-device-it-adds", {kNoSession, "UNAUTHENTICATED"}},
    {"roster-puk-rotate-of-a-removed-member", {kNoSession, "UNAUTHENTICATED"}},
    {"vault-author-never-listed-in-the-roster", {kNoSession, "UNAUTHENTICATED"}},
    {"vault-author-removed", {kNoSession, "UNAUTHENTICATED"}},
    {"vault-epoch-by-the-guest", {kNoGuests, "UNAUTHENTICATED"}},
    {"vault-guest-cites-a-newer-roster", {kNoGuests, "UNAUTHENTICATED"}},
    {"vault-guest-forgets", {kNoGuests, "UNAUTHENTICATED"}},
    {"vault-guest-revises-another-s-record", {kNoGuests, "UNAUTHENTICATED"}},
    {"vault-guest-who-was-dropped-writes", {kNoGuests, "UNAUTHENTICATED"}},
    {"vault-guest-writes-a-tomb", {kNoGuests, "UNAUTHENTICATED"}},
    {"vault-state-by-a-guest", {kNoGuests, "UNAUTHENTICATED"}},
    {"vault-author-an-owner", {kNotAllowed, "NOT_FOUND"}},
    {"vault-author-not-listed", {kNotAllowed, "NOT_FOUND"}},
    {"vault-epoch-by-one-who-is-not-listed-before", {kNotAllowed, "NOT_FOUND"}},
    {"vault-epoch-d-before-k-approvals", {kNotAllowed, "NOT_FOUND"}},
    {"vault-epoch-d-by-another-device", {kNotAllowed, "NOT_FOUND"}},
    {"vault-epoch-d-drops-a-member", {kNotAllowed, "NOT_FOUND"}},
    {"vault-epoch-d-for-another-vault", {kNotAllowed, "NOT_FOUND"}},
    {"vault-epoch-d-the-recipient-only-reads", {kNotAllowed, "NOT_FOUND"}},
    {"vault-epoch-d-without-the-request", {kNotAllowed, "NOT_FOUND"}},
    {"vault-rev-by-intake-after-the-rekey", {kNotAllowed, "NOT_FOUND"}},
    {"vault-rev-in-a-sealed-vault", {kNotAllowed, "NOT_FOUND"}},
    {"vault-state-by-one-who-is-not-listed", {kNotAllowed, "NOT_FOUND"}},
    {"vault-epoch-1-by-another-than-the-creator", {kNotItsAuthor, "PERMISSION_DENIED"}},
};
// A roster without a statement: nothing is sent.
constexpr char kNothingToSend[] = "roster-empty";
// A vault that lists nobody: there is nobody else to send it.
constexpr char kNobodyThere[] = "vault-rev-in-a-sealed-vault";
constexpr std::size_t kRefused = 323;

// Sends what fails as its author. Where the author is refused for another reason than the fault,
// somebody else sends it too: then the answer is the verifier's.
TEST_F(Gw1Admission, RefusesEveryBadChainAndChangesNoRow) {
  std::size_t refused = 0;
  std::map<std::string, std::string> otherwise;
  for (const auto& test : Cases()) {
    if (test.code == "ok" || test.name == kNothingToSend) continue;
    SCOPED_TRACE(test.name);
    Begin(test.compartment);
    std::string as_author;
    std::string as_another;
    if (!test.of_a_vault) {
      LoadStatements(First(test.roster, test.fails));
      const auto& bytes = test.roster[test.fails];
      if (test.fails == 0) {
        as_author = SendGenesis(bytes);
      } else {
        as_another = Send(SomeActive(protocol::kOwner), bytes);
        as_author = Send(AuthorOf(protocol::ReadStatement(bytes)), bytes);
      }
    } else {
      LoadStatements(test.roster);
      std::vector<base::Bytes> entries{test.vault[test.fails]};
      const auto author = AuthorOf(protocol::ReadEntry(entries.front()));
      server::Caller another = author;
      if (test.fails == 1) {
        // CREATE comes with its EPOCH 1 in one call, or not at all.
        another = AuthorOf(protocol::ReadEntry(test.vault.front()));
        entries.insert(entries.begin(), test.vault.front());
      } else if (test.fails > 1) {
        LoadEntries(First(test.vault, test.fails));
        another = SomeMember();
      }
      if (test.name != kNobodyThere) as_another = Send(another, entries);
      as_author = Send(author, entries);
    }
    if (as_author == test.code) {
      ++refused;
      continue;
    }
    otherwise[test.name] = as_author;
    if (as_author != "OK" && test.name != kNobodyThere) {
      EXPECT_EQ(as_another, test.code);
    }
  }
  if (!support::SharedFolder()) return;
  for (const auto& [name, code] : otherwise) {
    SCOPED_TRACE(name);
    const auto listed = kOtherwise.find(name);
    ASSERT_NE(listed, kOtherwise.end()) << code;
    EXPECT_EQ(code, listed->second.code) << listed->second.sentence;
  }
  EXPECT_EQ(otherwise.size(), kOtherwise.size());
  EXPECT_EQ(refused, kRefused);
  std::cout << "gw1: " << refused << " bad chains refused as a verifier does, " << otherwise.size()
            << " otherwise\n";
}

// What a service answers to a statement that is valid, without the boxes that it lists.
std::string AnswerTo(const base::Bytes& statement) {
  const auto raw = Must(protocol::ReadStatement(statement));
  const auto payload = Must(protocol::ReadStatementPayload(raw.header.type, raw.payload));
  if (raw.header.log_size != 0) return "E_ROSTER_INVALID";  // section 8: pairs that it published
  if (std::holds_alternative<protocol::RecoverySet>(payload) ||
      std::holds_alternative<protocol::RecoveryRequest>(payload)) {
    return "E_UNSUPPORTED";  // section 4: until it has a place for shares
  }
  const auto* add = std::get_if<protocol::DeviceAdd>(&payload);
  const bool boxed =
      std::holds_alternative<protocol::PukRotate>(payload) || (add != nullptr && add->puk_gen != 0);
  return boxed ? "INVALID_ARGUMENT" : "OK";  // section 8: all boxes present
}

// The same for an entry, of a vault in which the caller is a member now.
std::string AnswerTo(const protocol::SignedEntry& entry, const protocol::Vault& vault,
                     const protocol::Roster& roster) {
  // Section 8: the same rules at the service's own roster head.
  if (const auto admitted = vault.Admit(entry, roster); !admitted) return CodeOf(admitted);
  if (const auto* epoch = std::get_if<protocol::Epoch>(&entry.payload)) {
    if (!epoch->guests.empty() || epoch->rec_gen != 0) return "E_UNSUPPORTED";  // section 5
    const bool boxed =
        std::ranges::any_of(epoch->list, [](const auto& row) { return row.second.puk_gen != 0; });
    return boxed ? "INVALID_ARGUMENT" : "OK";
  }
  // Section 8: salts and ciphertexts present.
  return std::holds_alternative<protocol::Rev>(entry.payload) ? "INVALID_ARGUMENT" : "OK";
}

constexpr std::size_t kGoodChains = 68;
const std::map<std::string, std::size_t> kAnswers = {
    {"OK", 115},           {"INVALID_ARGUMENT", 70}, {"E_UNSUPPORTED", 25},
    {"REKEY_REQUIRED", 5}, {"UNAUTHENTICATED", 4},   {"E_ROSTER_INVALID", 3},
    {"NOT_FOUND", 3},      {"STALE_ROSTER", 2}};

TEST_F(Gw1Admission, TakesEveryGoodChainAsFarAsItHasAPlaceForIt) {
  std::map<std::string, std::size_t> answers;
  std::size_t chains = 0;
  for (const auto& test : Cases()) {
    if (test.code != "ok") continue;
    SCOPED_TRACE(test.name);
    ++chains;
    Begin(test.compartment);
    if (!test.of_a_vault) {
      for (const auto& statement : test.roster) {
        if (roster_.empty()) {
          LoadStatements({statement});
          continue;
        }
        clock_.now_ms = Must(protocol::ReadStatement(statement)).header.time_ms;
        const std::string code = Send(AuthorOf(protocol::ReadStatement(statement)), statement);
        EXPECT_EQ(code, AnswerTo(statement)) << "statement " << roster_.size();
        ++answers[code];
        LoadStatements({statement}, code != "OK");
      }
      continue;
    }
    LoadStatements(test.roster);
    clock_.now_ms = 0;
    LoadEntries(First(test.vault, 2));
    for (std::size_t i = 2; i < test.vault.size(); ++i) {
      SCOPED_TRACE("entry " + std::to_string(i));
      const auto& bytes = test.vault[i];
      const auto entry = Must(vault_.vault.Judge(bytes, roster_));
      const auto author = AuthorOf(protocol::ReadEntry(bytes));
      const std::uint64_t head = roster_.head_seq();
      std::string want = "UNAUTHENTICATED";  // section 8
      if (roster_.IsActiveAt(author.device, head)) {
        want = vault_.vault.PermAt(author.member, roster_, head) == 0
                   ? "NOT_FOUND"  // section 8
                   : AnswerTo(entry, vault_.vault, roster_);
      }
      const std::string code = Send(author, std::vector<base::Bytes>{bytes});
      EXPECT_EQ(code, want);
      ++answers[code];
      LoadEntries({bytes}, code != "OK");
    }
  }
  if (!support::SharedFolder()) return;
  EXPECT_EQ(chains, kGoodChains);
  EXPECT_EQ(answers, kAnswers);
}

}  // namespace
}  // namespace godwit::realm
