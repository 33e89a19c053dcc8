#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "crypto/secret.h"
#include "protocol/entry.h"
#include "protocol/keys.h"

namespace godwit::protocol {

// Where a revision stands: all that its seal is bound to (docs/protocol.md section 6).
//
//   rctx = "gw1/rec"|u16 suite|realm|vault|record|u64 rver|rprev[32]|u32
//   epoch|author_member|author_device
struct RecordPlace {
  base::RealmId realm;
  base::VaultId vault;
  base::RecordId record;
  std::uint64_t rver = 1;
  base::Link rprev;
  std::uint32_t epoch = 1;
  base::MemberId author_member;
  base::DeviceId author_device;
  std::uint16_t suite = kSuite1;
};
base::Bytes RecordContext(const RecordPlace& place);
// The place that a REV entry claims.
RecordPlace PlaceOf(const EntryHeader& header, const Rev& rev);

// A sealed revision: the payload of its entry, and what goes beside it.
struct SealedRecord {
  Rev rev;
  base::Bytes salt;
  base::Bytes ciphertext;
};
// Pads `text` with `floor` and seals it. INVALID_ARGUMENT: longer than 1 MiB when padded.
base::Result<SealedRecord> SealRecord(const Vek& vek, const RecordPlace& place, base::ByteSpan text,
                                      std::size_t floor, std::uint8_t flags = 0);

// Whether salt and ciphertext are those that the REV lists. If not, the server changed them; if
// they are and opening fails, the author did.
[[nodiscard]] bool AreListed(const Rev& rev, base::ByteSpan salt, base::ByteSpan ciphertext);

// E_DECRYPT: the revision does not open; which part is wrong is not said.
base::Result<crypto::SecretBytes> OpenRecord(const Vek& vek, const RecordPlace& place,
                                             const Rev& rev, base::ByteSpan salt,
                                             base::ByteSpan ciphertext, std::size_t floor);

// The id of a record that several clients may make for one cause, so that the second meets the
// first: X(VEK, "sysrec", vault | u8 machine | object[16] | cause[32], 32)[0:16].
base::RecordId DerivedRecordId(const Vek& vek, const base::VaultId& vault, std::uint8_t machine,
                               std::span<const std::uint8_t, 16> object,
                               std::span<const std::uint8_t, 32> cause);
// The machine of an import's blocks.
inline constexpr std::uint8_t kMachineImport = 18;

// The id of a record that no later revision may change, from what it says: H("act", text)[0:16].
// The text holds 16 random bytes, so that no service tests ids against guesses.
base::RecordId ActRecordId(base::ByteSpan text);

}  // namespace godwit::protocol
