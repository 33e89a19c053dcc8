#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/organisation.h"
#include "protocol/kinds.h"

namespace godwit::client {

// Who can read a case, and who could: from the verified chains of its vaults and the roster, so
// that no service can leave anybody out.

// How somebody stands to a vault whose epoch in force lists them.
enum class AccessState : std::uint8_t {
  kActive,
  kWithoutKey,  // keeps the place; gets no key that is made while it lasts
  kLeaving,     // holds the key in force, but the roster has ended the right: gets no other
  kImporter,    // made the vault by an import; wrote its first key, and was to wipe it
};

struct CaseReader {
  base::MemberId member;
  std::string name;
  protocol::Roles roles = 0;  // at the roster's head
  protocol::Perm perm = 0;    // as listed
  AccessState state = AccessState::kActive;
  std::uint32_t since_epoch = 0;      // listed without a break since
  std::vector<std::uint32_t> epochs;  // whose keys they have, by boxes or through wraps; ascending
};

// Somebody whom earlier epochs listed. What they could read then they may have kept.
struct FormerReader {
  base::MemberId member;
  std::string name;
  protocol::Perm perm = 0;        // as listed last
  std::uint32_t until_epoch = 0;  // the last that listed them
  std::vector<std::uint32_t> epochs;
};

struct CaseWriter {
  base::MemberId member;
  std::string name;
  std::size_t entries = 0;
  std::size_t records = 0;  // of these, revisions of records
};

// One vault of a case.
struct CasePart {
  protocol::Kind kind = protocol::Kind::kCase;
  base::VaultId vault;
  std::uint32_t epoch = 0;  // in force
  // Epochs that nobody reads by holding a later key: newcomers were given no history there.
  std::vector<std::uint32_t> history_hidden_at;
  std::vector<CaseReader> readers;   // by name
  std::vector<FormerReader> former;  // by name
  std::vector<CaseWriter> writers;   // by name
};

struct CaseAccess {
  std::string code;  // canonical
  std::vector<CasePart> parts;
  std::vector<protocol::Kind> not_yours;  // parts that this member cannot look at
};

// The vaults of a case that this member may look at: the case, its sensitive part, its person.
// `offline`: as of what is on this device. NOT_FOUND: no such case, or not this member's.
// INVALID_ARGUMENT: no case code.
base::Result<CaseAccess> WhoReads(Organisation& organisation, std::string_view code,
                                  bool offline = false);

}  // namespace godwit::client
