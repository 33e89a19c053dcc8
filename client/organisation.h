#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "client/realm.h"
#include "protocol/keystore.h"

namespace godwit::client {

// The realms that one person works in on this device. Nothing joins them but this object.
class Organisation {
 public:
  explicit Organisation(std::map<protocol::Compartment, std::unique_ptr<Realm>> realms)
      : realms_(std::move(realms)) {}

  // The realm of a compartment. PERMISSION_DENIED: this person does not work there.
  base::Result<Realm*> Get(protocol::Compartment compartment) const;
  const std::map<protocol::Compartment, std::unique_ptr<Realm>>& realms() const { return realms_; }

  // Brings every realm's roster, named vaults and, of the member's other vaults, those that changed
  // up to date. Errors of one realm do not keep the others from syncing; the first is returned.
  // `progress` hears a realm's vaults done and in all.
  base::Status Sync(
      const std::function<void(protocol::Compartment, std::size_t, std::size_t)>& progress = {});

 private:
  std::map<protocol::Compartment, std::unique_ptr<Realm>> realms_;
};

// How a realm's service is reached by whoever founds it.
struct RealmEndpoint {
  protocol::Compartment compartment = protocol::Compartment::kIdentity;
  std::string host_port;
  base::Sha256Hash pin;  // SHA-256 of the SubjectPublicKeyInfo of the realm's CA
  base::Bytes claim;     // 32 bytes, from `godwit-admin migrate`
};

// What a founder keeps besides: the root key of a realm, to be written down and taken off the
// device.
struct RootSeed {
  protocol::Compartment compartment = protocol::Compartment::kIdentity;
  crypto::Secret<struct RootSeedTag, 32> seed;
};

struct Founding {
  std::string handle;  // of the founder, who becomes owner and admin of every realm
  std::string display_name;
  bool evaluation = false;  // thresholds of 1, no identity window, the floor of the passphrase cost
  protocol::KdfCost cost;   // a floor for every keystore of the organisation
  std::vector<RealmEndpoint> endpoints;  // one for each compartment
};

// Makes an organisation: in each realm GENESIS, the founder's PUK, directory, config and (cases)
// staff vault with the founder's records, and the POLICY_SET that names them; the cases realm
// first. `keep` is called with a realm's keys before anything is sent, and returns the store's
// path: what it could not keep is not founded. UNSUPPORTED: without `evaluation`.
// PERMISSION_DENIED: a claim was refused.
struct Founded {
  std::map<protocol::Compartment, std::unique_ptr<Realm>> realms;
  std::vector<RootSeed> roots;
};
using KeyKeeper = std::function<base::Result<std::filesystem::path>(const UnlockedRealm& keys)>;
base::Result<Founded> FoundOrganisation(const Founding& founding, const KeyKeeper& keep,
                                        const std::function<void(std::string_view step)>& progress);

}  // namespace godwit::client
