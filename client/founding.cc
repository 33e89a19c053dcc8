#include "client/founding.h"

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "client/directory.h"
#include "client/staff.h"
#include "client/vault_view.h"
#include "client/vault_writer.h"
#include "crypto/random.h"
#include "protocol/labels.h"
#include "protocol/practice.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using protocol::Compartment;
using protocol::Kind;

constexpr std::string_view kTag = "gw1/df";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMaxFounders = 16;
// Outside evaluation the realms are published hours apart, so that no network or operator sees
// three of them appear together.
constexpr std::uint64_t kHourMs = 3'600'000;
constexpr std::uint32_t kLeastHoursApart = 1;
constexpr std::uint32_t kHoursApart = 12;

Error Malformed() {
  return {Code::kInvalidArgument, "this file is no draft of an organisation, or was damaged"};
}
Error Changed() {
  return {Code::kRosterInvalid,
          "the draft was changed after it was signed: speak with the other founders, and begin "
          "again with `godwit org create --draft`"};
}

std::string HostOf(const std::string& host_port) {
  return host_port.substr(0, host_port.rfind(':'));
}

bool IsGoverning(protocol::Roles roles) {
  return roles != 0 && (roles & ~(protocol::kOwner | protocol::kAdmin | protocol::kAuditor)) == 0;
}

// What must be so however far a draft has come.
Status Check(const Draft& draft) {
  if (draft.realms.size() != 3) return Malformed();
  const protocol::Policy& policy = draft.realms.begin()->second.policy;
  std::set<std::string> hosts;
  std::set<base::Sha256Hash> pins;
  std::set<crypto::SigningPublicKey> roots;
  for (const auto& [compartment, realm] : draft.realms) {
    if (realm.host_port.find(':') == std::string::npos || !protocol::IsStr(realm.host_port)) {
      return Malformed();
    }
    if (realm.policy.pins != std::set{realm.pin}) return Malformed();
    if (realm.policy.gen != 1 || realm.policy.flags != policy.flags ||
        realm.policy.owner_threshold != policy.owner_threshold ||
        realm.policy.grant_threshold != policy.grant_threshold) {
      return Malformed();
    }
    if (const auto status = protocol::CheckPolicy(realm.policy); !status) {
      return Error(Code::kInvalidArgument,
                   "the draft's policy is not one that a realm can have: thresholds of one and no "
                   "identity window are for --evaluation");
    }
    hosts.insert(HostOf(realm.host_port));
    pins.insert(realm.pin);
    roots.insert(realm.root_pk);
  }
  if (!draft.evaluation() && (hosts.size() != 3 || pins.size() != 3)) {
    return Error(Code::kInvalidArgument,
                 "two realms have a host or a certificate authority in common: outside evaluation "
                 "nothing joins them");
  }
  if (roots.size() != 3) return Malformed();
  if (draft.founders.empty() || draft.founders.size() > kMaxFounders) {
    return Error(Code::kInvalidArgument, "an organisation has 1 to 16 founders");
  }
  std::size_t owners = 0;
  std::size_t granters = 0;
  std::set<base::MemberId> members;
  std::set<base::DeviceId> devices;
  std::size_t there = 0;
  for (const auto& [handle, founder] : draft.founders) {
    if (!IsGoverning(founder.roles)) {
      return Error(Code::kInvalidArgument,
                   "a founder is owner, admin or auditor, or several of these; others are invited");
    }
    owners += (founder.roles & protocol::kOwner) != 0 ? 1 : 0;
    granters += (founder.roles & (protocol::kOwner | protocol::kAdmin)) != 0 ? 1 : 0;
    if (!founder.there) continue;
    ++there;
    if (founder.members.size() != 3 || founder.name.empty()) return Malformed();
    for (const auto& [compartment, member] : founder.members) {
      if (member.member.IsZero() || !protocol::AreValidKems(member.device.kems)) return Malformed();
      members.insert(member.member);
      devices.insert(protocol::DeviceIdOf(member.device));
    }
  }
  if (members.size() != 3 * there || devices.size() != 3 * there) return Malformed();
  if (policy.owner_threshold > owners || policy.grant_threshold > granters) {
    return Error(Code::kInvalidArgument,
                 "the thresholds ask for more owners, or owners and admins, than there are "
                 "founders who are");
  }
  return {};
}

protocol::Genesis GenesisOf(const Draft& draft, Compartment compartment) {
  const DraftRealm& realm = draft.realms.at(compartment);
  protocol::Genesis genesis;
  genesis.compartment = static_cast<std::uint8_t>(compartment);
  genesis.root_pk = realm.root_pk;
  genesis.policy = realm.policy;
  for (const auto& [handle, founder] : draft.founders) {
    const DraftMember& member = founder.members.at(compartment);
    protocol::GenesisMember& row = genesis.members[member.member];
    row.roles = founder.roles;
    row.staff_commit = StaffCommit(compartment, founder.human, member.r);
    row.devices.emplace_back(member.device, member.pop);
  }
  return genesis;
}

// What each founder signs for: all that the draft says but its signatures.
base::Bytes SignedPart(Draft draft) {
  for (auto& [handle, founder] : draft.founders) {
    founder.sig = {};
    for (auto& [compartment, member] : founder.members) member.pop = {};
  }
  return WriteDraft(draft);
}

std::vector<Human> HumansOf(const Draft& draft) {
  std::vector<Human> humans;
  for (const auto& [handle, founder] : draft.founders) {
    Human human;
    human.record = crypto::RandomId<base::RecordId>();
    human.id = founder.human;
    human.handle = handle;
    for (const auto& [compartment, member] : founder.members) {
      human.memberships.push_back({compartment, member.member, founder.roles, member.r, false});
    }
    humans.push_back(std::move(human));
  }
  return humans;
}

std::vector<Colleague> ColleaguesOf(const Draft& draft, Compartment compartment) {
  std::vector<Colleague> colleagues;
  for (const auto& [handle, founder] : draft.founders) {
    colleagues.push_back({founder.members.at(compartment).member, handle, founder.name});
  }
  return colleagues;
}

// The first records of one of the vaults that a realm has one of.
std::vector<Edit> FirstRecords(const Draft& draft, Compartment compartment, Kind kind) {
  std::vector<Edit> edits;
  if (kind == Kind::kStaff) {
    for (const Human& human : HumansOf(draft)) edits.push_back(HumanEdit(human));
  }
  if (kind == Kind::kDirectory) {
    for (const Colleague& each : ColleaguesOf(draft, compartment)) {
      edits.push_back(ColleagueEdit(each));
    }
  }
  return edits;
}

// The vault of `kind` that this device made before it was interrupted, or a new one.
base::Result<base::VaultId> VaultOnce(const Draft& draft, Realm& realm, Kind kind) {
  const auto known = realm.store().Vaults(kind);
  if (!known) return known.error();
  if (!known->empty()) return known->front().first;
  const auto made = CreateVault(realm, kind, {{realm.member(), protocol::kFull}},
                                [&](const base::VaultId&) -> base::Result<std::vector<Edit>> {
                                  return FirstRecords(draft, realm.compartment(), kind);
                                });
  if (!made) return made.error();
  return made->id();
}

base::Result<std::uint64_t> Furnish(const Draft& draft, Realm& realm) {
  std::vector<Kind> kinds{Kind::kDirectory, Kind::kConfig};
  if (realm.compartment() == Compartment::kCases) kinds.push_back(Kind::kStaff);
  const auto& roster = realm.roster();
  for (const auto& each : roster.pending()) {
    const auto* set = std::get_if<protocol::PolicySet>(&each.payload);
    if (set != nullptr && !set->policy.VaultOf(Kind::kDirectory).IsZero()) {
      return roster.MissingSignatures(each);
    }
  }
  if (!roster.policy().VaultOf(Kind::kDirectory).IsZero()) return 0;
  protocol::Policy policy = roster.policy();
  for (const Kind kind : kinds) {
    const auto vault = VaultOnce(draft, realm, kind);
    if (!vault) return vault.error();
    policy.vaults[static_cast<std::uint8_t>(kind)] = *vault;
  }
  ++policy.gen;
  return realm.Author(protocol::PolicySet{policy});
}

}  // namespace

bool DraftFounder::signed_all() const { return there && !sig.IsZero(); }

bool Draft::evaluation() const {
  return std::ranges::all_of(realms, [](const auto& r) { return r.second.policy.evaluation(); });
}
bool Draft::all_there() const {
  return std::ranges::all_of(founders, [](const auto& f) { return f.second.there; });
}
bool Draft::complete() const {
  return std::ranges::all_of(founders, [](const auto& f) { return f.second.signed_all(); });
}

base::Bytes WriteDraft(const Draft& draft) {
  protocol::Writer w;
  w.Raw(kTag).U8(kVersion).U16(static_cast<std::uint16_t>(draft.realms.size()));
  for (const auto& [compartment, realm] : draft.realms) {
    protocol::Writer policy;
    protocol::WritePolicy(policy, realm.policy);
    w.U8(static_cast<std::uint8_t>(compartment)).Str(realm.host_port).Fixed(realm.pin);
    w.U64(realm.time_ms).Fixed(realm.root_pk).Var32(policy.bytes());
  }
  // A CE list is in the order of its encoded keys: the shorter handle comes first.
  std::vector<const std::pair<const std::string, DraftFounder>*> founders;
  for (const auto& founder : draft.founders) founders.push_back(&founder);
  std::ranges::sort(founders, {},
                    [](const auto* f) { return std::pair(f->first.size(), f->first); });
  w.U16(static_cast<std::uint16_t>(founders.size()));
  for (const auto* each : founders) {
    const DraftFounder& founder = each->second;
    w.Str(each->first).U16(founder.roles).U8(founder.there ? 1 : 0);
    if (!founder.there) continue;
    w.Str(founder.name).Fixed(founder.human).Fixed(founder.sig);
    w.U16(static_cast<std::uint16_t>(founder.members.size()));
    for (const auto& [compartment, member] : founder.members) {
      w.U8(static_cast<std::uint8_t>(compartment)).Fixed(member.member).Raw(member.r);
      protocol::WriteDeviceKeys(w, member.device);
      w.Fixed(member.pop);
    }
  }
  return w.Take();
}

base::Result<Draft> ReadDraft(base::ByteSpan bytes) {
  protocol::Reader reader(bytes);
  const base::ByteSpan tag = reader.Raw(kTag.size());
  const std::uint8_t ver = reader.U8();
  if (!reader.ok() || !std::ranges::equal(tag, base::AsBytes(kTag))) return Malformed();
  if (ver != kVersion) {
    return Error(Code::kUnsupported, "a draft of a later version: update Godwit");
  }
  const auto compartment_of = [](protocol::Reader& r) {
    const std::uint8_t number = r.U8();
    if (number < 1 || number > 3) r.Fail();
    return Compartment{number};
  };
  Draft draft;
  reader.List([&](protocol::Reader& r) {
    const Compartment compartment = compartment_of(r);
    r.KeyEnds();
    DraftRealm& realm = draft.realms[compartment];
    realm.host_port = r.Str();
    realm.pin = r.Take<base::Sha256Hash>();
    realm.time_ms = r.U64();
    realm.root_pk = r.Take<crypto::SigningPublicKey>();
    protocol::Reader policy(r.Var32());
    realm.policy = protocol::ReadPolicy(policy);
    if (!policy.Done()) r.Fail();
  });
  reader.List([&](protocol::Reader& r) {
    const std::string handle = r.Str();
    r.KeyEnds();
    DraftFounder& founder = draft.founders[handle];
    founder.roles = r.U16();
    founder.there = r.Presence();
    if (!founder.there) return;
    founder.name = r.Str();
    founder.human = r.Take<base::HumanId>();
    founder.sig = r.Take<crypto::Signature>();
    r.List([&](protocol::Reader& rows) {
      const Compartment compartment = compartment_of(rows);
      rows.KeyEnds();
      DraftMember& member = founder.members[compartment];
      member.member = rows.Take<base::MemberId>();
      member.r = rows.Array<32>();
      member.device = protocol::ReadDeviceKeys(rows);
      member.pop = rows.Take<crypto::Signature>();
    });
  });
  if (!reader.Done()) return Malformed();
  if (const auto status = Check(draft); !status) return status.error();
  return draft;
}

base::Result<NewDraft> MakeDraft(const Founding& founding) {
  NewDraft made;
  const std::uint64_t now_ms = base::SystemClock().NowMs();
  for (const RealmEndpoint& endpoint : founding.endpoints) {
    auto seed = RootSeed::Random();
    if (!seed) return seed.error();
    const auto root = crypto::SigningKey::FromSeed(*seed);
    if (!root) return root.error();
    DraftRealm realm;
    realm.host_port = endpoint.host_port;
    realm.pin = endpoint.pin;
    realm.time_ms = now_ms;
    if (!founding.evaluation && endpoint.compartment != Compartment::kCases) {
      std::array<std::uint8_t, 4> drawn{};
      crypto::FillRandom(drawn);
      const std::uint64_t minutes =
          (drawn[0] | drawn[1] << 8 | drawn[2] << 16) % ((kHoursApart - kLeastHoursApart) * 60u);
      realm.time_ms += kLeastHoursApart * kHourMs + minutes * (kHourMs / 60);
    }
    realm.root_pk = root->public_key();
    protocol::Policy& policy = realm.policy;
    policy.kdf_ops = founding.cost.ops;
    policy.kdf_mem = founding.cost.mem;
    policy.pins = {endpoint.pin};
    policy.owner_threshold = founding.owner_threshold;
    policy.grant_threshold = founding.grant_threshold;
    if (founding.evaluation) {
      policy.flags = protocol::Policy::kEvaluation;
      policy.identity_window_s = 0;
    }
    if (founding.practice) policy.extensions[protocol::kPracticeExtension] = {};
    made.draft.realms[endpoint.compartment] = std::move(realm);
    made.roots.emplace(endpoint.compartment, *std::move(seed));
  }
  for (const auto& [handle, roles] : founding.founders) made.draft.founders[handle].roles = roles;
  if (founding.endpoints.size() != 3) return Malformed();
  if (const auto status = Check(made.draft); !status) return status.error();
  return made;
}

base::Result<FounderRealms> AddFounder(Draft& draft, const std::string& handle,
                                       const std::string& name) {
  const auto founder = draft.founders.find(handle);
  if (founder == draft.founders.end()) {
    return Error(Code::kNotFound, "the draft names no founder of this handle");
  }
  if (founder->second.there) {
    return Error(Code::kExists,
                 "this founder has added keys already: if it was not you, speak with the others "
                 "and begin again");
  }
  if (name.empty() || !protocol::IsStr(name)) {
    return Error(Code::kInvalidArgument,
                 "give your --name: up to 255 bytes without control characters");
  }
  FounderRealms keys;
  DraftFounder row = founder->second;
  row.there = true;
  row.name = name;
  row.human = crypto::RandomId<base::HumanId>();
  for (const auto& [compartment, realm] : draft.realms) {
    auto seed = protocol::DeviceSeed::Random();
    if (!seed) return seed.error();
    auto store_key = StoreKey::Random();
    if (!store_key) return store_key.error();
    const auto device = protocol::Device::FromSeed(*seed);
    if (!device) return device.error();
    DraftMember& member = row.members[compartment];
    member.member = crypto::RandomId<base::MemberId>();
    crypto::FillRandom(member.r);
    member.device = device->keys();
    keys.emplace(compartment,
                 FounderKeys{handle, member.member, *std::move(seed), *std::move(store_key)});
  }
  founder->second = std::move(row);
  return keys;
}

Status SignDraft(Draft& draft, const FounderRealms& keys) {
  if (!draft.all_there()) {
    return Error(Code::kConflict, "not all founders have added their keys yet");
  }
  Draft next = draft;
  for (const auto& [compartment, mine] : keys) {
    const auto device = protocol::Device::FromSeed(mine.seed);
    if (!device) return device.error();
    const auto founder = next.founders.find(mine.handle);
    if (founder == next.founders.end()) return Changed();
    DraftMember& member = founder->second.members.at(compartment);
    if (member.member != mine.member || member.device != device->keys()) return Changed();
    protocol::Genesis genesis = GenesisOf(next, compartment);
    protocol::SignPops(genesis, {&*device});
    member.pop = genesis.members.at(mine.member).devices.front().second;
    if (compartment == Compartment::kCases) {
      founder->second.sig =
          device->signing_key().Sign(protocol::labels::kFounding, SignedPart(draft));
    }
  }
  draft = std::move(next);
  return {};
}

base::Result<UnlockedRealm> PinRealm(const Draft& draft, Compartment compartment,
                                     FounderKeys keys) {
  if (!draft.complete()) {
    return Error(Code::kConflict, "not all founders have signed the draft yet");
  }
  const auto device = protocol::Device::FromSeed(keys.seed);
  if (!device) return device.error();
  const auto founder = draft.founders.find(keys.handle);
  if (founder == draft.founders.end()) return Changed();
  const DraftMember& mine = founder->second.members.at(compartment);
  if (mine.member != keys.member || mine.device != device->keys()) return Changed();
  const protocol::Genesis genesis = GenesisOf(draft, compartment);
  const base::Bytes message = protocol::PopMessage({}, genesis);
  for (const auto& [member, row] : genesis.members) {
    const auto& [public_keys, pop] = row.devices.front();
    if (!crypto::Verify(public_keys.sign_pk, protocol::labels::kRosterPop, message, pop)) {
      return Changed();
    }
  }
  const base::Bytes signed_part = SignedPart(draft);
  for (const auto& [handle, each] : draft.founders) {
    const auto& key = each.members.at(Compartment::kCases).device.sign_pk;
    if (!crypto::Verify(key, protocol::labels::kFounding, signed_part, each.sig)) return Changed();
  }
  const DraftRealm& realm = draft.realms.at(compartment);
  RealmInfo info;
  info.fingerprint = protocol::FingerprintOf(genesis, realm.time_ms);
  info.compartment = compartment;
  info.member = keys.member;
  info.handle = keys.handle;
  info.hosts = {{realm.host_port, realm.pin}};
  info.evaluation = draft.evaluation();
  return UnlockedRealm{std::move(keys.seed), std::move(info), std::move(keys.store_key)};
}

base::Bytes DraftedGenesis(const Draft& draft, Compartment compartment,
                           const crypto::SigningKey& root) {
  return protocol::SignGenesis(GenesisOf(draft, compartment), draft.realms.at(compartment).time_ms,
                               root);
}

base::Result<std::uint64_t> PublishRealm(const Draft& draft, Realm& realm, base::ByteSpan claim,
                                         const RootSeed& seed) {
  const DraftRealm& drafted = draft.realms.at(realm.compartment());
  const auto root = crypto::SigningKey::FromSeed(seed);
  if (!root) return root.error();
  if (root->public_key() != drafted.root_pk) {
    return Error(Code::kInvalidArgument,
                 "this is not the root key of the draft's realm: look whether the sheets were "
                 "mixed up");
  }
  const protocol::Genesis genesis = GenesisOf(draft, realm.compartment());
  if (protocol::FingerprintOf(genesis, drafted.time_ms) != realm.info().fingerprint) {
    return Changed();
  }
  if (!draft.evaluation() && base::SystemClock().NowMs() < drafted.time_ms) {
    return Error(Code::kRateLimited,
                 "the realms are published hours apart, so that nobody sees them appear together: "
                 "run this again later");
  }
  const auto created =
      realm.server().CreateRealm(claim, DraftedGenesis(draft, realm.compartment(), *root));
  if (!created) return created.error();
  if (const auto status = realm.Sync(); !status) return status.error();
  return Furnish(draft, realm);
}

base::Result<Founded> FoundAlone(const Founding& founding, const std::string& name,
                                 const KeyKeeper& keep,
                                 const std::function<void(std::string_view step)>& progress) {
  if (founding.founders.size() != 1) {
    return Error(Code::kInvalidArgument, "several founders pass a draft round: use --draft");
  }
  auto made = MakeDraft(founding);
  if (!made) return made.error();
  Draft& draft = made->draft;
  auto keys = AddFounder(draft, founding.founders.begin()->first, name);
  if (!keys) return keys.error();
  if (const auto status = SignDraft(draft, *keys); !status) return status.error();
  Founded founded;
  for (const Compartment compartment : kFoundingOrder) {
    progress(protocol::Name(compartment));
    auto pinned = PinRealm(draft, compartment, std::move(keys->at(compartment)));
    if (!pinned) return pinned.error();
    const auto path = keep(*pinned);
    if (!path) return path.error();
    auto realm = Realm::Open(*std::move(pinned), *path);
    if (!realm) return realm.error();
    const auto endpoint =
        std::ranges::find(founding.endpoints, compartment, &RealmEndpoint::compartment);
    const auto published =
        PublishRealm(draft, **realm, endpoint->claim, made->roots.at(compartment));
    if (!published) return published.error();
    founded.realms[compartment] = *std::move(realm);
  }
  founded.roots = std::move(made->roots);
  return founded;
}

}  // namespace godwit::client
