#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "client/cli/member.h"

namespace godwit::cli {
namespace {

using base::Code;

base::Result<std::vector<client::Newcomer>> Read(const std::string& name, const std::string& text) {
  const std::string path = testing::TempDir() +
                           std::to_string(::testing::UnitTest::GetInstance()->random_seed()) +
                           std::to_string(getpid()) + name;
  std::ofstream(path, std::ios::binary) << text;
  auto newcomers = ReadNewcomers(path);
  std::filesystem::remove(path);
  return newcomers;
}

TEST(MemberFile, ReadsCsvAndTomlAlike) {
  const auto csv = Read("people.csv",
                        "\xef\xbb\xbfhandle,name,roles\r\n"
                        "haneul,\"Specimen, Haneul\",caseworker+supervisor\r\n"
                        "jun,전 예시,coordinator\r\n");
  ASSERT_TRUE(csv) << csv.error().message();
  const auto toml = Read("people.toml",
                         "[[member]]\nhandle = 'haneul'\nname = 'Specimen, Haneul'\n"
                         "roles = ['caseworker', 'supervisor']\n"
                         "[[member]]\nhandle = 'jun'\nname = '전 예시'\nroles = ['coordinator']\n");
  ASSERT_TRUE(toml) << toml.error().message();
  for (const auto* people : {&*csv, &*toml}) {
    ASSERT_EQ(people->size(), 2u);
    EXPECT_EQ((*people)[0].handle, "haneul");
    EXPECT_EQ((*people)[0].display_name, "Specimen, Haneul");
    EXPECT_EQ((*people)[0].roles, protocol::kCaseworker | protocol::kSupervisor);
    EXPECT_EQ((*people)[1].display_name, "전 예시");
    EXPECT_EQ((*people)[1].roles, protocol::kCoordinator);
  }
}

TEST(MemberFile, RefusesWhatIsNotClear) {
  const struct {
    const char* name;
    const char* file;
    const char* text;
  } rows[] = {
      {"no header", "a.csv", "haneul,Haneul,caseworker\n"},
      {"nobody", "b.csv", "handle,name,roles\n"},
      {"empty", "c.csv", ""},
      {"a column too many", "d.csv", "handle,name,roles,x\na,b,intake,d\n"},
      {"no such role", "e.csv", "handle,name,roles\nhaneul,Haneul,king\n"},
      {"no role", "f.csv", "handle,name,roles\nhaneul,Haneul,\n"},
      {"a handle twice", "g.csv", "handle,name,roles\na,A,intake\na,B,intake\n"},
      {"no handle", "h.csv", "handle,name,roles\n,A,intake\n"},
      {"an open quote", "i.csv", "handle,name,roles\n\"a,A,intake\n"},
      {"no TOML", "j.toml", "[[member\n"},
      {"an unknown key", "k.toml",
       "[[member]]\nhandle='a'\nname='A'\nroles=['intake']\nadmin=true\n"},
      {"an unknown table", "l.toml", "[people]\n"},
      {"a role that is no text", "m.toml", "[[member]]\nhandle='a'\nname='A'\nroles=[64]\n"}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto people = Read(row.file, row.text);
    ASSERT_FALSE(people);
    EXPECT_EQ(people.error().code(), Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace godwit::cli
