#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/id.h"
#include "client/vault_view.h"
#include "protocol/kinds.h"
#include "tests/support/postgres.h"
#include "tests/support/test_organisation.h"

namespace godwit::support {

// The bytes of a bytea as PostgreSQL writes it.
base::Bytes FromSql(const std::string& hex);

// A vault as the database has it, with nobody's permission asked.
struct StolenVault {
  base::VaultId id;
  protocol::Kind kind = protocol::Kind::kCase;
  client::StoredVault chain;
  std::map<std::pair<base::MemberId, std::uint32_t>, base::Bytes> boxes;
};
StolenVault Steal(const PostgresDatabase& database, const std::string& vault_hex);

// Who of `people` opens a stolen vault with the keys of their devices, trying every key on every
// box and then every record: the server is taken to have said yes to everything.
std::set<std::string> OpenersOf(const StolenVault& vault, protocol::Compartment compartment,
                                TestOrganisation& organisation,
                                const std::vector<std::string>& people);

}  // namespace godwit::support
