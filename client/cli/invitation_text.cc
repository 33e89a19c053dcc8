#include "client/cli/invitation_text.h"

#include <algorithm>
#include <string_view>

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;

constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The value of a digit, as people type it; 32 for what is none.
std::size_t ValueOf(char typed) {
  char c = Lower(typed);
  if (c == 'o') c = '0';
  if (c == 'i' || c == 'l') c = '1';
  return std::min<std::size_t>(kDigits.find(c), 32);
}

}  // namespace

crypto::SecretBytes InvitationText(crypto::SecretRef<> invitation) {
  const auto bytes = invitation.Expose();
  crypto::SecretBytes text(kInvitationPrefix.size() + (bytes.size() * 8 + 4) / 5);
  auto out = text.Expose().begin();
  out = std::ranges::copy(kInvitationPrefix, out).out;
  unsigned pending = 0;
  unsigned bits = 0;
  for (const std::uint8_t byte : bytes) {
    pending = (pending << 8 | byte) & 0xfffu;
    for (bits += 8; bits >= 5; bits -= 5) {
      *out++ = static_cast<std::uint8_t>(kDigits[pending >> (bits - 5) & 31u]);
    }
  }
  if (bits > 0) *out = static_cast<std::uint8_t>(kDigits[pending << (5 - bits) & 31u]);
  return text;
}

base::Result<crypto::SecretBytes> ReadInvitationText(crypto::SecretRef<> line) {
  const auto bytes = line.Expose();
  const auto same = [](std::uint8_t a, char b) { return Lower(static_cast<char>(a)) == b; };
  const auto found = std::ranges::search(bytes, kInvitationPrefix, same);
  if (found.empty()) {
    return Error(Code::kInvalidArgument, "there is no invitation: it begins with gw1-invite:");
  }
  const auto begin = found.end();
  const auto end = std::find_if(begin, bytes.end(), [](std::uint8_t c) { return c <= ' '; });
  const auto size = static_cast<std::size_t>(end - begin);
  crypto::SecretBytes invitation(size * 5 / 8);
  const Error broken = Error(Code::kInvalidArgument, "the invitation is cut off or mistyped");
  unsigned pending = 0;
  unsigned bits = 0;
  std::size_t at = 0;
  for (auto c = begin; c != end; ++c) {
    const std::size_t value = ValueOf(static_cast<char>(*c));
    if (value == 32) return broken;
    pending = (pending << 5 | static_cast<unsigned>(value)) & 0xfffu;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    invitation.Expose()[at++] = static_cast<std::uint8_t>(pending >> bits);
  }
  // Whole digits, and zeros to fill the last one up: one text for each invitation.
  if (bits >= 5 || (pending & ((1u << bits) - 1)) != 0) return broken;
  return invitation;
}

}  // namespace godwit::cli
