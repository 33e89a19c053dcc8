#include "client/case_code.h"

#include <array>
#include <cstdint>

#include "crypto/random.h"

namespace godwit::client {
namespace {

// Crockford's base 32, and the five symbols more that a check of 37 needs
// (https://www.crockford.com/base32.html).
constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";
constexpr std::size_t kCodeDigits = 10;

char CheckSymbol(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) value = value * 32 + kDigits.find(c);
  return kDigits[value % 37];
}

}  // namespace

std::string NewCaseCode() {
  std::array<std::uint8_t, kCodeDigits> random{};
  crypto::FillRandom(random);
  std::string code;
  for (const std::uint8_t byte : random) code.push_back(kDigits[byte % 32]);
  code.push_back(CheckSymbol(code));
  return code;
}

std::optional<std::string> CanonicalCaseCode(std::string_view typed) {
  std::string code;
  for (char c : typed) {
    if (c == '-' || c == ' ') continue;
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    code.push_back(c);
  }
  if (code.size() != kCodeDigits + 1) return std::nullopt;
  const std::string_view digits = std::string_view(code).substr(0, kCodeDigits);
  for (const char c : digits) {
    const std::size_t at = kDigits.find(c);
    if (at >= 32) return std::nullopt;
  }
  if (code.back() != CheckSymbol(digits)) return std::nullopt;
  return code;
}

base::Result<std::string> ReadCaseCode(std::string_view typed) {
  auto canonical = CanonicalCaseCode(typed);
  if (!canonical) {
    return base::Error(base::Code::kInvalidArgument,
                       "this is no case code: ten digits and letters and a check symbol, as in "
                       "`godwit case list`");
  }
  return *std::move(canonical);
}

}  // namespace godwit::client
