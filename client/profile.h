#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/private_file.h"
#include "protocol/kinds.h"

namespace godwit::client {

// Whether `name` may name a profile: 1 to 32 of a-z, 0-9 and "-".
[[nodiscard]] bool IsProfileName(std::string_view name);

// Holds a profile's lock until its end. Moves, does not copy.
class ProfileLock {
 public:
  explicit ProfileLock(OwnedFd file) : file_(std::move(file)) {}

 private:
  OwnedFd file_;
};

// What one person keeps on this machine: a directory of mode 0700 with a keystore and a store a
// realm, and a lock file. No name in it says more than which compartments there are.
//
//   ${GODWIT_HOME:-${XDG_DATA_HOME:-~/.local/share}/godwit}/<name>/identity.keystore, identity.db,
//   ...
class Profile {
 public:
  // Who else may work in the profile meanwhile: others that read, or nobody.
  enum class Use { kRead, kWrite };

  // Makes the directory of a new profile. INVALID_ARGUMENT: not a profile's name, or no home is
  // known. EXISTS. PERMISSION_DENIED: the folder of all profiles is not this user's alone. IO.
  static base::Result<Profile> Create(std::string_view name);
  // NOT_FOUND: no such profile. PERMISSION_DENIED: its directory, or that of all profiles, is a
  // symlink, another user's, open to others or not writable. INVALID_ARGUMENT, IO.
  static base::Result<Profile> Open(std::string_view name);
  // Returns the names of all profiles, in order; none if there is no folder yet. Errors as Open.
  static base::Result<std::vector<std::string>> List();

  const std::string& name() const { return name_; }
  const std::filesystem::path& dir() const { return dir_; }
  std::filesystem::path KeystorePath(protocol::Compartment compartment) const;
  std::filesystem::path StorePath(protocol::Compartment compartment) const;
  // The founder's keys of a realm that is still a draft (client/founding_file.h).
  std::filesystem::path FoundingPath(protocol::Compartment compartment) const;
  // The key that drafts are sealed to, and the folder of those that wait (client/drafts.h).
  std::filesystem::path DraftKeyPath() const { return dir_ / "draft.key"; }
  std::filesystem::path DraftsPath() const { return dir_ / "drafts"; }
  // Returns the compartments that have a keystore here, in the order of their numbers.
  std::vector<protocol::Compartment> Realms() const;

  // Waits until no other process uses the profile in a way that excludes `use`.
  // DEADLINE: `timeout` was not enough: another command still works in the profile. IO.
  base::Result<ProfileLock> Lock(Use use, std::chrono::milliseconds timeout) const;

  // A realm's store is made before its keystore. Removes a store that a crash between the two left
  // behind, which nobody can open. EXISTS: there is a keystore, so nothing is removed. IO.
  base::Status DiscardUnfinished(protocol::Compartment compartment) const;

 private:
  Profile(std::string name, std::filesystem::path dir);

  std::string name_;
  std::filesystem::path dir_;
};

}  // namespace godwit::client
