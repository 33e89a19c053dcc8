#include "protocol/ce.h"

#include <algorithm>
#include <cassert>

namespace godwit::protocol {
namespace {

template <class Int>
void PutInt(base::Bytes& bytes, Int value) {
  for (std::size_t i = sizeof(Int); i-- > 0;) {
    bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
}

template <class Int>
Int GetInt(base::ByteSpan bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return static_cast<Int>(value);
}

// Returns the code point at the front of `text` and its length, or nothing if it is not well-formed
// UTF-8 (RFC 3629: no surrogate, no overlong form, at most U+10FFFF).
struct CodePoint {
  char32_t value;
  std::size_t size;
};
std::optional<CodePoint> Front(base::ByteSpan text) {
  const std::uint8_t first = text[0];
  if (first < 0x80) return CodePoint{first, 1};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 0;
  if (size == 0 || first > 0xf4 || text.size() < size) return std::nullopt;
  char32_t value = first & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((text[i] & 0xc0) != 0x80) return std::nullopt;
    value = value << 6 | (text[i] & 0x3fu);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[size] || value > 0x10ffff) return std::nullopt;
  if (value >= 0xd800 && value <= 0xdfff) return std::nullopt;
  return CodePoint{value, size};
}

}  // namespace

bool IsStr(std::string_view text) {
  if (text.size() > 255) return false;
  base::ByteSpan rest = base::AsBytes(text);
  while (!rest.empty()) {
    const auto point = Front(rest);
    if (!point) return false;
    if (point->value < 0x20 || (point->value >= 0x7f && point->value <= 0x9f)) return false;
    rest = rest.subspan(point->size);
  }
  return true;
}

Writer& Writer::U8(std::uint8_t value) {
  bytes_.push_back(value);
  return *this;
}
Writer& Writer::U16(std::uint16_t value) {
  PutInt(bytes_, value);
  return *this;
}
Writer& Writer::U32(std::uint32_t value) {
  PutInt(bytes_, value);
  return *this;
}
Writer& Writer::U64(std::uint64_t value) {
  PutInt(bytes_, value);
  return *this;
}
Writer& Writer::Raw(base::ByteSpan bytes) {
  base::Append(bytes_, bytes);
  return *this;
}
Writer& Writer::Var16(base::ByteSpan bytes) {
  assert(bytes.size() <= 0xffff);
  return U16(static_cast<std::uint16_t>(bytes.size())).Raw(bytes);
}
Writer& Writer::Var32(base::ByteSpan bytes) {
  assert(bytes.size() <= 0xffffffff);
  return U32(static_cast<std::uint32_t>(bytes.size())).Raw(bytes);
}
Writer& Writer::Str(std::string_view text) {
  assert(IsStr(text));
  return Var16(base::AsBytes(text));
}

base::ByteSpan Reader::Raw(std::size_t size) {
  if (size > rest_.size()) Fail();
  if (!ok_) return {};
  const base::ByteSpan bytes = rest_.first(size);
  rest_ = rest_.subspan(size);
  return bytes;
}
std::uint8_t Reader::U8() { return GetInt<std::uint8_t>(Raw(1)); }
std::uint16_t Reader::U16() { return GetInt<std::uint16_t>(Raw(2)); }
std::uint32_t Reader::U32() { return GetInt<std::uint32_t>(Raw(4)); }
std::uint64_t Reader::U64() { return GetInt<std::uint64_t>(Raw(8)); }
base::ByteSpan Reader::Var16() { return Raw(U16()); }
base::ByteSpan Reader::Var32() { return Raw(U32()); }

std::string Reader::Str() {
  std::string text = base::ToString(Var16());
  if (!IsStr(text)) {
    Fail();
    return {};
  }
  return text;
}

bool Reader::Presence() {
  const std::uint8_t byte = U8();
  if (byte > 1) Fail();
  return ok_ && byte == 1;
}

bool Reader::Ascending(base::ByteSpan a, base::ByteSpan b) {
  return std::ranges::lexicographical_compare(a, b);
}

}  // namespace godwit::protocol
