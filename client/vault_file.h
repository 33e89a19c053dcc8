#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/acts.h"
#include "client/outbox.h"
#include "client/pinned_rows.h"
#include "client/realm.h"
#include "client/vault_view.h"
#include "godwit/content/v1/record.pb.h"

namespace godwit::client {

// Where a file comes from: kService, as the service has it now, or as this device has it where the
// service cannot be reached; kDevice, without asking.
enum class From { kService, kDevice };
inline From FromOf(bool offline) { return offline ? From::kDevice : From::kService; }

// The records of one vault as its person sees them: what is signed, and on top what waits in the
// outbox; of a vault that is not sent yet, what waits alone. It must not outlive its Realm.
class VaultFile {
 public:
  // NOT_FOUND: no such vault, here or there, or not this member's; else as VaultView::Fetch.
  static base::Result<VaultFile> Open(Realm& realm, const base::VaultId& vault, From from);

  // Of a view in memory, without what waits.
  static base::Result<VaultFile> FromView(Realm& realm, VaultView view);

  struct Entry {
    base::RecordId record;
    content::v1::Record content;
    // As it was signed last; nothing: it was never sent.
    std::optional<content::v1::Record> signed_content;
    base::Link link;        // of that revision
    base::MemberId author;  // of the first revision
    base::MemberId changed_by;
    bool waits = false;
  };

  const base::VaultId& id() const { return id_; }
  protocol::Kind kind() const { return kind_; }
  base::RecordId pinned_record() const;
  // Whether the service could not be asked, though it should have been.
  bool offline() const { return offline_; }
  // Nothing: the vault was never sent.
  const VaultView* view() const { return view_ ? &*view_ : nullptr; }
  Hats hats() const { return hats_; }
  protocol::Perm perm() const { return perm_; }

  // In the order of their ids; without those entered in error, unless asked for.
  std::vector<const Entry*> Of(content::v1::Record::BodyCase body, bool with_errors = false) const;
  const Entry* Find(const base::RecordId& record) const;
  const Entry* Pinned() const { return Find(pinned_record()); }
  // Records whose content is not served to this member, or out of their keys' reach.
  std::size_t unreadable() const { return unreadable_; }

  // A case's acts, those that wait last. `changed`: records that are no acts, though they say so.
  const ActsOfCase& acts() const { return acts_; }
  CaseLife Life() const { return acts_.Life(); }

  // What changes an entry, or adds one, for the outbox.
  static PendingEdit Change(const Entry& entry, content::v1::Record content);
  static PendingEdit Add(content::v1::Record content);

 private:
  VaultFile(Realm& realm, const base::VaultId& id) : realm_(&realm), id_(id) {}
  base::Status TakeView();
  void TakePending(const Pending& pending);

  Realm* realm_;
  base::VaultId id_;
  protocol::Kind kind_ = protocol::Kind::kCase;
  bool offline_ = false;
  std::optional<VaultView> view_;
  std::map<base::RecordId, Entry> entries_;
  std::size_t unreadable_ = 0;
  ActsOfCase acts_;
  Hats hats_ = kNoHat;
  protocol::Perm perm_ = 0;
};

// The pinned records of a kind as of the last sync, with what waits on top.
base::Result<std::vector<PinnedRow>> RowsWithWaiting(Realm& realm, protocol::Kind kind);

// Which vault of a kind names which case, read once for many questions.
class CodeIndex {
 public:
  static base::Result<CodeIndex> Read(Realm& realm, protocol::Kind kind);

  std::optional<base::VaultId> VaultOf(const std::string& code) const;
  // Nothing: no such vault here. Empty: it names no case.
  std::optional<std::string> CodeOf(const base::VaultId& vault) const;

 private:
  std::map<std::string, base::VaultId> vaults_;
  std::map<base::VaultId, std::string> codes_;
};

// The vault of `kind` (case, sensitive, person, screening) whose pinned record names a case.
// INVALID_ARGUMENT: no case code. NOT_FOUND: no such vault, or not this member's to read.
base::Result<base::VaultId> FindVault(Realm& realm, protocol::Kind kind, std::string_view code,
                                      From from);
base::Result<VaultFile> OpenCaseFile(Realm& realm, protocol::Kind kind, std::string_view code,
                                     From from);
// The code that a pinned record names; empty: none.
const std::string& CodeOf(const content::v1::Record& pinned);

}  // namespace godwit::client
