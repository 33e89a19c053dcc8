#pragma once

#include <set>

#include "godwit/content/v1/compartment.pb.h"
#include "godwit/content/v1/record.pb.h"
#include "protocol/kinds.h"

namespace godwit::client {

// What the vaults of a kind hold: docs/architecture.md's table of compartments, from the vaults'
// side. The fields of the records, each with its option, are the other side.
std::set<content::v1::Compartment> CompartmentsOfKind(protocol::Kind kind);

// Whether all that `record` says may stand in a vault of `kind`: each field that has a value states
// a compartment that is kept there. A field that this program does not know is taken for one that
// belongs where it was found.
bool BelongsIn(const content::v1::Record& record, protocol::Kind kind);

}  // namespace godwit::client
