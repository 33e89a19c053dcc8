#include "crypto/hpke.h"

#include <algorithm>
#include <array>
#include <limits>

#include "crypto/errors.h"
#include "crypto/labeled_hkdf.h"

namespace godwit::crypto {
namespace {

constexpr std::uint8_t kModeBase = 0x00;
constexpr std::uint16_t kKdfSha256 = 0x0001;
constexpr std::uint16_t kExportOnly = 0xffff;

// "HPKE" | u16 kem | u16 kdf | u16 aead
std::array<std::uint8_t, 10> SuiteId(std::uint16_t kem_id, std::uint16_t aead_id) {
  const auto high = [](std::uint16_t id) { return static_cast<std::uint8_t>(id >> 8); };
  const auto low = [](std::uint16_t id) { return static_cast<std::uint8_t>(id & 0xff); };
  return {'H',
          'P',
          'K',
          'E',
          high(kem_id),
          low(kem_id),
          high(kKdfSha256),
          low(kKdfSha256),
          high(aead_id),
          low(aead_id)};
}

}  // namespace

HpkeSuite DefaultHpke() { return {X25519Kem(), ChaCha20Poly1305()}; }

base::Result<base::Bytes> HpkeContext::Seal(base::ByteSpan ad, base::ByteSpan text) {
  if (key_.size() == 0) {
    return base::Error(base::Code::kInternal, "an export-only HPKE context seals nothing");
  }
  if (sequence_ == std::numeric_limits<std::uint64_t>::max()) {
    return base::Error(base::Code::kInternal, "an HPKE context has no nonce left");
  }
  auto sealed = aead_->Seal(key_, Nonce(), ad, text);
  ++sequence_;
  return sealed;
}

base::Result<SecretBytes> HpkeContext::Open(base::ByteSpan ad, base::ByteSpan sealed) {
  if (key_.size() == 0) return kDecryptError;
  if (sequence_ == std::numeric_limits<std::uint64_t>::max()) return kDecryptError;
  auto text = aead_->Open(key_, Nonce(), ad, sealed);
  if (text) ++sequence_;
  return text;
}

base::Result<SecretBytes> HpkeContext::Export(base::ByteSpan exporter_context,
                                              std::size_t size) const {
  SecretBytes secret(size);
  const auto expanded = LabeledExpand(SuiteId(kem_id_, aead_->hpke_id()), exporter_secret_, "sec",
                                      exporter_context, {}, secret.Expose());
  if (!expanded) return expanded.error();
  return secret;
}

// base_nonce XOR the sequence number, big-endian at its end
base::Bytes HpkeContext::Nonce() const {
  base::Bytes nonce = base_nonce_;
  for (std::size_t i = 0; i < sizeof sequence_; ++i) {
    nonce[nonce.size() - 1 - i] ^= static_cast<std::uint8_t>(sequence_ >> (8 * i));
  }
  return nonce;
}

base::Result<HpkeSender> SetupHpkeSender(const HpkeSuite& suite, base::ByteSpan public_key,
                                         base::ByteSpan info, SecretRef<> seed) {
  auto encapsulated = suite.kem.EncapsulateDerand(public_key, seed);
  if (!encapsulated) return encapsulated.error();
  auto context = HpkeKeySchedule(suite, encapsulated->shared_secret, info);
  if (!context) return context.error();
  return HpkeSender{std::move(encapsulated->encapsulation), *std::move(context)};
}

base::Result<HpkeContext> SetupHpkeReceiver(const HpkeSuite& suite, const KemKeyPair& pair,
                                            base::ByteSpan info, base::ByteSpan encapsulation) {
  const auto shared_secret = suite.kem.Decapsulate(pair, encapsulation);
  if (!shared_secret) return shared_secret.error();
  return HpkeKeySchedule(suite, *shared_secret, info);
}

base::Result<HpkeContext> HpkeKeySchedule(const HpkeSuite& suite, SecretRef<> shared_secret,
                                          base::ByteSpan info) {
  const auto suite_id = SuiteId(suite.kem.hpke_id(), suite.aead.hpke_id());

  // u8 mode | psk_id_hash[32] | info_hash[32]
  std::array<std::uint8_t, 1 + 32 + 32> context;
  const std::span context_span(context);
  context[0] = kModeBase;
  LabeledExtract(suite_id, {}, "psk_id_hash", {}, context_span.subspan<1, 32>());
  LabeledExtract(suite_id, {}, "info_hash", info, context_span.subspan<33, 32>());

  StackSecret<32> secret;
  LabeledExtract(suite_id, shared_secret.Expose(), "secret", {}, secret.Expose());

  HpkeContext made(suite.aead, suite.kem.hpke_id());
  const auto expand = [&](std::string_view label, std::span<std::uint8_t> out) {
    return LabeledExpand(suite_id, secret, label, context, {}, out);
  };
  made.exporter_secret_ = SecretBytes(32);
  if (const auto done = expand("exp", made.exporter_secret_.Expose()); !done) return done.error();
  if (suite.aead.hpke_id() == kExportOnly) return made;
  made.key_ = SecretBytes(suite.aead.key_size());
  if (const auto done = expand("key", made.key_.Expose()); !done) return done.error();
  made.base_nonce_.resize(suite.aead.nonce_size());
  if (const auto done = expand("base_nonce", made.base_nonce_); !done) return done.error();
  return made;
}

}  // namespace godwit::crypto
