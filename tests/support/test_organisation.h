#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "client/invite.h"
#include "client/organisation.h"
#include "client/profile.h"
#include "protocol/kinds.h"
#include "tests/support/realm_server.h"

namespace godwit::support {

// The service of one realm among the three.
RealmServer& ServerOf(RealmServers& servers, protocol::Compartment compartment);

// An organisation of a test: founded and joined over the real services, every person with a home,
// a profile and local stores of their own under one temporary folder, removed at the end. Fails the
// running test and leaves the program where something goes wrong on the way.
class TestOrganisation {
 public:
  // Founds an evaluation organisation; the founder's handle is "founder". Whoever stands between
  // the people and a realm's service is named in `in_between`.
  using Addresses = std::map<protocol::Compartment, transport::RealmAddress>;
  explicit TestOrganisation(RealmServers& servers, const Addresses& in_between = {});
  ~TestOrganisation();

  // Invites all of them, lets each join with both SAS compared, and lists them in one EPOCH a
  // vault.
  void Join(const std::vector<client::Newcomer>& newcomers);

  // The same for another device of `handle`, invited by the first: an organisation object of its
  // own, known as `device`.
  void AddDevice(const std::string& handle, const std::string& device);
  // Both sides of one invitation, up to the statement: how many signatures it waits for.
  static std::uint64_t ShakeHands(client::Inviter& inviter, client::OpenInvite& invite,
                                  client::Joiner& joiner);
  // What the new side of an invitation does once it was added: its realm under `device`'s home.
  std::unique_ptr<client::Realm> Settle(const std::string& device, client::Joiner joiner);

  client::Organisation& Of(const std::string& handle);
  client::Realm& RealmOf(const std::string& handle, protocol::Compartment compartment);

  // Brings somebody's named vaults (directory, ...) and all else up to date.
  void Sync(const std::string& handle);

  // The files of a local store, as whoever starts the device again finds them after its process
  // died at this moment. Any thread may ask.
  using StoreFiles = std::map<std::filesystem::path, base::Bytes>;
  StoreFiles CopyStore(const std::string& handle, protocol::Compartment compartment) const;
  // Gives the device up as it runs, puts `files` in the place of what it wrote since, and starts
  // it.
  void Restart(const std::string& handle, const StoreFiles& files);

  // Makes the ledgers by the intake member `handle` and names them by the founder.
  void MakeLedgers(const std::string& handle);

  // Closes the stores of `handle` and writes keystores for the command line; the environment that
  // finds the profile is GODWIT_HOME=Home(handle), the profile "p", the passphrase as given.
  void SaveForCommandLine(const std::string& handle, const std::string& passphrase);
  std::filesystem::path Home(const std::string& handle) const;

  // An organisation object with empty local stores for somebody who joined: a second device's view
  // with the same keys, as after losing all local state.
  std::unique_ptr<client::Organisation> WithEmptyStores(const std::string& handle);
  // One realm of it, that has not spoken to its service yet.
  std::unique_ptr<client::Realm> RealmWithEmptyStore(const std::string& handle,
                                                     protocol::Compartment compartment);

 private:
  base::Result<std::filesystem::path> NewStore(const std::string& handle,
                                               const client::UnlockedRealm& keys);

  std::filesystem::path folder_;
  std::map<std::string, std::unique_ptr<client::Organisation>> people_;
  std::map<std::pair<std::string, protocol::Compartment>, std::filesystem::path> stores_;
  int empty_stores_ = 0;
};

// Newcomers cw01..cwNN (caseworkers), sv1.. (supervisors), kc1.. (coordinators), in1.. (intake),
// rc1.. (route).
std::vector<client::Newcomer> Staff(int caseworkers, int supervisors, int coordinators, int intakes,
                                    int routes);

}  // namespace godwit::support
