#include "protocol/keys.h"

#include <algorithm>

#include "crypto/box.h"
#include "crypto/committing.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"
#include "protocol/labels.h"

namespace godwit::protocol {
namespace {

constexpr std::size_t kXWingPublicKeySize = 1216;

}  // namespace

bool IsValidKem(std::uint16_t alg, base::ByteSpan key) {
  if (alg == kAlgX25519) return crypto::IsStrictX25519Key(key);
  return alg == kAlgXWing && key.size() == kXWingPublicKeySize;
}

base::Status CheckOpens(std::uint16_t suite) {
  if (suite == kSuite1) return {};
  return base::Error(base::Code::kUnsupported,
                     "this is sealed in a way that this Godwit does not know: update it");
}

bool AreValidKems(const Kems& kems) {
  return kems.contains(kAlgX25519) && std::ranges::all_of(kems, [](const auto& kem) {
           return IsValidKem(kem.first, kem.second);
         });
}

void WriteKems(Writer& writer, const Kems& kems) {
  writer.U16(static_cast<std::uint16_t>(kems.size()));
  for (const auto& [alg, key] : kems) writer.U16(alg).Var16(key);
}

Kems ReadKems(Reader& reader) {
  Kems kems;
  reader.List([&](Reader& r) {
    const std::uint16_t alg = r.U16();
    r.KeyEnds();
    kems[alg] = base::ToBytes(r.Var16());
  });
  return kems;
}

void WriteDeviceKeys(Writer& writer, const DeviceKeys& keys) {
  writer.Fixed(keys.sign_pk);
  WriteKems(writer, keys.kems);
}

DeviceKeys ReadDeviceKeys(Reader& reader) {
  DeviceKeys keys;
  keys.sign_pk = reader.Take<crypto::SigningPublicKey>();
  keys.kems = ReadKems(reader);
  return keys;
}

base::DeviceId DeviceIdOf(const DeviceKeys& keys) {
  Writer writer;
  WriteDeviceKeys(writer, keys);
  const auto hash = crypto::LabeledHash(labels::kDevice, {writer.bytes()});
  return base::DeviceId(std::span(hash).first<16>());
}

Device::Device(crypto::SigningKey signing_key, crypto::KemKeyPair kem)
    : signing_key_(std::move(signing_key)),
      kem_(std::move(kem)),
      keys_{signing_key_.public_key(), {{kAlgX25519, kem_.public_key}}},
      id_(DeviceIdOf(keys_)) {}

base::Result<Device> Device::FromSeed(const DeviceSeed& seed) {
  crypto::StackSecret<32> sign_seed;
  crypto::Derive(seed, labels::kDeviceSign, {}, sign_seed.Expose());
  auto signing_key = crypto::SigningKey::FromSeed(sign_seed);
  if (!signing_key) return signing_key.error();
  crypto::StackSecret<32> kem_seed;
  crypto::Derive(seed, labels::kDeviceKem, {}, kem_seed.Expose());
  auto kem = crypto::X25519Kem().DeriveKeyPair(kem_seed);
  if (!kem) return kem.error();
  return Device(*std::move(signing_key), *std::move(kem));
}

base::Result<crypto::KemKeyPair> PukKem(const Puk& puk) {
  crypto::StackSecret<32> seed;
  crypto::Derive(puk, labels::kPukKem, {}, seed.Expose());
  return crypto::X25519Kem().DeriveKeyPair(seed);
}

base::Bytes PukBoxContext(const base::RealmId& realm, const base::MemberId& member,
                          std::uint32_t gen, const base::DeviceId& device) {
  Writer w;
  w.U16(kSuite1).Fixed(realm).Fixed(member).U32(gen).Fixed(device);
  return w.Take();
}

base::Bytes PukPreviousContext(const base::RealmId& realm, const base::MemberId& member,
                               std::uint32_t gen, std::uint32_t previous_gen) {
  Writer w;
  w.U16(kSuite1).Fixed(realm).Fixed(member).U32(gen).U32(previous_gen);
  return w.Take();
}

base::Bytes VekBoxContext(const base::RealmId& realm, const base::VaultId& vault,
                          std::uint32_t epoch, const base::MemberId& member,
                          std::uint32_t puk_gen) {
  Writer w;
  w.U16(kSuite1).Fixed(realm).Fixed(vault).U32(epoch).Fixed(member).U32(puk_gen);
  return w.Take();
}

base::Bytes VekGuestBoxContext(const base::RealmId& realm, const base::VaultId& vault,
                               std::uint32_t epoch, const base::GuestId& guest) {
  Writer w;
  w.U16(kSuite1).Fixed(realm).Fixed(vault).U32(epoch).Fixed(guest);
  return w.Take();
}

base::Bytes VekRecoveryBoxContext(const base::RealmId& realm, const base::VaultId& vault,
                                  std::uint32_t epoch, std::uint8_t use, std::uint32_t rec_gen) {
  Writer w;
  w.U16(kSuite1).Fixed(realm).Fixed(vault).U32(epoch).U8(use).U32(rec_gen);
  return w.Take();
}

base::Bytes VekCommitmentContext(const base::RealmId& realm, const base::VaultId& vault,
                                 std::uint32_t epoch) {
  Writer w;
  w.U16(kSuite1).Fixed(realm).Fixed(vault).U32(epoch);
  return w.Take();
}

base::Bytes VekPreviousContext(const base::RealmId& realm, const base::VaultId& vault,
                               std::uint32_t epoch, std::uint32_t older) {
  Writer w;
  w.U16(kSuite1).Fixed(realm).Fixed(vault).U32(epoch).U32(older);
  return w.Take();
}

base::Result<base::Bytes> SealPuk(const Puk& puk, const base::RealmId& realm,
                                  const base::MemberId& member, std::uint32_t gen,
                                  const base::DeviceId& device, const Kems& device_kems) {
  const auto kem = device_kems.find(kAlgX25519);
  if (kem == device_kems.end()) {
    return base::Error(base::Code::kInvalidArgument, "the device lists no X25519 key");
  }
  return crypto::SealBox(crypto::DefaultHpke(), kem->second, labels::kPukBox,
                         PukBoxContext(realm, member, gen, device), puk);
}

base::Result<Puk> OpenPuk(base::ByteSpan box, const base::RealmId& realm,
                          const base::MemberId& member, std::uint32_t gen, const Device& device) {
  return crypto::OpenBox<PukTag>(crypto::DefaultHpke(), device.kem(), labels::kPukBox,
                                 PukBoxContext(realm, member, gen, device.id()), box);
}

base::Result<base::Bytes> WrapPreviousPuk(const Puk& puk, const base::RealmId& realm,
                                          const base::MemberId& member, std::uint32_t gen,
                                          std::uint32_t previous_gen, const Puk& previous) {
  crypto::StackSecret<32> key;
  crypto::Derive(puk, labels::kPukSymmetric, {}, key.Expose());
  return crypto::SealCommitting(key, labels::kPukPrevious,
                                PukPreviousContext(realm, member, gen, previous_gen),
                                previous.Expose());
}

base::Result<Puk> UnwrapPreviousPuk(const Puk& puk, const base::RealmId& realm,
                                    const base::MemberId& member, std::uint32_t gen,
                                    std::uint32_t previous_gen, base::ByteSpan wrap) {
  crypto::StackSecret<32> key;
  crypto::Derive(puk, labels::kPukSymmetric, {}, key.Expose());
  const auto opened = crypto::OpenCommitting(
      key, labels::kPukPrevious, PukPreviousContext(realm, member, gen, previous_gen), wrap);
  if (!opened) return opened.error();
  if (opened->size() != Puk::kSize) {
    return base::Error(base::Code::kDecrypt, "this does not open");
  }
  return Puk::Copy(opened->Expose().first<Puk::kSize>());
}

}  // namespace godwit::protocol
