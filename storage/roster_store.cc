#include "storage/roster_store.h"

#include <span>

#include "crypto/hash.h"

namespace godwit::storage {
namespace {

using base::ByteSpan;
using base::Code;
using base::Error;
using base::Status;

constexpr std::uint64_t kRosterLeaf = 1;
constexpr std::uint64_t kPageBytes = 1 << 20;

constexpr Statement kLoad = {
    "realm_load", "SELECT realm_id, compartment, fingerprint, head_seq, head_link FROM realm"};

// By who owns the schema.
constexpr Statement kDropClaim = {"claim_drop", "DELETE FROM genesis_claim"};
constexpr Statement kPutClaim = {"claim_put", R"(
INSERT INTO genesis_claim (realm_id, claim_sha256)
SELECT decode(repeat('00', 16), 'hex'), $1::bytea WHERE NOT EXISTS (SELECT FROM realm)
ON CONFLICT DO NOTHING RETURNING 1)"};

// Deleting it, two who come with the claim at once wait for each other, and the second finds none.
constexpr Statement kTakeClaim = {
    "claim_take", "DELETE FROM genesis_claim WHERE claim_sha256 = $1::bytea RETURNING 1"};

constexpr Statement kCreate = {"realm_create", R"(
INSERT INTO realm (realm_id, compartment, fingerprint, head_seq, head_link)
VALUES ($1::bytea, $2::bigint, $3::bytea, 0, $4::bytea))"};

constexpr Statement kLockHead = {
    "roster_lock", "SELECT head_seq, head_link FROM realm WHERE realm_id = $1::bytea FOR UPDATE"};

constexpr Statement kMoveHead = {"roster_move", R"(
UPDATE realm SET head_seq = $2::bigint, head_link = $3::bytea WHERE realm_id = $1::bytea)"};

constexpr Statement kInsert = {"statement_insert", R"(
INSERT INTO statement (realm_id, seq, link, bytes)
SELECT $1::bytea, * FROM unnest($2::bigint[], $3::bytea[], $4::bytea[]))"};

// A statement is admitted at the head that it becomes.
constexpr Statement kInsertLeaves = {"statement_leaf_insert", R"(
INSERT INTO leaf (realm_id, chain_tag, seq, link, leaf_type, roster_seq)
SELECT $1::bytea, $2::bytea, u.seq, u.link, $5::bigint, u.seq
FROM unnest($3::bigint[], $4::bytea[]) AS u (seq, link))"};

constexpr Statement kInsertBoxes = {"puk_box_insert", R"(
INSERT INTO puk_box (realm_id, device_id, gen, member_id, box)
SELECT $1::bytea, * FROM unnest($2::bytea[], $3::bigint[], $4::bytea[], $5::bytea[]))"};

constexpr Statement kDropPukBoxes = {"puk_box_drop", R"(
DELETE FROM puk_box WHERE realm_id = $1::bytea
  AND (device_id = ANY ($2::bytea[]) OR member_id = ANY ($3::bytea[])))"};

constexpr Statement kDropSessions = {"session_drop", R"(
DELETE FROM session WHERE realm_id = $1::bytea
  AND (device_id = ANY ($2::bytea[]) OR member_id = ANY ($3::bytea[])))"};

// Whoever has a box of a vault is on the list of its EPOCH in force: the others lost theirs with
// it.
constexpr Statement kDropVaultBoxes = {"box_drop_members", R"(
DELETE FROM box WHERE ctid = ANY (ARRAY(
  SELECT b.row FROM unnest($2::bytea[]) AS u (member_id)
  CROSS JOIN LATERAL (SELECT vault_id FROM membership
                      WHERE realm_id = $1::bytea AND member_id = u.member_id OFFSET 0) AS m
  CROSS JOIN LATERAL (SELECT ctid AS row FROM box
                      WHERE realm_id = $1::bytea AND vault_id = m.vault_id
                        AND member_id = u.member_id OFFSET 0) AS b)))"};

constexpr Statement kDropInvites = {
    "invitation_drop",
    "DELETE FROM invitation WHERE realm_id = $1::bytea AND invite_id = ANY ($2::bytea[])"};

constexpr Statement kRead = {"statement_read", R"(
SELECT seq, link, bytes
FROM (SELECT s.*, sum(octet_length(s.bytes)) OVER (ORDER BY s.seq) - octet_length(s.bytes) AS before
      FROM (SELECT seq, link, bytes FROM statement
            WHERE realm_id = $1::bytea AND seq >= $2::bigint ORDER BY seq LIMIT $3::bigint) AS s)
  AS page
WHERE before < $4::bigint ORDER BY seq)"};

constexpr Statement kPukBoxes = {"puk_box_read", R"(
SELECT member_id, gen, box FROM puk_box
WHERE realm_id = $1::bytea AND device_id = $2::bytea AND gen >= $3::bigint ORDER BY gen)"};

Status Execute(Transaction& transaction, const Statement& statement, const Parameters& parameters) {
  const auto rows = transaction.Execute(statement, parameters);
  if (!rows) return rows.error();
  return Status::Ok();
}

Status InsertStatements(Transaction& transaction, const base::RealmId& realm,
                        const ChainTag& chain_tag, std::span<const StatementRow> statements) {
  std::vector<std::uint64_t> seqs;
  std::vector<ByteSpan> links, texts;
  for (const StatementRow& row : statements) {
    seqs.push_back(row.seq);
    links.push_back(row.link.bytes());
    texts.push_back(row.bytes);
  }
  Parameters rows;
  rows.Id(realm).IntArray(seqs).BytesArray(links).BytesArray(texts);
  if (const Status status = Execute(transaction, kInsert, rows); !status) return status;
  Parameters leaves;
  leaves.Id(realm).Id(chain_tag).IntArray(seqs).BytesArray(links).Int(kRosterLeaf);
  return Execute(transaction, kInsertLeaves, leaves);
}

// What the statements end.
Status Drop(Transaction& transaction, const base::RealmId& realm, const RosterAppend& append) {
  std::vector<ByteSpan> members, devices, invites;
  for (const base::MemberId& member : append.removed_members) members.push_back(member.bytes());
  for (const base::DeviceId& device : append.revoked_devices) devices.push_back(device.bytes());
  for (const base::InviteId& invite : append.used_invites) invites.push_back(invite.bytes());
  if (!members.empty() || !devices.empty()) {
    for (const Statement& statement : {kDropPukBoxes, kDropSessions}) {
      Parameters ended;
      ended.Id(realm).BytesArray(devices).BytesArray(members);
      if (const Status status = Execute(transaction, statement, ended); !status) return status;
    }
  }
  if (!members.empty()) {
    Parameters ended;
    ended.Id(realm).BytesArray(members);
    if (const Status status = Execute(transaction, kDropVaultBoxes, ended); !status) return status;
  }
  if (invites.empty()) return Status::Ok();
  Parameters used;
  used.Id(realm).BytesArray(invites);
  return Execute(transaction, kDropInvites, used);
}

base::Result<std::optional<RealmRow>> RealmOf(const base::Result<Rows>& rows) {
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<RealmRow>();
  return std::optional(RealmRow{.realm = rows->As<base::RealmId>(0, 0),
                                .compartment = static_cast<std::uint8_t>(rows->Int(0, 1)),
                                .fingerprint = rows->As<base::Fingerprint>(0, 2),
                                .roster = {rows->Int(0, 3), rows->As<base::Link>(0, 4)}});
}

Parameters StatementsFrom(const base::RealmId& realm, std::uint64_t from_seq, std::size_t limit) {
  return std::move(Parameters().Id(realm).Int(from_seq).Int(limit).Int(kPageBytes));
}

base::Result<std::vector<StatementRow>> StatementsOf(const base::Result<Rows>& rows) {
  if (!rows) return rows.error();
  std::vector<StatementRow> statements;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    statements.push_back(
        {.seq = rows->Int(i, 0), .bytes = rows->Bytes(i, 2), .link = rows->As<base::Link>(i, 1)});
  }
  return statements;
}

}  // namespace

base::Result<std::optional<RealmRow>> RosterStore::LoadRealm() {
  return RealmOf(database_.Select(kLoad));
}

base::Result<std::optional<Claim>> RosterStore::MakeClaim(bool again) {
  auto claim = Claim::Random();
  if (!claim) return claim.error();
  const auto hash = crypto::Sha256(claim->Expose());
  bool made = false;
  const Status status = database_.Write([&](Transaction& transaction) -> Status {
    if (again) {
      if (const Status dropped = Execute(transaction, kDropClaim, {}); !dropped) return dropped;
    }
    const auto rows = transaction.Execute(kPutClaim, Parameters().Bytes(hash));
    if (!rows) return rows.error();
    made = !rows->empty();
    return Status::Ok();
  });
  if (!status) return status.error();
  if (!made) return std::optional<Claim>();
  return std::optional<Claim>(*std::move(claim));
}

Status RosterStore::CreateRealm(ByteSpan claim, const RealmRow& realm, const ChainTag& chain_tag,
                                ByteSpan genesis) {
  const auto hash = crypto::Sha256(claim);
  return database_.Write([&](Transaction& transaction) -> Status {
    const auto taken = transaction.Execute(kTakeClaim, Parameters().Bytes(hash));
    if (!taken) return taken.error();
    // Read after the claim: whoever waited for another with the same claim sees that one's realm.
    const auto there = RealmOf(transaction.Execute(kLoad));
    if (!there) return there.error();
    if (*there) {
      const auto first =
          StatementsOf(transaction.Execute(kRead, StatementsFrom((*there)->realm, 0, 1)));
      if (!first) return first.error();
      if (!first->empty() && first->front().bytes == base::ToBytes(genesis)) return Status::Ok();
      return Error(Code::kExists, "this database has a realm already");
    }
    if (taken->empty()) {
      return Error(Code::kPermissionDenied,
                   "this is not the claim of the realm: use the one that godwit-admin printed");
    }
    Parameters row;
    row.Id(realm.realm).Int(realm.compartment).Id(realm.fingerprint).Id(realm.roster.link);
    if (const Status made = Execute(transaction, kCreate, row); !made) return made;
    const StatementRow statement{
        .seq = 0, .bytes = base::ToBytes(genesis), .link = realm.roster.link};
    return InsertStatements(transaction, realm.realm, chain_tag, {&statement, 1});
  });
}

Status RosterStore::Append(const base::RealmId& realm, const RosterAppend& append) {
  return database_.Write([&](Transaction& transaction) -> Status {
    const auto head = transaction.Execute(kLockHead, Parameters().Id(realm));
    if (!head) return head.error();
    if (head->empty() || append.statements.empty() ||
        ChainHead{head->Int(0, 0), head->As<base::Link>(0, 1)} != append.expected) {
      return Error(Code::kConflict, "the roster has moved: sync and try again");
    }
    const QuotaCharges charges(append.charges);
    const auto fits = ChargeQuotas(transaction, realm, {&charges, 1});
    if (!fits) return fits.error();
    if (!fits->front()) {
      return Error(Code::kRateLimited, "too many of these today: try again tomorrow");
    }

    if (const Status status =
            InsertStatements(transaction, realm, append.chain_tag, append.statements);
        !status) {
      return status;
    }
    // A device whose addition was given up may come again at once, with another box.
    if (const Status status = Drop(transaction, realm, append); !status) return status;
    if (!append.boxes.empty()) {
      std::vector<ByteSpan> devices, members, boxes;
      std::vector<std::uint64_t> gens;
      for (const PukBoxRow& row : append.boxes) {
        devices.push_back(row.device.bytes());
        gens.push_back(row.gen);
        members.push_back(row.member.bytes());
        boxes.push_back(row.box);
      }
      Parameters rows;
      rows.Id(realm).BytesArray(devices).IntArray(gens).BytesArray(members).BytesArray(boxes);
      if (const Status status = Execute(transaction, kInsertBoxes, rows); !status) return status;
    }
    const StatementRow& last = append.statements.back();
    return Execute(transaction, kMoveHead, Parameters().Id(realm).Int(last.seq).Id(last.link));
  });
}

base::Result<std::vector<StatementRow>> RosterStore::Read(const base::RealmId& realm,
                                                          std::uint64_t from_seq,
                                                          std::size_t limit) {
  return StatementsOf(database_.Select(kRead, StatementsFrom(realm, from_seq, limit)));
}

base::Result<std::vector<PukBoxRow>> RosterStore::PukBoxes(const base::RealmId& realm,
                                                           const base::DeviceId& device,
                                                           std::uint32_t from_gen) {
  using Boxes = std::vector<PukBoxRow>;
  const auto rows = database_.Select(kPukBoxes, Parameters().Id(realm).Id(device).Int(from_gen));
  if (!rows) return rows.error();
  Boxes boxes;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    boxes.push_back({.member = rows->As<base::MemberId>(i, 0),
                     .device = device,
                     .gen = static_cast<std::uint32_t>(rows->Int(i, 1)),
                     .box = rows->Bytes(i, 2)});
  }
  return boxes;
}

}  // namespace godwit::storage
