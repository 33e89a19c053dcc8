// agent_process PROFILE [IDLE_MS]: an agent and nothing else.

#include <chrono>
#include <cstdlib>

#include "client/agent.h"
#include "client/profile.h"

int main(int argc, char** argv) {
  using namespace godwit;
  if (argc < 2) return 2;
  const auto profile = client::Profile::Open(argv[1]);
  if (!profile) return 1;
  client::AgentOptions options;
  if (argc > 2) options.idle = std::chrono::milliseconds(std::atol(argv[2]));
  return client::RunAgent(*profile, options) ? 0 : 1;
}
