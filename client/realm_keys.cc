#include "client/realm_keys.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "protocol/ce.h"

namespace godwit::client {
namespace {

constexpr std::string_view kTag = "gw1/cs";
constexpr std::uint8_t kVersion = 1;

base::Error NotAState() { return {base::Code::kDecrypt, "the keystore holds no realm"}; }

bool IsValid(const RealmInfo& info) {
  return !info.fingerprint.IsZero() && !info.member.IsZero() && protocol::IsStr(info.handle) &&
         !info.hosts.empty() && info.hosts.size() <= kMaxHosts &&
         std::ranges::all_of(info.hosts, [](const auto& host) {
           return !host.first.empty() && protocol::IsStr(host.first);
         });
}

}  // namespace

base::Result<crypto::SecretBytes> EncodeState(const RealmInfo& info, const StoreKey& store_key) {
  if (!IsValid(info)) {
    return base::Error(base::Code::kInvalidArgument, "these are not the names of a realm");
  }
  // A CE list is in the order of its encoded keys: the shorter host comes first.
  std::vector<std::pair<std::string, base::Sha256Hash>> hosts(info.hosts.begin(), info.hosts.end());
  std::ranges::sort(hosts, [](const auto& a, const auto& b) {
    return std::pair(a.first.size(), a.first) < std::pair(b.first.size(), b.first);
  });
  protocol::Writer w;
  w.Raw(kTag).U8(kVersion).Fixed(info.fingerprint);
  w.U8(static_cast<std::uint8_t>(info.compartment)).Fixed(info.member).Str(info.handle);
  w.U8(info.evaluation ? 1 : 0).U16(static_cast<std::uint16_t>(hosts.size()));
  for (const auto& [host, pin] : hosts) w.Str(host).Fixed(pin);

  // The key never lies in the writer's memory, which is not wiped.
  crypto::SecretBytes state(w.bytes().size() + StoreKey::kSize);
  const auto end = std::ranges::copy(w.bytes(), state.Expose().begin()).out;
  std::ranges::copy(store_key.Expose(), end);
  return state;
}

base::Result<UnlockedRealm> DecodeState(protocol::DeviceSeed seed, base::ByteSpan state) {
  protocol::Reader r(state);
  const base::ByteSpan tag = r.Raw(kTag.size());
  const std::uint8_t ver = r.U8();
  if (!r.ok() || !std::ranges::equal(tag, base::AsBytes(kTag))) return NotAState();
  if (ver != kVersion) {
    return base::Error(base::Code::kUnsupported, "a keystore of a later version: update Godwit");
  }
  RealmInfo info;
  info.fingerprint = r.Take<base::Fingerprint>();
  const std::uint8_t compartment = r.U8();
  info.member = r.Take<base::MemberId>();
  info.handle = r.Str();
  info.evaluation = r.Presence();
  r.List([&](protocol::Reader& item) {
    std::string host = item.Str();
    item.KeyEnds();
    info.hosts.emplace(std::move(host), item.Take<base::Sha256Hash>());
  });
  const base::ByteSpan key = r.Raw(StoreKey::kSize);
  if (!r.Done() || compartment < 1 || compartment > 3) return NotAState();
  info.compartment = static_cast<protocol::Compartment>(compartment);
  if (!IsValid(info)) return NotAState();
  auto store_key = StoreKey::Copy(key.first<StoreKey::kSize>());
  if (!store_key) return store_key.error();
  return UnlockedRealm{std::move(seed), std::move(info), *std::move(store_key)};
}

}  // namespace godwit::client
