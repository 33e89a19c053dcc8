// C2SP chunked encryption: Wycheproof's files, whose ciphertexts are compressed with zlib. They
// exist for AES-GCM alone and test the framing and the key derivation; gw1/kat.json has one answer
// for ChaCha20-Poly1305.

#include "crypto/chunked.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <vector>

#include "crypto/hash.h"
#include "tests/support/aes_gcm.h"
#include "tests/support/keys.h"
#include "tests/vectors/vectors.h"

namespace godwit::crypto {
namespace {

using base::Bytes;
using base::ByteSpan;
using support::Hex;
using support::Json;

// The files' streams have no proper end, so that only what comes out counts.
Bytes Inflate(Bytes compressed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit(&stream), Z_OK);
  Bytes out(5U << 20);
  stream.next_in = compressed.data();
  stream.avail_in = static_cast<unsigned>(compressed.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<unsigned>(out.size());
  const int result = inflate(&stream, Z_SYNC_FLUSH);
  EXPECT_TRUE(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR) << result;
  EXPECT_EQ(stream.avail_in, 0U);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

struct Opened {
  bool complete = false;
  Bytes text;  // what was released chunk by chunk, also of a text that fails later
};

Opened OpenAll(const ChunkedSuite& suite, const SecretBytes& root, ByteSpan context,
               ByteSpan sealed) {
  Opened result;
  auto opener = ChunkOpener::Start(suite, root, context,
                                   sealed.first(std::min(sealed.size(), kChunkedHeaderSize)));
  if (!opener) return result;
  for (auto rest = sealed.subspan(kChunkedHeaderSize); !rest.empty();) {
    const auto chunk = rest.first(std::min(rest.size(), kSealedChunkSize));
    const auto text = opener->Open(chunk);
    if (!text) return result;
    base::Append(result.text, text->Expose());
    rest = rest.subspan(chunk.size());
  }
  result.complete = opener->complete();
  return result;
}

Bytes SealAll(const ChunkedSuite& suite, const SecretBytes& root, ByteSpan context, ByteSpan text,
              std::span<const std::uint8_t, kChunkedSaltSize> salt) {
  ChunkSealer sealer(suite, root, context, salt);
  Bytes sealed = sealer.Header();
  for (; text.size() >= kChunkSize; text = text.subspan(kChunkSize)) {
    base::Append(sealed, sealer.Seal(text.first(kChunkSize)));
  }
  base::Append(sealed, sealer.Seal(text));
  return sealed;
}

void RunFile(const Json& file, const ChunkedSuite& suite, const char* what) {
  std::size_t ran = 0;
  for (const auto& group : file["testGroups"]) {
    ASSERT_EQ(group["aead"], suite.name);
    for (const auto& test : group["tests"]) {
      SCOPED_TRACE(test["comment"].get<std::string>());
      const auto root = SecretBytes::Copy(Hex(test["key"]));
      const auto context = Hex(test["ctx"]);
      const auto sealed = Inflate(Hex(test["ct"]));
      const auto opened = OpenAll(suite, root, context, sealed);
      const bool valid = test["result"] == "valid";
      EXPECT_EQ(opened.complete, valid);
      const bool releases = test.contains("msgLength") && !test["msgLength"].is_null();
      EXPECT_EQ(opened.text.size(), releases ? test["msgLength"].get<std::size_t>() : 0);
      if (releases) {
        EXPECT_EQ(base::ToBytes(Sha512({opened.text})), Hex(test["msgSha512"]));
      }
      if (valid) {
        EXPECT_EQ(
            SealAll(suite, root, context, opened.text, ByteSpan(sealed).first<kChunkedSaltSize>()),
            sealed);
      }
      ++ran;
    }
  }
  support::ReportCount(what, ran, 35);
}

TEST(Wycheproof, ChunkedEncryptionAes128Gcm) {
  const auto file = support::Vectors("wycheproof/c2sp_chunked_encryption_aes_128_gcm_test.json");
  if (!file) return;
  RunFile(*file, {support::Aes128Gcm(), "AEAD_AES_128_GCM"}, "wycheproof chunked aes_128_gcm");
}

TEST(Wycheproof, ChunkedEncryptionAes256Gcm) {
  const auto file = support::Vectors("wycheproof/c2sp_chunked_encryption_aes_256_gcm_test.json");
  if (!file) return;
  RunFile(*file, {support::Aes256Gcm(), "AEAD_AES_256_GCM"}, "wycheproof chunked aes_256_gcm");
}

TEST(Gw1, ChunkedEncryptionOfAttachments) {
  const auto file = support::Vectors("gw1/kat.json");
  if (!file) return;
  const auto& test = (*file)["attachment"];
  const auto salt = Hex(test["salt24"]);
  const auto context = Hex(test["context"]);
  ChunkSealer sealer(DefaultChunked(), SecretBytes::Copy(Hex(test["att_key"])), context,
                     ByteSpan(salt).first<kChunkedSaltSize>());
  Bytes header = salt;
  base::Append(header, Hex(test["commitment"]));
  EXPECT_EQ(sealer.Header(), header);
  const Bytes text{1, 2, 3};
  EXPECT_EQ(sealer.Seal(text), ChaCha20Poly1305().Seal(SecretBytes::Copy(Hex(test["key"])),
                                                       Hex(test["base_nonce"]), {}, text));
  support::ReportCount("gw1 attachment", 1, 1);
}

}  // namespace
}  // namespace godwit::crypto
