#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "crypto/secret.h"

namespace godwit::crypto {

// Returns 64 bytes of Argon2id version 1.3 (RFC 9106) with one lane: `ops` passes over `memory`
// bytes. Takes about 0.1 s for 64 MiB and 3 passes, 0.7 s for 256 MiB and 3. What is too little is
// for the keystore to say. RESOURCE_EXHAUSTED: the memory cannot be had, or libsodium refuses the
// numbers.
base::Result<SecretBytes> Argon2id(SecretRef<> passphrase, std::span<const std::uint8_t, 16> salt,
                                   std::uint32_t ops, std::uint64_t memory, std::size_t size = 64);

}  // namespace godwit::crypto
