#include "services/server/main.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "services/server/health.h"

namespace godwit::server {
namespace {

constexpr std::chrono::seconds kHealthTimeout{3};
constexpr int kUnhealthy = 1;
constexpr int kWrongSettings = 2;

// "godwit-casesd" -> "GODWIT_CASESD_"
std::string PrefixOf(std::string_view name) {
  std::string prefix;
  for (const char c : name) {
    prefix += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return prefix + "_";
}

int Fail(std::string_view name, std::string_view why, int code) {
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(name.size()), name.data(),
               static_cast<int>(why.size()), why.data());
  return code;
}

int Health(const Program& program, const Settings& settings) {
  const std::string& address = settings.Text("health_listen");
  if (address.empty()) {
    return Fail(program.name, "nobody can ask: setting health_listen is not set", kUnhealthy);
  }
  const auto status = AskHealth(address, kHealthTimeout);
  return status ? 0 : Fail(program.name, status.error().message(), kUnhealthy);
}

}  // namespace

int RunProgram(const Program& program, int argc, char** argv) {
  const std::string name(program.name);
  const std::string prefix = PrefixOf(name);
  CLI::App app(name + ": " + std::string(program.purpose) +
               "\n\nSettings stand in a TOML file, overridden by the environment (" + prefix +
               "LISTEN),\nand that by flags. Secrets are named as files, never given.");
  app.footer("Examples:\n  " + name + " --config /etc/godwit/" + name.substr(name.find('-') + 1) +
             ".toml\n  " + name + " " + std::string(program.example) + "\n  " + name +
             " health --health-listen 127.0.0.1:9443");
  std::string file;
  app.add_option("--config", file, "TOML file with settings");
  std::vector<std::string> values(program.settings.size());
  std::vector<CLI::Option*> options;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto& setting = program.settings[i];
    options.push_back(app.add_option(FlagOf(setting), values[i], std::string(setting.help)));
  }
  // Takes the flags of the whole program behind it, too.
  const CLI::App* health =
      app.add_subcommand("health", "ask whether it serves: exit 0 yes, 1 no")->fallthrough();
  CLI11_PARSE(app, argc, argv);

  Settings settings(program.settings);
  std::optional<SettingError> wrong;
  if (!file.empty()) wrong = settings.ReadFile(file);
  if (!wrong) wrong = settings.ReadEnvironment(prefix, environ);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!wrong && options[i]->count() > 0)
      wrong = settings.Set(program.settings[i].name, values[i]);
  }
  if (health->parsed()) {
    return wrong ? Fail(name, wrong->text, kUnhealthy) : Health(program, settings);
  }
  return wrong ? Fail(name, wrong->text, kWrongSettings) : program.serve(settings);
}

}  // namespace godwit::server
