#include "client/keystore_file.h"

#include <utility>

#include "client/normalise.h"
#include "client/private_file.h"

namespace godwit::client {
namespace {

// Far above any: a header, a seed and a state with kMaxHosts hosts of 255 bytes take 6 KiB.
constexpr std::size_t kMaxKeystoreSize = 64 * 1024;

}  // namespace

base::Status CreateKeystoreFile(const std::filesystem::path& path, crypto::SecretRef<> passphrase,
                                const protocol::KdfCost& cost, const UnlockedRealm& realm) {
  const auto normal = NormalisedPassphrase(passphrase);
  if (!normal) return normal.error();
  const auto state = EncodeState(realm.info, realm.store_key);
  if (!state) return state.error();
  const auto keystore =
      protocol::SealKeystore(*normal, realm.info.realm(), cost, realm.seed, state->Expose());
  if (!keystore) return keystore.error();
  return WriteNewPrivateFile(path, *keystore);
}

base::Result<UnlockedRealm> UnlockKeystoreFile(const std::filesystem::path& path,
                                               crypto::SecretRef<> passphrase) {
  const auto normal = NormalisedPassphrase(passphrase);
  if (!normal) return normal.error();
  const auto keystore = ReadPrivateFile(path, kMaxKeystoreSize);
  if (!keystore) return keystore.error();
  auto open = protocol::UnlockKeystore(*normal, *keystore);
  if (!open) return open.error();
  auto realm = DecodeState(std::move(open->seed), std::as_const(open->state).Expose());
  if (!realm) return realm.error();
  // Both are sealed together, so only a faulty program writes two that differ.
  if (realm->info.realm() != open->header.realm) {
    return base::Error(base::Code::kDecrypt, "the keystore holds another realm than it says");
  }
  return realm;
}

}  // namespace godwit::client
