#include "crypto/secret.h"

#include <sodium.h>

namespace godwit::crypto {

void Wipe(std::span<std::uint8_t> bytes) noexcept { sodium_memzero(bytes.data(), bytes.size()); }

void FillRandom(std::span<std::uint8_t> bytes) {
  if (!bytes.empty()) randombytes_buf(bytes.data(), bytes.size());
}

SecretBytes::SecretBytes(std::size_t size)
    : bytes_(size == 0 ? nullptr : new std::uint8_t[size]{}), size_(size) {}

SecretBytes SecretBytes::Copy(base::ByteSpan bytes) {
  SecretBytes copy(bytes.size());
  std::ranges::copy(bytes, copy.bytes_);
  return copy;
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  // The old bytes leave with `old`, also when `other` is *this.
  SecretBytes old(std::move(other));
  std::swap(bytes_, old.bytes_);
  std::swap(size_, old.size_);
  return *this;
}

SecretBytes::~SecretBytes() {
  Wipe(Expose());
  delete[] bytes_;
}

}  // namespace godwit::crypto
