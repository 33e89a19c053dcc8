#include "storage/mailbox_store.h"

namespace godwit::storage {
namespace {

using base::Code;
using base::Error;
using base::Status;

constexpr Statement kPut = {"offer_put", R"(
INSERT INTO invitation (realm_id, invite_id, offerer, expires_ms, offer)
VALUES ($1::bytea, $2::bytea, $3::bytea, $4::bigint, $5::bytea)
ON CONFLICT (realm_id, invite_id) DO NOTHING RETURNING 1)"};

constexpr Statement kCountOpen = {"offer_count", R"(
SELECT count(*) FROM invitation
WHERE realm_id = $1::bytea AND invite_id <> $2::bytea AND offerer = $3::bytea
  AND expires_ms > $4::bigint)"};

constexpr Statement kFind = {"invitation_find", R"(
SELECT offerer, expires_ms, offer, j1, j2, j3 FROM invitation
WHERE realm_id = $1::bytea AND invite_id = $2::bytea AND expires_ms > $3::bigint)"};

constexpr Statement kDelete = {"offer_delete", R"(
DELETE FROM invitation
WHERE realm_id = $1::bytea AND invite_id = $2::bytea AND offerer = $3::bytea RETURNING 1)"};

constexpr Statement kExpire = {
    "invitation_expire",
    "DELETE FROM invitation WHERE realm_id = $1::bytea AND expires_ms <= $2::bigint"};

// Whether the message is there now: the same bytes may come again, others may not.
constexpr Statement kPutSteps[] = {
    {"join_put_1", R"(
UPDATE invitation SET j1 = coalesce(j1, $3::bytea)
WHERE realm_id = $1::bytea AND invite_id = $2::bytea AND expires_ms > $4::bigint
RETURNING j1 = $3::bytea)"},
    {"join_put_2", R"(
UPDATE invitation SET j2 = coalesce(j2, $3::bytea)
WHERE realm_id = $1::bytea AND invite_id = $2::bytea AND expires_ms > $4::bigint
RETURNING j2 = $3::bytea)"},
    {"join_put_3", R"(
UPDATE invitation SET j3 = coalesce(j3, $3::bytea)
WHERE realm_id = $1::bytea AND invite_id = $2::bytea AND expires_ms > $4::bigint
RETURNING j3 = $3::bytea)"},
};

base::Result<std::optional<Invitation>> FindLive(Transaction& transaction,
                                                 const base::RealmId& realm,
                                                 const base::InviteId& invite,
                                                 std::uint64_t now_ms) {
  const auto rows = transaction.Execute(kFind, Parameters().Id(realm).Id(invite).Int(now_ms));
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<Invitation>();
  const auto step = [&](std::size_t column) {
    return rows->IsNull(0, column) ? base::Bytes() : rows->Bytes(0, column);
  };
  return std::optional(Invitation{.invite = invite,
                                  .offerer = rows->As<base::MemberId>(0, 0),
                                  .expires_ms = rows->Int(0, 1),
                                  .offer = rows->Bytes(0, 2),
                                  .j1 = step(3),
                                  .j2 = step(4),
                                  .j3 = step(5)});
}

}  // namespace

Status MailboxStore::PutOffer(const base::RealmId& realm, const Invitation& invitation,
                              std::uint64_t now_ms, std::uint64_t most_open) {
  return database_.Write([&](Transaction& transaction) -> Status {
    const auto open = transaction.Execute(
        kCountOpen,
        Parameters().Id(realm).Id(invitation.invite).Id(invitation.offerer).Int(now_ms));
    if (!open) return open.error();
    if (open->Int(0, 0) >= most_open) {
      return Error(Code::kRateLimited,
                   "you have as many open invitations as you may: withdraw one, or wait for a day");
    }
    Parameters row;
    row.Id(realm).Id(invitation.invite).Id(invitation.offerer).Int(invitation.expires_ms);
    const auto put = transaction.Execute(kPut, row.Bytes(invitation.offer));
    if (!put) return put.error();
    if (!put->empty()) return Status::Ok();
    const auto there = FindLive(transaction, realm, invitation.invite, now_ms);
    if (!there) return there.error();
    if (*there && (*there)->offer == invitation.offer && (*there)->offerer == invitation.offerer) {
      return Status::Ok();
    }
    return Error(Code::kConflict, "this invitation's id is taken: make a new invitation");
  });
}

Status MailboxStore::Delete(const base::RealmId& realm, const base::InviteId& invite,
                            const base::MemberId& offerer) {
  return database_.Write([&](Transaction& transaction) -> Status {
    const auto deleted =
        transaction.Execute(kDelete, Parameters().Id(realm).Id(invite).Id(offerer));
    if (!deleted) return deleted.error();
    if (deleted->empty()) return Error(Code::kNotFound, "no such invitation");
    return Status::Ok();
  });
}

Status MailboxStore::PutStep(const base::RealmId& realm, const base::InviteId& invite,
                             JoinStep step, base::ByteSpan message, std::uint64_t now_ms) {
  const Statement& put = kPutSteps[static_cast<std::size_t>(step) - 1];
  return database_.Write([&](Transaction& transaction) -> Status {
    const auto rows =
        transaction.Execute(put, Parameters().Id(realm).Id(invite).Bytes(message).Int(now_ms));
    if (!rows) return rows.error();
    if (rows->empty()) return Error(Code::kNotFound, "no such invitation, or it has ended");
    if (!rows->Bool(0, 0)) {
      return Error(Code::kConflict,
                   "another message of this step is there: start a new invitation");
    }
    return Status::Ok();
  });
}

base::Result<std::optional<Invitation>> MailboxStore::Find(const base::RealmId& realm,
                                                           const base::InviteId& invite,
                                                           std::uint64_t now_ms) {
  return ReadAs<std::optional<Invitation>>(database_, [&](Transaction& transaction) {
    return FindLive(transaction, realm, invite, now_ms);
  });
}

Status MailboxStore::DeleteExpired(const base::RealmId& realm, std::uint64_t now_ms) {
  return database_.Write([&](Transaction& transaction) -> Status {
    const auto deleted = transaction.Execute(kExpire, Parameters().Id(realm).Int(now_ms));
    if (!deleted) return deleted.error();
    return Status::Ok();
  });
}

}  // namespace godwit::storage
