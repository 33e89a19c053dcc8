#include "crypto/chunked.h"

#include <algorithm>
#include <cassert>

#include "crypto/constant_time.h"
#include "crypto/errors.h"
#include "crypto/hkdf.h"

namespace godwit::crypto {

ChunkedSuite DefaultChunked() { return {ChaCha20Poly1305(), "AEAD_CHACHA20_POLY1305"}; }

namespace internal {

ChunkedState::ChunkedState(const ChunkedSuite& suite, SecretRef<> root, base::ByteSpan context,
                           std::span<const std::uint8_t, kChunkedSaltSize> salt)
    : aead_(&suite.aead), key_(suite.aead.key_size()), base_nonce_(suite.aead.nonce_size()) {
  assert(root.Expose().size() == suite.aead.key_size());
  base::Bytes info = base::ToBytes(base::AsBytes("c2sp.org/chunked-encryption@v1+"));
  base::Append(info, base::AsBytes(suite.name));
  info.push_back(0);
  base::Append(info, salt);
  base::Append(info, context);

  SecretBytes okm(key_.size() + base_nonce_.size() + commitment_.size());
  const auto expanded = HkdfExpandSha512(root, info, okm.Expose());
  assert(expanded.ok());
  static_cast<void>(expanded);
  auto rest = base::ByteSpan(okm.Expose());
  const auto take = [&](std::span<std::uint8_t> out) {
    std::ranges::copy(rest.first(out.size()), out.begin());
    rest = rest.subspan(out.size());
  };
  take(key_.Expose());
  take(base_nonce_);
  take(commitment_);
}

base::Bytes ChunkedState::Seal(base::ByteSpan text) {
  auto sealed = aead_->Seal(key_, Nonce(), {}, text);
  ++number_;
  return sealed;
}

base::Result<SecretBytes> ChunkedState::Open(base::ByteSpan sealed) {
  auto text = aead_->Open(key_, Nonce(), {}, sealed);
  ++number_;
  return text;
}

base::Bytes ChunkedState::Nonce() const {
  base::Bytes nonce = base_nonce_;
  for (std::size_t i = 0; i < sizeof number_; ++i) {
    nonce[nonce.size() - 1 - i] ^= static_cast<std::uint8_t>(number_ >> (8 * i));
  }
  return nonce;
}

}  // namespace internal

namespace {

std::array<std::uint8_t, kChunkedSaltSize> FreshSalt() {
  std::array<std::uint8_t, kChunkedSaltSize> salt;
  FillRandom(salt);
  return salt;
}

}  // namespace

ChunkSealer::ChunkSealer(const ChunkedSuite& suite, SecretRef<> root, base::ByteSpan context)
    : ChunkSealer(suite, root, context, FreshSalt()) {}

ChunkSealer::ChunkSealer(const ChunkedSuite& suite, SecretRef<> root, base::ByteSpan context,
                         std::span<const std::uint8_t, kChunkedSaltSize> salt)
    : state_(suite, root, context, salt) {
  std::ranges::copy(salt, salt_.begin());
}

base::Bytes ChunkSealer::Header() const {
  base::Bytes header = base::ToBytes(salt_);
  base::Append(header, state_.commitment());
  return header;
}

base::Bytes ChunkSealer::Seal(base::ByteSpan text) {
  assert(!complete_ && text.size() <= kChunkSize);
  complete_ = text.size() < kChunkSize;
  return state_.Seal(text);
}

base::Result<ChunkOpener> ChunkOpener::Start(const ChunkedSuite& suite, SecretRef<> root,
                                             base::ByteSpan context, base::ByteSpan header) {
  if (root.Expose().size() != suite.aead.key_size()) {
    return base::Error(base::Code::kInvalidArgument, "a chunked text has a key of another length");
  }
  if (header.size() != kChunkedHeaderSize) return kDecryptError;
  internal::ChunkedState state(suite, root, context, header.first<kChunkedSaltSize>());
  if (!ConstantTimeEqual(state.commitment(), header.last<32>())) return kDecryptError;
  return ChunkOpener(std::move(state));
}

base::Result<SecretBytes> ChunkOpener::Open(base::ByteSpan chunk) {
  if (phase_ != Phase::kOpen || chunk.size() > kSealedChunkSize) {
    phase_ = Phase::kFailed;
    return kDecryptError;
  }
  auto text = state_.Open(chunk);
  if (!text) {
    phase_ = Phase::kFailed;
  } else if (chunk.size() < kSealedChunkSize) {
    phase_ = Phase::kComplete;
  }
  return text;
}

}  // namespace godwit::crypto
