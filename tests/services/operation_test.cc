#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <future>
#include <regex>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "base/code.h"
#include "tests/services/service_process.h"
#include "tests/services/wire.h"
#include "transport/channel.h"

namespace godwit::realm {
namespace {

using protocol::Compartment;
using protocol::kFull;
using protocol::Kind;
using support::Must;
using support::TestRealm;
using support::TestVault;

constexpr char kHealthCheck[] = "/grpc.health.v1.Health/Check";
constexpr char kReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
// ServerReflectionRequest{list_services: ""}.
const std::string kListServices("\x3a\x00", 2);

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool IsMethod(const std::string& name) {
  return std::ranges::any_of(Methods(), [&](const auto& each) { return Name(each) == name; });
}

// A text that the binary holds: nothing that came to be while it ran.
bool IsLiteral(const std::string& text) {
  static const std::string binary = ReadAll(GODWIT_CASESD);
  return binary.find(text + '\0') != std::string::npos;
}

// What the log may say: each event with its fields, and what a field's value may be.
const std::map<std::string, std::set<std::string>>& Events() {
  static const std::map<std::string, std::set<std::string>> events{
      {"serves", {"port", "health_port", "metrics_port"}},
      {"refuses to serve", {"code", "why"}},
      {"ready", {}},
      {"not ready", {"code", "why"}},
      {"call", {"method", "ms"}},
      {"call refused", {"method", "code", "why", "ms"}},
      {"certificate taken", {}},
      {"certificate refused", {"code", "why"}},
      {"certificate unchanged", {}},
      {"certificate expires soon", {"days"}},
      {"cleaning up failed", {"code", "why"}},
      {"drains", {}},
      {"ended", {}},
      {"ended by force", {}},
  };
  return events;
}

// Why a line must not be in a log, or nothing.
std::string WhyNoLine(const std::string& line) {
  static const std::regex time(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)");
  static const std::set<std::string> levels{"debug", "info", "warning", "error"};
  static const std::set<std::string> numbers{"ms", "days", "port", "health_port", "metrics_port"};
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) return "no JSON";
  const auto event = Events().find(json.value("event", ""));
  if (event == Events().end()) return "an event that is not listed";
  std::set<std::string> keys;
  for (const auto& [key, value] : json.items()) {
    keys.insert(key);
    const std::string text = value.is_string() ? value.get<std::string>() : std::string();
    bool good = false;
    if (key == "time") good = std::regex_match(text, time);
    if (key == "level") good = levels.contains(text);
    if (key == "event") good = true;
    if (key == "method") good = IsMethod(text);
    if (key == "code") good = base::CodeByName(text).has_value();
    if (key == "why") good = !text.empty() && IsLiteral(text);
    if (numbers.contains(key)) {
      good = value.is_number_unsigned() && value.get<std::uint64_t>() < 10'000'000;
    }
    if (!good) return "a value that is not listed: " + key;
  }
  std::set<std::string> want = event->second;
  want.insert({"time", "level", "event"});
  if (keys != want) return "other fields than this event has";
  // The text is what the parser read, and nothing besides: no field twice.
  return std::ranges::count(line, ':') <= std::ranges::count(json.dump(), ':') ? "" : "more fields";
}

const std::set<std::string>& Figures() {
  static const std::set<std::string> figures{
      "godwit_service",
      "godwit_ready",
      "godwit_calls_running",
      "godwit_calls_total",
      "godwit_call_seconds",
      "godwit_workers_waiting",
      "godwit_commits_waiting",
      "godwit_commits_total",
      "godwit_commit_transactions_total",
      "godwit_certificate_reloads_total",
      "godwit_certificate_expires_seconds",
      "godwit_upkeep_failures_total",
      "godwit_watchers",
      // Of the library that is asked.
      "exposer_transferred_bytes_total",
      "exposer_scrapes_total",
      "exposer_request_latencies",
  };
  return figures;
}

// Why a line must not be in an exposition, or nothing.
std::string WhyNoFigure(const std::string& line) {
  static const std::regex comment(R"(# (HELP|TYPE) (\w+) ([A-Za-z0-9 .,;:_']+))");
  static const std::regex sample(R"((\w+?)(_bucket|_sum|_count)?(\{([^}]*)\})? ([0-9.e+Naif-]+))");
  static const std::regex label(R"((\w+)="([^"]*)\",?)");
  static const std::regex number(R"([0-9.e+-]+|\+Inf)");
  std::smatch match;
  if (std::regex_match(line, match, comment)) {
    return Figures().contains(match[2]) ? "" : "a figure that is not listed";
  }
  if (!std::regex_match(line, match, sample)) return "no sample";
  const std::string whole = match[1].str() + match[2].str();
  if (!Figures().contains(match[1]) && !Figures().contains(whole)) {
    return "a figure that is not listed";
  }
  const std::string labels = match[4];
  std::size_t read = 0;
  for (std::sregex_iterator it(labels.begin(), labels.end(), label), end; it != end; ++it) {
    const std::string name = (*it)[1];
    const std::string value = (*it)[2];
    read += it->str().size();
    bool good = false;
    if (name == "method") good = IsMethod(value);
    if (name == "code") good = value == "OK" || base::CodeByName(value).has_value();
    if (name == "realm") good = value == "cases";
    if (name == "result") good = value == "taken" || value == "refused";
    if (name == "le" || name == "quantile") good = std::regex_match(value, number);
    if (!good) return "a label that is not listed: " + name;
  }
  return read == labels.size() ? "" : "labels that do not parse";
}

std::vector<std::string> SplitLines(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// A running service whose realm has an owner, a coordinator and a vault.
class Operation : public testing::Test {
 protected:
  explicit Operation(support::PostgresDatabase database = {}) : process_(std::move(database)) {}

  void Begin(const ServiceProcess::Extra& extra = {}) {
    process_.Start(extra);
    owner_ = std::make_unique<transport::RealmClient>(process_.address());
    owner_->SetProver(ProverOf(realm_, realm_.person(0)));
    client_ = std::make_unique<transport::RealmClient>(process_.address());
    client_->SetProver(ProverOf(realm_, coordinator_));
    support::Require(owner_->CreateRealm(process_.claim(), realm_.statements()[0]));
    for (std::size_t i = 1; i < realm_.statements().size(); ++i) {
      const auto raw = Must(protocol::ReadStatement(realm_.statements()[i]));
      auto& sender = raw.header.author_member == coordinator_.id ? *client_ : *owner_;
      ASSERT_TRUE(sender.AppendStatements({WireOf(UploadOf(realm_, realm_.statements()[i]))}));
    }
    vault_.emplace(realm_, Kind::kScreening, coordinator_,
                   TestVault::Members{{&coordinator_, kFull}});
    vault_->WritePinned(coordinator_, "summary");
    ASSERT_TRUE(Must(client_->AppendEntries({WireOf(UploadOf(*vault_))})).front());
  }
  base::Status FetchVault(const base::VaultId& vault) {
    return client_->FetchVault(vault, 0, [](transport::VaultPart) { return base::Status(); });
  }

  // The service loses its database, and gets it back.
  void TakeDatabaseAway() {
    const auto name = process_.database().Sql("SELECT current_database()").front().front();
    process_.database().Sql("REVOKE CONNECT ON DATABASE " + name + " FROM PUBLIC, " +
                            support::kServiceRole);
    process_.database().Sql(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()");
    process_.WaitFor("not ready");
  }
  void GiveDatabaseBack() {
    const auto name = process_.database().Sql("SELECT current_database()").front().front();
    const std::size_t before = process_.Count("ready");
    process_.database().Sql("GRANT CONNECT ON DATABASE " + name + " TO " + support::kServiceRole);
    process_.WaitFor("ready", before + 1);
  }

  // Every kind of thing that happens to a service, good and bad, with ids in all places.
  void BeBusy() {
    ASSERT_TRUE(client_->FetchRoster(0));
    ASSERT_TRUE(FetchVault(vault_->vault().id()));
    ASSERT_FALSE(FetchVault(base::VaultId(std::array<std::uint8_t, 16>{9})));
    ASSERT_TRUE(client_->ListVaults({}, [](transport::VaultHead) { return base::Status(); }));
    ASSERT_TRUE(client_->FetchBoard(static_cast<std::uint32_t>(Kind::kScreening), {},
                                    [](transport::BoardRow) { return base::Status(); }));
    const auto heard = client_->Watch([](const transport::Hints&) {
      return base::Status(base::Error(base::Code::kCancelled, "enough"));
    });
    ASSERT_EQ(CodeOf(heard), "CANCELLED");
    auto policy = realm_.roster().policy();
    ++policy.gen;
    const auto refused = client_->AppendStatements(
        {{realm_.Sign(realm_.person(0), protocol::PolicySet{policy}), {}}});
    ASSERT_EQ(CodeOf(refused), "PERMISSION_DENIED");
    ASSERT_EQ(CodeOf(owner_->CreateRealm(process_.claim(), base::Bytes(100))), "E_SIG");

    Raw raw(process_.address());
    const auto token = raw.OpenSession(realm_, coordinator_, Must(client_->ServerKey()));
    const std::string id = base::ToString(coordinator_.id.bytes());
    const std::vector<std::string> inputs{"", id, std::string(1'000, '\xff'), "\x0a\x10" + id,
                                          "\x0a\x06\"\\\r\n{}"};
    std::vector<std::string> methods = Methods();
    methods.push_back("/" + base::ToHex(coordinator_.id.bytes()) + "/" +
                      base::ToHex(vault_->vault().id().bytes()));
    methods.push_back(kHealthCheck);
    methods.push_back(kReflection);
    for (const auto& method : methods) {
      for (const std::string& bytes : inputs) {
        raw.Ask(method, bytes);
        raw.Ask(method, bytes, id);
        // Watch goes on whatever it is asked.
        if (Name(method) != "CloseSession" && Name(method) != "Watch") {
          raw.Ask(method, bytes, token);
        }
      }
    }
    process_.Put("garbage", "garbage");
    process_.Signal(SIGHUP);
    process_.WaitFor("certificate refused");
    process_.Renew();
    process_.Signal(SIGHUP);
    process_.WaitFor("certificate taken");
    process_.Signal(SIGHUP);
    process_.WaitFor("certificate unchanged");
    TakeDatabaseAway();
    EXPECT_FALSE(FetchVault(vault_->vault().id()));
    GiveDatabaseBack();
    EXPECT_TRUE(FetchVault(vault_->vault().id()));
  }

  TestRealm realm_{Compartment::kCases};
  support::Person& coordinator_ = realm_.Add(protocol::kCoordinator);
  ServiceProcess process_;
  std::unique_ptr<transport::RealmClient> owner_;
  std::unique_ptr<transport::RealmClient> client_;
  std::optional<TestVault> vault_;
};

// Holds a table locked, so that the calls that need it wait.
class HeldTable {
 public:
  HeldTable(const support::PostgresDatabase& database, const std::string& table)
      : database_(database),
        psql_(::popen(("psql -X -q '" + database.superuser() + "' >/dev/null").c_str(), "w")) {
    Tell("BEGIN; LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE;");
    Await(
        "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted "
        "AND relation = '" +
        table + "'::regclass");
  }
  ~HeldTable() { Release(); }

  // Returns when somebody waits for it.
  void AwaitWaiting() const {
    Await(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND datname = current_database()");
  }
  void Release() {
    if (psql_ == nullptr) return;
    Tell("COMMIT;");
    ::pclose(psql_);
    psql_ = nullptr;
  }

 private:
  void Tell(const std::string& sql) {
    std::fputs((sql + "\n").c_str(), psql_);
    std::fflush(psql_);
  }
  void Await(const std::string& count) const {
    while (database_.Sql(count).front().front() == "0") std::this_thread::yield();
  }

  const support::PostgresDatabase& database_;
  FILE* psql_;
};

TEST_F(Operation, EveryLineOfABusyRunIsAllowed) {
  Begin();
  BeBusy();
  process_.Signal(SIGTERM);
  EXPECT_EQ(process_.Wait(), 0);
  // And what ends it before it serves.
  process_.Put("garbage", "garbage");
  const auto [output, code] =
      RunProgram(std::string(GODWIT_CASESD) + " --config " + process_.config_file().string());
  EXPECT_EQ(code, 1);
  auto lines = process_.Lines();
  for (auto& line : SplitLines(output)) lines.push_back(std::move(line));
  std::map<std::string, std::size_t> seen;
  for (const auto& line : lines) {
    EXPECT_EQ(WhyNoLine(line), "") << line;
    ++seen[nlohmann::json::parse(line, nullptr, false).value("event", "")];
  }
  for (const char* event :
       {"serves", "refuses to serve", "ready", "not ready", "call", "call refused",
        "certificate taken", "certificate refused", "certificate unchanged", "drains", "ended"}) {
    EXPECT_GE(seen[event], 1u) << event;
  }
  EXPECT_GT(seen["call refused"], 100u);
}

TEST(OperationControl, ALineWithAnythingElseIsFound) {
  const std::string begin = R"({"time":"2026-01-02T03:04:05.678Z","level":"info",)";
  ASSERT_EQ(WhyNoLine(begin + R"("event":"call","method":"FetchVault","ms":12})"), "");
  ASSERT_EQ(WhyNoLine(begin + R"("event":"call refused","method":"GetNonce","code":"CONFLICT",)" +
                      R"("why":"the service is busy: try again later","ms":0})"),
            "");
  for (const std::string& line : {
           std::string("godwit-casesd: something"),
           std::string(),
           begin + R"("event":"call","method":"FetchVault","ms":12,"vault":"00ff"})",
           begin + R"("event":"call","method":"FetchVault","method":"FetchVault","ms":12})",
           begin + R"("event":"call","method":"00112233445566778899aabbccddeeff","ms":12})",
           begin + R"("event":"call","method":"FetchVault","ms":18446744073709551615})",
           begin + R"("event":"call","method":"FetchVault","ms":"12"})",
           begin + R"("event":"call","method":"FetchVault"})",
           begin + R"("event":"call of 00ff","method":"FetchVault","ms":12})",
           begin + R"("event":"not ready","code":"CONFLICT","why":"no route to Place A"})",
           begin + R"("event":"not ready","code":"Minji","why":"the service is busy"})",
           std::string(R"({"time":"today","level":"info","event":"ended"})"),
           std::string(R"({"time":"2026-01-02T03:04:05.678Z","level":"x","event":"ended"})"),
       }) {
    EXPECT_NE(WhyNoLine(line), "") << line;
  }
}

TEST_F(Operation, NothingButFiguresIsInTheWholeExposition) {
  Begin();
  BeBusy();
  process_.Metrics();
  const std::string text = process_.Metrics();
  std::set<std::string> seen;
  for (const auto& line : SplitLines(text)) {
    EXPECT_EQ(WhyNoFigure(line), "") << line;
    if (line.starts_with("# TYPE ")) seen.insert(line.substr(7, line.rfind(' ') - 7));
  }
  EXPECT_EQ(seen, Figures());
  for (const char* sample : {
           "godwit_service{realm=\"cases\"} 1\n",
           "godwit_ready 1\n",
           "godwit_calls_running 0\n",
           "godwit_commits_total 1\n",
           "godwit_commit_transactions_total 1\n",
           "godwit_certificate_reloads_total{result=\"refused\"} 1\n",
           "godwit_certificate_reloads_total{result=\"taken\"} 1\n",
           "godwit_calls_total{code=\"OK\",method=\"AppendEntries\"} 1\n",
           "godwit_call_seconds_count{method=\"AppendEntries\"} ",
           "godwit_calls_total{code=\"NOT_FOUND\",method=\"FetchVault\"} ",
           "godwit_calls_total{code=\"UNAUTHENTICATED\",method=\"FetchVault\"} ",
       }) {
    EXPECT_THAT(text, testing::HasSubstr(sample));
  }
}

TEST(OperationControl, AFigureWithAnythingElseIsFound) {
  ASSERT_EQ(WhyNoFigure(R"(godwit_calls_total{code="OK",method="GetNonce"} 3)"), "");
  ASSERT_EQ(WhyNoFigure(R"(godwit_call_seconds_bucket{method="GetNonce",le="+Inf"} 3)"), "");
  for (const char* line : {
           R"(godwit_calls_total{code="OK",method="GetNonce",vault="00ff"} 3)",
           R"(godwit_calls_total{code="OK",method="00ff"} 3)",
           R"(godwit_calls_total{code="Minji",method="GetNonce"} 3)",
           R"(godwit_service{realm="00112233445566778899aabbccddeeff"} 1)",
           R"(godwit_members_total 3)",
           R"(# HELP godwit_members_total Members.)",
           R"(godwit_calls_total{code="OK"method=GetNonce} 3)",
           R"(godwit_ready 1 of Place A)",
           "",
       }) {
    EXPECT_NE(WhyNoFigure(line), "") << line;
  }
}

TEST_F(Operation, OperatorsFindEachEventAndFigureExplained) {
  const std::string text = ReadAll(GODWIT_OPERATIONS_MD);
  const auto has = [&](const std::string& what) { return text.find(what) != std::string::npos; };
  for (const auto& [event, fields] : Events()) EXPECT_TRUE(has("| `" + event + "` |")) << event;
  for (const auto& figure : Figures()) {
    if (!figure.starts_with("godwit_")) continue;
    EXPECT_TRUE(has("| `" + figure)) << figure;
  }
  for (const auto& setting : DeclaredSettings()) {
    EXPECT_TRUE(has("`" + std::string(setting.name) + "`")) << setting.name;
  }
}

TEST_F(Operation, HealthIsWhetherItServes) {
  Begin();
  EXPECT_EQ(process_.Health(), 0);
  TakeDatabaseAway();
  EXPECT_EQ(process_.Health(), 1);
  EXPECT_THAT(process_.Metrics(), testing::HasSubstr("godwit_ready 0\n"));
  GiveDatabaseBack();
  EXPECT_EQ(process_.Health(), 0);
  process_.Signal(SIGSTOP);
  EXPECT_EQ(process_.Health(), 1);
  process_.Signal(SIGCONT);
  process_.Signal(SIGTERM);
  EXPECT_EQ(process_.Wait(), 0);
  EXPECT_EQ(process_.Health(), 1);
}

// Whoever ends a service because it is busy makes it worse.
TEST_F(Operation, BusyIsHealthy) {
  Begin({{"connections", "1"}});
  HeldTable held(process_.database(), "invitation");
  // It holds the one connection until its lock's time is over, while the service looks at itself.
  EXPECT_EQ(CodeOf(client_->GetJoinMessages(base::InviteId(std::array<std::uint8_t, 16>{9}))),
            "DEADLINE");
  held.Release();
  EXPECT_EQ(process_.Count("not ready"), 0u);
  EXPECT_EQ(process_.Health(), 0);
}

// It is asked from a container's health check, as whoever that runs as.
TEST_F(Operation, AskingForHealthReadsNoSecret) {
  Begin();
  const std::string ask =
      std::string("env -i ") + GODWIT_CASESD +
      " health --health-listen 127.0.0.1:" + std::to_string(process_.health_port());
  EXPECT_EQ(RunProgram(ask).second, 0);
  EXPECT_EQ(RunProgram(ask + " --certificate /none --key /none --database dbname=none").second, 0);
  EXPECT_EQ(RunProgram(std::string(GODWIT_CASESD) + " health").second, 1);
  EXPECT_EQ(RunProgram(std::string(GODWIT_CASESD) + " health --health-listen nowhere").second, 1);
  EXPECT_EQ(RunProgram(std::string(GODWIT_CASESD) + " health --config /none").second, 1);
}

TEST_F(Operation, StrangersFindNeitherHealthNorADescription) {
  Begin();
  Raw raw(process_.address());
  EXPECT_EQ(raw.Call(kHealthCheck, "").error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(raw.Call(kReflection, kListServices).error_code(), grpc::StatusCode::UNIMPLEMENTED);
  Raw local(grpc::CreateChannel("127.0.0.1:" + std::to_string(process_.health_port()),
                                grpc::InsecureChannelCredentials()));
  const auto serving = local.Ask(kHealthCheck, "");
  EXPECT_TRUE(serving.status.ok());
  EXPECT_EQ(serving.bytes, "\x08\x01");
  EXPECT_TRUE(local.Call(kHealthCheck, std::string("\x0a\x00", 2)).ok());
  EXPECT_EQ(local.Call(kHealthCheck, "\x0a\x01x").error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(local.Call(kHealthCheck, "garbage").error_code(), grpc::StatusCode::NOT_FOUND);
  for (const auto& method : Methods()) {
    EXPECT_EQ(local.Call(method, "").error_code(), grpc::StatusCode::UNIMPLEMENTED) << method;
  }
  EXPECT_EQ(local.Call(kReflection, kListServices).error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(Operation, ReflectionDescribesTheCallsWhereItIsSwitchedOn) {
  process_.Start({{"reflection", "\"on\""}});
  const auto answer = Raw(process_.address()).Ask(kReflection, kListServices);
  EXPECT_THAT(answer.bytes, testing::HasSubstr("godwit.realm.v1.RealmService"));
}

TEST_F(Operation, WhatIsForThisMachineAloneListensNowhereElse) {
  struct Row {
    const char* flags;
    const char* names;
  };
  const Row rows[] = {
      {"--health-listen 0.0.0.0:0", "health_listen"},
      {"--metrics-listen 0.0.0.0:0", "metrics_listen"},
      {"--metrics-listen '127.0.0.1:0,0.0.0.0:0'", "metrics_listen"},
      {"--health-listen localhost:0", "health_listen"},
      {"--listen 0.0.0.0:0 --reflection on", "reflection"},
      {"--reflection yes", "reflection"},
      {"--listen localhost:0", "listen"},
  };
  for (const auto& row : rows) {
    const auto [output, code] = RunProgram(
        std::string(GODWIT_CASESD) + " --certificate a --key b --database dbname=c " + row.flags);
    EXPECT_EQ(code, 2) << row.flags;
    EXPECT_THAT(output, testing::HasSubstr(row.names));
  }
}

// They are told to come back, and the service does not wait for them.
TEST_F(Operation, DrainingEndsThoseWhoWatch) {
  Begin({{"drain_ms", "600000"}});
  std::promise<void> stands;
  std::thread watching([&] {
    bool first = true;
    const auto ended = client_->Watch([&](const transport::Hints&) {
      if (std::exchange(first, false)) stands.set_value();
      return base::Status();
    });
    EXPECT_EQ(CodeOf(ended), "UNAVAILABLE");
  });
  stands.get_future().wait();
  EXPECT_THAT(process_.Metrics(), testing::HasSubstr("godwit_watchers 1"));
  process_.Signal(SIGTERM);
  EXPECT_EQ(process_.Wait(), 0);
  watching.join();
  EXPECT_TRUE(std::ranges::any_of(process_.Lines(), [](const std::string& line) {
    return line.find(R"("method":"Watch","code":"UNAVAILABLE")") != std::string::npos;
  }));
}

TEST_F(Operation, DrainingLetsCallsEndAndTakesNoNewOnes) {
  Begin({{"drain_ms", "60000"}});
  const base::InviteId invite(std::array<std::uint8_t, 16>{9});
  ASSERT_TRUE(owner_->PutOffer(invite, base::Bytes(100)));
  HeldTable held(process_.database(), "invitation");
  std::string answer;
  std::thread running([&] { answer = CodeOf(client_->GetJoinMessages(invite)); });
  held.AwaitWaiting();
  process_.Signal(SIGTERM);
  process_.WaitFor("drains");
  transport::RealmClient fresh(process_.address(), {.tries = 1});
  EXPECT_EQ(CodeOf(fresh.GetJoinMessages(invite)), "UNAVAILABLE");
  EXPECT_EQ(process_.Health(), 1);
  EXPECT_EQ(process_.Count("ended"), 0u);
  held.Release();
  running.join();
  EXPECT_EQ(answer, "OK");
  EXPECT_EQ(process_.Wait(), 0);
  EXPECT_EQ(process_.Count("ended"), 1u);
}

// Callers that are connected and ask for nothing hold nobody up.
TEST_F(Operation, DrainingWaitsForCallsAndNotForConnections) {
  Begin({{"drain_ms", "3600000"}});
  process_.Signal(SIGTERM);
  EXPECT_EQ(process_.Wait(), 0);
}

TEST_F(Operation, DrainingEndsThoughACallDoesNot) {
  Begin({{"drain_ms", "100"}});
  HeldTable held(process_.database(), "invitation");
  std::string answer;
  transport::RealmClient client(process_.address(), {.tries = 1});
  std::thread running([&] {
    answer = CodeOf(client.GetJoinMessages(base::InviteId(std::array<std::uint8_t, 16>{9})));
  });
  held.AwaitWaiting();
  process_.Signal(SIGTERM);
  EXPECT_EQ(process_.Wait(), 0);
  running.join();
  EXPECT_NE(answer, "OK");
}

// A standby that is gone holds every COMMIT up, and nothing may cancel one.
class OperationWithoutStandby : public Operation {
 protected:
  OperationWithoutStandby() : Operation(support::PostgresDatabase::In(Cluster().superuser())) {}

  ~OperationWithoutStandby() override { WaitForStandby(""); }

  static const support::PostgresCluster& Cluster() {
    static const support::PostgresCluster cluster;
    return cluster;
  }
  void WaitForStandby(const std::string& name) {
    process_.database().Sql("ALTER SYSTEM SET synchronous_standby_names = '" + name + "'");
    process_.database().Sql("SELECT pg_reload_conf()");
    while (process_.database().Sql("SHOW synchronous_standby_names").front().front() != name) {
      std::this_thread::yield();
    }
  }
};

TEST_F(OperationWithoutStandby, NobodyWaitsForACommitThatHangs) {
  Begin({{"drain_ms", "100"}, {"commit_wait_ms", "300"}});
  WaitForStandby("nobody");
  const std::size_t sent = vault_->entries().size();
  vault_->Write(coordinator_, vault_->NewRecord(), "text");
  EXPECT_EQ(CodeOf(client_->AppendEntries({WireOf(UploadOf(*vault_, sent))})), "DEADLINE");
  process_.Signal(SIGTERM);
  EXPECT_EQ(process_.Wait(), 1);
  EXPECT_EQ(process_.Count("ended by force"), 1u);
}

}  // namespace
}  // namespace godwit::realm
