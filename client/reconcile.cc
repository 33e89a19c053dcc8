#include "client/reconcile.h"

#include <algorithm>
#include <functional>

#include "client/due_members.h"
#include "client/vault_writer.h"
#include "protocol/ce.h"
#include "protocol/epoch_keys.h"
#include "protocol/statement.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using protocol::Compartment;
using protocol::Kind;

constexpr char kEpochsSeen[] = "epochs-seen";

// When each statement of the roster was signed, by its author's clock.
base::Result<std::vector<std::uint64_t>> StatementTimes(Realm& realm) {
  const auto statements = realm.store().Roster();
  if (!statements) return statements.error();
  std::vector<std::uint64_t> times;
  for (const base::Bytes& statement : *statements) {
    const auto raw = protocol::ReadStatement(statement);
    if (!raw) return raw.error();
    times.push_back(raw->header.time_ms);
  }
  return times;
}

// How old epochs are. An entry has no time: it is younger than the statement that it cites, and
// older than the one after that. Between the two this device remembers when it first saw it.
class Ages {
 public:
  // seen = any number of: vault|u32 epoch|u64 first seen, Unix milliseconds
  static base::Result<Ages> Load(Realm& realm, std::uint64_t now_ms) {
    Ages ages(now_ms);
    auto times = StatementTimes(realm);
    if (!times) return times.error();
    ages.times_ = *std::move(times);
    const auto kept = realm.store().Get(kEpochsSeen);
    if (!kept) return kept.error();
    if (!*kept) return ages;
    protocol::Reader reader(**kept);
    while (reader.ok() && !reader.Done()) {
      const auto vault = reader.Take<base::VaultId>();
      const std::uint32_t epoch = reader.U32();
      ages.before_[vault] = {epoch, reader.U64()};
    }
    if (!reader.ok()) return Error(Code::kStateLost, "the ages of keys kept here are malformed");
    return ages;
  }

  bool IsOld(const VaultView& vault) {
    const std::uint32_t epoch = vault.state().epoch().number;
    const std::uint64_t cited = vault.EpochHeader(epoch).roster_seq;
    if (!IsLongAgo(times_.at(cited))) return false;
    if (cited + 1 < times_.size() && IsLongAgo(times_.at(cited + 1))) return true;
    const auto known = before_.find(vault.id());
    const bool same = known != before_.end() && known->second.epoch == epoch;
    const Seen seen = same ? known->second : Seen{epoch, now_ms_};
    seen_[vault.id()] = seen;
    return IsLongAgo(seen.first_ms);
  }

  Status Keep(Realm& realm) const {
    protocol::Writer writer;
    for (const auto& [vault, seen] : seen_) {
      writer.Fixed(vault).U32(seen.epoch).U64(seen.first_ms);
    }
    return realm.store().Put(kEpochsSeen, writer.Take());
  }

 private:
  struct Seen {
    std::uint32_t epoch = 0;
    std::uint64_t first_ms = 0;
  };
  explicit Ages(std::uint64_t now_ms) : now_ms_(now_ms) {}
  bool IsLongAgo(std::uint64_t time_ms) const {
    return now_ms_ > time_ms && now_ms_ - time_ms > kEpochAgeMs;
  }

  std::uint64_t now_ms_;
  std::vector<std::uint64_t> times_;
  std::map<base::VaultId, Seen> before_;
  std::map<base::VaultId, Seen> seen_;
};

// Whether the epoch in force lists a box that is not of its key. Boxes follow from the key, so that
// whoever has it can make them all again.
base::Result<bool> HasWrongBox(const Realm& realm, VaultView& vault) {
  const auto& in_force = vault.state().epoch();
  const auto key = vault.KeyOf(in_force.number);
  if (!key) return key.error();
  const protocol::Epoch& listed = vault.epochs().at(in_force.number);
  const auto made =
      protocol::MakeEpoch(**key, vault.id(), in_force.number, in_force.list, in_force.guests,
                          realm.roster(), vault.EpochHeader(in_force.number).roster_seq);
  if (!made) return made.error();
  const auto differs = [](const auto& a, const auto& b) {
    return a.second.box_hash != b.second.box_hash;
  };
  // Both list the same members and guests: the one was made for the other.
  const auto [row, other] =
      std::ranges::mismatch(made->payload.list, listed.list, std::not_fn(differs));
  if (row != made->payload.list.end()) vault.KeepBoxNotOfKey(in_force.number, row->first);
  const auto [guest, other_guest] =
      std::ranges::mismatch(made->payload.guests, listed.guests, std::not_fn(differs));
  return row != made->payload.list.end() || guest != made->payload.guests.end() ||
         made->payload.rec_box_hash != listed.rec_box_hash;
}

// Whether this member holds a key that the epoch in force does not reach, though no epoch hid it.
bool HasLostKeys(VaultView& vault) {
  std::set<std::uint32_t> reached{vault.state().epoch().number};
  for (std::uint32_t number = vault.state().epoch().number; number > 0; --number) {
    const protocol::Epoch& epoch = vault.epochs().at(number);
    if (reached.contains(number)) {
      for (const auto& [wrapped, wrap] : epoch.wraps) reached.insert(wrapped);
    } else if (vault.KeyOf(number)) {
      return true;
    }
    if (HidesHistory(epoch)) break;
  }
  return false;
}

// A vault as its service has it, verified: from the store where nothing has changed.
base::Result<VaultView> UpToDate(Realm& realm, const transport::VaultHead& head) {
  const auto known = realm.store().Remembered(head.vault);
  if (!known) return known.error();
  const bool same =
      *known && !(*known)->frozen && (*known)->seq == head.head_seq && (*known)->head == head.head;
  return same ? VaultView::Open(realm, head.vault) : VaultView::Fetch(realm, head.vault);
}

// Vaults that everybody reads, or whose history others need: nothing is hidden there.
bool MayHideHistory(Kind kind) {
  return kind != Kind::kDirectory && kind != Kind::kConfig && kind != Kind::kStaff &&
         kind != Kind::kLedger;
}

class Planner {
 public:
  Planner(Realm& realm, Ages& ages, ReconcilePlan& plan)
      : realm_(realm), ages_(ages), plan_(plan) {}

  Status Look(VaultView& vault) {
    const protocol::Roster& roster = realm_.roster();
    const auto& in_force = vault.state().epoch();
    const protocol::MemberList want =
        protocol::Want(in_force.list, vault.kind(), roster, roster.head_seq());
    const auto self = want.find(realm_.member());
    if (self == want.end() || self->second.puk_gen == 0) return {};
    const bool manages = (self->second.perm & protocol::kManage) != 0;
    const bool writes = (self->second.perm & protocol::kReadWrite) == protocol::kReadWrite;
    if (!manages && !writes) return {};
    ++plan_.vaults;

    Repair repair;
    repair.compartment = realm_.compartment();
    repair.vault = vault.id();
    repair.kind = vault.kind();
    repair.epoch = in_force.number;
    protocol::MemberList after = want;
    if (manages) {
      for (const auto& [member, perm] : DueMembers(roster, vault.kind())) {
        const auto row = want.find(member);
        if (row != want.end() && (perm & ~row->second.perm) == 0) continue;
        // Where people are chosen one by one whoever is listed stays as they are.
        if (row != want.end() && HoldsContent(vault.kind())) continue;
        repair.gains[member] = perm;
        after[member] = {perm, roster.UsablePukAt(member, roster.head_seq())->gen};
      }
    }
    if (!repair.gains.empty()) repair.causes.insert(RepairCause::kMembersMissing);
    CompareLists(in_force.list, want, repair);
    if (!protocol::IsFresh(in_force, vault.kind(), roster, roster.head_seq())) {
      repair.causes.insert(RepairCause::kListNotFresh);
    }
    if (ages_.IsOld(vault)) repair.causes.insert(RepairCause::kOld);
    const auto wrong = HasWrongBox(realm_, vault);
    if (wrong && *wrong) repair.causes.insert(RepairCause::kWrongBox);
    // A key that this member does not get is the next writer's to replace, or another's to give.
    if (!wrong && wrong.error().code() != Code::kNotFound) {
      if (wrong.error().code() != Code::kKeyMismatch) return wrong.error();
      repair.causes.insert(RepairCause::kWrongBox);
    }
    if (wrong && HasLostKeys(vault)) repair.causes.insert(RepairCause::kKeysLost);
    if (!repair.causes.empty()) plan_.repairs.push_back(std::move(repair));

    const std::size_t managers = ManagersInReach(after);
    if (HoldsContent(vault.kind()) && managers < 2) {
      plan_.few_managers.push_back({realm_.compartment(), vault.id(), vault.kind(), managers});
    }
    return {};
  }

 private:
  static void CompareLists(const protocol::MemberList& before, const protocol::MemberList& want,
                           Repair& repair) {
    for (const auto& [member, row] : before) {
      const auto now = want.find(member);
      const bool had = row.puk_gen != 0;
      const bool has = now != want.end() && now->second.puk_gen != 0;
      if (had && !has) repair.lose.insert(member);
      if (!had && has) repair.regain.insert(member);
    }
  }

  Realm& realm_;
  Ages& ages_;
  ReconcilePlan& plan_;
};

Status PlanRealm(Realm& realm, std::uint64_t now_ms, const RealmProgress& progress,
                 ReconcilePlan& plan) {
  if (const auto synced = realm.Sync(); !synced) return synced;
  std::vector<transport::VaultHead> heads;
  const auto listed = realm.server().ListVaults({}, [&](transport::VaultHead head) {
    // An importer's own imports: their key is wiped, and others read them.
    if (head.perm != protocol::kWrite) heads.push_back(std::move(head));
    return Status();
  });
  if (!listed) return listed.error();
  auto ages = Ages::Load(realm, now_ms);
  if (!ages) return ages.error();
  Planner planner(realm, *ages, plan);
  for (std::size_t i = 0; i < heads.size(); ++i) {
    if (progress) progress(realm.compartment(), i, heads.size());
    auto vault = UpToDate(realm, heads[i]);
    const Status looked = vault ? planner.Look(*vault) : vault.error();
    if (!looked) plan.failures.push_back({realm.compartment(), heads[i].vault, looked.error()});
  }
  if (progress) progress(realm.compartment(), heads.size(), heads.size());
  return ages->Keep(realm);
}

}  // namespace

std::string_view Name(RepairCause cause) {
  switch (cause) {
    case RepairCause::kMembersMissing:
      return "members_missing";
    case RepairCause::kListNotFresh:
      return "list_not_fresh";
    case RepairCause::kOld:
      return "old";
    case RepairCause::kWrongBox:
      return "wrong_box";
    case RepairCause::kKeysLost:
      return "keys_lost";
  }
  return "";
}

base::Result<ReconcilePlan> PlanReconcile(Organisation& organisation, std::uint64_t now_ms,
                                          std::optional<Compartment> only,
                                          const RealmProgress& progress) {
  if (only) {
    if (const auto realm = organisation.Get(*only); !realm) return realm.error();
  }
  ReconcilePlan plan;
  for (const auto& [compartment, realm] : organisation.realms()) {
    if (only && compartment != *only) continue;
    if (const auto planned = PlanRealm(*realm, now_ms, progress, plan); !planned) {
      plan.failures.push_back({compartment, std::nullopt, planned.error()});
    }
  }
  return plan;
}

Status CarryOut(Organisation& organisation, const Repair& repair, bool hide_history) {
  const auto realm = organisation.Get(repair.compartment);
  if (!realm) return realm.error();
  const protocol::Roster& roster = (*realm)->roster();
  Relister relist;
  if (!repair.gains.empty()) {
    relist = [&](const protocol::MemberList& list) {
      std::map<base::MemberId, protocol::Perm> members;
      for (const auto& [member, row] : list) members[member] = row.perm;
      // Those of the plan who are still due: somebody may have lost a role, or the key, since.
      const auto due = DueMembers(roster, repair.kind);
      for (const auto& [member, perm] : repair.gains) {
        const auto still = due.find(member);
        if (still != due.end() && still->second == perm) members[member] = perm;
      }
      return members;
    };
  }
  WriteOptions options;
  options.hide_history = hide_history && MayHideHistory(repair.kind);
  options.is_due = [&](VaultView& vault) {
    return vault.state().epoch().number == repair.epoch &&
           (repair.causes.contains(RepairCause::kOld) ||
            repair.causes.contains(RepairCause::kWrongBox) ||
            repair.causes.contains(RepairCause::kKeysLost));
  };
  const auto written = WriteVault(**realm, repair.vault, {}, relist, options);
  if (!written) return written.error();
  return {};
}

}  // namespace godwit::client
