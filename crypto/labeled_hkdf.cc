#include "crypto/labeled_hkdf.h"

#include <array>

#include "crypto/hkdf.h"

namespace godwit::crypto {
namespace {

constexpr std::string_view kVersion = "HPKE-v1";

}  // namespace

void LabeledExtract(base::ByteSpan suite_id, base::ByteSpan salt, std::string_view label,
                    base::ByteSpan ikm, std::span<std::uint8_t, 32> prk) {
  internal::ExtractSha256(salt, {base::AsBytes(kVersion), suite_id, base::AsBytes(label), ikm},
                          prk);
}

base::Status LabeledExpand(base::ByteSpan suite_id, SecretRef<> prk, std::string_view label,
                           base::ByteSpan info1, base::ByteSpan info2,
                           std::span<std::uint8_t> out) {
  const std::array<std::uint8_t, 2> size{static_cast<std::uint8_t>(out.size() >> 8),
                                         static_cast<std::uint8_t>(out.size())};
  return internal::ExpandSha256(
      prk, {size, base::AsBytes(kVersion), suite_id, base::AsBytes(label), info1, info2}, out);
}

}  // namespace godwit::crypto
