#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <string>

#include "crypto/init.h"
#include "tools/admin/commands.h"
#include "tools/admin/dump.h"

namespace {

namespace admin = godwit::admin;

constexpr int kRefused = 1;

int Finish(const godwit::base::Status& status) {
  if (status) return 0;
  std::cerr << "godwit-admin: " << godwit::base::Name(status.error().code()) << ": "
            << status.error().message() << "\n";
  return kRefused;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("godwit-admin: the operator's tool. It opens no content and holds no member's key.");
  app.require_subcommand(1);

  admin::MigrateOptions migrate_options;
  auto* migrate = app.add_subcommand(
      "migrate", "Bring a realm's database up to date, as the role that owns it");
  migrate
      ->add_option("--database", migrate_options.database,
                   "libpq conninfo of the owner; a password stands in its passfile")
      ->required();
  migrate->add_option("--role", migrate_options.role, "the service's role, which must exist")
      ->required();
  migrate->add_flag("--new-claim", migrate_options.new_claim,
                    "replace a claim that was lost, while there is no realm");
  migrate->add_option("--claim-file", migrate_options.claim_file,
                      "write the one-time claim there, mode 0600, and do not print it");
  migrate->footer(
      "Prints the claim of an empty realm once: whoever makes the realm needs it.\n\n"
      "Example:\n"
      "  godwit-admin migrate --role godwit_cases \\\n"
      "    --database 'host=/run/postgresql dbname=cases user=godwit_cases_owner'");

  auto* pki = app.add_subcommand("pki", "Certificates of a realm, under an authority of its own");
  pki->require_subcommand(1);
  admin::PkiInitOptions init_options;
  auto* init = pki->add_subcommand("init", "Make the authority: ca.crt, and ca.key with mode 0600");
  init->add_option("folder", init_options.folder, "a folder of this realm alone")->required();
  init->footer(
      "Prints the pin that clients know it by.\n\nExample:\n"
      "  godwit-admin pki init /etc/godwit/cases");
  admin::PkiIssueOptions issue_options;
  auto* issue =
      pki->add_subcommand("issue", "Issue the server's certificate: server.crt and server.key");
  issue->add_option("folder", issue_options.folder, "the folder with the authority")->required();
  issue->add_option("--host", issue_options.hosts, "name or address that clients use; repeatable")
      ->required();
  issue->footer(
      "Example:\n"
      "  godwit-admin pki issue /etc/godwit/cases --host 127.0.0.1");

  admin::PkiFrontOptions front_options;
  auto* front = pki->add_subcommand(
      "front", "Make what a front and its service know each other by: front.* and server.*");
  front->add_option("folder", front_options.folder, "a folder of its own; no authority is left")
      ->required();
  front->add_option("--host", front_options.hosts, "as the front reaches the service; repeatable")
      ->required();
  front->footer(
      "Example:\n"
      "  godwit-admin pki front /etc/godwit/cases/inner --host casesd");

  auto* dump = app.add_subcommand("dump", "Write a chain to a file, for godwit-verify");
  dump->require_subcommand(1);
  admin::DumpOptions dump_options;
  std::string vault_id;
  const auto add_dump_options = [&](CLI::App& command) {
    command
        .add_option("--database", dump_options.database,
                    "libpq conninfo of a role that may read it; a password stands in its passfile")
        ->required();
    command
        .add_option("--out", dump_options.out,
                    "a file that is not there yet, made with mode 0600; - is standard output")
        ->required();
  };
  auto* dump_roster = dump->add_subcommand("roster", "Write the realm's roster");
  add_dump_options(*dump_roster);
  dump_roster->footer(
      "Example:\n"
      "  godwit-admin dump roster --database 'dbname=cases' --out cases.roster");
  auto* dump_vault = dump->add_subcommand("vault", "Write one vault's chain; before the roster");
  dump_vault->add_option("vault", vault_id, "its id, 32 hexadecimal digits")->required();
  add_dump_options(*dump_vault);
  dump_vault->footer(
      "A vault's entries cite the roster: one that is dumped after the vault holds all of them.\n\n"
      "Example:\n"
      "  godwit-admin dump vault 00112233445566778899aabbccddeeff \\\n"
      "    --database 'dbname=cases' --out some.vault");
  app.footer(
      "Examples:\n"
      "  godwit-admin pki init /etc/godwit/cases\n"
      "  godwit-admin pki issue /etc/godwit/cases --host cases.example --host 127.0.0.1\n"
      "  godwit-admin migrate --role godwit_cases --database 'dbname=cases'");
  CLI11_PARSE(app, argc, argv);

  if (const auto status = godwit::crypto::Init(); !status) return Finish(status);
  if (migrate->parsed()) return Finish(admin::Migrate(migrate_options, std::cout));
  if (init->parsed()) return Finish(admin::PkiInit(init_options, std::cout));
  if (issue->parsed()) return Finish(admin::PkiIssue(issue_options, std::cout));
  if (front->parsed()) return Finish(admin::PkiFront(front_options));
  if (dump_roster->parsed()) return Finish(admin::DumpRoster(dump_options, std::cout));
  return Finish(admin::DumpVault(dump_options, vault_id, std::cout));
}
