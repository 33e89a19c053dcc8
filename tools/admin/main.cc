#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <string>

#include "crypto/init.h"
#include "tools/admin/commands.h"

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
  app.footer(
      "Examples:\n"
      "  godwit-admin pki init /etc/godwit/cases\n"
      "  godwit-admin pki issue /etc/godwit/cases --host cases.example --host 127.0.0.1\n"
      "  godwit-admin migrate --role godwit_cases --database 'dbname=cases'");
  CLI11_PARSE(app, argc, argv);

  if (const auto status = godwit::crypto::Init(); !status) return Finish(status);
  if (migrate->parsed()) return Finish(admin::Migrate(migrate_options, std::cout));
  if (init->parsed()) return Finish(admin::PkiInit(init_options, std::cout));
  return Finish(admin::PkiIssue(issue_options, std::cout));
}
