#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "protocol/kinds.h"
#include "services/realm/commit_queue.h"
#include "services/realm/config.h"
#include "services/realm/roster_cache.h"
#include "services/realm/sessions.h"
#include "services/realm/uploads.h"
#include "services/realm/vault_cache.h"
#include "services/realm/watch_hub.h"
#include "services/server/caller.h"
#include "storage/board_store.h"
#include "storage/mailbox_store.h"
#include "storage/postgres.h"
#include "storage/quota.h"
#include "storage/roster_store.h"
#include "storage/salt_store.h"
#include "storage/session_store.h"
#include "storage/vault_store.h"

namespace godwit::realm {

struct PukBox {
  std::uint32_t gen = 0;
  base::Bytes box;
};

// A part of a vault's chain with what goes with it, as it is streamed.
struct VaultPart {
  std::vector<base::Bytes> entries;
  std::vector<storage::EpochBoxRow> boxes;  // after the entries that list them
  std::vector<storage::ContentRow> records;
};

struct BoardPart {
  std::vector<storage::BoardRow> rows;
  base::Bytes cursor;  // in the last part alone
};

struct ListPart {
  std::vector<storage::ListedVault> rows;  // with the caller's perm as it is now
  base::Bytes cursor;
};

// Gives the next part of an answer, or nothing at its end. For one thread at a time.
template <class Part>
using Source = std::function<base::Result<std::optional<Part>>()>;

// Invitations that a member who is neither owner nor admin may have open: for devices of their own.
inline constexpr std::uint64_t kMostOpenOffers = 16;

// A realm's rules over its storage: everything that its service does, on plain types. Callers are
// authenticated before; inputs have the sizes of uploads.h. Thread-safe; blocks on the database.
//
// Codes of all calls besides those named: storage::Database::Read and Write, RosterCache::Newest,
// and UNAUTHENTICATED where the caller's device ceased to be active meanwhile.
class Engine {
 public:
  // All references must outlive the engine. `spki`: as Sessions.
  Engine(storage::Database& database, protocol::Compartment compartment,
         const base::Sha256Hash& spki, const EngineConfig& config, const base::Clock& clock);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Whether the database answers, and is empty or holds a realm of this compartment that verifies.
  base::Status CheckRealm();

  Sessions& sessions() { return sessions_; }

  // PERMISSION_DENIED: the claim is not the one that was made, or was used. EXISTS: there is
  // another realm. E_ROSTER_INVALID: a GENESIS of another compartment; else as Roster::Append.
  base::Status CreateRealm(base::ByteSpan claim, base::ByteSpan genesis);

  // UNAUTHENTICATED: neither a session nor an invitation. NOT_FOUND: no live invitation.
  base::Result<Source<std::vector<base::Bytes>>> FetchRoster(
      const std::optional<server::Caller>& caller, const std::optional<base::InviteId>& invite,
      std::uint64_t from_seq);
  // Returns the head's seq. The codes of AdmitStatements and RosterStore::Append; CONFLICT: another
  // statement stands at one of their places.
  base::Result<std::uint64_t> AppendStatements(const server::Caller& caller,
                                               const std::vector<StatementUpload>& statements);
  base::Result<std::vector<PukBox>> FetchPukBoxes(const server::Caller& caller,
                                                  std::uint32_t from_gen);

  // CONFLICT: the id is taken, now or by a member who joined with it. RATE_LIMITED: a caller who is
  // neither owner nor admin has kMostOpenOffers open.
  base::Status PutOffer(const server::Caller& caller, const base::InviteId& invite,
                        base::ByteSpan offer);
  // NOT_FOUND: the caller put none of that id.
  base::Status DeleteOffer(const server::Caller& caller, const base::InviteId& invite);
  // NOT_FOUND: no live invitation, or for J2 none of the caller's. UNAUTHENTICATED: J2 without a
  // session. INVALID_ARGUMENT: not that message of this invitation. CONFLICT: other bytes are
  // there, the message before it is missing, or the invitation was used.
  base::Status PutJoinMessage(const std::optional<server::Caller>& caller,
                              const base::InviteId& invite, storage::JoinStep step,
                              base::ByteSpan message);
  // NOT_FOUND: no live invitation.
  base::Result<storage::Invitation> GetJoinMessages(const base::InviteId& invite);

  // One answer for each vault, in order: committed, or why not. The codes of AdmitEntries;
  // CONFLICT: another entry stands at one of their places; NOT_FOUND: no such vault, or the caller
  // is no member of it; RATE_LIMITED. Of the whole call: INVALID_ARGUMENT: two uploads of one
  // vault; UNAVAILABLE, RESOURCE_EXHAUSTED, DEADLINE: not all is known to be stored, send it again.
  base::Result<std::vector<base::Status>> AppendEntries(const server::Caller& caller,
                                                        const std::vector<VaultUpload>& vaults);

  // NOT_FOUND: no such vault, or the caller is no member of it now.
  base::Result<Source<VaultPart>> FetchVault(const server::Caller& caller,
                                             const base::VaultId& vault, std::uint64_t from_seq);
  // INVALID_ARGUMENT: not a cursor.
  base::Result<Source<BoardPart>> FetchBoard(const server::Caller& caller, protocol::Kind kind,
                                             base::ByteSpan cursor);
  base::Result<Source<ListPart>> ListVaults(const server::Caller& caller, base::ByteSpan cursor);

  // `caller` watches from now on, as WatchHub::Open has it, until the watcher's end.
  base::Result<std::unique_ptr<WatchHub::Watcher>> Watch(const server::Caller& caller,
                                                         std::function<void()> wake);
  // Tells those who watch what changed; to be called some times a second. Does nothing where nobody
  // does, and after a look that took long not before a tenth of the time is spent on looking.
  base::Status TellWatchers();
  // Ends all watching, for good.
  void StopWatching() { watch_hub_.Stop(); }
  std::size_t watchers() const { return watch_hub_.watchers(); }

  // Deletes what expired, and what is left of vaults after their erase_day, some hundred a call; to
  // be called every minute or so.
  base::Status CleanUp();

  CommitQueue::Counts commit_counts() const { return queue_.counts(); }

 private:
  struct Pending;
  struct Access {
    VaultStatePtr state;
    protocol::Perm perm = 0;
  };

  base::Result<RosterPtr> ActiveRoster(const server::Caller& caller);
  // The vault if the caller is a member of it now, as the database has it where `fresh`.
  base::Result<Access> See(const server::Caller& caller, const protocol::Roster& roster,
                           const base::VaultId& vault, bool fresh);
  // What opens content to a member who manages a vault without reading it; nothing: nothing does.
  base::Result<std::optional<storage::OpenedBy>> OpenedTo(const base::MemberId& member,
                                                          const Access& access);
  base::Result<storage::Invitation> LiveInvitation(const base::InviteId& invite);
  [[nodiscard]] bool IsUsed(const base::InviteId& invite) const;

  // The head's seq afterwards, or nothing if another statement came first.
  base::Result<std::optional<std::uint64_t>> TryAppendStatements(
      const server::Caller& caller, const std::vector<StatementUpload>& statements);
  // Leads `pending` to an answer, or to a commit that waits in the queue.
  void Prepare(const server::Caller& caller, const protocol::Roster& roster, Pending& pending);
  base::Status Judge(const server::Caller& caller, const protocol::Roster& roster,
                     Pending& pending);
  base::Result<VaultStatePtr> StateFor(const server::Caller& caller, const protocol::Roster& roster,
                                       const Pending& pending);
  // How many of the first entries are stored with these very bytes.
  base::Result<std::size_t> CountStored(const server::Caller& caller,
                                        const protocol::Roster& roster,
                                        const protocol::Vault& vault,
                                        const std::vector<EntryUpload>& entries);
  base::Status EraseDue(const base::RealmId& realm, std::uint64_t now_ms);
  // Waits for the commit and takes its outcome. False: a race was lost, prepare it again.
  [[nodiscard]] bool Settle(Pending& pending, std::chrono::steady_clock::time_point until);

  const protocol::Compartment compartment_;
  const EngineConfig config_;
  const base::Clock& clock_;
  storage::TableSaltStore salts_;
  storage::RosterStore roster_store_;
  storage::SessionStore session_store_;
  storage::MailboxStore mailbox_store_;
  storage::VaultStore vault_store_;
  storage::BoardStore board_store_;
  storage::QuotaStore quota_store_;
  RosterCache rosters_;
  Sessions sessions_;
  VaultCache vaults_;
  CommitQueue queue_;
  WatchHub watch_hub_;
  std::chrono::steady_clock::time_point next_look_;  // of TellWatchers, which one thread calls
};

}  // namespace godwit::realm
