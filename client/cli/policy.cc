#include "client/cli/policy.h"

#include "client/cli/render.h"
#include "client/policy_fields.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;

base::Result<std::vector<protocol::Compartment>> RealmsOf(const std::string& name) {
  if (name.empty()) return kAllRealms;
  const auto compartment = CompartmentByName(name);
  if (!compartment) {
    return Error(Code::kInvalidArgument, "a realm is identity, cases or journeys");
  }
  return std::vector{*compartment};
}

// How many signatures `policy` still waits for, after one by this device unless the same waits.
base::Result<std::uint64_t> Set(client::Realm& realm, const protocol::Policy& policy) {
  for (const auto& each : realm.roster().pending()) {
    const auto* set = std::get_if<protocol::PolicySet>(&each.payload);
    if (set != nullptr && set->policy.gen == policy.gen &&
        client::PolicyChanges(set->policy, policy).empty()) {
      return realm.roster().MissingSignatures(each);
    }
  }
  return realm.Author(protocol::PolicySet{policy});
}

}  // namespace

ExitCode PolicyShow(const Context& context, const PolicyShowOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("show the policies", why); };
  const auto realms = RealmsOf(options.realm);
  if (!realms) return fail(realms.error());
  auto session = Session::Open(context, *realms);
  if (!session) return fail(session.error());
  for (const auto& [compartment, realm] : session->organisation().realms()) {
    if (const auto synced = realm->Sync(); !synced) return fail(synced.error());
    const std::string name(protocol::Name(compartment));
    const auto& policy = realm->roster().policy();
    Json json = Json::object();
    std::vector<std::pair<std::string, Cell>> fields;
    for (const auto& [field, value] : client::PolicyFields(policy)) {
      json[field] = value;
      fields.emplace_back(field, value);
    }
    output.Emit({{"realm", name}, {"gen", policy.gen}, {"policy", json}});
    output.Line(Translated("{0}, policy {1}", name, policy.gen), Style::kStrong);
    output.Fields(fields);
  }
  return ExitCode::kOk;
}

ExitCode PolicySetCommand(const Context& context, const PolicySetOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("change the policies", why); };
  const auto realms = RealmsOf(options.realm);
  if (!realms) return fail(realms.error());
  auto session = Session::Open(context, *realms);
  if (!session) return fail(session.error());
  // All of it is judged before anything is signed.
  std::vector<std::pair<client::Realm*, protocol::Policy>> next;
  for (const auto& [compartment, realm] : session->organisation().realms()) {
    if (const auto synced = realm->Sync(); !synced) return fail(synced.error());
    const auto& before = realm->roster().policy();
    protocol::Policy policy = before;
    for (const std::string& field : options.fields) {
      const std::size_t equals = field.find('=');
      if (equals == std::string::npos) {
        return fail(Error(Code::kInvalidArgument, "a change is written FIELD=VALUE"));
      }
      const std::string_view text = field;
      const auto set =
          client::SetPolicyField(policy, text.substr(0, equals), text.substr(equals + 1));
      if (!set) return fail(set.error());
    }
    const auto changes = client::PolicyChanges(before, policy);
    if (changes.empty()) continue;
    if ((realm->roles() & protocol::kOwner) == 0) {
      return fail(Error(Code::kPermissionDenied, "policies are for an owner to change"));
    }
    ++policy.gen;
    if (const auto fits = protocol::CheckPolicy(policy); !fits) return fail(fits.error());
    if (const auto fits = protocol::CheckPolicySuccession(before, policy); !fits) {
      return fail(fits.error());
    }
    output.Line(std::string(protocol::Name(compartment)), Style::kStrong);
    for (const auto& change : changes) {
      output.Line("  " + change.field + ": " + change.before + " -> " + change.after);
    }
    next.emplace_back(realm.get(), policy);
  }
  if (next.empty()) {
    output.Line("The policies say so already.");
    return ExitCode::kOk;
  }
  const auto sure = context.prompt.Confirm(Translated("Sign this? What is signed stays."));
  if (!sure) return fail(sure.error());
  if (!*sure) return fail(Error(Code::kCancelled, "nothing was changed"));
  bool waits = false;
  for (const auto& [realm, policy] : next) {
    const auto missing = Set(*realm, policy);
    if (!missing) return fail(missing.error());
    const std::string name(protocol::Name(realm->compartment()));
    if (*missing > 0) {
      waits = true;
      output.Emit({{"event", "waits"}, {"realm", name}, {"missing", *missing}});
      output.Line(Translated("{0}: the change {1}.", name, WaitsFor(*missing)), Style::kWarning);
    } else {
      output.Emit({{"event", "policy_set"}, {"realm", name}, {"gen", policy.gen}});
      output.Line(Translated("{0}: changed.", name), Style::kGood);
    }
  }
  return waits ? ExitCode::kPartly : ExitCode::kOk;
}

}  // namespace godwit::cli
