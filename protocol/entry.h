#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <variant>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "crypto/sign.h"
#include "protocol/keys.h"
#include "protocol/kinds.h"

namespace godwit::protocol {

// An entry of a vault's chain (docs/protocol.md section 5):
//
//   VE.body = "gw1/ve"|u8 ver|u16 suite|realm|vault|u64 seq|prev[32]|u8
//   type|author_member|author_device
//             |u64 roster_seq|roster_head[32]|epoch_link[32]|pin_link[32]|var32 payload
//   VE      = var32 body | sig
enum class EntryType : std::uint8_t {
  kCreate = 1,
  kEpoch = 2,
  kRev = 3,
  kTomb = 4,
  kState = 5,
  kAssent = 6,
  kAsk = 7,
};
inline constexpr std::uint8_t kLastEntryType = 7;
inline constexpr std::size_t kMaxEntryBody = 128 * 1024;
inline constexpr std::size_t kMaxEpochList = 2000;
inline constexpr std::size_t kMaxWraps = 8;
inline constexpr std::size_t kMaxAttachments = 64;
inline constexpr std::uint64_t kMaxAttachmentSize = std::uint64_t{1} << 30;
inline constexpr std::size_t kMaxRecordPlaintext = 1 << 20;
inline constexpr std::size_t kWrapSize = 112;

struct EntryHeader {
  std::uint8_t ver = kVersion;
  std::uint16_t suite = kSuite1;
  base::RealmId realm;
  base::VaultId vault;
  std::uint64_t seq = 0;
  base::Link prev;
  std::uint8_t type = 0;
  base::MemberId author_member;
  base::DeviceId author_device;
  std::uint64_t roster_seq = 0;
  base::Link roster_head;
  base::Link epoch_link;
  base::Link pin_link;
};

// An entry taken apart, its payload still in bytes. The spans look into the bytes it came from.
struct RawEntry {
  EntryHeader header;
  base::ByteSpan body;
  base::ByteSpan payload;
  crypto::Signature signature;
};

// Whether a guest wrote it: both author ids are the guest's. No member's id is a device's.
[[nodiscard]] bool IsByGuest(const EntryHeader& header);

// E_SIG: `bytes` are no entry in CE, or not of this tag. E_UNSUPPORTED: another ver.
base::Result<RawEntry> ReadEntry(base::ByteSpan bytes);
// H("link", VE)
base::Link EntryLink(base::ByteSpan entry);

struct Create {
  std::array<std::uint8_t, 16> nonce{};
  std::uint8_t kind = 0;
};
struct EpochRow {
  Perm perm = 0;
  std::uint32_t puk_gen = 0;  // 0: suspended, or perm 2
  base::Sha256Hash box_hash;

  friend bool operator==(const EpochRow&, const EpochRow&) = default;
};
struct EpochGuest {
  Perm perm = 0;
  std::uint32_t expires_hour = 0;
  DeviceKeys device;
  base::Sha256Hash box_hash;

  friend bool operator==(const EpochGuest&, const EpochGuest&) = default;
};
struct Epoch {
  std::uint32_t epoch = 0;
  base::Link request;  // zero unless break-glass
  std::map<base::MemberId, EpochRow> list;
  std::map<base::GuestId, EpochGuest> guests;
  std::array<std::uint8_t, 32> commitment{};
  std::map<std::uint32_t, std::array<std::uint8_t, kWrapSize>> wraps;
  std::uint32_t rec_gen = 0;
  base::Sha256Hash rec_box_hash;
};
struct Rev {
  static constexpr std::uint8_t kForget = 1;
  static constexpr std::uint8_t kDecision = 2;
  struct Attachment {
    std::uint64_t size = 0;
    base::Sha256Hash sha256;
  };

  base::RecordId record;
  std::uint64_t rver = 0;
  base::Link rprev;
  std::uint32_t epoch = 0;
  std::uint8_t flags = 0;
  base::Sha256Hash salt_sha256;
  std::array<std::uint8_t, 32> commitment{};
  std::uint32_t ct_len = 0;
  base::Sha256Hash ct_sha256;
  std::map<base::AttachmentId, Attachment> attachments;
};
struct Tomb {
  base::RecordId record;
  std::uint64_t rver = 0;
  base::Link rprev;
  std::uint8_t reason = 0;
};
// All three values as they shall be.
struct State {
  std::uint8_t frozen = 0;
  std::uint8_t hold = 0;
  std::uint32_t erase_day = 0;  // days since 1970-01-01 UTC, 0: none

  friend bool operator==(const State&, const State&) = default;
};
struct Assent {
  static constexpr std::uint8_t kYes = 1;
  static constexpr std::uint8_t kNo = 2;

  base::Link target;
  std::uint8_t say = 0;
};
inline constexpr std::uint16_t kMaxAskHours = 72;
struct Ask {
  static constexpr std::uint8_t kToRead = 1;

  std::uint8_t what = 0;
  std::uint16_t reason = 0;
  std::uint16_t hours = 0;
  std::set<base::RecordId> records;  // empty: all
};
// In the order of their types.
using EntryPayload = std::variant<Create, Epoch, Rev, Tomb, State, Assent, Ask>;

// E_SIG: not the CE of that type's payload. E_UNSUPPORTED: a type that this build does not know.
base::Result<EntryPayload> ReadEntryPayload(std::uint8_t type, base::ByteSpan payload);
base::Bytes WriteEntryPayload(const EntryPayload& payload);
std::uint8_t TypeOf(const EntryPayload& payload);

// Signs an entry. `header.type` is set from the payload.
base::Bytes SignEntry(EntryHeader header, const EntryPayload& payload,
                      const crypto::SigningKey& key);
// Signs a CREATE: seq 0, prev and links zero; the vault's id is made from the body.
struct SignedCreate {
  base::Bytes entry;
  base::VaultId vault;
};
SignedCreate SignCreate(EntryHeader header, const Create& create, const crypto::SigningKey& key);

// H("vault", CREATE body with vault zero)[0:16]
base::VaultId VaultIdOf(base::ByteSpan create_body);
// The id of a vault's pinned record: H("summary", vault)[0:16]
base::RecordId PinnedRecordOf(const base::VaultId& vault);

}  // namespace godwit::protocol
