#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <iostream>

#include "crypto/init.h"
#include "tools/verify/evidence.h"
#include "tools/verify/verify.h"

namespace {

namespace verify = godwit::verify;

constexpr char kExitCodes[] =
    "Ends with 0 valid, 1 not valid, 2 wrong usage or a file that is no chain.\n";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "godwit-verify: judges a realm's chains, and evidence, offline, by the rules that server "
      "and\n"
      "clients use.\n"
      "It needs no key, no network and no database.");
  app.require_subcommand(1);
  app.fallthrough();
  verify::Output output{.out = std::cout, .errors = std::cerr};
  app.add_flag("--json", output.json, "Write one JSON object (docs/operations.md)");
  app.footer(std::string(kExitCodes) +
             "\nExamples:\n"
             "  godwit-verify roster cases.roster\n"
             "  godwit-verify vault cases.roster some.vault --json\n"
             "  godwit-verify evidence 3f09a1b2c4d5e6f7.evidence");

  // What the command line asks for.
  std::function<verify::ExitCode()> chosen;
  std::filesystem::path roster_path;
  std::filesystem::path vault_path;
  std::filesystem::path evidence_path;

  auto* roster = app.add_subcommand("roster", "Judge a realm's roster and show what it says");
  roster->add_option("file", roster_path, "of godwit-admin dump roster; - is standard input")
      ->required();
  roster->footer(std::string(kExitCodes) +
                 "\nExample:\n"
                 "  godwit-verify roster cases.roster");
  roster->callback([&] { chosen = [&] { return verify::VerifyRoster(roster_path, output); }; });

  auto* vault = app.add_subcommand("vault", "Judge a vault's chain by its realm's roster");
  vault->add_option("roster", roster_path, "of godwit-admin dump roster, made after the vault's")
      ->required();
  vault->add_option("file", vault_path, "of godwit-admin dump vault; - is standard input")
      ->required();
  vault->footer(std::string(kExitCodes) +
                "\nExample:\n"
                "  godwit-verify vault cases.roster some.vault");
  vault->callback([&] {
    if (roster_path == "-" && vault_path == "-") {
      throw CLI::ValidationError("only one of the files can be standard input");
    }
    chosen = [&] { return verify::VerifyVault(roster_path, vault_path, output); };
  });

  auto* evidence = app.add_subcommand("evidence", "Judge what a device kept against somebody");
  evidence->add_option("file", evidence_path, "of godwit evidence export; - is standard input")
      ->required();
  evidence->footer(
      "Ends with 0 proved, or consistent with what it says; 1 it accuses nobody; 2 wrong usage or\n"
      "a file that cannot be read.\n"
      "\nExample:\n"
      "  godwit-verify evidence 3f09a1b2c4d5e6f7.evidence");
  evidence->callback(
      [&] { chosen = [&] { return verify::VerifyEvidence(evidence_path, output); }; });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : verify::kUnusable;
  }
  if (const auto status = godwit::crypto::Init(); !status) {
    std::cerr << "godwit-verify: " << status.error().message() << "\n";
    return verify::kUnusable;
  }
  const verify::ExitCode exit = chosen();
  std::cout.flush();
  if (!std::cout) {
    std::cerr << "godwit-verify: the verdict cannot be written\n";
    return verify::kUnusable;
  }
  return exit;
}
