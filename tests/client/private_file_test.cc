#include "client/private_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/client/temporary.h"

namespace godwit::client {
namespace {

using base::Code;

Code DirCode(const std::filesystem::path& dir) {
  const auto fd = OpenPrivateDir(dir);
  return fd ? Code::kInternal : fd.error().code();
}

TEST(PrivateFile, ADirectoryIsItsOwnersAlone) {
  const support::TemporaryDir dir;
  EXPECT_TRUE(OpenPrivateDir(dir.path()));
  for (const mode_t mode : {0750U, 0705U, 0770U, 0701U, 0500U, 0600U, 0300U}) {
    ASSERT_EQ(chmod(dir.path().c_str(), mode), 0);
    EXPECT_EQ(DirCode(dir.path()), Code::kPermissionDenied) << std::oct << mode;
  }
  ASSERT_EQ(chmod(dir.path().c_str(), 0700), 0);
  EXPECT_EQ(DirCode(dir.path() / "none"), Code::kNotFound);
}

TEST(PrivateFile, ADirectoryIsNoSymlinkAlsoWithASlashBehind) {
  const support::TemporaryDir dir;
  const auto link = dir.path() / "link";
  std::filesystem::create_directory(dir.path() / "real");
  ASSERT_EQ(chmod((dir.path() / "real").c_str(), 0700), 0);
  std::filesystem::create_directory_symlink(dir.path() / "real", link);
  EXPECT_EQ(DirCode(link), Code::kPermissionDenied);
  EXPECT_EQ(DirCode(link.string() + "/"), Code::kPermissionDenied);
  EXPECT_EQ(DirCode(link.string() + "/."), Code::kPermissionDenied);
  EXPECT_FALSE(MakePrivateDir(link));
}

TEST(PrivateFile, ADirectoryOfAnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  const support::TemporaryDir dir;
  const auto foreign = dir.path() / "foreign";
  ASSERT_TRUE(MakePrivateDir(foreign));
  ASSERT_EQ(chown(foreign.c_str(), 65534, 65534), 0);
  EXPECT_EQ(DirCode(foreign), Code::kPermissionDenied);
  const auto fd = MakePrivateDir(foreign);
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().code(), Code::kPermissionDenied);
}

TEST(PrivateFile, MissingParentsAreMadePrivate) {
  const support::TemporaryDir dir;
  const mode_t before = umask(0);
  const auto made = MakePrivateDir(dir.path() / "a" / "b" / "c");
  umask(before);
  ASSERT_TRUE(made);
  for (const char* const name : {"a", "a/b", "a/b/c"}) {
    EXPECT_TRUE(OpenPrivateDir(dir.path() / name)) << name;
  }
}

TEST(PrivateFile, WritesAFileOnceAndHealsWhatACrashLeft) {
  const support::TemporaryDir dir;
  const auto path = dir.path() / "file";
  const base::Bytes content(5000, 7);
  // A crash between writing and renaming leaves the temporary file.
  ASSERT_TRUE(WriteNewPrivateFile(dir.path() / ".file.tmp", base::Bytes(10, 1)));
  ASSERT_TRUE(WriteNewPrivateFile(path, content));
  EXPECT_FALSE(std::filesystem::exists(dir.path() / ".file.tmp"));
  const auto read = ReadPrivateFile(path, 5000);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, content);
  EXPECT_FALSE(ReadPrivateFile(path, 4999));
  const auto again = WriteNewPrivateFile(path, base::Bytes(3, 3));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kExists);
  EXPECT_EQ(*ReadPrivateFile(path, 5000), content);
  EXPECT_FALSE(std::filesystem::exists(dir.path() / ".file.tmp"));
}

TEST(PrivateFile, RefusesToWriteIntoAFolderThatIsNotPrivate) {
  const support::TemporaryDir dir;
  ASSERT_EQ(chmod(dir.path().c_str(), 0755), 0);
  const auto status = WriteNewPrivateFile(dir.path() / "file", base::Bytes(3, 3));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::kPermissionDenied);
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

}  // namespace
}  // namespace godwit::client
