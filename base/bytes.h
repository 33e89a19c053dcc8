#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace godwit::base {

using Bytes = std::vector<std::uint8_t>;
using ByteSpan = std::span<const std::uint8_t>;

// Returns the bytes of `text`, which must outlive the result.
ByteSpan AsBytes(std::string_view text);

// Returns `bytes` as the characters of a string: what protobuf's bytes fields hold.
std::string ToString(ByteSpan bytes);

// Returns a copy of `bytes`.
Bytes ToBytes(ByteSpan bytes);

// Appends `tail` to `bytes`.
void Append(Bytes& bytes, ByteSpan tail);

// Returns `bytes` in lower-case hexadecimal digits, two a byte.
std::string ToHex(ByteSpan bytes);

// Returns what ToHex was given; upper-case digits are taken too. Nothing if `text` is not hex.
std::optional<Bytes> FromHex(std::string_view text);

}  // namespace godwit::base
