#include "protocol/roster.h"

#include <algorithm>
#include <optional>

#include "crypto/sign.h"
#include "protocol/labels.h"

namespace godwit::protocol {
namespace {

base::Error Invalid(base::Literal why) { return {base::Code::kRosterInvalid, why}; }

// The value in effect at `seq` of a history that is ascending by seq, or nullptr.
template <class Value>
const Value* EffectiveAt(const std::vector<std::pair<std::uint64_t, Value>>& history,
                         std::uint64_t seq) {
  const auto after =
      std::ranges::upper_bound(history, seq, {}, &std::pair<std::uint64_t, Value>::first);
  return after == history.begin() ? nullptr : &std::prev(after)->second;
}

}  // namespace

struct Roster::NewOnce {
  const Roster& roster;
  std::set<base::Bytes> ids;
  std::set<crypto::SigningPublicKey> sign_keys;
  std::set<base::Bytes> kem_keys;

  base::Status Id(base::ByteSpan id) {
    if (std::ranges::all_of(id, [](std::uint8_t b) { return b == 0; })) {
      return Invalid("the id 0 is never new");
    }
    base::Bytes bytes = base::ToBytes(id);
    if (roster.used_ids_.contains(bytes) || !ids.insert(std::move(bytes)).second) {
      return Invalid("an id is used a second time");
    }
    return {};
  }
  base::Status SignKey(const crypto::SigningPublicKey& key) {
    if (roster.used_sign_keys_.contains(key) || !sign_keys.insert(key).second) {
      return Invalid("a signing key is used a second time");
    }
    return {};
  }
  base::Status KemKeys(const Kems& kems) {
    for (const auto& [alg, key] : kems) {
      if (roster.used_kem_keys_.contains(key) || !kem_keys.insert(key).second) {
        return Invalid("a key for boxes is used a second time");
      }
    }
    return {};
  }
  // A device's keys: of the right form, proven to be held, and all of them new.
  base::Status DeviceKeysOf(const DeviceKeys& keys, base::ByteSpan pop_message,
                            const crypto::Signature& pop) {
    if (!AreValidKems(keys.kems)) return Invalid("a device's key for boxes is none");
    if (const auto status = Id(DeviceIdOf(keys).bytes()); !status) return status;
    if (const auto status = SignKey(keys.sign_pk); !status) return status;
    if (const auto status = KemKeys(keys.kems); !status) return status;
    if (!crypto::Verify(keys.sign_pk, labels::kRosterPop, pop_message, pop)) {
      return Invalid("a device's proof of possession is wrong");
    }
    return {};
  }
};

base::Status Roster::Append(base::ByteSpan bytes) {
  const auto raw = ReadStatement(bytes);
  if (!raw) return raw.error();
  const StatementHeader& h = raw->header;
  const std::uint64_t seq = size();
  const bool by_root = h.author_member.IsZero() && h.author_device.IsZero();

  // The author's key; a first GENESIS brings its own.
  std::optional<Genesis> first;
  std::optional<crypto::SigningPublicKey> key;
  if (empty()) {
    if (h.type == static_cast<std::uint8_t>(StatementType::kGenesis)) {
      auto payload = ReadStatementPayload(h.type, raw->payload);
      if (!payload) return payload.error();
      first = std::get<Genesis>(*std::move(payload));
      key = first->root_pk;
    }
  } else if (by_root) {
    key = root_pk();
  } else if (const Device* device = FindDevice(h.author_device)) {
    key = device->keys.sign_pk;
  }
  if (!key || !crypto::Verify(*key, labels::kRoster, raw->body, raw->signature)) {
    return base::Error(base::Code::kSig, "a statement's signature is wrong");
  }
  if (h.suite < (first ? first->policy.min_suite : policy().min_suite)) {
    return base::Error(base::Code::kDowngrade, "a statement's suite is below the policy's");
  }
  if (!IsKnownSuite(h.suite)) {
    return base::Error(base::Code::kUnsupported,
                       "a statement of a suite that this Godwit does not know: update it");
  }
  if (h.type > kLastStatementType) {
    return base::Error(base::Code::kUnsupported,
                       "a statement of a type that this Godwit does not know: update it");
  }
  if (raw->body.size() > kMaxStatementBody) return Invalid("a statement is too long");
  if (h.prev != (empty() ? base::Link() : head())) {
    return base::Error(base::Code::kFork, "a statement follows another one than the last");
  }
  if (h.seq != seq) return Invalid("a statement's seq is not the next");
  const base::Fingerprint fingerprint = first ? FingerprintOf(raw->body) : fingerprint_;
  if (h.realm != RealmOf(fingerprint)) return Invalid("a statement of another realm");

  NewOnce fresh{*this, {}, {}, {}};
  if (first) {
    if (const auto status = CheckGenesis(*raw, *first, fresh); !status) return status;
    fingerprint_ = fingerprint;
    realm_ = h.realm;
    Take(seq, *first);
    Take(std::move(fresh));
    links_.push_back(StatementLink(bytes));
    return {};
  }

  auto payload = ReadStatementPayload(h.type, raw->payload);
  if (!payload) return payload.error();
  const Signer author{h.author_member, h.author_device};
  if (!by_root) {
    const Device* device = FindDevice(h.author_device);
    if (device->member != h.author_member || !IsActiveAt(h.author_device, head_seq())) {
      return Invalid("a statement by a device that is not the author's, or not active");
    }
  }
  if (!policy().has_log && (h.log_size != 0 || !h.log_root.IsZero())) {
    return Invalid("log fields in a realm without a log");
  }

  const base::Link link = StatementLink(bytes);
  std::optional<Power> before;
  if (!pending_.empty()) before = PowerAt(head_seq());
  base::Status taken;
  if (const auto* approve = std::get_if<Approve>(&*payload)) {
    taken = AddApproval(seq, author, *approve);
  } else if (const auto* close = std::get_if<Close>(&*payload)) {
    taken = AddClose(seq, author, *close);
  } else {
    taken = Add(Pending{seq, link, h.time_ms, h.suite, author, *std::move(payload), {}});
  }
  if (!taken) return taken;
  links_.push_back(link);
  if (before && *before != PowerAt(head_seq())) {
    std::erase_if(pending_, [&](const Pending& each) {
      const Need need = NeedOf(each);
      return need == Need::kOwners || need == Need::kRoot;
    });
  }
  return {};
}

base::Status Roster::CheckGenesis(const RawStatement& raw, const Genesis& genesis,
                                  NewOnce& fresh) const {
  const StatementHeader& h = raw.header;
  if (!h.author_member.IsZero() || !h.author_device.IsZero()) {
    return Invalid("GENESIS has an author beside the root key");
  }
  if (h.log_size != 0 || !h.log_root.IsZero()) return Invalid("GENESIS has log fields");
  if (genesis.compartment < 1 || genesis.compartment > 3) return Invalid("unknown compartment");
  const auto compartment = Compartment{genesis.compartment};
  if (genesis.policy.gen != 1) return Invalid("the first policy's gen is not 1");
  if (const auto status = CheckPolicy(genesis.policy); !status) return status;

  fresh.sign_keys.insert(genesis.root_pk);
  const base::Bytes message = PopMessage({}, genesis);
  std::size_t owners = 0;
  std::size_t granters = 0;
  for (const auto& [member, row] : genesis.members) {
    if (!AreValidRoles(compartment, row.roles)) return Invalid("roles that cannot be held");
    if (row.devices.size() > kMaxActiveDevices) return Invalid("more than 16 devices of a member");
    if (const auto status = fresh.Id(member.bytes()); !status) return status;
    for (const auto& [keys, pop] : row.devices) {
      if (const auto status = fresh.DeviceKeysOf(keys, message, pop); !status) return status;
    }
    if (row.devices.empty()) continue;
    owners += (row.roles & kOwner) != 0;
    granters += (row.roles & (kOwner | kAdmin)) != 0;
  }
  if (const auto status = fresh.KemKeys(genesis.policy.audit_kems); !status) return status;
  return CheckThresholds(genesis.policy, owners, granters);
}

base::Status Roster::CheckThresholds(const Policy& policy, std::size_t owners,
                                     std::size_t granters) const {
  if (policy.owner_threshold > owners || policy.grant_threshold > granters) {
    return Invalid("a threshold above the number of those who could meet it");
  }
  return {};
}

bool Roster::IsTrustee(std::uint8_t use, const base::MemberId& member) const {
  const Recovery* recovery = RecoveryAt(use, head_seq());
  return recovery != nullptr && std::ranges::any_of(recovery->set.shares, [&](const auto& share) {
           return share.second.member == member;
         });
}

// Whether without `member` fewer than k trustees of the live secret would be members.
bool Roster::IsNeededTrustee(const base::MemberId& member) const {
  if (!IsTrustee(kRecoveryLive, member)) return false;
  const Recovery* recovery = RecoveryAt(kRecoveryLive, head_seq());
  std::set<base::MemberId> left;
  for (const auto& [index, share] : recovery->set.shares) {
    if (share.member != member && IsMemberAt(share.member, head_seq())) left.insert(share.member);
  }
  return left.size() < recovery->set.k;
}

struct Roster::NeedVisitor {
  static constexpr Roles kPower = kOwner | kAdmin;
  const Roster& roster;
  const Signer& author;

  Roles RolesOf(const base::MemberId& member) const {
    return roster.RolesAt(member, roster.head_seq());
  }
  Need operator()(const MemberAdd& add) const {
    return (add.roles & kPower) != 0 ? Need::kOwners : Need::kGranters;
  }
  Need operator()(const DeviceAdd&) const { return Need::kDevice; }
  Need operator()(const MemberRemove& remove) const {
    if ((RolesOf(remove.member) & kOwner) != 0) return Need::kOwners;
    if (author.member == remove.member) return Need::kAuthor;
    return roster.IsNeededTrustee(remove.member) ? Need::kOwners : Need::kGranters;
  }
  Need operator()(const RoleSet& set) const {
    const Roles now = RolesOf(set.member);
    const bool drops = set.roles != 0 && set.roles != now && (set.roles & ~now) == 0;
    if (author.member == set.member && drops) return Need::kAuthor;
    return ((now | set.roles) & kPower) != 0 ? Need::kOwners : Need::kGranters;
  }
  Need operator()(const PolicySet&) const { return Need::kOwners; }
  Need operator()(const RecoverySet&) const { return Need::kOwners; }
  Need operator()(const RecoveryRequest&) const { return Need::kTrustees; }
  Need operator()(const RootRotate&) const { return Need::kRoot; }
  template <class Other>
  Need operator()(const Other&) const {
    return Need::kAuthor;
  }
};

bool Roster::IsByRoot(const Pending& statement) {
  return statement.author.IsRoot() ||
         std::ranges::any_of(statement.approvals, &Signer::IsRoot, &Approval::signer);
}

Roster::Need Roster::NeedOf(const Pending& statement) const {
  return std::visit(NeedVisitor{*this, statement.author}, statement.payload);
}

bool Roster::Counts(const Pending& statement, const Signer& signer, bool is_author) const {
  const StatementPayload& payload = statement.payload;
  if (signer.IsRoot()) {
    return std::holds_alternative<MemberAdd>(payload) ||
           std::holds_alternative<DeviceRevoke>(payload) ||
           std::holds_alternative<MemberRemove>(payload) ||
           std::holds_alternative<RoleSet>(payload) || std::holds_alternative<RootRotate>(payload);
  }
  if (!IsActiveAt(signer.device, head_seq())) return false;
  const Roles roles = RolesAt(signer.member, head_seq());
  const bool owner = (roles & kOwner) != 0;
  const bool granter = (roles & (kOwner | kAdmin)) != 0;
  switch (NeedOf(statement)) {
    case Need::kAuthor:
      if (const auto* revoke = std::get_if<DeviceRevoke>(&payload)) {
        const bool owns = (RolesAt(revoke->member, head_seq()) & kOwner) != 0;
        return signer.member == revoke->member || (owns ? owner : granter);
      }
      if (const auto* rotate = std::get_if<PukRotate>(&payload)) {
        return signer.member == rotate->member;
      }
      return is_author;
    case Need::kGranters:
    case Need::kOwners: {
      // Who gains or loses a role does not decide on it.
      if (const auto* set = std::get_if<RoleSet>(&payload)) {
        if (signer.member == set->member) return false;
      }
      return NeedOf(statement) == Need::kOwners ? owner : granter;
    }
    case Need::kDevice: {
      const bool own = signer.member == std::get<DeviceAdd>(payload).member;
      return is_author ? own : granter && (policy().flags & Policy::kDeviceAddNeedsAdmin) != 0;
    }
    case Need::kTrustees: {
      const auto& request = std::get<RecoveryRequest>(payload);
      if (signer.member == request.recipient_member) return false;
      return is_author ? (roles & kAdmin) != 0 : IsTrustee(request.use, signer.member);
    }
    case Need::kRoot:
      break;
  }
  return owner || IsTrustee(kRecoveryLive, signer.member);
}

std::uint64_t Roster::CountMissing(const Pending& statement) const {
  // Root's signature suffices alone, whatever has become of the author.
  if (IsByRoot(statement)) return 0;
  const Need need = NeedOf(statement);
  std::vector<Signer> counting;
  if (Counts(statement, statement.author, true)) {
    counting.push_back(statement.author);
  } else if (need == Need::kAuthor || need == Need::kDevice || need == Need::kTrustees) {
    return kNever;
  }
  std::size_t approvals = 0;
  for (const Approval& approval : statement.approvals) {
    if (!Counts(statement, approval.signer, false)) continue;
    counting.push_back(approval.signer);
    ++approvals;
  }
  const auto missing = [](std::size_t want, std::size_t have) {
    return want > have ? want - have : 0;
  };
  switch (need) {
    case Need::kAuthor:
      return 0;
    case Need::kGranters:
      return missing(policy().grant_threshold, counting.size());
    case Need::kOwners:
      return missing(policy().owner_threshold, counting.size());
    case Need::kDevice:
      return missing((policy().flags & Policy::kDeviceAddNeedsAdmin) != 0 ? 1 : 0, approvals);
    case Need::kTrustees: {
      const auto& request = std::get<RecoveryRequest>(statement.payload);
      const Recovery* recovery = RecoveryAt(request.use, head_seq());
      return recovery == nullptr ? kNever : missing(recovery->set.k, approvals);
    }
    case Need::kRoot:
      break;
  }
  const Recovery* recovery = RecoveryAt(kRecoveryLive, head_seq());
  if (recovery == nullptr) return kNever;
  std::size_t owners = 0;
  std::size_t trustees = 0;
  std::size_t both = 0;
  for (const Signer& signer : counting) {
    const bool owner = (RolesAt(signer.member, head_seq()) & kOwner) != 0;
    const bool trustee = IsTrustee(kRecoveryLive, signer.member);
    both += owner && trustee;
    owners += owner && !trustee;
    trustees += trustee && !owner;
  }
  // Nobody counts as both.
  return missing(missing(policy().owner_threshold, owners) + missing(recovery->set.k, trustees),
                 both);
}

Roster::Power Roster::PowerAt(std::uint64_t seq) const {
  Power power{{}, policy().owner_threshold, policy().grant_threshold, root_pk()};
  for (const auto& [id, member] : members_) {
    if ((RolesAt(id, seq) & kOwner) != 0) power.owners.insert(id);
  }
  return power;
}

base::Status Roster::Add(Pending statement) {
  if (!Counts(statement, statement.author, true)) {
    return Invalid("a statement by somebody who may not make it");
  }
  if (IsComplete(statement)) return TakeEffect(statement, statement.seq);
  NewOnce fresh{*this, {}, {}, {}};
  const auto checked = std::visit(
      [&](const auto& payload) { return Check(statement, payload, fresh); }, statement.payload);
  if (!checked) return checked;
  if (const auto* add = std::get_if<DeviceAdd>(&statement.payload)) {
    if (std::ranges::any_of(pending_, [&](const Pending& each) {
          const auto* other = std::get_if<DeviceAdd>(&each.payload);
          return other != nullptr && other->member == add->member;
        })) {
      return Invalid("a second DEVICE_ADD of a member waits");
    }
  } else {
    std::size_t all = 0;
    std::size_t own = 0;
    for (const Pending& each : pending_) {
      if (std::holds_alternative<DeviceAdd>(each.payload)) continue;
      ++all;
      own += each.author.member == statement.author.member;
    }
    if (own >= kMaxPendingOfAuthor || all >= kMaxPending) {
      return Invalid("more statements wait than may: close one");
    }
  }
  pending_.push_back(std::move(statement));
  return {};
}

base::Status Roster::AddApproval(std::uint64_t seq, const Signer& signer, const Approve& approve) {
  const auto found = std::ranges::find(pending_, approve.target, &Pending::link);
  if (found == pending_.end()) return Invalid("an APPROVE of nothing that waits");
  const auto is_signer = [&](const Approval& approval) {
    return approval.signer.member == signer.member;
  };
  if (found->author.member == signer.member || std::ranges::any_of(found->approvals, is_signer)) {
    return Invalid("a second signature of one member");
  }
  if (!Counts(*found, signer, false)) return Invalid("an APPROVE by somebody who does not count");
  if (const auto* request = std::get_if<RecoveryRequest>(&found->payload)) {
    const auto& shares = RecoveryAt(request->use, head_seq())->set.shares;
    const auto share = shares.find(approve.index);
    if (share == shares.end() || share->second.member != signer.member) {
      return Invalid("an APPROVE with a share that is not the approver's");
    }
  } else if (approve.index != kNoShare || !approve.sealed_hash.IsZero()) {
    return Invalid("an APPROVE with a share where none is asked for");
  }
  Pending approved = *found;
  approved.approvals.push_back({signer, approve.index, approve.sealed_hash});
  if (!IsComplete(approved)) {
    *found = std::move(approved);
    return {};
  }
  return TakeEffect(approved, seq);
}

base::Status Roster::AddClose(std::uint64_t seq, const Signer& signer, const Close& close) {
  if (close.result > 2) return Invalid("unknown result of a CLOSE");
  if (signer.IsRoot()) return Invalid("a CLOSE by root");
  const auto waiting = std::ranges::find(pending_, close.target, &Pending::link);
  const auto open = std::ranges::find_if(requests_, [&](const Request& request) {
    return request.link == close.target && request.closed_seq == kNever;
  });
  if (waiting == pending_.end() && open == requests_.end()) {
    return Invalid("a CLOSE of nothing that is open");
  }
  const Roles roles = RolesAt(signer.member, head_seq());
  if (close.result != 0) {
    if (open == requests_.end() || (roles & kAdmin) == 0) {
      return Invalid("a CLOSE that only an admin makes, of a request in effect");
    }
  } else {
    const Signer& author = open == requests_.end() ? waiting->author : open->author;
    if (author.member != signer.member && (roles & kOwner) == 0) {
      return Invalid("a CLOSE by neither the author nor an owner");
    }
  }
  if (open != requests_.end()) {
    open->closed_seq = seq;
    return {};
  }
  const auto names = [&](const auto* payload) {
    return payload != nullptr && payload->member == signer.member;
  };
  if (names(std::get_if<MemberRemove>(&waiting->payload)) ||
      names(std::get_if<RoleSet>(&waiting->payload))) {
    return Invalid("a CLOSE by the member whom the statement names");
  }
  pending_.erase(waiting);
  return {};
}

base::Status Roster::TakeEffect(const Pending& statement, std::uint64_t seq) {
  NewOnce fresh{*this, {}, {}, {}};
  const auto checked = std::visit(
      [&](const auto& payload) { return Check(statement, payload, fresh); }, statement.payload);
  if (!checked) return checked;
  if (const auto status = CheckOwnersLeft(statement); !status) return status;
  const auto* request = std::get_if<RecoveryRequest>(&statement.payload);
  if (request != nullptr && std::ranges::any_of(requests_, [](const Request& each) {
        return each.closed_seq == kNever;
      })) {
    return Invalid("a RECOVERY_REQUEST while another is open");
  }

  const Pending taken = statement;
  std::erase_if(pending_, [&](const Pending& each) { return each.link == taken.link; });
  std::visit(
      [&](const auto& payload) {
        using Payload = std::decay_t<decltype(payload)>;
        if constexpr (std::is_same_v<Payload, RecoveryRequest>) {
          for (Recovery& recovery : recoveries_) {
            if (recovery.set.use == payload.use) {
              recovery.spent_seq = std::min(recovery.spent_seq, seq);
            }
          }
          requests_.push_back({seq, kNever, taken.link, taken.author, payload, taken.approvals});
        } else if constexpr (std::is_same_v<Payload, PukRotate>) {
          Take(seq, payload, taken.suite);
        } else if constexpr (!std::is_same_v<Payload, Approve> && !std::is_same_v<Payload, Close>) {
          Take(seq, payload);
        }
      },
      taken.payload);
  Take(std::move(fresh));
  const auto* set = std::get_if<RecoverySet>(&taken.payload);
  std::erase_if(pending_, [&](const Pending& each) {
    const auto* asked = std::get_if<RecoveryRequest>(&each.payload);
    return set != nullptr && asked != nullptr && asked->use == set->use;
  });
  return {};
}

base::Status Roster::CheckOwnersLeft(const Pending& statement) const {
  if (IsByRoot(statement)) return {};
  const base::MemberId* loses = nullptr;
  if (const auto* remove = std::get_if<MemberRemove>(&statement.payload)) loses = &remove->member;
  if (const auto* set = std::get_if<RoleSet>(&statement.payload)) {
    if ((set->roles & kOwner) == 0) loses = &set->member;
  }
  if (loses == nullptr || (RolesAt(*loses, head_seq()) & kOwner) == 0 ||
      !HasActiveDeviceAt(*loses, head_seq())) {
    return {};
  }
  if (CountActive(kOwner, head_seq()) - 1 < policy().owner_threshold) {
    return Invalid("fewer owners with a device would be left than the threshold");
  }
  return {};
}

template <class Other>
base::Status Roster::Check(const Pending&, const Other&, NewOnce&) const {
  return Invalid("a second GENESIS");
}

base::Status Roster::Check(const Pending&, const MemberAdd& add, NewOnce& fresh) const {
  if (!AreValidRoles(compartment_, add.roles)) return Invalid("roles that cannot be held");
  if (add.join > 1) return Invalid("unknown way of joining");
  if (add.join != 0 && !policy().has_log) return Invalid("a remote join in a realm without a log");
  if (const auto status = fresh.Id(add.member.bytes()); !status) return status;
  if (const auto status = fresh.Id(add.invite.bytes()); !status) return status;
  return fresh.DeviceKeysOf(add.device, PopMessage(realm_, add), add.pop);
}

base::Status Roster::Check(const Pending&, const DeviceAdd& add, NewOnce& fresh) const {
  if (IsStaleAt(add.member, head_seq())) return Invalid("DEVICE_ADD while the PUK is stale");
  if (ActiveDevicesAt(add.member, head_seq()).size() >= kMaxActiveDevices) {
    return Invalid("more than 16 devices of a member");
  }
  const PukGen* puk = PukAt(add.member, head_seq());
  if (add.puk_gen != (puk == nullptr ? 0 : puk->gen)) {
    return Invalid("DEVICE_ADD with another PUK than the member's");
  }
  if (puk == nullptr && !add.box_hash.IsZero()) return Invalid("DEVICE_ADD with a box of no PUK");
  return fresh.DeviceKeysOf(add.device, PopMessage(realm_, add), add.pop);
}

base::Status Roster::Check(const Pending&, const DeviceRevoke& revoke, NewOnce&) const {
  if (revoke.reason < 1 || revoke.reason > 3) return Invalid("unknown reason of a revoke");
  const Device* device = FindDevice(revoke.device);
  if (device == nullptr || device->member != revoke.member ||
      !IsActiveAt(revoke.device, head_seq())) {
    return Invalid("DEVICE_REVOKE of no active device of that member");
  }
  return {};
}

base::Status Roster::Check(const Pending&, const PukRotate& rotate, NewOnce& fresh) const {
  const PukGen* last = PukAt(rotate.member, head_seq());
  if (rotate.gen != (last == nullptr ? 0 : last->gen) + 1) {
    return Invalid("a PUK's gen is not the next");
  }
  if (rotate.prev_gen >= rotate.gen) return Invalid("a PUK wraps one that is not older");
  if (!AreValidKems(rotate.kems)) return Invalid("a PUK's key is none");
  const auto active = ActiveDevicesAt(rotate.member, head_seq());
  if (rotate.box_hashes.size() != active.size() ||
      !std::ranges::all_of(active, [&](const base::DeviceId& device) {
        return rotate.box_hashes.contains(device);
      })) {
    return Invalid("PUK_ROTATE does not list exactly the active devices");
  }
  return fresh.KemKeys(rotate.kems);
}

base::Status Roster::Check(const Pending&, const MemberRemove& remove, NewOnce&) const {
  if (remove.reason < 1 || remove.reason > 4) return Invalid("unknown reason of a removal");
  if (!IsMemberAt(remove.member, head_seq())) return Invalid("MEMBER_REMOVE of no member");
  return {};
}

base::Status Roster::Check(const Pending&, const RoleSet& set, NewOnce&) const {
  if (!AreValidRoles(compartment_, set.roles)) return Invalid("roles that cannot be held");
  if (!IsMemberAt(set.member, head_seq())) return Invalid("ROLE_SET of no member");
  return {};
}

base::Status Roster::Check(const Pending&, const PolicySet& set, NewOnce& fresh) const {
  if (const auto status = CheckPolicy(set.policy); !status) return status;
  if (const auto status = CheckPolicySuccession(policy(), set.policy); !status) return status;
  if (set.policy.audit_gen > policy().audit_gen) {
    if (const auto status = fresh.KemKeys(set.policy.audit_kems); !status) return status;
  }
  return CheckThresholds(set.policy, CountActive(kOwner, head_seq()),
                         CountActive(kOwner | kAdmin, head_seq()));
}

base::Status Roster::Check(const Pending&, const RecoverySet& set, NewOnce& fresh) const {
  if (set.use != kRecoveryLive && set.use != kRecoverySealed) {
    return Invalid("unknown use of a recovery secret");
  }
  if (set.scheme != 1) return Invalid("unknown scheme of a recovery secret");
  std::uint32_t last = 0;
  for (const Recovery& recovery : recoveries_) {
    if (recovery.set.use == set.use) last = recovery.set.gen;
  }
  if (set.gen != last + 1) return Invalid("a recovery secret's gen is not the next");
  if (set.gen == 1 && set.rec_prev) return Invalid("a first recovery secret wraps another");
  if (!AreValidKems(set.kems)) return Invalid("a recovery secret's key is none");
  if (set.k < 2 || set.shares.size() > kMaxShares) {
    return Invalid("k of n that is none: 2 <= k <= n <= 16");
  }
  std::set<base::MemberId> trustees;
  std::size_t next = 0;
  for (const auto& [index, share] : set.shares) {
    if (index != next++) return Invalid("the shares' indexes have a gap");
    if (share.member.IsZero()) {
      if (!share.device.IsZero() || !share.sealed_hash.IsZero() ||
          share.ack != crypto::Signature()) {
        return Invalid("a printed share has a holder's fields");
      }
      continue;
    }
    const Device* device = FindDevice(share.device);
    if (device == nullptr || device->member != share.member ||
        !IsActiveAt(share.device, head_seq())) {
      return Invalid("a trustee is no member with that device");
    }
    if (!crypto::Verify(device->keys.sign_pk, labels::kShareAck,
                        ShareAckMessage(realm_, set, index, share.share_commit), share.ack)) {
      return Invalid("a trustee's acknowledgement is wrong");
    }
    trustees.insert(share.member);
  }
  if (trustees.size() < set.k) return Invalid("fewer trustees than shares are needed");
  return fresh.KemKeys(set.kems);
}

base::Status Roster::Check(const Pending& statement, const RecoveryRequest& request,
                           NewOnce& fresh) const {
  const Recovery* recovery = RecoveryAt(request.use, head_seq());
  if (recovery == nullptr || request.rec_gen != recovery->set.gen) {
    return Invalid("a RECOVERY_REQUEST of no current secret");
  }
  if (request.vaults.empty() || request.vaults.size() > kMaxRecoveryVaults) {
    return Invalid("a RECOVERY_REQUEST of no vault, or of more than 256");
  }
  const Device* device = FindDevice(request.recipient_device);
  if (device == nullptr || device->member != request.recipient_member ||
      !IsActiveAt(request.recipient_device, head_seq())) {
    return Invalid("the recipient of a recovery has no such device");
  }
  const std::uint16_t alg = statement.suite == kSuite1 ? kAlgX25519 : kAlgXWing;
  if (!IsValidKem(alg, request.eph_kem_pk)) return Invalid("a recovery's ephemeral key is none");
  if (!crypto::Verify(device->keys.sign_pk, labels::kRecoveryRequest,
                      RecoveryRequestMessage(realm_, request), request.sig)) {
    return Invalid("the recipient of a recovery did not sign for it");
  }
  return fresh.KemKeys({{alg, request.eph_kem_pk}});
}

base::Status Roster::Check(const Pending&, const RootRotate& rotate, NewOnce& fresh) const {
  if (!crypto::Verify(rotate.new_root_pk, labels::kRosterPop, PopMessage(realm_, rotate),
                      rotate.pop)) {
    return Invalid("the new root key's proof of possession is wrong");
  }
  return fresh.SignKey(rotate.new_root_pk);
}

void Roster::Take(std::uint64_t seq, const Genesis& genesis) {
  compartment_ = Compartment{genesis.compartment};
  roots_.emplace_back(seq, genesis.root_pk);
  policies_.emplace_back(seq, genesis.policy);
  for (const auto& [id, row] : genesis.members) {
    Member& member = members_[id];
    member.added_seq = seq;
    member.staff_commit = row.staff_commit;
    member.roles.emplace_back(seq, row.roles);
    for (const auto& [keys, pop] : row.devices) AddDevice(seq, id, keys);
  }
}

void Roster::Take(std::uint64_t seq, const MemberAdd& add) {
  Member& member = members_[add.member];
  member.added_seq = seq;
  member.staff_commit = add.staff_commit;
  member.invite = add.invite;
  member.roles.emplace_back(seq, add.roles);
  AddDevice(seq, add.member, add.device);
}

void Roster::Take(std::uint64_t seq, const DeviceAdd& add) {
  AddDevice(seq, add.member, add.device);
  if (add.puk_gen != 0) {
    members_.at(add.member).puks.back().box_hashes[DeviceIdOf(add.device)] = add.box_hash;
  }
}

void Roster::Take(std::uint64_t seq, const DeviceRevoke& revoke) {
  devices_.at(revoke.device).ended_seq = seq;
  members_.at(revoke.member).stale.emplace_back(seq, true);
}

void Roster::Take(std::uint64_t seq, const PukRotate& rotate, std::uint16_t suite) {
  Member& member = members_.at(rotate.member);
  member.puks.push_back(
      {seq, rotate.gen, rotate.kems, rotate.box_hashes, rotate.prev_gen, rotate.prev_wrap, suite});
  member.stale.emplace_back(seq, false);
}

void Roster::Take(std::uint64_t seq, const MemberRemove& remove) {
  Member& member = members_.at(remove.member);
  member.removed_seq = seq;
  for (const base::DeviceId& id : member.devices) {
    Device& device = devices_.at(id);
    device.ended_seq = std::min(device.ended_seq, seq);
  }
}

void Roster::Take(std::uint64_t seq, const RoleSet& set) {
  members_.at(set.member).roles.emplace_back(seq, set.roles);
}

void Roster::Take(std::uint64_t seq, const PolicySet& set) {
  policies_.emplace_back(seq, set.policy);
}

void Roster::Take(std::uint64_t seq, const RecoverySet& set) {
  recoveries_.push_back({seq, kNever, set});
}

void Roster::Take(std::uint64_t seq, const RootRotate& rotate) {
  roots_.emplace_back(seq, rotate.new_root_pk);
}

void Roster::Take(NewOnce&& fresh) {
  used_ids_.merge(fresh.ids);
  used_sign_keys_.merge(fresh.sign_keys);
  used_kem_keys_.merge(fresh.kem_keys);
}

void Roster::AddDevice(std::uint64_t seq, const base::MemberId& member, const DeviceKeys& keys) {
  const base::DeviceId id = DeviceIdOf(keys);
  devices_[id] = Device{member, keys, seq, kNever};
  members_.at(member).devices.push_back(id);
}

const crypto::SigningPublicKey& Roster::RootPkAt(std::uint64_t seq) const {
  return *EffectiveAt(roots_, seq);
}

std::uint64_t Roster::MissingSignatures(const Pending& statement) const {
  return std::max<std::uint64_t>(CountMissing(statement), 1);
}

const Roster::Pending* Roster::FindPending(const base::Link& link) const {
  const auto found = std::ranges::find(pending_, link, &Pending::link);
  return found == pending_.end() ? nullptr : &*found;
}

const Policy& Roster::PolicyAt(std::uint64_t seq) const { return *EffectiveAt(policies_, seq); }

const Roster::Member* Roster::FindMember(const base::MemberId& member) const {
  const auto found = members_.find(member);
  return found == members_.end() ? nullptr : &found->second;
}

const Roster::Device* Roster::FindDevice(const base::DeviceId& device) const {
  const auto found = devices_.find(device);
  return found == devices_.end() ? nullptr : &found->second;
}

bool Roster::IsListedAt(const base::DeviceId& id, std::uint64_t seq) const {
  const Device* device = FindDevice(id);
  return device != nullptr && device->added_seq <= seq;
}

bool Roster::IsActiveAt(const base::DeviceId& id, std::uint64_t seq) const {
  const Device* device = FindDevice(id);
  return device != nullptr && device->added_seq <= seq && seq < device->ended_seq;
}

bool Roster::IsMemberAt(const base::MemberId& id, std::uint64_t seq) const {
  const Member* member = FindMember(id);
  return member != nullptr && member->added_seq <= seq && seq < member->removed_seq;
}

Roles Roster::RolesAt(const base::MemberId& id, std::uint64_t seq) const {
  if (!IsMemberAt(id, seq)) return 0;
  const Roles* roles = EffectiveAt(FindMember(id)->roles, seq);
  return roles == nullptr ? Roles{0} : *roles;
}

bool Roster::HasActiveDeviceAt(const base::MemberId& id, std::uint64_t seq) const {
  const Member* member = FindMember(id);
  return member != nullptr &&
         std::ranges::any_of(member->devices,
                             [&](const base::DeviceId& device) { return IsActiveAt(device, seq); });
}

std::vector<base::DeviceId> Roster::ActiveDevicesAt(const base::MemberId& id,
                                                    std::uint64_t seq) const {
  std::vector<base::DeviceId> active;
  const Member* member = FindMember(id);
  if (member == nullptr) return active;
  std::ranges::copy_if(member->devices, std::back_inserter(active),
                       [&](const base::DeviceId& device) { return IsActiveAt(device, seq); });
  std::ranges::sort(active);
  return active;
}

bool Roster::IsStaleAt(const base::MemberId& id, std::uint64_t seq) const {
  const Member* member = FindMember(id);
  if (member == nullptr) return false;
  const bool* stale = EffectiveAt(member->stale, seq);
  return stale != nullptr && *stale;
}

const Roster::PukGen* Roster::PukAt(const base::MemberId& id, std::uint64_t seq) const {
  const Member* member = FindMember(id);
  if (member == nullptr) return nullptr;
  const auto after = std::ranges::upper_bound(member->puks, seq, {}, &PukGen::seq);
  return after == member->puks.begin() ? nullptr : &*std::prev(after);
}

const Roster::PukGen* Roster::UsablePukAt(const base::MemberId& id, std::uint64_t seq) const {
  if (!HasActiveDeviceAt(id, seq) || IsStaleAt(id, seq)) return nullptr;
  return PukAt(id, seq);
}

const Roster::Recovery* Roster::RecoveryAt(std::uint8_t use, std::uint64_t seq) const {
  const Recovery* current = nullptr;
  for (const Recovery& recovery : recoveries_) {
    if (recovery.set.use == use && recovery.seq <= seq) current = &recovery;
  }
  return current != nullptr && current->spent_seq <= seq ? nullptr : current;
}

std::uint32_t Roster::RecAt(std::uint64_t seq) const {
  const Recovery* recovery = RecoveryAt(kRecoveryLive, seq);
  return recovery == nullptr ? 0 : recovery->set.gen;
}

std::uint32_t Roster::Rec2At(std::uint64_t seq) const {
  const Recovery* recovery = RecoveryAt(kRecoverySealed, seq);
  return recovery == nullptr ? 0 : recovery->set.gen;
}

std::size_t Roster::CountActive(Roles roles, std::uint64_t seq) const {
  return static_cast<std::size_t>(std::ranges::count_if(members_, [&](const auto& entry) {
    return (RolesAt(entry.first, seq) & roles) != 0 && HasActiveDeviceAt(entry.first, seq);
  }));
}

RosterVerdict VerifyRoster(const std::vector<base::Bytes>& statements) {
  RosterVerdict verdict;
  for (const base::Bytes& statement : statements) {
    verdict.status = verdict.roster.Append(statement);
    if (!verdict.status) return verdict;
    ++verdict.failed_at;
  }
  return verdict;
}

}  // namespace godwit::protocol
