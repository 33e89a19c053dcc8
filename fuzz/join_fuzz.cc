// What a stranger hands to either side of a join: invitations, words, OFFER, J1 to J3, with a right
// mac or seal over bytes that the fuzzer wrote.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "crypto/committing.h"
#include "crypto/hkdf.h"
#include "crypto/hmac.h"
#include "fuzz/world.h"
#include "protocol/ce.h"
#include "protocol/join.h"
#include "protocol/labels.h"
#include "protocol/words.h"
#include "tests/support/builders.h"

using namespace godwit;
using namespace godwit::protocol;

namespace {

struct World {
  JoinSecret s = support::Must(JoinSecret::Copy(std::array<std::uint8_t, 16>{1, 2, 3}));
  crypto::StackSecret<64> jk;
  crypto::StackSecret<32> mac_key;
  crypto::StackSecret<32> offer_key;
  base::Bytes context;

  World() {
    crypto::HkdfExtractSha512(base::AsBytes("gw1/join"), s, jk.Expose());
    crypto::Derive(jk, labels::kJoin, {}, mac_key.Expose());
    crypto::Derive(jk, labels::kOfferKey, {}, offer_key.Expose());
    Writer w;
    w.Raw("gw1/of").U8(kVersion).Fixed(InviteIdOf(s));
    context = w.Take();
  }
};

// A message of the join with a right mac over `body`.
base::Bytes WithMac(const World& world, std::string_view tag, base::ByteSpan body) {
  Writer w;
  w.Raw(tag).U8(kVersion).Fixed(InviteIdOf(world.s)).Raw(body);
  const auto mac = crypto::HmacSha256(world.mac_key, {w.bytes()});
  w.Raw(mac);
  return w.Take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const auto& world = fuzz::TheOnly<World>();
  const base::ByteSpan input(bytes + 1, size - 1);
  switch (bytes[0] % 5) {
    case 0:
      if (const auto invitation = ReadInvitation(input)) {
        const auto again = WriteInvitation(*invitation);
        if (!std::ranges::equal(again.Expose(), input)) std::abort();
      }
      break;
    case 1: {
      const std::string text = base::ToString(input);
      if (const auto secret = SecretFromWords(text)) {
        if (SecretFromWords(SecretAsWords(*secret)) != secret) std::abort();
      }
      break;
    }
    case 2: {
      const base::Bytes sealed =
          crypto::SealCommitting(world.offer_key, labels::kOffer, world.context, input);
      if (const auto offer = OpenOffer(world.s, sealed)) {
        const auto again = support::Must(SealOffer(world.s, *offer));
        const auto text = support::Must(
            crypto::OpenCommitting(world.offer_key, labels::kOffer, world.context, again));
        if (!std::ranges::equal(text.Expose(), input)) std::abort();
      }
      if (OpenOffer(world.s, input)) std::abort();
      break;
    }
    case 3: {
      const base::Bytes j1 = WithMac(world, "gw1/j1", input);
      if (const auto request = ReadJ1(world.s, j1)) {
        if (WriteJ1(world.s, *request) != j1) std::abort();
      }
      if (ReadJ1(world.s, input)) std::abort();
      break;
    }
    default: {
      const base::Bytes j2 = WithMac(world, "gw1/j2", input);
      if (const auto nonce = ReadJ2(world.s, j2)) {
        if (WriteJ2(world.s, *nonce) != j2) std::abort();
      }
      JoinRequest request;
      std::copy_n(input.begin(), std::min<std::size_t>(32, input.size()), request.commit.begin());
      if (ReadJ3(world.s, WithMac(world, "gw1/j3", input), request)) std::abort();
      break;
    }
  }
  return 0;
}
