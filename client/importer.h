#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/import/case_file.h"
#include "client/organisation.h"
#include "protocol/kinds.h"

namespace godwit::client {

// What an import did.
struct ImportReport {
  std::uint64_t rows = 0;      // of the file
  std::uint64_t imported = 0;  // rows whose vaults stand now
  std::uint64_t made_now = 0;  // of these, by this run
  std::uint64_t refused = 0;   // rows that the mapping or the handles refuse
  std::uint64_t nameless = 0;  // people without consent, stored without names and contacts
};

// How far an import has come: the phase ("reading", "planning", "identity", "cases", "closing") and
// its rows or blocks done and in all.
using ImportProgress =
    std::function<void(std::string_view phase, std::uint64_t done, std::uint64_t all)>;

// The realms that an import writes to: identity, and of cases the cases realm too.
std::vector<protocol::Compartment> ImportRealms(Subject subject);

// The handles that a row may name: colleagues with caseworker or supervisor in all of those realms,
// as the directories say (synced).
base::Result<Handles> ImportHandles(Organisation& organisation, Subject subject);

// Writes every row of a file as a case with its sensitive and person vault, or as the person vault
// of somebody who has no case, as the file's mapping says (docs/protocol.md section 6, "A line of
// an import"). For a member with intake in the realms that are written to. The plan of every block
// of 64 rows is in the ledger vault of each realm before the first vault is made, each realm is
// written in a shuffled order of its own, and a block whose vaults stand is marked done, so that
// the plan joins the realms no longer than the import lasts. Safe to interrupt and to repeat, here
// or by another intake member: what stands is not made again. What was written cannot be read by
// this member afterwards. Rows are read a window at a time; of each row only its plan, about a
// kilobyte, is held for longer.
//
// INVALID_ARGUMENT: rows are refused, and `skip_refused` is not set: nothing is written.
// PERMISSION_DENIED: no intake role, or no ledger yet (`godwit org ledger`).
base::Result<ImportReport> ImportRows(Organisation& organisation, CaseFile& file, bool skip_refused,
                                      const ImportProgress& progress);

}  // namespace godwit::client
