#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>

namespace godwit::support {

// What a program did: its exit code (-1: it did not end by itself), and its standard output.
struct Ran {
  int exit = -1;
  std::string output;
};

// Runs a shell's command. What it writes to its standard error is the caller's to redirect.
inline Ran RunShell(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  Ran run;
  char buffer[4096];
  std::size_t n = 0;
  while ((n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0) run.output.append(buffer, n);
  const int status = ::pclose(pipe);
  // A shell tells of a signal by a code above 128.
  if (WIFEXITED(status) && WEXITSTATUS(status) < 128) run.exit = WEXITSTATUS(status);
  return run;
}

}  // namespace godwit::support
