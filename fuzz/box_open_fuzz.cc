// Boxes and sealed texts, on bytes of a stranger who knows the public key: what was not made for
// this pair, label and context does not open.

#include <algorithm>
#include <array>
#include <cstdlib>

#include "crypto/box.h"
#include "crypto/init.h"

namespace godwit::crypto {
namespace {

constexpr BoxLabel kBoxLabel{"vek"};
constexpr SealedLabel kSealedLabel{"audit"};

void Require(bool holds) {
  if (!holds) std::abort();
}

// The receiver, and what was really sealed to it.
struct Fixture {
  KemKeyPair pair;
  base::Bytes box;
  base::Bytes sealed;
};

Fixture Make() {
  const auto suite = DefaultHpke();
  StackSecret<32> seed;
  seed.Expose()[0] = 1;
  auto pair = suite.kem.DeriveKeyPair(seed);
  Require(pair.ok());
  auto box = SealBox(suite, pair->public_key, kBoxLabel, {}, seed);
  static constexpr std::array<std::uint8_t, 32> kSalt{7};
  auto sealed = internal::SealToWith(suite, pair->public_key, kSealedLabel, {},
                                     base::AsBytes("what was sealed"), seed, kSalt);
  Require(box.ok() && sealed.ok());
  return {*std::move(pair), *std::move(box), *std::move(sealed)};
}

// Returns `original` with the input laid over it.
base::Bytes Altered(base::Bytes original, base::ByteSpan changes) {
  const std::size_t size = std::min(original.size(), changes.size());
  for (std::size_t i = 0; i < size; ++i) original[i] ^= changes[i];
  return original;
}

void Check(const Fixture& fixture, base::ByteSpan input) {
  const auto suite = DefaultHpke();
  StackSecret<32> key;
  const auto box_opens = [&](base::ByteSpan box) {
    return OpenBoxInto(suite, fixture.pair, kBoxLabel, {}, box, key.Expose()).ok();
  };
  const auto sealed_opens = [&](base::ByteSpan sealed) {
    return OpenSealed(suite, fixture.pair, kSealedLabel, {}, sealed).ok();
  };
  // Bytes as they come; only the fixture itself may open, should the fuzzer ever write it.
  Require(box_opens(input) == std::ranges::equal(input, fixture.box));
  const auto box = Altered(fixture.box, input);
  Require(box_opens(box) == (box == fixture.box));
  const auto sealed = Altered(fixture.sealed, input);
  Require(sealed_opens(sealed) == (sealed == fixture.sealed));
  // A stranger can seal to a public key, but not take the input for one that is none.
  const auto to_input = SealBox(suite, input, kBoxLabel, {}, key);
  Require(!to_input.ok() || input.size() == suite.kem.public_key_size());
}

}  // namespace
}  // namespace godwit::crypto

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  godwit::crypto::Require(godwit::crypto::Init().ok());
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const auto fixture = godwit::crypto::Make();
  godwit::crypto::Check(fixture, {bytes, size});
  return 0;
}
