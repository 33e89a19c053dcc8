#include "client/organisation.h"

#include <algorithm>

#include "base/clock.h"
#include "client/directory.h"
#include "client/pinned_rows.h"
#include "client/staff.h"
#include "client/vault_view.h"
#include "client/vault_writer.h"
#include "crypto/random.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using base::Status;
using protocol::Compartment;
using protocol::Kind;

constexpr char kVaultsCursor[] = "vaults";

protocol::Policy FirstPolicy(const Founding& founding, const base::Sha256Hash& pin) {
  protocol::Policy policy;
  policy.kdf_ops = founding.cost.ops;
  policy.kdf_mem = founding.cost.mem;
  policy.pins = {pin};
  if (founding.evaluation) {
    policy.flags = protocol::Policy::kEvaluation;
    policy.owner_threshold = 1;
    policy.grant_threshold = 1;
    policy.identity_window_s = 0;
  }
  return policy;
}

// The kinds whose pinned records make a member's board, and the index from codes to vaults.
std::vector<Kind> IndexedKinds(Compartment compartment, protocol::Roles roles) {
  const bool works = (roles & (protocol::kCaseworker | protocol::kSupervisor)) != 0;
  if (compartment == Compartment::kIdentity && works) return {Kind::kPerson};
  if (compartment == Compartment::kCases && works) return {Kind::kCase, Kind::kSensitive};
  if (compartment == Compartment::kCases && (roles & protocol::kCoordinator) != 0) {
    return {Kind::kCase};
  }
  return {};
}

// Keys of a founder in a realm, and its GENESIS.
struct Beginning {
  UnlockedRealm keys;
  base::Bytes genesis;
  RootSeed root;
};
base::Result<Beginning> Begin(const Founding& founding, const RealmEndpoint& endpoint,
                              const base::HumanId& human, Membership& membership) {
  auto seed = protocol::DeviceSeed::Random();
  if (!seed) return seed.error();
  auto root_seed = crypto::Secret<RootSeedTag, 32>::Random();
  if (!root_seed) return root_seed.error();
  auto store_key = StoreKey::Random();
  if (!store_key) return store_key.error();
  const auto device = protocol::Device::FromSeed(*seed);
  if (!device) return device.error();
  const auto root = crypto::SigningKey::FromSeed(*root_seed);
  if (!root) return root.error();

  membership.compartment = endpoint.compartment;
  membership.member = crypto::RandomId<base::MemberId>();
  membership.roles = protocol::kOwner | protocol::kAdmin;
  crypto::FillRandom(membership.r);

  protocol::Genesis genesis;
  genesis.compartment = static_cast<std::uint8_t>(endpoint.compartment);
  genesis.root_pk = root->public_key();
  genesis.policy = FirstPolicy(founding, endpoint.pin);
  protocol::GenesisMember& row = genesis.members[membership.member];
  row.roles = membership.roles;
  row.staff_commit = StaffCommit(endpoint.compartment, human, membership.r);
  row.devices.emplace_back(device->keys(), crypto::Signature());
  auto signed_genesis =
      protocol::SignGenesis(std::move(genesis), base::SystemClock().NowMs(), *root, {&*device});
  if (!signed_genesis) return signed_genesis.error();

  RealmInfo info;
  info.fingerprint = signed_genesis->fingerprint;
  info.compartment = endpoint.compartment;
  info.member = membership.member;
  info.handle = founding.handle;
  info.hosts = {{endpoint.host_port, endpoint.pin}};
  info.evaluation = founding.evaluation;
  return Beginning{{*std::move(seed), std::move(info), *std::move(store_key)},
                   std::move(signed_genesis->statement),
                   {endpoint.compartment, *std::move(root_seed)}};
}

// The vaults that a realm has one of, and the POLICY_SET that names them.
Status Furnish(Realm& realm, const Founding& founding, const Human& human) {
  protocol::Policy policy = realm.roster().policy();
  const auto nothing = [](const base::VaultId&) -> base::Result<std::vector<Edit>> {
    return std::vector<Edit>();
  };
  std::vector<Kind> kinds{Kind::kDirectory, Kind::kConfig};
  if (realm.compartment() == Compartment::kCases) kinds.push_back(Kind::kStaff);
  for (const Kind kind : kinds) {
    const auto vault = CreateVault(realm, kind, {{realm.member(), protocol::kFull}}, nothing);
    if (!vault) return vault.error();
    policy.vaults[static_cast<std::uint8_t>(kind)] = vault->id();
  }
  ++policy.gen;
  // With the thresholds of FirstPolicy nothing waits.
  if (const auto set = realm.Author(protocol::PolicySet{policy}); !set) return set.error();
  if (realm.compartment() == Compartment::kCases) {
    if (const auto status = WriteHuman(realm, human); !status) return status;
  }
  return ListEverybody(realm, {{realm.member(), founding.handle, founding.display_name}});
}

}  // namespace

base::Result<Realm*> Organisation::Get(Compartment compartment) const {
  const auto found = realms_.find(compartment);
  if (found == realms_.end()) {
    return Error(Code::kPermissionDenied, "you do not work in the realm that this needs");
  }
  return found->second.get();
}

Status Organisation::Sync(
    const std::function<void(Compartment, std::size_t, std::size_t)>& progress) {
  Status first;
  const auto keep = [&](const Status& status) {
    if (first && !status) first = status;
  };
  for (const auto& [compartment, realm] : realms_) {
    if (const auto synced = realm->Sync(); !synced) {
      keep(synced);
      continue;
    }
    const auto cursor = realm->store().Get(kVaultsCursor);
    if (!cursor) {
      keep(cursor.error());
      continue;
    }
    std::vector<transport::VaultHead> heads;
    const auto next = realm->server().ListVaults(
        *cursor ? base::ByteSpan(**cursor) : base::ByteSpan(), [&](transport::VaultHead head) {
          heads.push_back(std::move(head));
          return Status();
        });
    if (!next) {
      keep(next.error());
      continue;
    }
    bool all = true;
    for (std::size_t i = 0; i < heads.size(); ++i) {
      if (progress) progress(compartment, i, heads.size());
      // An importer's own imports are not for reading; the server would show their chains alone.
      if (heads[i].perm == protocol::kWrite) continue;
      // Boards are read cold; a case is fetched whole when somebody opens it.
      const bool boarded = heads[i].kind == static_cast<std::uint32_t>(Kind::kCase) &&
                           (realm->roles() & protocol::kCoordinator) != 0;
      if (boarded) continue;
      const auto known = realm->store().Remembered(heads[i].vault);
      if (!known) {
        keep(known.error());
        all = false;
        continue;
      }
      if (*known && (*known)->seq == heads[i].head_seq && (*known)->head == heads[i].head) continue;
      if (const auto vault = VaultView::Fetch(*realm, heads[i].vault); !vault) {
        keep(vault.error());
        all = false;
      }
    }
    if (progress) progress(compartment, heads.size(), heads.size());
    for (const Kind kind : IndexedKinds(compartment, realm->roles())) {
      keep(SyncPinnedRows(*realm, kind));
    }
    // A vault that failed is asked for again the next time.
    if (all) keep(realm->store().Put(kVaultsCursor, *next));
  }
  return first;
}

base::Result<Founded> FoundOrganisation(
    const Founding& founding, const KeyKeeper& keep,
    const std::function<void(std::string_view step)>& progress) {
  if (!founding.evaluation) {
    return Error(Code::kUnsupported,
                 "an organisation with thresholds of two needs a second founder, which this "
                 "Godwit cannot do yet: use --evaluation to try it out");
  }
  // The cases realm first: its staff vault commits to the founder's membership in all three.
  std::vector<RealmEndpoint> endpoints = founding.endpoints;
  std::ranges::sort(endpoints, {}, [](const RealmEndpoint& e) {
    return e.compartment == Compartment::kCases ? 0 : static_cast<int>(e.compartment);
  });
  Human human;
  human.record = crypto::RandomId<base::RecordId>();
  human.id = crypto::RandomId<base::HumanId>();
  human.handle = founding.handle;
  std::vector<Beginning> beginnings;
  for (const RealmEndpoint& endpoint : endpoints) {
    Membership membership;
    auto beginning = Begin(founding, endpoint, human.id, membership);
    if (!beginning) return beginning.error();
    human.memberships.push_back(membership);
    beginnings.push_back(*std::move(beginning));
  }

  Founded founded;
  for (std::size_t i = 0; i < beginnings.size(); ++i) {
    Beginning& beginning = beginnings[i];
    const Compartment compartment = endpoints[i].compartment;
    progress(Name(compartment));
    const auto path = keep(beginning.keys);
    if (!path) return path.error();
    auto opened = Realm::Open(std::move(beginning.keys), *path);
    if (!opened) return opened.error();
    Realm& realm = **opened;
    const auto created = realm.server().CreateRealm(endpoints[i].claim, beginning.genesis);
    if (!created) return created.error();
    if (const auto status = realm.Sync(); !status) return status.error();
    if (const auto status = Furnish(realm, founding, human); !status) return status.error();
    founded.realms[compartment] = *std::move(opened);
    founded.roots.push_back(std::move(beginning.root));
  }
  return founded;
}

}  // namespace godwit::client
