#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/board_store.h"
#include "storage/mailbox_store.h"
#include "storage/quota.h"
#include "storage/roster_store.h"
#include "storage/session_store.h"
#include "storage/vault_store.h"
#include "tests/support/postgres.h"

namespace godwit::storage {

// Bytes without a meaning: storage looks at none.
base::Bytes RandomBytes(std::size_t size);
template <class Id>
Id Random() {
  return *Id::FromBytes(RandomBytes(Id::kSize));
}

inline constexpr std::uint8_t kCaseKind = 9;
inline constexpr std::uint64_t kNow = 1'800'000'000'000;

// A database with all stores on it, acting as the service's role.
struct Stores {
  explicit Stores(support::PostgresDatabase given = {}, std::size_t connections = 8);

  support::PostgresDatabase postgres;
  Database owner;
  Database database;
  TableSaltStore salts;
  RosterStore roster;
  VaultStore vaults;
  BoardStore boards;
  SessionStore sessions;
  MailboxStore mailbox;
  QuotaStore quotas;
};

// The same with a realm in it.
struct Realm : Stores {
  explicit Realm(support::PostgresDatabase given = {}, std::size_t connections = 8);

  // Commits one vault's entries at the roster's head; nothing if the call failed.
  std::optional<CommitOutcome> Commit(const VaultCommit& commit);
  // One number of the database, by SQL as the superuser.
  std::uint64_t Number(const std::string& sql) const;

  RealmRow row;
  const base::RealmId& id = row.realm;
  ChainTag roster_tag = Random<ChainTag>();
};

// A vault that its commits build: it knows what a client and the verifier would.
class VaultBuilder {
 public:
  explicit VaultBuilder(std::uint8_t kind = kCaseKind);

  // CREATE, EPOCH 1 with `members`, and rver 1 of the pinned record.
  VaultCommit Create(const std::vector<MembershipRow>& members);
  // An EPOCH with `members`.
  VaultCommit Rekey(const std::vector<MembershipRow>& members);
  // A REV of `record`, new or there already.
  VaultCommit Revise(const base::RecordId& record, std::size_t size = 272, bool forget = false);
  // A TOMB of a record that is there.
  VaultCommit Bury(const base::RecordId& record);

  // Takes a commit as done: the next one is built on it.
  void Take(const VaultCommit& commit) { now_ = commit.after; }

  const base::VaultId& id() const { return now_.vault; }
  const VaultRow& now() const { return now_; }
  base::RecordId pinned_record = Random<base::RecordId>();
  ChainTag tag = Random<ChainTag>();

 private:
  VaultCommit Start() const;
  EntryRow& AddEntry(VaultCommit& commit, std::uint8_t type);
  void AddRevision(VaultCommit& commit, const base::RecordId& record, std::size_t size);
  void AddEpoch(VaultCommit& commit, const std::vector<MembershipRow>& members);

  VaultRow now_;
  bool created_ = false;
  std::vector<std::pair<base::RecordId, std::uint64_t>> rvers_;
};

}  // namespace godwit::storage
