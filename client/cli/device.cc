#include "client/cli/device.h"

#include <algorithm>
#include <array>

#include "client/cli/alarms.h"
#include "client/cli/inviting.h"
#include "client/directory.h"
#include "client/self_audit.h"
#include "protocol/statement.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using client::Realm;

// DEVICE_REVOKE's reasons (docs/protocol.md section 4).
constexpr std::array<std::pair<std::string_view, std::uint8_t>, 3> kReasons{
    {{"lost", 1}, {"retired", 2}, {"compromised", 3}}};
constexpr std::size_t kShortestId = 8;  // digits: nobody has two devices that begin alike

struct Target {
  Realm* realm;
  base::MemberId member;
  base::DeviceId device;
  bool only = false;  // the member's last active one
};

bool IsIdLike(const std::string& text) {
  return text.size() >= kShortestId &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// Active devices that `text` means, in all open realms.
base::Result<std::vector<Target>> FindTargets(client::Organisation& organisation,
                                              const std::string& text) {
  std::vector<Target> targets;
  const bool id_like = IsIdLike(text);
  for (const auto& [compartment, realm] : organisation.realms()) {
    const auto directory = client::Directory::Read(*realm);
    if (!directory && directory.error().code() != Code::kNotFound) return directory.error();
    const client::Colleague* colleague = directory ? directory->ByHandle(text) : nullptr;
    const auto& roster = realm->roster();
    const std::uint64_t head = roster.head_seq();
    for (const auto& [member, row] : roster.members()) {
      const auto active = roster.ActiveDevicesAt(member, head);
      for (const base::DeviceId& device : active) {
        const bool by_handle = colleague != nullptr && colleague->member == member;
        const bool by_id = id_like && base::ToHex(device.bytes()).starts_with(text);
        if (by_handle || by_id) {
          targets.push_back({realm.get(), member, device, active.size() == 1});
        }
      }
    }
  }
  return targets;
}

// Whoever revokes a device of their own has answered its alarm.
base::Status AnswerAlarm(const Target& target) {
  if (target.member != target.realm->member()) return {};
  const auto surprises = client::Surprises(*target.realm);
  if (!surprises) return surprises.error();
  for (const client::Surprise& surprise : *surprises) {
    if (std::ranges::equal(surprise.id, target.device.bytes())) {
      return client::Confirm(*target.realm, surprise);
    }
  }
  return {};
}

}  // namespace

ExitCode DeviceList(const Context& context, const DeviceListOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("list the devices", why); };
  auto session = Session::Open(context, kAllRealms);
  if (!session) return fail(session.error());
  const auto synced = SyncNames(session->organisation());
  if (IsOffline(synced)) {
    output.Note("Offline: as of the last sync.");
  } else if (!synced && synced.error().code() != Code::kPermissionDenied) {
    return fail(synced.error());
  }
  Table table{
      {Column("device"), Column("realm"), Shrinking("handle"), Shrinking("name"), Column("state")},
      {}};
  const auto alarms = FindAlarms(session->organisation());
  if (!alarms) return fail(alarms.error());
  for (const auto& [compartment, realm] : session->organisation().realms()) {
    const auto& roster = realm->roster();
    if (roster.empty()) continue;
    const auto directory = client::Directory::Read(*realm);
    if (!directory && directory.error().code() != Code::kNotFound) return fail(directory.error());
    for (const auto& [member, row] : roster.members()) {
      if (!options.everybody && member != realm->member()) continue;
      for (const base::DeviceId& device : row.devices) {
        const bool active = roster.IsActiveAt(device, roster.head_seq());
        if (!active && !options.all) continue;
        const client::Colleague* colleague = directory ? directory->ByMember(member) : nullptr;
        const std::string id = base::ToHex(device.bytes());
        const bool own = device == realm->device().id();
        const bool unknown = std::ranges::find(*alarms, id, &Alarm::id) != alarms->end();
        const std::string state = !active   ? Translated("revoked")
                                  : own     ? Translated("this device")
                                  : unknown ? Translated("UNKNOWN")
                                            : Translated("active");
        const std::string handle = colleague != nullptr ? colleague->handle : "";
        const std::string realm_name(protocol::Name(compartment));
        output.Emit({{"device", id},
                     {"realm", realm_name},
                     {"handle", handle},
                     {"active", active},
                     {"this_device", own},
                     {"unknown", unknown}});
        table.rows.push_back({id.substr(0, 12), realm_name, handle,
                              colleague != nullptr ? colleague->display_name : "",
                              Cell(state, unknown  ? Style::kBad
                                          : active ? Style::kPlain
                                                   : Style::kWarning)});
      }
    }
  }
  output.Show(table);
  return ExitCode::kOk;
}

ExitCode DeviceAdd(const Context& context, const DeviceAddOptions& options) {
  return RunInviting(
      context, "add a device", [](Inviting& inviting) { return inviting.InviteDevice(); },
      options.wait);
}

ExitCode DeviceConfirm(const Context& context, const DeviceConfirmOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("confirm it", why); };
  if (!IsIdLike(options.id)) {
    return fail(Error(Code::kInvalidArgument, "give at least 8 digits of what the alarm names"));
  }
  auto session = Session::Open(context, kAllRealms);
  if (!session) return fail(session.error());
  const auto alarms = FindAlarms(session->organisation());
  if (!alarms) return fail(alarms.error());
  std::vector<const Alarm*> meant;
  for (const Alarm& alarm : *alarms) {
    if (alarm.id().starts_with(options.id)) meant.push_back(&alarm);
  }
  if (meant.empty()) return fail(Error(Code::kNotFound, "no alarm names this"));
  if (meant.size() > 1) {
    return fail(Error(Code::kInvalidArgument, "several begin like this: give more digits"));
  }
  const auto sure = context.prompt.Confirm(
      Translated("Take it for your own? Whoever holds it reads what is sealed to you, and acts in "
                 "your name."));
  if (!sure) return fail(sure.error());
  if (!*sure) return fail(Error(Code::kCancelled, "the alarm stays"));
  const Alarm& alarm = *meant.front();
  if (const auto kept = client::Confirm(*alarm.realm, alarm.surprise); !kept) {
    return fail(kept.error());
  }
  const std::string realm(protocol::Name(alarm.realm->compartment()));
  output.Emit({{"event", "confirmed"}, {"realm", realm}, {"id", alarm.id()}});
  output.Line(Translated("{0}: confirmed.", realm), Style::kGood);
  return ExitCode::kOk;
}

ExitCode DeviceRevoke(const Context& context, const DeviceRevokeOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("revoke the device", why); };
  const auto reason = std::ranges::find(kReasons, options.reason,
                                        &std::pair<std::string_view, std::uint8_t>::first);
  if (reason == kReasons.end()) {
    return fail(
        Error(Code::kInvalidArgument, "the reason is one of lost, retired and compromised"));
  }
  auto session = Session::Open(context, kAllRealms);
  if (!session) return fail(session.error());
  if (const auto synced = SyncNames(session->organisation()); !synced) return fail(synced.error());
  const auto targets = FindTargets(session->organisation(), options.target);
  if (!targets) return fail(targets.error());
  if (targets->empty()) {
    return fail(Error(Code::kNotFound,
                      "no active device: give a handle, or 8 digits of `godwit device list`"));
  }
  bool only = false;
  for (const Target& target : *targets) only = only || target.only;
  const auto sure = context.prompt.Confirm(
      Counted(targets->size(), "Revoke {0} device key? It cannot be undone.",
              "Revoke {0} device keys, one a realm? It cannot be undone.") +
      (only ? Translated(" It is the only device there: the person can do nothing more until they "
                         "are removed and invited again.")
            : ""));
  if (!sure) return fail(sure.error());
  if (!*sure) return fail(Error(Code::kCancelled, "nothing was revoked"));

  std::size_t done = 0;
  for (const Target& target : *targets) {
    const protocol::DeviceRevoke revoke{target.member, target.device, reason->second};
    const auto revoked = target.realm->Author(revoke);
    const std::string realm(protocol::Name(target.realm->compartment()));
    if (!revoked) {
      const ExitCode exit = fail(revoked.error());
      return done > 0 ? ExitCode::kPartly : exit;
    }
    ++done;
    if (const auto answered = AnswerAlarm(target); !answered) return fail(answered.error());
    output.Emit({{"event", "revoked"},
                 {"device", base::ToHex(target.device.bytes())},
                 {"realm", realm},
                 {"only_device", target.only}});
    output.Line(Translated("{0}: revoked; its session ends within a second.", realm), Style::kGood);
  }
  // New keys for what everybody reads; each other vault gets one when it is written next.
  for (const Target& target : *targets) {
    if ((target.realm->roles() & (protocol::kOwner | protocol::kAdmin)) == 0) continue;
    if (const auto listed = client::ListEverybody(*target.realm, {}); !listed) {
      output.Note("The directory keeps its old key until the next change of it.");
    }
  }
  if (only) {
    output.Line(
        "That was the only device. To let the person back in, remove them (`godwit member remove "
        "HANDLE --reason lost`) and invite them again.",
        Style::kWarning);
  }
  return ExitCode::kOk;
}

}  // namespace godwit::cli
