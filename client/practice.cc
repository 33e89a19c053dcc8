#include "client/practice.h"

#include <chrono>
#include <filesystem>
#include <system_error>

#include "base/bytes.h"
#include "client/agent.h"
#include "client/private_file.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;

constexpr auto kLockTimeout = std::chrono::seconds(10);

std::filesystem::path MarkOf(const Profile& profile) { return profile.dir() / "practice"; }

}  // namespace

bool IsPractice(const Profile& profile) {
  std::error_code ignored;
  return std::filesystem::exists(MarkOf(profile), ignored);
}

base::Status MarkPractice(const Profile& profile) {
  if (IsPractice(profile)) return {};
  return WriteNewPrivateFile(MarkOf(profile), base::AsBytes("invented people\n"));
}

base::Status RemovePractice(const Profile& profile) {
  if (!IsPractice(profile)) {
    return Error(Code::kPermissionDenied,
                 "this profile is of no practice organisation: it is not removed");
  }
  const auto lock = profile.Lock(Profile::Use::kWrite, kLockTimeout);
  if (!lock) return lock.error();
  if (auto agent = AgentClient::Connect(profile)) {
    if (const auto locked = agent->Lock(); !locked) return locked;
  }
  // The mark goes last: what is interrupted is removed by another call.
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(profile.dir(), failed)) {
    if (!failed && entry.path() != MarkOf(profile)) std::filesystem::remove_all(entry, failed);
    if (failed) break;
  }
  if (!failed) std::filesystem::remove_all(profile.dir(), failed);
  if (failed) return Error(Code::kIo, "the profile cannot be removed");
  return {};
}

}  // namespace godwit::client
