#pragma once

#include <map>
#include <string>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "protocol/keys.h"
#include "protocol/kinds.h"

namespace godwit::client {

// Seals what a device keeps of one realm (client/store.h). Random, made with the device.
using StoreKey = crypto::Secret<struct StoreKeyTag, 32>;

// The most hosts that a realm has.
inline constexpr std::size_t kMaxHosts = 16;

// What a device must know of a realm before it can speak with it, and nobody else may read.
struct RealmInfo {
  base::Fingerprint fingerprint;  // the pinned F
  protocol::Compartment compartment = protocol::Compartment::kIdentity;
  base::MemberId member;
  std::string handle;  // a CE str; may be empty
  // Where the realm's service listens ("realm.example:8443"), each with its pin: SHA-256 of the
  // SubjectPublicKeyInfo of the realm's own certificate authority. 1 to kMaxHosts.
  std::map<std::string, base::Sha256Hash> hosts;
  bool evaluation = false;

  base::RealmId realm() const { return base::RealmId(fingerprint.bytes().first<16>()); }

  friend bool operator==(const RealmInfo&, const RealmInfo&) = default;
};

// A realm whose keystore is open: all that its owner's commands need. Moves, does not copy.
struct UnlockedRealm {
  protocol::DeviceSeed seed;
  RealmInfo info;
  StoreKey store_key;
};

// Returns the `state` of a keystore (docs/protocol.md section 10), which is everything but the
// seed:
//
//   state = "gw1/cs"|u8 ver|F|u8 compartment|member|str handle|u8 evaluation|list(str host;
//   pin[32])
//           |store_key[32]
//
// INVALID_ARGUMENT: a handle or host that no CE str can hold, no host, or an F or a member of
// zeros.
base::Result<crypto::SecretBytes> EncodeState(const RealmInfo& info, const StoreKey& store_key);

// Returns the realm that EncodeState was given; `seed` becomes part of it. E_DECRYPT: not a state.
// E_UNSUPPORTED: of a later version. RESOURCE_EXHAUSTED: no memory can be locked.
base::Result<UnlockedRealm> DecodeState(protocol::DeviceSeed seed, base::ByteSpan state);

}  // namespace godwit::client
