#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/id.h"
#include "client/realm_keys.h"
#include "crypto/random.h"

namespace godwit::support {

// A directory of mode 0700 that goes with the test. Its path is short enough for a socket's.
class TemporaryDir {
 public:
  TemporaryDir() {
    std::string pattern = "/tmp/gwtest-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  TemporaryDir(const TemporaryDir&) = delete;
  TemporaryDir& operator=(const TemporaryDir&) = delete;
  ~TemporaryDir() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// An environment variable that is as before at the end.
class ScopedVariable {
 public:
  ScopedVariable(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* const before = ::getenv(name_.c_str())) before_ = before;
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;
  ~ScopedVariable() {
    if (before_) {
      ::setenv(name_.c_str(), before_->c_str(), 1);
    } else {
      ::unsetenv(name_.c_str());
    }
  }

 private:
  std::string name_;
  std::optional<std::string> before_;
};

// A home for profiles and sockets that goes with the test.
class ProfileHome {
 public:
  const std::filesystem::path& path() const { return dir_.path(); }

 private:
  TemporaryDir dir_;
  ScopedVariable home_{"GODWIT_HOME", (dir_.path() / "home").string()};
  ScopedVariable runtime_{"XDG_RUNTIME_DIR", dir_.path().string()};
};

inline client::RealmInfo SomeRealm(
    protocol::Compartment compartment = protocol::Compartment::kCases) {
  client::RealmInfo info;
  info.fingerprint = crypto::RandomId<base::Fingerprint>();
  info.compartment = compartment;
  info.member = crypto::RandomId<base::MemberId>();
  info.handle = "hedgehog";
  info.hosts = {{"cases.example:8443", crypto::RandomId<base::Sha256Hash>()},
                {"a.example:1", crypto::RandomId<base::Sha256Hash>()}};
  info.evaluation = true;
  return info;
}

inline client::UnlockedRealm SomeUnlockedRealm(
    protocol::Compartment compartment = protocol::Compartment::kCases) {
  return {*protocol::DeviceSeed::Random(), SomeRealm(compartment), *client::StoreKey::Random()};
}

inline crypto::SecretBytes Passphrase(std::string_view text) {
  return crypto::SecretBytes::Copy(base::AsBytes(text));
}

inline bool SameKeys(const client::UnlockedRealm& a, const client::UnlockedRealm& b) {
  return std::ranges::equal(a.seed.Expose(), b.seed.Expose()) && a.info == b.info &&
         std::ranges::equal(a.store_key.Expose(), b.store_key.Expose());
}

}  // namespace godwit::support
