#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/cases.h"
#include "client/organisation.h"
#include "client/outbox.h"

namespace godwit::client {

// People by themselves: known before there is a case, linked to it later, and in families. All of
// it works offline.

struct PersonRow {
  base::VaultId vault;
  std::string code;  // of the case; empty: linked to none
  std::vector<content::v1::Name> names;
  bool waits = false;  // never sent
};
// The people whom this member reads, as of the last sync, in the order of their ids.
base::Result<std::vector<PersonRow>> ListPeople(Organisation& organisation);
// One of them by the beginning of the vault's id, as lists show it. NOT_FOUND, INVALID_ARGUMENT:
// none, or several.
base::Result<base::VaultId> FindPerson(Organisation& organisation, std::string_view id);
std::string ShortId(const base::VaultId& vault);

// Registers somebody who has no case. `changes`: fields of IdentityProfile. INVALID_ARGUMENT: no
// such supervisor or field; no consent to store who somebody is, which must be said to be there.
struct NewPerson {
  std::string supervisor;  // handle
  std::vector<Change> changes;
  bool consents = false;  // to be stored
};
struct PersonMade {
  base::VaultId vault;
  bool queued = false;
};
base::Result<PersonMade> AddPerson(Organisation& organisation, const NewPerson& person);

// Links a person to a case: person and case name each other from then on, and whoever was there
// before, the nameless stub that a case begins with or somebody linked by mistake, names it no
// more. FAILED half way, `godwit today` shows it, and the same call goes on. EXISTS: the person is
// linked to another case.
base::Result<Written> LinkPerson(Organisation& organisation, std::string_view code,
                                 const base::VaultId& person);
// Takes the link away on both sides. NOT_FOUND: there is none.
base::Result<Written> UnlinkPerson(Organisation& organisation, std::string_view code);

// Changes fields of a person who has no case (EditCase changes those who have one).
base::Result<Written> EditPerson(Organisation& organisation, const base::VaultId& person,
                                 const std::vector<Change>& changes);

// A family, or registration group: people in a vault of their own.
struct FamilyRow {
  base::VaultId vault;
  content::v1::Family family;
};
base::Result<std::vector<FamilyRow>> ListFamilies(Organisation& organisation);
base::Result<base::VaultId> FindFamily(Organisation& organisation, std::string_view id);
struct FamilyMember {
  base::VaultId person;
  content::v1::FamilyRole role = content::v1::FAMILY_ROLE_OTHER;
  content::v1::Answer together = content::v1::ANSWER_UNSPECIFIED;
  content::v1::PartialDate separated_since{};
};
base::Result<PersonMade> MakeFamily(Organisation& organisation, std::string_view supervisor,
                                    const std::vector<FamilyMember>& members);
// Adds somebody, or changes what is said of them. Splitting and reuniting are changes of
// `together`.
base::Result<Written> SetFamilyMember(Organisation& organisation, const base::VaultId& family,
                                      const FamilyMember& member);
base::Result<Written> RemoveFamilyMember(Organisation& organisation, const base::VaultId& family,
                                         const base::VaultId& person);

}  // namespace godwit::client
