#include "bench/sodium_calls.h"

#include <sodium.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <thread>
#include <vector>

#include "bench/comparison.h"

namespace godwit::bench {
namespace {

struct Counter {
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> bytes{0};
};
std::array<Counter, kSodiumCalls> counters;

void Count(SodiumCall call, std::uint64_t bytes) {
  Counter& counter = counters[static_cast<std::size_t>(call)];
  counter.calls.fetch_add(1, std::memory_order_relaxed);
  counter.bytes.fetch_add(bytes, std::memory_order_relaxed);
}

}  // namespace

// The linker's names for a wrapped call: __wrap_ for ours, __real_ for the library's.
extern "C" {
// NOLINTBEGIN: these names are the linker's.
decltype(crypto_sign_detached) __real_crypto_sign_detached;
decltype(crypto_sign_verify_detached) __real_crypto_sign_verify_detached;
decltype(crypto_scalarmult_curve25519) __real_crypto_scalarmult_curve25519;
decltype(crypto_scalarmult_curve25519_base) __real_crypto_scalarmult_curve25519_base;
decltype(crypto_auth_hmacsha256_update) __real_crypto_auth_hmacsha256_update;
decltype(crypto_auth_hmacsha256_final) __real_crypto_auth_hmacsha256_final;
decltype(crypto_aead_chacha20poly1305_ietf_encrypt)
    __real_crypto_aead_chacha20poly1305_ietf_encrypt;
decltype(crypto_aead_chacha20poly1305_ietf_decrypt)
    __real_crypto_aead_chacha20poly1305_ietf_decrypt;
decltype(crypto_aead_xchacha20poly1305_ietf_encrypt)
    __real_crypto_aead_xchacha20poly1305_ietf_encrypt;
decltype(crypto_aead_xchacha20poly1305_ietf_decrypt)
    __real_crypto_aead_xchacha20poly1305_ietf_decrypt;

int __wrap_crypto_sign_detached(unsigned char* sig, unsigned long long* siglen,
                                const unsigned char* m, unsigned long long mlen,
                                const unsigned char* sk) {
  Count(SodiumCall::kSign, mlen);
  return __real_crypto_sign_detached(sig, siglen, m, mlen, sk);
}
int __wrap_crypto_sign_verify_detached(const unsigned char* sig, const unsigned char* m,
                                       unsigned long long mlen, const unsigned char* pk) {
  Count(SodiumCall::kVerify, mlen);
  return __real_crypto_sign_verify_detached(sig, m, mlen, pk);
}
int __wrap_crypto_scalarmult_curve25519(unsigned char* q, const unsigned char* n,
                                        const unsigned char* p) {
  Count(SodiumCall::kScalarMult, 0);
  return __real_crypto_scalarmult_curve25519(q, n, p);
}
int __wrap_crypto_scalarmult_curve25519_base(unsigned char* q, const unsigned char* n) {
  Count(SodiumCall::kScalarMultBase, 0);
  return __real_crypto_scalarmult_curve25519_base(q, n);
}
int __wrap_crypto_auth_hmacsha256_update(crypto_auth_hmacsha256_state* state,
                                         const unsigned char* in, unsigned long long inlen) {
  counters[static_cast<std::size_t>(SodiumCall::kHmac)].bytes.fetch_add(inlen,
                                                                        std::memory_order_relaxed);
  return __real_crypto_auth_hmacsha256_update(state, in, inlen);
}
int __wrap_crypto_auth_hmacsha256_final(crypto_auth_hmacsha256_state* state, unsigned char* out) {
  Count(SodiumCall::kHmac, 0);
  return __real_crypto_auth_hmacsha256_final(state, out);
}
int __wrap_crypto_aead_chacha20poly1305_ietf_encrypt(
    unsigned char* c, unsigned long long* clen, const unsigned char* m, unsigned long long mlen,
    const unsigned char* ad, unsigned long long adlen, const unsigned char* nsec,
    const unsigned char* npub, const unsigned char* k) {
  Count(SodiumCall::kChaChaSeal, mlen + adlen);
  return __real_crypto_aead_chacha20poly1305_ietf_encrypt(c, clen, m, mlen, ad, adlen, nsec, npub,
                                                          k);
}
int __wrap_crypto_aead_chacha20poly1305_ietf_decrypt(
    unsigned char* m, unsigned long long* mlen, unsigned char* nsec, const unsigned char* c,
    unsigned long long clen, const unsigned char* ad, unsigned long long adlen,
    const unsigned char* npub, const unsigned char* k) {
  Count(SodiumCall::kChaChaOpen, clen + adlen);
  return __real_crypto_aead_chacha20poly1305_ietf_decrypt(m, mlen, nsec, c, clen, ad, adlen, npub,
                                                          k);
}
int __wrap_crypto_aead_xchacha20poly1305_ietf_encrypt(
    unsigned char* c, unsigned long long* clen, const unsigned char* m, unsigned long long mlen,
    const unsigned char* ad, unsigned long long adlen, const unsigned char* nsec,
    const unsigned char* npub, const unsigned char* k) {
  Count(SodiumCall::kXChaChaSeal, mlen + adlen);
  return __real_crypto_aead_xchacha20poly1305_ietf_encrypt(c, clen, m, mlen, ad, adlen, nsec, npub,
                                                           k);
}
int __wrap_crypto_aead_xchacha20poly1305_ietf_decrypt(
    unsigned char* m, unsigned long long* mlen, unsigned char* nsec, const unsigned char* c,
    unsigned long long clen, const unsigned char* ad, unsigned long long adlen,
    const unsigned char* npub, const unsigned char* k) {
  Count(SodiumCall::kXChaChaOpen, clen + adlen);
  return __real_crypto_aead_xchacha20poly1305_ietf_decrypt(m, mlen, nsec, c, clen, ad, adlen, npub,
                                                           k);
}
// NOLINTEND
}

namespace {

struct Cipher {
  decltype(&crypto_aead_chacha20poly1305_ietf_encrypt) seal;
  decltype(&crypto_aead_chacha20poly1305_ietf_decrypt) open;
};
constexpr Cipher kChaCha = {&__real_crypto_aead_chacha20poly1305_ietf_encrypt,
                            &__real_crypto_aead_chacha20poly1305_ietf_decrypt};
constexpr Cipher kXChaCha = {&__real_crypto_aead_xchacha20poly1305_ietf_encrypt,
                             &__real_crypto_aead_xchacha20poly1305_ietf_decrypt};

using Buffer = std::vector<unsigned char>;

// As many calls of one kind as it is told, over one message; what they need is made before.
class Bare {
 public:
  Bare(SodiumCall call, std::size_t size) : call_(call), message_(size), out_(size + kTag) {
    randombytes_buf(message_.data(), message_.size());
    randombytes_buf(key_.data(), key_.size());
    __real_crypto_scalarmult_curve25519_base(point_.data(), key_.data());
    crypto_sign_keypair(sign_pk_.data(), sign_sk_.data());
    __real_crypto_sign_detached(signature_.data(), nullptr, message_.data(), size, sign_sk_.data());
    if (const Cipher* cipher = CipherOf(); cipher != nullptr) {
      sealed_.resize(std::max<std::size_t>(size, kTag));
      cipher->seal(sealed_.data(), nullptr, message_.data(), sealed_.size() - kTag, nullptr, 0,
                   nullptr, nonce_.data(), key_.data());
    }
  }

  void Run(std::uint64_t calls) {
    for (std::uint64_t i = 0; i < calls; ++i) {
      if (One() == 0) continue;
      std::cerr << "a bare call of libsodium failed\n";
      std::exit(1);
    }
  }

 private:
  static constexpr std::size_t kTag = 16;

  const Cipher* CipherOf() const {
    if (call_ == SodiumCall::kChaChaSeal || call_ == SodiumCall::kChaChaOpen) return &kChaCha;
    if (call_ == SodiumCall::kXChaChaSeal || call_ == SodiumCall::kXChaChaOpen) return &kXChaCha;
    return nullptr;
  }

  int One() {
    const std::size_t size = message_.size();
    switch (call_) {
      case SodiumCall::kSign:
        return __real_crypto_sign_detached(signature_.data(), nullptr, message_.data(), size,
                                           sign_sk_.data());
      case SodiumCall::kVerify:
        return __real_crypto_sign_verify_detached(signature_.data(), message_.data(), size,
                                                  sign_pk_.data());
      case SodiumCall::kScalarMult:
        return __real_crypto_scalarmult_curve25519(shared_.data(), key_.data(), point_.data());
      case SodiumCall::kScalarMultBase:
        return __real_crypto_scalarmult_curve25519_base(shared_.data(), key_.data());
      case SodiumCall::kHmac: {
        crypto_auth_hmacsha256_state state;
        crypto_auth_hmacsha256_init(&state, key_.data(), key_.size());
        __real_crypto_auth_hmacsha256_update(&state, message_.data(), size);
        return __real_crypto_auth_hmacsha256_final(&state, shared_.data());
      }
      case SodiumCall::kChaChaSeal:
      case SodiumCall::kXChaChaSeal:
        return CipherOf()->seal(out_.data(), nullptr, message_.data(), size, nullptr, 0, nullptr,
                                nonce_.data(), key_.data());
      case SodiumCall::kChaChaOpen:
      case SodiumCall::kXChaChaOpen:
        return CipherOf()->open(out_.data(), nullptr, nullptr, sealed_.data(), sealed_.size(),
                                nullptr, 0, nonce_.data(), key_.data());
    }
    return -1;
  }

  const SodiumCall call_;
  Buffer message_;
  Buffer sealed_;
  Buffer out_;
  std::array<unsigned char, 32> key_{};
  std::array<unsigned char, 32> point_{};
  std::array<unsigned char, 32> shared_{};
  std::array<unsigned char, 24> nonce_{};
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> sign_pk_{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> sign_sk_{};
  std::array<unsigned char, crypto_sign_BYTES> signature_{};
};

}  // namespace

SodiumCounts CountsNow() {
  SodiumCounts counts;
  for (std::size_t i = 0; i < kSodiumCalls; ++i) {
    counts[i] = {counters[i].calls.load(), counters[i].bytes.load()};
  }
  return counts;
}

SodiumCounts Between(const SodiumCounts& before, const SodiumCounts& after) {
  SodiumCounts counts;
  for (std::size_t i = 0; i < kSodiumCalls; ++i) {
    counts[i] = {after[i].calls - before[i].calls, after[i].bytes - before[i].bytes};
  }
  return counts;
}

double SecondsOf(const SodiumCounts& counts) {
  const std::size_t threads = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::vector<Bare>> bare(threads);
  for (auto& calls : bare) {
    for (std::size_t i = 0; i < kSodiumCalls; ++i) {
      const std::uint64_t size = counts[i].calls == 0 ? 0 : counts[i].bytes / counts[i].calls;
      calls.emplace_back(static_cast<SodiumCall>(i), size);
    }
  }
  return Seconds([&] {
    std::vector<std::jthread> workers;
    for (std::size_t t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        for (std::size_t i = 0; i < kSodiumCalls; ++i) {
          bare[t][i].Run(counts[i].calls / threads + (t < counts[i].calls % threads ? 1 : 0));
        }
      });
    }
  });
}

}  // namespace godwit::bench
