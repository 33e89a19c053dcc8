#include "crypto/padding.h"

#include <sodium.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <limits>

#include "crypto/errors.h"

namespace godwit::crypto {
namespace {

constexpr std::size_t kLengthSize = 4;

}  // namespace

std::size_t PaddedSize(std::size_t size, std::size_t floor) {
  if (size <= 1) return std::max(size, floor);
  // E = floor(log2 size), S = floor(log2 E) + 1, and the lowest E - S bits become zero.
  const std::size_t exponent = std::bit_width(size) - 1U;
  const std::size_t kept_bits = std::bit_width(exponent);
  const std::size_t cleared_bits = exponent - std::min(exponent, kept_bits);
  const std::size_t mask = (std::size_t{1} << cleared_bits) - 1;
  return std::max((size + mask) & ~mask, floor);
}

// u32 len | text[len] | 0x00 ...
SecretBytes Pad(base::ByteSpan text, std::size_t floor) {
  assert(text.size() <= std::numeric_limits<std::uint32_t>::max());
  SecretBytes padded(PaddedSize(text.size() + kLengthSize, floor));
  const auto out = padded.Expose();
  for (std::size_t i = 0; i < kLengthSize; ++i) {
    out[i] = static_cast<std::uint8_t>(text.size() >> (8 * (kLengthSize - 1 - i)));
  }
  std::ranges::copy(text, out.begin() + kLengthSize);
  return padded;
}

base::Result<SecretBytes> Unpad(base::ByteSpan padded, std::size_t floor) {
  if (padded.size() < kLengthSize) return kDecryptError;
  std::size_t size = 0;
  for (const std::uint8_t byte : padded.first(kLengthSize)) size = size << 8 | byte;
  if (size > padded.size() - kLengthSize) return kDecryptError;
  if (padded.size() != PaddedSize(size + kLengthSize, floor)) return kDecryptError;
  const auto zeros = padded.subspan(kLengthSize + size);
  if (sodium_is_zero(zeros.data(), zeros.size()) != 1) return kDecryptError;
  return SecretBytes::Copy(padded.subspan(kLengthSize, size));
}

}  // namespace godwit::crypto
