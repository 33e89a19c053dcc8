#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

#include "tests/services/service_process.h"
#include "tests/services/wire.h"
#include "transport/certificate.h"

namespace godwit::realm {
namespace {

using protocol::Compartment;
using support::Must;
using support::TestRealm;

// A running service with a realm.
class Reload : public testing::Test {
 protected:
  void Begin(const ServiceProcess::Extra& extra = {}) {
    process_.Start(extra);
    transport::RealmClient client(process_.address());
    support::Require(client.CreateRealm(process_.claim(), realm_.statements()[0]));
  }
  // A device with a session of its own; `spki` is what it saw.
  struct Device {
    std::unique_ptr<transport::RealmClient> client;
    base::Sha256Hash spki;
  };
  Device Connect() {
    Device device{std::make_unique<transport::RealmClient>(process_.address()), {}};
    device.client->SetProver(Prover());
    EXPECT_EQ(CodeOf(device.client->FetchRoster(0)), "OK");
    device.spki = Must(device.client->ServerKey());
    return device;
  }
  transport::SessionProver Prover() { return ProverOf(realm_, realm_.person(0)); }
  // The new certificate is in use after this, or refused.
  void HangUp(const std::string& event) {
    const std::size_t before = process_.Count(event);
    process_.Signal(SIGHUP);
    process_.WaitFor(event, before + 1);
  }
  base::Sha256Hash OnDisk() {
    std::ifstream file(process_.certificate_file());
    return Must(transport::CertificateKey(std::string(std::istreambuf_iterator<char>(file), {})));
  }

  TestRealm realm_{Compartment::kCases};
  ServiceProcess process_;
};

TEST_F(Reload, AHangupShowsTheNewKeyAndKeepsWhoSawTheOld) {
  Begin();
  Device old = Connect();
  process_.Renew();
  EXPECT_EQ(Connect().spki, old.spki);  // nobody said so yet
  HangUp("certificate taken");
  const Device fresh = Connect();
  EXPECT_NE(fresh.spki, old.spki);
  EXPECT_EQ(fresh.spki, OnDisk());
  // The old connection stands, its session too; and a new session on it names the old key.
  EXPECT_EQ(CodeOf(old.client->FetchRoster(0)), "OK");
  old.client->SetProver(Prover());
  EXPECT_EQ(CodeOf(old.client->FetchRoster(0)), "OK");
  EXPECT_EQ(Must(old.client->ServerKey()), old.spki);
  HangUp("certificate unchanged");
}

TEST_F(Reload, FilesThatChangeAreSeenWithoutASignal) {
  Begin({{"reload_ms", "50"}});
  const Device old = Connect();
  process_.Renew();
  process_.WaitFor("certificate taken");
  EXPECT_EQ(Connect().spki, OnDisk());
  EXPECT_NE(OnDisk(), old.spki);
}

// Renewed by whoever keeps the key: clients that pinned the authority notice nothing.
TEST_F(Reload, ARenewedCertificateOfTheSameKeyIsTaken) {
  Begin();
  Device old = Connect();
  const auto folder = process_.folder();
  const auto& authority = process_.authority();
  std::ofstream(folder / "ca.crt") << authority.certificate;
  const auto key = authority.key.Expose();
  std::ofstream(folder / "ca.key") << std::string(key.begin(), key.end());
  std::ofstream(folder / "ext") << "basicConstraints=critical,CA:FALSE\n"
                                   "keyUsage=critical,digitalSignature\n"
                                   "extendedKeyUsage=serverAuth\n"
                                   "subjectKeyIdentifier=hash\n"
                                   "authorityKeyIdentifier=keyid:always\n"
                                   "subjectAltName=IP:127.0.0.1\n";
  const auto [output, code] = RunProgram(
      "cd " + folder.string() +
      " && openssl req -new -key server.key -subj /CN=renewed -out server.csr"
      " && openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -set_serial 77 -days 30"
      "    -extfile ext -out renewed.crt && cat renewed.crt ca.crt >both && mv both server.crt");
  ASSERT_EQ(code, 0) << output;
  HangUp("certificate taken");
  const Device fresh = Connect();
  EXPECT_EQ(fresh.spki, old.spki);
  EXPECT_EQ(fresh.spki, OnDisk());
  const auto [shown, shown_code] = RunProgram(
      "openssl s_client -connect " + process_.address().host_port + " -alpn h2 </dev/null");
  EXPECT_EQ(shown_code, 0);
  EXPECT_NE(shown.find("renewed"), std::string::npos);
  old.client->SetProver(Prover());
  EXPECT_EQ(CodeOf(old.client->FetchRoster(0)), "OK");
}

TEST_F(Reload, GarbageNeverStopsNewHandshakes) {
  Begin();
  const Device old = Connect();
  const auto foreign = Must(admin::MakeAuthority(3'650));
  const std::string authority = process_.authority().certificate;
  const auto of = [&](const admin::KeyedCertificate& by, const std::vector<std::string>& hosts,
                      int days = admin::kServerDays) {
    const auto [certificate, key] = Issue(by, hosts, days);
    process_.Put(certificate + by.certificate, key);
  };
  struct Row {
    const char* name;
    std::function<void()> put;
  };
  const auto [good, good_key] = Issue(process_.authority(), {"127.0.0.1"});
  const auto [other, other_key] = Issue(process_.authority(), {"127.0.0.1"});
  const std::string good_chain = good + authority;
  const Row rows[] = {
      {"no files", [&] { process_.Put("", ""); }},
      {"no PEM", [&] { process_.Put("garbage", "garbage"); }},
      {"half a certificate", [&] { process_.Put(good.substr(0, good.size() / 2), good_key); }},
      {"no key", [&] { process_.Put(good_chain, ""); }},
      {"half a key", [&] { process_.Put(good_chain, good_key.substr(0, good_key.size() / 2)); }},
      {"another's key", [&] { process_.Put(good_chain, other_key); }},
      {"a key that others read", [&] { process_.Put(good_chain, good_key, 0644); }},
      {"no authority beside it", [&] { process_.Put(good, good_key); }},
      {"the authority first", [&] { process_.Put(authority + good, good_key); }},
      {"another authority beside it", [&] { process_.Put(good + foreign.certificate, good_key); }},
      {"another authority's", [&] { of(foreign, {"127.0.0.1"}); }},
      {"expired", [&] { of(process_.authority(), {"127.0.0.1"}, -1); }},
      {"for another host", [&] { of(process_.authority(), {"realm.example"}); }},
  };
  std::size_t refused = 0;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    row.put();
    HangUp("certificate refused");
    ++refused;
    EXPECT_EQ(Connect().spki, old.spki);
  }
  EXPECT_EQ(process_.Count("certificate refused"), refused);
  EXPECT_EQ(process_.Count("certificate taken"), 0u);
  EXPECT_NE(process_.Metrics().find("godwit_certificate_reloads_total{result=\"refused\"} 13\n"),
            std::string::npos);
  process_.Put(good_chain, good_key);
  HangUp("certificate taken");
  EXPECT_NE(Connect().spki, old.spki);
}

TEST_F(Reload, ACertificateThatEndsSoonIsNamedInTime) {
  Begin();
  EXPECT_EQ(process_.Count("certificate expires soon"), 0u);
  const auto [certificate, key] = Issue(process_.authority(), {"127.0.0.1"}, 10);
  process_.Put(certificate + process_.authority().certificate, key);
  HangUp("certificate taken");
  process_.WaitFor("certificate expires soon");
  bool found = false;
  for (const auto& line : process_.Lines()) {
    found = found || line.find("\"event\":\"certificate expires soon\",\"days\":9}") != line.npos;
  }
  EXPECT_TRUE(found);
  process_.Signal(SIGTERM);
  ASSERT_EQ(process_.Wait(), 0);
  process_.Start();
  process_.WaitFor("certificate expires soon", 2);
}

// A service that cannot be reached with what it was given says so at once, not at its callers.
TEST_F(Reload, AServiceDoesNotStartWithABadSet) {
  const auto [certificate, key] = Issue(process_.authority(), {"127.0.0.1"}, -1);
  Begin();
  process_.Signal(SIGTERM);
  ASSERT_EQ(process_.Wait(), 0);
  process_.Put(certificate + process_.authority().certificate, key);
  const auto [output, code] =
      RunProgram(std::string(GODWIT_CASESD) + " --config " + process_.config_file().string());
  EXPECT_EQ(code, 1);
  EXPECT_NE(output.find("\"event\":\"refuses to serve\",\"code\":\"INVALID_ARGUMENT\""),
            std::string::npos)
      << output;
}

TEST_F(Reload, ConnectionsEndSoThatAllComeToSeeTheNewKey) {
  Begin({{"connection_age_ms", "300"}});
  Device device = Connect();
  process_.Renew();
  HangUp("certificate taken");
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (Must(device.client->ServerKey()) == device.spki) {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
    ASSERT_EQ(CodeOf(device.client->FetchRoster(0)), "OK");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  device.client->SetProver(Prover());
  EXPECT_EQ(CodeOf(device.client->FetchRoster(0)), "OK");
}

// Where a front ends TLS, clients see its certificate, and sessions are bound to that one.
TEST_F(Reload, TheFrontsNewKeyIsAcceptedBesideTheOld) {
  const auto front = process_.folder() / "front.crt";
  const auto put = [&] {
    const std::string certificate = Issue(process_.authority(), {"127.0.0.1"}).first;
    std::ofstream(front) << certificate;
    return Must(transport::CertificateKey(certificate));
  };
  const auto first = put();
  Begin({{"front_certificate", "\"" + front.string() + "\""}});
  // What a client behind a front does: it names the front's key, whatever is shown here.
  const auto opens = [&](const base::Sha256Hash& seen) {
    transport::RealmClient client(process_.address());
    client.SetProver([&, prove = Prover()](const base::Sha256Hash&, base::ByteSpan nonce) {
      return prove(seen, nonce);
    });
    return CodeOf(client.FetchRoster(0));
  };
  EXPECT_EQ(opens(first), "OK");
  EXPECT_EQ(opens(OnDisk()), "UNAUTHENTICATED");
  const auto second = put();
  HangUp("certificate taken");
  EXPECT_EQ(opens(first), "OK");
  EXPECT_EQ(opens(second), "OK");
  std::ofstream(front) << "garbage";
  HangUp("certificate refused");
  EXPECT_EQ(opens(second), "OK");
}

}  // namespace
}  // namespace godwit::realm
