#pragma once

#include <memory>
#include <utility>

#include "client/realm.h"
#include "client/store.h"
#include "tests/client/temporary.h"
#include "tests/support/builders.h"

namespace godwit::support {

// The first device of somebody in a realm of a test, that knows the roster as it is now and has no
// service to speak to.
class OfflineRealm {
 public:
  OfflineRealm(const TestRealm& realm, const Person& person) {
    const auto path = folder_.path() / "store";
    client::UnlockedRealm keys{Must(protocol::DeviceSeed::Copy(person.seeds[0].Expose())),
                               SomeRealm(realm.roster().compartment()),
                               Must(client::StoreKey::Random())};
    keys.info.fingerprint = realm.roster().fingerprint();
    keys.info.member = person.id;
    {
      auto store = Must(client::Store::Create(path, keys.store_key, realm.roster().realm()));
      Require(store.AppendRoster(0, realm.statements()));
    }
    device_ = Must(client::Realm::Open(std::move(keys), path));
  }

  client::Realm& operator*() const { return *device_; }

 private:
  TemporaryDir folder_;
  std::unique_ptr<client::Realm> device_;
};

}  // namespace godwit::support
