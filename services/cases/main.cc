#include "services/server/main.h"

#include "services/realm/config.h"
#include "services/realm/serve.h"

int main(int argc, char** argv) {
  using godwit::protocol::Compartment;
  return godwit::server::RunProgram(
      {.name = "godwit-casesd",
       .purpose = "the service of an organisation's realm \"cases\".",
       .example = "--listen 127.0.0.1:8444 --certificate cases.crt --key cases.key \\\n"
                  "    --database 'host=/run/postgresql dbname=cases user=godwit_cases'",
       .settings = godwit::realm::DeclaredSettings(),
       .serve =
           [](const godwit::server::Settings& settings) {
             return godwit::realm::RunService(Compartment::kCases, settings);
           }},
      argc, argv);
}
