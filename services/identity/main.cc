#include "services/server/main.h"

#include "services/realm/config.h"
#include "services/realm/serve.h"

int main(int argc, char** argv) {
  using godwit::protocol::Compartment;
  return godwit::server::RunProgram(
      {.name = "godwit-identityd",
       .purpose = "the service of an organisation's realm \"identity\".",
       .example = "--listen 127.0.0.1:8443 --certificate identity.crt --key identity.key \\\n"
                  "    --database 'host=/run/postgresql dbname=identity user=godwit_identity'",
       .settings = godwit::realm::DeclaredSettings(),
       .serve =
           [](const godwit::server::Settings& settings) {
             return godwit::realm::RunService(Compartment::kIdentity, settings);
           }},
      argc, argv);
}
