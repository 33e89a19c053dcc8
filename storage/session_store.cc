#include "storage/session_store.h"

#include <vector>

namespace godwit::storage {
namespace {

using base::Code;
using base::Error;
using base::Status;

constexpr Statement kPutNonce = {
    "nonce_put",
    "INSERT INTO nonce (realm_id, nonce, expires_ms) VALUES ($1::bytea, $2::bytea, $3::bigint)"};

// Of two who take it at once, one deletes the row and the other finds none.
constexpr Statement kTakeNonce = {"nonce_take", R"(
DELETE FROM nonce
WHERE realm_id = $1::bytea AND nonce = $2::bytea AND expires_ms > $3::bigint RETURNING 1)"};

constexpr Statement kOpen = {"session_open", R"(
INSERT INTO session (realm_id, token_sha256, member_id, device_id, expires_ms)
VALUES ($1::bytea, $2::bytea, $3::bytea, $4::bytea, $5::bigint))"};

constexpr Statement kFind = {"session_find", R"(
SELECT s.member_id, s.device_id, s.expires_ms, r.head_seq, r.head_link
FROM session AS s JOIN realm AS r ON r.realm_id = s.realm_id
WHERE s.realm_id = $1::bytea AND s.token_sha256 = $2::bytea AND s.expires_ms > $3::bigint)"};

constexpr Statement kLiving = {"session_living", R"(
SELECT token_sha256 FROM session
WHERE realm_id = $1::bytea AND token_sha256 = ANY ($2::bytea[]) AND expires_ms > $3::bigint)"};

constexpr Statement kClose = {
    "session_close", "DELETE FROM session WHERE realm_id = $1::bytea AND token_sha256 = $2::bytea"};

constexpr Statement kCloseDevice = {
    "session_close_device",
    "DELETE FROM session WHERE realm_id = $1::bytea AND device_id = $2::bytea"};

constexpr Statement kExpireNonces = {
    "nonce_expire", "DELETE FROM nonce WHERE realm_id = $1::bytea AND expires_ms <= $2::bigint"};
constexpr Statement kExpireSessions = {
    "session_expire",
    "DELETE FROM session WHERE realm_id = $1::bytea AND expires_ms <= $2::bigint"};

Status WriteOne(Database& database, const Statement& statement, const Parameters& parameters) {
  return database.Write([&](Transaction& transaction) -> Status {
    const auto rows = transaction.Execute(statement, parameters);
    if (!rows) return rows.error();
    return Status::Ok();
  });
}

}  // namespace

Status SessionStore::PutNonce(const base::RealmId& realm, const Nonce& nonce,
                              std::uint64_t expires_ms) {
  return WriteOne(database_, kPutNonce, Parameters().Id(realm).Id(nonce).Int(expires_ms));
}

Status SessionStore::TakeNonce(const base::RealmId& realm, const Nonce& nonce,
                               std::uint64_t now_ms) {
  return database_.Write([&](Transaction& transaction) -> Status {
    const auto rows = transaction.Execute(kTakeNonce, Parameters().Id(realm).Id(nonce).Int(now_ms));
    if (!rows) return rows.error();
    if (rows->empty()) return Error(Code::kNotFound, "the nonce is used up or too old");
    return Status::Ok();
  });
}

Status SessionStore::Open(const base::RealmId& realm, const SessionRow& session) {
  Parameters row;
  row.Id(realm).Id(session.token).Id(session.member).Id(session.device).Int(session.expires_ms);
  return WriteOne(database_, kOpen, row);
}

base::Result<std::optional<LiveSession>> SessionStore::Find(const base::RealmId& realm,
                                                            const TokenHash& token,
                                                            std::uint64_t now_ms) {
  using Found = std::optional<LiveSession>;
  const auto rows = database_.Select(kFind, Parameters().Id(realm).Id(token).Int(now_ms));
  if (!rows) return rows.error();
  if (rows->empty()) return Found();
  return Found({.session = {.token = token,
                            .member = rows->As<base::MemberId>(0, 0),
                            .device = rows->As<base::DeviceId>(0, 1),
                            .expires_ms = rows->Int(0, 2)},
                .roster = {rows->Int(0, 3), rows->As<base::Link>(0, 4)}});
}

base::Result<std::set<TokenHash>> SessionStore::Living(const base::RealmId& realm,
                                                       const std::set<TokenHash>& tokens,
                                                       std::uint64_t now_ms) {
  using Found = std::set<TokenHash>;
  return ReadAs<Found>(database_, [&](Transaction& transaction) -> base::Result<Found> {
    std::vector<base::ByteSpan> hashes;
    for (const TokenHash& token : tokens) hashes.push_back(token.bytes());
    const auto rows =
        transaction.Execute(kLiving, Parameters().Id(realm).BytesArray(hashes).Int(now_ms));
    if (!rows) return rows.error();
    Found living;
    for (std::size_t i = 0; i < rows->size(); ++i) living.insert(rows->As<TokenHash>(i, 0));
    return living;
  });
}

Status SessionStore::Close(const base::RealmId& realm, const TokenHash& token) {
  return WriteOne(database_, kClose, Parameters().Id(realm).Id(token));
}

Status SessionStore::CloseDevice(const base::RealmId& realm, const base::DeviceId& device) {
  return WriteOne(database_, kCloseDevice, Parameters().Id(realm).Id(device));
}

Status SessionStore::DeleteExpired(const base::RealmId& realm, std::uint64_t now_ms) {
  const Parameters parameters = Parameters().Id(realm).Int(now_ms);
  if (const Status status = WriteOne(database_, kExpireNonces, parameters); !status) return status;
  return WriteOne(database_, kExpireSessions, parameters);
}

}  // namespace godwit::storage
