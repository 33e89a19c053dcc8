#include "services/server/certificates.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>

#include "services/server/address.h"
#include "services/server/file_marks.h"
#include "services/server/ticker.h"
#include "tools/admin/pki.h"

namespace godwit::server {
namespace {

using transport::ServerCertificate;

base::Sha256Hash Key(std::uint8_t n) { return base::Sha256Hash(std::array<std::uint8_t, 32>{n}); }

TEST(Certificates, ASuccessorIsBelievedByWhoeverBelievesTheOneBefore) {
  const ServerCertificate shown{Key(1), {Key(8), Key(9)}, {"DNS:a.example", "DNS:b.example"}, 1};
  struct Row {
    const char* name;
    ServerCertificate next;
    bool good;
  };
  const Row rows[] = {
      {"the same", shown, true},
      {"a new key", {Key(2), {Key(8)}, shown.hosts, 2}, true},
      {"more hosts", {Key(2), {Key(9)}, {"DNS:a.example", "DNS:b.example", "IP:1"}, 2}, true},
      {"one host fewer", {Key(2), {Key(8)}, {"DNS:a.example"}, 2}, false},
      {"another host", {Key(2), {Key(8)}, {"DNS:a.example", "DNS:c.example"}, 2}, false},
      {"an address for a name", {Key(2), {Key(8)}, {"DNS:a.example", "IP:b.example"}, 2}, false},
      {"another authority", {Key(2), {Key(7)}, shown.hosts, 2}, false},
      {"no authority", {Key(2), {}, shown.hosts, 2}, false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(CheckSuccessor(shown, row.next).ok(), row.good) << row.name;
  }
}

TEST(Certificates, WhatAServerShowsIsReadFromItsFile) {
  const auto authority = *admin::MakeAuthority(30);
  const auto issued = *admin::IssueServer(authority, {"realm.example", "127.0.0.1"}, 20);
  const auto read = transport::ReadServerCertificate(issued.certificate + authority.certificate);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->key, *admin::PinOf(issued.certificate));
  EXPECT_EQ(read->authorities, std::vector{*admin::PinOf(authority.certificate)});
  EXPECT_EQ(read->hosts, (std::vector<std::string>{"DNS:realm.example",
                                                   "IP:\x7f" + std::string(2, '\0') + "\x01"}));
  // What ends first decides.
  const auto brief = *admin::MakeAuthority(10);
  const auto longer = *admin::IssueServer(brief, {"realm.example"}, 20);
  const auto under = transport::ReadServerCertificate(longer.certificate + brief.certificate);
  ASSERT_TRUE(under);
  EXPECT_LT(under->expires_ms, read->expires_ms);
}

TEST(Addresses, NamesAreNoneAndOthersThanThisMachinesAreNotLoopback) {
  struct Row {
    const char* text;
    bool address;
    bool loopback;
  };
  const Row rows[] = {
      {"127.0.0.1:8443", true, true},
      {"127.255.0.1:0", true, true},
      {"[::1]:9443", true, true},
      {"0.0.0.0:8443", true, false},
      {"192.0.2.1:8443", true, false},
      {"[::]:8443", true, false},
      {"[2001:db8::1]:1", true, false},
      {"[::ffff:127.0.0.1]:1", true, false},
      {"128.0.0.1:8443", true, false},
      {"localhost:8443", false, false},
      {"127.0.0.1", false, false},
      {"127.0.0.1:", false, false},
      {"127.0.0.1:65536", false, false},
      {"127.0.0.1:-1", false, false},
      {"127.0.0.1:1 ", false, false},
      {"127.1:1", false, false},
      {"::1:9443", false, false},
      {"[::1", false, false},
      {"[127.0.0.1]:1", false, false},
      {"", false, false},
      {":1", false, false},
      {"127.0.0.1:1,0.0.0.0:2", false, false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(IsAddress(row.text), row.address) << row.text;
    EXPECT_EQ(IsLoopback(row.text), row.loopback) << row.text;
  }
}

TEST(FileMarks, SeesWritesReplacementsAndLinksThatTurn) {
  std::string name = (std::filesystem::temp_directory_path() / "godwit-marks.XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  const auto file = folder / "file";
  const auto link = folder / "link";
  std::ofstream(folder / "a") << "one";
  std::ofstream(folder / "b") << "one";
  std::filesystem::create_symlink("a", link);
  FileMarks marks({file, link});
  EXPECT_FALSE(marks.Changed());
  std::ofstream(file) << "one";
  EXPECT_TRUE(marks.Changed());
  EXPECT_FALSE(marks.Changed());
  std::ofstream(file) << "three";
  EXPECT_TRUE(marks.Changed());
  std::ofstream(folder / "next") << "two";
  std::filesystem::rename(folder / "next", file);
  EXPECT_TRUE(marks.Changed());
  std::filesystem::create_symlink("b", folder / "next");
  std::filesystem::rename(folder / "next", link);
  EXPECT_TRUE(marks.Changed());
  std::filesystem::remove(file);
  EXPECT_TRUE(marks.Changed());
  EXPECT_FALSE(marks.Changed());
  std::filesystem::remove_all(folder);
}

TEST(Ticker, CallsAgainAndAgainAndAtOnceWhereAsked) {
  std::promise<void> thrice;
  int calls = 0;
  {
    Ticker ticker(std::chrono::milliseconds(1), [&] {
      if (++calls == 3) thrice.set_value();
    });
    thrice.get_future().wait();
  }
  std::promise<void> called;
  Ticker rare(std::chrono::hours(1), [&] { called.set_value(); });
  rare.CallNow();
  called.get_future().wait();
}

}  // namespace
}  // namespace godwit::server
