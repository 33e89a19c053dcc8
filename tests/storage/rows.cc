#include "tests/storage/rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "crypto/secret.h"

namespace godwit::storage {

base::Bytes RandomBytes(std::size_t size) {
  base::Bytes bytes(size);
  crypto::FillRandom(bytes);
  return bytes;
}

Stores::Stores(support::PostgresDatabase given, std::size_t connections)
    : postgres(std::move(given)),
      owner({.conninfo = postgres.owner(), .connections = 1}),
      database({.conninfo = postgres.service(), .connections = connections}),
      roster(database),
      vaults(database, salts),
      boards(database, salts),
      sessions(database),
      mailbox(database),
      quotas(database) {}

Realm::Realm(support::PostgresDatabase given, std::size_t connections)
    : Stores(std::move(given), connections) {
  row.compartment = 2;
  row.fingerprint = Random<base::Fingerprint>();
  row.realm = *base::RealmId::FromBytes(base::ByteSpan(row.fingerprint.bytes()).first(16));
  row.roster.link = Random<base::Link>();
  auto claim = RosterStore(owner).MakeClaim(false);
  EXPECT_TRUE(claim && *claim);
  const base::Status made =
      roster.CreateRealm((*claim)->Expose(), row, roster_tag, RandomBytes(300));
  EXPECT_TRUE(made) << made.error().message();
}

std::optional<CommitOutcome> Realm::Commit(const VaultCommit& commit) {
  const VaultCommit* const batch[] = {&commit};
  const auto outcomes = vaults.CommitVaults(id, row.roster, batch);
  if (!outcomes) {
    ADD_FAILURE() << outcomes.error().message();
    return std::nullopt;
  }
  return outcomes->front();
}

std::uint64_t Realm::Number(const std::string& sql) const {
  const auto rows = postgres.Sql(sql);
  return rows.empty() || rows[0].empty() ? 0 : std::stoull(rows[0][0]);
}

VaultBuilder::VaultBuilder(std::uint8_t kind) {
  now_.vault = Random<base::VaultId>();
  now_.kind = kind;
}

VaultCommit VaultBuilder::Create(const std::vector<MembershipRow>& members) {
  created_ = false;
  rvers_.clear();
  VaultCommit commit = Start();
  AddEntry(commit, 1);
  AddEpoch(commit, members);
  AddRevision(commit, pinned_record, 272);
  created_ = true;
  return commit;
}

VaultCommit VaultBuilder::Rekey(const std::vector<MembershipRow>& members) {
  VaultCommit commit = Start();
  AddEpoch(commit, members);
  return commit;
}

VaultCommit VaultBuilder::Revise(const base::RecordId& record, std::size_t size, bool forget) {
  VaultCommit commit = Start();
  AddRevision(commit, record, size);
  if (forget) commit.forgets.push_back({record, commit.revisions.back().rver});
  return commit;
}

VaultCommit VaultBuilder::Bury(const base::RecordId& record) {
  VaultCommit commit = Start();
  const EntryRow& entry = AddEntry(commit, 4);
  const auto found = std::ranges::find(rvers_, record, [](const auto& pair) { return pair.first; });
  const std::uint64_t rver = ++found->second;
  commit.records.push_back({record, rver, entry.seq, true});
  commit.forgets.push_back({record, rver});
  return commit;
}

VaultCommit VaultBuilder::Start() const {
  VaultCommit commit;
  if (created_) commit.expected = now_.head;
  commit.after = now_;
  commit.chain_tag = tag;
  return commit;
}

EntryRow& VaultBuilder::AddEntry(VaultCommit& commit, std::uint8_t type) {
  const bool first = commit.entries.empty() && !commit.expected;
  EntryRow& entry = commit.entries.emplace_back();
  entry.seq = first ? 0 : commit.after.head.seq + 1;
  entry.type = type;
  entry.link = Random<base::Link>();
  entry.bytes = RandomBytes(400);
  commit.after.head = {entry.seq, entry.link};
  return entry;
}

void VaultBuilder::AddRevision(VaultCommit& commit, const base::RecordId& record,
                               std::size_t size) {
  const EntryRow& entry = AddEntry(commit, 3);
  auto found = std::ranges::find(rvers_, record, [](const auto& pair) { return pair.first; });
  if (found == rvers_.end()) found = rvers_.insert(rvers_.end(), {record, 0});
  const std::uint64_t rver = ++found->second;
  commit.revisions.push_back({record, rver, Random<Salt>(), RandomBytes(size)});
  commit.records.push_back({record, rver, entry.seq, false});
  if (record == pinned_record) {
    commit.after.pinned =
        PinnedRow{.link = entry.link, .seq = entry.seq, .record = record, .rver = rver};
  }
}

void VaultBuilder::AddEpoch(VaultCommit& commit, const std::vector<MembershipRow>& members) {
  const EntryRow& entry = AddEntry(commit, 2);
  commit.after.epoch += 1;
  commit.after.epoch_link = entry.link;
  commit.membership = members;
  for (const MembershipRow& row : members) {
    if (row.puk_gen != 0) commit.boxes.push_back({commit.after.epoch, row.member, RandomBytes(80)});
  }
}

}  // namespace godwit::storage
