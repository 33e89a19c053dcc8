#include "client/cli/member.h"

#include <algorithm>
#include <array>
#include <map>

#include "client/cli/render.h"
#include "client/directory.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using protocol::Compartment;

// MEMBER_REMOVE's reasons (docs/protocol.md section 4).
constexpr std::array<std::pair<std::string_view, std::uint8_t>, 4> kReasons{
    {{"left", 1}, {"dismissed", 2}, {"compromised", 3}, {"lost", 4}}};

struct InRealm {
  Compartment compartment;
  protocol::Roles roles = 0;
  std::string state;
};
struct Person {
  std::string name;
  bool here = false;  // a member of some realm now
  std::vector<InRealm> realms;
};

// Looked up where it is printed.
std::string_view StateOf(const client::Realm& realm, const base::MemberId& member) {
  const auto& roster = realm.roster();
  const std::uint64_t head = roster.head_seq();
  if (!roster.IsMemberAt(member, head)) return Translatable("removed");
  if (!roster.HasActiveDeviceAt(member, head)) return Translatable("no device");
  if (roster.PukAt(member, head) == nullptr) return Translatable("joining");
  return Translatable("active");
}

}  // namespace

ExitCode MemberList(const Context& context, const MemberListOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("list the members", why); };
  auto session = Session::Open(context, kAllRealms, UseOf(options.offline));
  if (!session) return fail(session.error());
  if (!options.offline) {
    const auto synced = SyncNames(session->organisation());
    if (IsOffline(synced)) {
      output.Note("Offline: as of the last sync.");
    } else if (!synced) {
      return fail(synced.error());
    }
  }
  // Who is one person, the handle says: a directory names each member of its realm.
  std::map<std::string, Person> people;
  for (const auto& [compartment, realm] : session->organisation().realms()) {
    const auto directory = client::Directory::Read(*realm);
    if (!directory && directory.error().code() != Code::kNotFound) return fail(directory.error());
    const auto& roster = realm->roster();
    if (roster.empty()) continue;
    for (const auto& [member, row] : roster.members()) {
      const client::Colleague* colleague = directory ? directory->ByMember(member) : nullptr;
      const std::string handle = colleague != nullptr
                                     ? colleague->handle
                                     : "(" + base::ToHex(member.bytes().first<4>()) + ")";
      Person& person = people[handle];
      if (colleague != nullptr) person.name = colleague->display_name;
      const std::string state(StateOf(*realm, member));
      person.here = person.here || state != "removed";
      // A removed member's roles are the last they had.
      const auto roles = row.roles.empty() ? protocol::Roles{0} : row.roles.back().second;
      person.realms.push_back({compartment, roles, state});
    }
  }
  Table table{
      {Column("handle"), Shrinking("name"), Column("realm"), Shrinking("roles"), Column("state")},
      {}};
  for (const auto& [handle, person] : people) {
    if (!person.here && !options.all) continue;
    Json realms = Json::object();
    bool first = true;
    for (const InRealm& in : person.realms) {
      if (in.state == "removed" && !options.all) continue;
      const std::string realm(protocol::Name(in.compartment));
      // Whoever left a realm and came back stands there as they are now.
      if (in.state != "removed" || !realms.contains(realm)) {
        realms[realm] = {{"roles", RoleNames(in.roles)}, {"state", in.state}};
      }
      table.rows.push_back(
          {first ? handle : "", first ? person.name : "", realm, RolesLabel(in.roles),
           Cell(LookUp(in.state), in.state == "active" ? Style::kPlain : Style::kWarning)});
      first = false;
    }
    output.Emit({{"handle", handle}, {"name", person.name}, {"realms", realms}});
  }
  output.Show(table);
  return ExitCode::kOk;
}

ExitCode MemberRemove(const Context& context, const MemberRemoveOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("remove the member", why); };
  const auto reason = std::ranges::find(kReasons, options.reason,
                                        &std::pair<std::string_view, std::uint8_t>::first);
  if (reason == kReasons.end()) {
    return fail(Error(Code::kInvalidArgument,
                      "the reason is one of left, dismissed, compromised and lost"));
  }
  auto session = Session::Open(context, kAllRealms);
  if (!session) return fail(session.error());
  const auto sure = context.prompt.Confirm(
      Translated("Remove this person from every realm? Their devices lose access at once; what "
                 "they have read, they have read."));
  if (!sure) return fail(sure.error());
  if (!*sure) return fail(Error(Code::kCancelled, "nothing was removed"));
  const auto waiting =
      client::RemoveMember(session->organisation(), options.handle, reason->second);
  if (!waiting) return fail(waiting.error());
  if (!waiting->empty()) {
    for (const client::Waiting& each : *waiting) {
      const std::string realm(protocol::Name(each.compartment));
      output.Emit({{"event", "waits"}, {"realm", realm}, {"missing", each.missing}});
      output.Line(Translated("{0}: the removal {1}.", realm, WaitsFor(each.missing)),
                  Style::kWarning);
    }
    output.Line("Run this command again once they have signed, for the keys to be made anew.");
    return ExitCode::kPartly;
  }
  output.Emit({{"event", "removed"}, {"handle", options.handle}, {"reason", options.reason}});
  output.Line("Removed, and new keys made for what everybody reads.", Style::kGood);
  return ExitCode::kOk;
}

}  // namespace godwit::cli
