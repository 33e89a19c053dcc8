#include "client/cli/approve.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/clock.h"
#include "client/approvals.h"
#include "client/cli/render.h"
#include "client/directory.h"
#include "client/policy_fields.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using client::WaitingStatement;
using protocol::Compartment;

// By type (docs/protocol.md section 4).
constexpr std::array<std::string_view, protocol::kLastStatementType + 1> kTypeNames{
    "genesis",       "member_add", "device_add", "device_revoke", "puk_rotate",
    "member_remove", "role_set",   "policy_set", "recovery_set",  "recovery_request",
    "approve",       "close",      "root_rotate"};
constexpr std::size_t kLeastLinkDigits = 8;
const std::string kIndent(kLeastLinkDigits + 2, ' ');

std::string LinkText(const base::Link& link) { return base::ToHex(link.bytes()); }

// What a statement does once it is in effect, for whoever is asked to sign it.
class Describer {
 public:
  Describer(const client::Realm& realm, const client::Directory& directory)
      : roster_(realm.roster()), directory_(directory) {}

  std::string Describe(const WaitingStatement& waiting) const {
    const auto& payload = waiting.statement.payload;
    const std::string handle =
        waiting.human ? waiting.human->handle : Translated("somebody unknown");
    if (const auto* add = std::get_if<protocol::MemberAdd>(&payload)) {
      return Translated("let {0} in as {1}", handle, RolesLabel(add->roles));
    }
    if (const auto* add = std::get_if<protocol::DeviceAdd>(&payload)) {
      return Translated("give {0} another device", directory_.NameOf(add->member));
    }
    if (const auto* remove = std::get_if<protocol::MemberRemove>(&payload)) {
      return Translated("remove {0}", directory_.NameOf(remove->member));
    }
    if (const auto* set = std::get_if<protocol::RoleSet>(&payload)) {
      // TRANSLATORS: {0} is a name, {1} a handle, {2} the new roles, {3} those of before.
      return Translated("make {0} ({1}) {2} instead of {3}", directory_.NameOf(set->member), handle,
                        RolesLabel(set->roles),
                        RolesLabel(roster_.RolesAt(set->member, roster_.head_seq())));
    }
    if (std::holds_alternative<protocol::PolicySet>(payload))
      return Translated("change the policy");
    if (std::holds_alternative<protocol::RootRotate>(payload))
      return Translated("replace the root key");
    return Translated("recover keys");
  }

  std::vector<client::PolicyChange> Changes(const WaitingStatement& waiting) const {
    const auto* set = std::get_if<protocol::PolicySet>(&waiting.statement.payload);
    if (set == nullptr) return {};
    return client::PolicyChanges(roster_.policy(), set->policy);
  }

  std::string NameOf(const base::MemberId& member) const { return directory_.NameOf(member); }
  std::string Author(const WaitingStatement& waiting) const {
    const auto& signer = waiting.statement.author;
    return signer.IsRoot() ? Translated("the root key") : directory_.NameOf(signer.member);
  }

 private:
  const protocol::Roster& roster_;
  const client::Directory& directory_;
};

void Show(Output& output, const WaitingStatement& waiting, const Describer& describer) {
  const std::string realm(protocol::Name(waiting.compartment));
  const std::string link = LinkText(waiting.statement.link);
  Json changes = Json::array();
  for (const auto& change : describer.Changes(waiting)) {
    changes.push_back(
        {{"field", change.field}, {"before", change.before}, {"after", change.after}});
  }
  Json json{{"link", link},
            {"realm", realm},
            {"type", kTypeNames[protocol::TypeOf(waiting.statement.payload)]},
            {"what", describer.Describe(waiting)},
            {"author", describer.Author(waiting)},
            {"time_ms", waiting.statement.time_ms},
            {"signed_by_me", waiting.signed_by_me}};
  if (waiting.missing == protocol::kNever) {
    json["missing"] = nullptr;
  } else {
    json["missing"] = waiting.missing;
  }
  if (!changes.empty()) json["changes"] = changes;
  if (waiting.refusal) json["refusal"] = waiting.refusal->message();
  output.Emit(json);

  output.Line(link.substr(0, kLeastLinkDigits) + "  " + realm + ": " + describer.Describe(waiting),
              Style::kStrong);
  output.Line(kIndent +
              Translated("asked for by {0}, {1}; {2}", describer.Author(waiting),
                         TimeLabel(waiting.statement.time_ms),
                         waiting.missing == protocol::kNever
                             ? Translated("can no longer take effect")
                             : WaitsFor(waiting.missing)) +
              (waiting.signed_by_me ? Translated(", yours is there") : ""));
  for (const auto& change : describer.Changes(waiting)) {
    output.Line(kIndent + change.field + ": " +
                (change.before.empty() ? Translated("(none)") : change.before) + " -> " +
                (change.after.empty() ? Translated("(none)") : change.after));
  }
  if (waiting.refusal) {
    output.Line(kIndent + Translated("not to be approved: {0}", WhyText(*waiting.refusal)),
                Style::kWarning);
  }
}

std::string Named(const client::Colleague& colleague) {
  return Translated("{0} by the name of {1}", colleague.handle, colleague.display_name);
}

void Show(Output& output, const client::WaitingName& waiting, const Describer& describer) {
  const std::string realm(protocol::Name(waiting.compartment));
  const std::string link = LinkText(waiting.name.link);
  const std::string what = Translated("list {0}", Named(waiting.name.colleague));
  const std::string author = describer.NameOf(waiting.name.author);
  Json json{{"link", link}, {"realm", realm},   {"type", "name"},
            {"what", what}, {"author", author}, {"signed_by_me", waiting.written_by_me},
            {"missing", 1}};
  if (waiting.refusal) json["refusal"] = waiting.refusal->message();
  output.Emit(json);
  output.Line(link.substr(0, kLeastLinkDigits) + "  " + realm + ": " + what, Style::kStrong);
  output.Line(kIndent + Translated("written by {0}; {1}", author, WaitsFor(1)) +
              (waiting.written_by_me ? Translated(", not yours") : ""));
  if (waiting.refusal) {
    output.Line(kIndent + Translated("not to be approved: {0}", WhyText(*waiting.refusal)),
                Style::kWarning);
  }
}

// What can be named on the command line: a statement or a colleague's name that waits.
struct Item {
  std::string link;
  bool mine = false;
  const WaitingStatement* statement = nullptr;
  const client::WaitingName* name = nullptr;
  protocol::Compartment compartment() const {
    return statement != nullptr ? statement->compartment : name->compartment;
  }
};

// Those of `all` that `links` name. INVALID_ARGUMENT: too short, or of several; NOT_FOUND.
base::Result<std::vector<const Item*>> Choose(const std::vector<Item>& all,
                                              const std::vector<std::string>& links) {
  std::vector<const Item*> chosen;
  for (const std::string& link : links) {
    if (link == "all") {
      for (const auto& waiting : all) {
        if (!waiting.mine) chosen.push_back(&waiting);
      }
      continue;
    }
    if (link.size() < kLeastLinkDigits) {
      return Error(Code::kInvalidArgument,
                   "name what is meant by at least the first eight digits that `godwit approve` "
                   "shows");
    }
    const auto is_meant = [&](const Item& waiting) { return waiting.link.starts_with(link); };
    const auto count = std::ranges::count_if(all, is_meant);
    if (count == 0) return Error(Code::kNotFound, "nothing that waits begins like this");
    if (count > 1)
      return Error(Code::kInvalidArgument, "several begin like this: give more digits");
    chosen.push_back(&*std::ranges::find_if(all, is_meant));
  }
  std::ranges::sort(chosen);
  chosen.erase(std::ranges::unique(chosen).begin(), chosen.end());
  return chosen;
}

}  // namespace

ExitCode ApproveCommand(const Context& context, const ApproveOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) {
    return output.Fail(
        options.close ? base::Literal("close what waits") : base::Literal("approve what waits"),
        why);
  };
  auto session = Session::Open(context, kAllRealms);
  if (!session) return fail(session.error());
  client::Organisation& organisation = session->organisation();
  if (const auto synced = SyncNames(organisation); !synced) return fail(synced.error());
  const auto all = client::ListWaiting(organisation, base::SystemClock().NowMs());
  if (!all) return fail(all.error());
  std::map<Compartment, client::Directory> directories;
  std::map<Compartment, Describer> describers;
  for (const auto& [compartment, realm] : organisation.realms()) {
    auto directory = client::Directory::Read(*realm);
    if (!directory) return fail(directory.error());
    const auto& kept = directories.emplace(compartment, *std::move(directory)).first->second;
    describers.emplace(compartment, Describer(*realm, kept));
  }

  const auto names = client::ListWaitingNames(organisation);
  if (!names) return fail(names.error());
  std::vector<Item> items;
  for (const auto& each : *all) {
    items.push_back({LinkText(each.statement.link), each.signed_by_me, &each, nullptr});
  }
  for (const auto& each : *names) {
    items.push_back({LinkText(each.name.link), each.written_by_me, nullptr, &each});
  }
  const auto show = [&](const Item& item) {
    const Describer& describer = describers.at(item.compartment());
    if (item.statement != nullptr) Show(output, *item.statement, describer);
    if (item.name != nullptr) Show(output, *item.name, describer);
  };

  if (options.links.empty()) {
    if (options.close) return fail(Error(Code::kInvalidArgument, "say what to close"));
    for (const auto& item : items) show(item);
    if (items.empty()) {
      output.Line("Nothing waits for a signature.");
    } else {
      output.Line("`godwit approve LINK` signs one, `godwit approve --close LINK` ends it.");
    }
    return ExitCode::kOk;
  }

  const auto chosen = Choose(items, options.links);
  if (!chosen) return fail(chosen.error());
  if (chosen->empty()) {
    output.Line("Nothing waits for your signature.");
    return ExitCode::kOk;
  }
  for (const auto* item : *chosen) show(*item);
  const auto sure =
      context.prompt.Confirm(options.close ? Translated("Close them without effect?")
                                           : Translated("Sign them? What is signed stays."));
  if (!sure) return fail(sure.error());
  if (!*sure) return fail(Error(Code::kCancelled, "nothing was signed"));
  // One that fails keeps no other from being signed.
  std::optional<Error> first;
  std::size_t done = 0;
  for (const auto* item : *chosen) {
    const std::string realm(protocol::Name(item->compartment()));
    const std::string shown = item->link.substr(0, kLeastLinkDigits) + "  " + realm + ": ";
    const auto failed = [&](const base::Status& status) {
      if (!status && !first) first = status.error();
      return !status;
    };
    if (options.close) {
      const base::Status closed =
          item->statement != nullptr
              ? client::GiveUp(organisation, *item->statement)
              : Error(Code::kInvalidArgument,
                      "a name is corrected by whoever wrote it, and counts for nothing before");
      if (failed(closed)) continue;
      output.Emit({{"event", "closed"}, {"realm", realm}, {"link", item->link}});
      output.Line(shown + Translated("closed."), Style::kGood);
    } else {
      std::uint64_t missing = 0;
      if (item->statement != nullptr) {
        const auto left = client::Approve(organisation, *item->statement);
        if (failed(left ? base::Status() : left.error())) continue;
        missing = *left;
      } else if (failed(client::ApproveName(organisation, *item->name))) {
        continue;
      }
      output.Emit(
          {{"event", "approved"}, {"realm", realm}, {"link", item->link}, {"missing", missing}});
      output.Line(shown + (missing == 0 ? Translated("signed, and in effect now.")
                                        : WaitsFor(missing) + "."),
                  Style::kGood);
    }
    ++done;
  }
  if (!first) return ExitCode::kOk;
  const ExitCode code = fail(*first);
  return done == 0 ? code : ExitCode::kPartly;
}

}  // namespace godwit::cli
