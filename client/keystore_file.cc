#include "client/keystore_file.h"

#include <utility>

#include "client/normalise.h"
#include "client/private_file.h"
#include "client/store.h"

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

base::Result<std::filesystem::path> KeepRealm(const Profile& profile,
                                              crypto::SecretRef<> passphrase,
                                              const protocol::KdfCost& cost,
                                              const UnlockedRealm& realm) {
  const protocol::Compartment compartment = realm.info.compartment;
  if (const auto clean = profile.DiscardUnfinished(compartment); !clean) return clean.error();
  auto path = profile.StorePath(compartment);
  {
    const auto store = Store::Create(path, realm.store_key, realm.info.realm());
    if (!store) return store.error();
  }
  const auto kept = CreateKeystoreFile(profile.KeystorePath(compartment), passphrase, cost, realm);
  if (!kept) return kept.error();
  return path;
}

}  // namespace godwit::client
