#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "services/server/settings.h"

namespace godwit::server {

// What the binary of a service is.
struct Program {
  std::string_view name;     // "godwit-casesd"; its environment variables begin with GODWIT_CASESD_
  std::string_view purpose;  // one line
  std::string_view example;  // flags that start it
  // Among them "health_listen", as HealthServer takes it.
  std::span<const Setting> settings;
  // Serves until it is told to end. Returns the exit code.
  std::function<int(const Settings& settings)> serve;
};

// The main of a service: reads the settings from a file, the environment and flags, and serves; or,
// as the subcommand `health`, asks the service with these settings and returns 0 where it serves
// and 1 where it does not, which reads no secret. 2: wrong usage or settings, named on standard
// error.
int RunProgram(const Program& program, int argc, char** argv);

}  // namespace godwit::server
