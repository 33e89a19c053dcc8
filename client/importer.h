#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "client/import/case_reader.h"
#include "client/organisation.h"

namespace godwit::client {

// What an import did.
struct ImportReport {
  std::uint64_t lines = 0;     // of the file
  std::uint64_t imported = 0;  // lines whose three vaults stand now
  std::uint64_t made_now = 0;  // of these, by this run
  std::uint64_t refused = 0;   // lines that the mapping or the handles refuse
};

// How far an import has come, by phase: "reading", "planning", "writing identity", "writing cases".
using ImportProgress =
    std::function<void(std::string_view phase, std::uint64_t done, std::uint64_t all)>;

// Writes every line of a file as a case with its sensitive and person vault (docs/protocol.md
// section 6, "A line of an import"). For a member with intake in identity and cases. The plan of
// every block of 64 lines is in the ledger vault of each realm before the first vault is made, each
// realm is written in a shuffled order of its own, and a block whose vaults stand is marked done,
// so that the plan joins the realms no longer than the import lasts. Safe to interrupt and to
// repeat, here or by another intake member: what stands is not made again. What was written cannot
// be read by this member afterwards. Memory does not grow with the file.
base::Result<ImportReport> ImportCases(Organisation& organisation, CaseReader& reader,
                                       const ImportProgress& progress);

}  // namespace godwit::client
