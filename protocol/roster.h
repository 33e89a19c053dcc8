#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "protocol/kinds.h"
#include "protocol/policy.h"
#include "protocol/statement.h"

namespace godwit::protocol {

inline constexpr std::size_t kMaxPendingOfAuthor = 3;
inline constexpr std::size_t kMaxPending = 16;
inline constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

// The verified roster of a realm: who belongs to it, as of every statement so far. A pure function
// of the statements appended; server and client build it with the same code. Copies are
// independent. Const use is thread-safe.
class Roster {
 public:
  struct Device {
    base::MemberId member;
    DeviceKeys keys;
    std::uint64_t added_seq = 0;
    std::uint64_t ended_seq = kNever;  // of the DEVICE_REVOKE or MEMBER_REMOVE
  };
  struct PukGen {
    std::uint64_t seq = 0;  // of its PUK_ROTATE
    std::uint32_t gen = 0;
    Kems kems;
    std::map<base::DeviceId, base::Sha256Hash> box_hashes;
    std::uint32_t prev_gen = 0;
    base::Bytes prev_wrap;
    std::uint16_t suite = kSuite1;  // of the boxes and the wrap
  };
  struct Member {
    std::uint64_t added_seq = 0;
    std::uint64_t removed_seq = kNever;
    base::Sha256Hash staff_commit;
    base::InviteId invite;                               // zero for a founder
    std::vector<std::pair<std::uint64_t, Roles>> roles;  // ascending by seq
    std::vector<std::pair<std::uint64_t, bool>> stale;   // puk_stale, ascending by seq
    std::vector<PukGen> puks;
    std::vector<base::DeviceId> devices;  // ever listed
  };

  // Who signs a statement: a member with a device, or root (both zero).
  struct Signer {
    base::MemberId member;
    base::DeviceId device;
    // No device has the id 0, and what a member signs names one.
    bool IsRoot() const { return device.IsZero(); }
  };
  struct Approval {
    Signer signer;
    std::uint8_t index = kNoShare;
    base::Sha256Hash sealed_hash;
  };
  // A statement that needs more than its author, from its seq until the APPROVE that completes it,
  // a CLOSE, or what makes it void.
  struct Pending {
    std::uint64_t seq = 0;
    base::Link link;
    std::uint64_t time_ms = 0;
    std::uint16_t suite = kSuite1;
    Signer author;
    StatementPayload payload;
    std::vector<Approval> approvals;
  };
  // A recovery secret, from the RECOVERY_SET's effect on.
  struct Recovery {
    std::uint64_t seq = 0;
    std::uint64_t spent_seq = kNever;  // of the effect of a RECOVERY_REQUEST
    RecoverySet set;
  };
  // A RECOVERY_REQUEST in effect.
  struct Request {
    std::uint64_t seq = 0;  // of the APPROVE that completed it
    std::uint64_t closed_seq = kNever;
    base::Link link;
    Signer author;
    RecoveryRequest request;
    std::vector<Approval> approvals;
  };

  // Verifies `statement` as the next one and takes it; on an error nothing changes. Codes, in the
  // order of section 5's checks: E_SIG, E_UNSUPPORTED, E_DOWNGRADE, E_FORK, E_ROSTER_INVALID.
  base::Status Append(base::ByteSpan statement);

  bool empty() const { return links_.empty(); }
  std::uint64_t size() const { return links_.size(); }
  // What follows needs at least one statement.
  std::uint64_t head_seq() const { return links_.size() - 1; }
  const base::Link& head() const { return links_.back(); }
  const base::Link& LinkAt(std::uint64_t seq) const { return links_[seq]; }
  const base::Fingerprint& fingerprint() const { return fingerprint_; }
  const base::RealmId& realm() const { return realm_; }
  Compartment compartment() const { return compartment_; }
  const crypto::SigningPublicKey& root_pk() const { return roots_.back().second; }
  const crypto::SigningPublicKey& RootPkAt(std::uint64_t seq) const;
  const Policy& policy() const { return policies_.back().second; }
  const Policy& PolicyAt(std::uint64_t seq) const;

  const std::map<base::MemberId, Member>& members() const { return members_; }
  const Member* FindMember(const base::MemberId& member) const;
  const Device* FindDevice(const base::DeviceId& device) const;

  // As of statement `seq`, that one included.
  // Whether the device was listed by then, revoked since or not.
  bool IsListedAt(const base::DeviceId& device, std::uint64_t seq) const;
  bool IsActiveAt(const base::DeviceId& device, std::uint64_t seq) const;
  bool IsMemberAt(const base::MemberId& member, std::uint64_t seq) const;
  // 0 for no member, or one removed by then.
  Roles RolesAt(const base::MemberId& member, std::uint64_t seq) const;
  bool HasActiveDeviceAt(const base::MemberId& member, std::uint64_t seq) const;
  std::vector<base::DeviceId> ActiveDevicesAt(const base::MemberId& member,
                                              std::uint64_t seq) const;
  bool IsStaleAt(const base::MemberId& member, std::uint64_t seq) const;
  // The newest PUK at `seq`, or nullptr.
  const PukGen* PukAt(const base::MemberId& member, std::uint64_t seq) const;
  // The same if boxes can be made for it: the member is there, has an active device, is not stale.
  const PukGen* UsablePukAt(const base::MemberId& member, std::uint64_t seq) const;
  // The recovery secret of `use` current at `seq`, or nullptr: none, or spent.
  const Recovery* RecoveryAt(std::uint8_t use, std::uint64_t seq) const;
  // Its gen, or 0: of use 1, of use 2.
  std::uint32_t RecAt(std::uint64_t seq) const;
  std::uint32_t Rec2At(std::uint64_t seq) const;

  // What waits at the head, in the order of their seqs.
  const std::vector<Pending>& pending() const { return pending_; }
  const Pending* FindPending(const base::Link& link) const;
  // How many more members must sign a statement that waits before it takes effect, as things stand
  // at the head: at least 1, since nothing but an APPROVE ends its waiting, or kNever where no
  // number of them is enough. Where root may sign, its signature suffices alone.
  std::uint64_t MissingSignatures(const Pending& statement) const;
  // All that ever took effect, in that order.
  const std::vector<Recovery>& recoveries() const { return recoveries_; }
  const std::vector<Request>& requests() const { return requests_; }

 private:
  // The ids and keys that a statement makes new, to be taken over when it takes effect.
  struct NewOnce;
  // Whose signatures a statement needs, by the table of section 4, at the head.
  enum class Need : std::uint8_t { kAuthor, kGranters, kOwners, kDevice, kTrustees, kRoot };

  base::Status CheckGenesis(const RawStatement& raw, const Genesis& genesis, NewOnce& fresh) const;
  base::Status CheckThresholds(const Policy& policy, std::size_t owners,
                               std::size_t granters) const;

  struct NeedVisitor;
  // Whether root authored or approved it.
  static bool IsByRoot(const Pending& statement);
  Need NeedOf(const Pending& statement) const;
  // Whether `signer` counts for `statement` at the head, as its author or as an approver.
  bool Counts(const Pending& statement, const Signer& signer, bool is_author) const;
  // How many more members must sign: 0, it is complete; kNever where no number is enough.
  std::uint64_t CountMissing(const Pending& statement) const;
  bool IsComplete(const Pending& statement) const { return CountMissing(statement) == 0; }
  bool IsTrustee(std::uint8_t use, const base::MemberId& member) const;
  bool IsNeededTrustee(const base::MemberId& member) const;

  // What makes void, where it changes, what waits for owners.
  struct Power {
    std::set<base::MemberId> owners;
    std::uint8_t owner_threshold = 0;
    std::uint8_t grant_threshold = 0;
    crypto::SigningPublicKey root_pk;
    bool operator==(const Power&) const = default;
  };
  Power PowerAt(std::uint64_t seq) const;

  base::Status Add(Pending statement);
  base::Status AddApproval(std::uint64_t seq, const Signer& signer, const Approve& approve);
  base::Status AddClose(std::uint64_t seq, const Signer& signer, const Close& close);
  // Checks all conditions of `statement` at the head, and takes it as in effect at `seq`.
  base::Status TakeEffect(const Pending& statement, std::uint64_t seq);

  // The conditions that do not depend on who signs. Those of a statement that waits are checked
  // when it comes and when it takes effect.
  base::Status Check(const Pending& statement, const MemberAdd& add, NewOnce& fresh) const;
  base::Status Check(const Pending& statement, const DeviceAdd& add, NewOnce& fresh) const;
  base::Status Check(const Pending& statement, const DeviceRevoke& revoke, NewOnce& fresh) const;
  base::Status Check(const Pending& statement, const PukRotate& rotate, NewOnce& fresh) const;
  base::Status Check(const Pending& statement, const MemberRemove& remove, NewOnce& fresh) const;
  base::Status Check(const Pending& statement, const RoleSet& set, NewOnce& fresh) const;
  base::Status Check(const Pending& statement, const PolicySet& set, NewOnce& fresh) const;
  base::Status Check(const Pending& statement, const RecoverySet& set, NewOnce& fresh) const;
  base::Status Check(const Pending& statement, const RecoveryRequest& request,
                     NewOnce& fresh) const;
  base::Status Check(const Pending& statement, const RootRotate& rotate, NewOnce& fresh) const;
  // What never takes effect in this way: GENESIS. APPROVE and CLOSE do not come here.
  template <class Other>
  base::Status Check(const Pending& statement, const Other& other, NewOnce& fresh) const;
  base::Status CheckOwnersLeft(const Pending& statement) const;

  void Take(std::uint64_t seq, const Genesis& genesis);
  void Take(std::uint64_t seq, const MemberAdd& add);
  void Take(std::uint64_t seq, const DeviceAdd& add);
  void Take(std::uint64_t seq, const DeviceRevoke& revoke);
  void Take(std::uint64_t seq, const PukRotate& rotate, std::uint16_t suite);
  void Take(std::uint64_t seq, const MemberRemove& remove);
  void Take(std::uint64_t seq, const RoleSet& set);
  void Take(std::uint64_t seq, const PolicySet& set);
  void Take(std::uint64_t seq, const RecoverySet& set);
  void Take(std::uint64_t seq, const RootRotate& rotate);
  void Take(NewOnce&& fresh);
  void AddDevice(std::uint64_t seq, const base::MemberId& member, const DeviceKeys& keys);

  // Number of members who at `seq` hold one of `roles` and have an active device.
  std::size_t CountActive(Roles roles, std::uint64_t seq) const;

  std::vector<base::Link> links_;
  base::Fingerprint fingerprint_;
  base::RealmId realm_;
  Compartment compartment_ = Compartment::kIdentity;
  std::vector<std::pair<std::uint64_t, crypto::SigningPublicKey>> roots_;
  std::vector<std::pair<std::uint64_t, Policy>> policies_;
  std::map<base::MemberId, Member> members_;
  std::unordered_map<base::DeviceId, Device> devices_;
  std::vector<Pending> pending_;
  std::vector<Recovery> recoveries_;  // of both uses
  std::vector<Request> requests_;
  // New once in the life of a realm (section 2).
  std::set<base::Bytes> used_ids_;
  std::set<crypto::SigningPublicKey> used_sign_keys_;
  std::set<base::Bytes> used_kem_keys_;
};

// The index of the first statement that fails and why, or the whole roster.
struct RosterVerdict {
  Roster roster;
  base::Status status;
  std::size_t failed_at = 0;
};
RosterVerdict VerifyRoster(const std::vector<base::Bytes>& statements);

}  // namespace godwit::protocol
