#include "crypto/hkdf.h"

#include <sodium.h>

#include <algorithm>
#include <cassert>

#include "crypto/address.h"

namespace godwit::crypto {
namespace {

// HMAC-SHA256 and HMAC-SHA512 as libsodium has them, under one name for the templates below. The
// states lie on the stack and hold what the key hashed to: each is wiped.
struct Sha256Mac {
  static constexpr std::size_t kSize = 32;

  explicit Sha256Mac(base::ByteSpan key) {
    crypto_auth_hmacsha256_init(&state, Address(key), key.size());
  }
  ~Sha256Mac() { sodium_memzero(&state, sizeof state); }
  void Update(base::ByteSpan x) { crypto_auth_hmacsha256_update(&state, x.data(), x.size()); }
  void Final(std::uint8_t* out) { crypto_auth_hmacsha256_final(&state, out); }

  crypto_auth_hmacsha256_state state;
};

struct Sha512Mac {
  static constexpr std::size_t kSize = 64;

  explicit Sha512Mac(base::ByteSpan key) {
    crypto_auth_hmacsha512_init(&state, Address(key), key.size());
  }
  ~Sha512Mac() { sodium_memzero(&state, sizeof state); }
  void Update(base::ByteSpan x) { crypto_auth_hmacsha512_update(&state, x.data(), x.size()); }
  void Final(std::uint8_t* out) { crypto_auth_hmacsha512_final(&state, out); }

  crypto_auth_hmacsha512_state state;
};

template <class Mac>
void Extract(base::ByteSpan salt, std::initializer_list<base::ByteSpan> ikm,
             std::span<std::uint8_t, Mac::kSize> prk) {
  Mac mac(salt);
  for (const auto& part : ikm) mac.Update(part);
  mac.Final(prk.data());
}

// T(0) = empty, T(i) = HMAC(prk, T(i-1) | info | u8 i), out = T(1) | T(2) | ... cut to size
template <class Mac>
base::Status Expand(base::ByteSpan prk, std::initializer_list<base::ByteSpan> info_head,
                    std::initializer_list<base::ByteSpan> info_tail, std::span<std::uint8_t> out) {
  if (out.size() > 255 * Mac::kSize) {
    return base::Error(base::Code::kInvalidArgument, "HKDF gives no more than 255 hashes");
  }
  const Mac keyed(prk);
  StackSecret<Mac::kSize> block;
  std::uint8_t number = 0;
  while (!out.empty()) {
    Mac mac = keyed;
    if (number > 0) mac.Update(block.Expose());
    for (const auto& part : info_head) mac.Update(part);
    for (const auto& part : info_tail) mac.Update(part);
    ++number;
    mac.Update({&number, 1});
    mac.Final(block.Expose().data());
    const std::size_t size = std::min(out.size(), Mac::kSize);
    std::copy_n(block.Expose().begin(), size, out.begin());
    out = out.subspan(size);
  }
  return base::Status::Ok();
}

}  // namespace

void HkdfExtractSha256(base::ByteSpan salt, SecretRef<> ikm, std::span<std::uint8_t, 32> prk) {
  Extract<Sha256Mac>(salt, {ikm.Expose()}, prk);
}

void HkdfExtractSha512(base::ByteSpan salt, SecretRef<> ikm, std::span<std::uint8_t, 64> prk) {
  Extract<Sha512Mac>(salt, {ikm.Expose()}, prk);
}

base::Status HkdfExpandSha256(SecretRef<> prk, base::ByteSpan context,
                              std::span<std::uint8_t> out) {
  return Expand<Sha256Mac>(prk.Expose(), {context}, {}, out);
}

base::Status HkdfExpandSha512(SecretRef<> prk, base::ByteSpan context,
                              std::span<std::uint8_t> out) {
  return Expand<Sha512Mac>(prk.Expose(), {context}, {}, out);
}

void Derive(SecretRef<> prk, DeriveLabel label, base::ByteSpan context,
            std::span<std::uint8_t> out) {
  internal::DeriveFrom(prk, label, {context}, out);
}

namespace internal {

void ExtractSha256(base::ByteSpan salt, std::initializer_list<base::ByteSpan> ikm,
                   std::span<std::uint8_t, 32> prk) {
  Extract<Sha256Mac>(salt, ikm, prk);
}

base::Status ExpandSha256(SecretRef<> prk, std::initializer_list<base::ByteSpan> context,
                          std::span<std::uint8_t> out) {
  return Expand<Sha256Mac>(prk.Expose(), context, {}, out);
}

void DeriveFrom(SecretRef<> prk, DeriveLabel label, std::initializer_list<base::ByteSpan> context,
                std::span<std::uint8_t> out) {
  assert(prk.Expose().size() >= 32);
  const auto text = base::AsBytes(label.text());
  const auto length = static_cast<std::uint8_t>(text.size());
  const auto derived =
      Expand<Sha512Mac>(prk.Expose(), {base::AsBytes("gw1"), {&length, 1}, text}, context, out);
  assert(derived.ok());
  static_cast<void>(derived);
}

}  // namespace internal

}  // namespace godwit::crypto
