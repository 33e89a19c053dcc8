#include "tests/services/race.h"

#include <gtest/gtest.h>

#include <barrier>
#include <iostream>
#include <thread>

#include "tests/services/fixture.h"

namespace godwit::realm {

using protocol::Compartment;
using protocol::kFull;
using protocol::Kind;
using support::Person;
using support::TestRealm;
using support::TestVault;

void RaceRevocations(int rounds) {
  TestRealm realm(Compartment::kCases);
  EngineConfig config;
  config.quotas.revokes_of_others_per_day = static_cast<std::uint64_t>(rounds);
  TestEngine to(Compartment::kCases, config);
  TestEngine replica(to, config);
  std::vector<Person*> people;
  for (int i = 0; i < rounds; ++i) people.push_back(&realm.Add(protocol::kCoordinator));
  Sync(to, realm);
  int written = 0;
  int refused = 0;
  for (int i = 0; i < rounds; ++i) {
    Person& person = *people[static_cast<std::size_t>(i)];
    TestVault vault(realm, Kind::kScreening, person, {{&person, kFull}});
    ASSERT_TRUE(Append(to.engine, CallerOf(person), UploadOf(vault)));
    for (int n = 0; n < 3; ++n) vault.Write(person, vault.NewRecord(), "text");
    realm.RevokeByRoot(person, 0);
    const auto revoke = UploadOf(realm, realm.statements().back());
    std::barrier start(2);
    std::thread revoker([&] {
      start.arrive_and_wait();
      EXPECT_TRUE(replica.engine.AppendStatements(CallerOf(realm.person(0)), {revoke}));
    });
    start.arrive_and_wait();
    for (std::size_t n = 2; n < vault.entries().size(); ++n) {
      const auto status =
          Append(to.engine, CallerOf(person), {{UploadOf(vault, vault.entries()[n])}});
      ++(status ? written : refused);
    }
    revoker.join();
    // Once it is revoked, nothing more, by any replica.
    EXPECT_EQ(
        CodeOf(Append(to.engine, CallerOf(person), {{UploadOf(vault, vault.entries().back())}})),
        "UNAUTHENTICATED");
    const auto seq = realm.roster().head_seq();
    const std::string mine =
        "FROM leaf JOIN entry USING (realm_id, link) WHERE leaf_type = 2 AND vault_id = '\\x" +
        base::ToHex(vault.vault().id().bytes()) + "' AND leaf.roster_seq >= " + std::to_string(seq);
    EXPECT_EQ(Number(*to.postgres, "SELECT count(*) " + mine), 0u);
  }
  std::cout << "revoke against write: " << written << " entries came first, " << refused
            << " were refused\n";
  EXPECT_GT(refused, 0);
  EXPECT_EQ(Number(*to.postgres,
                   "SELECT count(*) FROM (SELECT roster_seq < lag(roster_seq) OVER (PARTITION BY "
                   "chain_tag ORDER BY seq) AS back FROM leaf WHERE leaf_type = 2) AS l WHERE "
                   "back"),
            0u);
}

}  // namespace godwit::realm
