#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "protocol/policy.h"

namespace godwit::client {

// All that a policy says but its gen, as text by name: "grant_threshold" and "2", "vault.ledger"
// and its id. A field that is not there has no name. Two policies with the same fields say the
// same, so that nobody signs a change that was not shown.
std::map<std::string, std::string> PolicyFields(const protocol::Policy& policy);

// A field in which two policies differ; empty where it is not there.
struct PolicyChange {
  std::string field;
  std::string before;
  std::string after;
};
std::vector<PolicyChange> PolicyChanges(const protocol::Policy& before,
                                        const protocol::Policy& after);

// Sets a field of those that an owner changes by hand: thresholds, times and flags. `text` is a
// decimal number, or "yes" or "no" of a flag. INVALID_ARGUMENT: another field, or another form;
// whether the value may be is for the roster to say.
base::Status SetPolicyField(protocol::Policy& policy, std::string_view field,
                            std::string_view text);

}  // namespace godwit::client
