#include "client/cli/ledger.h"

#include <array>

#include "client/cli/render.h"
#include "client/directory.h"
#include "client/vault_view.h"
#include "client/vault_writer.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using base::VaultId;
using client::Profile;
using client::Realm;
using protocol::Compartment;
using protocol::Kind;

const std::vector<Compartment> kLedgerRealms{Compartment::kIdentity, Compartment::kCases};
constexpr std::uint8_t kLedgerKind = static_cast<std::uint8_t>(Kind::kLedger);

VaultId Named(const Realm& realm) { return realm.roster().policy().VaultOf(Kind::kLedger); }

std::string Hex(const VaultId& vault) { return base::ToHex(vault.bytes()); }

// The ledger that this member made or was listed in, or nothing.
base::Result<std::optional<VaultId>> Known(Realm& realm) {
  const auto vaults = realm.store().Vaults(Kind::kLedger);
  if (!vaults) return vaults.error();
  if (vaults->empty()) return std::optional<VaultId>();
  return std::optional(vaults->front().first);
}

// Opens both realms, synced.
base::Result<Session> OpenBoth(const Context& context) {
  auto session = Session::Open(context, kLedgerRealms);
  if (!session) return session;
  for (const Compartment compartment : kLedgerRealms) {
    const auto realm = session->organisation().Get(compartment);
    if (!realm) return realm.error();
    if (const auto synced = SyncNames(**realm); !synced) return synced.error();
  }
  return session;
}

base::Result<VaultId> ReadVaultId(const std::string& text) {
  const auto bytes = base::FromHex(text);
  const auto vault = bytes ? VaultId::FromBytes(*bytes) : std::nullopt;
  if (!vault || vault->IsZero()) {
    return Error(Code::kInvalidArgument,
                 "a vault's id has 32 hexadecimal digits, as `godwit org ledger make` prints them");
  }
  return *vault;
}

// How many signatures the naming of `ledger` still waits for, after one by this device unless it
// waits already: 0 once it is named.
base::Result<std::uint64_t> Name(Realm& realm, const VaultId& ledger) {
  if (Named(realm) == ledger) return 0;
  for (const auto& each : realm.roster().pending()) {
    const auto* set = std::get_if<protocol::PolicySet>(&each.payload);
    if (set != nullptr && set->policy.VaultOf(Kind::kLedger) == ledger) {
      return realm.roster().MissingSignatures(each);
    }
  }
  protocol::Policy policy = realm.roster().policy();
  ++policy.gen;
  policy.vaults[kLedgerKind] = ledger;
  return realm.Author(protocol::PolicySet{policy});
}

}  // namespace

ExitCode LedgerShow(const Context& context) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("show the ledgers", why); };
  auto session = OpenBoth(context);
  if (!session) return fail(session.error());
  Json json = Json::object();
  Table table{{Column("realm"), Shrinking("vault"), Shrinking("state")}, {}};
  bool all_named = true, all_mine = true, any_known = false;
  bool intake = false, owner = false;
  for (const Compartment compartment : kLedgerRealms) {
    Realm& realm = **session->organisation().Get(compartment);
    const VaultId named = Named(realm);
    const auto known = Known(realm);
    if (!known) return fail(known.error());
    intake = intake || (realm.roles() & protocol::kIntake) != 0;
    owner = owner || (realm.roles() & protocol::kOwner) != 0;
    bool mine = false;
    if (!named.IsZero() && (realm.roles() & protocol::kIntake) != 0) {
      mine = client::VaultView::Fetch(realm, named).ok();
    }
    all_named = all_named && !named.IsZero();
    all_mine = all_mine && mine;
    any_known = any_known || known->has_value();
    const std::string state =
        !named.IsZero()
            ? (mine ? Translated("ready, and yours to import with") : Translated("named"))
        : *known ? Translated("made by you, not named yet")
                 : Translated("not made, or not named yet");
    const std::string id = !named.IsZero() ? Hex(named) : *known ? Hex(**known) : "";
    const std::string name(protocol::Name(compartment));
    json[name] = {{"named", !named.IsZero()}, {"yours", mine}, {"vault", id}};
    table.rows.push_back({name, id, state});
  }
  output.Emit({{"ledgers", json}});
  output.Show(table);
  if (all_named && (all_mine || !intake)) {
    output.Line("Nothing is missing: an intake member may run `godwit import cases`.");
  } else if (all_named) {
    output.Line(
        "You are not listed in them yet: an intake member who is runs `godwit org ledger admit` "
        "with your handle.");
  } else if (any_known) {
    output.Line("Missing: an owner names them with `godwit org ledger name` and both ids above.");
  } else if (intake) {
    output.Line("Missing: make them with `godwit org ledger make`, and give an owner both ids.");
  } else {
    output.Line(owner ? Translated("Missing: an intake member runs `godwit org ledger make` and "
                                   "gives you two ids, which you name with `godwit org ledger "
                                   "name`.")
                      : Translated("Missing: an intake member makes them, and an owner names "
                                   "them."));
  }
  return ExitCode::kOk;
}

ExitCode LedgerMake(const Context& context) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("make the ledgers", why); };
  auto session = OpenBoth(context);
  if (!session) return fail(session.error());
  std::vector<std::string> ids;
  for (const Compartment compartment : kLedgerRealms) {
    Realm& realm = **session->organisation().Get(compartment);
    if ((realm.roles() & protocol::kIntake) == 0) {
      return fail(
          Error(Code::kPermissionDenied, "ledgers are made by somebody with the role intake"));
    }
    if (!Named(realm).IsZero()) {
      return fail(Error(Code::kExists,
                        "the realm has its ledger already: ask an intake member who "
                        "is listed in it for `godwit org ledger admit`"));
    }
    const auto known = Known(realm);
    if (!known) return fail(known.error());
    if (*known) {
      ids.push_back(Hex(**known));
      continue;
    }
    const auto nothing = [](const VaultId&) -> base::Result<std::vector<client::Edit>> {
      return std::vector<client::Edit>();
    };
    const auto made =
        client::CreateVault(realm, Kind::kLedger, {{realm.member(), protocol::kFull}}, nothing);
    if (!made) return fail(made.error());
    ids.push_back(Hex(made->id()));
  }
  output.Emit({{"event", "ledgers"}, {"identity", ids[0]}, {"cases", ids[1]}});
  output.Line("Made. Now an owner runs:");
  output.Line("  godwit org ledger name " + ids[0] + " " + ids[1]);
  return ExitCode::kOk;
}

ExitCode LedgerName(const Context& context, const LedgerNameOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("name the ledgers", why); };
  std::array<VaultId, 2> ids;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto id = ReadVaultId(i == 0 ? options.identity_vault : options.cases_vault);
    if (!id) return fail(id.error());
    ids[i] = *id;
  }
  auto session = OpenBoth(context);
  if (!session) return fail(session.error());
  // Both are looked at before either is named.
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Realm& realm = **session->organisation().Get(kLedgerRealms[i]);
    const VaultId named = Named(realm);
    if (!named.IsZero() && named != ids[i]) {
      return fail(Error(Code::kExists, "a realm has another ledger already: `godwit org ledger`"));
    }
    if ((realm.roles() & protocol::kOwner) == 0) {
      return fail(Error(Code::kPermissionDenied, "what a realm names is for an owner to say"));
    }
  }
  bool waits = false;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    Realm& realm = **session->organisation().Get(kLedgerRealms[i]);
    const auto missing = Name(realm, ids[i]);
    if (!missing) return fail(missing.error());
    if (*missing == 0) continue;
    waits = true;
    const std::string name(protocol::Name(kLedgerRealms[i]));
    output.Emit({{"event", "waits"}, {"realm", name}, {"missing", *missing}});
    output.Line(Translated("{0}: naming the ledger {1}.", name, WaitsFor(*missing)),
                Style::kWarning);
  }
  if (waits) return ExitCode::kPartly;
  output.Emit({{"event", "ledgers_named"},
               {"identity", options.identity_vault},
               {"cases", options.cases_vault}});
  output.Line("Named. Whoever made them may run `godwit import cases` now.", Style::kGood);
  return ExitCode::kOk;
}

ExitCode LedgerAdmit(const Context& context, const std::string& handle) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("admit an intake member", why); };
  auto session = OpenBoth(context);
  if (!session) return fail(session.error());
  std::vector<base::MemberId> members;
  for (const Compartment compartment : kLedgerRealms) {
    Realm& realm = **session->organisation().Get(compartment);
    if (Named(realm).IsZero()) {
      return fail(Error(Code::kNotFound, "there is no ledger yet: see `godwit org ledger`"));
    }
    const auto directory = client::Directory::Read(realm);
    if (!directory) return fail(directory.error());
    const client::Colleague* colleague = directory->ByHandle(handle);
    const auto& roster = realm.roster();
    if (colleague == nullptr ||
        (roster.RolesAt(colleague->member, roster.head_seq()) & protocol::kIntake) == 0) {
      return fail(Error(Code::kNotFound, "no intake member has this handle: `godwit member list`"));
    }
    members.push_back(colleague->member);
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    Realm& realm = **session->organisation().Get(kLedgerRealms[i]);
    const auto with_them = [&](const protocol::MemberList& list) {
      std::map<base::MemberId, protocol::Perm> wanted;
      for (const auto& [member, row] : list) wanted[member] = row.perm;
      wanted[members[i]] = protocol::kFull;
      return wanted;
    };
    const auto written = client::WriteVault(realm, Named(realm), {}, with_them);
    if (!written) return fail(written.error());
  }
  output.Emit({{"event", "admitted"}, {"handle", handle}});
  output.Line("Done: they may run `godwit import cases` now.", Style::kGood);
  return ExitCode::kOk;
}

}  // namespace godwit::cli
