#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/aead.h"
#include "crypto/kem.h"
#include "crypto/secret.h"

namespace godwit::crypto {

// HPKE base mode (RFC 9180) over a Kem, HKDF-SHA256 and an Aead. Psk and auth modes are not used.
struct HpkeSuite {
  const Kem& kem;
  const Aead& aead;
};

// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305: suite 1 of docs/protocol.md.
HpkeSuite DefaultHpke();

// The context that both ends share after the key schedule: seals or opens a sequence of messages.
class HpkeContext {
 public:
  // INTERNAL: more messages than the sequence can count, or the Aead has no HPKE id and the context
  // is for Export alone.
  base::Result<base::Bytes> Seal(base::ByteSpan ad, base::ByteSpan text);
  // E_DECRYPT: not what the other end sealed next; the sequence stays where it was.
  base::Result<SecretBytes> Open(base::ByteSpan ad, base::ByteSpan sealed);
  // RFC 9180 section 5.3. INVALID_ARGUMENT: more than 255 hashes.
  base::Result<SecretBytes> Export(base::ByteSpan exporter_context, std::size_t size) const;

 private:
  friend base::Result<HpkeContext> HpkeKeySchedule(const HpkeSuite&, SecretRef<>, base::ByteSpan);
  HpkeContext(const Aead& aead, std::uint16_t kem_id) : aead_(&aead), kem_id_(kem_id) {}
  base::Bytes Nonce() const;

  const Aead* aead_;
  std::uint16_t kem_id_;
  SecretBytes key_;
  base::Bytes base_nonce_;
  SecretBytes exporter_secret_;
  std::uint64_t sequence_ = 0;
};

struct HpkeSender {
  base::Bytes encapsulation;
  HpkeContext context;
};

// SetupBaseS whose ephemeral pair comes from `seed` (Kem::EncapsulateDerand). Errors as there.
base::Result<HpkeSender> SetupHpkeSender(const HpkeSuite& suite, base::ByteSpan public_key,
                                         base::ByteSpan info, SecretRef<> seed);
// SetupBaseR. Errors as Kem::Decapsulate.
base::Result<HpkeContext> SetupHpkeReceiver(const HpkeSuite& suite, const KemKeyPair& pair,
                                            base::ByteSpan info, base::ByteSpan encapsulation);

// The key schedule of base mode from a shared secret: for published vectors.
base::Result<HpkeContext> HpkeKeySchedule(const HpkeSuite& suite, SecretRef<> shared_secret,
                                          base::ByteSpan info);

}  // namespace godwit::crypto
