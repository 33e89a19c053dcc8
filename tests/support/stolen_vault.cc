#include "tests/support/stolen_vault.h"

#include "protocol/epoch_keys.h"
#include "protocol/record.h"
#include "tests/support/builders.h"

namespace godwit::support {

using protocol::Compartment;
using protocol::Kind;

base::Bytes FromSql(const std::string& hex) { return *base::FromHex(hex.substr(2)); }

StolenVault Steal(const PostgresDatabase& database, const std::string& vault_hex) {
  StolenVault stolen;
  const std::string where = " WHERE vault_id = '\\x" + vault_hex + "'";
  for (const auto& row : database.Sql("SELECT bytes FROM entry" + where + " ORDER BY seq")) {
    stolen.chain.entries.push_back(FromSql(row[0]));
  }
  for (const auto& row : database.Sql("SELECT member_id, epoch, box FROM box" + where)) {
    stolen.boxes[{*base::MemberId::FromBytes(FromSql(row[0])),
                  static_cast<std::uint32_t>(std::stoul(row[1]))}] = FromSql(row[2]);
  }
  for (const auto& row : database.Sql(
           "SELECT b.record_id, b.rver, s.salt, b.ciphertext FROM record_blob b JOIN record_salt s "
           "USING (realm_id, vault_id, record_id, rver)" +
           where)) {
    stolen.chain.records.push_back({*base::RecordId::FromBytes(FromSql(row[0])),
                                    std::stoull(row[1]), FromSql(row[2]), FromSql(row[3])});
  }
  stolen.id = *base::VaultId::FromBytes(*base::FromHex(vault_hex));
  return stolen;
}

std::set<std::string> OpenersOf(const StolenVault& vault, Compartment compartment,
                                TestOrganisation& organisation,
                                const std::vector<std::string>& people) {
  std::set<std::string> openers;
  protocol::Vault state;
  std::map<std::uint32_t, protocol::Epoch> epochs;
  std::vector<std::pair<protocol::EntryHeader, protocol::Rev>> revs;
  for (const auto& bytes : vault.chain.entries) {
    Require(state.Replay(bytes));
    const auto raw = Must(protocol::ReadEntry(bytes));
    const auto payload = Must(protocol::ReadEntryPayload(raw.header.type, raw.payload));
    if (const auto* epoch = std::get_if<protocol::Epoch>(&payload)) epochs[epoch->epoch] = *epoch;
    if (const auto* rev = std::get_if<protocol::Rev>(&payload)) revs.emplace_back(raw.header, *rev);
  }
  for (const std::string& handle : people) {
    const auto realm = organisation.Of(handle).Get(compartment);
    if (!realm) continue;
    const auto pair = (*realm)->PukPair(1);
    if (!pair) continue;
    for (const auto& [key, box] : vault.boxes) {
      // As its addressee, whoever that is.
      const auto vek =
          protocol::OpenVek(epochs.at(key.second), state.realm(), vault.id, key.first, **pair, box);
      if (!vek) continue;
      for (const auto& [header, rev] : revs) {
        for (const auto& blob : vault.chain.records) {
          if (blob.record != rev.record || blob.rver != rev.rver) continue;
          const auto floor =
              protocol::RecordFloor(compartment, state.kind(), rev.record == state.pinned_record());
          const auto text = protocol::OpenRecord(*vek, protocol::PlaceOf(header, rev), rev,
                                                 blob.salt, blob.ciphertext, floor);
          if (text) openers.insert(handle);
        }
      }
    }
  }
  return openers;
}

}  // namespace godwit::support
