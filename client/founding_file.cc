#include "client/founding_file.h"

#include <algorithm>
#include <utility>

#include "client/normalise.h"
#include "client/private_file.h"
#include "protocol/ce.h"

namespace godwit::client {
namespace {

constexpr std::string_view kTag = "gw1/cf";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMaxSize = 4096;

}  // namespace

base::Status CreateFoundingFile(const std::filesystem::path& path, crypto::SecretRef<> passphrase,
                                const protocol::KdfCost& cost, protocol::Compartment compartment,
                                const FounderKeys& keys) {
  const auto normal = NormalisedPassphrase(passphrase);
  if (!normal) return normal.error();
  protocol::Writer w;
  w.Raw(kTag).U8(kVersion).U8(static_cast<std::uint8_t>(compartment));
  w.Str(keys.handle).Fixed(keys.member);
  // The key never lies in the writer's memory, which is not wiped.
  crypto::SecretBytes state(w.bytes().size() + StoreKey::kSize);
  const auto end = std::ranges::copy(w.bytes(), state.Expose().begin()).out;
  std::ranges::copy(keys.store_key.Expose(), end);
  const auto sealed = protocol::SealKeystore(*normal, {}, cost, keys.seed, state.Expose());
  if (!sealed) return sealed.error();
  return WriteNewPrivateFile(path, *sealed);
}

base::Result<FounderKeys> UnlockFoundingFile(const std::filesystem::path& path,
                                             crypto::SecretRef<> passphrase,
                                             protocol::Compartment compartment) {
  const auto normal = NormalisedPassphrase(passphrase);
  if (!normal) return normal.error();
  const auto sealed = ReadPrivateFile(path, kMaxSize);
  if (!sealed) return sealed.error();
  auto open = protocol::UnlockKeystore(*normal, *sealed);
  if (!open) return open.error();
  const base::Error other(base::Code::kDecrypt, "this file holds no founder's keys");
  protocol::Reader r(std::as_const(open->state).Expose());
  const base::ByteSpan tag = r.Raw(kTag.size());
  const std::uint8_t ver = r.U8();
  if (!r.ok() || !std::ranges::equal(tag, base::AsBytes(kTag))) return other;
  if (ver != kVersion) {
    return base::Error(base::Code::kUnsupported, "of a later version: update Godwit");
  }
  const std::uint8_t number = r.U8();
  std::string handle = r.Str();
  const auto member = r.Take<base::MemberId>();
  const base::ByteSpan key = r.Raw(StoreKey::kSize);
  if (!r.Done() || number != static_cast<std::uint8_t>(compartment)) return other;
  auto store_key = StoreKey::Copy(key.first<StoreKey::kSize>());
  if (!store_key) return store_key.error();
  return FounderKeys{std::move(handle), member, std::move(open->seed), *std::move(store_key)};
}

}  // namespace godwit::client
