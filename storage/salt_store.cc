#include "storage/salt_store.h"

namespace godwit::storage {
namespace {

using base::ByteSpan;
using base::Status;

constexpr Statement kPut = {"salt_put", R"(
INSERT INTO record_salt (realm_id, vault_id, record_id, rver, salt)
SELECT $1::bytea, * FROM unnest($2::bytea[], $3::bytea[], $4::bigint[], $5::bytea[]))"};

// As those of vault_store.cc, driven by the arrays.
constexpr Statement kGet = {"salt_get", R"(
SELECT u.place, s.salt
FROM unnest($2::bytea[], $3::bytea[], $4::bigint[]) WITH ORDINALITY
  AS u (vault_id, record_id, rver, place)
CROSS JOIN LATERAL (SELECT salt FROM record_salt
                    WHERE realm_id = $1::bytea AND vault_id = u.vault_id
                      AND record_id = u.record_id AND rver = u.rver LIMIT 1) AS s)"};

constexpr Statement kDeleteBelow = {"salt_delete_below", R"(
DELETE FROM record_salt WHERE ctid = ANY (ARRAY(
  SELECT s.row FROM unnest($2::bytea[], $3::bytea[], $4::bigint[]) AS u (vault_id, record_id, below)
  CROSS JOIN LATERAL (SELECT ctid AS row FROM record_salt
                      WHERE realm_id = $1::bytea AND vault_id = u.vault_id
                        AND record_id = u.record_id AND rver < u.below OFFSET 0) AS s)))"};

constexpr Statement kDeleteAll = {
    "salt_delete_all",
    "DELETE FROM record_salt WHERE realm_id = $1::bytea AND vault_id = $2::bytea"};

struct Columns {
  std::vector<ByteSpan> vaults, records;
  std::vector<std::uint64_t> rvers;

  void Add(const RevisionKey& key) {
    vaults.push_back(key.vault.bytes());
    records.push_back(key.record.bytes());
    rvers.push_back(key.rver);
  }
  Parameters Start(const base::RealmId& realm) const {
    Parameters parameters;
    parameters.Id(realm).BytesArray(vaults).BytesArray(records).IntArray(rvers);
    return parameters;
  }
};

}  // namespace

Status TableSaltStore::Put(Transaction& transaction, const base::RealmId& realm,
                           std::span<const SaltRow> salts) {
  if (salts.empty()) return Status::Ok();
  Columns columns;
  std::vector<ByteSpan> values;
  for (const SaltRow& row : salts) {
    columns.Add(row.revision);
    values.push_back(row.salt.bytes());
  }
  const auto put = transaction.Execute(kPut, columns.Start(realm).BytesArray(values));
  if (!put) return put.error();
  return Status::Ok();
}

base::Result<std::vector<std::optional<Salt>>> TableSaltStore::Get(
    Transaction& transaction, const base::RealmId& realm, std::span<const RevisionKey> revisions) {
  std::vector<std::optional<Salt>> salts(revisions.size());
  if (revisions.empty()) return salts;
  Columns columns;
  for (const RevisionKey& key : revisions) columns.Add(key);
  const auto rows = transaction.Execute(kGet, columns.Start(realm));
  if (!rows) return rows.error();
  for (std::size_t i = 0; i < rows->size(); ++i) {
    salts[rows->Int(i, 0) - 1] = rows->As<Salt>(i, 1);
  }
  return salts;
}

Status TableSaltStore::DeleteBelow(Transaction& transaction, const base::RealmId& realm,
                                   std::span<const RevisionKey> bounds) {
  if (bounds.empty()) return Status::Ok();
  Columns columns;
  for (const RevisionKey& key : bounds) columns.Add(key);
  const auto deleted = transaction.Execute(kDeleteBelow, columns.Start(realm));
  if (!deleted) return deleted.error();
  return Status::Ok();
}

base::Result<std::uint64_t> TableSaltStore::DeleteAll(Transaction& transaction,
                                                      const base::RealmId& realm,
                                                      const base::VaultId& vault) {
  const auto deleted = transaction.Execute(kDeleteAll, Parameters().Id(realm).Id(vault));
  if (!deleted) return deleted.error();
  return deleted->affected();
}

}  // namespace godwit::storage
