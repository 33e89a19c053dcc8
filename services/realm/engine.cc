#include "services/realm/engine.h"

#include <algorithm>
#include <memory>
#include <unordered_set>
#include <utility>

#include "protocol/entry.h"
#include "protocol/event.h"
#include "protocol/join.h"
#include "protocol/leaf.h"
#include "protocol/statement.h"
#include "services/realm/admission.h"

namespace godwit::realm {
namespace {

constexpr std::uint64_t kMsPerDay = 86'400'000;
constexpr std::uint64_t kInvitationMs = kMsPerDay;
// How often a write that lost a race is judged again before its caller is told so.
constexpr int kMaxTries = 8;
constexpr std::size_t kPage = 512;
// How often a vault's reading follows entries that were written meanwhile.
constexpr int kMaxRounds = 8;
// What those who watch are told of at once, a row a member and vault.
constexpr std::size_t kMostChanges = 4'096;
// A look for them is followed by a rest of so many times what it took, less one.
constexpr int kRestAfterLook = 10;

base::Error NoSuchVault() {
  return {base::Code::kNotFound, "there is no such vault, or it is not for this member to see"};
}
base::Error NoSuchInvitation() {
  return {base::Code::kNotFound, "there is no such invitation, or it is over"};
}
base::Error Inactive() {
  return {base::Code::kUnauthenticated, "this device has no live session: open one"};
}
base::Error Conflict() {
  return {base::Code::kConflict, "somebody else wrote first: sync and try again"};
}

// A row that lowered roles hide shows again when they are given back, and no entry of its vault
// says so: until an EPOCH lists the member as they are, the cursor stays before what was hidden.
base::Bytes NextCursor(const storage::ChangeCursor& since, const storage::ChangeCursor& moment,
                       bool hid) {
  return hid ? since.bytes() : moment.bytes();
}

// Whether the caller does best to send the same bytes again.
bool IsPassing(const base::Error& error) {
  return error.code() == base::Code::kUnavailable ||
         error.code() == base::Code::kResourceExhausted || error.code() == base::Code::kDeadline;
}

// Of a page of content, what an ASK names; all where it names nothing.
void LeaveAskedFor(const protocol::Vault::OpenAsk& ask, storage::ContentPage& page) {
  if (ask.ask.records.empty()) return;
  std::erase_if(page.records,
                [&](const auto& row) { return !ask.ask.records.contains(row.record); });
}

}  // namespace

// One vault's upload on its way through AppendEntries.
struct Engine::Pending {
  const VaultUpload* upload = nullptr;
  base::VaultId vault;
  bool creates = false;
  bool fresh = false;  // what is cached may be behind: read before judging
  std::optional<base::Status> answer;
  VaultStatePtr after;
  std::future<CommitQueue::Outcome> outcome;
};

Engine::Engine(storage::Database& database, protocol::Compartment compartment,
               const base::Sha256Hash& spki, const EngineConfig& config, const base::Clock& clock)
    : compartment_(compartment),
      config_(config),
      clock_(clock),
      roster_store_(database),
      session_store_(database),
      mailbox_store_(database),
      vault_store_(database, salts_),
      board_store_(database, salts_),
      quota_store_(database),
      rosters_(roster_store_, compartment),
      sessions_(session_store_, rosters_, spki, clock),
      vaults_(vault_store_, config.cached_vaults, config.cached_records),
      queue_(vault_store_, config.committers, config.waiting_commits),
      watch_hub_(config.watch, clock) {}

base::Status Engine::CheckRealm() {
  const auto roster = rosters_.Newest();
  if (roster || roster.error().code() == base::Code::kNotFound) return {};
  return roster.error();
}

base::Status Engine::CreateRealm(base::ByteSpan claim, base::ByteSpan genesis) {
  protocol::Roster roster;
  if (const auto status = roster.Append(genesis); !status) return status;
  if (roster.compartment() != compartment_) {
    return base::Error(base::Code::kRosterInvalid,
                       "this service is of another compartment than the GENESIS");
  }
  const storage::RealmRow row{roster.realm(), static_cast<std::uint8_t>(compartment_),
                              roster.fingerprint(), HeadOf(roster)};
  const storage::ChainTag tag(protocol::RosterTag(roster.realm()).bytes());
  return roster_store_.CreateRealm(claim, row, tag, genesis);
}

base::Result<RosterPtr> Engine::ActiveRoster(const server::Caller& caller) {
  auto roster = rosters_.Newest();
  if (!roster) return roster.error();
  if (!(*roster)->IsActiveAt(caller.device, (*roster)->head_seq())) return Inactive();
  return roster;
}

base::Result<Source<std::vector<base::Bytes>>> Engine::FetchRoster(
    const std::optional<server::Caller>& caller, const std::optional<base::InviteId>& invite,
    std::uint64_t from_seq) {
  if (!caller) {
    if (!invite) return Inactive();
    const auto live = LiveInvitation(*invite);
    if (!live) return live.error();
  }
  const auto roster = rosters_.Newest();
  if (!roster) return roster.error();
  return Source<std::vector<base::Bytes>>(
      [this, realm = (*roster)->realm(),
       from_seq]() mutable -> base::Result<std::optional<std::vector<base::Bytes>>> {
        const auto page = roster_store_.Read(realm, from_seq, kPage);
        if (!page) return page.error();
        if (page->empty()) return std::optional<std::vector<base::Bytes>>();
        std::vector<base::Bytes> statements;
        for (const auto& row : *page) statements.push_back(row.bytes);
        from_seq = page->back().seq + 1;
        return std::optional(std::move(statements));
      });
}

base::Result<std::uint64_t> Engine::AppendStatements(
    const server::Caller& caller, const std::vector<StatementUpload>& statements) {
  for (int tries = 0; tries < kMaxTries; ++tries) {
    const auto head_seq = TryAppendStatements(caller, statements);
    if (!head_seq) return head_seq.error();
    if (*head_seq) return **head_seq;
  }
  return Conflict();
}

base::Result<std::optional<std::uint64_t>> Engine::TryAppendStatements(
    const server::Caller& caller, const std::vector<StatementUpload>& statements) {
  const auto active = ActiveRoster(caller);
  if (!active) return active.error();
  const protocol::Roster& roster = **active;
  // What is stored already, sent again after a lost answer.
  std::size_t stored = 0;
  for (; stored < statements.size(); ++stored) {
    const base::ByteSpan bytes = statements[stored].statement;
    const auto raw = protocol::ReadStatement(bytes);
    if (!raw) return raw.error();
    if (raw->header.seq >= roster.size()) break;
    if (const auto status = CheckStatementSigned(bytes, roster); !status) return status.error();
    if (protocol::StatementLink(bytes) != roster.LinkAt(raw->header.seq)) return Conflict();
  }
  if (stored == statements.size()) return std::optional(roster.head_seq());
  const std::vector<StatementUpload> fresh(statements.begin() + static_cast<std::ptrdiff_t>(stored),
                                           statements.end());
  const auto admitted = AdmitStatements(roster, caller, fresh, config_.quotas, clock_.NowMs());
  if (!admitted) return admitted.error();
  const auto appended = roster_store_.Append(roster.realm(), admitted->append);
  if (!appended) {
    if (appended.error().code() == base::Code::kConflict) return std::optional<std::uint64_t>();
    return appended.error();
  }
  return std::optional(admitted->after->head_seq());
}

base::Result<std::vector<PukBox>> Engine::FetchPukBoxes(const server::Caller& caller,
                                                        std::uint32_t from_gen) {
  const auto roster = ActiveRoster(caller);
  if (!roster) return roster.error();
  auto rows = roster_store_.PukBoxes((*roster)->realm(), caller.device, from_gen);
  if (!rows) return rows.error();
  std::vector<PukBox> boxes;
  for (auto& row : *rows) boxes.push_back({row.gen, std::move(row.box)});
  return boxes;
}

bool Engine::IsUsed(const base::InviteId& invite) const {
  const auto roster = rosters_.Known();
  return roster != nullptr && std::ranges::any_of(roster->members(), [&](const auto& member) {
           return member.second.invite == invite;
         });
}

base::Result<storage::Invitation> Engine::LiveInvitation(const base::InviteId& invite) {
  const auto roster = rosters_.Newest();
  if (!roster) {
    // An empty realm has no invitations; it says so as any other does.
    if (roster.error().code() == base::Code::kNotFound) return NoSuchInvitation();
    return roster.error();
  }
  auto found = mailbox_store_.Find((*roster)->realm(), invite, clock_.NowMs());
  if (!found) return found.error();
  if (!*found) return NoSuchInvitation();
  return **std::move(found);
}

base::Status Engine::PutOffer(const server::Caller& caller, const base::InviteId& invite,
                              base::ByteSpan offer) {
  const auto roster = ActiveRoster(caller);
  if (!roster) return roster.error();
  if (IsUsed(invite)) {
    return base::Error(base::Code::kConflict, "this invitation was used: make another one");
  }
  // The kind of an OFFER is sealed: one of a member may be for a device of their own. What it leads
  // to is judged by the roster's rules.
  const auto roles = (*roster)->RolesAt(caller.member, (*roster)->head_seq());
  const bool invites_members = (roles & (protocol::kOwner | protocol::kAdmin)) != 0;
  const std::uint64_t most_open = invites_members ? protocol::kNever : kMostOpenOffers;
  const std::uint64_t now_ms = clock_.NowMs();
  storage::Invitation invitation;
  invitation.invite = invite;
  invitation.offerer = caller.member;
  invitation.expires_ms = now_ms + kInvitationMs;
  invitation.offer = base::ToBytes(offer);
  return mailbox_store_.PutOffer((*roster)->realm(), invitation, now_ms, most_open);
}

base::Status Engine::DeleteOffer(const server::Caller& caller, const base::InviteId& invite) {
  const auto roster = ActiveRoster(caller);
  if (!roster) return roster.error();
  return mailbox_store_.Delete((*roster)->realm(), invite, caller.member);
}

base::Status Engine::PutJoinMessage(const std::optional<server::Caller>& caller,
                                    const base::InviteId& invite, storage::JoinStep step,
                                    base::ByteSpan message) {
  if (!protocol::IsJoinMessage(static_cast<int>(step), invite, message)) {
    return base::Error(base::Code::kInvalidArgument, "this is not that message of the invitation");
  }
  if (step == storage::JoinStep::kJ2) {
    if (!caller) return Inactive();
    if (const auto roster = ActiveRoster(*caller); !roster) return roster.error();
  }
  const auto live = LiveInvitation(invite);
  if (!live) return live.error();
  if (step == storage::JoinStep::kJ2 && live->offerer != caller->member) return NoSuchInvitation();
  const base::Bytes& there = step == storage::JoinStep::kJ1   ? live->j1
                             : step == storage::JoinStep::kJ2 ? live->j2
                                                              : live->j3;
  if (std::ranges::equal(there, message)) return {};
  // Whoever commits to a nonce does it before seeing the other's, so the order is part of the
  // handshake.
  if ((step == storage::JoinStep::kJ2 && live->j1.empty()) ||
      (step == storage::JoinStep::kJ3 && live->j2.empty())) {
    return base::Error(base::Code::kConflict, "the message before this one is missing");
  }
  if (IsUsed(invite)) {
    return base::Error(base::Code::kConflict, "this invitation was used: ask for another one");
  }
  return mailbox_store_.PutStep(rosters_.Known()->realm(), invite, step, message, clock_.NowMs());
}

base::Result<storage::Invitation> Engine::GetJoinMessages(const base::InviteId& invite) {
  return LiveInvitation(invite);
}

base::Result<std::vector<base::Status>> Engine::AppendEntries(
    const server::Caller& caller, const std::vector<VaultUpload>& vaults) {
  std::vector<Pending> all(vaults.size());
  std::unordered_set<base::VaultId> named;
  for (std::size_t i = 0; i < vaults.size(); ++i) {
    all[i].upload = &vaults[i];
    const auto first = protocol::ReadEntry(vaults[i].entries.front().entry);
    if (!first) {
      all[i].answer = first.error();
      continue;
    }
    all[i].vault = first->header.vault;
    all[i].creates = first->header.seq == 0;
    if (!named.insert(all[i].vault).second) {
      return base::Error(base::Code::kInvalidArgument, "two uploads of one vault in one call");
    }
    // A CREATE says itself which vault it makes; one that names another says nothing about that.
    if (all[i].creates && protocol::VaultIdOf(first->body) != all[i].vault) {
      all[i].answer = base::Error(base::Code::kEntryInvalid, "an entry of another vault");
    }
  }
  const auto until = std::chrono::steady_clock::now() + config_.commit_wait;
  for (int tries = 0; tries < kMaxTries; ++tries) {
    const auto active = ActiveRoster(caller);
    if (!active) return active.error();
    const RosterPtr& roster = *active;
    for (auto& pending : all) {
      if (!pending.answer) Prepare(caller, *roster, pending);
    }
    bool lost = false;
    for (auto& pending : all) {
      if (!pending.answer && !Settle(pending, until)) lost = true;
    }
    if (!lost) break;
  }
  std::vector<base::Status> answers;
  for (const auto& pending : all) {
    const base::Status answer = pending.answer.value_or(Conflict());
    if (!answer && IsPassing(answer.error())) return answer.error();
    answers.push_back(answer);
  }
  return answers;
}

base::Result<VaultStatePtr> Engine::StateFor(const server::Caller& caller,
                                             const protocol::Roster& roster,
                                             const Pending& pending) {
  if (!pending.creates) {
    const auto access = See(caller, roster, pending.vault, pending.fresh);
    if (!access) return access.error();
    return access->state;
  }
  // A new vault is committed without a read before it: if it stands already, the commit says so.
  if (auto known = vaults_.Known(pending.vault); known != nullptr && !pending.fresh) return known;
  VaultStatePtr empty = std::make_shared<VaultState>();
  if (!pending.fresh) return empty;
  auto read = vaults_.Refresh(roster.realm(), pending.vault);
  if (!read && read.error().code() == base::Code::kNotFound) return empty;
  return read;
}

base::Result<std::size_t> Engine::CountStored(const server::Caller& caller,
                                              const protocol::Roster& roster,
                                              const protocol::Vault& vault,
                                              const std::vector<EntryUpload>& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto read = protocol::ReadEntry(entries[i].entry);
    if (!read) return read.error();
    if (read->header.seq >= vault.size()) return i;
    const auto raw = protocol::CheckSigned(entries[i].entry, roster, vault.guests());
    if (!raw) return raw.error();
    if (!MaySend(raw->header, roster, caller)) {
      return base::Error(base::Code::kPermissionDenied, "an entry is sent by its author alone");
    }
    const auto stored = vault_store_.EntryAt(roster.realm(), vault.id(), raw->header.seq);
    if (!stored) return stored.error();
    if (raw->header.vault != vault.id() || !*stored ||
        !std::ranges::equal((*stored)->bytes, entries[i].entry)) {
      return Conflict();
    }
  }
  return entries.size();
}

base::Status Engine::Judge(const server::Caller& caller, const protocol::Roster& roster,
                           Pending& pending) {
  const auto state = StateFor(caller, roster, pending);
  if (!state) return state.error();
  const auto& entries = pending.upload->entries;
  const auto stored = CountStored(caller, roster, (*state)->vault, entries);
  if (!stored) return stored.error();
  if (*stored == entries.size()) {
    pending.answer = base::Status();
    return {};
  }
  const std::vector<EntryUpload> fresh(entries.begin() + static_cast<std::ptrdiff_t>(*stored),
                                       entries.end());
  auto admitted = AdmitEntries(**state, roster, caller, fresh, config_.quotas, clock_.NowMs());
  if (!admitted) return admitted.error();
  pending.after = std::move(admitted->after);
  pending.outcome = queue_.Submit(roster.realm(), std::move(admitted->commit), HeadOf(roster));
  return {};
}

void Engine::Prepare(const server::Caller& caller, const protocol::Roster& roster,
                     Pending& pending) {
  const auto status = Judge(caller, roster, pending);
  if (status) return;
  // What was refused was refused by a state that may be behind, where another process writes too.
  // NOT_FOUND was read from the database: to look again would tell by the time it takes that there
  // is such a vault.
  const bool behind = !pending.fresh && status.error().code() != base::Code::kNotFound;
  if (behind && vaults_.Known(pending.vault) != nullptr) {
    pending.fresh = true;
    const auto again = Judge(caller, roster, pending);
    if (!again) pending.answer = again.error();
    return;
  }
  pending.answer = status.error();
}

bool Engine::Settle(Pending& pending, std::chrono::steady_clock::time_point until) {
  // Nothing may cancel a COMMIT, but nobody has to wait for one that hangs.
  if (pending.outcome.wait_until(until) != std::future_status::ready) {
    pending.answer = base::Error(base::Code::kDeadline,
                                 "storing it took longer than the time allowed: send it again");
    return true;
  }
  const auto outcome = pending.outcome.get();
  if (!outcome) {
    if (outcome.error().code() == base::Code::kStaleRoster) return false;
    pending.answer = outcome.error();
    return true;
  }
  switch (*outcome) {
    case storage::CommitOutcome::kCommitted:
      vaults_.Put(pending.vault, std::move(pending.after));
      pending.answer = base::Status();
      return true;
    case storage::CommitOutcome::kConflict:
      pending.fresh = true;
      return false;
    case storage::CommitOutcome::kOverQuota:
      pending.answer = base::Error(base::Code::kRateLimited,
                                   "the day's quota of this member or vault is used up");
      return true;
    case storage::CommitOutcome::kRefused:
      pending.answer = base::Error(base::Code::kInternal,
                                   "the schema refuses what the rules let in: this is a bug");
      return true;
  }
  return true;
}

base::Result<Engine::Access> Engine::See(const server::Caller& caller,
                                         const protocol::Roster& roster, const base::VaultId& vault,
                                         bool fresh) {
  const std::uint64_t head = roster.head_seq();
  VaultStatePtr state = fresh ? nullptr : vaults_.Known(vault);
  if (state == nullptr || state->vault.PermAt(caller.member, roster, head) == 0) {
    // One indexed read, whether there is no such vault or the caller is no member: the answer to
    // both takes as long.
    const auto perm = vault_store_.ListedPerm(roster.realm(), vault, caller.member);
    if (!perm) return perm.error();
    if (!*perm) return NoSuchVault();
    auto read = vaults_.Refresh(roster.realm(), vault);
    if (!read) return read.error();
    state = *std::move(read);
  }
  const protocol::Perm perm = state->vault.PermAt(caller.member, roster, head);
  if (perm == 0) return NoSuchVault();
  return Access{std::move(state), perm};
}

base::Result<std::optional<storage::OpenedBy>> Engine::OpenedTo(const base::MemberId& member,
                                                                const Access& access) {
  using Opened = std::optional<storage::OpenedBy>;
  if (access.perm != protocol::kManage) return Opened();
  const auto ask = access.state->vault.AskOf(member);
  if (!ask) return Opened();
  const storage::OpenedBy opened{ask->link, clock_.NowMs()};
  const auto open =
      vault_store_.IsOpen(access.state->vault.realm(), access.state->vault.id(), member, opened);
  if (!open) return open.error();
  return *open ? Opened(opened) : Opened();
}

base::Result<Source<VaultPart>> Engine::FetchVault(const server::Caller& caller,
                                                   const base::VaultId& vault,
                                                   std::uint64_t from_seq) {
  const auto active = ActiveRoster(caller);
  if (!active) return active.error();
  const auto first = See(caller, **active, vault, true);
  if (!first) return first.error();
  enum class Stage { kEntries, kContent };
  struct Progress {
    std::uint64_t next_seq;
    std::uint64_t round_from;  // of the content still to send
    base::RecordId after;
    Stage stage = Stage::kEntries;
    bool boxes_sent = false;
    int round = 0;
  };
  const base::RealmId realm = first->state->vault.realm();
  return Source<VaultPart>(
      [this, caller, vault, realm,
       at = Progress{from_seq, from_seq, {}, Stage::kEntries, false, 0}]() mutable
      -> base::Result<std::optional<VaultPart>> {
        // Rights are asked for with every part: a long answer ends when they do.
        const auto roster = ActiveRoster(caller);
        if (!roster) return roster.error();
        const auto access = See(caller, **roster, vault, false);
        if (!access) return access.error();
        VaultPart part;
        if (at.boxes_sent) return std::optional<VaultPart>();
        for (;;) {
          if (at.stage == Stage::kEntries) {
            const auto page = vault_store_.ReadEntries(realm, vault, at.next_seq, kPage);
            if (!page) return page.error();
            if (!page->empty()) {
              for (const auto& row : *page) part.entries.push_back(row.bytes);
              at.next_seq = page->back().seq + 1;
              return std::optional(std::move(part));
            }
            // Nothing more: what these entries changed comes next, unless there were none.
            const auto opened = OpenedTo(caller.member, *access);
            if (!opened) return opened.error();
            const bool reads = (access->perm & protocol::kRead) != 0 || *opened;
            if (!reads || at.next_seq == at.round_from || at.round == kMaxRounds) {
              // Read after the entries, so that every EPOCH among them comes with its box.
              at.boxes_sent = true;
              if (access->perm == protocol::kWrite) return std::optional<VaultPart>();
              auto boxes = vault_store_.Boxes(realm, vault, caller.member);
              if (!boxes) return boxes.error();
              part.boxes = *std::move(boxes);
              return std::optional(std::move(part));
            }
            at.stage = Stage::kContent;
            at.after = {};
          }
          const auto opened = OpenedTo(caller.member, *access);
          if (!opened) return opened.error();
          auto page = vault_store_.ReadContent(realm, vault, caller.member, at.round_from, at.after,
                                               opened->value_or(storage::OpenedBy()));
          if (!page) return page.error();
          if (!page->records.empty()) at.after = page->records.back().record;
          if (*opened) LeaveAskedFor(*access->state->vault.AskOf(caller.member), *page);
          if (!page->more) {
            // Entries that came meanwhile explain records that are newer than the chain sent so
            // far.
            at.stage = Stage::kEntries;
            at.round_from = at.next_seq;
            ++at.round;
          }
          if (!page->records.empty()) {
            part.records = std::move(page->records);
            return std::optional(std::move(part));
          }
        }
      });
}

base::Result<Source<BoardPart>> Engine::FetchBoard(const server::Caller& caller,
                                                   protocol::Kind kind, base::ByteSpan cursor) {
  const auto since = storage::ChangeCursor::FromBytes(cursor);
  if (!since) return since.error();
  struct Progress {
    base::VaultId after;
    std::optional<storage::ChangeCursor> cursor;  // of the first page
    bool hid = false;
    bool over = false;
  };
  return Source<BoardPart>([this, caller, kind, since = *since,
                            at = Progress()]() mutable -> base::Result<std::optional<BoardPart>> {
    if (at.over) return std::optional<BoardPart>();
    const auto active = ActiveRoster(caller);
    if (!active) return active.error();
    const protocol::Roster& roster = **active;
    auto page = board_store_.ReadBoard(roster.realm(), caller.member,
                                       static_cast<std::uint8_t>(kind), since, at.after);
    if (!page) return page.error();
    if (!at.cursor) at.cursor = page->cursor;
    if (!page->rows.empty()) at.after = page->rows.back().vault;
    const auto roles = roster.RolesAt(caller.member, roster.head_seq());
    BoardPart part;
    for (auto& row : page->rows) {
      // want(): the list may say more than the member's roles still allow.
      const bool reads = (protocol::Lowered(kind, roles, row.perm) & protocol::kRead) != 0;
      if (!reads && (row.perm & protocol::kRead) != 0) at.hid = true;
      // Of a vault that was erased there is nothing to read.
      const bool there = !row.pinned.empty() && !row.ciphertext.empty();
      if (reads && there) part.rows.push_back(std::move(row));
    }
    if (!page->more) {
      at.over = true;
      part.cursor = NextCursor(since, *at.cursor, at.hid);
    }
    return std::optional(std::move(part));
  });
}

base::Result<Source<ListPart>> Engine::ListVaults(const server::Caller& caller,
                                                  base::ByteSpan cursor) {
  const auto since = storage::ChangeCursor::FromBytes(cursor);
  if (!since) return since.error();
  struct Progress {
    base::VaultId after;
    std::optional<storage::ChangeCursor> cursor;
    bool hid = false;
    bool over = false;
  };
  return Source<ListPart>([this, caller, since = *since,
                           at = Progress()]() mutable -> base::Result<std::optional<ListPart>> {
    if (at.over) return std::optional<ListPart>();
    const auto active = ActiveRoster(caller);
    if (!active) return active.error();
    const protocol::Roster& roster = **active;
    auto page = board_store_.ListVaults(roster.realm(), caller.member, since, at.after);
    if (!page) return page.error();
    if (!at.cursor) at.cursor = page->cursor;
    if (!page->rows.empty()) at.after = page->rows.back().vault;
    const auto roles = roster.RolesAt(caller.member, roster.head_seq());
    ListPart part;
    for (auto& row : page->rows) {
      row.perm = protocol::Lowered(protocol::Kind{row.kind}, roles, row.perm);
      if (row.perm != 0) {
        part.rows.push_back(row);
      } else {
        at.hid = true;
      }
    }
    if (!page->more) {
      at.over = true;
      part.cursor = NextCursor(since, *at.cursor, at.hid);
    }
    return std::optional(std::move(part));
  });
}

base::Result<std::unique_ptr<WatchHub::Watcher>> Engine::Watch(const server::Caller& caller,
                                                               std::function<void()> wake) {
  if (const auto active = ActiveRoster(caller); !active) return active.error();
  return watch_hub_.Open(caller, std::move(wake));
}

base::Status Engine::TellWatchers() {
  const auto began = clock_.Steady();
  if (began < next_look_) return {};
  const auto round = watch_hub_.Begin();
  const auto known = rosters_.Known();
  if (!round || known == nullptr) return {};
  WatchHub::Found found;
  auto changes =
      board_store_.ReadChanges(known->realm(), round->members, round->since, kMostChanges);
  if (!changes) return changes.error();
  found.changes = *std::move(changes);
  auto living = session_store_.Living(known->realm(), round->sessions, clock_.NowMs());
  if (!living) return living.error();
  found.sessions = *std::move(living);
  // Last, so that whoever is told of a vault may see it at the newest head that there is.
  auto roster = rosters_.Newest();
  if (!roster) return roster.error();
  found.roster = *std::move(roster);
  next_look_ = began + kRestAfterLook * (clock_.Steady() - began);
  watch_hub_.Tell(*round, found);
  return {};
}

base::Status Engine::CleanUp() {
  const auto roster = rosters_.Known();
  if (roster == nullptr) return {};
  const std::uint64_t now_ms = clock_.NowMs();
  const base::RealmId realm = roster->realm();
  if (const auto status = session_store_.DeleteExpired(realm, now_ms); !status) return status;
  if (const auto status = mailbox_store_.DeleteExpired(realm, now_ms); !status) return status;
  const auto today = static_cast<std::uint32_t>(now_ms / kMsPerDay);
  if (const auto status = quota_store_.DeleteBefore(realm, today); !status) return status;
  return EraseDue(realm, now_ms);
}

base::Status Engine::EraseDue(const base::RealmId& realm, std::uint64_t now_ms) {
  const auto today = static_cast<std::uint32_t>(now_ms / kMsPerDay);
  const auto due = vault_store_.DueForErasure(realm, today, kPage);
  if (!due) return due.error();
  base::Status first;
  for (const base::VaultId& vault : *due) {
    // The row finds the vault; its chain says what is in effect.
    const auto erase = [&]() -> base::Status {
      const auto state = vaults_.Refresh(realm, vault);
      if (!state) return state.error();
      const storage::ChainHead head{(*state)->vault.head_seq(), (*state)->vault.head()};
      const std::uint32_t day = EraseDayOf((*state)->vault);
      if (day == 0 || day >= today) return vault_store_.SetEraseDay(realm, vault, head, day);
      return vault_store_.Erase(realm, vault, head, [&](std::uint64_t n) -> storage::EventRow {
        const base::Bytes event = protocol::WriteEvent({.realm = realm,
                                                        .n = n,
                                                        .time_ms = now_ms,
                                                        .kind = protocol::EventKind::kErased,
                                                        .detail = base::ToBytes(vault.bytes())});
        return {protocol::EventLink(event), event};
      });
    };
    // One that fails, others do not wait for.
    if (const auto status = erase(); !status && first) first = status;
  }
  return first;
}

}  // namespace godwit::realm
