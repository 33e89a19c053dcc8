// A request for a session, as a server gets it, and the header of a keystore, as a device finds it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "crypto/init.h"
#include "protocol/keystore.h"
#include "protocol/session.h"
#include "tests/support/builders.h"

using namespace godwit;
using namespace godwit::protocol;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const Device* const device = [] {
    support::Require(crypto::Init());
    const auto seed = support::Must(DeviceSeed::Copy(std::array<std::uint8_t, 32>{1}));
    return new Device(support::Must(Device::FromSeed(seed)));
  }();
  if (size == 0) return 0;
  const base::ByteSpan input(bytes + 1, size - 1);
  if (bytes[0] % 2 == 0) {
    const auto read = ParseSessionRequest(input);
    if (!read) return 0;
    // Nothing but the form was taken: the bytes are those of the same request, signed by nobody.
    if (Verify(*read, device->keys().sign_pk)) std::abort();
    const base::Bytes again = SignSessionRequest(read->request, device->signing_key());
    if (!std::ranges::equal(base::ByteSpan(again).first(again.size() - 64),
                            input.first(input.size() - 64))) {
      std::abort();
    }
    return 0;
  }
  const auto header = ReadKeystoreHeader(input);
  if (!header) return 0;
  if (header->mode != 0 || header->cost.ops < KdfCost::kFloorOps ||
      header->cost.mem < KdfCost::kFloorMem || header->cost.ops > KdfCost::kCapOps ||
      header->cost.mem > KdfCost::kCapMem) {
    std::abort();
  }
  return 0;
}
