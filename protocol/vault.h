#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "protocol/entry.h"
#include "protocol/kinds.h"
#include "protocol/roster.h"

namespace godwit::protocol {

// Rows of an EPOCH's list without the hashes of their boxes: what rights are judged by.
struct MemberRow {
  Perm perm = 0;
  std::uint32_t puk_gen = 0;

  friend bool operator==(const MemberRow&, const MemberRow&) = default;
};
using MemberList = std::map<base::MemberId, MemberRow>;
MemberList ListOf(const Epoch& epoch);

// A guest of an EPOCH without the hash of the box.
struct GuestRow {
  Perm perm = 0;
  std::uint32_t expires_hour = 0;
  DeviceKeys device;

  friend bool operator==(const GuestRow&, const GuestRow&) = default;
};
using GuestList = std::map<base::GuestId, GuestRow>;
// The keys of every guest whom an EPOCH of a vault ever listed.
using GuestKeys = std::map<base::GuestId, DeviceKeys>;

// An EPOCH in force, as judging the next entry needs it.
struct EpochInForce {
  std::uint32_t number = 0;  // 0: none yet
  base::Link link;
  base::MemberId author;
  MemberList list;
  GuestList guests;
  std::uint32_t rec_gen = 0;
  bool by_writer_only = false;  // its author is listed with perm 2 (an import)

  // By an EPOCH (e): nobody is listed, and the recovery secret of use 2 alone opens it.
  bool IsSealed() const { return number != 0 && list.empty(); }
};

// want(list, r) of docs/protocol.md section 5: the list as roster seq `r` would have it.
MemberList Want(const MemberList& list, Kind kind, const Roster& roster, std::uint64_t r);
// fresh(E, r)
[[nodiscard]] bool IsFresh(const EpochInForce& epoch, Kind kind, const Roster& roster,
                           std::uint64_t r);

// An entry whose form, author and signature are right: the first half of the verdict, which needs
// the roster alone.
struct SignedEntry {
  EntryHeader header;
  base::Link link;
  EntryPayload payload;
};

// Verified state of one vault's chain. Copies are independent. Const use is thread-safe.
class Vault {
 public:
  struct Record {
    std::uint64_t rver = 0;
    base::Link link;  // of the last REV or TOMB
    bool dead = false;
    base::MemberId creator;  // author of rver 1; a guest's id as a member's
  };
  // The newest STATE, while it waits for another member's ASSENT.
  struct WaitingState {
    base::Link link;
    State state;
  };

  // The verdict on `entry` as the next of this chain, a function of chain[0..n] and
  // roster[0..its roster_seq] alone. STALE_ROSTER: it cites a statement that `roster` has not; else
  // in the order of section 5's checks E_SIG, E_UNSUPPORTED, E_DOWNGRADE, E_FORK, E_ENTRY_INVALID.
  base::Result<SignedEntry> Judge(base::ByteSpan entry, const Roster& roster) const;

  // What a server asks of an entry that Judge took, besides: the same rules at the roster's head.
  // REKEY_REQUIRED: the epoch is not fresh there. STALE_ROSTER: another rule fails there. And what
  // it refuses though it is valid: INVALID_ARGUMENT for an epoch 1 without a guard who can open it,
  // in a kind that must have one; E_UNSUPPORTED for attachments.
  base::Status Admit(const SignedEntry& entry, const Roster& roster) const;

  // Takes an entry that Judge of this very state gave.
  void Take(const SignedEntry& entry);

  // Judge and Take.
  base::Status Append(base::ByteSpan entry, const Roster& roster);

  // Takes an entry that was judged before it was stored: no signature or rule is looked at.
  // INTERNAL: these bytes are no entry.
  base::Status Replay(base::ByteSpan entry);

  bool empty() const { return size_ == 0; }
  std::uint64_t size() const { return size_; }
  // What follows needs at least the CREATE.
  std::uint64_t head_seq() const { return size_ - 1; }
  const base::Link& head() const { return head_; }
  const base::VaultId& id() const { return id_; }
  const base::RealmId& realm() const { return realm_; }
  Kind kind() const { return kind_; }
  const base::MemberId& creator() const { return creator_; }
  std::uint64_t roster_seq() const { return roster_seq_; }
  const EpochInForce& epoch() const { return epoch_; }
  const GuestKeys& guests() const { return guests_; }
  // The values in effect.
  const State& state() const { return state_; }
  const std::optional<WaitingState>& waiting() const { return waiting_; }
  const base::Link& pin_link() const { return pin_link_; }
  const base::RecordId& pinned_record() const { return pinned_record_; }
  const std::unordered_map<base::RecordId, Record>& records() const { return records_; }
  const Record* FindRecord(const base::RecordId& record) const;

  // An ASK that is its author's newest.
  struct OpenAsk {
    base::MemberId member;
    base::Link link;
    Ask ask;
  };
  // That at `link`; nothing if there is none, or it is not the newest any more.
  std::optional<OpenAsk> AskAt(const base::Link& link) const;
  // That of `member`; nothing: they never asked.
  std::optional<OpenAsk> AskOf(const base::MemberId& member) const;

  // has(m, b) for all bits at once: m's perm in want(list in force, r); 0 for a stranger.
  Perm PermAt(const base::MemberId& member, const Roster& roster, std::uint64_t r) const;

 private:
  // The rules on a payload as of roster seq `r`.
  base::Status CheckRules(const SignedEntry& entry, const Roster& roster, std::uint64_t r) const;
  base::Status Check(const EntryHeader& header, const Create& create, const Roster& roster,
                     std::uint64_t r) const;
  base::Status Check(const EntryHeader& header, const Epoch& epoch, const Roster& roster,
                     std::uint64_t r) const;
  base::Status Check(const EntryHeader& header, const Rev& rev, const Roster& roster,
                     std::uint64_t r) const;
  base::Status Check(const EntryHeader& header, const Tomb& tomb, const Roster& roster,
                     std::uint64_t r) const;
  base::Status Check(const EntryHeader& header, const State& state, const Roster& roster,
                     std::uint64_t r) const;
  base::Status Check(const EntryHeader& header, const Assent& assent, const Roster& roster,
                     std::uint64_t r) const;
  base::Status Check(const EntryHeader& header, const Ask& ask, const Roster& roster,
                     std::uint64_t r) const;
  // frozen 0 -> 1 and nothing else.
  bool IsFreeze(const State& state) const;
  // A leg's erase_day, alone or with a freeze. `state` is another than now, and no freeze alone.
  bool IsEraseDayOfLeg(const State& state) const;
  // Holds a sealed vault, or erases it later, and nothing else.
  bool KeepsSealed(const State& state) const;

  void Take(const SignedEntry& entry, const Create& create);
  void Take(const SignedEntry& entry, const Epoch& epoch);
  void Take(const SignedEntry& entry, const Rev& rev);
  void Take(const SignedEntry& entry, const Tomb& tomb);
  void Take(const SignedEntry& entry, const State& state);
  void Take(const SignedEntry& entry, const Assent& assent);
  void Take(const SignedEntry& entry, const Ask& ask);

  struct AskMade {
    base::Link link;
    Ask ask;
  };

  // An entry as an ASSENT of it needs it.
  struct Written {
    std::uint8_t type = 0;
    base::MemberId author;
    base::RecordId record;  // of a REV
  };

  std::uint64_t size_ = 0;
  base::Link head_;
  base::RealmId realm_;
  base::VaultId id_;
  Kind kind_ = Kind::kDirectory;
  base::MemberId creator_;
  std::uint64_t create_roster_seq_ = 0;
  std::uint64_t roster_seq_ = 0;
  EpochInForce epoch_;
  base::Link pin_link_;
  base::RecordId pinned_record_;
  std::unordered_map<base::RecordId, Record> records_;
  GuestKeys guests_;
  State state_;
  std::optional<WaitingState> waiting_;
  std::unordered_map<base::Link, Written> written_;
  std::unordered_map<base::MemberId, AskMade> asks_;  // the newest of each
};

// Form, author, signature, suite, type and size of one entry: the checks that need no chain but for
// the keys of the guests in it. Codes as Vault::Judge's. The payload is not read yet.
base::Result<RawEntry> CheckSigned(base::ByteSpan entry, const Roster& roster,
                                   const GuestKeys& guests);

// Whether the author's device is the author's, and active as of roster seq `r`: the half of R4 that
// is the same for all types. A guest is judged by the list. E_ENTRY_INVALID.
base::Status CheckAuthorDevice(const EntryHeader& header, const Roster& roster, std::uint64_t r);

// What the rules on an EPOCH ask of its vault.
struct EpochPlace {
  Kind kind;
  base::MemberId creator;
  std::uint64_t create_roster_seq = 0;
  const EpochInForce& previous;  // number 0: none
  State state;
};
// Whether an EPOCH may follow by the rules (a) to (e) of section 5, as of roster seq `r`.
// E_ENTRY_INVALID.
base::Status CheckEpoch(const EntryHeader& header, const Epoch& epoch, const EpochPlace& place,
                        const Roster& roster, std::uint64_t r);
EpochInForce InForce(const EntryHeader& header, const base::Link& link, const Epoch& epoch);

// The rules on an entry that need no history but the EPOCH in force, as of roster seq `r`: limits,
// the author's rights, freshness. `pinned` says whether the record is the vault's pinned one.
// CheckTomb gives the author's perm, for the rule on whose record it is. E_ENTRY_INVALID.
base::Status CheckRev(const EntryHeader& header, const Rev& rev, Kind kind,
                      const EpochInForce& epoch, bool pinned, const Roster& roster,
                      std::uint64_t r);
base::Result<Perm> CheckTomb(const EntryHeader& header, const Tomb& tomb, Kind kind,
                             const EpochInForce& epoch, bool pinned, const Roster& roster,
                             std::uint64_t r);
// Whether the author may write some STATE at all.
base::Status CheckStateAuthor(const EntryHeader& header, Kind kind, const EpochInForce& epoch,
                              const Roster& roster, std::uint64_t r);
base::Status CheckAssent(const EntryHeader& header, const Assent& assent, Kind kind,
                         const EpochInForce& epoch, const Roster& roster, std::uint64_t r);
base::Status CheckAsk(const EntryHeader& header, const Ask& ask, Kind kind,
                      const EpochInForce& epoch, const Roster& roster, std::uint64_t r);

}  // namespace godwit::protocol
