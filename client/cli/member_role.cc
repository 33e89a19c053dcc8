#include "client/cli/member.h"
#include "client/cli/render.h"
#include "client/roles.h"

namespace godwit::cli {

using base::Error;
using client::RoleOutcome;
using State = RoleOutcome::State;

ExitCode MemberRole(const Context& context, const MemberRoleOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("change the roles", why); };
  const auto roles = ReadRoles(options.roles);
  if (!roles) return fail(roles.error());
  auto session = Session::Open(context, kAllRealms);
  if (!session) return fail(session.error());
  const auto sure = context.prompt.Confirm(
      Translated("Give this person these roles over all realms, and take every other?"));
  if (!sure) return fail(sure.error());
  if (!*sure) return fail(Error(base::Code::kCancelled, "nothing was changed"));
  const auto outcomes = client::SetRoles(session->organisation(), options.handle, *roles);
  if (!outcomes) return fail(outcomes.error());
  bool waits = false;
  bool invite = false;
  for (const RoleOutcome& outcome : *outcomes) {
    const std::string realm(protocol::Name(outcome.compartment));
    const auto names = RoleNames(outcome.roles);
    Json json{{"event", ""}, {"realm", realm}, {"roles", names}};
    switch (outcome.state) {
      case State::kInEffect:
        json["event"] = names.empty() ? "removed" : "roles_set";
        output.Line(names.empty() ? Translated("{0}: no member any more.", realm)
                                  : realm + ": " + RolesLabel(outcome.roles) + ".",
                    Style::kGood);
        break;
      case State::kWaits:
        waits = true;
        json["event"] = "waits";
        json["missing"] = outcome.missing;
        output.Line(realm + ": " + WaitsFor(outcome.missing) + ".", Style::kWarning);
        break;
      case State::kAfterOthers:
        waits = true;
        json["event"] = "after_others";
        output.Line(Translated("{0}: not before the other changes are in effect.", realm),
                    Style::kWarning);
        break;
      case State::kInvite:
        invite = true;
        json["event"] = "invite";
        output.Line(Translated("{0}: no member yet, to be invited.", realm), Style::kWarning);
        break;
    }
    output.Emit(json);
  }
  if (waits) output.Line("Run this command again once the others have signed.");
  if (invite) {
    output.Line(
        "Then run `godwit member invite` with the same handle and --roles: it invites into the "
        "realms that are missing.");
  }
  return waits || invite ? ExitCode::kPartly : ExitCode::kOk;
}

}  // namespace godwit::cli
