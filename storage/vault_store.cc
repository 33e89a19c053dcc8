#include "storage/vault_store.h"

#include <cassert>
#include <unordered_map>
#include <unordered_set>

namespace godwit::storage {
namespace {

using base::ByteSpan;
using base::Code;
using base::Error;
using base::Status;

constexpr std::uint64_t kVaultLeaf = 2;
constexpr std::uint64_t kEventLeaf = 4;
constexpr std::uint64_t kPageBytes = 1 << 20;
constexpr std::uint64_t kPageRecords = 256;

// Each statement below is driven by its arrays, one look into an index a row, by its very form:
// LATERAL with LIMIT or OFFSET 0, a subquery for one value, ON CONFLICT, ctid. A planner that has
// seen the tables empty would otherwise begin at their end.

// The roster's head first, under an id that no vault has, then the vaults in the order of the key,
// as the inserts of new vaults: two batches with the same vaults wait for each other and not in a
// circle.
constexpr Statement kLockHeads = {"vault_lock_heads", R"(
WITH roster AS (SELECT ''::bytea, head_seq, head_link FROM realm
                WHERE realm_id = $1::bytea FOR SHARE),
     vaults AS (SELECT vault_id, head_seq, head_link FROM vault
                WHERE realm_id = $1::bytea AND vault_id = ANY ($2::bytea[])
                ORDER BY vault_id FOR UPDATE)
SELECT * FROM roster UNION ALL SELECT * FROM vaults)"};

constexpr Statement kLockVault = {"vault_lock", R"(
SELECT head_seq, head_link FROM vault
WHERE realm_id = $1::bytea AND vault_id = $2::bytea FOR UPDATE)"};

constexpr Statement kInsertVaults = {"vault_insert", R"(
INSERT INTO vault (realm_id, vault_id, kind, head_seq, head_link, epoch, epoch_link, roster_seq,
                   pin_link, pin_seq, pin_record, pin_rver, erase_day, mark)
SELECT $1::bytea, u.vault_id, u.kind, u.head_seq, u.head_link, u.epoch, u.epoch_link, u.roster_seq,
       CASE WHEN u.pinned = 1 THEN u.pin_link END, CASE WHEN u.pinned = 1 THEN u.pin_seq END,
       CASE WHEN u.pinned = 1 THEN u.pin_record END, CASE WHEN u.pinned = 1 THEN u.pin_rver END,
       u.erase_day, pg_current_xact_id()
FROM unnest($2::bytea[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bytea[],
            $8::bigint[], $9::bigint[], $10::bytea[], $11::bigint[], $12::bytea[], $13::bigint[],
            $14::bigint[])
  AS u (vault_id, kind, head_seq, head_link, epoch, epoch_link, roster_seq, pinned, pin_link,
        pin_seq, pin_record, pin_rver, erase_day)
ORDER BY u.vault_id
ON CONFLICT (realm_id, vault_id) DO NOTHING
RETURNING vault_id)"};

// Rows that kLockVaults holds.
constexpr Statement kUpdateVaults = {"vault_update", R"(
INSERT INTO vault (realm_id, vault_id, kind, head_seq, head_link, epoch, epoch_link, roster_seq,
                   pin_link, pin_seq, pin_record, pin_rver, erase_day, mark)
SELECT $1::bytea, u.vault_id, u.kind, u.head_seq, u.head_link, u.epoch, u.epoch_link, u.roster_seq,
       CASE WHEN u.pinned = 1 THEN u.pin_link END, CASE WHEN u.pinned = 1 THEN u.pin_seq END,
       CASE WHEN u.pinned = 1 THEN u.pin_record END, CASE WHEN u.pinned = 1 THEN u.pin_rver END,
       u.erase_day, pg_current_xact_id()
FROM unnest($2::bytea[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bigint[], $7::bytea[],
            $8::bigint[], $9::bigint[], $10::bytea[], $11::bigint[], $12::bytea[], $13::bigint[],
            $14::bigint[])
  AS u (vault_id, kind, head_seq, head_link, epoch, epoch_link, roster_seq, pinned, pin_link,
        pin_seq, pin_record, pin_rver, erase_day)
ON CONFLICT (realm_id, vault_id) DO UPDATE
SET head_seq = excluded.head_seq, head_link = excluded.head_link, epoch = excluded.epoch,
    epoch_link = excluded.epoch_link, roster_seq = excluded.roster_seq,
    pin_link = excluded.pin_link, pin_seq = excluded.pin_seq, pin_record = excluded.pin_record,
    pin_rver = excluded.pin_rver, erase_day = excluded.erase_day, mark = excluded.mark)"};

constexpr Statement kInsertEntries = {"entry_insert", R"(
WITH leaves AS (
  INSERT INTO leaf (realm_id, chain_tag, seq, link, leaf_type, roster_seq)
  SELECT $1::bytea, u.*, $7::bigint, $8::bigint
  FROM unnest($6::bytea[], $3::bigint[], $5::bytea[]) AS u
)
INSERT INTO entry (realm_id, vault_id, seq, link, type, bytes)
SELECT $1::bytea, *
FROM unnest($2::bytea[], $3::bigint[], $5::bytea[], $4::bigint[], $9::bytea[]))"};

constexpr Statement kInsertLeaf = {"event_leaf_insert", R"(
INSERT INTO leaf (realm_id, chain_tag, seq, link, leaf_type, roster_seq)
VALUES ($1::bytea, $2::bytea, $3::bigint, $4::bytea, $5::bigint, $6::bigint))"};

constexpr Statement kInsertBoxes = {"box_insert", R"(
INSERT INTO box (realm_id, vault_id, member_id, epoch, box)
SELECT $1::bytea, * FROM unnest($2::bytea[], $3::bytea[], $4::bigint[], $5::bytea[]))"};

constexpr Statement kInsertOpenings = {"opening_insert", R"(
INSERT INTO opening (realm_id, vault_id, member_id, ask_link, until_ms)
SELECT $1::bytea, * FROM unnest($2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[])
ON CONFLICT DO NOTHING)"};

constexpr Statement kIsOpen = {"opening_read", R"(
SELECT FROM opening WHERE realm_id = $1::bytea AND vault_id = $2::bytea AND member_id = $3::bytea
  AND ask_link = $4::bytea AND until_ms > $5::bigint LIMIT 1)"};

constexpr Statement kDeleteMembers = {"membership_delete", R"(
DELETE FROM membership WHERE ctid = ANY (ARRAY(
  SELECT m.row FROM unnest($2::bytea[]) AS u (vault_id)
  CROSS JOIN LATERAL (SELECT ctid AS row FROM membership
                      WHERE realm_id = $1::bytea AND vault_id = u.vault_id OFFSET 0) AS m)))"};

constexpr Statement kInsertMembers = {"membership_insert", R"(
INSERT INTO membership (realm_id, vault_id, member_id, kind, perm, puk_gen)
SELECT $1::bytea, *
FROM unnest($2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[]))"};

// After the new lists are there.
constexpr Statement kDropBoxes = {"box_drop", R"(
DELETE FROM box AS b
WHERE b.realm_id = $1::bytea AND b.vault_id = ANY ($2::bytea[])
  AND (SELECT count(*) FROM membership AS m
       WHERE m.realm_id = $1::bytea AND m.vault_id = b.vault_id
         AND m.member_id = b.member_id) = 0)"};

constexpr Statement kPutRecords = {"record_put", R"(
WITH heads AS (
  INSERT INTO record (realm_id, vault_id, record_id, rver, seq, dead)
  SELECT $1::bytea, u.vault_id, u.record_id, u.rver, u.seq, u.dead = 1
  FROM unnest($2::bytea[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[])
    AS u (vault_id, record_id, rver, seq, dead)
  ON CONFLICT (realm_id, vault_id, record_id)
  DO UPDATE SET rver = excluded.rver, seq = excluded.seq, dead = excluded.dead
)
INSERT INTO record_blob (realm_id, vault_id, record_id, rver, ciphertext)
SELECT $1::bytea, * FROM unnest($7::bytea[], $8::bytea[], $9::bigint[], $10::bytea[]))"};

constexpr Statement kDeleteBlobs = {"record_blob_delete", R"(
DELETE FROM record_blob WHERE ctid = ANY (ARRAY(
  SELECT b.row FROM unnest($2::bytea[], $3::bytea[], $4::bigint[]) AS u (vault_id, record_id, below)
  CROSS JOIN LATERAL (SELECT ctid AS row FROM record_blob
                      WHERE realm_id = $1::bytea AND vault_id = u.vault_id
                        AND record_id = u.record_id AND rver < u.below OFFSET 0) AS b)))"};

constexpr Statement kFind = {"vault_find", R"(
SELECT kind, head_seq, head_link, epoch, epoch_link, roster_seq, pin_link, pin_seq, pin_record,
       pin_rver, erase_day
FROM vault WHERE realm_id = $1::bytea AND vault_id = $2::bytea)"};

constexpr Statement kListedPerm = {"membership_perm", R"(
SELECT perm FROM membership
WHERE realm_id = $1::bytea AND vault_id = $2::bytea AND member_id = $3::bytea)"};

// A page ends where the rows before one fill it.
constexpr Statement kReadEntries = {"entry_read", R"(
SELECT seq, type, link, bytes
FROM (SELECT e.*, sum(octet_length(e.bytes)) OVER (ORDER BY e.seq) - octet_length(e.bytes) AS before
      FROM (SELECT seq, type, link, bytes FROM entry
            WHERE realm_id = $1::bytea AND vault_id = $2::bytea AND seq >= $3::bigint
            ORDER BY seq LIMIT $4::bigint) AS e) AS page
WHERE before < $5::bigint ORDER BY seq)"};

constexpr Statement kEntryAt = {"entry_at", R"(
SELECT seq, type, link, bytes FROM entry
WHERE realm_id = $1::bytea AND vault_id = $2::bytea AND seq = $3::bigint)"};

constexpr Statement kBoxes = {"box_read", R"(
SELECT epoch, box FROM box
WHERE realm_id = $1::bytea AND vault_id = $2::bytea AND member_id = $3::bytea ORDER BY epoch)"};

constexpr Statement kReadContent = {"record_read", R"(
SELECT record_id, rver, ciphertext, found
FROM (SELECT c.*, count(*) OVER () AS found,
             sum(octet_length(c.ciphertext)) OVER (ORDER BY c.record_id)
               - octet_length(c.ciphertext) AS before
      FROM (SELECT r.record_id, r.rver, b.ciphertext
            FROM record AS r
            CROSS JOIN LATERAL (SELECT ciphertext FROM record_blob
                                WHERE realm_id = $1::bytea AND vault_id = $2::bytea
                                  AND record_id = r.record_id AND rver = r.rver LIMIT 1) AS b
            WHERE r.realm_id = $1::bytea AND r.vault_id = $2::bytea AND r.record_id > $5::bytea
              AND r.seq >= $4::bigint AND NOT r.dead
              AND ((SELECT perm & 1 FROM membership WHERE realm_id = $1::bytea
                    AND vault_id = $2::bytea AND member_id = $3::bytea) = 1
                   OR (SELECT count(*) FROM opening WHERE realm_id = $1::bytea
                       AND vault_id = $2::bytea AND member_id = $3::bytea
                       AND ask_link = $8::bytea AND until_ms > $9::bigint) = 1)
            ORDER BY r.record_id LIMIT $6::bigint) AS c) AS page
WHERE before < $7::bigint ORDER BY record_id)"};

constexpr Statement kDueForErasure = {"vault_due_for_erasure", R"(
SELECT vault_id FROM vault
WHERE realm_id = $1::bytea AND erase_day > 0 AND erase_day < $2::bigint
ORDER BY erase_day, vault_id LIMIT $3::bigint)"};

// A number of our own choice: whoever numbers an event waits for it.
constexpr Statement kLockEvents = {"event_lock", "SELECT pg_advisory_xact_lock(7241968)"};

constexpr Statement kHoldRosterAsItIs = {
    "vault_hold_roster", "SELECT head_seq FROM realm WHERE realm_id = $1::bytea FOR SHARE"};

constexpr Statement kEraseBoxes = {
    "box_erase", "DELETE FROM box WHERE realm_id = $1::bytea AND vault_id = $2::bytea"};

constexpr Statement kEraseBlobs = {
    "record_blob_erase",
    "DELETE FROM record_blob WHERE realm_id = $1::bytea AND vault_id = $2::bytea"};

constexpr Statement kSetEraseDay = {"vault_set_erase_day", R"(
UPDATE vault SET erase_day = $3::bigint WHERE realm_id = $1::bytea AND vault_id = $2::bytea)"};

constexpr Statement kNextEvent = {
    "event_next", "SELECT coalesce(max(n) + 1, 0) FROM event WHERE realm_id = $1::bytea"};

constexpr Statement kInsertEvent = {
    "event_insert",
    "INSERT INTO event (realm_id, n, bytes) VALUES ($1::bytea, $2::bigint, $3::bytea)"};

struct HeadColumns {
  std::vector<ByteSpan> vaults, head_links, epoch_links, pin_links, pin_records;
  std::vector<std::uint64_t> kinds, head_seqs, epochs, roster_seqs, pinned, pin_seqs, pin_rvers,
      erase_days;

  void Add(const VaultRow& row) {
    static constexpr base::Link kNoLink;
    static constexpr base::RecordId kNoRecord;
    vaults.push_back(row.vault.bytes());
    kinds.push_back(row.kind);
    head_seqs.push_back(row.head.seq);
    head_links.push_back(row.head.link.bytes());
    epochs.push_back(row.epoch);
    epoch_links.push_back(row.epoch_link.bytes());
    roster_seqs.push_back(row.roster_seq);
    pinned.push_back(row.pinned ? 1 : 0);
    pin_links.push_back((row.pinned ? row.pinned->link : kNoLink).bytes());
    pin_seqs.push_back(row.pinned ? row.pinned->seq : 0);
    pin_records.push_back((row.pinned ? row.pinned->record : kNoRecord).bytes());
    pin_rvers.push_back(row.pinned ? row.pinned->rver : 0);
    erase_days.push_back(row.erase_day);
  }
  Parameters Make(const base::RealmId& realm) const {
    Parameters parameters;
    parameters.Id(realm).BytesArray(vaults).IntArray(kinds).IntArray(head_seqs);
    parameters.BytesArray(head_links).IntArray(epochs).BytesArray(epoch_links);
    parameters.IntArray(roster_seqs).IntArray(pinned).BytesArray(pin_links).IntArray(pin_seqs);
    parameters.BytesArray(pin_records).IntArray(pin_rvers).IntArray(erase_days);
    return parameters;
  }
};

// One transaction's work on a batch. The outcomes are final once the transaction is committed.
class Batch {
 public:
  Batch(Transaction& transaction, SaltStore& salts, const base::RealmId& realm,
        const ChainHead& roster)
      : transaction_(transaction), salts_(salts), realm_(realm), roster_(roster) {}

  // STALE_ROSTER: the roster has moved.
  base::Result<std::vector<CommitOutcome>> Run(std::span<const VaultCommit* const> commits) {
    std::vector<CommitOutcome> outcomes(commits.size(), CommitOutcome::kCommitted);
    if (const Status status = CompareHeads(commits, outcomes); !status) return status.error();
    if (const Status status = Charge(commits, outcomes); !status) return status.error();
    if (const Status status = InsertHeads(commits, outcomes); !status) return status.error();
    for (std::size_t i = 0; i < commits.size(); ++i) {
      if (outcomes[i] == CommitOutcome::kCommitted) winners_.push_back(commits[i]);
    }
    if (winners_.empty()) return outcomes;
    for (const auto step :
         {&Batch::UpdateHeads, &Batch::WriteEntries, &Batch::WriteMembers, &Batch::WriteBoxes,
          &Batch::WriteRecords, &Batch::WriteOpenings, &Batch::Forget}) {
      if (const Status status = (this->*step)(); !status) return status.error();
    }
    return outcomes;
  }

 private:
  Status Execute(const Statement& statement, const Parameters& parameters) {
    const auto rows = transaction_.Execute(statement, parameters);
    if (!rows) return rows.error();
    return Status::Ok();
  }

  Status CompareHeads(std::span<const VaultCommit* const> commits,
                      std::vector<CommitOutcome>& outcomes) {
    std::vector<ByteSpan> vaults;
    for (const VaultCommit* commit : commits) vaults.push_back(commit->after.vault.bytes());
    const auto rows = transaction_.Execute(kLockHeads, Parameters().Id(realm_).BytesArray(vaults));
    if (!rows) return rows.error();
    if (rows->empty() || ChainHead{rows->Int(0, 1), rows->As<base::Link>(0, 2)} != roster_) {
      return Error(Code::kStaleRoster, "the roster has moved since the entries were judged");
    }
    std::unordered_map<base::VaultId, ChainHead> heads;
    for (std::size_t i = 1; i < rows->size(); ++i) {
      heads[rows->As<base::VaultId>(i, 0)] = {rows->Int(i, 1), rows->As<base::Link>(i, 2)};
    }
    std::unordered_set<base::VaultId> seen;
    for (std::size_t i = 0; i < commits.size(); ++i) {
      std::optional<ChainHead> head;
      if (const auto found = heads.find(commits[i]->after.vault); found != heads.end()) {
        head = found->second;
      }
      const bool first = seen.insert(commits[i]->after.vault).second;
      if (!first || head != commits[i]->expected) outcomes[i] = CommitOutcome::kConflict;
    }
    return Status::Ok();
  }

  Status Charge(std::span<const VaultCommit* const> commits, std::vector<CommitOutcome>& outcomes) {
    std::vector<QuotaCharges> acts;
    for (std::size_t i = 0; i < commits.size(); ++i) {
      acts.push_back(outcomes[i] == CommitOutcome::kCommitted ? QuotaCharges(commits[i]->charges)
                                                              : QuotaCharges());
    }
    const auto fits = ChargeQuotas(transaction_, realm_, acts);
    if (!fits) return fits.error();
    for (std::size_t i = 0; i < commits.size(); ++i) {
      if (!(*fits)[i]) outcomes[i] = CommitOutcome::kOverQuota;
    }
    return Status::Ok();
  }

  // New vaults: one that another batch makes at this moment is waited for, and then conflicts.
  Status InsertHeads(std::span<const VaultCommit* const> commits,
                     std::vector<CommitOutcome>& outcomes) {
    HeadColumns columns;
    for (std::size_t i = 0; i < commits.size(); ++i) {
      if (outcomes[i] == CommitOutcome::kCommitted && !commits[i]->expected) {
        columns.Add(commits[i]->after);
      }
    }
    if (columns.vaults.empty()) return Status::Ok();
    const auto rows = transaction_.Execute(kInsertVaults, columns.Make(realm_));
    if (!rows) return rows.error();
    std::unordered_set<base::VaultId> made;
    for (std::size_t i = 0; i < rows->size(); ++i) made.insert(rows->As<base::VaultId>(i, 0));
    std::vector<QuotaCharges> lost;
    for (std::size_t i = 0; i < commits.size(); ++i) {
      if (outcomes[i] == CommitOutcome::kCommitted && !commits[i]->expected &&
          !made.contains(commits[i]->after.vault)) {
        outcomes[i] = CommitOutcome::kConflict;
        lost.emplace_back(commits[i]->charges);
      }
    }
    return RefundQuotas(transaction_, realm_, lost);
  }

  Status UpdateHeads() {
    HeadColumns columns;
    for (const VaultCommit* commit : winners_) {
      if (commit->expected) columns.Add(commit->after);
    }
    if (columns.vaults.empty()) return Status::Ok();
    return Execute(kUpdateVaults, columns.Make(realm_));
  }

  Status WriteEntries() {
    std::vector<ByteSpan> vaults, links, texts, tags;
    std::vector<std::uint64_t> seqs, types;
    for (const VaultCommit* commit : winners_) {
      for (const EntryRow& entry : commit->entries) {
        vaults.push_back(commit->after.vault.bytes());
        tags.push_back(commit->chain_tag.bytes());
        seqs.push_back(entry.seq);
        types.push_back(entry.type);
        links.push_back(entry.link.bytes());
        texts.push_back(entry.bytes);
      }
    }
    Parameters entries;
    entries.Id(realm_).BytesArray(vaults).IntArray(seqs).IntArray(types).BytesArray(links);
    entries.BytesArray(tags).Int(kVaultLeaf).Int(roster_.seq).BytesArray(texts);
    return Execute(kInsertEntries, entries);
  }

  Status WriteMembers() {
    std::vector<ByteSpan> vaults, members;
    std::vector<std::uint64_t> kinds, perms, gens;
    for (const VaultCommit* commit : winners_) {
      if (!commit->membership) continue;
      relisted_.push_back(commit->after.vault.bytes());
      for (const MembershipRow& row : *commit->membership) {
        vaults.push_back(commit->after.vault.bytes());
        members.push_back(row.member.bytes());
        kinds.push_back(commit->after.kind);
        perms.push_back(row.perm);
        gens.push_back(row.puk_gen);
      }
    }
    if (relisted_.empty()) return Status::Ok();
    Parameters old;
    old.Id(realm_).BytesArray(relisted_);
    if (const Status status = Execute(kDeleteMembers, old); !status) return status;
    Parameters rows;
    rows.Id(realm_).BytesArray(vaults).BytesArray(members);
    rows.IntArray(kinds).IntArray(perms).IntArray(gens);
    return Execute(kInsertMembers, rows);
  }

  Status WriteBoxes() {
    std::vector<ByteSpan> vaults, members, boxes;
    std::vector<std::uint64_t> epochs;
    for (const VaultCommit* commit : winners_) {
      for (const VaultBoxRow& row : commit->boxes) {
        vaults.push_back(commit->after.vault.bytes());
        members.push_back(row.member.bytes());
        epochs.push_back(row.epoch);
        boxes.push_back(row.box);
      }
    }
    if (!vaults.empty()) {
      Parameters rows;
      rows.Id(realm_).BytesArray(vaults).BytesArray(members).IntArray(epochs).BytesArray(boxes);
      if (const Status status = Execute(kInsertBoxes, rows); !status) return status;
    }
    if (relisted_.empty()) return Status::Ok();
    Parameters parameters;
    parameters.Id(realm_).BytesArray(relisted_);
    return Execute(kDropBoxes, parameters);
  }

  Status WriteOpenings() {
    std::vector<ByteSpan> vaults, members, asks;
    std::vector<std::uint64_t> untils;
    for (const VaultCommit* commit : winners_) {
      for (const OpeningRow& row : commit->openings) {
        vaults.push_back(commit->after.vault.bytes());
        members.push_back(row.member.bytes());
        asks.push_back(row.ask.bytes());
        untils.push_back(row.until_ms);
      }
    }
    if (vaults.empty()) return Status::Ok();
    Parameters rows;
    rows.Id(realm_).BytesArray(vaults).BytesArray(members).BytesArray(asks).IntArray(untils);
    return Execute(kInsertOpenings, rows);
  }

  Status WriteRecords() {
    std::vector<ByteSpan> head_vaults, head_records, vaults, records, ciphertexts;
    std::vector<std::uint64_t> head_rvers, head_seqs, dead, rvers;
    std::vector<SaltRow> salts;
    for (const VaultCommit* commit : winners_) {
      for (const RecordHeadRow& row : commit->records) {
        head_vaults.push_back(commit->after.vault.bytes());
        head_records.push_back(row.record.bytes());
        head_rvers.push_back(row.rver);
        head_seqs.push_back(row.seq);
        dead.push_back(row.dead ? 1 : 0);
      }
      for (const RevisionRow& row : commit->revisions) {
        vaults.push_back(commit->after.vault.bytes());
        records.push_back(row.record.bytes());
        rvers.push_back(row.rver);
        ciphertexts.push_back(row.ciphertext);
        salts.push_back({{commit->after.vault, row.record, row.rver}, row.salt});
      }
    }
    if (head_vaults.empty() && vaults.empty()) return Status::Ok();
    Parameters rows;
    rows.Id(realm_).BytesArray(head_vaults).BytesArray(head_records).IntArray(head_rvers);
    rows.IntArray(head_seqs).IntArray(dead);
    rows.BytesArray(vaults).BytesArray(records).IntArray(rvers).BytesArray(ciphertexts);
    if (const Status status = Execute(kPutRecords, rows); !status) return status;
    return salts_.Put(transaction_, realm_, salts);
  }

  // After the new revisions are there: a commit may forget what it brings itself.
  Status Forget() {
    std::vector<ByteSpan> vaults, records;
    std::vector<std::uint64_t> below;
    std::vector<RevisionKey> bounds;
    for (const VaultCommit* commit : winners_) {
      for (const ForgetRow& row : commit->forgets) {
        vaults.push_back(commit->after.vault.bytes());
        records.push_back(row.record.bytes());
        below.push_back(row.below_rver);
        bounds.push_back({commit->after.vault, row.record, row.below_rver});
      }
    }
    if (bounds.empty()) return Status::Ok();
    Parameters parameters;
    parameters.Id(realm_).BytesArray(vaults).BytesArray(records).IntArray(below);
    if (const Status status = Execute(kDeleteBlobs, parameters); !status) return status;
    return salts_.DeleteBelow(transaction_, realm_, bounds);
  }

  Transaction& transaction_;
  SaltStore& salts_;
  const base::RealmId& realm_;
  const ChainHead& roster_;
  std::vector<const VaultCommit*> winners_;
  std::vector<ByteSpan> relisted_;  // vaults with a new list
};

// Whether the vault, whose row is locked from here, ends with `expected`.
base::Result<bool> HoldVault(Transaction& transaction, const base::RealmId& realm,
                             const base::VaultId& vault, const ChainHead& expected) {
  const auto rows = transaction.Execute(kLockVault, Parameters().Id(realm).Id(vault));
  if (!rows) return rows.error();
  return !rows->empty() && ChainHead{rows->Int(0, 0), rows->As<base::Link>(0, 1)} == expected;
}

// The next event and its leaf, under kLockEvents.
Status WriteEvent(Transaction& transaction, const base::RealmId& realm, std::uint64_t roster_seq,
                  const MakeEvent& make) {
  static constexpr ChainTag kNoChain;
  const auto next = transaction.Execute(kNextEvent, Parameters().Id(realm));
  if (!next) return next.error();
  const std::uint64_t n = next->Int(0, 0);
  const EventRow event = make(n);
  const auto put =
      transaction.Execute(kInsertEvent, Parameters().Id(realm).Int(n).Bytes(event.bytes));
  if (!put) return put.error();
  Parameters leaf;
  leaf.Id(realm).Id(kNoChain).Int(n).Id(event.link).Int(kEventLeaf).Int(roster_seq);
  const auto written = transaction.Execute(kInsertLeaf, leaf);
  if (!written) return written.error();
  return Status::Ok();
}

EntryRow EntryOf(const Rows& rows, std::size_t i) {
  return {.seq = rows.Int(i, 0),
          .type = static_cast<std::uint8_t>(rows.Int(i, 1)),
          .link = rows.As<base::Link>(i, 2),
          .bytes = rows.Bytes(i, 3)};
}

}  // namespace

base::Result<std::vector<CommitOutcome>> VaultStore::CommitVaults(
    const base::RealmId& realm, const ChainHead& roster,
    std::span<const VaultCommit* const> commits) {
  std::vector<CommitOutcome> outcomes;
  if (commits.empty()) return outcomes;
  Status status = database_.Write([&](Transaction& transaction) -> Status {
    auto done = Batch(transaction, salts_, realm, roster).Run(commits);
    if (!done) return done.error();
    outcomes = *std::move(done);
    return Status::Ok();
  });
  if (status) return outcomes;
  if (status.error().code() != Code::kExists && status.error().code() != Code::kInvalidArgument) {
    return status.error();
  }

  // One commit breaks the schema. Its neighbours shall not suffer: each on its own, in one
  // transaction still.
  status = database_.Write([&](Transaction& transaction) -> Status {
    outcomes.assign(commits.size(), CommitOutcome::kRefused);
    for (std::size_t i = 0; i < commits.size(); ++i) {
      const Status tried = transaction.Attempt([&](Transaction& attempt) -> Status {
        auto done = Batch(attempt, salts_, realm, roster).Run(commits.subspan(i, 1));
        if (!done) return done.error();
        outcomes[i] = done->front();
        return Status::Ok();
      });
      if (!tried && tried.error().code() != Code::kExists &&
          tried.error().code() != Code::kInvalidArgument) {
        return tried;
      }
    }
    return Status::Ok();
  });
  if (!status) return status.error();
  return outcomes;
}

base::Result<std::optional<VaultRow>> VaultStore::Find(const base::RealmId& realm,
                                                       const base::VaultId& vault) {
  using Found = std::optional<VaultRow>;
  const auto rows = database_.Select(kFind, Parameters().Id(realm).Id(vault));
  if (!rows) return rows.error();
  if (rows->empty()) return Found();
  VaultRow row;
  row.vault = vault;
  row.kind = static_cast<std::uint8_t>(rows->Int(0, 0));
  row.head = {rows->Int(0, 1), rows->As<base::Link>(0, 2)};
  row.epoch = static_cast<std::uint32_t>(rows->Int(0, 3));
  row.epoch_link = rows->As<base::Link>(0, 4);
  row.roster_seq = rows->Int(0, 5);
  if (!rows->IsNull(0, 6)) {
    row.pinned = PinnedRow{.link = rows->As<base::Link>(0, 6),
                           .seq = rows->Int(0, 7),
                           .record = rows->As<base::RecordId>(0, 8),
                           .rver = rows->Int(0, 9)};
  }
  row.erase_day = static_cast<std::uint32_t>(rows->Int(0, 10));
  return Found(std::move(row));
}

base::Result<std::optional<std::uint8_t>> VaultStore::ListedPerm(const base::RealmId& realm,
                                                                 const base::VaultId& vault,
                                                                 const base::MemberId& member) {
  using Perm = std::optional<std::uint8_t>;
  const auto rows = database_.Select(kListedPerm, Parameters().Id(realm).Id(vault).Id(member));
  if (!rows) return rows.error();
  if (rows->empty()) return Perm();
  return Perm(static_cast<std::uint8_t>(rows->Int(0, 0)));
}

base::Result<std::vector<EntryRow>> VaultStore::ReadEntries(const base::RealmId& realm,
                                                            const base::VaultId& vault,
                                                            std::uint64_t from_seq,
                                                            std::size_t limit) {
  using Entries = std::vector<EntryRow>;
  const auto rows = database_.Select(
      kReadEntries, Parameters().Id(realm).Id(vault).Int(from_seq).Int(limit).Int(kPageBytes));
  if (!rows) return rows.error();
  Entries entries;
  for (std::size_t i = 0; i < rows->size(); ++i) entries.push_back(EntryOf(*rows, i));
  return entries;
}

base::Result<std::optional<EntryRow>> VaultStore::EntryAt(const base::RealmId& realm,
                                                          const base::VaultId& vault,
                                                          std::uint64_t seq) {
  using Found = std::optional<EntryRow>;
  const auto rows = database_.Select(kEntryAt, Parameters().Id(realm).Id(vault).Int(seq));
  if (!rows) return rows.error();
  return rows->empty() ? Found() : Found(EntryOf(*rows, 0));
}

base::Result<std::vector<EpochBoxRow>> VaultStore::Boxes(const base::RealmId& realm,
                                                         const base::VaultId& vault,
                                                         const base::MemberId& member) {
  using Boxes = std::vector<EpochBoxRow>;
  const auto rows = database_.Select(kBoxes, Parameters().Id(realm).Id(vault).Id(member));
  if (!rows) return rows.error();
  Boxes boxes;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    boxes.push_back({static_cast<std::uint32_t>(rows->Int(i, 0)), rows->Bytes(i, 1)});
  }
  return boxes;
}

base::Result<bool> VaultStore::IsOpen(const base::RealmId& realm, const base::VaultId& vault,
                                      const base::MemberId& member, const OpenedBy& opened) {
  Parameters parameters;
  parameters.Id(realm).Id(vault).Id(member).Id(opened.ask).Int(opened.now_ms);
  const auto rows = database_.Select(kIsOpen, parameters);
  if (!rows) return rows.error();
  return !rows->empty();
}

base::Result<ContentPage> VaultStore::ReadContent(
    const base::RealmId& realm, const base::VaultId& vault, const base::MemberId& member,
    std::uint64_t from_seq, const base::RecordId& after, const OpenedBy& opened) {
  return ReadAs<ContentPage>(database_, [&](Transaction& transaction) -> base::Result<ContentPage> {
    Parameters parameters;
    parameters.Id(realm).Id(vault).Id(member).Int(from_seq).Id(after);
    parameters.Int(kPageRecords).Int(kPageBytes).Id(opened.ask).Int(opened.now_ms);
    const auto rows = transaction.Execute(kReadContent, parameters);
    if (!rows) return rows.error();
    ContentPage page;
    std::vector<RevisionKey> keys;
    for (std::size_t i = 0; i < rows->size(); ++i) {
      page.records.push_back({.record = rows->As<base::RecordId>(i, 0),
                              .rver = rows->Int(i, 1),
                              .salt = std::nullopt,
                              .ciphertext = rows->Bytes(i, 2)});
      keys.push_back({vault, page.records.back().record, page.records.back().rver});
    }
    if (!rows->empty()) {
      const std::uint64_t found = rows->Int(0, 3);
      page.more = found == kPageRecords || found > rows->size();
    }
    const auto salts = salts_.Get(transaction, realm, keys);
    if (!salts) return salts.error();
    for (std::size_t i = 0; i < keys.size(); ++i) page.records[i].salt = (*salts)[i];
    return page;
  });
}

base::Result<std::vector<base::VaultId>> VaultStore::DueForErasure(const base::RealmId& realm,
                                                                   std::uint32_t today,
                                                                   std::size_t limit) {
  using Vaults = std::vector<base::VaultId>;
  const auto rows = database_.Select(kDueForErasure, Parameters().Id(realm).Int(today).Int(limit));
  if (!rows) return rows.error();
  Vaults vaults;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    vaults.push_back(rows->As<base::VaultId>(i, 0));
  }
  return vaults;
}

Status VaultStore::SetEraseDay(const base::RealmId& realm, const base::VaultId& vault,
                               const ChainHead& expected, std::uint32_t day) {
  return database_.Write([&](Transaction& transaction) -> Status {
    const auto held = HoldVault(transaction, realm, vault, expected);
    if (!held) return held.error();
    if (!*held) return Status::Ok();
    const auto set = transaction.Execute(kSetEraseDay, Parameters().Id(realm).Id(vault).Int(day));
    if (!set) return set.error();
    return Status::Ok();
  });
}

Status VaultStore::Erase(const base::RealmId& realm, const base::VaultId& vault,
                         const ChainHead& expected, const MakeEvent& make) {
  return database_.Write([&](Transaction& transaction) -> Status {
    if (const auto locked = transaction.Execute(kLockEvents); !locked) return locked.error();
    const auto roster = transaction.Execute(kHoldRosterAsItIs, Parameters().Id(realm));
    if (!roster) return roster.error();
    const auto held = HoldVault(transaction, realm, vault, expected);
    if (!held) return held.error();
    if (!*held || roster->empty()) return Status::Ok();
    const auto salts = salts_.DeleteAll(transaction, realm, vault);
    if (!salts) return salts.error();
    const auto boxes = transaction.Execute(kEraseBoxes, Parameters().Id(realm).Id(vault));
    if (!boxes) return boxes.error();
    const auto blobs = transaction.Execute(kEraseBlobs, Parameters().Id(realm).Id(vault));
    if (!blobs) return blobs.error();
    const auto done = transaction.Execute(kSetEraseDay, Parameters().Id(realm).Id(vault).Int(0));
    if (!done) return done.error();
    if (*salts + boxes->affected() + blobs->affected() == 0) return Status::Ok();
    return WriteEvent(transaction, realm, roster->Int(0, 0), make);
  });
}

}  // namespace godwit::storage
