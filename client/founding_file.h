#pragma once

#include <filesystem>

#include "base/result.h"
#include "client/founding.h"
#include "crypto/secret.h"
#include "protocol/keystore.h"

namespace godwit::client {

// A founder's keys of a realm that is still a draft, sealed under their passphrase like a keystore
// (docs/protocol.md section 10), whose realm is zero since nobody knows it yet:
//
//   state = "gw1/cf"|u8 ver|u8 compartment|str handle|member|store_key[32]
//
// Once the draft is complete, a keystore takes its place.

// Writes a new file of mode 0600. Errors as CreateKeystoreFile.
base::Status CreateFoundingFile(const std::filesystem::path& path, crypto::SecretRef<> passphrase,
                                const protocol::KdfCost& cost, protocol::Compartment compartment,
                                const FounderKeys& keys);
// Errors as UnlockKeystoreFile. E_DECRYPT: of another compartment, too.
base::Result<FounderKeys> UnlockFoundingFile(const std::filesystem::path& path,
                                             crypto::SecretRef<> passphrase,
                                             protocol::Compartment compartment);

}  // namespace godwit::client
