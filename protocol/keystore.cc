#include "protocol/keystore.h"

#include <algorithm>

#include "crypto/argon2id.h"
#include "crypto/committing.h"
#include "crypto/hkdf.h"
#include "protocol/ce.h"
#include "protocol/labels.h"

namespace godwit::protocol {
namespace {

constexpr std::string_view kTag = "gw1/ks";
constexpr std::size_t kHeaderSize = kTag.size() + 1 + 1 + 16 + 16 + 16 + 4 + 8 + 32;

base::Error Closed() {
  return {base::Code::kDecrypt, "the passphrase is wrong, or the keystore was changed"};
}

base::Error BelowFloor() {
  return {base::Code::kDowngrade, "the keystore's passphrase cost is below the floor"};
}

base::Bytes WriteHeader(const KeystoreHeader& h) {
  Writer w;
  w.Raw(kTag).U8(kVersion).U8(h.mode).Fixed(h.realm).Raw(h.enrol_id).Raw(h.salt);
  w.U32(h.cost.ops).U64(h.cost.mem).Raw(h.pk_u);
  return w.Take();
}

bool IsBelowFloor(const KdfCost& cost) {
  return cost.ops < KdfCost::kFloorOps || cost.mem < KdfCost::kFloorMem;
}
bool IsAboveCap(const KdfCost& cost) {
  return cost.ops > KdfCost::kCapOps || cost.mem > KdfCost::kCapMem;
}

// KEK = HKDF-Extract-SHA512("gw1/kek" | enrol_id, y | p | hw32)[0:32]; in mode 0 y is 64 zero
// bytes, and without a hardware key so are the last 32.
base::Status DeriveKek(crypto::SecretRef<> passphrase, const KeystoreHeader& h,
                       std::span<std::uint8_t, 32> kek) {
  const auto p = crypto::Argon2id(passphrase, h.salt, h.cost.ops, h.cost.mem);
  if (!p) return p.error();
  crypto::StackSecret<64 + 64 + 32> ikm;
  std::ranges::copy(p->Expose(), ikm.Expose().begin() + 64);
  Writer salt;
  salt.Raw("gw1/kek").Raw(h.enrol_id);
  crypto::StackSecret<64> prk;
  crypto::HkdfExtractSha512(salt.bytes(), ikm, prk.Expose());
  std::ranges::copy(prk.Expose().first<32>(), kek.begin());
  return {};
}

}  // namespace

base::Result<base::Bytes> SealKeystore(crypto::SecretRef<> passphrase, const base::RealmId& realm,
                                       const KdfCost& cost, const DeviceSeed& seed,
                                       base::ByteSpan state) {
  if (IsBelowFloor(cost)) return BelowFloor();
  if (IsAboveCap(cost)) {
    return base::Error(base::Code::kInvalidArgument, "the passphrase cost is above the cap");
  }
  KeystoreHeader header;
  header.realm = realm;
  header.cost = cost;
  crypto::FillRandom(header.enrol_id);
  crypto::FillRandom(header.salt);
  crypto::StackSecret<32> kek;
  if (const auto status = DeriveKek(passphrase, header, kek.Expose()); !status) {
    return status.error();
  }
  crypto::SecretBytes text(DeviceSeed::kSize + state.size());
  std::ranges::copy(seed.Expose(), text.Expose().begin());
  std::ranges::copy(state, text.Expose().begin() + DeviceSeed::kSize);
  base::Bytes keystore = WriteHeader(header);
  const base::Bytes sealed =
      crypto::SealCommitting(kek, labels::kKeystore, keystore, text.Expose());
  base::Append(keystore, sealed);
  return keystore;
}

base::Result<KeystoreHeader> ReadKeystoreHeader(base::ByteSpan keystore) {
  Reader r(keystore);
  const base::ByteSpan tag = r.Raw(kTag.size());
  const std::uint8_t ver = r.U8();
  KeystoreHeader h;
  h.mode = r.U8();
  h.realm = r.Take<base::RealmId>();
  h.enrol_id = r.Array<16>();
  h.salt = r.Array<16>();
  h.cost.ops = r.U32();
  h.cost.mem = r.U64();
  h.pk_u = r.Array<32>();
  if (!r.ok() || !std::ranges::equal(tag, base::AsBytes(kTag))) return Closed();
  if (ver != kVersion || h.mode != 0) {
    return base::Error(base::Code::kUnsupported, "a keystore of a later version: update Godwit");
  }
  if (IsBelowFloor(h.cost)) return BelowFloor();
  if (IsAboveCap(h.cost)) {
    return base::Error(base::Code::kDowngrade, "the keystore's passphrase cost is above the cap");
  }
  if (std::ranges::any_of(h.pk_u, [](std::uint8_t b) { return b != 0; })) return Closed();
  return h;
}

base::Result<OpenKeystore> UnlockKeystore(crypto::SecretRef<> passphrase, base::ByteSpan keystore) {
  const auto header = ReadKeystoreHeader(keystore);
  if (!header) return header.error();
  crypto::StackSecret<32> kek;
  if (const auto status = DeriveKek(passphrase, *header, kek.Expose()); !status) {
    return status.error();
  }
  const auto text = crypto::OpenCommitting(kek, labels::kKeystore, keystore.first(kHeaderSize),
                                           keystore.subspan(kHeaderSize));
  if (!text || text->size() < DeviceSeed::kSize) return Closed();
  auto seed = DeviceSeed::Copy(text->Expose().first<DeviceSeed::kSize>());
  if (!seed) return seed.error();
  return OpenKeystore{*header, *std::move(seed),
                      crypto::SecretBytes::Copy(text->Expose().subspan(DeviceSeed::kSize))};
}

}  // namespace godwit::protocol
