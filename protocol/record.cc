#include "protocol/record.h"

#include <algorithm>

#include "crypto/committing.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"
#include "crypto/padding.h"
#include "protocol/ce.h"
#include "protocol/labels.h"

namespace godwit::protocol {

base::Bytes RecordContext(const RecordPlace& place) {
  Writer w;
  w.Raw("gw1/rec").U16(place.suite).Fixed(place.realm).Fixed(place.vault).Fixed(place.record);
  w.U64(place.rver).Fixed(place.rprev).U32(place.epoch);
  w.Fixed(place.author_member).Fixed(place.author_device);
  return w.Take();
}

RecordPlace PlaceOf(const EntryHeader& header, const Rev& rev) {
  return {header.realm, header.vault,         rev.record,           rev.rver,    rev.rprev,
          rev.epoch,    header.author_member, header.author_device, header.suite};
}

base::Result<SealedRecord> SealRecord(const Vek& vek, const RecordPlace& place, base::ByteSpan text,
                                      std::size_t floor, std::uint8_t flags) {
  if (crypto::PaddedSize(text.size() + 4, floor) > kMaxRecordPlaintext) {
    return base::Error(base::Code::kInvalidArgument,
                       "a record may be 1 MiB long: split it, or attach a file");
  }
  const crypto::SecretBytes padded = crypto::Pad(text, floor);
  auto parts =
      crypto::SealCommittingParts(vek, labels::kRecord, RecordContext(place), padded.Expose());
  SealedRecord sealed;
  sealed.salt = base::ToBytes(parts.salt);
  sealed.ciphertext = std::move(parts.ciphertext);
  Rev& rev = sealed.rev;
  rev.record = place.record;
  rev.rver = place.rver;
  rev.rprev = place.rprev;
  rev.epoch = place.epoch;
  rev.flags = flags;
  rev.salt_sha256 = base::Sha256Hash(crypto::Sha256(sealed.salt));
  rev.commitment = parts.commitment;
  rev.ct_len = static_cast<std::uint32_t>(sealed.ciphertext.size());
  rev.ct_sha256 = base::Sha256Hash(crypto::Sha256(sealed.ciphertext));
  return sealed;
}

bool AreListed(const Rev& rev, base::ByteSpan salt, base::ByteSpan ciphertext) {
  return ciphertext.size() == rev.ct_len &&
         base::Sha256Hash(crypto::Sha256(salt)) == rev.salt_sha256 &&
         base::Sha256Hash(crypto::Sha256(ciphertext)) == rev.ct_sha256;
}

base::Result<crypto::SecretBytes> OpenRecord(const Vek& vek, const RecordPlace& place,
                                             const Rev& rev, base::ByteSpan salt,
                                             base::ByteSpan ciphertext, std::size_t floor) {
  const base::Error closed(base::Code::kDecrypt, "this does not open");
  if (salt.size() != crypto::kCommittingSaltSize || !AreListed(rev, salt, ciphertext)) {
    return closed;
  }
  const auto padded = crypto::OpenCommittingParts(vek, labels::kRecord, RecordContext(place),
                                                  salt.first<crypto::kCommittingSaltSize>(),
                                                  rev.commitment, ciphertext);
  if (!padded) return closed;
  return crypto::Unpad(padded->Expose(), floor);
}

base::RecordId DerivedRecordId(const Vek& vek, const base::VaultId& vault, std::uint8_t machine,
                               std::span<const std::uint8_t, 16> object,
                               std::span<const std::uint8_t, 32> cause) {
  Writer context;
  context.Fixed(vault).U8(machine).Raw(object).Raw(cause);
  std::array<std::uint8_t, 32> out{};
  crypto::Derive(vek, labels::kSystemRecord, context.bytes(), out);
  return base::RecordId(std::span(out).first<16>());
}

base::RecordId ActRecordId(base::ByteSpan text) {
  const auto hash = crypto::LabeledHash(labels::kAct, {text});
  return base::RecordId(std::span(hash).first<16>());
}

}  // namespace godwit::protocol
