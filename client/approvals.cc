#include "client/approvals.h"

#include <algorithm>

#include "client/grants.h"
#include "protocol/approval.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using protocol::Compartment;

// What a statement grants: roles to a member of its realm.
struct Grant {
  base::MemberId member;
  protocol::Roles roles = 0;
  base::Sha256Hash staff_commit;
};
std::optional<Grant> GrantOf(const protocol::Roster& roster,
                             const protocol::StatementPayload& payload) {
  if (const auto* add = std::get_if<protocol::MemberAdd>(&payload)) {
    return Grant{add->member, add->roles, add->staff_commit};
  }
  if (const auto* set = std::get_if<protocol::RoleSet>(&payload)) {
    const auto* member = roster.FindMember(set->member);
    return Grant{set->member, set->roles,
                 member == nullptr ? base::Sha256Hash() : member->staff_commit};
  }
  return std::nullopt;
}

bool Opens(const base::Sha256Hash& commit, const Human& human, const Membership& membership) {
  return StaffCommit(membership.compartment, human.id, membership.r) == commit;
}

base::Result<Human> HumanOf(const std::vector<Human>& staff, Compartment compartment,
                            const Grant& grant) {
  for (const Human& human : staff) {
    for (const Membership& membership : human.memberships) {
      if (membership.compartment == compartment && membership.member == grant.member &&
          Opens(grant.staff_commit, human, membership)) {
        return human;
      }
    }
  }
  return Error(Code::kPermissionDenied,
               "no staff record says whose member this is: ask its author who it is, and close it");
}

// Checks the roles that `human` holds over all realms once `grant` is in effect.
Status CheckGrant(Organisation& organisation, Compartment compartment, const Grant& grant,
                  const Human& human) {
  auto held = HeldBy(organisation, human);
  if (!held) return held.error();
  for (Membership& membership : *held) {
    if (membership.compartment != compartment || membership.member != grant.member) continue;
    membership.ended = false;
    membership.roles = grant.roles;
  }
  return CheckHeld(organisation, *held);
}

bool IsSignedBy(const protocol::Roster::Pending& statement, const base::MemberId& member) {
  return statement.author.member == member ||
         std::ranges::any_of(statement.approvals, [&](const protocol::Roster::Approval& approval) {
           return approval.signer.member == member;
         });
}

}  // namespace

base::Result<std::vector<WaitingStatement>> ListWaiting(Organisation& organisation,
                                                        std::uint64_t now_ms) {
  for (const auto& [compartment, realm] : organisation.realms()) {
    if (const auto synced = realm->Sync(); !synced) return synced.error();
  }
  // Without the staff vault the rest is listed all the same.
  base::Result<std::vector<Human>> staff =
      Error(Code::kPermissionDenied, "grants are approved by owners and admins");
  if (const auto cases = organisation.Get(Compartment::kCases)) staff = FetchStaff(**cases);

  std::vector<WaitingStatement> all;
  for (const auto& [compartment, realm] : organisation.realms()) {
    const auto& roster = realm->roster();
    for (const auto& statement : roster.pending()) {
      WaitingStatement waiting;
      waiting.compartment = compartment;
      waiting.statement = statement;
      waiting.missing = roster.MissingSignatures(statement);
      waiting.signed_by_me = IsSignedBy(statement, realm->member());
      waiting.expired =
          now_ms > statement.time_ms && now_ms - statement.time_ms > protocol::kApprovableMs;
      const auto refuse = [&](const Status& status) {
        if (!waiting.refusal && !status) waiting.refusal = status.error();
      };
      if (waiting.expired) {
        refuse(Error(Code::kInvalidArgument,
                     "it has waited for more than 30 days: close it, and make it anew"));
      }
      if (const auto grant = GrantOf(roster, statement.payload)) {
        auto human = staff ? HumanOf(*staff, compartment, *grant) : staff.error();
        if (human) {
          refuse(CheckGrant(organisation, compartment, *grant, *human));
          waiting.human = *std::move(human);
        } else {
          refuse(human.error());
        }
      }
      if (const auto* add = std::get_if<protocol::DeviceAdd>(&statement.payload)) {
        const auto* puk = roster.PukAt(add->member, roster.head_seq());
        const bool current = add->puk_gen == (puk == nullptr ? 0 : puk->gen) &&
                             !roster.IsStaleAt(add->member, roster.head_seq());
        if (!current) {
          refuse(Error(Code::kInvalidArgument,
                       "the member has other keys since: it must be closed, and the device added "
                       "anew"));
        }
      }
      if (std::holds_alternative<protocol::RecoverySet>(statement.payload) ||
          std::holds_alternative<protocol::RecoveryRequest>(statement.payload)) {
        refuse(Error(Code::kUnsupported, "this Godwit takes no part in recoveries yet"));
      }
      all.push_back(std::move(waiting));
    }
  }
  return all;
}

base::Result<std::uint64_t> Approve(Organisation& organisation, const WaitingStatement& waiting) {
  if (waiting.refusal) return *waiting.refusal;
  const auto realm = organisation.Get(waiting.compartment);
  if (!realm) return realm.error();
  const base::Link& link = waiting.statement.link;
  const auto authored = (*realm)->Author(protocol::Approve{link, protocol::kNoShare, {}});
  if (!authored) return authored.error();
  const auto* still = (*realm)->roster().FindPending(link);
  return still == nullptr ? 0 : (*realm)->roster().MissingSignatures(*still);
}

base::Result<std::vector<WaitingName>> ListWaitingNames(Organisation& organisation) {
  base::Result<std::vector<Human>> staff =
      Error(Code::kPermissionDenied, "names are approved by owners and admins");
  if (const auto cases = organisation.Get(Compartment::kCases)) staff = ReadStaff(**cases);
  std::vector<WaitingName> all;
  for (const auto& [compartment, realm] : organisation.realms()) {
    if ((realm->roles() & kGranters) == 0) continue;
    const base::VaultId vault = realm->roster().policy().VaultOf(protocol::Kind::kDirectory);
    if (vault.IsZero()) continue;
    // Whom nobody has listed yet has no names to look at.
    if (const auto fetched = VaultView::Fetch(*realm, vault); !fetched) {
      if (fetched.error().code() == Code::kNotFound) continue;
      return fetched.error();
    }
    const auto directory = Directory::Read(*realm);
    if (!directory) return directory.error();
    for (const ProposedName& name : directory->proposed()) {
      WaitingName waiting{compartment, name, name.author == realm->member(), std::nullopt};
      if (!staff) {
        waiting.refusal = staff.error();
      } else if (std::ranges::none_of(*staff, [&](const Human& human) {
                   return human.handle == name.colleague.handle &&
                          std::ranges::any_of(human.memberships, [&](const Membership& m) {
                            return m.compartment == compartment &&
                                   m.member == name.colleague.member;
                          });
                 })) {
        waiting.refusal = Error(Code::kPermissionDenied,
                                "the staff vault has another handle for this member: ask whoever "
                                "wrote the name");
      }
      all.push_back(std::move(waiting));
    }
  }
  return all;
}

Status ApproveName(Organisation& organisation, const WaitingName& waiting) {
  if (waiting.refusal) return *waiting.refusal;
  const auto realm = organisation.Get(waiting.compartment);
  if (!realm) return realm.error();
  return AssentToName(**realm, waiting.name);
}

Status GiveUp(Organisation& organisation, const WaitingStatement& waiting) {
  const auto realm = organisation.Get(waiting.compartment);
  if (!realm) return realm.error();
  const auto closed = (*realm)->Author(protocol::Close{waiting.statement.link, 0});
  if (!closed) return closed.error();
  return {};
}

}  // namespace godwit::client
