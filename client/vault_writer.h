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
  // What is written in one call with what it names: a summary's state_link, or an act's subject
  // (and its id with it), becomes the link of the entry before it.
  bool names_previous = false;
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

// What else is asked of a write.
struct WriteOptions {
  // Whether an epoch that could stay is replaced all the same: asked again after every conflict.
  std::function<bool(VaultView& vault)> is_due;
  // Whom `relist` lists anew reads what is live and no older revision (docs/protocol.md section 5):
  // an EPOCH that wraps nothing is written for those who are listed already, every live record that
  // this member reads is written anew under it, in as many calls as it takes, and then the
  // newcomers are listed. Interrupted, it goes on with the next call.
  bool hide_history = false;
  // What was tried before.
  Tries* tries = nullptr;
};

// Whether nobody reads what was before an EPOCH by having its key: it is not the first, and wraps
// no older one. No EPOCH after it wraps a key from before it.
bool HidesHistory(const protocol::Epoch& epoch);

// Writes to a vault by the writer rule of docs/protocol.md section 5: syncs, writes an EPOCH first
// if the one in force is not fresh at the roster's head (or `relist` changes its list), seals under
// it alone, sends EPOCH and REVs in one call, and on CONFLICT, STALE_ROSTER or REKEY_REQUIRED
// begins again, at most 8 times; so too when the answer is lost, and then nothing is written a
// second time that is found to stand, by one of the tries before either. Returns the vault as
// written. An epoch that stays as it is and no edits: nothing is sent. PERMISSION_DENIED: this
// member may not write there, or hide its history; or a record says what belongs in another kind of
// vault, before other eyes. NOT_FOUND: the service withholds the vault's
// key. INVALID_ARGUMENT: a ledger hides no history. UNAVAILABLE, DEADLINE, RESOURCE_EXHAUSTED: it
// may stand or not; whoever kept the tries finds out at the next call.
base::Result<VaultView> WriteVault(Realm& realm, const base::VaultId& vault, const Editor& edit,
                                   const Relister& relist = {}, const WriteOptions& options = {});

// Writes one entry that seals nothing (ASSENT, STATE, ASK), as `choose` says given the vault as it
// is; asked again after every conflict. Nothing: there is nothing to write any more. Returns the
// vault as it is then. Errors as WriteVault.
using EntryChooser =
    std::function<base::Result<std::optional<protocol::EntryPayload>>(VaultView& vault)>;
base::Result<VaultView> WriteEntry(Realm& realm, const base::VaultId& vault,
                                   const EntryChooser& choose);

// A vault that is not sent yet.
struct NewVault {
  base::VaultId id;
  transport::VaultUpload upload;
  VaultUpdate update;  // for the store, once it is sent
};
// Makes CREATE, EPOCH 1 for `members` and first revisions of what `edit` returns for the new id. A
// `create` that was signed before (an import's plan) is used as it is. `members` holds this member
// with 7, or with 2 beside a manager. INVALID_ARGUMENT: a member has no usable key, or a perm the
// kind does not allow. PERMISSION_DENIED: outside evaluation, a content vault (kinds 6 to 18) where
// no recovery secret was ever set, or the last was spent 14 days ago.
base::Result<NewVault> MakeVault(
    Realm& realm, protocol::Kind kind, const std::map<base::MemberId, protocol::Perm>& members,
    const std::function<base::Result<std::vector<Edit>>(const base::VaultId& id)>& edit,
    const base::Bytes* create = nullptr);

// Makes a vault, sends it and keeps it here; `create` as MakeVault takes it. The same vault is sent
// again when the answer is lost.
base::Result<VaultView> CreateVault(
    Realm& realm, protocol::Kind kind, const std::map<base::MemberId, protocol::Perm>& members,
    const std::function<base::Result<std::vector<Edit>>(const base::VaultId& id)>& edit,
    const base::Bytes* create = nullptr);

// The list that the roster's head makes of `members`: perms as given, each with the key to box to.
protocol::MemberList ListNow(const Realm& realm, protocol::Kind kind,
                             const std::map<base::MemberId, protocol::Perm>& members);

}  // namespace godwit::client
