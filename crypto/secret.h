#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/slab.h"

namespace godwit::crypto {

// Overwrites `bytes` with zeros in a way that no compiler leaves out.
void Wipe(std::span<std::uint8_t> bytes) noexcept;

// Fills `bytes` from the system's random generator. Init must have succeeded.
void FillRandom(std::span<std::uint8_t> bytes);

// A long-lived key of N bytes in a locked slab. Moves but does not copy; wiped when moved from and
// at the end; no comparison and no output: `Expose` is the only way in, so that a search for it
// lists all that a review must read. A moved-from Secret must not be exposed.
template <class Tag, std::size_t N>
class Secret {
  static_assert(N <= kSlotSize);

 public:
  static constexpr std::size_t kSize = N;

  // Returns a key whose bytes `fill(std::span<std::uint8_t, N>)` writes.
  // RESOURCE_EXHAUSTED: no memory can be locked.
  template <class Fill>
  static base::Result<Secret> Make(Fill&& fill) {
    void* slot = TakeSlot();
    if (slot == nullptr) {
      return base::Error(base::Code::kResourceExhausted,
                         "no memory can be locked for keys: raise the memlock limit (ulimit -l)");
    }
    Secret secret(static_cast<std::uint8_t*>(slot));
    fill(std::span<std::uint8_t, N>(secret.bytes_, N));
    return secret;
  }

  // Returns N uniformly random bytes. Errors as Make.
  static base::Result<Secret> Random() {
    return Make([](std::span<std::uint8_t, N> out) { FillRandom(out); });
  }

  // Returns a copy of `bytes`; the caller wipes the source. Errors as Make.
  static base::Result<Secret> Copy(std::span<const std::uint8_t, N> bytes) {
    return Make([&](std::span<std::uint8_t, N> out) { std::ranges::copy(bytes, out.begin()); });
  }

  Secret(Secret&& other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)) {}
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      GiveSlot(bytes_);
      bytes_ = std::exchange(other.bytes_, nullptr);
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { GiveSlot(bytes_); }

  std::span<const std::uint8_t, N> Expose() const {
    return std::span<const std::uint8_t, N>(bytes_, N);
  }

 private:
  explicit Secret(std::uint8_t* bytes) : bytes_(bytes) {}

  std::uint8_t* bytes_;
};

// N bytes of a temporary on the stack, wiped at the end; neither moves nor copies.
template <std::size_t N>
class StackSecret {
 public:
  StackSecret() = default;
  StackSecret(const StackSecret&) = delete;
  StackSecret& operator=(const StackSecret&) = delete;
  ~StackSecret() { Wipe(bytes_); }

  std::span<std::uint8_t, N> Expose() { return bytes_; }
  std::span<const std::uint8_t, N> Expose() const { return bytes_; }

 private:
  std::array<std::uint8_t, N> bytes_{};
};

// Plaintext, a passphrase or a derived string of any length, for the time of a call: on the heap,
// not locked, wiped when moved from, resized and at the end. Same rules as Secret otherwise.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size);  // zeros
  // Copies `bytes`; the caller wipes the source.
  static SecretBytes Copy(base::ByteSpan bytes);

  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  ~SecretBytes();

  std::size_t size() const { return size_; }
  std::span<std::uint8_t> Expose() { return {bytes_, size_}; }
  base::ByteSpan Expose() const { return {bytes_, size_}; }

 private:
  std::uint8_t* bytes_ = nullptr;
  std::size_t size_ = 0;
};

// A look at a key that somebody else holds: the form in which functions take keys, whatever their
// tag. It must not outlive the key.
template <std::size_t N = std::dynamic_extent>
class SecretRef {
 public:
  template <class Tag, std::size_t M>
    requires(N == std::dynamic_extent || N == M)
  SecretRef(const Secret<Tag, M>& secret) : bytes_(secret.Expose()) {}  // NOLINT: implicit
  template <std::size_t M>
    requires(N == std::dynamic_extent || N == M)
  SecretRef(const StackSecret<M>& secret) : bytes_(secret.Expose()) {}  // NOLINT: implicit
  SecretRef(const SecretBytes& secret)                                  // NOLINT: implicit
    requires(N == std::dynamic_extent)
      : bytes_(secret.Expose()) {}
  template <std::size_t M>
    requires(N == std::dynamic_extent && M != std::dynamic_extent)
  SecretRef(SecretRef<M> secret) : bytes_(secret.Expose()) {}  // NOLINT: implicit

  std::span<const std::uint8_t, N> Expose() const { return bytes_; }

 private:
  std::span<const std::uint8_t, N> bytes_;
};

}  // namespace godwit::crypto
