#include "client/policy_fields.h"

#include <array>
#include <charconv>
#include <set>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "protocol/kinds.h"

namespace godwit::client {
namespace {

using protocol::Policy;
using Fields = std::map<std::string, std::string>;

constexpr std::array<std::pair<std::uint16_t, std::string_view>, 4> kFlags{
    {{Policy::kEvaluation, "evaluation"},
     {Policy::kDeviceAddNeedsAdmin, "device_add_needs_admin"},
     {Policy::kKeyService, "key_service"},
     {Policy::kSmallOrg, "small_org"}}};

void AddKems(Fields& fields, const std::string& name, const protocol::Kems& kems) {
  for (const auto& [alg, key] : kems) {
    fields[name + "." + std::to_string(alg)] = "sha256:" + base::ToHex(crypto::Sha256(key));
  }
}

// Those that are numbers and may be set by hand.
template <class Visit>
bool VisitNumber(Policy& policy, std::string_view field, const Visit& visit) {
  if (field == "owner_threshold") return visit(policy.owner_threshold);
  if (field == "grant_threshold") return visit(policy.grant_threshold);
  if (field == "fresh_s") return visit(policy.fresh_s);
  if (field == "hold_s") return visit(policy.hold_s);
  if (field == "recovery_delay_s") return visit(policy.recovery_delay_s);
  if (field == "kdf_ops") return visit(policy.kdf_ops);
  if (field == "kdf_mem") return visit(policy.kdf_mem);
  if (field == "identity_window_s") return visit(policy.identity_window_s);
  return false;
}

}  // namespace

base::Status SetPolicyField(Policy& policy, std::string_view field, std::string_view text) {
  for (const auto& [flag, name] : kFlags) {
    // What an organisation was founded as, it stays; and a key service is set up, not switched on.
    if (field != name || flag == Policy::kEvaluation || flag == Policy::kKeyService) continue;
    if (text != "yes" && text != "no") {
      return base::Error(base::Code::kInvalidArgument, "this field is yes or no");
    }
    policy.flags =
        static_cast<std::uint16_t>(text == "yes" ? policy.flags | flag : policy.flags & ~flag);
    return {};
  }
  bool is_number = true;
  const bool known = VisitNumber(policy, field, [&](auto& value) {
    auto number = value;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    is_number = error == std::errc() && end == text.data() + text.size();
    if (is_number) value = number;
    return true;
  });
  if (!known) {
    return base::Error(base::Code::kInvalidArgument,
                       "no field of a policy that is set by hand has this name: see `godwit "
                       "policy set --help`");
  }
  if (!is_number) {
    return base::Error(base::Code::kInvalidArgument,
                       "this field is a number, and not a larger one");
  }
  return {};
}

Fields PolicyFields(const Policy& policy) {
  Fields fields;
  const auto number = [&](const char* name, std::uint64_t value) {
    fields[name] = std::to_string(value);
  };
  number("max_ver", policy.max_ver);
  number("min_suite", policy.min_suite);
  std::uint16_t unknown = policy.flags;
  for (const auto& [flag, name] : kFlags) {
    fields[std::string(name)] = (policy.flags & flag) != 0 ? "yes" : "no";
    unknown &= static_cast<std::uint16_t>(~flag);
  }
  if (unknown != 0) number("flags", unknown);
  number("owner_threshold", policy.owner_threshold);
  number("grant_threshold", policy.grant_threshold);
  number("fresh_s", policy.fresh_s);
  number("hold_s", policy.hold_s);
  number("recovery_delay_s", policy.recovery_delay_s);
  number("kdf_ops", policy.kdf_ops);
  number("kdf_mem", policy.kdf_mem);
  number("identity_window_s", policy.identity_window_s);
  for (const auto& [act, budget] : policy.budgets) {
    fields["budget." + std::to_string(act)] =
        std::to_string(budget.soft_day) + " a day, at most " + std::to_string(budget.hard_day);
  }
  for (const auto& pin : policy.pins) fields["pin." + base::ToHex(pin.bytes())] = "trusted";
  fields["receipt_key"] = base::ToHex(policy.receipt_pk);
  if (policy.has_log) {
    fields["log.name"] = policy.log_name;
    fields["log.key"] = base::ToHex(policy.log_pk);
  }
  number("log.quorum", policy.quorum);
  for (const auto& [name, witness] : policy.witnesses) {
    fields["witness." + name] =
        std::to_string(witness.independent) + " " + base::ToHex(witness.key);
  }
  for (const auto& [name, key] : policy.service_keys) {
    fields["service_key." + std::to_string(name.purpose) + "." + std::to_string(name.gen)] =
        base::ToHex(key);
  }
  number("audit.gen", policy.audit_gen);
  AddKems(fields, "audit.key", policy.audit_kems);
  for (const auto& [kind, vault] : policy.vaults) {
    fields["vault." + std::string(Name(protocol::Kind{kind}))] = base::ToHex(vault.bytes());
  }
  for (const auto& [peer_number, peer] : policy.peers) {
    const std::string name = "peer." + std::to_string(peer_number);
    AddKems(fields, name + ".key", peer.kems);
    fields[name + ".signs"] = base::ToHex(peer.sign_pk);
    fields[name + ".authenticates"] = base::ToHex(peer.auth_pk);
    fields[name + ".relay"] = peer.relay;
    fields[name + ".pin"] = base::ToHex(peer.pin);
  }
  for (const auto& [extension, value] : policy.extensions) {
    fields["extension." + std::to_string(extension)] = base::ToHex(value);
  }
  return fields;
}

std::vector<PolicyChange> PolicyChanges(const Policy& before, const Policy& after) {
  const Fields old_fields = PolicyFields(before);
  const Fields new_fields = PolicyFields(after);
  std::set<std::string> names;
  for (const auto& [name, value] : old_fields) names.insert(name);
  for (const auto& [name, value] : new_fields) names.insert(name);
  const auto value_of = [](const Fields& fields, const std::string& name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  };
  std::vector<PolicyChange> changes;
  for (const std::string& name : names) {
    PolicyChange change{name, value_of(old_fields, name), value_of(new_fields, name)};
    if (change.before != change.after || old_fields.contains(name) != new_fields.contains(name)) {
      changes.push_back(std::move(change));
    }
  }
  return changes;
}

}  // namespace godwit::client
