// Attacks on the ciphers that have a number in the catalogue of attacks; a few others stand beside
// what they attack (sign_test.cc, kem_test.cc, init_test.cc, tests/vectors/).

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "crypto/box.h"
#include "crypto/committing.h"
#include "crypto/padding.h"
#include "tests/support/keys.h"

namespace godwit::crypto {
namespace {

using base::Bytes;
using base::ByteSpan;
using support::Plain;
using support::RandomKey;

KemKeyPair RandomPair() { return *X25519Kem().FromPrivateKey(RandomKey()); }

Bytes Flipped(Bytes bytes, std::size_t place) {
  bytes[place] ^= 1;
  return bytes;
}

// A wrapped key whose wrap is altered or swapped is refused, every byte of it.
TEST(Attack, Row1_AlteredOrSwappedWrapsAreRefused) {
  const auto suite = DefaultHpke();
  const auto pair = RandomPair();
  const auto other_pair = RandomPair();
  const auto key = RandomKey();
  const Bytes context{1};
  const auto box = *SealBox(suite, pair.public_key, BoxLabel("vek"), context, key);
  const auto wrap = SealCommitting(key, CommittingLabel("prev"), context, key.Expose());
  StackSecret<32> out;
  for (std::size_t i = 0; i < box.size(); ++i) {
    ASSERT_FALSE(OpenBoxInto(suite, pair, BoxLabel("vek"), context, Flipped(box, i), out.Expose()));
  }
  for (std::size_t i = 0; i < wrap.size(); ++i) {
    ASSERT_FALSE(OpenCommitting(key, CommittingLabel("prev"), context, Flipped(wrap, i)));
  }
  EXPECT_FALSE(OpenBoxInto(suite, other_pair, BoxLabel("vek"), context, box, out.Expose()));
  EXPECT_FALSE(OpenBoxInto(suite, pair, BoxLabel("vek"), Bytes{2}, box, out.Expose()));
  EXPECT_FALSE(OpenCommitting(RandomKey(), CommittingLabel("prev"), context, wrap));
  EXPECT_FALSE(OpenCommitting(key, CommittingLabel("prev"), Bytes{2}, wrap));
  // Nothing of what fails to open is left to be used.
  EXPECT_TRUE(std::ranges::all_of(out.Expose(), [](std::uint8_t byte) { return byte == 0; }));
}

constexpr CommittingLabel kCommittingLabels[] = {CommittingLabel("rec"), CommittingLabel("prev"),
                                                 CommittingLabel("puk-prev"), CommittingLabel("re"),
                                                 CommittingLabel("recc")};
constexpr BoxLabel kBoxLabels[] = {BoxLabel("vek"), BoxLabel("puk"), BoxLabel("vek-rec"),
                                   BoxLabel("ve"), BoxLabel("vekk")};
constexpr SealedLabel kSealedLabels[] = {SealedLabel("audit"), SealedLabel("share"),
                                         SealedLabel("draft")};

TEST(Attack, Row2_NoTextOpensUnderAnotherLabel) {
  const auto key = RandomKey();
  const auto pair = RandomPair();
  const auto suite = DefaultHpke();
  const Bytes context{1, 2, 3};
  int opened = 0;
  for (const auto& sealed_under : kCommittingLabels) {
    const auto sealed = SealCommitting(key, sealed_under, context, Bytes{9});
    for (const auto& opened_under : kCommittingLabels) {
      const bool same = sealed_under.text() == opened_under.text();
      EXPECT_EQ(OpenCommitting(key, opened_under, context, sealed).ok(), same)
          << sealed_under.text() << " " << opened_under.text();
      opened += same ? 1 : 0;
    }
  }
  for (const auto& sealed_under : kSealedLabels) {
    const auto sealed = *SealTo(suite, pair.public_key, sealed_under, context, Bytes{9});
    for (const auto& opened_under : kSealedLabels) {
      const bool same = sealed_under.text() == opened_under.text();
      EXPECT_EQ(OpenSealed(suite, pair, opened_under, context, sealed).ok(), same)
          << sealed_under.text() << " " << opened_under.text();
      opened += same ? 1 : 0;
    }
  }
  EXPECT_EQ(opened, 8);
}

TEST(Attack, Row21_NoBoxOpensUnderAnotherLabelOrContext) {
  const auto suite = DefaultHpke();
  const auto pair = RandomPair();
  const auto key = RandomKey();
  // The last byte of one label could be the first of a context.
  const Bytes contexts[] = {{}, {1}, {'k'}, {'k', 1}, {0, 1}};
  StackSecret<32> out;
  int opened = 0;
  for (const auto& label : kBoxLabels) {
    for (const auto& context : contexts) {
      const auto box = *SealBox(suite, pair.public_key, label, context, key);
      for (const auto& other_label : kBoxLabels) {
        for (const auto& other_context : contexts) {
          const bool same = label.text() == other_label.text() && context == other_context;
          EXPECT_EQ(OpenBoxInto(suite, pair, other_label, other_context, box, out.Expose()).ok(),
                    same)
              << label.text() << " " << other_label.text();
          opened += same ? 1 : 0;
        }
      }
    }
  }
  EXPECT_EQ(opened, 25);
}

// Whoever alters bytes and watches learns nothing about where they fell.
TEST(Attack, Row4_EveryFailureLooksAlike) {
  const auto key = RandomKey();
  const auto suite = DefaultHpke();
  const auto pair = RandomPair();
  const CommittingLabel label("rec");
  const Bytes context{5};
  const auto padded = Pad(Bytes{1, 2, 3}, 64);
  const auto sealed = SealCommitting(key, label, context, padded.Expose());
  const auto box = *SealBox(suite, pair.public_key, BoxLabel("vek"), context, key);
  const auto whole = *SealTo(suite, pair.public_key, SealedLabel("audit"), context, Bytes{1});
  Bytes bad_padding = Plain(padded);
  bad_padding.back() = 1;
  Bytes zero_point = box;
  std::fill_n(zero_point.begin(), 32, std::uint8_t{0});

  StackSecret<32> out;
  const auto open_box = [&](const KemKeyPair& with, BoxLabel box_label, const Bytes& box_context,
                            const Bytes& bytes) {
    return OpenBoxInto(suite, with, box_label, box_context, bytes, out.Expose());
  };
  const auto fault = [](const auto& result) {
    EXPECT_FALSE(result);
    return result.error();
  };
  const struct {
    const char* name;
    base::Error error;
  } rows[] = {
      {"salt", fault(OpenCommitting(key, label, context, Flipped(sealed, 0)))},
      {"commitment", fault(OpenCommitting(key, label, context, Flipped(sealed, 32)))},
      {"ciphertext", fault(OpenCommitting(key, label, context, Flipped(sealed, 64)))},
      {"tag", fault(OpenCommitting(key, label, context, Flipped(sealed, sealed.size() - 1)))},
      {"key", fault(OpenCommitting(RandomKey(), label, context, sealed))},
      {"label", fault(OpenCommitting(key, CommittingLabel("prev"), context, sealed))},
      {"context", fault(OpenCommitting(key, label, Bytes{6}, sealed))},
      {"too short", fault(OpenCommitting(key, label, context, Bytes(79)))},
      {"padding", fault(Unpad(bad_padding, 64))},
      {"padding length", fault(Unpad(Bytes(3), 64))},
      {"box point", fault(open_box(pair, BoxLabel("vek"), context, Flipped(box, 0)))},
      {"box zero point", fault(open_box(pair, BoxLabel("vek"), context, zero_point))},
      {"box tag", fault(open_box(pair, BoxLabel("vek"), context, Flipped(box, 79)))},
      {"box pair", fault(open_box(RandomPair(), BoxLabel("vek"), context, box))},
      {"box label", fault(open_box(pair, BoxLabel("puk"), context, box))},
      {"box context", fault(open_box(pair, BoxLabel("vek"), Bytes{6}, box))},
      {"box length", fault(open_box(pair, BoxLabel("vek"), context, Bytes(81)))},
      {"sealed box",
       fault(OpenSealed(suite, pair, SealedLabel("audit"), context, Flipped(whole, 40)))},
      {"sealed body", fault(OpenSealed(suite, pair, SealedLabel("audit"), context,
                                       Flipped(whole, whole.size() - 1)))},
      {"sealed length", fault(OpenSealed(suite, pair, SealedLabel("audit"), context, Bytes(3)))},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(row.error.code(), base::Code::kDecrypt);
    EXPECT_EQ(row.error.message(), rows[0].error.message());
  }
}

// The length of what is stored tells the length class of the text and nothing else.
TEST(Attack, Row25_LengthTellsTheClassAlone) {
  const auto key = RandomKey();
  constexpr std::size_t kFloor = 256;
  std::map<std::size_t, std::size_t> sealed_size_of_class;
  for (std::size_t size = 0; size < 3000; size += 7) {
    // What a compressor would shrink to nothing, and what it could not.
    const Bytes even(size, 'a');
    Bytes odd(size);
    FillRandom(odd);
    const std::size_t padded = PaddedSize(size + 4, kFloor);
    for (const auto& text : {even, odd}) {
      const auto sealed =
          SealCommitting(key, CommittingLabel("rec"), {}, Pad(text, kFloor).Expose());
      const auto [at, added] = sealed_size_of_class.emplace(padded, sealed.size());
      ASSERT_EQ(at->second, sealed.size()) << size;
    }
  }
  // All short texts are one class, and the classes stay few.
  EXPECT_EQ(sealed_size_of_class.begin()->first, kFloor);
  EXPECT_LE(sealed_size_of_class.size(), 64U);
}

// A million seals under one key, as they come from retries and conflicts: no salt comes twice.
TEST(Attack, Row49_AMillionSealsHaveAMillionSalts) {
  constexpr std::size_t kThreads = 2;
  constexpr std::size_t kSeals = 1'000'000;
  const auto key = RandomKey();
  std::vector<std::array<std::uint8_t, 32>> salts(kSeals);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < kSeals; i += kThreads) {
        salts[i] = SealCommittingParts(key, CommittingLabel("rec"), {}, {}).salt;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::ranges::sort(salts);
  EXPECT_EQ(std::ranges::adjacent_find(salts), salts.end());
}

}  // namespace
}  // namespace godwit::crypto
