// The committing cipher and the padding inside it, on bytes of a stranger: what was not sealed does
// not open, and what Unpad takes is what Pad makes.

#include <algorithm>
#include <array>
#include <cstdlib>

#include "crypto/committing.h"
#include "crypto/init.h"
#include "crypto/padding.h"

namespace godwit::crypto {
namespace {

constexpr CommittingLabel kLabel{"rec"};
constexpr std::array<std::size_t, 4> kFloors{0, 16, 256, 1024};

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckUnpad(base::ByteSpan bytes) {
  for (const std::size_t floor : kFloors) {
    const auto text = Unpad(bytes, floor);
    if (!text) continue;
    const auto padded = Pad(text->Expose(), floor);
    Require(std::ranges::equal(padded.Expose(), bytes));
  }
}

void CheckForeignBytes(SecretRef<32> key, base::ByteSpan bytes) {
  // A chance hit of the commitment is a hit of 2^-256.
  Require(!OpenCommitting(key, kLabel, {}, bytes).ok());
}

// Reads the input as changes to what was really sealed.
void CheckAltered(SecretRef<32> key, base::ByteSpan changes) {
  static constexpr std::array<std::uint8_t, 32> kSalt{7};
  const auto padded = Pad(base::AsBytes("what was sealed"), 16);
  auto parts = internal::SealCommittingWithSalt(key, kLabel, {}, padded.Expose(), kSalt);
  const auto change = [&](std::span<std::uint8_t> part) {
    bool changed = false;
    const std::size_t size = std::min(part.size(), changes.size());
    for (std::size_t i = 0; i < size; ++i) {
      part[i] ^= changes[i];
      changed = changed || changes[i] != 0;
    }
    changes = changes.subspan(size);
    return changed;
  };
  bool changed = change(parts.salt);
  changed = change(parts.commitment) || changed;
  changed = change(parts.ciphertext) || changed;
  const auto opened =
      OpenCommittingParts(key, kLabel, {}, parts.salt, parts.commitment, parts.ciphertext);
  Require(opened.ok() == !changed);
  if (opened) Require(Unpad(opened->Expose(), 16).ok());
}

void CheckRoundTrip(SecretRef<32> key, base::ByteSpan text) {
  const auto padded = Pad(text, 256);
  const auto sealed = SealCommitting(key, kLabel, text, padded.Expose());
  const auto opened = OpenCommitting(key, kLabel, text, sealed);
  Require(opened.ok());
  const auto unpadded = Unpad(opened->Expose(), 256);
  Require(unpadded.ok() && std::ranges::equal(unpadded->Expose(), text));
}

}  // namespace
}  // namespace godwit::crypto

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  godwit::crypto::Require(godwit::crypto::Init().ok());
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace godwit::crypto;
  const godwit::base::ByteSpan input(bytes, size);
  StackSecret<32> key;
  key.Expose()[0] = 1;
  CheckUnpad(input);
  CheckForeignBytes(key, input);
  CheckAltered(key, input);
  CheckRoundTrip(key, input);
  return 0;
}
