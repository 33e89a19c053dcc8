// From a realm's database to a verdict: the way of an operator and a stranger, by the programs.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/realm_server.h"
#include "tests/support/test_organisation.h"
#include "tests/tools/chain_files.h"
#include "tests/tools/run.h"

namespace godwit {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using protocol::Compartment;
using support::PostgresDatabase;
using support::Ran;
using support::RunShell;

using Offline = support::ChainFiles;

Ran Dump(const std::string& what, const PostgresDatabase& database, const std::string& out) {
  return RunShell(std::string(GODWIT_ADMIN) + " dump " + what + " --database \"" +
                  database.service() + "\" --out " + out);
}

Json Judged(const std::string& arguments) {
  const Ran run = RunShell(std::string(GODWIT_VERIFY) + " --json " + arguments);
  Json verdict = Json::parse(run.output, nullptr, false);
  EXPECT_EQ(run.exit, verdict["ok"] == true ? 0 : 1) << run.output;
  return verdict;
}

TEST_F(Offline, WhatARealmHoldsIsJudgedAndAChangedByteFound) {
  support::RealmServers servers;
  support::TestOrganisation organisation(servers);
  organisation.Join(support::Staff(1, 1, 1, 0, 1));
  for (const auto compartment :
       {Compartment::kIdentity, Compartment::kCases, Compartment::kJourneys}) {
    SCOPED_TRACE(protocol::Name(compartment));
    const PostgresDatabase& database = support::ServerOf(servers, compartment).database();
    const auto in = [&](const std::string& name) {
      return (folder_ / (std::string(protocol::Name(compartment)) + "." + name)).string();
    };
    // As the text says: the vaults first.
    const auto vaults = database.Sql(
        "SELECT encode(vault_id, 'hex'), encode(head_link, 'hex'), head_seq FROM vault");
    EXPECT_GE(vaults.size(), 2u);
    for (const auto& vault : vaults) {
      const Ran run = Dump("vault " + vault[0], database, in(vault[0]));
      EXPECT_EQ(run.exit, 0);
      EXPECT_EQ(run.output,
                "items " + std::to_string(std::stoi(vault[2]) + 1) + "\nhead " + vault[1] + "\n");
    }
    const Ran run = Dump("roster", database, in("roster"));
    EXPECT_EQ(run.exit, 0);
    const auto realm = database.Sql(
        "SELECT encode(fingerprint, 'hex'), encode(head_link, 'hex'), head_seq FROM realm")[0];
    const Json roster = Judged("roster " + in("roster"));
    EXPECT_EQ(roster["code"], "ok");
    EXPECT_EQ(roster["state"]["F"], realm[0]);
    EXPECT_EQ(roster["state"]["head"], realm[1]);
    EXPECT_GE(roster["state"]["members"].size(), 2u);
    for (const auto& vault : vaults) {
      const Json verdict = Judged("vault " + in("roster") + " " + in(vault[0]));
      EXPECT_EQ(verdict["code"], "ok");
      EXPECT_EQ(verdict["state"]["roster"], roster["state"]);
      EXPECT_EQ(verdict["state"]["vault"]["vault"], vault[0]);
      EXPECT_EQ(verdict["state"]["vault"]["head"], vault[1]);
    }

    // A chain without its beginning.
    const auto items = Items(Read(in(vaults[0][0])));
    ASSERT_GE(items.size(), 2u);
    const auto later = Write("later", Framed({items.begin() + 1, items.end()}));
    EXPECT_EQ(Judged("vault " + in("roster") + " " + later.string())["code"], "E_FORK");
  }

  // One byte, of any statement or entry.
  const PostgresDatabase& database = servers.cases.database();
  const std::string id = database.Sql(
      "SELECT encode(vault_id, 'hex') FROM vault ORDER BY head_seq DESC LIMIT 1")[0][0];
  const auto roster = folder_ / "cases.roster";
  const auto vault = folder_ / ("cases." + id);
  const auto flip_each = [&](const fs::path& file, const std::string& arguments) {
    const auto items = Items(Read(file));
    ASSERT_GE(items.size(), 3u);
    for (std::size_t seq = 0; seq < items.size(); ++seq) {
      for (const std::size_t at : {items[seq].size() / 3, items[seq].size() - 1}) {
        auto altered = items;
        altered[seq][at] ^= 1;
        const auto path = Write("altered", Framed(altered));
        const Json verdict = Judged(arguments + path.string());
        EXPECT_EQ(verdict["ok"], false);
        EXPECT_EQ(verdict["seq"], seq);
        EXPECT_EQ(verdict["state"], nullptr);
      }
    }
  };
  flip_each(roster, "roster ");
  flip_each(vault, "vault " + roster.string() + " ");
}

}  // namespace
}  // namespace godwit
