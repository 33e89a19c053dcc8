#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "client/realm.h"
#include "client/realm_keys.h"
#include "protocol/keystore.h"
#include "protocol/kinds.h"
#include "protocol/statement.h"

namespace godwit::client {

// The founding of an organisation (docs/protocol.md section 11). A draft goes from founder to
// founder: each adds keys of their own, then signs for all of it; one publishes it.
//
//   draft = "gw1/df"|u8 ver|list(u8 compartment; str host|pin[32]|u64 time_ms|root_pk[32]
//                               |var32 policy)
//          |list(str handle; u16 roles|u8 there|(there=1: str name|human[16]|sig[64]
//                               |list(u8 compartment; member|r[32]|devkeys|pop)))
//   sig  = Sign(the founder's dev_sign in cases, "founding", the draft with its sigs and pops zero)
//
// It holds no key, but who is which member of which realm: it is carried by hand, and destroyed
// once the organisation stands.
struct DraftRealm {
  std::string host_port;
  base::Sha256Hash pin;       // SHA-256 of the SubjectPublicKeyInfo of the realm's CA
  std::uint64_t time_ms = 0;  // of its GENESIS: outside evaluation it is published no earlier
  crypto::SigningPublicKey root_pk;
  protocol::Policy policy;
};
struct DraftMember {
  base::MemberId member;
  std::array<std::uint8_t, 32> r{};
  protocol::DeviceKeys device;
  crypto::Signature pop;  // zero: not signed yet
};
struct DraftFounder {
  protocol::Roles roles = 0;  // in every realm the same
  bool there = false;         // has added what follows
  std::string name;
  base::HumanId human;
  crypto::Signature sig;  // zero: not signed yet
  std::map<protocol::Compartment, DraftMember> members;

  bool signed_all() const;
};
struct Draft {
  std::map<protocol::Compartment, DraftRealm> realms;
  std::map<std::string, DraftFounder> founders;  // by handle

  bool evaluation() const;
  bool all_there() const;
  bool complete() const;  // all there, and all have signed
};

inline constexpr std::size_t kMaxDraft = 256 * 1024;  // bytes
base::Bytes WriteDraft(const Draft& draft);
// INVALID_ARGUMENT: these bytes are no draft, or one that no organisation could begin with.
// E_UNSUPPORTED: of a later version.
base::Result<Draft> ReadDraft(base::ByteSpan bytes);

// The order in which realms are published: the cases realm has the staff vault.
inline constexpr protocol::Compartment kFoundingOrder[] = {protocol::Compartment::kCases,
                                                           protocol::Compartment::kIdentity,
                                                           protocol::Compartment::kJourneys};

// How a realm's service is reached by whoever founds it.
struct RealmEndpoint {
  protocol::Compartment compartment = protocol::Compartment::kIdentity;
  std::string host_port;
  base::Sha256Hash pin;
  base::Bytes claim;  // 32 bytes, from `godwit-admin migrate`; needed by whoever publishes
};
struct Founding {
  bool evaluation = false;  // no identity window, no waiting between the realms
  bool practice = false;    // of invented people, for good (protocol/practice.h); an evaluation too
  std::uint8_t owner_threshold = 2;
  std::uint8_t grant_threshold = 2;
  protocol::KdfCost cost;                           // a floor for every keystore
  std::vector<RealmEndpoint> endpoints;             // one for each compartment
  std::map<std::string, protocol::Roles> founders;  // by handle: of owner, admin and auditor
};

// The root key of a realm, to be written down and taken off the device.
using RootSeed = crypto::Secret<struct RootSeedTag, 32>;
using RootSeeds = std::map<protocol::Compartment, RootSeed>;

// A draft that nobody has added to, and its root keys. INVALID_ARGUMENT: not three realms apart
// from each other, roles that no founder may hold, thresholds that these founders cannot reach, or
// below two outside evaluation.
struct NewDraft {
  Draft draft;
  RootSeeds roots;
};
base::Result<NewDraft> MakeDraft(const Founding& founding);

// What a founder's device holds of a realm while its fingerprint is not known yet.
struct FounderKeys {
  std::string handle;
  base::MemberId member;
  protocol::DeviceSeed seed;
  StoreKey store_key;
};
using FounderRealms = std::map<protocol::Compartment, FounderKeys>;

// Adds a founder with new keys. NOT_FOUND: the draft names no such founder. EXISTS: they are there
// already. INVALID_ARGUMENT: no name, or one that no str holds.
base::Result<FounderRealms> AddFounder(Draft& draft, const std::string& handle,
                                       const std::string& name);

// Signs for all that the draft says, once all founders are there; what was signed before is signed
// the same again. E_ROSTER_INVALID: the draft does not hold these keys any more: somebody changed
// it. CONFLICT: not all are there yet.
base::Status SignDraft(Draft& draft, const FounderRealms& keys);

// The keys of a founder for a realm whose draft is complete, its fingerprint pinned.
// E_ROSTER_INVALID: a founder's signature is not for this draft: it was changed after they signed.
base::Result<UnlockedRealm> PinRealm(const Draft& draft, protocol::Compartment compartment,
                                     FounderKeys keys);

// The GENESIS of a realm of a complete draft.
base::Bytes DraftedGenesis(const Draft& draft, protocol::Compartment compartment,
                           const crypto::SigningKey& root);

// Publishes a realm of a complete draft by one of its founders, unless it is published already, and
// furnishes it: the founder's PUK, directory, config and (cases) staff vault with the founders'
// records, and the POLICY_SET that names them. Returns how many signatures that POLICY_SET still
// waits for; while it waits, nothing else can be done. May be called again after whatever
// interrupted it. PERMISSION_DENIED: the claim was refused. INVALID_ARGUMENT: `root` is another key
// than the draft's. RATE_LIMITED: not before its time_ms.
base::Result<std::uint64_t> PublishRealm(const Draft& draft, Realm& realm, base::ByteSpan claim,
                                         const RootSeed& root);

// An organisation of one founder in one go. `keep` is called with a realm's keys before anything is
// sent, and returns the store's path: what it could not keep is not founded. Errors as above.
struct Founded {
  std::map<protocol::Compartment, std::unique_ptr<Realm>> realms;
  RootSeeds roots;
};
using KeyKeeper = std::function<base::Result<std::filesystem::path>(const UnlockedRealm& keys)>;
base::Result<Founded> FoundAlone(const Founding& founding, const std::string& name,
                                 const KeyKeeper& keep,
                                 const std::function<void(std::string_view step)>& progress);

}  // namespace godwit::client
