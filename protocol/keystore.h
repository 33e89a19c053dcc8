#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "protocol/keys.h"

namespace godwit::protocol {

// The file that holds a device's seed in one realm (docs/protocol.md section 10):
//
//   header   = "gw1/ks"|u8 ver|u8 mode|realm|enrol_id[16]|salt[16]|u32 ops|u64 mem|pkU[32]
//   keystore = header | CA(KEK, "keystore", header, device seed[32] | state)
//
// Mode 0: no key service, pkU zero, y = 64 zero bytes. Mode 1 comes with the key service.
struct KdfCost {
  std::uint32_t ops = 3;
  std::uint64_t mem = 256u << 20;

  // Compiled in: a keystore below the floor, or above what a device can do, is refused unopened.
  static constexpr std::uint32_t kFloorOps = 3;
  static constexpr std::uint64_t kFloorMem = 64u << 20;
  static constexpr std::uint32_t kCapOps = 10;
  static constexpr std::uint64_t kCapMem = std::uint64_t{1} << 30;
};

struct KeystoreHeader {
  std::uint8_t mode = 0;
  base::RealmId realm;
  std::array<std::uint8_t, 16> enrol_id{};
  std::array<std::uint8_t, 16> salt{};
  KdfCost cost;
  std::array<std::uint8_t, 32> pk_u{};
};

struct OpenKeystore {
  KeystoreHeader header;
  DeviceSeed seed;
  crypto::SecretBytes state;
};

// Seals a seed and the client's own `state` under a passphrase that was normalised to NFC, with a
// new enrolment. E_DOWNGRADE: `cost` is below the floor; INVALID_ARGUMENT: above the cap.
base::Result<base::Bytes> SealKeystore(crypto::SecretRef<> passphrase, const base::RealmId& realm,
                                       const KdfCost& cost, const DeviceSeed& seed,
                                       base::ByteSpan state);

// Reads the header alone. E_DECRYPT: no keystore. E_UNSUPPORTED: another ver or mode.
// E_DOWNGRADE: a cost below the floor, or above the cap.
base::Result<KeystoreHeader> ReadKeystoreHeader(base::ByteSpan keystore);

// As ReadKeystoreHeader, and E_DECRYPT: the passphrase is wrong or the file was changed; which of
// them is not said.
base::Result<OpenKeystore> UnlockKeystore(crypto::SecretRef<> passphrase, base::ByteSpan keystore);

}  // namespace godwit::protocol
