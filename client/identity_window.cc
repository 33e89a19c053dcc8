#include "client/identity_window.h"

#include "base/clock.h"

namespace godwit::client {
namespace {

constexpr std::uint64_t kParts = 24;

}  // namespace

bool IsWindowOpen(std::uint32_t period_s, const base::Fingerprint& fingerprint,
                  std::uint64_t now_ms) {
  if (period_s == 0) return true;
  const std::uint64_t period_ms = std::uint64_t{period_s} * 1000;
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < 8; ++i) offset = offset << 8 | fingerprint.bytes()[i];
  offset %= period_ms;
  return (now_ms + period_ms - offset) % period_ms < period_ms / kParts;
}

bool IsWindowOpen(const Realm& realm) {
  if (realm.compartment() != protocol::Compartment::kIdentity) return true;
  // Whoever knows no policy yet comes for the first time.
  if (realm.roster().empty()) return true;
  return IsWindowOpen(realm.roster().policy().identity_window_s, realm.info().fingerprint,
                      realm.clock().NowMs());
}

}  // namespace godwit::client
