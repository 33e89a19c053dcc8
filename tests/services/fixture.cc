#include "tests/services/fixture.h"

#include <gtest/gtest.h>

#include <string_view>
#include <utility>

#include "crypto/secret.h"
#include "protocol/entry.h"
#include "protocol/statement.h"
#include "storage/roster_store.h"

namespace godwit::realm {

const base::Sha256Hash& TestEngine::Spki() {
  static const base::Sha256Hash spki = [] {
    std::array<std::uint8_t, 32> bytes;
    bytes.fill(0x5a);
    return base::Sha256Hash(bytes);
  }();
  return spki;
}

TestEngine::TestEngine(protocol::Compartment compartment, EngineConfig config,
                       support::PostgresDatabase given)
    : postgres(std::make_shared<support::PostgresDatabase>(std::move(given))),
      clock(std::make_shared<TestClock>()),
      database({.conninfo = postgres->service()}),
      engine(database, compartment, Spki(), config, *clock) {
  storage::Database owner({.conninfo = postgres->owner(), .connections = 1});
  const auto made = support::Must(storage::RosterStore(owner).MakeClaim(false));
  claim = base::ToBytes(made->Expose());
}

TestEngine::TestEngine(const TestEngine& first, EngineConfig config)
    : postgres(first.postgres),
      clock(first.clock),
      claim(first.claim),
      database({.conninfo = postgres->service()}),
      engine(database, protocol::Compartment::kCases, Spki(), config, *clock) {}

server::Caller CallerOf(const support::Person& person, std::size_t device) {
  return {person.id, person.devices[device].id(), {}};
}

StatementUpload UploadOf(const support::TestRealm& realm, const base::Bytes& statement) {
  StatementUpload upload{statement, {}};
  const auto raw = support::Must(protocol::ReadStatement(statement));
  const auto payload = support::Must(protocol::ReadStatementPayload(raw.header.type, raw.payload));
  if (const auto* rotate = std::get_if<protocol::PukRotate>(&payload)) {
    for (const auto& [device, box] : realm.PukBoxes(rotate->member, rotate->gen)) {
      upload.boxes.push_back({device, box});
    }
  }
  return upload;
}

void Sync(TestEngine& to, const support::TestRealm& realm) {
  const auto& statements = realm.statements();
  support::Require(to.engine.CreateRealm(to.claim, statements[0]));
  const auto stored =
      support::Must(Drain(to.engine.FetchRoster(CallerOf(realm.person(0)), std::nullopt, 0)));
  std::size_t known = 0;
  for (const auto& part : stored) known += part.size();
  for (; known < statements.size(); ++known) {
    const auto raw = support::Must(protocol::ReadStatement(statements[known]));
    server::Caller caller = CallerOf(realm.person(0));
    if (!raw.header.author_member.IsZero()) {
      caller = {raw.header.author_member, raw.header.author_device, {}};
    }
    const auto appended = to.engine.AppendStatements(caller, {UploadOf(realm, statements[known])});
    if (!appended) support::Require(appended.error());
  }
}

EntryUpload UploadOf(const support::TestVault& vault, const base::Bytes& entry) {
  EntryUpload upload;
  upload.entry = entry;
  const auto raw = support::Must(protocol::ReadEntry(entry));
  const auto payload = support::Must(protocol::ReadEntryPayload(raw.header.type, raw.payload));
  if (const auto* epoch = std::get_if<protocol::Epoch>(&payload)) {
    for (const auto& [member, row] : epoch->list) {
      if (row.puk_gen != 0) upload.boxes.push_back({member, vault.box(epoch->epoch, member)});
    }
  } else if (std::holds_alternative<protocol::Rev>(payload)) {
    const auto& beside = vault.Beside(protocol::EntryLink(entry));
    upload.salt = beside.salt;
    upload.ciphertext = beside.ciphertext;
  }
  return upload;
}

VaultUpload UploadOf(const support::TestVault& vault, std::size_t from) {
  VaultUpload upload;
  for (std::size_t i = from; i < vault.entries().size(); ++i) {
    upload.entries.push_back(UploadOf(vault, vault.entries()[i]));
  }
  return upload;
}

base::Status Append(Engine& engine, const server::Caller& caller, const VaultUpload& upload) {
  const auto answers = engine.AppendEntries(caller, {upload});
  if (!answers) return answers.error();
  return answers->front();
}

base::Result<VaultPart> FetchAll(Engine& engine, const server::Caller& caller,
                                 const base::VaultId& vault, std::uint64_t from_seq) {
  auto parts = Drain(engine.FetchVault(caller, vault, from_seq));
  if (!parts) return parts.error();
  VaultPart all;
  for (auto& part : *parts) {
    for (auto& entry : part.entries) all.entries.push_back(std::move(entry));
    for (auto& box : part.boxes) all.boxes.push_back(std::move(box));
    for (auto& record : part.records) all.records.push_back(std::move(record));
  }
  return all;
}

protocol::SessionRequest RequestOf(const support::TestRealm& realm, const support::Person& person,
                                   const storage::Nonce& nonce) {
  protocol::SessionRequest request;
  request.realm = realm.roster().realm();
  request.device = person.device().id();
  request.spki = TestEngine::Spki();
  std::ranges::copy(nonce.bytes(), request.server_nonce.begin());
  crypto::FillRandom(request.client_nonce);
  return request;
}

std::string Contents(const support::PostgresDatabase& postgres) {
  std::string sql;
  for (const char* table : {"realm", "genesis_claim", "statement", "puk_box", "vault", "entry",
                            "membership", "box", "record", "record_blob", "record_salt", "leaf",
                            "event", "invitation", "quota", "session", "nonce"}) {
    // A counter that stands at nothing says nothing: it was only locked.
    const bool counts = std::string_view(table) == "quota";
    if (!sql.empty()) sql += " UNION ALL ";
    sql += std::string("SELECT '") + table +
           "=' || count(*) || ':' || "
           "md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM " +
           table + " AS t" + (counts ? " WHERE count > 0" : "");
  }
  std::string all;
  for (const auto& row : postgres.Sql(sql)) all += row.at(0) + " ";
  return all;
}

std::uint64_t Number(const support::PostgresDatabase& postgres, const std::string& sql) {
  return std::stoull(postgres.Sql(sql).at(0).at(0));
}

std::string CodeOf(const base::Status& status) {
  return status ? "OK" : std::string(base::Name(status.error().code()));
}

}  // namespace godwit::realm
