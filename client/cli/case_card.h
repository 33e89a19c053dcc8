#pragma once

#include "client/print/document.h"
#include "client/vault_file.h"

namespace godwit::cli {

// One page on how a case stands. It is made of the case vault alone, which has no name of the
// person; and of that of codes, numbers and days alone, since words may name somebody. `today`:
// days since 1970-01-01 UTC. Of long lists the newest are shown, of what is due the next, and how
// many more there are.
print::Document CaseCard(const client::VaultFile& case_file, std::uint32_t today);
// The same of what it is made of.
struct CardFacts {
  content::v1::Summary summary;
  std::vector<content::v1::Record> records;  // of the case vault, in any order
};
print::Document CaseCard(const CardFacts& facts, std::uint32_t today);

}  // namespace godwit::cli
