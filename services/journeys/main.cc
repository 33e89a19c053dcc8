#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "services/realm/config.h"
#include "services/realm/serve.h"
#include "services/server/settings.h"

int main(int argc, char** argv) {
  using godwit::realm::DeclaredSettings;
  CLI::App app(
      "godwit-journeysd: the service of an organisation's realm \"journeys\".\n\n"
      "Settings stand in a TOML file, overridden by the environment (GODWIT_JOURNEYSD_LISTEN), "
      "and\n"
      "that by flags. Secrets are named as files, never given.");
  app.footer(
      "Examples:\n"
      "  godwit-journeysd --config /etc/godwit/journeysd.toml\n"
      "  godwit-journeysd --listen 127.0.0.1:8445 --certificate journeys.crt --key journeys.key "
      "\\\n"
      "    --database 'host=/run/postgresql dbname=journeys user=godwit_journeys'");
  std::string file;
  app.add_option("--config", file, "TOML file with settings");
  std::vector<std::string> values(DeclaredSettings().size());
  std::vector<CLI::Option*> options;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto& setting = DeclaredSettings()[i];
    options.push_back(
        app.add_option(godwit::server::FlagOf(setting), values[i], std::string(setting.help)));
  }
  CLI11_PARSE(app, argc, argv);

  godwit::server::Settings settings(DeclaredSettings());
  if (!file.empty()) {
    if (const auto wrong = settings.ReadFile(file)) {
      std::fprintf(stderr, "godwit-journeysd: %s\n", wrong->text.c_str());
      return 2;
    }
  }
  std::vector<godwit::realm::Flag> flags;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (options[i]->count() > 0) flags.push_back({DeclaredSettings()[i].name, values[i]});
  }
  return godwit::realm::RunService(godwit::protocol::Compartment::kJourneys, std::move(settings),
                                   "GODWIT_JOURNEYSD_", flags);
}
