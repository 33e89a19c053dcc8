#include "storage/board_store.h"

#include <algorithm>

namespace godwit::storage {
namespace {

using base::ByteSpan;
using base::Code;
using base::Error;

constexpr std::uint64_t kPageRows = 256;
constexpr std::uint64_t kPageBytes = 1 << 20;
constexpr std::uint64_t kListRows = 4096;

// All transactions below the snapshot's xmin have ended: what they changed is seen at this moment,
// and what is not seen has a mark at or above it, whenever it commits. Transactions are numbered by
// the cluster, on each of its timelines.
constexpr Statement kMoment = {"board_moment", R"(
SELECT (SELECT system_identifier & 9223372036854775807 FROM pg_control_system()),
       (SELECT timeline_id FROM pg_control_checkpoint()),
       pg_snapshot_xmin(pg_current_snapshot()))"};

// All driven by the member's list or by arrays, as those of vault_store.cc.

constexpr Statement kBoard = {"board_vaults", R"(
SELECT v.vault_id, m.perm, v.head_seq, v.epoch, v.pin_seq, v.pin_record, v.pin_rver,
       coalesce((SELECT octet_length(b.ciphertext) FROM record_blob AS b
                 WHERE b.realm_id = v.realm_id AND b.vault_id = v.vault_id
                   AND b.record_id = v.pin_record AND b.rver = v.pin_rver), 0)
       + (SELECT sum(octet_length(e.bytes)) FROM entry AS e
          WHERE e.realm_id = v.realm_id AND e.vault_id = v.vault_id AND e.type = 2)
FROM membership AS m
CROSS JOIN LATERAL (SELECT * FROM vault
                    WHERE realm_id = $1::bytea AND vault_id = m.vault_id AND mark >= $5::xid8
                    LIMIT 1) AS v
WHERE m.realm_id = $1::bytea AND m.member_id = $2::bytea AND m.kind = $3::bigint
  AND m.vault_id > $4::bytea
ORDER BY m.vault_id LIMIT $6::bigint)"};

constexpr Statement kEntries = {"board_entries", R"(
SELECT u.place, e.bytes
FROM unnest($2::bytea[], $3::bigint[]) WITH ORDINALITY AS u (vault_id, seq, place)
CROSS JOIN LATERAL (SELECT bytes FROM entry
                    WHERE realm_id = $1::bytea AND vault_id = u.vault_id AND seq = u.seq
                    LIMIT 1) AS e)"};

constexpr Statement kEpochs = {"board_epochs", R"(
SELECT u.place, e.bytes
FROM unnest($2::bytea[]) WITH ORDINALITY AS u (vault_id, place)
CROSS JOIN LATERAL (SELECT seq, bytes FROM entry
                    WHERE realm_id = $1::bytea AND vault_id = u.vault_id AND type = 2
                    OFFSET 0) AS e
ORDER BY u.place, e.seq)"};

constexpr Statement kBoxes = {"board_boxes", R"(
SELECT u.place, b.box
FROM unnest($3::bytea[], $4::bigint[]) WITH ORDINALITY AS u (vault_id, epoch, place)
CROSS JOIN LATERAL (SELECT box FROM box
                    WHERE realm_id = $1::bytea AND vault_id = u.vault_id
                      AND member_id = $2::bytea AND epoch = u.epoch LIMIT 1) AS b)"};

// For whom the EPOCH in force lists with read alone.
constexpr Statement kContent = {"board_content", R"(
SELECT u.place, b.ciphertext
FROM unnest($3::bytea[], $4::bytea[], $5::bigint[]) WITH ORDINALITY
  AS u (vault_id, record_id, rver, place)
CROSS JOIN LATERAL (SELECT ciphertext FROM record_blob
                    WHERE realm_id = $1::bytea AND vault_id = u.vault_id
                      AND record_id = u.record_id AND rver = u.rver LIMIT 1) AS b
WHERE (SELECT perm & 1 FROM membership
       WHERE realm_id = $1::bytea AND vault_id = u.vault_id AND member_id = $2::bytea) = 1)"};

constexpr Statement kList = {"list_vaults", R"(
SELECT v.vault_id, v.kind, v.head_seq, v.head_link, m.perm
FROM membership AS m
CROSS JOIN LATERAL (SELECT * FROM vault
                    WHERE realm_id = $1::bytea AND vault_id = m.vault_id AND mark >= $4::xid8
                    LIMIT 1) AS v
WHERE m.realm_id = $1::bytea AND m.member_id = $2::bytea AND m.vault_id > $3::bytea
ORDER BY m.vault_id LIMIT $5::bigint)"};

// Where no transaction from the cursor on has ended, there is nothing to look for.
constexpr Statement kChanges = {"changed_vaults", R"(
SELECT m.member_id, v.vault_id, v.kind, v.head_seq, m.perm
FROM (SELECT vault_id, kind, head_seq FROM vault
      WHERE realm_id = $1::bytea AND mark >= $2::xid8
        AND $2::xid8 < pg_snapshot_xmax(pg_current_snapshot())
      OFFSET 0) AS v
CROSS JOIN LATERAL (SELECT member_id, perm FROM membership
                    WHERE realm_id = $1::bytea AND vault_id = v.vault_id
                      AND member_id = ANY ($3::bytea[])
                    OFFSET 0) AS m
LIMIT $4::bigint)"};

base::Result<ChangeCursor> ReadMoment(Transaction& transaction) {
  const auto rows = transaction.Execute(kMoment);
  if (!rows) return rows.error();
  return ChangeCursor(rows->Int(0, 0), static_cast<std::uint32_t>(rows->Int(0, 1)),
                      rows->Int(0, 2));
}

// Where a row's parts are looked for.
struct RowKeys {
  std::uint64_t head_seq = 0;
  std::uint64_t epoch = 0;
  std::uint64_t pin_seq = 0;
  base::RecordId pin_record;
  std::uint64_t pin_rver = 0;  // 0: no pinned record
};

}  // namespace

base::Result<ChangeCursor> ChangeCursor::FromBytes(ByteSpan bytes) {
  if (bytes.empty()) return ChangeCursor();
  if (bytes.size() != kSize) {
    return Error(Code::kInvalidArgument, "a cursor is what an earlier answer gave, or empty");
  }
  const auto read = [&](std::size_t from, std::size_t size) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes.subspan(from, size)) value = value << 8 | byte;
    return value;
  };
  return ChangeCursor(read(0, 8), static_cast<std::uint32_t>(read(8, 4)), read(12, 8));
}

base::Bytes ChangeCursor::bytes() const {
  base::Bytes out;
  const auto write = [&](std::uint64_t value, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) {
      out.push_back(static_cast<std::uint8_t>(value >> shift));
    }
  };
  write(system_, 8);
  write(timeline_, 4);
  write(oldest_running_, 8);
  return out;
}

base::Result<BoardPage> BoardStore::ReadBoard(const base::RealmId& realm,
                                              const base::MemberId& member, std::uint8_t kind,
                                              const ChangeCursor& since,
                                              const base::VaultId& after) {
  return ReadAs<BoardPage>(database_, [&](Transaction& transaction) -> base::Result<BoardPage> {
    BoardPage page;
    const auto moment = ReadMoment(transaction);
    if (!moment) return moment.error();
    page.cursor = *moment;

    Parameters parameters;
    parameters.Id(realm).Id(member).Int(kind).Id(after);
    parameters.Int(since.FirstNewMark(page.cursor)).Int(kPageRows);
    const auto vaults = transaction.Execute(kBoard, parameters);
    if (!vaults) return vaults.error();
    page.more = vaults->size() == kPageRows;

    std::vector<RowKeys> keys;
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < vaults->size(); ++i) {
      size += vaults->Int(i, 7);
      if (i > 0 && size > kPageBytes) {
        page.more = true;
        break;
      }
      BoardRow row;
      row.vault = vaults->As<base::VaultId>(i, 0);
      row.perm = static_cast<std::uint8_t>(vaults->Int(i, 1));
      page.rows.push_back(std::move(row));
      RowKeys key;
      key.head_seq = vaults->Int(i, 2);
      key.epoch = vaults->Int(i, 3);
      if (!vaults->IsNull(i, 4)) {
        key.pin_seq = vaults->Int(i, 4);
        key.pin_record = vaults->As<base::RecordId>(i, 5);
        key.pin_rver = vaults->Int(i, 6);
      }
      keys.push_back(key);
    }
    if (page.rows.empty()) return page;

    // CREATE, head and pinned REV of each row, three places a row.
    std::vector<ByteSpan> vault_ids, entry_vaults;
    std::vector<std::uint64_t> seqs, epochs;
    for (std::size_t i = 0; i < page.rows.size(); ++i) {
      const BoardRow& row = page.rows[i];
      vault_ids.push_back(row.vault.bytes());
      epochs.push_back(keys[i].epoch);
      entry_vaults.insert(entry_vaults.end(), 3, row.vault.bytes());
      seqs.insert(seqs.end(), {0, keys[i].head_seq, keys[i].pin_seq});
    }
    const auto entries = transaction.Execute(
        kEntries, Parameters().Id(realm).BytesArray(entry_vaults).IntArray(seqs));
    if (!entries) return entries.error();
    for (std::size_t i = 0; i < entries->size(); ++i) {
      const std::uint64_t place = entries->Int(i, 0) - 1;
      BoardRow& row = page.rows[place / 3];
      if (place % 3 == 0) row.create = entries->Bytes(i, 1);
      if (place % 3 == 1) row.head = entries->Bytes(i, 1);
      if (place % 3 == 2 && keys[place / 3].pin_rver != 0) row.pinned = entries->Bytes(i, 1);
    }

    const auto lists = transaction.Execute(kEpochs, Parameters().Id(realm).BytesArray(vault_ids));
    if (!lists) return lists.error();
    for (std::size_t i = 0; i < lists->size(); ++i) {
      page.rows[lists->Int(i, 0) - 1].epochs.push_back(lists->Bytes(i, 1));
    }

    const auto boxes = transaction.Execute(
        kBoxes, Parameters().Id(realm).Id(member).BytesArray(vault_ids).IntArray(epochs));
    if (!boxes) return boxes.error();
    for (std::size_t i = 0; i < boxes->size(); ++i) {
      page.rows[boxes->Int(i, 0) - 1].box = boxes->Bytes(i, 1);
    }

    std::vector<std::size_t> with_pin;
    std::vector<ByteSpan> pin_vaults, pin_records;
    std::vector<std::uint64_t> pin_rvers;
    for (std::size_t i = 0; i < page.rows.size(); ++i) {
      if (keys[i].pin_rver == 0) continue;
      with_pin.push_back(i);
      pin_vaults.push_back(page.rows[i].vault.bytes());
      pin_records.push_back(keys[i].pin_record.bytes());
      pin_rvers.push_back(keys[i].pin_rver);
    }
    Parameters pins;
    pins.Id(realm).Id(member).BytesArray(pin_vaults).BytesArray(pin_records).IntArray(pin_rvers);
    const auto contents = transaction.Execute(kContent, pins);
    if (!contents) return contents.error();
    // A salt only where the ciphertext was given.
    std::vector<std::size_t> readable;
    std::vector<RevisionKey> revisions;
    for (std::size_t i = 0; i < contents->size(); ++i) {
      const std::size_t place = with_pin[contents->Int(i, 0) - 1];
      page.rows[place].ciphertext = contents->Bytes(i, 1);
      readable.push_back(place);
      revisions.push_back({page.rows[place].vault, keys[place].pin_record, keys[place].pin_rver});
    }
    const auto salts = salts_.Get(transaction, realm, revisions);
    if (!salts) return salts.error();
    for (std::size_t i = 0; i < readable.size(); ++i) page.rows[readable[i]].salt = (*salts)[i];
    return page;
  });
}

base::Result<ListPage> BoardStore::ListVaults(const base::RealmId& realm,
                                              const base::MemberId& member,
                                              const ChangeCursor& since,
                                              const base::VaultId& after) {
  return ReadAs<ListPage>(database_, [&](Transaction& transaction) -> base::Result<ListPage> {
    ListPage page;
    const auto moment = ReadMoment(transaction);
    if (!moment) return moment.error();
    page.cursor = *moment;

    Parameters parameters;
    parameters.Id(realm).Id(member).Id(after);
    parameters.Int(since.FirstNewMark(page.cursor)).Int(kListRows);
    const auto rows = transaction.Execute(kList, parameters);
    if (!rows) return rows.error();
    page.more = rows->size() == kListRows;
    for (std::size_t i = 0; i < rows->size(); ++i) {
      page.rows.push_back({.vault = rows->As<base::VaultId>(i, 0),
                           .kind = static_cast<std::uint8_t>(rows->Int(i, 1)),
                           .head = {rows->Int(i, 2), rows->As<base::Link>(i, 3)},
                           .perm = static_cast<std::uint8_t>(rows->Int(i, 4))});
    }
    return page;
  });
}

base::Result<ChangePage> BoardStore::ReadChanges(const base::RealmId& realm,
                                                 const std::set<base::MemberId>& members,
                                                 const std::optional<ChangeCursor>& since,
                                                 std::size_t most) {
  return ReadAs<ChangePage>(database_, [&](Transaction& transaction) -> base::Result<ChangePage> {
    ChangePage page;
    const auto moment = ReadMoment(transaction);
    if (!moment) return moment.error();
    page.cursor = *moment;
    if (!since) return page;

    std::vector<ByteSpan> ids;
    for (const base::MemberId& member : members) ids.push_back(member.bytes());
    Parameters parameters;
    parameters.Id(realm).Int(since->FirstNewMark(page.cursor)).BytesArray(ids).Int(most + 1);
    const auto rows = transaction.Execute(kChanges, parameters);
    if (!rows) return rows.error();
    page.more = rows->size() > most;
    for (std::size_t i = 0; i < std::min(rows->size(), most); ++i) {
      page.rows.push_back({.member = rows->As<base::MemberId>(i, 0),
                           .vault = rows->As<base::VaultId>(i, 1),
                           .kind = static_cast<std::uint8_t>(rows->Int(i, 2)),
                           .head_seq = rows->Int(i, 3),
                           .perm = static_cast<std::uint8_t>(rows->Int(i, 4))});
    }
    return page;
  });
}

}  // namespace godwit::storage
