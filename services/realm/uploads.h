#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"

namespace godwit::realm {

// What callers send, parsed: sizes and ids have the right form, nothing else was looked at. The
// spans look into the request.
struct DeviceBox {
  base::DeviceId device;
  base::ByteSpan box;
};
struct StatementUpload {
  base::ByteSpan statement;
  std::vector<DeviceBox> boxes;
};

struct MemberBox {
  base::MemberId member;
  base::ByteSpan box;
};
struct EntryUpload {
  base::ByteSpan entry;
  std::vector<MemberBox> boxes;
  base::ByteSpan salt;
  base::ByteSpan ciphertext;
};
struct VaultUpload {
  std::vector<EntryUpload> entries;  // at least one
};

// What may be sent, in bytes where nothing else is said. Limits that are part of validity (section
// 1 of docs/protocol.md) are the verifiers'; these only bound what they are given.
inline constexpr std::size_t kMaxAu = 1024;
inline constexpr std::size_t kMaxStatement = 128 * 1024;
inline constexpr std::size_t kMaxStatements = 64;  // a call
inline constexpr std::size_t kMaxEntry = 256 * 1024;
inline constexpr std::size_t kMaxBox = 1120 + 48;  // X-Wing's enc and ct
inline constexpr std::size_t kMaxDeviceBoxes = 16;
inline constexpr std::size_t kMaxMemberBoxes = 2000;
inline constexpr std::size_t kSaltSize = 32;
inline constexpr std::size_t kMaxCiphertext = (1 << 20) + 16;
inline constexpr std::size_t kClaimSize = 32;
inline constexpr std::size_t kMaxOffer = 64 * 1024;
inline constexpr std::size_t kMaxJoinMessage = 16 * 1024;

}  // namespace godwit::realm
