#include "client/profile.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <thread>
#include <utility>

namespace godwit::client {
namespace {

using protocol::Compartment;

constexpr std::array kCompartments{Compartment::kIdentity, Compartment::kCases,
                                   Compartment::kJourneys};

// An environment variable that names an absolute path; empty otherwise, as the XDG Base Directory
// Specification says of its own.
std::filesystem::path PathFromEnvironment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) return {};
  std::filesystem::path path(value);
  return path.is_absolute() ? path : std::filesystem::path();
}

// The folder of all profiles.
base::Result<std::filesystem::path> Home() {
  if (const char* const home = std::getenv("GODWIT_HOME"); home != nullptr && *home != '\0') {
    std::filesystem::path path(home);
    if (!path.is_absolute()) {
      return base::Error(base::Code::kInvalidArgument, "GODWIT_HOME is not an absolute path");
    }
    return path;
  }
  if (const auto data = PathFromEnvironment("XDG_DATA_HOME"); !data.empty()) return data / "godwit";
  if (const auto home = PathFromEnvironment("HOME"); !home.empty()) {
    return home / ".local/share/godwit";
  }
  return base::Error(base::Code::kInvalidArgument,
                     "no folder for profiles is known: set GODWIT_HOME or HOME");
}

base::Error BadName() {
  return base::Error(base::Code::kInvalidArgument,
                     "a profile's name is 1 to 32 letters a to z, digits and hyphens");
}

bool Exists(const std::filesystem::path& path) {
  struct stat entry {};
  return lstat(path.c_str(), &entry) == 0;
}

}  // namespace

bool IsProfileName(std::string_view name) {
  return !name.empty() && name.size() <= 32 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

Profile::Profile(std::string name, std::filesystem::path dir)
    : name_(std::move(name)), dir_(std::move(dir)) {}

base::Result<Profile> Profile::Create(std::string_view name) {
  if (!IsProfileName(name)) return BadName();
  const auto home = Home();
  if (!home) return home.error();
  if (const auto fd = MakePrivateDir(*home); !fd) return fd.error();
  const auto dir = *home / name;
  if (mkdir(dir.c_str(), 0700) != 0) {
    if (errno == EEXIST) {
      return base::Error(base::Code::kExists, "there is a profile of this name already");
    }
    return base::Error(base::Code::kIo, "the profile's folder cannot be made");
  }
  if (const auto fd = OpenPrivateDir(dir); !fd) return fd.error();
  return Profile(std::string(name), dir);
}

base::Result<Profile> Profile::Open(std::string_view name) {
  if (!IsProfileName(name)) return BadName();
  const auto home = Home();
  if (!home) return home.error();
  const auto dir = *home / name;
  for (const auto& path : {*home, dir}) {
    const auto fd = OpenPrivateDir(path);
    if (fd) continue;
    if (fd.error().code() == base::Code::kNotFound) {
      return base::Error(base::Code::kNotFound, "there is no profile of this name");
    }
    return fd.error();
  }
  return Profile(std::string(name), dir);
}

base::Result<std::vector<std::string>> Profile::List() {
  const auto home = Home();
  if (!home) return home.error();
  if (const auto fd = OpenPrivateDir(*home); !fd) {
    if (fd.error().code() == base::Code::kNotFound) return std::vector<std::string>{};
    return fd.error();
  }
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(*home, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::error_code gone;
    const auto type = entry->symlink_status(gone).type();
    if (IsProfileName(name) && type == std::filesystem::file_type::directory) {
      names.push_back(name);
    }
  }
  if (error) return base::Error(base::Code::kIo, "the folder of profiles cannot be read");
  std::ranges::sort(names);
  return names;
}

std::filesystem::path Profile::KeystorePath(Compartment compartment) const {
  return dir_ / (std::string(protocol::Name(compartment)) + ".keystore");
}

std::filesystem::path Profile::StorePath(Compartment compartment) const {
  return dir_ / (std::string(protocol::Name(compartment)) + ".db");
}

std::filesystem::path Profile::FoundingPath(Compartment compartment) const {
  return dir_ / (std::string(protocol::Name(compartment)) + ".founding");
}

std::vector<Compartment> Profile::Realms() const {
  std::vector<Compartment> realms;
  for (const auto compartment : kCompartments) {
    if (Exists(KeystorePath(compartment))) realms.push_back(compartment);
  }
  return realms;
}

base::Result<ProfileLock> Profile::Lock(Use use, std::chrono::milliseconds timeout) const {
  OwnedFd file(
      open((dir_ / "lock").c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
  if (!file.ok()) return base::Error(base::Code::kIo, "the profile's lock file cannot be opened");
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  // flock has no deadline of its own, so it is asked again and again.
  auto wait = std::chrono::milliseconds(5);
  while (flock(file.get(), (use == Use::kWrite ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return base::Error(base::Code::kIo, "the profile's lock file cannot be locked");
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return base::Error(base::Code::kDeadline,
                         "another godwit command is at work in this profile: wait for it, or end "
                         "it, and try again");
    }
    std::this_thread::sleep_for(wait);
    wait = std::min(wait * 2, std::chrono::milliseconds(100));
  }
  return ProfileLock(std::move(file));
}

base::Status Profile::DiscardUnfinished(Compartment compartment) const {
  if (Exists(KeystorePath(compartment))) {
    return base::Error(base::Code::kExists, "this profile has the realm's keys already");
  }
  for (const char* const suffix : {"", "-wal", "-shm", "-journal"}) {
    auto path = StorePath(compartment);
    path += suffix;
    if (unlink(path.c_str()) != 0 && errno != ENOENT) {
      return base::Error(base::Code::kIo, "an unfinished store cannot be removed");
    }
  }
  return {};
}

}  // namespace godwit::client
