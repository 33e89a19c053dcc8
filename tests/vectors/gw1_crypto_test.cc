// gw1/kat.json: known answers for section 1 of docs/protocol.md from an implementation that shares
// no line with this one. The formats above it are tested where protocol/ is.

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "crypto/box.h"
#include "crypto/committing.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"
#include "crypto/kem.h"
#include "crypto/padding.h"
#include "crypto/sign.h"
#include "tests/support/keys.h"
#include "tests/vectors/vectors.h"

namespace godwit::crypto {
namespace {

using base::Bytes;
using base::ByteSpan;
using support::Hex;
using support::Json;
using support::KeyOf;
using support::Plain;
using support::ReportCount;

std::optional<Json> Answers(const char* part) {
  auto file = support::Vectors("gw1/kat.json");
  if (!file) return std::nullopt;
  return (*file)[part];
}

// Labels are literals, so those of the file are written out. Anything else is a failure.
template <Form kForm, std::size_t N>
Label<kForm> Named(const Json& test, const std::array<Label<kForm>, N>& labels) {
  const auto name = test["label"].get<std::string>();
  for (const auto& label : labels) {
    if (label.text() == name) return label;
  }
  ADD_FAILURE() << "label " << name;
  return labels[0];
}

TEST(Gw1, H) {
  const auto answers = Answers("H");
  if (!answers) return;
  constexpr std::array kLabels{HashLabel("link"), HashLabel("device"), HashLabel("staff")};
  for (const auto& test : *answers) {
    EXPECT_EQ(base::ToBytes(LabeledHash(Named(test, kLabels), {Hex(test["x"])})), Hex(test["out"]));
  }
  ReportCount("gw1 H", answers->size(), 3);
}

TEST(Gw1, X) {
  const auto answers = Answers("X");
  if (!answers) return;
  constexpr std::array kLabels{DeriveLabel("dev-sign"), DeriveLabel("prev-key"), DeriveLabel("dup"),
                               kDeriveCommitting, DeriveLabel("offer")};
  for (const auto& test : *answers) {
    Bytes out(test["len"].get<std::size_t>());
    Derive(SecretBytes::Copy(Hex(test["prk"])), Named(test, kLabels), Hex(test["ctx"]), out);
    EXPECT_EQ(out, Hex(test["out"]));
  }
  ReportCount("gw1 X", answers->size(), 5);
}

TEST(Gw1, CommittingCipher) {
  const auto answers = Answers("CA");
  if (!answers) return;
  constexpr std::array kLabels{CommittingLabel("rec"), CommittingLabel("prev"),
                               CommittingLabel("keystore")};
  for (const auto& test : *answers) {
    const auto key = KeyOf(Hex(test["key"]));
    const auto label = Named(test, kLabels);
    const auto context = Hex(test["ctx"]);
    const auto salt = Hex(test["salt"]);
    const auto want = Hex(test["out"]);
    const auto parts = internal::SealCommittingWithSalt(key, label, context, Hex(test["pt"]),
                                                        ByteSpan(salt).first<32>());
    Bytes made = base::ToBytes(parts.salt);
    base::Append(made, parts.commitment);
    base::Append(made, parts.ciphertext);
    EXPECT_EQ(made, want);
    const auto opened = OpenCommitting(key, label, context, want);
    ASSERT_TRUE(opened);
    EXPECT_EQ(Plain(*opened), Hex(test["pt"]));
  }
  ReportCount("gw1 CA", answers->size(), 3);
}

TEST(Gw1, KeyCommitment) {
  const auto answers = Answers("KC");
  if (!answers) return;
  constexpr std::array kLabels{KeyCommitmentLabel("vek")};
  for (const auto& test : *answers) {
    EXPECT_EQ(base::ToBytes(
                  KeyCommitment(KeyOf(Hex(test["key"])), Named(test, kLabels), Hex(test["ctx"]))),
              Hex(test["out"]));
  }
  ReportCount("gw1 KC", answers->size(), 1);
}

TEST(Gw1, DeriveKeyPair) {
  const auto answers = Answers("DeriveKeyPair");
  if (!answers) return;
  for (const auto& test : *answers) {
    const auto pair = X25519Kem().DeriveKeyPair(KeyOf(Hex(test["ikm"])));
    ASSERT_TRUE(pair);
    EXPECT_EQ(base::ToBytes(pair->private_key.Expose()), Hex(test["sk"]));
    EXPECT_EQ(pair->public_key, Hex(test["pk"]));
  }
  ReportCount("gw1 DeriveKeyPair", answers->size(), 1);
}

TEST(Gw1, Box) {
  const auto answers = Answers("Box");
  if (!answers) return;
  constexpr std::array kLabels{BoxLabel("vek"), BoxLabel("puk")};
  const auto suite = DefaultHpke();
  for (const auto& test : *answers) {
    const auto label = Named(test, kLabels);
    const auto context = Hex(test["ctx"]);
    const auto public_key = Hex(test["pk"]);
    const auto key = KeyOf(Hex(test["key"]));
    EXPECT_EQ(internal::BoxEphemeralSeed(suite, public_key, label, context, key),
              Hex(test["eph_ikm"]));
    const auto box = SealBox(suite, public_key, label, context, key);
    ASSERT_TRUE(box);
    EXPECT_EQ(*box, Hex(test["out"]));
    const auto pair = suite.kem.FromPrivateKey(KeyOf(Hex(test["sk"])));
    ASSERT_TRUE(pair);
    EXPECT_EQ(pair->public_key, public_key);
    const auto opened =
        OpenBox<support::TestKeyTag>(suite, *pair, label, context, Hex(test["out"]));
    ASSERT_TRUE(opened);
    EXPECT_EQ(base::ToBytes(opened->Expose()), Hex(test["key"]));
  }
  ReportCount("gw1 Box", answers->size(), 2);
}

TEST(Gw1, Sealed) {
  const auto answers = Answers("Sealed");
  if (!answers) return;
  constexpr std::array kLabels{SealedLabel("audit"), SealedLabel("share"), SealedLabel("draft")};
  const auto suite = DefaultHpke();
  for (const auto& test : *answers) {
    const auto label = Named(test, kLabels);
    const auto context = Hex(test["ctx"]);
    const auto salt = Hex(test["salt"]);
    const auto made = internal::SealToWith(suite, Hex(test["pk"]), label, context, Hex(test["pt"]),
                                           KeyOf(Hex(test["k"])), ByteSpan(salt).first<32>());
    ASSERT_TRUE(made);
    EXPECT_EQ(*made, Hex(test["out"]));
    const auto pair = suite.kem.FromPrivateKey(KeyOf(Hex(test["sk"])));
    ASSERT_TRUE(pair);
    const auto opened = OpenSealed(suite, *pair, label, context, Hex(test["out"]));
    ASSERT_TRUE(opened);
    EXPECT_EQ(Plain(*opened), Hex(test["pt"]));
  }
  ReportCount("gw1 Sealed", answers->size(), 3);
}

TEST(Gw1, Sign) {
  const auto answers = Answers("Sign");
  if (!answers) return;
  constexpr std::array kLabels{SignLabel("roster"), SignLabel("vault")};
  for (const auto& test : *answers) {
    const auto key = SigningKey::FromSeed(KeyOf(Hex(test["seed"])));
    ASSERT_TRUE(key);
    EXPECT_EQ(base::ToBytes(key->public_key().bytes()), Hex(test["pk"]));
    const auto label = Named(test, kLabels);
    const auto signature = key->Sign(label, Hex(test["m"]));
    EXPECT_EQ(base::ToBytes(signature.bytes()), Hex(test["sig"]));
    EXPECT_TRUE(Verify(key->public_key(), label, Hex(test["m"]), signature));
  }
  ReportCount("gw1 Sign", answers->size(), 2);
}

TEST(Gw1, Padme) {
  const auto answers = Answers("padme");
  if (!answers) return;
  for (const auto& test : *answers) {
    EXPECT_EQ(PaddedSize(test["L"].get<std::size_t>(), 0), test["out"].get<std::size_t>()) << test;
  }
  ReportCount("gw1 padme", answers->size(), 12);
}

TEST(Gw1, RecordPadding) {
  const auto answers = Answers("record_padding");
  if (!answers) return;
  for (const auto& test : *answers) {
    const auto floor = test["floor"].get<std::size_t>();
    const auto text = Hex(test["protobuf"]);
    const auto padded = Pad(text, floor);
    EXPECT_EQ(padded.size(), test["out_len"].get<std::size_t>());
    EXPECT_EQ(base::ToBytes(Sha256(padded.Expose())), Hex(test["out_sha256"]));
    const auto unpadded = Unpad(padded.Expose(), floor);
    ASSERT_TRUE(unpadded);
    EXPECT_EQ(Plain(*unpadded), text);
  }
  ReportCount("gw1 record_padding", answers->size(), 12);
}

}  // namespace
}  // namespace godwit::crypto
