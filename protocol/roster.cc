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

// Who signs a statement, with the roles at that point.
struct Roster::Author {
  bool root = false;
  base::MemberId member;
  Roles roles = 0;

  // Whether one signer is enough: both thresholds are 1 in every organisation that this build
  // takes. T is an owner, G an owner or admin; root suffices for the types it may author.
  bool IsOwner() const { return root || (roles & kOwner) != 0; }
  bool IsGranter() const { return root || (roles & (kOwner | kAdmin)) != 0; }
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
    key = root_pk_;
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

  const auto payload = ReadStatementPayload(h.type, raw->payload);
  if (!payload) return payload.error();
  Author author;
  author.root = by_root;
  if (!by_root) {
    author.member = h.author_member;
    const Device* device = FindDevice(h.author_device);
    if (device->member != h.author_member || !IsActiveAt(h.author_device, head_seq())) {
      return Invalid("a statement by a device that is not the author's, or not active");
    }
    author.roles = RolesAt(author.member, head_seq());
  }
  if (!policy().has_log && (h.log_size != 0 || !h.log_root.IsZero())) {
    return Invalid("log fields in a realm without a log");
  }

  const base::Status checked = std::visit(
      [&](const auto& p) -> base::Status {
        using Payload = std::decay_t<decltype(p)>;
        if constexpr (std::is_same_v<Payload, Genesis>) {
          return Invalid("a second GENESIS");
        } else if constexpr (std::is_same_v<Payload, MemberAdd> ||
                             std::is_same_v<Payload, PukRotate> ||
                             std::is_same_v<Payload, PolicySet>) {
          return Check(author, p, fresh);
        } else {
          return Check(author, p);
        }
      },
      *payload);
  if (!checked) return checked;

  std::visit([&](const auto& p) { Take(seq, p); }, *payload);
  Take(std::move(fresh));
  links_.push_back(StatementLink(bytes));
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

  if (const auto status = fresh.SignKey(genesis.root_pk); !status) return status;
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
  if (policy.owner_threshold > 1 || policy.grant_threshold > 1) {
    return base::Error(base::Code::kUnsupported,
                       "a threshold above 1 is not supported by this Godwit: update it");
  }
  return {};
}

base::Status Roster::Check(const Author& author, const MemberAdd& add, NewOnce& fresh) const {
  if (!AreValidRoles(compartment_, add.roles)) return Invalid("roles that cannot be held");
  const bool sets_power = (add.roles & (kOwner | kAdmin)) != 0;
  if (sets_power ? !author.IsOwner() : !author.IsGranter()) {
    return Invalid("MEMBER_ADD by somebody who may not grant these roles");
  }
  if (add.join > 1) return Invalid("unknown way of joining");
  if (add.join != 0 && !policy().has_log) return Invalid("a remote join in a realm without a log");
  if (const auto status = fresh.Id(add.member.bytes()); !status) return status;
  if (const auto status = fresh.Id(add.invite.bytes()); !status) return status;
  return fresh.DeviceKeysOf(add.device, PopMessage(realm_, add), add.pop);
}

base::Status Roster::Check(const Author& author, const DeviceRevoke& revoke) const {
  if (revoke.reason < 1 || revoke.reason > 3) return Invalid("unknown reason of a revoke");
  const Device* device = FindDevice(revoke.device);
  if (device == nullptr || device->member != revoke.member ||
      !IsActiveAt(revoke.device, head_seq())) {
    return Invalid("DEVICE_REVOKE of no active device of that member");
  }
  if (!author.root && author.member == revoke.member) return {};
  const bool owns = (RolesAt(revoke.member, head_seq()) & kOwner) != 0;
  if (owns ? !author.IsOwner() : !author.IsGranter()) {
    return Invalid("DEVICE_REVOKE by somebody who may not");
  }
  return {};
}

base::Status Roster::Check(const Author& author, const PukRotate& rotate, NewOnce& fresh) const {
  if (author.root || author.member != rotate.member) {
    return Invalid("PUK_ROTATE by another than the member");
  }
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

base::Status Roster::Check(const Author& author, const MemberRemove& remove) const {
  if (remove.reason < 1 || remove.reason > 4) return Invalid("unknown reason of a removal");
  if (!IsMemberAt(remove.member, head_seq())) return Invalid("MEMBER_REMOVE of no member");
  const bool owns = (RolesAt(remove.member, head_seq()) & kOwner) != 0;
  const bool self = !author.root && author.member == remove.member;
  if (owns ? !author.IsOwner() : !self && !author.IsGranter()) {
    return Invalid("MEMBER_REMOVE by somebody who may not");
  }
  if (owns && !author.root && HasActiveDeviceAt(remove.member, head_seq()) &&
      CountActive(kOwner, head_seq()) - 1 < policy().owner_threshold) {
    return Invalid("MEMBER_REMOVE would leave fewer owners than the threshold");
  }
  return {};
}

base::Status Roster::Check(const Author& author, const PolicySet& set, NewOnce& fresh) const {
  if (author.root || !author.IsOwner()) return Invalid("POLICY_SET by another than an owner");
  if (const auto status = CheckPolicy(set.policy); !status) return status;
  if (const auto status = CheckPolicySuccession(policy(), set.policy); !status) return status;
  if (set.policy.audit_gen > policy().audit_gen) {
    if (const auto status = fresh.KemKeys(set.policy.audit_kems); !status) return status;
  }
  return CheckThresholds(set.policy, CountActive(kOwner, head_seq()),
                         CountActive(kOwner | kAdmin, head_seq()));
}

void Roster::Take(std::uint64_t seq, const Genesis& genesis) {
  compartment_ = Compartment{genesis.compartment};
  root_pk_ = genesis.root_pk;
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

void Roster::Take(std::uint64_t seq, const DeviceRevoke& revoke) {
  devices_.at(revoke.device).ended_seq = seq;
  members_.at(revoke.member).stale.emplace_back(seq, true);
}

void Roster::Take(std::uint64_t seq, const PukRotate& rotate) {
  Member& member = members_.at(rotate.member);
  member.puks.push_back(
      {seq, rotate.gen, rotate.kems, rotate.box_hashes, rotate.prev_gen, rotate.prev_wrap});
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

void Roster::Take(std::uint64_t seq, const PolicySet& set) {
  policies_.emplace_back(seq, set.policy);
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
  if (!IsMemberAt(id, seq) || !HasActiveDeviceAt(id, seq) || IsStaleAt(id, seq)) return nullptr;
  return PukAt(id, seq);
}

// No RECOVERY_SET can take effect in what this build takes.
std::uint32_t Roster::RecAt(std::uint64_t) const { return 0; }
std::uint32_t Roster::Rec2At(std::uint64_t) const { return 0; }

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
