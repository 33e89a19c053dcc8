#include "client/casework/inert.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <array>
#include <cstdint>
#include <cstdio>

namespace godwit::client {
namespace {

// Takes one code point off the front of `text`; negative where its first byte begins none, which
// then is all that was taken.
UChar32 Take(std::string_view& text) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto length = static_cast<std::int32_t>(std::min<std::size_t>(text.size(), 4));
  std::int32_t taken = 0;
  UChar32 point = 0;
  U8_NEXT(bytes, taken, length, point);
  text.remove_prefix(point < 0 ? 1 : static_cast<std::size_t>(taken));
  return point;
}

bool ShowsAsItself(UChar32 point) {
  switch (u_charType(point)) {
    case U_CONTROL_CHAR:
    case U_FORMAT_CHAR:
    case U_LINE_SEPARATOR:
    case U_PARAGRAPH_SEPARATOR:
    case U_PRIVATE_USE_CHAR:
    case U_SURROGATE:
    case U_UNASSIGNED:
      return false;
    default:
      return !u_hasBinaryProperty(point, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
  }
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    if (Take(text) < 0) return false;
  }
  return true;
}

std::size_t CodePoints(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) Take(text);
  return count;
}

std::string Inert(std::string_view text, std::size_t limit) {
  std::string shown;
  for (std::size_t count = 0; !text.empty(); ++count) {
    if (count == limit) return shown + "…";
    const std::string_view before = text;
    const UChar32 point = Take(text);
    const std::string_view taken = before.substr(0, before.size() - text.size());
    std::array<char, 16> escape{};
    if (point < 0) {
      std::snprintf(escape.data(), escape.size(), "\\x%02x",
                    static_cast<unsigned>(static_cast<std::uint8_t>(taken[0])));
      shown += escape.data();
    } else if (point == '\\') {
      shown += "\\\\";
    } else if (!ShowsAsItself(point)) {
      std::snprintf(escape.data(), escape.size(), "\\u{%x}", static_cast<unsigned>(point));
      shown += escape.data();
    } else {
      shown += taken;
    }
  }
  return shown;
}

bool HasControl(std::string_view text) {
  while (!text.empty()) {
    const UChar32 point = Take(text);
    if (point == '\t' || point == '\n' || point == '\r') continue;
    if (u_charType(point) == U_CONTROL_CHAR) return true;
  }
  return false;
}

std::string_view Trimmed(std::string_view text) {
  static constexpr std::string_view kSpaces[] = {" ", "\t", "\u00a0", "\u3000"};
  for (bool again = true; again;) {
    again = false;
    for (const auto space : kSpaces) {
      while (text.starts_with(space)) {
        text.remove_prefix(space.size());
        again = true;
      }
      while (text.ends_with(space)) {
        text.remove_suffix(space.size());
        again = true;
      }
    }
  }
  return text;
}

}  // namespace godwit::client
