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

std::string Count(std::size_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
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
                    std::string_view code, const std::string& who, Findings& findings) {
  const std::size_t count = MembersWith(roster, roles, /*able=*/false).size();
  if (count > threshold) return;
  Finding finding;
  finding.grade = count < threshold ? Grade::kBroken : Grade::kWarning;
  finding.code = code;
  finding.realm = roster.compartment();
  finding.what = std::to_string(count) + " " + who + " with a device, and " +
                 std::to_string(threshold) + " must sign";
  finding.why = count < threshold
                    ? "what they decide together cannot be decided any more; the root key alone "
                      "can help"
                    : "one lost device, and what they decide together cannot be decided";
  finding.next = "`godwit member invite` or `godwit member role`: one more than must sign";
  findings.push_back(std::move(finding));
}

void CheckPolicy(const Roster& roster, Findings& findings) {
  const protocol::Policy& policy = roster.policy();
  const auto add = [&](Grade grade, std::string_view code, std::string what, std::string_view why,
                       std::string_view next) {
    findings.push_back({grade, code, roster.compartment(), std::move(what), why, next, {}});
  };
  if (policy.evaluation()) {
    add(Grade::kWarning, "evaluation", "this is an evaluation organisation",
        "one person can do everything in it: it is for trying Godwit out, not for real people",
        "`godwit org create --draft` makes one in which two must agree");
  }
  if (!policy.has_log) {
    add(Grade::kNote, "unwitnessed", "no log: nobody outside witnesses what the service shows",
        "a service that shows each of you another history is noticed only when you compare",
        "compare `godwit org fingerprint`, and heads of rosters, with colleagues");
  }
  const Roster::Recovery* recovery = roster.RecoveryAt(protocol::kRecoveryLive, roster.head_seq());
  if (recovery == nullptr) {
    add(Grade::kNote, "recovery_missing", "no recovery secret is set",
        "where every manager of a vault is lost, nobody can open it any more",
        "see that vaults have two managers; this Godwit makes no recovery secret yet");
  } else {
    std::set<base::MemberId> owners;
    for (const auto& [index, row] : recovery->set.shares) {
      if ((roster.RolesAt(row.member, roster.head_seq()) & protocol::kOwner) != 0) {
        owners.insert(row.member);
      }
    }
    if (owners.size() >= 2) {
      add(Grade::kWarning, "owners_are_trustees",
          Count(owners.size(), "owner holds", "owners hold") + " shares of the recovery secret",
          "owners who are trustees too come near to opening vaults by themselves",
          "give shares to people who own nothing");
    }
  }
  std::vector<Kind> named{Kind::kDirectory, Kind::kConfig};
  if (roster.compartment() == Compartment::kCases) named.push_back(Kind::kStaff);
  for (const Kind kind : named) {
    if (!policy.VaultOf(kind).IsZero()) continue;
    add(Grade::kBroken, "vault_unnamed",
        "the policy names no " + std::string(protocol::Name(kind)) + " vault",
        "names, settings or staff records of this realm cannot be found",
        "an owner makes the vault and names it; founding does, unless it was interrupted");
  }
}

void CheckKeys(const Roster& roster, const Namer& name_of, Findings& findings) {
  struct Group {
    std::string_view code;
    std::string what;
    std::string_view why;
    std::string_view next;
    std::vector<std::string> names;
  };
  Group groups[] = {
      {"member_without_device",
       "without a device: ",
       "they can do nothing, and count for no threshold",
       "`godwit member remove` with reason lost, and invite them again",
       {}},
      {"member_without_key",
       "without a key for boxes: ",
       "no vault can be opened to them yet",
       "they run `godwit sync` once, on their device",
       {}},
      {"member_key_stale",
       "with a key that a lost device knows: ",
       "they keep their places in vaults, but are given no new key",
       "they run `godwit sync` on a device that they still have",
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
                        group.what + List(group.names),
                        group.why,
                        group.next,
                        {}});
  }
}

void CheckPending(const Roster& roster, const Namer& name_of, std::uint64_t now_ms,
                  Findings& findings) {
  for (const auto& statement : roster.pending()) {
    const std::uint64_t age = now_ms > statement.time_ms ? now_ms - statement.time_ms : 0;
    Finding finding;
    finding.realm = roster.compartment();
    finding.what = "a statement by " +
                   (statement.author.IsRoot() ? "the root key" : name_of(statement.author.member)) +
                   " waits for signatures since " + Count(age / kDayMs, "day", "days");
    finding.next = "`godwit approve` shows it; sign it or close it";
    if (age > protocol::kApprovableMs) {
      finding.grade = Grade::kWarning;
      finding.code = "statement_expired";
      finding.why = "after 30 days nobody may approve it; it takes a place among those that wait";
      finding.next = "`godwit approve --close`, and make it anew if it is still wanted";
    } else if (age > kHurryMs) {
      finding.grade = Grade::kWarning;
      finding.code = "statement_expires";
      finding.why = "after 30 days nobody may approve it any more";
    } else {
      finding.code = "statement_waits";
      finding.why = "it has no effect until enough people have signed it";
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
  std::string_view what;  // follows "3 case vaults"
  std::string_view why;
  std::string_view next;
};
constexpr VaultFault kVaultFaults[] = {
    {"vault_without_manager", Grade::kBroken, "with no manager who has a key",
     "nobody can list anybody there any more",
     "get the key of one of its managers back: `godwit sync` on a device of theirs"},
    {"vault_few_managers", Grade::kWarning, "with a single manager who has a key",
     "where that one is lost, nobody can let others in",
     "`godwit reconcile` lists whom it may; else list a second caseworker or supervisor"},
    {"vault_without_guard", Grade::kWarning, "with no guard who has a key",
     "one manager alone could hide it from those who must see it",
     "`godwit reconcile`, by one of its managers"},
    {"vault_members_missing", Grade::kWarning, "that do not list everybody who is due",
     "colleagues cannot read what their job needs", "`godwit reconcile`, by one of its managers"},
    {"vault_not_fresh", Grade::kWarning, "whose keys are older than the roster",
     "who was removed, or lost a device, knows the key until somebody writes",
     "`godwit reconcile`, by whoever writes there"},
};

void AddRealm(Realm& realm, std::uint64_t now_ms, const RealmProgress& progress,
              Diagnosis& diagnosis) {
  const Compartment compartment = realm.compartment();
  const std::string where(protocol::Name(compartment));
  const auto skip = [&](const std::string& what) {
    diagnosis.not_looked_at.push_back(where + ": " + what);
  };
  const auto take = [&](Findings findings) {
    std::ranges::move(findings, std::back_inserter(diagnosis.findings));
  };
  if (const auto synced = realm.Sync(); !synced) {
    skip("what came after the last sync, since " + std::string(synced.error().message()));
  }
  const Roster& roster = realm.roster();
  if (roster.empty()) return skip("all of it, which was never synced here");
  for (const auto& [kind, vault] : roster.policy().vaults) {
    const auto fetched = VaultView::Fetch(realm, vault);
    if (!fetched && fetched.error().code() != Code::kNotFound &&
        fetched.error().code() != Code::kUnavailable) {
      skip("the " + std::string(protocol::Name(Kind{kind})) + " vault, since " +
           std::string(fetched.error().message()));
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
    skip("names, since the directory is not here");
  } else {
    take(ExamineNames(roster, named));
  }
  if (auto stored = ExamineStore(compartment, realm.store())) {
    take(*std::move(stored));
  } else {
    skip("what this device keeps, since " + std::string(stored.error().message()));
  }

  const auto vaults = realm.store().Vaults();
  if (!vaults) return skip("vaults, since " + std::string(vaults.error().message()));
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
      skip("rows of boards, since " + std::string(rows.error().message()));
      continue;
    }
    for (const PinnedRow& row : *rows) cold += row.fully_checked ? 0 : 1;
  }
  if (unreadable > 0) skip(Count(unreadable, "vault that does", "vaults that do") + " not open");
  if (cold > 0) {
    skip(Count(cold, "vault", "vaults") +
         " of which this device has a row alone: `godwit reconcile --dry-run` looks at them");
  }
  skip("vaults that do not list you");
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
  CheckThreshold(roster, protocol::kOwner, policy.owner_threshold, "owners_few", "owners",
                 findings);
  CheckThreshold(roster, kGranters, policy.grant_threshold, "granters_few", "owners and admins",
                 findings);
  CheckPolicy(roster, findings);
  CheckKeys(roster, name_of, findings);
  CheckPending(roster, name_of, now_ms, findings);
  return findings;
}

Findings ExamineJobs(const Roster& roster, const Namer& name_of) {
  Findings findings;
  const Compartment compartment = roster.compartment();
  const auto add = [&](std::string_view code, std::string what, std::string_view why) {
    findings.push_back({Grade::kWarning,
                        code,
                        compartment,
                        std::move(what),
                        why,
                        "`godwit member invite` or `godwit member role`",
                        {}});
  };
  const auto need = [&](Roles roles, std::size_t least, std::string_view code, const char* who,
                        std::string_view why) {
    const std::size_t count = MembersWith(roster, roles, /*able=*/true).size();
    if (count >= least) return;
    add(code,
        std::to_string(count) + " " + who + " with keys; " + std::to_string(least) +
            " are the least",
        why);
  };
  need(kGranters, 2, "second_granter_missing", "owners or admins",
       "nobody else could let people in, or a lost device out");
  need(protocol::kAuditor, 1, "auditor_missing", "auditors",
       "nobody looks at what owners and admins do");
  if (compartment == Compartment::kCases) {
    need(protocol::kCoordinator, 2, "second_coordinator_missing", "coordinators",
         "what a coordinator does needs another's look, and somebody must be awake");
  }
  if (compartment == Compartment::kJourneys) {
    need(protocol::kRoute, 2, "second_route_missing", "route coordinators",
         "what a route coordinator does needs another's look, and somebody must be awake");
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
    add("supervisor_missing", "no supervisor besides themselves: " + List(alone),
        "nobody supervises their own cases: they can open none");
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
    findings.push_back({Grade::kBroken,
                        "staff_commit_unopened",
                        compartment,
                        "no staff record says whose these members are: " + List(unknown),
                        "nobody can tell which other roles the same person holds",
                        "ask who granted it; `godwit member remove` whom nobody knows",
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
      findings.push_back({Grade::kBroken,
                          "two_members",
                          std::nullopt,
                          human.handle + " is two members of one realm",
                          "one person could then be the second whom a decision needs",
                          "`godwit member remove` one of them",
                          {}});
    } else if (const Status fits = CheckCompatible(held, small_org); !fits) {
      findings.push_back({Grade::kBroken,
                          "incompatible_roles",
                          std::nullopt,
                          human.handle + " holds roles that do not go together",
                          fits.error().message(),
                          "`godwit member role` or `godwit member remove`",
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
    findings.push_back({Grade::kWarning,
                        "member_unnamed",
                        roster.compartment(),
                        "the directory does not name these members: " + List(unnamed),
                        "colleagues see a number where a name should stand",
                        "`godwit sync`, by an admin: it lists whom an interrupted invitation "
                        "forgot",
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
      const std::string kind(protocol::Name(key.second));
      findings.push_back(
          {fault.grade, fault.code, roster_.compartment(),
           Count(vaults.size(), kind + " vault ", kind + " vaults ") + std::string(fault.what),
           fault.why, fault.next, std::move(vaults)});
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
    findings.push_back({Grade::kBroken, "vault_frozen", compartment,
                        Count(frozen.size(), "vault is", "vaults are") + " frozen on this device",
                        "the service showed two histories of them",
                        "do not work around it: tell an owner, by another way than this service",
                        frozen});
  }
  const auto evidence = store.KeptEvidence();
  if (!evidence) return evidence.error();
  if (!evidence->empty()) {
    findings.push_back(
        {Grade::kBroken,
         "evidence_kept",
         compartment,
         Count(evidence->size(), "piece", "pieces") + " of evidence kept on this device",
         "a service or a colleague's device did what it may not",
         "`godwit status` lists it; show it to an owner",
         {}});
  }
  const auto outbox = store.Outbox();
  if (!outbox) return outbox.error();
  if (!outbox->empty()) {
    findings.push_back(
        {Grade::kWarning,
         "outbox_waits",
         compartment,
         Count(outbox->size(), "change waits", "changes wait") + " on this device to be sent",
         "colleagues do not see them yet",
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
      diagnosis.not_looked_at.push_back(std::string(protocol::Name(compartment)) +
                                        ": all of it, since you do not work there");
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
        "who is who, and which roles one person holds: the staff vault is for owners, admins and "
        "auditors");
  }
  std::ranges::stable_sort(diagnosis.findings, {}, &Finding::grade);
  return diagnosis;
}

}  // namespace godwit::client
