#include "services/server/main.h"

#include "services/realm/config.h"
#include "services/realm/serve.h"

int main(int argc, char** argv) {
  using godwit::protocol::Compartment;
  return godwit::server::RunProgram(
      {.name = "godwit-journeysd",
       .purpose = "the service of an organisation's realm \"journeys\".",
       .example = "--listen 127.0.0.1:8445 --certificate journeys.crt --key journeys.key \\\n"
                  "    --database 'host=/run/postgresql dbname=journeys user=godwit_journeys'",
       .settings = godwit::realm::DeclaredSettings(),
       .serve =
           [](const godwit::server::Settings& settings) {
             return godwit::realm::RunService(Compartment::kJourneys, settings);
           }},
      argc, argv);
}
