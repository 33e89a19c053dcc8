#pragma once

#include <optional>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/casework/life.h"
#include "client/vault_view.h"
#include "godwit/content/v1/record.pb.h"

namespace godwit::client {

// Acts as a case vault holds them (docs/protocol.md section 6).

// An act as a new record, with a nonce of its own; `record`: its id, H("act", the record's bytes)
// [0:16].
struct NewAct {
  base::RecordId record;
  content::v1::Record content;
};
NewAct MakeAct(content::v1::Act act);

// Where the acts of a case begin, and the acts in the order of their entries, judged by nothing yet
// but that each is what its id says; the others are in `changed`.
struct ActsOfCase {
  std::optional<content::v1::CaseBegin> begin;
  std::vector<SignedAct> acts;
  std::vector<base::Link> changed;

  CaseLife Life() const;
};
// E_DECRYPT and the like: a record of the vault does not open.
base::Result<ActsOfCase> ReadActs(VaultView& vault);

// In what capacity this member acts in a vault at the roster's head.
Hats HatsNow(const Realm& realm, const VaultView& vault);

}  // namespace godwit::client
