#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>

#include "base/bytes.h"

namespace godwit::base {

// N bytes with a meaning: two with different tags are different types. Nothing in it is secret.
template <class Tag, std::size_t N>
class FixedBytes {
 public:
  static constexpr std::size_t kSize = N;

  // All zeros, which no id, key or hash in use ever is.
  constexpr FixedBytes() = default;
  constexpr explicit FixedBytes(const std::array<std::uint8_t, N>& bytes) : bytes_(bytes) {}
  constexpr explicit FixedBytes(std::span<const std::uint8_t, N> bytes) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
  }

  // Nothing if `bytes` are not N.
  static constexpr std::optional<FixedBytes> FromBytes(ByteSpan bytes) {
    if (bytes.size() != N) return std::nullopt;
    return FixedBytes(bytes.template first<N>());
  }

  constexpr std::span<const std::uint8_t, N> bytes() const { return bytes_; }
  constexpr bool IsZero() const {
    return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t b) { return b == 0; });
  }

  friend constexpr auto operator<=>(const FixedBytes&, const FixedBytes&) = default;

 private:
  std::array<std::uint8_t, N> bytes_{};
};

// Ids of 16 bytes; docs/protocol.md section 2 says how each is made.
using RealmId = FixedBytes<struct RealmIdTag, 16>;
using MemberId = FixedBytes<struct MemberIdTag, 16>;
using DeviceId = FixedBytes<struct DeviceIdTag, 16>;
using GuestId = FixedBytes<struct GuestIdTag, 16>;
using InviteId = FixedBytes<struct InviteIdTag, 16>;
using VaultId = FixedBytes<struct VaultIdTag, 16>;
using RecordId = FixedBytes<struct RecordIdTag, 16>;
using AttachmentId = FixedBytes<struct AttachmentIdTag, 16>;
using HumanId = FixedBytes<struct HumanIdTag, 16>;

// The hash of a whole statement or entry with its signature; zero where there is none.
using Link = FixedBytes<struct LinkTag, 32>;
// A SHA-256 of bytes that stand elsewhere.
using Sha256Hash = FixedBytes<struct Sha256HashTag, 32>;
// H("realm", GENESIS with realm zero): what a client pins.
using Fingerprint = FixedBytes<struct FingerprintTag, 32>;

}  // namespace godwit::base

template <class Tag, std::size_t N>
struct std::hash<godwit::base::FixedBytes<Tag, N>> {
  // Ids and hashes are uniform already; their first bytes serve.
  std::size_t operator()(const godwit::base::FixedBytes<Tag, N>& value) const noexcept {
    static_assert(N >= sizeof(std::size_t));
    std::size_t word = 0;
    std::memcpy(&word, value.bytes().data(), sizeof word);
    return word;
  }
};
