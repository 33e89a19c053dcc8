#include "bench/world.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>
#include <vector>

#include "transport/realm_client.h"

namespace godwit::bench {

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
