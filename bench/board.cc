#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "bench/benches.h"
#include "bench/sodium_calls.h"
#include "client/pinned_rows.h"
#include "client/vault_writer.h"
#include "crypto/random.h"
#include "tests/support/builders.h"

namespace godwit::bench {
namespace {

using support::Must;
using support::Require;

constexpr std::size_t kVaultsPerCall = 32;

// Makes cases as an import does, in one realm alone.
void MakeCases(client::Realm& intake, std::size_t cases) {
  Require(intake.Sync());
  const base::MemberId caseworker = MemberWith(intake, protocol::kCaseworker);
  const base::MemberId supervisor = MemberWith(intake, protocol::kSupervisor);
  const std::map<base::MemberId, protocol::Perm> members = {
      {intake.member(), protocol::kWrite},
      {caseworker, protocol::kFull},
      {supervisor, protocol::kReadWrite},
      {MemberWith(intake, protocol::kCoordinator), protocol::kFull}};
  for (std::size_t made = 0; made < cases; made += kVaultsPerCall) {
    std::vector<transport::VaultUpload> uploads;
    for (std::size_t i = made; i < std::min(made + kVaultsPerCall, cases); ++i) {
      auto vault = Must(client::MakeVault(
          intake, protocol::Kind::kCase, members,
          [&](const base::VaultId& id) -> base::Result<std::vector<client::Edit>> {
            client::Edit edit;
            edit.record = protocol::PinnedRecordOf(id);
            auto& summary = *edit.content.mutable_summary();
            summary.set_code("BENCH-" + std::to_string(i));
            summary.set_caseworker(base::ToString(caseworker.bytes()));
            summary.set_supervisor(base::ToString(supervisor.bytes()));
            summary.set_stage(content::v1::CASE_STAGE_CONTACT);
            summary.set_stage_since_day(20'000);
            client::Edit facts;
            facts.record = crypto::RandomId<base::RecordId>();
            facts.content.mutable_case_();
            return std::vector<client::Edit>{edit, facts};
          }));
      uploads.push_back(std::move(vault.upload));
    }
    for (const auto& outcome : Must(intake.server().AppendEntries(uploads))) Require(outcome);
  }
}

}  // namespace

Comparison MeasureBoard(World& world, std::size_t cases) {
  MakeCases(world.Cases("in1"), cases);
  Comparison comparison{.bench = "board_cold", .baseline = "libsodium", .unit = "s"};
  SodiumCounts counts;
  Interleave(
      comparison,
      [&] {
        const auto realm = world.people().RealmWithEmptyStore("kc1", protocol::Compartment::kCases);
        Require(realm->Sync());
        const SodiumCounts before = CountsNow();
        const double seconds =
            Seconds([&] { Require(client::SyncPinnedRows(*realm, protocol::Kind::kCase)); });
        counts = Between(before, CountsNow());
        comparison.n = Must(client::ReadPinnedRows(*realm, protocol::Kind::kCase)).size();
        return seconds;
      },
      [&] {
        // To read takes no signing and no sealing: what the local store does is ours to answer for.
        SodiumCounts opening = counts;
        for (const auto call :
             {SodiumCall::kSign, SodiumCall::kChaChaSeal, SodiumCall::kXChaChaSeal}) {
          opening[static_cast<std::size_t>(call)] = {};
        }
        return SecondsOf(opening);
      });
  if (comparison.n < cases) {
    std::cerr << "board_cold: not all cases were read\n";
    std::exit(1);
  }
  return comparison;
}

}  // namespace godwit::bench
