#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "base/bytes.h"
#include "crypto/label.h"

namespace godwit::crypto {

// SHA-256 and SHA-512 (FIPS 180-4) of the concatenation of `parts`.
std::array<std::uint8_t, 32> Sha256(std::initializer_list<base::ByteSpan> parts);
std::array<std::uint8_t, 64> Sha512(std::initializer_list<base::ByteSpan> parts);
inline std::array<std::uint8_t, 32> Sha256(base::ByteSpan x) { return Sha256({x}); }

// SHA-256 of a text that comes piece by piece, such as a file. Not thread-safe.
class Sha256Stream {
 public:
  Sha256Stream();

  void Update(base::ByteSpan piece);

  // Returns the hash of all pieces in their order. The stream is of no further use.
  std::array<std::uint8_t, 32> Finish();

 private:
  alignas(8) std::array<std::uint8_t, 104> state_;  // libsodium's
};

// H(label, x) = SHA-256(u8 len(label) | label | x), x the concatenation of `parts`
// (docs/protocol.md section 1).
std::array<std::uint8_t, 32> LabeledHash(HashLabel label,
                                         std::initializer_list<base::ByteSpan> parts);

}  // namespace godwit::crypto
