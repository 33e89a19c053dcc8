#pragma once

#include <filesystem>

#include "base/result.h"
#include "client/profile.h"
#include "client/realm_keys.h"
#include "crypto/secret.h"
#include "protocol/keystore.h"

namespace godwit::client {

// Writes a realm's keys into a new keystore file of mode 0600, whole or not at all, sealed under
// `passphrase` (UTF-8 as typed; it is normalised here). Takes as long as `cost` says: 0.7 s by
// default.
//
// INVALID_ARGUMENT: a passphrase that NormalisedPassphrase refuses, an `info` that EncodeState
// refuses. E_DOWNGRADE: `cost` is below the floor; above the cap it is INVALID_ARGUMENT too.
// EXISTS: there is a keystore already, which stays as it is. IO, RESOURCE_EXHAUSTED.
base::Status CreateKeystoreFile(const std::filesystem::path& path, crypto::SecretRef<> passphrase,
                                const protocol::KdfCost& cost, const UnlockedRealm& realm);

// Returns what a keystore file holds.
//
// NOT_FOUND: no such file. PERMISSION_DENIED: others may read or change it, or it is no plain file
// of this user's. E_DECRYPT: the passphrase is wrong or the file was changed; which of them is not
// said. E_UNSUPPORTED, E_DOWNGRADE: as protocol::ReadKeystoreHeader. IO, RESOURCE_EXHAUSTED.
base::Result<UnlockedRealm> UnlockKeystoreFile(const std::filesystem::path& path,
                                               crypto::SecretRef<> passphrase);

// Makes a realm's store and then its keystore in a profile, and returns the store's path; a store
// that a crash left without a keystore is made anew. Errors as Store::Create and
// CreateKeystoreFile.
base::Result<std::filesystem::path> KeepRealm(const Profile& profile,
                                              crypto::SecretRef<> passphrase,
                                              const protocol::KdfCost& cost,
                                              const UnlockedRealm& realm);

}  // namespace godwit::client
