#include "protocol/keystore.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "crypto/argon2id.h"
#include "crypto/committing.h"
#include "crypto/hkdf.h"
#include "protocol/ce.h"
#include "protocol/labels.h"
#include "tests/support/codes.h"
#include "tests/support/keys.h"

namespace godwit::protocol {
namespace {

using base::Bytes;
using crypto::SecretBytes;
using support::CodeOf;

constexpr KdfCost kFloor{KdfCost::kFloorOps, KdfCost::kFloorMem};
// Where the header's fields stand: tag, ver, mode, realm, enrol_id, salt, ops, mem, pkU.
constexpr std::size_t kVer = 6, kMode = 7, kRealm = 8, kEnrol = 24, kSalt = 40, kOps = 56,
                      kPkU = 68, kSealed = 100;

SecretBytes Passphrase(std::string_view text) { return SecretBytes::Copy(base::AsBytes(text)); }

// One keystore for all tests: each opening costs a tenth of a second.
struct World {
  base::RealmId realm{std::array<std::uint8_t, 16>{1}};
  DeviceSeed seed = *DeviceSeed::Random();
  Bytes state{9, 8, 7};
  SecretBytes passphrase = Passphrase("four invented words here");
  Bytes file = *SealKeystore(passphrase, realm, kFloor, seed, state);
};
const World& TheWorld() {
  static const World world;
  return world;
}

TEST(Keystore, OpensWithItsPassphrase) {
  const World& w = TheWorld();
  const auto opened = UnlockKeystore(w.passphrase, w.file);
  ASSERT_EQ(CodeOf(opened), "ok");
  EXPECT_TRUE(std::ranges::equal(opened->seed.Expose(), w.seed.Expose()));
  EXPECT_EQ(support::Plain(opened->state), w.state);
  EXPECT_EQ(opened->header.realm, w.realm);
  EXPECT_EQ(opened->header.cost.ops, kFloor.ops);
  EXPECT_EQ(opened->header.cost.mem, kFloor.mem);
  const auto header = ReadKeystoreHeader(w.file);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->salt, opened->header.salt);
  // A second one of the same shares nothing with it.
  const Bytes again = *SealKeystore(w.passphrase, w.realm, kFloor, w.seed, w.state);
  EXPECT_FALSE(std::equal(again.begin() + kEnrol, again.begin() + kSalt, w.file.begin() + kEnrol));
  EXPECT_FALSE(std::equal(again.begin() + kSalt, again.begin() + kOps, w.file.begin() + kSalt));
}

TEST(Keystore, AWrongPassphraseAndAChangedFileReadAlike) {
  const World& w = TheWorld();
  const auto wrong = UnlockKeystore(Passphrase("four invented words her"), w.file);
  ASSERT_EQ(CodeOf(wrong), "E_DECRYPT");
  const auto refused = [&](const Bytes& file) {
    const auto opened = UnlockKeystore(w.passphrase, file);
    EXPECT_EQ(CodeOf(opened), "E_DECRYPT");
    if (opened) return;
    EXPECT_EQ(opened.error().message(), wrong.error().message());
  };
  // One place of each field that reaches the passphrase, and of each part of the seal.
  for (const std::size_t at : {kRealm, kEnrol, kSalt - 1, kSalt, kOps - 1, kSealed, kSealed + 32,
                               kSealed + 64, w.file.size() - 1}) {
    SCOPED_TRACE(at);
    Bytes file = w.file;
    file[at] ^= 1;
    refused(file);
  }
  // A cost between floor and cap, other than the file's.
  Bytes file = w.file;
  file[kOps + 3] = 4;
  refused(file);
  // Cut, longer, of another tag, with a key service's key in mode 0.
  file = w.file;
  file.pop_back();
  refused(file);
  file = w.file;
  file.push_back(0);
  refused(file);
  file.resize(kSealed);
  refused(file);
  for (std::size_t size = 0; size < kSealed; ++size) {
    refused(Bytes(w.file.begin(), w.file.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  // What shows in the header is refused before the passphrase costs anything.
  for (std::size_t at = 0; at < kVer; ++at) {
    file = w.file;
    file[at] ^= 1;
    refused(file);
    EXPECT_EQ(CodeOf(ReadKeystoreHeader(file)), "E_DECRYPT");
  }
  for (std::size_t at = kPkU; at < kSealed; ++at) {
    file = w.file;
    file[at] ^= 1;
    refused(file);
    EXPECT_EQ(CodeOf(ReadKeystoreHeader(file)), "E_DECRYPT");
  }
}

// While it lives, the process gets no more than `more` bytes beside what it has.
class MemoryLimit {
 public:
  explicit MemoryLimit(std::size_t more) {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    EXPECT_EQ(getrlimit(RLIMIT_AS, &before_), 0);
    rlimit now = before_;
    now.rlim_cur = pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) + more;
    EXPECT_EQ(setrlimit(RLIMIT_AS, &now), 0);
  }
  ~MemoryLimit() { EXPECT_EQ(setrlimit(RLIMIT_AS, &before_), 0); }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

 private:
  rlimit before_{};
};

TEST(Keystore, WithoutTheMemoryThatItCostsItSaysSo) {
  const World& w = TheWorld();
  constexpr KdfCost kDear{KdfCost::kFloorOps, KdfCost::kCapMem};
  Bytes file = w.file;
  Writer cost;
  cost.U32(kDear.ops).U64(kDear.mem);
  std::ranges::copy(cost.bytes(), file.begin() + kOps);
  const MemoryLimit limit(std::size_t{64} << 20);
  EXPECT_EQ(CodeOf(SealKeystore(w.passphrase, w.realm, kDear, w.seed, {})), "RESOURCE_EXHAUSTED");
  EXPECT_EQ(CodeOf(UnlockKeystore(w.passphrase, file)), "RESOURCE_EXHAUSTED");
}

// Well sealed under the passphrase, and no keystore: shorter than a seed.
TEST(Keystore, OneWithoutASeedDoesNotOpen) {
  const World& w = TheWorld();
  const base::ByteSpan header = base::ByteSpan(w.file).first(kSealed);
  const auto p =
      *crypto::Argon2id(w.passphrase, header.subspan<kSalt, 16>(), kFloor.ops, kFloor.mem);
  crypto::StackSecret<64 + 64 + 32> ikm;
  std::ranges::copy(p.Expose(), ikm.Expose().begin() + 64);
  Writer salt;
  salt.Raw("gw1/kek").Raw(header.subspan<kEnrol, 16>());
  crypto::StackSecret<64> prk;
  crypto::HkdfExtractSha512(salt.bytes(), ikm, prk.Expose());
  crypto::StackSecret<32> kek;
  std::ranges::copy(prk.Expose().first<32>(), kek.Expose().begin());
  for (const std::size_t size : {std::size_t{0}, DeviceSeed::kSize - 1, DeviceSeed::kSize}) {
    Bytes file = base::ToBytes(header);
    base::Append(file, crypto::SealCommitting(kek, labels::kKeystore, header, Bytes(size)));
    EXPECT_EQ(CodeOf(UnlockKeystore(w.passphrase, file)),
              size == DeviceSeed::kSize ? "ok" : "E_DECRYPT");
  }
}

TEST(Keystore, AHeaderServesItsOwnSealAlone) {
  const World& w = TheWorld();
  const Bytes other = *SealKeystore(w.passphrase, w.realm, kFloor, w.seed, w.state);
  Bytes mixed(other.begin(), other.begin() + kSealed);
  mixed.insert(mixed.end(), w.file.begin() + kSealed, w.file.end());
  EXPECT_EQ(CodeOf(UnlockKeystore(w.passphrase, mixed)), "E_DECRYPT");
  // The same salts and another realm: the seal is bound to the whole header.
  mixed = w.file;
  mixed[kRealm] = 2;
  EXPECT_EQ(CodeOf(UnlockKeystore(w.passphrase, mixed)), "E_DECRYPT");
}

TEST(Attack, Row10_NoKeystoreBelowTheFloorIsOpened) {
  const World& w = TheWorld();
  const auto with = [&](std::uint32_t ops, std::uint64_t mem) {
    Bytes file = w.file;
    Writer cost;
    cost.U32(ops).U64(mem);
    std::ranges::copy(cost.bytes(), file.begin() + kOps);
    const std::string code = CodeOf(ReadKeystoreHeader(file));
    if (code != "ok") {
      EXPECT_EQ(CodeOf(UnlockKeystore(w.passphrase, file)), code);
    }
    return code;
  };
  constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
  EXPECT_EQ(with(3, 64 * kMiB), "ok");
  EXPECT_EQ(with(10, 1024 * kMiB), "ok");
  EXPECT_EQ(with(1, 8 * kMiB), "E_DOWNGRADE");
  EXPECT_EQ(with(1, 64 * kMiB), "E_DOWNGRADE");
  EXPECT_EQ(with(2, 64 * kMiB), "E_DOWNGRADE");
  EXPECT_EQ(with(3, 8 * kMiB), "E_DOWNGRADE");
  EXPECT_EQ(with(3, 64 * kMiB - 1), "E_DOWNGRADE");
  EXPECT_EQ(with(0, 0), "E_DOWNGRADE");
  // Nor one that would eat the machine.
  EXPECT_EQ(with(11, 64 * kMiB), "E_DOWNGRADE");
  EXPECT_EQ(with(3, 1024 * kMiB + 1), "E_DOWNGRADE");
  EXPECT_EQ(with(0xffffffff, ~std::uint64_t{0}), "E_DOWNGRADE");
}

TEST(Keystore, NoneIsMadeBelowTheFloorOrAboveTheCap) {
  const World& w = TheWorld();
  const auto seal = [&](std::uint32_t ops, std::uint64_t mem) {
    return CodeOf(SealKeystore(w.passphrase, w.realm, {ops, mem}, w.seed, {}));
  };
  EXPECT_EQ(seal(2, KdfCost::kFloorMem), "E_DOWNGRADE");
  EXPECT_EQ(seal(3, KdfCost::kFloorMem - 1), "E_DOWNGRADE");
  EXPECT_EQ(seal(11, KdfCost::kFloorMem), "INVALID_ARGUMENT");
  EXPECT_EQ(seal(3, KdfCost::kCapMem + 1), "INVALID_ARGUMENT");
}

TEST(Keystore, LaterVersionsAndModesAreUnsupported) {
  const World& w = TheWorld();
  for (const std::size_t at : {kVer, kMode}) {
    for (const int value : {2, 255}) {
      Bytes file = w.file;
      file[at] = static_cast<std::uint8_t>(value);
      EXPECT_EQ(CodeOf(UnlockKeystore(w.passphrase, file)), "E_UNSUPPORTED");
    }
  }
}

}  // namespace
}  // namespace godwit::protocol
