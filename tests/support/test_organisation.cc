#include "tests/support/test_organisation.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include "client/founding.h"
#include "client/keystore_file.h"
#include "client/vault_writer.h"
#include "crypto/init.h"
#include "tests/support/builders.h"

namespace godwit::support {
namespace {

using client::Organisation;
using client::UnlockedRealm;
using protocol::Compartment;
using protocol::Kind;

constexpr char kFounder[] = "founder";

UnlockedRealm CopyOf(const UnlockedRealm& keys) {
  return {Must(protocol::DeviceSeed::Copy(keys.seed.Expose())), keys.info,
          Must(client::StoreKey::Copy(keys.store_key.Expose()))};
}

}  // namespace

std::vector<client::Newcomer> Staff(int caseworkers, int supervisors, int coordinators, int intakes,
                                    int routes) {
  std::vector<client::Newcomer> staff;
  const auto add = [&](int count, const char* prefix, int width, const char* title,
                       protocol::Roles roles) {
    for (int i = 1; i <= count; ++i) {
      std::string number = std::to_string(i);
      number.insert(0,
                    number.size() < static_cast<std::size_t>(width)
                        ? static_cast<std::size_t>(width) - number.size()
                        : 0,
                    '0');
      staff.push_back({prefix + number, std::string(title) + " " + number, roles});
    }
  };
  add(caseworkers, "cw", 2, "Caseworker", protocol::kCaseworker);
  add(supervisors, "sv", 1, "Supervisor", protocol::kSupervisor);
  add(coordinators, "kc", 1, "Coordinator", protocol::kCoordinator);
  add(intakes, "in", 1, "Intake", protocol::kIntake);
  add(routes, "rc", 1, "Route", protocol::kRoute);
  return staff;
}

RealmServer& ServerOf(RealmServers& servers, Compartment compartment) {
  switch (compartment) {
    case Compartment::kIdentity:
      return servers.identity;
    case Compartment::kCases:
      return servers.cases;
    case Compartment::kJourneys:
      break;
  }
  return servers.journeys;
}

TestOrganisation::TestOrganisation(RealmServers& servers, const Addresses& in_between) {
  Require(crypto::Init());
  std::string pattern = (std::filesystem::temp_directory_path() / "godwit-org-XXXXXX").string();
  folder_ = mkdtemp(pattern.data());
  client::Founding founding;
  founding.founders[kFounder] = protocol::kOwner | protocol::kAdmin;
  founding.evaluation = true;
  founding.owner_threshold = founding.grant_threshold = 1;
  founding.cost = {protocol::KdfCost::kFloorOps, protocol::KdfCost::kFloorMem};
  for (const auto compartment :
       {Compartment::kIdentity, Compartment::kCases, Compartment::kJourneys}) {
    const RealmServer& server = ServerOf(servers, compartment);
    const auto other = in_between.find(compartment);
    const auto address = other == in_between.end() ? server.address() : other->second;
    founding.endpoints.push_back(
        {compartment, address.host_port, address.pins.front(), server.claim()});
  }
  auto founded = Must(client::FoundAlone(
      founding, "The Founder", [&](const UnlockedRealm& keys) { return NewStore(kFounder, keys); },
      [](std::string_view) {}));
  people_[kFounder] = std::make_unique<Organisation>(std::move(founded.realms));
}

TestOrganisation::~TestOrganisation() {
  people_.clear();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::filesystem::path TestOrganisation::Home(const std::string& handle) const {
  return folder_ / handle;
}

base::Result<std::filesystem::path> TestOrganisation::NewStore(const std::string& handle,
                                                               const UnlockedRealm& keys) {
  setenv("GODWIT_HOME", Home(handle).c_str(), 1);
  std::filesystem::create_directories(Home(handle));
  std::filesystem::permissions(Home(handle), std::filesystem::perms::owner_all);
  auto profile = client::Profile::Open("p");
  if (!profile) profile = client::Profile::Create("p");
  if (!profile) return profile.error();
  auto path = profile->StorePath(keys.info.compartment);
  const auto store = client::Store::Create(path, keys.store_key, keys.info.realm());
  if (!store) return store.error();
  stores_[{handle, keys.info.compartment}] = path;
  return path;
}

TestOrganisation::StoreFiles TestOrganisation::CopyStore(const std::string& handle,
                                                         Compartment compartment) const {
  const auto& path = stores_.at({handle, compartment});
  StoreFiles files;
  for (const auto& entry : std::filesystem::directory_iterator(path.parent_path())) {
    // SQLite's log stands beside the store and begins with its name. Its index, -shm, is made anew.
    const std::string name = entry.path().filename();
    if (!name.starts_with(path.filename().string()) || name.ends_with("-shm")) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files[entry.path()] = base::Bytes(std::istreambuf_iterator<char>(in), {});
  }
  return files;
}

void TestOrganisation::Restart(const std::string& handle, const StoreFiles& files) {
  std::map<Compartment, client::UnlockedRealm> keys;
  for (const auto& [compartment, realm] : Of(handle).realms()) {
    keys.emplace(compartment, CopyOf(realm->keys()));
  }
  people_[handle].reset();
  for (const auto& [path, bytes] : files) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
  }
  std::map<Compartment, std::unique_ptr<client::Realm>> realms;
  for (auto& [compartment, unlocked] : keys) {
    realms[compartment] =
        Must(client::Realm::Open(std::move(unlocked), stores_.at({handle, compartment})));
  }
  people_[handle] = std::make_unique<Organisation>(std::move(realms));
}

Organisation& TestOrganisation::Of(const std::string& handle) { return *people_.at(handle); }

client::Realm& TestOrganisation::RealmOf(const std::string& handle, Compartment compartment) {
  return *Must(Of(handle).Get(compartment));
}

void TestOrganisation::Sync(const std::string& handle) { Require(Of(handle).Sync()); }

void TestOrganisation::Join(const std::vector<client::Newcomer>& newcomers) {
  client::Inviter inviter(Of(kFounder));
  std::vector<client::OpenInvite> all;
  for (const client::Newcomer& newcomer : newcomers) {
    auto invites = Must(inviter.Invite(newcomer));
    std::map<Compartment, std::unique_ptr<client::Realm>> realms;
    for (client::OpenInvite& invite : invites) {
      const auto words = Must(inviter.InvitationFor(invite));
      auto joiner = Must(client::Joiner::Begin(words.Expose()));
      ShakeHands(inviter, invite, joiner);
      // Whoever comes back does so with another device.
      const bool back = people_.contains(newcomer.handle);
      realms[invite.compartment] =
          Settle(newcomer.handle + (back ? "-again" : ""), std::move(joiner));
    }
    people_[newcomer.handle] = std::make_unique<Organisation>(std::move(realms));
    for (auto& invite : invites) all.push_back(std::move(invite));
  }
  if (!Must(inviter.ListNewcomers(all))) {
    std::cerr << "not all newcomers have a key\n";
    std::exit(1);
  }
  for (const client::Newcomer& newcomer : newcomers) Sync(newcomer.handle);
}

void TestOrganisation::AddDevice(const std::string& handle, const std::string& device) {
  client::Inviter inviter(Of(handle));
  std::map<Compartment, std::unique_ptr<client::Realm>> realms;
  auto invites = Must(inviter.InviteDevice());
  for (client::OpenInvite& invite : invites) {
    const auto words = Must(inviter.InvitationFor(invite));
    auto joiner = Must(client::Joiner::Begin(words.Expose(), protocol::kOfferDevice));
    ShakeHands(inviter, invite, joiner);
    realms[invite.compartment] = Settle(device, std::move(joiner));
  }
  people_[device] = std::make_unique<Organisation>(std::move(realms));
}

std::uint64_t TestOrganisation::ShakeHands(client::Inviter& inviter, client::OpenInvite& invite,
                                           client::Joiner& joiner) {
  Must(inviter.Poll(invite));
  const auto theirs = Must(joiner.Poll());
  const auto ours = Must(inviter.Poll(invite));
  if (!theirs || !ours || *theirs != *ours) {
    std::cerr << "the two sides of a join show different words\n";
    std::exit(1);
  }
  return Must(inviter.Confirm(invite));
}

std::unique_ptr<client::Realm> TestOrganisation::Settle(const std::string& device,
                                                        client::Joiner joiner) {
  if (!Must(joiner.IsAdded())) {
    std::cerr << "whoever joined is not in the roster\n";
    std::exit(1);
  }
  auto keys = Must(std::move(joiner).TakeKeys(device));
  const auto path = Must(NewStore(device, keys));
  auto realm = Must(client::Realm::Open(std::move(keys), path));
  Require(realm->Sync());
  return realm;
}

void TestOrganisation::MakeLedgers(const std::string& handle) {
  for (const auto compartment : {Compartment::kIdentity, Compartment::kCases}) {
    client::Realm& intake = RealmOf(handle, compartment);
    const auto ledger = Must(
        client::CreateVault(intake, Kind::kLedger, {{intake.member(), protocol::kFull}},
                            [](const base::VaultId&) -> base::Result<std::vector<client::Edit>> {
                              return std::vector<client::Edit>();
                            }));
    client::Realm& founder = RealmOf(kFounder, compartment);
    Require(founder.Sync());
    protocol::Policy policy = founder.roster().policy();
    ++policy.gen;
    policy.vaults[static_cast<std::uint8_t>(Kind::kLedger)] = ledger.id();
    Must(founder.Author(protocol::PolicySet{policy}));
    // Further intake members are listed by the first.
    std::map<base::MemberId, protocol::Perm> intakes;
    Require(intake.Sync());
    const auto& roster = intake.roster();
    for (const auto& [member, row] : roster.members()) {
      if ((roster.RolesAt(member, roster.head_seq()) & protocol::kIntake) != 0) {
        intakes[member] = protocol::kFull;
      }
    }
    Must(client::WriteVault(intake, ledger.id(), {},
                            [&](const protocol::MemberList&) { return intakes; }));
  }
}

void TestOrganisation::SaveForCommandLine(const std::string& handle,
                                          const std::string& passphrase) {
  setenv("GODWIT_HOME", Home(handle).c_str(), 1);
  const auto profile = Must(client::Profile::Open("p"));
  const auto secret = crypto::SecretBytes::Copy(base::AsBytes(passphrase));
  for (const auto& [compartment, realm] : Of(handle).realms()) {
    Require(client::CreateKeystoreFile(profile.KeystorePath(compartment), secret,
                                       {protocol::KdfCost::kFloorOps, protocol::KdfCost::kFloorMem},
                                       realm->keys()));
  }
  people_.erase(handle);
}

std::unique_ptr<Organisation> TestOrganisation::WithEmptyStores(const std::string& handle) {
  std::map<Compartment, std::unique_ptr<client::Realm>> realms;
  for (const auto& [compartment, realm] : Of(handle).realms()) {
    realms[compartment] = RealmWithEmptyStore(handle, compartment);
    Require(realms[compartment]->Sync());
  }
  return std::make_unique<Organisation>(std::move(realms));
}

std::unique_ptr<client::Realm> TestOrganisation::RealmWithEmptyStore(const std::string& handle,
                                                                     Compartment compartment) {
  auto keys = CopyOf(RealmOf(handle, compartment).keys());
  const auto path = Must(NewStore(handle + "-empty-" + std::to_string(++empty_stores_), keys));
  return Must(client::Realm::Open(std::move(keys), path));
}

}  // namespace godwit::support
