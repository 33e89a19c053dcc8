#include "transport/certificate.h"

#include <gtest/gtest.h>

#include "tools/admin/pki.h"

namespace godwit::transport {
namespace {

using admin::IssueServer;
using admin::KeyedCertificate;
using admin::MakeAuthority;
using admin::PinOf;

KeyedCertificate Authority(int days = admin::kAuthorityDays) {
  auto made = MakeAuthority(days);
  EXPECT_TRUE(made);
  return *std::move(made);
}
std::string Server(const KeyedCertificate& authority, const std::vector<std::string>& hosts,
                   int days = admin::kServerDays) {
  const auto issued = IssueServer(authority, hosts, days);
  EXPECT_TRUE(issued);
  return issued->certificate;
}

TEST(Certificate, ThePinnedAuthoritysServerIsBelieved) {
  const auto authority = Authority();
  const auto pin = *PinOf(authority.certificate);
  const std::string leaf = Server(authority, {"127.0.0.1", "realm.example", "::1"});
  for (const char* host : {"127.0.0.1", "realm.example", "::1"}) {
    const auto key = CheckPinned(leaf, leaf + authority.certificate, {pin}, host);
    ASSERT_TRUE(key) << host;
    EXPECT_EQ(*key, *PinOf(leaf));
    EXPECT_EQ(*key, *CertificateKey(leaf));
  }
  // An older pin beside the newer one, while an authority is replaced.
  EXPECT_TRUE(CheckPinned(leaf, authority.certificate, {base::Sha256Hash(), pin}, "127.0.0.1"));
}

TEST(Certificate, RefusesWhatIsNotTheServerMeant) {
  const auto authority = Authority();
  const auto other = Authority();
  const auto pin = *PinOf(authority.certificate);
  const std::string leaf = Server(authority, {"127.0.0.1"});
  const std::string foreign = Server(other, {"127.0.0.1"});
  const std::string expired = Server(authority, {"127.0.0.1"}, 0);
  const auto old = Authority(0);
  struct Row {
    const char* name;
    std::string leaf;
    std::string chain;
    base::Sha256Hash pin;
    const char* host;
  };
  const Row rows[] = {
      {"another host", leaf, authority.certificate, pin, "127.0.0.2"},
      {"a name for an address", leaf, authority.certificate, pin, "localhost"},
      {"no host", leaf, authority.certificate, pin, ""},
      {"another authority's, unpinned", foreign, other.certificate, pin, "127.0.0.1"},
      {"another's beside the pinned", foreign, other.certificate + authority.certificate, pin,
       "127.0.0.1"},
      {"the pin of a leaf", leaf, leaf + authority.certificate, *PinOf(leaf), "127.0.0.1"},
      {"no pin", leaf, authority.certificate, base::Sha256Hash(), "127.0.0.1"},
      {"no authority shown", leaf, leaf, pin, "127.0.0.1"},
      {"the authority itself as a server", authority.certificate, authority.certificate, pin,
       "127.0.0.1"},
      {"expired", expired, authority.certificate, pin, "127.0.0.1"},
      {"of an expired authority", Server(old, {"127.0.0.1"}), old.certificate,
       *PinOf(old.certificate), "127.0.0.1"},
      {"nothing", "", "", pin, "127.0.0.1"},
      {"garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
       authority.certificate, pin, "127.0.0.1"},
      {"two leaves", leaf + leaf, authority.certificate, pin, "127.0.0.1"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto key = CheckPinned(row.leaf, row.chain, {row.pin}, row.host);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code(), base::Code::kUnavailable);
  }
  EXPECT_FALSE(CheckPinned(leaf, authority.certificate, {}, "127.0.0.1"));
  EXPECT_FALSE(CertificateKey("no certificate"));
}

// A leaf that another leaf signed: only the authority signs.
TEST(Certificate, RefusesAServerSignedByAServer) {
  const auto authority = Authority();
  auto middle = IssueServer(authority, {"127.0.0.1"}, 10);
  ASSERT_TRUE(middle);
  const auto leaf = IssueServer(*middle, {"127.0.0.1"}, 10);
  if (!leaf) return;
  const auto pin = *PinOf(authority.certificate);
  const std::string chain = leaf->certificate + middle->certificate + authority.certificate;
  EXPECT_FALSE(CheckPinned(leaf->certificate, chain, {pin}, "127.0.0.1"));
  EXPECT_FALSE(CheckPinned(leaf->certificate, chain, {*PinOf(middle->certificate)}, "127.0.0.1"));
}

}  // namespace
}  // namespace godwit::transport
