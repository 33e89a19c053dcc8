#include "client/roles.h"

#include <algorithm>
#include <array>

#include "client/directory.h"
#include "client/grants.h"
#include "client/invite.h"
#include "client/staff.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using protocol::Compartment;
using protocol::Roles;
using State = RoleOutcome::State;

constexpr std::uint8_t kLeft = 1;  // MEMBER_REMOVE's reason

// One realm where the person is a member or shall be one.
struct Part {
  Realm* realm = nullptr;
  Membership* membership = nullptr;  // of the staff record; nullptr: no member, or not yet
  Membership* ending = nullptr;      // one that is over, and that the record does not say so of
  Roles now = 0;
  RoleOutcome outcome;

  bool GivesSome() const { return (outcome.roles & ~now) != 0; }
};

// Asks for `wanted` by ROLE_SET, unless that waits already. How many signatures it waits for.
base::Result<std::uint64_t> Ask(Realm& realm, const base::MemberId& member, Roles wanted) {
  const auto& roster = realm.roster();
  if (roster.RolesAt(member, roster.head_seq()) == wanted) return 0;
  if (const auto* waits = FindWaiting<protocol::RoleSet>(roster, member); waits != nullptr) {
    if (std::get<protocol::RoleSet>(waits->payload).roles == wanted) {
      return roster.MissingSignatures(*waits);
    }
    return Error(Code::kConflict,
                 "another change of this person's roles waits: `godwit approve` shows it; sign it "
                 "or close it first");
  }
  return realm.Author(protocol::RoleSet{member, wanted});
}

void Note(Part& part, std::uint64_t missing) {
  part.outcome.state = missing == 0 ? State::kInEffect : State::kWaits;
  part.outcome.missing = missing;
}

// Everybody's lists, where this member may write them.
Status List(Realm& realm) {
  if ((realm.roles() & kGranters) == 0) return {};
  return ListEverybody(realm, {});
}

// Roles of one's own that end: it needs no other, and no staff vault.
base::Result<std::vector<RoleOutcome>> DropOwn(Organisation& organisation, Roles roles) {
  std::vector<RoleOutcome> outcomes;
  Roles held = 0;
  for (const auto& [compartment, realm] : organisation.realms()) {
    const Roles wanted = RolesIn(compartment, roles);
    held |= realm->roles();
    if ((wanted & ~realm->roles()) != 0) {
      return Error(Code::kPermissionDenied, "nobody gives roles to themselves: ask another admin");
    }
    if (wanted == 0) {
      return Error(Code::kPermissionDenied,
                   "you would be no member of a realm any more: ask another admin to end that");
    }
    outcomes.push_back({compartment, wanted});
  }
  if ((roles & ~held) != 0) {
    return Error(Code::kPermissionDenied, "nobody gives roles to themselves: ask another admin");
  }
  for (const RoleOutcome& outcome : outcomes) {
    Realm& realm = **organisation.Get(outcome.compartment);
    const auto missing = Ask(realm, realm.member(), outcome.roles);
    if (!missing) return missing.error();
    if (const auto listed = List(realm); !listed) return listed.error();
  }
  return outcomes;
}

bool IsOwn(const Organisation& organisation, const Human& human) {
  return std::ranges::any_of(human.memberships, [&](const Membership& m) {
    const auto realm = organisation.Get(m.compartment);
    return realm && (*realm)->member() == m.member;
  });
}

// Whether the directory of a realm gives this person's own name to `handle`.
base::Result<bool> IsOwnHandle(Organisation& organisation, const std::string& handle) {
  for (const auto& [compartment, realm] : organisation.realms()) {
    const auto directory = Directory::Read(*realm);
    if (!directory) return directory.error();
    const Colleague* self = directory->ByMember(realm->member());
    if (self != nullptr) return self->handle == handle;
  }
  return false;
}

class Change {
 public:
  Change(Organisation& organisation, Realm& cases, Human human)
      : organisation_(organisation), cases_(cases), written_(human), human_(std::move(human)) {}

  base::Result<std::vector<RoleOutcome>> Run(Roles roles) {
    if (const auto planned = Plan(roles); !planned) return planned.error();
    // The record first: what is signed must be there to be looked up.
    const Human before = written_;
    if (const auto written = WriteChanged(); !written) return written.error();
    if (const auto asked = AskForAll(); !asked) {
      human_ = before;
      (void)WriteChanged();
      return asked.error();
    }
    return Finish();
  }

 private:
  Status AskForAll() {
    bool waits = false;
    for (Part& part : parts_) {
      if (part.membership == nullptr || part.GivesSome()) continue;
      if (const auto taken = Take(part); !taken) return taken.error();
      waits = waits || part.outcome.state == State::kWaits;
    }
    for (Part& part : parts_) {
      if (part.membership == nullptr || !part.GivesSome()) continue;
      if (const auto given = Give(part, waits); !given) return given.error();
    }
    return {};
  }

  Status WriteChanged() {
    if (written_ == human_) return {};
    written_ = human_;
    return WriteHuman(cases_, human_);
  }

  Status Plan(Roles roles) {
    if (const auto ended = EndUnmade(organisation_, human_); !ended) return ended;
    const auto held = HeldBy(organisation_, human_);
    if (!held) return held.error();
    std::vector<Membership> after;
    for (const auto compartment :
         {Compartment::kIdentity, Compartment::kCases, Compartment::kJourneys}) {
      Part part;
      part.outcome.compartment = compartment;
      part.outcome.roles = RolesIn(compartment, roles);
      if (part.outcome.roles != 0 && !protocol::AreValidRoles(compartment, part.outcome.roles)) {
        return Error(Code::kPermissionDenied, "these roles cannot be held together");
      }
      for (std::size_t i = 0; i < held->size(); ++i) {
        const Membership& each = (*held)[i];
        if (each.compartment != compartment) continue;
        part.realm = *organisation_.Get(compartment);
        const auto& roster = part.realm->roster();
        if (each.ended) {
          // Ended since the last look: what follows from it is still to do.
          if (!human_.memberships[i].ended) part.ending = &human_.memberships[i];
        } else if (roster.FindMember(each.member) != nullptr) {
          part.membership = &human_.memberships[i];
          part.now = each.roles;
        } else if (const auto* waits = FindWaiting<protocol::MemberAdd>(roster, each.member);
                   waits != nullptr) {
          part.outcome.state = State::kWaits;
          part.outcome.missing = roster.MissingSignatures(*waits);
        }
      }
      if (part.membership != nullptr) {
        if (part.outcome.roles != 0) part.membership->roles = part.outcome.roles;
      } else if (part.outcome.roles == 0) {
        if (part.ending == nullptr) continue;
      } else if (part.outcome.state != State::kWaits) {
        part.outcome.state = State::kInvite;
      }
      Membership will = part.membership != nullptr ? *part.membership : Membership{};
      will.compartment = compartment;
      will.roles = part.outcome.roles;
      if (will.roles != 0) after.push_back(will);
      parts_.push_back(part);
    }
    return CheckHeld(organisation_, after);
  }

  Status Take(Part& part) {
    const base::MemberId member = part.membership->member;
    const auto missing = part.outcome.roles == 0 ? RemoveFrom(*part.realm, member, kLeft)
                                                 : Ask(*part.realm, member, part.outcome.roles);
    if (!missing) return missing.error();
    Note(part, *missing);
    return {};
  }

  Status Give(Part& part, bool others_wait) {
    auto held = HeldBy(organisation_, human_);
    if (!held) return held.error();
    for (Membership& each : *held) {
      if (each.member == part.membership->member) each.roles = part.outcome.roles;
    }
    if (const auto fits = CheckHeld(organisation_, *held); !fits) {
      if (!others_wait) return fits;
      part.outcome.state = State::kAfterOthers;
      return {};
    }
    const auto missing = Ask(*part.realm, part.membership->member, part.outcome.roles);
    if (!missing) return missing.error();
    Note(part, *missing);
    return {};
  }

  base::Result<std::vector<RoleOutcome>> Finish() {
    std::vector<RoleOutcome> outcomes;
    for (Part& part : parts_) {
      outcomes.push_back(part.outcome);
      const bool in_effect = part.outcome.state == State::kInEffect;
      if (in_effect && part.outcome.roles == 0 && part.membership != nullptr) {
        part.ending = part.membership;
      }
      if (!in_effect && part.ending == nullptr) continue;
      if (const auto listed = List(*part.realm); !listed) return listed.error();
      if (part.ending != nullptr) part.ending->ended = true;
    }
    if (const auto written = WriteChanged(); !written) return written.error();
    return outcomes;
  }

  Organisation& organisation_;
  Realm& cases_;
  Human written_;  // as the staff vault has it
  Human human_;
  std::vector<Part> parts_;
};

}  // namespace

base::Result<std::vector<RoleOutcome>> SetRoles(Organisation& organisation,
                                                const std::string& handle, Roles roles) {
  Roles covered = 0;
  for (const auto compartment :
       {Compartment::kIdentity, Compartment::kCases, Compartment::kJourneys}) {
    covered |= RolesIn(compartment, roles);
  }
  if (roles == 0 || covered != roles) {
    return Error(Code::kInvalidArgument,
                 "name at least one role, and roles that exist; `godwit member remove` ends all");
  }
  for (const auto& [compartment, realm] : organisation.realms()) {
    if (const auto synced = realm->Sync(); !synced) return synced.error();
  }
  const auto cases = organisation.Get(Compartment::kCases);
  if (!cases || ((*cases)->roles() & kGranters) == 0) {
    const auto own = IsOwnHandle(organisation, handle);
    if (!own) return own.error();
    if (!*own) {
      return Error(Code::kPermissionDenied, "an owner or admin changes what others may do");
    }
    return DropOwn(organisation, roles);
  }
  const auto staff = FetchStaff(**cases);
  if (!staff) return staff.error();
  const Human* human = HumanByHandle(*staff, handle);
  if (human == nullptr) {
    return Error(Code::kNotFound, "nobody has this handle: see `godwit member list`");
  }
  if (IsOwn(organisation, *human)) {
    auto dropped = DropOwn(organisation, roles);
    if (!dropped || ((*cases)->roles() & kGranters) == 0) return dropped;
    Human after = *human;
    for (Membership& membership : after.memberships) {
      if (!membership.ended) membership.roles = RolesIn(membership.compartment, roles);
    }
    if (after != *human) {
      if (const auto written = WriteHuman(**cases, after); !written) return written.error();
    }
    return dropped;
  }
  return Change(organisation, **cases, *human).Run(roles);
}

}  // namespace godwit::client
