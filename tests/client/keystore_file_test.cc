#include "client/keystore_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "client/private_file.h"
#include "tests/client/temporary.h"

namespace godwit::client {
namespace {

using base::Code;
using support::Passphrase;

constexpr protocol::KdfCost kCheap{protocol::KdfCost::kFloorOps, protocol::KdfCost::kFloorMem};

class KeystoreFile : public testing::Test {
 protected:
  std::string Content() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void Overwrite(const std::string& content) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << content;
  }
  base::Code CodeOf(std::string_view passphrase) const {
    const auto realm = UnlockKeystoreFile(path_, Passphrase(passphrase));
    return realm ? Code::kInternal : realm.error().code();
  }

  support::TemporaryDir dir_;
  std::filesystem::path path_ = dir_.path() / "cases.keystore";
};

TEST_F(KeystoreFile, OpensUnderItsPassphraseAlone) {
  const auto realm = support::SomeUnlockedRealm();
  ASSERT_TRUE(CreateKeystoreFile(path_, Passphrase("wide open sea"), kCheap, realm));
  const auto back = UnlockKeystoreFile(path_, Passphrase("wide open sea"));
  ASSERT_TRUE(back);
  EXPECT_TRUE(support::SameKeys(*back, realm));
  EXPECT_EQ(CodeOf("wide open see"), Code::kDecrypt);
  EXPECT_EQ(CodeOf("wide open sea "), Code::kDecrypt);
  EXPECT_EQ(CodeOf(""), Code::kInvalidArgument);
}

// Keyboards differ in what they send for the same letters.
TEST_F(KeystoreFile, OpensWhateverFormThePassphraseIsTypedIn) {
  const auto realm = support::SomeUnlockedRealm();
  // "café 한글", composed, and as letters with marks and Hangul jamo.
  const std::string composed = "caf\u00e9 \ud55c\uae00";
  const std::string decomposed = "cafe\u0301 \u1112\u1161\u11ab\u1100\u1173\u11af";
  ASSERT_NE(composed, decomposed);
  ASSERT_TRUE(CreateKeystoreFile(path_, Passphrase(decomposed), kCheap, realm));
  EXPECT_TRUE(UnlockKeystoreFile(path_, Passphrase(composed)));
  EXPECT_TRUE(UnlockKeystoreFile(path_, Passphrase(decomposed)));
  EXPECT_EQ(CodeOf("cafe \ud55c\uae00"), Code::kDecrypt);
}

TEST_F(KeystoreFile, IsPrivateAndAloneInItsFolder) {
  const mode_t before = umask(0);
  ASSERT_TRUE(CreateKeystoreFile(path_, Passphrase("x"), kCheap, support::SomeUnlockedRealm()));
  umask(before);
  struct stat entry {};
  ASSERT_EQ(stat(path_.c_str(), &entry), 0);
  EXPECT_EQ(entry.st_mode & 07777, 0600U);
  const auto files = std::distance(std::filesystem::directory_iterator(dir_.path()), {});
  EXPECT_EQ(files, 1);
}

TEST_F(KeystoreFile, NeverReplacesAnother) {
  ASSERT_TRUE(CreateKeystoreFile(path_, Passphrase("x"), kCheap, support::SomeUnlockedRealm()));
  const std::string before = Content();
  const auto status =
      CreateKeystoreFile(path_, Passphrase("x"), kCheap, support::SomeUnlockedRealm());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kExists);
  EXPECT_EQ(Content(), before);
}

TEST_F(KeystoreFile, RefusesACostBelowTheFloorOrAboveTheCap) {
  using protocol::KdfCost;
  const std::pair<KdfCost, Code> cases[] = {{{2, KdfCost::kFloorMem}, Code::kDowngrade},
                                            {{3, KdfCost::kFloorMem - 1}, Code::kDowngrade},
                                            {{11, KdfCost::kFloorMem}, Code::kInvalidArgument},
                                            {{3, KdfCost::kCapMem + 1}, Code::kInvalidArgument}};
  for (const auto& [cost, want] : cases) {
    const auto status =
        CreateKeystoreFile(path_, Passphrase("x"), cost, support::SomeUnlockedRealm());
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), want);
    EXPECT_FALSE(std::filesystem::exists(path_));
  }
}

TEST_F(KeystoreFile, RefusesFilesThatAreNotPrivate) {
  ASSERT_TRUE(CreateKeystoreFile(path_, Passphrase("x"), kCheap, support::SomeUnlockedRealm()));
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U}) {
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
    EXPECT_EQ(CodeOf("x"), Code::kPermissionDenied) << mode;
  }
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  EXPECT_EQ(CodeOf("x"), Code::kInternal);  // it opens

  const auto real = path_;
  path_ = dir_.path() / "journeys.keystore";
  EXPECT_EQ(CodeOf("x"), Code::kNotFound);
  ASSERT_EQ(symlink(real.c_str(), path_.c_str()), 0);
  EXPECT_EQ(CodeOf("x"), Code::kPermissionDenied);
  ASSERT_EQ(unlink(path_.c_str()), 0);
  ASSERT_EQ(link(real.c_str(), path_.c_str()), 0);
  EXPECT_EQ(CodeOf("x"), Code::kPermissionDenied);
  ASSERT_EQ(unlink(path_.c_str()), 0);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(CodeOf("x"), Code::kPermissionDenied);
}

TEST_F(KeystoreFile, RefusesKeysOfAnotherRealmThanItsHeaderNames) {
  const auto realm = support::SomeUnlockedRealm();
  const auto state = EncodeState(realm.info, realm.store_key);
  ASSERT_TRUE(state);
  for (const auto& [id, want] :
       {std::pair(realm.info.realm(), true), std::pair(crypto::RandomId<base::RealmId>(), false)}) {
    const auto keystore =
        protocol::SealKeystore(Passphrase("x"), id, kCheap, realm.seed, state->Expose());
    ASSERT_TRUE(keystore);
    std::filesystem::remove(path_);
    ASSERT_TRUE(WriteNewPrivateFile(path_, *keystore));
    const auto back = UnlockKeystoreFile(path_, Passphrase("x"));
    ASSERT_EQ(back.ok(), want);
    if (!back) {
      EXPECT_EQ(back.error().code(), Code::kDecrypt);
    }
  }
}

// Every byte of the header, whose refusal is cheap, and a sample of the rest.
TEST_F(KeystoreFile, RefusesEveryChangedByte) {
  ASSERT_TRUE(CreateKeystoreFile(path_, Passphrase("x"), kCheap, support::SomeUnlockedRealm()));
  const std::string good = Content();
  for (std::size_t i = 0; i < good.size(); i += i < 8 ? 1 : 37) {
    std::string changed = good;
    changed[i] = static_cast<char>(changed[i] ^ 0x40);
    Overwrite(changed);
    const Code code = CodeOf("x");
    EXPECT_TRUE(code == Code::kDecrypt || code == Code::kUnsupported || code == Code::kDowngrade)
        << i << " " << base::Name(code);
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{50}, good.size() - 1}) {
    Overwrite(good.substr(0, size));
    EXPECT_EQ(CodeOf("x"), Code::kDecrypt) << size;
  }
  Overwrite(std::string(100'000, 'x'));
  EXPECT_EQ(CodeOf("x"), Code::kIo);
  Overwrite(good);
  EXPECT_TRUE(UnlockKeystoreFile(path_, Passphrase("x")));
}

}  // namespace
}  // namespace godwit::client
