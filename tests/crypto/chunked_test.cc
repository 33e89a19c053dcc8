#include "crypto/chunked.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <vector>

#include "tests/support/keys.h"

namespace godwit::crypto {
namespace {

using base::Bytes;
using base::ByteSpan;
using support::RandomKey;

struct SealedText {
  Bytes header;
  std::vector<Bytes> chunks;
};

SealedText Seal(const support::Key& root, ByteSpan context, ByteSpan text) {
  ChunkSealer sealer(DefaultChunked(), root, context);
  SealedText sealed{sealer.Header(), {}};
  while (text.size() >= kChunkSize) {
    sealed.chunks.push_back(sealer.Seal(text.first(kChunkSize)));
    text = text.subspan(kChunkSize);
  }
  sealed.chunks.push_back(sealer.Seal(text));
  return sealed;
}

// Returns the whole text; nothing unless every chunk opens and the last one came.
std::optional<Bytes> Open(const support::Key& root, ByteSpan context, const SealedText& sealed) {
  auto opener = ChunkOpener::Start(DefaultChunked(), root, context, sealed.header);
  if (!opener) return std::nullopt;
  Bytes text;
  for (const auto& chunk : sealed.chunks) {
    const auto opened = opener->Open(chunk);
    if (!opened) return std::nullopt;
    base::Append(text, opened->Expose());
  }
  if (!opener->complete()) return std::nullopt;
  return text;
}

Bytes Text(std::size_t size) {
  Bytes text(size);
  FillRandom(text);
  return text;
}

RC_GTEST_PROP(ChunkedProperty, OpensWhatItSeals, (const Bytes& context)) {
  const auto root = RandomKey();
  const auto size = *rc::gen::element<std::size_t>(0, 1, kChunkSize - 1, kChunkSize, kChunkSize + 1,
                                                   3 * kChunkSize, 3 * kChunkSize + 77);
  const auto text = Text(size);
  const auto sealed = Seal(root, context, text);
  RC_ASSERT(sealed.header.size() == kChunkedHeaderSize);
  RC_ASSERT(sealed.chunks.size() == size / kChunkSize + 1);
  RC_ASSERT(Open(root, context, sealed) == text);
}

RC_GTEST_PROP(ChunkedProperty, RefusesEveryFlippedBit, ()) {
  const auto root = RandomKey();
  auto sealed = Seal(root, {}, Text(2 * kChunkSize + 5));
  const auto part = *rc::gen::inRange<std::size_t>(0, sealed.chunks.size() + 1);
  auto& altered = part == 0 ? sealed.header : sealed.chunks[part - 1];
  const auto bit = *rc::gen::inRange<std::size_t>(0, altered.size() * 8);
  altered[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  RC_ASSERT(!Open(root, {}, sealed));
}

TEST(Attack, Row9_ChunksCannotBeMovedDroppedDoubledOrMixed) {
  const auto root = RandomKey();
  const auto sealed = Seal(root, {}, Text(3 * kChunkSize + 9));
  const auto other = Seal(root, {}, Text(3 * kChunkSize + 9));
  const auto refused = [&](const char* name, auto change) {
    SCOPED_TRACE(name);
    auto altered = sealed;
    change(altered.chunks);
    EXPECT_FALSE(Open(root, {}, altered));
  };
  ASSERT_TRUE(Open(root, {}, sealed));
  refused("swapped", [](auto& chunks) { std::swap(chunks[0], chunks[1]); });
  refused("first dropped", [](auto& chunks) { chunks.erase(chunks.begin()); });
  refused("middle dropped", [](auto& chunks) { chunks.erase(chunks.begin() + 1); });
  refused("last dropped", [](auto& chunks) { chunks.pop_back(); });
  refused("all dropped", [](auto& chunks) { chunks.clear(); });
  refused("doubled", [](auto& chunks) { chunks.insert(chunks.begin(), chunks[0]); });
  refused("appended", [](auto& chunks) { chunks.push_back(chunks.back()); });
  refused("from another text", [&](auto& chunks) { chunks[1] = other.chunks[1]; });
  refused("cut", [](auto& chunks) { chunks.back().pop_back(); });
  refused("last one too long", [](auto& chunks) { chunks.back().push_back(0); });
}

TEST(Chunked, NothingOpensAfterAFailureOrTheEnd) {
  const auto root = RandomKey();
  const auto sealed = Seal(root, {}, Text(kChunkSize + 1));
  auto failed = ChunkOpener::Start(DefaultChunked(), root, {}, sealed.header);
  ASSERT_TRUE(failed);
  auto altered = sealed.chunks[0];
  altered[0] ^= 1;
  EXPECT_FALSE(failed->Open(altered));
  // Whole and in its place, but behind one that was not.
  EXPECT_FALSE(failed->Open(sealed.chunks[1]));
  EXPECT_FALSE(failed->complete());

  auto ended = ChunkOpener::Start(DefaultChunked(), root, {}, sealed.header);
  ASSERT_TRUE(ended);
  EXPECT_TRUE(ended->Open(sealed.chunks[0]));
  EXPECT_FALSE(ended->complete());
  EXPECT_TRUE(ended->Open(sealed.chunks[1]));
  EXPECT_TRUE(ended->complete());
  EXPECT_FALSE(ended->Open(sealed.chunks[1]));
  EXPECT_FALSE(ended->complete());
}

// A sealer that goes on after its last chunk, as ours refuses to: the opener must not follow it.
TEST(Chunked, AChunkSealedForAPlaceAfterTheEndIsRefused) {
  const auto root = RandomKey();
  ChunkSealer sealer(DefaultChunked(), root, {});
  internal::ChunkedState rogue(DefaultChunked(), root, {},
                               ByteSpan(sealer.Header()).first<kChunkedSaltSize>());
  auto opener = ChunkOpener::Start(DefaultChunked(), root, {}, sealer.Header());
  ASSERT_TRUE(opener);
  EXPECT_TRUE(opener->Open(rogue.Seal(Bytes{1})));
  EXPECT_TRUE(opener->complete());
  EXPECT_FALSE(opener->Open(rogue.Seal(Bytes{2})));
  EXPECT_FALSE(opener->complete());
}

TEST(Chunked, AnotherKeyContextOrHeaderIsRefused) {
  const auto root = RandomKey();
  const auto sealed = Seal(root, Bytes{1}, Text(10));
  EXPECT_TRUE(Open(root, Bytes{1}, sealed));
  EXPECT_FALSE(Open(RandomKey(), Bytes{1}, sealed));
  EXPECT_FALSE(Open(root, Bytes{2}, sealed));
  for (const std::size_t size : {0, 24, 55, 57}) {
    auto header = sealed.header;
    header.resize(size);
    const auto opener = ChunkOpener::Start(DefaultChunked(), root, Bytes{1}, header);
    ASSERT_FALSE(opener);
    EXPECT_EQ(opener.error().code(), base::Code::kDecrypt);
  }
  const auto short_key =
      ChunkOpener::Start(DefaultChunked(), SecretBytes(16), Bytes{1}, sealed.header);
  ASSERT_FALSE(short_key);
  EXPECT_EQ(short_key.error().code(), base::Code::kInvalidArgument);
}

}  // namespace
}  // namespace godwit::crypto
