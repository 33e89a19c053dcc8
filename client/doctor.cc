#include "client/doctor.h"

#include <algorithm>

#include "client/directory.h"
#include "client/due_members.h"
#include "client/grants.h"
#include "client/pinned_rows.h"
#include "client/vault_view.h"
#include "protocol/approval.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Literal;
using base::Status;
using protocol::Compartment;
using protocol::Kind;
using protocol::Roles;
using protocol::Roster;

constexpr std::uint64_t kDayMs = 86'400'000;
// A statement that nobody approves within 30 days cannot be approved any more.
constexpr std::uint64_t kHurryMs = protocol::kApprovableMs - 5 * kDayMs;

std::string List(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// {0} is the count.
Sentence Count(std::size_t count, Literal one, Literal many, std::string second = {}) {
  return Sentence(count == 1 ? one : many, std::to_string(count), std::move(second));
}

// Current members with one of `roles` and, `able`, with a device and a key for boxes.
std::vector<base::MemberId> MembersWith(const Roster& roster, Roles roles, bool able) {
  std::vector<base::MemberId> members;
  const std::uint64_t head = roster.head_seq();
  for (const auto& [member, row] : roster.members()) {
    if ((roster.RolesAt(member, head) & roles) == 0) continue;
    if (able ? roster.UsablePukAt(member, head) == nullptr
             : !roster.HasActiveDeviceAt(member, head)) {
      continue;
    }
    members.push_back(member);
  }
  return members;
}

void CheckThreshold(const Roster& roster, Roles roles, std::uint8_t threshold,
                    std::string_view code, Literal what, Findings& findings) {
  const std::size_t count = MembersWith(roster, roles, /*able=*/false).size();
  if (count > threshold) return;
  Finding finding;
  finding.grade = count < threshold ? Grade::kBroken : Grade::kWarning;
  finding.code = code;
  finding.realm = roster.compartment();
  finding.what = Sentence(what, std::to_string(count), std::to_string(threshold));
  finding.why =
      count < threshold
          ? Literal(
                "what they decide together cannot be decided any more; the root key alone "
                "can help")
                .text()
          : Literal("one lost device, and what they decide together cannot be decided").text();
  finding.next =
      Literal("`godwit member invite` or `godwit member role`: one more than must sign").text();
  findings.push_back(std::move(finding));
}

void CheckPolicy(const Roster& roster, Findings& findings) {
  const protocol::Policy& policy = roster.policy();
  const auto add = [&](Grade grade, std::string_view code, Sentence what, Literal why,
                       Literal next) {
    findings.push_back(
        {grade, code, roster.compartment(), std::move(what), why.text(), next.text(), {}});
  };
  if (policy.evaluation()) {
    add(Grade::kWarning, "evaluation", Sentence("this is an evaluation organisation"),
        Literal(
            "one person can do everything in it: it is for trying Godwit out, not for real people"),
        Literal("`godwit org create --draft` makes one in which two must agree"));
  }
  if (!policy.has_log) {
    add(Grade::kNote, "unwitnessed",
        Sentence("no log: nobody outside witnesses what the service shows"),
        Literal(
            "a service that shows each of you another history is noticed only when you compare"),
        Literal("compare `godwit org fingerprint`, and heads of rosters, with colleagues"));
  }
  const Roster::Recovery* recovery = roster.RecoveryAt(protocol::kRecoveryLive, roster.head_seq());
  if (recovery == nullptr) {
    add(Grade::kNote, "recovery_missing", Sentence("no recovery secret is set"),
        Literal("where every manager of a vault is lost, nobody can open it any more"),
        Literal("see that vaults have two managers; this Godwit makes no recovery secret yet"));
  } else {
    std::set<base::MemberId> owners;
    for (const auto& [index, row] : recovery->set.shares) {
      if ((roster.RolesAt(row.member, roster.head_seq()) & protocol::kOwner) != 0) {
        owners.insert(row.member);
      }
    }
    if (owners.size() >= 2) {
      add(Grade::kWarning, "owners_are_trustees",
          Sentence("{0} owners hold shares of the recovery secret", std::to_string(owners.size())),
          Literal("owners who are trustees too come near to opening vaults by themselves"),
          Literal("give shares to people who own nothing"));
    }
  }
  std::vector<Kind> named{Kind::kDirectory, Kind::kConfig};
  if (roster.compartment() == Compartment::kCases) named.push_back(Kind::kStaff);
  for (const Kind kind : named) {
    if (!policy.VaultOf(kind).IsZero()) continue;
    add(Grade::kBroken, "vault_unnamed",
        Sentence("the policy names no {0} vault", std::string(protocol::Name(kind))),
        Literal("names, settings or staff records of this realm cannot be found"),
        Literal("an owner makes the vault and names it; founding does, unless it was interrupted"));
  }
}

void CheckKeys(const Roster& roster, const Namer& name_of, Findings& findings) {
  struct Group {
    std::string_view code;
    Literal what;
    Literal why;
    Literal next;
    std::vector<std::string> names;
  };
  Group groups[] = {
      {"member_without_device",
       Literal("without a device: {0}"),
       Literal("they can do nothing, and count for no threshold"),
       Literal("`godwit member remove` with reason lost, and invite them again"),
       {}},
      {"member_without_key",
       Literal("without a key for boxes: {0}"),
       Literal("no vault can be opened to them yet"),
       Literal("they run `godwit sync` once, on their device"),
       {}},
      {"member_key_stale",
       Literal("with a key that a lost device knows: {0}"),
       Literal("they keep their places in vaults, but are given no new key"),
       Literal("they run `godwit sync` on a device that they still have"),
       {}},
  };
  const std::uint64_t head = roster.head_seq();
  for (const auto& [member, row] : roster.members()) {
    if (!roster.IsMemberAt(member, head)) continue;
    const std::string name = name_of(member);
    if (!roster.HasActiveDeviceAt(member, head)) {
      groups[0].names.push_back(name);
    } else if (roster.PukAt(member, head) == nullptr) {
      groups[1].names.push_back(name);
    } else if (roster.IsStaleAt(member, head)) {
      groups[2].names.push_back(name);
    }
  }
  for (const Group& group : groups) {
    if (group.names.empty()) continue;
    findings.push_back({Grade::kWarning,
                        group.code,
                        roster.compartment(),
                        Sentence(group.what, List(group.names)),
                        group.why.text(),
                        group.next.text(),
                        {}});
  }
}

void CheckPending(const Roster& roster, const Namer& name_of, std::uint64_t now_ms,
                  Findings& findings) {
  for (const auto& statement : roster.pending()) {
    const std::uint64_t age = now_ms > statement.time_ms ? now_ms - statement.time_ms : 0;
    Finding finding;
    finding.realm = roster.compartment();
    finding.what =
        statement.author.IsRoot()
            ? Count(age / kDayMs,
                    Literal("a statement by the root key waits for signatures since {0} day"),
                    Literal("a statement by the root key waits for signatures since {0} days"))
            : Count(age / kDayMs, Literal("a statement by {1} waits for signatures since {0} day"),
                    Literal("a statement by {1} waits for signatures since {0} days"),
                    name_of(statement.author.member));
    finding.next = Literal("`godwit approve` shows it; sign it or close it").text();
    if (age > protocol::kApprovableMs) {
      finding.grade = Grade::kWarning;
      finding.code = "statement_expired";
      finding.why =
          Literal("after 30 days nobody may approve it; it takes a place among those that wait")
              .text();
      finding.next =
          Literal("`godwit approve --close`, and make it anew if it is still wanted").text();
    } else if (age > kHurryMs) {
      finding.grade = Grade::kWarning;
      finding.code = "statement_expires";
      finding.why = Literal("after 30 days nobody may approve it any more").text();
    } else {
      finding.code = "statement_waits";
      finding.why = Literal("it has no effect until enough people have signed it").text();
    }
    findings.push_back(std::move(finding));
  }
}

bool Opens(const Roster& roster, const Human& human, const Membership& membership) {
  const auto* member = roster.FindMember(membership.member);
  return member != nullptr &&
         StaffCommit(membership.compartment, human.id, membership.r) == member->staff_commit;
}

struct VaultFault {
  std::string_view code;
  Grade grade;
  Literal one;  // {0} is how many, {1} of which kind
  Literal many;
  Literal why;
  Literal next;
};
constexpr VaultFault kVaultFaults[] = {
    {"vault_without_manager", Grade::kBroken,
     Literal("{0} {1} vault with no manager who has a key"),
     Literal("{0} {1} vaults with no manager who has a key"),
     Literal("nobody can list anybody there any more"),
     Literal("get the key of one of its managers back: `godwit sync` on a device of theirs")},
    {"vault_few_managers", Grade::kWarning,
     Literal("{0} {1} vault with a single manager who has a key"),
     Literal("{0} {1} vaults with a single manager who has a key"),
     Literal("where that one is lost, nobody can let others in"),
     Literal("`godwit reconcile` lists whom it may; else list a second caseworker or supervisor")},
    {"vault_without_guard", Grade::kWarning, Literal("{0} {1} vault with no guard who has a key"),
     Literal("{0} {1} vaults with no guard who has a key"),
     Literal("one manager alone could hide it from those who must see it"),
     Literal("`godwit reconcile`, by one of its managers")},
    {"vault_members_missing", Grade::kWarning,
     Literal("{0} {1} vault that does not list everybody who is due"),
     Literal("{0} {1} vaults that do not list everybody who is due"),
     Literal("colleagues cannot read what their job needs"),
     Literal("`godwit reconcile`, by one of its managers")},
    {"vault_not_fresh", Grade::kWarning,
     Literal("{0} {1} vault whose keys are older than the roster"),
     Literal("{0} {1} vaults whose keys are older than the roster"),
     Literal("who was removed, or lost a device, knows the key until somebody writes"),
     Literal("`godwit reconcile`, by whoever writes there")},
};

void AddRealm(Realm& realm, std::uint64_t now_ms, const RealmProgress& progress,
              Diagnosis& diagnosis) {
  const Compartment compartment = realm.compartment();
  const auto skip = [&](Sentence what, std::optional<base::Error> since = std::nullopt) {
    diagnosis.not_looked_at.push_back({compartment, std::move(what), since});
  };
  const auto take = [&](Findings findings) {
    std::ranges::move(findings, std::back_inserter(diagnosis.findings));
  };
  if (const auto synced = realm.Sync(); !synced) {
    skip(Sentence("what came after the last sync"), synced.error());
  }
  const Roster& roster = realm.roster();
  if (roster.empty()) return skip(Sentence("all of it, which was never synced here"));
  for (const auto& [kind, vault] : roster.policy().vaults) {
    const auto fetched = VaultView::Fetch(realm, vault);
    if (!fetched && fetched.error().code() != Code::kNotFound &&
        fetched.error().code() != Code::kUnavailable) {
      skip(Sentence("the {0} vault", std::string(protocol::Name(Kind{kind}))), fetched.error());
    }
  }

  std::set<base::MemberId> named;
  auto directory = Directory::Read(realm);
  if (directory) {
    for (const Colleague& colleague : directory->colleagues()) named.insert(colleague.member);
  }
  const Namer name_of = [&](const base::MemberId& member) {
    return directory ? directory->NameOf(member) : base::ToHex(member.bytes().first<4>());
  };
  take(ExamineRoster(roster, name_of, now_ms));
  take(ExamineJobs(roster, name_of));
  if (named.empty()) {
    skip(Sentence("names, since the directory is not here"));
  } else {
    take(ExamineNames(roster, named));
  }
  if (auto stored = ExamineStore(compartment, realm.store())) {
    take(*std::move(stored));
  } else {
    skip(Sentence("what this device keeps"), stored.error());
  }

  const auto vaults = realm.store().Vaults();
  if (!vaults) return skip(Sentence("vaults"), vaults.error());
  VaultExaminer examiner(roster);
  std::size_t unreadable = 0;
  for (std::size_t i = 0; i < vaults->size(); ++i) {
    if (progress) progress(compartment, i, vaults->size());
    if ((*vaults)[i].second.frozen) continue;
    const auto view = VaultView::Open(realm, (*vaults)[i].first);
    if (view) {
      examiner.Look(view->state());
    } else {
      ++unreadable;
    }
  }
  if (progress) progress(compartment, vaults->size(), vaults->size());
  take(std::move(examiner).Take());
  std::size_t cold = 0;
  for (const Kind kind : {Kind::kPerson, Kind::kCase, Kind::kSensitive}) {
    if (!protocol::HasKind(compartment, kind)) continue;
    const auto rows = ReadPinnedRows(realm, kind);
    if (!rows) {
      skip(Sentence("rows of boards"), rows.error());
      continue;
    }
    for (const PinnedRow& row : *rows) cold += row.fully_checked ? 0 : 1;
  }
  if (unreadable > 0) {
    skip(Count(unreadable, Literal("{0} vault that does not open"),
               Literal("{0} vaults that do not open")));
  }
  if (cold > 0) {
    skip(Count(cold,
               Literal("{0} vault of which this device has a row alone: `godwit reconcile "
                       "--dry-run` looks at it"),
               Literal("{0} vaults of which this device has a row alone: `godwit reconcile "
                       "--dry-run` looks at them")));
  }
  skip(Sentence("vaults that do not list you"));
}

}  // namespace

std::string_view Name(Grade grade) {
  switch (grade) {
    case Grade::kBroken:
      return "broken";
    case Grade::kWarning:
      return "warning";
    case Grade::kNote:
      return "note";
  }
  return "";
}

Findings ExamineRoster(const Roster& roster, const Namer& name_of, std::uint64_t now_ms) {
  Findings findings;
  const protocol::Policy& policy = roster.policy();
  CheckThreshold(roster, protocol::kOwner, policy.owner_threshold, "owners_few",
                 Literal("{0} owners with a device, and {1} must sign"), findings);
  CheckThreshold(roster, kGranters, policy.grant_threshold, "granters_few",
                 Literal("{0} owners and admins with a device, and {1} must sign"), findings);
  CheckPolicy(roster, findings);
  CheckKeys(roster, name_of, findings);
  CheckPending(roster, name_of, now_ms, findings);
  return findings;
}

Findings ExamineJobs(const Roster& roster, const Namer& name_of) {
  Findings findings;
  const Compartment compartment = roster.compartment();
  const auto add = [&](std::string_view code, Sentence what, Literal why) {
    findings.push_back({Grade::kWarning,
                        code,
                        compartment,
                        std::move(what),
                        why.text(),
                        Literal("`godwit member invite` or `godwit member role`").text(),
                        {}});
  };
  const auto need = [&](Roles roles, std::size_t least, std::string_view code, Literal what,
                        Literal why) {
    const std::size_t count = MembersWith(roster, roles, /*able=*/true).size();
    if (count >= least) return;
    add(code, Sentence(what, std::to_string(count), std::to_string(least)), why);
  };
  need(kGranters, 2, "second_granter_missing",
       Literal("{0} owners or admins with keys; {1} are the least"),
       Literal("nobody else could let people in, or a lost device out"));
  need(protocol::kAuditor, 1, "auditor_missing",
       Literal("{0} auditors with keys; {1} are the least"),
       Literal("nobody looks at what owners and admins do"));
  if (compartment == Compartment::kCases) {
    need(protocol::kCoordinator, 2, "second_coordinator_missing",
         Literal("{0} coordinators with keys; {1} are the least"),
         Literal("what a coordinator does needs another's look, and somebody must be awake"));
  }
  if (compartment == Compartment::kJourneys) {
    need(protocol::kRoute, 2, "second_route_missing",
         Literal("{0} route coordinators with keys; {1} are the least"),
         Literal("what a route coordinator does needs another's look, and somebody must be awake"));
    return findings;
  }
  const auto supervisors = MembersWith(roster, protocol::kSupervisor, /*able=*/true);
  std::vector<std::string> alone;
  for (const auto& caseworker : MembersWith(roster, protocol::kCaseworker, /*able=*/true)) {
    const bool supervised = std::ranges::any_of(
        supervisors, [&](const auto& supervisor) { return supervisor != caseworker; });
    if (!supervised) alone.push_back(name_of(caseworker));
  }
  if (!alone.empty()) {
    add("supervisor_missing", Sentence("no supervisor besides themselves: {0}", List(alone)),
        Literal("nobody supervises their own cases: they can open none"));
  }
  return findings;
}

Findings ExamineStaff(const Rosters& rosters, const std::vector<Human>& staff,
                      const std::map<Compartment, Namer>& names) {
  Findings findings;
  for (const auto& [compartment, roster] : rosters) {
    std::vector<std::string> unknown;
    for (const auto& [member, row] : roster->members()) {
      if (!roster->IsMemberAt(member, roster->head_seq())) continue;
      const bool opened = std::ranges::any_of(staff, [&](const Human& human) {
        return std::ranges::any_of(human.memberships, [&](const Membership& membership) {
          return membership.compartment == compartment && membership.member == member &&
                 Opens(*roster, human, membership);
        });
      });
      if (!opened) unknown.push_back(names.at(compartment)(member));
    }
    if (unknown.empty()) continue;
    findings.push_back(
        {Grade::kBroken,
         "staff_commit_unopened",
         compartment,
         Sentence("no staff record says whose these members are: {0}", List(unknown)),
         Literal("nobody can tell which other roles the same person holds").text(),
         Literal("ask who granted it; `godwit member remove` whom nobody knows").text(),
         {}});
  }

  const auto cases = rosters.find(Compartment::kCases);
  const bool small_org =
      cases != rosters.end() && (cases->second->policy().flags & protocol::Policy::kSmallOrg) != 0;
  for (const Human& human : staff) {
    std::vector<Membership> held;
    std::map<Compartment, int> members_of;
    for (Membership membership : human.memberships) {
      const auto roster = rosters.find(membership.compartment);
      if (roster != rosters.end()) {
        if (!Opens(*roster->second, human, membership)) continue;
        membership.roles = roster->second->RolesAt(membership.member, roster->second->head_seq());
        membership.ended = membership.roles == 0;
      }
      if (membership.ended) continue;
      ++members_of[membership.compartment];
      held.push_back(membership);
    }
    const bool twice =
        std::ranges::any_of(members_of, [](const auto& row) { return row.second > 1; });
    if (twice) {
      findings.push_back(
          {Grade::kBroken,
           "two_members",
           std::nullopt,
           Sentence("{0} is two members of one realm", human.handle),
           Literal("one person could then be the second whom a decision needs").text(),
           Literal("`godwit member remove` one of them").text(),
           {}});
    } else if (const Status fits = CheckCompatible(held, small_org); !fits) {
      findings.push_back({Grade::kBroken,
                          "incompatible_roles",
                          std::nullopt,
                          Sentence("{0} holds roles that do not go together", human.handle),
                          fits.error().message(),
                          Literal("`godwit member role` or `godwit member remove`").text(),
                          {}});
    }
  }
  return findings;
}

Findings ExamineNames(const Roster& roster, const std::set<base::MemberId>& named) {
  Findings findings;
  std::vector<std::string> unnamed;
  for (const auto& [member, row] : roster.members()) {
    if (roster.UsablePukAt(member, roster.head_seq()) == nullptr || named.contains(member)) {
      continue;
    }
    unnamed.push_back(base::ToHex(member.bytes().first<4>()));
  }
  if (!unnamed.empty()) {
    findings.push_back(
        {Grade::kWarning,
         "member_unnamed",
         roster.compartment(),
         Sentence("the directory does not name these members: {0}", List(unnamed)),
         Literal("colleagues see a number where a name should stand").text(),
         Literal("`godwit sync`, by an admin: it lists whom an interrupted invitation forgot")
             .text(),
         {}});
  }
  return findings;
}

void VaultExaminer::Look(const protocol::Vault& vault) {
  const Kind kind = vault.kind();
  const auto& epoch = vault.epoch();
  if (epoch.IsSealed()) return;
  const auto fault = [&](std::string_view code) { faults_[{code, kind}].push_back(vault.id()); };
  const auto want = protocol::Want(epoch.list, kind, roster_, roster_.head_seq());
  const std::size_t managers = ManagersInReach(want);
  if (managers == 0) {
    fault("vault_without_manager");
  } else {
    if (HoldsContent(kind) && managers == 1) fault("vault_few_managers");
    if (!HasGuardInReach(want, kind, roster_)) fault("vault_without_guard");
  }
  const auto due = DueMembers(roster_, kind);
  if (std::ranges::any_of(due, [&](const auto& row) { return !want.contains(row.first); })) {
    fault("vault_members_missing");
  }
  if (!protocol::IsFresh(epoch, kind, roster_, roster_.head_seq())) fault("vault_not_fresh");
}

Findings VaultExaminer::Take() && {
  Findings findings;
  for (const VaultFault& fault : kVaultFaults) {
    for (auto& [key, vaults] : faults_) {
      if (key.first != fault.code) continue;
      findings.push_back(
          {fault.grade, fault.code, roster_.compartment(),
           Count(vaults.size(), fault.one, fault.many, std::string(protocol::Name(key.second))),
           fault.why.text(), fault.next.text(), std::move(vaults)});
    }
  }
  return findings;
}

base::Result<Findings> ExamineStore(Compartment compartment, const Store& store) {
  Findings findings;
  const auto vaults = store.Vaults();
  if (!vaults) return vaults.error();
  std::vector<base::VaultId> frozen;
  for (const auto& [vault, memory] : *vaults) {
    if (memory.frozen) frozen.push_back(vault);
  }
  if (!frozen.empty()) {
    findings.push_back(
        {Grade::kBroken, "vault_frozen", compartment,
         Count(frozen.size(), Literal("{0} vault is frozen on this device"),
               Literal("{0} vaults are frozen on this device")),
         Literal("the service showed two histories of them").text(),
         Literal("do not work around it: tell an owner, by another way than this service").text(),
         frozen});
  }
  const auto evidence = store.KeptEvidence();
  if (!evidence) return evidence.error();
  if (!evidence->empty()) {
    findings.push_back(
        {Grade::kBroken,
         "evidence_kept",
         compartment,
         Count(evidence->size(), Literal("{0} piece of evidence kept on this device"),
               Literal("{0} pieces of evidence kept on this device")),
         Literal("a service or a colleague's device did what it may not").text(),
         Literal("`godwit status` lists it; show it to an owner").text(),
         {}});
  }
  const auto outbox = store.Outbox();
  if (!outbox) return outbox.error();
  if (!outbox->empty()) {
    findings.push_back({Grade::kWarning,
                        "outbox_waits",
                        compartment,
                        Count(outbox->size(), Literal("{0} change waits on this device to be sent"),
                              Literal("{0} changes wait on this device to be sent")),
                        Literal("colleagues do not see them yet").text(),
                        "`godwit sync`",
                        {}});
  }
  return findings;
}

bool Diagnosis::IsBroken() const {
  return std::ranges::any_of(
      findings, [](const Finding& finding) { return finding.grade == Grade::kBroken; });
}

base::Result<Diagnosis> Examine(Organisation& organisation, std::uint64_t now_ms,
                                const RealmProgress& progress) {
  Diagnosis diagnosis;
  Rosters rosters;
  std::map<Compartment, Directory> directories;
  std::map<Compartment, Namer> names;
  for (const auto compartment :
       {Compartment::kIdentity, Compartment::kCases, Compartment::kJourneys}) {
    const auto realm = organisation.Get(compartment);
    if (!realm) {
      diagnosis.not_looked_at.push_back(
          {compartment, Sentence("all of it, since you do not work there"), std::nullopt});
      continue;
    }
    AddRealm(**realm, now_ms, progress, diagnosis);
    if ((*realm)->roster().empty()) continue;
    rosters[compartment] = &(*realm)->roster();
    auto directory = Directory::Read(**realm);
    if (!directory) return directory.error();
    const Directory& kept = directories.emplace(compartment, *std::move(directory)).first->second;
    names[compartment] = [&kept](const base::MemberId& member) { return kept.NameOf(member); };
  }
  const auto cases = organisation.Get(Compartment::kCases);
  const auto staff = cases && !(*cases)->roster().empty()
                         ? ReadStaff(**cases)
                         : base::Error(Code::kNotFound, "the staff vault is not here");
  if (staff) {
    auto findings = ExamineStaff(rosters, *staff, names);
    std::ranges::move(findings, std::back_inserter(diagnosis.findings));
  } else {
    diagnosis.not_looked_at.push_back(
        {std::nullopt,
         Sentence("who is who, and which roles one person holds: the staff vault is for owners, "
                  "admins and auditors"),
         std::nullopt});
  }
  std::ranges::stable_sort(diagnosis.findings, {}, &Finding::grade);
  return diagnosis;
}

}  // namespace godwit::client
