#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/casework/assign.h"
#include "client/entries.h"
#include "client/organisation.h"
#include "client/vault_file.h"

namespace godwit::client {

// The organisations that this one works with, and what it agreed with each to tell: records of the
// config vault of cases, which owners and admins write and every member reads.

// NOT_FOUND: the organisation is not furnished yet, or the vault is neither here nor to be reached.
base::Result<VaultFile> OpenPartners(Organisation& organisation, From from);

// Write one as `changes` say, fields of Partner; works offline. INVALID_ARGUMENT: no name, an
// agreement without a scope, or no such field. EXISTS: another has that name. PERMISSION_DENIED:
// neither owner nor admin.
base::Result<EntryWritten> AddPartner(Organisation& organisation,
                                      const std::vector<Change>& changes);
// `id`: the beginning of the record's id.
base::Result<EntryWritten> ChangePartner(Organisation& organisation, std::string_view id,
                                         const std::vector<Change>& changes);
// The organisation works with it no more: it counts as one that nobody recorded.
base::Result<EntryWritten> StrikePartner(Organisation& organisation, std::string_view id);

// Whether what a transition tells is agreed with the partner that it names, as far as this device
// knows. PERMISSION_DENIED: it is a partner that was recorded, and no agreement covers all of it;
// or part of the list does not open here.
base::Status CheckAgreed(Organisation& organisation, const content::v1::Transition& transition,
                         From from);

}  // namespace godwit::client
