#pragma once

#include <functional>
#include <map>
#include <memory>

#include "base/result.h"
#include "client/realm.h"
#include "protocol/kinds.h"

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

}  // namespace godwit::client
