#include "client/cli/status.h"

#include <map>

#include "client/cases.h"
#include "client/cli/alarms.h"
#include "client/cli/person.h"
#include "client/cli/render.h"
#include "client/directory.h"
#include "client/grants.h"
#include "client/staff.h"
#include "client/vault_view.h"
#include "protocol/words.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using base::Status;
using client::Profile;
using protocol::Compartment;

// What a realm's store says, for `status`.
struct RealmStatus {
  bool reachable = false;
  std::optional<std::uint64_t> last_sync_ms;
  std::size_t outbox = 0;
  std::size_t frozen = 0;
  std::vector<client::EvidenceItem> evidence;
};

base::Result<RealmStatus> Look(client::Realm& realm) {
  RealmStatus status;
  status.reachable = realm.server().ServerKey().ok();
  const auto last = LastSync(realm);
  if (!last) return last.error();
  status.last_sync_ms = *last;
  const auto outbox = realm.store().Outbox();
  if (!outbox) return outbox.error();
  status.outbox = outbox->size();
  const auto vaults = realm.store().Vaults();
  if (!vaults) return vaults.error();
  for (const auto& [vault, memory] : *vaults) status.frozen += memory.frozen ? 1 : 0;
  auto evidence = realm.store().KeptEvidence();
  if (!evidence) return evidence.error();
  status.evidence = *std::move(evidence);
  return status;
}

// Lists members of a realm who have keys and whom no directory names: their inviter was
// interrupted. The staff vault knows their handles.
Status ListForgotten(client::Organisation& organisation) {
  using client::kGranters;
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases || ((*cases)->roles() & kGranters) == 0) return {};
  const auto staff = client::ReadStaff(**cases);
  // Nobody has listed this granter yet.
  if (!staff && staff.error().code() == Code::kNotFound) return {};
  if (!staff) return staff.error();
  for (const auto& [compartment, realm] : organisation.realms()) {
    if ((realm->roles() & kGranters) == 0) continue;
    const auto directory = client::Directory::Read(*realm);
    if (!directory) return directory.error();
    const auto& roster = realm->roster();
    std::vector<client::Colleague> forgotten;
    for (const client::Human& human : *staff) {
      for (const client::Membership& m : human.memberships) {
        if (m.compartment != compartment || m.ended || directory->ByMember(m.member) != nullptr ||
            roster.UsablePukAt(m.member, roster.head_seq()) == nullptr) {
          continue;
        }
        forgotten.push_back({m.member, human.handle, human.handle});
      }
    }
    if (forgotten.empty()) continue;
    if (const auto listed = client::ListEverybody(*realm, forgotten); !listed) return listed;
  }
  return {};
}

}  // namespace

void ShowWhoami(Output& output, const Profile& profile, const client::Organisation& organisation) {
  std::string handle;
  std::string name;
  bool evaluation = false;
  Json realms = Json::object();
  Table table{{Column("realm"), Shrinking("roles"), Column("member"), Column("device")}, {}};
  for (const auto& [compartment, realm] : organisation.realms()) {
    const auto directory = client::Directory::Read(*realm);
    const client::Colleague* self = directory ? directory->ByMember(realm->member()) : nullptr;
    if (self != nullptr) {
      handle = self->handle;
      name = self->display_name;
    } else if (handle.empty()) {
      handle = realm->info().handle;
    }
    evaluation = evaluation || realm->info().evaluation;
    const std::string member = base::ToHex(realm->member().bytes());
    const std::string device = base::ToHex(realm->device().id().bytes());
    const auto roles = RoleNames(realm->roles());
    realms[std::string(protocol::Name(compartment))] = {
        {"member", member},
        {"device", device},
        {"roles", roles},
        {"fingerprint", protocol::FingerprintWords(realm->info().fingerprint)}};
    table.rows.push_back({std::string(protocol::Name(compartment)), RolesLabel(realm->roles()),
                          member.substr(0, 12), device.substr(0, 12)});
  }
  output.Emit({{"event", "whoami"},
               {"profile", profile.name()},
               {"handle", handle},
               {"name", name},
               {"evaluation", evaluation},
               {"realms", realms}});
  output.Fields({{Label("profile"), profile.name()},
                 {Label("handle"), handle.empty() ? Translated("(not listed yet)") : handle},
                 {Label("name"), name}});
  output.Line();
  output.Show(table);
}

ExitCode Whoami(const Context& context) {
  auto session = Session::Open(context, kAllRealms, Profile::Use::kRead);
  if (!session) return context.output.Fail("say who you are", session.error());
  ShowWhoami(context.output, session->profile(), session->organisation());
  return ExitCode::kOk;
}

ExitCode StatusShow(const Context& context) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("show the status", why); };
  const auto profile = ChooseProfile(context);
  if (!profile) return fail(profile.error());
  std::vector<Compartment> unlocked;
  std::optional<std::chrono::seconds> idle_left;
  if (auto agent = client::AgentClient::Connect(*profile)) {
    if (const auto list = agent->List()) unlocked = *list;
    if (const auto left = agent->IdleLeft()) idle_left = *left;
  }
  // With a passphrase at hand the rest is opened too.
  if (context.prompt.HasPassphraseFd()) unlocked = profile->Realms();
  std::optional<Session> session;
  if (!unlocked.empty()) {
    auto opened = Session::Open(context, unlocked, Profile::Use::kRead);
    if (!opened) return fail(opened.error());
    session.emplace(*std::move(opened));
  }

  Json realms = Json::object();
  Table table{{Column("realm"), Column("keys"), Column("service"), Column("last sync"),
               Number("to send"), Number("frozen"), Number("evidence")},
              {}};
  Table shown_notices{{Column("realm"), Number("statement"), Column("what every member is told")},
                      {}};
  bool any_evidence = false;
  for (const Compartment compartment : profile->Realms()) {
    const std::string name(protocol::Name(compartment));
    const auto realm = session ? session->organisation().Get(compartment)
                               : base::Result<client::Realm*>(Error(Code::kLocked, "locked"));
    if (!realm) {
      realms[name] = {{"unlocked", false}};
      table.rows.push_back({name, Cell(Translated("locked"), Style::kFaint), "", "", "", "", ""});
      continue;
    }
    const auto look = Look(**realm);
    if (!look) return fail(look.error());
    Json evidence = Json::array();
    for (const client::EvidenceItem& kept : look->evidence) {
      evidence.push_back({{"code", Name(kept.code)}, {"time", TimeText(kept.piece.time_ms)}});
    }
    Json alarms = Json::array();
    const auto surprises = client::Surprises(**realm);
    if (!surprises) return fail(surprises.error());
    for (const auto& surprise : *surprises) alarms.push_back(Alarm{*realm, surprise}.json());
    Json notices = Json::array();
    const auto all_notices = client::AllNotices(**realm);
    if (!all_notices) return fail(all_notices.error());
    for (const auto& notice : *all_notices) {
      const std::string text = NoticeText(**realm, notice);
      notices.push_back({{"seq", notice.seq}, {"text", text}});
      shown_notices.rows.push_back({name, std::to_string(notice.seq), text});
    }
    any_evidence = any_evidence || !look->evidence.empty() || look->frozen > 0;
    realms[name] = {
        {"unlocked", true},
        {"reachable", look->reachable},
        {"last_sync", look->last_sync_ms ? Json(TimeText(*look->last_sync_ms)) : Json()},
        {"outbox", look->outbox},
        {"frozen_vaults", look->frozen},
        {"evidence", evidence},
        {"alarms", alarms},
        {"notices", notices}};
    table.rows.push_back({name, Translated("unlocked"),
                          look->reachable ? Cell(Translated("reachable"), Style::kGood)
                                          : Cell(Translated("offline"), Style::kWarning),
                          look->last_sync_ms ? TimeLabel(*look->last_sync_ms) : Translated("never"),
                          std::to_string(look->outbox), std::to_string(look->frozen),
                          Cell(std::to_string(look->evidence.size()),
                               look->evidence.empty() ? Style::kPlain : Style::kBad)});
  }
  output.Emit({{"profile", profile->name()},
               {"evaluation", session ? Json(session->evaluation()) : Json()},
               {"agent_idle_left_s", idle_left ? Json(idle_left->count()) : Json()},
               {"realms", realms}});
  output.Fields(
      {{Label("profile"), profile->name()},
       {Label("agent"),
        idle_left ? Translated("holds the keys for {0} more minutes if you do nothing",
                               idle_left->count() / 60 + 1)
                  : Translated("does not run: the next command asks for the passphrase")}});
  output.Line();
  output.Show(table);
  if (!shown_notices.rows.empty()) {
    output.Line();
    output.Show(shown_notices);
  }
  if (any_evidence) {
    output.Line(
        "\nEvidence is kept of a service or colleague that showed what it must not. Tell an owner, "
        "by another way than this service: `godwit evidence list` shows whom it names.",
        Style::kBad);
  }
  return ExitCode::kOk;
}

ExitCode SyncCommand(const Context& context) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("sync", why); };
  auto session = Session::Open(context, kAllRealms);
  if (!session) return fail(session.error());
  client::Organisation& organisation = session->organisation();
  // Before anything is sent, so that it goes with the rest.
  Status taken;
  if (organisation.Get(Compartment::kIdentity) && organisation.Get(Compartment::kCases)) {
    taken = TakeDraftsIn(context, *session, {});
  }
  Status first;
  const auto keep = [&](const Status& status) {
    if (first && !status) first = status;
  };
  {
    Progress progress(output);
    keep(organisation.Sync([&](Compartment compartment, std::size_t done, std::size_t all) {
      progress.Update(Translated("syncing {0}", protocol::Name(compartment)), done, all);
    }));
    keep(SyncLists(organisation, progress));
  }
  if (first) keep(ListForgotten(organisation));
  const auto outbox =
      IsOffline(first) ? client::Outbox(organisation) : client::SendOutbox(organisation);
  if (!outbox) return fail(outbox.error());
  output.Emit({{"event", "synced"},
               {"complete", first.ok()},
               {"waiting", outbox->waiting},
               {"refused", outbox->refused}});
  if (outbox->refused > 0) {
    output.Line(Translated("{0} changes cannot be sent as they are; `godwit outbox` says why.",
                           outbox->refused),
                Style::kWarning);
  } else if (outbox->waiting > 0) {
    output.Line(Translated("{0} changes wait to be sent.", outbox->waiting), Style::kWarning);
  }
  if (!first) return fail(first.error());
  if (!taken) return output.Fail("take in what was drafted", taken.error());
  output.Line("Up to date.", Style::kGood);
  return outbox->waiting > 0 ? ExitCode::kWaiting : ExitCode::kOk;
}

ExitCode Unlock(const Context& context) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("unlock", why); };
  if (context.common.no_agent) {
    return fail(Error(Code::kInvalidArgument, "unlocking is what the agent is for"));
  }
  const auto profile = ChooseProfile(context);
  if (!profile) return fail(profile.error());
  const auto realms = UnlockRealms(context, *profile, kAllRealms);
  if (!realms) return fail(realms.error());
  Json names = Json::array();
  for (const auto& realm : *realms) names.push_back(protocol::Name(realm.info.compartment));
  output.Emit({{"event", "unlocked"}, {"profile", profile->name()}, {"realms", names}});
  output.Line("Unlocked until `godwit lock`, or half an hour without a command.", Style::kGood);
  return ExitCode::kOk;
}

ExitCode Lock(const Context& context) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("lock", why); };
  const auto profile = ChooseProfile(context);
  if (!profile) return fail(profile.error());
  auto agent = client::AgentClient::Connect(*profile);
  if (!agent && agent.error().code() != Code::kUnavailable) return fail(agent.error());
  if (agent) {
    if (const Status locked = agent->Lock(); !locked) return fail(locked.error());
  }
  output.Emit({{"event", "locked"}, {"profile", profile->name()}});
  output.Line("Locked: no key of this profile is in memory.", Style::kGood);
  return ExitCode::kOk;
}

ExitCode Agent(const Context& context) {
  const auto profile = ChooseProfile(context);
  if (!profile) return context.output.Fail("run the agent", profile.error());
  const Status served = client::RunAgent(*profile);
  if (!served) return context.output.Fail("run the agent", served.error());
  return ExitCode::kOk;
}

}  // namespace godwit::cli
