#include "client/profile.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "tests/client/temporary.h"

namespace godwit::client {
namespace {

using base::Code;
using protocol::Compartment;
using std::chrono::milliseconds;

Code OpenCode(std::string_view name) {
  const auto profile = Profile::Open(name);
  return profile ? Code::kInternal : profile.error().code();
}

TEST(Profile, NamesAreShortAndPlain) {
  for (const char* const good : {"a", "default", "kim-2", "0", "-"}) {
    EXPECT_TRUE(IsProfileName(good)) << good;
  }
  EXPECT_TRUE(IsProfileName(std::string(32, 'a')));
  for (const std::string bad :
       {"", "A", "a b", "a/b", "..", ".", "a.b", "\xc3\xa9", "a_b", "a\n"}) {
    EXPECT_FALSE(IsProfileName(bad)) << bad;
    const auto profile = Profile::Create(bad);
    ASSERT_FALSE(profile);
    EXPECT_EQ(profile.error().code(), Code::kInvalidArgument);
  }
  EXPECT_FALSE(IsProfileName(std::string(33, 'a')));
  EXPECT_FALSE(IsProfileName(std::string("a\0b", 3)));
}

TEST(Profile, IsMadeOnceFoundAndListed) {
  const support::ProfileHome home;
  EXPECT_TRUE(Profile::List()->empty());
  EXPECT_EQ(OpenCode("kim"), Code::kNotFound);
  const mode_t before = umask(0);
  ASSERT_TRUE(Profile::Create("kim"));
  ASSERT_TRUE(Profile::Create("ada"));
  umask(before);
  const auto again = Profile::Create("kim");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kExists);
  std::ofstream(home.path() / "home" / "stray") << "x";
  EXPECT_EQ(*Profile::List(), (std::vector<std::string>{"ada", "kim"}));

  const auto profile = Profile::Open("kim");
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->dir(), home.path() / "home" / "kim");
  EXPECT_EQ(profile->KeystorePath(Compartment::kCases), profile->dir() / "cases.keystore");
  EXPECT_EQ(profile->StorePath(Compartment::kJourneys), profile->dir() / "journeys.db");
  struct stat entry {};
  ASSERT_EQ(stat(profile->dir().c_str(), &entry), 0);
  EXPECT_EQ(entry.st_mode & 07777, 0700U);
}

TEST(Profile, HomeComesFromTheEnvironmentInOrder) {
  const support::TemporaryDir dir;
  const support::ScopedVariable home("HOME", dir.path().string());
  const support::ScopedVariable data("XDG_DATA_HOME", "relative/is/ignored");
  const support::ScopedVariable own("GODWIT_HOME", "");
  EXPECT_EQ(Profile::Create("a")->dir(), dir.path() / ".local/share/godwit/a");
  const support::ScopedVariable data2("XDG_DATA_HOME", (dir.path() / "data").string());
  EXPECT_EQ(Profile::Create("a")->dir(), dir.path() / "data/godwit/a");
  const support::ScopedVariable own2("GODWIT_HOME", (dir.path() / "own").string());
  EXPECT_EQ(Profile::Create("a")->dir(), dir.path() / "own/a");
  const support::ScopedVariable own3("GODWIT_HOME", "relative");
  const auto refused = Profile::Create("a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kInvalidArgument);
}

TEST(Profile, RefusesFoldersThatAreNotPrivate) {
  const support::ProfileHome home;
  const auto dir = Profile::Create("kim")->dir();
  for (const auto& path : {dir, dir.parent_path()}) {
    for (const mode_t mode : {0750U, 0701U, 0500U}) {
      ASSERT_EQ(chmod(path.c_str(), mode), 0);
      EXPECT_EQ(OpenCode("kim"), Code::kPermissionDenied) << path << std::oct << mode;
    }
    ASSERT_EQ(chmod(path.c_str(), 0700), 0);
  }
  std::filesystem::create_directory_symlink(dir, dir.parent_path() / "link");
  EXPECT_EQ(OpenCode("link"), Code::kPermissionDenied);
  EXPECT_EQ(*Profile::List(), std::vector<std::string>{"kim"});
  std::filesystem::rename(dir.parent_path(), home.path() / "moved");
  std::filesystem::create_directory_symlink(home.path() / "moved", dir.parent_path());
  EXPECT_EQ(OpenCode("kim"), Code::kPermissionDenied);
  EXPECT_FALSE(Profile::List());
}

TEST(Profile, RefusesTheFoldersOfAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  const support::ProfileHome home;
  const auto dir = Profile::Create("kim")->dir();
  for (const auto& path : {dir, dir.parent_path()}) {
    ASSERT_EQ(chown(path.c_str(), 65534, 65534), 0);
    EXPECT_EQ(OpenCode("kim"), Code::kPermissionDenied) << path;
    ASSERT_EQ(chown(path.c_str(), 0, 0), 0);
  }
  EXPECT_EQ(OpenCode("kim"), Code::kInternal);  // it opens
}

TEST(Profile, AnUnfinishedStoreIsRemovedButNeverOneWithKeys) {
  const support::ProfileHome home;
  const auto profile = *Profile::Create("kim");
  EXPECT_TRUE(profile.DiscardUnfinished(Compartment::kCases));
  for (const char* const suffix : {".db", ".db-wal", ".db-shm"}) {
    std::ofstream(profile.dir() / (std::string("cases") + suffix)) << "x";
    std::ofstream(profile.dir() / (std::string("identity") + suffix)) << "x";
  }
  std::ofstream(profile.KeystorePath(Compartment::kIdentity)) << "x";
  EXPECT_TRUE(profile.DiscardUnfinished(Compartment::kCases));
  EXPECT_FALSE(std::filesystem::exists(profile.dir() / "cases.db-wal"));
  const auto status = profile.DiscardUnfinished(Compartment::kIdentity);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kExists);
  for (const char* const suffix : {".db", ".db-wal", ".db-shm"}) {
    EXPECT_FALSE(std::filesystem::exists(profile.dir() / (std::string("cases") + suffix)));
    EXPECT_TRUE(std::filesystem::exists(profile.dir() / (std::string("identity") + suffix)));
  }
  EXPECT_EQ(profile.Realms(), std::vector<Compartment>{Compartment::kIdentity});
}

// A process that holds the lock of a profile until it is killed.
class Holder {
 public:
  Holder(const Profile& profile, Profile::Use use) {
    std::array<int, 2> ready{};
    EXPECT_EQ(pipe(ready.data()), 0);
    child_ = fork();
    if (child_ == 0) {
      const auto lock = profile.Lock(use, milliseconds(0));
      const char answer = lock ? 'y' : 'n';
      if (write(ready[1], &answer, 1) != 1) _exit(1);
      for (;;) pause();
    }
    char answer = 0;
    EXPECT_EQ(read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    close(ready[0]);
    close(ready[1]);
  }
  ~Holder() { Kill(); }
  void Kill() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    child_ = 0;
  }

 private:
  pid_t child_ = 0;
};

TEST(Profile, OneWriterExcludesAllOthersAndReadersOnlyWriters) {
  const support::ProfileHome home;
  const auto profile = *Profile::Create("kim");
  using Use = Profile::Use;
  const struct {
    Use first;
    Use second;
    bool want;
  } cases[] = {{Use::kWrite, Use::kWrite, false},
               {Use::kWrite, Use::kRead, false},
               {Use::kRead, Use::kWrite, false},
               {Use::kRead, Use::kRead, true}};
  for (const auto& c : cases) {
    Holder holder(profile, c.first);
    const auto start = std::chrono::steady_clock::now();
    const auto lock = profile.Lock(c.second, milliseconds(60));
    EXPECT_EQ(lock.ok(), c.want);
    if (!c.want) {
      EXPECT_EQ(lock.error().code(), Code::kDeadline);
      EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(60));
    }
    // A killed command leaves no lock behind.
    holder.Kill();
    EXPECT_TRUE(profile.Lock(c.second, milliseconds(1000)));
  }
}

TEST(Profile, AnotherProfileIsAnotherLock) {
  const support::ProfileHome home;
  const auto kim = *Profile::Create("kim");
  const auto ada = *Profile::Create("ada");
  const Holder holder(kim, Profile::Use::kWrite);
  EXPECT_TRUE(ada.Lock(Profile::Use::kWrite, milliseconds(0)));
}

}  // namespace
}  // namespace godwit::client
