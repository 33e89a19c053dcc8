#pragma once

#include <cstdint>
#include <map>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "crypto/hpke.h"
#include "crypto/kem.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "protocol/ce.h"

namespace godwit::protocol {

// The suites of docs/protocol.md section 1. Verifiers know both; this build seals in the first.
inline constexpr std::uint16_t kSuite1 = 1;
inline constexpr std::uint16_t kSuite2 = 2;
inline constexpr std::uint8_t kVersion = 1;

// Whether a signed body of `suite` can be judged.
inline bool IsKnownSuite(std::uint16_t suite) { return suite == kSuite1 || suite == kSuite2; }
// Whether boxes and wraps that a body of `suite` lists can be opened. E_UNSUPPORTED: a later Godwit
// is needed, and nobody is at fault.
base::Status CheckOpens(std::uint16_t suite);

// Public keys of one owner for boxes, by algorithm (docs/protocol.md section 2).
inline constexpr std::uint16_t kAlgX25519 = 1;
inline constexpr std::uint16_t kAlgXWing = 2;
using Kems = std::map<std::uint16_t, base::Bytes>;

// Whether `key` is one of algorithm `alg`: X25519 strict, X-Wing of 1216 bytes, no other.
[[nodiscard]] bool IsValidKem(std::uint16_t alg, base::ByteSpan key);
// Whether `kems` obeys section 2: X25519 present and strict, X-Wing of 1216 bytes, no other.
[[nodiscard]] bool AreValidKems(const Kems& kems);
void WriteKems(Writer& writer, const Kems& kems);
Kems ReadKems(Reader& reader);  // the form alone

// The public keys of a device.
struct DeviceKeys {
  crypto::SigningPublicKey sign_pk;
  Kems kems;

  friend bool operator==(const DeviceKeys&, const DeviceKeys&) = default;
};
void WriteDeviceKeys(Writer& writer, const DeviceKeys& keys);
DeviceKeys ReadDeviceKeys(Reader& reader);
// H("device", devkeys)[0:16]
base::DeviceId DeviceIdOf(const DeviceKeys& keys);

using DeviceSeed = crypto::Secret<struct DeviceSeedTag, 32>;
using Puk = crypto::Secret<struct PukTag, 32>;
using Vek = crypto::Secret<struct VekTag, 32>;

// A device's key pairs, all derived from its one seed. Moves, does not copy.
class Device {
 public:
  static base::Result<Device> FromSeed(const DeviceSeed& seed);

  const base::DeviceId& id() const { return id_; }
  const DeviceKeys& keys() const { return keys_; }
  const crypto::SigningKey& signing_key() const { return signing_key_; }
  const crypto::KemKeyPair& kem() const { return kem_; }

 private:
  Device(crypto::SigningKey signing_key, crypto::KemKeyPair kem);

  crypto::SigningKey signing_key_;
  crypto::KemKeyPair kem_;
  DeviceKeys keys_;
  base::DeviceId id_;
};

// HPKE DeriveKeyPair(X(puk, "puk-kem", "", 32)).
base::Result<crypto::KemKeyPair> PukKem(const Puk& puk);

// Context bytes of section 1's table.
base::Bytes PukBoxContext(const base::RealmId& realm, const base::MemberId& member,
                          std::uint32_t gen, const base::DeviceId& device);
base::Bytes PukPreviousContext(const base::RealmId& realm, const base::MemberId& member,
                               std::uint32_t gen, std::uint32_t previous_gen);
base::Bytes VekBoxContext(const base::RealmId& realm, const base::VaultId& vault,
                          std::uint32_t epoch, const base::MemberId& member, std::uint32_t puk_gen);
base::Bytes VekGuestBoxContext(const base::RealmId& realm, const base::VaultId& vault,
                               std::uint32_t epoch, const base::GuestId& guest);
base::Bytes VekRecoveryBoxContext(const base::RealmId& realm, const base::VaultId& vault,
                                  std::uint32_t epoch, std::uint8_t use, std::uint32_t rec_gen);
base::Bytes VekCommitmentContext(const base::RealmId& realm, const base::VaultId& vault,
                                 std::uint32_t epoch);
base::Bytes VekPreviousContext(const base::RealmId& realm, const base::VaultId& vault,
                               std::uint32_t epoch, std::uint32_t older);

// A PUK in a box for a device, and the box opened.
base::Result<base::Bytes> SealPuk(const Puk& puk, const base::RealmId& realm,
                                  const base::MemberId& member, std::uint32_t gen,
                                  const base::DeviceId& device, const Kems& device_kems);
// E_DECRYPT: not a box for this device and these names.
base::Result<Puk> OpenPuk(base::ByteSpan box, const base::RealmId& realm,
                          const base::MemberId& member, std::uint32_t gen, const Device& device);
// prev_wrap of PUK_ROTATE: 112 bytes.
base::Result<base::Bytes> WrapPreviousPuk(const Puk& puk, const base::RealmId& realm,
                                          const base::MemberId& member, std::uint32_t gen,
                                          std::uint32_t previous_gen, const Puk& previous);
base::Result<Puk> UnwrapPreviousPuk(const Puk& puk, const base::RealmId& realm,
                                    const base::MemberId& member, std::uint32_t gen,
                                    std::uint32_t previous_gen, base::ByteSpan wrap);

}  // namespace godwit::protocol
