#include "client/cli/reconcile.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/clock.h"
#include "client/cli/render.h"
#include "client/directory.h"
#include "client/reconcile.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using client::Repair;
using client::RepairCause;
using protocol::Compartment;
using protocol::Kind;

using Directories = std::map<Compartment, client::Directory>;

// Looked up where it is printed.
std::string_view CauseText(RepairCause cause) {
  switch (cause) {
    case RepairCause::kMembersMissing:
      return Translatable("somebody is to be listed");
    case RepairCause::kListNotFresh:
      return Translatable("members have changed");
    case RepairCause::kOld:
      return Translatable("the key is older than 90 days");
    case RepairCause::kWrongBox:
      return Translatable("a box of the key is not what it should be");
    case RepairCause::kKeysLost:
      return Translatable("older keys are to be handed on");
  }
  return "";
}

std::string VaultText(const base::VaultId& vault) { return base::ToHex(vault.bytes()); }

std::vector<std::string> NamesOf(const client::Directory& directory,
                                 const std::set<base::MemberId>& members) {
  std::vector<std::string> names;
  for (const auto& member : members) names.push_back(directory.NameOf(member));
  return names;
}

Json RepairJson(const Repair& repair, const client::Directory& directory) {
  Json causes = Json::array();
  for (const RepairCause cause : repair.causes) causes.push_back(client::Name(cause));
  Json gains = Json::array();
  for (const auto& [member, perm] : repair.gains) {
    gains.push_back({{"member", base::ToHex(member.bytes())},
                     {"name", directory.NameOf(member)},
                     {"perm", perm}});
  }
  return {{"realm", protocol::Name(repair.compartment)},
          {"vault", VaultText(repair.vault)},
          {"kind", protocol::Name(repair.kind)},
          {"causes", causes},
          {"gains", gains},
          {"regain", NamesOf(directory, repair.regain)},
          {"lose", NamesOf(directory, repair.lose)}};
}

// The plan for people: access first, by person, since that is what is agreed to.
void ShowPlan(Output& output, const client::ReconcilePlan& plan, const Directories& directories,
              bool hide_history) {
  std::map<std::tuple<Compartment, std::string, Kind, protocol::Perm>, std::size_t> gains;
  std::map<std::tuple<Compartment, std::string, bool>, std::size_t> keys;
  std::map<std::pair<Compartment, RepairCause>, std::size_t> causes;
  for (const Repair& repair : plan.repairs) {
    const auto& directory = directories.at(repair.compartment);
    for (const auto& [member, perm] : repair.gains) {
      ++gains[{repair.compartment, directory.NameOf(member), repair.kind, perm}];
    }
    for (const auto& name : NamesOf(directory, repair.regain)) {
      ++keys[{repair.compartment, name, true}];
    }
    for (const auto& name : NamesOf(directory, repair.lose)) {
      ++keys[{repair.compartment, name, false}];
    }
    for (const RepairCause cause : repair.causes) ++causes[{repair.compartment, cause}];
  }
  Table access{{Column("realm"), Shrinking("who"), Column("what"), Number("vaults")}, {}};
  for (const auto& [key, count] : gains) {
    const auto& [compartment, name, kind, perm] = key;
    access.rows.push_back(
        {std::string(protocol::Name(compartment)), name,
         Cell(Translated("gains: {0}, {1}", LookUp(PermText(perm)), protocol::Name(kind)),
              Style::kWarning),
         std::to_string(count)});
  }
  for (const auto& [key, count] : keys) {
    const auto& [compartment, name, regains] = key;
    access.rows.push_back(
        {std::string(protocol::Name(compartment)), name,
         regains ? Translated("is given keys again") : Translated("is given no new key"),
         std::to_string(count)});
  }
  if (!access.rows.empty()) {
    output.Line("Who reads what afterwards", Style::kStrong);
    output.Show(access);
    if (!gains.empty()) {
      output.Line(hide_history ? Translated("They read what is there now, and none of its history.")
                               : Translated("They read the history of these vaults too."));
    }
    output.Line();
  }
  Table why{{Column("realm"), Column("new keys, since"), Number("vaults")}, {}};
  for (const auto& [key, count] : causes) {
    why.rows.push_back({std::string(protocol::Name(key.first)), LookUp(CauseText(key.second)),
                        std::to_string(count)});
  }
  if (!why.rows.empty()) output.Show(why);
}

void ShowLeft(Output& output, const client::ReconcilePlan& plan) {
  std::map<std::tuple<Compartment, Kind, std::size_t>, std::size_t> few;
  for (const auto& vault : plan.few_managers) {
    output.Emit({{"few_managers", VaultText(vault.vault)},
                 {"realm", protocol::Name(vault.compartment)},
                 {"kind", protocol::Name(vault.kind)},
                 {"managers", vault.managers}});
    ++few[{vault.compartment, vault.kind, vault.managers}];
  }
  for (const auto& [key, count] : few) {
    const auto& [compartment, kind, managers] = key;
    // TRANSLATORS: {0} counts vaults of the kind {2} in the realm {1}; {3} counts their managers.
    output.Line(Counted(count,
                        "{1}: {0} {2} vault, managers with a key: {3}. Whom to add is for people "
                        "to choose.",
                        "{1}: {0} {2} vaults, managers of each with a key: {3}. Whom to add is for "
                        "people to choose.",
                        protocol::Name(compartment), protocol::Name(kind), managers),
                Style::kWarning);
  }
}

void ShowFailure(Output& output, const client::RepairFailure& failure) {
  const std::string realm(protocol::Name(failure.compartment));
  Json json{{"failed", failure.vault ? Json(VaultText(*failure.vault)) : Json(nullptr)},
            {"realm", realm},
            {"code", base::Name(failure.error.code())},
            {"why", failure.error.message()}};
  output.Emit(json);
  output.Line(failure.vault
                  ? Translated("{0}, vault {1}: {2}", realm,
                               VaultText(*failure.vault).substr(0, 12), WhyText(failure.error))
                  : realm + ": " + WhyText(failure.error),
              Style::kBad);
}

}  // namespace

std::string_view PermText(protocol::Perm perm) {
  switch (perm) {
    case protocol::kRead:
      return Translatable("reads");
    case protocol::kWrite:
      return Translatable("wrote by an import");
    case protocol::kReadWrite:
      return Translatable("reads and writes");
    case protocol::kManage:
      return Translatable("manages without reading");
    case protocol::kFull:
      return Translatable("reads, writes and manages");
    default:
      return "";
  }
}

ExitCode ReconcileCommand(const Context& context, const ReconcileOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("repair the vaults", why); };
  std::optional<Compartment> only;
  if (!options.realm.empty()) {
    only = CompartmentByName(options.realm);
    if (!only) {
      return fail(Error(Code::kInvalidArgument, "a realm is one of identity, cases and journeys"));
    }
  }
  auto session = Session::Open(context, only ? std::vector<Compartment>{*only} : kAllRealms);
  if (!session) return fail(session.error());
  client::Organisation& organisation = session->organisation();
  CatchInterrupts();
  base::Result<client::ReconcilePlan> plan = Error(Code::kInternal, "nothing was looked at");
  {
    Progress progress(output);
    plan = client::PlanReconcile(
        organisation, base::SystemClock().NowMs(), only,
        [&](Compartment compartment, std::size_t done, std::size_t all) {
          progress.Update(Translated("looking at {0}", protocol::Name(compartment)), done, all);
        });
  }
  if (!plan) return fail(plan.error());
  if (plan->vaults == 0 && !plan->failures.empty()) return fail(plan->failures.front().error);
  Directories directories;
  for (const auto& [compartment, realm] : organisation.realms()) {
    auto directory = client::Directory::Read(*realm);
    if (!directory) return fail(directory.error());
    directories.emplace(compartment, *std::move(directory));
  }

  for (const Repair& repair : plan->repairs) {
    output.Emit({{"repair", RepairJson(repair, directories.at(repair.compartment))}});
  }
  ShowPlan(output, *plan, directories, options.hide_history);
  ShowLeft(output, *plan);
  for (const auto& failure : plan->failures) ShowFailure(output, failure);
  const auto finish = [&](std::size_t repaired, std::size_t failed) {
    output.Emit({{"event", "reconciled"},
                 {"looked_at", plan->vaults},
                 {"repaired", repaired},
                 {"failed", failed}});
    return failed == 0 ? ExitCode::kOk : ExitCode::kPartly;
  };
  if (plan->repairs.empty()) {
    output.Line(Translated("Nothing to repair in {0} vaults.", plan->vaults), Style::kGood);
    return finish(0, plan->failures.size());
  }
  if (options.dry_run) {
    output.Line("Nothing was changed.");
    return finish(0, plan->failures.size());
  }
  const auto sure = context.prompt.Confirm(
      Translated("Write new keys to {0} of {1} vaults?", plan->repairs.size(), plan->vaults));
  if (!sure) return fail(sure.error());
  if (!*sure) return fail(Error(Code::kCancelled, "nothing was changed"));

  std::size_t repaired = 0;
  std::size_t failed = plan->failures.size();
  {
    Progress progress(output);
    for (std::size_t i = 0; i < plan->repairs.size() && !Interrupted(); ++i) {
      const Repair& repair = plan->repairs[i];
      progress.Update(Translated("repairing"), i, plan->repairs.size());
      const auto done = client::CarryOut(organisation, repair, options.hide_history);
      if (done) {
        ++repaired;
        continue;
      }
      ++failed;
      ShowFailure(output, {repair.compartment, repair.vault, done.error()});
    }
  }
  if (Interrupted()) {
    output.Note("Interrupted: run the command again, and it goes on with what is left.");
    finish(repaired, failed);
    return ExitCode::kPartly;
  }
  output.Line(Counted(repaired, "{0} vault repaired.", "{0} vaults repaired."), Style::kGood);
  return finish(repaired, failed);
}

}  // namespace godwit::cli
