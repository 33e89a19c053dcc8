#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/aead.h"
#include "crypto/secret.h"

namespace godwit::crypto {

// c2sp.org/chunked-encryption v1: a text of any length as chunks of 16 KiB, each of which may be
// used once it opens; the last one is shorter, perhaps empty, so that a cut at the end shows.
// Commits to key, salt and context.
//
//   key | base_nonce | commitment[32] = HKDF-Expand-SHA512(
//       root, "c2sp.org/chunked-encryption@v1+" | name | 0x00 | salt[24] | context)
//   out = salt | commitment | chunk 0 | chunk 1 ...,  chunk i under base_nonce XOR i
inline constexpr std::size_t kChunkSize = 16 * 1024;
inline constexpr std::size_t kSealedChunkSize = kChunkSize + Aead::kTagSize;
inline constexpr std::size_t kChunkedSaltSize = 24;
inline constexpr std::size_t kChunkedHeaderSize = kChunkedSaltSize + 32;

// An Aead with the name that the specification gives it.
struct ChunkedSuite {
  const Aead& aead;
  std::string_view name;
};

// AEAD_CHACHA20_POLY1305: the suite of attachments.
ChunkedSuite DefaultChunked();

namespace internal {
// What both ends derive, and the count of chunks.
class ChunkedState {
 public:
  ChunkedState(const ChunkedSuite& suite, SecretRef<> root, base::ByteSpan context,
               std::span<const std::uint8_t, kChunkedSaltSize> salt);

  const std::array<std::uint8_t, 32>& commitment() const { return commitment_; }
  base::Bytes Seal(base::ByteSpan text);
  base::Result<SecretBytes> Open(base::ByteSpan sealed);

 private:
  base::Bytes Nonce() const;

  const Aead* aead_;
  SecretBytes key_;
  base::Bytes base_nonce_;
  std::array<std::uint8_t, 32> commitment_{};
  std::uint64_t number_ = 0;
};
}  // namespace internal

// Seals one text. Not thread-safe.
class ChunkSealer {
 public:
  // Under a fresh salt. `root` is uniformly random and has the length of the suite's keys.
  ChunkSealer(const ChunkedSuite& suite, SecretRef<> root, base::ByteSpan context);
  // Under a given salt, for known answers: one used twice is the end of secrecy.
  ChunkSealer(const ChunkedSuite& suite, SecretRef<> root, base::ByteSpan context,
              std::span<const std::uint8_t, kChunkedSaltSize> salt);

  // What stands before the chunks: kChunkedHeaderSize bytes.
  base::Bytes Header() const;
  // Returns the next chunk. `text` is kChunkSize bytes; fewer, perhaps none, make the last chunk,
  // which every text must end with.
  base::Bytes Seal(base::ByteSpan text);

 private:
  std::array<std::uint8_t, kChunkedSaltSize> salt_;
  internal::ChunkedState state_;
  bool complete_ = false;
};

// Opens one text. Not thread-safe.
class ChunkOpener {
 public:
  // Compares the commitment of `header`, the first kChunkedHeaderSize bytes. E_DECRYPT: another
  // length, root or context, or altered. INVALID_ARGUMENT: `root` has not the length of the suite's
  // keys.
  static base::Result<ChunkOpener> Start(const ChunkedSuite& suite, SecretRef<> root,
                                         base::ByteSpan context, base::ByteSpan header);

  // Returns the text of the next chunk: kSealedChunkSize bytes, or fewer where the input ends.
  // E_DECRYPT: altered, in another place, or after the last chunk; nothing opens after that.
  base::Result<SecretBytes> Open(base::ByteSpan chunk);
  // Whether the last chunk was opened: until then the text may have been cut.
  bool complete() const { return phase_ == Phase::kComplete; }

 private:
  enum class Phase { kOpen, kComplete, kFailed };
  explicit ChunkOpener(internal::ChunkedState state) : state_(std::move(state)) {}

  internal::ChunkedState state_;
  Phase phase_ = Phase::kOpen;
};

}  // namespace godwit::crypto
