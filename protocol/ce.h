#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/id.h"

namespace godwit::protocol {

// CE, the encoding of docs/protocol.md section 1: fixed field order, big-endian integers, lengths
// in front, lists strictly ascending by the bytes of their keys. One value has one encoding.

// Whether `text` may stand in a `str`: well-formed UTF-8 of at most 255 bytes without U+0000-001F
// and U+007F-009F.
bool IsStr(std::string_view text);

// Builds an encoding. What it is given must be encodable (lists in order, strings well-formed):
// asserts, since only our own values get here.
class Writer {
 public:
  Writer& U8(std::uint8_t value);
  Writer& U16(std::uint16_t value);
  Writer& U32(std::uint32_t value);
  Writer& U64(std::uint64_t value);
  Writer& Raw(base::ByteSpan bytes);
  Writer& Raw(std::string_view text) { return Raw(base::AsBytes(text)); }
  template <class Tag, std::size_t N>
  Writer& Fixed(const base::FixedBytes<Tag, N>& value) {
    return Raw(value.bytes());
  }
  Writer& Var16(base::ByteSpan bytes);
  Writer& Var32(base::ByteSpan bytes);
  Writer& Str(std::string_view text);

  base::ByteSpan bytes() const { return bytes_; }
  base::Bytes Take() { return std::move(bytes_); }

 private:
  base::Bytes bytes_;
};

// Reads an encoding front to back. After the first failure everything reads as zero or empty and
// ok() is false, so that a decoder is one straight run of reads and one check at its end.
class Reader {
 public:
  explicit Reader(base::ByteSpan bytes) : rest_(bytes) {}

  std::uint8_t U8();
  std::uint16_t U16();
  std::uint32_t U32();
  std::uint64_t U64();
  base::ByteSpan Raw(std::size_t size);
  template <class Fixed>
  Fixed Take() {
    const base::ByteSpan bytes = Raw(Fixed::kSize);
    return ok_ ? *Fixed::FromBytes(bytes) : Fixed();
  }
  template <std::size_t N>
  std::array<std::uint8_t, N> Array() {
    std::array<std::uint8_t, N> out{};
    const base::ByteSpan bytes = Raw(N);
    if (ok_) std::copy(bytes.begin(), bytes.end(), out.begin());
    return out;
  }
  base::ByteSpan Var16();
  base::ByteSpan Var32();
  std::string Str();
  // A byte that says whether something follows: 0 or 1, anything else fails.
  bool Presence();

  // Reads a list: calls `item(reader)` for each of its items; `item` reads the key, calls
  // `reader.KeyEnds()`, and then reads the value. Keys not strictly ascending fail.
  template <class Item>
  void List(Item&& item) {
    const base::ByteSpan outer_start = key_start_;
    const std::optional<base::ByteSpan> outer_key = key_;
    const std::uint16_t count = U16();
    base::ByteSpan previous;
    for (std::uint16_t i = 0; i < count && ok_; ++i) {
      key_start_ = rest_;
      key_.reset();
      item(*this);
      if (!ok_) break;
      if (!key_) KeyEnds();
      if (i > 0 && !Ascending(previous, *key_)) Fail();
      previous = *key_;
    }
    key_start_ = outer_start;
    key_ = outer_key;
  }
  void KeyEnds() { key_ = key_start_.first(key_start_.size() - rest_.size()); }

  void Fail() {
    ok_ = false;
    rest_ = {};
  }
  bool ok() const { return ok_; }
  // Whether all went well and nothing is left: what every decoder asks at its end.
  bool Done() const { return ok_ && rest_.empty(); }
  // What has not been read yet.
  base::ByteSpan rest() const { return rest_; }

 private:
  static bool Ascending(base::ByteSpan a, base::ByteSpan b);

  base::ByteSpan rest_;
  bool ok_ = true;
  base::ByteSpan key_start_;
  std::optional<base::ByteSpan> key_;
};

}  // namespace godwit::protocol
