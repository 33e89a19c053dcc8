#pragma once

#include <cstdint>
#include <limits>
#include <map>
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
  const crypto::SigningPublicKey& root_pk() const { return root_pk_; }
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
  // Gen of the recovery secret current at `seq`, 0 if none or spent: of use 1, of use 2.
  std::uint32_t RecAt(std::uint64_t seq) const;
  std::uint32_t Rec2At(std::uint64_t seq) const;

 private:
  // The ids and keys that a statement makes new, to be taken over when it takes effect.
  struct NewOnce;
  struct Author;

  base::Status CheckGenesis(const RawStatement& raw, const Genesis& genesis, NewOnce& fresh) const;
  base::Status Check(const Author& author, const MemberAdd& add, NewOnce& fresh) const;
  base::Status Check(const Author& author, const DeviceRevoke& revoke) const;
  base::Status Check(const Author& author, const PukRotate& rotate, NewOnce& fresh) const;
  base::Status Check(const Author& author, const MemberRemove& remove) const;
  base::Status Check(const Author& author, const PolicySet& set, NewOnce& fresh) const;
  base::Status CheckThresholds(const Policy& policy, std::size_t owners,
                               std::size_t granters) const;

  void Take(std::uint64_t seq, const Genesis& genesis);
  void Take(std::uint64_t seq, const MemberAdd& add);
  void Take(std::uint64_t seq, const DeviceRevoke& revoke);
  void Take(std::uint64_t seq, const PukRotate& rotate);
  void Take(std::uint64_t seq, const MemberRemove& remove);
  void Take(std::uint64_t seq, const PolicySet& set);
  void Take(NewOnce&& fresh);
  void AddDevice(std::uint64_t seq, const base::MemberId& member, const DeviceKeys& keys);

  // Number of members who at `seq` hold one of `roles` and have an active device.
  std::size_t CountActive(Roles roles, std::uint64_t seq) const;

  std::vector<base::Link> links_;
  base::Fingerprint fingerprint_;
  base::RealmId realm_;
  Compartment compartment_ = Compartment::kIdentity;
  crypto::SigningPublicKey root_pk_;
  std::vector<std::pair<std::uint64_t, Policy>> policies_;
  std::map<base::MemberId, Member> members_;
  std::unordered_map<base::DeviceId, Device> devices_;
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
