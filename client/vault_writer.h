#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/realm.h"
#include "client/vault_view.h"
#include "protocol/vault.h"

namespace godwit::client {

// A change of one record.
struct Edit {
  base::RecordId record;
  content::v1::Record content;
  std::uint8_t flags = 0;
};
// Says what to write, given the vault as it is: asked again after every conflict, so that a change
// is merged with what others wrote and nothing is lost.
using Editor = std::function<base::Result<std::vector<Edit>>(VaultView& vault)>;

// Which members a manager's EPOCH shall list, given the list as it is; their keys are looked up in
// the roster. Without one the members stay.
using Relister =
    std::function<std::map<base::MemberId, protocol::Perm>(const protocol::MemberList& list)>;

// What was sent to one vault and may stand there, since no answer came: the link of the last entry
// of each try. `keep`, if there is one, makes them outlive the process, and is called before each
// is sent.
struct Tries {
  std::vector<base::Link> links;
  std::function<base::Status(const std::vector<base::Link>& links)> keep;
};

// Writes to a vault by the writer rule of docs/protocol.md section 5: syncs, writes an EPOCH first
// if the one in force is not fresh at the roster's head (or `relist` changes its list), seals under
// it alone, sends EPOCH and REVs in one call, and on CONFLICT, STALE_ROSTER or REKEY_REQUIRED
// begins again, at most 8 times; so too when the answer is lost, and then nothing is written a
// second time that is found to stand, by one of `tries` either. Returns the vault as written. An
// epoch that stays as it is and no edits: nothing is sent. PERMISSION_DENIED: this member may not
// write there. NOT_FOUND: the service withholds the vault's key. UNAVAILABLE, DEADLINE,
// RESOURCE_EXHAUSTED: it may stand or not; whoever kept `tries` finds out at the next call.
base::Result<VaultView> WriteVault(Realm& realm, const base::VaultId& vault, const Editor& edit,
                                   const Relister& relist = {}, Tries* tries = nullptr);

// A vault that is not sent yet.
struct NewVault {
  base::VaultId id;
  transport::VaultUpload upload;
  VaultUpdate update;  // for the store, once it is sent
};
// Makes CREATE, EPOCH 1 for `members` and first revisions of what `edit` returns for the new id. A
// `create` that was signed before (an import's plan) is used as it is. `members` holds this member
// with 7, or with 2 beside a manager. INVALID_ARGUMENT: a member has no usable key, or a perm the
// kind does not allow.
base::Result<NewVault> MakeVault(
    Realm& realm, protocol::Kind kind, const std::map<base::MemberId, protocol::Perm>& members,
    const std::function<base::Result<std::vector<Edit>>(const base::VaultId& id)>& edit,
    const base::Bytes* create = nullptr);

// Makes a vault, sends it and keeps it here. The same vault is sent again when the answer is lost.
base::Result<VaultView> CreateVault(
    Realm& realm, protocol::Kind kind, const std::map<base::MemberId, protocol::Perm>& members,
    const std::function<base::Result<std::vector<Edit>>(const base::VaultId& id)>& edit);

// The list that the roster's head makes of `members`: perms as given, each with the key to box to.
protocol::MemberList ListNow(const Realm& realm, protocol::Kind kind,
                             const std::map<base::MemberId, protocol::Perm>& members);

}  // namespace godwit::client
