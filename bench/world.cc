#include "bench/world.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <thread>
#include <vector>

#include "crypto/random.h"
#include "protocol/labels.h"
#include "protocol/statement.h"
#include "tests/support/builders.h"
#include "transport/realm_client.h"

namespace godwit::bench {

using support::Must;
using support::Require;

ServiceProcess::ServiceProcess(const std::string& program, support::RealmServer& server) {
  const transport::RealmAddress address = server.address();
  const std::string folder = server.certificates().string();
  const std::string arguments[] = {program,
                                   "--listen",
                                   address.host_port,
                                   "--certificate",
                                   folder + "/server.crt",
                                   "--key",
                                   folder + "/server.key",
                                   "--database",
                                   server.database().service()};
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  server.Stop();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  transport::RealmClient client(address, {.timeout = std::chrono::seconds(1), .tries = 1});
  for (int i = 0; i < 100; ++i) {
    if (client.ServerKey()) return;
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  std::cerr << program << " does not answer\n";
  std::exit(1);
}

ServiceProcess::~ServiceProcess() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

World::World(const std::string& services) : people_(servers_) {
  people_.Join(support::Staff(2, 1, 1, 1, 0));
  people_.MakeLedgers("in1");
  people_.Sync("in1");
  servers_.journeys.Stop();
  identity_.emplace(services + "/identity/godwit-identityd", servers_.identity);
  cases_.emplace(services + "/cases/godwit-casesd", servers_.cases);
}

const std::vector<std::unique_ptr<client::Realm>>& World::Clients(std::size_t count) {
  client::Realm& founder = Cases("founder");
  const auto folder = people_.Home("clients");
  std::filesystem::create_directories(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  while (clients_.size() < count) {
    client::UnlockedRealm keys{Must(protocol::DeviceSeed::Random()), founder.info(),
                               Must(client::StoreKey::Random())};
    keys.info.member = crypto::RandomId<base::MemberId>();
    const auto device = Must(protocol::Device::FromSeed(keys.seed));
    protocol::MemberAdd add;
    add.member = keys.info.member;
    add.roles = protocol::kCaseworker;
    add.invite = crypto::RandomId<base::InviteId>();
    add.device = device.keys();
    add.pop = device.signing_key().Sign(protocol::labels::kRosterPop,
                                        protocol::PopMessage(founder.id(), add));
    Must(founder.Author(add));
    const auto path = folder / std::to_string(clients_.size());
    Must(client::Store::Create(path, keys.store_key, founder.id()));
    clients_.push_back(Must(client::Realm::Open(std::move(keys), path)));
    Require(clients_.back()->Sync());
  }
  return clients_;
}

std::uint64_t World::EntryCount() const {
  std::uint64_t count = 0;
  for (const auto* server : {&servers_.identity, &servers_.cases}) {
    count += std::stoull(server->database().Sql("SELECT count(*) FROM entry").front().front());
  }
  return count;
}

base::MemberId MemberWith(const client::Realm& realm, protocol::Roles role) {
  const auto& roster = realm.roster();
  for (const auto& [member, row] : roster.members()) {
    if (roster.RolesAt(member, roster.head_seq()) == role) return member;
  }
  std::cerr << "nobody has a role that is needed\n";
  std::exit(1);
}

}  // namespace godwit::bench
